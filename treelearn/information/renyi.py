"""The families around Shannon's entropy: Renyi, Tsallis, R-norm, and what lies at their ends.

Every function takes distributions along ``axis`` and works over all other axes at once.
``normalize=True`` says that the entries are counts or weights.
"""

import math

import array_api_compat

from ._arrays import (
    LARGEST_ORDER,
    as_floating,
    at_least_zero,
    check_axis,
    check_base,
    check_order,
    expectation,
    from_logits,
    from_weights,
    normalized,
    sum_of_products,
    total,
)
from .entropy import shannon

__all__ = [
    "collision_entropy",
    "hartley_entropy",
    "min_entropy",
    "r_norm_entropy",
    "renyi_entropy",
    "renyi_entropy_from_logits",
    "tsallis_entropy",
]

NEAR_ONE = 0.3
"""Size of the logarithm of a power sum below which it comes from the sum's distance from 1."""


def renyi_entropy(p, order, base=None, axis=-1, *, normalize=False):
    r"""Return the Renyi entropy :math:`\ln(\sum_k p_k^a) / (1 - a)` of order a.

    Order 0 counts the possible outcomes (Hartley), 1 is Shannon's entropy, 2 the collision
    entropy, infinity looks at the likeliest outcome only (min-entropy).  It falls with the order.
    Orders next to 1 lose no digits: there the sum is taken of ``p expm1((a - 1) ln p)``.

    Parameters
    ----------
    p : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    order : float
        From 0 to infinity.
    base : float, default=None
        Base of the logarithm; None is nats.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide by the sum.

    Returns
    -------
    array of shape (...)
        Entropy, from exactly 0 to the logarithm of ``n_outcomes``.

    Raises
    ------
    ValueError
        If the order is negative or NaN, or ``p`` as for :func:`entropy`.

    References
    ----------
    A. Renyi, "On measures of entropy and information", 1961.

    Examples
    --------
    >>> from treelearn.information import renyi_entropy
    >>> [round(float(renyi_entropy([0.6, 0.3, 0.1], a)), 4) for a in (0, 1, 2, float("inf"))]
    [1.0986, 0.8979, 0.7765, 0.5108]
    """
    nats_per_unit = check_base(base)
    order = check_order(order)
    if order == 0:
        return _hartley(p, axis, normalize) / nats_per_unit
    if order == 1 or order > LARGEST_ORDER:
        return renyi(from_weights(p, axis=axis, normalize=normalize), order) / nats_per_unit
    return _renyi_of_weights(p, order, axis, normalize) / nats_per_unit


def renyi_entropy_from_logits(logits, order, base=None, axis=-1):
    """Return the Renyi entropy of the softmax of logits.

    Parameters
    ----------
    logits : array of shape (..., n_outcomes)
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
        Entropy.

    Raises
    ------
    ValueError
        If the order is negative or NaN, or logits as for :func:`entropy_from_logits`.

    References
    ----------
    A. Renyi, "On measures of entropy and information", 1961.

    Examples
    --------
    >>> from treelearn.information import renyi_entropy_from_logits
    >>> round(float(renyi_entropy_from_logits([500.0, -500.0], 0.002)), 12)
    0.127182375795
    """
    nats_per_unit = check_base(base)
    order = check_order(order)
    return renyi(from_logits(logits, axis=axis), order) / nats_per_unit


def _hartley(weights, axis, normalize):
    """Return the logarithm of the number of possible outcomes, in nats."""
    xp, _, axis = normalized(weights, axis=axis, normalize=normalize)
    _, weights = as_floating(weights)  # of which none has underflowed
    return xp.log(total(xp, xp.astype(weights > 0, weights.dtype), axis))


def _renyi_of_weights(weights, order, axis, normalize):
    """Return Renyi's entropy in nats, with care for the rows that need it.

    The plain formula takes a third of the time; it fails next to order 1 and for nearly pure rows.
    """
    xp, weights = as_floating(weights)
    axis = check_axis(weights, axis, "p")
    extreme = (1 - order) * math.log(weights.shape[axis])
    smallest = xp.finfo(weights.dtype).smallest_normal
    underflows = -extreme > -0.8 * math.log(smallest)
    least = _well_conditioned(xp, weights, order, normalize)
    if abs(extreme) < least or underflows or array_api_compat.size(weights) == 0:
        return renyi(from_weights(weights, axis=axis, normalize=normalize), order)
    xp, p, axis = normalized(weights, axis=axis, normalize=normalize)
    if order < 1 and normalize and bool(xp.any((p < smallest) & (weights > 0))):
        # A share that underflows may still have a power.
        return renyi(from_weights(weights, axis=axis, normalize=normalize), order)
    logs = xp.log(_power_sums(xp, p, order, axis))
    needs_care = xp.abs(logs) < least
    nats = logs / (1 - order)
    if not bool(xp.any(needs_care)):
        return nats
    if not nats.shape or not array_api_compat.is_writeable_array(nats):
        careful = renyi(from_weights(weights, axis=axis, normalize=normalize), order)
        return xp.where(needs_care, careful, nats)
    rows = xp.moveaxis(weights, axis, -1)[needs_care]
    nats[needs_care] = renyi(from_weights(rows, normalize=normalize), order)
    return nats


