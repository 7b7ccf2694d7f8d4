"""Growth from binned samples: records are partitioned, histograms handed on or subtracted."""

from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

import numpy as np

from .._crowd cimport n_threads_now
from .._grower cimport Grower
from .._node cimport (
    DONE,
    INTERRUPTED,
    MEMORY_RAN_OUT,
    Buffers,
    Candidate,
    describe,
    open_children,
    start_without_children,
    weigh_up,
)
from .._splitter cimport mix
from .._statistics cimport add_samples
from .._types cimport *
from .._workspace cimport Workspace, is_stopped
from ._bin_table cimport (
    CLASSES,
    PAIRS,
    WIDE,
    BinTable,
    fill_shared_histogram,
    histogram_bytes,
    records_of,
    subtract_histogram,
)
from ._binned_set cimport RecordSet
from ._division cimport MOST_SHARES, divide_in_shares
from ._histogram_scan cimport find_binned_split
from ._histogram_sweep cimport sum_left

cdef extern from "native/impurity.h" nogil:
    const int TL_GAUSSIAN, TL_GINI, TL_SQUARED_ERROR

cdef extern from "native/pairs.h" nogil:
    const int TL_SMALL, TL_PLACE_BITS

cdef extern from "native/histogram.h" nogil:
    int64_t tl_count_left(
        const uint8_t* record, int64_t n, int64_t record_bytes, int feature, int code_bytes,
        uint32_t bin, uint32_t also,
    )
    void tl_partition_records(
        const uint8_t* record, int64_t n, int64_t record_bytes, int feature, int code_bytes,
        uint32_t bin, uint32_t also, uint8_t* left, uint8_t* right,
    )
    void tl_partition_samples(
        const uint8_t* record, int64_t n, int64_t record_bytes, int feature, int code_bytes,
        uint32_t bin, uint32_t also, const int32_t* samples, int32_t* left, int32_t* right,
    )

cdef enum:
    # Rows below which sharing out costs more than it saves: a thread whose core is busy is waited
    # for.
    FEWEST_SHARED = 65536
    FEWEST_COUNTED = 262144  # the same of reading one code of each row
    NO_CODE = 0x7FFFFFFF

# Histograms that wait in the frontier of best-first growth take about so many bytes at most.
KEPT_BYTES = 2**25


# What is moved by a split of codes.
cdef struct Move:
    bint moves_records
    bint moves_samples
    uint32_t also               # the code of missing values where they go left


cdef int64_t count_part(
    const Buffers* buffers, const Candidate* candidate, const void* cut, int64_t first, int64_t n
) noexcept nogil:
    """Count how many of a range of a node's samples go left."""
    cdef const BinTable* table = <const BinTable*> buffers.table
    cdef const Node* node = &candidate.node
    return tl_count_left(
        records_of(table, node.buffer, node.start + first), n, table.record_bytes,
        candidate.split.feature, table.code_bytes, candidate.split.bin,
        (<const Move*> cut).also,
    )


cdef void move_part(
    const Buffers* buffers, const Candidate* candidate, const void* cut, int64_t first, int64_t n,
    int64_t left,
) noexcept nogil:
    """Partition a range of a node's records, or samples, or both."""
    cdef const BinTable* table = <const BinTable*> buffers.table
    cdef const Node* node = &candidate.node
    cdef const Split* split = &candidate.split
    cdef const Move* move = <const Move*> cut
    cdef const uint8_t* records = records_of(table, node.buffer, node.start + first)
    cdef int64_t right = candidate.left.n_samples + first - left
    cdef int32_t* divided = buffers.samples[1 - node.buffer] + node.start
    if move.moves_samples:
        tl_partition_samples(
            records, n, table.record_bytes, split.feature, table.code_bytes, split.bin,
            move.also, buffers.samples[node.buffer] + node.start + first, divided + left,
            divided + right,
        )
    if move.moves_records:
        tl_partition_records(
            records, n, table.record_bytes, split.feature, table.code_bytes, split.bin,
            move.also, <uint8_t*> records_of(table, 1 - node.buffer, node.start + left),
            <uint8_t*> records_of(table, 1 - node.buffer, node.start + right),
        )


