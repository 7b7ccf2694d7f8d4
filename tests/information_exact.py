"""Exact values of measures in many digits, nasty inputs, and how near a result has to be.

The inputs are numbers that float32 holds too, so that all libraries and dtypes share exact values.
"""

from functools import cache

import mpmath
import numpy as np
from hypothesis import strategies as st

# Enough for a probability of 1e-30 beside one of 1; more where a test has smaller ones.
mpmath.mp.dps = 60

PRECISION = {"float64": 4e-15, "float32": 5e-7}
DTYPES = tuple(PRECISION)


def array(xp, values, dtype="float64"):
    """Return an array of a library."""
    return xp.asarray(np.asarray(values, dtype=dtype))


def numbers(values):
    """Return the exact values of floating-point numbers."""
    return tuple(mpmath.mpf(float(value)) for value in np.ravel(values))


@cache
def normalize(weights):
    """Return exact shares."""
    weight = sum(weights)
    return tuple(share / weight for share in weights)


def softmax(logits):
    """Return exact probabilities, and set the digits that the smallest beside the largest need."""
    finite = [logit for logit in logits if mpmath.isfinite(logit)]
    mpmath.mp.dps = 60 + int((max(finite) - min(finite)) / 2)
    return _softmax(logits)


@cache
def _softmax(logits):
    return normalize(tuple(mpmath.exp(logit) for logit in logits))


@cache
def shannon(p):
    """Return Shannon's entropy."""
    return -sum(x * mpmath.log(x) for x in p if x > 0)


def power_sum(p, order):
    """Return the sum of powers."""
    return sum(x ** mpmath.mpf(order) for x in p if x > 0)


@cache
def renyi(p, order):
    """Return Renyi's entropy."""
    if order == 1:
        return shannon(p)
    if order == float("inf"):
        return -mpmath.log(max(p))
    return mpmath.log(power_sum(p, order)) / (1 - mpmath.mpf(order))


@cache
def tsallis(p, order):
    """Return Tsallis' entropy."""
    if order == 1:
        return shannon(p)
    if order == float("inf"):
        return mpmath.mpf(0)
    return (1 - power_sum(p, order)) / (mpmath.mpf(order) - 1)


@cache
def kl(p, q):
    """Return the Kullback-Leibler divergence."""
    if any(x > 0 and y == 0 for x, y in zip(p, q, strict=True)):
        return mpmath.inf
    return sum(x * mpmath.log(x / y) for x, y in zip(p, q, strict=True) if x > 0)


@cache
def renyi_divergence(p, q, order):
    """Return Renyi's divergence."""
    if order == 1:
        return kl(p, q)
    leaves = any(x > 0 and y == 0 for x, y in zip(p, q, strict=True))
    shared = [(x, y) for x, y in zip(p, q, strict=True) if x > 0 and y > 0]
    if not shared or (leaves and order > 1):
        return mpmath.inf
    if order == float("inf"):
        return mpmath.log(max(x / y for x, y in shared))
    order = mpmath.mpf(order)
    return mpmath.log(sum(x**order * y ** (1 - order) for x, y in shared)) / (order - 1)


def assert_near(found, exact, dtype, slack=0.0):
    """Raise unless a result is as near as its dtype allows, relative to the exact value.

    ``slack`` is what half a rounding of the input moves the exact value by, relative to it, where
    that is more.
    """
    found = mpmath.mpf(float(found))
    if mpmath.isinf(exact) or exact == 0:
        assert found == exact
        return
    error = abs((found - exact) / exact)
    assert error <= PRECISION[dtype] + slack, f"{float(found)} is off by {float(error):.2e}"


def floats(dtype, values):
    """Return NumPy floats of a dtype."""
    return np.asarray(values, dtype=dtype)


ORDERS = st.one_of(
    st.sampled_from(
        [0.0, 0.002, 0.1, 0.25, 0.5, 0.9, 1 - 1e-3, 1 - 1e-9, 1 - 2**-53, 1.0, 1 + 2**-52]
        + [1 + 1e-9, 1 + 1e-3, 1.1, 1.3, 1.5, 2.0, 2.5, 3.0, 10.0, 100.0, 1e4, float("inf")]
    ),
    st.floats(0.01, 20),
)

COUNT = st.one_of(st.integers(0, 9), st.integers(0, 2**24), st.sampled_from([2**24, 1]))
COUNTS = st.lists(COUNT, min_size=1, max_size=12).filter(any)

LOGIT = st.one_of(
    st.floats(-30, 30, width=32),
    st.floats(-1000, 1000, width=32),
    st.sampled_from([0.0, -50.0, 20.0, 1000.0, -float("inf")]),
)
LOGITS = st.lists(LOGIT, min_size=1, max_size=10).filter(lambda z: max(z) > -float("inf"))


@st.composite
def dyadic(draw, n_outcomes=None):
    """Return probabilities that sum to 1 exactly, also in float32: halves of halves."""
    size = draw(st.integers(1, 12)) if n_outcomes is None else n_outcomes
    p = [1.0]
    while len(p) < size:
        # The smallest is halved again and again, or any one.
        index = draw(st.sampled_from([0, len(p) - 1, draw(st.integers(0, len(p) - 1))]))
        share = 2.0 ** -draw(st.sampled_from([1, 1, 2, 5, 10]))
        part = p[index] * share
        if np.float32(p[index] - part) != p[index] - part or part < 1e-30:
            part = p[index] / 2
        p[index] -= part
        p.append(part)
    if n_outcomes is None:
        p += [0.0] * draw(st.integers(0, 2))
    return draw(st.permutations(p))


TINY = st.integers(1, 1000).map(lambda n: [1.0 - 2.0**-n, 2.0**-n])
"""A sure outcome but for next to nothing, which from 2**-54 on does not show in the other."""
