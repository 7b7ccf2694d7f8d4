"""Growth over integer codes, depth first.

Threads hand nodes to each other (_queue.pyx). The tree is the same, to the bit, as the one that the
presorted lists grow (_grower.pyx).
"""

from cython.parallel cimport prange
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memset

import numpy as np

from ._code_node cimport (
    CELLS_PER_POLL,
    grow_small,
    impurity_of,
    is_terminal,
    new_node,
    split_node,
    write_classes,
    write_record,
)
from ._code_scan cimport SMALL_NODE
from ._code_types cimport *
from ._codes cimport CodeSet
from ._crowd cimport begin_region, begin_share
from ._node cimport INTERRUPTED, MEMORY_RAN_OUT
from ._queue cimport (
    Queue,
    Task,
    begin_subtree,
    close_queue,
    finish,
    is_waited_for,
    n_at_work,
    put,
    take,
)
from ._records cimport Growth, assemble, record_of
from ._signals cimport raise_pending, tl_seconds
from ._types cimport *

cdef extern from "native/simd.h" nogil:
    int tl_simd_level()

cdef double EPSILON = 2.220446049250313e-16

# Nothing is started that cannot pay: many a tree of a few classes ends sooner than a second thread
# has begun (kr_vs_kp, mushroom), and how soon only growing it tells.
cdef double SECONDS_ALONE = 0.0003

cdef enum:
    # Nodes from this size on may go to another thread: some tenths of a millisecond of work.
    SHARED_NODE = 512


cdef int hand_on(Queue* queue, Growth* growth, CodeNode* node) noexcept nogil:
    """Give a node to another thread."""
    cdef int32_t number
    cdef Growth* own = begin_subtree(queue, &number)
    if own == NULL:
        free(node)
        return MEMORY_RAN_OUT
    record_of(growth, node.id).subtree = number
    node.id = write_record(own, node.n_samples, node.impurity)
    if node.id < 0 or put(queue, node, own) != 0:
        free(node)
        return MEMORY_RAN_OUT
    return 0


cdef int grow_subtree(
    CodeSearch* search,
    Growth* growth,
    CodeNode* root,             # its record is written; it is owned by this call
    double alone_until,         # when all that is left goes into the queue; 0: never
    Queue* queue,
    CodeWorkspace* work,
) noexcept nogil:
    """Grow a subtree depth first, and hand nodes on to threads that wait."""
    cdef CodeNode** stack = NULL
    cdef void* larger
    cdef CodeNode* node
    cdef CodeNode* children[2]
    cdef int32_t n_stack = 1, capacity = 64
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
        if (alone_until > 0.0 and tl_seconds() >= alone_until) or (
            n_stack > 0 and node.n_samples >= SHARED_NODE and is_waited_for(queue)
        ):
            status = hand_on(queue, growth, node)
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


cdef void work_off(CodeSearch* search, Queue* queue, CodeWorkspace* work) noexcept nogil:
    """Grow what the queue holds until every thread is done."""
    cdef Task task
    while take(queue, work.polls, &work.last_poll, &task):
        finish(
            queue, grow_subtree(search, task.growth, <CodeNode*> task.node, 0.0, queue, work)
        )


cdef int open_workspace(
    CodeWorkspace* work, const CodeSearch* search, int n_classes
) noexcept nogil:
    """Allocate everything in one block; -1 when memory runs out."""
    cdef size_t n = search.table.n_samples, widest = 1, cells, at
    cdef int32_t place
    cdef char* block
    for place in range(search.table.n_stored):
        widest = max(widest, <size_t> search.table.n_codes[place])
    widest = (widest + 15) // 16 * 16
    cells = widest * n_classes
    at = (
        4 * cells + 4 * 8 * (n_classes + 1) + 2 * widest + widest // 8 + 4 * (n + 16)
        + 8 * (n // 64 + 2) + 4 * n_classes + 8 * n_classes + 9 * 64
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
        cdef Queue queue
        cdef CodeNode* root
        cdef Growth* growth
        cdef int32_t number
        cdef int i, k, n_threads = self.n_threads
        cdef int n_working = n_at_work(
            n_threads, <int64_t> search.table.n_samples * self.codes.n_features
        )
        cdef int64_t due
        cdef double alone_until = 0.0
        samples = np.arange(search.table.n_samples, dtype=np.int32)
        cdef int32_t[::1] samples_view = samples
        search.samples = &samples_view[0]
        memset(&queue, 0, sizeof(Queue))
        try:
            workspaces = <CodeWorkspace*> calloc(n_threads, sizeof(CodeWorkspace))
            growth = begin_subtree(&queue, &number)
            if workspaces == NULL or growth == NULL:
                raise MemoryError(
                    f"Unable to allocate {n_threads * sizeof(CodeWorkspace)} bytes."
                )
            for i in range(n_threads):
                if open_workspace(workspaces + i, search, self.n_classes) != 0:
                    raise MemoryError("Unable to allocate scratch memory for growth.")
                workspaces[i].shared_status = &queue.status
                workspaces[i].until_poll = CELLS_PER_POLL
            workspaces[0].polls = True
            root = self.make_root(workspaces[0].impurity_counts)
            root.id = write_record(growth, root.n_samples, root.impurity)
            if root.id < 0:
                queue.status = MEMORY_RAN_OUT
                free(root)
            elif is_terminal(search, root.n_samples, 0, root.n_classes):
                queue.status = write_classes(
                    growth, root.id, root.n_classes, root.classes, root.counts
                )
                free(root)
            else:
                if n_working > 1:
                    alone_until = tl_seconds() + SECONDS_ALONE
                with nogil:
                    queue.status = grow_subtree(
                        search, growth, root, alone_until, &queue, workspaces
                    )
            if queue.status == 0 and queue.n_tasks > 0:
                due = begin_region(n_working)
                for i in prange(
                    n_working, nogil=True, num_threads=n_working, schedule="static", chunksize=1
                ):
                    begin_share(due)
                    work_off(search, &queue, workspaces + i)
            if queue.status == MEMORY_RAN_OUT:
                raise MemoryError("Unable to allocate memory for the nodes of the tree.")
            if queue.status == INTERRUPTED:
                raise_pending()
            return assemble(
                queue.subtrees, queue.n_subtrees, search.common.targets.weight_unit, self.scale
            )
        finally:
            for k in range(queue.n_tasks):
                free(queue.tasks[k].node)
            close_queue(&queue)
            if workspaces != NULL:
                for i in range(n_threads):
                    free(workspaces[i].block)
            free(workspaces)
