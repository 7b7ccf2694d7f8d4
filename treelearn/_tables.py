"""Tables from files, frames and bundled sets, turned into arrays for the estimators.

The one place that imports pandas and pyarrow, and only when a file or a frame is to be read.

Text becomes ordinal codes, numbered over the whole table in sorted order.  No label takes part
in that, so nothing of the test folds leaks into training; numbering inside each training fold
would keep the same order, and differ only for levels that the training fold has not seen.
"""

import csv
import gzip
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import numpy as np

__all__ = [
    "BUNDLED_SETS",
    "Table",
    "enumerate_names",
    "feature_matrix",
    "is_frame",
    "parse_times",
    "read_columns",
    "read_frame",
    "read_table",
    "take_rows",
    "target_values",
    "to_frame",
]

BUNDLED_SETS = ("iris", "wine", "breast_cancer", "digits", "diabetes")
"""Names of the data sets of scikit-learn that come with it and have one target."""

_NAMES_SHOWN = 8


@dataclass
class Table:
    """Features and target of one data set.

    Attributes
    ----------
    name : str
        Name of the bundled set or of the file.
    X : ndarray or pandas.DataFrame of shape (n_samples, n_features)
        Features as they were read.
    y : ndarray or pandas.Series of shape (n_samples,)
        Target as it was read; may hold missing values.
    target : str
        Name of the target's column.
    task : {"classification", "regression"} or None
        What the target is, where the table itself says so.
    notes : list of str
        What was done to the data that the reader may not expect.
    feature_names : list of str or None
        Names of the features, where X is an array.
    """

    name: str
    X: object
    y: object
    target: str
    task: str | None = None
    notes: list = field(default_factory=list)
    feature_names: list | None = None


def read_table(source, target=None):
    """Read a CSV or Parquet file, or one of scikit-learn's bundled sets.

    Parameters
    ----------
    source : str or path
        Path of a file, else the name of a bundled set.
    target : str, default=None
        Column to predict; by default the column called ``target``, else the last one.

    Returns
    -------
    Table
        Features and target, for `feature_matrix` and `target_values`.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If the file is no table or no ordinary file (a pipe, say), or the column is not in it.
    ImportError
        If pandas or pyarrow is needed and not installed.

    Examples
    --------
    >>> from treelearn._tables import read_table
    >>> read_table("iris").X.shape
    (150, 4)
    """
    path = _existing(source)
    if path is None:
        return _bundled_set(str(source), target)
    return _split_off_target(_read_file(path), path.name, target)


def is_frame(X):
    """Return whether ``X`` is a frame with named columns (pandas, polars, pyarrow)."""
    return hasattr(X, "columns") and (hasattr(X, "iloc") or hasattr(X, "to_pandas"))


def take_rows(values, rows):
    """Return rows of a pandas object or an array by their places."""
    return values.iloc[rows] if hasattr(values, "iloc") else values[rows]


def feature_matrix(frame):
    """Turn the columns of a frame into one float64 array.

    Parameters
    ----------
    frame : pandas.DataFrame, or a frame with ``to_pandas()``
        Columns of numbers, booleans, dates, durations, categories or text.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Numbers as they are, booleans as 0 and 1, dates and durations in seconds, categories
        and text as ordinal codes (text and unordered categories in sorted order); NaN where a
        value is missing.
    coded : list of str
        Names of the columns that became ordinal codes.

    Raises
    ------
    ValueError
        If a column holds infinite values.

    Examples
    --------
    >>> import pandas as pd
    >>> from treelearn._tables import feature_matrix
    >>> X, coded = feature_matrix(pd.DataFrame({"x": [1, 2, 3], "size": ["m", None, "l"]}))
    >>> X
    array([[ 1.,  1.],
           [ 2., nan],
           [ 3.,  0.]])
    >>> coded
    ['size']
    """
    X = np.empty(frame.shape, dtype=np.float64, order="F")
    coded = []
    for j, (name, values, _, levels) in enumerate(read_columns(frame)):
        X[:, j] = values
        if levels is not None:
            coded.append(name)
    return X, coded


def read_frame(source):
    """Read all columns of a CSV or Parquet file, or the features of a bundled set.

    Parameters
    ----------
    source : str or path
        As `read_table` takes it.

    Returns
    -------
    pandas.DataFrame, or ndarray of shape (n_samples, n_features) of a bundled set

    Raises
    ------
    OSError, ValueError, ImportError
        As `read_table` raises them.
    """
    path = _existing(source)
    return _bundled_set(str(source), None).X if path is None else _read_file(path)


