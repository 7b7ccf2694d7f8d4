"""Records of nodes, appended as growth makes them and numbered in pre-order at the end."""

from libc.stdlib cimport free, realloc

import numpy as np

from ._blocks cimport BLOCK_BYTES, leave_block, take_block
from ._node cimport MEMORY_RAN_OUT, Buffers, Candidate, node_value
from ._types cimport *
from ._workspace cimport Workspace

assert RECORDS_PER_BLOCK * (sizeof(Record) + sizeof(double)) == BLOCK_BYTES


cdef size_t block_bytes(const Growth* growth) noexcept nogil:
    """Bytes of a block: with one value a record or none as many as are kept for the next tree."""
    cdef size_t n_bytes = sizeof(Record) + growth.value_stride * sizeof(double)
    return max(RECORDS_PER_BLOCK * n_bytes, <size_t> BLOCK_BYTES)


cdef int reserve_record(Growth* growth) noexcept nogil:
    """Make room for one more record."""
    cdef int64_t capacity
    cdef void* more
    if growth.n_records < growth.n_blocks * RECORDS_PER_BLOCK:
        return 0
    if growth.n_blocks == growth.block_capacity:
        capacity = 2 * growth.block_capacity + 16
        growth.bytes_asked = capacity * <int64_t> sizeof(void*)
        more = realloc(growth.blocks, capacity * sizeof(void*))
        if more == NULL:
            return MEMORY_RAN_OUT
        growth.blocks = <void**> more
        growth.block_capacity = capacity
    growth.bytes_asked = block_bytes(growth)
    more = take_block(block_bytes(growth))
    if more == NULL:
        return MEMORY_RAN_OUT
    growth.blocks[growth.n_blocks] = more
    growth.n_blocks += 1
    return 0


cdef int reserve_classes(Growth* growth, int64_t n_more) noexcept nogil:
    """Make room for so many more classes of leaves."""
    cdef int64_t capacity
    cdef void* larger
    if growth.n_classes + n_more <= growth.class_capacity:
        return 0
    capacity = 2 * growth.class_capacity + n_more + 16
    growth.bytes_asked = capacity * <int64_t> (sizeof(int32_t) + sizeof(int64_t))
    larger = realloc(growth.classes, capacity * sizeof(int32_t))
    if larger == NULL:
        return MEMORY_RAN_OUT
    growth.classes = <int32_t*> larger
    larger = realloc(growth.class_weights, capacity * sizeof(int64_t))
    if larger == NULL:
        return MEMORY_RAN_OUT
    growth.class_weights = <int64_t*> larger
    growth.class_capacity = capacity
    return 0


cdef void release(Growth* growth) noexcept nogil:
    cdef int64_t k
    for k in range(growth.n_blocks):
        leave_block(growth.blocks[k], block_bytes(growth))
    free(growth.blocks)
    free(growth.classes)
    free(growth.class_weights)


cdef int write_record(
    const Search* search, Growth* growth, Node* node, const int32_t* samples, Workspace* work
) noexcept nogil:
    """Append the record of a node, a leaf until it is split."""
    cdef Record* record
    cdef int32_t output
    cdef double value
    if reserve_record(growth) != 0:
        return MEMORY_RAN_OUT
    node.id = <int32_t> growth.n_records
    record = record_of(growth, node.id)
    record.left = -1
    record.subtree = -1
    record.feature = -2
    record.missing_goes_left = False
    record.needs_double = False
    record.n_samples = node.n_samples
    record.weight = node.weight
    record.first_class = 0
    record.n_classes = 0
    record.threshold = -2.0
    record.impurity = node.impurity
    for output in range(growth.value_stride):
        value = node_value(search, node, output, samples, work)
        value = min(max(value, node.lower_bound), node.upper_bound)
        values_of(growth, node.id)[output] = value
    growth.n_records += 1
    return 0


cdef int write_leaf(const Search* search, Growth* growth, const Node* node) noexcept nogil:
    """Write down the classes of a node that stays a leaf."""
    cdef int32_t c
    cdef Record* record = record_of(growth, node.id)
    if not search.targets.is_classification:
        return 0
    if reserve_classes(growth, search.targets.n_stats) != 0:
        return MEMORY_RAN_OUT
    record.first_class = growth.n_classes
    for c in range(search.targets.n_stats):
        if node.stats[c] > 0:
            growth.classes[growth.n_classes] = (
                c if search.global_class == NULL else search.global_class[c]
            )
            growth.class_weights[growth.n_classes] = node.stats[c]
            growth.n_classes += 1
    record.n_classes = growth.n_classes - record.first_class
    return 0


cdef int write_split(
    const Search* search,
    Growth* growth,
    Candidate* candidate,   # in; out: the numbers of its children
    const int32_t* divided,  # the samples of the node, left ones first; NULL: not kept
    Workspace* work,
) noexcept nogil:
    """Write the split of a node and the records of its children, finished where they are leaves."""
    cdef Node* left = &candidate.left
    cdef Node* right = &candidate.right
    cdef Record* record
    if write_record(search, growth, left, divided, work) != 0:
        return MEMORY_RAN_OUT
    if divided != NULL:
        divided += left.n_samples
    if write_record(search, growth, right, divided, work) != 0:
        return MEMORY_RAN_OUT
    record = record_of(growth, candidate.node.id)
    record.left = left.id
    record.feature = candidate.split.feature
    record.threshold = candidate.split.threshold
    record.missing_goes_left = candidate.split.missing_goes_left
    record.needs_double = candidate.split.needs_double
    if left.is_terminal and write_leaf(search, growth, left) != 0:
        return MEMORY_RAN_OUT
    if right.is_terminal and write_leaf(search, growth, right) != 0:
        return MEMORY_RAN_OUT
    return 0


