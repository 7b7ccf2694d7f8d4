from libc.stdint cimport int32_t, int64_t

from .._node cimport Buffers
from .._types cimport *
from .._workspace cimport Workspace
from ._bounds cimport Bounds

cdef extern from "native/inside.h" nogil:
    ctypedef struct tl_column:
        const char* start
        int64_t stride
        int is_double

cdef tl_column column_of(const Search* search, int32_t feature) noexcept nogil
cdef int scan_features(
    const Search* search, const Buffers* buffers, const Node* node, int32_t first_feature,
    int32_t end_feature, Bounds* bounds, Workspace* work, Split* best, int64_t* left_stats,
) noexcept nogil

cdef inline bint comes_first(int32_t feature, int64_t n_left, const Split* best) noexcept nogil:
    """Whether a cut wins over the best one if they score alike."""
    if feature != best.feature:
        return feature < best.feature
    return n_left < best.n_left
