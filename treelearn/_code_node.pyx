"""What happens to one node of codes: its cut is weighed and written down, its samples divided.

A node above the size of small ones owns its part of every column and of the order of the
samples; a small one is a list of samples that read the rows of codes.
"""

from libc.math cimport INFINITY, fabs
from libc.stdlib cimport malloc
from libc.string cimport memcpy

from ._code_scan cimport (
    SMALL_NODE,
    codes_of,
    count_left,
    divide,
    find_values,
    mark_node,
    mark_small,
    search_node,
    search_small,
)
from ._code_types cimport *
from ._codes cimport value_of_code
from ._node cimport INTERRUPTED, MEMORY_RAN_OUT
from ._records cimport Growth, Record, record_of, reserve_classes, reserve_record
from ._signals cimport must_stop
from ._splitter cimport needs_double, threshold_between
from ._types cimport *

cdef extern from "native/impurity.h" nogil:
    double tl_class_impurity(int, double, const double*, int, double)

# A gain this far from zero, as a share of the node term, is rounding; see _node.pyx.
cdef double ROUNDING = 1e-13


cdef inline bint is_stopped(CodeWorkspace* work, int64_t n_cells) noexcept nogil:
    work.until_poll -= n_cells
    if work.until_poll > 0:
        return work.is_stopped
    work.until_poll = CELLS_PER_POLL
    if work.shared_status[0] != 0:
        work.is_stopped = True
    elif work.polls and must_stop(&work.last_poll):
        work.is_stopped = True
    return work.is_stopped


cdef CodeNode* new_node(int32_t n_classes, int32_t n_columns) noexcept nogil:
    """Allocate a node; NULL when memory runs out."""
    cdef size_t size = (
        sizeof(CodeNode) + 2 * n_classes * sizeof(int32_t) + n_columns * sizeof(CodeColumn)
    )
    cdef CodeNode* node = <CodeNode*> malloc(size)
    if node == NULL:
        return NULL
    node.columns = <CodeColumn*> (node + 1)
    node.classes = <int32_t*> (node.columns + n_columns)
    node.counts = node.classes + n_classes
    node.n_classes = n_classes
    node.n_columns = n_columns
    return node


cdef int32_t write_record(Growth* growth, int64_t n_samples, double impurity) noexcept nogil:
    """Append the record of a node, a leaf until it is split; -1 when memory runs out."""
    cdef Record* record
    if reserve_record(growth) != 0:
        return -1
    record = record_of(growth, growth.n_records)
    record.left = -1
    record.subtree = -1
    record.feature = -2
    record.missing_goes_left = False
    record.needs_double = False
    record.n_samples = n_samples
    record.weight = n_samples
    record.first_class = 0
    record.n_classes = 0
    record.threshold = -2.0
    record.impurity = impurity
    growth.n_records += 1
    return <int32_t> (growth.n_records - 1)


cdef int write_classes(
    Growth* growth, int32_t id, int32_t n_classes, const int32_t* classes, const int32_t* counts
) noexcept nogil:
    """Write down the classes of a node that stays a leaf."""
    cdef Record* record = record_of(growth, id)
    cdef int32_t c
    if reserve_classes(growth, n_classes) != 0:
        return MEMORY_RAN_OUT
    record.first_class = growth.n_classes
    record.n_classes = 0
    for c in range(n_classes):
        if counts[c] > 0:
            growth.classes[growth.n_classes] = classes[c]
            growth.class_weights[growth.n_classes] = counts[c]
            growth.n_classes += 1
            record.n_classes += 1
    return 0


cdef double impurity_of(
    const CodeSearch* search, int32_t n_classes, const int32_t* counts, int32_t n,
    double* scratch, int32_t* n_present,
) noexcept nogil:
    """Return the impurity of a node; classes without samples add nothing."""
    cdef int32_t c, k = 0
    for c in range(n_classes):
        if counts[c] > 0:
            scratch[k] = <double> counts[c]
            k += 1
    n_present[0] = k
    # Not the -0.0 that some formulas give a pure node; lists add to 0.0 alike.
    return 0.0 + tl_class_impurity(
        search.scoring.formula, search.scoring.order, scratch, k, <double> n
    )


cdef bint is_terminal(
    const CodeSearch* search, int32_t n, int32_t depth, int32_t n_present
) noexcept nogil:
    cdef const Rules* rules = &search.common.rules
    return (
        n_present < 2
        or depth >= rules.max_depth
        or n < rules.min_samples_split
        or n < 2 * rules.min_samples_leaf
    )


