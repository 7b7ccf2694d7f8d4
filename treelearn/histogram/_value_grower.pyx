"""Exact growth from records of codes, one for every value, by squared error.

A large node is split by its histogram, as in the histogram mode. Once a node is small its
samples are sorted by their codes, and its subtree is grown on lists. Both find the cut that lists
find from the root on, to the bit.
"""

from .._local cimport open_narrow, place_list
from .._node cimport DONE, INTERRUPTED, MEMORY_RAN_OUT, Buffers, go_on_lists
from .._types cimport *
from .._workspace cimport Workspace, is_stopped
from ._bin_table cimport BinTable, records_of
from ._histogram_grower cimport HistogramGrower

cdef extern from "native/pairs.h" nogil:
    const int TL_SMALL, TL_SIDE, TL_PLACE_BITS
    void tl_make_networks()
    void tl_sort_small(
        const uint8_t* records, int n, int64_t record_bytes, int code_bytes, int first_feature,
        uint16_t (*keys)[16],
    )

cdef extern from "native/code_lists.h" nogil:
    bint tl_list_codes(
        const uint8_t* records, int n, int64_t record_bytes, int feature, int n_codes,
        uint16_t* entries,
    )
    bint tl_list_keys(const uint16_t (*keys)[16], int n, int lane, uint16_t* entries)

cdef enum:
    SMALL = 64  # TL_SMALL and TL_SIDE, for arrays
    SIDE = 16

tl_make_networks()


cdef void add_list(Node* root, int32_t feature, bint varies) noexcept nogil:
    """Keep a list if its feature varies; the next one takes its place if not."""
    cdef Segment* segment = root.segments + root.n_segments
    segment.feature = feature
    segment.start = 0
    segment.n_below = root.n_samples
    segment.n_above = 0
    segment.n_missing = 0
    root.n_segments += varies


cdef int enter_codes(
    const Search* search,
    const Buffers* buffers,
    const Node* node,
    Workspace* work,
    Search* local,              # out
    Buffers* local_buffers,     # out
    Node* root,                 # out
) noexcept nogil:
    """Sort the samples of a node by their codes; return MEMORY_RAN_OUT as it is said there."""
    cdef const BinTable* table = <const BinTable*> buffers.table
    cdef const uint8_t* records = records_of(table, node.buffer, node.start)
    cdef int32_t n = node.n_samples, feature, block, end
    cdef uint16_t[SMALL][SIDE] keys
    cdef bint is_small
    if open_narrow(
        search, buffers, node, search.n_features, work, local, local_buffers, root
    ) != 0:
        return MEMORY_RAN_OUT
    go_on_lists(local_buffers)
    root.n_segments = 0
    block = 0
    while block < search.n_features:
        end = min(block + SIDE, search.n_features)
        is_small = n <= TL_SMALL
        for feature in range(block, end):
            is_small &= table.n_bins[feature] <= 1 << (16 - TL_PLACE_BITS)
        if is_small:
            tl_sort_small(records, n, table.record_bytes, 2, block, keys)
        for feature in range(block, end):
            if is_small:
                add_list(root, feature, tl_list_keys(
                    keys, n, feature - block,
                    place_list(work, n, root.n_segments, feature),
                ))
            else:
                add_list(root, feature, tl_list_codes(
                    records, n, table.record_bytes, feature, table.n_bins[feature],
                    place_list(work, n, root.n_segments, feature),
                ))
        block = end
    if is_stopped(work, <int64_t> n * search.n_features):
        return INTERRUPTED
    return DONE


cdef class ValueGrower(HistogramGrower):
    """Grows the tree that ``Grower`` grows, from bins of one value.

    Parameters
    ----------
    training_set : ValueSet
        One target, unit weights.
    kernel, rules, seed, n_threads
        As of ``Grower``; squared error, all features, no limit on leaves, no constraints.
    most_listed : int
        Nodes of at most so many samples, 1024 or less, are grown on lists.
    """

    cdef int32_t most_listed

    def __init__(self, training_set, kernel, rules, seed, n_threads, int most_listed):
        self.most_listed = most_listed
        super().__init__(training_set, kernel, rules, seed, n_threads)

    cdef void choose_scan(self):
        """Choose the kernels as for lists."""
        self.search.scan = SCAN_MOMENTS
        self.search.keeps_samples = True
        self.search.may_narrow = self.search.may_be_tiny = True

    cdef int open_buffers(self, Buffers* buffers) except -1:
        """Say how nodes are split by the records, and where lists take over."""
        HistogramGrower.open_buffers(self, buffers)
        assert self.table.code_bytes == 2 and self.table.sums_targets
        self.table.sort_limit = self.most_listed
        self.n_shares = 0
        buffers.enter = enter_codes
        buffers.most_entered = self.most_listed
        return 0

    cdef int make_root(self, Node* root, Workspace* work) except -1:
        """Set the root from all samples; its cells tell whether it is worth handing on."""
        HistogramGrower.make_root(self, root, work)
        root.n_segments = self.search.n_features
        return 0
