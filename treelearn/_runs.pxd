from ._types cimport *
from ._workspace cimport Workspace, tl_left

# The best cut on one side of the missing samples.
cdef struct Cut:
    double score
    int32_t code

cdef void prepare_runs(const Search* search, const Node* node, Workspace* work) noexcept nogil
cdef void add_run(
    const Search* search, const void* list, int32_t begin, int32_t end, tl_left* left
) noexcept nogil
cdef void pass_run(
    const Search* search, const Node* node, const void* list, int32_t begin, int32_t end,
    int32_t shift_of_code, tl_left* left, Workspace* work, Cut* cut,
) noexcept nogil
cdef void scan_runs(
    const Search* search, const Node* node, const void* list, const Segment* segment,
    Workspace* work, Split* best, int32_t* best_code,
) noexcept nogil
