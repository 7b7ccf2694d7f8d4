"""A subtree of a few samples by squared error, grown in one go.

A regression tree grown to purity has as many nodes as samples, nine tenths of them below 32
samples: what is done once a node costs more there than what is done once an entry. So their
lists become bytes, of samples in numbers of their own, partitioned where they are; nodes of two
and three samples need none. Splits and records are those of the growth that leads here.
"""

from ._node cimport INTERRUPTED, MEMORY_RAN_OUT, Buffers, Candidate, weigh_up
from ._pass cimport entry_at, global_sample_of, list_of, sample_of
from ._records cimport Growth, write_split
from ._sorting cimport value_at
from ._splitter cimport needs_double, threshold_between
from ._types cimport *
from ._workspace cimport TL_TINY_SAMPLES, Workspace, is_stopped

cdef extern from "native/tiny.h" nogil:
    ctypedef struct tl_tiny:
        int n_lists
        uint16_t* entries
        uint8_t* rank
        int64_t sums[64]

    ctypedef struct tl_tiny_cut:
        int list
        int n_left
        int last_left
        int first_right
        uint64_t left

    const int TL_TINY_LISTED
    void tl_tiny_best_cut(
        int, const tl_tiny*, const int32_t*, int, int, int, int64_t, tl_tiny_cut*
    )
    void tl_tiny_partition(int, tl_tiny*, int, int, uint64_t)

cdef extern from "native/narrow.h" nogil:
    void tl_fill_compress_16()

cdef extern from "native/bits.h" nogil:
    void TL_PREFETCH(const void*)

tl_fill_compress_16()

# A subtree in numbers of its own, which follow the order of the rows.
cdef struct Subtree:
    Search search           # of the tree, but for the targets
    tl_tiny lists
    int32_t rows[64]        # the samples, those of a node side by side
    double y[64]
    int64_t sums[128]       # of every node
    int32_t n_nodes


cdef bint is_for_tiny(const Search* search, const Node* node) noexcept nogil:
    """Return whether the subtree of a node is to be grown in one go."""
    cdef int32_t place
    if not search.may_be_tiny or node.n_samples > TL_TINY_SAMPLES:
        return False
    if node.segments == NULL or node.n_segments == 0:
        return False
    for place in range(node.n_segments):
        if node.segments[place].n_missing > 0:
            return False
    return True


cdef void fill_list(
    const Search* search,
    const void* list,
    const Segment* segment,
    int32_t n,                  # samples of the node
    const uint32_t* number,     # of a sample in the subtree
    uint16_t* entries,          # out
    uint8_t* rank,              # out
) noexcept nogil:
    """Rewrite the list of one feature, with the samples of its default value."""
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef int32_t n_default = n - n_stored
    cdef int32_t i, local, at = 0, value = 0, default_at = 0, default_rank = 0
    cdef uint64_t is_listed = 0
    cdef entry_t entry
    for i in range(n_stored):
        entry = entry_at(search, list, i)
        if i == segment.n_below:
            if n_default > 0:
                default_at = at
                default_rank = value + (at > 0)
                value = default_rank
                at += n_default
            value += at > 0
        elif i > 0:
            value += entry & 1
        local = number[sample_of(search, entry)]
        is_listed |= <uint64_t> 1 << local
        entries[at] = <uint16_t> (value << 8 | local)
        rank[local] = <uint8_t> value
        at += 1
    if n_default == 0:
        return
    if segment.n_above == 0:
        default_at = at
        default_rank = value + (at > 0)
    for local in range(n):
        if not is_listed >> local & 1:
            entries[default_at] = <uint16_t> (default_rank << 8 | local)
            rank[local] = <uint8_t> default_rank
            default_at += 1


cdef void enter(
    const Search* search,
    const Buffers* buffers,
    const Node* root,
    Workspace* work,
    Subtree* subtree,           # out
) noexcept nogil:
    """Number the samples of a node, and rewrite its lists and targets."""
    cdef const int32_t* samples = buffers.samples[root.buffer & 1] + root.start
    cdef const Segment* segment
    cdef uint32_t* number = <uint32_t*> work.spare
    cdef int32_t i, place
    subtree.search = search[0]
    subtree.search.targets.y = subtree.y
    subtree.lists.n_lists = root.n_segments
    subtree.lists.entries = work.tiny_entries
    subtree.lists.rank = work.tiny_rank
    for i in range(root.n_samples):
        number[samples[i]] = i
        if search.values.dense != NULL:
            # Thresholds will be looked up in these rows.
            TL_PREFETCH(
                search.values.dense
                + global_sample_of(search, samples[i]) * search.values.row_stride
            )
        subtree.rows[i] = i
        subtree.y[i] = search.targets.y[samples[i]]
        subtree.lists.sums[i] = search.targets.sums[samples[i]]
    for place in range(root.n_segments):
        segment = root.segments + place
        fill_list(
            search, list_of(search, buffers.lists[root.buffer], segment), segment,
            root.n_samples, number, work.tiny_entries + place * TL_TINY_SAMPLES,
            work.tiny_rank + place * TL_TINY_SAMPLES,
        )


