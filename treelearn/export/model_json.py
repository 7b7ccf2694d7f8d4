"""The model as JSON: the file format of `treelearn fit`, exact, and safe to open.

A file holds numbers and text only.  Reading one builds nothing but arrays, checks every one of
them, and refuses what does not fit together: no part of a file is ever run.
"""

import hashlib
import json
import math
from importlib.resources import files

import numpy as np

from .._columns import Column
from .._version import __version__
from ..classifier import DecisionTreeClassifier
from ..model import Model
from ..regressor import DecisionTreeRegressor
from ..tree import Tree
from ._base import Export, check_known_arrays, predicted

__all__ = [
    "FORMAT",
    "VERSION",
    "JsonExport",
    "columns_as_json",
    "from_json",
    "json_schema",
    "load_model",
    "save_model",
    "to_json",
]

FORMAT = "treelearn model"
VERSION = 1

_ESTIMATORS = {
    "DecisionTreeClassifier": DecisionTreeClassifier,
    "DecisionTreeRegressor": DecisionTreeRegressor,
}
_ARRAYS = {
    "children_left": np.int32,
    "children_right": np.int32,
    "feature": np.int32,
    "threshold": np.float64,
    "missing_go_to_left": np.uint8,
    "needs_float64": np.uint8,
    "impurity": np.float64,
    "n_node_samples": np.int64,
    "weighted_n_node_samples": np.float64,
    "value": np.float64,
    "class_starts": np.int64,
    "classes": np.int32,
    "class_weights": np.float64,
}
_LABEL_TYPES = {
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "str", "object"),
}
# JSON has no infinity.
_INFINITIES = {"inf": math.inf, "-inf": -math.inf}
_LENGTH_OF_START = 1024
# A label of numpy's text type takes as much room as the longest one.
_MOST_LABEL_BYTES = 2**28


class JsonExport(Export):
    """A model as JSON text; `from_json` reads it."""

    def _run(self, rows):
        return predicted(from_json(self.content), rows)


def to_json(tree):
    """Return a model as JSON, from which `from_json` makes the same model.

    Parameters
    ----------
    tree : Model or fitted estimator
        What is exported.

    Returns
    -------
    JsonExport
        ``str`` of it is the text, ``save`` writes it. `json_schema` says what is in it; every
        float is written with the digits that give it back.

    Raises
    ------
    TypeError, ValueError
        If it is no fitted tree, or has labels or parameters that JSON cannot hold.

    Examples
    --------
    >>> from treelearn import DecisionTreeClassifier
    >>> from treelearn.export import from_json, to_json
    >>> tree = DecisionTreeClassifier().fit([[0.1], [0.3]], ["no", "yes"])
    >>> model = from_json(str(to_json(tree)))
    >>> model.predict([[0.2], [0.25]]).tolist()
    ['no', 'yes']
    """
    model = Model.of(tree)
    content = _as_dict(model)
    found = {
        "format": FORMAT,
        "version": VERSION,
        "sha256": _digest(content),
        "model": content,
    }
    return JsonExport(model, _in_lines(found) + "\n")


