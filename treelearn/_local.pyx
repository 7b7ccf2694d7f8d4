"""A small subtree in numbers of its own: 16-bit entries, samples and classes from 0.

Most of the work of a tree grown to purity lies in nodes of a few hundred samples. There the lists
are rewritten once: entries of half the width, whose sample numbers index bits that fit into a few
registers, and tables that stay in the first-level cache. The same growth then goes on, on a
search whose pointers lead to the local copies.
"""

from libc.stdlib cimport malloc

from ._node cimport MEMORY_RAN_OUT, Buffers
from ._pass cimport NARROW_CLASS_SHIFT, entry_at, list_of, sample_of
from ._types cimport *
from ._workspace cimport (
    TL_NARROW_CLASSES,
    TL_NARROW_SAMPLES,
    TL_NARROW_SHIFT,
    TL_NARROW_SLACK,
    Workspace,
)

cdef enum:
    # Fewer entries are not worth rewriting (benchmarks/fit.py, 100k_2_classes).
    FEWEST_NARROW = 12


cdef bint is_for_narrow(const Search* search, const Node* node) noexcept nogil:
    """Return whether the subtree of a node is to be grown on narrow lists."""
    cdef int32_t c, n_present = 0
    if not search.may_narrow or search.is_narrow:
        return False
    if node.segments == NULL or node.n_segments == 0:
        return False
    if not FEWEST_NARROW <= node.n_samples <= TL_NARROW_SAMPLES:
        return False
    if search.targets.is_classification:
        for c in range(search.targets.n_stats):
            n_present += node.stats[c] > 0
    return n_present <= TL_NARROW_CLASSES


cdef void number_samples(
    const Search* search,
    const Buffers* buffers,
    const Node* node,
    const int32_t* local_class,
    Workspace* work,            # out: global_sample, local copies; spare: sample -> narrow entry
) noexcept nogil:
    """Number the samples of a node and copy what belongs to them."""
    cdef const Targets* targets = &search.targets
    cdef const Segment* segment = node.segments
    cdef const void* list = NULL
    cdef int32_t i, sample, label
    if search.keeps_samples:
        for i in range(node.n_samples):
            work.global_sample[i] = buffers.samples[node.buffer & 1][node.start + i]
            work.local_samples[0][i] = i
    else:
        # No column has a default value: every list holds every sample.
        list = list_of(search, buffers.lists[node.buffer], segment)
        for i in range(node.n_samples):
            work.global_sample[i] = sample_of(search, entry_at(search, list, i))
    for i in range(node.n_samples):
        sample = work.global_sample[i]
        label = local_class[targets.labels[sample]] if targets.is_classification else 0
        work.spare[sample] = (i << TL_NARROW_SHIFT) | (label << 1)
        if targets.is_classification:
            work.local_labels[i] = label
        if not targets.has_unit_weights:
            work.local_weights[i] = targets.weights[sample]
        if not targets.is_classification:
            work.local_sums[i] = targets.sums[sample]
            work.local_squares[i] = targets.square_sums[sample]
            work.local_y[i] = targets.y[sample]


cdef int enter_narrow(
    const Search* search,
    const Buffers* buffers,
    const Node* node,
    Workspace* work,
    Search* local,              # out
    Buffers* local_buffers,     # out
    Node* root,                 # out: the node in local numbers
) noexcept nogil:
    """Rewrite a node in local numbers; return MEMORY_RAN_OUT when memory is not to be had."""
    cdef int32_t i, place, length
    cdef const Segment* segment
    cdef const entry_t* old
    cdef narrow_t* new
    if open_narrow(
        search, buffers, node, node.n_segments, work, local, local_buffers, root
    ) != 0:
        return MEMORY_RAN_OUT
    for place in range(node.n_segments):
        segment = node.segments + place
        root.segments[place] = segment[0]
        root.segments[place].start = 0
        old = <const entry_t*> list_of(search, buffers.lists[node.buffer], segment)
        new = place_list(work, node.n_samples, place, segment.feature)
        length = segment.n_below + segment.n_above + segment.n_missing
        for i in range(length):
            new[i] = <narrow_t> (work.spare[sample_of(search, old[i])] | (old[i] & 1))
    return 0


cdef narrow_t* place_list(
    Workspace* work, int32_t n_samples, int32_t place, int32_t feature
) noexcept nogil:
    """Give a feature the place of its list, among others of as many samples."""
    cdef int64_t stride = (n_samples + 2 * TL_NARROW_SLACK - 1) // TL_NARROW_SLACK
    work.narrow_starts[feature] = place * stride * TL_NARROW_SLACK
    return work.narrow[0] + work.narrow_starts[feature]


cdef int open_narrow(
    const Search* search,
    const Buffers* buffers,
    const Node* node,
    int32_t n_segments,         # that the root is to have room for
    Workspace* work,
    Search* local,              # out
    Buffers* local_buffers,     # out
    Node* root,                 # out: the node in local numbers, its segments not written
) noexcept nogil:
    """Make the search for a node in local numbers, all but its lists; return as above."""
    cdef const Targets* targets = &search.targets
    cdef int32_t c, n_classes = 0
    local_buffers[0] = buffers[0]
    local_buffers.owned = NULL
    root[0] = node[0]
    root.segments = NULL
    root.histogram = NULL
    root.stats = <int64_t*> malloc(targets.n_stats * sizeof(int64_t))
    root.segments = <Segment*> malloc(n_segments * sizeof(Segment))
    if root.stats == NULL or root.segments == NULL:
        return MEMORY_RAN_OUT
    local[0] = search[0]
    if targets.is_classification:
        for c in range(targets.n_stats):
            if node.stats[c] > 0:
                work.local_class[c] = n_classes
                work.global_class[n_classes] = c
                root.stats[n_classes] = node.stats[c]
                n_classes += 1
        local.targets.n_stats = local.targets.max_n_classes = n_classes
        local.global_class = work.global_class
        local.targets.n_classes = &local.targets.max_n_classes
        local.class_shift = NARROW_CLASS_SHIFT
    else:
        for c in range(targets.n_stats):
            root.stats[c] = node.stats[c]
    number_samples(search, buffers, node, work.local_class, work)
    local.is_narrow = True
    local.n_chunks = (node.n_samples + 127) // 128
    local.global_sample = work.global_sample
    local.index_mask = (1 << NARROW_CLASS_SHIFT) - 1
    local.list_starts = work.narrow_starts
    local.targets.labels = work.local_labels
    local.targets.weights = work.local_weights
    local.targets.sums = work.local_sums
    local.targets.square_sums = work.local_squares
    local.targets.y = work.local_y
    root.buffer = 0
    root.start = 0
    local_buffers.lists[0] = work.narrow[0]
    local_buffers.lists[1] = work.narrow[1]
    local_buffers.samples[0] = work.local_samples[0]
    local_buffers.samples[1] = work.local_samples[1]
    return 0
