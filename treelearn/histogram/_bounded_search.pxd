from libc.stdint cimport int64_t

from .._node cimport Buffers
from .._types cimport *
from .._workspace cimport Workspace

cdef int find_bounded_split(
    const Search* search, Buffers* buffers, const Node* node, Workspace* work, Split* best,
    int64_t* left_stats,
) noexcept nogil
