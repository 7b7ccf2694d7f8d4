"""treelearn fit, predict, show and export, as somebody types them."""

import csv
import io
import json
import sqlite3

import numpy as np
import pytest
from exported import HOSTILE_NAMES, mixed_model
from typer.testing import CliRunner

from treelearn import DecisionTreeClassifier
from treelearn.cli import app
from treelearn.export import load_model, save_model
from treelearn.model import Model


def run(*args):
    """Run the command in this process."""
    return CliRunner().invoke(app, [str(arg) for arg in args])


def done(*args):
    """Run what must succeed and return what it prints."""
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*args, status=2):
    """Run what must fail and return what it says."""
    result = run(*args)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.fixture
def iris(tmp_path):
    """A model file of the iris."""
    done("fit", "iris", "--model", tmp_path / "iris.json", "--max-depth", 3)
    return tmp_path / "iris.json"


@pytest.fixture
def coats(tmp_path):
    """A table with text and missing values, and a model of it."""
    pytest.importorskip("pandas", reason="reads tables")
    path = tmp_path / "coats.csv"
    path.write_text(
        "size,colour,coat\n" + "5,red,warm\n7,,cold\n,blue,warm\n9,red,cold\n3,x,\n" * 9
    )
    done("fit", path, "--target", "coat", "--model", tmp_path / "coats.json")
    return path, tmp_path / "coats.json"


def test_the_words_of_fit(coats, tmp_path):
    path, _ = coats
    said = done("fit", path, "--target", "coat", "--model", tmp_path / "other.json")
    assert "coats.csv: 36 rows, 2 features; to predict: 'coat', 2 classes" in said
    assert "ordinal codes: colour." in said
    assert "Rows without a target, left out: 9." in said
    assert "accuracy 100.0 %" in said
    assert "A tree of " in said and "by gini." in said


def test_any_parameter(tmp_path):
    path = tmp_path / "m.json"
    done(
        *("fit", "iris", "--model", path, "--criterion", "renyi:0.5", "--seed", 4, "--jobs", 1),
        *("--max-leaf-nodes", 9, "--min-samples-leaf", 2, "--ccp-alpha", 0.001),
        *("--set", "max_features=sqrt"),
        *("--set", 'class_weight={"setosa": 2, "versicolor": 1, "virginica": 1}'),
        *("--set", "min_samples_split=0.05", "--set", "monotonic_cst=none"),
    )
    found = load_model(path).estimator.get_params()
    expected = DecisionTreeClassifier(
        criterion="renyi", order=0.5, random_state=4, n_jobs=1, max_leaf_nodes=9,
        min_samples_leaf=2, ccp_alpha=0.001, max_features="sqrt",
        class_weight={"setosa": 2, "versicolor": 1, "virginica": 1}, min_samples_split=0.05,
    )  # fmt: skip
    assert found == expected.get_params()


def test_the_same_tree_as_from_python(iris, class_table):
    from sklearn.datasets import load_iris

    found = load_iris()
    X, y = found.data, found.target_names[found.target]
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    np.testing.assert_array_equal(load_model(iris).predict(X), tree.predict(X))
    assert load_model(iris).feature_names[0] == "sepal length (cm)"


def test_warnings_of_the_fit_are_printed(tmp_path):
    said = done("fit", "iris", "--criterion", "renyi_mean:5", "--model", tmp_path / "m.json")
    assert "gains can be negative" in said


def test_tasks(tmp_path):
    args = ["fit", "diabetes", "--model", tmp_path / "m.json", "--max-depth", 2, "--force"]
    assert "'target', a number" in done(*args)
    assert "by absolute_error" in done(*args, "--criterion", "absolute_error")
    assert "R2" in done("fit", "digits", "--task", "regression", *args[2:])
    assert "is no criterion for" in refused(*args, "--criterion", "gini", "--task", "regression")


def test_predict_reads_the_table_as_it_was_fitted(coats, tmp_path):
    path, model = coats
    shuffled = tmp_path / "new.csv"
    # Other columns, another order, fewer levels: the codes must stay those of training.
    shuffled.write_text("extra,colour,size\n1,red,5\n2,blue,\n3,,7\n4,red,9\n")
    assert done("predict", model, shuffled) == "prediction\nwarm\nwarm\ncold\ncold\n"
    rows = list(csv.DictReader(io.StringIO(done("predict", model, shuffled, "--proba"))))
    assert rows[0] == {
        "prediction": "warm",
        "probability of cold": "0.0",
        "probability of warm": "1.0",
    }
    assert len(done("predict", model, path).splitlines()) == 46


