from ._code_types cimport *
from ._types cimport *

cdef enum:
    # Nodes of at most so many samples are small: sorted 16 columns at a time.
    SMALL_NODE = 64

cdef void search_node(
    const CodeSearch* search, CodeNode* node, CodeWorkspace* work, TlCut* cut
) noexcept nogil
cdef void search_small(
    const CodeSearch* search, const TlCounts* counts, const int32_t* samples,
    const uint8_t* classes, CodeWorkspace* work, TlCut* cut
) noexcept nogil
cdef void find_values(
    const CodeSearch* search, const CodeNode* node, const uint64_t* goes_left, TlCut* cut
) noexcept nogil
cdef void mark_node(
    const CodeSearch* search, const CodeNode* node, const TlCut* cut, uint64_t* goes_left
) noexcept nogil
cdef uint64_t mark_small(
    const CodeSearch* search, int32_t n, const int32_t* samples, TlCut* cut
) noexcept nogil
cdef int32_t count_left(
    const uint64_t* goes_left, int32_t n_classes, const int32_t* counts, int32_t* left_counts
) noexcept nogil
cdef void divide(
    const CodeSearch* search, void* elements, int size, int32_t n, const uint64_t* goes_left,
    void* spare, void* right_side,
) noexcept nogil
cdef char* codes_of(
    const CodeSearch* search, int32_t place, int32_t start
) noexcept nogil
