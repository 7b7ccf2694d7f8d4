"""Targets in whole units, as `_units.py` makes them of arrays of any library, bit for bit.

Instead of an array for every step this makes passes that keep nothing between them.
"""

from libc.math cimport fmax, frexp, ldexp

import math

import numpy as np

from ._types cimport *

cdef extern from "native/units.h" nogil:
    ctypedef struct TargetRow:
        const double* values
        const double* weights
        double weight
        double factor
        double centre
        int64_t n
    void tl_extremes(const double* values, int64_t n, double* lowest, double* highest)
    void tl_largest_moments(const TargetRow* row, double* largest_sum, double* largest_square)
    void tl_add_moments(
        const TargetRow* row, int is_square, double scale, int64_t* high, int64_t* low
    )
    void tl_add_ceilings(
        const TargetRow* row, double sum_scale, double square_scale, int64_t* sum_bound,
        int64_t* square_bound
    )
    void tl_write_moments(
        const TargetRow* row, double sum_scale, double square_scale, int64_t* sums,
        int64_t* squares
    )

# Of `_units.py`.
cdef enum:
    SUM_BITS = 61
    HALF_BITS = 30
    LEAST_UNIT = -900

cdef enum:
    # Between these the powers of two that scale numbers are float64 themselves.
    LEAST_EXPONENT = -990
    LARGEST_EXPONENT = 1020


cdef inline int exponent_of(double largest) noexcept nogil:
    """Return e such that no number is 2^e or more."""
    cdef int exponent
    frexp(largest, &exponent)
    return exponent


cdef inline bint is_ordinary(int exponent) noexcept nogil:
    """Return whether one product scales numbers whose largest is below 2^exponent."""
    return LEAST_EXPONENT <= exponent <= LARGEST_EXPONENT


cdef inline void point_at(
    TargetRow* row,         # in, out
    const double[:, ::1] targets,
    const double[::1] centres,
    Py_ssize_t output,
) noexcept nogil:
    """Turn to an output."""
    row.values = &targets[output, 0]
    row.centre = centres[output]


cdef object sum_of_moments(const TargetRow* row, bint is_square, int exponent):
    """Return the sum of the moments of an output as `exact_sum` does."""
    cdef int64_t high, low
    with nogil:
        tl_add_moments(row, is_square, ldexp(1.0, HALF_BITS - exponent), &high, &low)
    return math.ldexp((int(high) << HALF_BITS) + int(low), exponent - 2 * HALF_BITS)


cdef int unit_exponent(int exponent, int64_t bound) except? 0:
    """Return e such that a sum stays below 2^61 units of 2^e; the bound is in 2^(exponent - 30)."""
    return max(exponent - HALF_BITS + int(bound).bit_length() - SUM_BITS, LEAST_UNIT)


def moments_in_units(
    const double[:, ::1] targets, weight, double total, bint is_centred, double ridge_share
):
    """Return the moments of targets in units, as `_units._moments_of_arrays` does.

    Parameters
    ----------
    targets : ndarray of shape (n_outputs, n_samples)
        float64, finite; at least one sample.
    weight : float or ndarray of shape (n_samples,)
        The weight of every sample, or those of the samples, float64.
    total : float
        Sum of the weights.
    is_centred : bool
        Whether sums are taken about the mean.
    ridge_share : float
        Share of the variance that is the ridge.

    Returns
    -------
    tuple or None
        None for targets so large or small that arrays must serve.
    """
    cdef Py_ssize_t n_outputs = targets.shape[0], output
    cdef int64_t n = targets.shape[1], sum_bound = 0, square_bound = 0
    cdef int exponent, exponent_here, sum_exponent, square_exponent
    cdef double largest = 0.0, largest_sum = 0.0, largest_square = 0.0, here, square_here, mean
    cdef double sum_scale, square_scale
    cdef const double[::1] weights
    cdef TargetRow row
    row.n = n
    row.weights = NULL
    row.weight = 1.0
    if isinstance(weight, np.ndarray):
        weights = weight
        row.weights = &weights[0]
    else:
        row.weight = weight
    centre_array, ridge_array = np.zeros(n_outputs), np.zeros(n_outputs)
    cdef double[::1] centres = centre_array, ridges = ridge_array
    cdef double[:, ::1] extremes = np.empty((2, n_outputs))
    cdef double[::1] largest_squares = np.empty(n_outputs)
    with nogil:
        for output in range(n_outputs):
            tl_extremes(&targets[output, 0], n, &extremes[0, output], &extremes[1, output])
            largest = fmax(largest, fmax(extremes[1, output], -extremes[0, output]))
    exponent = exponent_of(largest)
    if not is_ordinary(exponent):
        return None
    row.factor = ldexp(1.0, -exponent)
    for output in range(n_outputs if is_centred else 0):
        point_at(&row, targets, centres, output)
        tl_largest_moments(&row, &here, &square_here)
        exponent_here = exponent_of(here)
        if not is_ordinary(exponent_here):
            return None
        mean = sum_of_moments(&row, False, exponent_here) / total
        # Of equal numbers that number, whatever the quotient is rounded to.
        mean = max(mean, extremes[0, output] * row.factor)
        centres[output] = min(mean, extremes[1, output] * row.factor)
    with nogil:
        for output in range(n_outputs):
            point_at(&row, targets, centres, output)
            tl_largest_moments(&row, &here, &largest_squares[output])
            largest_sum = fmax(largest_sum, here)
            largest_square = fmax(largest_square, largest_squares[output])
    sum_exponent, square_exponent = exponent_of(largest_sum), exponent_of(largest_square)
    if not (is_ordinary(sum_exponent) and is_ordinary(square_exponent)):
        return None
    sum_scale = ldexp(1.0, HALF_BITS - sum_exponent)
    square_scale = ldexp(1.0, HALF_BITS - square_exponent)
    with nogil:
        for output in range(n_outputs):
            point_at(&row, targets, centres, output)
            tl_add_ceilings(&row, sum_scale, square_scale, &sum_bound, &square_bound)
    sum_exponent = unit_exponent(sum_exponent, sum_bound)
    square_exponent = unit_exponent(square_exponent, square_bound)
    sum_array, square_array = (np.empty((n_outputs, n), dtype=np.int64) for _ in range(2))
    cdef int64_t[:, ::1] sums = sum_array, squares = square_array
    sum_scale, square_scale = ldexp(1.0, -sum_exponent), ldexp(1.0, -square_exponent)
    with nogil:
        for output in range(n_outputs):
            point_at(&row, targets, centres, output)
            tl_write_moments(
                &row, sum_scale, square_scale, &sums[output, 0], &squares[output, 0]
            )
    for output in range(n_outputs):
        if ridge_share <= 0.0 or extremes[0, output] == extremes[1, output]:
            continue
        exponent_here = exponent_of(largest_squares[output])
        if not is_ordinary(exponent_here):
            return None
        point_at(&row, targets, centres, output)
        ridges[output] = ridge_share * (sum_of_moments(&row, True, exponent_here) / total)
    return (
        exponent, centre_array, ridge_array, sum_array, sum_exponent, square_array, square_exponent
    )
