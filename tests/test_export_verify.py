"""The check of exports: probes reach what they should, and no difference stays hidden."""

import numpy as np
import pytest
from exported import chain, fitted_trees, mixed_model
from hypothesis import given

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor
from treelearn.export import Export, VerificationError, from_json, to_json
from treelearn.export._base import predicted
from treelearn.export._probes import probe_rows
from treelearn.export._regions import regions
from treelearn.model import Model


class Doubtful(Export):
    """An export that says what another estimator predicts."""

    def __init__(self, model, other):
        super().__init__(model, "")
        self.other = other

    def _run(self, rows):
        return predicted(self.other, rows)


def _with(model, **arrays):
    """Return a copy of a model with other arrays in its tree."""
    other = from_json(str(to_json(model)))
    for name, array in arrays.items():
        setattr(other.estimator._tree, name, array)
    return other


@given(fitted=fitted_trees())
def test_probes_pass_the_nodes_that_they_are_for(fitted):
    estimator, _ = fitted
    tree = estimator._tree
    rows, n_nodes = probe_rows(Model(estimator), 10**6)
    inner = np.flatnonzero(tree.children_left != -1)
    assert n_nodes == len(inner)
    if not n_nodes:
        return
    passed = estimator.decision_path(rows).toarray().reshape(n_nodes, 4, -1)
    for place, node in enumerate(inner.tolist()):
        cell = rows.reshape(n_nodes, 4, -1)[place, :, tree.feature[node]]
        assert np.isnan(cell[3])
        if np.isfinite(tree.threshold[node]):
            assert cell[0] == tree.threshold[node]
            assert cell[1] < cell[0] < cell[2]
        # Where splits above allow the values, all four rows pass the node.
        assert passed[place, :, node].any() or _is_squeezed(tree, node)


def _is_squeezed(tree, node):
    """Return whether the splits above leave the node no value next to its threshold."""
    for number, _, demands in regions(tree):
        if number == node:
            return any(demand.low >= demand.high for demand in demands.values()) or (
                tree.feature[node] in demands
            )
    return False


def test_probes_are_spread_over_a_large_tree():
    X = np.random.default_rng(0).random((400, 3))
    tree = DecisionTreeRegressor().fit(X, X[:, 0])
    rows, n_nodes = probe_rows(Model(tree), 20)
    assert (n_nodes, rows.shape) == (20, (80, 3))
    assert probe_rows(Model(tree), 0)[0].shape == (0, 3)


def test_codes_and_flags_get_whole_numbers():
    pd = pytest.importorskip("pandas", reason="categories come from a frame")
    model, frame = mixed_model(pd)
    rows, _ = probe_rows(model, 10**6)
    for j, column in enumerate(model.columns):
        if column.kind in ("category", "boolean"):
            values = rows[~np.isnan(rows[:, j]), j]
            top = 1 if column.kind == "boolean" else len(column.levels) - 1
            assert set(values) <= set(range(top + 1))


@given(fitted=fitted_trees())
def test_a_threshold_that_is_one_float_off_is_found(fitted):
    estimator, X = fitted
    model = Model(estimator)
    tree = estimator._tree
    inner = np.flatnonzero((tree.children_left != -1) & np.isfinite(tree.threshold))
    for node in inner[:3].tolist():
        if tree.feature[node] in _features_above(tree, node):
            continue  # splits above may keep the values next to this threshold away
        for away in (-np.inf, np.inf):
            threshold = tree.threshold.copy()
            threshold[node] = np.nextafter(threshold[node], away)
            with pytest.raises(VerificationError) as caught:
                Doubtful(model, _with(model, threshold=threshold)).verify(X)
            assert caught.value.differences[0]["what"] == "leaf"


def _features_above(tree, node):
    for number, _, demands in regions(tree):
        if number == node:
            return set(demands)
    return set()


@given(fitted=fitted_trees())
def test_missing_values_on_the_other_side_are_found(fitted):
    estimator, X = fitted
    model = Model(estimator)
    flags = estimator._tree.missing_go_to_left
    inner = estimator._tree.children_left != -1
    if not inner.any():
        return
    with pytest.raises(VerificationError):
        Doubtful(model, _with(model, missing_go_to_left=np.where(inner, 1 - flags, 0))).verify(X)


def test_differences_name_the_row_and_what_was_expected():
    X = np.arange(6.0)[:, None]
    model = Model(DecisionTreeClassifier().fit(X, list("aaabbb")))
    other = Model(DecisionTreeClassifier().fit(X, list("aabbbb")))
    with pytest.raises(VerificationError) as caught:
        Doubtful(model, other).verify(X, n_probed=0)
    assert [found["row"] for found in caught.value.differences] == [2, 2, 2]
    assert [found["what"] for found in caught.value.differences] == [
        *("leaf", "prediction", "probability"),
    ]
    assert caught.value.differences[1] == {
        "row": 2,
        "what": "prediction",
        "expected": "a",
        "got": "b",
        "values": [2.0],
    }
    text = str(caught.value)
    assert "differs from the tree on 1 of 6 rows" in text
    assert "row 2: prediction 'b' instead of 'a'; features [2.0]" in text


def test_nan_and_wrong_shapes_are_differences():
    X = np.arange(6.0)[:, None]
    model = Model(DecisionTreeRegressor().fit(X, X[:, 0]))

    class Odd(Export):
        def _run(self, rows):
            return {"prediction": np.full(self.content, np.nan)}

    with pytest.raises(VerificationError, match="on 10 of 10 rows") as caught:
        Odd(model, 10).verify(X, n_probed=1)
    assert str(caught.value).endswith("... and 5 more, in .differences")
    with pytest.raises(VerificationError, match="shape"):
        Odd(model, 9).verify(X, n_probed=1)


def test_what_was_compared_is_said():
    estimator, X = chain(3)
    said = str(to_json(estimator).verify(X))
    assert said == (
        "Equal leaf and prediction on 4 rows and 12 probes beside the thresholds of 3 of 3 inner "
        "nodes."
    )


def test_sparse_rows():
    from scipy.sparse import csr_matrix

    X = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]])
    tree = DecisionTreeClassifier().fit(csr_matrix(X), [0, 1, 2])
    assert to_json(tree).verify(csr_matrix(X)).n_rows == 3


def test_a_tree_with_parts_that_exports_do_not_know_is_refused(monkeypatch):
    tree = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    state = tree._tree.__getstate__()
    monkeypatch.setattr(
        type(tree._tree), "__getstate__", lambda self: state | {"category_sets": np.ones(3)}
    )
    with pytest.raises(ValueError, match="category_sets"):
        to_json(tree)


def test_estimators_that_know_names_take_arrays_without_a_warning():
    pd = pytest.importorskip("pandas", reason="names come from a frame")
    frame = pd.DataFrame(np.random.default_rng(0).random((30, 2)), columns=["a", "b"])
    model = Model(DecisionTreeClassifier().fit(frame, np.arange(30) % 2))
    assert model.feature_names == ["a", "b"]
    assert to_json(model).verify(frame[["b", "a"]]).n_rows == 30
    np.testing.assert_array_equal(model.predict(frame.to_numpy()), model.predict(frame))
    with pytest.raises(ValueError, match="infinity"):
        model.predict(np.full((1, 2), np.inf))
    with pytest.raises(ValueError, match="3 features"):
        model.predict(np.zeros((1, 3)))
