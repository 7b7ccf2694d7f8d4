"""Impurities of a node: of its classes, and of its targets in regression.

An impurity is a mean over the samples, so that a node's weight times its impurity is what a tree
adds up.  Of classes they take probabilities, or with ``normalize=True`` counts or weights; of
targets the values themselves along ``axis``.
"""

import math

from ._arrays import (
    as_floating,
    at_least_zero,
    check_axis,
    check_finite,
    check_size,
    expectation,
    from_weights,
    total,
)
from ._terms import poisson_term
from .renyi import largest_log

__all__ = [
    "absolute_error",
    "gaussian_entropy_gain",
    "gaussian_entropy_impurity",
    "gini_impurity",
    "half_poisson_deviance",
    "misclassification",
    "unbiased_gini",
    "variance",
    "variance_reduction",
]


def gini_impurity(p, axis=-1, *, normalize=False):
    r"""Return the Gini impurity :math:`1 - \sum_k p_k^2`.

    The chance that two draws differ, the expected error of a guess drawn from ``p``, and the
    Tsallis entropy of order 2.

    Parameters
    ----------
    p : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide by the sum.

    Returns
    -------
    array of shape (...)
        From exactly 0 to 1 - 1 / ``n_outcomes``.

    Raises
    ------
    ValueError
        If an entry is NaN or negative, or a row does not sum to one and ``normalize`` is False.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and regression trees", 1984.

    Examples
    --------
    >>> from treelearn.information import gini_impurity
    >>> gini_impurity([[5, 5], [10, 0]], normalize=True)
    array([0.5, 0. ])
    """
    outcomes = from_weights(p, axis=axis, normalize=normalize)
    others = _complements(outcomes, is_rounded=normalize)
    return at_least_zero(outcomes.xp, expectation(outcomes, others))


def _complements(outcomes, is_rounded):
    """Return one minus every probability, 0 for impossible outcomes.

    That of a quotient of weights comes from its logarithm, which knows the other weights.
    """
    xp, p, log_p, _ = outcomes
    if is_rounded:
        return -xp.expm1(log_p)
    return xp.where(p > 0, 1 - p, xp.zeros_like(p))


def unbiased_gini(counts, axis=-1):
    r"""Return the unbiased estimate of the Gini impurity from counts.

    The share of pairs of samples that differ, :math:`1 - \sum_k n_k (n_k - 1) / (N (N - 1))`: the
    Gini impurity of the counts times N / (N - 1).

    Parameters
    ----------
    counts : array of shape (..., n_outcomes)
        Counts of samples, at least two a row.
    axis : int, default=-1
        Axis of the outcomes.

    Returns
    -------
    array of shape (...)
        From 0 to 1.

    Raises
    ------
    ValueError
        If a count is NaN or negative, or a row has fewer than two samples.

    References
    ----------
    E. H. Simpson, "Measurement of diversity", 1949.

    Examples
    --------
    >>> from treelearn.information import unbiased_gini
    >>> float(unbiased_gini([1, 1]))
    1.0
    """
    outcomes = from_weights(counts, axis=axis, normalize=True, name="counts")
    xp, counts = as_floating(counts)
    n_samples = total(xp, counts, outcomes.axis)
    if bool(xp.any(n_samples < 2)):
        raise ValueError("counts must have at least two samples in every row.")
    gini = expectation(outcomes, _complements(outcomes, is_rounded=True))
    return at_least_zero(xp, gini * (n_samples / (n_samples - 1)))


def misclassification(p, axis=-1, *, normalize=False):
    """Return the misclassification impurity, one minus the largest probability.

    Parameters
    ----------
    p : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide by the sum.

    Returns
    -------
    array of shape (...)
        The error of the best constant guess.

    Raises
    ------
    ValueError
        If an entry is NaN or negative, or a row does not sum to one and ``normalize`` is False.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and regression trees", 1984.

    Examples
    --------
    >>> from treelearn.information import misclassification
    >>> float(misclassification([1, 2, 3], normalize=True))
    0.5
    """
    outcomes = from_weights(p, axis=axis, normalize=normalize)
    xp, p, _, axis = outcomes
    if not normalize:
        return at_least_zero(xp, 1 - xp.max(p, axis=axis))
    return at_least_zero(xp, -xp.expm1(xp.squeeze(largest_log(outcomes), axis=axis)))


