"""The best cut of one feature by Gini, samples of unit weight: the case that most fits are.

The kernels of native/narrow.h and native/wide.h pass the runs of entries; here is what lies
between them: the unstored default value, and the missing samples on either side.
"""

from libc.math cimport INFINITY, nextafter
from libc.string cimport memcpy, memset

from ._pass cimport class_of, entry_at
from ._types cimport *
from ._workspace cimport Workspace, tl_narrow_node

cdef extern from "native/block.h" nogil:
    double tl_binary_score(double, double, double, double)
    double tl_sums_score(double, double, double, double)

cdef extern from "native/narrow.h" nogil:
    void tl_scan_binary_narrow(
        int, const uint16_t*, int, int, int, int, const tl_narrow_node*, double*, int32_t*
    )
    void tl_scan_classes_narrow(
        int, const uint16_t*, int, int, int, int*, const uint8_t*, const tl_narrow_node*, double*,
        int32_t*,
    )

cdef extern from "native/wide.h" nogil:
    void tl_scan_binary_wide(
        int, const uint32_t*, int, int32_t, int32_t, int64_t, int64_t, double, double, int64_t,
        int64_t, double*, int32_t*,
    )
    void tl_scan_classes_wide(
        const uint32_t*, int, uint32_t, const int32_t*, int32_t, int32_t, int64_t, int64_t*,
        const int64_t*, int, int64_t, int64_t, int64_t, double*, int32_t*,
    )

# The best cut on one side of the missing samples.
cdef struct Cut:
    double score
    int32_t code


cdef void count_classes(
    const Search* search,
    const void* list,
    int32_t begin,
    int32_t end,
    int64_t* counts,        # in, out: one count of class 1 where there are two classes
) noexcept nogil:
    """Count the classes of a run of entries."""
    cdef int32_t i
    if search.is_binary:
        for i in range(begin, end):
            counts[0] += class_of(search, entry_at(search, list, i))
    else:
        for i in range(begin, end):
            counts[class_of(search, entry_at(search, list, i))] += 1


cdef void pass_run(
    const Search* search,
    const Node* node,
    const void* list,
    int32_t begin,
    int32_t end,
    int32_t shift_of_code,
    int64_t n_left,
    const int64_t* left,    # classes on the left of the run
    Workspace* work,
    Cut* cut,               # in, out
) noexcept nogil:
    """Search the cuts before the entries of a run."""
    cdef int32_t at = -1, k
    cdef int64_t lowest = work.fewest_on_a_side, highest = node.n_samples - lowest
    cdef int[32] few
    if search.is_narrow:
        if search.is_binary:
            tl_scan_binary_narrow(
                search.simd, <const narrow_t*> list, begin, end, <int> n_left, <int> left[0],
                &work.narrow_node, &cut.score, &at,
            )
        else:
            for k in range(work.narrow_node.n_classes):
                few[k] = <int> left[work.narrow_node.code[k] >> 1]
            tl_scan_classes_narrow(
                search.simd, <const narrow_t*> list, begin, end, <int> n_left, few,
                work.narrow_place, &work.narrow_node, &cut.score, &at,
            )
    elif search.is_binary:
        tl_scan_binary_wide(
            search.simd, <const entry_t*> list, search.class_shift, begin, end, n_left, left[0],
            <double> node.n_samples, <double> node.stats[1], lowest, highest, &cut.score, &at,
        )
    else:
        memcpy(work.right, left, search.targets.n_stats * sizeof(int64_t))
        tl_scan_classes_wide(
            <const entry_t*> list, search.class_shift, search.index_mask,
            NULL if search.class_shift != 0 else search.targets.labels, begin, end, n_left,
            work.right, node.stats, search.targets.n_stats, node.n_samples, lowest, highest,
            &cut.score, &at,
        )
    if at >= 0:
        cut.code = at + shift_of_code