cdef void take_cut(
    const Subtree* subtree,
    const Node* root,
    const int32_t* samples,     # of the root, in the numbers of its search
    const tl_tiny_cut* cut,
    Candidate* candidate,       # out: its split
) noexcept nogil:
    """Say in terms of the tree how a node is split."""
    cdef const Search* search = &subtree.search
    cdef Split* split = &candidate.split
    cdef double low, high
    split.feature = root.segments[cut.list].feature
    low = value_at(
        &search.values, global_sample_of(search, samples[cut.last_left]), split.feature
    )
    high = value_at(
        &search.values, global_sample_of(search, samples[cut.first_right]), split.feature
    )
    split.threshold = threshold_between(low, high)
    split.needs_double = needs_double(low, split.threshold, high)
    split.n_left = cut.n_left
    # No value is missing: what a node never saw goes where more samples go.
    split.missing_goes_left = 2 * cut.n_left > candidate.node.n_samples


cdef void divide(Subtree* subtree, const tl_tiny_cut* cut, Candidate* candidate) noexcept nogil:
    """Make the children of a node, of its samples and their sum."""
    cdef Node* node = &candidate.node
    cdef Node* left = &candidate.left
    cdef Node* right = &candidate.right
    cdef int32_t* rows = subtree.rows + node.start
    cdef int32_t[64] others
    cdef int32_t i, go, n_left = 0
    cdef int64_t total = 0
    left[0] = right[0] = node[0]
    left.depth = right.depth = node.depth + 1
    left.n_samples = left.weight = cut.n_left
    right.n_samples = right.weight = node.n_samples - cut.n_left
    right.start = node.start + cut.n_left
    # Invariant: rows[:n_left] and others[:i - n_left] hold the first i samples, in order.
    for i in range(node.n_samples):
        go = <int32_t> (cut.left >> rows[i] & 1)
        total += -go & subtree.lists.sums[rows[i]]
        others[i - n_left] = rows[i]
        rows[n_left] = rows[i]
        n_left += go
    for i in range(right.n_samples):
        rows[n_left + i] = others[i]
    left.stats = subtree.sums + subtree.n_nodes
    right.stats = left.stats + 1
    left.stats[0] = total
    right.stats[0] = node.stats[0] - total
    subtree.n_nodes += 2


cdef int grow_tiny(
    const Search* search,
    const Buffers* buffers,
    Growth* growth,
    const Node* root,           # its record is written
    Workspace* work,
) noexcept nogil:
    """Grow a small subtree."""
    cdef const int32_t* samples = buffers.samples[root.buffer & 1] + root.start
    cdef int32_t lowest = <int32_t> min(
        max(search.rules.min_samples_leaf, search.rules.min_weight_leaf), root.n_samples
    )
    cdef Subtree subtree
    cdef Node[64] stack
    cdef int32_t n_stack = 1
    cdef Candidate candidate
    cdef Node* node = &candidate.node
    cdef tl_tiny_cut cut
    cdef bint is_split, has_lists
    if is_stopped(work, root.n_samples):
        return INTERRUPTED
    enter(search, buffers, root, work, &subtree)
    stack[0] = root[0]
    stack[0].start = 0
    stack[0].stats = subtree.sums
    subtree.sums[0] = root.stats[0]
    subtree.n_nodes = 1
    while n_stack > 0:
        n_stack -= 1
        node[0] = stack[n_stack]
        tl_tiny_best_cut(
            search.simd, &subtree.lists, subtree.rows + node.start, node.start, node.n_samples,
            lowest, node.stats[0], &cut,
        )
        if cut.list < 0:
            continue
        take_cut(&subtree, root, samples, &cut, &candidate)
        divide(&subtree, &cut, &candidate)
        weigh_up(&subtree.search, &candidate, subtree.rows + node.start, work, &is_split)
        if not is_split:
            continue
        if write_split(
            &subtree.search, growth, &candidate, subtree.rows + node.start, work
        ) != 0:
            return MEMORY_RAN_OUT
        has_lists = False
        # The left child comes off the stack first.
        if not candidate.right.is_terminal:
            stack[n_stack] = candidate.right
            n_stack += 1
            has_lists = candidate.right.n_samples >= TL_TINY_LISTED
        if not candidate.left.is_terminal:
            stack[n_stack] = candidate.left
            n_stack += 1
            has_lists |= candidate.left.n_samples >= TL_TINY_LISTED
        if has_lists:
            tl_tiny_partition(
                search.simd, &subtree.lists, node.start, node.n_samples, cut.left
            )
    return 0
