"""Impurities, gains and best splits of many nodes at once, on NumPy, CuPy and torch arrays.

The formulas are those of the trees (``native/impurity.h``); so are units and rules for ties.
"""

from typing import NamedTuple

import numpy as np

from ._impurity import impurities, search_histograms
from ._threads import check_n_jobs, effective_n_threads
from .criteria import CLASSIFICATION_CRITERIA, kernel_of

__all__ = ["BestSplits", "best_splits", "impurity", "split_gains"]

# A gain this far from zero, as a share of the impurity, is rounding (_node.pyx).
_ROUNDING = 1e-13
# Below it, a second thread would cost as much as it saves (benchmarks/impurity.py).
_FEWEST_COUNTS_FOR_THREADS = 200_000


class BestSplits(NamedTuple):
    """The best split of every node, arrays of shape (n_nodes,) in the library of the histograms.

    Attributes
    ----------
    feature : array of int32
        The feature, -1 where no split is feasible.
    bin : array of int32
        The last bin that goes left, -1 where no split is feasible.
    missing_goes_left : array of bool
        Whether missing values go left; False where there are none.
    gain : array of float64
        Gain per unit of the node's weight, in the criterion's unit; 0 where no split is feasible.
    """

    feature: object
    bin: object
    missing_goes_left: object
    gain: object


def impurity(counts, criterion, order=None, n_jobs=None):
    """Return the impurity of every node from its class weights.

    Parameters
    ----------
    counts : array of shape (..., n_classes)
        Weights of the classes, none negative: a NumPy or CuPy array or a torch tensor of any
        real dtype, on any device; what is none of these is made a NumPy array.
    criterion : str
        A criterion of ``DecisionTreeClassifier``.
    order : float or None, default=None
        Order of "renyi", "renyi_mean" and "tsallis"; None: 2, as of the estimator.
    n_jobs : int or None, default=None
        Threads on the CPU, as of the estimators.

    Returns
    -------
    array of shape (...)
        In the library and on the device of ``counts``; float32 for float32, else float64. In the
        unit of the estimators: bits for entropy, log_loss and renyi_mean, else dimensionless. 0
        for a node without weight.

    Raises
    ------
    ValueError
        If the criterion or the order is unknown, or a weight negative or not finite.
    ImportError
        If a CUDA array is given and CuPy is not there.

    Examples
    --------
    >>> import numpy as np
    >>> from treelearn import impurity
    >>> impurity(np.array([[3, 1], [2, 2], [4, 0]]), "gini")
    array([0.375, 0.5  , 0.   ])
    >>> float(impurity([1, 1, 1, 1], "entropy"))
    2.0
    """
    kernel = _class_kernel(criterion, order)
    arrays = _Arrays(counts)
    counts = arrays.checked(counts, "counts", 1)
    is_single = counts.dtype == np.float32
    found = arrays.impurities(counts, kernel, n_jobs, is_single)
    return arrays.returned(found, is_single)


def split_gains(left_counts, right_counts, criterion, order=None, n_jobs=None):
    """Return what splits gain, from the class weights of their two sides.

    Parameters
    ----------
    left_counts, right_counts : array of shape (..., n_classes)
        Weights of the classes on either side, as of `impurity`; both of one shape.
    criterion : str
        A criterion of ``DecisionTreeClassifier``.
    order : float or None, default=None
        Order of "renyi", "renyi_mean" and "tsallis"; None: 2, as of the estimator.
    n_jobs : int or None, default=None
        Threads on the CPU, as of the estimators.

    Returns
    -------
    array of shape (...)
        Impurity of the whole, less those of the sides weighted by their shares of the weight;
        times the node's share of the tree's weight it is what ``min_impurity_decrease`` is
        compared with. A gain within 1e-13 of the impurity is rounding, and 0. Negative values are
        possible for renyi_mean alone.

    Raises
    ------
    ValueError
        As of `impurity`, or if the shapes differ.
    ImportError
        If a CUDA array is given and CuPy is not there.

    Examples
    --------
    >>> from treelearn import split_gains
    >>> split_gains([[2, 0], [1, 1]], [[0, 2], [1, 1]], "entropy")
    array([1., 0.])
    """
    kernel = _class_kernel(criterion, order)
    arrays = _Arrays(left_counts, right_counts)
    left = arrays.checked(left_counts, "left_counts", 1)
    right = arrays.checked(right_counts, "right_counts", 1)
    if left.shape != right.shape:
        raise ValueError(
            f"left_counts and right_counts must have one shape, got {left.shape} and {right.shape}."
        )
    is_single = left.dtype == np.float32 == right.dtype
    left, right = (side.astype(np.float64, copy=False) for side in (left, right))
    xp = arrays.xp
    whole = arrays.impurities(left + right, kernel, n_jobs)
    weight_left, weight_right = left.sum(axis=-1), right.sum(axis=-1)
    weight = weight_left + weight_right
    weight = xp.where(weight > 0.0, weight, 1.0)
    gain = whole - (
        weight_left / weight * arrays.impurities(left, kernel, n_jobs)
        + weight_right / weight * arrays.impurities(right, kernel, n_jobs)
    )
    gain = xp.where(xp.abs(gain) < _ROUNDING * whole, 0.0, gain)
    return arrays.returned(gain, is_single)


