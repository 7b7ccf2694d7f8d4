"""Divergences that are functions of a sum of ``p**a q**(1-a)``: Renyi's and Tsallis'."""

import math

from ._arrays import LARGEST_ORDER, at_least_zero, check_base, check_order
from ._pair import Pair, of_weights, power_excess
from .divergence import kl

__all__ = [
    "renyi_divergence",
    "renyi_divergence_from_logits",
    "tsallis_divergence",
    "tsallis_divergence_from_logits",
]


def renyi_divergence(p, q, order, base=None, axis=-1, *, normalize=False):
    r"""Return the Renyi divergence :math:`\ln(\sum_k p_k^a q_k^{1-a}) / (a - 1)` of order a.

    Order 0 is minus the logarithm of the chance that q gives to what p allows, 1/2 minus twice the
    logarithm of the Bhattacharyya coefficient, 1 the Kullback-Leibler divergence, infinity the
    logarithm of the largest quotient.  It grows with the order.

    Parameters
    ----------
    p, q : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    order : float
        From 0 to infinity.
    base : float, default=None
        Base of the logarithm; None is nats.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide both by their sums.

    Returns
    -------
    array of shape (...)
        Divergence.  From order 1 on it is infinite where q excludes what p does not, below only
        where p and q share no outcome.

    Raises
    ------
    ValueError
        If the order is negative or NaN, else as :func:`cross_entropy`.

    References
    ----------
    T. van Erven and P. Harremoes, "Renyi divergence and Kullback-Leibler divergence", 2014.

    Examples
    --------
    >>> from treelearn.information import renyi_divergence
    >>> round(float(renyi_divergence([0.6, 0.4], [0.3, 0.7], 2)), 12)
    0.356674943939
    """
    nats_per_unit = check_base(base)
    order = check_order(order)
    nats = of_weights(lambda pair: _renyi_divergence(pair, order), p, q, axis, normalize)
    return nats / nats_per_unit


def renyi_divergence_from_logits(p_logits, q_logits, order, base=None, axis=-1):
    """Return the Renyi divergence of the softmaxes of logits.

    Parameters
    ----------
    p_logits, q_logits : array of shape (..., n_outcomes)
        Logarithms of probabilities up to a constant; minus infinity is an impossible outcome.
    order : float
        From 0 to infinity.
    base : float, default=None
        Base of the logarithm of the result; None is nats.
    axis : int, default=-1
        Axis of the outcomes.

    Returns
    -------
    array of shape (...)
        Divergence.

    Raises
    ------
    ValueError
        If the order is negative or NaN, a logit is NaN or plus infinity, or a whole row is minus
        infinity.

    References
    ----------
    T. van Erven and P. Harremoes, "Renyi divergence and Kullback-Leibler divergence", 2014.

    Examples
    --------
    >>> from treelearn.information import renyi_divergence_from_logits
    >>> float(renyi_divergence_from_logits([1.0, 0.0], [1.0, 0.0], 0.5))
    0.0
    """
    nats_per_unit = check_base(base)
    order = check_order(order)
    pair = Pair.from_logits(p_logits, q_logits, axis)
    return _renyi_divergence(pair, order) / nats_per_unit


def _renyi_divergence(pair, order):
    """Return Renyi's divergence in nats."""
    xp = pair.xp
    if order == 1:
        return kl(pair)
    if order > LARGEST_ORDER:
        ratios = xp.where(pair.is_shared, pair.log_ratio, xp.full_like(pair.log_ratio, -math.inf))
        largest = xp.max(ratios, axis=pair.axis)
        return pair.infinite_where_p_leaves_q(at_least_zero(xp, largest))
    excess, logs = power_excess(pair, order)
    is_near = xp.abs(excess) < 0.5
    near = xp.log1p(xp.where(is_near, excess, xp.zeros_like(excess)))
    nats = at_least_zero(xp, xp.where(is_near, near, logs) / (order - 1))
    return nats if order < 1 else pair.infinite_where_p_leaves_q(nats)


def tsallis_divergence(p, q, order, axis=-1, *, normalize=False):
    r"""Return the Tsallis divergence :math:`(\sum_k p_k^a q_k^{1-a} - 1) / (a - 1)` of order a.

    An increasing function of Renyi's of the same order, without unit; order 1 is the
    Kullback-Leibler divergence in nats, order 2 Pearson's chi-square.

    Parameters
    ----------
    p, q : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    order : float
        At least 0, finite.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide both by their sums.

    Returns
    -------
    array of shape (...)
        Divergence.  From order 1 on it is infinite where q excludes what p does not.

    Raises
    ------
    ValueError
        If the order is negative, NaN or infinite, else as :func:`cross_entropy`.

    References
    ----------
    C. Tsallis, "Generalized entropy-based criterion for consistent testing", 1998.

    Examples
    --------
    >>> from treelearn.information import tsallis_divergence
    >>> round(float(tsallis_divergence([0.6, 0.4], [0.3, 0.7], 2)), 12)  # 0.3**2 / 0.21
    0.428571428571
    """
    order = _check_finite_order(order)
    return of_weights(lambda pair: _tsallis_divergence(pair, order), p, q, axis, normalize)


def tsallis_divergence_from_logits(p_logits, q_logits, order, axis=-1):
    """Return the Tsallis divergence of the softmaxes of logits.

    Parameters
    ----------
    p_logits, q_logits : array of shape (..., n_outcomes)
        Logarithms of probabilities up to a constant; minus infinity is an impossible outcome.
    order : float
        At least 0, finite.
    axis : int, default=-1
        Axis of the outcomes.

    Returns
    -------
    array of shape (...)
        Divergence.

    Raises
    ------
    ValueError
        If the order is negative, NaN or infinite, a logit is NaN or plus infinity, or a whole row
        is minus infinity.

    References
    ----------
    C. Tsallis, "Generalized entropy-based criterion for consistent testing", 1998.

    Examples
    --------
    >>> from treelearn.information import tsallis_divergence_from_logits
    >>> float(tsallis_divergence_from_logits([1.0, 0.0], [1.0, 0.0], 0.5))
    0.0
    """
    order = _check_finite_order(order)
    return _tsallis_divergence(Pair.from_logits(p_logits, q_logits, axis), order)


def _check_finite_order(order):
    """Return a finite order as a float, or raise what is wrong with it."""
    order = check_order(order)
    if order == math.inf:
        raise ValueError("order of the Tsallis divergence must be finite.")
    return order


def _tsallis_divergence(pair, order):
    """Return Tsallis' divergence."""
    xp = pair.xp
    if order == 1:
        return kl(pair)
    excess, logs = power_excess(pair, order)
    is_near = xp.abs(excess) < 0.5
    far = xp.expm1(xp.where(is_near, xp.zeros_like(logs), logs))
    found = at_least_zero(xp, xp.where(is_near, excess, far) / (order - 1))
    return found if order < 1 else pair.infinite_where_p_leaves_q(found)