def _well_conditioned(xp, weights, order, normalize):
    """Return the size of the logarithm of a power sum from which the plain formula is accurate.

    An error of the sum, one or two roundings and ``order`` times that of a quotient of weights,
    weighs as much in the entropy as the logarithm is smaller than 1; float64 may be off by 18
    roundings in the end, float32 by 4.
    """
    least = NEAR_ONE if weights.dtype == xp.float64 else 1.0
    return least * max(1.0, order) if normalize else least


def _power_sums(xp, p, order, axis):
    """Return sums of powers of probabilities, whose gradient at 0 is 0."""
    if order == 2:
        return sum_of_products(xp, p, p, axis)
    if order > 1 or bool(xp.min(p) > 0):
        return total(xp, p**order, axis)
    is_possible = p > 0
    powers = xp.where(is_possible, p, xp.ones_like(p)) ** order
    return total(xp, xp.where(is_possible, powers, xp.zeros_like(p)), axis)


def renyi(outcomes, order):
    """Return Renyi's entropy in nats, to the last digits for every order and row."""
    xp, p, log_p, axis = outcomes
    if order == 0:
        is_possible = xp.astype((p > 0) | (log_p < 0), p.dtype)
        return xp.log(xp.sum(is_possible, axis=axis))
    if order == 1:
        return shannon(outcomes)
    if order > LARGEST_ORDER:
        return at_least_zero(xp, -xp.squeeze(largest_log(outcomes), axis=axis))
    # Jensen: the power sum lies between 1 and this, and is 1 plus its excess.
    if order < 1 or (1 - order) * math.log(p.shape[axis]) > -NEAR_ONE:
        return at_least_zero(xp, xp.log1p(power_excess(outcomes, order)) / (1 - order))
    # Powers of p over its largest entry: no order underflows, and both terms are positive.
    largest = largest_log(outcomes)
    relative = xp.where(log_p > largest, xp.zeros_like(log_p), log_p - largest)
    excess = expectation(outcomes, xp.expm1((order - 1) * relative))
    logs = xp.log1p(excess)
    if p.shape[axis] > 1 and bool(xp.any(excess < -0.75)):
        # Next to -1 the excess has lost the digits of the sum itself.
        sums = expectation(outcomes, xp.exp((order - 1) * relative))
        logs = xp.where(excess < -0.75, xp.log(sums), logs)
    return at_least_zero(xp, -xp.squeeze(largest, axis=axis) - logs / (order - 1))


def largest_log(outcomes):
    """Return the logarithm of the largest probability, with the axis kept."""
    xp, p, log_p, axis = outcomes
    possible = xp.where(p > 0, log_p, xp.full_like(log_p, -math.inf))
    return xp.max(possible, axis=axis, keepdims=True)


def power_excess(outcomes, order):
    """Return the sum of the powers of probabilities minus the sum of probabilities.

    Exact where both are close, next to order 1 and next to a sure outcome.
    """
    xp, p, log_p, axis = outcomes
    if order > 1:
        # Beyond this the products would overflow, and what is left of the entropy underflows.
        order = min(order, float(xp.finfo(p.dtype).max) / 2**10)
        return expectation(outcomes, xp.expm1((order - 1) * log_p))
    exponents = (order - 1) * log_p
    if array_api_compat.size(p) == 0 or bool(xp.max(exponents) < 4):
        return expectation(outcomes, xp.expm1(exponents))
    # The same in two factors, of which none overflows or loses digits to a large exponent; a
    # probability that underflowed, of logits, still has a power.
    is_normal = p >= xp.finfo(p.dtype).smallest_normal
    powers = xp.where(is_normal, p, xp.ones_like(p)) ** order
    powers = xp.where(is_normal, powers, xp.exp(order * log_p))
    return total(xp, -powers * xp.expm1((1 - order) * log_p), axis)


def tsallis_entropy(p, order, axis=-1, *, normalize=False):
    r"""Return the Tsallis entropy :math:`(1 - \sum_k p_k^q) / (q - 1)` of order q.

    Order 0 is the number of possible outcomes minus 1, 1 is Shannon's entropy in nats, 2 the Gini
    impurity; with growing order it tends to 0.  It has no unit, hence no base.

    Parameters
    ----------
    p : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    order : float
        From 0 to infinity; below 0 it would not be concave.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide by the sum.

    Returns
    -------
    array of shape (...)
        Entropy.

    Raises
    ------
    ValueError
        If the order is negative or NaN, or ``p`` as for :func:`entropy`.

    References
    ----------
    J. Havrda and F. Charvat, 1967; C. Tsallis, 1988.

    Examples
    --------
    >>> from treelearn.information import tsallis_entropy
    >>> round(float(tsallis_entropy([0.6, 0.3, 0.1], 2)), 12)
    0.54
    """
    order = check_order(order)
    outcomes = from_weights(p, axis=axis, normalize=normalize)
    return tsallis(outcomes, order)


