"""What the estimators ask of every value they are given, in one pass over the memory."""

import numpy as np

from ._types cimport *

cdef extern from "native/checks.h":
    int TL_FINITE
    int TL_MISSING
    int TL_INFINITE
    int TL_UNKNOWN
    int tl_worst_32(const uint32_t* bits, int64_t n) nogil
    int tl_worst_64(const uint64_t* bits, int64_t n) nogil
    void tl_range_32(const int32_t* values, int64_t n, int64_t* lowest, int64_t* highest) nogil
    void tl_range_64(const int64_t* values, int64_t n, int64_t* lowest, int64_t* highest) nogil

FINITE, MISSING, INFINITE, UNKNOWN = TL_FINITE, TL_MISSING, TL_INFINITE, TL_UNKNOWN

ctypedef fused value_t:
    float
    double

ctypedef fused label_t:
    int32_t
    int64_t

cdef enum:
    # Labels in so wide a range are counted without a look at how many there are.
    NARROW_RANGE = 1000


def worst_value(const value_t[::1] values):
    """Return FINITE, MISSING or INFINITE: the worst that is among the values.

    Parameters
    ----------
    values : ndarray of shape (n,)
        float32 or float64.
    """
    cdef int64_t n = values.shape[0]
    cdef int worst
    if n == 0:
        return TL_FINITE
    with nogil:
        if value_t is float:
            worst = tl_worst_32(<const uint32_t*> &values[0], n)
        else:
            worst = tl_worst_64(<const uint64_t*> &values[0], n)
    return worst


def count_labels(const label_t[::1] labels, int32_t[::1] codes):
    """Find the distinct labels by counting, where they lie close enough together.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        int32 or int64, at least one.
    codes : ndarray of shape (n,)
        Output: the place of every label among the distinct ones, sorted.

    Returns
    -------
    ndarray of shape (n_distinct,) or None
        The distinct labels, sorted, as int64; None where their range is too wide to count, and
        nothing is written.
    """
    cdef int64_t n = labels.shape[0], lowest, highest, i
    cdef int32_t n_found = 0
    with nogil:
        if label_t is int32_t:
            tl_range_32(&labels[0], n, &lowest, &highest)
        else:
            tl_range_64(&labels[0], n, &lowest, &highest)
    # As the difference of unsigned numbers it cannot overflow.
    cdef uint64_t width = <uint64_t> highest - <uint64_t> lowest
    if width >= <uint64_t> max(NARROW_RANGE, n):
        return None
    cdef int64_t n_places = <int64_t> width + 1
    places = np.full(n_places, -1, dtype=np.int32)
    cdef int32_t[::1] places_view = places
    cdef int32_t* place = &places_view[0]
    with nogil:
        for i in range(n):
            if place[<int64_t> labels[i] - lowest] < 0:
                place[<int64_t> labels[i] - lowest] = 0
                n_found += 1
                if n_found == n_places:
                    break
        if n_found == n_places:
            # No gap between the labels, as is usual: a subtraction serves as the table.
            for i in range(n):
                codes[i] = <int32_t> (labels[i] - lowest)
        else:
            number_places(place, n_places)
            for i in range(n):
                codes[i] = place[<int64_t> labels[i] - lowest]
    if n_found == n_places:
        return np.arange(lowest, highest + 1, dtype=np.int64)
    return np.flatnonzero(places >= 0) + lowest


cdef void number_places(int32_t* place, int64_t n_places) noexcept nogil:
    """Number the places that are taken, in their order; the others are negative."""
    cdef int64_t i
    cdef int32_t n_taken = 0
    for i in range(n_places):
        if place[i] >= 0:
            place[i] = n_taken
            n_taken += 1
