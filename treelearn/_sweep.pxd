from ._pass cimport Sweep
from ._types cimport *
from ._workspace cimport Workspace

cdef inline void set_term(double* tree, int32_t leaf, double term) noexcept nogil:
    """Change one leaf of a tree of sums; its root is tree[1]."""
    tree[leaf] = term
    leaf >>= 1
    while leaf > 0:
        tree[leaf] = tree[2 * leaf] + tree[2 * leaf + 1]
        leaf >>= 1


cdef void fill_trees(const Search* search, Workspace* work, Sweep* sweep) noexcept nogil
cdef void pass_entry(
    const Search* search, entry_t entry, Workspace* work, Sweep* sweep
) noexcept nogil
cdef void sweep_entries(
    const Search* search, const Node* node, const entry_t* entries, int32_t begin, int32_t end,
    const Segment* segment, Workspace* work, Sweep* sweep, int32_t shift_of_code, Split* best,
    int32_t* best_code,
) noexcept nogil

ctypedef void (*sweep_t)(
    const Search* search, const Node* node, const entry_t* entries, int32_t begin, int32_t end,
    const Segment* segment, Workspace* work, Sweep* sweep, int32_t shift_of_code, Split* best,
    int32_t* best_code,
) noexcept nogil
