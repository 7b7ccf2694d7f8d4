"""What both estimators check of their input, in scikit-learn's own words.

Everything here touches scikit-learn's helpers, so that the estimators need not.
"""

import inspect
import numbers
from functools import cache, lru_cache
from math import ceil, isfinite

import numpy as np
from scipy.sparse import issparse
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils.validation import (
    _assert_all_finite_element_wise,
    _check_n_features,
    _check_sample_weight,
    assert_all_finite,
    validate_data,
)

from ._checks import FINITE, MISSING, UNKNOWN, worst_value

__all__ = [
    "accepted_by",
    "as_float",
    "check_finite",
    "check_monotonic_cst",
    "check_n_labels",
    "check_params",
    "check_rows",
    "check_shapes",
    "check_target_range",
    "check_training_data",
    "check_weights",
    "columns_in_range",
    "growth_rules",
]

_NO_LIMIT = np.iinfo(np.int32).max

# Types of which a value, and so whether it is allowed, stays what it is.
_UNCHANGING = (int, float, bool, str, type(None))

# Integers that float32 holds exactly; wider ones become float64.
_NARROW = (np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.float16)


def as_float(X):
    """Return X as float32 or float64, whichever holds its values; as it is where it is one."""
    if X.dtype in (np.float32, np.float64):
        return X
    dtype = np.float32 if any(X.dtype == narrow for narrow in _NARROW) else np.float64
    return X.astype(dtype)


def _as_aligned_float(X):
    """Return X as floats where their type may lie, as a field of packed records does not."""
    X = as_float(X)
    return X if issparse(X) or X.flags.aligned else X.copy()


def check_params(estimator):
    """Validate the parameters of an estimator, those only that were changed.

    Raises
    ------
    sklearn.utils._param_validation.InvalidParameterError
        For a value that its constraints do not allow.
    """
    origin = next(c for c in type(estimator).__mro__ if "_parameter_constraints" in vars(c))
    defaults = _defaults(origin)
    params = {name: getattr(estimator, name) for name in defaults}
    changed = {name: value for name, value in params.items() if value is not defaults[name]}
    for name, value in changed.items():
        check = _check_param if type(value) in _UNCHANGING else _check_param.__wrapped__
        check(origin, type(estimator).__name__, name, type(value), value)


@lru_cache(maxsize=1024)
def _check_param(origin, estimator_name, name, kind, value):
    """Validate one parameter; a value that was found good is not looked at again.

    ``kind`` is its type: 1, 1.0 and True are equal, but not all of them may be allowed.
    """
    constraint = {name: origin._parameter_constraints[name]}
    validate_parameter_constraints(constraint, {name: value}, estimator_name)


@cache
def _defaults(origin):
    """Return the default of every constrained parameter, of the class that states them."""
    parameters = inspect.signature(origin).parameters
    return {n: parameters[n].default for n in sorted(origin._parameter_constraints)}


def _is_plain(X):
    """Return whether X is a matrix of floats as this package reads it, needing no conversion."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype in (np.float32, np.float64)
        and X.flags.aligned
        and X.size > 0
    )


def _worst_value(X):
    """Return the worst value of an array of floats, None where they do not lie in one piece."""
    if X.flags.c_contiguous:
        return worst_value(X.reshape(-1))
    if X.flags.f_contiguous:
        return worst_value(X.T.reshape(-1))
    return None


def _is_plain_target(y):
    """Return whether y is a vector of numbers of which none is missing or infinite."""
    if type(y) is not np.ndarray or y.ndim != 1 or y.size == 0:
        return False
    if y.dtype.kind in "iub":
        return True
    return y.dtype in (np.float32, np.float64) and y.flags.aligned and _worst_value(y) == FINITE


def check_training_data(estimator, X, y):
    """Validate X and y for fit.

    Returns
    -------
    X : ndarray or CSC matrix
        float32 or float64 of shape (n_samples, n_features).
    y : ndarray
        As given, of shape (n_samples,) or (n_samples, n_outputs).

    Raises
    ------
    ValueError
        For wrong shapes, infinite values, NaN in a sparse matrix or in y.
    """
    if _is_plain(X) and _is_plain_target(y) and _worst_value(X) in (FINITE, MISSING):
        # What scikit-learn would find, and note, in ten times the time.
        vars(estimator).pop("feature_names_in_", None)
        estimator.n_features_in_ = X.shape[1]
        return X, y
    X, y = _validate(
        estimator,
        X,
        lambda dtype: {
            "y": y,
            "validate_separately": (
                {"dtype": dtype, "accept_sparse": "csc", "ensure_all_finite": False},
                {"ensure_2d": False, "dtype": None},
            ),
        },
    )
    X = _as_aligned_float(X)
    _check_finite(estimator, X)
    if issparse(X):
        X = _tidy(X)
    return X, y


def _validate(estimator, X, options):
    """Run scikit-learn's validation; numbers written as strings are taken, as it takes them."""
    if issparse(X) and hasattr(X, "check_format"):
        X.check_format(full_check=True)  # positions out of range would be followed
    try:
        return validate_data(estimator, X, **options("numeric"))
    except ValueError as error:
        if "dtype='numeric' is not compatible" not in str(error):
            raise
        return validate_data(estimator, X, **options(np.float64))


