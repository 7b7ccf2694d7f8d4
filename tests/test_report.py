"""The page: its facts, its one file, and what a real browser makes of it."""

import base64
import json
import re

import numpy as np
import pytest
from pages import HOSTILE, cancer_page, facts_of, hostile_page, table_page
from sklearn.datasets import load_breast_cancer, load_iris
from typer.testing import CliRunner

from treelearn import DecisionTreeClassifier
from treelearn.cli import app
from treelearn.report import sample_rows
from treelearn.report._model import _tree_facts, model_facts
from treelearn.report._page import as_json

# The file


def test_the_page_is_one_file_without_any_address():
    for page in (cancer_page(), hostile_page()):
        outside = re.sub(r'id="facts">.*?</script>', "", page, flags=re.DOTALL)
        # The name of SVG in XML is no address: nothing is fetched from it.
        outside = outside.replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|<link|<[a-z]+[^>]*\ssrc=", outside)
        assert "default-src 'none'" in page
        assert page.count("<script") == 2
        assert page.count("</script>") == 2


def test_the_same_command_gives_the_same_page():
    X, y = load_iris(return_X_y=True)

    def stable(page):
        text = json.dumps(facts_of(page))
        return re.sub(r'"(fit|predict)_ms": [-+.e0-9]+', "", text)

    assert stable(table_page(X, y)) == stable(table_page(X, y))


def test_json_cannot_end_its_element():
    text = as_json({"x": HOSTILE})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"x": HOSTILE}
    with pytest.raises(ValueError, match="JSON compliant"):
        as_json({"x": float("nan")})


def test_no_fact_is_lost_to_a_name():
    facts = facts_of(hostile_page())
    assert [column["name"] for column in facts["model"]["columns"]] == HOSTILE
    assert sorted(facts["model"]["class_names"]) == sorted(HOSTILE[:3])
    assert facts["repeat"]["command"] == HOSTILE[1]


# The facts


def unpacked(text, dtype):
    """Return the array that the page unpacks."""
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def test_the_nodes_are_those_of_the_tree(class_table):
    X, y = class_table
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    facts = _tree_facts(tree, X, y, True)
    own = tree.tree_
    is_leaf = own.children_left == -1
    feature = unpacked(facts["feature"], "<i4")
    np.testing.assert_array_equal(feature < 0, is_leaf)
    np.testing.assert_array_equal(feature[~is_leaf], own.feature[~is_leaf])
    np.testing.assert_array_equal(unpacked(facts["threshold"], "<f8"), own.threshold[~is_leaf])
    np.testing.assert_array_equal(unpacked(facts["leaf_n"], "<u4"), own.n_node_samples[is_leaf])
    assert unpacked(facts["count_of_class"], "<u4").sum() == len(y)
    assert (facts["n_nodes"], facts["n_leaves"]) == (own.node_count, is_leaf.sum())


def facts_of_model(X, y, **options):
    """Return the facts of a classification tree of arrays."""
    columns = [(f"x{j}", "number", None) for j in range(X.shape[1])]
    return model_facts(
        *(X, y, columns),
        task="classification",
        class_names=[str(k) for k in range(y.max() + 1)],
        criterion=("gini", "gini", None),
        parameters={"random_state": 0},
        **options,
    )


def test_the_tree_is_pruned_by_rows_held_out():
    X, y = load_breast_cancer(return_X_y=True)
    facts = facts_of_model(X, y)
    curve = facts["pruning"]
    assert curve["n_train"] + curve["n_test"] == len(y)
    place = curve["n_leaves"].index(curve["chosen_leaves"])
    assert curve["test"][place] == curve["chosen_score"]
    assert curve["chosen_score"] >= curve["best_score"] - curve["standard_error"]
    assert curve["chosen_leaves"] <= curve["best_leaves"]
    smaller = [
        s
        for n, s in zip(curve["n_leaves"], curve["test"], strict=True)
        if n < curve["chosen_leaves"]
    ]
    assert all(score < curve["best_score"] - curve["standard_error"] for score in smaller)
    assert facts["tree"]["n_nodes"] < facts["n_nodes_whole"]
    whole = facts_of_model(X, y, ccp_alpha=0.0)
    assert whole["tree"]["n_nodes"] == whole["n_nodes_whole"]


def test_importances_and_information():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = (X[:, 1] > 0).astype(int)
    facts = facts_of_model(X, y)
    (row,) = facts["importances"]["rows"]
    assert (row["feature"], row["impurity"]) == ("x1", 1.0)
    assert row["permutation"] == pytest.approx(0.5, abs=0.1)
    assert facts["importances"]["n_unused"] == 2
    bits = facts["information"]
    assert bits["bits_before"] == pytest.approx(1.0, abs=0.01)
    assert bits["bits_after"] == 0.0
    assert bits["held_out_bits"] < 0.1 < bits["held_out_before"]
    assert bits["features"][0] == ["x1", pytest.approx(1.0, abs=0.01)]