cdef void divide(
    const Buffers* buffers, const Candidate* candidate, bint moves_records, bint moves_samples
) noexcept nogil:
    """Partition the records of a node, or its samples, or both; both sides keep their order."""
    cdef const BinTable* table = <const BinTable*> buffers.table
    cdef int64_t n = candidate.node.n_samples
    cdef int n_threads = 1
    cdef Move move
    move.moves_records = moves_records
    move.moves_samples = moves_samples
    move.also = NO_CODE
    if candidate.split.missing_goes_left:
        move.also = table.n_bins[candidate.split.feature]
    if n >= FEWEST_SHARED:
        n_threads = min(n_threads_now(buffers.n_threads), <int> MOST_SHARES)
    divide_in_shares(
        buffers, candidate, &move, n_threads, n_threads if n >= FEWEST_COUNTED else 1,
        count_part, move_part,
    )


cdef int evaluate_binned(
    const Search* search,
    Buffers* buffers,
    Candidate* candidate,   # in: its node; out: split, children, gain
    Workspace* work,
    bint* is_split,         # out
) noexcept nogil:
    """Find the split of a node and weigh up what it gains."""
    cdef const BinTable* table = <const BinTable*> buffers.table
    cdef Node* node = &candidate.node
    cdef Node* left = &candidate.left
    cdef Node* right = &candidate.right
    cdef const uint8_t* records = records_of(table, node.buffer, node.start)
    cdef const int32_t* samples = buffers.samples[node.buffer] + node.start
    cdef int32_t i
    is_split[0] = False
    start_without_children(candidate)
    if is_stopped(work, <int64_t> node.n_samples * table.n_features):
        return INTERRUPTED
    if node.n_samples > table.sort_limit and node.histogram == NULL:
        node.histogram = malloc(histogram_bytes(table))
        if node.histogram == NULL or fill_shared_histogram(
            search, table, records, samples, node.n_samples, node.histogram, buffers.n_threads
        ) != 0:
            return MEMORY_RAN_OUT
    if find_binned_split(
        search, node, table, node.histogram, records, samples, work, &candidate.split
    ) != 0:
        return MEMORY_RAN_OUT
    if candidate.split.feature < 0:
        return 0
    if open_children(search, candidate) != 0:
        return MEMORY_RAN_OUT
    sum_left(
        search, node, table, node.histogram, records, samples, &candidate.split, left.stats,
        &left.weight, &left.n_samples,
    )
    right.n_samples = node.n_samples - left.n_samples
    right.start = node.start + left.n_samples
    right.weight = node.weight - left.weight
    for i in range(search.targets.n_stats):
        right.stats[i] = node.stats[i] - left.stats[i]
    if search.rules.max_leaf_nodes > 0 and node.n_samples < table.keep_limit:
        free(node.histogram)
        node.histogram = NULL
    if not search.targets.is_classification:
        # Impurity and value of the children are made from their targets.
        divide(buffers, candidate, False, True)
    weigh_up(
        search, candidate, buffers.samples[1 - node.buffer] + node.start, work, is_split
    )
    return 0


cdef int hand_on_binned(
    const Search* search, Buffers* buffers, Candidate* candidate, Workspace* work
) noexcept nogil:
    """Partition the records of a split node, and hand its histogram on to its children."""
    cdef const BinTable* table = <const BinTable*> buffers.table
    divide(
        buffers, candidate, True,
        table.moves_samples and search.targets.is_classification,
    )
    return share_out_histogram(search, buffers, candidate)


cdef int share_out_histogram(
    const Search* search, Buffers* buffers, Candidate* candidate
) noexcept nogil:
    """Give the children their histograms where one is sooner subtracted than counted."""
    cdef const BinTable* table = <const BinTable*> buffers.table
    cdef Node* node = &candidate.node
    cdef Node* small = &candidate.left
    cdef Node* large = &candidate.right
    cdef int64_t n_bytes = histogram_bytes(table)
    if small.n_samples > large.n_samples:
        small = &candidate.right
        large = &candidate.left
    if (
        node.histogram == NULL
        or large.is_terminal
        or large.n_samples <= table.sort_limit
        or small.n_samples * table.n_features * 8 + n_bytes
        > <int64_t> large.n_samples * table.n_features * 8
    ):
        return DONE
    small.histogram = malloc(n_bytes)
    if small.histogram == NULL or fill_shared_histogram(
        search, table, records_of(table, small.buffer, small.start),
        buffers.samples[small.buffer] + small.start, small.n_samples, small.histogram,
        buffers.n_threads,
    ) != 0:
        return MEMORY_RAN_OUT
    subtract_histogram(table, node.histogram, small.histogram)
    large.histogram = node.histogram
    node.histogram = NULL
    if small.is_terminal or small.n_samples <= table.sort_limit:
        free(small.histogram)
        small.histogram = NULL
    return DONE


