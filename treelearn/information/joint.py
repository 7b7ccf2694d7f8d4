"""Two variables at once: mutual information, conditional entropies, gains of a split.

Every function takes tables along the last two axes, a row for each value of X (or child of a
node, or leaf of a tree) and a column for each value of Y (or class), and works over all other axes
at once.  ``normalize=True`` says that the entries are counts or weights; :func:`joint_counts`
makes such a table from two label vectors.  Empty rows and columns add nothing.
"""

import math

import array_api_compat
import numpy as np

from ._arrays import (
    LARGEST_ORDER,
    as_floating,
    at_least_zero,
    check_base,
    check_order,
    from_logits,
    from_weights,
    stop_gradient,
    total,
)
from ._host import from_host, to_host
from ._terms import poisson_term
from .entropy import largest_log, renyi, shannon, tsallis

__all__ = [
    "conditional_entropy",
    "conditional_renyi_entropy",
    "gain_ratio",
    "gini_gain",
    "information_gain",
    "joint_counts",
    "mutual_information",
    "normalized_mutual_information",
    "renyi_gain",
    "tsallis_gain",
]

KINDS = ("arimoto", "hayashi", "mean", "jizba_arimitsu")
AVERAGES = ("arithmetic", "geometric", "min", "max", "joint")


class Table:
    """Checked joint tables with their margins.

    Attributes
    ----------
    xp : namespace
        The array API namespace of the arrays.
    cells : array of shape (..., n_rows, n_columns)
        Weights, scaled by a power of two so that no product of two overflows and integer counts
        stay exact.
    rows, columns : array of shape (..., n_rows, 1) and (..., 1, n_columns)
        Sums over the other axis.
    weight : array of shape (..., 1, 1)
        Sum of all cells.
    """

    def __init__(self, joint, normalize, name="joint"):
        xp, joint = as_floating(joint)
        if joint.ndim < 2:
            raise ValueError(f"{name} must have two axes or more; got {joint.ndim}.")
        self.xp, self.shape = xp, joint.shape
        # Checks the cells; what rounding loses of their shares plays no part below.
        self.outcomes = from_weights(self._flat(joint), normalize=normalize, name=name)
        cells = joint if array_api_compat.size(joint) == 0 else self._scaled(joint)
        self.cells = cells
        self.rows = total(xp, cells, -1, keepdims=True)
        self.columns = total(xp, cells, -2, keepdims=True)
        self.weight = total(xp, self.rows, -2, keepdims=True)

    def _flat(self, values):
        """Return values with the two axes of the table as one."""
        return self.xp.reshape(values, (*self.shape[:-2], self.shape[-2] * self.shape[-1]))

    def _scaled(self, joint):
        """Return cells whose largest is about 1."""
        xp = self.xp
        largest = xp.max(stop_gradient(joint), axis=(-2, -1), keepdims=True)
        return joint / 2 ** xp.floor(xp.log2(largest))

    def sum(self, values):
        """Return the sum of values over the cells."""
        return total(self.xp, self._flat(values), -1)

    def over_weight(self, values):
        """Return values of one number a table over its weight."""
        return values / self.xp.squeeze(self.weight, axis=(-2, -1))

    def row_distribution(self):
        """Return the outcomes of X."""
        return from_weights(self.xp.squeeze(self.rows, axis=-1), normalize=True)

    def column_distribution(self):
        """Return the outcomes of Y."""
        return from_weights(self.xp.squeeze(self.columns, axis=-2), normalize=True)

    def distributions_in_rows(self):
        """Return the outcomes of Y in every row; an empty row has equal chances and no weight."""
        xp = self.xp
        cells = xp.where(self.rows > 0, self.cells, xp.ones_like(self.cells))
        return from_weights(cells, normalize=True)

    def mean_over_rows(self, values):
        """Return the mean of one value a row, by the weights of the rows."""
        return total(self.xp, self.row_distribution().p * values, -1)

    def mutual_information(self):
        """Return the mutual information in nats.

        A sum of terms that are never negative, so that it keeps its digits for variables that are
        nearly independent, and is exactly 0 for integer counts that are.
        """
        xp, cells = self.xp, self.cells
        products = self.rows * self.columns
        differences = (cells * self.weight - products) / self.weight
        terms = poisson_term(xp, cells, products / self.weight, differences)
        return self.over_weight(self.sum(terms))


