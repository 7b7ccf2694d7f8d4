"""Weights and targets as whole numbers of small units, for arrays of any library.

Every sum is one of whole numbers, so that neither the order of the samples nor the machine that
adds them changes a bit: a CPU and a GPU choose the same units and the same centres.
"""

import math
from dataclasses import dataclass

import numpy as np

from ._target_units import moments_in_units

__all__ = ["TargetUnits", "WeightUnits", "exact_sum", "target_units", "weight_units"]

# Sums of whole units stay below 2^61, so that the difference of two fits into 64 bits.
_SUM_BITS = 61
# Bits of either half of a number in `exact_sum`: as many samples as an int32 counts fit above.
_HALF_BITS = 30


@dataclass(frozen=True, eq=False)
class WeightUnits:
    """Weights of the samples in units.

    Attributes
    ----------
    units : array of shape (n_samples,) or None
        int64, at least 1; None where every sample weighs one unit.
    unit : float
        What one unit weighs, in ``scale``.
    scale : float
        A power of two by which the weights were divided: 1 unless they are far from 1.
    total : float
        Sum of the weights, in ``scale``.
    """

    units: object
    unit: float
    scale: float
    total: float


@dataclass(frozen=True, eq=False)
class TargetUnits:
    """Weighted deviations of the targets from their centres, in units, and their squares.

    Attributes
    ----------
    sums, squares : array of shape (n_outputs, n_samples)
        int64.
    sum_unit : float
        What one unit of ``sums`` is.
    square_ratio : float
        One unit of ``squares`` beside the square of ``sum_unit``.
    centres, ridges : ndarray of shape (n_outputs,)
        Means of the targets, 0 where they were not asked for; what gaussian_entropy adds to
        variances, 0 for a constant.
    """

    sums: object
    squares: object
    sum_unit: float
    square_ratio: float
    centres: np.ndarray
    ridges: np.ndarray


def exact_sum(values, xp=np):
    """Return the sum of numbers, each rounded to 2^-60 of the largest: of any order the same.

    Parameters
    ----------
    values : array of shape (n,)
        float64, finite, at most 2^31 of them.
    xp : module, default=numpy
        Its library.

    Returns
    -------
    float
        The sum, rounded once.

    Examples
    --------
    >>> import numpy as np
    >>> exact_sum(np.array([1e16, 1.0, -1e16]))
    1.0
    """
    exponent = _exponent(values)
    high, low = _halves(values, exponent, xp)
    total = (int(high.sum()) << _HALF_BITS) + int(low.sum())
    return math.ldexp(total, exponent - 2 * _HALF_BITS)


def weight_units(weights, xp=np):
    """Return weights in units.

    Parameters
    ----------
    weights : array of shape (n_samples,)
        float64, positive and finite.
    xp : module, default=numpy
        Their library.

    Returns
    -------
    WeightUnits
        In the library of the weights.
    """
    exponent, scale = _exponent(weights), 1.0
    if not -20 <= exponent <= 40:
        # Far from 1, products of weights with targets would leave the range of float64.
        scale = math.ldexp(1.0, exponent)
        weights = xp.maximum(_times_power(weights, -exponent, xp), 2.0**-1000)
    total, unit = exact_sum(weights, xp), float(weights[0])
    if bool((weights == unit).all()):
        return WeightUnits(None, unit, scale, total)
    unit = 1.0
    if not (bool((weights == xp.floor(weights)).all()) and total < 2.0**53):
        unit = 2.0 ** _unit_exponent(weights, xp)
    # A sample stays a sample, however small its weight is beside the others.
    units = xp.maximum(xp.rint(weights / unit).astype(np.int64), 1)
    return WeightUnits(units, unit, scale, total)


