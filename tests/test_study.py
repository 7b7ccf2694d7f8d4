"""Studies: splitters, nested choice, processes, fits that are stored and taken over."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    RepeatedStratifiedKFold,
    TimeSeriesSplit,
)

from treelearn import DecisionTreeClassifier, compare_criteria
from treelearn._scores import METRICS
from treelearn._study import FitStore, folds_of
from treelearn.laboratory import DEFAULT_GRID, CriteriaStudy, criteria_of_orders

NAMES = ["gini", "renyi:0.5"]


@pytest.fixture(scope="module")
def iris():
    """Return X and y of iris."""
    return load_iris(return_X_y=True)


def scores(result):
    """Return the rows of the folds without what the clock says."""
    return [{k: v for k, v in row.items() if not k.endswith("_seconds")} for row in result.folds]


def test_a_splitter_of_scikit_learn(iris):
    splitter = RepeatedStratifiedKFold(n_splits=4, n_repeats=2, random_state=1)
    result = compare_criteria(*iris, NAMES, cv=splitter)
    assert (result.cv, result.n_repeats) == (8, 1)
    assert result.settings["splitter"].startswith("RepeatedStratifiedKFold(")
    assert result.settings["test_to_train"] == pytest.approx(1 / 3, abs=0.01)
    assert [row["fold"] for row in result.folds[::2]] == list(range(8))


def test_groups_stay_together(iris):
    X, y = iris
    groups = np.arange(150) % 6
    folds = folds_of(X, y, groups, "classification", GroupKFold(3), 1, 0)
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
    result = compare_criteria(X, y, NAMES, cv=LeaveOneGroupOut(), groups=groups)
    assert result.cv == 6


def test_groups_of_samples_without_a_target_are_left_out(iris):
    X, y = iris
    y = y.astype(float)
    y[::10] = np.nan
    groups = np.arange(150) % 5
    result = compare_criteria(X, y, NAMES, cv=GroupKFold(3), groups=groups)
    assert result.n_samples == 135


def test_time_is_not_turned_back():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 3)), rng.integers(0, 2, 120)
    folds = folds_of(X, y, None, "classification", TimeSeriesSplit(4), 1, 0)
    assert all(train.max() < test.min() for train, test in folds)
    result = compare_criteria(X, y, NAMES, cv=TimeSeriesSplit(4))
    # Training parts grow: the correction takes the mean share.
    share = np.mean([len(test) / len(train) for train, test in folds])
    assert result.settings["test_to_train"] == pytest.approx(share)


def test_nested_choice_is_that_of_grid_search(iris):
    X, y = iris
    grid = {"max_depth": [1, 2, 4], "min_samples_leaf": [1, 20], "order": [0.5, 2.0]}
    result = compare_criteria(X, y, ["gini", "renyi"], cv=3, n_repeats=1, grid=grid)
    assert result.criteria == ["gini", "renyi"]
    seed = result.settings["seed"]
    splits = RepeatedStratifiedKFold(n_splits=3, n_repeats=1, random_state=seed).split(X, y)
    for i, (train, test) in enumerate(splits):
        search = GridSearchCV(
            DecisionTreeClassifier(criterion="renyi", random_state=seed), grid, cv=3
        ).fit(X[train], y[train])
        row = result.folds[2 * i + 1]
        assert row["chosen"] == search.best_params_
        assert row["accuracy"] == search.score(X[test], y[test])
        # Gini has no order to choose.
        assert set(result.folds[2 * i]["chosen"]) == {"max_depth", "min_samples_leaf"}


def test_an_order_that_is_given_is_not_chosen(iris):
    grid = {"order": [0.5, 4.0], "max_depth": [2]}
    result = compare_criteria(*iris, ["renyi:3"], cv=2, n_repeats=1, grid=grid)
    assert result.rows[0]["order"] == 3.0
    assert result.folds[0]["chosen"] == {"max_depth": 2}


def test_a_depth_that_is_given_is_not_chosen(iris):
    result = compare_criteria(*iris, ["gini"], cv=2, n_repeats=1, grid=DEFAULT_GRID, max_depth=1)
    assert {row["depth"] for row in result.folds} == {1}


def test_a_training_part_of_one_class():
    X, y = np.arange(60.0)[:, None], np.arange(60) // 30
    grid = {"max_depth": [1, 2]}
    result = compare_criteria(X, y, NAMES, cv=TimeSeriesSplit(3), grid=grid, inner_cv=2)
    assert result.folds[0]["n_leaves"] == 1
    assert all(np.isfinite(row["log_loss_bits"]) for row in result.folds)


def test_single_test_samples_have_no_r2(diabetes):
    X, y = diabetes
    with pytest.raises(ValueError, match="R2 needs two test samples"):
        compare_criteria(X[:20], y[:20], cv=LeaveOneOut(), task="regression")


def test_nested_choice_in_regression(diabetes):
    grid = {"max_depth": [1, 3]}
    result = compare_criteria(*diabetes, ["squared_error"], cv=2, n_repeats=1, grid=grid)
    assert result.folds[0]["chosen"] in ({"max_depth": 1}, {"max_depth": 3})


def test_inner_folds_keep_groups_together():
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(20), 10)
    y = rng.integers(0, 2, 20)[groups]
    # The group gives the class away, but no other group does: only leaking folds like depth.
    X = groups[:, None] + rng.normal(0, 0.01, (200, 1))
    grid = {"max_depth": [1, 8]}
    result = compare_criteria(X, y, ["gini"], cv=GroupKFold(5), groups=groups, grid=grid)
    assert result.rows[0]["accuracy"] < 0.9


def test_processes_find_the_same(iris):
    alone = compare_criteria(*iris, NAMES, cv=4, n_repeats=1)
    together = compare_criteria(*iris, NAMES, cv=4, n_repeats=1, n_jobs=2)
    assert scores(alone) == scores(together)
    with pytest.raises(ValueError, match="n_jobs == 0"):
        compare_criteria(*iris, NAMES, n_jobs=0)


class Stopped(Exception):
    """Raised in the middle of a study."""


def stop_after(n_fits):
    """Return a progress function that stops the study."""

    def progress(n_done, n_all):
        if n_done == n_fits:
            raise Stopped

    return progress


@pytest.mark.parametrize("n_done", [1, 5, 13])
def test_a_stopped_study_goes_on(tmp_path, iris, n_done):
    path = tmp_path / "study.jsonl"
    options = {"cv": 4, "n_repeats": 2, "store": path}
    whole = compare_criteria(*iris, NAMES, cv=4, n_repeats=2)
    with pytest.raises(Stopped):
        compare_criteria(*iris, NAMES, **options, progress=stop_after(n_done))
    assert len(path.read_text().splitlines()) == 1 + n_done
    calls = []
    rest = compare_criteria(*iris, NAMES, **options, progress=lambda *done: calls.append(done))
    assert calls == [(n, 16) for n in range(n_done, 17)]
    assert scores(rest) == scores(whole)
    assert rest.notes == whole.notes
    # Nothing is left to do, and even the times are those that were written down.
    again = compare_criteria(*iris, NAMES, **options)
    assert again.folds == rest.folds
    assert again.to_dict() == rest.to_dict()


def test_what_a_stopped_process_was_writing_is_written_over(tmp_path, iris):
    path = tmp_path / "study.jsonl"
    options = {"cv": 3, "n_repeats": 1, "store": path}
    whole = compare_criteria(*iris, NAMES, **options)
    lines = path.read_bytes().splitlines(keepends=True)
    for cut in (lines[:3] + [lines[3][:20]], [lines[0][:7]], []):
        path.write_bytes(b"".join(cut))
        if cut == [lines[0][:7]]:
            with pytest.raises(ValueError, match="no study"):
                compare_criteria(*iris, NAMES, **options)
            continue
        assert scores(compare_criteria(*iris, NAMES, **options)) == scores(whole)
        assert len(path.read_bytes().splitlines()) == 7


def test_other_settings_and_data_are_other_fits(tmp_path, iris):
    X, y = iris
    path = tmp_path / "study.jsonl"

    def n_new(X=X, y=y, names=("gini",), **options):
        before = len(path.read_text().splitlines()) if path.exists() else 1
        compare_criteria(X, y, names, **{"cv": 2, "n_repeats": 1, **options}, store=path)
        return len(path.read_text().splitlines()) - before

    assert n_new() == 2
    assert n_new() == 0
    assert n_new(n_jobs=1) == 0
    assert n_new(names=["gini", "entropy"]) == 2
    assert n_new(max_depth=2) == 2
    assert n_new(random_state=1) == 2
    assert n_new(grid={"max_depth": [1, 2]}) == 2
    assert n_new(X=X + 1) == 2
    assert n_new(n_repeats=2) == 2
    assert n_new() == 0


@pytest.mark.parametrize(
    "content", ["a,b\n1,2\n", '{"x": 1}\n', "[1]\n", '{"treelearn_study": 1}\nnonsense\n']
)
def test_a_store_that_is_something_else_is_left_alone(tmp_path, iris, content):
    path = tmp_path / "data.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match="no study that treelearn has written"):
        compare_criteria(*iris, NAMES, store=path)
    assert path.read_text() == content


def test_warnings_are_stored_too(tmp_path, iris):
    options = {"cv": 2, "n_repeats": 1, "store": tmp_path / "s.jsonl"}
    first = compare_criteria(*iris, ["renyi_mean:9"], **options)
    again = compare_criteria(*iris, ["renyi_mean:9"], **options)
    assert "renyi_mean" in first.notes[0]
    assert again.notes == first.notes


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_ctrl_c_leaves_what_is_done(tmp_path, n_jobs):
    path = tmp_path / "study.jsonl"
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from sklearn.datasets import load_wine\n"
        "from treelearn import compare_criteria\n"
        f"compare_criteria(*load_wine(return_X_y=True), ['gini'], n_repeats=300, "
        f"store={str(path)!r}, n_jobs={n_jobs})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_bytes().count(b"\n") > 5):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    stderr = process.communicate(timeout=60)[1]
    assert b"KeyboardInterrupt" in stderr
    store = FitStore(path)
    assert len(store.found) >= 5
    assert all("accuracy" in row for row in store.found.values())


def test_brier_score_is_that_of_scikit_learn(iris):
    for y in (iris[1], np.minimum(iris[1], 1)):
        result = compare_criteria(iris[0], y, ["gini"], cv=2, n_repeats=1, max_depth=1)
        seed = result.settings["seed"]
        splits = RepeatedStratifiedKFold(n_splits=2, n_repeats=1, random_state=seed)
        for row, (train, test) in zip(result.folds, splits.split(*iris), strict=False):
            if len(np.unique(y)) == 2:
                train, test = list(splits.split(iris[0], y))[row["fold"]]
            tree = DecisionTreeClassifier(max_depth=1, random_state=seed)
            proba = tree.fit(iris[0][train], y[train]).predict_proba(iris[0][test])
            expected = ((proba - np.eye(proba.shape[1])[y[test]]) ** 2).sum(axis=1).mean()
            if len(np.unique(y)) == 2:
                expected = brier_score_loss(y[test], proba[:, 1])
            assert row["brier"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"cv": GroupKFold(2)}, "groups"),
        ({"groups": [1, 2]}, "The groups have 2 rows and the target has 150"),
        ({"cv": TimeSeriesSplit(2), "n_repeats": 3}, "a splitter repeats itself"),
        ({"grid": {"max_depth": []}}, "list of values for 'max_depth'"),
        ({"grid": {"max_depth": "deep"}}, "list of values for 'max_depth'"),
        ({"grid": {"depth": [1]}}, "depth"),
        ({"cv": "time"}, "cv"),
    ],
)
def test_bad_settings_are_refused(iris, options, reason):
    with pytest.raises((ValueError, TypeError), match=reason):
        compare_criteria(*iris, ["gini"], **options)


@pytest.fixture(scope="module")
def two_tables(iris):
    """Return the comparisons of two tables."""
    options = {"cv": 3, "n_repeats": 1}
    names = ["gini", "tsallis:2", "renyi_mean:inf"]
    wine = load_wine(return_X_y=True)
    return {
        "iris": compare_criteria(*iris, names, **options),
        "wine": compare_criteria(*wine, names, **options),
    }


def test_several_tables(two_tables):
    study = CriteriaStudy(two_tables)
    assert len(study.ranks) == len(METRICS["classification"])
    for row in study.ranks:
        # Gini and Tsallis of order 2 are the same trees and share their ranks.
        assert row["mean_ranks"]["gini"] == row["mean_ranks"]["tsallis:2"]
        assert sum(row["mean_ranks"].values()) == pytest.approx(6)
    for pair in study.pairs:
        assert pair["wins"] + pair["ties"] + pair["losses"] == 2
        if {pair["first"], pair["second"]} == {"gini", "tsallis:2"}:
            assert (pair["wins"], pair["ties"], pair["p_nemenyi"]) == (0, 2, 1.0)
            assert pair["p_equivalent"] == 1.0
    assert study.to_dict()["summary"] == str(study)
    assert json.dumps(study.to_dict())


def test_the_summary_follows_from_the_test(two_tables):
    study = CriteriaStudy(two_tables)
    for metric, row in zip(study.metrics, study.ranks, strict=True):
        says_tie = metric.label in study.summary.split("\n")[0]
        assert row["is_tie"] == says_tie
    # The same two tables ten times over: what was noise is none any more.
    many = {f"{name}{i}": one for name, one in two_tables.items() for i in range(10)}
    study = CriteriaStudy(many)
    differing = [row for row in study.ranks if not row["is_tie"]]
    assert differing
    for row in differing:
        assert len(set(row["mean_ranks"].values())) > 1
    assert "best mean rank with" in study.summary


def test_tables_must_go_together(two_tables, iris):
    with pytest.raises(ValueError, match="two tables"):
        CriteriaStudy({"iris": two_tables["iris"]})
    other = compare_criteria(*iris, ["gini"], cv=2, n_repeats=1)
    with pytest.raises(ValueError, match="same criteria"):
        CriteriaStudy({"iris": two_tables["iris"], "other": other})


def test_criteria_of_orders():
    assert criteria_of_orders(["tsallis"], [1, 2.5]) == ["tsallis:1", "tsallis:2.5"]
    assert len(set(criteria_of_orders())) == len(criteria_of_orders()) == 18