def joint_counts(x, y):
    """Return how often every pair of labels occurs.

    Parameters
    ----------
    x, y : array of shape (n_samples,)
        Labels of any kind that can be sorted.

    Returns
    -------
    array of shape (n_values of x, n_values of y), float64
        Counts, the values in ascending order; of the library and device of ``x``.

    Raises
    ------
    ValueError
        If the labels are not one-dimensional, not equally many, or none.

    Examples
    --------
    >>> from treelearn.information import joint_counts
    >>> joint_counts(["a", "a", "b"], [0, 1, 1])
    array([[1., 1.],
           [0., 1.]])
    """
    host_x, host_y = (to_host(labels) for labels in (x, y))
    if host_x.ndim != 1 or host_y.ndim != 1 or host_x.shape != host_y.shape or not host_x.size:
        raise ValueError(
            "x and y must be one-dimensional, equally long and not empty; "
            f"got shapes {host_x.shape} and {host_y.shape}."
        )
    x_values, x_codes = np.unique(host_x, return_inverse=True)
    y_values, y_codes = np.unique(host_y, return_inverse=True)
    shape = (len(x_values), len(y_values))
    cells = np.bincount(x_codes * shape[1] + y_codes, minlength=shape[0] * shape[1])
    cells = cells.reshape(shape).astype(np.float64)
    if not array_api_compat.is_array_api_obj(x):
        return cells
    return from_host(array_api_compat.array_namespace(x), cells, x)


def mutual_information(joint, base=None, *, normalize=False):
    r"""Return the mutual information :math:`\sum_{xy} p_{xy} \ln(p_{xy} / (p_x p_y))`.

    What X tells of Y and Y of X.  Accurate also where the two are nearly independent and the
    difference of entropies has no digits left.

    Parameters
    ----------
    joint : array of shape (..., n_x, n_y)
        Joint probabilities; with ``normalize`` counts or weights of any sum.
    base : float, default=None
        Base of the logarithm; None is nats.
    normalize : bool, default=False
        Whether to divide by the sum of the table.

    Returns
    -------
    array of shape (...)
        At least 0, exactly 0 for integer counts that are independent.

    Raises
    ------
    ValueError
        If an entry is NaN or negative, or a table does not sum to one and ``normalize`` is False.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from treelearn.information import joint_counts, mutual_information
    >>> round(float(mutual_information([[2, 0], [0, 2]], base=2, normalize=True)), 12)
    1.0
    >>> x, y = ["a", "a", "b", "b"], [0, 1, 0, 1]
    >>> float(mutual_information(joint_counts(x, y), normalize=True))
    0.0
    """
    nats_per_unit = check_base(base)
    return Table(joint, normalize).mutual_information() / nats_per_unit


def normalized_mutual_information(joint, average="arithmetic", *, normalize=False):
    """Return the mutual information over an average of the entropies of X and Y.

    Parameters
    ----------
    joint : array of shape (..., n_x, n_y)
        Joint probabilities; with ``normalize`` counts or weights of any sum.
    average : {"arithmetic", "geometric", "min", "max", "joint"}, default="arithmetic"
        What to divide by: an average of the two entropies, or the entropy of the pair.
    normalize : bool, default=False
        Whether to divide by the sum of the table.

    Returns
    -------
    array of shape (...)
        From 0 to 1.  Where the average is 0 it is 1 if both variables are constant, else 0.

    Raises
    ------
    ValueError
        If ``average`` is unknown, else as :func:`mutual_information`.

    References
    ----------
    N. X. Vinh, J. Epps and J. Bailey, "Information theoretic measures for clusterings
    comparison", 2010.

    Examples
    --------
    >>> from treelearn.information import normalized_mutual_information
    >>> float(normalized_mutual_information([[0.5, 0.0], [0.0, 0.5]]))
    1.0
    """
    if average not in AVERAGES:
        raise ValueError(f"average must be one of {', '.join(AVERAGES)}; got {average!r}.")
    table = Table(joint, normalize)
    xp = table.xp
    x, y = shannon(table.row_distribution()), shannon(table.column_distribution())
    if average == "arithmetic":
        scale = (x + y) / 2
    elif average == "geometric":
        scale = xp.sqrt(x) * xp.sqrt(y)
    elif average == "min":
        scale = xp.where(x < y, x, y)
    elif average == "max":
        scale = xp.where(x < y, y, x)
    else:
        scale = shannon(table.outcomes)
    is_positive = scale > 0
    shares = table.mutual_information() / xp.where(is_positive, scale, xp.ones_like(scale))
    ones = xp.ones_like(shares)
    shares = xp.where(shares > 1, ones, shares)
    return xp.where(is_positive, shares, ones * xp.astype((x == 0) & (y == 0), ones.dtype))


