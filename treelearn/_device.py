"""Where an estimator works, and arrays that lie on a GPU: found, checked, handed back.

Bad input gets scikit-learn's own words: its checks are shown a stand-in of the array's shape and
dtype that takes no memory, and of its values the worst one.
"""

import logging
import sys

import numpy as np
from scipy.sparse import issparse

from ._validation import (
    as_float,
    check_finite,
    check_shapes,
    check_training_data,
    check_weights,
)
from .histogram.engine import cuda_engine
from .histogram.memory import fit_bytes
from .training_set import TrainingSet

__all__ = [
    *("bins_of", "choose_engine", "device_data", "device_rows", "device_weights", "handed_back"),
    *("is_on_gpu", "on_host", "open_engine", "taken"),
]

_DEFAULT_BINS = 255
_ON_GPU = (2, 13)  # DLPack's numbers of CUDA memory, plain and managed
_log = logging.getLogger("treelearn")

open_engine = cuda_engine
"""Returns the engine of ``device="cuda"``."""


def is_on_gpu(array):
    """Return whether an array lies on a GPU that CUDA knows."""
    if type(array) is np.ndarray or not hasattr(array, "__dlpack_device__"):
        return False
    return array.__dlpack_device__()[0] in _ON_GPU


def bins_of(estimator):
    """Return the most bins of a feature, None for the exact search.

    What ``device="auto"`` grows must not depend on what the machine has.
    """
    if estimator.max_bins is None and estimator.device != "cpu":
        return _DEFAULT_BINS
    return estimator.max_bins


def choose_engine(estimator, X, y, sample_weight, rows, is_classification):
    """Return where an estimator is to be fitted.

    Returns
    -------
    Engine or None
        None: on the CPU.

    Raises
    ------
    ImportError
        If ``device="cuda"`` and CuPy is not there.
    RuntimeError
        If ``device="cuda"`` and there is no GPU.
    MemoryError
        If ``device="cuda"`` and the GPU has too little memory.
    TypeError
        If X is of a kind that only the CPU takes, or lies on a GPU and ``device="cpu"``.
    """
    on_gpu = [is_on_gpu(array) for array in (X, y, sample_weight)]
    if estimator.device == "cpu":
        if any(on_gpu):
            raise TypeError(
                "X, y or sample_weight lies on a GPU, but device='cpu'; use device='cuda', or copy "
                "it to the host."
            )
        return None
    if rows is not None and not isinstance(X, TrainingSet):
        return None  # where it is refused
    try:
        if issparse(X):
            raise TypeError(
                "Sparse data was passed, but dense data is required by device='cuda'. "
                "Use '.toarray()' to convert to a dense numpy array, or device='cpu'."
            )
        if isinstance(X, TrainingSet):
            raise TypeError(
                "A TrainingSet holds lists that were sorted on the CPU; pass X and y to "
                "device='cuda'."
            )
        engine = open_engine()
        _check_memory(estimator, engine, X, y, sample_weight, is_classification)
    except (ImportError, MemoryError, RuntimeError, TypeError) as error:
        if estimator.device == "cuda" or any(on_gpu):
            raise
        _log.info("device='auto' works on the CPU: %s", error)
        return None
    if estimator.device == "auto":
        _log.info("device='auto' works on the GPU.")
    return engine


def _check_memory(estimator, engine, X, y, sample_weight, is_classification):
    """Raise MemoryError where a fit would need more than there is; odd shapes are for others."""
    shape = np.shape(X) if not hasattr(X, "shape") else X.shape
    if len(shape) != 2:
        return
    value_bytes = 0
    dtype = getattr(X, "dtype", None)
    if not (is_on_gpu(X) and dtype in (np.float32, np.float64)):
        value_bytes = 4 if dtype == np.float32 else 8
    outputs = getattr(y, "shape", np.shape(y) if y is not None else ())
    n_needed = fit_bytes(
        *shape,
        value_bytes=value_bytes,
        max_bins=bins_of(estimator),
        n_outputs=outputs[1] if len(outputs) == 2 else 1,
        is_classification=is_classification,
        has_weights=sample_weight is not None
        or getattr(estimator, "class_weight", None) is not None,
    )
    n_free = engine.free_bytes()
    if n_needed > n_free:
        raise MemoryError(
            f"A fit of {shape[0]} x {shape[1]} needs {n_needed / 2**30:.2f} GiB of device memory, "
            f"but {n_free / 2**30:.2f} GiB are free."
        )


