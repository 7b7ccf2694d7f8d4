"""Curves: impurity of two classes, score against order, score along the pruning path."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._pruning import node_scores, pruning_path
from .._scores import METRICS
from ..classifier import DecisionTreeClassifier
from ..criteria import CLASSIFICATION_CRITERIA, criterion_label, parse_criterion
from ..laboratory import ORDERS, compare_criteria, criteria_of_orders
from ._style import add_legend, axes, colour

__all__ = [
    "CriteriaDisplay",
    "OrderPathDisplay",
    "PruningDisplay",
    "impurity_curve",
    "order_curves",
    "plot_criteria",
    "plot_order_path",
    "plot_pruning",
]

_CURVES = ("gini", "entropy", "renyi:0.5", "renyi:5", "misclassification")


def impurity_curve(criterion, shares):
    """Return the impurity of two classes as the core computes it.

    Parameters
    ----------
    criterion : str
        As ``"name"`` or ``"name:order"``.
    shares : array-like of shape (n_points,)
        Shares of one class, strictly between 0 and 1.

    Returns
    -------
    ndarray of shape (n_points,)
        In the criterion's unit.
    """
    name, order = parse_criterion(criterion)
    if name not in CLASSIFICATION_CRITERIA:
        raise ValueError(f"{name} is no criterion for classes.")
    order = 2.0 if order is None else order
    tree = DecisionTreeClassifier(criterion=name, order=order, n_jobs=1)
    X, y = np.zeros((2, 1)), np.array([0, 1])
    weights = np.column_stack([1.0 - np.asarray(shares), shares])
    return np.array([tree.fit(X, y, sample_weight=w)._tree.impurity[0] for w in weights])


class CriteriaDisplay:
    """Impurity of two classes against the share of one.

    Make one with `from_criteria`, `from_estimator` or `plot_criteria`.

    Parameters
    ----------
    shares : ndarray of shape (n_points,)
        Shares of one class.
    impurities : dict of ndarray of shape (n_points,)
        Impurity by criterion.
    is_scaled : bool
        Whether every curve is divided by its value at one half.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        What was drawn on.
    lines_ : list of matplotlib.lines.Line2D
        One per criterion.
    """

    def __init__(self, shares, impurities, is_scaled):
        self.shares = shares
        self.impurities = impurities
        self.is_scaled = is_scaled

    @classmethod
    def from_criteria(cls, criteria=_CURVES, *, is_scaled=True, ax=None):
        """Draw the curves of criteria; see `plot_criteria`."""
        # Symmetric about one half and denser where curves are steep.
        shares = (1 - np.cos(np.linspace(0, np.pi, 63)[1:-1])) / 2
        curves = {}
        for name in criteria:
            curve = impurity_curve(name, shares)
            if is_scaled:
                curve = curve / impurity_curve(name, [0.5])[0]
            curves[name] = curve
        return cls(shares, curves, is_scaled).plot(ax)

    @classmethod
    def from_estimator(cls, estimator, *, is_scaled=True, ax=None):
        """Draw the curve of an estimator's criterion beside Gini and Shannon."""
        name = criterion_label(estimator.criterion, getattr(estimator, "order", None))
        criteria = list(dict.fromkeys([name, "gini", "entropy"]))
        return cls.from_criteria(criteria, is_scaled=is_scaled, ax=ax)

    def plot(self, ax=None):
        """Draw the curves on axes, by default new ones, and return the display."""
        ax = axes(ax, (5.5, 4.0))
        self.lines_ = []
        for i, curve in enumerate(self.impurities.values()):
            x = np.concatenate([[0.0], self.shares, [1.0]])
            y = np.concatenate([[0.0], curve, [0.0]])
            self.lines_ += ax.plot(x, y, color=colour(i), linewidth=1.6)
        ax.set_xlabel("share of one of two classes")
        ax.set_ylabel("impurity / impurity at one half" if self.is_scaled else "impurity")
        ax.set_xlim(0, 1)
        ax.set_ylim(bottom=0)
        ax.grid(alpha=0.25, linewidth=0.6)
        add_legend(ax, self.lines_, list(self.impurities), loc="lower center")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def plot_criteria(criteria=_CURVES, *, is_scaled=True, ax=None):
    """Draw the impurity of two classes under several criteria.

    Parameters
    ----------
    criteria : sequence of str
        Criteria for classes as ``"name"`` or ``"name:order"``.
    is_scaled : bool, default=True
        Divide every curve by its value at one half, which no split depends on; otherwise the
        impurities have the units of their criteria.
    ax : matplotlib.axes.Axes, default=None
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    CriteriaDisplay
        With the axes it was drawn on.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If a criterion is unknown or not for classes.
    """
    return CriteriaDisplay.from_criteria(criteria, is_scaled=is_scaled, ax=ax)


