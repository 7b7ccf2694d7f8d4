"""Divergences against arithmetic of many digits, their rules and their decomposition."""

import math

import information_exact as exact
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from information_exact import DTYPES, LOGIT, ORDERS, array, assert_near, dyadic, numbers

from treelearn import information as info

PAIRS = st.integers(1, 8).flatmap(lambda n: st.tuples(dyadic(n), dyadic(n)))


@st.composite
def near_pairs(draw):
    """Return two distributions that nearly agree and both sum to 1 exactly."""
    cuts = draw(st.sets(st.integers(1, 2**24 - 1), min_size=1, max_size=7))
    p = np.sort(np.diff([0, *sorted(cuts), 2**24]))
    q = p.copy()
    step = draw(st.integers(1, 5000)) % p[-1]
    q[[0, -1]] += [step, -step]
    return list(p / 2**24), list(q / 2**24)


LOGIT_PAIRS = (
    st.integers(1, 8)
    .flatmap(lambda n: st.tuples(*(st.lists(LOGIT, min_size=n, max_size=n) for _ in range(2))))
    .filter(lambda pair: all(max(z) > -math.inf for z in pair))
)


@pytest.fixture(autouse=True)
def digits():
    """Give every test the same precision of the exact values."""
    exact.mpmath.mp.dps = 60


@given(pair=st.one_of(PAIRS, near_pairs()))
def test_kl_cross_entropy_and_js(xp, pair):
    p, q = (numbers(values) for values in pair)
    value = exact.kl(p, q)
    middle = tuple((x + y) / 2 for x, y in zip(p, q, strict=True))
    js = (exact.kl(p, middle) + exact.kl(q, middle)) / 2
    cross = value + exact.shannon(p)
    for dtype in DTYPES:
        arrays = [array(xp, values, dtype) for values in pair]
        assert_near(info.kl_divergence(*arrays), value, dtype)
        assert_near(info.js_divergence(*arrays), js, dtype)
        assert_near(info.cross_entropy(*arrays), cross, dtype)
        assert info.kl_divergence(*arrays).dtype == getattr(xp, dtype)


@given(pair=st.one_of(PAIRS, near_pairs()), order=ORDERS)
def test_families(xp, pair, order):
    p, q = (numbers(values) for values in pair)
    value = exact.renyi_divergence(p, q, order) if p != q else exact.mpmath.mpf(0)
    for dtype in DTYPES:
        arrays = [array(xp, values, dtype) for values in pair]
        # Below order 1 two parts of opposite signs make the divergence, of thrice its size.
        eps = float(np.finfo(dtype).eps)
        slack = 4 * eps if order < 1 else 0.0
        assert_near(info.renyi_divergence(*arrays, order), value, dtype, slack)
        if order == math.inf or value > 80 / abs(order - 1 or 1):
            continue
        power = exact.mpmath.mpf(order) - 1
        tsallis = exact.mpmath.expm1(power * value) / power if power else value
        # The rounding of an exponent is as large an error of its exponential.
        slack += 4 * eps * float(abs(power * value))
        assert_near(info.tsallis_divergence(*arrays, order), tsallis, dtype, slack)


@given(pair=LOGIT_PAIRS, order=ORDERS)
def test_from_logits(xp, pair, order):
    p, q = (exact.softmax(numbers(values)) for values in pair)
    exact.mpmath.mp.dps = 400
    finite = [abs(z) for values in pair for z in values if z > -math.inf]
    for dtype in DTYPES:
        arrays = [array(xp, values, dtype) for values in pair]
        # A difference of two log-probabilities is as accurate as the larger of them.
        absolute = 8 * float(np.finfo(dtype).eps) * (1 + 2 * max(finite))
        for found, value in (
            (info.kl_divergence_from_logits(*arrays), exact.kl(p, q)),
            (info.cross_entropy_from_logits(*arrays), exact.kl(p, q) + exact.shannon(p)),
            (
                info.renyi_divergence_from_logits(*arrays, order),
                exact.renyi_divergence(p, q, order),
            ),
        ):
            if value == math.inf:
                assert float(found) == math.inf
            else:
                assert float(found) == pytest.approx(float(value), rel=absolute, abs=absolute)


