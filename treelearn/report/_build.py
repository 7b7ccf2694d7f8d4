"""From a table and its comparison to the page."""

from collections import Counter

import numpy as np

from .._study_data import checked_classes, checked_data, checked_numbers, feature_names
from .._tables import is_frame, read_columns, take_rows, target_values
from .._tree_distance import tree_differences
from ..criteria import parse_criterion
from ..laboratory import compare_criteria, criteria_of_orders
from ._findings import comparison_facts, is_open, order_facts, study_facts
from ._model import model_facts
from ._page import render_page, repeat_facts

__all__ = ["page_of_study", "page_of_table", "sample_rows"]

_ORDERS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_MOST_CELLS = 400_000
_MOST_ROWS_OF_ORDERS = 5_000
_FEATURES_AT_THE_ROOT = 5
# The powers of an order cost time for every class.
_MOST_CLASSES_OF_TWO_REPEATS = 20


def sample_rows(n_samples, n_features, most_rows, seed, most_cells=_MOST_CELLS):
    """Return which rows a quick comparison takes: all, or as many as a page has time for.

    Parameters
    ----------
    n_samples, n_features : int
        Size of the table.
    most_rows : int
        Most rows to take.
    seed : int
        Seed of the draw.
    most_cells : int
        Most values to take, but not fewer than 1,000 rows.

    Returns
    -------
    ndarray of int
        Rising.
    """
    most = min(most_rows, max(1_000, most_cells // n_features))
    if n_samples <= most:
        return np.arange(n_samples)
    return np.sort(np.random.default_rng(seed).choice(n_samples, most, replace=False))


def page_of_table(
    table, X, y, comparison, *, command, seed, max_depth=None, ccp_alpha=None, n_jobs=None
):
    """Return the page of a comparison on one table, with a tree of that table.

    Parameters
    ----------
    table : Table
        Where X and y come from.
    X, y : frame or arrays
        Features and target as they were compared, all rows.
    comparison : CriteriaComparison
        What was found.
    command : str
        How to repeat it.
    seed : int
        Seed of everything drawn.
    max_depth : int, default=None
        Largest depth of the tree.
    ccp_alpha : float, default=None
        How much to prune it; None: as rows that are held out say.
    n_jobs : int, default=None
        Of the comparison of orders, as in ``compare_criteria``.

    Returns
    -------
    str
        HTML.
    """
    names = getattr(table, "feature_names", None)
    orders = None
    rows = sample_rows(len(y), X.shape[1], _MOST_ROWS_OF_ORDERS, seed, _MOST_CELLS // 4)
    few = take_rows(X, rows), take_rows(y, rows)
    if comparison.task == "classification":
        n_repeats = 2 if comparison.n_classes <= _MOST_CLASSES_OF_TWO_REPEATS else 1
        orders = _orders(*few, max_depth, seed, n_jobs, n_repeats)
    columns = _columns(X, names)
    values, target, _ = checked_data(X, y, None, [])
    class_names = None
    if comparison.task == "classification":
        class_names = [str(name) for name in np.unique(target)]
        target, _ = checked_classes(target, 2, [])
    else:
        target = checked_numbers(target, [], 2)
    facts = {
        "title": f"{table.name}: {table.target}",
        "about": _about(table, comparison, len(target)),
        "study": None,
        "comparison": comparison_facts(comparison, table.target),
        "differences": _differences(*few, names, comparison, max_depth, seed),
        "orders": orders,
        "model": model_facts(
            *(values, target, columns),
            task=comparison.task,
            class_names=class_names,
            criterion=_criterion_of_tree(comparison),
            parameters={"max_depth": max_depth, "random_state": seed},
            ccp_alpha=ccp_alpha,
            seed=seed,
        ),
        "notes": [*comparison.notes, *_notes_of_splitter(comparison)],
        "repeat": repeat_facts(
            command, seed=seed, data_hash=comparison.settings["data_hash"], source=table.name
        ),
    }
    return render_page(facts)


def page_of_study(study, notes, *, command, seed):
    """Return the page of a study of several tables.

    Parameters
    ----------
    study : CriteriaStudy
        What was found.
    notes : list of str
        What the reader should know of the data.
    command : str
        How to repeat it.
    seed : int
        Seed of everything drawn.

    Returns
    -------
    str
        HTML.
    """
    names = list(study.comparisons)
    hashes = ", ".join(one.settings["data_hash"][:16] for one in study.comparisons.values())
    facts = {
        "title": f"{len(names)} tables",
        "about": f"{len(names)} tables: {', '.join(names)}.",
        "study": study_facts(study),
        "comparison": None,
        "differences": None,
        "orders": None,
        "model": None,
        "notes": notes,
        "repeat": repeat_facts(command, seed=seed, data_hash=hashes, source=", ".join(names)),
    }
    return render_page(facts)


def _notes_of_splitter(comparison):
    """Return that groups and time are not kept apart where the page holds out rows itself."""
    if comparison.settings["splitter"].startswith("Repeated"):
        return []
    return [
        "The curve of orders and what is said of rows held out (pruning, permutation, bits) rest "
        "on rows drawn at random, not on the splitter of the comparison; they may look too good."
    ]


def _about(table, comparison, n_rows):
    kind = f"{comparison.n_classes} classes" if comparison.n_classes else "a number"
    text = (
        f"{table.name}: {n_rows:,} rows, {comparison.n_features:,} features; to predict: "
        f"{table.target}, {kind}."
    )
    if comparison.n_samples < n_rows:
        text += f" The criteria were compared on {comparison.n_samples:,} rows drawn at random."
    return text


def _columns(X, names):
    """Return name, kind and levels of every feature."""
    if is_frame(X):
        return [(name, kind, levels) for name, _, kind, levels in read_columns(X)]
    names = names or feature_names(X, X.shape[1])
    return [(str(name), "number", None) for name in names]


def _orders(X, y, max_depth, seed, n_jobs, n_repeats):
    """Return score against order, None where classes are too rare in these rows."""
    names = [*criteria_of_orders(orders=_ORDERS), "gini", "entropy"]
    try:
        found = compare_criteria(
            *(X, y, names),
            n_repeats=n_repeats,
            max_depth=max_depth,
            random_state=seed,
            # Fits of few rows gain nothing from threads.
            n_jobs=n_jobs or 1,
            task="classification",
        )
    except ValueError:
        return None
    return order_facts(found)


def _differences(X, y, names, comparison, max_depth, seed):
    """Return how different the trees of the criteria are, None where these rows do not tell."""
    criteria = [name for name in comparison.criteria if not is_open(name)]
    if len(criteria) < 2:
        return None
    try:
        found = tree_differences(
            *(X, y, criteria),
            max_depth=max_depth,
            random_state=seed,
            n_jobs=1,
            task=comparison.task,
        )
    except ValueError:
        return None
    places = {f"x{j}": str(name) for j, name in enumerate(names or ())}
    roots = [
        {
            "criterion": root["criterion"],
            "best": [places.get(name, name) for name, gain in root["gains"].items() if gain > 0][
                :_FEATURES_AT_THE_ROOT
            ],
        }
        for root in found["roots"]
    ]
    return {"pairs": found["pairs"], "roots": roots, "n_rows": len(target_values(y)[0])}


def _criterion_of_tree(comparison):
    """Return label, name and order of the first criterion that is not worse than the best."""
    worse = comparison.losers(comparison.metrics[0])
    label = next(name for name in comparison.criteria if name not in worse)
    name, order = parse_criterion(label)
    if is_open(label):
        chosen = [
            fold["chosen"]["order"] for fold in comparison.folds if fold["criterion"] == label
        ]
        order = Counter(chosen).most_common(1)[0][0]
        label = f"{name}:{order:g}"
    return label, name, order