def best_splits(
    histograms,
    criterion,
    order=None,
    *,
    n_samples=None,
    min_samples_leaf=1,
    min_weight_leaf=0.0,
    has_missing_bin=False,
    n_jobs=None,
):
    """Return the best split of every node from its histograms.

    A split at bin b sends the bins up to b to the left. Candidates are the bins that hold samples
    with samples left for the right side. The largest gain wins; of equal gains the lowest
    feature, then the lowest bin, then missing values on the right. Equal gains of
    misclassification and of renyi from order 20 up are decided by Shannon's before that.

    Parameters
    ----------
    histograms : array of shape (n_nodes, n_features, n_bins, n_classes)
        Class weights of every bin, as of `impurity`. Features of fewer bins end with empty ones.
    criterion : str
        A criterion of ``DecisionTreeClassifier``.
    order : float or None, default=None
        Order of "renyi", "renyi_mean" and "tsallis"; None: 2, as of the estimator.
    n_samples : array of shape (n_nodes, n_features, n_bins) or None, default=None
        Integers: how many samples every bin holds; None: the weights are numbers of samples.
    min_samples_leaf : int, default=1
        Fewest samples on either side.
    min_weight_leaf : float, default=0.0
        Least weight on either side.
    has_missing_bin : bool, default=False
        Whether the last bin holds the missing values, which may go to either side.
    n_jobs : int or None, default=None
        Threads on the CPU, as of the estimators.

    Returns
    -------
    BestSplits
        ``feature``, ``bin``, ``missing_goes_left`` and ``gain`` of shape (n_nodes,).

    Raises
    ------
    ValueError
        If a shape, a rule, the criterion or the order is out of range, or a weight negative or
        not finite.
    ImportError
        If a CUDA array is given and CuPy is not there.

    Examples
    --------
    >>> from treelearn import best_splits
    >>> found = best_splits([[[[3, 0], [1, 1], [0, 4]]]], "gini")
    >>> int(found.feature[0]), int(found.bin[0]), round(float(found.gain[0]), 4)
    (0, 1, 0.316)
    """
    kernel = _class_kernel(criterion, order)
    if min_samples_leaf != int(min_samples_leaf) or min_samples_leaf < 1:
        raise ValueError(f"min_samples_leaf must be a positive integer, got {min_samples_leaf!r}.")
    if not 0.0 <= min_weight_leaf < np.inf:
        raise ValueError(f"min_weight_leaf must not be negative, got {min_weight_leaf!r}.")
    arrays = _Arrays(histograms, n_samples)
    counts = arrays.checked(histograms, "histograms", 4, 4).astype(np.float64, copy=False)
    if counts.shape[2] < 1 + has_missing_bin:
        raise ValueError("histograms must have at least one bin of values.")
    if n_samples is not None:
        n_samples = arrays.checked(n_samples, "n_samples", 3, 3)
        if n_samples.dtype.kind not in "iu" or n_samples.shape != counts.shape[:3]:
            raise ValueError(f"n_samples must be integers of shape {counts.shape[:3]}.")
        n_samples = n_samples.astype(np.int64, copy=False)
        if n_samples.size and int(n_samples.min()) < 0:
            raise ValueError("Negative values in n_samples.")
    rules = (bool(has_missing_bin), int(min_samples_leaf), float(min_weight_leaf))
    found = arrays.search(counts, n_samples, kernel, rules, n_jobs)
    return BestSplits(*(arrays.returned(array) for array in found))