cdef int apply_split(
    const Search* search, Buffers* buffers, Growth* growth, Candidate* candidate, Workspace* work
) noexcept nogil:
    """Write the split into the tree and hand the lists on to children that may be split."""
    cdef const int32_t* divided = NULL
    cdef int status
    if search.keeps_samples:
        divided = buffers.samples[candidate.left.buffer] + candidate.node.start
    status = write_split(search, growth, candidate, divided, work)
    if status != 0 or (candidate.left.is_terminal and candidate.right.is_terminal):
        return status
    return buffers.hand_on(search, buffers, candidate, work)


cdef assemble(
    Growth** subtrees,      # the first is that of the root
    int32_t n_subtrees,
    double weight_unit,
    double scale,
):
    """Number the nodes in pre-order and copy them into arrays."""
    cdef int64_t n_nodes = 1 - n_subtrees, n_classes = 0, k, node = 0, at = 0, i
    cdef int32_t stride = subtrees[0].value_stride
    for k in range(n_subtrees):
        # The record of a subtree's root stands in the tree above as well.
        n_nodes += subtrees[k].n_records
        n_classes += subtrees[k].n_classes
    left = np.full(n_nodes, -1, dtype=np.int32)
    right = np.full(n_nodes, -1, dtype=np.int32)
    feature = np.empty(n_nodes, dtype=np.int32)
    threshold = np.empty(n_nodes)
    missing = np.empty(n_nodes, dtype=np.uint8)
    needs_double = np.empty(n_nodes, dtype=np.uint8)
    impurity = np.empty(n_nodes)
    n_samples = np.empty(n_nodes, dtype=np.int64)
    weight = np.empty(n_nodes)
    value = np.empty((n_nodes, stride))
    class_starts = np.zeros(n_nodes + 1, dtype=np.int64)
    classes = np.empty(n_classes, dtype=np.int32)
    class_weights = np.empty(n_classes)
    cdef int32_t[::1] left_view = left
    cdef int32_t[::1] right_view = right
    cdef int32_t[::1] feature_view = feature
    cdef double[::1] threshold_view = threshold
    cdef uint8_t[::1] missing_view = missing
    cdef uint8_t[::1] needs_double_view = needs_double
    cdef double[::1] impurity_view = impurity
    cdef int64_t[::1] n_samples_view = n_samples
    cdef double[::1] weight_view = weight
    cdef double[:, ::1] value_view = value
    cdef int64_t[::1] class_starts_view = class_starts
    cdef int32_t[::1] classes_view = classes
    cdef double[::1] class_weights_view = class_weights
    # To do: (growth, record, parent) with -1 - parent for right children.
    stack = np.empty((n_nodes + 1, 3), dtype=np.int64)
    cdef int64_t[:, ::1] stack_view = stack
    cdef int64_t n_stack = 1
    cdef Growth* source
    cdef Record* record
    cdef int64_t parent, which, id
    stack_view[0, 0] = 0
    stack_view[0, 1] = 0
    stack_view[0, 2] = 0
    while n_stack > 0:
        n_stack -= 1
        which = stack_view[n_stack, 0]
        source = subtrees[which]
        id = stack_view[n_stack, 1]
        record = record_of(source, id)
        parent = stack_view[n_stack, 2]
        if record.subtree >= 0:
            which = record.subtree
            source = subtrees[which]
            id = 0
            record = record_of(source, id)
        if node > 0:
            if parent >= 0:
                left_view[parent] = <int32_t> node
            else:
                right_view[-1 - parent] = <int32_t> node
        feature_view[node] = record.feature
        threshold_view[node] = record.threshold
        missing_view[node] = record.missing_goes_left
        needs_double_view[node] = record.needs_double
        impurity_view[node] = record.impurity * scale
        n_samples_view[node] = record.n_samples
        weight_view[node] = <double> record.weight * weight_unit
        for i in range(stride):
            value_view[node, i] = values_of(source, id)[i]
        for i in range(record.first_class, record.first_class + record.n_classes):
            classes_view[at] = source.classes[i]
            class_weights_view[at] = <double> source.class_weights[i] * weight_unit
            at += 1
        class_starts_view[node + 1] = at
        if record.left >= 0:
            stack_view[n_stack, 0] = which
            stack_view[n_stack, 1] = record.left + 1
            stack_view[n_stack, 2] = -1 - node
            stack_view[n_stack + 1, 0] = which
            stack_view[n_stack + 1, 1] = record.left
            stack_view[n_stack + 1, 2] = node
            n_stack += 2
        node += 1
    return {
        "children_left": left,
        "children_right": right,
        "feature": feature,
        "threshold": threshold,
        "missing_go_to_left": missing,
        "needs_float64": needs_double,
        "impurity": impurity,
        "n_node_samples": n_samples,
        "weighted_n_node_samples": weight,
        "value": value,
        "class_starts": class_starts,
        "classes": classes,
        "class_weights": class_weights,
    }
