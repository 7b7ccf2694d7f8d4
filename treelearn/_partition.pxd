from ._types cimport *
from ._workspace cimport Workspace

cdef void mark_samples(
    const int32_t* samples, int32_t n, uint32_t* goes_left
) noexcept nogil
cdef void mark_sides(
    const Search* search, const Node* node, const Split* split, const int32_t* samples,
    const void* lists, uint32_t* goes_left,
) noexcept nogil
cdef void clear_sides(
    const Search* search, const Node* node, const Split* split, const int32_t* samples,
    const void* lists, uint32_t* goes_left,
) noexcept nogil
cdef void add_left_classes(
    const Search* search, const Node* node, const Split* split, const void* lists,
    int64_t* stats, int64_t* weight,
) noexcept nogil
cdef void partition_samples(
    const uint32_t* goes_left, const int32_t* samples, int32_t n, int32_t* target, int32_t* spare
) noexcept nogil
cdef void partition_lists(
    const Search* search, const Node* node, const Split* split, const uint32_t* goes_left,
    const void* source, void* target, Segment* left, Segment* right, int32_t* n_segments,
    bint left_is_read, bint right_is_read, Workspace* work,
) noexcept nogil
