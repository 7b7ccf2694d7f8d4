from .._pass cimport Sweep
from .._types cimport *
from .._workspace cimport Workspace
from ._bin_table cimport CLASSES, PAIRS, BinTable


cdef inline int64_t samples_in(
    const Search* search, const BinTable* table, const void* cells, int64_t cell
) noexcept nogil:
    """Samples in one cell."""
    cdef const uint32_t* counts
    cdef int64_t n = 0
    cdef int32_t c, n_classes
    if table.layout == PAIRS:
        return <int64_t> ((<const uint64_t*> cells)[cell] & <uint64_t> 0xFFFFFFFF)
    if table.layout == CLASSES:
        n_classes = search.targets.n_stats
        counts = <const uint32_t*> cells + cell * n_classes
        for c in range(n_classes):
            n += counts[c]
        return n
    return (<const int64_t*> cells)[cell * (table.cell_bytes // 8)]

cdef void pass_cell(
    const Search* search, const BinTable* table, const void* cells, int64_t cell,
    Workspace* work, Sweep* sweep,
) noexcept nogil
cdef void pass_sample(
    const Search* search, const BinTable* table, const uint8_t* records, const int32_t* samples,
    int64_t i, Workspace* work, Sweep* sweep,
) noexcept nogil
cdef void clear_left(
    const Search* search, const Node* node, Workspace* work, Sweep* sweep
) noexcept nogil
cdef void sum_left(
    const Search* search, const Node* node, const BinTable* table, const void* cells,
    const uint8_t* records, const int32_t* samples, const Split* split, int64_t* stats,
    int64_t* weight, int32_t* n_left,
) noexcept nogil
