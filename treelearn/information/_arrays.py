"""Arrays of any library, checked, as probabilities and their logarithms.

Invariants
----------
- Results are arrays of the library, the device and the floating dtype of the input.
- An impossible outcome has probability 0 and logarithm 0, so that it adds nothing to any sum and
  its gradient is 0, where 0 times minus infinity would be NaN.
- The logarithm of a probability is right to the last digits also next to 1, where the rounded
  probability has forgotten how far from 1 it was: it comes from the sum of the other weights.
"""

import math
from numbers import Integral, Real
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

__all__ = [
    "LARGEST_ORDER",
    "Outcomes",
    "as_floating",
    "at_least_zero",
    "check_axis",
    "check_base",
    "check_finite",
    "check_order",
    "check_probability",
    "check_size",
    "expectation",
    "from_logits",
    "from_weights",
    "logarithm",
    "normalized",
    "stop_gradient",
    "sum_of_products",
    "total",
]

LONG = 32
"""Terms up to which one plain sum is accurate enough; longer sums are folded in halves first."""

LONG_IN_FLOAT32 = 8
"""The same where 4 roundings, not 18, are all that a result may be off by."""

LARGEST_ORDER = 1e30
"""Above it an order is infinity to all digits, and its products with logarithms overflow."""


class Outcomes(NamedTuple):
    """Distributions along one axis: what a measure reads.

    Attributes
    ----------
    xp : namespace
        The array API namespace of the arrays.
    p : array
        Probabilities.
    log_p : array
        Their natural logarithms, 0 for an impossible outcome; right also where ``p`` of logits or
        weights underflows to 0.
    axis : int
        The axis of the outcomes, counted from the end.
    """

    xp: Any
    p: Any
    log_p: Any
    axis: int


def as_floating(*values):
    """Return the namespace of some values and the values as arrays of one real floating dtype.

    Lists and what else is no array become arrays of the other arguments' library, device and
    dtype, NumPy where there is none.  Integers become float64 whatever the library prefers,
    because counts above 2**24 must survive.
    """
    arrays = [value for value in values if array_api_compat.is_array_api_obj(value)]
    if not arrays:
        arrays = [np.empty(0)]  # float64 on the CPU
    xp = array_api_compat.array_namespace(*arrays)
    device = array_api_compat.device(arrays[0])
    found = [
        _from_python(value, xp, device)
        if isinstance(value, np.generic) or not array_api_compat.is_array_api_obj(value)
        else value
        for value in values
    ]
    for value in found:
        if not xp.isdtype(value.dtype, ("bool", "integral", "real floating")):
            raise ValueError(f"expected real numbers, got an array of {value.dtype}.")
    dtypes = [array.dtype for array in arrays if xp.isdtype(array.dtype, "real floating")]
    dtype = xp.result_type(*dtypes) if dtypes else xp.float64
    return xp, *(xp.astype(value, dtype, copy=False) for value in found)


