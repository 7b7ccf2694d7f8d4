from ._types cimport *
from ._workspace cimport Workspace

cdef void rank_targets(
    const Search* search, const Node* node, const int32_t* samples, Workspace* work
) noexcept nogil
cdef bint scan_feature_absolute(
    const Search* search, const Node* node, const int32_t* samples, const entry_t* entries,
    const Segment* segment, Workspace* work, Split* best,
) noexcept nogil
cdef bint score_cut_absolute(
    const Search* search, const Node* node, const int32_t* samples, const entry_t* entries,
    const Segment* segment, bint missing_goes_left, int32_t n_left, int64_t weight_left,
    Workspace* work, double* score,
) noexcept nogil