# What becomes of a split: both sides of it.
cdef struct Sides:
    int32_t n[2]
    int32_t n_present[2]
    int32_t id[2]
    double impurity[2]
    bint is_terminal[2]


cdef int write_split(
    const CodeSearch* search,
    Growth* growth,
    int32_t id,
    int32_t depth,
    double impurity,
    int32_t n,
    int32_t n_classes,
    const int32_t* classes,
    int32_t* left_counts,       # in; out: those of the right
    const int32_t* counts,
    const TlCut* cut,           # codes of the root; a bit's are those of its feature
    double* scratch,
    Sides* sides,               # in: n[0], out
    bint* is_split,             # out
) noexcept nogil:
    """Weigh a cut up, and write it and its children down where it gains enough."""
    cdef Record* record
    cdef double term, gain, low, high
    cdef int32_t c, k
    is_split[0] = False
    sides.n[1] = n - sides.n[0]
    sides.impurity[0] = impurity_of(
        search, n_classes, left_counts, sides.n[0], scratch, &sides.n_present[0]
    )
    for c in range(n_classes):
        left_counts[c] = counts[c] - left_counts[c]
    sides.impurity[1] = impurity_of(
        search, n_classes, left_counts, sides.n[1], scratch, &sides.n_present[1]
    )
    term = <double> n * impurity
    gain = (
        term - <double> sides.n[0] * sides.impurity[0] - <double> sides.n[1] * sides.impurity[1]
    ) * search.common.targets.weight_unit
    if fabs(gain) < ROUNDING * fabs(term) * search.common.targets.weight_unit:
        gain = 0.0
    if not gain >= search.common.rules.min_decrease:
        return 0
    is_split[0] = True
    for k in range(2):
        sides.id[k] = write_record(growth, sides.n[k], sides.impurity[k])
        if sides.id[k] < 0:
            return MEMORY_RAN_OUT
        sides.is_terminal[k] = is_terminal(search, sides.n[k], depth + 1, sides.n_present[k])
    record = record_of(growth, id)
    record.left = sides.id[0]
    record.feature = cut.feature
    if cut.next_code < 0:
        record.threshold = INFINITY  # all values left, missing ones right
    else:
        low = value_of_code(&search.table, cut.feature, cut.code)
        high = value_of_code(&search.table, cut.feature, cut.next_code)
        record.threshold = threshold_between(low, high)
        record.needs_double = needs_double(low, record.threshold, high)
    record.missing_goes_left = cut.missing_goes_left
    if not cut.has_missing:
        # What a node never saw goes where more samples go.
        record.missing_goes_left = 2 * <int64_t> sides.n[0] > n
    if sides.is_terminal[1]:
        if write_classes(growth, sides.id[1], n_classes, classes, left_counts) != 0:
            return MEMORY_RAN_OUT
    for c in range(n_classes):
        left_counts[c] = counts[c] - left_counts[c]
    if sides.is_terminal[0]:
        if write_classes(growth, sides.id[0], n_classes, classes, left_counts) != 0:
            return MEMORY_RAN_OUT
    return 0