def read_columns(frame):
    """Yield the columns of a frame as float64, and what they were.

    Parameters
    ----------
    frame : pandas.DataFrame, or a frame with ``to_pandas()``
        As `feature_matrix` takes it.

    Yields
    ------
    name : str
        Name of the column.
    values : ndarray of float64 of shape (n_samples,)
        Its values; NaN is missing.
    kind : {"number", "boolean", "date", "duration", "category"}
        What it held. Text is a category, and so is nothing at all a number.
    levels : list or None
        The values of a category in the order of their codes, else None.

    Raises
    ------
    ValueError
        If a column holds infinite values.
    """
    pd = _import_pandas("A table")
    if not hasattr(frame, "iloc"):
        frame = frame.to_pandas()
    for j, name in enumerate(frame.columns):
        values, kind, levels = _column_values(pd, frame.iloc[:, j])
        if np.isinf(values).any():
            raise ValueError(f"The column {str(name)!r} holds infinite values.")
        yield str(name), values, kind, levels


def parse_times(texts, kind):
    """Return dates (as ISO 8601) or durations written as text as seconds, float64.

    Raises
    ------
    ValueError
        If one of them is none.
    """
    pd = _import_pandas("A table")
    column = pd.Series(list(texts), dtype=object)
    if kind == "date":
        parsed = pd.to_datetime(column, format="ISO8601")
    else:
        parsed = pd.to_timedelta(column)
    values, found, _ = _column_values(pd, parsed)
    if found != kind:
        raise ValueError("The texts have different time zones.")
    return values


def target_values(y):
    """Return the target as a plain array, and where it is missing.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Numbers, booleans, text or categories; None, NaN and NA are missing.

    Returns
    -------
    values : ndarray of shape (n_samples - n_missing,)
        The target where it is there: numbers, booleans or text.
    is_missing : ndarray of bool of shape (n_samples,)
        Where it is not.

    Raises
    ------
    ValueError
        If it has not one dimension, or holds dates.

    Examples
    --------
    >>> from treelearn._tables import target_values
    >>> values, is_missing = target_values(["yes", None, "no"])
    >>> values.tolist(), is_missing.tolist()
    (['yes', 'no'], [False, True, False])
    """
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"The target must have one column; its shape is {values.shape}.")
    if values.dtype.kind in "OT":
        is_missing = np.fromiter(map(_is_missing, values), dtype=bool, count=len(values))
        values = np.asarray(values[~is_missing].tolist())
    else:
        is_missing = values != values
        values = values[~is_missing]
    if values.dtype.kind == "O":
        values = values.astype(str)
    if values.dtype.kind not in "biufSU":
        raise ValueError("The target holds dates or other values that are no classes or numbers.")
    return values, is_missing


def to_frame(rows):
    """Return a list of dicts as a pandas.DataFrame."""
    return _import_pandas("A frame").DataFrame(rows)


def _import_pandas(purpose):
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            f'{purpose} needs pandas and pyarrow: pip install "treelearn[data]"'
        ) from error
    return pandas


def _is_missing(value):
    if isinstance(value, (float, np.floating)):
        return value != value
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _existing(source):
    """Return the path of a file that is there, None for a bundled set."""
    path = Path(source)
    if str(source) in BUNDLED_SETS and not path.is_file():
        return None
    if path.is_dir():
        raise IsADirectoryError(f"{source} is a folder, not a CSV or Parquet file.")
    if path.exists() and not path.is_file():
        # Its start is read twice, and a device may have no end.
        raise ValueError(f"{source} is no ordinary file; write the table to one first.")
    if not path.exists():
        raise FileNotFoundError(
            f"There is no file {source}, and no bundled set of that name "
            f"(these are {', '.join(BUNDLED_SETS)})."
        )
    return path


def _bundled_set(name, target):
    from sklearn import datasets

    if target not in (None, "target"):
        raise ValueError(
            f"There is no column {target!r} to predict in the bundled set {name}: it has its "
            "own target."
        )
    found = getattr(datasets, f"load_{name}")()
    task = "regression" if found.target.dtype.kind == "f" else "classification"
    names = [str(feature) for feature in found.feature_names]
    y = found.target
    labels = np.asarray(found.get("target_names", ()))
    if task == "classification" and labels.dtype.kind == "U":
        y = labels[y]
    return Table(name, found.data, y, "target", task, feature_names=names)


def _read_file(path):
    pd = _import_pandas(f"Reading {path.name}")
    with open(path, "rb") as file:
        start = file.read(4)
    if not start:
        raise ValueError(f"{path} is empty.")
    if path.suffix.lower() == ".parquet" and start != b"PAR1":
        raise ValueError(f"{path} is no Parquet file.")
    try:
        if start == b"PAR1":
            return pd.read_parquet(path)
        # UCI's files write a missing value as a question mark.
        return pd.read_csv(
            path, sep=_delimiter(path), na_values=["?"], skipinitialspace=True, low_memory=False
        )
    except ImportError as error:
        raise ImportError(
            f'Reading {path.name} needs pandas and pyarrow: pip install "treelearn[data]"'
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is neither Parquet nor CSV in UTF-8.") from error
    except (ValueError, csv.Error) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"{path} is no readable table: {reason}") from error


