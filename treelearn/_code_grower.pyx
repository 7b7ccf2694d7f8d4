"""Growth over integer codes, depth first.

A node above the size of small ones owns its part of every column and of the order of the
samples; a small one is a list of samples that read the rows of codes. The tree is the same, to
the bit, as the one that the presorted lists grow (_grower.pyx).
"""

from cython.parallel cimport prange, threadid
from libc.math cimport INFINITY, fabs
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset

import numpy as np

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
from ._codes cimport CodeSet, value_of_code
from ._node cimport INTERRUPTED, MEMORY_RAN_OUT
from ._records cimport Growth, Record, assemble, release, reserve
from ._signals cimport must_stop, raise_pending
from ._splitter cimport threshold_between
from ._types cimport *

cdef extern from "native/impurity.h" nogil:
    double tl_class_impurity(int, double, const double*, int, double)

cdef extern from "native/simd.h" nogil:
    int tl_simd_level()

cdef double EPSILON = 2.220446049250313e-16
# A gain this far from zero, as a share of the node term, is rounding; see _node.pyx.
cdef double ROUNDING = 1e-13

cdef enum:
    # Cells still to be seen before the clock is looked at, some milliseconds of work.
    CELLS_PER_POLL = 2000000


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
    if reserve(growth, 1, 0) != 0:
        return -1
    record = growth.records + growth.n_records
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
    cdef Record* record = growth.records + id
    cdef int32_t c
    if reserve(growth, 0, n_classes) != 0:
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
    return tl_class_impurity(
        search.scoring.formula, search.scoring.order, scratch, k, <double> n
    )