def check_shapes(estimator, X, y, reset):
    """Validate the shapes and dtypes of X, and of y for fit, but no value of X.

    Parameters
    ----------
    estimator : estimator
        Who speaks; with ``reset`` it takes the number of features.
    X : ndarray
        Any array of the shape and dtype of the rows.
    y : ndarray, (ndarray,) or None
        Labels or targets; in a tuple: their values are not looked at either. None fails for fit.
    reset : bool
        Whether this is a fit.

    Returns
    -------
    ndarray or None
        The checked y.

    Raises
    ------
    ValueError
        As scikit-learn does.
    """
    words = {"dtype": "numeric", "ensure_all_finite": False}
    if not reset:
        validate_data(estimator, X, reset=False, **words)
        return None
    is_shape = isinstance(y, tuple)
    y_words = {"ensure_2d": False, "dtype": None, "ensure_all_finite": not is_shape}
    y = y[0] if is_shape else y
    return validate_data(estimator, X, y, validate_separately=(words, y_words))[1]


def check_finite(estimator, X, may_miss, name="X"):
    """Raise ValueError for infinite values, and for NaN unless values may be missing."""
    words = {"estimator_name": type(estimator).__name__, "input_name": name}
    _assert_all_finite_element_wise(X, xp=np, allow_nan=may_miss, **words)


def _check_finite(estimator, X):
    """Raise ValueError for infinite values, and for NaN in a sparse matrix."""
    if issparse(X):
        assert_all_finite(X, estimator_name=type(estimator).__name__, input_name="X")
    elif _worst_value(X) not in (FINITE, MISSING):
        check_finite(estimator, X, may_miss=True)


def check_n_labels(n_labels, X):
    """Raise ValueError unless there is one label, or target, a row."""
    if n_labels != X.shape[0]:
        raise ValueError(
            f"Number of labels={n_labels} does not match number of samples={X.shape[0]}"
        )


def columns_in_range(X):
    """Return unchecked training data as growth reads it: floats, a sparse matrix by columns."""
    X = _as_aligned_float(X)
    if not issparse(X):
        return X
    if X.format != "csc":
        raise ValueError(f"X should be in CSC sparse format, got {type(X)}")
    return _tidy(X)


def _tidy(X):
    """Return a sparse matrix with sorted, unique entries, without changing the caller's."""
    X.check_format(full_check=True)  # positions out of range would be followed
    if not (X.has_canonical_format and X.has_sorted_indices):
        X = X.copy()
        X.sum_duplicates()
        X.sort_indices()
    return X


def check_rows(estimator, X, check_input=True):
    """Validate X for prediction.

    Returns
    -------
    X : ndarray or CSR matrix
        float32 or float64 of shape (n_samples, n_features).
    worst : int
        FINITE, MISSING or UNKNOWN of ``treelearn._checks``. What is unknown is C-contiguous and
        has still to be checked: who reads it anyway calls `check_finite` for an infinite value.

    Raises
    ------
    ValueError
        For wrong shapes, infinite values, NaN in a sparse matrix.
    """
    if not check_input:
        _check_n_features(estimator, X, reset=False)
        return _rows_in_range(_as_aligned_float(X)), MISSING
    if (
        _is_plain(X)
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
    ):
        worst = UNKNOWN if X.flags.c_contiguous else _worst_value(X)
        if worst in (FINITE, MISSING, UNKNOWN):
            return X, worst
    X = _validate(
        estimator,
        X,
        lambda dtype: {
            "dtype": dtype,
            "accept_sparse": "csr",
            "reset": False,
            "ensure_all_finite": True if issparse(X) else "allow-nan",
        },
    )
    return _as_aligned_float(X), MISSING


