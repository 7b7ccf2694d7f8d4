"""Trees in words, and the graph: rules checked against the tree that they come from."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from exported import HOSTILE_NAMES, chain, fitted_trees, mixed_model
from hypothesis import given

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor
from treelearn.export import explain_row, leaf_table, rules, to_dot
from treelearn.model import Model

CONDITION = re.compile(
    r"(?:(?P<low>\S+) < )?(?P<name>x\d+)(?: (?P<sign><=|>) (?P<cut>\S+)| is (?P<state>not missing"
    r"|missing))(?P<open> \(or missing\))?"
)


def _holds(condition, row):
    """Return whether a row passes one condition of a rule on numbers."""
    found = CONDITION.fullmatch(condition)
    assert found, condition
    value = row[int(found["name"][1:])]
    if found["state"]:
        return np.isnan(value) == (found["state"] == "missing")
    if np.isnan(value):
        return found["open"] is not None
    if found["low"] and not value > float(found["low"]):
        return False
    cut = float(found["cut"])
    return value <= cut if found["sign"] == "<=" else value > cut


def _matching(text, row):
    """Return the numbers of the rules that a row passes."""
    places = []
    for place, line in enumerate(text.splitlines()):
        condition, _, _ = line.partition(": ")
        parts = condition.removeprefix("if ").split(" and ") if condition != "always" else []
        if all(_holds(part, row) for part in parts):
            places.append(place)
    return places


@given(fitted=fitted_trees())
def test_every_row_passes_the_rule_of_its_leaf_alone(fitted):
    estimator, X = fitted
    # Of an estimator alone nobody knows whether values were missing: every rule says.
    text = re.sub(r"'.*?'|\".*?\"|line\\nbreak|\*/ --", "label", rules(estimator))
    leaves = np.flatnonzero(estimator._tree.children_left == -1)
    rows = np.concatenate([X, np.full((1, X.shape[1]), np.nan)])
    for row, leaf in zip(rows, estimator.apply(rows), strict=True):
        assert leaves[_matching(text, row)].tolist() == [leaf]


def test_conditions_are_merged():
    X = np.arange(8.0)[:, None]
    tree = DecisionTreeRegressor().fit(X, np.arange(8) ** 2)
    lines = rules(tree, feature_names=["size"]).replace(" (or missing)", "").splitlines()
    assert len(lines) == 8
    for line in lines:
        assert line.count("size") == 1
    assert lines[0] == "if size <= 0.5: 0 (1 sample)"
    assert lines[3] == "if 2.5 < size <= 3.5: 9 (1 sample)"
    assert lines[7] == "if size > 6.5: 49 (1 sample)"


def test_kinds_of_columns():
    pd = pytest.importorskip("pandas", reason="categories come from a frame")
    frame = pd.DataFrame(
        {
            "colour": pd.Categorical(list("rgbyrgby")),
            "flag": [True, False] * 4,
            "day": pd.to_datetime(["2020-01-01", "2020-01-02"] * 4),
        }
    )
    noon = "2020-01-01 12:00:00"
    for column, y, expected in (
        ("colour", [0, 0, 0, 1] * 2, ["if colour is not y: 0", "if colour is y: 1"]),
        ("colour", [1, 0, 0, 1] * 2, ["if colour in {b, g}: 0", "if colour in {r, y}: 1"]),
        ("flag", [1, 0] * 4, ["if flag is false: 0", "if flag is true: 1"]),
        ("day", [1, 0] * 4, [f"if day <= {noon}: 1", f"if day > {noon}: 0"]),
    ):
        model = Model.fit(DecisionTreeClassifier(), frame[[column]], y)
        found = sorted(line.partition(" (")[0] for line in rules(model).splitlines())
        assert found == expected
    many = pd.DataFrame({"c": pd.Categorical([f"level {k:02}" for k in range(40)])})
    model = Model.fit(DecisionTreeClassifier(), many, np.arange(40) >= 20)
    assert (
        rules(model)
        .splitlines()[0]
        .startswith("if c in {level 00, ..., level 19} (20 values): False")
    )


def test_missing_values_are_said_where_there_were_any():
    X = np.array([[1.0, 1.0], [2.0, 2.0], [np.nan, 1.0], [4.0, 1.0]])
    model = Model.fit(DecisionTreeClassifier(), X, [0, 1, 0, 0], feature_names=["a", "b"])
    text = rules(model)
    assert "b <= 1.5: 0" in text
    assert "(or missing)" not in text
    model = Model.fit(DecisionTreeClassifier(), X[:, ::-1], [0, 0, 1, 0], feature_names=["b", "a"])
    assert "a is missing" in rules(model) or "(or missing)" in rules(model)


@given(fitted=fitted_trees())
def test_the_path_ends_at_the_leaf(fitted):
    estimator, X = fitted
    for row, leaf in zip(X[:5], estimator.apply(X[:5]), strict=True):
        lines = explain_row(estimator, row).splitlines()
        assert lines[-1].startswith(f"Leaf {leaf} predicts ")
        assert len(lines) == estimator._tree.depths()[leaf] + 1


def test_the_path_in_words():
    pd = pytest.importorskip("pandas", reason="categories come from a frame")
    model, frame = mixed_model(pd, max_depth=6)
    texts = [explain_row(model, frame.iloc[[i]]) for i in range(len(frame))]
    said = "\n".join(texts)
    for part in (" is missing", "taken for ", ": at most ", ": above ", "2020-01-"):
        assert part in said
    assert explain_row(model, model.rows(frame)[7]) == texts[7]
    with pytest.raises(ValueError, match="One row"):
        explain_row(model, frame)
    with pytest.raises(ValueError, match="lacks the column 'flag'"):
        explain_row(model, frame.drop(columns="flag"))


def test_leaf_table():
    pytest.importorskip("pandas", reason="the table is a frame")
    X = np.random.default_rng(0).random((60, 2))
    y = np.column_stack([X[:, 0] > 0.5, np.arange(60) % 3])
    tree = DecisionTreeClassifier(max_depth=4, criterion="entropy").fit(X, y[:, 1])
    found = leaf_table(tree, feature_names=["a", "b"])
    assert list(found.columns[:7]) == [
        *("leaf", "depth", "rule", "n_samples", "weight", "impurity", "prediction"),
    ]
    assert found["n_samples"].sum() == 60
    shares = found[["share of 0", "share of 1", "share of 2"]].to_numpy()
    leaves = found.set_index("leaf").loc[tree.apply(X)]
    np.testing.assert_array_equal(shares[np.searchsorted(found["leaf"], tree.apply(X))],
                                  tree.predict_proba(X))  # fmt: skip
    np.testing.assert_array_equal(leaves["prediction"], tree.predict(X))
    assert [f"if {rule}" for rule in found["rule"]] == [
        line.partition(": ")[0] for line in rules(tree, feature_names=["a", "b"]).splitlines()
    ]
    several = leaf_table(DecisionTreeClassifier(max_depth=2).fit(X, y))
    assert {"prediction 0", "prediction 1", "share 1 of 2"} <= set(several.columns)
    assert len(leaf_table(DecisionTreeRegressor().fit(X, np.ones(60)))) == 1


def test_hostile_names_stay_on_their_line():
    X = np.random.default_rng(2).random((60, len(HOSTILE_NAMES)))
    labels = np.array(HOSTILE_NAMES)[np.arange(60) % len(HOSTILE_NAMES)]
    tree = DecisionTreeClassifier().fit(X, labels)
    text = rules(tree, feature_names=HOSTILE_NAMES)
    assert len(text.splitlines()) == tree.get_n_leaves()
    assert text.replace("\n", "").isprintable()
    explained = explain_row(tree, X[0], feature_names=HOSTILE_NAMES)
    assert explained.replace("\n", "").isprintable()
    for line in to_dot(tree, feature_names=HOSTILE_NAMES).splitlines()[3:-1]:
        assert re.fullmatch(r'  \d+ (-> \d+ )?\[label="([^"\\]|\\.)*"\];', line)


def test_deep_trees():
    estimator, X = chain(20_000)
    assert len(rules(estimator).splitlines()) == 20_001
    assert len(explain_row(estimator, X[2], digits=3).splitlines()) == 20_001
    assert to_dot(estimator).count(" -> ") == 40_000


def test_one_leaf_and_digits():
    tree = DecisionTreeRegressor().fit([[0.0], [1.0]], [1 / 3, 1 / 3])
    assert rules(tree, digits=3) == "always: 0.333 (2 samples)"
    assert explain_row(tree, [0.0]) == (
        "Leaf 0 predicts 0.3333333333333333 (2 of 2 training samples)."
    )


@pytest.mark.parametrize("function", [rules, leaf_table, to_dot])
def test_what_is_no_tree_is_refused(function):
    with pytest.raises(TypeError):
        function("tree")
    with pytest.raises(ValueError):
        function(DecisionTreeClassifier())
    with pytest.raises(ValueError, match="feature names"):
        function(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]), feature_names=["a", "b"])


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_graphviz_draws_it():
    X = np.random.default_rng(2).random((60, len(HOSTILE_NAMES)))
    labels = np.array(HOSTILE_NAMES)[np.arange(60) % len(HOSTILE_NAMES)]
    text = to_dot(DecisionTreeClassifier().fit(X, labels), feature_names=HOSTILE_NAMES)
    done = subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, check=True)
    assert b"<script>" not in done.stdout
    assert done.stderr == b""
