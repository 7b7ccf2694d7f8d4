"""Sweeps that score from whole statistics vectors only those cuts that can be the best."""

from libc.math cimport fabs
from libc.string cimport memcpy

from ._block cimport offer
from ._pass cimport Sweep
from ._types cimport *
from ._workspace cimport Workspace

cdef extern from "native/impurity.h" nogil:
    const int TL_GINI, TL_SHANNON, TL_TSALLIS, TL_RENYI, TL_RENYI_MEAN, TL_SQUARED_ERROR

cdef extern from "native/screens.h" nogil:
    ctypedef struct tl_screened:
        int formula
        double order
        int n_outputs
        int64_t n_total
        uint32_t index_mask
        int class_shift
        const int32_t* labels
        const int32_t* class_starts
        const int32_t* n_classes
        const int64_t* sums
        const int64_t* square_sums
        const int64_t* weights
        double weight_unit
        const int64_t* totals
        int64_t weight

    ctypedef struct tl_screen:
        pass

    const int TL_SCREEN_BLOCK
    int64_t tl_screen_block(
        const tl_screened*, const uint32_t*, int, int64_t, int64_t*, tl_screen*
    )
    int64_t tl_screen_pass(const tl_screened*, const uint32_t*, int, int64_t, int64_t*)
    int tl_count_starts(const uint32_t*, int)
    int tl_comes_near(const tl_screen*, int, double)
    int tl_any_comes_near(const tl_screen*, const uint32_t*, int, double)

cdef enum:
    # A screen of a block takes as long as the scores of one in so many of its entries.
    ENTRIES_PER_SCORE = 16

# Orders between which no power of a share of the weight leaves float64 by far, and the least
# distance from 1, where the difference of two power sums keeps its digits.
cdef double LEAST_ORDER = 0.1
cdef double LARGEST_ORDER = 20.0
cdef double NEAREST_TO_ONE = 0.05


cdef bint can_be_screened(const Search* search) noexcept nogil:
    """Return whether scores near those of the statistics vectors can be had for less."""
    cdef const Rules* rules = &search.rules
    cdef int formula = rules.formula
    if rules.random_thresholds or rules.shannon_ties:
        return False
    if search.sums_classes or search.sums_moments or search.tie_terms != NULL:
        return False
    if not search.targets.is_classification:
        return formula == TL_SQUARED_ERROR
    if formula == TL_GINI or formula == TL_SHANNON:
        return True
    if formula != TL_TSALLIS and formula != TL_RENYI and formula != TL_RENYI_MEAN:
        return False
    if formula != TL_TSALLIS and search.targets.n_outputs > 1:
        return False  # the scores of several outputs are no function of one sum
    return (
        LEAST_ORDER <= rules.order <= LARGEST_ORDER and fabs(rules.order - 1.0) >= NEAREST_TO_ONE
    )


cdef void sweep_screened(
    const Search* search,
    const Node* node,
    const entry_t* entries,
    int32_t begin,
    int32_t end,
    const Segment* segment,
    Workspace* work,
    Sweep* sweep,
    int32_t shift_of_code,
    Split* best,
    int32_t* best_code,
) noexcept nogil:
    """Pass a range of entries; start bits before which a cut may be the best offer it."""
    cdef const Targets* targets = &search.targets
    cdef tl_screened screened
    cdef tl_screen* screen = <tl_screen*> work.screen
    cdef int32_t i = begin, j, n, passed
    cdef int64_t behind
    cdef bint is_scored
    screened.formula = search.rules.formula
    screened.order = search.rules.order
    screened.n_outputs = targets.n_outputs
    screened.n_total = targets.n_total
    screened.index_mask = search.index_mask
    screened.class_shift = search.class_shift
    screened.labels = targets.labels if targets.is_classification else NULL
    screened.class_starts = targets.class_starts
    screened.n_classes = targets.n_classes
    screened.sums = targets.sums
    screened.square_sums = targets.square_sums
    screened.weights = NULL if targets.has_unit_weights else targets.weights
    screened.weight_unit = targets.weight_unit
    screened.totals = node.stats
    screened.weight = node.weight
    while i < end:
        n = min(<int32_t> TL_SCREEN_BLOCK, end - i)
        is_scored = ENTRIES_PER_SCORE * tl_count_starts(entries + i, n) >= n
        if is_scored:
            memcpy(work.before, work.left, targets.n_stats * sizeof(int64_t))
            behind = tl_screen_block(
                &screened, entries + i, n, sweep.weight_left, work.left, screen
            )
            if not tl_any_comes_near(screen, entries + i, n, best.score):
                sweep.weight_left = behind
                i += n
                continue
            memcpy(work.left, work.before, targets.n_stats * sizeof(int64_t))
        passed = 0
        for j in range(n):
            if entries[i + j] & 1 and (
                not is_scored or tl_comes_near(screen, j, best.score)
            ):
                sweep.weight_left = tl_screen_pass(
                    &screened, entries + i + passed, j - passed, sweep.weight_left, work.left
                )
                passed = j
                offer(
                    search, node, segment, work, sweep, i + j + shift_of_code, best, best_code
                )
        sweep.weight_left = tl_screen_pass(
            &screened, entries + i + passed, n - passed, sweep.weight_left, work.left
        )
        i += n
