from ._pass cimport Method
from ._types cimport *
from ._workspace cimport Workspace

cdef void prepare_node(const Search* search, const Node* node, Workspace* work) noexcept nogil
cdef bint scan_feature(
    const Search* search, const Node* node, const void* list, const Segment* segment,
    Workspace* work, Split* best,
) noexcept nogil
cdef void add_entries(
    const Search* search, const entry_t* entries, int32_t n, Workspace* work, int64_t* stats,
    int64_t* weight, Method method,
) noexcept nogil
