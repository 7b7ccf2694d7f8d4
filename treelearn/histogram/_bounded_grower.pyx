"""Exact growth through bins: the histogram of a large node tells where the best cut may lie.

Nodes of many samples are split by ``_bounded_scan.pyx``; records and samples are partitioned, and
histograms subtracted, as in the histogram mode. Once a node is small enough the values of its
samples are sorted, and its subtree is grown on lists.
"""

from libc.stdlib cimport free, malloc

import numpy as np

from .._crowd cimport n_threads_now
from .._grower cimport scan_of
from .._lists cimport ListSource, build_lists
from .._node cimport (
    CHANGES_FORM,
    DONE,
    INTERRUPTED,
    MEMORY_RAN_OUT,
    Buffers,
    Candidate,
    go_on_lists,
    open_children,
    start_without_children,
    weigh_up,
)
from .._types cimport *
from .._workspace cimport Workspace, is_stopped, scratch_of
from ._bin_table cimport BinTable, fill_shared_histogram, histogram_bytes, records_of
from ._binned_set cimport RecordSet
from ._bounded_scan cimport column_of, tl_column
from ._bounded_search cimport find_bounded_split
from ._bounds cimport BoundedTable, serves_bounds
from ._division cimport MOST_SHARES, divide_in_shares
from ._histogram_grower cimport HistogramGrower, share_out_histogram

cdef extern from "native/inside.h" nogil:
    ctypedef struct tl_inside_cut:
        int feature
        uint32_t bin
        double threshold
        const tl_column* column

    int64_t tl_count_below(
        const tl_inside_cut* cut, const uint8_t* record, int64_t n, int64_t record_bytes,
        const int32_t* samples,
    )
    void tl_divide(
        const tl_inside_cut* cut, const uint8_t* record, int64_t n, int64_t record_bytes,
        const int32_t* samples, uint8_t* left, uint8_t* right, int32_t* left_samples,
        int32_t* right_samples,
    )

cdef enum:
    FEWEST_SHARED = 32768   # rows below which sharing out costs more than it saves


cdef int64_t count_part(
    const Buffers* buffers, const Candidate* candidate, const void* cut, int64_t first, int64_t n
) noexcept nogil:
    """Count how many of a range of a node's samples go left."""
    cdef const BinTable* table = <const BinTable*> buffers.table
    cdef const Node* node = &candidate.node
    return tl_count_below(
        <const tl_inside_cut*> cut, records_of(table, node.buffer, node.start + first), n,
        table.record_bytes, buffers.samples[node.buffer] + node.start + first,
    )


cdef void move_part(
    const Buffers* buffers, const Candidate* candidate, const void* cut, int64_t first, int64_t n,
    int64_t left,
) noexcept nogil:
    """Partition a range of a node's records and samples."""
    cdef const BinTable* table = <const BinTable*> buffers.table
    cdef const Node* node = &candidate.node
    cdef int64_t right = candidate.left.n_samples + first - left
    cdef int32_t* divided = buffers.samples[1 - node.buffer] + node.start
    tl_divide(
        <const tl_inside_cut*> cut, records_of(table, node.buffer, node.start + first), n,
        table.record_bytes, buffers.samples[node.buffer] + node.start + first,
        <uint8_t*> records_of(table, 1 - node.buffer, node.start + left),
        <uint8_t*> records_of(table, 1 - node.buffer, node.start + right),
        divided + left, divided + right,
    )


cdef void divide(
    const Search* search, const Buffers* buffers, const Candidate* candidate
) noexcept nogil:
    """Partition the records and samples of a node; both sides keep their order."""
    cdef tl_column column = column_of(search, candidate.split.feature)
    cdef tl_inside_cut cut
    cdef int n_threads = 1
    if candidate.node.n_samples >= FEWEST_SHARED:
        n_threads = min(n_threads_now(buffers.n_threads), <int> MOST_SHARES)
    cut.feature = candidate.split.feature
    cut.bin = candidate.split.bin
    cut.threshold = candidate.split.threshold
    cut.column = &column if candidate.split.n_stored_left > 0 else NULL
    divide_in_shares(
        buffers, candidate, &cut, n_threads, n_threads, count_part, move_part
    )