def order_curves(comparison, metric):
    """Return score against order for the families of a comparison.

    Parameters
    ----------
    comparison : CriteriaComparison
        Of criteria that take an order, such as those of `criteria_of_orders`, and others.
    metric : str
        A metric of the comparison.

    Returns
    -------
    curves : dict of (ndarray, ndarray, ndarray)
        By family: orders, means and half of their 95 % intervals, by rising order.
    others : dict of float
        Means of the criteria without an order.
    """
    curves, others = {}, {}
    for row in comparison.rows:
        if row["order"] is None:
            others[row["criterion"]] = row[metric]
        else:
            family = row["criterion"].partition(":")[0]
            point = row["order"], row[metric], row[f"{metric}_half_width"]
            curves.setdefault(family, []).append(point)
    return {family: tuple(np.array(sorted(points)).T) for family, points in curves.items()}, others


class OrderPathDisplay:
    """Score against the order of the Renyi and Tsallis families, with its band.

    Make one with `from_comparison`, `from_estimator` or `plot_order_path`.

    Parameters
    ----------
    comparison : CriteriaComparison
        What was found for the orders.
    metric : str
        What is drawn.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        What was drawn on.
    lines_ : dict of matplotlib.lines.Line2D
        One per family, and per criterion without an order.
    """

    def __init__(self, comparison, metric):
        self.comparison = comparison
        self.metric = metric

    @classmethod
    def from_comparison(cls, comparison, *, metric=None, ax=None):
        """Draw what `compare_criteria` has found for criteria of several orders."""
        known = [one.key for one in comparison.metrics]
        metric = known[0] if metric is None else metric
        if metric not in known:
            raise ValueError(f"The metric must be one of {', '.join(known)}, not {metric!r}.")
        return cls(comparison, metric).plot(ax)

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, orders=ORDERS, cv=5, n_repeats=None, metric=None, ax=None
    ):
        """Compare the orders under the depth and the seed of an estimator, and draw that."""
        criteria = [*criteria_of_orders(orders=orders), "gini", "entropy"]
        comparison = compare_criteria(
            *(X, y, criteria),
            cv=cv,
            n_repeats=n_repeats,
            max_depth=estimator.max_depth,
            random_state=0 if estimator.random_state is None else estimator.random_state,
        )
        return cls.from_comparison(comparison, metric=metric, ax=ax)

    def plot(self, ax=None):
        """Draw the curves on axes, by default new ones, and return the display."""
        ax = axes(ax, (6.0, 4.0))
        curves, others = order_curves(self.comparison, self.metric)
        metric = next(one for one in self.comparison.metrics if one.key == self.metric)
        scale = 100 if metric.unit == "%" else 1
        self.lines_ = {}
        orders = [order for curve in curves.values() for order in curve[0] if np.isfinite(order)]
        # The error rate, at order infinity, stands beyond the last finite order.
        last = 2 * max(orders, default=1.0)
        for i, (family, (order, mean, half)) in enumerate(curves.items()):
            x = np.where(np.isinf(order), last, order)
            ax.fill_between(
                x, scale * (mean - half), scale * (mean + half), color=colour(i), alpha=0.15, lw=0
            )
            self.lines_[family] = ax.plot(
                x, scale * mean, marker="o", markersize=3.5, color=colour(i)
            )[0]
        for i, (name, mean) in enumerate(others.items(), start=len(curves)):
            self.lines_[name] = ax.axhline(
                scale * mean, color=colour(i), linestyle="--", linewidth=1
            )
        if curves:
            ax.set_xscale("log")
            ticks = sorted({*orders} | {last for o, *_ in curves.values() if np.isinf(o).any()})
            labels = [f"{t:g}" if t in orders else "\N{INFINITY}" for t in ticks]
            ax.set_xticks(ticks, labels)
            ax.minorticks_off()
        ax.set_xlabel("order")
        unit = f" ({metric.unit})" if metric.unit else ""
        ax.set_ylabel(f"{metric.label}{unit}")
        ax.grid(alpha=0.25, linewidth=0.6)
        add_legend(ax, list(self.lines_.values()), list(self.lines_), loc="best")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def plot_order_path(comparison, *, metric=None, ax=None):
    """Draw score against order, with 95 % intervals that allow for folds that share samples.

    Parameters
    ----------
    comparison : CriteriaComparison
        From ``compare_criteria(X, y, criteria_of_orders())``; criteria without an order become
        lines across.
    metric : str, default=None
        What to draw; by default accuracy or R2.
    ax : matplotlib.axes.Axes, default=None
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    OrderPathDisplay
        With the axes it was drawn on.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If the comparison has no such metric.
    """
    return OrderPathDisplay.from_comparison(comparison, metric=metric, ax=ax)


