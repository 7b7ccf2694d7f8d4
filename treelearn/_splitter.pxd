from ._types cimport *
from ._workspace cimport Workspace

cdef void find_split(
    const Search* search, const Node* node, const int32_t* samples, const entry_t* entries,
    Workspace* work, Split* best,
) noexcept nogil
cdef uint64_t mix(uint64_t state) noexcept nogil
cdef double threshold_between(double low, double high) noexcept nogil
