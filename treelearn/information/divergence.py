"""How far one distribution is from another: cross-entropy and divergences.

Every function takes two distributions along ``axis``, which broadcast against each other over all
other axes, and has a twin that takes logits.  An outcome that p excludes adds nothing, whatever q
says of it; one that q excludes and p does not makes most of these measures infinite.
"""

import math
from copy import copy

from ._arrays import (
    LARGEST_ORDER,
    as_floating,
    at_least_zero,
    check_axis,
    check_base,
    check_finite,
    check_order,
    from_logits,
    from_weights,
    logarithm,
    stop_gradient,
    total,
)
from ._terms import excess_of_exponential, log_ratio, poisson_term

__all__ = [
    "cross_entropy",
    "cross_entropy_from_logits",
    "js_divergence",
    "js_divergence_from_logits",
    "kl_divergence",
    "kl_divergence_from_logits",
    "kl_divergence_gaussian",
    "renyi_divergence",
    "renyi_divergence_from_logits",
    "tsallis_divergence",
    "tsallis_divergence_from_logits",
]


class _Pair:
    """Two distributions over the same outcomes, and what divergences read of them.

    Attributes
    ----------
    p, q, log_p, log_q : array
        As in :class:`Outcomes`, of one shape.
    log_ratio : array
        ``ln(p / q)``, accurate next to 0; 0 where either is impossible.
    difference : array
        ``p - q``, accurate next to 0.
    surplus : array
        ``p - q`` as the sum over all outcomes counts it: 0 for logits, whose sums are equal.
    is_shared, is_only_p, is_only_q : array of bool
        Where both are possible, where one is.
    """

    def __init__(self, xp, p, q):
        self.xp, self.axis = xp, p.axis
        self.p, self.q = xp.broadcast_arrays(p.p, q.p)
        self.log_p, self.log_q = xp.broadcast_arrays(p.log_p, q.log_p)
        is_p = (self.p > 0) | (self.log_p < 0)
        is_q = (self.q > 0) | (self.log_q < 0)
        self.is_shared, self.is_only_p, self.is_only_q = is_p & is_q, is_p & ~is_q, is_q & ~is_p

    @classmethod
    def from_weights(cls, p, q, axis, normalize):
        """Return the pair of probabilities, counts or weights."""
        xp, p, q = as_floating(p, q)
        _check_shapes(p, q, axis)
        pair = cls(
            xp,
            from_weights(p, axis=axis, normalize=normalize),
            from_weights(q, axis=axis, normalize=normalize, name="q"),
        )
        pair.difference = pair.surplus = pair.p - pair.q
        ones, zeros = xp.ones_like(pair.p), xp.zeros_like(pair.p)
        shared = [
            xp.where(pair.is_shared, values, filling)
            for values, filling in ((pair.p, ones), (pair.q, ones), (pair.difference, zeros))
        ]
        pair.log_ratio = log_ratio(xp, *shared)
        return pair

    @classmethod
    def from_logits(cls, p_logits, q_logits, axis):
        """Return the pair of the softmaxes of logits."""
        xp, p_logits, q_logits = as_floating(p_logits, q_logits)
        _check_shapes(p_logits, q_logits, axis)
        p = from_logits(p_logits, axis=axis, name="p_logits")
        q = from_logits(q_logits, axis=axis, name="q_logits")
        pair = cls(xp, p, q)
        zeros = xp.zeros_like(pair.p)
        pair.surplus = zeros
        pair.log_ratio = xp.where(pair.is_shared, p.log_p - q.log_p, zeros)
        is_close = pair.is_shared & (xp.abs(pair.log_ratio) < 1)
        close = -pair.p * xp.expm1(xp.where(is_close, -pair.log_ratio, zeros))
        pair.difference = xp.where(is_close, close, pair.p - pair.q)
        return pair

    def swapped(self):
        """Return the pair with p and q in exchanged roles."""
        pair = copy(self)
        pair.p, pair.q, pair.log_p, pair.log_q = self.q, self.p, self.log_q, self.log_p
        pair.is_only_p, pair.is_only_q = self.is_only_q, self.is_only_p
        pair.difference, pair.surplus = -self.difference, -self.surplus
        pair.log_ratio = -self.log_ratio
        return pair

    def excess(self):
        """Return ``p ln(p/q) - p + q``: q where p is impossible, 0 where only p is possible."""
        xp, p, q = self.xp, self.p, self.q
        is_close = xp.abs(self.log_ratio) < 1
        inner = xp.where(is_close, -self.log_ratio, xp.zeros_like(p))
        far = p * self.log_ratio - self.difference
        shared = xp.where(is_close, p * excess_of_exponential(xp, inner), far)
        return xp.where(self.is_shared, shared, xp.where(self.is_only_q, q, xp.zeros_like(q)))

    def sum(self, terms):
        """Return the sum of terms over the outcomes."""
        return total(self.xp, terms, self.axis)

    def infinite_where_p_leaves_q(self, values):
        """Return values, infinite where p allows what q excludes."""
        leaves = self.xp.any(self.is_only_p, axis=self.axis)
        return self.xp.where(leaves, self.xp.full_like(values, math.inf), values)


