from ._pass cimport Sweep
from ._types cimport *
from ._workspace cimport Workspace

cdef void set_largest(
    const Search* search, const Node* node, Workspace* work, Sweep* sweep
) noexcept nogil
cdef void pass_largest(
    const Search* search, entry_t entry, Workspace* work, Sweep* sweep
) noexcept nogil
cdef void offer_largest(
    const Search* search, const Node* node, const Segment* segment, Workspace* work,
    Sweep* sweep, int32_t code, Split* best, int32_t* best_code,
) noexcept nogil
cdef void sweep_largest(
    const Search* search, const Node* node, const entry_t* entries, int32_t begin, int32_t end,
    const Segment* segment, Workspace* work, Sweep* sweep, int32_t shift_of_code, Split* best,
    int32_t* best_code,
) noexcept nogil
