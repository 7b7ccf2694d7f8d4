"""Trees in words: the rules of the leaves, the path of one row, a table of the leaves."""

import math

import numpy as np

from .._tables import is_frame, to_frame
from ..model import Model
from ._base import Leaves
from ._regions import regions

__all__ = ["condition_text", "explain_row", "leaf_table", "outcome_text", "rules", "shown"]

_MOST_LEVELS_SHOWN = 6


def rules(tree, *, feature_names=None, digits=None):
    """Return a tree as one line a leaf, its conditions merged.

    Parameters
    ----------
    tree : Model or fitted estimator
        The tree.
    feature_names : sequence of str, default=None
        Names in place of the tree's own.
    digits : int, default=None
        Significant digits of thresholds and predicted numbers. None writes them exactly;
        rounded rules may send a value next to a threshold to the other side.

    Returns
    -------
    str
        One rule a line, in the order of the leaves. Together they cover every row once. What a
        rule says of one feature stands in one condition. Where a value was missing in training,
        or nobody knows whether one was, "or missing" says which way missing values go.

    Raises
    ------
    TypeError, ValueError
        If it is no fitted tree, or the names are not as many as the features.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from treelearn import DecisionTreeClassifier
    >>> from treelearn.export import rules
    >>> from treelearn.model import Model
    >>> iris = load_iris()
    >>> tree = DecisionTreeClassifier(max_depth=2)
    >>> names = iris.target_names[iris.target]
    >>> model = Model.fit(tree, iris.data, names, feature_names=iris.feature_names)
    >>> print(rules(model, digits=3))
    if petal length (cm) <= 2.45: setosa (50 samples, 100 %)
    if petal length (cm) > 2.45 and petal width (cm) <= 1.75: versicolor (54 samples, 90.7 %)
    if petal length (cm) > 2.45 and petal width (cm) > 1.75: virginica (46 samples, 97.8 %)
    """
    model = Model.of(tree, feature_names)
    lines = []
    for _, _, condition, outcome in _leaf_texts(model, digits):
        lines.append(f"if {condition}: {outcome}" if condition else f"always: {outcome}")
    return "\n".join(lines)


def explain_row(tree, row, *, feature_names=None, digits=None):
    """Return the path of one row through a tree in words.

    Parameters
    ----------
    tree : Model or fitted estimator
        The tree.
    row : array-like of shape (n_features,), or frame of one row
        What is predicted.
    feature_names : sequence of str, default=None
        Names in place of the tree's own.
    digits : int, default=None
        Significant digits; None writes numbers exactly.

    Returns
    -------
    str
        One line a step from the root to the leaf, then the prediction.

    Raises
    ------
    ValueError
        If it is not one row of the model's features.

    Examples
    --------
    >>> from treelearn import DecisionTreeRegressor
    >>> from treelearn.export import explain_row
    >>> tree = DecisionTreeRegressor().fit([[1.0], [2.0], [4.0]], [10.0, 10.0, 25.0])
    >>> print(explain_row(tree, [2.5], feature_names=["size"]))
    1. size is 2.5: at most 3.
    Leaf 1 predicts 10 (2 of 3 training samples).
    """
    model = Model.of(tree, feature_names)
    rows = row if is_frame(row) else np.atleast_2d(np.asarray(row, dtype=np.float64))
    rows = model.rows(rows, "missing")
    if len(rows) != 1:
        raise ValueError(f"One row is needed, not {len(rows)}.")
    inner = model.estimator._tree
    path = np.sort(model.estimator.decision_path(rows, check_input=False).indices).tolist()
    lines = []
    for number, (node, child) in enumerate(zip(path, path[1:], strict=False), start=1):
        j = int(inner.feature[node])
        is_left = child == node + 1
        step = _step(model.columns[j], float(rows[0, j]), inner.threshold[node], is_left, digits)
        lines.append(f"{number}. {step}.")
    leaf = path[-1]
    place = int(np.searchsorted(np.flatnonzero(inner.children_left == -1), leaf))
    leaves = Leaves(model)
    said = " and ".join(
        outcome_text(leaves, leaves.labels(k)[place], k, place, digits)
        for k in range(model.n_outputs)
    )
    n_samples, n_all = int(inner.n_node_samples[leaf]), int(inner.n_node_samples[0])
    lines.append(f"Leaf {leaf} predicts {said} ({n_samples:,} of {n_all:,} training samples).")
    return "\n".join(lines)


