"""The comparison of criteria: folds, scores against hand-made values, tests, and bad input."""

import math

import numpy as np
import pytest
from scipy import sparse, stats
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import RepeatedStratifiedKFold

from treelearn import DecisionTreeClassifier, compare_criteria
from treelearn._scores import METRICS, classification_scores, fitted_tree
from treelearn._significance import corrected_t_test, difference, holm


@pytest.fixture(scope="module")
def iris():
    """Return X and y of iris."""
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def iris_result(iris):
    """Return the default comparison of iris, with few repeats."""
    return compare_criteria(*iris, n_repeats=2)


def test_rows_and_folds(iris_result):
    names = ["gini", "entropy", "renyi:0.5", "renyi:2", "tsallis:1.5"]
    assert iris_result.criteria == names
    assert [row["order"] for row in iris_result.rows] == [None, None, 0.5, 2.0, 1.5]
    assert len(iris_result.folds) == 5 * 2 * 5
    for row in iris_result.rows:
        folds = [fold for fold in iris_result.folds if fold["criterion"] == row["criterion"]]
        assert [(fold["repeat"], fold["fold"]) for fold in folds] == [
            (repeat, fold) for repeat in range(2) for fold in range(5)
        ]
        for key in ("accuracy", "log_loss_bits", "n_leaves", "depth", "fit_seconds"):
            values = [fold[key] for fold in folds]
            assert row[key] == pytest.approx(np.mean(values))
            assert row[f"{key}_sd"] == pytest.approx(np.std(values, ddof=1))
    assert len(iris_result.comparisons) == len(METRICS["classification"]) * math.comb(5, 2)


def test_result_becomes_a_frame(iris_result):
    pd = pytest.importorskip("pandas")
    frame = iris_result.to_frame()
    assert list(frame.criterion) == iris_result.criteria
    assert frame.equals(pd.DataFrame(iris_result.rows))
    assert len(pd.DataFrame(iris_result.folds)) == 50


def test_scores_agree_with_scikit_learn(iris):
    X, y = iris
    result = compare_criteria(X, y, "entropy", cv=3, n_repeats=2, random_state=4)
    seed = int(np.random.RandomState(4).randint(2**31 - 1))
    splits = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=seed).split(X, y)
    for fold, (train, test) in zip(result.folds, splits, strict=True):
        tree = DecisionTreeClassifier(criterion="entropy", random_state=seed)
        predicted = tree.fit(X[train], y[train]).predict(X[test])
        assert fold["accuracy"] == pytest.approx(accuracy_score(y[test], predicted))
        assert fold["balanced_accuracy"] == pytest.approx(
            balanced_accuracy_score(y[test], predicted)
        )
        assert fold["n_leaves"] == tree.get_n_leaves()
        assert fold["depth"] == tree.get_depth()


def scores_of(samples, n_classes):
    """Return the scores of a tree of Gini."""
    tree, _ = fitted_tree("classification", "gini", {}, *samples[:2])
    return classification_scores(tree, n_classes, samples)


def test_log_loss_is_that_of_the_smoothed_leaf():
    X = np.array([[0.0], [0.0], [1.0]])
    samples = X, np.array([0, 0, 1]), np.array([[0.0], [1.0]]), np.array([0, 1])
    found = scores_of(samples, 2)
    # Shares of the training set with one more sample: 2.5 / 4 and 1.5 / 4.
    expected = -(math.log2((2 + 0.625) / 3) + math.log2((1 + 0.375) / 2)) / 2
    assert found["log_loss_bits"] == pytest.approx(expected)
    assert found["calibration_error"] == 0.0


def test_a_class_that_training_lacks_costs_finitely_many_bits():
    X = np.array([[0.0], [0.0], [1.0]])
    samples = X, np.array([0, 0, 2]), np.array([[0.0], [1.0]]), np.array([1, 2])
    found = scores_of(samples, 3)
    p = (1 / 3) / 4 / 3, (1 + (1 + 1 / 3) / 4) / 2
    assert found["log_loss_bits"] == pytest.approx(-(math.log2(p[0]) + math.log2(p[1])) / 2)
    assert found["accuracy"] == 0.5
    assert found["balanced_accuracy"] == 0.5


