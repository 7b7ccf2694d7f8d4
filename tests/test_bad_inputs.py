"""Bad input is refused before any work, in scikit-learn's words where it has them."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError
from sklearn.tree import DecisionTreeClassifier as Rival

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

ESTIMATORS = [DecisionTreeClassifier, DecisionTreeRegressor]
X = np.arange(12.0).reshape(6, 2)
Y = np.array([0, 1, 0, 1, 0, 1])


def _refused_alike(X, y, sample_weight=None, **rules):
    """Both refuse; ours with the words of scikit-learn's first sentence."""
    with pytest.raises(ValueError) as theirs:
        Rival(**rules).fit(X, y, sample_weight)
    with pytest.raises(ValueError) as ours:
        DecisionTreeClassifier(**rules).fit(X, y, sample_weight)
    expected = str(theirs.value).split(". ")[0].split("\n")[0]
    assert expected.replace("float32", "float64") in str(ours.value).replace("float32", "float64")


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.arange(6.0), Y),
        (X[None], Y),
        (X[:5], Y),
        (X[:0], Y[:0]),
        (X[:, :0], Y),
        (X, None),
        (X, np.array([0.5, 1.5, 2.5, 0.1, 0.2, 0.3])),
        (X, np.array([0.0, 1.0, np.nan, 0.0, 1.0, 0.0])),
        (X, np.array([0.0, 1.0, np.inf, 0.0, 1.0, 0.0])),
        (X + 1j, Y),
        (np.where(X == 3.0, np.inf, X), Y),
        (np.where(X == 3.0, -np.inf, X), Y),
        (np.array([["1", "red"]] * 6, dtype=object), Y),
        (sp.csc_array(np.where(X == 3.0, np.nan, X)), Y),
        (sp.csr_array(np.where(X == 3.0, np.inf, X)), Y),
    ],
    ids=[
        "one dimension",
        "three dimensions",
        "lengths",
        "no rows",
        "no features",
        "no target",
        "continuous target",
        "NaN in y",
        "infinite y",
        "complex",
        "inf",
        "-inf",
        "object that is no number",
        "sparse NaN",
        "sparse inf",
    ],
)
def test_tables(X, y):
    _refused_alike(X, y)


@pytest.mark.parametrize("dtype", [None, object, "S1"])
def test_text(dtype):
    table = np.array([["a", "b"]] * 6, dtype=dtype)
    for given in (table, table.tolist()):
        with pytest.raises(ValueError, match="string"):
            DecisionTreeClassifier().fit(given, Y)


@pytest.mark.parametrize(
    "weights",
    [np.ones(5), np.ones((6, 1)), [np.nan] * 6, [np.inf] * 6, ["a"] * 6],
    ids=["length", "two dimensions", "NaN", "inf", "text"],
)
def test_weights(weights):
    _refused_alike(X, Y, weights)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_negative_weights(estimator):
    w = np.ones(6)
    w[2] = -1e-9
    with pytest.raises(ValueError, match="[Nn]egative values in data passed to.*sample_weight"):
        estimator().fit(X, Y, w)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_all_zero_weights(estimator):
    with pytest.raises(ValueError, match="[Ss]ample weights? .*zero|zero.*[Ss]ample.weight"):
        estimator().fit(X, Y, np.zeros(6))


@pytest.mark.parametrize(
    "rules",
    [
        {"criterion": "no such"},
        {"criterion": "squared_error"},
        {"criterion": 3},
        {"splitter": "no such"},
        {"max_depth": 0},
        {"max_depth": -1},
        {"max_depth": 2.5},
        {"min_samples_split": 1},
        {"min_samples_split": 1.5},
        {"min_samples_leaf": 0},
        {"min_samples_leaf": 1.5},
        {"min_weight_fraction_leaf": 0.6},
        {"min_weight_fraction_leaf": -0.1},
        {"max_features": 0},
        {"max_features": 1.5},
        {"max_features": "no such"},
        {"max_leaf_nodes": 1},
        {"min_impurity_decrease": -1.0},
        {"ccp_alpha": -1.0},
        {"class_weight": "no such"},
        {"class_weight": [1, 2]},
        {"monotonic_cst": [1, 0, 0]},
        {"monotonic_cst": [2, 0]},
        {"random_state": "no such"},
    ],
    ids=str,
)
def test_parameters(rules):
    """The set of known criteria differs, so that only the start of that sentence is compared."""
    if "criterion" not in rules:
        _refused_alike(X, Y, **rules)
        return
    with pytest.raises(ValueError, match="The 'criterion' parameter of DecisionTreeClassifier"):
        DecisionTreeClassifier(**rules).fit(X, Y)


def test_unknown_criterion_of_a_regressor():
    with pytest.raises(ValueError, match="The 'criterion' parameter of DecisionTreeRegressor"):
        DecisionTreeRegressor(criterion="gini").fit(X, Y)


@pytest.mark.parametrize("criterion", ["renyi", "renyi_mean", "tsallis"])
@pytest.mark.parametrize("order", [0.0, -1.0, np.nan, -np.inf, "2", None], ids=str)
def test_order_out_of_range(criterion, order):
    tree = DecisionTreeClassifier(criterion=criterion, order=order)
    with pytest.raises(ValueError, match="The 'order' parameter"):
        tree.fit(X, Y)
    assert not hasattr(tree, "tree_")


