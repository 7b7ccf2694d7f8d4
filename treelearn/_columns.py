"""What a model must know of the columns of its table to read another table the same way."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ._tables import enumerate_names, is_frame, parse_times, read_columns

__all__ = ["COLUMN_KINDS", "Column", "columns_of", "read_rows"]

COLUMN_KINDS = ("number", "boolean", "date", "duration", "category")
"""What a column may hold; dates are seconds since 1970 (UTC), durations seconds."""

_HELD = {
    "number": "numbers",
    "boolean": "booleans",
    "date": "dates",
    "duration": "durations",
    "category": "categories or text",
}


@dataclass(frozen=True)
class Column:
    """One feature of the table that a model was fitted on.

    Parameters
    ----------
    name : str
        Name of the column.
    kind : {"number", "boolean", "date", "duration", "category"}
        What it held.
    levels : tuple of str, int, float and bool, default=()
        Of a category the values that codes 0, 1, ... stand for.
    has_missing : bool or None, default=None
        Whether values were missing in training; None where nobody knows.

    Raises
    ------
    ValueError
        If the parts do not go together.
    """

    name: str
    kind: str = "number"
    levels: tuple = ()
    has_missing: bool | None = None

    def __post_init__(self):
        if not isinstance(self.name, str):
            raise ValueError(f"The name of a column must be text, not {self.name!r}.")
        if self.kind not in COLUMN_KINDS:
            raise ValueError(
                f"The kind of a column must be one of {', '.join(COLUMN_KINDS)}, not {self.kind!r}."
            )
        if self.has_missing not in (None, False, True):
            raise ValueError(f"has_missing of the column {self.name!r} is neither true nor false.")
        if self.levels and self.kind != "category":
            raise ValueError(f"The column {self.name!r} has levels and is no category.")
        for level in self.levels:
            is_plain = isinstance(level, (str, int, float))
            if not is_plain or (isinstance(level, float) and not math.isfinite(level)):
                raise ValueError(f"The column {self.name!r} has a level that is no value.")
        if len(set(self.levels)) < len(self.levels):
            raise ValueError(f"The column {self.name!r} has a level twice.")


def columns_of(X, feature_names=None):
    """Return the features of training data as float64, and what they were.

    Parameters
    ----------
    X : ndarray of float or frame of shape (n_samples, n_features)
        Training data.
    feature_names : sequence of str, default=None
        Names of the columns of an array; None: ``x0``, ``x1``, ...

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        As `treelearn._tables.feature_matrix` makes it; an array as it is.
    columns : tuple of Column
        One per feature.
    """
    if not is_frame(X):
        names = feature_names or [f"x{j}" for j in range(np.shape(X)[1])]
        has_missing = np.isnan(X).any(axis=0).tolist()
        return X, tuple(
            Column(str(name), has_missing=has) for name, has in zip(names, has_missing, strict=True)
        )
    values = np.empty(X.shape, dtype=np.float64, order="F")
    columns = []
    for j, (name, column, kind, levels) in enumerate(read_columns(X)):
        values[:, j] = column
        has_missing = bool(np.isnan(column).any())
        columns.append(Column(name, kind, tuple(map(_plain, levels or ())), has_missing))
    return values, tuple(columns)


def _plain(level):
    """Return a level as a plain Python value; what is neither number nor text as text."""
    if isinstance(level, np.generic):
        level = level.item()
    if isinstance(level, (bool, int, str)):
        return level
    return level if isinstance(level, float) and math.isfinite(level) else str(level)


def read_rows(columns, X, unknown="error"):
    """Return new data as the estimator reads it.

    Columns of a frame are found by name, in any order, and others are left alone; of columns
    with the same name the first is taken for the first. Columns of an array are taken by place
    and must hold codes where there are categories.

    Parameters
    ----------
    columns : sequence of Column
        The features that the model was fitted on.
    X : ndarray or frame of shape (n_samples, n_columns)
        New data.
    unknown : {"error", "missing"}, default="error"
        What happens to categories that the training data did not have: they are refused, or go
        where a missing value goes.

    Returns
    -------
    ndarray of float64 of shape (n_samples, n_features)
        NaN where a value is missing.

    Raises
    ------
    ValueError
        If a column is not there, holds something of another kind, or an unknown category.
    """
    if unknown not in ("error", "missing"):
        raise ValueError(f"unknown must be 'error' or 'missing', not {unknown!r}.")
    if not is_frame(X):
        return X
    if not hasattr(X, "iloc"):
        X = X.to_pandas()
    places = _places(columns, [str(name) for name in X.columns])
    read = np.empty((len(X), len(columns)), dtype=np.float64, order="F")
    found = read_columns(X.iloc[:, places])
    for j, (column, (_, values, kind, levels)) in enumerate(zip(columns, found, strict=True)):
        read[:, j] = _as_trained(column, values, kind, levels, unknown)
    return read


def _places(columns, names):
    """Return where each of the columns stands in a table."""
    free = {}
    for place, name in enumerate(names):
        free.setdefault(name, []).append(place)
    wanted = Counter(column.name for column in columns)
    missing = [name for name in wanted if len(free.get(name, ())) < wanted[name]]
    if missing:
        shown = enumerate_names([repr(name) for name in missing])
        lacks = "the column" if len(missing) == 1 else f"{len(missing)} columns"
        raise ValueError(
            f"The table lacks {lacks} {shown} that the model was fitted on; it has "
            f"{enumerate_names([repr(name) for name in names])}."
        )
    return [free[column.name].pop(0) for column in columns]


def _as_trained(column, values, kind, levels, unknown):
    """Return the values of a column as numbers of the kind that the model was fitted on."""
    if np.isnan(values).all():
        return values  # nothing there, whatever kind an empty column is
    if column.kind == "category":
        return _codes(column, values, kind, levels, unknown)
    if kind == "category":
        values, kind = _from_levels(column, values, levels)
    if column.kind == "number" and kind == "boolean":
        kind = "number"
    if column.kind == "boolean" and kind == "number":
        other = ~(np.isnan(values) | (values == 0.0) | (values == 1.0))
        if other.any():
            row = int(np.argmax(other))
            raise ValueError(
                f"The column {column.name!r} holds {values[row]:g} in row {row}; the model was "
                "fitted on booleans there."
            )
        kind = "boolean"
    if kind != column.kind:
        raise ValueError(
            f"The column {column.name!r} holds {_HELD[kind]}; the model was fitted on "
            f"{_HELD[column.kind]} there."
        )
    return values


def _from_levels(column, codes, levels):
    """Return values of text or categories as the numbers, booleans or times that they are."""
    present = ~np.isnan(codes)
    places = codes[present].astype(np.int64)
    used = np.unique(places)
    texts = [levels[place] for place in used.tolist()]
    values = np.full(len(levels), np.nan)
    kind = column.kind
    try:
        if kind in ("date", "duration"):
            values[used] = parse_times([str(text) for text in texts], kind)
        else:
            if any(isinstance(text, str) for text in texts):
                raise ValueError
            values[used] = [float(text) for text in texts]
            kind = "number"
    except (ValueError, TypeError, OverflowError):
        first = int(np.flatnonzero(present)[0])
        raise ValueError(
            f"The column {column.name!r} holds text or categories, {str(levels[places[0]])!r} in "
            f"row {first}; the model was fitted on {_HELD[column.kind]} there."
        ) from None
    found = np.full(len(codes), np.nan)
    found[present] = values[places]
    return found, kind


def _codes(column, values, kind, levels, unknown):
    """Return the codes that the categories of a column had in training."""
    if kind in ("date", "duration"):
        raise ValueError(
            f"The column {column.name!r} holds {_HELD[kind]}; the model was fitted on "
            f"{_HELD['category']} there."
        )
    present = ~np.isnan(values)
    if kind == "category":
        distinct = [_plain(level) for level in levels]
        places = values[present].astype(np.int64)
    else:
        distinct, places = np.unique(values[present], return_inverse=True)
        distinct = [bool(v) if kind == "boolean" else v for v in distinct.tolist()]
    known = {level: float(code) for code, level in enumerate(column.levels)}
    by_number = _by_number(known)
    code = np.array([_find(known, by_number, level) for level in distinct], dtype=np.float64)
    codes = np.full(len(values), np.nan)
    codes[present] = code[places]
    is_unknown = present & np.isnan(codes)
    if is_unknown.any() and unknown == "error":
        row = int(np.argmax(is_unknown))
        level = distinct[int(places[np.count_nonzero(present[:row])])]
        n_levels = len({distinct[i] for i in places[np.isnan(code[places])].tolist()})
        raise ValueError(
            f"The column {column.name!r} holds {level!r} in row {row}, which the training data "
            f"did not have; in all {n_levels} unknown categories in {int(is_unknown.sum())} rows. "
            "unknown='missing' takes them for missing values."
        )
    return codes


def _by_number(known):
    """Return the code of every text that is a number, NaN where several are the same one."""
    found = {}
    for level, code in known.items():
        number = _number(level) if isinstance(level, str) else None
        if number is not None:
            found[number] = math.nan if number in found else code
    return found


def _number(text):
    try:
        number = float(text)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _find(known, by_number, level):
    """Return the code of a level, NaN without one.

    1, 1.0, "1" and "01" are the same level, and so are True and "true": a CSV file does not say
    whether they are text. Where training told several of them apart, a number is none of them.
    """
    if level in known:
        return known[level]
    if isinstance(level, bool):
        texts = (str(level), str(level).lower(), str(level).upper())
        return next((known[text] for text in texts if text in known), math.nan)
    number = _number(level)
    if number is None:
        return math.nan
    if isinstance(level, str):
        return known.get(number, math.nan)
    return by_number.get(number, math.nan)
