from ._types cimport *
from ._workspace cimport Workspace

cdef void find_split(
    const Search* search, const Node* node, const int32_t* samples, const void* lists,
    Workspace* work, Split* best,
) noexcept nogil
cdef int point_at_guide(GuideArrays* arrays, guide) except -1
cdef bint is_as_guided(const Search* search, const Node* node, const Split* split) noexcept nogil
cdef const Segment* segment_of(const Node* node, int32_t feature) noexcept nogil
cdef uint64_t mix(uint64_t state) noexcept nogil
cdef double threshold_between(double low, double high) noexcept nogil

cdef inline bint needs_double(double low, double threshold, double high) noexcept nogil:
    """Return whether float32 would not tell the two sides of a threshold apart."""
    return not <double> (<float> low) <= threshold < <double> (<float> high)
