"""Trees for the tests of exports: drawn ones, one on a table of every kind of column, deep ones."""

import numpy as np
from hypothesis import strategies as st
from strategies import labels, tables, targets

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor
from treelearn.model import Model
from treelearn.tree import Tree

TEXTS = ["it's", 'a "quote"', "*/ --", "line\nbreak"]
HOSTILE_NAMES = [
    *('say "hi"', "it's", "a\nb", "<script>alert(1)</script>", "SELECT", "x; DROP TABLE data; --"),
    *("größe 🌳", " ", "a\\b", "%s", "?", "{x}", "*/", "??/", "\t", ":name", "$1", "'"),
]


@st.composite
def fitted_trees(draw, n_outputs=1):
    """Draw an estimator of either kind, fitted, and its rows."""
    X = draw(tables(max_rows=16))
    depth = draw(st.sampled_from([None, 1, 3]))
    if draw(st.booleans()):
        y = draw(targets(len(X), n_outputs))
        return DecisionTreeRegressor(max_depth=depth).fit(X, y), X
    y = draw(labels(len(X), n_outputs))
    kind = draw(st.sampled_from(["int", "text", "bool"]))
    if kind == "text":
        y = np.array(TEXTS)[y]
    elif kind == "bool":
        y = y > 0
    return DecisionTreeClassifier(max_depth=depth).fit(X, y), X


def mixed_model(pd, n_rows=120, **parameters):
    """Return a model of a frame with every kind of column and missing values, and the frame."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=n_rows).astype(np.float32),
            "whole": rng.integers(-3, 3, n_rows),
            "flag": rng.random(n_rows) < 0.5,
            'text\'s "name"': np.array(["x", "it's", "ü\n", "--"])[rng.integers(0, 4, n_rows)],
            "size": pd.Categorical(
                np.array(["s", "m", "l"])[rng.integers(0, 3, n_rows)],
                categories=["s", "m", "l"],
                ordered=True,
            ),
            "grade": pd.Categorical(rng.integers(1, 4, n_rows)),
        }
    )
    start = np.datetime64("2020-01-01T00:00:00", "us")
    frame["day"] = start + rng.integers(0, 10**12, n_rows).astype("m8[us]")
    frame["lasted"] = rng.integers(0, 10**9, n_rows).astype("m8[us]")
    for name in ("number", 'text\'s "name"', "size"):
        frame.loc[rng.random(n_rows) < 0.2, name] = None
    y = np.array(["no", "yes", "it's"])[rng.integers(0, 3, n_rows)]
    return Model.fit(DecisionTreeClassifier(**parameters), frame, y, "y"), frame


def chain(depth):
    """Return a regression tree of so many levels, each with one leaf."""
    n_nodes = 2 * depth + 1
    inner = np.arange(0, n_nodes - 1, 2)
    leaf = np.full(n_nodes, -1, dtype=np.int32)
    arrays = {
        "children_left": leaf.copy(),
        "children_right": leaf.copy(),
        "feature": np.full(n_nodes, -2, dtype=np.int32),
        "threshold": np.full(n_nodes, -2.0),
        "missing_go_to_left": np.zeros(n_nodes, dtype=np.uint8),
        "needs_float64": np.zeros(n_nodes, dtype=np.uint8),
        "impurity": np.ones(n_nodes),
        "n_node_samples": np.ones(n_nodes, dtype=np.int64),
        "weighted_n_node_samples": np.ones(n_nodes),
        "value": 0.1 * np.arange(n_nodes)[:, None],
        "class_starts": np.zeros(n_nodes + 1, dtype=np.int64),
        "classes": np.zeros(0, dtype=np.int32),
        "class_weights": np.zeros(0),
    }
    arrays["children_left"][inner] = inner + 1
    arrays["children_right"][inner] = inner + 2
    arrays["feature"][inner] = 0
    arrays["threshold"][inner] = 0.1 * inner
    arrays["missing_go_to_left"][inner[-1:]] = 1
    estimator = DecisionTreeRegressor().fit([[0.0], [1.0]], [0.0, 1.0])
    estimator._tree = Tree(1, None, 1, arrays)
    return estimator, np.array([[-1.0], [0.1 * depth], [0.2 * depth], [np.nan]])