def leaf_table(tree, *, feature_names=None, digits=None):
    """Return the leaves of a tree as a frame.

    Parameters
    ----------
    tree : Model or fitted estimator
        The tree.
    feature_names : sequence of str, default=None
        Names in place of the tree's own.
    digits : int, default=None
        Significant digits in the rules; None writes numbers exactly.

    Returns
    -------
    pandas.DataFrame
        One row a leaf: ``leaf`` (its number, as ``apply`` returns it), ``depth``, ``rule``,
        ``n_samples``, ``weight``, ``impurity`` (in the unit of the criterion), ``prediction``
        and, of a classifier, ``share of <class>``. Of several outputs the last two are
        numbered.

    Raises
    ------
    ImportError
        If pandas is not installed.

    Examples
    --------
    >>> from treelearn import DecisionTreeClassifier
    >>> from treelearn.export import leaf_table
    >>> tree = DecisionTreeClassifier().fit([[1.0], [2.0], [4.0]], ["a", "a", "b"])
    >>> leaf_table(tree)[["leaf", "n_samples", "prediction", "share of a"]].values.tolist()
    [[1, 2, 'a', 1.0], [2, 1, 'b', 0.0]]
    """
    model = Model.of(tree, feature_names)
    leaves = Leaves(model)
    texts = list(_leaf_texts(model, digits))
    inner, nodes = leaves.tree, leaves.nodes
    columns = {
        "leaf": nodes,
        "depth": [depth for _, depth, _, _ in texts],
        "rule": [condition or "always" for _, _, condition, _ in texts],
        "n_samples": inner.n_node_samples[nodes],
        "weight": inner.weighted_n_node_samples[nodes],
        "impurity": inner.impurity[nodes],
    }
    for output, mark in enumerate(model.output_marks()):
        columns[f"prediction{mark}"] = leaves.labels(output)
        if model.is_classifier:
            shares = leaves.shares[output]
            for k, label in enumerate(model.classes[output].tolist()):
                columns[f"share{mark} of {label}"] = shares[:, k]
    return to_frame(columns)


def _leaf_texts(model, digits):
    """Yield leaf, depth, merged condition and outcome in words of every leaf."""
    leaves = Leaves(model)
    labels = [leaves.labels(output) for output in range(model.n_outputs)]
    left = leaves.tree.children_left
    place = 0
    for node, depth, demands in regions(leaves.tree):
        if left[node] != -1:
            continue
        parts = [condition_text(model.columns[j], demand, digits) for j, demand in demands.items()]
        said = " and ".join(
            outcome_text(leaves, labels[k][place], k, place, digits) for k in range(model.n_outputs)
        )
        n_samples = int(leaves.tree.n_node_samples[node])
        samples = f"{n_samples:,} sample{'s' if n_samples != 1 else ''}"
        if model.is_classifier and model.n_outputs == 1:
            share = leaves.shares[0][place].max()
            said = f"{shown(str(labels[0][place]))} ({samples}, {100 * share:.3g} %)"
        else:
            said = f"{said} ({samples})"
        yield node, depth, " and ".join(filter(None, parts)), said
        place += 1


def outcome_text(leaves, label, output, place, digits):
    """Return a prediction in words, with the name of the target where there are several."""
    if leaves.model.is_classifier:
        share = leaves.shares[output][place].max()
        said = f"{shown(str(label))}, {100 * share:.3g} %"
    else:
        said = _number(label, digits)
    return f"output {output} {said}" if leaves.model.n_outputs > 1 else said


