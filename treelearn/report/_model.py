"""The facts of one tree: its nodes, its size, its leaves, its features, rows to follow."""

import base64

import numpy as np
from sklearn.model_selection import train_test_split

from .._information_report import information_report
from .._pruning import node_scores, pruned_estimator, pruning_path
from .._scores import fitted_tree
from .._tree_distance import root_gains

__all__ = ["model_facts"]

MOST_NODES = 100_000
_MOST_ROWS_SHOWN = 100
_MOST_POINTS_OF_A_CURVE = 200
_ROWS_OF_PERMUTATIONS = 5_000
_ROWS_OF_INFORMATION = 20_000
_N_PERMUTATIONS = 5
_LONGEST_LEVEL = 40


def model_facts(X, y, columns, *, task, class_names, criterion, parameters, ccp_alpha=None, seed=0):
    """Grow the tree of the page and return what is to be said of it.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.
    y : ndarray of shape (n_samples,)
        Labels 0 .. n_classes - 1, or numbers.
    columns : list of (str, str, list or None)
        Name, kind and levels of every feature.
    task : {"classification", "regression"}
        What kind of target it is.
    class_names : list of str or None
        Names of the classes.
    criterion : tuple of (str, str, float or None)
        Label, name and order.
    parameters : dict
        Parameters of the tree.
    ccp_alpha : float, default=None
        How much to prune it; None: as the rows that were held out say.
    seed : int, default=0
        Seed of the rows that are held out, permuted and shown.

    Returns
    -------
    dict
        Numbers, text and lists, for JSON.
    """
    label, name, order = criterion
    parameters = dict(parameters) if order is None else {**parameters, "order": order}
    is_classes = task == "classification"
    train, test = _halves(y, is_classes, seed)
    grown, _ = fitted_tree(task, name, parameters, X[train], y[train])
    pruning, path, chosen = _pruning_facts(grown, X, y, train, test, is_classes)
    alpha = path.alphas[chosen] if ccp_alpha is None else ccp_alpha
    judged = pruned_estimator(grown, path, alpha)
    whole, _ = fitted_tree(task, name, parameters, X, y)
    whole_path = pruning_path(whole.tree_)
    n_whole = whole.tree_.node_count
    too_large = 2 * whole_path.n_leaves - 1 > MOST_NODES
    least = whole_path.alphas[~too_large][0]
    is_cut = ccp_alpha is not None and bool(too_large[whole_path.alphas <= alpha][-1:].any())
    shown = whole
    if alpha > 0 or least > 0:
        shown = pruned_estimator(whole, whole_path, max(alpha, least))
    return {
        "criterion": label,
        "tree": _tree_facts(shown, X, y, is_classes),
        "n_nodes_whole": n_whole,
        "is_cut": is_cut,
        "columns": _column_facts(columns, shown.tree_, X),
        "class_names": class_names,
        "pruning": {**pruning, "alpha": float(alpha), "is_given": ccp_alpha is not None},
        "importances": _importances(shown, judged, X, y, test, columns, seed),
        "information": _information(judged, X, y, train, test, columns, seed)
        if is_classes
        else None,
        "rows": _rows(shown, X, y, columns, class_names, seed),
    }


def _halves(y, is_classes, seed):
    """Return the rows to grow on and those held out, a quarter, stratified where that goes."""
    stratify = None
    if is_classes and np.bincount(y).min() >= 2 and len(y) >= 4 * (y.max() + 1):
        stratify = y
    return train_test_split(np.arange(len(y)), test_size=0.25, random_state=seed, stratify=stratify)


def _pruning_facts(grown, X, y, train, test, is_classes):
    """Return the curve of the page, the path, and the step of the tree that is chosen."""
    worth = np.column_stack([node_scores(grown, X[rows], y[rows]) for rows in (train, test)])
    path = pruning_path(grown.tree_, worth)
    scores = []
    for j, rows in enumerate((train, test)):
        if is_classes:
            scores.append(path.scores[:, j] / len(rows))
        else:
            total = max(float(np.var(y[rows])) * len(rows), np.finfo(float).tiny)
            scores.append(1 + path.scores[:, j] / total)
    best = scores[1].max()
    error = np.sqrt(best * (1 - best) / len(test)) if is_classes else 0.0
    chosen = int(np.flatnonzero(scores[1] >= best - error)[-1])
    points = np.unique(np.geomspace(1, len(path.alphas), _MOST_POINTS_OF_A_CURVE).astype(int) - 1)
    # Dense where trees are small, which is where curves bend.
    kept = np.unique(np.append(len(path.alphas) - 1 - points, chosen))
    facts = {
        "n_leaves": path.n_leaves[kept].tolist(),
        "train": scores[0][kept].tolist(),
        "test": scores[1][kept].tolist(),
        "label": "accuracy" if is_classes else "R2",
        "chosen_leaves": int(path.n_leaves[chosen]),
        "chosen_score": float(scores[1][chosen]),
        "best_leaves": int(path.n_leaves[np.flatnonzero(scores[1] == best)[-1]]),
        "best_score": float(best),
        "standard_error": float(error),
        "n_train": len(train),
        "n_test": len(test),
    }
    return facts, path, chosen


def _packed(array, dtype):
    """Return an array as base64 of its little-endian bytes."""
    data = np.ascontiguousarray(array, dtype=np.dtype(dtype).newbyteorder("<")).tobytes()
    return base64.b64encode(data).decode("ascii")