def conditional_entropy(joint, base=None, *, normalize=False):
    r"""Return the entropy of Y that is left when X is known, :math:`H(Y|X)`.

    The mean entropy of the rows by their weights.

    Parameters
    ----------
    joint : array of shape (..., n_x, n_y)
        Joint probabilities; with ``normalize`` counts or weights of any sum.
    base : float, default=None
        Base of the logarithm; None is nats.
    normalize : bool, default=False
        Whether to divide by the sum of the table.

    Returns
    -------
    array of shape (...)
        From exactly 0, where X decides Y, to the entropy of Y.

    Raises
    ------
    ValueError
        As :func:`mutual_information`.

    Examples
    --------
    >>> from treelearn.information import conditional_entropy
    >>> float(conditional_entropy([[1, 1], [2, 0]], base=2, normalize=True))
    0.5
    """
    nats_per_unit = check_base(base)
    return _mean_entropy(Table(joint, normalize)) / nats_per_unit


def _mean_entropy(table):
    """Return the conditional entropy in nats."""
    return table.mean_over_rows(shannon(table.distributions_in_rows()))


def conditional_renyi_entropy(joint, order, kind="arimoto", base=None, *, normalize=False):
    r"""Return a conditional Renyi entropy of Y given X.

    There is no one definition.  With the chances w of the rows and Renyi's entropies H of the rows
    (a is the order):

    =================  ==========================================================================
    kind               definition, and what holds of it
    =================  ==========================================================================
    "arimoto"          :math:`\frac{a}{1-a} \ln \sum_x w_x e^{\frac{1-a}{a} H_x}`: knowing X never
                       raises it, for any order; what ``criterion="renyi"`` splits by
    "hayashi"          :math:`\frac{1}{1-a} \ln \sum_x w_x e^{(1-a) H_x}`: the same holds; splits
                       as Tsallis' entropy does
    "mean"             :math:`\sum_x w_x H_x`: knowing X may raise it above order 2, above 1.81
                       for 3 outcomes; what ``criterion="renyi_mean"`` splits by
    "jizba_arimitsu"   :math:`H_a(X, Y) - H_a(X)`: has a chain rule; knowing X may raise it for
                       every order but 1
    =================  ==========================================================================

    Parameters
    ----------
    joint : array of shape (..., n_x, n_y)
        Joint probabilities; with ``normalize`` counts or weights of any sum.
    order : float
        From 0 to infinity; all kinds are Shannon's conditional entropy at 1.
    kind : {"arimoto", "hayashi", "mean", "jizba_arimitsu"}, default="arimoto"
        The definition.
    base : float, default=None
        Base of the logarithm; None is nats.
    normalize : bool, default=False
        Whether to divide by the sum of the table.

    Returns
    -------
    array of shape (...)
        Conditional entropy.

    Raises
    ------
    ValueError
        If the order is negative or NaN or the kind unknown, else as :func:`mutual_information`.

    References
    ----------
    S. Arimoto, 1977; M. Hayashi, 2011; P. Jizba and T. Arimitsu, 2004; compared by S. Fehr and
    S. Berens, "On the conditional Renyi entropy", 2014.

    Examples
    --------
    >>> from treelearn.information import conditional_renyi_entropy
    >>> table = [[1, 0], [1, 1]]
    >>> [round(float(conditional_renyi_entropy(table, 2, kind, normalize=True)), 4)
    ...  for kind in ("arimoto", "hayashi", "mean", "jizba_arimitsu")]
    [0.4345, 0.4055, 0.4621, 0.5108]
    """
    nats_per_unit = check_base(base)
    order, kind = check_order(order), _check_kind(kind)
    return _conditional_renyi(Table(joint, normalize), order, kind) / nats_per_unit