def test_infinite_order():
    with pytest.raises(ValueError, match="The 'order' parameter"):
        DecisionTreeClassifier(criterion="tsallis", order=np.inf).fit(X, Y)
    DecisionTreeClassifier(criterion="renyi", order=np.inf, max_depth=1).fit(X, Y)
    with pytest.warns(UserWarning, match="renyi_mean"):
        DecisionTreeClassifier(criterion="renyi_mean", order=np.inf, max_depth=1).fit(X, Y)


@pytest.mark.parametrize("order", [2, np.float32(0.5), np.int64(3)], ids=repr)
def test_order_of_any_number_type(order):
    DecisionTreeClassifier(criterion="renyi", order=order).fit(X, Y)


def test_renyi_mean_warns_above_its_bound():
    three = np.array([0, 1, 2, 0, 1, 2])
    with pytest.warns(UserWarning, match=r"renyi_mean.*1\.809"):
        DecisionTreeClassifier(criterion="renyi_mean", order=2.0, max_depth=1).fit(X, three)
    with pytest.warns(UserWarning, match="renyi_mean"):
        DecisionTreeClassifier(criterion="renyi_mean", order=2.1, max_depth=1).fit(X, Y)
    # Warnings are errors here: two classes are concave up to 2, three up to 1.809.
    DecisionTreeClassifier(criterion="renyi_mean", order=2.0, max_depth=1).fit(X, Y)
    DecisionTreeClassifier(criterion="renyi_mean", order=1.8, max_depth=1).fit(X, three)


@pytest.mark.parametrize("n_jobs", [0, 1.5, "two"], ids=str)
def test_n_jobs(n_jobs):
    with pytest.raises((ValueError, TypeError), match="n_jobs"):
        DecisionTreeClassifier(n_jobs=n_jobs).fit(X, Y)


@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1, -2, 1000])
def test_n_jobs_that_is_fine(n_jobs):
    DecisionTreeClassifier(n_jobs=n_jobs).fit(X, Y)


@pytest.mark.parametrize("y", [[-1.0, 1, 2, 3, 4, 5], [0.0] * 6], ids=["negative", "zero"])
def test_targets_of_poisson(y):
    with pytest.raises(ValueError, match="Poisson regression"):
        DecisionTreeRegressor(criterion="poisson").fit(X, y)


@pytest.mark.parametrize("y", [np.nan, np.inf])
def test_targets_that_are_not_finite(y):
    with pytest.raises(ValueError, match="y contains"):
        DecisionTreeRegressor().fit(X, [0.0, 1.0, 2.0, 3.0, 4.0, y])


def test_monotone_constraints_that_cannot_be():
    for y, message in (
        (np.array([0, 1, 2, 0, 1, 2]), "multiclass"),
        (np.column_stack([Y, Y]), "multiple outputs"),
    ):
        with pytest.raises(ValueError, match=message):
            DecisionTreeClassifier(monotonic_cst=[1, 0]).fit(X, y)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("method", ["predict", "apply", "decision_path"])
class TestPredict:
    """Bad input of a fitted or unfitted tree."""

    def test_not_fitted(self, estimator, method):
        with pytest.raises(NotFittedError):
            getattr(estimator(), method)(X)

    @pytest.mark.parametrize("n_features", [1, 3])
    def test_wrong_number_of_features(self, estimator, method, n_features):
        tree = estimator().fit(X, Y)
        words = f"X has {n_features} features.*is expecting 2 features"
        for other in (np.ones((2, n_features)), sp.csr_array(np.ones((2, n_features)))):
            with pytest.raises(ValueError, match=words):
                getattr(tree, method)(other)
        with pytest.raises(ValueError, match=words):
            getattr(tree, method)(np.ones((2, n_features)), check_input=False)

    def test_infinite_values(self, estimator, method):
        tree = estimator().fit(X, Y)
        with pytest.raises(ValueError, match="infinity"):
            getattr(tree, method)([[0.0, np.inf]])

    def test_no_rows(self, estimator, method):
        tree = estimator().fit(X, Y)
        with pytest.raises(ValueError, match="0 sample"):
            getattr(tree, method)(X[:0])

    def test_one_dimension(self, estimator, method):
        tree = estimator().fit(X, Y)
        with pytest.raises(ValueError, match="2D array"):
            getattr(tree, method)(X[0])

    def test_sparse_missing_values(self, estimator, method):
        tree = estimator().fit(X, Y)
        with pytest.raises(ValueError, match="NaN"):
            getattr(tree, method)(sp.csr_array([[np.nan, 1.0]]))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_failed_fit_leaves_a_fitted_tree_as_it_was(estimator):
    tree = estimator().fit(X, Y)
    before = tree.predict(X)
    for bad in (np.where(X == 3.0, np.inf, X), X[:5], X[:, :0]):
        with pytest.raises(ValueError):
            tree.fit(bad, Y)
    np.testing.assert_array_equal(tree.predict(X), before)


def test_a_value_that_equals_a_good_one_may_be_bad():
    for _ in range(2):
        DecisionTreeRegressor(min_samples_leaf=1).fit([[0.0], [1.0]], [0.0, 1.0])
        with pytest.raises(ValueError, match="'min_samples_leaf' parameter"):
            DecisionTreeRegressor(min_samples_leaf=1.0).fit([[0.0], [1.0]], [0.0, 1.0])