def test_unknown_categories_and_missing_columns(coats, tmp_path):
    _, model = coats
    new = tmp_path / "new.csv"
    new.write_text("colour,size\nred,5\ngreen,5\n")
    said = refused("predict", model, new)
    assert "'colour' holds 'green' in row 1" in said
    assert "--unknown missing" in said
    assert len(done("predict", model, new, "--unknown", "missing").splitlines()) == 3
    new.write_text("colour,Size\nred,5\n")
    assert "lacks the column 'size'" in refused("predict", model, new)
    new.write_text("colour,size\nred,large\n")
    assert "'size' holds text or categories, 'large' in row 0" in refused("predict", model, new)


def test_out_files(iris, tmp_path):
    out = tmp_path / "out.csv"
    assert "150 rows predicted" in done("predict", iris, "iris", "--out", out)
    before = out.read_bytes()
    assert before.decode() == done("predict", iris, "iris")
    assert "--force" in refused("predict", iris, "iris", "--proba", "--out", out)
    assert out.read_bytes() == before
    done("predict", iris, "iris", "--proba", "--out", out, "--force")
    assert out.read_bytes() != before


def test_parquet_there_and_back(iris, tmp_path):
    pd = pytest.importorskip("pandas", reason="reads tables")
    pytest.importorskip("pyarrow", reason="reads Parquet files")
    model, frame = mixed_model(pd)
    save_model(model, tmp_path / "m.json")
    frame.to_parquet(tmp_path / "d.parquet")
    done("predict", tmp_path / "m.json", tmp_path / "d.parquet", "--out", tmp_path / "p.parquet")
    found = pd.read_parquet(tmp_path / "p.parquet")["prediction"]
    assert found.tolist() == model.predict(frame).tolist()
    frame.drop(columns=["lasted"]).to_csv(tmp_path / "d.csv", index=False)
    smaller = Model.fit(DecisionTreeClassifier(), frame.drop(columns=["lasted"]), found)
    save_model(smaller, tmp_path / "s.json")
    said = done("predict", tmp_path / "s.json", tmp_path / "d.csv")
    # Text is trimmed on reading CSV, so that one level is another there.
    assert len(list(csv.reader(io.StringIO(said)))) == 121


def test_show(iris):
    said = done("show", iris)
    assert "predicts 'target', 3 classes: setosa, versicolor, virginica" in said
    assert "A tree of 5 leaves, 3 levels deep, by gini. Fitted on 150 rows." in said
    assert "if petal length (cm) <= 2.45: setosa (50 samples, 100 %)" in said
    assert "... and 4 more rules" in done("show", iris, "--leaves", 1)
    assert " <= 2.5:" in done("show", iris, "--digits", 2)
    said = done("show", iris, "--data", "iris", "--row", 70)
    assert said.splitlines()[0] == "1. petal length (cm) is 4.8: above 2.45."
    assert "no row 150" in refused("show", iris, "--data", "iris", "--row", 150)
    assert "go together" in refused("show", iris, "--row", 3)


@pytest.mark.parametrize("to", ["json", "c", "dot", "text", "sql"])
def test_export_to_standard_output_and_to_a_file(iris, tmp_path, to):
    text = done("export", iris, "--to", to)
    done("export", iris, "--to", to, "--out", tmp_path / "out")
    assert (tmp_path / "out").read_text() == text
    assert "--force" in refused("export", iris, "--to", to, "--out", tmp_path / "out")


def test_exports_are_verified(coats, tmp_path):
    path, model = coats
    out = tmp_path / "out.sql"
    args = ["export", model, "--to", "sql", "--dialect", "sqlite", "--table", "new", "--out", out]
    result = run(*args, "--verify", path)
    assert result.exit_code == 0, result.output
    assert "Equal prediction on 45 rows" in result.stderr
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE new (colour TEXT, size REAL)")
    base.execute("INSERT INTO new VALUES ('red', 5), ('red', 9)")
    assert [row[-1] for row in base.execute(out.read_text())] == ["warm", "cold"]
    base.close()


def test_an_export_that_differs_is_not_written(iris, tmp_path, monkeypatch):
    condition = "treelearn.export._sql_writer.SqlWriter._condition"
    monkeypatch.setattr(condition, lambda *_: "1 = 1")
    out = tmp_path / "out.sql"
    said = refused(
        *("export", iris, "--to", "sql", "--dialect", "sqlite", "--verify", "iris", "--out", out),
        status=1,
    )
    assert "differs from the tree" in said and "row 50" in said
    assert not out.exists()


