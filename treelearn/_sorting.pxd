from ._types cimport *

# Passes of the radix sort look at this many bits: few for short columns, whose time goes into
# clearing the counters.
cdef int sort_pairs(uint64_t* pairs, uint64_t* spare, int64_t n) noexcept nogil
cdef double value_at(const Values* values, int32_t sample, int32_t feature) noexcept nogil
cdef int64_t sort_column(
    const Values* values,
    int32_t feature,
    const int32_t* rows,
    int64_t n_rows,
    const uint8_t* is_row,
    uint64_t* pairs,
    uint64_t* spare,
    int64_t* n_missing,
) noexcept nogil
