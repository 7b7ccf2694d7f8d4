"""Trees in onnxruntime and treelite, to the last bit."""

import json

import numpy as np
import pytest
from exported import TEXTS, chain, fitted_trees, mixed_model
from hypothesis import given, settings
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor
from treelearn.export import register_with_skl2onnx, to_onnx, to_treelite

# Their own imports and calls warn of what they will mend.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def runtime():
    """Return onnxruntime, quiet."""
    pytest.importorskip("skl2onnx", reason="the export extra installs skl2onnx")
    found = pytest.importorskip("onnxruntime", reason="the export extra installs onnxruntime")
    found.set_default_logger_severity(3)
    return found


@pytest.fixture(scope="module")
def treelite():
    """Return treelite."""
    return pytest.importorskip("treelite", reason="the export extra installs treelite")


@settings(max_examples=15)
@given(fitted=fitted_trees())
def test_every_row_agrees(runtime, fitted):
    estimator, X = fitted
    found = to_onnx(estimator).verify(X)
    assert found.n_nodes_probed == found.n_inner_nodes
    assert ("probability" in found.checked) == hasattr(estimator, "classes_")


def test_examples(runtime, class_table):
    X, y = class_table
    X[::7, 1] = np.nan
    to_onnx(DecisionTreeClassifier(criterion="renyi", order=0.5).fit(X, y)).verify(X)
    to_onnx(DecisionTreeRegressor(max_depth=4).fit(X, np.column_stack([y, -y]))).verify(X)
    to_onnx(DecisionTreeRegressor().fit(X[:3], np.ones(3))).verify(X)
    to_onnx(DecisionTreeClassifier().fit(X, np.zeros(len(X), dtype=int))).verify(X)


def test_values_that_float32_cannot_tell_apart(runtime):
    X = 1e9 + np.arange(40.0)[:, None]
    to_onnx(DecisionTreeClassifier().fit(X, np.arange(40) % 2)).verify(X)


def test_categories_are_in_the_metadata(runtime):
    pd = pytest.importorskip("pandas", reason="categories come from a frame")
    model, frame = mixed_model(pd)
    export = to_onnx(model)
    export.verify(frame)
    found = {entry.key: entry.value for entry in export.onnx_model.metadata_props}
    columns = json.loads(found["columns"])
    assert [column["name"] for column in columns] == model.feature_names
    assert columns[4]["levels"] == ["s", "m", "l"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", [None, {"zipmap": False}])
def test_pipelines(runtime, dtype, options, rng):
    import skl2onnx

    register_with_skl2onnx()
    X = rng.random((80, 3)).astype(dtype)
    # Powers of two, which scaling keeps exact in either type.
    X = np.ldexp(np.round(X * 8), -3).astype(dtype)
    scaler = StandardScaler(with_mean=False, with_std=False)
    for estimator in (DecisionTreeClassifier(), DecisionTreeRegressor()):
        is_classifier = isinstance(estimator, DecisionTreeClassifier)
        y = np.array(TEXTS)[rng.integers(0, 4, 80)] if is_classifier else rng.random((80, 2))
        pipeline = make_pipeline(scaler, estimator).fit(X, y)
        wanted = {id(pipeline): options} if options and is_classifier else None
        model = skl2onnx.to_onnx(pipeline, X[:1], options=wanted)
        session = runtime.InferenceSession(model.SerializeToString())
        got = session.run(None, {session.get_inputs()[0].name: X})
        np.testing.assert_array_equal(got[0], pipeline.predict(X))
        if is_classifier:
            assert got[1].dtype == np.float64
            np.testing.assert_array_equal(got[1], pipeline.predict_proba(X))


def test_what_onnx_cannot_hold(runtime, rng):
    X = rng.random((30, 2))
    with pytest.raises(ValueError, match="one output"):
        to_onnx(DecisionTreeClassifier().fit(X, (X > 0.5).astype(int)))
    with pytest.raises(ValueError, match="whole numbers or text"):
        to_onnx(DecisionTreeClassifier().fit(X, (X[:, 0] > 0.5) * 1.0))
    with pytest.raises(ValueError, match="1001 levels deep"):
        to_onnx(chain(1001)[0])


def test_a_deep_tree(runtime):
    estimator, X = chain(1000)
    to_onnx(estimator).verify(X, n_probed=20)


def test_the_file_is_what_was_verified(runtime, tmp_path, rng):
    X = rng.random((30, 2))
    tree = DecisionTreeRegressor().fit(X, X[:, 0])
    export = to_onnx(tree)
    export.save(tmp_path / "tree.onnx")
    session = runtime.InferenceSession(str(tmp_path / "tree.onnx"))
    np.testing.assert_array_equal(session.run(None, {"X": X})[0][:, 0], tree.predict(X))


@settings(max_examples=15)
@given(fitted=fitted_trees())
def test_every_row_agrees_in_treelite(treelite, fitted):
    estimator, X = fitted
    if hasattr(estimator, "classes_") and len(estimator.classes_) < 2:
        with pytest.raises(ValueError, match="two classes"):
            to_treelite(estimator)
        return
    to_treelite(estimator).verify(X)


def test_treelite_takes_several_outputs_and_depth(treelite, rng, tmp_path):
    X = rng.random((50, 3))
    to_treelite(DecisionTreeRegressor().fit(X, X[:, :2])).verify(X)
    y = np.column_stack([np.arange(50) % 3, np.arange(50) % 2])
    export = to_treelite(DecisionTreeClassifier().fit(X, y))
    export.verify(X)
    export.save(tmp_path / "tree.treelite")
    again = treelite.Model.deserialize(tmp_path / "tree.treelite")
    np.testing.assert_array_equal(
        treelite.gtil.predict(again, X), treelite.gtil.predict(export.treelite_model, X)
    )
    estimator, X = chain(5000)
    to_treelite(estimator).verify(X, n_probed=20)
