"""The search of a large node: which features are looked at first, by which thread.

What the most promising features reach rules out most bins of the others. Whatever is looked at
first, and by whom, the best cut is the same (_bounded_scan.pyx).
"""

from cython.parallel cimport parallel, prange, threadid
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from .._crowd cimport begin_region, begin_share, end_share, n_threads_now
from .._node cimport CHANGES_FORM, MEMORY_RAN_OUT, Buffers
from .._scan cimport prepare_node
from .._types cimport *
from .._workspace cimport Workspace
from ._bin_table cimport BinTable
from ._bounded_scan cimport comes_first, scan_features
from ._bounds cimport (
    BoundedTable,
    Bounds,
    bound_feature,
    close_bounds,
    margin_of,
    most_alive,
    open_bounds,
    share_alive,
)

cdef enum:
    FEWEST_SHARED = 32768   # samples below which sharing out costs more than it saves


cdef bint is_better(const Split* candidate, const Split* best) noexcept nogil:
    """Compare the best cuts of two threads."""
    if candidate.feature < 0 or candidate.score < best.score:
        return False
    return candidate.score > best.score or comes_first(
        candidate.feature, candidate.n_left, best
    )


cdef int share_features(
    const Search* search,
    const Buffers* buffers,
    const Node* node,
    const int32_t* features,
    int32_t n_features,
    int n_threads,
    Bounds* bounds,             # in, out: the bar
    Split* best,                # in, out
    int64_t* left_stats,        # in, out
) noexcept nogil:
    """Look at the cuts of some features that may win, by several threads."""
    cdef int32_t n_stats = search.targets.n_stats, k
    cdef int64_t due
    cdef int thread
    cdef Split* found = <Split*> malloc(n_threads * sizeof(Split))
    cdef int64_t* stats = <int64_t*> malloc(n_threads * n_stats * sizeof(int64_t))
    cdef Bounds* shares = <Bounds*> malloc(n_threads * sizeof(Bounds))
    cdef int* failures = <int*> malloc(n_threads * sizeof(int))
    cdef int status = 0
    if found == NULL or stats == NULL or shares == NULL or failures == NULL:
        status = MEMORY_RAN_OUT
    else:
        for thread in range(n_threads):
            # Every thread starts from the best so far, and rules out by what it finds itself.
            found[thread] = best[0]
            shares[thread] = bounds[0]
            failures[thread] = 0
            memcpy(stats + thread * n_stats, left_stats, n_stats * sizeof(int64_t))
            if thread > 0:
                prepare_node(search, node, buffers.workspaces + thread)
        due = begin_region(n_threads)
        with parallel(num_threads=n_threads):
            begin_share(due)
            for k in prange(n_features, schedule="dynamic", chunksize=1):
                if failures[threadid()] == 0:
                    begin_share(0)
                    failures[threadid()] = scan_features(
                        search, buffers, node, features[k], features[k] + 1, shares + threadid(),
                        buffers.workspaces + threadid(), found + threadid(),
                        stats + threadid() * n_stats,
                    )
                    end_share()
        for thread in range(n_threads):
            status = max(status, failures[thread])
            bounds.bar = max(bounds.bar, shares[thread].bar)
            if is_better(found + thread, best):
                best[0] = found[thread]
                memcpy(left_stats, stats + thread * n_stats, n_stats * sizeof(int64_t))
    free(found)
    free(stats)
    free(shares)
    free(failures)
    return status


cdef void put_promising_first(
    const Bounds* bounds, int32_t n_features, int32_t n_first, int32_t* features
) noexcept nogil:
    """Write down the features, those with the best cuts between bins first."""
    cdef int32_t k, i, best, feature
    for k in range(n_features):
        features[k] = k
    for k in range(n_first):
        best = k
        for i in range(k + 1, n_features):
            if bounds.best_edge[features[i]] > bounds.best_edge[features[best]]:
                best = i
        feature = features[best]
        features[best] = features[k]
        features[k] = feature


cdef int find_bounded_split(
    const Search* search,
    Buffers* buffers,
    const Node* node,
    Workspace* work,
    Split* best,                # out; its feature is -1 where no cut is feasible
    int64_t* left_stats,        # out
) noexcept nogil:
    """Find the best split of a node whose histogram is there.

    Codes below ``best.bin`` go left, and ``best.n_stored_left`` samples of the bin itself.
    Returns CHANGES_FORM where so many bins are alive that sorting is cheaper.
    """
    cdef const BoundedTable* bounded = <const BoundedTable*> buffers.table
    cdef const BinTable* table = &bounded.base
    cdef double limit = bounded.patience * most_alive(search, buffers, node)
    cdef bint is_large = node.n_samples >= FEWEST_SHARED
    cdef int n_threads = n_threads_now(buffers.n_threads) if is_large else 1
    cdef int32_t n_first = min(n_threads, table.n_features)
    cdef int32_t feature, k
    cdef Bounds bounds
    cdef int status = 0
    memset(best, 0, sizeof(Split))
    best.feature = -1
    best.score = -INFINITY
    best.tie_score = -INFINITY
    if open_bounds(table, &bounds) != 0:
        return MEMORY_RAN_OUT
    prepare_node(search, node, work)
    for feature in range(table.n_features):
        bound_feature(search, node, table, feature, work, &bounds)
    put_promising_first(&bounds, table.n_features, n_first, bounds.order)
    bounds.bar = bounds.best_edge[bounds.order[0]]
    if bounds.bar > -INFINITY:
        bounds.bar -= margin_of(node, bounds.bar)
    if share_alive(bounded, node, work, &bounds) > 4.0 * limit:
        status = CHANGES_FORM
    if status == 0:
        # The features with the best edges first: what their bins reach rules out more of the
        # others.
        if n_threads > 1:
            status = share_features(
                search, buffers, node, bounds.order, n_first, n_threads, &bounds, best, left_stats
            )
        else:
            feature = bounds.order[0]
            status = scan_features(
                search, buffers, node, feature, feature + 1, &bounds, work, best, left_stats
            )
        for k in range(n_first):
            bounds.is_scanned[bounds.order[k]] = True
    if status == 0 and n_first < table.n_features:
        if share_alive(bounded, node, work, &bounds) > limit:
            status = CHANGES_FORM
        elif n_threads > 1:
            status = share_features(
                search, buffers, node, bounds.order + n_first, table.n_features - n_first,
                n_threads, &bounds, best, left_stats,
            )
        else:
            status = scan_features(
                search, buffers, node, 0, table.n_features, &bounds, work, best, left_stats
            )
    close_bounds(&bounds)
    # What a node never saw goes where more samples go.
    best.missing_goes_left = 2 * <int64_t> best.n_left > node.n_samples
    return status
