"""The tree as a graph for Graphviz."""

import numpy as np

from ..model import Model
from ._base import Leaves
from ._regions import Demand
from .text import condition_text, outcome_text

__all__ = ["to_dot"]


def to_dot(tree, *, feature_names=None, digits=4):
    r"""Return a tree in Graphviz' language, with names and without recursion.

    Parameters
    ----------
    tree : Model or fitted estimator
        The tree.
    feature_names : sequence of str, default=None
        Names in place of the tree's own.
    digits : int, default=4
        Significant digits of thresholds and predicted numbers; None writes them exactly.

    Returns
    -------
    str
        A digraph: ``dot -Tsvg`` draws it.

    Raises
    ------
    TypeError, ValueError
        If it is no fitted tree, or the names are not as many as the features.

    Examples
    --------
    >>> from treelearn import DecisionTreeClassifier
    >>> from treelearn.export import to_dot
    >>> tree = DecisionTreeClassifier().fit([[1.0], [2.0]], ["no", "yes"])
    >>> print(to_dot(tree, feature_names=["age"]))
    digraph tree {
      node [shape=box, style=rounded, fontname="sans-serif"];
      edge [fontname="sans-serif"];
      0 [label="age <= 1.5\n2 samples"];
      1 [label="no, 100 %\n1 sample"];
      2 [label="yes, 100 %\n1 sample"];
      0 -> 1 [label="yes"];
      0 -> 2 [label="no"];
    }
    """
    model = Model.of(tree, feature_names)
    leaves = Leaves(model)
    inner = leaves.tree
    is_leaf = inner.children_left == -1
    places = (np.cumsum(is_leaf) - 1).tolist()
    labels = [leaves.labels(output) for output in range(model.n_outputs)]
    nodes, edges = [], []
    for node in range(inner.node_count):
        n_samples = int(inner.n_node_samples[node])
        samples = f"{n_samples:,} sample{'s' if n_samples != 1 else ''}"
        if is_leaf[node]:
            place = places[node]
            said = "\n".join(
                outcome_text(leaves, labels[k][place], k, place, digits)
                for k in range(model.n_outputs)
            )
        else:
            misses_left = bool(inner.missing_go_to_left[node])
            demand = Demand(-np.inf, float(inner.threshold[node]), misses_left)
            column = model.columns[int(inner.feature[node])]
            said = condition_text(column, demand, digits) or "always"
            edges.append(f'  {node} -> {inner.children_left[node]} [label="yes"];')
            edges.append(f'  {node} -> {inner.children_right[node]} [label="no"];')
        nodes.append(f'  {node} [label="{_escaped(said)}\\n{samples}"];')
    start = [
        "digraph tree {",
        '  node [shape=box, style=rounded, fontname="sans-serif"];',
        '  edge [fontname="sans-serif"];',
    ]
    return "\n".join([*start, *nodes, *edges, "}"])


def _escaped(text):
    """Return text as part of a label: nothing in it is markup, an end or an escape."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
