"""Checks of what callers hand in: the quick way says what scikit-learn's says, in its words."""

import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier as SklearnClassifier
from sklearn.utils._param_validation import InvalidParameterError
from treelearn._checks import FINITE, INFINITE, MISSING, count_labels, worst_value

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor, TrainingSet
from treelearn._validation import check_rows, columns_in_range

ESTIMATORS = [DecisionTreeClassifier, DecisionTreeRegressor]
LAYOUTS = {
    "C": lambda X: X,
    "F": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
}
SIZES = [1, 3, 15, 16, 17, 4095, 4096, 4097, 9000]


def outcome(call, *arguments):
    """Return what a call returns, or its error's class and words."""
    try:
        return call(*arguments)
    except Exception as error:
        return type(error), str(error)


class TestWorstValue:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("n", SIZES)
    def test_one_value_anywhere(self, n, dtype):
        limits = np.finfo(dtype)
        plain = np.resize(np.array([0.0, -0.0, 1.5, limits.max, -limits.max, limits.tiny]), n)
        plain = plain.astype(dtype)
        assert worst_value(plain) == FINITE
        for place in {0, n // 2, n - 1}:
            for value, expected in [(np.nan, MISSING), (np.inf, INFINITE), (-np.inf, INFINITE)]:
                values = plain.copy()
                values[place] = value
                assert worst_value(values) == expected
                values[0] = np.nan
                assert worst_value(values) == (expected if place else MISSING)

    @given(st.lists(st.floats(width=32), max_size=40))
    def test_as_numpy_says(self, values):
        for dtype in (np.float32, np.float64):
            array = np.array(values, dtype=dtype)
            expected = FINITE
            if np.isnan(array).any():
                expected = MISSING
            if np.isinf(array).any():
                expected = INFINITE
            assert worst_value(array) == expected

    def test_every_kind_of_nan(self):
        bits = np.array([0x7F800001, 0x7FC00000, 0xFF800001, 0xFFFFFFFF], dtype=np.uint32)
        for value in bits.view(np.float32):
            assert worst_value(np.array([value])) == MISSING


class TestCountLabels:
    @given(
        st.lists(st.one_of(st.integers(-5, 5), st.integers(-600, 600)), min_size=1, max_size=50),
        st.sampled_from([np.int32, np.int64]),
    )
    def test_as_numpy_says(self, values, dtype):
        labels = np.array(values, dtype=dtype)
        codes = np.full(len(labels), -7, dtype=np.int32)
        found = count_labels(labels, codes)
        expected, expected_codes = np.unique(labels, return_inverse=True)
        if np.ptp(labels.astype(np.int64)) >= 1000:
            assert found is None
            assert (codes == -7).all()
        else:
            assert np.array_equal(found, expected)
            assert np.array_equal(codes, expected_codes)

    @pytest.mark.parametrize("dtype", [np.int32, np.int64])
    def test_the_whole_range_is_not_counted(self, dtype):
        limits = np.iinfo(dtype)
        labels = np.array([limits.max, 0, limits.min], dtype=dtype)
        assert count_labels(labels, np.empty(3, dtype=np.int32)) is None

    @pytest.mark.parametrize("dtype", [np.int32, np.int64])
    def test_ends_of_the_range(self, dtype):
        limits = np.iinfo(dtype)
        for labels in ([limits.max, limits.max - 2], [limits.min + 1, limits.min]):
            codes = np.empty(2, dtype=np.int32)
            found = count_labels(np.array(labels, dtype=dtype), codes)
            assert found.tolist() == sorted(labels)
            assert codes.tolist() == [1, 0]

    @pytest.mark.parametrize("code", "?bBhHiIlLqQ")
    @pytest.mark.parametrize("step", [1, 2, -1])
    def test_labels_of_every_integer_dtype(self, code, step, rng):
        dtype = np.dtype(code)
        X = np.arange(40.0)[:, None]
        y = rng.integers(0, 2 if code == "?" else 5, size=40 * abs(step)).astype(dtype)[::step]
        tree = DecisionTreeClassifier().fit(X, y)
        theirs = SklearnClassifier().fit(X, y)
        assert tree.classes_.dtype == theirs.classes_.dtype
        assert np.array_equal(tree.classes_, theirs.classes_)
        assert np.array_equal(tree.predict(X), y)

    @pytest.mark.parametrize("dtype", [np.int64, np.uint64])
    def test_labels_that_lie_far_apart(self, dtype):
        limits = np.iinfo(dtype)
        y = np.array([limits.max, limits.min, limits.max - 1, limits.min], dtype=dtype)
        tree = DecisionTreeClassifier().fit([[0], [1], [2], [3]], y)
        assert tree.classes_.tolist() == [limits.min, limits.max - 1, limits.max]
        assert tree.predict([[0], [1], [2], [3]]).tolist() == y.tolist()


@pytest.mark.parametrize(
    "labels",
    [
        [0.0, 1.0, 0.0, 2.0],
        [-0.0, 0.0, -3.0, 2.0**40],
        np.array([1, 5, 1, 2], dtype=np.float32),
        np.array([1, 5, 1, 2], dtype=np.float16),
        ["b", "a", "", "Ä"],
        ["2", "10", "1", "2"],
        np.array([b"b", b"a", b"bb", b"a"]),
        np.array(["b", "a", "bb", "a"], dtype=object),
        [True, False, True, True],
    ],
    ids=repr,
)
def test_labels_of_every_kind(labels):
    X, y = np.arange(4.0)[:, None], np.asarray(labels)
    tree, theirs = DecisionTreeClassifier().fit(X, y), SklearnClassifier().fit(X, y)
    assert tree.classes_.dtype == theirs.classes_.dtype
    assert tree.classes_.tolist() == theirs.classes_.tolist()
    assert tree.predict(X).tolist() == y.tolist()
    both = np.column_stack([y, y[::-1]])
    assert np.array_equal(DecisionTreeClassifier().fit(X, both).predict(X), both)


@pytest.mark.parametrize(
    "labels",
    [
        [0.0, 0.5, 1.0, 2.0],
        [0.1, 1e300, -1e300, 2.0],
        [2.0**63, 2.0**64, 1e300, 0.0],
        np.array([1.5, 1, 1, 2], dtype=np.float32),
        np.array([1, "a", 2, "b"], dtype=object),
        np.array([None, "a", "b", "a"], dtype=object),
        np.array([[1], [2, 3], [4], [5]], dtype=object),
        np.zeros((4, 1, 1)),
        np.zeros((4, 0)),
        [],
    ],
    ids=repr,
)
def test_labels_are_refused_in_scikit_learns_words(labels):
    X = np.arange(4.0)[:, None]
    expected = outcome(SklearnClassifier().fit, X, labels)
    found = outcome(DecisionTreeClassifier().fit, X, labels)
    assert found[0] is expected[0]
    assert found[1] == expected[1]


@pytest.fixture
def table(rng):
    """Return X and y whose every value is fine."""
    return rng.normal(size=(30, 3)), rng.integers(0, 3, size=30)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("estimator", ESTIMATORS)
class TestValues:
    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    def test_infinity_in_scikit_learns_words(self, value, estimator, dtype, layout, table):
        X, y = table
        tree = estimator().fit(X, y)
        bad = X.astype(dtype)
        bad[-1, -1] = value
        bad[0, 0] = np.nan  # what is missing must not hide what is infinite
        bad = LAYOUTS[layout](bad)
        for call in (lambda: estimator().fit(bad, y), lambda: tree.predict(bad)):
            with pytest.raises(ValueError, match="^Input X contains infinity or a value too large"):
                call()

    def test_missing_values_are_fine(self, estimator, dtype, layout, table):
        X, y = table
        X = X.astype(dtype)
        X[::3, 1] = np.nan
        tree = estimator().fit(LAYOUTS[layout](X), y)
        assert np.array_equal(tree.predict(LAYOUTS[layout](X)), estimator().fit(X, y).predict(X))

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_targets_in_scikit_learns_words(self, value, estimator, dtype, layout, table):
        X, y = table
        y = y.astype(dtype)
        y[-1] = value
        with pytest.raises(ValueError, match="^Input y contains (NaN|infinity)"):
            estimator().fit(LAYOUTS[layout](X), y)


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((2, 2)),
        np.zeros((2, 4)),
        np.zeros((0, 3)),
        np.zeros(3),
        np.zeros((1, 3, 1)),
        np.array(0.0),
        [[0.0, 1.0, np.inf]],
        [[0.0, 1.0]],
        np.array([["a", "b", "c"]]),
        np.array([[1j, 0, 0]]),
        None,
    ],
    ids=repr,
)
def test_rows_are_refused_in_scikit_learns_words(X, table):
    ours, theirs = DecisionTreeClassifier().fit(*table), SklearnClassifier().fit(*table)
    expected = outcome(theirs.predict, X)
    expected = expected[0], expected[1].replace("float32", "float64")
    assert outcome(ours.predict, X)[0] == expected[0]
    if isinstance(X, np.ndarray) and X.dtype.kind == "f":
        assert outcome(ours.predict, X) == expected


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_feature_names_are_looked_at(estimator, table):
    pd = pytest.importorskip("pandas", reason="feature names come with a data frame")
    X, y = table
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    tree = estimator().fit(frame, y)
    assert tree.feature_names_in_.tolist() == ["a", "b", "c"]
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        tree.predict(X)
    with pytest.raises(ValueError, match="feature names should match"):
        tree.predict(frame.rename(columns={"a": "z"}))
    tree.fit(X, y)
    assert not hasattr(tree, "feature_names_in_")
    with pytest.warns(UserWarning, match="X has feature names"):
        tree.predict(frame)