def target_units(targets, weights, is_centred, ridge_share, xp=np):
    """Return targets in units.

    Parameters
    ----------
    targets : array of shape (n_outputs, n_samples)
        float64, finite.
    weights : WeightUnits
        Weights of the samples.
    is_centred : bool
        Whether sums are taken about the mean.
    ridge_share : float
        Share of the variance that is the ridge.
    xp : module, default=numpy
        Library of the arrays.

    Returns
    -------
    TargetUnits
        In the library of the targets.
    """
    weight = weights.unit
    if weights.units is not None:
        weight = weights.units * weights.unit
    total = weight * targets.shape[1] if weights.units is None else exact_sum(weight, xp)
    found = None
    if xp is np:
        found = moments_in_units(targets, weight, total, is_centred, ridge_share)
    if found is None:
        found = _moments_of_arrays(targets, weight, total, is_centred, ridge_share, xp)
    exponent, centres, ridges, sums, sum_exponent, squares, square_exponent = found
    return TargetUnits(
        sums,
        squares,
        math.ldexp(1.0, sum_exponent + exponent),
        math.ldexp(1.0, square_exponent - 2 * sum_exponent),
        np.ldexp(centres, exponent),
        np.ldexp(ridges, 2 * exponent),
    )


def _moments_of_arrays(targets, weight, total, is_centred, ridge_share, xp):
    """Return the moments of targets in units of powers of two, and those powers.

    Centres are in 2^exponent and ridges in its square, as are the numbers that the moments count.
    """
    # Scaled by a power of two, so that neither squares nor sums of large targets overflow.
    exponent = _exponent(targets)
    scaled = _times_power(targets, -exponent, xp)
    n_outputs = len(targets)
    centres, ridges = np.zeros(n_outputs), np.zeros(n_outputs)
    is_constant = [float(row.min()) == float(row.max()) for row in targets]
    if is_centred:
        for output, row in enumerate(scaled):
            # Of equal numbers that number, whatever the quotient is rounded to.
            mean = exact_sum(weight * row, xp) / total
            centres[output] = min(max(mean, float(row.min())), float(row.max()))
    deviations = scaled - xp.asarray(centres[:, None])
    weighted = weight * deviations
    sum_exponent = _unit_exponent(weighted, xp)
    sums = xp.rint(_times_power(weighted, -sum_exponent, xp)).astype(np.int64)
    weighted = weighted * deviations
    square_exponent = _unit_exponent(weighted, xp)
    squares = xp.rint(_times_power(weighted, -square_exponent, xp)).astype(np.int64)
    if ridge_share > 0.0:
        for output, row in enumerate(weighted):
            if not is_constant[output]:
                ridges[output] = ridge_share * (exact_sum(row, xp) / total)
    return exponent, centres, ridges, sums, sum_exponent, squares, square_exponent


def _times_power(values, exponent, xp):
    """Return values * 2^exponent; a product takes a tenth of the time of ldexp."""
    if -1022 <= exponent <= 1023:
        return values * 2.0**exponent
    return xp.ldexp(values, exponent)


def _exponent(values):
    """Return e such that no number is 2^e or more."""
    return math.frexp(max(float(values.max()), -float(values.min())))[1]


def _halves(values, exponent, xp):
    """Return numbers in units of 2^-30 of the largest, and the rest in units of 2^-60."""
    scaled = _times_power(values, _HALF_BITS - exponent, xp)
    high = xp.rint(scaled)
    scaled -= high
    scaled *= 2.0**_HALF_BITS
    return high.astype(np.int64), xp.rint(scaled).astype(np.int64)


def _unit_exponent(values, xp):
    """Return e such that the sum of abs(values) is below 2^61 units of 2^e."""
    exponent = _exponent(values)
    # Not less than the sum, and a sum of whole numbers: of any order the same.
    halves = xp.abs(_times_power(values, _HALF_BITS - exponent, xp))
    bound = int(xp.ceil(halves).astype(np.int64).sum())
    # No unit below 2^-900: its square would not be a number.
    return max(exponent - _HALF_BITS + bound.bit_length() - _SUM_BITS, -900)
