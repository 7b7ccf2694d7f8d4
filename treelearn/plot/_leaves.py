"""What the leaves say, and whether what they say comes true."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._leaf_statistics import leaf_intervals, wilson_interval
from ._style import add_legend, axes, colour, shorten

__all__ = ["CalibrationDisplay", "LeavesDisplay", "plot_calibration", "plot_leaves"]


class CalibrationDisplay:
    """How often predictions of a given confidence are right.

    Make one with `from_estimator` or `plot_calibration`.

    Parameters
    ----------
    confidence : ndarray of shape (n_groups,)
        Mean predicted probability of a group of samples.
    share : ndarray of shape (n_groups,)
        Share of the group for which it came true.
    n : ndarray of int of shape (n_groups,)
        Samples of the group.
    error : float
        Mean gap of the two, weighted by samples.
    label : str
        What is predicted.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        What was drawn on.
    """

    def __init__(self, confidence, share, n, error, label):
        self.confidence = confidence
        self.share = share
        self.n = n
        self.error = error
        self.label = label

    @classmethod
    def from_estimator(cls, estimator, X, y, *, n_bins=10, ax=None):
        """Draw the calibration of a fitted classifier; see `plot_calibration`."""
        check_is_fitted(estimator)
        if not hasattr(estimator, "classes_"):
            raise ValueError("Calibration is for classifiers.")
        if n_bins < 1:
            raise ValueError(f"n_bins == {n_bins}, must be >= 1.")
        y = np.asarray(y)
        proba = estimator.predict_proba(X)
        if len(estimator.classes_) == 2:
            confidence, comes_true = proba[:, 1], y == estimator.classes_[1]
            label = str(estimator.classes_[1])
        else:
            confidence = proba.max(axis=1)
            comes_true = estimator.classes_[proba.argmax(axis=1)] == y
            label = "the predicted class"
        # A tree predicts few distinct values: groups never part equal ones.
        values, place, counts = np.unique(confidence, return_inverse=True, return_counts=True)
        group = np.arange(len(values))
        if len(values) > n_bins:
            middle = (np.cumsum(counts) - counts / 2) / len(y)
            group = np.unique(np.floor(n_bins * middle), return_inverse=True)[1]
        n = np.bincount(group, weights=counts)
        found = np.bincount(group[place], weights=confidence) / n
        share = np.bincount(group[place], weights=comes_true) / n
        error = float((n * np.abs(found - share)).sum() / len(y))
        return cls(found, share, n.astype(int), error, label).plot(ax)

    def plot(self, ax=None):
        """Draw the points on axes, by default new ones, and return the display."""
        ax = axes(ax, (4.6, 4.4))
        low, high = wilson_interval(self.share, self.n)
        (diagonal,) = ax.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1)
        ax.vlines(self.confidence, low, high, color=colour(0), alpha=0.5, linewidth=1.2)
        points = ax.scatter(
            self.confidence,
            self.share,
            s=20 + 160 * self.n / self.n.sum(),
            color=colour(0),
            edgecolor="white",
            linewidth=0.6,
            zorder=3,
        )
        ax.set_xlim(-0.03, 1.03)
        ax.set_ylim(-0.03, 1.03)
        ax.set_xlabel(f"predicted probability of {shorten(self.label, 30)}", parse_math=False)
        ax.set_ylabel("how often it is right")
        ax.grid(alpha=0.25, linewidth=0.6)
        labels = ["perfect", f"calibration error {100 * self.error:.2g} %"]
        add_legend(ax, [diagonal, points], labels, loc="upper left")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def plot_calibration(estimator, X, y, *, n_bins=10, ax=None):
    """Draw how often a classifier's predictions of a given probability are right.

    Parameters
    ----------
    estimator : DecisionTreeClassifier
        Fitted; any classifier with ``predict_proba`` will do.
    X : array-like of shape (n_samples, n_features)
        Samples that it was not fitted on.
    y : array-like of shape (n_samples,)
        Their classes.
    n_bins : int, default=10
        Most groups, of about equally many samples; equal predictions stay together.
    ax : matplotlib.axes.Axes, default=None
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    CalibrationDisplay
        With the axes it was drawn on.  Of two classes it shows the second; of more the one that
        is predicted.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If the estimator is no classifier.
    """
    return CalibrationDisplay.from_estimator(estimator, X, y, n_bins=n_bins, ax=ax)


class LeavesDisplay:
    """What the largest leaves say of samples, with 95 % intervals.

    Make one with `from_estimator` or `plot_leaves`.

    Parameters
    ----------
    leaves : dict of ndarray
        From ``leaf_intervals``.
    class_names : list of str or None
        Names of the classes; None in regression.
    n_largest : int
        How many leaves are drawn.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        What was drawn on.
    """

    def __init__(self, leaves, class_names, n_largest):
        self.leaves = leaves
        self.class_names = class_names
        self.n_largest = n_largest

    @classmethod
    def from_estimator(cls, estimator, X, y, *, n_largest=25, ax=None):
        """Draw the leaves of a fitted estimator; see `plot_leaves`."""
        check_is_fitted(estimator)
        if estimator.tree_.n_outputs != 1:
            raise ValueError("Only trees with one output can be drawn.")
        if n_largest < 1:
            raise ValueError(f"n_largest == {n_largest}, must be >= 1.")
        names = [str(name) for name in getattr(estimator, "classes_", [])] or None
        return cls(leaf_intervals(estimator, X, y), names, n_largest).plot(ax)

    def plot(self, ax=None):
        """Draw the leaves on axes, by default new ones, and return the display."""
        found = self.leaves
        largest = np.argsort(-found["n"], kind="stable")[: self.n_largest]
        chosen = largest[np.argsort(found["value"][largest], kind="stable")]
        ax = axes(ax, (6.0, max(1.8, 0.22 * len(chosen) + 1.0)))
        rows = np.arange(len(chosen))
        value, low, high = (found[key][chosen] for key in ("value", "low", "high"))
        if self.class_names is None:
            colours = [colour(0)] * len(chosen)
        else:
            colours = [colour(int(k)) for k in found["predicted"][chosen]]
        ax.hlines(rows, low, high, color=colours, linewidth=2, alpha=0.5)
        ax.scatter(value, rows, color=colours, s=18, zorder=3)
        labels = [f"leaf {found['leaf'][i]}, n = {found['n'][i]:,}" for i in chosen]
        ax.set_yticks(rows, labels, fontsize=8)
        ax.set_ylim(-0.7, len(chosen) - 0.3)
        if self.class_names is None:
            ax.set_xlabel("mean of the target")
        else:
            ax.set_xlabel("share of the predicted class")
            ax.set_xlim(-0.02, 1.02)
            shown = sorted({int(k) for k in found["predicted"][chosen]})[:12]
            handles = [ax.plot([], [], color=colour(k), linewidth=2)[0] for k in shown]
            names = [shorten(self.class_names[k], 25) for k in shown]
            add_legend(ax, handles, names, loc="best", fontsize=8)
        ax.grid(axis="x", alpha=0.25, linewidth=0.6)
        n_left_out = len(found["n"]) - len(chosen)
        if n_left_out:
            ax.set_title(f"the {len(chosen)} largest of {len(found['n'])} leaves", fontsize=9)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def plot_leaves(estimator, X, y, *, n_largest=25, ax=None):
    """Draw what the leaves of a tree say of samples, with 95 % intervals.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or DecisionTreeRegressor
        Fitted, with one output.
    X : array-like of shape (n_samples, n_features)
        Samples, best such as the tree was not grown on: intervals of the training samples look
        surer than they are.
    y : array-like of shape (n_samples,)
        Their targets.
    n_largest : int, default=25
        How many of the leaves to draw, those with most samples.
    ax : matplotlib.axes.Axes, default=None
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    LeavesDisplay
        With the axes it was drawn on.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    return LeavesDisplay.from_estimator(estimator, X, y, n_largest=n_largest, ax=ax)