def _class_kernel(criterion, order):
    if criterion not in CLASSIFICATION_CRITERIA:
        raise ValueError(
            f"criterion must be one of {', '.join(CLASSIFICATION_CRITERIA)}; got {criterion!r}."
        )
    return kernel_of(criterion, 2.0 if order is None else order)


def _n_threads(counts, n_jobs):
    check_n_jobs(n_jobs)
    return 1 if counts.size < _FEWEST_COUNTS_FOR_THREADS else effective_n_threads(n_jobs)


class _Arrays:
    """The library and device of a call's arrays: what goes in, what runs, what comes out."""

    def __init__(self, *arrays):
        kinds = {_library(array) for array in arrays if array is not None}
        if len(kinds) > 1 and kinds - {"numpy"}:
            raise ValueError(f"All arrays must be of one library, got {' and '.join(kinds)}.")
        self.is_torch = kinds == {"torch"}
        self.device = (
            next((a.device for a in arrays if a is not None), None) if self.is_torch else None
        )
        self.on_gpu = kinds == {"cupy"} or (self.is_torch and self.device.type == "cuda")
        if self.is_torch and self.device.type not in ("cpu", "cuda"):
            raise ValueError(f"Tensors must be on a CPU or a CUDA device, got {self.device}.")
        self.xp = np
        if self.on_gpu:
            from ._cupy import import_cupy

            self.xp = import_cupy()

    def checked(self, array, name, least_dims, most_dims=None):
        """Return an argument as an array of float64, float32 or integers."""
        if self.is_torch:
            array = array.detach().contiguous()
            array = self.xp.from_dlpack(array) if self.on_gpu else array.numpy()
        array = (
            self.xp.asarray(array) if self.on_gpu else np.require(array, requirements=["A", "E"])
        )
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name} must be real numbers, got dtype {array.dtype}.")
        if array.ndim < least_dims or (most_dims is not None and array.ndim > most_dims):
            wanted = f"{least_dims}" if most_dims else f"at least {least_dims}"
            raise ValueError(f"{name} must have {wanted} dimensions, got {array.ndim}.")
        if array.shape[-1] == 0:
            raise ValueError(f"{name} must not be empty in the last dimension.")
        if array.dtype.kind in "bu" and array.dtype != np.uint64:
            return array.astype(np.int64)
        if array.dtype.kind == "i":
            return array.astype(np.int64, copy=False)
        return array if array.dtype == np.float32 else array.astype(np.float64, copy=False)

    def impurities(self, counts, kernel, n_jobs, is_single=False):
        """Return impurities as float64, or on the CPU as float32."""
        rows = self.xp.ascontiguousarray(counts).reshape(-1, counts.shape[-1])
        if self.on_gpu:
            from .histogram.cuda_kernels import impurities as on_device

            return on_device(rows, kernel).reshape(counts.shape[:-1])
        found = impurities(rows, kernel, is_single=is_single, n_threads=_n_threads(rows, n_jobs))
        return found.reshape(counts.shape[:-1])

    def search(self, counts, n_samples, kernel, rules, n_jobs):
        """Return feature, bin, side of missing values and gain."""
        counts = self.xp.ascontiguousarray(counts)
        if n_samples is not None:
            n_samples = self.xp.ascontiguousarray(n_samples)
        if self.on_gpu:
            from .histogram.cuda_kernels import search_histograms as on_device

            return on_device(counts, n_samples, kernel, *rules)
        return search_histograms(counts, n_samples, kernel, *rules, _n_threads(counts, n_jobs))

    def returned(self, array, is_single=False):
        """Return a result as the caller's kind of array."""
        if is_single:
            array = array.astype(np.float32, copy=False)
        if not self.is_torch:
            return array[()] if array.ndim == 0 and not self.on_gpu else array
        import torch

        array = self.xp.ascontiguousarray(array)
        return torch.from_dlpack(array) if self.on_gpu else torch.from_numpy(np.asarray(array))


def _library(array):
    """Return the name of an array's library; whatever NumPy can read is NumPy's."""
    name = type(array).__module__.partition(".")[0]
    return name if name in ("cupy", "torch") else "numpy"
