"""Exact growth through bins grows the tree that presorted lists grow, bit for bit."""

import numpy as np
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from test_codes import KINDS, assert_same, columns, grow, labels, rules, sizes_grown_by

import treelearn._bounded_fitting as bounded
import treelearn._fitting as fitting
from treelearn import DecisionTreeClassifier

NEVER_GIVES_UP = np.inf


@pytest.fixture(scope="module", autouse=True)
def used():
    """Return a list to which the number of nodes of every tree grown through bins is appended."""
    with sizes_grown_by("grow_through_bins") as sizes:
        yield sizes


def grow_both(X, y, *, most_listed, max_bins=255, patience=NEVER_GIVES_UP, simd=None, **params):
    """Return the classifiers grown over lists and through bins, with every size lowered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounded, "_MOST_LISTED", most_listed)
        patch.setattr(bounded, "_MOST_LISTED_BELOW", most_listed)
        patch.setattr(bounded, "_MAX_BINS", max_bins)
        patch.setattr(bounded, "_PATIENCE", patience)
        patch.setattr(fitting, "_FEWEST_CELLS_FOR_THREADS", 0)
        lists = grow("lists", X, y, patch, simd, **{**params, "n_jobs": 1})
        return lists, grow("bins", X, y, patch, simd, **params)


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.sampled_from([2, 3, 16, 17, 63, 65, 300, 900, 1700]),
    n_classes=st.sampled_from([2, 2, 2, 3, 5]),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=9),
    most_listed=st.sampled_from([1, 2, 16, 64, 300]),
    max_bins=st.sampled_from([2, 3, 16, 255]),
    patience=st.sampled_from([NEVER_GIVES_UP, NEVER_GIVES_UP, 20.0, 1.0, 0.0]),
    n_jobs=st.integers(1, 3),
    simd=st.sampled_from(["scalar", "avx2", "avx512"]),
    dtype=st.sampled_from([np.float32, np.float64]),
    params=rules(),
)
def test_both_forms_grow_one_tree(seed, n, n_classes, kinds, dtype, params, **form):
    rng = np.random.default_rng(seed)
    X = columns(rng, n, kinds)
    y = labels(rng, X, n_classes, 0.2)
    X = np.column_stack([X, X[:, rng.integers(len(kinds))]]).astype(dtype)  # a column twice
    assert_same(*grow_both(X, y, **form, **params))


@settings(deadline=None, max_examples=150)
@given(
    data=st.data(),
    criterion=st.sampled_from(strategies.CLASS_CRITERIA),
    most_listed=st.sampled_from([1, 4]),
    max_bins=st.sampled_from([2, 3, 255]),
    simd=st.sampled_from(["scalar", "avx2"]),
)
@pytest.mark.filterwarnings("ignore:criterion='renyi_mean':UserWarning")
def test_every_criterion_on_ties(data, criterion, **form):
    X = data.draw(strategies.tables())
    y = data.draw(strategies.labels(len(X), max_classes=data.draw(st.sampled_from([2, 4]))))
    name, order = criterion
    assert_same(*grow_both(X, y, criterion=name, order=order, **form, **data.draw(rules())))


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    criterion=st.sampled_from(strategies.CLASS_CRITERIA),
    noise=st.sampled_from([0.02, 0.2, 1.0]),
    max_bins=st.sampled_from([4, 40]),
)
@pytest.mark.filterwarnings("ignore:criterion='renyi_mean':UserWarning")
def test_every_criterion_on_larger_tables(seed, criterion, noise, max_bins):
    """Runs of one class: the cuts that the lists leave out are left out here too."""
    rng = np.random.default_rng(seed)
    X = columns(rng, 700, ["normal", "reals", "bytes", "halves"])
    y = labels(rng, X, 2, noise)
    name, order = criterion
    assert_same(
        *grow_both(X, y, most_listed=8, max_bins=max_bins, criterion=name, order=order, max_depth=5)
    )


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("patience", [NEVER_GIVES_UP, 1.0])
def test_threads_change_nothing(n_classes, dtype, patience, used):
    """Nodes that share out records and features, and subtrees of their own."""
    rng = np.random.default_rng(6)
    X = columns(rng, 80_000, ["normal", "reals", "skewed", "two", "normal", "wide"]).astype(dtype)
    y = labels(rng, X, n_classes, 0.1)
    form = {"most_listed": 500, "patience": patience, "max_depth": 7}
    before = len(used)
    one, *others = (grow_both(X, y, n_jobs=k, **form) for k in (1, 2, 3, 8))
    assert len(used) == before + 4
    assert_same(*one)
    for other in others:
        assert_same(one[1], other[1])


def test_values_that_float32_cannot_tell_apart():
    rng = np.random.default_rng(7)
    X = 1.0 + rng.integers(0, 5000, (3000, 3)) * 2.0**-45
    y = (X[:, 0] > 1.0 + 2500 * 2.0**-45).astype(int) ^ (rng.random(3000) < 0.1)
    lists, bins = grow_both(X, y, most_listed=20, max_bins=16, max_depth=6)
    assert bins.tree_.node_count > 20
    assert_same(lists, bins)


def test_no_gain_at_all():
    """The best score is zero, and so is every bound."""
    x = np.repeat(np.arange(50.0), 2)
    X, y = np.column_stack([x, x[::-1]]), np.tile([0, 1], 50)
    assert_same(*grow_both(X, y, most_listed=1, max_bins=5))


def test_no_cut_between_bins_is_feasible():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(1001, 3))
    y = labels(rng, X, 2, 0.3)
    assert_same(*grow_both(X, y, most_listed=1, max_bins=3, min_samples_leaf=500))


def test_weights_of_one_size_are_none():
    rng = np.random.default_rng(9)
    X = columns(rng, 400, ["normal", "reals"])
    y = labels(rng, X, 2, 0.1)
    for weights in (np.full(400, 0.5), (np.arange(400) % 3 > 0) * 2.0, np.arange(400) % 3 + 1.0):
        lists, bins = grow_both(X, y, most_listed=10, max_bins=8, sample_weight=weights)
        assert_same(lists, bins)


@pytest.mark.parametrize(
    ("change", "params"),
    [
        ("missing", {}),
        ("missing in one row", {}),
        ("three outputs", {}),
        ("weights", {}),
        ("many classes", {"criterion": "entropy"}),
        ("", {"max_features": 1}),
        ("", {"max_leaf_nodes": 5}),
        ("", {"splitter": "random"}),
        ("", {"monotonic_cst": [1, 0]}),
        ("", {"criterion": "misclassification"}),
    ],
)
def test_what_is_for_the_lists(change, params, used):
    rng = np.random.default_rng(10)
    X = columns(rng, 300, ["normal", "reals"])
    y = labels(rng, X, 5 if change == "many classes" else 2, 0.1)
    if change.startswith("missing"):
        X[slice(0, 300, 7) if change == "missing" else slice(299, None), 1] = np.nan
    if change == "three outputs":
        y = np.column_stack([y, y[::-1], y])
    if change == "weights":
        params = {"sample_weight": 1.0 + y}
    before = len(used)
    assert_same(*grow_both(X, y, most_listed=10, **params))
    assert len(used) == before


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_layout_changes_nothing(order):
    rng = np.random.default_rng(11)
    X = columns(rng, 500, KINDS)
    y = labels(rng, X, 2, 0.1)
    other = np.array(X, order=order)[:, ::-1][:, ::-1]
    one, two = (grow_both(Z, y, most_listed=10, max_bins=8)[1] for Z in (X, other))
    assert_same(one, two)


@pytest.mark.parametrize("name", ["higgs_7k", "credit_default", "skin", "covertype", "electricity"])
def test_real_tables(name, data_folder):
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(data_folder / f"{name}.parquet").iloc[:20_000]
    y = frame.pop("target")
    y = y.cat.codes if y.dtype == "category" else y
    X = np.column_stack(
        [c.cat.codes if c.dtype == "category" else c.to_numpy(float) for _, c in frame.items()]
    )
    assert_same(*grow_both(X, y.to_numpy(), most_listed=100, max_bins=32))


@pytest.mark.parametrize(
    ("noise", "max_depth", "n_rows", "expected"),
    [
        (0.1, 6, 400_000, True),
        (1.0, 6, 400_000, False),  # given up at the root
        (0.1, None, 400_000, False),
        (0.1, 6, 50_000, False),
    ],
)
def test_the_form_is_chosen_by_size_and_depth(
    noise, max_depth, n_rows, expected, used, monkeypatch
):
    monkeypatch.delenv("TREELEARN_FORM", raising=False)
    rng = np.random.default_rng(12)
    X = rng.normal(size=(n_rows, 10)).astype(np.float32)
    y = np.where(rng.random(n_rows) < noise, rng.integers(0, 2, n_rows), X[:, 0] + X[:, 1] > 0.2)
    before = len(used)
    DecisionTreeClassifier(max_depth=max_depth, n_jobs=1).fit(X, y)
    assert (len(used) > before) == expected