def _targets(y, axis):
    """Return the namespace, checked targets and their axis counted from the end."""
    xp, y = as_floating(y)
    axis = check_axis(y, axis, "y")
    check_finite(xp, y, "y")
    return xp, y, axis


def _mean(xp, values, axis):
    """Return the mean along an axis that is kept; no sum overflows that the mean does not."""
    return total(xp, values / values.shape[axis], axis, keepdims=True)


def _variance(xp, y, axis):
    """Return the mean and the variance of targets, with the axis kept."""
    mean = _mean(xp, y, axis)
    deviations = y - mean
    # The rounded mean is off by a constant, whose square the second term takes away.
    shift = _mean(xp, deviations, axis)
    deviations = deviations - shift
    return mean + shift, _mean(xp, deviations * deviations, axis)


def variance(y, axis=-1):
    """Return the variance of targets: the impurity of ``criterion="squared_error"``.

    Parameters
    ----------
    y : array of shape (..., n_samples)
        Targets.
    axis : int, default=-1
        Axis of the samples.

    Returns
    -------
    array of shape (...)
        The mean squared distance from the mean, in the square of the unit of ``y``.

    Raises
    ------
    ValueError
        If a target is NaN or infinite.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and regression trees", 1984.

    Examples
    --------
    >>> from treelearn.information import variance
    >>> float(variance([1e8 - 1, 1e8, 1e8 + 1, 1e8]))
    0.5
    """
    xp, y, axis = _targets(y, axis)
    return xp.squeeze(_variance(xp, y, axis)[1], axis=axis)


def variance_reduction(left, right, axis=-1):
    r"""Return by how much a split lowers the variance, per sample.

    :math:`w_L w_R (\bar y_L - \bar y_R)^2`, with the shares w of the samples: what the variance
    of all minus the mean variance of the two sides amounts to, without the subtraction.

    Parameters
    ----------
    left, right : array of shape (..., n_samples)
        Targets of the two sides; the numbers of samples may differ.
    axis : int, default=-1
        Axis of the samples.

    Returns
    -------
    array of shape (...)
        At least 0, in the square of the unit of the targets.

    Raises
    ------
    ValueError
        If a target is NaN or infinite.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and regression trees", 1984.

    Examples
    --------
    >>> from treelearn.information import variance_reduction
    >>> float(variance_reduction([0.0, 2.0], [4.0, 6.0]))
    4.0
    """
    xp, sides, axis = _sides(left, right, axis)
    (left_share, left_mean, _), (right_share, right_mean, _) = sides
    difference = left_mean - right_mean
    return xp.squeeze(left_share * right_share * difference * difference, axis=axis)


def _sides(left, right, axis):
    """Return of both sides of a split their share of the samples, mean and variance."""
    xp, left, right = as_floating(left, right)
    xp, left, left_axis = _targets(left, axis)
    xp, right, right_axis = _targets(right, axis)
    if left_axis != right_axis:
        raise ValueError("left and right must have equally many axes.")
    n_samples = left.shape[left_axis] + right.shape[left_axis]
    sides = [
        (side.shape[left_axis] / n_samples, *_variance(xp, side, left_axis))
        for side in (left, right)
    ]
    return xp, sides, left_axis


def gaussian_entropy_impurity(y, ridge=0.0, axis=-1):
    r"""Return the entropy of the normal distribution fitted to targets.

    :math:`\frac12 \ln(2 \pi e (s^2 + r))` with the variance and the ridge r.  It may be negative:
    it depends on the unit of the targets, and gains do not.

    Parameters
    ----------
    y : array of shape (..., n_samples)
        Targets.
    ridge : float, default=0.0
        Added to the variance, because equal targets have entropy minus infinity.
    axis : int, default=-1
        Axis of the samples.

    Returns
    -------
    array of shape (...)
        Differential entropy in nats.

    Raises
    ------
    ValueError
        If a target is NaN or infinite, or the ridge is negative.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from treelearn.information import gaussian_entropy_impurity
    >>> round(float(gaussian_entropy_impurity([0.0, 1.0, 1.0, 3.0])), 12)
    1.504863661668
    """
    check_size(ridge, "ridge")
    xp, y, axis = _targets(y, axis)
    spread = xp.squeeze(_variance(xp, y, axis)[1], axis=axis) + ridge
    is_spread = spread > 0
    logs = xp.log(xp.where(is_spread, spread, xp.ones_like(spread)))
    nats = (logs + (1 + math.log(2 * math.pi))) / 2
    return xp.where(is_spread, nats, xp.full_like(nats, -math.inf)) + 0.0