def test_corrected_t_test():
    differences = np.array([0.02, 0.05, -0.01, 0.03, 0.04, 0.01])
    t = differences.mean() / math.sqrt((1 / 6 + 1 / 2) * differences.var(ddof=1))
    assert corrected_t_test(differences, 1 / 2) == pytest.approx(2 * stats.t.sf(t, 5))
    assert corrected_t_test(-differences, 1 / 2) == pytest.approx(2 * stats.t.sf(t, 5))
    assert corrected_t_test(np.zeros(6), 1 / 2) == 1.0
    assert corrected_t_test(np.full(6, 0.1), 1 / 2) == 2.0**-5


def test_differences_of_rounding_are_none():
    found = difference(np.array([1.0, 1.0]), np.array([1.0 + 1e-15, 0.5]))
    np.testing.assert_array_equal(found, [0.0, 0.5])


def test_holm():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]


def test_equal_trees_are_ties():
    X, y = load_breast_cancer(return_X_y=True)
    result = compare_criteria(X, y, ["gini", "tsallis:2"], n_repeats=1, max_depth=3)
    assert {row["p_adjusted"] for row in result.comparisons} == {1.0}
    assert str(result).startswith("Ties in accuracy, balanced accuracy, log-loss, Brier score")


def test_a_real_difference_is_found_and_said(rng):
    # The mean of min-entropies has no cut of positive gain here and stays at the root.
    X = rng.uniform(size=(300, 1))
    y = ((X[:, 0] > 1 / 3) & (X[:, 0] < 2 / 3)).astype(int)
    result = compare_criteria(X, y, ["gini", "renyi_mean:inf", "entropy"], n_repeats=2)
    accuracy = {
        (row["first"], row["second"]): row["is_tie"]
        for row in result.comparisons
        if row["metric"] == "accuracy"
    }
    assert accuracy == {
        ("gini", "renyi_mean:inf"): False,
        ("gini", "entropy"): True,
        ("renyi_mean:inf", "entropy"): False,
    }
    assert "by more than noise against renyi_mean:inf (" in result.summary
    assert "; a tie with entropy (" in result.summary
    # The estimator's warning of the bound is noted once, not once a fold.
    assert sum("renyi_mean" in note for note in result.notes) == 1


def test_regression():
    X, y = load_diabetes(return_X_y=True)
    result = compare_criteria(X, y, max_depth=3, n_repeats=1)
    assert result.task == "regression"
    assert result.criteria == ["squared_error", "absolute_error", "poisson", "gaussian_entropy"]
    assert 0.2 < result.rows[0]["r2"] < 0.5
    result = compare_criteria(X, y - y.mean(), max_depth=1, n_repeats=1)
    assert "poisson" not in result.criteria
    assert "poisson is left out" in result.notes[0]


def test_number_of_repeats_follows_the_rows(rng):
    X, y = np.zeros((30_000, 1)), rng.integers(0, 2, 30_000)
    assert compare_criteria(X, y, "gini", cv=2).n_repeats == 3
    assert compare_criteria(X[:50], y[:50], "gini", cv=2).n_repeats == 10


def test_same_seed_same_result(iris):
    def scores(**kwargs):
        folds = compare_criteria(*iris, ["gini", "renyi:0.5"], n_repeats=1, **kwargs).folds
        return [{k: v for k, v in fold.items() if not k.endswith("_seconds")} for fold in folds]

    assert scores() == scores(n_jobs=2)
    assert scores() != scores(random_state=1)


def test_frames_text_labels_and_missing_targets():
    pd = pytest.importorskip("pandas")
    n = 60
    frame = pd.DataFrame({"colour": ["red", "green", None] * 20, "gone": [None] * n, "one": 1})
    y = pd.Series(["warm", "cold", "cold"] * 20)
    y[0] = None
    result = compare_criteria(frame, y, ["gini"], cv=3, n_repeats=1)
    assert result.n_samples == n - 1
    assert result.rows[0]["accuracy"] == 1.0
    assert result.notes == [
        "Text and categories became ordinal codes: colour.",
        "Rows without a target, left out: 1.",
    ]


def test_sparse_input_and_missing_values(iris):
    X, y = iris
    dense = compare_criteria(X, y, "gini", cv=3, n_repeats=1)
    thin = compare_criteria(sparse.csr_matrix(X), y, "gini", cv=3, n_repeats=1)
    assert thin.rows[0]["accuracy"] == dense.rows[0]["accuracy"]
    X = X.copy()
    X[::7, 2] = np.nan
    assert compare_criteria(X, y, "gini", cv=3, n_repeats=1).rows[0]["accuracy"] > 0.8


