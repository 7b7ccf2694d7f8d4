"""Inside scikit-learn's machinery, and in the hands of tools that read ``tree_``."""

import numpy as np
import pytest
import sklearn
from sklearn import tree as rival
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score, cross_validate
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor


@pytest.fixture
def classifier(class_table):
    X, y = class_table
    return DecisionTreeClassifier(criterion="renyi", order=0.5, max_depth=4).fit(X, y), X, y


@pytest.fixture
def regressor(diabetes):
    X, y = diabetes
    return DecisionTreeRegressor(max_depth=4).fit(X, y), X, y


# -- scikit-learn ---------------------------------------------------------------------------


def test_pipeline(class_table):
    X, y = class_table
    steps = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=3)).fit(X, y)
    assert steps.score(X, y) > 0.85
    assert steps[-1].get_n_leaves() > 1


def test_grid_search_over_criterion_and_order(class_table):
    X, y = class_table
    grid = [
        {"criterion": ["gini", "entropy", "misclassification"]},
        {"criterion": ["renyi", "tsallis"], "order": [0.5, 1.0, 3.0]},
    ]
    search = GridSearchCV(DecisionTreeClassifier(max_depth=4), grid, cv=3, error_score="raise")
    search.fit(X, y)
    assert len(search.cv_results_["params"]) == 9
    assert search.best_score_ > 0.8
    by_name = {
        str(p): s
        for p, s in zip(
            search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
        )
    }
    shannon = by_name["{'criterion': 'entropy'}"]
    assert by_name["{'criterion': 'renyi', 'order': 1.0}"] == shannon
    assert by_name["{'criterion': 'tsallis', 'order': 1.0}"] == shannon


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_cross_validation_is_as_good_as_scikit_learns(class_table, n_jobs):
    X, y = class_table
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    ours = cross_val_score(DecisionTreeClassifier(), X, y, cv=folds, n_jobs=n_jobs)
    theirs = cross_val_score(rival.DecisionTreeClassifier(random_state=0), X, y, cv=folds)
    assert ours.mean() > theirs.mean() - 0.05


def test_set_output(class_table):
    pandas = pytest.importorskip("pandas")
    X, y = class_table
    chosen = SelectFromModel(DecisionTreeClassifier(max_depth=3)).set_output(transform="pandas")
    frame = chosen.fit_transform(pandas.DataFrame(X).add_prefix("f"), y)
    assert list(frame.columns) == list(chosen.get_feature_names_out())


def test_metadata_routing(class_table):
    X, y = class_table
    w = np.where(y == 0, 3.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        tree = DecisionTreeClassifier(max_depth=2).set_fit_request(sample_weight=True)
        tree.set_score_request(sample_weight=True)
        steps = make_pipeline(tree).fit(X, y, sample_weight=w)
        found = cross_validate(tree, X, y, params={"sample_weight": w}, error_score="raise")
    assert len(found["test_score"]) == 5
    direct = DecisionTreeClassifier(max_depth=2).fit(X, y, sample_weight=w)
    np.testing.assert_array_equal(steps[-1].tree_.value, direct.tree_.value)


def test_ensembles(class_table):
    X, y = class_table
    tree = DecisionTreeClassifier(max_depth=3)
    for ensemble in (
        BaggingClassifier(tree, n_estimators=3, random_state=0),
        AdaBoostClassifier(tree, n_estimators=3, random_state=0),
        CalibratedClassifierCV(tree, cv=3),
        VotingClassifier([("a", tree), ("b", DecisionTreeClassifier(criterion="renyi"))]),
    ):
        assert ensemble.fit(X, y).score(X, y) > 0.8


def test_multi_output_wrapper(diabetes):
    X, y = diabetes
    wrapped = MultiOutputRegressor(DecisionTreeRegressor(max_depth=3)).fit(X, np.c_[y, -y])
    np.testing.assert_allclose(*np.abs(wrapped.predict(X)).T)


def test_categories_through_an_encoder():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"colour": ["red", "blue", "red", "green"] * 5, "size": range(20)})
    encode = make_column_transformer((OneHotEncoder(), ["colour"]), remainder="passthrough")
    steps = make_pipeline(encode, DecisionTreeClassifier())
    y = (frame["colour"] == "red").to_numpy()
    assert steps.fit(frame, y).score(frame, y) == 1.0


def test_permutation_importance(classifier):
    tree, X, y = classifier
    found = permutation_importance(tree, X, y, n_repeats=2, random_state=0)
    assert found.importances_mean.max() > 0.1


