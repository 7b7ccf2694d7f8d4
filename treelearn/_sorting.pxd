from ._types cimport *

cdef enum:
    MISSING_KEY = 0xFFFFFFFF
    MOST_DIGITS = 2048      # of a column that is sorted by counting alone

cdef double value_at(const Values* values, int32_t sample, int32_t feature) noexcept nogil
cdef int32_t sample_in(uint64_t pair, uint32_t index_mask) noexcept nogil
cdef void sort_pairs(uint64_t* pairs, uint64_t* spare, int64_t n) noexcept nogil
cdef void sort_keys(
    const uint32_t* keys, const int32_t* rows, const int32_t* labels, int class_shift, int64_t n,
    uint64_t* pairs, uint64_t* spare,
) noexcept nogil
cdef uint32_t count_digits(
    const uint32_t* keys, int64_t n, int64_t* ends, int* shift
) noexcept nogil
cdef void place_keys(
    const uint32_t* keys, const int32_t* rows, const int32_t* labels, int class_shift, int64_t n,
    int shift, uint32_t n_digits, int64_t* ends, entry_t* entries,
) noexcept nogil
cdef void read_keys(
    const Values* values, const int32_t* rows, int64_t n_rows, int32_t first_feature,
    int32_t n_features, uint32_t* keys, int64_t stride, uint8_t* is_exact,
) noexcept nogil
cdef int64_t read_sparse_pairs(
    const Values* values, int32_t feature, const uint8_t* is_row, const int32_t* labels,
    int class_shift, uint64_t* pairs,
) noexcept nogil
cdef int order_doubles(
    const Values* values, int32_t feature, uint32_t index_mask, uint64_t* pairs, int64_t n
) noexcept nogil