cdef void try_cut(
    const Search* search,
    const Node* node,
    int32_t code,
    int64_t n_left,
    const int64_t* left,
    Workspace* work,
    Cut* cut,               # in, out
) noexcept nogil:
    """Take one cut that is not before an entry."""
    cdef double score, sum_left = 0.0, sum_right = 0.0
    cdef int32_t c
    if n_left < work.fewest_on_a_side or node.n_samples - n_left < work.fewest_on_a_side:
        return
    if search.is_binary:
        score = tl_binary_score(
            <double> left[0], <double> n_left, <double> node.stats[1], <double> node.n_samples
        )
    else:
        for c in range(search.targets.n_stats):
            sum_left += <double> left[c] * <double> left[c]
            sum_right += <double> (node.stats[c] - left[c]) * <double> (node.stats[c] - left[c])
        score = tl_sums_score(sum_left, sum_right, <double> n_left, <double> node.n_samples)
    if score > cut.score:
        cut.score = score
        cut.code = code


cdef void scan_gini(
    const Search* search,
    const Node* node,
    const void* list,
    const Segment* segment,
    Workspace* work,
    Split* best,            # in: a score to beat; out
    int32_t* best_code,     # in, out: code of the best cut, see _scan.pyx; -1: none
) noexcept nogil:
    """Search one feature that varies in the node."""
    cdef int32_t n_below = segment.n_below
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef int32_t n_missing = segment.n_missing
    cdef int32_t n_default = node.n_samples - n_stored - n_missing
    cdef int32_t n_stats = 1 if search.is_binary else search.targets.n_stats
    cdef int32_t code_shift = 1 if n_default > 0 else 0
    cdef const int64_t* totals = node.stats + 1 if search.is_binary else node.stats
    cdef int64_t* left = work.left
    cdef int64_t n_left
    cdef int32_t first, side, i
    cdef Cut cut
    if n_default == 0:
        n_below = n_stored
    if n_missing > 0 or n_default > 0:
        memset(work.missing, 0, n_stats * sizeof(int64_t))
        count_classes(search, list, n_stored, n_stored + n_missing, work.missing)
    if n_default > 0:
        memset(work.above, 0, n_stats * sizeof(int64_t))
        count_classes(search, list, n_below, n_stored, work.above)
    for side in range(2 if n_missing > 0 else 1):
        cut.code = -1
        # Of equal scores the lower code wins, so the second side must find them too.
        cut.score = best.score if best_code[0] < 0 else nextafter(best.score, -INFINITY)
        n_left = n_missing if side == 1 else 0
        if n_stats == 1:
            left[0] = work.missing[0] if side == 1 else 0
        elif side == 1:
            memcpy(left, work.missing, n_stats * sizeof(int64_t))
        else:
            memset(left, 0, n_stats * sizeof(int64_t))
        if n_below > 0:
            # Nothing lies to the left of the first value: no cut before it.
            count_classes(search, list, 0, 1, left)
            first = 1
            pass_run(search, node, list, first, n_below, 0, n_left + 1, left, work, &cut)
        if n_default > 0:
            for i in range(n_stats):
                left[i] = totals[i] - work.above[i] - (0 if side == 1 else work.missing[i])
            n_left = node.n_samples - segment.n_above - (0 if side == 1 else n_missing)
            if n_below > 0:
                # The cut below the default value: what is left without the default samples.
                count_below(search, list, n_below, side == 1, n_stats, work)
                try_cut(
                    search, node, n_below, n_below + (n_missing if side == 1 else 0), work.right,
                    work, &cut,
                )
            if segment.n_above > 0:
                pass_run(
                    search, node, list, n_below, n_stored, code_shift, n_left, left, work, &cut
                )
        if n_missing > 0 and side == 0:
            for i in range(n_stats):
                left[i] = totals[i] - work.missing[i]
            try_cut(
                search, node, n_stored + code_shift, node.n_samples - n_missing, left, work, &cut
            )
        if cut.code >= 0 and (
            best_code[0] < 0 or cut.score > best.score or cut.code < best_code[0]
        ):
            best.score = cut.score
            best.tie_score = 0.0
            best.feature = segment.feature
            best.missing_goes_left = side == 1
            best_code[0] = cut.code


cdef inline void count_below(
    const Search* search, const void* list, int32_t n_below, bint with_missing, int32_t n_stats,
    Workspace* work,        # out: right
) noexcept nogil:
    """Count the classes below the default value, and the missing ones where they go left."""
    if with_missing:
        memcpy(work.right, work.missing, n_stats * sizeof(int64_t))
    else:
        memset(work.right, 0, n_stats * sizeof(int64_t))
    count_classes(search, list, 0, n_below, work.right)