def _from_python(value, xp, device):
    """Return an array of what is none."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"expected real numbers, got an array of {array.dtype}.")
    if array_api_compat.is_numpy_namespace(xp):
        return array
    return xp.asarray(array.tolist(), dtype=xp.float64, device=device)


def check_axis(array, axis, name):
    """Return an axis counted from the end, or raise what is wrong with it."""
    if not isinstance(axis, Integral):
        raise ValueError(f"axis must be an integer; got {axis!r}.")
    if array.ndim == 0:
        raise ValueError(f"{name} must have at least one axis, got a single number.")
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"{name} has {array.ndim} axes, so there is no axis {axis}.")
    axis = axis if axis < 0 else axis - array.ndim
    if array.shape[axis] == 0:
        raise ValueError(f"{name} has no outcomes along axis {axis}.")
    return axis


def check_base(base):
    """Return nats per unit: the natural logarithm of a base, 1 for None."""
    if base is None:
        return 1.0
    if not isinstance(base, Real) or not 1.0 < base < math.inf:
        raise ValueError(f"base must be a finite number above 1, or None for nats; got {base!r}.")
    return math.log(base)


def check_order(order):
    """Return an order as a float, or raise what is wrong with it."""
    if not isinstance(order, Real) or math.isnan(order) or order < 0:
        raise ValueError(f"order must be a number from 0 to infinity; got {order!r}.")
    return float(order)


def check_size(number, name):
    """Raise unless a setting is a finite number of at least 0."""
    if not isinstance(number, Real) or not 0 <= number < math.inf:
        raise ValueError(f"{name} must be a finite number of at least 0; got {number!r}.")


def check_probability(xp, array, name):
    """Raise unless every entry lies between 0 and 1."""
    _check_sign(xp, array, name)
    if array_api_compat.size(array) and bool(xp.max(array) > 1):
        raise ValueError(
            f"{name} must not exceed 1; its largest value is {_number(xp.max(array))}."
        )


def check_finite(xp, array, name):
    """Raise for NaN and infinity."""
    if not bool(xp.all(xp.isfinite(array))):
        raise ValueError(f"{name} must contain neither NaN nor infinity.")


def _check_sign(xp, array, name):
    """Raise for NaN and negative entries; return whether every entry is positive."""
    if array_api_compat.size(array) == 0:
        return True
    # One pass sees both: the minimum of an array with NaN is NaN, which is not at least 0.
    smallest = xp.min(array)
    if not bool(smallest >= 0):
        if bool(xp.any(xp.isnan(array))):
            raise ValueError(f"{name} must not contain NaN.")
        raise ValueError(f"{name} must not be negative; its smallest value is {_number(smallest)}.")
    return bool(smallest > 0)


def _number(scalar):
    """Return a Python float for a message."""
    return float(stop_gradient(scalar))


def stop_gradient(array):
    """Return an array that carries no gradient."""
    return array.detach() if array_api_compat.is_torch_array(array) else array


def logarithm(xp, array):
    """Return the natural logarithm of positive entries and 0 for the others, gradients too."""
    return xp.log(xp.where(array > 0, array, xp.ones_like(array)))


def total(xp, array, axis, keepdims=False):
    """Return the sum along an axis, accurate for any memory layout.

    Libraries add pairwise along some axes only.  Halving a long axis first makes the error grow
    with the logarithm of its length along every axis.
    """
    while _is_long(xp, array, axis):
        n_terms = array.shape[axis]
        half = n_terms // 2
        folded = _part(array, axis, 0, half) + _part(array, axis, half, 2 * half)
        if n_terms % 2:
            folded = xp.concat([folded, _part(array, axis, n_terms - 1, n_terms)], axis=axis)
        array = folded
    return _plain_sum(xp, array, axis, keepdims)


def _plain_sum(xp, array, axis, keepdims=False):
    """Return the sum along an axis in whatever order is fast."""
    if axis == -1 and array_api_compat.is_numpy_namespace(xp):
        # NumPy adds short rows half as fast as it multiplies them with ones.
        sums = xp.vecdot(array, xp.ones(array.shape[-1], dtype=array.dtype))
        return sums[..., None] if keepdims else sums
    return xp.sum(array, axis=axis, keepdims=keepdims)


def _is_long(xp, array, axis):
    """Return whether a plain sum along an axis loses too many digits."""
    return array.shape[axis] > (LONG if array.dtype == xp.float64 else LONG_IN_FLOAT32)


def _part(array, axis, start, stop):
    """Return a slice along an axis counted from the end."""
    return array[(..., slice(start, stop), *(slice(None),) * (-axis - 1))]


def expectation(outcomes, values):
    """Return the mean of some values under distributions."""
    return sum_of_products(outcomes.xp, outcomes.p, values, outcomes.axis)


def sum_of_products(xp, a, b, axis):
    """Return the sum of the products of two arrays along an axis."""
    if _is_long(xp, a, axis):
        return total(xp, a * b, axis)
    # Spares an array of products.
    return xp.vecdot(a, b, axis=axis)


def at_least_zero(xp, nats):
    """Return values that only rounding made negative as 0, and never minus 0."""
    if array_api_compat.size(nats) and bool(xp.min(nats) > 0):
        return nats
    return xp.where(nats < 0, xp.zeros_like(nats), nats) + 0.0


def from_weights(weights, *, axis=-1, normalize=False, name="p"):
    """Return the outcomes of probabilities, or with ``normalize`` of counts or weights.

    Raises
    ------
    ValueError
        If an entry is NaN, infinite or negative, if a row of probabilities does not sum to one or
        a row of weights sums to zero.
    """
    xp, weights = as_floating(weights)
    axis = check_axis(weights, axis, name)
    is_positive = _check_sign(xp, weights, name)
    if normalize:
        return _normalized_outcomes(xp, weights, axis, name)
    _check_sums(xp, weights, axis, name)
    log_p = xp.log(weights) if is_positive else logarithm(xp, weights)
    return Outcomes(xp, weights, log_p, axis)


def _check_sums(xp, p, axis, name):
    """Raise unless the rows sum to one, as far as their dtype can tell."""
    if array_api_compat.size(p) == 0:
        return
    with np.errstate(over="ignore"):
        sums = _plain_sum(xp, p, axis)
    tolerance = math.sqrt(xp.finfo(p.dtype).eps)
    for extreme in (xp.min(sums), xp.max(sums)):
        if not bool(abs(extreme - 1) <= tolerance):
            raise ValueError(
                f"{name} must sum to one along axis {axis}, but a row sums to {_number(extreme)}; "
                "pass normalize=True for counts or weights."
            )


def _checked_sums(xp, weights, axis, name):
    """Return weights and their sums along an axis, rescaled where the sums would overflow."""
    if array_api_compat.size(weights) == 0:
        return weights, total(xp, weights, axis, keepdims=True)
    largest = xp.max(weights)
    if not bool(largest <= xp.finfo(weights.dtype).max / weights.shape[axis]):
        if not bool(largest < math.inf):
            raise ValueError(f"{name} must be finite.")
        weights = weights / (2.0 * weights.shape[axis])
    sums = total(xp, weights, axis, keepdims=True)
    if not bool(xp.min(sums) > 0):
        raise ValueError(f"a row of {name} sums to zero along axis {axis}: nothing to normalize.")
    return weights, sums


def normalized(weights, *, axis=-1, normalize=False, name="p"):
    """Return the namespace, checked probabilities and their axis counted from the end.

    For what needs no logarithm.
    """
    xp, weights = as_floating(weights)
    axis = check_axis(weights, axis, name)
    _check_sign(xp, weights, name)
    if normalize:
        weights, sums = _checked_sums(xp, weights, axis, name)
        return xp, weights / sums, axis
    _check_sums(xp, weights, axis, name)
    return xp, weights, axis


def _normalized_outcomes(xp, weights, axis, name):
    """Return the outcomes of weights that are not negative."""
    weights, sums = _checked_sums(xp, weights, axis, name)
    p = weights / sums
    log_p = logarithm(xp, p)
    if array_api_compat.size(p) and bool(xp.min(p) < xp.finfo(p.dtype).smallest_normal):
        # A share that underflows has a logarithm, on which small orders and divergences depend.
        is_lost = (weights > 0) & (p < xp.finfo(p.dtype).smallest_normal)
        log_p = xp.where(is_lost, logarithm(xp, weights) - xp.log(sums), log_p)
    return Outcomes(xp, p, _accurate_logs(xp, weights, sums, log_p, axis), axis)


def _accurate_logs(xp, weights, sums, log_p, axis):
    """Return logarithms of shares in which that of a majority comes from what it leaves.

    At most one weight is more than half of the sum, and only its share can come close to 1.
    """
    is_major = weights > sums / 2
    zeros = xp.zeros_like(weights)
    others = total(xp, xp.where(is_major, zeros, weights), axis, keepdims=True)
    major = total(xp, xp.where(is_major, weights, zeros), axis, keepdims=True)
    has_major = major > 0
    odds = others / xp.where(has_major, major, others)
    return xp.where(is_major, -xp.log1p(odds), log_p)


def from_logits(logits, *, axis=-1, name="logits"):
    """Return the outcomes of the softmax of logits; minus infinity is an impossible outcome.

    Raises
    ------
    ValueError
        If a logit is NaN or plus infinity, or all of a row are minus infinity.
    """
    xp, logits = as_floating(logits)
    axis = check_axis(logits, axis, name)
    if array_api_compat.size(logits) == 0:
        return Outcomes(xp, logits, logits, axis)
    # No gradient through the shift: it cancels in the mathematics, not in rounding.
    largest = xp.max(stop_gradient(logits), axis=axis, keepdims=True)
    if not bool(xp.all(largest < math.inf)):
        raise ValueError(f"{name} must contain neither NaN nor plus infinity.")
    if not bool(xp.all(largest > -math.inf)):
        raise ValueError(f"a row of {name} is minus infinity throughout: nothing is possible.")
    is_possible = logits > -math.inf
    shifted, lost = _difference(xp, xp.where(is_possible, logits, largest), largest)
    # What the rounding of a difference of 500 lost, 5e-14, is as large an error of its exponential.
    weights = xp.exp(shifted)
    weights = xp.where(is_possible, weights + weights * lost, xp.zeros_like(weights))
    sums = total(xp, weights, axis, keepdims=True)
    log_p = _accurate_logs(xp, weights, sums, shifted - (xp.log(sums) - lost), axis)
    return Outcomes(xp, weights / sums, xp.where(is_possible, log_p, xp.zeros_like(log_p)), axis)


def _difference(xp, a, b):
    """Return the rounded difference and what rounding lost of it (Knuth's two-sum, 1969).

    A difference beyond the largest number is a quarter of that number, which says as much and
    leaves room for sums of two.
    """
    least = -float(xp.finfo(a.dtype).max) / 4
    with np.errstate(over="ignore", invalid="ignore"):
        difference = a - b
        a = stop_gradient(a)
        rounded = stop_gradient(difference)
        b_part = a - rounded
        lost = (a - (rounded + b_part)) - (b - b_part)
    difference = xp.where(difference < least, xp.full_like(difference, least), difference)
    return difference, xp.where(xp.isfinite(lost), lost, xp.zeros_like(lost))
