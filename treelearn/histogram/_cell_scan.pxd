from .._types cimport *
from ._bin_table cimport BinTable

cdef void place_cut(
    const Search* search, const Node* node, const BinTable* table, int64_t bin, int64_t next_bin,
    int64_t n_missing, Split* split,
) noexcept nogil
cdef void keep_cut(
    const Search* search, const Node* node, const BinTable* table, int32_t feature, double score,
    int32_t n_left, int64_t bin, int64_t next_bin, Split* best,
) noexcept nogil
cdef bint scan_pairs(
    const Search* search, const Node* node, const BinTable* table, const void* cells,
    int32_t feature, Split* best,
) noexcept nogil
cdef bint scan_sums(
    const Search* search, const Node* node, const BinTable* table, const void* cells,
    int32_t feature, Split* best,
) noexcept nogil