def test_partial_dependence(classifier, regressor):
    tree, X, _ = classifier
    assert partial_dependence(tree, X, [0], grid_resolution=5)["average"].shape[-1] == 5
    tree, X, _ = regressor
    fast = partial_dependence(tree, X, [2], method="recursion", grid_resolution=5)["average"]
    # Recursion weighs branches by training rows, brute force replaces a column of them.
    slow = partial_dependence(tree, X, [2], method="brute", grid_resolution=5)["average"]
    np.testing.assert_allclose(fast, slow, rtol=0.1)


def test_export(classifier):
    tree, _, _ = classifier
    text = rival.export_text(tree)
    assert text.count("class:") == tree.get_n_leaves()
    dot = rival.export_graphviz(tree, impurity=True, proportion=True)
    assert dot.count(" -> ") == tree.tree_.node_count - 1


def test_plot_tree(classifier, regressor):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for tree, _, _ in (classifier, regressor):
        figure, axes = plt.subplots()
        drawn = rival.plot_tree(tree, ax=axes, filled=True)
        assert len(drawn) >= tree.tree_.node_count
        plt.close(figure)


# -- other tools ----------------------------------------------------------------------------


def test_to_sklearn(classifier, regressor, rng):
    for tree, X, _ in (classifier, regressor):
        other = tree.to_sklearn()
        assert type(other).__module__.startswith("sklearn.")
        unseen = X[rng.permutation(len(X))][:50] * rng.uniform(0.9, 1.1, (50, X.shape[1]))
        unseen = unseen.astype(np.float32).astype(np.float64)
        np.testing.assert_array_equal(tree.predict(unseen), other.predict(unseen))
        np.testing.assert_array_equal(tree.apply(unseen), other.apply(unseen))
        np.testing.assert_allclose(tree.feature_importances_, other.feature_importances_)
        if hasattr(tree, "predict_proba"):
            np.testing.assert_allclose(tree.predict_proba(unseen), other.predict_proba(unseen))
            np.testing.assert_array_equal(tree.classes_, other.classes_)


def test_to_sklearn_of_many_outputs_and_text_labels(class_table):
    X, y = class_table
    names = np.array(["a", "b", "c"])[y]
    both = DecisionTreeClassifier(max_depth=3).fit(X, np.column_stack([names, names[::-1]]))
    np.testing.assert_array_equal(both.predict(X), both.to_sklearn().predict(X))
    named = DecisionTreeClassifier(max_depth=3).fit(X, names)
    np.testing.assert_array_equal(named.predict(X), named.to_sklearn().predict(X))


@pytest.mark.filterwarnings("ignore")
def test_shap(classifier, regressor):
    shap = pytest.importorskip("shap")
    for tree, X, _ in (classifier, regressor):
        explainer = shap.TreeExplainer(tree)
        values = np.asarray(explainer.shap_values(X[:20]))
        total = values.sum(axis=1) + np.asarray(explainer.expected_value)
        predict = tree.predict_proba if hasattr(tree, "predict_proba") else tree.predict
        np.testing.assert_allclose(total, predict(X[:20]), atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_dtreeviz(classifier):
    dtreeviz = pytest.importorskip("dtreeviz")
    tree, X, y = classifier
    names = [f"f{i}" for i in range(X.shape[1])]
    shown = dtreeviz.model(tree, X, y, feature_names=names, class_names=["a", "b", "c"])
    assert shown.explain_prediction_path(X[0])


@pytest.mark.filterwarnings("ignore")
def test_treelite(classifier):
    treelite = pytest.importorskip("treelite")
    tree, X, y = classifier
    # It reads forests only: a forest of one tree.
    forest = RandomForestClassifier(n_estimators=1, bootstrap=False).fit(X, y)
    forest.estimators_ = [tree.to_sklearn()]
    model = treelite.sklearn.import_model(forest)
    found = treelite.gtil.predict(model, X.astype(np.float32)).reshape(len(X), -1)
    expected = tree.predict_proba(X.astype(np.float32))[:, -found.shape[1] :]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_skl2onnx(classifier):
    skl2onnx = pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    tree, X, _ = classifier
    X = X.astype(np.float32)
    model = skl2onnx.to_onnx(tree.to_sklearn(), X[:1])
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found = session.run(None, {session.get_inputs()[0].name: X})[0]
    np.testing.assert_array_equal(found, tree.predict(X))


@pytest.mark.filterwarnings("ignore")
def test_m2cgen(regressor):
    m2cgen = pytest.importorskip("m2cgen")
    tree, X, _ = regressor
    scope = {}
    exec(m2cgen.export_to_python(tree.to_sklearn()), scope)
    X = X.astype(np.float32)
    np.testing.assert_allclose([scope["score"](row) for row in X[:40]], tree.predict(X[:40]))
