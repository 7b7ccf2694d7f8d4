"""Entropies against arithmetic of many digits, on every array library."""

import math

import information_exact as exact
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from information_exact import (
    COUNTS,
    DTYPES,
    LOGITS,
    ORDERS,
    TINY,
    array,
    assert_near,
    dyadic,
    numbers,
)

from treelearn import information as info

# Below, floats have fewer digits.
SMALL = {dtype: float(np.finfo(dtype).tiny / np.finfo(dtype).eps) for dtype in DTYPES}


@pytest.fixture(autouse=True)
def digits():
    """Give every test the same precision of the exact values."""
    exact.mpmath.mp.dps = 60


@given(p=dyadic())
def test_entropy_of_probabilities(xp, p):
    for dtype in DTYPES:
        found = info.entropy(array(xp, p, dtype))
        assert found.dtype == getattr(xp, dtype)
        assert_near(found, exact.shannon(numbers(p)), dtype)


@given(p=TINY)
def test_next_to_a_sure_outcome(xp, p):
    exact.mpmath.mp.dps = 700
    found = array(xp, p, "float64")
    value = exact.shannon(numbers(p))
    assert_near(info.entropy(found), value, "float64")
    _, small = numbers(p)
    assert_near(info.binary_entropy(found[1]), exact.shannon((1 - small, small)), "float64")


@given(counts=COUNTS)
def test_entropies_of_counts(xp, counts):
    p = exact.normalize(numbers(counts))
    for dtype in DTYPES:
        found = array(xp, counts, dtype)
        assert_near(info.entropy(found, normalize=True), exact.shannon(p), dtype)
        bits = exact.shannon(p) / exact.mpmath.log(2)
        assert_near(info.entropy(found, base=2, normalize=True), bits, dtype)
        n_outcomes = len(p)
        if n_outcomes > 1:
            share = exact.shannon(p) / exact.mpmath.log(n_outcomes)
            assert_near(info.efficiency(found, normalize=True), share, dtype)


@given(counts=COUNTS, order=ORDERS)
def test_families_of_counts(xp, counts, order):
    p = exact.normalize(numbers(counts))
    for dtype in DTYPES:
        found = array(xp, counts, dtype)
        assert_near(info.renyi_entropy(found, order, normalize=True), exact.renyi(p, order), dtype)
        found = info.tsallis_entropy(found, order, normalize=True)
        assert_near(found, exact.tsallis(p, order), dtype)


@given(p=dyadic(), order=ORDERS)
def test_families_of_probabilities(xp, p, order):
    for dtype in DTYPES:
        found = array(xp, p, dtype)
        assert_near(info.renyi_entropy(found, order), exact.renyi(numbers(p), order), dtype)
        assert_near(info.tsallis_entropy(found, order), exact.tsallis(numbers(p), order), dtype)


@given(counts=COUNTS, order=st.floats(0.05, 1e3))
def test_r_norm_entropy(xp, counts, order):
    p = exact.normalize(numbers(counts))
    if order == 1:
        value = exact.shannon(p)
    else:
        norm = exact.power_sum(p, order) ** (1 / exact.mpmath.mpf(order))
        value = order / (exact.mpmath.mpf(order) - 1) * (1 - norm)
    if value > 1e30:
        return
    for dtype in DTYPES:
        found = info.r_norm_entropy(array(xp, counts, dtype), order, normalize=True)
        # The norm is an exponential of up to log(value): its rounding is that of the exponent.
        slack = float(np.finfo(dtype).eps) * max(0, float(exact.mpmath.log(value)) if value else 0)
        assert_near(found, value, dtype, 2 * slack)


@given(logits=LOGITS)
def test_entropy_from_logits(xp, logits):
    value = exact.shannon(exact.softmax(numbers(logits)))
    for dtype in DTYPES:
        found = info.entropy_from_logits(array(xp, logits, dtype))
        if value == 0 or value > SMALL[dtype]:
            assert_near(found, value, dtype)
        else:
            assert float(found) == pytest.approx(float(value), abs=SMALL[dtype])


