from ._types cimport *

cdef enum:
    # Columns whose values are read together: a cache line of float32.
    FEATURES_PER_GROUP = 16

# What is the same for the lists of all features.
cdef struct ListSource:
    const Values* values
    const int32_t* rows         # the samples, increasing; NULL: all rows
    const uint8_t* is_row       # per row: whether it is a sample
    const int32_t* labels       # NULL where the entries do not hold the class
    int64_t n_rows
    int class_shift
    uint32_t index_mask
    bint stores_all             # whether a column's default value is listed too

cdef int build_lists(
    const ListSource* source, int32_t first_feature, int32_t n_features, uint64_t* pairs,
    uint64_t* spare, const int64_t* starts, entry_t* entries, int32_t* segments,
    double* default_values,
) noexcept nogil
cdef void filter_list(
    const uint32_t* is_kept, uint32_t index_mask, const entry_t* source, const int32_t* segment,
    entry_t* target, int32_t* new_segment,
) noexcept nogil
