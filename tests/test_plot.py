"""Pictures: what is drawn, on which axes, with names that nothing interprets, as SVG and PDF."""

import io
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier as SklearnTree

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor, compare_criteria

matplotlib = pytest.importorskip("matplotlib", reason="pictures need matplotlib")
matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402

from treelearn import plot  # noqa: E402
from treelearn._leaf_statistics import wilson_interval  # noqa: E402
from treelearn.laboratory import criteria_of_orders  # noqa: E402

HOSTILE = ["<script>alert(1)</script>", "$\\frac{", "_hidden", "%s {0} \\n", "ein sehr " * 20]


@pytest.fixture(autouse=True)
def closed_figures():
    """Close what a test has drawn."""
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def cancer():
    """Return the bundled set, split into training and test samples."""
    return train_test_split(*load_breast_cancer(return_X_y=True), random_state=0)


@pytest.fixture(scope="module")
def tree(cancer):
    """Return a tree of depth five."""
    X, _, y, _ = cancer
    return DecisionTreeClassifier(max_depth=5).fit(X, y)


@pytest.fixture(scope="module")
def orders():
    """Return a comparison of a few orders."""
    names = [*criteria_of_orders(orders=[0.5, 1, 3]), "renyi:inf", "gini"]
    return compare_criteria(*load_breast_cancer(return_X_y=True), names, cv=3, n_repeats=1)


def drawings(tree, cancer, orders):
    """Return a function that draws on axes, by name."""
    _, X, _, y = cancer
    return {
        "tree": lambda ax: plot.plot_tree(tree, ax=ax),
        "criteria": lambda ax: plot.plot_criteria(ax=ax),
        "order_path": lambda ax: plot.plot_order_path(orders, ax=ax),
        "calibration": lambda ax: plot.plot_calibration(tree, X, y, ax=ax),
        "pruning": lambda ax: plot.plot_pruning(tree, X, y, ax=ax),
        "leaves": lambda ax: plot.plot_leaves(tree, X, y, ax=ax),
    }


NAMES = ["tree", "criteria", "order_path", "calibration", "pruning", "leaves"]