@given(logits=LOGITS, order=ORDERS)
def test_renyi_entropy_from_logits(xp, logits, order):
    value = exact.renyi(exact.softmax(numbers(logits)), order)
    for dtype in DTYPES:
        found = info.renyi_entropy_from_logits(array(xp, logits, dtype), order)
        finite = [z for z in logits if z > -math.inf]
        # An order below 1 times a difference of logits is rounded, and then an exponent.
        slack = np.finfo(dtype).eps * min(order, 1) * (max(finite) - min(finite))
        if value == 0 or value > SMALL[dtype]:
            assert_near(found, value, dtype, slack)
        else:
            assert float(found) == pytest.approx(float(value), abs=SMALL[dtype])


@given(logit=st.one_of(st.floats(-50, 50, width=32), st.floats(-700, 700, width=32)))
def test_binary_entropy(xp, logit):
    p = exact.softmax(numbers([logit, 0.0]))
    value = exact.shannon(p)
    for dtype in DTYPES:
        found = info.binary_entropy_from_logit(array(xp, logit, dtype))
        assert found.shape == ()
        if value > SMALL[dtype]:
            assert_near(found, value, dtype)
            share = array(xp, float(p[0]), dtype)
            q = numbers(np.asarray(float(p[0]), dtype=dtype))[0]
            assert_near(info.binary_entropy(share), exact.shannon((q, 1 - q)), dtype)


@given(p=dyadic(), order=ORDERS)
def test_bounds_and_order(p, order):
    entropy = float(info.renyi_entropy(p, order))
    assert 0 <= entropy <= math.log(len(p)) * (1 + 1e-15)
    assert entropy <= float(info.renyi_entropy(p, order * 0.9)) * (1 + 4e-15)
    assert float(info.min_entropy(p)) <= entropy * (1 + 4e-15)
    assert entropy <= float(info.hartley_entropy(p)) * (1 + 4e-15)
    gini = float(info.gini_impurity(p))
    assert math.exp(-float(info.collision_entropy(p))) == pytest.approx(1 - gini, abs=1e-15)


def test_sure_outcomes_are_exactly_zero(xp):
    sure = array(xp, [[0, 1, 0], [1, 0, 0]], "float64")
    logits = array(xp, [[-math.inf, 5, -math.inf], [900, -900, -900]], "float64")
    for order in (0.5, 1, 1 + 1e-9, 2, 50, math.inf):
        for found in (
            info.renyi_entropy(sure, order),
            info.renyi_entropy(7 * sure, order, normalize=True),
            info.tsallis_entropy(sure, order),
            info.r_norm_entropy(sure, order),
        ):
            assert [math.copysign(1, float(value)) for value in found] == [1, 1]
            assert [float(value) for value in found] == [0, 0]
    for found in (
        info.entropy(sure),
        info.entropy_from_logits(logits),
        info.hartley_entropy(sure),
        info.gini_impurity(sure),
        info.misclassification(sure),
        info.binary_entropy(sure[0, :2]),
        info.binary_entropy_from_logit(array(xp, [math.inf, -math.inf], "float64")),
    ):
        assert [math.copysign(1, float(value)) for value in found] == [1, 1]
        assert [float(value) for value in found] == [0, 0]


def test_probabilities_of_1e_300(xp):
    p = array(xp, [1.0, 1e-300], "float64")
    assert float(info.entropy(p)) == pytest.approx(690.7755278982137e-300 + 0e-300, rel=2e-15)
    assert float(info.renyi_entropy(p, 0.5)) == pytest.approx(2e-150, rel=4e-15)
    assert float(info.tsallis_entropy(p, 0.5)) == pytest.approx(2e-150, rel=4e-15)
    # One minus 1e-20 is no number, but 1e20 and 1 are.
    counts = array(xp, [1e20, 1.0], "float64")
    assert float(info.entropy(counts, normalize=True)) == pytest.approx(
        1e-20 * (1 + 20 * math.log(10)), rel=4e-15
    )