@given(pair=PAIRS)
def test_decomposition(pair):
    p, q = pair
    cross = float(info.cross_entropy(p, q))
    assert cross == pytest.approx(float(info.entropy(p) + info.kl_divergence(p, q)), rel=1e-14)
    assert float(info.js_divergence(p, q)) == float(info.js_divergence(q, p))
    assert 0 <= float(info.js_divergence(p, q, base=2)) <= 1 + 1e-15
    orders = [0, 0.3, 0.5, 0.9, 1, 1.1, 2, 10, math.inf]
    grown = [float(info.renyi_divergence(p, q, order)) for order in orders]
    assert all(a <= b * (1 + 1e-14) + 1e-15 for a, b in zip(grown, grown[1:], strict=False))


@given(p=dyadic(), order=ORDERS)
def test_nothing_is_far_from_itself(p, order):
    with np.errstate(divide="ignore"):
        logits = np.log(p)
    assert float(info.kl_divergence(p, p)) == 0
    assert float(info.js_divergence(p, p)) == 0
    assert float(info.renyi_divergence(p, p, order)) == 0
    assert float(info.kl_divergence_from_logits(logits, logits + 1)) == pytest.approx(0, abs=1e-28)
    assert float(info.js_divergence_from_logits(logits, logits)) == 0


def test_support_rules(xp):
    p, q = array(xp, [0.5, 0.5, 0.0]), array(xp, [1.0, 0.0, 0.0])
    disjoint = array(xp, [0.0, 0.0, 1.0])
    for first, second, inside, outside in ((p, q, math.log(2), math.inf), (q, p, None, None)):
        for order in (0.25, 0.5):
            assert math.isfinite(float(info.renyi_divergence(first, second, order)))
        for order in (1, 2, math.inf):
            found = float(info.renyi_divergence(first, second, order))
            assert found == pytest.approx(outside or math.log(2))
        if inside:
            assert float(info.kl_divergence(first, second)) == math.inf
            assert float(info.cross_entropy(first, second)) == math.inf
            assert float(info.tsallis_divergence(first, second, 2)) == math.inf
    for order in (0, 0.5, 1, 3, math.inf):
        assert float(info.renyi_divergence(p, disjoint, order)) == math.inf
    assert float(info.tsallis_divergence(p, disjoint, 0.5)) == pytest.approx(2)
    assert float(info.js_divergence(p, disjoint, base=2)) == pytest.approx(1, rel=1e-15)
    logits = array(xp, [0.0, -math.inf]), array(xp, [-math.inf, 0.0])
    assert float(info.kl_divergence_from_logits(*logits)) == math.inf
    assert float(info.renyi_divergence_from_logits(*logits, 0.5)) == math.inf
    assert float(info.tsallis_divergence_from_logits(*logits, 0.5)) == pytest.approx(2)


def test_pearson_and_bhattacharyya():
    p, q = np.array([0.6, 0.4]), np.array([0.3, 0.7])
    assert info.tsallis_divergence(p, q, 2) == pytest.approx(((p - q) ** 2 / q).sum(), rel=1e-14)
    half = -2 * math.log(np.sqrt(p * q).sum())
    assert info.renyi_divergence(p, q, 0.5) == pytest.approx(half, rel=1e-14)
    logits = np.log(p), np.log(q)
    assert info.tsallis_divergence_from_logits(*logits, 2) == pytest.approx(3 / 7, rel=1e-13)
    assert info.js_divergence_from_logits(*logits) == pytest.approx(
        float(info.js_divergence(p, q)), rel=1e-13
    )


@given(
    means=st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
    sigmas=st.tuples(st.floats(0.1, 9), st.floats(0.1, 9)),
)
def test_kl_of_normal_distributions(means, sigmas):
    (m, n), (s, t) = (numbers(values) for values in (means, sigmas))
    value = exact.mpmath.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - 0.5
    found = info.kl_divergence_gaussian(means[0], sigmas[0] ** 2, means[1], sigmas[1] ** 2)
    assert float(found) == pytest.approx(float(value), rel=1e-12, abs=1e-15)


