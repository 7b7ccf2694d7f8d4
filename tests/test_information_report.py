"""What a tree tells of its information: hand-made values, other trees, and bad input."""

import json
import math

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier as SklearnClassifier

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor, information_report
from treelearn.information import kt_code_length

SMALL_X = np.array([[0.0, 5], [1, 5], [2, 5], [3, 5], [4, 5], [5, 5]])
SMALL_Y = np.array(["a", "a", "a", "b", "b", "a"])


@pytest.fixture(scope="module")
def cancer():
    """Return training and test samples."""
    return train_test_split(*load_breast_cancer(return_X_y=True), random_state=0)


def numbers_of(report):
    return {name: value for name, value in report.items() if name != "held_out_by"}


def test_a_small_tree_by_hand():
    tree = DecisionTreeClassifier(max_depth=1).fit(SMALL_X, SMALL_Y)
    assert tree.tree_.threshold[0] == 2.5
    X_test, y_test = [[0.0, 5], [9, 5]], ["a", "a"]
    report = information_report(tree, SMALL_X, SMALL_Y, X_test=X_test, y_test=y_test)
    before = -(4 * math.log2(4 / 6) + 2 * math.log2(2 / 6)) / 6
    after = -(math.log2(1 / 3) + 2 * math.log2(2 / 3)) / 6
    # Three nodes, one split on one of two features, one of five cuts.
    tree_code = (3 + 1 + math.log2(5)) / 6
    code_after = (kt_code_length([3, 0]) + kt_code_length([1, 2])) / 6
    expected = {
        "n_samples": 6,
        "n_classes": 2,
        "n_leaves": 2,
        "bits_before": before,
        "bits_after": after,
        "mutual_information": before - after,
        "leaf_bits": 1.0,
        "code_before": kt_code_length([4, 2]) / 6,
        "code_after": code_after,
        "tree_code": tree_code,
        "code_total": code_after + tree_code,
        "held_out_before": -math.log2(4.5 / 7),
        "held_out_bits": -(math.log2(3.5 / 4) + math.log2(1.5 / 4)) / 2,
        "held_out_bits_raw": -math.log2(1 / 3) / 2,
        "calibration_error": 0.5 * 0 + 0.5 * (2 / 3),
    }
    assert report.held_out_by == "2 samples of their own"
    assert numbers_of(report) == pytest.approx(expected, rel=1e-12)
    assert list(report) == [*expected, "held_out_by"]


def test_it_is_a_mapping_and_a_table(cancer):
    X, _, y, _ = cancer
    report = information_report(DecisionTreeClassifier(max_depth=2).fit(X, y), X, y)
    assert len(report) == len(dict(report))
    assert report["bits_before"] == report.bits_before
    assert "bits_before" in report and "keys" not in report
    with pytest.raises(KeyError):
        report["keys"]
    assert json.loads(json.dumps(dict(report)))["n_samples"] == len(y)
    text = str(report)
    assert f"{report.bits_before:.4f}" in text and f"{report.code_total:.4f}" in text
    assert "5 folds of a cross-validation" in text and "Calibration error" in text
    assert all(type(value) in (int, float, str) for value in report.values())


def test_what_must_hold(class_table):
    X, y = class_table
    for n_leaves in (2, 5, None):
        tree = DecisionTreeClassifier(criterion="entropy", max_leaf_nodes=n_leaves).fit(X, y)
        report = information_report(tree, X, y)
        told = report.bits_before - report.bits_after
        assert report.mutual_information == pytest.approx(told, abs=1e-12)
        assert 0 <= report.mutual_information <= report.leaf_bits + 1e-12
        assert report.code_before > report.bits_before
        assert report.code_after > report.bits_after
        assert report.code_total == report.code_after + report.tree_code
        assert 0 <= report.calibration_error <= 1
        assert report.held_out_bits < report.held_out_before
    # A tree in bits of entropy stores what is left at its leaves.
    structure = tree.tree_
    leaves = structure.children_left == -1
    left = (structure.impurity * structure.weighted_n_node_samples)[leaves].sum() / len(y)
    assert report.bits_after == pytest.approx(left, abs=1e-12) == 0.0


def test_the_total_finds_the_true_size(rng):
    """Four true leaves: growing on still lowers what the training labels seem to need."""
    X = rng.random((1000, 6))
    shares = np.array([[0.7, 0.2, 0.1], [0.1, 0.7, 0.2], [0.2, 0.1, 0.7], [0.4, 0.3, 0.3]])
    true_leaf = 2 * (X[:, 0] > 0.5) + (X[:, 1] > 0.5)
    y = (rng.random(1000)[:, None] > shares[true_leaf].cumsum(1)).sum(1)
    sizes = (2, 4, 16, 64, 256)
    reports = []
    for size in sizes:
        tree = DecisionTreeClassifier(criterion="entropy", max_leaf_nodes=size).fit(X, y)
        reports.append(information_report(tree, X, y, cv=None))
    after = [report.bits_after for report in reports]
    assert after == sorted(after, reverse=True)
    assert sizes[int(np.argmin([report.code_total for report in reports]))] == 4
    assert math.isnan(reports[0].held_out_bits) and "Calibration" not in str(reports[0])


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, sparse.csc_array])
def test_other_trees_and_containers_tell_the_same(container, cancer):
    X, X_test, y, y_test = cancer
    X, X_test = np.round(X, 1), np.round(X_test, 1)
    ours = DecisionTreeClassifier(max_depth=3).fit(X, y)
    expected = information_report(ours, X, y, X_test=X_test, y_test=y_test)
    tree = DecisionTreeClassifier(max_depth=3).fit(container(X), y)
    found = information_report(
        tree, container(X), list(y), X_test=container(X_test), y_test=list(y_test)
    )
    assert numbers_of(found) == pytest.approx(numbers_of(expected))
    theirs = SklearnClassifier(max_depth=3, random_state=0).fit(container(X), y)
    found = information_report(theirs, container(X), y)
    assert found.bits_before == expected.bits_before
    assert found.held_out_bits > 0


