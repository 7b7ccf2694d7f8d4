"""Impurities of classes and targets against exact sums."""

import math

import information_exact as exact
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from information_exact import COUNTS, DTYPES, array, assert_near, dyadic, numbers

from treelearn import information as info

TARGETS = st.lists(
    st.one_of(st.integers(-20, 20).map(float), st.floats(-100, 100, width=32)),
    min_size=1,
    max_size=10,
)
COUNT_TARGETS = st.lists(st.integers(0, 2**20), min_size=1, max_size=10)


@pytest.fixture(autouse=True)
def digits():
    """Give every test the same precision of the exact values."""
    exact.mpmath.mp.dps = 60


def exact_variance(y):
    """Return the exact variance."""
    mean = sum(y) / len(y)
    return sum((value - mean) ** 2 for value in y) / len(y)


@given(counts=COUNTS)
def test_of_counts(xp, counts):
    p = exact.normalize(numbers(counts))
    n = sum(counts)
    for dtype in DTYPES:
        found = array(xp, counts, dtype)
        gini = exact.tsallis(p, 2)
        assert_near(info.gini_impurity(found, normalize=True), gini, dtype)
        assert_near(info.misclassification(found, normalize=True), 1 - max(p), dtype)
        if n > 1:
            assert_near(info.unbiased_gini(found), gini * n / (n - 1), dtype)
    assert info.gini_impurity(counts, normalize=True) == pytest.approx(
        float(info.tsallis_entropy(counts, 2, normalize=True)), rel=1e-15
    )


@given(p=dyadic())
def test_of_probabilities(xp, p):
    for dtype in DTYPES:
        found = array(xp, p, dtype)
        assert_near(info.gini_impurity(found), exact.tsallis(numbers(p), 2), dtype)
        assert_near(info.misclassification(found), 1 - max(numbers(p)), dtype)


@given(y=TARGETS)
def test_variance_and_absolute_error(xp, y):
    exact_y = numbers(y)
    middle = sorted(exact_y)[(len(y) - 1) // 2]
    error = sum(abs(value - middle) for value in exact_y) / len(y)
    for dtype in DTYPES:
        found = array(xp, y, dtype)
        # Targets that nearly agree determine their variance no better than their rounding does.
        eps = float(np.finfo(dtype).eps)
        spread = exact.mpmath.sqrt(exact_variance(exact_y))
        slack = float(2 * eps * max(map(abs, exact_y)) / spread) if spread else 0.0
        if spread:
            assert_near(info.variance(found), exact_variance(exact_y), dtype, slack)
        else:
            assert float(info.variance(found)) == 0
        assert float(info.absolute_error(found)) == pytest.approx(
            float(error), rel=4 * eps, abs=4 * eps * float(max(map(abs, exact_y)))
        )


@given(y=COUNT_TARGETS)
def test_half_poisson_deviance(xp, y):
    exact_y = numbers(y)
    mean = sum(exact_y) / len(y)
    value = exact.mpmath.mpf(0)
    if mean:
        value = sum(t * exact.mpmath.log(t / mean) for t in exact_y if t) / len(y)
    for dtype in DTYPES:
        found = info.half_poisson_deviance(array(xp, y, dtype))
        eps = float(np.finfo(dtype).eps)
        if value > 1e-40:
            slack = float(4 * eps * exact.mpmath.sqrt(mean / value))
            assert_near(found, value, dtype, slack)
        else:
            assert float(found) == pytest.approx(0, abs=eps)


@given(left=TARGETS, right=TARGETS, ridge=st.sampled_from([0.0, 0.5, 10.0]))
def test_gains(left, right, ridge):
    n_left, n = len(left), len(left) + len(right)
    a, b, both = (exact_variance(numbers(y)) for y in (left, right, left + right))
    value = both - (n_left * a + (n - n_left) * b) / n
    found = float(info.variance_reduction(left, right))
    assert found == pytest.approx(float(value), rel=1e-11, abs=1e-11)
    gain = float(info.gaussian_entropy_gain(left, right, ridge))
    assert gain >= 0
    if ridge:
        a, b, both = (exact.mpmath.log(x + ridge) / 2 for x in (a, b, both))
        value = both - (n_left * a + (n - n_left) * b) / n
        assert gain == pytest.approx(float(value), rel=1e-9, abs=1e-11)


def test_gaussian_entropy():
    assert info.gaussian_entropy_impurity([1.0, 1.0]) == -math.inf
    ridge = info.gaussian_entropy_impurity([1.0, 1.0], 0.25)
    assert ridge == pytest.approx(math.log(2 * math.pi * math.e * 0.25) / 2, rel=1e-15)
    assert info.gaussian_entropy_gain([1.0, 1.0], [2.0, 3.0]) == math.inf
    assert info.gaussian_entropy_gain([1.0, 1.0], [1.0]) == 0
    y = np.array([0.0, 0.1, 5.0, 7.0])
    for scale in (1e-3, 1e3):
        moved = info.gaussian_entropy_impurity(scale * y) - info.gaussian_entropy_impurity(y)
        assert moved == pytest.approx(math.log(scale), rel=1e-14)
        assert info.gaussian_entropy_gain(scale * y[:2], scale * y[2:]) == pytest.approx(
            info.gaussian_entropy_gain(y[:2], y[2:]), rel=1e-14
        )


def test_large_means_do_not_hide_the_variance():
    y = 1e8 + np.random.default_rng(0).normal(size=1000)
    assert info.variance(y) == pytest.approx(float(exact_variance(numbers(y))), rel=4e-15)
    assert math.isfinite(info.variance([1e154, -1e154]))
    assert info.variance([1e308, 1e308, 1e308]) == 0


def test_axes(xp, rng):
    y = rng.integers(0, 9, (3, 4)) + 0.5
    for measure in (
        info.variance,
        info.absolute_error,
        info.half_poisson_deviance,
        lambda y, axis=-1: info.gaussian_entropy_impurity(y, 0.1, axis=axis),
        lambda y, axis=-1: info.variance_reduction(y, y + 1, axis=axis),
    ):
        found = measure(array(xp, y.T), axis=0)
        assert found.shape == (3,)
        assert float(found[1]) == pytest.approx(float(measure(y[1])), rel=1e-14)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: info.variance([math.nan]), "neither NaN nor infinity"),
        (lambda: info.absolute_error([math.inf]), "neither NaN nor infinity"),
        (lambda: info.variance([]), "no outcomes"),
        (lambda: info.half_poisson_deviance([-1.0]), "must not be negative"),
        (lambda: info.gaussian_entropy_impurity([1.0], -1), "ridge must be"),
        (lambda: info.gaussian_entropy_gain([1.0], [1.0], math.nan), "ridge must be"),
        (lambda: info.variance_reduction([[1.0]], [1.0], axis=0), "equally many axes"),
        (lambda: info.unbiased_gini([1, 0]), "at least two samples"),
    ],
)
def test_bad_inputs(call, words):
    with pytest.raises(ValueError, match=words):
        call()
