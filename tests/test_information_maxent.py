"""Distributions of largest entropy: Jaynes' dice, moments, faces, infeasible moments."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treelearn import information as info


def test_dice_of_jaynes(xp):
    faces = xp.asarray([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], dtype=xp.float64)
    die = info.max_entropy_distribution(faces, 4.5)
    expected = [0.05435317, 0.07877155, 0.11415998, 0.1654468, 0.23977444, 0.34749407]
    assert isinstance(die.p, type(faces))
    assert [float(p) for p in die.p] == pytest.approx(expected, abs=5e-9)
    assert float(die.multipliers[0]) == pytest.approx(0.371048938081, abs=1e-12)
    assert die.entropy == pytest.approx(1.613581098153829, rel=4e-15)
    fair = info.max_entropy_distribution(faces, 3.5, base=2)
    assert fair.entropy == pytest.approx(math.log2(6), rel=1e-15)


@given(
    support=st.lists(st.integers(-9, 9), min_size=2, max_size=8, unique=True),
    weights=st.lists(st.integers(1, 50), min_size=8, max_size=8),
)
def test_is_the_largest_of_those_with_its_moments(support, weights):
    x = np.array(support, dtype=float)
    q = np.array(weights[: len(x)]) / sum(weights[: len(x)])
    features = np.column_stack([x, x**2])
    found = info.max_entropy_distribution(features, q @ features)
    np.testing.assert_allclose(found.p @ features, q @ features, rtol=1e-9, atol=1e-9)
    assert found.entropy >= info.entropy(q) - 1e-9
    assert found.entropy == pytest.approx(float(info.entropy(found.p)), abs=1e-12)
    # The logarithm is a linear function of the features.
    logs = np.log(found.p) - features @ found.multipliers
    np.testing.assert_allclose(logs, logs[0], atol=1e-7 * max(1, np.abs(found.multipliers).max()))


def test_a_variance_makes_it_nearly_normal():
    x = np.linspace(-6, 6, 241)
    found = info.max_entropy_distribution(np.column_stack([x, x**2]), [0.0, 1.0])
    np.testing.assert_allclose(found.multipliers, [0, -0.5], atol=1e-7)
    assert found.entropy + math.log(0.05) == pytest.approx(float(info.gaussian_entropy(1.0)))


def test_moments_on_the_edge():
    corner = info.max_entropy_distribution([1, 2, 3], 3)
    np.testing.assert_array_equal(corner.p, [0, 0, 1])
    assert corner.entropy == 0
    square = [[0, 0], [0, 1], [1, 0], [1, 1]]
    side = info.max_entropy_distribution(square, [0, 0.5])
    np.testing.assert_allclose(side.p, [0.5, 0.5, 0, 0], atol=1e-15)
    assert info.max_entropy_distribution([5.0], 5.0).entropy == 0


def test_features_that_depend_on_each_other():
    x = np.arange(6.0)
    once = info.max_entropy_distribution(x, 2.0)
    thrice = info.max_entropy_distribution(np.column_stack([x, 2 * x + 1, x]), [2.0, 5.0, 2.0])
    np.testing.assert_allclose(thrice.p, once.p, rtol=1e-12)


def test_extreme_scales():
    for scale in (1e-200, 1e200):
        die = info.max_entropy_distribution(scale * np.arange(1, 7), 4.5 * scale)
        assert die.entropy == pytest.approx(1.613581098153829, rel=1e-12)
    near = info.max_entropy_distribution([0.0, 1.0], 1 - 1e-6)
    np.testing.assert_allclose(near.p[0], 1e-6, rtol=1e-9)


@pytest.mark.parametrize(
    ("support", "moments", "words"),
    [
        ([1, 2, 3], 3.01, "infeasible"),
        ([1, 2, 3], 0, "infeasible"),
        (np.column_stack([np.arange(3), np.arange(3) ** 2]), [1, 0.5], "infeasible"),
        ([1, 2, 3], [1, 2], "one value for each of 1 features"),
        ([1, math.nan], 1, "support must contain neither"),
        ([1, 2], math.inf, "moments must contain neither"),
        ([], 1, "support must have shape"),
    ],
)
def test_bad_inputs(support, moments, words):
    with pytest.raises(ValueError, match=words):
        info.max_entropy_distribution(support, moments)