def _tree_facts(estimator, X, y, is_classes):
    """Return the nodes in pre-order: of inner ones the split, of leaves what is in them."""
    tree = estimator._tree
    is_leaf = tree.children_left == -1
    inner = ~is_leaf
    facts = {
        "n_nodes": int(tree.node_count),
        "n_leaves": int(is_leaf.sum()),
        "depth": int(tree.max_depth),
        "feature": _packed(np.where(is_leaf, -1, tree.feature), "i4"),
        "threshold": _packed(tree.threshold[inner], "f8"),
        "missing_left": _packed(tree.missing_go_to_left[inner], "u1"),
        "leaf_n": _packed(tree.n_node_samples[is_leaf], "u4"),
    }
    if is_classes:
        counts = np.diff(tree.class_starts)
        return facts | {
            "n_classes_of_leaf": _packed(counts[is_leaf], "u4"),
            "class_of_leaf": _packed(tree.classes, "u4"),
            "count_of_class": _packed(np.round(tree.class_weights), "u4"),
        }
    leaf = np.cumsum(is_leaf)[estimator.apply(X)] - 1
    value = tree.value[is_leaf, 0]
    n = np.bincount(leaf, minlength=len(value))
    squares = np.bincount(leaf, weights=(y - value[leaf]) ** 2, minlength=len(value))
    spread = np.sqrt(squares / np.maximum(n - 1, 1))
    return facts | {"leaf_value": _packed(value, "f8"), "leaf_sd": _packed(spread, "f4")}


def _column_facts(columns, tree, X):
    """Return name, kind, whether values are missing and, of categories, the levels at the cuts."""
    facts = []
    for j, (name, kind, levels) in enumerate(columns):
        has_missing = bool(np.isnan(X[:, j]).any())
        fact = {"name": name, "kind": kind, "has_missing": has_missing}
        if levels is not None:
            cuts = tree.threshold[tree.feature == j]
            below = np.unique(np.floor(cuts[np.abs(cuts) < len(levels)]).astype(int))
            codes = sorted({int(c) for c in below if 0 <= c < len(levels)})
            fact["levels"] = {str(code): _level_text(levels[code]) for code in codes}
            fact["n_levels"] = len(levels)
        facts.append(fact)
    return facts


def _level_text(level):
    text = str(level)
    if len(text) <= _LONGEST_LEVEL:
        return text
    return f"{text[: _LONGEST_LEVEL - 1]}\N{HORIZONTAL ELLIPSIS}"


def _importances(shown, judged, X, y, test, columns, seed):
    """Return impurity importance of the tree shown, and permutation importance on held-out rows.

    What a tree does not use cannot matter when it is permuted: the others are not tried.
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(test)[:_ROWS_OF_PERMUTATIONS])
    samples = X[rows].copy()
    target = y[rows]
    before = judged.score(samples, target) if len(rows) > 1 else np.nan
    used = np.unique(judged._tree.feature[judged._tree.children_left != -1])
    drop = np.zeros((len(columns), _N_PERMUTATIONS))
    for j in used.tolist():
        values = samples[:, j].copy()
        for repeat in range(_N_PERMUTATIONS):
            samples[:, j] = rng.permutation(values)
            drop[j, repeat] = before - judged.score(samples, target)
        samples[:, j] = values
    impurity = shown.feature_importances_
    order = np.lexsort((-drop.mean(axis=1), -impurity))
    return {
        "n_rows": len(rows),
        "n_repeats": _N_PERMUTATIONS,
        "n_unused": int((impurity == 0).sum()),
        "rows": [
            {
                "feature": columns[j][0],
                "impurity": float(impurity[j]),
                "permutation": float(drop[j].mean()),
                "permutation_sd": float(drop[j].std(ddof=1)),
            }
            for j in order[:50].tolist()
            if impurity[j] > 0 or drop[j].any()
        ],
    }


def _information(judged, X, y, train, test, columns, seed):
    """Return in bits per label what the tree knows, and what one cut of each feature tells."""
    found = dict(information_report(judged, X[train], y[train], X_test=X[test], y_test=y[test]))
    if not np.isfinite(found["held_out_bits_raw"]):
        found["held_out_bits_raw"] = None  # JSON has no infinity
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(y))[:_ROWS_OF_INFORMATION])
    gains = root_gains(X[rows], y[rows], "classification", "entropy", {"n_jobs": 1})
    order = np.argsort(-gains, kind="stable")[:20]
    return found | {
        "n_test": len(test),
        "features": [[columns[j][0], float(gains[j])] for j in order.tolist() if gains[j] > 0],
        "n_rows_of_features": len(rows),
    }


def _rows(estimator, X, y, columns, class_names, seed):
    """Return some rows of the table: the values of the features that the tree uses."""
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(y))[:_MOST_ROWS_SHOWN])
    tree = estimator._tree
    used = np.unique(tree.feature[tree.children_left != -1]).tolist()
    rows = []
    for i in chosen.tolist():
        values = [None if np.isnan(v) else float(v) for v in X[i, used]]
        texts = [
            _level_text(columns[j][2][int(v)]) if v is not None and columns[j][2] else None
            for j, v in zip(used, values, strict=True)
        ]
        truth = class_names[y[i]] if class_names is not None else float(y[i])
        rows.append({"row": i, "values": values, "texts": texts, "truth": truth})
    return {"used": used, "rows": rows}
