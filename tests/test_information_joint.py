"""Measures of two variables against exact sums, their rules and their counter-examples."""

import math

import information_exact as exact
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from information_exact import COUNT, DTYPES, array, assert_near, numbers

from treelearn import information as info

KINDS = ("arimoto", "hayashi", "mean", "jizba_arimitsu")

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 4))
SMALL_COUNT = st.one_of(st.integers(0, 12), st.integers(0, 3000))


def tables(count):
    """Return a strategy of tables of counts that are not all 0."""
    return SHAPES.flatmap(
        lambda shape: st.lists(
            st.lists(count, min_size=shape[1], max_size=shape[1]),
            min_size=shape[0],
            max_size=shape[0],
        )
    ).filter(lambda table: np.any(table))


@pytest.fixture(autouse=True)
def digits():
    """Give every test the same precision of the exact values."""
    exact.mpmath.mp.dps = 60


def exact_rows(table):
    """Return the exact chances of the rows and the distribution in every row that has one."""
    rows = [row for row in table if any(row)]
    w = exact.normalize(numbers([sum(row) for row in rows]))
    return w, [exact.normalize(numbers(row)) for row in rows]


def exact_columns(table):
    """Return the exact distribution of Y."""
    return exact.normalize(numbers(np.sum(table, axis=0)))


def exact_mutual_information(table):
    """Return the exact mutual information."""
    w, rows = exact_rows(table)
    return sum(x * exact.kl(row, exact_columns(table)) for x, row in zip(w, rows, strict=True))


def exact_conditional_renyi(table, order, kind):
    """Return an exact conditional Renyi entropy."""
    w, rows = exact_rows(table)
    entropies = [exact.renyi(row, order) for row in rows]
    pairs = list(zip(w, entropies, strict=True))
    if kind == "mean" or order == 1:
        return sum(x * h for x, h in pairs)
    if order == math.inf:
        if kind == "arimoto":
            return -exact.mpmath.log(sum(x * exact.mpmath.exp(-h) for x, h in pairs))
        if kind == "hayashi":
            return min(entropies)
        return exact.mpmath.log(max(w)) - max(exact.mpmath.log(x) - h for x, h in pairs)
    order = exact.mpmath.mpf(order)
    if kind == "arimoto":
        if order == 0:
            return max(entropies)
        factor = (1 - order) / order
    else:
        factor = 1 - order
    if kind == "jizba_arimitsu":
        w = exact.normalize(tuple(x**order for x in w))
    sums = sum(x * exact.mpmath.exp(factor * h) for x, h in zip(w, entropies, strict=True))
    return exact.mpmath.log(sums) / factor


@given(table=tables(COUNT))
def test_shannon(xp, table):
    w, rows = exact_rows(table)
    information = exact_mutual_information(table)
    left = sum(x * exact.shannon(row) for x, row in zip(w, rows, strict=True))
    eps = np.finfo("float64").eps
    found = array(xp, table)
    # Half a rounding of a count moves a small information by the root of it.
    slack = float(4 * eps / exact.mpmath.sqrt(information)) if information > 1e-50 else 0.0
    if information > 1e-50:
        assert_near(info.mutual_information(found, normalize=True), information, "float64", slack)
        assert_near(info.information_gain(found), information, "float64", slack)
        split = exact.shannon(w)
        assert_near(info.gain_ratio(found), information / split, "float64", slack)
    else:
        assert abs(float(info.mutual_information(found, normalize=True))) < 1e-30
    assert_near(info.conditional_entropy(found, normalize=True), left, "float64")


@given(table=tables(SMALL_COUNT))
def test_gini_gain(xp, table):
    w, rows = exact_rows(table)
    parent = exact.tsallis(exact_columns(table), 2)
    gain = parent - sum(x * exact.tsallis(row, 2) for x, row in zip(w, rows, strict=True))
    found = array(xp, table)
    if gain > 1e-50:
        assert_near(info.gini_gain(found), gain, "float64")
    else:
        assert float(info.gini_gain(found)) == 0
    assert float(info.tsallis_gain(found, 2)) == pytest.approx(float(gain), abs=1e-15)


@given(
    table=tables(SMALL_COUNT),
    order=st.one_of(
        st.sampled_from([0.0, 0.1, 0.5, 1 - 1e-9, 1.0, 1 + 1e-9, 1.5, 2.0, 10.0, 300.0, math.inf]),
        st.floats(0.05, 20),
    ),
    kind=st.sampled_from(KINDS),
)
def test_conditional_renyi(xp, table, order, kind):
    value = exact_conditional_renyi(table, order, kind)
    parent = exact.renyi(exact_columns(table), order)
    slack = 1e-14 if kind == "jizba_arimitsu" else 0.0
    for dtype in DTYPES:
        found = array(xp, table, dtype)
        conditional = info.conditional_renyi_entropy(found, order, kind, normalize=True)
        assert conditional.dtype == getattr(xp, dtype)
        # A power of the chance of a row carries the rounding of its logarithm.
        scale = 1e-5 if dtype == "float32" else slack
        if value > 1e-50:
            assert_near(conditional, value, dtype, scale if kind == "jizba_arimitsu" else 0.0)
        else:
            assert 0 <= float(conditional) < 1e-30
    gain = float(info.renyi_gain(array(xp, table), order, kind))
    assert gain == pytest.approx(float(parent - value), abs=1e-13)
    if kind in ("arimoto", "hayashi"):
        assert gain >= 0