cdef inline bint is_terminal(
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
    record = growth.records + id
    record.left = sides.id[0]
    record.feature = cut.feature
    if cut.next_code < 0:
        record.threshold = INFINITY  # all values left, missing ones right
    else:
        low = value_of_code(&search.table, cut.feature, cut.code)
        high = value_of_code(&search.table, cut.feature, cut.next_code)
        record.threshold = threshold_between(low, high)
        record.needs_double = not (
            <double> (<float> low) <= record.threshold < <double> (<float> high)
        )
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
        for k in range(counts[c]):
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


cdef int grow_subtree(
    CodeSearch* search,
    Growth* growth,
    CodeNode* root,             # its record is written; it is owned by this call
    int32_t largest_kept,       # nodes of at most so many samples are left to others
    CodeNode*** pending,        # out: those nodes
    int32_t* n_pending,         # out
    CodeWorkspace* work,
) noexcept nogil:
    """Grow a subtree depth first."""
    cdef CodeNode** stack = NULL
    cdef void* larger
    cdef CodeNode* node
    cdef CodeNode* children[2]
    cdef int32_t n_stack = 1, capacity = 64, pending_capacity = 0
    cdef int status = 0, k
    stack = <CodeNode**> malloc(capacity * sizeof(CodeNode*))
    if stack == NULL:
        free(root)
        return MEMORY_RAN_OUT
    stack[0] = root
    while n_stack > 0 and status == 0:
        n_stack -= 1
        node = stack[n_stack]
        if node.n_samples <= SMALL_NODE:
            status = grow_small(
                search, growth, node.id, node.depth, node.impurity, node.n_samples,
                search.samples + node.start, node.n_classes, node.classes, node.counts, work,
            )
            free(node)
            continue
        if node.n_samples <= largest_kept:
            if n_pending[0] == pending_capacity:
                pending_capacity = 2 * pending_capacity + 16
                larger = realloc(pending[0], pending_capacity * sizeof(CodeNode*))
                if larger == NULL:
                    free(node)
                    status = MEMORY_RAN_OUT
                    break
                pending[0] = <CodeNode**> larger
            pending[0][n_pending[0]] = node
            growth.records[node.id].subtree = n_pending[0]
            n_pending[0] += 1
            continue
        status = split_node(search, growth, node, work, children)
        free(node)
        if status == 0 and n_stack + 2 > capacity:
            capacity *= 2
            larger = realloc(stack, capacity * sizeof(CodeNode*))
            if larger == NULL:
                status = MEMORY_RAN_OUT
            else:
                stack = <CodeNode**> larger
        for k in range(1, -1, -1):  # the left child comes off the stack first
            if children[k] == NULL:
                continue
            if status == 0:
                stack[n_stack] = children[k]
                n_stack += 1
            else:
                free(children[k])
    for k in range(n_stack):
        free(stack[k])
    free(stack)
    return status


cdef void grow_pending(
    CodeSearch* search,
    Growth* growth,
    CodeNode** root,            # taken
    CodeWorkspace* work,
    int* shared_status,         # in, out
) noexcept nogil:
    """Grow one of the subtrees that threads share, unless another one has failed already."""
    cdef CodeNode* node = root[0]
    cdef int32_t n_pending = 0
    cdef int status
    if shared_status[0] != 0:
        return
    root[0] = NULL
    node.id = write_record(growth, node.n_samples, node.impurity)
    if node.id < 0:
        free(node)
        status = MEMORY_RAN_OUT
    else:
        status = grow_subtree(search, growth, node, 0, NULL, &n_pending, work)
    if status != 0:
        shared_status[0] = status


cdef int open_workspace(CodeWorkspace* work, const CodeSearch* search, int n_classes) noexcept nogil:
    """Allocate everything in one block; -1 when memory runs out."""
    cdef size_t n = search.table.n_samples, widest = 1, cells, at
    cdef int32_t place
    cdef char* block
    for place in range(search.table.n_stored):
        widest = max(widest, <size_t> search.table.n_codes[place])
    widest = (widest + 15) // 16 * 16
    cells = widest * n_classes
    at = (
        4 * cells + 4 * 8 * (n_classes + 1) + 2 * widest + widest // 8 + 4 * (n + 16) + 8 * (n // 64 + 2)
        + 4 * n_classes + 8 * n_classes + 9 * 64
    )
    if search.table.bits.n_bits > 0:
        at += 4 * 256 * (n_classes + 1)
    block = <char*> malloc(at)
    work.block = block
    if block == NULL:
        return -1
    at = (64 - <size_t> block % 64) % 64
    work.histogram = <uint32_t*> (block + at)
    memset(work.histogram, 0, 4 * cells)
    at += (4 * cells + 63) // 64 * 64
    work.scratch = <int32_t*> (block + at)
    at += (4 * 8 * (n_classes + 1) + 63) // 64 * 64
    work.goes_left = <uint64_t*> (block + at)
    at += 8 * (n // 64 + 2)
    work.impurity_counts = <double*> (block + at)
    at += 8 * n_classes
    work.spare = <uint32_t*> (block + at)
    at += 4 * (n + 16)
    work.left_counts = <int32_t*> (block + at)
    at += 4 * n_classes
    work.new_codes = <uint16_t*> (block + at)
    at += 2 * widest
    work.present = <uint8_t*> (block + at)
    at += (widest // 8 + 63) // 8 * 8
    work.bit_counts = <int32_t*> (block + (at + 63) // 64 * 64)
    return 0


cdef class CodeGrower:
    """Grows one classification tree over integer codes.

    Parameters
    ----------
    codes : CodeSet
        Its columns are used up by the growth.
    kernel : treelearn.criteria.Kernel
        The criterion.
    rules : dict
        The estimator's parameters as whole numbers and floats, as ``Grower`` takes them.
    weight_unit : float
        The weight of every sample.
    n_threads : int
        Threads that may grow.
    """

    cdef CodeSet codes
    cdef CodeSearch search
    cdef int n_threads
    cdef int n_classes
    cdef double scale
    cdef object tables

    def __init__(self, CodeSet codes, kernel, dict rules, double weight_unit, int n_threads):
        cdef CodeSearch* search = &self.search
        cdef Rules* own = &search.common.rules
        cdef const double[::1] terms, weight_terms
        memset(search, 0, sizeof(CodeSearch))
        self.codes = codes
        self.n_threads = n_threads
        self.n_classes = len(codes.class_counts)
        self.scale = kernel.scale
        self.tables = rules["tables"]
        search.table = codes.table
        search.level = tl_simd_level()
        search.scoring.formula = kernel.formula
        search.scoring.order = kernel.order
        search.scoring.is_binary = self.n_classes == 2
        terms, weight_terms = self.tables
        search.scoring.count_terms = &terms[0]
        search.scoring.weight_terms = &weight_terms[0]
        search.common.targets.weight_unit = weight_unit
        total_weight = weight_unit * codes.table.n_samples
        own.max_depth = rules["max_depth"]
        own.min_samples_split = rules["min_samples_split"]
        # Samples weigh alike: least weights are least numbers.
        min_weight = rules["min_weight_fraction"] * total_weight
        own.min_samples_leaf = min(
            max(rules["min_samples_leaf"], 1, int(np.ceil(min_weight / weight_unit))), 2**30
        )
        own.min_decrease = (
            (rules["min_impurity_decrease"] - EPSILON) * total_weight / kernel.scale
        )

    cdef CodeNode* make_root(self, double* scratch) except NULL:
        """Make the root from all samples and all columns."""
        cdef CodeTable* table = &self.search.table
        cdef const int32_t[::1] counts = self.codes.class_counts
        cdef int32_t c, k = 0, place, n_present = 0
        cdef CodeNode* root
        for c in range(self.n_classes):
            n_present += counts[c] > 0
        root = new_node(n_present, table.n_stored)
        if root == NULL:
            raise MemoryError(
                f"Unable to allocate {table.n_stored * sizeof(CodeColumn)} bytes for a node."
            )
        for c in range(self.n_classes):
            if counts[c] > 0:
                root.classes[k] = c
                root.counts[k] = counts[c]
                k += 1
        for place in range(table.n_stored):
            root.columns[place].place = place
            root.columns[place].n_codes = table.n_codes[place]
            root.columns[place].default_code = -1
            root.columns[place].is_wide = table.n_codes[place] > 256
            root.columns[place].has_missing = table.has_missing[place]
        root.start = 0
        root.depth = 0
        root.n_samples = table.n_samples
        root.impurity = impurity_of(
            &self.search, n_present, root.counts, table.n_samples, scratch, &k
        )
        return root

    def grow(self):
        """Grow the tree and return its arrays by name, nodes in pre-order.

        Returns
        -------
        dict of ndarray
            As ``Grower.grow`` returns them.

        Raises
        ------
        MemoryError
            With the number of bytes that could not be had.
        """
        cdef CodeSearch* search = &self.search
        cdef CodeWorkspace* workspaces = NULL
        cdef Growth* growths = NULL
        cdef Growth growth
        cdef CodeNode* root
        cdef CodeNode** pending = NULL
        cdef int32_t n_pending = 0, largest_kept = 0, k
        cdef int status = 0, i, n_threads = self.n_threads
        samples = np.arange(search.table.n_samples, dtype=np.int32)
        cdef int32_t[::1] samples_view = samples
        search.samples = &samples_view[0]
        memset(&growth, 0, sizeof(Growth))
        workspaces = <CodeWorkspace*> calloc(n_threads, sizeof(CodeWorkspace))
        try:
            if workspaces == NULL:
                raise MemoryError(
                    f"Unable to allocate {n_threads * sizeof(CodeWorkspace)} bytes."
                )
            for i in range(n_threads):
                if open_workspace(workspaces + i, search, self.n_classes) != 0:
                    raise MemoryError("Unable to allocate scratch memory for growth.")
                workspaces[i].shared_status = &status
                workspaces[i].until_poll = CELLS_PER_POLL
            workspaces[0].polls = True
            root = self.make_root(workspaces[0].impurity_counts)
            if n_threads > 1:
                largest_kept = max(
                    <int32_t> SMALL_NODE, search.table.n_samples // (8 * n_threads)
                )
            with nogil:
                root.id = write_record(&growth, root.n_samples, root.impurity)
                if root.id < 0:
                    status = MEMORY_RAN_OUT
                    free(root)
                elif is_terminal(search, root.n_samples, 0, root.n_classes):
                    status = write_classes(
                        &growth, root.id, root.n_classes, root.classes, root.counts
                    )
                    free(root)
                else:
                    status = grow_subtree(
                        search, &growth, root, largest_kept, &pending, &n_pending, workspaces
                    )
            if status == 0 and n_pending > 0:
                growths = <Growth*> calloc(n_pending, sizeof(Growth))
                if growths == NULL:
                    raise MemoryError(f"Unable to allocate {n_pending * sizeof(Growth)} bytes.")
                for k in prange(
                    n_pending, nogil=True, num_threads=n_threads, schedule="dynamic", chunksize=1
                ):
                    grow_pending(
                        search, growths + k, pending + k, workspaces + threadid(), &status
                    )
            if status == MEMORY_RAN_OUT:
                raise MemoryError("Unable to allocate memory for the nodes of the tree.")
            if status == INTERRUPTED:
                raise_pending()
            return assemble(
                &growth, growths, n_pending, search.common.targets.weight_unit, self.scale
            )
        finally:
            for k in range(n_pending):
                free(pending[k])
                if growths != NULL:
                    release(growths + k)
            free(growths)
            free(pending)
            release(&growth)
            if workspaces != NULL:
                for i in range(n_threads):
                    free(workspaces[i].block)
            free(workspaces)
