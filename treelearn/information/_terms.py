"""The one term that divergences are sums of, without the cancellation of the textbook form.

``p ln(p / q) - p + q`` is never negative, so that sums of it keep their digits also where p and q
nearly agree, and a divergence is 0 exactly when they are equal.
"""

from ._arrays import logarithm

__all__ = ["excess_of_exponential", "log_ratio", "poisson_term"]

CLOSE = 0.35
"""Relative difference (p - q) / (p + q) below which the series is used.

At the seam the closed form loses five units in the last place and 16 terms are exact.
"""

COEFFICIENTS = [1 / (2 * j + 1) for j in range(16, 0, -1)]


def _series(v):
    """Return ``ln(p/q) - 1 + q/p`` from v = (p - q) / (p + q), for small v."""
    square = v * v
    # 2 artanh(v) = 2 (v + v**3 / 3 + ...), of which the first term joins q/p - 1 = -2 v / (1 + v).
    odd = COEFFICIENTS[0] * square
    for coefficient in COEFFICIENTS[1:]:
        odd = (odd + coefficient) * square
    return 2 * (square / (1 + v) + v * odd)


def poisson_term(xp, p, q, difference):
    """Return ``p ln(p/q) - p + q``, given also ``difference = p - q``; q where p is 0.

    Where q is 0 and p is not, the term is infinite and left to the caller: it counts as 0 here.
    """
    is_inner = (p > 0) & (q > 0)
    ones = xp.ones_like(p)
    p_inner, q_inner = xp.where(is_inner, p, ones), xp.where(is_inner, q, ones)
    inner = xp.where(is_inner, difference, xp.zeros_like(p))
    v = inner / (p_inner + q_inner)
    is_close = xp.abs(v) < CLOSE
    close = p_inner * _series(xp.where(is_close, v, xp.zeros_like(v)))
    far = p_inner * log_ratio(xp, p_inner, q_inner, inner) - inner
    return xp.where(is_inner, xp.where(is_close, close, far), q * xp.astype(p == 0, q.dtype))


def log_ratio(xp, p, q, difference):
    """Return ``ln(p / q)`` of positive numbers, given also ``difference = p - q``."""
    is_close = xp.abs(difference) < p / 2
    near = xp.log1p(xp.where(is_close, difference, xp.zeros_like(q)) / q)
    # A quotient by a subnormal number may overflow.
    is_normal = q >= xp.finfo(q.dtype).smallest_normal
    quotient = xp.where(is_normal, p, xp.ones_like(p)) / xp.where(is_normal, q, xp.ones_like(q))
    far = xp.where(is_normal, logarithm(xp, quotient), logarithm(xp, p) - logarithm(xp, q))
    return xp.where(is_close, near, far)


def excess_of_exponential(xp, u):
    """Return ``exp(u) - 1 - u``."""
    is_close = xp.abs(u) < 2 * CLOSE
    inner = xp.expm1(xp.where(is_close, u, xp.zeros_like(u)))
    return xp.where(is_close, _series(-inner / (inner + 2)), xp.expm1(u) - u)