class PruningDisplay:
    """Score on training and on other samples along the pruning path.

    Make one with `from_estimator` or `plot_pruning`.

    Parameters
    ----------
    n_leaves : ndarray of shape (n_steps,)
        Leaves of the trees of the path.
    alphas : ndarray of shape (n_steps,)
        The ``ccp_alpha`` of each.
    scores : dict of ndarray of shape (n_steps,)
        Accuracy, or R2, by the name of the samples.
    label : str
        What the score is called.

    Attributes
    ----------
    ax_, figure_ : matplotlib axes and figure
        What was drawn on.
    best_alpha_ : float
        The ``ccp_alpha`` of the smallest tree with the best score on the other samples.
    """

    def __init__(self, n_leaves, alphas, scores, label):
        self.n_leaves = n_leaves
        self.alphas = alphas
        self.scores = scores
        self.label = label

    @classmethod
    def from_estimator(cls, estimator, X, y, *, X_train=None, y_train=None, ax=None):
        """Draw the pruning path of a fitted estimator; see `plot_pruning`."""
        check_is_fitted(estimator)
        if estimator.tree_.n_outputs != 1:
            raise ValueError("Only trees with one output can be drawn.")
        parts = {"other samples": (X, y)}
        if X_train is not None:
            parts = {"training samples": (X_train, y_train)} | parts
        worth = np.column_stack([node_scores(estimator, *part) for part in parts.values()])
        path = pruning_path(estimator.tree_, worth)
        is_classes = hasattr(estimator, "classes_")
        scores = {}
        for j, (name, (_, target)) in enumerate(parts.items()):
            if is_classes:
                scores[name] = path.scores[:, j] / len(target)
            else:
                scores[name] = 1.0 + path.scores[:, j] / (np.var(target) * len(target))
        label = METRICS["classification" if is_classes else "regression"][0].label
        return cls(path.n_leaves, path.alphas, scores, label).plot(ax)

    def plot(self, ax=None):
        """Draw the curves on axes, by default new ones, and return the display."""
        ax = axes(ax, (6.0, 4.0))
        lines = []
        for i, score in enumerate(self.scores.values()):
            lines += ax.plot(self.n_leaves, score, color=colour(i), marker=".", linewidth=1.4)
        test = self.scores["other samples"]
        best = int(np.flatnonzero(test == test.max())[-1])
        self.best_alpha_ = float(self.alphas[best])
        (mark,) = ax.plot(
            *([self.n_leaves[best]], [test[best]]),
            marker="o",
            markersize=9,
            markerfacecolor="none",
            color=lines[-1].get_color(),
            linestyle="none",
        )
        ax.set_xscale("log")
        ticks = [m * 10**e for e in range(8) for m in (1, 2, 5) if m * 10**e <= self.n_leaves[0]]
        ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        ax.minorticks_off()
        ax.set_xlabel("leaves")
        ax.set_ylabel(self.label)
        ax.grid(alpha=0.25, linewidth=0.6)
        text = f"{self.n_leaves[best]:,} leaves, ccp_alpha = {self.best_alpha_:.3g}"
        add_legend(ax, [*lines, mark], [*self.scores, text], loc="best")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def plot_pruning(estimator, X, y, *, X_train=None, y_train=None, ax=None):
    """Draw the score of a tree at every size that cost-complexity pruning gives it.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or DecisionTreeRegressor
        Fitted with ``ccp_alpha=0``, with one output.
    X : array-like of shape (n_samples, n_features)
        Samples that the tree was not grown on.
    y : array-like of shape (n_samples,)
        Their targets.
    X_train, y_train : arrays, default=None
        Those it was grown on, for a second curve.
    ax : matplotlib.axes.Axes, default=None
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    PruningDisplay
        With the axes it was drawn on and ``best_alpha_``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    return PruningDisplay.from_estimator(estimator, X, y, X_train=X_train, y_train=y_train, ax=ax)
