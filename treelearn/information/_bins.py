"""Samples grouped by their confidence, and sums over the groups.

Invariants
----------
- The last axis holds the samples; the others are separate data sets.
- Confidences that equal a border k / n_bins as their dtype writes it lie on it: the border 3 / 10
  is the number 0.3, not three times 0.1.
"""

import math
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from ._arrays import as_floating, check_probability, stop_gradient
from ._host import from_host, to_host

__all__ = ["Bins", "equal_borders", "extremes", "grouped"]

_BINNINGS = ("equal_width", "equal_mass", "distinct_values")


class Bins(NamedTuple):
    """Sums over the samples of each bin, arrays of shape (..., n_bins), and where they are from.

    ``gap`` sums correct minus confidence sample by sample, which loses less than the difference
    of the other two sums; ``index`` is the bin of each sample.
    """

    xp: Any
    n: Any
    confidence: Any
    correct: Any
    gap: Any
    index: Any
    confidences: Any
    outcomes: Any


def grouped(confidences, correct, n_bins, binning, closed):
    """Return checked samples, summed over their bins."""
    if binning not in _BINNINGS:
        raise ValueError(f"binning must be one of {', '.join(_BINNINGS)}; got {binning!r}.")
    if closed not in ("left", "right"):
        raise ValueError(f"closed must be 'left' or 'right'; got {closed!r}.")
    if not isinstance(n_bins, int | np.integer) or n_bins < 1:
        raise ValueError(f"n_bins must be a whole number from 1 up, got {n_bins!r}.")
    given = confidences
    xp, confidences, correct = as_floating(confidences, correct)
    if array_api_compat.is_array_api_obj(given):
        # The borders are those of the dtype that the confidences were rounded in.
        _, confidences = as_floating(given)
    if correct.shape != confidences.shape:
        raise ValueError(
            f"confidences have shape {tuple(confidences.shape)}, but correct has shape "
            f"{tuple(correct.shape)}."
        )
    if confidences.ndim == 0 or confidences.shape[-1] == 0:
        raise ValueError("confidences must have at least one sample along the last axis.")
    check_probability(xp, confidences, "confidences")
    if not bool(xp.all((correct == 0) | (correct == 1))):
        raise ValueError("correct must be 0 or 1 everywhere.")
    correct = xp.astype(correct, confidences.dtype, copy=False)
    index, n_bins = _bin_of_sample(xp, stop_gradient(confidences), int(n_bins), binning, closed)
    ones = xp.ones_like(correct)
    n, in_confidence, in_correct, gap = (
        _sum_by_bin(xp, values, index, n_bins)
        for values in (ones, confidences, correct, correct - confidences)
    )
    return Bins(xp, n, in_confidence, in_correct, gap, index, confidences, correct)


def equal_borders(n_bins, dtype, xp):
    """Return the borders of bins of equal width as numbers of a dtype, a NumPy array."""
    name = "float32" if dtype == xp.float32 else "float64"
    return (np.arange(n_bins + 1) / n_bins).astype(name)


def _bin_of_sample(xp, confidences, n_bins, binning, closed):
    """Return the bin of every sample and the number of bins."""
    if binning == "equal_width":
        inner = equal_borders(n_bins, confidences.dtype, xp)[1:-1]
        if n_bins == 1:
            return xp.zeros_like(confidences, dtype=xp.int64), 1
        side = "right" if closed == "left" else "left"
        inner = xp.asarray(inner, device=array_api_compat.device(confidences))
        inner = xp.astype(inner, confidences.dtype, copy=False)
        flat = xp.searchsorted(inner, xp.reshape(confidences, (-1,)), side=side)
        return xp.astype(xp.reshape(flat, confidences.shape), xp.int64), n_bins
    n_samples = confidences.shape[-1]
    order = xp.argsort(confidences, axis=-1, stable=True)
    rank = xp.argsort(order, axis=-1, stable=True)
    if binning == "equal_mass":
        return xp.astype(rank, xp.int64) * n_bins // n_samples, n_bins
    ascending = xp.take_along_axis(confidences, order, axis=-1)
    is_new = xp.astype(ascending[..., 1:] != ascending[..., :-1], xp.int64)
    first = xp.zeros_like(ascending[..., :1], dtype=xp.int64)
    group = xp.cumulative_sum(xp.concat([first, is_new], axis=-1), axis=-1)
    n_groups = int(xp.max(group)) + 1 if array_api_compat.size(group) else 1
    return xp.take_along_axis(group, rank, axis=-1), n_groups


def _sum_by_bin(xp, values, index, n_bins):
    """Return the sums of values over the samples of each bin, of shape (..., n_bins)."""
    shape = (*values.shape[:-1], n_bins)
    if array_api_compat.is_torch_array(values):
        return xp.zeros(shape, dtype=values.dtype, device=values.device).scatter_add(
            -1, index, values
        )
    if array_api_compat.is_cupy_array(values) or isinstance(values, np.ndarray):
        flat = _flat_index(xp, index, n_bins)
        sums = xp.bincount(flat, weights=values.reshape(-1), minlength=math.prod(shape))
        return sums.reshape(shape).astype(values.dtype)
    # The array API has no scatter: other libraries take the way over the host.
    on_host = _sum_by_bin(np, to_host(values), to_host(index), n_bins)
    return from_host(xp, on_host, values)


def _flat_index(xp, index, n_bins):
    """Return one number for each pair of data set and bin."""
    index = index.reshape(-1, index.shape[-1])
    return (xp.arange(len(index))[:, None] * n_bins + index).reshape(-1)


def extremes(bins):
    """Return the least and the largest confidence in each bin, NaN where it is empty."""
    confidences, index = to_host(bins.confidences), to_host(bins.index)
    n_bins = bins.n.shape[-1]
    flat = _flat_index(np, index, n_bins)
    shape = tuple(bins.n.shape)
    lower = np.full(math.prod(shape), np.inf, dtype=confidences.dtype)
    upper = np.full(math.prod(shape), -np.inf, dtype=confidences.dtype)
    np.minimum.at(lower, flat, confidences.reshape(-1))
    np.maximum.at(upper, flat, confidences.reshape(-1))
    return tuple(
        from_host(bins.xp, np.where(np.isfinite(side), side, np.nan).reshape(shape), bins.n)
        for side in (lower, upper)
    )
