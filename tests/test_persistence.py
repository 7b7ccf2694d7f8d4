"""Saving, loading and copying; what is refused on load."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from tree_checks import check_tree, equal_trees

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

FITS = {
    "classifier": (DecisionTreeClassifier(criterion="renyi", order=0.5, n_jobs=2), 0),
    "text labels": (DecisionTreeClassifier(max_depth=3), 1),
    "two outputs": (DecisionTreeClassifier(), 2),
    "regressor": (DecisionTreeRegressor(criterion="gaussian_entropy"), 0),
    "two targets": (DecisionTreeRegressor(max_leaf_nodes=9), 2),
    "pruned": (DecisionTreeClassifier(ccp_alpha=0.01), 0),
    "monotone": (DecisionTreeClassifier(monotonic_cst=[1, 0, -1]), 0),
    "one leaf": (DecisionTreeRegressor(min_impurity_decrease=1e9), 0),
}


@pytest.fixture(params=sorted(FITS))
def fitted(request, rng):
    """A fitted estimator, and rows to predict."""
    estimator, target = FITS[request.param]
    X = rng.random((90, 3))
    if estimator.monotonic_cst is None:
        X[rng.random(X.shape) < 0.1] = np.nan
    y = rng.integers(0, 2, 90)
    y = [y, np.array(["no", "yes"])[y], np.column_stack([y, y + rng.integers(0, 2, 90)])][target]
    return clone(estimator).fit(X, y), X


def _through_pickle(estimator):
    return pickle.loads(pickle.dumps(estimator))


def _through_old_pickle(estimator):
    return pickle.loads(pickle.dumps(estimator, protocol=2))


def _through_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.parametrize("predict_first", [False, True])
@pytest.mark.parametrize(
    "copy_of", [_through_pickle, _through_old_pickle, _through_joblib, copy.deepcopy, copy.copy]
)
def test_round_trip(copy_of, predict_first, fitted):
    estimator, X = fitted
    if predict_first:
        estimator.predict(X)
    other = copy_of(estimator)
    assert other.get_params() == estimator.get_params()
    np.testing.assert_array_equal(other.predict(X), estimator.predict(X))
    np.testing.assert_array_equal(other.apply(X), estimator.apply(X))
    np.testing.assert_array_equal(other.feature_importances_, estimator.feature_importances_)
    equal_trees(other.tree_, estimator.tree_)
    check_tree(other)
    assert set(vars(other)) == set(vars(estimator))
    other.fit(X, np.arange(len(X)) % 2)


def test_memory_mapped_files_are_read_only(tmp_path, fitted):
    estimator, X = fitted
    joblib.dump(estimator, tmp_path / "tree.joblib")
    other = joblib.load(tmp_path / "tree.joblib", mmap_mode="r")
    np.testing.assert_array_equal(other.predict(X), estimator.predict(X))


def test_clone_has_no_tree(fitted):
    estimator, X = fitted
    other = clone(estimator)
    assert not hasattr(other, "tree_")
    assert other.get_params() == estimator.get_params()
    with pytest.raises(ValueError, match="not fitted"):
        other.predict(X)


def test_a_pickle_is_compact(rng):
    """Leaves hold the classes that they have, not one number for every class there is."""
    X, y = rng.random((3000, 2)), rng.integers(0, 300, 3000)
    tree = DecisionTreeClassifier().fit(X, y)
    full = tree.tree_.value.nbytes  # made on demand, and not stored
    size = len(pickle.dumps(tree))
    assert size < 120 * tree.tree_.node_count
    assert size < 0.1 * full


# -- states that are not trees --------------------------------------------------------------


@pytest.fixture
def state(rng):
    """State of a fitted tree with several levels, and its class."""
    X, y = rng.random((60, 3)), rng.integers(0, 3, 60)
    tree = DecisionTreeClassifier().fit(X, y)._tree
    return type(tree), {
        name: part.copy() if isinstance(part, np.ndarray) else part
        for name, part in tree.__getstate__().items()
    }


def _set(name, index, number):
    def spoil(state):
        state[name][index] = number

    return spoil


def _swap_right_children(state):
    inner = np.flatnonzero(state["children_right"] != -1)
    first, last = inner[0], inner[-1]
    right = state["children_right"]
    right[first], right[last] = right[last], right[first]


def _shorten(name):
    def spoil(state):
        state[name] = state[name][:-1]

    return spoil


def _remove(name):
    def spoil(state):
        del state[name]

    return spoil


def _recast(name, dtype):
    def spoil(state):
        state[name] = state[name].astype(dtype)

    return spoil


def _reshape(name):
    def spoil(state):
        state[name] = state[name][:, None]

    return spoil


def _empty(state):
    for name, part in state.items():
        if isinstance(part, np.ndarray):
            state[name] = part[:0]


def _replace(name, value):
    def spoil(state):
        state[name] = value

    return spoil


NODE_ARRAYS = ["children_left", "children_right", "feature", "threshold", "missing_go_to_left"]
HOSTILE = {
    "left child beyond the end": _set("children_left", 0, 10**6),
    "right child beyond the end": _set("children_right", 0, 10**6),
    "left child negative": _set("children_left", 0, -7),
    "right child negative": _set("children_right", 0, -7),
    "root its own left child": _set("children_left", 0, 0),
    "root its own right child": _set("children_right", 0, 0),
    "two parents": _set("children_right", 0, 1),
    "one child only": _set("children_right", 0, -1),
    "exchanged children": _swap_right_children,
    "feature beyond the end": _set("feature", 0, 3),
    "feature negative": _set("feature", 0, -1),
    "NaN threshold": _set("threshold", 0, np.nan),
    "n_features too small": _replace("n_features", 1),
    "n_features zero": _replace("n_features", 0),
    "n_features no number": _replace("n_features", "3"),
    "n_features huge": _replace("n_features", 2**70),
    "n_outputs zero": _replace("n_outputs", 0),
    "n_outputs too many": _replace("n_outputs", 2),
    "no classes": _replace("n_classes", ()),
    "fewer classes": _replace("n_classes", (2,)),
    "class negative": _set("classes", 0, -1),
    "class beyond the end": _set("classes", 0, 3),
    "class starts too far": _set("class_starts", -1, 10**6),
    "class starts backwards": _set("class_starts", 2, 10**6),
    "NaN class weight": _set("class_weights", 0, np.nan),
    "negative class weight": _set("class_weights", 0, -1.0),
    "infinite class weight": _set("class_weights", 0, np.inf),
    "NaN impurity": _set("impurity", 0, np.nan),
    "negative samples": _set("n_node_samples", 0, -5),
    "no arrays of length": _empty,
    **{f"{name} too short": _shorten(name) for name in NODE_ARRAYS},
    **{f"{name} missing": _remove(name) for name in [*NODE_ARRAYS, "n_features", "value"]},
    **{f"{name} two-dimensional": _reshape(name) for name in NODE_ARRAYS},
    **{f"{name} of another dtype": _recast(name, np.complex128) for name in NODE_ARRAYS},
    "objects for children": _recast("children_left", object),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tree_is_refused(name, state):
    kind, parts = state
    HOSTILE[name](parts)
    tree = kind.__new__(kind)
    with pytest.raises((ValueError, TypeError)):
        tree.__setstate__(parts)


def test_honest_state_is_taken(state):
    kind, parts = state
    tree = kind.__new__(kind)
    tree.__setstate__(parts)
    assert tree.node_count == len(parts["feature"])


@pytest.mark.parametrize("junk", [None, 3, [], {}, "state", {"children_left": [1]}], ids=repr)
def test_junk_is_refused(junk, state):
    kind, _ = state
    tree = kind.__new__(kind)
    with pytest.raises((ValueError, TypeError, AttributeError)):
        tree.__setstate__(junk)


def test_estimator_and_tree_must_fit_together(rng):
    """Rows are checked against n_features_in_; the tree must not read beyond them."""
    X, y = rng.random((60, 5)), rng.integers(0, 2, 60)
    large = DecisionTreeClassifier().fit(np.roll(X, 1, axis=1), y)
    small = DecisionTreeClassifier().fit(X[:, :1], y)
    other = small.__getstate__() | {"_tree": large._tree}
    with pytest.raises(ValueError):
        DecisionTreeClassifier().__setstate__(other)
    for name, value in (("n_features_in_", 1), ("n_outputs_", 2), ("_tree", None), ("_tree", y)):
        state = large.__getstate__() | {name: value}
        with pytest.raises((ValueError, TypeError)):
            DecisionTreeClassifier().__setstate__(state)


def test_an_unfitted_estimator_can_be_saved():
    tree = DecisionTreeClassifier(criterion="tsallis", order=0.7)
    assert _through_pickle(tree).get_params() == tree.get_params()