def _check_shapes(p, q, axis):
    """Raise unless both have equally many outcomes along the same axis."""
    p_axis, q_axis = check_axis(p, axis, "p"), check_axis(q, axis, "q")
    if p_axis != q_axis:
        raise ValueError("axis must count from the end, as -1 does, where p and q differ in axes.")
    if p.shape[p_axis] != q.shape[q_axis]:
        raise ValueError(f"p has {p.shape[p_axis]} outcomes and q has {q.shape[q_axis]}.")


def cross_entropy(p, q, base=None, axis=-1, *, normalize=False):
    r"""Return the cross-entropy :math:`-\sum_k p_k \ln q_k`.

    The mean length of a code made for q when p is true: the entropy of p plus the Kullback-Leibler
    divergence from q, so that both have the same minimum over q.

    Parameters
    ----------
    p, q : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    base : float, default=None
        Base of the logarithm; None is nats.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide both by their sums.

    Returns
    -------
    array of shape (...)
        Cross-entropy, infinite where q excludes what p does not.

    Raises
    ------
    ValueError
        If an entry is NaN or negative, a row does not sum to one and ``normalize`` is False, or
        the numbers of outcomes differ.

    Examples
    --------
    >>> from treelearn.information import cross_entropy
    >>> float(cross_entropy([0.6, 0.4], [0.5, 0.5], base=2))
    1.0
    """
    nats_per_unit = check_base(base)
    return _cross_entropy(_Pair.from_weights(p, q, axis, normalize)) / nats_per_unit


def cross_entropy_from_logits(p_logits, q_logits, base=None, axis=-1):
    """Return the cross-entropy of the softmaxes of logits.

    Parameters
    ----------
    p_logits, q_logits : array of shape (..., n_outcomes)
        Logarithms of probabilities up to a constant; minus infinity is an impossible outcome.
    base : float, default=None
        Base of the logarithm of the result; None is nats.
    axis : int, default=-1
        Axis of the outcomes.

    Returns
    -------
    array of shape (...)
        Cross-entropy.

    Raises
    ------
    ValueError
        If a logit is NaN or plus infinity, or a whole row is minus infinity.

    Examples
    --------
    >>> from treelearn.information import cross_entropy_from_logits
    >>> float(cross_entropy_from_logits([0.0, 0.0], [1000.0, 0.0]))
    500.0
    """
    nats_per_unit = check_base(base)
    return _cross_entropy(_Pair.from_logits(p_logits, q_logits, axis)) / nats_per_unit


def _cross_entropy(pair):
    """Return the cross-entropy in nats."""
    nats = pair.sum(-pair.p * pair.log_q)
    return pair.infinite_where_p_leaves_q(at_least_zero(pair.xp, nats))


def kl_divergence(p, q, base=None, axis=-1, *, normalize=False):
    r"""Return the Kullback-Leibler divergence :math:`\sum_k p_k \ln (p_k / q_k)`.

    What a code made for q wastes when p is true.  Not symmetric; exactly 0 where p equals q, and
    accurate where they nearly agree.

    Parameters
    ----------
    p, q : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    base : float, default=None
        Base of the logarithm; None is nats.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide both by their sums.

    Returns
    -------
    array of shape (...)
        Divergence, infinite where q excludes what p does not.

    Raises
    ------
    ValueError
        As :func:`cross_entropy`.

    References
    ----------
    S. Kullback and R. A. Leibler, "On information and sufficiency", 1951.

    Examples
    --------
    >>> from treelearn.information import kl_divergence
    >>> round(float(kl_divergence([0.6, 0.4], [0.3, 0.7])), 12)
    0.192041993162
    >>> kl_divergence([[0.5, 0.5], [1.0, 0.0]], [1.0, 0.0])
    array([inf,  0.])
    """
    nats_per_unit = check_base(base)
    return _kl(_Pair.from_weights(p, q, axis, normalize)) / nats_per_unit


