"""Integer codes grow the tree that presorted lists grow, bit for bit."""

import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from treelearn._codes import column_ranges

import treelearn._fitting as fitting
from treelearn import DecisionTreeClassifier

ARRAYS = [
    *("children_left", "children_right", "feature", "threshold", "missing_go_to_left"),
    *("impurity", "n_node_samples", "weighted_n_node_samples", "needs_float64"),
]


def grow(form, X, y, monkeypatch, simd=None, **params):
    """Fit with one form of the training samples, at one level of instruction sets."""
    weights = params.pop("sample_weight", None)
    with monkeypatch.context() as patch:
        patch.setenv("TREELEARN_FORM", form)
        if simd is not None:
            patch.setenv("TREELEARN_SIMD", simd)
        return DecisionTreeClassifier(random_state=0, **params).fit(X, y, sample_weight=weights)


def assert_same(a, b):
    """Compare two fitted trees to the bit."""
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(a._tree, name), getattr(b._tree, name), name)
    for name in ("class_starts", "classes", "class_weights"):
        np.testing.assert_array_equal(getattr(a._tree, name), getattr(b._tree, name), name)


@contextmanager
def sizes_grown_by(name):
    """Yield a list to which the number of nodes of every tree is appended that a function grows."""
    sizes, grow_so = [], getattr(fitting, name)

    def spy(*arguments):
        arrays = grow_so(*arguments)
        if arrays is not None:
            sizes.append(len(arrays["feature"]))
        return arrays

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, name, spy)
        yield sizes


@pytest.fixture(scope="module")
def codes_are_used():
    """Return a list to which every growth over codes is appended."""
    with sizes_grown_by("grow_over_codes") as sizes:
        yield sizes


def columns(rng, n, kinds):
    """Make columns: of two or few values, of small and of large range, of halves, of reals."""
    made = {
        "two": lambda: rng.integers(0, 2, n),
        "few": lambda: rng.integers(-3, 9, n),
        "bytes": lambda: rng.integers(0, 256, n),
        "skewed": lambda: np.floor(rng.exponential(20.0, n)),
        "zeros": lambda: rng.integers(1, 200, n) * (rng.random(n) < 0.2),
        "wide": lambda: rng.integers(-20_000, 40_000, n),
        "halves": lambda: rng.integers(0, 40, n) / 2.0,
        "reals": lambda: rng.normal(size=n).round(3),
        "normal": lambda: rng.normal(size=n),
        "huge": lambda: rng.integers(0, 300, n) * 2.0**40,
        "extreme": lambda: rng.choice([-3e38, -1.0, 1e-40, 3e38], n),
        "constant": lambda: np.full(n, 7.0),
    }
    return np.column_stack([made[kind]() for kind in kinds]).astype(np.float64)


KINDS = [
    *("two", "few", "bytes", "skewed", "zeros", "wide", "halves", "reals", "huge", "extreme"),
    "normal",
    "constant",
]


def labels(rng, X, n_classes, noise):
    """Make labels that depend on the columns, and some that do not."""
    places = np.argsort(np.argsort(X, axis=0), axis=0) @ rng.normal(size=X.shape[1])
    y = np.argsort(np.argsort(places)) * n_classes // len(X)
    return np.where(rng.random(len(X)) < noise, rng.integers(0, n_classes, len(X)), y)


@st.composite
def rules(draw):
    """Draw what both forms must obey alike."""
    return {
        "max_depth": draw(st.sampled_from([None, None, 1, 4])),
        "min_samples_split": draw(st.sampled_from([2, 2, 7, 0.1])),
        "min_samples_leaf": draw(st.sampled_from([1, 1, 2, 5, 0.05])),
        "min_weight_fraction_leaf": draw(st.sampled_from([0.0, 0.0, 0.04])),
        "min_impurity_decrease": draw(st.sampled_from([0.0, 0.0, 0.003])),
    }


