from ._types cimport *
from ._workspace cimport Workspace

cdef void prepare_runs(const Search* search, const Node* node, Workspace* work) noexcept nogil
cdef void scan_runs(
    const Search* search, const Node* node, const void* list, const Segment* segment,
    Workspace* work, Split* best, int32_t* best_code,
) noexcept nogil