cdef int grow_small(
    const CodeSearch* search,
    Growth* growth,
    int32_t id,                 # of its record
    int32_t depth,
    double impurity,
    int32_t n,
    const int32_t* samples,
    int32_t n_classes,          # present
    const int32_t* classes,
    const int32_t* counts,
    CodeWorkspace* work,
) noexcept nogil:
    """Grow the subtree of a small node."""
    cdef int32_t[2][64] child_samples
    cdef int32_t[64] child_classes, child_counts, left_counts
    cdef uint8_t[64] local
    cdef TlCounts node
    cdef TlCut cut
    cdef Sides sides
    cdef uint64_t goes_left
    cdef int32_t i, c, k, end, at_left = 0, at_right = 0, n_present
    cdef bint is_split = False
    cdef int status
    if is_stopped(work, n * search.table.n_stored):
        return INTERRUPTED
    node.n_samples = n
    node.n_classes = n_classes
    node.class_counts = counts
    node.min_leaf = <int32_t> search.common.rules.min_samples_leaf
    i = 0
    for c in range(n_classes):
        end = i + counts[c]
        while i < end:
            local[i] = <uint8_t> c
            i += 1
    search_small(search, &node, samples, local, work, &cut)
    if cut.feature < 0:
        return write_classes(growth, id, n_classes, classes, counts)
    goes_left = mark_small(search, n, samples, &cut)
    i = 0
    for c in range(n_classes):
        end = i + counts[c]
        k = at_left
        while i < end:
            # Written on both sides, kept on one.
            child_samples[0][at_left] = samples[i]
            child_samples[1][at_right] = samples[i]
            at_left += <int32_t> (goes_left & 1)
            at_right += 1 - <int32_t> (goes_left & 1)
            goes_left >>= 1
            i += 1
        left_counts[c] = at_left - k
    sides.n[0] = at_left
    status = write_split(
        search, growth, id, depth, impurity, n, n_classes, classes, left_counts, counts, &cut,
        work.impurity_counts, &sides, &is_split,
    )
    if status != 0:
        return status
    if not is_split:
        return write_classes(growth, id, n_classes, classes, counts)
    for k in range(2):
        if sides.is_terminal[k]:
            continue
        n_present = 0
        for c in range(n_classes):
            end = left_counts[c] if k == 0 else counts[c] - left_counts[c]
            if end > 0:
                child_classes[n_present] = classes[c]
                child_counts[n_present] = end
                n_present += 1
        status = grow_small(
            search, growth, sides.id[k], depth + 1, sides.impurity[k], sides.n[k],
            &child_samples[k][0], n_present, child_classes, child_counts, work,
        )
        if status != 0:
            return status
    return 0


cdef int make_child(
    const CodeNode* node,
    const Sides* sides,
    int side,
    const int32_t* left_counts,
    CodeNode** child,           # out
) noexcept nogil:
    """Make the node of one side of a split."""
    cdef int32_t c, count, k = 0
    cdef CodeNode* made = new_node(sides.n_present[side], node.n_columns)
    child[0] = made
    if made == NULL:
        return MEMORY_RAN_OUT
    made.id = sides.id[side]
    made.start = node.start if side == 0 else node.start + sides.n[0]
    made.n_samples = sides.n[side]
    made.depth = node.depth + 1
    made.impurity = sides.impurity[side]
    for c in range(node.n_classes):
        count = left_counts[c] if side == 0 else node.counts[c] - left_counts[c]
        if count > 0:
            made.classes[k] = node.classes[c]
            made.counts[k] = count
            k += 1
    memcpy(made.columns, node.columns, node.n_columns * sizeof(CodeColumn))
    return 0


cdef int split_node(
    CodeSearch* search,
    Growth* growth,
    CodeNode* node,
    CodeWorkspace* work,
    CodeNode** children,        # out: those that are still to be grown, NULL where there is none
) noexcept nogil:
    """Search one node, and write down its split or its classes; small children are grown."""
    cdef TlCut cut
    cdef Sides sides
    cdef CodeColumn* column
    cdef bint is_split = False, has_large = False
    cdef int status, k, size
    children[0] = children[1] = NULL
    if is_stopped(work, <int64_t> node.n_samples * search.table.n_stored):
        return INTERRUPTED
    search_node(search, node, work, &cut)
    if cut.feature < 0:
        return write_classes(growth, node.id, node.n_classes, node.classes, node.counts)
    mark_node(search, node, &cut, work.goes_left)
    sides.n[0] = count_left(work.goes_left, node.n_classes, node.counts, work.left_counts)
    find_values(search, node, work.goes_left, &cut)
    status = write_split(
        search, growth, node.id, node.depth, node.impurity, node.n_samples, node.n_classes,
        node.classes, work.left_counts, node.counts, &cut, work.impurity_counts, &sides,
        &is_split,
    )
    if status != 0:
        return status
    if not is_split:
        return write_classes(growth, node.id, node.n_classes, node.classes, node.counts)
    if sides.is_terminal[0] and sides.is_terminal[1]:
        return 0
    divide(
        search, search.samples + node.start, sizeof(int32_t), node.n_samples, work.goes_left,
        work.spare, search.samples + node.start + sides.n[0],
    )
    for k in range(2):
        if not sides.is_terminal[k]:
            if make_child(node, &sides, k, work.left_counts, children + k) != 0:
                return MEMORY_RAN_OUT
            has_large = has_large or sides.n[k] > SMALL_NODE
    if has_large:
        for k in range(node.n_columns):
            column = node.columns + k
            size = 2 if column.is_wide else 1
            divide(
                search, codes_of(search, column.place, node.start), size, node.n_samples,
                work.goes_left, work.spare,
                codes_of(search, column.place, node.start + sides.n[0]),
            )
    return 0