def kl_divergence_from_logits(p_logits, q_logits, base=None, axis=-1):
    """Return the Kullback-Leibler divergence of the softmaxes of logits.

    Parameters
    ----------
    p_logits, q_logits : array of shape (..., n_outcomes)
        Logarithms of probabilities up to a constant; minus infinity is an impossible outcome.
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
        If a logit is NaN or plus infinity, or a whole row is minus infinity.

    Examples
    --------
    >>> from treelearn.information import kl_divergence_from_logits
    >>> float(kl_divergence_from_logits([3.0, 1.0], [5.0, 3.0]))
    0.0
    """
    nats_per_unit = check_base(base)
    return _kl(_Pair.from_logits(p_logits, q_logits, axis)) / nats_per_unit


def _kl(pair):
    """Return the Kullback-Leibler divergence in nats."""
    nats = pair.sum(pair.excess()) + pair.sum(pair.surplus)
    return pair.infinite_where_p_leaves_q(at_least_zero(pair.xp, nats))


def kl_divergence_gaussian(p_mean, p_variance, q_mean, q_variance, base=None):
    r"""Return the Kullback-Leibler divergence of one normal distribution from another.

    :math:`\frac12 (r - 1 - \ln r + (\mu_p - \mu_q)^2 / \sigma_q^2)` with
    :math:`r = \sigma_p^2 / \sigma_q^2`.

    Parameters
    ----------
    p_mean, p_variance, q_mean, q_variance : array or float
        Means and variances, which broadcast against each other.
    base : float, default=None
        Base of the logarithm; None is nats.

    Returns
    -------
    array
        Divergence.

    Raises
    ------
    ValueError
        If an entry is NaN or infinite, or a variance is not positive.

    Examples
    --------
    >>> from treelearn.information import kl_divergence_gaussian
    >>> float(kl_divergence_gaussian(1.0, 4.0, 0.0, 4.0))
    0.125
    """
    nats_per_unit = check_base(base)
    xp, *found = as_floating(p_mean, p_variance, q_mean, q_variance)
    p_mean, p_variance, q_mean, q_variance = xp.broadcast_arrays(*found)
    for name, values in zip(("p_mean", "p_variance", "q_mean", "q_variance"), found, strict=True):
        check_finite(xp, values, name)
        if name.endswith("variance") and bool(xp.any(values <= 0)):
            raise ValueError(f"{name} must be positive.")
    spread = poisson_term(xp, q_variance, p_variance, q_variance - p_variance) / q_variance
    distance = p_mean - q_mean
    return (spread + distance * (distance / q_variance)) / 2 / nats_per_unit


def js_divergence(p, q, base=None, axis=-1, *, normalize=False):
    r"""Return the Jensen-Shannon divergence, the mean divergence from the mean of p and q.

    :math:`\frac12 KL(p, m) + \frac12 KL(q, m)` with :math:`m = (p + q) / 2`: symmetric, always
    finite, and the square of a metric.  It is the mutual information of an outcome and of which
    distribution, p or q with equal chances, it came from: the gain of a balanced split.

    Parameters
    ----------
    p, q : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    base : float, default=None
        Base of the logarithm; None is nats.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide both by their sums.

    Returns
    -------
    array of shape (...)
        Divergence, from 0 to ln 2.

    Raises
    ------
    ValueError
        As :func:`cross_entropy`.

    References
    ----------
    J. Lin, "Divergence measures based on the Shannon entropy", 1991.

    Examples
    --------
    >>> from treelearn.information import js_divergence
    >>> float(js_divergence([1.0, 0.0], [0.0, 1.0], base=2))
    1.0
    """
    nats_per_unit = check_base(base)
    return _js(_Pair.from_weights(p, q, axis, normalize)) / nats_per_unit


def js_divergence_from_logits(p_logits, q_logits, base=None, axis=-1):
    """Return the Jensen-Shannon divergence of the softmaxes of logits.

    Parameters
    ----------
    p_logits, q_logits : array of shape (..., n_outcomes)
        Logarithms of probabilities up to a constant; minus infinity is an impossible outcome.
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
        If a logit is NaN or plus infinity, or a whole row is minus infinity.

    Examples
    --------
    >>> import math
    >>> from treelearn.information import js_divergence_from_logits
    >>> float(js_divergence_from_logits([0.0, -math.inf], [-math.inf, 0.0], base=2))
    1.0
    """
    nats_per_unit = check_base(base)
    return _js(_Pair.from_logits(p_logits, q_logits, axis)) / nats_per_unit