@pytest.mark.parametrize(
    "change",
    [
        lambda X: X.astype(">f8"),
        lambda X: np.frombuffer(b"\0" + X.tobytes(), dtype=np.uint8)[1:].view(np.float64),
        lambda X: X.view(np.ma.MaskedArray),
        lambda X: X.tolist(),
        lambda X: X.astype(object),
        lambda X: X.astype(np.longdouble),
    ],
    ids=["byte order", "unaligned", "masked", "list", "object", "longdouble"],
)
def test_unusual_arrays_of_the_same_values(change, table):
    X, y = table
    tree = DecisionTreeClassifier().fit(X, y)
    changed = change(X)
    if isinstance(changed, np.ndarray):
        changed = changed.reshape(X.shape)
    assert np.array_equal(tree.predict(changed), tree.predict(X))
    assert np.array_equal(DecisionTreeClassifier().fit(changed, y).predict(X), tree.predict(X))


def packed(array):
    """Return the same values as a field of packed records: most lie where their type may not."""
    field = ("field", array.dtype, array.shape[1:])
    records = np.zeros(len(array), dtype=[("before", np.uint8), field])
    records["field"] = array
    assert not records["field"].flags.aligned
    return records["field"]


@pytest.mark.parametrize("check_input", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_fields_of_packed_records(estimator, dtype, check_input, table):
    X, y = table[0].astype(dtype), table[1]
    tree = estimator().fit(X, y)
    for label_dtype in (np.int32, np.int64, np.float64):
        labels = packed(y.astype(label_dtype))
        weights = packed(np.ones(len(y), dtype=dtype))
        for rows in (packed(X), packed(X)[::2]):
            expected = tree.predict(rows.copy())
            assert (tree.predict(rows, check_input=check_input) == expected).all()
        found = estimator().fit(packed(X), labels, weights, check_input=check_input)
        assert (found.predict(X) == tree.predict(X)).all()


def test_fields_of_packed_records_are_copied(table):
    """What the kernels are given is aligned: not every processor reads anything else."""
    X, y = table
    tree = DecisionTreeClassifier().fit(X, y)
    assert TrainingSet(packed(X), packed(y)).X.flags.aligned
    assert columns_in_range(packed(X)).flags.aligned
    for check_input in (True, False):
        assert check_rows(tree, packed(X), check_input)[0].flags.aligned


def test_read_only_arrays(table):
    X, y = (np.array(array) for array in table)
    X.flags.writeable = y.flags.writeable = False
    assert DecisionTreeClassifier().fit(X, y).score(X, y) == 1.0


class TestParameters:
    def test_a_changed_parameter_is_looked_at(self, table):
        for name, value in [("max_depth", 0), ("criterion", "gin"), ("n_jobs", "two")]:
            with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter"):
                DecisionTreeClassifier(**{name: value}).fit(*table)

    def test_equal_is_not_the_default(self, table):
        with pytest.raises(InvalidParameterError, match="min_samples_split"):
            DecisionTreeClassifier(min_samples_split=True).fit(*table)

    def test_a_subclass_with_other_defaults(self, table):
        class Stump(DecisionTreeClassifier):
            def __init__(self, max_depth=0, colour="red"):
                super().__init__(max_depth=max_depth)
                self.colour = colour

        with pytest.raises(InvalidParameterError, match="parameter of Stump"):
            Stump().fit(*table)
        assert Stump(max_depth=1).fit(*table).get_depth() == 1

    def test_validation_can_be_switched_off(self, table):
        with sklearn.config_context(skip_parameter_validation=True):
            tree = DecisionTreeClassifier(max_leaf_nodes=1).fit(*table)
        assert tree.get_n_leaves() >= 1

    @pytest.mark.parametrize("max_features", [None, 1])
    def test_a_generator_of_the_caller_moves_on(self, max_features, table):
        generator = np.random.RandomState(0)
        DecisionTreeClassifier(random_state=generator, max_features=max_features).fit(*table)
        assert generator.randint(2**31 - 1) != np.random.RandomState(0).randint(2**31 - 1)

    def test_a_seed_decides_what_is_drawn(self, table):
        X, y = table

        def thresholds(seed, **rules):
            tree = DecisionTreeClassifier(random_state=seed, **rules).fit(X, y)
            return tree.tree_.threshold.tolist(), tree.tree_.feature.tolist()

        for rules in ({"max_features": 1}, {"splitter": "random"}):
            assert thresholds(0, **rules) == thresholds(0, **rules)
            assert thresholds(0, **rules) != thresholds(1, **rules)
        assert thresholds(0) == thresholds(1)
