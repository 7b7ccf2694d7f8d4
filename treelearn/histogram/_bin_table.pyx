"""Histograms of nodes: filled from records, by one thread or shared out, and subtracted."""

from cython.parallel cimport prange
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from .._crowd cimport begin_region, begin_share, end_share, n_threads_now
from .._types cimport *

cdef extern from "native/histogram.h" nogil:
    void tl_fill_pairs(
        const uint8_t* record, int64_t n, int64_t record_bytes, int n_features, int code_bytes,
        const int32_t* starts, uint64_t* cells,
    )
    void tl_fill_classes(
        const uint8_t* record, int64_t n, int64_t record_bytes, int n_features, int code_bytes,
        const int32_t* starts, int n_classes, uint32_t* cells,
    )
    void tl_add_sample(
        const uint8_t* record, int n_features, int code_bytes, const int32_t* starts,
        const int64_t* words, int n_words, int cell_words, int64_t* cells,
    )
    void tl_fill_sums(
        const uint8_t* record, int64_t n, int64_t record_bytes, int n_features, int code_bytes,
        const int32_t* starts, const int32_t* samples, const int64_t* sums, int64_t* cells,
    )
    void tl_add_word(
        const uint8_t* record, int n_features, int code_bytes, const int32_t* starts,
        int64_t word, int64_t units, int cell_words, int64_t* cells,
    )

cdef enum:
    # Rows below which sharing out costs more than it saves: a thread whose core is busy is waited
    # for.
    FEWEST_SHARED = 65536


cdef void fill_wide(
    const Search* search,
    const BinTable* table,
    const uint8_t* records,
    const int32_t* samples,
    int64_t n,
    int64_t* cells,
) noexcept nogil:
    """Add samples to wide cells: (samples, weight unless one unit each, statistics)."""
    cdef const Targets* targets = &search.targets
    cdef int64_t record_bytes = table.record_bytes, n_total = targets.n_total, i, units
    cdef int cell_words = <int> (table.cell_bytes // sizeof(int64_t))
    cdef int n_counts = 1 if targets.has_unit_weights else 2
    cdef int n_features = table.n_features, code_bytes = table.code_bytes
    cdef const int32_t* starts = table.cell_starts
    cdef const uint8_t* record = records
    cdef int32_t sample, output
    cdef int64_t[4] words
    words[0] = 1
    for i in range(n):
        sample = samples[i]
        units = 1
        if not targets.has_unit_weights:
            units = targets.weights[sample]
            words[1] = units
        if targets.is_classification:
            tl_add_sample(
                record, n_features, code_bytes, starts, words, n_counts, cell_words, cells
            )
            for output in range(targets.n_outputs):
                tl_add_word(
                    record, n_features, code_bytes, starts,
                    n_counts + targets.class_starts[output]
                    + targets.labels[output * n_total + sample],
                    units, cell_words, cells,
                )
        elif targets.n_outputs == 1:
            words[n_counts] = targets.sums[sample]
            if table.n_stats_kept > 1:
                words[n_counts + 1] = targets.square_sums[sample]
            tl_add_sample(
                record, n_features, code_bytes, starts, words, n_counts + table.n_stats_kept,
                cell_words, cells,
            )
        else:
            tl_add_sample(
                record, n_features, code_bytes, starts, words, n_counts, cell_words, cells
            )
            for output in range(targets.n_outputs):
                tl_add_word(
                    record, n_features, code_bytes, starts, n_counts + 2 * output,
                    targets.sums[output * n_total + sample], cell_words, cells,
                )
                tl_add_word(
                    record, n_features, code_bytes, starts, n_counts + 2 * output + 1,
                    targets.square_sums[output * n_total + sample], cell_words, cells,
                )
        record += record_bytes


cdef void fill_histogram(
    const Search* search,
    const BinTable* table,
    const uint8_t* records,
    const int32_t* samples,     # of the records; not read where the table does not move them
    int64_t n,
    void* cells,                # out
) noexcept nogil:
    """Count samples into a histogram."""
    memset(cells, 0, histogram_bytes(table))
    if table.layout == PAIRS:
        tl_fill_pairs(
            records, n, table.record_bytes, table.n_features, table.code_bytes,
            table.cell_starts, <uint64_t*> cells,
        )
    elif table.layout == CLASSES:
        tl_fill_classes(
            records, n, table.record_bytes, table.n_features, table.code_bytes,
            table.cell_starts, search.targets.n_stats, <uint32_t*> cells,
        )
    elif table.sums_targets:
        tl_fill_sums(
            records, n, table.record_bytes, table.n_features, table.code_bytes,
            table.cell_starts, samples, search.targets.sums, <int64_t*> cells,
        )
    else:
        fill_wide(search, table, records, samples, n, <int64_t*> cells)


cdef int fill_shared_histogram(
    const Search* search,
    const BinTable* table,
    const uint8_t* records,
    const int32_t* samples,
    int64_t n,
    void* cells,            # out
    int n_threads,
) noexcept nogil:
    """Count samples into a histogram by several threads; return -1 when memory runs out."""
    cdef int64_t n_bytes = histogram_bytes(table), per_thread, first, due
    cdef char* parts
    cdef int thread
    n_threads = n_threads_now(n_threads) if n >= FEWEST_SHARED else 1
    if n_threads == 1:
        fill_histogram(search, table, records, samples, n, cells)
        return 0
    parts = <char*> calloc(n_threads - 1, n_bytes)
    if parts == NULL:
        return -1
    per_thread = (n + n_threads - 1) // n_threads
    due = begin_region(n_threads)
    for thread in prange(n_threads, num_threads=n_threads, schedule="static", chunksize=1):
        begin_share(due)
        first = thread * per_thread
        fill_histogram(
            search, table, records + first * table.record_bytes, samples + first,
            max(0, min(per_thread, n - first)),
            cells if thread == 0 else <void*> (parts + (thread - 1) * n_bytes),
        )
        end_share()
    for thread in range(n_threads - 1):
        add_histogram(table, cells, parts + thread * n_bytes)
    free(parts)
    return 0


cdef void add_histogram(const BinTable* table, void* whole, const void* part) noexcept nogil:
    """Add a histogram to another; a sum of pairs is the pair of sums."""
    cdef int64_t i
    if table.layout == CLASSES:
        for i in range(histogram_bytes(table) // 4):
            (<uint32_t*> whole)[i] += (<const uint32_t*> part)[i]
    else:
        for i in range(histogram_bytes(table) // 8):
            (<uint64_t*> whole)[i] += (<const uint64_t*> part)[i]


cdef void subtract_histogram(
    const BinTable* table, void* whole, const void* part
) noexcept nogil:
    """Take the histogram of one child from the parent's: the other child's is left."""
    cdef int64_t i
    if table.layout == CLASSES:
        for i in range(histogram_bytes(table) // 4):
            (<uint32_t*> whole)[i] -= (<const uint32_t*> part)[i]
    else:
        for i in range(histogram_bytes(table) // 8):
            (<uint64_t*> whole)[i] -= (<const uint64_t*> part)[i]
