from ._types cimport *
from ._workspace cimport Workspace

cdef void scan_gini(
    const Search* search, const Node* node, const void* list, const Segment* segment,
    Workspace* work, Split* best, int32_t* best_code,
) noexcept nogil