def _check_kind(kind):
    """Return the kind of a conditional Renyi entropy if it is one."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}.")
    return kind


def _conditional_renyi(table, order, kind):
    """Return a conditional Renyi entropy in nats."""
    entropies = renyi(table.distributions_in_rows(), order)
    rows = table.row_distribution()
    if order > LARGEST_ORDER:
        order = math.inf
    if kind == "mean" or order == 1:
        return table.mean_over_rows(entropies)
    if kind == "arimoto":
        return _exponential_mean(rows, entropies, _arimoto_factor(order))
    if kind == "hayashi":
        return _exponential_mean(rows, entropies, 1 - order)
    return _jizba_arimitsu(rows, entropies, order)


def _arimoto_factor(order):
    """Return ``1 / order - 1`` with all digits next to order 1, and its limits."""
    if order == math.inf:
        return -1.0
    return (1 - order) / order if order > 0 else math.inf


def _jizba_arimitsu(rows, entropies, order):
    """Return the entropy of the pair minus that of X, without the subtraction.

    It is Hayashi's with the chances of the rows raised to the order.
    """
    xp, p, log_p, _ = rows
    minus_infinity = xp.full_like(log_p, -math.inf)
    if order == math.inf:
        likeliest = xp.max(xp.where(p > 0, log_p - entropies, minus_infinity), axis=-1)
        return at_least_zero(xp, xp.squeeze(largest_log(rows), axis=-1) - likeliest)
    escort = from_logits(xp.where(p > 0, order * log_p, minus_infinity))
    return _exponential_mean(escort, entropies, 1 - order)


def _exponential_mean(outcomes, values, factor):
    """Return ``ln(sum_x w_x exp(f v_x)) / f``: from the least value over the mean to the largest.

    f is minus infinity, near 0 and infinity in these cases.
    """
    xp, w, log_w, _ = outcomes
    is_possible = (w > 0) | (log_w < 0)
    if math.isinf(factor):
        absent = xp.full_like(values, -factor)
        found = xp.where(is_possible, values, absent)
        return xp.max(found, axis=-1) if factor > 0 else xp.min(found, axis=-1)
    exponents = xp.where(is_possible, log_w + factor * values, xp.full_like(values, -math.inf))
    largest = stop_gradient(xp.max(exponents, axis=-1, keepdims=True))
    relative = xp.where(is_possible, exponents - largest, xp.zeros_like(values))
    sums = total(xp, xp.where(is_possible, xp.exp(relative), xp.zeros_like(values)), -1)
    logs = xp.log(sums) + xp.squeeze(largest, axis=-1)
    # Next to 0 the logarithm has lost the digits that its distance from 0 is made of.
    is_near = xp.abs(logs) < 0.5
    growth = factor * values
    is_small = is_possible & (growth < 1)
    small = w * xp.expm1(xp.where(is_small, growth, xp.zeros_like(values)))
    capped = xp.where(is_possible & (exponents < 1), exponents, xp.ones_like(exponents))
    large = xp.where(is_possible, xp.exp(capped) - w, xp.zeros_like(w))
    excess = total(xp, xp.where(is_small, small, large), -1)
    near = xp.log1p(xp.where(is_near, excess, xp.zeros_like(excess)))
    return at_least_zero(xp, xp.where(is_near, near, logs) / factor)


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

    Examples
    --------
    >>> from treelearn.information import renyi_gain
    >>> round(float(renyi_gain([[1, 0], [1, 1]], 10, "mean")), 6)
    -0.01169
    """
    nats_per_unit = check_base(base)
    order, kind = check_order(order), _check_kind(kind)
    table = Table(children, True, "children")
    if order == 1:
        return table.mutual_information() / nats_per_unit
    gain = renyi(table.column_distribution(), order) - _conditional_renyi(table, order, kind)
    if kind in ("arimoto", "hayashi"):
        gain = at_least_zero(table.xp, gain)
    return gain / nats_per_unit
