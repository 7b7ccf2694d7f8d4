"""What commands say of a fitted tree."""

import numpy as np

from ._tables import enumerate_names
from .criteria import criterion_label
from .export.text import shown

__all__ = ["count", "heading", "summary"]


def heading(model, table, n_rows):
    """Return the lines that say what was fitted."""
    estimator = model.estimator
    what = count(len(model.classes[0]), "class", "classes") if model.is_classifier else "a number"
    rows, features = count(n_rows, "row", "rows"), len(model.columns)
    yield (
        f"{table.name}: {rows}, {count(features, 'feature', 'features')}; to predict: "
        f"{table.target!r}, {what}"
    )
    coded = [shown(column.name) for column in model.columns if column.kind == "category"]
    if coded:
        yield f"Text and categories became ordinal codes: {enumerate_names(coded)}."
    yield _size(estimator)


def summary(model, path):
    """Yield the lines of ``show`` before the rules."""
    estimator, tree = model.estimator, model.estimator._tree
    target = "" if model.target is None else f" {model.target!r}"
    if model.is_classifier:
        labels = enumerate_names([shown(str(label)) for label in model.classes[0].tolist()])
        what = f"{count(len(model.classes[0]), 'class', 'classes')}: {labels}"
    else:
        what = "a number"
    yield f"{path} predicts{target}, {what}"
    rows = count(int(tree.n_node_samples[0]), "row", "rows")
    yield f"{_size(estimator)} Fitted on {rows}."
    shares = tree.feature_importances()
    best = [j for j in np.argsort(-shares, kind="stable").tolist() if shares[j] > 0.0]
    named = []
    for j in best:
        column = model.columns[j]
        kind = "" if column.kind == "number" else f", {column.kind}"
        if column.kind == "category":
            kind = f", {count(len(column.levels), 'category', 'categories')}"
        named.append(f"{shown(column.name)} ({100 * shares[j]:.1f} %{kind})")
    yield f"{len(best):,} of {len(model.columns):,} features take part, by share of the gain: " + (
        f"{enumerate_names(named)}." if named else "none."
    )


def _size(estimator):
    criterion = criterion_label(estimator.criterion, getattr(estimator, "order", None))
    leaves = count(estimator.get_n_leaves(), "leaf", "leaves")
    levels = count(estimator.get_depth(), "level", "levels")
    return f"A tree of {leaves}, {levels} deep, by {criterion}."


def count(number, one, several):
    return f"{number:,} {one if number == 1 else several}"