@pytest.mark.parametrize("name", NAMES)
def test_axes_in_and_out(tree, cancer, orders, name):
    draw = drawings(tree, cancer, orders)[name]
    _, ax = plt.subplots()
    display = draw(ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    own = draw(None)
    assert own.figure_ is not ax.figure
    # A display draws again, and elsewhere.
    assert own.plot(ax).ax_ is ax


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
@pytest.mark.parametrize("name", NAMES)
def test_files_come_out_clean(tree, cancer, orders, name, kind):
    file = io.BytesIO()
    drawings(tree, cancer, orders)[name](None).figure_.savefig(file, format=kind)
    assert len(file.getvalue()) > 2000
    if kind == "svg":
        ElementTree.fromstring(file.getvalue())


def boxes(display):
    """Return the box of every node in pixels."""
    display.figure_.canvas.draw()
    return {
        node: text.get_bbox_patch().get_window_extent() for node, text in display.texts_.items()
    }


def test_a_tree_of_depth_five_with_long_names_is_readable():
    # A full tree of 32 leaves, one feature a level.
    X = np.tile((np.arange(32)[:, None] >> np.arange(5)[::-1]) & 1, (2, 1))
    names = [f"a rather long name of the feature with the number {j}" for j in range(5)]
    y = [f"an equally long name of a class {k}" for k in range(32)] * 2
    display = plot.plot_tree(DecisionTreeClassifier().fit(X, y), feature_names=names)
    found = list(boxes(display).values())
    assert len(found) == 63
    for i, box in enumerate(found):
        assert not any(box.overlaps(other) for other in found[i + 1 :])
    figure = display.figure_.bbox
    assert min(box.x0 for box in found) >= 0
    assert max(box.x1 for box in found) <= figure.x1
    assert min(text.get_fontsize() for text in display.texts_.values()) >= 8


def test_the_tree_says_what_it_is(tree):
    display = plot.plot_tree(tree, class_names=["malignant", "benign"], max_depth=2)
    texts = {node: text.get_text() for node, text in display.texts_.items()}
    assert texts[0] == f"x{tree.tree_.feature[0]} ≤ {tree.tree_.threshold[0]:.6g}"
    hidden = [text for text in texts.values() if "leaves" in text]
    n_hidden = sum(int(text.split()[1]) for text in hidden)
    n_shown = sum("%" in text and "leaves" not in text for text in texts.values())
    assert n_hidden + n_shown == tree.get_n_leaves()


def test_scikit_learns_trees_can_be_drawn(cancer):
    X, _, y, _ = cancer
    assert plot.plot_tree(SklearnTree(max_depth=2).fit(X, y)).texts_


def test_regression_trees_and_their_leaves(diabetes):
    X, y = diabetes
    tree = DecisionTreeRegressor(max_depth=3).fit(X, y)
    assert f"{y.mean():.4g}" in plot.plot_tree(tree, max_depth=0).texts_[0].get_text()
    display = plot.plot_leaves(tree, X, y, n_largest=4)
    assert display.ax_.get_title() == "the 4 largest of 8 leaves"
    display = plot.plot_pruning(tree, X, y)
    assert display.scores["other samples"][0] == pytest.approx(tree.score(X, y))
    assert display.scores["other samples"][-1] == pytest.approx(0.0)
    with pytest.raises(ValueError, match="classifiers"):
        plot.plot_calibration(tree, X, y)


def test_names_stay_text():
    X = np.eye(5)[:, :5]
    tree = DecisionTreeClassifier().fit(X, HOSTILE)
    for display in (
        plot.plot_tree(tree, feature_names=HOSTILE),
        plot.plot_leaves(tree, X, HOSTILE),
        plot.plot_calibration(tree, X, HOSTILE),
        plot.plot_calibration(DecisionTreeClassifier().fit(X[:2], HOSTILE[:2]), X, HOSTILE),
    ):
        file = io.BytesIO()
        display.figure_.savefig(file, format="svg")
        found = ElementTree.fromstring(file.getvalue())
        assert not [node for node in found.iter() if node.tag.endswith("script")]
    legend = [text.get_text() for text in plot.plot_tree(tree).ax_.get_legend().get_texts()]
    assert len(legend) == 5


def test_pruning_finds_the_best_tree(cancer):
    X, X_test, y, y_test = cancer
    tree = DecisionTreeClassifier().fit(X, y)
    display = plot.plot_pruning(tree, X_test, y_test, X_train=X, y_train=y)
    pruned = DecisionTreeClassifier(ccp_alpha=display.best_alpha_ * (1 + 1e-9)).fit(X, y)
    best = display.scores["other samples"].max()
    assert accuracy_score(y_test, pruned.predict(X_test)) == pytest.approx(best)
    assert display.scores["training samples"][0] == 1.0


def test_calibration_counts_every_sample(cancer):
    X, X_test, y, y_test = cancer
    for n_bins in (1, 3, 100):
        tree = DecisionTreeClassifier(min_samples_leaf=5).fit(X, y)
        display = plot.plot_calibration(tree, X_test, y_test, n_bins=n_bins)
        assert display.n.sum() == len(y_test)
        assert len(display.n) <= max(n_bins, 1)
    total = (display.n * display.share).sum()
    assert total == pytest.approx((y_test == 1).sum())


def test_criteria_are_those_of_the_core():
    display = plot.plot_criteria(["gini", "entropy", "tsallis:2"], is_scaled=False)
    p = display.shares
    np.testing.assert_allclose(display.impurities["gini"], 2 * p * (1 - p), atol=1e-12)
    entropy = -p * np.log2(p) - (1 - p) * np.log2(1 - p)
    np.testing.assert_allclose(display.impurities["entropy"], entropy, atol=1e-9)
    own = plot.CriteriaDisplay.from_estimator(DecisionTreeClassifier(criterion="renyi", order=3))
    assert list(own.impurities) == ["renyi:3", "gini", "entropy"]
    with pytest.raises(ValueError, match="no criterion for classes"):
        plot.plot_criteria(["poisson"])


def test_order_path(orders):
    display = plot.plot_order_path(orders, metric="n_leaves")
    assert list(display.lines_) == ["renyi", "tsallis", "gini"]
    assert display.lines_["renyi"].get_xdata().tolist() == [0.5, 1, 3, 6]
    labels = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert labels == ["0.5", "1", "3", "∞"]
    with pytest.raises(ValueError, match="must be one of accuracy"):
        plot.plot_order_path(orders, metric="speed")


def test_order_path_of_an_estimator(cancer):
    X, _, y, _ = cancer
    tree = DecisionTreeClassifier(max_depth=1)
    display = plot.OrderPathDisplay.from_estimator(tree, X, y, orders=[1, 2], cv=2, n_repeats=1)
    assert {row["depth"] for row in display.comparison.folds} == {1}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"feature_names": ["a"]}, "1 feature names for 30"),
        ({"class_names": ["a"]}, "1 class names for 2"),
        ({"max_depth": -1}, "max_depth == -1"),
    ],
)
def test_bad_input_is_refused(tree, options, reason):
    with pytest.raises(ValueError, match=reason):
        plot.plot_tree(tree, **options)


def test_too_many_leaves_are_refused():
    tree = DecisionTreeClassifier().fit(np.arange(500.0)[:, None], np.arange(500) % 2)
    with pytest.raises(ValueError, match="cannot be read"):
        plot.plot_tree(tree, max_depth=500)


def test_a_tree_of_several_outputs_is_refused():
    tree = DecisionTreeClassifier().fit([[0.0], [1.0]], [[0, 1], [1, 0]])
    with pytest.raises(ValueError, match="one output"):
        plot.plot_tree(tree)


def test_wilson_interval_is_that_of_its_equation():
    # The ends are the shares p with (share - p)^2 = z^2 p (1 - p) / n.
    for share, n in ((0.0, 5), (0.3, 10), (0.5, 1000), (1.0, 3)):
        low, high = wilson_interval(share, n)
        for p in (low, high):
            gap = 1.959963984540054**2 * p * (1 - p) / n
            assert (share - p) ** 2 == pytest.approx(gap, abs=1e-12)
        assert 0 <= low <= share <= high <= 1


def test_matplotlib_is_imported_only_to_draw():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import treelearn.plot as p\n"
        "try:\n    p.plot_criteria()\n"
        "except ImportError as e:\n    assert 'treelearn[plot]' in str(e)\n"
        "else:\n    raise SystemExit(1)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
