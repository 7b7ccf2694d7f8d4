"""Shannon's entropy of one distribution.

Every function takes distributions along ``axis`` and works over all other axes at once, with the
arrays of any library (lists count as NumPy).  ``normalize=True`` says that the entries are counts
or weights.  An outcome of probability 0 adds nothing, and its gradient is 0.
"""

import math
from numbers import Integral

from ._arrays import (
    as_floating,
    at_least_zero,
    check_base,
    check_probability,
    expectation,
    from_logits,
    from_weights,
)

__all__ = [
    "binary_entropy",
    "binary_entropy_from_logit",
    "efficiency",
    "entropy",
    "entropy_from_logits",
    "max_entropy",
]


def entropy(p, base=None, axis=-1, *, normalize=False):
    r"""Return the Shannon entropy :math:`-\sum_k p_k \ln p_k`, where 0 ln 0 is 0.

    Parameters
    ----------
    p : array of shape (..., n_outcomes)
        Probabilities; with ``normalize`` counts or weights of any sum.
    base : float, default=None
        Base of the logarithm: 2 for bits, 10 for bans.  None is nats.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Whether to divide by the sum.  Of nearly pure counts that is more accurate than any
        probabilities can be, because 1 - 1e-20 is no floating-point number.

    Returns
    -------
    array of shape (...)
        Entropy, from exactly 0 to the logarithm of ``n_outcomes``.

    Raises
    ------
    ValueError
        If an entry is NaN or negative, or a row does not sum to one and ``normalize`` is False.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from treelearn.information import entropy
    >>> float(entropy([0.5, 0.25, 0.25], base=2))
    1.5
    >>> entropy([[50, 50], [100, 0]], base=2, normalize=True)
    array([1., 0.])
    """
    nats_per_unit = check_base(base)
    return shannon(from_weights(p, axis=axis, normalize=normalize)) / nats_per_unit


def entropy_from_logits(logits, base=None, axis=-1):
    r"""Return the Shannon entropy of the softmax of logits.

    Accurate where the softmax is not: for differences of hundreds, for nearly sure outcomes,
    for minus infinity as the mark of an impossible outcome.

    Parameters
    ----------
    logits : array of shape (..., n_outcomes)
        Logarithms of probabilities up to a constant.
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
        If a logit is NaN or plus infinity, or a whole row is minus infinity.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from treelearn.information import entropy_from_logits
    >>> float(entropy_from_logits([0.0, -50.0]))  # 51 exp(-50)
    9.8366242246159...e-21
    """
    nats_per_unit = check_base(base)
    return shannon(from_logits(logits, axis=axis)) / nats_per_unit


def shannon(outcomes):
    """Return Shannon's entropy in nats."""
    return at_least_zero(outcomes.xp, -expectation(outcomes, outcomes.log_p))


def binary_entropy(p, base=None):
    r"""Return the entropy of two outcomes, :math:`-p \ln p - (1-p) \ln(1-p)`, of every entry.

    Parameters
    ----------
    p : array or float
        Probability of one of the two outcomes.
    base : float, default=None
        Base of the logarithm; None is nats.

    Returns
    -------
    array of the shape of ``p``
        Entropy, from 0 to ln 2; its gradient at 0 and 1, where it is infinite, is returned as 0.

    Raises
    ------
    ValueError
        If an entry is NaN or not from 0 to 1.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from treelearn.information import binary_entropy
    >>> binary_entropy([0.0, 0.5, 1.0], base=2)
    array([0., 1., 0.])
    """
    nats_per_unit = check_base(base)
    xp, p = as_floating(p)
    check_probability(xp, p, "p")
    # Both logarithms are safe inside; at the ends both terms are 0.
    inner = xp.where((p > 0) & (p < 1), p, xp.ones_like(p) / 2)
    nats = -(inner * xp.log(inner) + (1 - inner) * xp.log1p(-inner))
    return xp.where((p > 0) & (p < 1), nats, xp.zeros_like(p)) / nats_per_unit


def binary_entropy_from_logit(logit, base=None):
    r"""Return the entropy of two outcomes of which one has the logit ``ln(p / (1 - p))``.

    With :math:`u = e^{-|x|}` it is :math:`\ln(1+u) + |x|\,u / (1+u)`, which loses no digits for
    any logit.

    Parameters
    ----------
    logit : array or float
        Logit of one of the two outcomes; infinities are sure outcomes.
    base : float, default=None
        Base of the logarithm of the result; None is nats.

    Returns
    -------
    array of the shape of ``logit``
        Entropy.

    Raises
    ------
    ValueError
        If an entry is NaN.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from treelearn.information import binary_entropy_from_logit
    >>> float(binary_entropy_from_logit(0.0, base=2))
    1.0
    """
    nats_per_unit = check_base(base)
    xp, logit = as_floating(logit)
    if bool(xp.any(xp.isnan(logit))):
        raise ValueError("logit must not contain NaN.")
    size = xp.abs(logit)
    is_finite = size < math.inf
    size = xp.where(is_finite, size, xp.zeros_like(size))
    u = xp.exp(-size)
    nats = xp.log1p(u) + size * u / (1 + u)
    return xp.where(is_finite, nats, xp.zeros_like(nats)) / nats_per_unit


def max_entropy(n_outcomes, base=None):
    """Return the largest entropy that a number of outcomes can have, that of equal chances.

    Parameters
    ----------
    n_outcomes : int
        At least 1.
    base : float, default=None
        Base of the logarithm; None is nats.

    Returns
    -------
    float
        The logarithm of ``n_outcomes``; every Renyi entropy has the same maximum.

    Raises
    ------
    ValueError
        If ``n_outcomes`` is no integer of at least 1.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from treelearn.information import max_entropy
    >>> max_entropy(8, base=2)
    3.0
    """
    nats_per_unit = check_base(base)
    if not isinstance(n_outcomes, Integral) or n_outcomes < 1:
        raise ValueError(f"n_outcomes must be an integer of at least 1; got {n_outcomes!r}.")
    return math.log(n_outcomes) / nats_per_unit


def efficiency(p, axis=-1, *, normalize=False):
    """Return the entropy over the largest one of as many outcomes.

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
        From 0, a sure outcome, to 1, equal chances.  A single outcome has efficiency 1: its
        entropy is the largest that it can have.

    Raises
    ------
    ValueError
        If ``p`` is as :func:`entropy` does not take it.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from treelearn.information import efficiency
    >>> float(efficiency([0.5, 0.5, 0.0, 0.0]))
    0.5
    """
    outcomes = from_weights(p, axis=axis, normalize=normalize)
    nats = shannon(outcomes)
    n_outcomes = outcomes.p.shape[outcomes.axis]
    return nats / math.log(n_outcomes) if n_outcomes > 1 else nats + 1.0
