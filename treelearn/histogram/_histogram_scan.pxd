from .._node cimport Buffers
from .._types cimport *
from .._workspace cimport Workspace
from ._bin_table cimport BinTable

cdef int find_binned_split(
    const Search* search, const Node* node, const BinTable* table, const void* cells,
    const uint8_t* records, const int32_t* samples, Workspace* work, Split* best,
) noexcept nogil