def _js(pair):
    """Return the Jensen-Shannon divergence in nats."""
    xp, p, q = pair.xp, pair.p, pair.q
    middle = p / 2 + q / 2
    half = pair.difference / 2
    terms = poisson_term(xp, p, middle, half) + poisson_term(xp, q, middle, -half)
    return pair.sum(terms) / 2


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
    return _renyi_divergence(_Pair.from_weights(p, q, axis, normalize), order) / nats_per_unit


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

    Examples
    --------
    >>> from treelearn.information import renyi_divergence_from_logits
    >>> float(renyi_divergence_from_logits([1.0, 0.0], [1.0, 0.0], 0.5))
    0.0
    """
    nats_per_unit = check_base(base)
    order = check_order(order)
    pair = _Pair.from_logits(p_logits, q_logits, axis)
    return _renyi_divergence(pair, order) / nats_per_unit


def _renyi_divergence(pair, order):
    """Return Renyi's divergence in nats."""
    xp = pair.xp
    if order == 1:
        return _kl(pair)
    if order > LARGEST_ORDER:
        ratios = xp.where(pair.is_shared, pair.log_ratio, xp.full_like(pair.log_ratio, -math.inf))
        largest = xp.max(ratios, axis=pair.axis)
        return pair.infinite_where_p_leaves_q(at_least_zero(xp, largest))
    excess, logs = _power_excess(pair, order)
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
    return _tsallis_divergence(
        _Pair.from_weights(p, q, axis, normalize), _check_finite_order(order)
    )


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

    Examples
    --------
    >>> from treelearn.information import tsallis_divergence_from_logits
    >>> float(tsallis_divergence_from_logits([1.0, 0.0], [1.0, 0.0], 0.5))
    0.0
    """
    order = _check_finite_order(order)
    return _tsallis_divergence(_Pair.from_logits(p_logits, q_logits, axis), order)


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
        return _kl(pair)
    excess, logs = _power_excess(pair, order)
    is_near = xp.abs(excess) < 0.5
    far = xp.expm1(xp.where(is_near, xp.zeros_like(logs), logs))
    found = at_least_zero(xp, xp.where(is_near, excess, far) / (order - 1))
    return found if order < 1 else pair.infinite_where_p_leaves_q(found)


def _power_excess(pair, order):
    """Return the sum of ``p**a q**(1-a)`` minus 1, right where that is small, and its logarithm.

    With b = a - 1 and u = ln(p/q) a term is ``p (exp(b u) - 1 - b u) + b (p u - p + q)`` beyond
    a p + (1 - a) q, whose sum is 1; both parts keep their digits where p and q nearly agree.
    """
    if order < 0.5:
        # The same sum; the two parts, of opposite signs below 1, would cancel towards order 0.
        pair, order = pair.swapped(), 1 - order
    xp, p, power = pair.xp, pair.p, order - 1
    u = power * pair.log_ratio
    exponents = pair.log_p + u
    is_close = xp.abs(u) < 1
    close = p * excess_of_exponential(xp, xp.where(is_close, u, xp.zeros_like(u)))
    # A term above e settles that the sum is not small; how far above does not matter here.
    capped = xp.where(exponents > 1, xp.ones_like(exponents), exponents)
    shared = xp.where(is_close, close, xp.exp(capped) - p - p * u)
    excluded = xp.where(pair.is_only_p, -order * p, xp.zeros_like(p))
    terms = xp.where(pair.is_shared, shared, excluded) + power * pair.excess()
    return pair.sum(terms), _log_sum(pair, exponents)


def _log_sum(pair, exponents):
    """Return the logarithm of the sum of exponentials over the shared outcomes."""
    xp, axis = pair.xp, pair.axis
    exponents = xp.where(pair.is_shared, exponents, xp.full_like(exponents, -math.inf))
    largest = stop_gradient(xp.max(exponents, axis=axis, keepdims=True))
    largest = xp.where(largest > -math.inf, largest, xp.zeros_like(largest))
    sums = pair.sum(
        xp.where(
            pair.is_shared,
            xp.exp(xp.where(pair.is_shared, exponents - largest, xp.zeros_like(exponents))),
            xp.zeros_like(exponents),
        )
    )
    logs = logarithm(xp, sums) + xp.squeeze(largest, axis=axis)
    return xp.where(sums > 0, logs, xp.full_like(logs, -math.inf))
