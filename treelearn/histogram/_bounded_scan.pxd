from libc.stdint cimport int32_t, int64_t, uint8_t

from .._node cimport Buffers
from .._types cimport *
from .._workspace cimport Workspace
from ._bin_table cimport BinTable

cdef extern from "native/inside.h" nogil:
    ctypedef struct tl_column:
        const char* start
        int64_t stride
        int is_double

# The table of a search through bins, with what the histogram mode does not need.
cdef struct BoundedTable:
    BinTable base               # first: Buffers.table points at it
    const uint8_t* is_single    # per bin: whether it holds one value
    double patience             # how much longer than lists bins may seem to take

cdef tl_column column_of(const Search* search, int32_t feature) noexcept nogil
cdef bint serves_bounds(const Search* search) noexcept nogil
cdef int find_bounded_split(
    const Search* search, Buffers* buffers, const Node* node, Workspace* work, Split* best,
    int64_t* left_stats,
) noexcept nogil