def condition_text(column, demand, digits):
    """Return what is demanded of one feature in words, "" where nothing is."""
    low, high, may_miss = demand
    name = shown(column.name)
    if low >= high:
        return f"{name} is missing" if may_miss else f"{name} is nothing"
    if low == -math.inf and high == math.inf:
        return "" if may_miss else f"{name} is not missing"
    text = _range(column, low, high, digits)
    if text is None:
        # All values there are pass; which of them are missing still decides.
        if may_miss:
            return ""
        return f"{name} is not missing"
    is_open = may_miss and column.has_missing is not False
    return f"{text} (or missing)" if is_open else text


def _range(column, low, high, digits):
    name = shown(column.name)
    if column.kind == "boolean":
        passes = [low < value <= high for value in (0.0, 1.0)]
        return None if all(passes) else f"{name} is {'true' if passes[1] else 'false'}"
    if column.kind == "category":
        inside, outside = _levels_within(column, low, high)
        return f"{name} {_levels(inside, outside)}" if outside else None
    if low == -math.inf:
        return f"{name} <= {_value(column, high, digits)}"
    if high == math.inf:
        return f"{name} > {_value(column, low, digits)}"
    return f"{_value(column, low, digits)} < {name} <= {_value(column, high, digits)}"


def _levels_within(column, low, high):
    inside = [level for code, level in enumerate(column.levels) if low < code <= high]
    outside = [level for code, level in enumerate(column.levels) if not low < code <= high]
    return inside, outside


def _levels(inside, outside):
    """Return which levels pass: one, all but one, a few, or from one to another."""
    if not inside:
        return "is no known value"
    if len(inside) == 1:
        return f"is {_level(inside[0])}"
    if len(outside) == 1:
        return f"is not {_level(outside[0])}"
    if len(inside) <= _MOST_LEVELS_SHOWN:
        return f"in {{{', '.join(map(_level, inside))}}}"
    # Demands are ranges of codes, so the levels between the ends all belong.
    return f"in {{{_level(inside[0])}, ..., {_level(inside[-1])}}} ({len(inside)} values)"


def _step(column, value, threshold, is_left, digits):
    """Return one decision in words."""
    name = shown(column.name)
    side = -math.inf, float(threshold)
    if math.isinf(threshold):
        return f"{name} is {'not ' if is_left else ''}missing"
    if column.kind == "boolean":
        if math.isnan(value):
            return f"{name} is missing: taken for {'false' if is_left else 'true'}"
        return f"{name} is {'true' if value else 'false'}"
    if column.kind == "category":
        inside, outside = _levels_within(column, *side)
        group = _levels(inside, outside) if is_left else _levels(outside, inside)
        if math.isnan(value):
            return f"{name} is missing or unknown: taken for one that {group}".replace(
                "that in", "in"
            )
        code = int(value)
        is_known = 0 <= code < len(column.levels) and code == value
        said = _level(column.levels[code]) if is_known else f"{value:g}"
        return f"{name} is {said}" if group == f"is {said}" else f"{name} is {said}: {group}"
    where = f"{'at most' if is_left else 'above'} {_value(column, threshold, digits)}"
    if math.isnan(value):
        return f"{name} is missing: taken for {where}"
    return f"{name} is {_value(column, value, digits)}: {where}"


def _value(column, value, digits):
    """Return a number, a date or a duration as text."""
    if column.kind == "date" and abs(value) < 1e11:
        microseconds = round(float(value) * 1e6)
        if microseconds / 1e6 == value:
            text = str(np.datetime64(microseconds, "us")).replace("T", " ")
            return text.rstrip("0").rstrip(".") if "." in text else text
    text = _number(value, digits)
    return f"{text} s" if column.kind == "duration" else text


def _number(value, digits):
    value = float(value)
    if digits is not None:
        return f"{value:.{digits}g}"
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)


def _level(level):
    text = str(level)
    has_marks = any(mark in text for mark in ",{}'\"")
    return repr(text) if has_marks else shown(text)


def shown(text):
    """Return a name as it is, or in quotes with escapes where it could not be read as one."""
    is_plain = text.isprintable() and text and text == text.strip()
    return text if is_plain else repr(text)
