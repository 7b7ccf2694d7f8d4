"""What happens to one node: its split is found and weighed, its lists are handed on."""

from libc.math cimport fabs
from libc.stdlib cimport calloc, free, malloc

from ._partition cimport (
    add_left_classes,
    clear_sides,
    mark_samples,
    mark_sides,
    partition_lists,
    partition_samples,
)
from ._splitter cimport find_split, is_as_guided, mix
from ._statistics cimport add_samples, impurity_of, is_pure, spread_about, value_of
from ._types cimport *
from ._workspace cimport Workspace

cdef extern from "native/impurity.h" nogil:
    const int TL_GAUSSIAN

# A gain this far from zero, as a share of the node term, is rounding.
cdef double ROUNDING = 1e-13


cdef void release_node(Node* node) noexcept nogil:
    free(node.stats)
    free(node.segments)
    free(node.histogram)
    node.stats = NULL
    node.segments = NULL
    node.histogram = NULL


cdef inline const int32_t* past(const int32_t* samples, int32_t n) noexcept nogil:
    """The samples after the first n, where samples are kept."""
    return NULL if samples == NULL else samples + n


cdef void describe(
    const Search* search, Node* node, const int32_t* samples, Workspace* work
) noexcept nogil:
    """Set what a node knows from its samples and statistics."""
    cdef const Rules* rules = &search.rules
    if node.n_samples == 1 and search.sums_moments and rules.formula != TL_GAUSSIAN:
        # Half of the nodes of a tree grown to purity.
        node.value = search.targets.y[samples[0]]
        node.impurity = 0.0
        node.is_terminal = True
        return
    if search.targets.is_classification or search.targets.n_outputs > 1:
        node.impurity = impurity_of(
            search, samples, node.n_samples, node.stats, node.weight, work.counts, work.pairs,
            work.spare_pairs,
        )
    else:
        node.value = value_of(
            search, 0, samples, node.n_samples, work.pairs, work.spare_pairs
        )
        node.impurity = spread_about(search, 0, samples, node.n_samples, node.value)
    node.is_terminal = (
        node.depth >= rules.max_depth
        or node.n_samples < rules.min_samples_split
        or node.n_samples < 2 * rules.min_samples_leaf
        or node.weight < 2 * rules.min_weight_leaf
        or is_pure(&search.targets, samples, node.n_samples, node.stats)
    )


cdef double node_value(
    const Search* search, const Node* node, int32_t output, const int32_t* samples,
    Workspace* work,
) noexcept nogil:
    """Value of one output of a node, the share of class 0 in classification, unbounded."""
    if search.targets.is_classification:
        return <double> node.stats[0] / <double> node.weight
    if search.targets.n_outputs == 1:
        return node.value
    return value_of(search, output, samples, node.n_samples, work.pairs, work.spare_pairs)


cdef int open_children(const Search* search, Candidate* candidate) noexcept nogil:
    """Make two empty children of a node, with zero statistics."""
    cdef const Node* node = &candidate.node
    cdef Node* left = &candidate.left
    cdef Node* right = &candidate.right
    left[0] = right[0] = node[0]
    left.segments = right.segments = NULL
    left.histogram = right.histogram = NULL
    left.stats = <int64_t*> calloc(search.targets.n_stats, sizeof(int64_t))
    right.stats = <int64_t*> calloc(search.targets.n_stats, sizeof(int64_t))
    if left.stats == NULL or right.stats == NULL:
        return MEMORY_RAN_OUT
    left.buffer = right.buffer = 1 - (node.buffer & 1)
    left.depth = right.depth = node.depth + 1
    left.seed = mix(node.seed ^ <uint64_t> 0xA0761D6478BD642F)
    right.seed = mix(node.seed ^ <uint64_t> 0xE7037ED1A0B428DB)
    left.weight = right.weight = 0
    left.guide = right.guide = -1
    if search.guide.feature != NULL and node.guide >= 0:
        left.guide = search.guide.left[node.guide]
        right.guide = search.guide.right[node.guide]
    return 0


cdef void weigh_up(
    const Search* search,
    Candidate* candidate,       # in: children with their statistics; out: the rest, and the gain
    const int32_t* divided,     # the samples of the node, left ones first
    Workspace* work,
    bint* is_split,             # out
) noexcept nogil:
    """Describe the children and tell whether the split gains enough."""
    cdef const Node* node = &candidate.node
    cdef Node* left = &candidate.left
    cdef Node* right = &candidate.right
    cdef double unit = search.targets.weight_unit
    cdef double term = <double> node.weight * node.impurity
    describe(search, left, divided, work)
    describe(search, right, past(divided, left.n_samples), work)
    if search.rules.monotonic != NULL:
        set_bounds(search, candidate, divided, work)
    candidate.gain = (
        term - <double> left.weight * left.impurity - <double> right.weight * right.impurity
    ) * unit
    if fabs(candidate.gain) < ROUNDING * fabs(term) * unit:
        candidate.gain = 0.0
    is_split[0] = candidate.gain >= search.rules.min_decrease