def test_weights_whose_shares_underflow(xp):
    weights = [1e-300, 1e300, 0.0]
    found = array(xp, weights, "float64")
    exact.mpmath.mp.dps = 1300
    p = exact.normalize(numbers(weights[:2]))
    for order in (0.0, 1e-3, 2e-3, 0.25):
        # The exponent of the small power is rounded.
        slack = float(np.finfo("float64").eps) * order * 600 * math.log(10)
        for measure, value in (
            (info.renyi_entropy, exact.renyi(p, order)),
            (info.tsallis_entropy, exact.tsallis(p, order)),
        ):
            assert_near(measure(found, order, normalize=True), value, "float64", slack)
    many = array(xp, [5e-324, 1.7e308, 1.7e308], "float64")
    assert_near(info.hartley_entropy(many, normalize=True), exact.mpmath.log(3), "float64")


def test_tsallis_of_huge_orders(xp):
    exact.mpmath.mp.dps = 200
    for dtype, weights, order in (
        ("float64", [2.0**200, 1.0], 1e31),
        ("float64", [2.0**200, 1.0], 1e200),
        ("float64", [1.0, 1.0], 1e200),
        ("float32", [2.0**100, 1.0], 1e31),
        ("float32", [1.0, 1.0], 1e36),
    ):
        value = exact.tsallis(exact.normalize(numbers(weights)), order)
        assert_near(
            info.tsallis_entropy(array(xp, weights, dtype), order, normalize=True), value, dtype
        )


def test_long_and_extreme(xp):
    many = array(xp, np.ones(250_000), "float64")
    for order in (0, 0.25, 1, 2, 300, math.inf):
        found = float(info.renyi_entropy(many, order, normalize=True))
        assert found == pytest.approx(math.log(250_000), rel=4e-15)
    huge = array(xp, [1e308, 1e308, 5e307], "float64")
    assert float(info.entropy(huge, normalize=True)) == pytest.approx(1.0549201679861442, rel=4e-15)
    small = array(xp, [5e-324, 5e-324], "float64")
    assert float(info.entropy(small, base=2, normalize=True)) == 1
    assert float(info.tsallis_entropy(many / 250_000, 1e308)) < 1e-300
    assert float(info.renyi_entropy(many, 1e308, normalize=True)) == pytest.approx(
        math.log(250_000), rel=4e-15
    )


def test_logits_beyond_all_measure(xp):
    for dtype, size in (("float64", 1e308), ("float32", 2e38)):
        logits = array(xp, [size, -size, size, -math.inf], dtype)
        assert_near(info.entropy_from_logits(logits), exact.mpmath.log(2), dtype)
        assert_near(info.renyi_entropy_from_logits(logits, 0.5), exact.mpmath.log(2), dtype)
        assert_near(info.renyi_entropy_from_logits(logits, 3), exact.mpmath.log(2), dtype)
    with pytest.raises(ValueError, match="must sum to one"):
        info.entropy(array(xp, [1e308, 1e308], "float64"))


def test_ends_of_the_r_norm_family(xp):
    for dtype in DTYPES:
        for values, options in (([0.9375, 0.0625], {}), ([15, 1], {"normalize": True})):
            p = array(xp, values, dtype)
            assert_near(
                info.r_norm_entropy(p, math.inf, **options), exact.mpmath.mpf(1) / 16, dtype
            )
            shannon = float(info.entropy(p, **options))
            assert float(info.r_norm_entropy(p, 1, **options)) == shannon


