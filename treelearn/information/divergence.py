"""How far one distribution is from another: cross-entropy, Kullback-Leibler and Jensen-Shannon.

Every function takes two distributions along ``axis``, which broadcast against each other over all
other axes, and has a twin that takes logits.  An outcome that p excludes adds nothing, whatever q
says of it; one that q excludes and p does not makes most of these measures infinite.
"""

from ._arrays import as_floating, at_least_zero, check_base, check_finite
from ._pair import Pair, of_weights
from ._terms import poisson_term

__all__ = [
    "cross_entropy",
    "cross_entropy_from_logits",
    "js_divergence",
    "js_divergence_from_logits",
    "kl_divergence",
    "kl_divergence_from_logits",
    "kl_divergence_gaussian",
]


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

    References
    ----------
    T. M. Cover and J. A. Thomas, "Elements of information theory", 2006.

    Examples
    --------
    >>> from treelearn.information import cross_entropy
    >>> float(cross_entropy([0.6, 0.4], [0.5, 0.5], base=2))
    1.0
    """
    nats_per_unit = check_base(base)
    return of_weights(_cross_entropy, p, q, axis, normalize) / nats_per_unit


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

    References
    ----------
    T. M. Cover and J. A. Thomas, "Elements of information theory", 2006.

    Examples
    --------
    >>> from treelearn.information import cross_entropy_from_logits
    >>> float(cross_entropy_from_logits([0.0, 0.0], [1000.0, 0.0]))
    500.0
    """
    nats_per_unit = check_base(base)
    return _cross_entropy(Pair.from_logits(p_logits, q_logits, axis)) / nats_per_unit


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
    return of_weights(kl, p, q, axis, normalize) / nats_per_unit


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

    References
    ----------
    S. Kullback and R. A. Leibler, "On information and sufficiency", 1951.

    Examples
    --------
    >>> from treelearn.information import kl_divergence_from_logits
    >>> float(kl_divergence_from_logits([3.0, 1.0], [5.0, 3.0]))
    0.0
    """
    nats_per_unit = check_base(base)
    return kl(Pair.from_logits(p_logits, q_logits, axis)) / nats_per_unit


def kl(pair):
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

    References
    ----------
    S. Kullback, "Information theory and statistics", 1959.

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
    return of_weights(_js, p, q, axis, normalize) / nats_per_unit


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

    References
    ----------
    J. Lin, "Divergence measures based on the Shannon entropy", 1991.

    Examples
    --------
    >>> import math
    >>> from treelearn.information import js_divergence_from_logits
    >>> float(js_divergence_from_logits([0.0, -math.inf], [-math.inf, 0.0], base=2))
    1.0
    """
    nats_per_unit = check_base(base)
    return _js(Pair.from_logits(p_logits, q_logits, axis)) / nats_per_unit


def _js(pair):
    """Return the Jensen-Shannon divergence in nats."""
    xp, p, q = pair.xp, pair.p, pair.q
    middle = p / 2 + q / 2
    half = pair.difference / 2
    terms = poisson_term(xp, p, middle, half) + poisson_term(xp, q, middle, -half)
    return pair.sum(terms) / 2
