"""The state of one pass over a feature, and what reads an entry."""

from ._types cimport *

cdef enum Method:
    BINARY
    SUMS
    MOMENTS
    PLAIN

# The state of one sweep over a feature.
cdef struct Sweep:
    Method method
    int n_candidates
    int32_t n_below
    int32_t n_default
    int32_t n_stored
    int32_t n_missing_left      # missing samples on the left in this sweep
    bint missing_goes_left
    int64_t weight_left         # units
    int64_t weight_default
    int64_t ones                # binary: samples of class 1 on the left
    double sum_left             # sums: power sums of the sides
    double sum_right
    int64_t moment_left
    int64_t square_left

cdef inline int32_t sample_of(const Search* search, entry_t entry) noexcept nogil:
    return <int32_t> ((entry & search.index_mask) >> 1)


cdef inline int64_t weight_of(const Search* search, int32_t sample) noexcept nogil:
    return 1 if search.targets.has_unit_weights else search.targets.weights[sample]


cdef inline int32_t class_of(const Search* search, entry_t entry) noexcept nogil:
    if search.class_shift != 0:
        return entry >> search.class_shift
    return search.targets.labels[sample_of(search, entry)]
