"""What the leaves of a tree say, and how sure that is."""

import numpy as np
from scipy.special import ndtri

__all__ = ["leaf_intervals", "wilson_interval"]


def wilson_interval(share, n, level=0.95):
    """Return Wilson's interval (1927) of a share that was found among n samples.

    Parameters
    ----------
    share : array-like
        Shares between 0 and 1.
    n : array-like
        Sizes of the samples, above 0.
    level : float, default=0.95
        Probability that the interval holds the true share.

    Returns
    -------
    low, high : ndarray
        Within [0, 1], and not of width 0 where the share is 0 or 1.

    Examples
    --------
    >>> from treelearn._leaf_statistics import wilson_interval
    >>> low, high = wilson_interval(1.0, 10)
    >>> round(float(low), 4), float(high)
    (0.7225, 1.0)
    """
    z2 = ndtri((1.0 + level) / 2.0) ** 2
    share, n = np.asarray(share, dtype=float), np.asarray(n, dtype=float)
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 / n * (share * (1 - share) + z2 / (4 * n))) / (1 + z2 / n)
    # Rounding must not leave out the share itself.
    return np.clip(middle - half, 0.0, share), np.clip(middle + half, share, 1.0)


def leaf_intervals(estimator, X, y):
    """Return what each leaf says of samples that reach it, with 95 % intervals.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or DecisionTreeRegressor
        Fitted, with one output.
    X : array-like of shape (n_samples, n_features)
        Samples, best such as the tree was not grown on.
    y : array-like of shape (n_samples,)
        Their targets.

    Returns
    -------
    dict of ndarray of shape (n_leaves,)
        Of the leaves that samples reach: ``leaf``, its node; ``n``, the samples in it;
        ``predicted``, the place of its class or its number; ``value``, the share of the samples
        that have that class or the mean of their targets; ``low`` and ``high``, Wilson's
        interval, or 1.96 standard errors around the mean, NaN for a single sample.
    """
    leaf = estimator.apply(X)
    y = np.asarray(y)
    leaves, place = np.unique(leaf, return_inverse=True)
    n = np.bincount(place).astype(float)
    values = estimator.tree_.value[leaves, 0]
    if hasattr(estimator, "classes_"):
        predicted = values.argmax(axis=1)
        is_right = estimator.classes_[predicted][place] == y
        value = np.bincount(place, weights=is_right) / n
        low, high = wilson_interval(value, n)
    else:
        predicted = values[:, 0]
        value = np.bincount(place, weights=y) / n
        squares = np.bincount(place, weights=(y - value[place]) ** 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            half = 1.96 * np.sqrt(squares / (n - 1) / n)
        low, high = value - half, value + half
    found = {"leaf": leaves, "n": n.astype(int), "predicted": predicted, "value": value}
    return found | {"low": low, "high": high}
