"""The page: its facts, its one file, and what a real browser makes of it."""

import base64
import json
import re
from importlib.resources import files

import numpy as np
import pytest
from chromium import Browser, find_chromium
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from typer.testing import CliRunner

from treelearn import DecisionTreeClassifier, compare_criteria
from treelearn._tables import Table
from treelearn.cli import app
from treelearn.report import page_of_study, page_of_table, sample_rows
from treelearn.report._model import MOST_NODES, _tree_facts, model_facts
from treelearn.report._page import as_json

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "]]>--><!-- %%FACTS%%",
    "\u2028\u202e&amp; \\u003c 'quoted\"",
    "${alert(3)} `x`",
]


def table_page(X, y, names=None, *, name="table", task=None, **options):
    """Return the page of arrays."""
    table = Table(name, X, y, "target")
    if names is not None:
        table.feature_names = names
    result = compare_criteria(X, y, cv=3, n_repeats=1, task=task)
    return page_of_table(table, X, y, result, command="treelearn report", seed=0, **options)


def facts_of(page):
    """Return the facts that a page holds."""
    return json.loads(re.search(r'id="facts">(.*?)</script>', page, re.DOTALL)[1])


@pytest.fixture(scope="module")
def cancer_page():
    """Return the page of a bundled set with two classes."""
    return table_page(*load_breast_cancer(return_X_y=True))


@pytest.fixture(scope="module")
def hostile_page():
    """Return the page of a table whose every name is hostile."""
    pd = pytest.importorskip("pandas", reason="frames have names")
    rng = np.random.default_rng(1)
    y = np.array(HOSTILE[:3])[rng.integers(0, 3, 240)]
    X = pd.DataFrame(rng.normal(size=(240, 4)), columns=HOSTILE[:4])
    X[HOSTILE[4]] = y
    X.iloc[::9, 0] = np.nan
    result = compare_criteria(X, y, cv=3, n_repeats=1)
    table = Table(HOSTILE[0], X, y, HOSTILE[1], notes=[HOSTILE[1]])
    result.notes += HOSTILE
    return page_of_table(table, X, y, result, command=HOSTILE[1], seed=0)


# The file


def test_the_page_is_one_file_without_any_address(cancer_page, hostile_page):
    for page in (cancer_page, hostile_page):
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


def test_no_fact_is_lost_to_a_name(hostile_page):
    facts = facts_of(hostile_page)
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


