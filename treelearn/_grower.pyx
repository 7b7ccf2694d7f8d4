"""Growth: from the root to the leaves.

Depth first, threads hand nodes to each other, and every subtree that was handed on writes its own
records. Nodes are numbered in pre-order at the end, so the tree is the same for every number of
threads.
"""

from cython.parallel cimport prange
from libc.math cimport INFINITY
from libc.stdlib cimport calloc, free
from libc.string cimport memset

import numpy as np

from ._best_first cimport grow_best_first
from ._crowd cimport begin_region, begin_share
from ._depth_first cimport grow_depth_first, work_off
from ._node cimport (
    CHANGES_FORM,
    INTERRUPTED,
    MEMORY_RAN_OUT,
    Buffers,
    describe,
    evaluate,
    hand_on,
    release_node,
)
from ._queue cimport Queue, begin_subtree, close_queue, n_at_work
from ._records cimport Growth, assemble, write_leaf, write_record
from ._screened cimport can_be_screened
from ._signals cimport raise_pending
from ._splitter cimport mix, point_at_guide
from ._statistics cimport add_samples
from ._training_set cimport TrainingSet
from ._types cimport *
from ._workspace cimport Workspace, close_workspace, open_workspace

cdef extern from "native/impurity.h" nogil:
    const int TL_GINI, TL_SQUARED_ERROR, TL_ABSOLUTE_ERROR

cdef extern from "native/simd.h" nogil:
    int tl_simd_level()

cdef double EPSILON = 2.220446049250313e-16


cdef Scan scan_of(const Search* search) noexcept nogil:
    """Return which kernels serve a search."""
    cdef int formula = search.rules.formula
    cdef bint is_binary = (
        search.sums_classes
        and search.targets.has_unit_weights
        and search.class_shift != 0
        and search.targets.max_n_classes == 2
    )
    if search.rules.random_thresholds:
        return SCAN_OTHER
    if search.sums_classes and formula == TL_GINI:
        return SCAN_BINARY if is_binary else SCAN_CLASSES
    if is_binary:
        return SCAN_BINARY_TERMS
    if search.sums_classes:
        return SCAN_POWERS
    if search.sums_moments and formula == TL_SQUARED_ERROR:
        return SCAN_MOMENTS
    return SCAN_OTHER