def from_json(text):
    """Return the model that `to_json` wrote.

    Parameters
    ----------
    text : str or bytes
        JSON; bytes are UTF-8.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        If it is damaged, changed, of another kind, or not a tree. The message says what.
    """
    try:
        if isinstance(text, (bytes, bytearray)):
            text = bytes(text).decode("utf-8")
        found = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise ValueError("No model: the file is not text in UTF-8.") from None
    except RecursionError:
        raise ValueError("No model: the JSON is nested too deeply.") from None
    except ValueError as error:
        raise ValueError(f"No model, or a damaged one: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError("No model: the JSON is of another kind.")
    if not _is_int(found.get("version")) or found["version"] < 1:
        raise ValueError("The model is damaged: it has no version.")
    if found["version"] > VERSION:
        raise ValueError(
            f"The model has version {found['version']} of the format; this treelearn "
            f"({__version__}) reads up to {VERSION}. Update it."
        )
    if set(found) != {"format", "version", "sha256", "model"}:
        raise ValueError("The model is damaged: it lacks a part, or has one too many.")
    content = found["model"]
    try:
        is_whole = _digest(content) == found["sha256"]
    except (RecursionError, ValueError):
        is_whole = False
    if not is_whole:
        raise ValueError("The model is damaged, or was changed: its checksum does not match.")
    try:
        return _from_dict(content)
    except (KeyError, TypeError, OverflowError, RecursionError, AttributeError) as error:
        raise ValueError(f"The model is damaged: {type(error).__name__} {error}") from None


def json_schema():
    """Return the schema of the model file as a dict (JSON Schema, draft 2020-12).

    Examples
    --------
    >>> from treelearn.export import json_schema
    >>> json_schema()["properties"]["format"]
    {'const': 'treelearn model'}
    """
    return json.loads(
        files("treelearn.export").joinpath("model.schema.json").read_text(encoding="utf-8")
    )


def save_model(tree, path, force=False):
    """Write a model file; what `load_model` reads.

    Parameters
    ----------
    tree : Model or fitted estimator
        What is written.
    path : path
        Where to.
    force : bool, default=False
        Whether a file that is there may be replaced. It is not lost if writing fails.

    Raises
    ------
    ValueError, TypeError, OSError
        As `to_json` and `Export.save` raise them.
    """
    to_json(tree).save(path, force)


def load_model(path):
    """Read a model file.

    Parameters
    ----------
    path : path
        What `save_model` or `treelearn fit` wrote.

    Returns
    -------
    Model

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If it is damaged or no model; the message says which file and what.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(_LENGTH_OF_START)
            # Before all is read: a device may never end, a table may be large.
            if start and not start.lstrip().startswith(b"{"):
                raise ValueError("No model: the file does not begin as one does.")
            return from_json(start + file.read())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


# -- writing --------------------------------------------------------------------------------


def _as_dict(model):
    estimator = model.estimator
    name = type(estimator).__name__
    if _ESTIMATORS.get(name) is not type(estimator):
        raise ValueError(
            f"A model file holds {' or '.join(_ESTIMATORS)} itself, not the class {name}."
        )
    tree = estimator._tree
    check_known_arrays(tree)
    names = getattr(estimator, "feature_names_in_", None)
    parameters = estimator.get_params(deep=False)
    if not isinstance(parameters.get("random_state"), (int, np.integer, type(None))):
        parameters["random_state"] = None  # a generator's state plays no part in predictions
    return {
        "treelearn": __version__,
        "estimator": name,
        "parameters": {name: _parameter(name, value) for name, value in parameters.items()},
        "target": model.target,
        "columns": [_column(column) for column in model.columns],
        "feature_names_in": None if names is None else [str(name) for name in names],
        "max_features": int(estimator.max_features_),
        "n_outputs": int(estimator.n_outputs_),
        "classes": [_labels(c) for c in model.classes] if model.is_classifier else None,
        "tree": {
            name: _numbers(np.ravel(getattr(tree, name)), dtype) for name, dtype in _ARRAYS.items()
        },
    }


def _parameter(name, value):
    """Return a parameter as JSON can hold it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and not math.isnan(value):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {"pairs": [[_parameter(name, k), _parameter(name, v)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_parameter(name, item) for item in value]
    raise ValueError(f"A model file cannot hold the parameter {name}={value!r}.")


def columns_as_json(model):
    """Return how to read a table for a model, as the text of a list: see the schema."""
    return json.dumps([_column(column) for column in model.columns])


def _column(column):
    found = {"name": column.name, "kind": column.kind, "has_missing": column.has_missing}
    return found | {"levels": list(column.levels)} if column.kind == "category" else found


def _labels(labels):
    dtype = "str" if labels.dtype.kind == "U" else labels.dtype.name
    values = labels.tolist()
    is_text = all(isinstance(value, str) for value in values)
    if dtype not in _LABEL_TYPES or (dtype == "object" and not is_text):
        raise ValueError(f"A model file cannot hold class labels of the type {labels.dtype}.")
    return {"dtype": dtype, "labels": values}


def _numbers(array, dtype):
    values = array.tolist()
    if dtype is np.float64 and not np.isfinite(array).all():
        return [value if math.isfinite(value) else str(value) for value in values]
    return values


def _digest(content):
    """Return the checksum of a value, the same whatever its spacing and the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _in_lines(value, depth=3, indent=""):
    """Return JSON with one key a line, and long lists in one."""
    if isinstance(value, dict) and depth and value:
        inner = indent + " "
        lines = [
            f"{inner}{json.dumps(key)}: {_in_lines(item, depth - 1, inner)}"
            for key, item in value.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return json.dumps(value, allow_nan=False)


# -- reading --------------------------------------------------------------------------------


def _unique_keys(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object.")
    return found


def _no_constant(name):
    raise ValueError(f"{name} is no number of JSON.")


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _need(condition, what):
    if not condition:
        raise ValueError(f"The model is damaged: {what}.")


def _from_dict(content):
    _need(isinstance(content, dict), "it has no content")
    keys = {
        *("treelearn", "estimator", "parameters", "target", "columns", "feature_names_in"),
        *("max_features", "n_outputs", "classes", "tree"),
    }
    _need(set(content) == keys, "it lacks a part, or has one too many")
    kind = content["estimator"]
    _need(isinstance(kind, str) and kind in _ESTIMATORS, "it is of no estimator that is known")
    estimator = _estimator(_ESTIMATORS[kind], content["parameters"])
    columns = content["columns"]
    _need(isinstance(columns, list) and columns, "it has no columns")
    columns = tuple(_read_column(column) for column in columns)
    n_features, n_outputs = len(columns), content["n_outputs"]
    _need(_is_int(n_outputs) and n_outputs >= 1, "n_outputs is no positive number")
    max_features = content["max_features"]
    _need(_is_int(max_features) and 1 <= max_features, "max_features is no positive number")
    classes = None
    if kind == "DecisionTreeClassifier":
        _need(isinstance(content["classes"], list), "it has no classes")
        classes = [_read_labels(labels) for labels in content["classes"]]
        _need(len(classes) == n_outputs, "its classes are not those of its outputs")
    else:
        _need(content["classes"] is None, "a regression tree has no classes")
    target = content["target"]
    _need(target is None or isinstance(target, str), "the name of the target is no text")
    state = {
        **estimator.get_params(deep=False),
        "n_features_in_": n_features,
        "n_outputs_": n_outputs,
        "max_features_": max_features,
        "_tree": _read_tree(content["tree"], n_features, classes, n_outputs),
    }
    names = content["feature_names_in"]
    if names is not None:
        is_text = isinstance(names, list) and all(isinstance(name, str) for name in names)
        _need(is_text and len(names) == n_features, "feature_names_in names no features")
        state["feature_names_in_"] = np.array(names, dtype=object)
    if classes is not None:
        numbers = [len(labels) for labels in classes]
        single = n_outputs == 1
        state["classes_"] = classes[0] if single else classes
        state["n_classes_"] = np.intp(numbers[0]) if single else np.array(numbers, dtype=np.intp)
    estimator.__setstate__(state)
    return Model(estimator, columns, target)


def _estimator(estimator_class, parameters):
    """Return an estimator that is not fitted, its parameters checked as fit checks them."""
    _need(isinstance(parameters, dict), "it has no parameters")
    estimator = estimator_class()
    unknown = sorted(set(parameters) - set(estimator.get_params(deep=False)))
    _need(not unknown, f"there are no parameters {', '.join(unknown)[:200]}")
    estimator.set_params(**{k: _read_parameter(value) for k, value in parameters.items()})
    estimator._validate_params()
    return estimator


def _read_parameter(value):
    if isinstance(value, dict):
        _need(set(value) == {"pairs"} and isinstance(value["pairs"], list), "a parameter is odd")
        _need(
            all(isinstance(pair, list) and len(pair) == 2 for pair in value["pairs"]),
            "a parameter is odd",
        )
        pairs = [(_read_parameter(k), _read_parameter(v)) for k, v in value["pairs"]]
        return dict(pairs)
    if isinstance(value, list):
        return [_read_parameter(item) for item in value]
    return _INFINITIES.get(value, value) if isinstance(value, str) else value


def _read_column(column):
    keys = {"name", "kind", "has_missing"}
    _need(isinstance(column, dict) and keys <= set(column), "a column is none")
    _need(set(column) <= keys | {"levels"}, "a column has parts that are not known")
    levels, has_missing = column.get("levels", []), column["has_missing"]
    _need(isinstance(levels, list), "the levels of a column are no list")
    _need(isinstance(has_missing, (bool, type(None))), "has_missing is neither true nor false")
    try:
        return Column(column["name"], column["kind"], tuple(levels), has_missing)
    except ValueError as error:
        raise ValueError(f"The model is damaged: {error}") from None


def _read_labels(found):
    _need(isinstance(found, dict) and set(found) == {"dtype", "labels"}, "a class list is none")
    dtype, labels = found["dtype"], found["labels"]
    _need(isinstance(dtype, str) and dtype in _LABEL_TYPES, "class labels are of no known type")
    _need(isinstance(labels, list) and labels, "an output has no classes")
    kinds = {"b": bool, "i": int, "u": int, "f": (int, float), "O": str, "U": str}
    kind = "U" if dtype == "str" else np.dtype(dtype).kind
    is_right = all(
        isinstance(label, kinds[kind]) and isinstance(label, bool) == (kind == "b")
        for label in labels
    )
    _need(is_right, f"class labels are not of the type {dtype}")
    if kind == "U":
        n_bytes = 4 * len(labels) * max(map(len, labels))
        _need(n_bytes <= _MOST_LABEL_BYTES, "class labels are too long")
    array = np.array(labels, dtype=dtype)
    _need(kind != "f" or np.isfinite(array).all(), "a class label is no finite number")
    # Text of numpy loses closing NULs, small floats lose digits: such labels never came from us.
    _need(array.tolist() == labels, f"class labels do not fit the type {dtype}")
    _need(len(set(labels)) == len(labels), "a class label stands twice")
    return array


def _read_tree(found, n_features, classes, n_outputs):
    _need(isinstance(found, dict) and set(found) == set(_ARRAYS), "its tree lacks an array")
    arrays = {name: _read_array(name, found[name], dtype) for name, dtype in _ARRAYS.items()}
    n_nodes = len(arrays["feature"])
    _need(n_nodes > 0, "its tree has no nodes")
    value = arrays["value"]
    _need(len(value) % n_nodes == 0, "value does not fit the nodes")
    arrays["value"] = value.reshape(n_nodes, -1) if len(value) else value.reshape(n_nodes, 0)
    flags = arrays["missing_go_to_left"], arrays["needs_float64"]
    _need(all((flag <= 1).all() for flag in flags), "a flag is neither 0 nor 1")
    if classes is not None:
        is_share = (arrays["value"] >= 0.0) & (arrays["value"] <= 1.0)
        _need(is_share.all(), "a class share is not between 0 and 1")
    n_classes = None if classes is None else [len(labels) for labels in classes]
    try:
        return Tree(n_features, n_classes, n_outputs, arrays)
    except (ValueError, IndexError) as error:
        raise ValueError(f"The model is damaged: {error}") from None


def _read_array(name, values, dtype):
    _need(isinstance(values, list), f"{name} is no list")
    if not values:
        return np.zeros(0, dtype=dtype)
    if dtype is np.float64:
        if name == "threshold":
            values = [_INFINITIES.get(v, v) if isinstance(v, str) else v for v in values]
        allowed = {int, float}
    else:
        allowed = {int}
    _need({type(value) for value in values} <= allowed, f"{name} holds what is no number")
    array = np.array(values, dtype=np.float64 if dtype is np.float64 else np.int64)
    if dtype is np.float64:
        is_right = not np.isnan(array).any() and (name == "threshold" or np.isfinite(array).all())
        _need(is_right, f"{name} holds infinity")
        return array
    limits = np.iinfo(dtype)
    is_right = array.min() >= limits.min and array.max() <= limits.max
    _need(is_right, f"{name} holds numbers out of range")
    return array.astype(dtype)