def test_max_entropy():
    assert info.max_entropy(1) == 0
    assert info.max_entropy(10, base=10) == 1
    for wrong in (0, 2.5, -1):
        with pytest.raises(ValueError, match="n_outcomes"):
            info.max_entropy(wrong)
    assert float(info.efficiency([1.0])) == 1


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize(
    "measure",
    [info.entropy, lambda p, axis: info.renyi_entropy(p, 2, axis=axis), info.gini_impurity],
)
def test_axes_and_batches(xp, rng, measure, axis):
    p = rng.dirichlet(np.ones(4), 5)
    p = p if axis else p.T
    rows = p if axis else p.T
    found = measure(array(xp, p, "float64"), axis=axis)
    assert found.shape == (5,)
    expected = [float(measure(row, axis=-1)) for row in rows]
    assert [float(value) for value in found] == pytest.approx(expected, rel=4e-15)
    assert measure(array(xp, np.empty((0, 3)), "float64"), axis=-1).shape == (0,)


@pytest.mark.parametrize("order", [0.3, 0.5, 1, 1 + 1e-9, 2, 3])
def test_a_row_has_the_bits_that_it_has_alone(rng, order):
    p = rng.dirichlet(np.ones(10), 300)
    alone = [float(info.renyi_entropy(row, order)) for row in p]
    assert info.renyi_entropy(p, order).tolist() == alone
    alone = [float(info.renyi_entropy(row, order, normalize=True)) for row in p]
    assert info.renyi_entropy(p, order, normalize=True).tolist() == alone


@pytest.mark.parametrize(
    ("p", "options", "words"),
    [
        ([2, 2], {}, "must sum to one along axis -1, but a row sums to 4.0; pass normalize=True"),
        ([[0.5, 0.5], [0.5, 0.6]], {}, "must sum to one"),
        ([-0.1, 1.1], {}, "must not be negative"),
        ([math.nan, 1.0], {}, "must not contain NaN"),
        ([math.nan, 1.0], {"normalize": True}, "must not contain NaN"),
        ([math.inf, 1.0], {}, "must sum to one"),
        ([math.inf, 1.0], {"normalize": True}, "must be finite"),
        ([[0, 0], [1, 1]], {"normalize": True}, "sums to zero"),
        (0.5, {}, "at least one axis"),
        ([], {}, "no outcomes"),
        (["a"], {}, "real numbers"),
        ([1j], {}, "real numbers"),
        ([1.0], {"axis": 1}, "no axis 1"),
        ([1.0], {"axis": None}, "axis must be an integer; got None"),
        ([1.0], {"axis": 0.0}, "axis must be an integer"),
        ([1.0], {"base": 1}, "base must be"),
        ([1.0], {"base": -2}, "base must be"),
        ([1.0], {"base": math.nan}, "base must be"),
    ],
)
def test_bad_distributions(p, options, words):
    with pytest.raises(ValueError, match=words):
        info.entropy(p, **options)
    with pytest.raises(ValueError, match=words):
        info.renyi_entropy(p, 2, **options)


def test_bad_logits_orders_and_shares():
    for logits, words in (
        ([math.nan, 0], "neither NaN"),
        ([math.inf, 0], "plus infinity"),
        ([-math.inf, -math.inf], "minus infinity throughout"),
    ):
        with pytest.raises(ValueError, match=words):
            info.entropy_from_logits(logits)
    for order in (-1, math.nan, "2"):
        for measure in (info.renyi_entropy, info.tsallis_entropy, info.r_norm_entropy):
            with pytest.raises(ValueError, match="order must be"):
                measure([1.0], order)
    with pytest.raises(ValueError, match="above 0"):
        info.r_norm_entropy([1.0], 0)
    for share in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="p must not"):
            info.binary_entropy(share)
    with pytest.raises(ValueError, match="NaN"):
        info.binary_entropy_from_logit(math.nan)


def test_dtypes(xp):
    for dtype in ("float32", "float64"):
        for measure in (info.entropy, info.gini_impurity, info.entropy_from_logits):
            assert measure(array(xp, [0.5, 0.5], dtype)).dtype == getattr(xp, dtype)
    # Integers become float64, in which counts above 2**24 survive.
    counts = xp.asarray([2**24 + 1, 2**24 - 1, 0])
    assert info.entropy(counts, normalize=True).dtype == xp.float64
    assert info.entropy([True, False]).dtype == np.float64