cdef class Grower:
    """Grows one tree over a training set.

    Parameters
    ----------
    training_set : TrainingSet
        Its lists are used up by the growth, unless they are to be kept.
    kernel : treelearn.criteria.Kernel
        The criterion.
    rules : dict
        The estimator's parameters as whole numbers and floats; see ``__init__``.
    seed : int
        64 bits from which every random choice follows.
    n_threads : int
        Threads that may grow.
    keeps_lists : bool, default=False
        Whether the lists of the training set stay as they are, which takes as much memory again.
    guide : treelearn._guides.Guide or None, default=None
        The splits of a tree of the same samples and criterion that had no stricter rules.
    """

    def __init__(
        self,
        TrainingSet training_set,
        kernel,
        dict rules,
        seed,
        int n_threads,
        bint keeps_lists=False,
        guide=None,
    ):
        cdef Search* search = &self.search
        cdef const int8_t[::1] monotonic
        cdef const int64_t[::1] list_starts = training_set.list_starts
        cdef const double[::1] defaults = training_set.default_values
        cdef const double[::1] terms, weight_terms
        cdef const int32_t[:, ::1] ranks
        memset(search, 0, sizeof(Search))
        self.training_set = training_set
        self.arrays = {}
        self.seed = seed
        self.scale = kernel.scale
        self.weight_scale = training_set.weight_scale
        search.values = training_set.values
        search.targets = training_set.targets
        search.class_shift = training_set.class_shift
        search.index_mask = training_set.index_mask
        search.n_features = training_set.n_features
        search.n_total = training_set.n_total
        search.list_starts = &list_starts[0]
        search.default_values = &defaults[0]
        search.rules.formula = kernel.formula
        search.rules.order = kernel.order
        search.rules.shannon_ties = kernel.shannon_ties
        search.rules.random_thresholds = rules["random_thresholds"]
        search.rules.max_features = min(rules["max_features"], training_set.n_features)
        search.rules.max_depth = rules["max_depth"]
        search.rules.min_samples_split = rules["min_samples_split"]
        search.rules.min_samples_leaf = rules["min_samples_leaf"]
        unit = training_set.targets.weight_unit
        min_weight = rules["min_weight_fraction"] * training_set.total_weight
        search.rules.min_weight_leaf = max(1, int(np.ceil(min_weight / unit)))
        search.rules.min_decrease = (
            (rules["min_impurity_decrease"] - EPSILON)
            * training_set.total_weight / kernel.scale
        )
        search.rules.max_leaf_nodes = rules["max_leaf_nodes"]
        if rules["monotonic"] is not None:
            self.arrays["monotonic"] = rules["monotonic"]
            monotonic = rules["monotonic"]
            search.rules.monotonic = &monotonic[0]
        tables = rules["tables"]
        if tables is not None:
            self.arrays["tables"] = tables
            terms, weight_terms = tables
            search.count_terms = &terms[0]
            search.weight_terms = &weight_terms[0]
            search.sums_classes = True
        if rules.get("tie_terms") is not None:
            self.arrays["tie_terms"] = rules["tie_terms"]
            terms = rules["tie_terms"]
            search.tie_terms = &terms[0]
        if rules["y_ranks"] is not None:
            self.arrays["y_ranks"] = rules["y_ranks"]
            ranks = rules["y_ranks"]
            search.y_ranks = &ranks[0, 0]
        search.sums_moments = (
            not search.targets.is_classification and search.targets.n_outputs == 1
        )
        if guide is not None:
            self.arrays["guide"] = guide
            point_at_guide(&search.guide, guide)
        search.is_concave = kernel.is_concave_for(search.targets.max_n_classes)
        search.simd = tl_simd_level()
        self.n_threads = n_threads
        self.n_shares = 0
        self.keeps_lists = keeps_lists
        self.choose_scan()

    cdef void choose_scan(self):
        """Choose how lists are scanned, and what of the samples has to be kept for it."""
        cdef TrainingSet data = self.training_set
        cdef Search* search = &self.search
        if data.root_segments is None:
            # Binned samples have no lists.
            search.scan = SCAN_OTHER
            search.sums_moments = search.sums_moments and search.rules.monotonic == NULL
            search.keeps_samples = True
            search.may_narrow = search.may_be_tiny = False
            return
        search.scan = scan_of(search)
        search.is_screened = search.scan == SCAN_OTHER and can_be_screened(search)
        search.keeps_samples = (
            not search.targets.is_classification
            or search.targets.n_outputs > 1
            or bool((data.root_segments.sum(axis=1) < len(data.rows)).any())
        )
        search.may_narrow = (
            (search.sums_classes or search.sums_moments or search.tie_terms != NULL)
            and search.rules.formula != TL_ABSOLUTE_ERROR
            and not search.rules.random_thresholds
            and search.rules.max_leaf_nodes == 0
        )
        search.may_be_tiny = (
            search.scan == SCAN_MOMENTS
            and search.targets.has_unit_weights
            and search.rules.max_features >= search.n_features
            and search.rules.max_leaf_nodes == 0
            and search.rules.monotonic == NULL
        )

    cdef int open_buffers(self, Buffers* buffers) except -1:
        """Point the buffers at the lists, and say how nodes are split by them."""
        cdef TrainingSet data = self.training_set
        first = np.empty_like(data.entries) if self.keeps_lists else data.entries
        second = np.empty_like(data.entries)
        cdef uint32_t[::1] root_entries = data.entries
        cdef uint32_t[::1] first_entries = first
        cdef uint32_t[::1] second_entries = second
        self.arrays.update(first_entries=first, second_entries=second)
        buffers.lists[0] = &first_entries[0]
        buffers.lists[1] = &second_entries[0]
        buffers.lists[2] = &root_entries[0]
        buffers.evaluate = evaluate
        buffers.hand_on = hand_on
        return 0

    cdef int make_root(self, Node* root, Workspace* work) except -1:
        """Set the root from all samples and all features."""
        cdef TrainingSet data = self.training_set
        cdef const int32_t[::1] rows = data.rows
        cdef const int32_t[:, ::1] segments = data.root_segments
        cdef int32_t feature
        memset(root, 0, sizeof(Node))
        root.stats = <int64_t*> calloc(self.search.targets.n_stats, sizeof(int64_t))
        root.segments = <Segment*> calloc(self.search.n_features, sizeof(Segment))
        if root.stats == NULL or root.segments == NULL:
            release_node(root)
            raise MemoryError(
                f"Unable to allocate {self.search.n_features * sizeof(Segment)} bytes for a node."
            )
        root.n_samples = rows.shape[0]
        root.n_segments = self.search.n_features
        root.seed = mix(self.seed)
        root.lower_bound = -INFINITY
        root.upper_bound = INFINITY
        for feature in range(self.search.n_features):
            root.segments[feature].feature = feature
            root.segments[feature].n_below = segments[feature, 0]
            root.segments[feature].n_above = segments[feature, 1]
            root.segments[feature].n_missing = segments[feature, 2]
        add_samples(
            &self.search.targets, &rows[0], root.n_samples, root.stats, &root.weight
        )
        describe(&self.search, root, &rows[0], work)
        return 0

    def grow(self):
        """Grow the tree and return its arrays by name, nodes in pre-order.

        Returns
        -------
        dict of ndarray, or None where another form grows the tree sooner
            ``left``, ``right``, ``feature``, ``threshold``, ``missing_go_to_left``,
            ``impurity``, ``n_node_samples``, ``weighted_n_node_samples``; ``value`` of shape
            (n_nodes, value_stride); ``class_starts``, ``classes`` and ``class_weights`` of
            the leaves.

        Raises
        ------
        MemoryError
            With the number of bytes that could not be had.
        """
        cdef TrainingSet data = self.training_set
        cdef Search* search = &self.search
        cdef Buffers buffers
        cdef int n_threads = self.n_threads, n_working
        cdef int64_t due
        cdef Workspace* workspaces = NULL
        cdef Queue queue
        cdef Growth* growth
        cdef Node root
        cdef int32_t largest_kept = 0, number
        cdef int status = 0, i
        samples = np.empty((2, search.n_total if search.keeps_samples else 1), dtype=np.int32)
        if search.keeps_samples:
            samples[0, : data.rows.shape[0]] = data.rows
        cdef int32_t[:, ::1] samples_view = samples
        memset(&buffers, 0, sizeof(Buffers))
        buffers.samples[0] = &samples_view[0, 0]
        buffers.samples[1] = &samples_view[1, 0]
        buffers.n_threads = n_threads
        self.open_buffers(&buffers)
        memset(&queue, 0, sizeof(Queue))
        if not search.targets.is_classification:
            queue.value_stride = search.targets.n_outputs
        elif search.rules.monotonic != NULL:
            queue.value_stride = 1
        workspaces = <Workspace*> calloc(n_threads, sizeof(Workspace))
        try:
            growth = begin_subtree(&queue, &number)
            if workspaces == NULL or growth == NULL:
                raise MemoryError(f"Unable to allocate {n_threads * sizeof(Workspace)} bytes.")
            for i in range(n_threads):
                if open_workspace(workspaces + i, search) != 0:
                    raise MemoryError(
                        f"Unable to allocate {search.n_total * sizeof(entry_t)} bytes of scratch "
                        "memory."
                    )
                workspaces[i].shared_status = &queue.status
            buffers.workspaces = workspaces
            workspaces[0].polls = True
            self.make_root(&root, workspaces)
            root.buffer = 2 if self.keeps_lists else 0
            if n_threads > 1 and search.rules.max_leaf_nodes == 0:
                largest_kept = root.n_samples
                if self.n_shares > 0:
                    largest_kept //= self.n_shares * n_threads
            with nogil:
                status = write_record(search, growth, &root, buffers.samples[0], workspaces)
                if status != 0 or root.is_terminal:
                    if status == 0:
                        status = write_leaf(search, growth, &root)
                    release_node(&root)
                elif search.rules.max_leaf_nodes > 0:
                    status = grow_best_first(search, &buffers, growth, &root, workspaces)
                else:
                    status = grow_depth_first(
                        search, &buffers, growth, &root, largest_kept, &queue, workspaces
                    )
            if queue.status == 0:
                queue.status = status
            if queue.status == 0 and queue.n_tasks > 0:
                buffers.n_threads = 1
                n_working = n_at_work(n_threads, <int64_t> root.n_samples * search.n_features)
                due = begin_region(n_working)
                # Subtrees write to their own records and to their own part of the buffers.
                for i in prange(
                    n_working, nogil=True, num_threads=n_working, schedule="static", chunksize=1
                ):
                    begin_share(due)
                    work_off(search, &buffers, &queue, workspaces + i)
            if queue.status == MEMORY_RAN_OUT:
                asked = max([queue.subtrees[i].bytes_asked for i in range(queue.n_subtrees)])
                raise MemoryError(f"Unable to allocate {asked} bytes for the nodes of the tree.")
            if queue.status == INTERRUPTED:
                raise_pending()
            if queue.status == CHANGES_FORM:
                return None
            return assemble(
                queue.subtrees, queue.n_subtrees, search.targets.weight_unit * self.weight_scale,
                self.scale,
            )
        finally:
            for i in range(queue.n_tasks):
                release_node(<Node*> queue.tasks[i].node)
                free(queue.tasks[i].node)
            close_queue(&queue)
            if workspaces != NULL:
                for i in range(n_threads):
                    close_workspace(workspaces + i)
            free(workspaces)
