from ._pass cimport Sweep
from ._types cimport *
from ._workspace cimport Workspace

cdef bint can_be_screened(const Search* search) noexcept nogil
cdef void sweep_screened(
    const Search* search, const Node* node, const entry_t* entries, int32_t begin, int32_t end,
    const Segment* segment, Workspace* work, Sweep* sweep, int32_t shift_of_code, Split* best,
    int32_t* best_code,
) noexcept nogil
