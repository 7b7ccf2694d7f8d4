from libc.stdint cimport int32_t, int64_t

from .._node cimport Buffers
from .._types cimport *
from .._workspace cimport Workspace

cdef extern from "native/inside.h" nogil:
    ctypedef struct tl_column:
        const char* start
        int64_t stride
        int is_double

cdef tl_column column_of(const Search* search, int32_t feature) noexcept nogil
cdef int find_bounded_split(
    const Search* search, Buffers* buffers, const Node* node, Workspace* work, Split* best,
    int64_t* left_stats,
) noexcept nogil