def _delimiter(path):
    """Return the character that separates the most fields of the header."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        header = file.readline(1_000_000)
    return max(",;\t|", key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))


def _split_off_target(frame, name, target):
    notes = []
    names = [str(column) for column in frame.columns]
    if not names or not len(frame):
        raise ValueError(f"{name} has no {'rows' if names else 'columns'}.")
    position = _target_position(names, target)
    features = [j for j in range(len(names)) if j != position]
    # Left by a frame that was saved with its index.  In a sorted file it gives the target away.
    if names and names[0].startswith("Unnamed: ") and _is_row_count(frame.iloc[:, 0].to_numpy()):
        features = [j for j in features if j != 0]
        notes.append("The first column has no name and counts the rows: left out.")
    if not features:
        raise ValueError(f"{name} has no column besides the target {names[position]!r}.")
    if target is None and names[position] != "target":
        notes.append(f"The target is the last column, {names[position]!r}; --target names another.")
    y = frame.iloc[:, position]
    task = "classification" if y.dtype == "category" else None
    return Table(name, frame.iloc[:, features], y, names[position], task, notes)


def _target_position(names, target):
    if target is None:
        return names.index("target") if "target" in names else len(names) - 1
    n_found = names.count(target)
    if n_found > 1:
        raise ValueError(f"{n_found} columns are called {target!r}.")
    if n_found == 0:
        close = get_close_matches(target, names, n=1, cutoff=0.5)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        raise ValueError(
            f"There is no column {target!r}. {hint}The columns are {enumerate_names(names)}."
        )
    return names.index(target)


def _is_row_count(values):
    if values.dtype.kind not in "iu" or len(values) < 2:
        return False
    return values[0] in (0, 1) and bool((np.diff(values) == 1).all())


def _column_values(pd, column):
    """Return a column as float64, its kind, and the values of its codes."""
    types = pd.api.types
    if column.dtype == object:
        column = _with_own_type(pd, column)
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _ordinal_codes(column.cat.codes.to_numpy(), column.cat.categories, dtype.ordered)
    if types.is_bool_dtype(dtype) or types.is_numeric_dtype(dtype):
        if types.is_complex_dtype(dtype):
            raise ValueError(f"The column {str(column.name)!r} holds complex numbers.")
        kind = "boolean" if types.is_bool_dtype(dtype) else "number"
        return column.to_numpy(dtype=np.float64, na_value=np.nan), kind, None
    if types.is_datetime64_any_dtype(dtype):
        epoch = pd.Timestamp(0, tz="UTC" if getattr(dtype, "tz", None) is not None else None)
        seconds = (column - epoch) / pd.Timedelta(seconds=1)
        return seconds.to_numpy(dtype=np.float64), "date", None
    if types.is_timedelta64_dtype(dtype):
        return (column / pd.Timedelta(seconds=1)).to_numpy(dtype=np.float64), "duration", None
    codes, levels = pd.factorize(column)
    return _ordinal_codes(codes, levels, is_ordered=False)


def _with_own_type(pd, column):
    """Give a column of Python objects the type of its values, where they are of one kind."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("date", "datetime", "datetime64"):
        return pd.to_datetime(column)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal", "empty"):
        return column.map(float, na_action="ignore").astype(np.float64)
    if kind == "boolean":
        return column.astype("boolean")
    # What cannot be hashed or compared, lists and mixed types, has a text that can.
    return column if kind == "string" else column.map(str, na_action="ignore")


def _ordinal_codes(codes, levels, is_ordered):
    """Return codes as float64 with NaN for -1, "category", and the levels that they number.

    Codes are renumbered to sorted levels unless these are ordered.
    """
    levels = list(levels)
    rank = np.arange(len(levels), dtype=np.float64)
    if not is_ordered:
        try:
            by_value = sorted(range(len(levels)), key=lambda i: levels[i])
        except TypeError:  # levels of several types
            by_value = sorted(range(len(levels)), key=lambda i: str(levels[i]))
        rank[by_value] = np.arange(len(levels))
        levels = [levels[i] for i in by_value]
    # The code -1 finds the last place.
    return np.append(rank, np.nan)[codes], "category", levels


def enumerate_names(names):
    """Return the first of the names, and how many more there are."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    rest = len(names) - _NAMES_SHOWN
    return shown if rest <= 0 else f"{shown} and {rest} more"