def tsallis(outcomes, order):
    """Return Tsallis' entropy."""
    xp = outcomes.xp
    if order == 1:
        return shannon(outcomes)
    if order == math.inf:
        return 0 * expectation(outcomes, outcomes.log_p) + 0.0
    return at_least_zero(xp, power_excess(outcomes, order) / (1 - order))


def r_norm_entropy(p, order, axis=-1, *, normalize=False):
    r"""Return the R-norm entropy :math:`a/(a-1)\,(1 - (\sum_k p_k^a)^{1/a})` of order a.

    What a tree with ``criterion="renyi"`` adds up: concave for every order, and its mean over the
    children of a node is Arimoto's conditional Renyi entropy on another scale.  Order 1 is
    Shannon's entropy in nats, infinity the misclassification impurity.

    Parameters
    ----------
    p : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    order : float
        Above 0, up to infinity; towards 0 the entropy of two outcomes grows without bound.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide by the sum.

    Returns
    -------
    array of shape (...)
        Entropy, without unit.

    Raises
    ------
    ValueError
        If the order is not positive, or ``p`` as for :func:`entropy`.

    References
    ----------
    S. Arimoto, "Information-theoretical considerations on estimation problems", 1971;
    D. E. Boekee and J. C. A. Van der Lubbe, "The R-norm information measure", 1980.

    Examples
    --------
    >>> from treelearn.information import r_norm_entropy
    >>> round(float(r_norm_entropy([1, 2, 3], 2, normalize=True)), 12)  # 2 - sqrt(14) / 3
    0.752780871075
    """
    order = check_order(order)
    if order == 0:
        raise ValueError("order of the R-norm entropy must be above 0.")
    outcomes = from_weights(p, axis=axis, normalize=normalize)
    xp, nats = outcomes.xp, renyi(outcomes, order)
    if order == 1:
        return nats
    if order > LARGEST_ORDER:
        if normalize:
            return -xp.expm1(-nats) + 0.0
        return at_least_zero(xp, 1 - xp.max(outcomes.p, axis=outcomes.axis))
    return xp.expm1((1 - order) / order * nats) * (order / (1 - order)) + 0.0


def min_entropy(p, base=None, axis=-1, *, normalize=False):
    """Return the min-entropy, minus the logarithm of the largest probability.

    Renyi's entropy of order infinity: what a guess of one outcome is worth.  Not concave, so that
    a split can raise its mean.

    Parameters
    ----------
    p : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    base : float, default=None
        Base of the logarithm; None is nats.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide by the sum.

    Returns
    -------
    array of shape (...)
        Entropy.

    Raises
    ------
    ValueError
        If ``p`` is as :func:`entropy` does not take it.

    References
    ----------
    A. Renyi, "On measures of entropy and information", 1961.

    Examples
    --------
    >>> from treelearn.information import min_entropy
    >>> float(min_entropy([0.5, 0.25, 0.25], base=2))
    1.0
    """
    return renyi_entropy(p, math.inf, base, axis, normalize=normalize)


def hartley_entropy(p, base=None, axis=-1, *, normalize=False):
    """Return the Hartley entropy, the logarithm of the number of possible outcomes.

    Renyi's entropy of order 0.

    Parameters
    ----------
    p : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    base : float, default=None
        Base of the logarithm; None is nats.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide by the sum.

    Returns
    -------
    array of shape (...)
        Entropy.

    Raises
    ------
    ValueError
        If ``p`` is as :func:`entropy` does not take it.

    References
    ----------
    R. V. L. Hartley, "Transmission of information", 1928.

    Examples
    --------
    >>> from treelearn.information import hartley_entropy
    >>> float(hartley_entropy([1, 0, 4, 9, 2], base=2, normalize=True))
    2.0
    """
    return renyi_entropy(p, 0.0, base, axis, normalize=normalize)


def collision_entropy(p, base=None, axis=-1, *, normalize=False):
    r"""Return the collision entropy :math:`-\ln \sum_k p_k^2`.

    Renyi's entropy of order 2: the chance that two draws agree, and minus the logarithm of one
    minus the Gini impurity.

    Parameters
    ----------
    p : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    base : float, default=None
        Base of the logarithm; None is nats.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide by the sum.

    Returns
    -------
    array of shape (...)
        Entropy.

    Raises
    ------
    ValueError
        If ``p`` is as :func:`entropy` does not take it.

    References
    ----------
    A. Renyi, "On measures of entropy and information", 1961.

    Examples
    --------
    >>> from treelearn.information import collision_entropy
    >>> float(collision_entropy([0.25, 0.25, 0.25, 0.25], base=2))
    2.0
    """
    return renyi_entropy(p, 2.0, base, axis, normalize=normalize)