@settings(deadline=None, max_examples=120)
@given(
    seed=st.integers(0, 2**32 - 1),
    # Around every size at which something switches: small nodes, sampled runs, planes of bits.
    n=st.sampled_from([2, 3, 17, 63, 64, 65, 128, 191, 256, 257, 400, 900, 1700]),
    n_classes=st.sampled_from([2, 2, 3, 5, 17, 70]),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=24),
    missing=st.sampled_from([0.0, 0.0, 0.1, 0.6]),
    simd=st.sampled_from(["scalar", "avx2", "avx512"]),
    dtype=st.sampled_from([np.float32, np.float64]),
    params=rules(),
)
def test_both_forms_grow_one_tree(seed, n, n_classes, kinds, missing, simd, dtype, params):
    rng = np.random.default_rng(seed)
    X = columns(rng, n, kinds)
    y = labels(rng, X, n_classes, 0.2)
    some = rng.random(len(kinds)) < 0.4
    X[(rng.random(X.shape) < missing) & some] = np.nan
    X = X.astype(dtype)
    with pytest.MonkeyPatch.context() as patch:
        assert_same(
            grow("lists", X, y, patch, **params), grow("codes", X, y, patch, simd, **params)
        )


@settings(deadline=None, max_examples=60)
@given(
    data=st.data(),
    criterion=st.sampled_from(strategies.CLASS_CRITERIA),
    simd=st.sampled_from(["scalar", "avx2"]),
)
@pytest.mark.filterwarnings("ignore:criterion='renyi_mean':UserWarning")
def test_every_criterion(data, criterion, simd):
    X = data.draw(strategies.tables())
    y = data.draw(strategies.labels(len(X)))
    name, order = criterion
    params = data.draw(rules()) | {"criterion": name, "order": order}
    weights = data.draw(st.sampled_from([None, 1.0, 0.3]))
    if weights is not None:
        params["sample_weight"] = np.full(len(X), weights)
        params["sample_weight"][:: data.draw(st.integers(2, 5))] = 0.0
    with pytest.MonkeyPatch.context() as patch:
        assert_same(
            grow("lists", X, y, patch, **params), grow("codes", X, y, patch, simd, **params)
        )


@pytest.mark.parametrize("criterion", ["entropy", "renyi", "tsallis"])
@pytest.mark.parametrize("n_classes", [2, 6])
def test_other_criteria_on_larger_tables(criterion, n_classes, monkeypatch):
    rng = np.random.default_rng(3)
    X = columns(rng, 900, KINDS)
    y = labels(rng, X, n_classes, 0.1)
    params = {"criterion": criterion, "order": 1.5}
    assert_same(
        grow("lists", X, y, monkeypatch, **params), grow("codes", X, y, monkeypatch, **params)
    )


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("simd", ["scalar", "avx2"])
def test_large_nodes(n_classes, simd, monkeypatch, codes_are_used):
    """Counters of 32 bits, sums in float64, and long runs of the bits."""
    rng = np.random.default_rng(5)
    X = columns(rng, 40_000, ["two", "few", "bytes", "zeros", "wide"]).astype(np.float32)
    y = labels(rng, X, n_classes, 0.02)
    before = len(codes_are_used)
    codes = grow("codes", X, y, monkeypatch, simd, max_depth=6)
    assert len(codes_are_used) == before + 1
    assert_same(grow("lists", X, y, monkeypatch, max_depth=6), codes)


def test_threads_change_nothing(monkeypatch):
    rng = np.random.default_rng(6)
    X = columns(rng, 60_000, ["few", "bytes", "zeros", "skewed", "wide", "reals", "two", "halves"])
    y = labels(rng, X, 4, 0.1)
    one, two, five = (grow("codes", X, y, monkeypatch, n_jobs=k) for k in (1, 2, 5))
    assert_same(one, two)
    assert_same(one, five)


@pytest.mark.parametrize("n_narrow", [16, 17, 64, 65, 300])
def test_columns_of_two_values_fill_the_bits(n_narrow, monkeypatch):
    """256 bits and no more: the columns that find no place are stored as codes."""
    rng = np.random.default_rng(n_narrow)
    X = rng.integers(0, 2, (500, n_narrow)).astype(np.float32)
    y = labels(rng, X, 3, 0.1)
    assert_same(grow("lists", X, y, monkeypatch), grow("codes", X, y, monkeypatch))


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_layout_changes_nothing(order, monkeypatch):
    rng = np.random.default_rng(8)
    X = columns(rng, 300, KINDS)
    y = labels(rng, X, 3, 0.1)
    other = np.array(X, order=order)[:, ::-1][:, ::-1]
    assert_same(grow("codes", X, y, monkeypatch), grow("codes", other, y, monkeypatch))