def _rows_in_range(X):
    """Return X, or raise ValueError for a sparse matrix that cannot be followed by rows."""
    if issparse(X):
        if X.format != "csr":
            raise ValueError(f"X should be in CSR sparse format, got {type(X)}")
        X.check_format(full_check=True)
    return X


def check_weights(sample_weight, X):
    """Validate sample weights.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        float64.

    Raises
    ------
    ValueError
        For a wrong shape, infinite, missing or negative weights, or none above zero.
    """
    if sample_weight is None:
        return None
    sample_weight = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    if not sample_weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    with np.errstate(over="ignore"):
        if not np.isfinite(sample_weight.sum()):
            raise ValueError("The sum of sample weights is too large for dtype('float64').")
    return sample_weight


def check_target_range(targets, sample_weight, has_squares):
    """Raise ValueError where weighted sums of the targets, or of their squares, would overflow."""
    weight = targets.shape[1] if sample_weight is None else float(sample_weight.sum())
    # Products of Python's floats overflow in silence.
    largest = 2.0 * max(float(targets.max()), -float(targets.min()))
    bound = largest * max(1.0, weight) * (largest if has_squares else 1.0)
    if not isfinite(bound):
        what = "squares" if has_squares else "sums"
        raise ValueError(
            f"Input y contains values whose {what} are too large for dtype('float64')."
        )


def check_monotonic_cst(monotonic_cst, n_features, n_outputs, n_classes):
    """Validate monotonic constraints; return them as int8, None where there are none.

    Of a classifier the signs are turned: the search constrains the share of the first class.

    Raises
    ------
    ValueError
        For a wrong shape, other values than -1, 0 and 1, several outputs or classes.
    """
    if monotonic_cst is None:
        return None
    if n_outputs > 1:
        raise ValueError("Monotonicity constraints are not supported with multiple outputs.")
    constraints = np.asarray(monotonic_cst)
    if constraints.shape[0] != n_features:
        raise ValueError(
            f"monotonic_cst has shape {constraints.shape[0]} but the input data "
            f"X has {n_features} features."
        )
    if not np.isin(constraints, (-1, 0, 1)).all():
        raise ValueError(
            "monotonic_cst must be None or an array-like of -1, 0 or 1, but got "
            f"{np.unique(constraints)}"
        )
    constraints = constraints.astype(np.int8)
    if n_classes is not None:
        if n_classes[0] > 2:
            raise ValueError(
                "Monotonicity constraints are not supported with multiclass classification"
            )
        constraints = -constraints
    return constraints


def growth_rules(estimator, n_samples, n_features):
    """Return the stopping and drawing rules of an estimator as plain numbers, by name."""
    min_leaf = estimator.min_samples_leaf
    if not isinstance(min_leaf, numbers.Integral):
        min_leaf = ceil(min_leaf * n_samples)
    min_split = estimator.min_samples_split
    if not isinstance(min_split, numbers.Integral):
        min_split = max(2, ceil(min_split * n_samples))
    max_features = estimator.max_features
    if max_features is None:
        max_features = n_features
    elif max_features == "sqrt":
        max_features = max(1, int(np.sqrt(n_features)))
    elif max_features == "log2":
        max_features = max(1, int(np.log2(n_features)))
    elif not isinstance(max_features, numbers.Integral):
        max_features = max(1, int(max_features * n_features))
    max_depth = estimator.max_depth
    return {
        "random_thresholds": estimator.splitter == "random",
        "max_features": min(int(max_features), _NO_LIMIT),
        "max_depth": _NO_LIMIT if max_depth is None else min(int(max_depth), _NO_LIMIT),
        "min_samples_split": max(int(min_split), 2 * int(min_leaf)),
        "min_samples_leaf": int(min_leaf),
        "min_weight_fraction": float(estimator.min_weight_fraction_leaf),
        "min_impurity_decrease": float(estimator.min_impurity_decrease),
        "max_leaf_nodes": 0 if estimator.max_leaf_nodes is None else int(estimator.max_leaf_nodes),
    }


def accepted_by(estimator_class, params):
    """Return those of the parameters that a class takes."""
    known = inspect.signature(estimator_class).parameters
    return {name: value for name, value in params.items() if name in known}