cdef int evaluate_bounded(
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
    cdef int status
    is_split[0] = False
    start_without_children(candidate)
    if is_stopped(work, <int64_t> node.n_samples * table.n_features):
        return INTERRUPTED
    if node.histogram == NULL:
        node.histogram = malloc(histogram_bytes(table))
        if node.histogram == NULL or fill_shared_histogram(
            search, table, records, samples, node.n_samples, node.histogram, buffers.n_threads
        ) != 0:
            return MEMORY_RAN_OUT
    if open_children(search, candidate) != 0:
        return MEMORY_RAN_OUT
    status = find_bounded_split(
        search, buffers, node, work, &candidate.split, left.stats
    )
    if status == CHANGES_FORM:
        free(node.histogram)
        node.histogram = NULL
    if status != 0 or candidate.split.feature < 0:
        return status
    left.n_samples = candidate.split.n_left
    right.n_samples = node.n_samples - left.n_samples
    right.start = node.start + left.n_samples
    for i in range(search.targets.n_stats):
        right.stats[i] = node.stats[i] - left.stats[i]
        left.weight += left.stats[i]
    right.weight = node.weight - left.weight
    weigh_up(search, candidate, NULL, work, is_split)
    return 0


cdef int hand_on_bounded(
    const Search* search, Buffers* buffers, Candidate* candidate, Workspace* work
) noexcept nogil:
    """Partition a split node, and hand its histogram on to its children."""
    divide(search, buffers, candidate)
    return share_out_histogram(search, buffers, candidate)


cdef int enter_lists(
    const Search* search,
    const Buffers* buffers,
    const Node* node,
    Workspace* work,
    Search* local,              # out
    Buffers* local_buffers,     # out
    Node* root,                 # out
) noexcept nogil:
    """Sort the values of a node's samples; return MEMORY_RAN_OUT when memory is not to be had."""
    cdef int32_t n = node.n_samples, n_features = search.n_features, feature
    cdef int64_t n_entries = <int64_t> n * n_features
    cdef ListSource source
    cdef int64_t* starts
    cdef int32_t* segments
    cdef double* defaults
    cdef uint64_t* pairs
    root[0] = node[0]
    root.histogram = NULL
    root.changes_form = False
    root.stats = <int64_t*> malloc(search.targets.n_stats * sizeof(int64_t))
    root.segments = <Segment*> malloc(n_features * sizeof(Segment))
    local[0] = search[0]
    local_buffers[0] = buffers[0]
    go_on_lists(local_buffers)
    local_buffers.owned = malloc(
        2 * n_entries * sizeof(entry_t)
        + n_features * (sizeof(int64_t) + sizeof(double) + 3 * sizeof(int32_t))
    )
    pairs = <uint64_t*> scratch_of(work, 2 * n * sizeof(uint64_t))
    if (
        root.stats == NULL or root.segments == NULL or local_buffers.owned == NULL
        or pairs == NULL
    ):
        return MEMORY_RAN_OUT
    for feature in range(search.targets.n_stats):
        root.stats[feature] = node.stats[feature]
    starts = <int64_t*> local_buffers.owned
    defaults = <double*> (starts + n_features)
    local_buffers.lists[0] = defaults + n_features
    local_buffers.lists[1] = <entry_t*> local_buffers.lists[0] + n_entries
    segments = <int32_t*> (<entry_t*> local_buffers.lists[1] + n_entries)
    local.list_starts = starts
    local.keeps_samples = False     # every list holds every sample
    for feature in range(n_features):
        starts[feature] = <int64_t> feature * n
    source.values = &search.values
    source.rows = buffers.samples[node.buffer] + node.start
    source.is_row = NULL
    source.labels = search.targets.labels
    source.n_rows = n
    source.class_shift = search.class_shift
    source.index_mask = search.index_mask
    source.stores_all = True
    if build_lists(
        &source, 0, n_features, pairs, pairs + n, starts, <entry_t*> local_buffers.lists[0],
        segments, defaults,
    ) != 0:
        return MEMORY_RAN_OUT
    root.buffer = 0
    root.start = 0
    root.n_segments = n_features
    for feature in range(n_features):
        root.segments[feature].feature = feature
        root.segments[feature].start = 0
        root.segments[feature].n_below = segments[3 * feature]
        root.segments[feature].n_above = segments[3 * feature + 1]
        root.segments[feature].n_missing = segments[3 * feature + 2]
    if is_stopped(work, <int64_t> n * n_features):
        return INTERRUPTED
    return DONE


cdef class BoundedGrower(HistogramGrower):
    """Grows the tree that ``Grower`` grows, through bins of at most 255 values or ranges.

    Parameters
    ----------
    training_set : BinnedSet
        Without missing values; classes of unit weight.
    kernel, rules, seed, n_threads
        As of ``Grower``; a concave criterion of power sums, all features, no limit on leaves.
    most_listed : int
        Nodes of at most so many samples are grown on lists.
    patience : float
        How many times longer than sorting bins may seem to take before a subtree, or the whole
        tree, is left to lists.
    """

    cdef BoundedTable bounded
    cdef int32_t most_listed
    cdef double patience

    def __init__(
        self, training_set, kernel, rules, seed, n_threads, int most_listed, double patience
    ):
        self.most_listed = most_listed
        self.patience = patience
        super().__init__(training_set, kernel, rules, seed, n_threads)

    cdef void choose_scan(self):
        """Choose the kernels as for lists: entries hold the class, no column a default value."""
        cdef RecordSet data = self.training_set
        data.place_classes()
        self.search.class_shift = data.class_shift
        self.search.index_mask = data.index_mask
        self.search.scan = scan_of(&self.search)
        self.search.keeps_samples = True
        self.search.may_narrow = True

    cdef int open_buffers(self, Buffers* buffers) except -1:
        """Point the table at the records, and say how nodes are split by them."""
        cdef RecordSet data = self.training_set
        HistogramGrower.open_buffers(self, buffers)
        assert serves_bounds(&self.search) and not self.table.misses_any
        assert self.table.code_bytes == 1 and self.table.has_class
        is_single = (data.bins.lowest == data.bins.highest).astype(np.uint8)
        self.arrays["is_single"] = is_single
        cdef const uint8_t[::1] is_single_view = is_single
        self.table.sort_limit = self.most_listed
        self.bounded.base = self.table
        self.bounded.is_single = &is_single_view[0]
        self.bounded.patience = self.patience
        # Every sharing out waits for the slowest thread: few nodes are shared out.
        self.n_shares = 2
        buffers.table = &self.bounded
        buffers.evaluate = evaluate_bounded
        buffers.hand_on = hand_on_bounded
        buffers.enter = enter_lists
        buffers.most_entered = self.most_listed
        buffers.most_changed = self.training_set.rows.shape[0] // 2
        return 0
