"""Tools outside scikit-learn that read its trees. The `interop` extra installs them."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

# Their own imports warn of what they will mend; ours must not.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def rows():
    """Return 300 rows of 4 float32 features."""
    return np.random.default_rng(0).random((300, 4)).astype(np.float32)


@pytest.fixture
def classifier(rows):
    """Return a small tree of three classes."""
    labels = (rows[:, 0] > 0.5).astype(int) + (rows[:, 1] > 0.7)
    return DecisionTreeClassifier(criterion="renyi", order=0.5, max_depth=5).fit(rows, labels)


@pytest.fixture
def regressor(rows):
    """Return a small regression tree."""
    return DecisionTreeRegressor(max_depth=5).fit(rows, rows[:, 0] + np.sin(5 * rows[:, 1]))


def test_shap(rows, regressor, classifier):
    shap = pytest.importorskip("shap")
    explained = shap.TreeExplainer(regressor)
    values = explained.shap_values(rows)
    total = values.sum(axis=1) + np.ravel(explained.expected_value)[0]
    np.testing.assert_allclose(total, regressor.predict(rows), rtol=1e-6, atol=1e-6)
    assert np.shape(shap.TreeExplainer(classifier).shap_values(rows)) == (300, 4, 3)


def test_dtreeviz(rows, classifier):
    dtreeviz = pytest.importorskip("dtreeviz")
    names = [f"x{i}" for i in range(4)]
    labels = classifier.predict(rows)
    model = dtreeviz.model(
        classifier, X_train=rows, y_train=labels, feature_names=names, target_name="y",
        class_names=["a", "b", "c"],
    )  # fmt: skip
    assert model.shadow_tree.nnodes() == classifier.tree_.node_count


def test_treelite(rows, classifier):
    treelite = pytest.importorskip("treelite")
    # It reads forests alone: one of a single tree, ours.
    forest = RandomForestClassifier(n_estimators=1).fit(rows, classifier.predict(rows))
    forest.estimators_ = [classifier.to_sklearn()]
    model = treelite.sklearn.import_model(forest)
    shares = treelite.gtil.predict(model, rows).reshape(len(rows), -1)
    np.testing.assert_allclose(shares, classifier.predict_proba(rows), rtol=1e-6)


def test_onnx(rows, classifier, regressor):
    skl2onnx = pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    for estimator in (classifier, regressor):
        model = skl2onnx.to_onnx(estimator.to_sklearn(), rows[:1])
        session = runtime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        got = session.run(None, {session.get_inputs()[0].name: rows})[0].ravel()
        np.testing.assert_allclose(got, estimator.predict(rows), rtol=1e-6)


def test_m2cgen(rows, regressor):
    m2cgen = pytest.importorskip("m2cgen")
    namespace = {}
    exec(m2cgen.export_to_python(regressor.to_sklearn()), namespace)
    got = [namespace["score"](row) for row in rows.astype(float).tolist()]
    np.testing.assert_allclose(got, regressor.predict(rows), rtol=1e-9)