# A real browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Return a browser, or skip the test."""
    if find_chromium() is None:
        pytest.skip("no Chromium: on Debian, apt-get install chromium")
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def opened(browser, folder, page, **options):
    """Open a page, check that it complains of nothing, and return the browser."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    browser.open(path, **options)
    assert browser.complaints == []
    return browser


def search(browser, text):
    """Type into the search box of the tree and return what it says."""
    browser.run(
        "(text => { const box = document.getElementById('query'); box.value = text;"
        f"box.dispatchEvent(new Event('input')); }})({json.dumps(text)})"
    )
    browser.wait_for(f"document.getElementById('query').dataset.last === {json.dumps(text)}")
    return browser.run("document.getElementById('matches').textContent")


SCREENS = {
    "desk": {"width": 1100, "height": 900},
    "desk, dark": {"width": 1100, "height": 900, "is_dark": True},
    "phone": {"width": 360, "height": 740, "is_phone": True},
    "phone, dark": {"width": 360, "height": 740, "is_phone": True, "is_dark": True},
}


@pytest.mark.parametrize("screen", SCREENS)
def test_it_renders(browser, tmp_path, cancer_page, screen):
    opened(browser, tmp_path, cancer_page, **SCREENS[screen])
    shown = browser.run("document.body.innerText")
    for heading in (
        *("Ranking", "What is not told apart", "How different the trees are"),
        *("Score against order", "Impurities of two classes"),
        *("The tree", "The way of one row", "Leaves", "Pruning", "Features"),
        *("Information in bits", "How to repeat it"),
    ):
        assert heading in shown
    assert browser.run("document.querySelectorAll('figure svg').length") == 7
    assert int(browser.run("document.querySelector('canvas').dataset.painted")) > 1
    # Nothing but tables is wider than the screen, and these scroll on their own.
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    # No text of a chart is cut off at the edge.
    assert browser.run(
        "[...document.querySelectorAll('figure text')].every(t => {"
        "const box = t.getBoundingClientRect();"
        "return box.left >= 0 && box.right <= innerWidth + 0.5; })"
    )
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == ("dark" not in screen)


def test_every_metric_can_be_chosen(browser, tmp_path, cancer_page):
    opened(browser, tmp_path, cancer_page)
    n_drawn = browser.run(
        "(() => { let n = 0; for (const choose of document.querySelectorAll('section select')) {"
        "for (let i = 0; i < choose.options.length; i++) { choose.selectedIndex = i;"
        "choose.dispatchEvent(new Event('change')); n++; } } return n; })()"
    )
    assert n_drawn > 18
    assert browser.complaints == []


@pytest.mark.parametrize(
    ("unit", "marks", "written"),
    [
        ("", [0.65], ["0.65"]),  # a narrow axis may have room for one mark only
        ("%", [0.975], ["97.5 %"]),
        ("", [0.6, 0.65, 0.7], ["0.60", "0.65", "0.70"]),
        ("%", [0.96, 0.97], ["96 %", "97 %"]),
        ("", [10000, 20000], ["10,000", "20,000"]),
        ("", [1e-7], ["0.0000001"]),
        ("", [], []),
    ],
)
def test_marks_of_an_axis_are_written_as_they_are(browser, tmp_path, unit, marks, written):
    opened(browser, tmp_path, "<!doctype html><html data-ready=yes>")
    charts = files("treelearn.report").joinpath("charts.js").read_text(encoding="utf-8")
    found = browser.run(
        f"(() => {{ {charts}\n const marks = {json.dumps(marks)};"
        f"return JSON.stringify(marks.map(axisFormat({{unit: {json.dumps(unit)}}}, marks))); }})()"
    )
    assert json.loads(found) == written


def test_zoom_and_search(browser, tmp_path, cancer_page):
    opened(browser, tmp_path, cancer_page)
    canvas = "document.querySelector('canvas')"
    browser.run(f"{canvas}.scrollIntoView({{block: 'center'}})")
    before = float(browser.run(f"{canvas}.dataset.scale"))
    box = browser.run(f"JSON.stringify({canvas}.getBoundingClientRect())")
    place = {key: json.loads(box)[key] + 100 for key in ("x", "y")}
    browser.send("Input.dispatchMouseEvent", type="mouseWheel", deltaX=0, deltaY=-400, **place)
    browser.wait_for(f"{canvas}.dataset.scale > {before * 1.5}")
    assert re.fullmatch(r"1 of \d+", search(browser, "X"))
    first = browser.run(f"{canvas}.dataset.selected")
    browser.run("document.querySelector('[aria-label=\"Next match\"]').click()")
    assert browser.run(f"{canvas}.dataset.selected") != first
    assert "Node #" in browser.run("document.getElementById('node-words').innerText")
    assert search(browser, "#0") == "1 of 1"
    assert search(browser, "no such feature") == "Nothing found."
    assert browser.complaints == []


def test_a_click_opens_a_node(browser, tmp_path, cancer_page):
    opened(browser, tmp_path, cancer_page)
    canvas = "document.querySelector('canvas')"
    search(browser, "#0")
    shown = int(browser.run(f"{canvas}.dataset.shown"))
    assert shown > 1
    browser.run(f"{canvas}.focus()")
    browser.run(f"{canvas}.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Enter'}}))")
    assert browser.run(f"{canvas}.dataset.shown") == "1"
    browser.run(f"{canvas}.dispatchEvent(new KeyboardEvent('keydown', {{key: 'ArrowRight'}}))")
    assert browser.run(f"{canvas}.dataset.selected") == "1"


def test_the_way_of_every_row_is_that_of_the_estimator(browser, tmp_path):
    X, y = load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng(0)
    X[rng.random(X.shape) < 0.1] = np.nan
    page = table_page(X, y, ccp_alpha=0.0)
    model = facts_of(page)["model"]
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    opened(browser, tmp_path, page)
    found = browser.run(
        "(() => { const choose = document.getElementById('row'), said = [];"
        "for (let i = 0; i < choose.options.length; i++) { choose.selectedIndex = i;"
        "choose.dispatchEvent(new Event('change'));"
        "said.push(document.getElementById('row-words').innerText); } return said; })()"
    )
    rows = [row["row"] for row in model["rows"]["rows"]]
    leaves = tree.apply(X[rows])
    assert len(found) == len(rows) == 100
    for said, leaf, row in zip(found, leaves, rows, strict=True):
        assert f"leaf #{leaf} are" in said
        assert f"predicted to be “{tree.predict(X[[row]])[0]}”" in said
        assert f"In the table it is “{y[row]}”" in said
        assert said.count("\n") >= len(tree.decision_path(X[[row]]).indices) - 1
    assert any("is missing; missing values go" in said for said in found)


def test_missing_values_are_said(browser, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    X[:, 0] = np.where(np.arange(300) % 2, 1.0, np.nan)
    X[::7, 1] = np.nan
    y = np.isnan(X[:, 0]) ^ (X[:, 1] > 0.5)
    opened(browser, tmp_path, table_page(X, y.astype(int), ccp_alpha=0.0))
    rules = browser.run("[...document.querySelectorAll('td.rule')].map(cell => cell.innerText)")
    assert any("x0 is missing" in rule for rule in rules)
    assert any("x0 is known" in rule for rule in rules)
    assert any("(or missing)" in rule for rule in rules)
    assert not any("∞" in rule for rule in rules)


def test_hostile_names_stay_text(browser, tmp_path, hostile_page):
    opened(browser, tmp_path, hostile_page)
    assert browser.run("document.querySelectorAll('script').length") == 2
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.run("document.title") == f"{HOSTILE[0]}: {HOSTILE[1]}"
    shown = browser.run("document.body.innerText")
    for name in HOSTILE:
        assert name.split("\u202e")[-1] in shown
    search(browser, HOSTILE[0])
    search(browser, "<img")
    assert browser.complaints == []


def test_regression_and_studies(browser, tmp_path):
    pages = [table_page(*load_diabetes(return_X_y=True), task="regression")]
    from treelearn.laboratory import CriteriaStudy

    names = ["gini", "entropy", "renyi_mean:inf"]
    tables = {
        name: compare_criteria(*load(return_X_y=True), names, cv=3, n_repeats=1)
        for name, load in (("iris", load_iris), (HOSTILE[0], load_breast_cancer))
    }
    pages.append(page_of_study(CriteriaStudy(tables), HOSTILE, command="c", seed=0))
    for page in pages:
        for screen in ("desk", "phone, dark"):
            opened(browser, tmp_path, page, **SCREENS[screen])
            assert browser.run("document.querySelectorAll('figure svg').length") > 0
            assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert HOSTILE[0] in browser.run("document.body.innerText")


def test_it_prints(browser, tmp_path, cancer_page):
    opened(browser, tmp_path, cancer_page)
    assert browser.pdf().startswith(b"%PDF")
    assert browser.complaints == []


@pytest.mark.parametrize("text", ["one leaf", "one feature"])
def test_smallest_tables(browser, tmp_path, text):
    X = np.arange(40.0)[:, None] if text == "one feature" else np.zeros((40, 1))
    opened(browser, tmp_path, table_page(X, np.arange(40) % 2))
    assert "The tree" in browser.run("document.body.innerText")


def test_a_hundred_thousand_nodes(browser, tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(160_000, 2)), rng.integers(0, 2, 160_000)
    small = compare_criteria(X[:500], y[:500], ["gini"], cv=2, n_repeats=1)
    table = Table("noise", X, y, "target")
    page = page_of_table(table, X, y, small, command="c", seed=0, ccp_alpha=0.0)
    tree = facts_of(page)["model"]
    assert tree["is_cut"]
    assert 0.9 * MOST_NODES < tree["tree"]["n_nodes"] <= MOST_NODES < tree["n_nodes_whole"]
    assert len(page) < 5e6
    opened(browser, tmp_path, page)
    assert re.fullmatch(r"1 of [\d,]+", search(browser, "x1"))
    browser.run("document.querySelector('[aria-label=\"Open every node\"]').click()")
    canvas = "document.querySelector('canvas')"
    browser.wait_for(f"{canvas}.dataset.painted > 0.9 * {tree['tree']['n_nodes']}")
    last = tree["tree"]["n_nodes"] - 1
    assert search(browser, f"#{last}") == "1 of 1"
    assert browser.run(f"{canvas}.dataset.selected") == str(last)
    assert browser.complaints == []
