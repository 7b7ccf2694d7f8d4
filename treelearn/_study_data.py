"""The table of a study: features, target, task and criteria, checked before any work starts."""

import hashlib
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array, check_scalar, column_or_1d

from ._scores import METRICS
from ._tables import enumerate_names, feature_matrix, is_frame, target_values
from .criteria import CLASSIFICATION_CRITERIA, REGRESSION_CRITERIA, parse_criterion

__all__ = [
    "DEFAULT_CRITERIA",
    "checked_classes",
    "checked_data",
    "checked_numbers",
    "checked_repeats",
    "checked_task",
    "data_hash",
    "default_specs",
    "feature_names",
    "parsed_criteria",
    "possible_tasks",
]

DEFAULT_CRITERIA = {
    "classification": ("gini", "entropy", "renyi:0.5", "renyi:2", "tsallis:1.5"),
    "regression": ("squared_error", "absolute_error", "poisson", "gaussian_entropy"),
}
"""Criteria that are compared where none are named."""

_MOST_CLASSES_OF_NUMBERS = 25
_ROWS_OF_ALL_REPEATS = 100_000
_MOST_REPEATS = 10


def checked_data(X, y, groups, notes):
    """Return features, target and groups of the samples whose target is there."""
    y, is_missing = target_values(y)
    if is_frame(X):
        X, coded = feature_matrix(X)
        if coded:
            notes.append(f"Text and categories became ordinal codes: {enumerate_names(coded)}.")
    X = check_array(X, accept_sparse="csr", ensure_all_finite="allow-nan", input_name="X")
    if X.shape[0] != len(is_missing):
        raise ValueError(
            f"The features have {X.shape[0]} rows and the target has {len(is_missing)}."
        )
    if is_missing.any():
        notes.append(f"Rows without a target, left out: {is_missing.sum():,}.")
        X = X[~is_missing]
    if groups is not None:
        groups = column_or_1d(groups)
        if len(groups) != len(is_missing):
            raise ValueError(
                f"The groups have {len(groups)} rows and the target has {len(is_missing)}."
            )
        groups = groups[~is_missing]
    return X, y, groups


def feature_names(X, n_features):
    """Return the names of the features: the frame's, or x0, x1, ..."""
    if is_frame(X):
        return [str(name) for name in X.columns]
    return [f"x{j}" for j in range(n_features)]


def data_hash(X, y):
    """Return a SHA-256 of features and target, as hexadecimal text."""
    found = hashlib.sha256()
    parts = [X.data, X.indices, X.indptr] if issparse(X) else [X]
    for part in (*parts, y):
        part = np.asarray(part)
        found.update(f"{part.dtype.str}{part.shape}".encode())
        if part.ndim == 2:
            # Column by column: no second copy of a large table.
            for column in part.T:
                found.update(np.ascontiguousarray(column))
        else:
            found.update(np.ascontiguousarray(part).tobytes())
    return found.hexdigest()


def parsed_criteria(criteria, is_order_tuned=False):
    """Return (label, name, order) of every criterion, each once.

    An order that is not given is 2, written out, or None where it is to be tuned.
    """
    if criteria is None:
        return []
    if isinstance(criteria, str):
        criteria = [criteria]
    specs = {}
    for text in criteria:
        name, order = parse_criterion(text)
        row = CLASSIFICATION_CRITERIA.get(name) or REGRESSION_CRITERIA[name]
        if row.takes_order and not (order is None and is_order_tuned):
            order = 2.0 if order is None else order
            specs[f"{name}:{order:g}"] = (name, order)
        else:
            specs[name] = (name, None)
    if not specs:
        raise ValueError("No criteria are given.")
    return [(label, name, order) for label, (name, order) in specs.items()]


def checked_task(y, specs, task, notes):
    """Return the task, after making sure that target, criteria and task agree."""
    if task not in (None, *METRICS):
        raise ValueError(f"The task must be 'classification' or 'regression', not {task!r}.")
    named = {
        "classification" if name in CLASSIFICATION_CRITERIA else "regression": label
        for label, name, _ in specs
    }
    if len(named) > 1:
        raise ValueError(
            f"{named['classification']} is a criterion for classes and {named['regression']} one "
            "for numbers: they cannot be compared."
        )
    possible = possible_tasks(y)
    chosen = task or next(iter(named), possible[0])
    if named and chosen not in named:
        raise ValueError(f"{named.popitem()[1]} is no criterion for {chosen}.")
    if chosen not in possible:
        kind = "numbers with fractions" if y.dtype.kind == "f" else "classes, not numbers"
        because = f", which {named[chosen]} asks for" if task is None else ""
        raise ValueError(f"The target holds {kind}: no {chosen}{because}.")
    if y.dtype.kind in "iu" and not named and task is None:
        n_distinct = len(np.unique(y))
        if n_distinct > 2:
            notes.append(
                f"The {n_distinct} distinct whole numbers of the target call for {chosen}; "
                f"name the task to have {possible[1]} instead."
            )
    return chosen


def possible_tasks(y):
    """Return what the target may be, the likelier first.

    Text and booleans are classes, numbers with fractions are no classes, and up to 25 distinct
    whole numbers are likelier classes than numbers.
    """
    if y.dtype.kind in "bSU":
        return ("classification",)
    if (y != np.floor(y)).any() or np.isinf(y).any():
        return ("regression",)
    likely = "classification", "regression"
    return likely if len(np.unique(y)) <= _MOST_CLASSES_OF_NUMBERS else likely[::-1]


def checked_repeats(n_samples, cv, n_repeats):
    check_scalar(cv, "cv", Integral, min_val=2)
    if n_samples < cv:
        raise ValueError(f"{n_samples} rows with a target are fewer than {cv} folds.")
    if n_repeats is None:
        return max(1, min(_MOST_REPEATS, _ROWS_OF_ALL_REPEATS // n_samples))
    check_scalar(n_repeats, "n_repeats", Integral, min_val=1)
    return n_repeats


def checked_classes(y, cv, notes):
    """Return labels 0 .. n_classes - 1 and their number."""
    classes, labels, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(classes) == 1:
        raise ValueError(f"The target has one class only, {classes[0]!s}: nothing to compare.")
    if counts.max() < cv:
        raise ValueError(
            f"The target has {len(classes)} classes in {len(y)} rows, and none has as many rows "
            f"as there are folds ({cv})."
        )
    rare = [str(name) for name in classes[counts < cv]]
    if rare:
        notes.append(
            f"Classes with fewer rows than there are folds ({cv}), so that some folds lack them: "
            f"{enumerate_names(rare)}."
        )
    return labels, len(classes)


def checked_numbers(y, specs, cv):
    """Return the target of a regression as float64."""
    y = y.astype(np.float64)
    if np.isinf(y).any():
        raise ValueError("The target holds infinite values.")
    if len(y) < 2 * cv:
        raise ValueError(f"{len(y)} rows with a target are fewer than two for each of {cv} folds.")
    if (y == y[0]).all():
        raise ValueError(f"The target is {y[0]:g} everywhere: nothing to compare.")
    if y.min() < 0 and any(name == "poisson" for _, name, _ in specs):
        raise ValueError("poisson is for targets that are never negative; this one is.")
    return y


def default_specs(task, y, notes):
    names = DEFAULT_CRITERIA[task]
    if task == "regression" and y.min() < 0:
        names = [name for name in names if name != "poisson"]
        notes.append("poisson is left out: it is for targets that are never negative.")
    return parsed_criteria(names)
