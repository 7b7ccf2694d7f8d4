"""Two variables at once: mutual information and conditional entropies.

Every function takes tables along the last two axes, a row for each value of X and a column for
each value of Y, and works over all other axes at once.  ``normalize=True`` says that the entries
are counts or weights; :func:`joint_counts` makes such a table from two label vectors.  Empty rows
and columns add nothing.
"""

import math

import array_api_compat
import numpy as np

from ._arrays import (
    LARGEST_ORDER,
    at_least_zero,
    check_base,
    check_order,
    from_logits,
    stop_gradient,
    total,
)
from ._host import from_host, to_host
from ._table import Table
from .entropy import shannon
from .renyi import largest_log, renyi

__all__ = [
    "conditional_entropy",
    "conditional_renyi_entropy",
    "joint_counts",
    "mutual_information",
    "normalized_mutual_information",
]

KINDS = ("arimoto", "hayashi", "mean", "jizba_arimitsu")
AVERAGES = ("arithmetic", "geometric", "min", "max", "joint")


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

    References
    ----------
    K. Pearson, "On the theory of contingency and its relation to association and normal
    correlation", 1904.

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

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

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
    order, kind = check_order(order), check_kind(kind)
    return conditional_renyi(Table(joint, normalize), order, kind) / nats_per_unit


def check_kind(kind):
    """Return the kind of a conditional Renyi entropy if it is one."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}.")
    return kind


def conditional_renyi(table, order, kind):
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
    is_possible = (p > 0) | (log_p < 0)
    minus_infinity = xp.full_like(log_p, -math.inf)
    if order == math.inf:
        likeliest = xp.max(xp.where(is_possible, log_p - entropies, minus_infinity), axis=-1)
        return at_least_zero(xp, xp.squeeze(largest_log(rows), axis=-1) - likeliest)
    escort = from_logits(xp.where(is_possible, order * log_p, minus_infinity))
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