def gaussian_entropy_gain(left, right, ridge=0.0, axis=-1):
    r"""Return by how much a split lowers the entropy of fitted normal distributions, per sample.

    Parameters
    ----------
    left, right : array of shape (..., n_samples)
        Targets of the two sides; the numbers of samples may differ.
    ridge : float, default=0.0
        Added to every variance.
    axis : int, default=-1
        Axis of the samples.

    Returns
    -------
    array of shape (...)
        At least 0, in nats; infinite where a side has variance 0, all samples have not, and the
        ridge is 0; 0 where all targets are equal.

    Raises
    ------
    ValueError
        If a target is NaN or infinite, or the ridge is negative.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from treelearn.information import gaussian_entropy_gain
    >>> round(float(gaussian_entropy_gain([0.0, 1.0], [1.0, 3.0])), 12)
    0.432498718743
    """
    check_size(ridge, "ridge")
    xp, sides, axis = _sides(left, right, axis)
    (left_share, left_mean, left_variance), (right_share, right_mean, right_variance) = sides
    difference = left_mean - right_mean
    between = left_share * right_share * difference * difference
    whole = left_share * left_variance + right_share * right_variance + between + ridge
    gain = xp.zeros_like(whole)
    for share, side in ((left_share, left_variance), (right_share, right_variance)):
        is_spread = side + ridge > 0
        inner = xp.where(is_spread, side + ridge, xp.ones_like(side))
        logs = xp.log(xp.where(is_spread, whole, inner) / inner)
        gain = gain + share * xp.where(is_spread, logs, xp.full_like(logs, math.inf)) / 2
    gain = xp.where(whole > 0, gain, xp.zeros_like(gain))
    return at_least_zero(xp, xp.squeeze(gain, axis=axis))


def absolute_error(y, axis=-1):
    """Return the mean absolute distance from the median: ``criterion="absolute_error"``.

    Parameters
    ----------
    y : array of shape (..., n_samples)
        Targets.
    axis : int, default=-1
        Axis of the samples.

    Returns
    -------
    array of shape (...)
        In the unit of ``y``.

    Raises
    ------
    ValueError
        If a target is NaN or infinite.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and regression trees", 1984.

    Examples
    --------
    >>> from treelearn.information import absolute_error
    >>> float(absolute_error([1.0, 2.0, 6.0, 7.0]))
    2.5
    """
    xp, y, axis = _targets(y, axis)
    ordered = xp.moveaxis(xp.sort(y, axis=axis), axis, -1)
    middle = (ordered.shape[-1] - 1) // 2
    distances = xp.abs(ordered - ordered[..., middle : middle + 1])
    return xp.squeeze(_mean(xp, distances, -1), axis=-1)


def half_poisson_deviance(y, axis=-1):
    r"""Return the mean of :math:`y \ln(y / \bar y) - (y - \bar y)`: ``criterion="poisson"``.

    Half the deviance of the Poisson distribution whose mean is that of the targets.

    Parameters
    ----------
    y : array of shape (..., n_samples)
        Targets of at least 0.
    axis : int, default=-1
        Axis of the samples.

    Returns
    -------
    array of shape (...)
        At least 0, in nats if the targets are counts; 0 for targets that are all 0.

    Raises
    ------
    ValueError
        If a target is NaN, infinite or negative.

    References
    ----------
    P. McCullagh and J. A. Nelder, "Generalized linear models", 1989.

    Examples
    --------
    >>> from treelearn.information import half_poisson_deviance
    >>> round(float(half_poisson_deviance([1.0, 2.0, 6.0])), 12)
    0.749780192825
    """
    xp, y, axis = _targets(y, axis)
    if bool(xp.any(y < 0)):
        raise ValueError("y must not be negative for a Poisson deviance.")
    mean = _mean(xp, y, axis)
    terms = poisson_term(xp, y, mean + xp.zeros_like(y), y - mean)
    return xp.squeeze(_mean(xp, terms, axis), axis=axis)