def taken(engine, array):
    """Return an array of any library as one of the engine's, copied only from the host."""
    if is_on_gpu(array):
        number = array.__dlpack_device__()[1]
        if number != engine.number:
            raise ValueError(
                f"An array lies on GPU {number}, but the current one is GPU {engine.number}: "
                f"begin with cupy.cuda.Device({number}).use()."
            )
        if not isinstance(array, engine.xp.ndarray):
            # What torch follows for gradients is not exported.
            array = array.detach() if hasattr(array, "detach") else array
            return engine.xp.from_dlpack(array)
    return engine.xp.asarray(array)


def on_host(array):
    """Return an array of any library as one of NumPy."""
    return open_engine().on_host(taken(open_engine(), array)) if is_on_gpu(array) else array


def handed_back(array, like):
    """Return an array of the engine's library as one of the caller's."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(like, torch.Tensor):
        return torch.from_dlpack(array)
    return array


def device_data(estimator, engine, X, y, check_input):
    """Return checked training data on the device.

    Returns
    -------
    X : array of shape (n_rows, n_features)
        float32 or float64 on the device.
    y : array of shape (n_rows,) or (n_rows, n_outputs)
        On the device if it lay there, else a NumPy array.

    Raises
    ------
    ValueError
        For wrong shapes, infinite values, NaN in y.
    """
    if not is_on_gpu(X):
        if is_on_gpu(y):
            y = engine.on_host(taken(engine, y))
        if check_input:
            X, y = check_training_data(estimator, X, y)
        return engine.xp.asarray(as_float(X)), np.atleast_1d(y)
    X = taken(engine, X)
    y_on_gpu = is_on_gpu(y)
    y = taken(engine, y) if y_on_gpu else y
    if check_input:
        checked = check_shapes(estimator, _probe(X), (_probe(y),) if y_on_gpu else y, reset=True)
        y = y if y_on_gpu else checked
        if y_on_gpu and y.dtype.kind == "f":
            _check_values(estimator, engine, y, may_miss=False, name="y")
    X = as_float(X)
    if check_input:
        _check_values(estimator, engine, X, may_miss=True)
    return X, y if y_on_gpu else np.atleast_1d(y)


def device_rows(estimator, engine, X, check_input):
    """Return checked rows for prediction, float32 or float64 on the device.

    Raises
    ------
    ValueError
        For wrong shapes and infinite values.
    """
    X = taken(engine, X)
    check_shapes(estimator, _probe(X), None, reset=False)
    X = as_float(X)
    if check_input:
        _check_values(estimator, engine, X, may_miss=True)
    return X


def device_weights(engine, sample_weight, n_rows, is_moved=False):
    """Return checked sample weights, float64 on the device, or None.

    ``is_moved``: they are an array of the engine's.

    Raises
    ------
    ValueError
        As of ``check_weights``.
    """
    if sample_weight is None:
        return None
    rows = np.broadcast_to(0.0, (n_rows, 1))
    if not (is_moved or is_on_gpu(sample_weight)):
        return engine.xp.asarray(check_weights(sample_weight, rows))
    weights = sample_weight if is_moved else taken(engine, sample_weight)
    if weights.shape != (n_rows,):
        check_weights(_probe(weights), rows)  # says what is wrong
    weights = weights.astype(np.float64, copy=False)
    extremes = [float(weights.min()), float(weights.max())]
    if not np.isfinite(extremes).all() or extremes[0] < 0.0 or extremes[1] == 0.0:
        check_weights(np.array(extremes), np.zeros((2, 1)))
    with np.errstate(over="ignore"):
        total = float(weights.sum())
    if not np.isfinite(total):
        check_weights(np.full(2, np.finfo(np.float64).max), np.zeros((2, 1)))
    return weights


def _probe(array):
    """Return a NumPy array of the shape and dtype of another, in the memory of one element."""
    return np.broadcast_to(np.zeros((), dtype=array.dtype), array.shape)


def _check_values(estimator, engine, values, may_miss, name="X"):
    """Raise ValueError, in scikit-learn's words, for values that are not allowed."""
    values = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    has_infinite, has_missing = engine.values.find_worst(values)
    if has_infinite or (has_missing and not may_miss):
        worst = np.nan if has_missing and not may_miss else np.inf
        check_finite(estimator, np.array([[worst]], dtype=values.dtype), may_miss, name)
