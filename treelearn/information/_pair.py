"""Two distributions over the same outcomes: what divergences read of them."""

import math
from copy import copy

import numpy as np

from ._arrays import (
    as_floating,
    check_axis,
    from_logits,
    from_weights,
    logarithm,
    stop_gradient,
    total,
)
from ._terms import excess_of_exponential, log_ratio

__all__ = ["Pair", "of_weights", "power_excess"]

BLOCK = 2**16
"""Entries that NumPy works on at a time, whose dozens of passes then stay in the cache.

A million rows take half the time, and the same for blocks of half and twice the size
(``python -m benchmarks.information --measures kl``).
"""


class Pair:
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
        smallest = xp.finfo(pair.p.dtype).smallest_normal
        is_normal = (pair.p >= smallest) & (pair.q >= smallest)
        shared = [
            xp.where(is_normal, values, filling)
            for values, filling in ((pair.p, ones), (pair.q, ones), (pair.difference, zeros))
        ]
        # Where one has underflowed the logarithms are still right.
        is_lost = pair.is_shared & ~is_normal
        lost = xp.where(is_lost, pair.log_p - pair.log_q, zeros)
        pair.log_ratio = xp.where(is_normal, log_ratio(xp, *shared), lost)
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


def of_weights(measure, p, q, axis, normalize):
    """Return a measure of pairs of probabilities, counts or weights, in blocks of many rows."""
    if not (isinstance(p, np.ndarray) and isinstance(q, np.ndarray)) or p.size <= BLOCK:
        return measure(Pair.from_weights(p, q, axis, normalize))
    if p.ndim != 2 or p.shape != q.shape or axis not in (-1, 1):
        return measure(Pair.from_weights(p, q, axis, normalize))
    n_rows = max(BLOCK // p.shape[1], 1)
    found = [
        measure(
            Pair.from_weights(p[first : first + n_rows], q[first : first + n_rows], -1, normalize)
        )
        for first in range(0, len(p), n_rows)
    ]
    return np.concatenate(found)


def _check_shapes(p, q, axis):
    """Raise unless both have equally many outcomes along the same axis."""
    p_axis, q_axis = check_axis(p, axis, "p"), check_axis(q, axis, "q")
    if p_axis != q_axis:
        raise ValueError("axis must count from the end, as -1 does, where p and q differ in axes.")
    if p.shape[p_axis] != q.shape[q_axis]:
        raise ValueError(f"p has {p.shape[p_axis]} outcomes and q has {q.shape[q_axis]}.")


def power_excess(pair, order):
    """Return the sum of ``p**a q**(1-a)`` minus 1, right where that is small, and its logarithm.

    With b = a - 1 and u = ln(p/q) a term is ``p (exp(b u) - 1 - b u) + b (p u - p + q)`` beyond
    a p + (1 - a) q, whose sum is 1; both parts keep their digits where p and q nearly agree.
    """
    power = order - 1
    if order < 0.5:
        # The same sum; the two parts, of opposite signs below 1, would cancel towards order 0.
        pair, order, power = pair.swapped(), 1 - order, -order
    xp, p = pair.xp, pair.p
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