def test_frames_missing_values_and_repeatability():
    pd = pytest.importorskip("pandas", reason="the container that is tested")
    X, y = load_iris(return_X_y=True)
    X[::7, 2] = np.nan
    tree = DecisionTreeClassifier(max_leaf_nodes=4, random_state=0)
    report = information_report(tree.fit(X, y), X, y)
    frame = pd.DataFrame(X, columns=list("abcd"))
    assert dict(information_report(tree.fit(frame, y), frame, pd.Series(y))) == dict(report)
    uses_missing = np.count_nonzero(tree.tree_.feature == 2)
    assert uses_missing
    plain = 7 + 3 * math.log2(4)
    cuts = [len(np.unique(X[~np.isnan(X[:, f]), f])) - 1 for f in range(4)]
    of_cuts = sum(math.log2(cuts[f]) for f in tree.tree_.feature if f >= 0)
    assert report.tree_code * len(y) == pytest.approx(plain + of_cuts + uses_missing)


def test_a_single_leaf_and_a_single_class():
    X = [[0.0], [0.0], [0.0], [0.0], [0.0], [0.0]]
    tree = DecisionTreeClassifier().fit(X, [0, 1, 0, 1, 0, 1])
    report = information_report(tree, X, [0, 1, 0, 1, 0, 1], cv=2)
    assert (report.bits_before, report.bits_after, report.mutual_information) == (1.0, 1.0, 0.0)
    assert (report.n_leaves, report.leaf_bits, report.tree_code) == (1, 0.0, 1 / 6)
    tree = DecisionTreeClassifier().fit(X, [3] * 6)
    report = information_report(tree, X, [3] * 6)
    assert report.bits_before == report.code_before == report.held_out_bits == 0.0
    assert "(0.0 %)" in str(report)


def test_a_class_that_only_the_test_samples_hold():
    tree = DecisionTreeClassifier().fit(SMALL_X, SMALL_Y)
    report = information_report(tree, SMALL_X, SMALL_Y, X_test=SMALL_X[:1], y_test=["c"])
    assert report.held_out_bits_raw == math.inf
    assert math.isfinite(report.held_out_bits)
    assert report.n_classes == 2


@pytest.mark.parametrize(
    ("tree", "arguments", "options", "message"),
    [
        (DecisionTreeRegressor(), (SMALL_X, SMALL_X[:, 0]), {}, "classification tree"),
        (DecisionTreeClassifier(), (SMALL_X, SMALL_Y[:-1]), {}, "inconsistent"),
        (DecisionTreeClassifier(), (SMALL_X, SMALL_Y), {"cv": 1}, "cv"),
        (DecisionTreeClassifier(), (SMALL_X, SMALL_Y), {"cv": 7}, "n_splits=7"),
        (DecisionTreeClassifier(), (SMALL_X, SMALL_Y), {"X_test": SMALL_X}, "together"),
        (DecisionTreeClassifier(), (SMALL_X[:, :1], SMALL_Y), {}, "features"),
        (DecisionTreeClassifier(), (SMALL_X, np.arange(6)), {}, "Mix of label"),
        (DecisionTreeClassifier(), (SMALL_X, np.arange(6) + 0.5), {}, "continuous"),
        (RandomForestClassifier(2), (SMALL_X, SMALL_Y), {}, "one tree"),
    ],
)
def test_bad_input_is_named(tree, arguments, options, message):
    target = SMALL_X[:, 0] if isinstance(tree, DecisionTreeRegressor) else SMALL_Y
    tree.fit(SMALL_X, target)
    with pytest.raises(ValueError, match=message):
        information_report(tree, *arguments, **options)


def test_trees_that_tell_nothing_are_refused():
    with pytest.raises(NotFittedError):
        information_report(DecisionTreeClassifier(), SMALL_X, SMALL_Y)
    two = np.column_stack([SMALL_Y, SMALL_Y])
    with pytest.raises(ValueError, match="one output"):
        information_report(DecisionTreeClassifier().fit(SMALL_X, two), SMALL_X, SMALL_Y)
    with pytest.raises(ValueError, match="classification tree"):
        information_report("tree", SMALL_X, SMALL_Y)
