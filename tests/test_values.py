"""Regression over codes of values grows the tree that presorted lists grow, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_codes import ARRAYS, KINDS, columns, rules, sizes_grown_by

import treelearn._value_fitting as value_fitting
from treelearn import DecisionTreeRegressor


def grow(form, X, y, monkeypatch, simd=None, fewest_listed=None, **params):
    """Fit with one form of the training samples, at one level of instruction sets."""
    weights = params.pop("sample_weight", None)
    with monkeypatch.context() as patch:
        patch.setenv("TREELEARN_FORM", form)
        if simd is not None:
            patch.setenv("TREELEARN_SIMD", simd)
        if fewest_listed is not None:
            patch.setattr(value_fitting, "_FEWEST_LISTED", fewest_listed)
            patch.setattr(value_fitting, "_LISTED_PER_CODE", 0.0)
        return DecisionTreeRegressor(random_state=0, **params).fit(X, y, sample_weight=weights)


def assert_same(a, b):
    """Compare two fitted trees to the bit."""
    for name in (*ARRAYS, "value"):
        np.testing.assert_array_equal(getattr(a._tree, name), getattr(b._tree, name), name)


@pytest.fixture(scope="module")
def values_are_used():
    """Return a list to which every growth over codes of values is appended."""
    with sizes_grown_by("grow_over_values") as sizes:
        yield sizes


def targets(rng, X, n_values):
    """Make targets that depend on the columns, of some values or all different."""
    places = np.argsort(np.argsort(X, axis=0), axis=0) @ rng.normal(size=X.shape[1])
    y = places + rng.normal(size=len(X)) * places.std()
    return y if n_values is None else np.floor(n_values * np.argsort(np.argsort(y)) / len(y))


@settings(deadline=None, max_examples=120)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([1, 2, 3, 15, 16, 17, 60, 63, 64, 65, 66, 130, 300, 1023, 1025, 2100]),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=20),
    n_values=st.sampled_from([None, None, 2, 9]),
    fewest_listed=st.sampled_from([1, 2, 63, 64, 65, 200, 1024]),
    weights=st.sampled_from([None, "zeros", "half"]),
    dtype=st.sampled_from([np.float32, np.float64]),
    order=st.sampled_from("CF"),
    n_jobs=st.sampled_from([1, 2, 3]),
    simd=st.sampled_from(["scalar", "avx2", "avx512"]),
    params=rules(),
)
def test_values_grow_the_tree_of_lists(
    seed,
    size,
    kinds,
    n_values,
    fewest_listed,
    weights,
    dtype,
    order,
    n_jobs,
    simd,
    params,
    values_are_used,
):
    rng = np.random.default_rng(seed)
    X = np.array(columns(rng, size, kinds), dtype=dtype, order=order)
    y = targets(rng, X, n_values)
    if weights == "zeros":
        params["sample_weight"] = np.where(np.arange(size) == 0, 1, rng.integers(0, 2, size))
    elif weights == "half":
        params["sample_weight"] = np.full(size, 0.5)
    monkeypatch = pytest.MonkeyPatch()
    expected = grow("lists", X, y, monkeypatch, **params)
    n_grown = len(values_are_used)
    found = grow(
        "codes", X, y, monkeypatch, simd=simd, fewest_listed=fewest_listed, n_jobs=n_jobs, **params
    )
    assert len(values_are_used) == n_grown + 1
    assert_same(expected, found)


def test_columns_of_many_codes(monkeypatch, values_are_used):
    # Two passes of counting, several blocks of features, records of two lines.
    rng = np.random.default_rng(5)
    X = np.floor(rng.random((3000, 37)) * rng.choice([3, 900, 1024, 1025, 5000, 60000], 37))
    y = targets(rng, X, None)
    expected = grow("lists", X, y, monkeypatch)
    for fewest_listed in (64, 1024):
        assert_same(expected, grow("codes", X, y, monkeypatch, fewest_listed=fewest_listed))
    assert len(values_are_used) >= 2


def test_large_tables_and_threads(monkeypatch):
    # Large nodes are counted and partitioned by several threads.
    rng = np.random.default_rng(6)
    X = rng.integers(0, 40, (140_000, 3)).astype(np.float32)
    y = targets(rng, X, None)
    expected = grow("lists", X, y, monkeypatch, n_jobs=1, max_depth=9)
    for n_jobs in (1, 2, 4):
        assert_same(expected, grow("codes", X, y, monkeypatch, n_jobs=n_jobs, max_depth=9))


@pytest.mark.parametrize(
    ("params", "column"),
    [
        ({"criterion": "poisson"}, None),
        ({"max_leaf_nodes": 9}, None),
        ({"max_features": 1}, None),
        ({"splitter": "random"}, None),
        ({"monotonic_cst": [1, 0]}, None),
        ({"sample_weight": np.arange(2000)}, None),
        ({}, "missing"),
        ({}, "reals"),
    ],
)
def test_what_this_form_does_not_know_is_left_to_lists(
    params, column, monkeypatch, values_are_used
):
    rng = np.random.default_rng(7)
    X = rng.integers(0, 9, (2000, 2)).astype(np.float64)
    if column == "missing":
        X[1000, 1] = np.nan
    if column == "reals":
        # More values than are ranked, which no sampled row tells.
        X = np.repeat(X, 20, axis=0)
        X[:, 1] += 0.5 * (X[:, 1] > 0)
        X[np.arange(len(X)) % (len(X) // 512) != 0, 1] = rng.random(len(X) - 513)
    y = targets(rng, X, 50)
    n_grown = len(values_are_used)
    found = grow("codes", X, y, monkeypatch, **params)
    assert len(values_are_used) == n_grown
    assert_same(grow("lists", X, y, monkeypatch, **params), found)


@pytest.mark.parametrize(
    ("shape", "n_values", "pays"),
    [
        ((20_000, 10), 30, True),
        ((20_000, 10), 300, True),
        ((20_000, 10), 2000, False),
        ((900, 30), 5, False),
        ((20_000, 10), None, False),
    ],
)
def test_few_values_beside_the_samples_pay(shape, n_values, pays, monkeypatch, values_are_used):
    rng = np.random.default_rng(8)
    X = rng.normal(size=shape) if n_values is None else rng.integers(0, n_values, shape) / 8.0
    monkeypatch.delenv("TREELEARN_FORM", raising=False)
    n_grown = len(values_are_used)
    DecisionTreeRegressor(max_depth=3).fit(X, X[:, 0])
    assert (len(values_are_used) > n_grown) == pays


def test_records_of_deep_trees_are_kept_apart(monkeypatch):
    # Blocks of records go from one tree to the next; what is written there before must not matter.
    rng = np.random.default_rng(9)
    X = rng.integers(0, 60, (6000, 6)).astype(np.float64)
    y = targets(rng, X, None)
    first = grow("codes", X, y, monkeypatch)
    for form in ("lists", "codes"):
        DecisionTreeRegressor(random_state=1).fit(X[::-1], y)
        assert_same(first, grow(form, X, y, monkeypatch))
