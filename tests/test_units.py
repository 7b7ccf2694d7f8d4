"""Units of weights and targets: no order of the samples, and no library, changes a bit of them."""

import math

import numpy as np
import pytest
from cuda_twin import Namespace
from hypothesis import given
from hypothesis import strategies as st
from treelearn._target_units import moments_in_units

from treelearn._units import (
    WeightUnits,
    _moments_of_arrays,
    _times_power,
    exact_sum,
    target_units,
    weight_units,
)

NUMBERS = st.lists(
    st.floats(-1e200, 1e200) | st.floats(-10, 10) | st.integers(-3, 3).map(float),
    min_size=1,
    max_size=60,
)
# Of which squares do not overflow: those of others are refused (check_target_range).
TARGETS = NUMBERS.map(lambda values: [value * 1e-60 for value in values])
WEIGHTS = st.lists(st.floats(1e-250, 1e250) | st.integers(1, 5).map(float), min_size=1, max_size=60)


@given(value=st.floats(allow_nan=False, allow_infinity=False), exponent=st.integers(-2200, 2200))
def test_powers_of_two_are_multiplied_as_ldexp_does(value, exponent):
    with np.errstate(over="ignore"):
        found = _times_power(np.array([value]), exponent, np)
        assert found.tobytes() == np.ldexp(np.array([value]), exponent).tobytes()


@given(values=NUMBERS, seed=st.integers(0, 99))
def test_sums_are_exact_and_of_any_order(values, seed):
    values = np.array(values)
    found = exact_sum(values)
    largest = np.abs(values).max()
    assert abs(found - math.fsum(values)) <= len(values) * largest * 2.0**-60 + 1e-320
    assert exact_sum(np.random.default_rng(seed).permutation(values)) == found
    assert exact_sum(Namespace().asarray(values), Namespace()) == found


@given(weights=WEIGHTS, seed=st.integers(0, 99))
def test_weights(weights, seed):
    weights = np.array(weights)
    found = weight_units(weights)
    order = np.random.default_rng(seed).permutation(len(weights))
    on_device = weight_units(Namespace().asarray(weights), Namespace())
    for other, places in ((weight_units(weights[order]), order), (on_device, slice(None))):
        assert (other.unit, other.scale, other.total) == (found.unit, found.scale, found.total)
        if found.units is not None:
            units = other.units.get() if other is on_device else other.units
            np.testing.assert_array_equal(units, found.units[places])
    if found.units is None:
        assert (weights == weights[0]).all()
    else:
        assert (found.units >= 1).all() and found.units.sum() < 2**62
        close = found.units * found.unit * found.scale
        np.testing.assert_allclose(close, weights, atol=weights.max() * 2.0**-52)


@given(values=TARGETS, seed=st.integers(0, 99), is_weighted=st.booleans())
def test_targets(values, seed, is_weighted):
    y = np.array([values, values[::-1]])
    rng = np.random.default_rng(seed)
    weights = WeightUnits(None, 1.0, 1.0, float(len(values)))
    moved = weights
    if is_weighted:
        raw = rng.integers(1, 9, len(values)) / 3
        weights = weight_units(raw)
        moved = weight_units(Namespace().asarray(raw), Namespace())
    found = target_units(y, weights, True, 0.1)
    assert found.sums.flags.c_contiguous and found.squares.flags.c_contiguous
    assert (np.abs(found.sums).sum() < 2**62) and (found.squares.sum() < 2**62)
    for name in ("centres", "ridges"):
        # The two outputs are the same numbers in another order, but not with the same weights.
        if not is_weighted:
            assert getattr(found, name)[0] == getattr(found, name)[1]
    if len(set(values)) == 1:
        assert (found.centres == values[0]).all() and not found.sums.any()
        assert not found.ridges.any()
    other = target_units(Namespace().asarray(y), moved, True, 0.1, Namespace())
    assert (other.sum_unit, other.square_ratio) == (found.sum_unit, found.square_ratio)
    for name in ("sums", "squares", "centres", "ridges"):
        array = getattr(other, name)
        array = array.get() if hasattr(array, "get") else array
        np.testing.assert_array_equal(array, getattr(found, name))


@st.composite
def tables(draw):
    """Draw targets of several outputs, each constant, whole, or of any size."""
    n_samples = draw(st.integers(1, 40))
    kinds = st.sampled_from(
        [
            st.just(draw(st.floats(-1e300, 1e300))),
            st.integers(-5, 5).map(float),
            st.floats(-10, 10),
            st.floats(-1e290, 1e290),
            st.floats(-1e-290, 1e-290),
            st.floats(-1e-308, 1e-308),
        ]
    )
    rows = [
        draw(st.lists(draw(kinds), min_size=n_samples, max_size=n_samples))
        for _ in range(draw(st.integers(1, 3)))
    ]
    return np.array(rows)


@given(
    y=tables(),
    seed=st.integers(0, 99),
    weighting=st.sampled_from(["unit", "equal", "whole", "any"]),
    is_centred=st.booleans(),
    ridge_share=st.sampled_from([0.0, 1e-3]),
)
def test_passes_give_the_bits_of_arrays(y, seed, weighting, is_centred, ridge_share):
    rng = np.random.default_rng(seed)
    n_samples = y.shape[1]
    if weighting in ("unit", "equal"):
        weight = 1.0 if weighting == "unit" else rng.random() + 0.1
        total = weight * n_samples
    else:
        whole = rng.integers(1, 9, n_samples).astype(np.float64)
        weight = whole if weighting == "whole" else whole * 2.0 ** rng.normal(0, 9, n_samples)
        total = exact_sum(weight)
    found = moments_in_units(y, weight, total, is_centred, ridge_share)
    expected = _moments_of_arrays(y, weight, total, is_centred, ridge_share, np)
    if found is None:
        assert np.abs(y).max() > 1e306 or (np.abs(y) < 1e-140).any()
        return
    for one, other in zip(found, expected, strict=True):
        assert np.asarray(one).dtype == np.asarray(other).dtype
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()


@pytest.mark.parametrize("n_samples", [1, 7, 2000])
def test_ordinary_targets_need_no_arrays(n_samples):
    y = np.random.default_rng(n_samples).normal(1e3, 1.0, (2, n_samples))
    found = moments_in_units(y, 1.0, float(n_samples), True, 1e-3)
    expected = _moments_of_arrays(y, 1.0, float(n_samples), True, 1e-3, np)
    for one, other in zip(found, expected, strict=True):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()


@pytest.mark.parametrize("weight", [1.0, 0.3, 1e-300, 1e300])
def test_equal_weights_are_one_unit(weight):
    assert weight_units(np.full(5, weight)).units is None