def test_onnx(iris, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="the export extra installs onnxruntime")
    pytest.importorskip("skl2onnx", reason="the export extra installs skl2onnx")
    assert "--out" in refused("export", iris, "--to", "onnx")
    done("export", iris, "--to", "onnx", "--out", tmp_path / "iris.onnx", "--verify", "iris")
    assert runtime.InferenceSession(str(tmp_path / "iris.onnx")).get_inputs()[0].name == "X"


def test_hostile_names(tmp_path):
    pytest.importorskip("pandas", reason="reads tables")
    names = [*HOSTILE_NAMES, "a", "a", ""]
    rng = np.random.default_rng(0)
    path = tmp_path / "hostile.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "y'\"\n"])
        for row in rng.random((60, len(names))):
            writer.writerow([*row, HOSTILE_NAMES[int(len(HOSTILE_NAMES) * row[0])]])
    model = tmp_path / "m.json"
    said = done("fit", path, "--model", model)
    assert "\x1b" not in said
    assert len(list(csv.reader(io.StringIO(done("predict", model, path))))) == 61
    for command in (["show", model], ["export", model, "--to", "text"]):
        assert done(*command).replace("\n", "").isprintable()
    json.loads(done("export", model, "--to", "json"))
    args = ["--to", "sql", "--dialect", "sqlite", "--proba", "--verify", path]
    assert "SELECT" in done("export", model, *args)


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["fit", "nowhere.csv", "--model", "{new}"], "There is no file nowhere.csv"),
        (["fit", "iris"], "--model"),
        (["fit", "iris", "--model", "{new}", "--criterion", "ginny"], "Unknown criterion"),
        (["fit", "iris", "--model", "{new}", "--max-depth", "0"], "max_depth"),
        (["fit", "iris", "--model", "{new}", "--set", "depth=3"], "has no parameter 'depth'"),
        (["fit", "iris", "--model", "{new}", "--set", "max_depth"], "NAME=VALUE"),
        (["fit", "iris", "--model", "{new}", "--set", "max_depth=deep"], "max_depth"),
        (["fit", "iris", "--model", "{new}", "--task", "ranking"], "not 'ranking'"),
        (
            ["fit", "diabetes", "--model", "{new}", "--criterion", "gini"],
            "for regression",
        ),
        (["fit", "iris", "--model", "{old}"], "--force replaces it"),
        (["fit", "iris", "--model", "nowhere/m.json"], "no folder"),
        (["predict", "{new}", "iris"], "No such file"),
        (["predict", "{old}", "{csv}", "--out", "{csv}", "--force"], "is what is read"),
        (["fit", "{csv}", "--model", "{csv}", "--force"], "is what is read"),
        (["export", "{old}", "--to", "c", "--out", "{old}", "--force"], "is what is read"),
        (["predict", "{old}", "wine"], "has 13 features; the model was fitted on 4"),
        (["predict", "{old}", "iris", "--out", "x.txt"], ".csv or .parquet"),
        (["predict", "{old}", "iris", "--unknown", "guess"], "--unknown"),
        (["predict", "{bad}", "iris"], "No model"),
        (["show", "{bad}"], "No model"),
        (["export", "{bad}", "--to", "c"], "No model"),
        (["export", "{old}", "--to", "pickle"], "--to must be one of"),
        (["export", "{old}", "--to", "c", "--name", "3d"], "name of C"),
        (["export", "{old}", "--to", "text", "--verify", "iris"], "cannot be run"),
        (["export", "{old}", "--to", "sql", "--verify", "iris"], "connection"),
        (["export", "{old}", "--to", "sql", "--dialect", "mysql"], "dialect must be"),
    ],
)
def test_bad_input_ends_in_a_line_and_status_2(args, reason, iris, tmp_path):
    (tmp_path / "bad.json").write_text("{}}")
    places = {"new": tmp_path / "new.json", "old": iris, "bad": tmp_path / "bad.json"}
    places["csv"] = tmp_path / "t.csv"
    places["csv"].write_text("a,y\n1,2\n")
    said = refused(*[arg.format(**places) if "{" in arg else arg for arg in args])
    assert reason in said
    assert not (tmp_path / "new.json").exists()


def test_help_is_short_and_says_what_to_type():
    said = done("--help")
    for command in ("fit", "predict", "show", "export", "compare"):
        assert f"\n  {command} " in said
        assert f"treelearn {command}" in " ".join(done(command, "--help").split())
    assert not any(line.endswith("...") for line in said.splitlines()[1:])