@given(table=tables(SMALL_COUNT))
def test_rules(table):
    table = np.array(table)
    x, y = table.sum(axis=1), table.sum(axis=0)
    joint = info.mutual_information(table, normalize=True)
    assert joint == pytest.approx(info.mutual_information(table.T, normalize=True), rel=1e-9)
    left = info.conditional_entropy(table, normalize=True)
    entropy = info.entropy(y, normalize=True)
    assert joint + left == pytest.approx(entropy, rel=1e-12, abs=1e-14)
    both = info.entropy(table.ravel(), normalize=True)
    assert both == pytest.approx(info.entropy(x, normalize=True) + left, rel=1e-12, abs=1e-14)
    for average in ("arithmetic", "geometric", "min", "max", "joint"):
        share = info.normalized_mutual_information(table, average, normalize=True)
        assert 0 <= share <= 1


def test_independence_is_exactly_zero(xp):
    table = array(xp, np.outer([3, 7, 11, 0], [2, 5, 1]))
    assert float(info.mutual_information(table, normalize=True)) == 0
    assert float(info.gini_gain(table)) == 0
    # One count in ten million off: the difference of entropies has five digits of this.
    n = 10_000_000
    near = [[n + 1, n], [n, n]]
    found = info.mutual_information(array(xp, near), normalize=True)
    assert_near(found, exact_mutual_information(near), "float64", 1e-12)


def test_counter_examples_of_the_mean_rule():
    for order, left, right, mean, arimoto in (
        (3, [1, 0], [3, 1], -0.003708195570455, 0.005906397222932),
        (10, [1, 0], [1, 1], -0.01168978758345, 0.03906688501108),
        (math.inf, [1, 0], [1, 1], -0.05663301226513, 0),
        (2, [12 - 5, 0, 0], [5, 1, 1], -0.003483678530968, 0.0186344319117),
    ):
        assert info.renyi_gain([left, right], order, "mean") == pytest.approx(mean, abs=1e-13)
        assert info.renyi_gain([left, right], order) == pytest.approx(arimoto, abs=1e-13)


def test_tables_of_labels(xp):
    x, y = ["b", "a", "b", "b"], [2, 1, 1, 2]
    table = info.joint_counts(x, y)
    np.testing.assert_array_equal(table, [[1, 0], [1, 2]])
    codes = xp.asarray([1, 0, 1, 1])
    found = info.joint_counts(codes, xp.asarray(y))
    assert isinstance(found, type(codes))
    assert float(found[1, 1]) == 2
    with pytest.raises(ValueError, match="equally long"):
        info.joint_counts([0, 1], [0])
    with pytest.raises(ValueError, match="not empty"):
        info.joint_counts([], [])


def test_normalized_information():
    for table, average, share in (
        ([[2, 0], [0, 2]], "arithmetic", 1),
        ([[4]], "arithmetic", 1),
        ([[2, 2]], "arithmetic", 0),
        ([[2, 2]], "min", 0),
        ([[2, 2]], "geometric", 0),
        ([[1, 1, 0, 0], [0, 0, 1, 1]], "min", 1),
        ([[1, 1, 0, 0], [0, 0, 1, 1]], "max", 0.5),
        ([[1, 1, 0, 0], [0, 0, 1, 1]], "joint", 0.5),
        ([[1, 1, 0, 0], [0, 0, 1, 1]], "geometric", math.sqrt(0.5)),
    ):
        found = info.normalized_mutual_information(table, average, normalize=True)
        assert float(found) == pytest.approx(share, rel=1e-15)


def test_batches(xp, rng):
    tables = rng.integers(0, 9, (2, 3, 4, 5)) + 1
    for measure in (
        info.information_gain,
        info.gain_ratio,
        info.gini_gain,
        lambda t: info.tsallis_gain(t, 3),
        lambda t: info.renyi_gain(t, 3),
        lambda t: info.mutual_information(t / 1.0, normalize=True),
        lambda t: info.conditional_renyi_entropy(t, 2, normalize=True),
        lambda t: info.normalized_mutual_information(t, normalize=True),
        lambda t: info.bottleneck_lagrangian(t, 3),
    ):
        found = measure(array(xp, tables))
        assert found.shape == (2, 3)
        assert float(found[1, 2]) == pytest.approx(float(measure(tables[1, 2])), rel=1e-12)


def test_huge_weights(xp):
    table = array(xp, [[1e300, 1e299], [1e299, 1e300]])
    small = array(xp, [[10.0, 1.0], [1.0, 10.0]])
    assert float(info.information_gain(table)) == pytest.approx(
        float(info.information_gain(small)), rel=1e-13
    )


def test_bad_inputs():
    with pytest.raises(ValueError, match="joint must sum to one"):
        info.mutual_information([[1, 1], [1, 1]])
    with pytest.raises(ValueError, match="two axes"):
        info.information_gain([1, 2])
    with pytest.raises(ValueError, match="children must not be negative"):
        info.gain_ratio([[1, -1]])
    with pytest.raises(ValueError, match="sums to zero"):
        info.gini_gain([[0, 0]])
    with pytest.raises(ValueError, match="kind must be one of"):
        info.conditional_renyi_entropy([[1]], 2, "cachin")
    with pytest.raises(ValueError, match="average must be one of"):
        info.normalized_mutual_information([[1]], "mean")
    with pytest.raises(ValueError, match="order must be"):
        info.tsallis_gain([[1]], -2)