def test_rare_classes_are_kept_and_noted():
    X = np.arange(40.0)[:, None]
    y = np.array(["rare"] + ["a"] * 20 + ["b"] * 19)
    result = compare_criteria(X, y, ["gini"], n_repeats=1)
    assert result.n_classes == 3
    assert "fewer rows than there are folds (5)" in result.notes[0]
    assert "rare" in result.notes[0]
    assert all(math.isfinite(fold["log_loss_bits"]) for fold in result.folds)


def test_whole_numbers_may_be_either(rng):
    X, y = rng.normal(size=(100, 2)), np.arange(100) % 5
    either = {"n_repeats": 1, "max_depth": 1}
    result = compare_criteria(X, y, **either)
    assert result.task == "classification"
    assert "5 distinct whole numbers" in result.notes[0]
    assert compare_criteria(X, y, ["squared_error"], **either).task == "regression"
    assert compare_criteria(X, y, task="regression", **either).task == "regression"
    assert compare_criteria(X, np.arange(100), **either).task == "regression"
    assert compare_criteria(X, y + 0.5, **either).task == "regression"
    assert compare_criteria(X, y > 2, **either).task == "classification"


def test_orders_are_written_out_and_criteria_taken_once(iris):
    names = ["renyi", "renyi:2.0", "gini", "gini", "renyi:inf"]
    assert compare_criteria(*iris, names, n_repeats=1).criteria == ["renyi:2", "gini", "renyi:inf"]


def test_progress_is_reported(iris):
    calls = []
    compare_criteria(
        *iris, ["gini", "entropy"], cv=2, n_repeats=1, progress=lambda *done: calls.append(done)
    )
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


CLASSES = np.arange(20) % 2
NUMBERS = np.arange(20) / 7


@pytest.mark.parametrize(
    ("y", "options", "reason"),
    [
        (CLASSES, {"criteria": ["ginny"]}, "Unknown criterion 'ginny'"),
        (CLASSES, {"criteria": ["renyi:0"]}, "order"),
        (CLASSES, {"criteria": []}, "No criteria"),
        (CLASSES, {"criteria": ["gini", "poisson"]}, "cannot be compared"),
        (CLASSES, {"criteria": ["gini"], "task": "regression"}, "gini is no criterion for reg"),
        (CLASSES, {"task": "ranking"}, "must be 'classification' or 'regression'"),
        (CLASSES, {"cv": 1}, "cv == 1"),
        (CLASSES, {"cv": 21}, "20 rows with a target are fewer than 21 folds"),
        (CLASSES, {"cv": 11}, "none has as many rows"),
        (CLASSES, {"n_repeats": 0}, "n_repeats == 0"),
        (CLASSES, {"max_depth": 0}, "max_depth"),
        (CLASSES[:-1], {}, "20 rows and the target has 19"),
        (np.zeros(20, dtype=int), {}, "one class only"),
        ([f"id{i}" for i in range(20)], {}, "20 classes in 20 rows"),
        (["a", "b"] * 10, {"criteria": ["squared_error"]}, "classes, not numbers"),
        (["a", "b"] * 10, {"task": "regression"}, "classes, not numbers"),
        (NUMBERS, {"criteria": ["gini"]}, "numbers with fractions"),
        (NUMBERS, {"cv": 11}, "fewer than two for each of 11 folds"),
        (NUMBERS - 1, {"criteria": ["poisson"]}, "never negative"),
        (np.full(20, 0.5), {}, "0.5 everywhere"),
        (np.append(NUMBERS[:-1], np.inf), {}, "infinite"),
        ([None] * 20, {}, "0 rows|0 sample"),
    ],
)
def test_bad_input_is_refused(y, options, reason):
    with pytest.raises(ValueError, match=reason):
        compare_criteria(np.arange(20.0)[:, None], y, **{"n_repeats": 1, **options})


def test_infinite_features_are_refused():
    X = np.arange(20.0)[:, None]
    X[3] = np.inf
    with pytest.raises(ValueError, match="Input X contains infinity"):
        compare_criteria(X, CLASSES)
