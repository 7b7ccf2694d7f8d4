"""Scratch memory of a thread that grows a tree: taken once, nothing is allocated in loops."""

from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from ._types cimport *

cdef extern from "native/screens.h" nogil:
    ctypedef struct tl_screen:
        double* current


cdef extern from "native/impurity.h" nogil:
    const int TL_ABSOLUTE_ERROR


cdef int open_workspace(Workspace* workspace, const Search* search) noexcept nogil:
    """Allocate everything; return -1 when memory is not to be had (close it all the same)."""
    cdef const Targets* targets = &search.targets
    cdef size_t n = search.n_total
    cdef size_t n_stats = targets.n_stats
    cdef size_t n_leaves = 1
    cdef size_t n_outputs = targets.n_outputs
    cdef int32_t feature
    cdef bint has_medians = search.rules.formula == TL_ABSOLUTE_ERROR
    memset(workspace, 0, sizeof(Workspace))
    while n_leaves < <size_t> targets.max_n_classes:
        n_leaves *= 2
    workspace.position = <int32_t*> calloc(BLOCK, sizeof(int32_t))
    workspace.weight_left = <double*> calloc(BLOCK, sizeof(double))
    workspace.sum_left = <double*> calloc(BLOCK, sizeof(double))
    workspace.sum_right = <double*> calloc(BLOCK, sizeof(double))
    workspace.square_left = <double*> calloc(BLOCK, sizeof(double))
    workspace.square_right = <double*> calloc(BLOCK, sizeof(double))
    workspace.score = <double*> calloc(BLOCK, sizeof(double))
    workspace.left = <int64_t*> calloc(n_stats, sizeof(int64_t))
    workspace.right = <int64_t*> calloc(n_stats, sizeof(int64_t))
    workspace.above = <int64_t*> calloc(n_stats, sizeof(int64_t))
    workspace.missing = <int64_t*> calloc(n_stats, sizeof(int64_t))
    workspace.nothing = <int64_t*> calloc(n_stats, sizeof(int64_t))
    workspace.counts = <double*> calloc(targets.max_n_classes, sizeof(double))
    workspace.left_tree = <double*> calloc(2 * n_leaves, sizeof(double))
    workspace.right_tree = <double*> calloc(2 * n_leaves, sizeof(double))
    workspace.local_class = <int32_t*> calloc(targets.max_n_classes, sizeof(int32_t))
    workspace.local_counts = <int64_t*> calloc(targets.max_n_classes, sizeof(int64_t))
    workspace.features = <int32_t*> calloc(search.n_features, sizeof(int32_t))
    workspace.place = <int32_t*> calloc(search.n_features, sizeof(int32_t))
    workspace.spare = <entry_t*> calloc(n + 8, sizeof(entry_t))
    if (
        workspace.position == NULL
        or workspace.weight_left == NULL
        or workspace.sum_left == NULL
        or workspace.sum_right == NULL
        or workspace.square_left == NULL
        or workspace.square_right == NULL
        or workspace.score == NULL
        or workspace.left == NULL
        or workspace.right == NULL
        or workspace.above == NULL
        or workspace.missing == NULL
        or workspace.nothing == NULL
        or workspace.counts == NULL
        or workspace.left_tree == NULL
        or workspace.right_tree == NULL
        or workspace.local_class == NULL
        or workspace.local_counts == NULL
        or workspace.features == NULL
        or workspace.place == NULL
        or workspace.spare == NULL
    ):
        return -1
    for feature in range(search.n_features):
        workspace.features[feature] = feature
        workspace.place[feature] = -1
    workspace.goes_left = <uint32_t*> calloc(n // 32 + 8, sizeof(uint32_t))
    if workspace.goes_left == NULL:
        return -1
    if search.may_narrow and open_narrow(workspace, search) != 0:
        return -1
    if search.may_be_tiny:
        workspace.tiny_entries = <uint16_t*> calloc(
            search.n_features * TL_TINY_SAMPLES + TL_TINY_SLACK, sizeof(uint16_t)
        )
        workspace.tiny_rank = <uint8_t*> calloc(search.n_features, TL_TINY_SAMPLES)
        if workspace.tiny_entries == NULL or workspace.tiny_rank == NULL:
            return -1
    if search.is_screened:
        workspace.screen = calloc(1, sizeof(tl_screen))
        workspace.before = <int64_t*> calloc(n_stats, sizeof(int64_t))
        if workspace.screen == NULL or workspace.before == NULL:
            return -1
        (<tl_screen*> workspace.screen).current = <double*> calloc(n_stats, sizeof(double))
        if (<tl_screen*> workspace.screen).current == NULL:
            return -1
    if has_medians:
        workspace.pairs = <uint64_t*> calloc(n, sizeof(uint64_t))
        workspace.spare_pairs = <uint64_t*> calloc(n, sizeof(uint64_t))
        workspace.order = <int32_t*> calloc(n, sizeof(int32_t))
        workspace.local_rank = <int32_t*> calloc(n * n_outputs, sizeof(int32_t))
        workspace.links = <int32_t*> calloc(2 * n, sizeof(int32_t))
        workspace.costs = <double*> calloc(4 * (n + 1), sizeof(double))
        workspace.marks = <uint8_t*> calloc(n, sizeof(uint8_t))
        if (
            workspace.pairs == NULL
            or workspace.spare_pairs == NULL
            or workspace.order == NULL
            or workspace.local_rank == NULL
            or workspace.links == NULL
            or workspace.costs == NULL
            or workspace.marks == NULL
        ):
            return -1
    return 0


cdef int open_narrow(Workspace* workspace, const Search* search) noexcept nogil:
    """Allocate the narrow lists and the local copies; return -1 when memory is not to be had."""
    cdef size_t n = min(<size_t> search.n_total, <size_t> TL_NARROW_SAMPLES)
    cdef size_t length = (n + 2 * TL_NARROW_SLACK) * search.n_features
    workspace.widened = <entry_t*> calloc(n, sizeof(entry_t))
    workspace.narrow[0] = <narrow_t*> calloc(length, sizeof(narrow_t))
    workspace.narrow[1] = <narrow_t*> calloc(length, sizeof(narrow_t))
    workspace.narrow_starts = <int64_t*> calloc(search.n_features, sizeof(int64_t))
    workspace.local_samples[0] = <int32_t*> calloc(n, sizeof(int32_t))
    workspace.local_samples[1] = <int32_t*> calloc(n, sizeof(int32_t))
    workspace.global_sample = <int32_t*> calloc(n, sizeof(int32_t))
    workspace.global_class = <int32_t*> calloc(TL_NARROW_CLASSES, sizeof(int32_t))
    workspace.local_labels = <int32_t*> calloc(n, sizeof(int32_t))
    workspace.local_weights = <int64_t*> calloc(n, sizeof(int64_t))
    workspace.local_sums = <int64_t*> calloc(n, sizeof(int64_t))
    workspace.local_squares = <int64_t*> calloc(n, sizeof(int64_t))
    workspace.local_y = <double*> calloc(n, sizeof(double))
    if (
        workspace.widened == NULL
        or workspace.narrow[0] == NULL
        or workspace.narrow[1] == NULL
        or workspace.narrow_starts == NULL
        or workspace.local_samples[0] == NULL
        or workspace.local_samples[1] == NULL
        or workspace.global_sample == NULL
        or workspace.global_class == NULL
        or workspace.local_labels == NULL
        or workspace.local_weights == NULL
        or workspace.local_sums == NULL
        or workspace.local_squares == NULL
        or workspace.local_y == NULL
    ):
        return -1
    return 0


cdef void* scratch_of(Workspace* workspace, size_t n_bytes) noexcept nogil:
    """Return scratch memory of at least so many bytes, whatever it holds; NULL: there is none."""
    if n_bytes > workspace.scratch_bytes:
        free(workspace.scratch)
        # Half as much again, so that it is not taken anew for every larger node.
        workspace.scratch_bytes = n_bytes + n_bytes // 2
        workspace.scratch = malloc(workspace.scratch_bytes)
        if workspace.scratch == NULL:
            workspace.scratch_bytes = 0
    return workspace.scratch


cdef void close_workspace(Workspace* workspace) noexcept nogil:
    """Free everything that open_workspace took."""
    free(workspace.position)
    free(workspace.weight_left)
    free(workspace.sum_left)
    free(workspace.sum_right)
    free(workspace.square_left)
    free(workspace.square_right)
    free(workspace.score)
    free(workspace.left)
    free(workspace.right)
    free(workspace.above)
    free(workspace.missing)
    free(workspace.nothing)
    free(workspace.counts)
    free(workspace.left_tree)
    free(workspace.right_tree)
    free(workspace.local_class)
    free(workspace.local_counts)
    free(workspace.features)
    free(workspace.place)
    free(workspace.spare)
    free(workspace.goes_left)
    free(workspace.widened)
    free(workspace.narrow[0])
    free(workspace.narrow[1])
    free(workspace.narrow_starts)
    free(workspace.local_samples[0])
    free(workspace.local_samples[1])
    free(workspace.global_sample)
    free(workspace.global_class)
    free(workspace.local_labels)
    free(workspace.local_weights)
    free(workspace.local_sums)
    free(workspace.local_squares)
    free(workspace.local_y)
    free(workspace.tiny_entries)
    free(workspace.tiny_rank)
    if workspace.screen != NULL:
        free((<tl_screen*> workspace.screen).current)
    free(workspace.screen)
    free(workspace.before)
    free(workspace.pairs)
    free(workspace.spare_pairs)
    free(workspace.order)
    free(workspace.local_rank)
    free(workspace.links)
    free(workspace.costs)
    free(workspace.marks)
    free(workspace.cells)
    free(workspace.sorted_codes)
    free(workspace.spare_codes)
    free(workspace.scratch)
    memset(workspace, 0, sizeof(Workspace))
