"""The state of one pass over a feature, what reads an entry, what keeps a cut."""

from libc.math cimport INFINITY

from ._types cimport *

cdef enum Method:
    BINARY
    SUMS
    MOMENTS
    LARGEST
    PLAIN

# The state of one sweep over a feature.
cdef struct Sweep:
    Method method
    int n_candidates
    int32_t n_below
    int32_t n_default
    int32_t n_stored
    int32_t n_missing_left      # missing samples on the left in this sweep
    bint missing_goes_left
    int64_t weight_left         # units
    int64_t weight_default
    int64_t ones                # binary: samples of class 1 on the left
    double sum_left             # sums: power sums of the sides
    double sum_right
    int64_t moment_left
    int64_t square_left
    int64_t largest_left        # largest: weight of the largest class of either side
    int64_t largest_right
    int64_t second_right        # of the other classes on the right, or more

cdef enum:
    NARROW_CLASS_SHIFT = 16         # of an entry of a narrow list once it is widened

cdef inline const void* list_of(
    const Search* search, const void* lists, const Segment* segment
) noexcept nogil:
    """Where the entries of a segment start."""
    if search.is_narrow:
        return <const narrow_t*> lists + search.list_starts[segment.feature] + segment.start
    return <const entry_t*> lists + search.list_starts[segment.feature] + segment.start


cdef inline entry_t entry_at(const Search* search, const void* list, int32_t i) noexcept nogil:
    """An entry of a list of either width, widened."""
    cdef entry_t narrow
    if not search.is_narrow:
        return (<const entry_t*> list)[i]
    narrow = (<const narrow_t*> list)[i]
    return (narrow & 1) | (narrow >> 6 << 1) | ((narrow >> 1 & 31) << NARROW_CLASS_SHIFT)


cdef inline int32_t global_sample_of(const Search* search, int32_t sample) noexcept nogil:
    """The row of X that a sample's number stands for."""
    return sample if search.global_sample == NULL else search.global_sample[sample]


cdef inline int32_t sample_of(const Search* search, entry_t entry) noexcept nogil:
    return <int32_t> ((entry & search.index_mask) >> 1)


cdef inline int64_t weight_of(const Search* search, int32_t sample) noexcept nogil:
    return 1 if search.targets.has_unit_weights else search.targets.weights[sample]


cdef inline int32_t class_of(const Search* search, entry_t entry) noexcept nogil:
    if search.class_shift != 0:
        return entry >> search.class_shift
    return search.targets.labels[sample_of(search, entry)]


cdef inline int64_t n_left_of(const Sweep* sweep, int32_t code) noexcept nogil:
    """Samples to the left of the cut with this code."""
    if code <= sweep.n_below or sweep.n_default == 0:
        return sweep.n_missing_left + code
    return sweep.n_missing_left + code - 1 + sweep.n_default


cdef inline void keep_better(
    Split* best, const Segment* segment, const Sweep* sweep, int32_t code, double score,
    double tie_score, int32_t* best_code,
) noexcept nogil:
    """Replace the best cut of this feature by a better one; equal ones by a lower threshold."""
    # A score of minus infinity, or of no number, stands for a cut that is not feasible.
    if not score > -INFINITY or score < best.score:
        return
    if score == best.score:
        if tie_score < best.tie_score:
            return
        if tie_score == best.tie_score and best_code[0] <= code:
            return
    best.score = score
    best.tie_score = tie_score
    best.feature = segment.feature
    best.missing_goes_left = sweep.missing_goes_left
    best_code[0] = code
