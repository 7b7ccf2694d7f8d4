"""What a split of a node is worth: by how much it lowers an impurity, per sample.

Every function takes tables of counts or weights along the last two axes, a row for each child and
a column for each class, and works over all other axes at once.
"""

from ._arrays import at_least_zero, check_base, check_order
from ._table import Table
from .entropy import shannon
from .joint import check_kind, conditional_renyi
from .renyi import renyi, tsallis

__all__ = [
    "gain_ratio",
    "gini_gain",
    "information_gain",
    "renyi_gain",
    "tsallis_gain",
]


def information_gain(children, base=None):
    """Return the information gain of a split: by how much it lowers the entropy of the classes.

    The mutual information of child and class, hence never negative, and accurate also for the
    smallest gains.

    Parameters
    ----------
    children : array of shape (..., n_children, n_classes)
        Counts or weights of the classes in every child.
    base : float, default=None
        Base of the logarithm; None is nats.

    Returns
    -------
    array of shape (...)
        Gain per sample.

    Raises
    ------
    ValueError
        If a count is NaN or negative, or all are 0.

    References
    ----------
    J. R. Quinlan, "Induction of decision trees", 1986.

    Examples
    --------
    >>> from treelearn.information import information_gain
    >>> float(information_gain([[3, 0], [0, 3]], base=2))
    1.0
    """
    nats_per_unit = check_base(base)
    return Table(children, True, "children").mutual_information() / nats_per_unit


def gain_ratio(children):
    """Return the information gain over the entropy of the sizes of the children.

    Parameters
    ----------
    children : array of shape (..., n_children, n_classes)
        Counts or weights of the classes in every child.

    Returns
    -------
    array of shape (...)
        From 0 to 1; 0 where only one child has samples.

    Raises
    ------
    ValueError
        If a count is NaN or negative, or all are 0.

    References
    ----------
    J. R. Quinlan, "C4.5: programs for machine learning", 1993.

    Examples
    --------
    >>> from treelearn.information import gain_ratio
    >>> round(float(gain_ratio([[6, 2], [3, 3]])), 12)
    0.048848615512
    """
    table = Table(children, True, "children")
    xp, split = table.xp, shannon(table.row_distribution())
    has_split = split > 0
    ratio = table.mutual_information() / xp.where(has_split, split, xp.ones_like(split))
    return xp.where(has_split, ratio, xp.zeros_like(ratio))


def gini_gain(children):
    r"""Return by how much a split lowers the Gini impurity.

    :math:`\sum_c w_c \sum_k (p_{ck} - p_k)^2`, without a subtraction of impurities.

    Parameters
    ----------
    children : array of shape (..., n_children, n_classes)
        Counts or weights of the classes in every child.

    Returns
    -------
    array of shape (...)
        Gain per sample.

    Raises
    ------
    ValueError
        If a count is NaN or negative, or all are 0.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and regression trees", 1984.

    Examples
    --------
    >>> from treelearn.information import gini_gain
    >>> float(gini_gain([[3, 0], [0, 3]]))
    0.5
    """
    table = Table(children, True, "children")
    xp, rows = table.xp, table.rows
    differences = (table.cells * table.weight - rows * table.columns) / table.weight
    scale = rows * table.weight
    is_empty = scale == 0
    terms = differences * differences / xp.where(is_empty, xp.ones_like(scale), scale)
    return table.sum(terms)


def tsallis_gain(children, order):
    """Return by how much a split lowers the Tsallis entropy.

    Parameters
    ----------
    children : array of shape (..., n_children, n_classes)
        Counts or weights of the classes in every child.
    order : float
        From 0 to infinity.

    Returns
    -------
    array of shape (...)
        Gain per sample, at least 0; nats at order 1.

    Raises
    ------
    ValueError
        If a count is NaN or negative, all are 0, or the order is negative or NaN.

    References
    ----------
    J. Havrda and F. Charvat, 1967; C. Tsallis, 1988.

    Examples
    --------
    >>> from treelearn.information import tsallis_gain
    >>> round(float(tsallis_gain([[3, 0], [0, 3]], 2)), 12)
    0.5
    """
    order = check_order(order)
    table = Table(children, True, "children")
    if order == 1:
        return table.mutual_information()
    parent = tsallis(table.column_distribution(), order)
    children_mean = table.mean_over_rows(tsallis(table.distributions_in_rows(), order))
    return at_least_zero(table.xp, parent - children_mean)


def renyi_gain(children, order, kind="arimoto", base=None):
    """Return by how much a split lowers the Renyi entropy of the classes.

    Parameters
    ----------
    children : array of shape (..., n_children, n_classes)
        Counts or weights of the classes in every child.
    order : float
        From 0 to infinity.
    kind : {"arimoto", "hayashi", "mean", "jizba_arimitsu"}, default="arimoto"
        How the children are put together, see :func:`conditional_renyi_entropy`.
    base : float, default=None
        Base of the logarithm; None is nats.

    Returns
    -------
    array of shape (...)
        Gain per sample: never below 0 but for rounding for "arimoto" and "hayashi"; truly
        negative for the other two kinds on many splits, which is reported and not clipped.

    Raises
    ------
    ValueError
        If a count is NaN or negative, all are 0, the order is negative or NaN, or the kind is
        unknown.

    References
    ----------
    S. Arimoto, 1977; M. Hayashi, 2011; P. Jizba and T. Arimitsu, 2004.

    Examples
    --------
    >>> from treelearn.information import renyi_gain
    >>> round(float(renyi_gain([[1, 0], [1, 1]], 10, "mean")), 6)
    -0.01169
    """
    nats_per_unit = check_base(base)
    order, kind = check_order(order), check_kind(kind)
    table = Table(children, True, "children")
    if order == 1:
        return table.mutual_information() / nats_per_unit
    gain = renyi(table.column_distribution(), order) - conditional_renyi(table, order, kind)
    if kind in ("arimoto", "hayashi"):
        gain = at_least_zero(table.xp, gain)
    return gain / nats_per_unit