def test_float64_values_next_to_each_other(monkeypatch):
    """Values that float32 cannot tell apart are different codes."""
    rng = np.random.default_rng(9)
    X = 1.0 + rng.integers(0, 50, (200, 2)) * 2.0**-40
    y = (X[:, 0] > 1.0 + 25 * 2.0**-40).astype(int)
    codes = grow("codes", X, y, monkeypatch)
    assert codes.score(X, y) == 1.0
    assert_same(grow("lists", X, y, monkeypatch), codes)


def test_zeros_of_both_signs_are_one_value(monkeypatch):
    X = np.array([[0.0], [-0.0], [0.5], [0.25]])
    y = np.array([0, 1, 1, 1])
    codes = grow("codes", X, y, monkeypatch)
    assert codes.tree_.node_count == 3
    assert_same(grow("lists", X, y, monkeypatch), codes)


def test_too_many_values_are_for_the_lists(monkeypatch, codes_are_used):
    rng = np.random.default_rng(10)
    X = rng.normal(size=(70_000, 1))
    y = (X[:, 0] > 0).astype(int)
    before = len(codes_are_used)
    grow("codes", X, y, monkeypatch, max_depth=2)
    assert len(codes_are_used) == before


@pytest.mark.parametrize(
    ("kinds", "n_classes", "expected"),
    [
        (["few", "bytes", "two", "zeros"], 2, True),
        (["reals", "few", "bytes", "two"], 5, True),
        (["wide", "wide", "wide", "two"], 2, False),
        (["normal", "normal", "normal", "two"], 3, False),
    ],
)
def test_the_form_is_chosen_by_the_columns(kinds, n_classes, expected, codes_are_used, monkeypatch):
    monkeypatch.delenv("TREELEARN_FORM", raising=False)
    rng = np.random.default_rng(11)
    X = columns(rng, 130_000 if n_classes == 2 else 15_000, kinds)
    before = len(codes_are_used)
    DecisionTreeClassifier(max_depth=2).fit(X, labels(rng, X, n_classes, 0.1))
    assert (len(codes_are_used) > before) == expected


@pytest.mark.parametrize("simd", ["scalar", "avx2"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (63, 16), (1000, 7), (70, 130)])
def test_ranges_of_columns(shape, dtype, simd, monkeypatch):
    monkeypatch.setenv("TREELEARN_SIMD", simd)
    rng = np.random.default_rng(12)
    X = rng.integers(-50, 50, shape).astype(dtype)
    X[rng.random(shape) < 0.05] += 0.5
    X[rng.random(shape) < 0.02] = np.nan
    lowest, highest, flags = column_ranges(X)
    is_real = ((X != np.rint(X)) & ~np.isnan(X)).any(axis=0)
    np.testing.assert_array_equal(flags, is_real + 2 * np.isnan(X).any(axis=0))
    some = ~np.isnan(X).all(axis=0)
    np.testing.assert_array_equal(lowest[some], np.nanmin(X[:, some], axis=0))
    np.testing.assert_array_equal(highest[some], np.nanmax(X[:, some], axis=0))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("form", [None, "codes"])
def test_many_columns_of_few_rows(form, n_classes, monkeypatch, codes_are_used):
    """Ranking pays for no table of few rows, and takes no memory for values that are not there."""
    rng = np.random.default_rng(13)
    X = rng.normal(size=(30, 20_000 if form is None else 200)).astype(np.float32)
    y = np.arange(30) % n_classes
    before = len(codes_are_used)
    if form is None:
        monkeypatch.delenv("TREELEARN_FORM", raising=False)
        DecisionTreeClassifier(max_depth=2).fit(X, y)
        assert len(codes_are_used) == before
        return
    tracemalloc.start()
    grow(form, X, y, monkeypatch, max_depth=2)
    assert len(codes_are_used) == before + 1
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@pytest.mark.parametrize(("criterion", "order"), [("renyi", 2.0), ("tsallis", 0.01)])
def test_pure_nodes_have_a_plain_zero(criterion, order, monkeypatch):
    X = np.arange(6.0).reshape(-1, 1)
    tree = grow("codes", X, X[:, 0] > 2, monkeypatch, criterion=criterion, order=order)
    assert not np.signbit(tree._tree.impurity).any()
