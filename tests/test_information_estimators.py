"""Estimators of entropy from counts against their definitions, and their bias."""

import math

import information_exact as exact
import numpy as np
import pytest
from hypothesis import given
from information_exact import COUNTS, numbers

from treelearn import information as info

ESTIMATORS = ("plug_in", "miller_madow", "jackknife", "grassberger", "chao_shen")


@pytest.fixture(autouse=True)
def digits():
    """Give every test the same precision of the exact values."""
    exact.mpmath.mp.dps = 60


def exact_estimate(counts, estimator):
    """Return an estimate from the definition of its estimator."""
    mp = exact.mpmath
    n = sum(counts)
    counts = [count for count in counts if count]
    p = exact.normalize(numbers(counts))
    plug_in = exact.shannon(p)
    if estimator == "plug_in":
        return plug_in
    if estimator == "miller_madow":
        return plug_in + mp.mpf(len(counts) - 1) / (2 * n)
    if estimator == "jackknife":
        if n == 1:
            return mp.mpf(0)
        left_out = sum(
            x
            * exact.shannon(exact.normalize(numbers([c - (i == j) for i, c in enumerate(counts)])))
            for j, x in enumerate(p)
        )
        return n * plug_in - (n - 1) * left_out
    if estimator == "grassberger":

        def g(count):
            sign = (-1) ** count
            half = mp.mpf(count) / 2
            return mp.digamma(count) + sign * (mp.digamma(half + 0.5) - mp.digamma(half)) / 2

        return sum(x * (mp.log(n) - g(count)) for x, count in zip(p, counts, strict=True))
    n_once = counts.count(1)
    coverage = 1 - mp.mpf(n - 1 if n_once == n else n_once) / n
    q = [coverage * x for x in p]
    return -sum(x * mp.log(x) / (1 - (1 - x) ** n) for x in q)


@given(counts=COUNTS)
def test_definitions(xp, counts):
    found = xp.asarray(np.asarray(counts, dtype=np.float64))
    for estimator in ESTIMATORS:
        value = float(exact_estimate(counts, estimator))
        estimate = info.entropy_from_counts(found, estimator)
        assert float(estimate) == pytest.approx(value, rel=4e-15, abs=1e-14), estimator
        narrow = info.entropy_from_counts(xp.astype(found, xp.float32), estimator)
        assert narrow.dtype == xp.float32
        assert float(narrow) == pytest.approx(value, rel=1e-6, abs=4e-6), estimator


def test_axes_and_base(xp):
    counts = xp.asarray([[5, 3, 2], [1, 0, 9]])
    for estimator in ESTIMATORS:
        found = info.entropy_from_counts(counts, estimator, base=2)
        assert found.shape == (2,)
        one = info.entropy_from_counts([1, 0, 9], estimator) / math.log(2)
        assert float(found[1]) == pytest.approx(float(one), rel=1e-14)
        turned = info.entropy_from_counts(xp.matrix_transpose(counts), estimator, 2, axis=0)
        assert float(turned[1]) == pytest.approx(float(found[1]), rel=1e-14)


def test_bias_of_the_docstring(rng):
    zipf = 1 / np.arange(1, 101)
    for p, figures in (
        (np.full(10, 0.1), (-0.260, 0.284, -0.065, 0.149, 0.027, 0.152, 0.023, 0.166, 0.008, 0.16)),
        (zipf, (-1.221, 1.238, -0.899, 0.934, -0.62, 0.692, -0.505, 0.609, -0.37, 0.594)),
        ([0.9, 0.1], (-0.028, 0.156, -0.006, 0.16, 0.004, 0.157, 0.025, 0.168, 0.018, 0.145)),
    ):
        p = p / np.sum(p)
        counts = rng.multinomial(20, p, size=5000)
        found = []
        for estimator in ESTIMATORS:
            off = info.entropy_from_counts(counts, estimator) - info.entropy(p)
            found += [off.mean(), math.sqrt((off**2).mean())]
        # Four standard errors of the means of 5000.
        assert found == pytest.approx(figures, abs=4 * max(figures[-1], 0.3) / math.sqrt(5000))


def test_bad_inputs():
    for counts, words in (
        ([0.5, 1], "whole numbers"),
        ([-1, 2], "negative"),
        ([math.nan, 2], "neither NaN"),
        ([0, 0], "sums to zero"),
    ):
        with pytest.raises(ValueError, match=words):
            info.entropy_from_counts(counts)
    with pytest.raises(ValueError, match="estimator must be one of"):
        info.entropy_from_counts([1], "nsb")
