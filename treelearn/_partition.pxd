from ._types cimport *
from ._workspace cimport Workspace

cdef void mark_sides(
    const Search* search, const Node* node, const Split* split, const int32_t* samples,
    const entry_t* entries, uint8_t* goes_left,
) noexcept nogil
cdef int32_t partition_samples(
    const uint8_t* goes_left, const int32_t* samples, int32_t n, int32_t* target, int32_t* spare
) noexcept nogil
cdef void partition_lists(
    const Search* search, const Node* node, const uint8_t* goes_left, const entry_t* source,
    entry_t* target, Segment* left, Segment* right, int32_t* n_segments, bint right_is_read,
    Workspace* work,
) noexcept nogil
