"""The page in a real browser."""

import json
import re
from importlib.resources import files

import numpy as np
import pytest
from chromium import Browser, find_chromium
from pages import HOSTILE, cancer_page, facts_of, hostile_page, table_page
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from treelearn import DecisionTreeClassifier, compare_criteria
from treelearn._tables import Table
from treelearn.report import page_of_study, page_of_table
from treelearn.report._model import MOST_NODES


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
def test_it_renders(browser, tmp_path, screen):
    opened(browser, tmp_path, cancer_page(), **SCREENS[screen])
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


def test_every_metric_can_be_chosen(browser, tmp_path):
    opened(browser, tmp_path, cancer_page())
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
        ("%", [-0.05, 0.05], ["\u22125 %", "5 %"]),
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


@pytest.mark.parametrize(
    ("unit", "value", "written"),
    [("%", -0.0123, "\u22121.23 %"), ("bits", -0.5, "\u22120.5 bits"), ("", 0.25, "0.25")],
)
def test_differences_have_a_minus_sign(browser, tmp_path, unit, value, written):
    opened(browser, tmp_path, "<!doctype html><html data-ready=yes>")
    charts = files("treelearn.report").joinpath("charts.js").read_text(encoding="utf-8")
    metric = json.dumps({"unit": unit})
    assert browser.run(f"(() => {{ {charts}\n return score({metric}, {value}); }})()") == written


def test_zoom_and_search(browser, tmp_path):
    opened(browser, tmp_path, cancer_page())
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


def test_a_click_opens_a_node(browser, tmp_path):
    opened(browser, tmp_path, cancer_page())
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


def test_hostile_names_stay_text(browser, tmp_path):
    opened(browser, tmp_path, hostile_page())
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


def test_it_prints(browser, tmp_path):
    opened(browser, tmp_path, cancer_page())
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