cdef class HistogramGrower(Grower):
    """Grows one tree from binned samples; parameters as of ``Grower``."""

    cdef int open_buffers(self, Buffers* buffers) except -1:
        """Point the table at the records, and say how nodes are split by them."""
        cdef RecordSet data = self.training_set
        cdef BinTable* table = &self.table
        cdef Search* search = &self.search
        cdef const int32_t[::1] n_bins = data.bins.n_bins
        cdef const int64_t[::1] bin_starts = data.bins.bin_starts
        cdef const double[::1] lowest = data.bins.lowest
        cdef const double[::1] highest = data.bins.highest
        has_missing = data.bins.has_missing.astype(np.uint8)
        cell_starts = np.zeros(search.n_features + 1, dtype=np.int64)
        np.cumsum(data.bins.n_bins + has_missing, out=cell_starts[1:])
        if cell_starts[-1] >= 2**31:
            raise ValueError("X has more bins, over all features, than can be indexed.")
        starts = cell_starts.astype(np.int32)
        spare = np.empty_like(data.records)
        self.arrays.update(has_missing=has_missing, cell_starts=starts, spare=spare)
        cdef const uint8_t[::1] has_missing_view = has_missing
        cdef const int32_t[::1] starts_view = starts
        cdef uint8_t[:, ::1] records = data.records
        cdef uint8_t[:, ::1] spare_view = spare
        memset(table, 0, sizeof(BinTable))
        table.records[0] = &records[0, 0]
        table.records[1] = &spare_view[0, 0]
        table.record_bytes = records.shape[1]
        table.code_bytes = data.code_bytes
        table.has_class = data.has_class
        table.n_features = search.n_features
        table.n_bins = &n_bins[0]
        table.has_missing = &has_missing_view[0]
        table.bin_starts = &bin_starts[0]
        table.lowest = &lowest[0]
        table.highest = &highest[0]
        table.cell_starts = &starts_view[0]
        table.n_cells = starts[search.n_features]
        table.has_few_codes = data.bins.n_bins.max() < 1 << (16 - TL_PLACE_BITS)
        table.misses_any = has_missing.any()
        table.n_stats_kept = search.targets.n_stats
        if search.sums_moments and search.rules.formula != TL_GAUSSIAN:
            table.n_stats_kept = 1  # nothing reads the squares
        table.moves_samples = True
        if search.targets.has_unit_weights and table.has_class:
            table.moves_samples = False
            table.layout = CLASSES
            table.cell_bytes = 4 * search.targets.n_stats
            if search.sums_classes and search.targets.n_stats == 2:
                table.layout = PAIRS
                table.cell_bytes = 8
                table.is_gini_pairs = search.rules.formula == TL_GINI
        else:
            table.layout = WIDE
            table.cell_bytes = 8 * (
                table.n_stats_kept + (1 if search.targets.has_unit_weights else 2)
            )
            table.sums_targets = (
                search.sums_moments
                and search.targets.has_unit_weights
                and search.rules.formula == TL_SQUARED_ERROR
            )
        table.sort_limit = max(
            TL_SMALL if table.has_few_codes else 16,
            histogram_bytes(table) // (32 * search.n_features),
        )
        n_kept = max(1, KEPT_BYTES // histogram_bytes(table))
        table.keep_limit = data.rows.shape[0] // n_kept
        # Large nodes are shared out, and every sharing waits for the slowest thread.
        self.n_shares = 3
        buffers.table = table
        buffers.evaluate = evaluate_binned
        buffers.hand_on = hand_on_binned
        return 0

    cdef int make_root(self, Node* root, Workspace* work) except -1:
        """Set the root from all samples."""
        cdef const int32_t[::1] rows = self.training_set.rows
        memset(root, 0, sizeof(Node))
        root.stats = <int64_t*> calloc(self.search.targets.n_stats, sizeof(int64_t))
        if root.stats == NULL:
            raise MemoryError("Unable to allocate memory for a node.")
        root.n_samples = rows.shape[0]
        root.seed = mix(self.seed)
        root.lower_bound = -float("inf")
        root.upper_bound = float("inf")
        add_samples(
            &self.search.targets, &rows[0], root.n_samples, root.stats, &root.weight
        )
        describe(&self.search, root, &rows[0], work)
        return 0