cdef int evaluate(
    const Search* search,
    Buffers* buffers,
    Candidate* candidate,   # in: its node; out: split, children, gain
    Workspace* work,
    bint* is_split,         # out
) noexcept nogil:
    """Find the split of a node, divide its samples, and weigh up what the split gains."""
    cdef Node* node = &candidate.node
    cdef Node* left = &candidate.left
    cdef Node* right = &candidate.right
    cdef const void* lists = buffers.lists[node.buffer]
    cdef const int32_t* samples = NULL
    cdef int32_t* divided = NULL
    if search.keeps_samples:
        samples = buffers.samples[node.buffer & 1] + node.start
        divided = buffers.samples[1 - (node.buffer & 1)] + node.start
    is_split[0] = False
    start_without_children(candidate)
    find_split(search, node, samples, lists, work, &candidate.split)
    if work.is_stopped:
        return INTERRUPTED
    if candidate.split.feature < 0:
        return 0
    if not is_as_guided(search, node, &candidate.split):
        node.guide = -1
    if open_children(search, candidate) != 0:
        return MEMORY_RAN_OUT
    left.n_samples = candidate.split.n_left
    right.n_samples = node.n_samples - left.n_samples
    if search.keeps_samples:
        mark_sides(search, node, &candidate.split, samples, lists, work.goes_left)
        partition_samples(
            work.goes_left, samples, node.n_samples, divided, <int32_t*> work.spare
        )
        clear_sides(search, node, &candidate.split, samples, lists, work.goes_left)
    right.start = node.start + left.n_samples
    divide_statistics(search, candidate, divided, lists)
    weigh_up(search, candidate, divided, work, is_split)
    return 0


cdef void divide_statistics(
    const Search* search, Candidate* candidate, const int32_t* divided, const void* lists
) noexcept nogil:
    """Set the statistics of the children: whole units, so one side is the rest, to the bit."""
    cdef const Targets* targets = &search.targets
    cdef Node* node = &candidate.node
    cdef Node* left = &candidate.left
    cdef Node* right = &candidate.right
    cdef int32_t i
    if search.keeps_samples and left.n_samples > right.n_samples:
        add_samples(
            targets, divided + left.n_samples, right.n_samples, right.stats, &right.weight
        )
        left.weight = node.weight - right.weight
        for i in range(targets.n_stats):
            left.stats[i] = node.stats[i] - right.stats[i]
        return
    if search.keeps_samples:
        add_samples(targets, divided, left.n_samples, left.stats, &left.weight)
    else:
        add_left_classes(search, node, &candidate.split, lists, left.stats, &left.weight)
    right.weight = node.weight - left.weight
    for i in range(targets.n_stats):
        right.stats[i] = node.stats[i] - left.stats[i]


cdef void set_bounds(
    const Search* search, Candidate* candidate, const int32_t* divided, Workspace* work
) noexcept nogil:
    """Bound the values of the children by the middle of the two, as scikit-learn does."""
    cdef Node* left = &candidate.left
    cdef Node* right = &candidate.right
    cdef int8_t direction = search.rules.monotonic[candidate.split.feature]
    cdef double middle
    if direction == 0:
        return
    middle = (
        node_value(search, left, 0, divided, work)
        + node_value(search, right, 0, past(divided, left.n_samples), work)
    ) / 2.0
    if direction > 0:
        left.upper_bound = middle
        right.lower_bound = middle
    else:
        left.lower_bound = middle
        right.upper_bound = middle


cdef int hand_on(
    const Search* search, Buffers* buffers, Candidate* candidate, Workspace* work
) noexcept nogil:
    """Partition the lists of a split node for those children that may be split again."""
    cdef Node* node = &candidate.node
    cdef Node* left = &candidate.left
    cdef Node* right = &candidate.right
    cdef const void* lists = buffers.lists[node.buffer]
    cdef const int32_t* samples = NULL
    cdef int32_t n_segments = 0
    if search.keeps_samples:
        samples = buffers.samples[node.buffer & 1] + node.start
    left.segments = <Segment*> malloc(max(1, node.n_segments) * sizeof(Segment))
    right.segments = <Segment*> malloc(max(1, node.n_segments) * sizeof(Segment))
    if left.segments == NULL or right.segments == NULL:
        return MEMORY_RAN_OUT
    if search.keeps_samples:
        # Sooner than reading them off a list.
        mark_samples(
            buffers.samples[left.buffer & 1] + node.start, left.n_samples, work.goes_left
        )
    else:
        mark_sides(search, node, &candidate.split, samples, lists, work.goes_left)
    partition_lists(
        search, node, &candidate.split, work.goes_left, lists, buffers.lists[left.buffer],
        left.segments, right.segments, &n_segments, not left.is_terminal, not right.is_terminal,
        work,
    )
    clear_sides(search, node, &candidate.split, samples, lists, work.goes_left)
    left.n_segments = right.n_segments = n_segments
    return INTERRUPTED if work.is_stopped else DONE