def test_the_bits_are_those_of_the_information_report():
    X, y = load_breast_cancer(return_X_y=True)
    found = facts_of_model(X, y)["information"]
    # A cross-check by hand: what is saved, and that the tree has to be sent too.
    saved = found["bits_before"] - found["bits_after"]
    assert found["mutual_information"] == pytest.approx(saved, abs=1e-12)
    assert found["code_total"] == found["code_after"] + found["tree_code"]
    assert found["bits_after"] < found["code_after"] < found["code_total"] < found["code_before"]
    assert found["n_samples"] + found["n_test"] == len(y)


def test_a_price_without_end_is_no_number_of_json():
    # Pure leaves, and noise: some label held out has probability 0.
    rng = np.random.default_rng(0)
    facts = facts_of_model(rng.normal(size=(400, 2)), rng.integers(0, 2, 400), ccp_alpha=0.0)
    assert facts["information"]["held_out_bits_raw"] is None
    assert np.isfinite(facts["information"]["held_out_bits"])
    as_json(facts)


def test_many_classes_take_one_repeat_of_the_orders():
    rng = np.random.default_rng(0)
    folds = []
    for n_classes in (3, 30):
        y = np.arange(300) % n_classes
        page = table_page(rng.normal(size=(300, 1)), y, task="classification", max_depth=2)
        folds.append(facts_of(page)["orders"]["folds"])
    assert folds[0].startswith("2 times 5 folds") and folds[1].startswith("5 folds")


def test_samples_of_large_tables():
    assert len(sample_rows(100, 5, 20_000, 0)) == 100
    rows = sample_rows(10**6, 5, 20_000, 0)
    assert len(rows) == 20_000 and (np.diff(rows) > 0).all()
    assert len(sample_rows(10**6, 784, 20_000, 0)) == 1_000
    np.testing.assert_array_equal(rows, sample_rows(10**6, 5, 20_000, 0))


# The commands


def run(*args):
    """Run the command in this process."""
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_report_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("report", "iris", "--criteria", "gini", "renyi:0.5")
    assert result.exit_code == 0, result.output
    assert "The page is iris-report.html (0.1 MB)." in result.stdout
    facts = facts_of((tmp_path / "iris-report.html").read_text())
    assert facts["repeat"]["command"].endswith("report iris --criteria gini renyi:0.5")
    assert len(facts["repeat"]["data_hash"]) == 64
    assert facts["model"]["class_names"] == ["setosa", "versicolor", "virginica"]
    assert [row["criterion"] for row in facts["comparison"]["rows"]] == ["gini", "renyi:0.5"]
    again = run("report", "iris")
    assert again.exit_code == 2
    assert "exists; --force replaces it" in again.stderr


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["report", "iris", "--out", "x.pdf"], "must end in .html"),
        (["report", "nowhere.csv"], "There is no file"),
        (["report", "iris", "--ccp-alpha", "-1"], "ccp-alpha"),
        (["compare", "iris", "--report", "x.txt"], "must end in .html"),
        (["compare", "iris", "--report", "nowhere/x.html"], "there is no folder"),
    ],
)
def test_bad_input_is_refused_before_any_work(args, reason):
    result = run(*args)
    assert result.exit_code == 2
    assert reason in result.stderr


def test_compare_with_a_page(tmp_path):
    out = tmp_path / "page.html"
    args = ["--criteria", "gini", "entropy", "--cv", 3, "--repeats", 1, "--report", out]
    assert run("compare", "diabetes", "--cv", 2, "--repeats", 1, "--report", out).exit_code == 0
    facts = facts_of(out.read_text())
    assert facts["orders"] is None and facts["model"]["class_names"] is None
    result = run("compare", "iris", "wine", *args, "--force")
    assert result.exit_code == 0, result.output
    facts = facts_of(out.read_text())
    assert facts["study"]["tables"] == ["iris", "wine"]
    assert facts["model"] is None


def test_compare_with_tuned_parameters(tmp_path):
    out = tmp_path / "page.html"
    args = ["compare", "iris", "--criteria", "renyi", "gini", "--tune", "--cv", 2, "--repeats", 1]
    result = run(*args, "--report", out)
    assert result.exit_code == 0, result.output
    rows = facts_of(out.read_text())["comparison"]["rows"]
    assert any("order" in text for text, _ in rows[0]["chosen"])