def test_orders_next_to_0(xp):
    p, q = [0.75, 0.25], [0.5, 0.5]
    exact_p, exact_q = numbers(p), numbers(q)
    exact.mpmath.mp.dps = 400
    for order in (1e-3, 1e-12, 1e-150):
        value = exact.renyi_divergence(exact_p, exact_q, order)
        found = info.renyi_divergence(array(xp, p), array(xp, q), order)
        assert_near(found, value, "float64")
        found = info.tsallis_divergence(array(xp, p), array(xp, q), order)
        assert_near(found, -exact.mpmath.expm1((order - 1) * value) / (1 - order), "float64")


def test_weights_whose_shares_underflow(xp):
    p, q = array(xp, [1.0, 1.0]), array(xp, [1e-300, 1e300])
    exact.mpmath.mp.dps = 1300
    one, other = (exact.normalize(numbers(values)) for values in ([1, 1], [1e-300, 1e300]))
    for order in (0.25, 0.5, 1, 2, 7, math.inf):
        for pair, values in (((p, q), (one, other)), ((q, p), (other, one))):
            found = info.renyi_divergence(*pair, order, normalize=True)
            assert_near(found, exact.renyi_divergence(*values, order), "float64", 1e-15)
    assert_near(
        info.cross_entropy(p, q, normalize=True),
        exact.kl(one, other) + exact.shannon(one),
        "float64",
    )
    assert_near(info.kl_divergence(q, q, normalize=True), exact.mpmath.mpf(0), "float64")


def test_many_rows_have_the_bits_of_few(rng):
    p, q = rng.dirichlet(np.ones(10), (2, 8000))
    for measure in (
        info.cross_entropy,
        info.kl_divergence,
        info.js_divergence,
        lambda *pair: info.renyi_divergence(*pair, 0.7),
        lambda *pair: info.tsallis_divergence(*pair, 1.5),
    ):
        few = [measure(p[rows], q[rows]) for rows in np.array_split(np.arange(8000), 7)]
        assert measure(p, q).tolist() == np.concatenate(few).tolist()
    q[-1] = 0.25
    with pytest.raises(ValueError, match="q must sum to one along axis -1, but a row sums to 2.5"):
        info.kl_divergence(p, q)


def test_axes_broadcasting_and_weights(xp, rng):
    p, q = rng.dirichlet(np.ones(3), (4, 2)), rng.dirichlet(np.ones(3), 2)
    found = info.kl_divergence(array(xp, p), array(xp, q))
    assert found.shape == (4, 2)
    assert float(found[3, 1]) == pytest.approx(float(info.kl_divergence(p[3, 1], q[1])), rel=1e-13)
    moved = info.kl_divergence(array(xp, np.moveaxis(p, -1, -2)), array(xp, q.T), axis=-2)
    assert float(moved[3, 1]) == pytest.approx(float(found[3, 1]), rel=1e-13)
    counts = info.js_divergence(array(xp, [3, 1]), array(xp, [1.0, 1.0]), normalize=True)
    assert float(counts) == pytest.approx(float(info.js_divergence([0.75, 0.25], [0.5, 0.5])))


def test_bad_inputs():
    with pytest.raises(ValueError, match="q must sum to one"):
        info.kl_divergence([0.5, 0.5], [0.5, 0.6])
    with pytest.raises(ValueError, match="p has 2 outcomes and q has 3"):
        info.cross_entropy([0.5, 0.5], [0.5, 0.5, 0.0])
    with pytest.raises(ValueError, match="axis must count from the end"):
        info.js_divergence([[0.5, 0.5]], [0.5, 0.5], axis=0)
    with pytest.raises(ValueError, match="must be finite"):
        info.tsallis_divergence([1.0], [1.0], math.inf)
    with pytest.raises(ValueError, match="order must be"):
        info.renyi_divergence([1.0], [1.0], -1)
    with pytest.raises(ValueError, match="q_variance must be positive"):
        info.kl_divergence_gaussian(0, 1, 0, 0)
    with pytest.raises(ValueError, match="p_mean must contain neither"):
        info.kl_divergence_gaussian(math.nan, 1, 0, 1)
    with pytest.raises(ValueError, match="q_logits must contain neither"):
        info.kl_divergence_from_logits([0.0], [math.nan])
