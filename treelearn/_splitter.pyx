"""The best split of a node: which features are looked at, and which of their cuts wins.

The one rule for ties: the largest score; of equal scores the lowest feature, of its cuts the
lowest threshold, of one threshold the cut that sends missing values to the right. Where the
criterion says so (renyi from order 20, misclassification) Shannon's entropy decides first.

Random choices are drawn from the seed of the node, which depends on the estimator's seed and
on the path to the node alone: the order in which nodes are grown does not matter.
"""

from libc.math cimport INFINITY, nextafter
from libc.string cimport memset

from ._absolute_error cimport rank_targets, scan_feature_absolute, score_cut_absolute
from ._block cimport is_feasible, score_stats
from ._pass cimport PLAIN, entry_at, global_sample_of, list_of, sample_of
from ._scan cimport add_entries, prepare_node, scan_feature
from ._sorting cimport value_at
from ._types cimport *
from ._workspace cimport Workspace, is_stopped

cdef extern from "native/impurity.h" nogil:
    const int TL_ABSOLUTE_ERROR


cdef uint64_t mix(uint64_t state) noexcept nogil:
    """Return a hash of 64 bits (the finalizer of splitmix64, Steele, Lea and Flood 2014)."""
    state += <uint64_t> 0x9E3779B97F4A7C15
    state = (state ^ (state >> 30)) * <uint64_t> 0xBF58476D1CE4E5B9
    state = (state ^ (state >> 27)) * <uint64_t> 0x94D049BB133111EB
    return state ^ (state >> 31)


cdef inline double uniform(uint64_t state) noexcept nogil:
    """Return a number of [0, 1) from a hash."""
    return <double> (mix(state) >> 11) * (1.0 / 9007199254740992.0)


cdef inline double entry_value(
    const Search* search, const void* list, int32_t i, int32_t feature
) noexcept nogil:
    cdef int32_t sample = sample_of(search, entry_at(search, list, i))
    return value_at(&search.values, global_sample_of(search, sample), feature)


cdef double threshold_between(double low, double high) noexcept nogil:
    """Return the midpoint, moved to the lower value where rounding would not separate them.

    Where both values are float32, the threshold separates them as float32 too: exported
    models compare in that precision.
    """
    cdef double middle = low / 2.0 + high / 2.0
    cdef double rounded
    if not low <= middle < high:
        return low
    if low == <double> (<float> low) and high == <double> (<float> high):
        rounded = <double> (<float> middle)
        if not low <= rounded < high:
            return low
    return middle


cdef void set_threshold(
    const Search* search,
    const Node* node,
    const void* list,
    const Segment* segment,
    Split* best,    # in, out
) noexcept nogil:
    """Set the threshold between the values on either side of the cut, if none was drawn."""
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef bint has_default = node.n_samples > n_stored + segment.n_missing
    cdef int32_t cut = best.n_stored_left
    cdef double default = search.default_values[segment.feature]
    cdef double low, high
    if cut == n_stored and (best.default_goes_left or not has_default):
        best.threshold = INFINITY  # all values left, missing ones right: nan <= inf is false
        best.needs_double = False
        return
    if best.default_goes_left and cut == segment.n_below:
        low = default
    else:
        low = entry_value(search, list, cut - 1, segment.feature)
    if has_default and not best.default_goes_left and cut == segment.n_below:
        high = default
    else:
        high = entry_value(search, list, cut, segment.feature)
    if not search.rules.random_thresholds:
        best.threshold = threshold_between(low, high)
    best.needs_double = needs_double(low, best.threshold, high)


cdef void sum_left_side(
    const Search* search,
    const Node* node,
    const entry_t* entries,
    const Segment* segment,
    int32_t cut,            # stored entries to the left
    bint default_goes_left,
    bint missing_goes_left,
    Workspace* work,        # out: left
    int64_t* weight_left,   # out
) noexcept nogil:
    """Sum the statistics of the left side of one cut."""
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef int32_t i, n_stats = search.targets.n_stats
    cdef int64_t weight = 0
    memset(work.left, 0, n_stats * sizeof(int64_t))
    if default_goes_left:
        # The default samples are not listed: the left is the node without the right.
        add_entries(search, entries + cut, n_stored - cut, work, work.left, &weight, PLAIN)
        if not missing_goes_left:
            add_entries(
                search, entries + n_stored, segment.n_missing, work, work.left, &weight, PLAIN
            )
        for i in range(n_stats):
            work.left[i] = node.stats[i] - work.left[i]
        weight_left[0] = node.weight - weight
        return
    add_entries(search, entries, cut, work, work.left, &weight, PLAIN)
    if missing_goes_left:
        add_entries(
            search, entries + n_stored, segment.n_missing, work, work.left, &weight, PLAIN
        )
    weight_left[0] = weight


cdef bint try_random_threshold(
    const Search* search,
    const Node* node,
    const int32_t* samples,
    const entry_t* entries,
    const Segment* segment,
    Workspace* work,
    Split* best,    # in: without a feature; out
) noexcept nogil:
    """Draw one threshold between the extreme values; return False for a constant feature."""
    cdef int32_t n_stored = segment.n_below + segment.n_above
    cdef int32_t n_missing = segment.n_missing
    cdef int32_t n_default = node.n_samples - n_stored - n_missing
    cdef int32_t feature = segment.feature
    cdef double default = search.default_values[feature]
    cdef double low, high, threshold
    cdef uint64_t state = mix(node.seed ^ (<uint64_t> 0xD1342543DE82EF95 * (feature + 1)))
    cdef int32_t begin, end, middle, cut
    cdef int64_t n_left, weight_left = 0
    if n_stored + n_default == 0:
        return False
    low = high = default
    if segment.n_below > 0 or n_default == 0:
        low = entry_value(search, entries, 0, feature)
    if segment.n_above > 0 or n_default == 0:
        high = entry_value(search, entries, n_stored - 1, feature)
    if low == high and n_missing == 0:
        return False
    threshold = low + uniform(state) * (high - low)
    if not low <= threshold < high:
        threshold = low
    best.missing_goes_left = n_missing > 0 and mix(state + 1) & 1
    begin = 0
    end = n_stored
    while begin < end:
        middle = begin + (end - begin) // 2
        if entry_value(search, entries, middle, feature) <= threshold:
            begin = middle + 1
        else:
            end = middle
    cut = begin
    best.n_stored_left = cut
    best.default_goes_left = n_default > 0 and default <= threshold
    n_left = cut
    if best.default_goes_left:
        n_left += n_default
    if best.missing_goes_left:
        n_left += n_missing
    sum_left_side(
        search, node, entries, segment, cut, best.default_goes_left, best.missing_goes_left,
        work, &weight_left,
    )
    if n_left == 0 or n_left == node.n_samples:
        return True
    if search.rules.formula == TL_ABSOLUTE_ERROR:
        if score_cut_absolute(
            search, node, samples, entries, segment, best.missing_goes_left, <int32_t> n_left,
            weight_left, work, &best.score,
        ):
            best.feature = feature
            best.threshold = threshold
            best.tie_score = 0.0
    elif is_feasible(search, node, feature, work.left, weight_left, n_left, work.right):
        best.feature = feature
        best.threshold = threshold
        best.score = score_stats(
            search, node, work.left, weight_left, work.right, work.counts, &best.tie_score
        )
    return True


cdef inline bint is_better(const Split* candidate, const Split* best) noexcept nogil:
    """Compare the best cuts of two features."""
    if candidate.feature < 0:
        return False
    if best.feature < 0 or candidate.score > best.score:
        return True
    if candidate.score < best.score:
        return False
    if candidate.tie_score != best.tie_score:
        return candidate.tie_score > best.tie_score
    return candidate.feature < best.feature


cdef bint look_at(
    const Search* search,
    const Node* node,
    const int32_t* samples,
    const void* lists,          # of the buffer that holds the node
    int32_t place,              # of the feature's segment in the node
    Workspace* work,
    Split* best,                # in, out
) noexcept nogil:
    """Search one feature and keep its cut if it is better; mark it when it is constant."""
    cdef Segment* segment = node.segments + place
    cdef const void* list = list_of(search, lists, segment)
    cdef Split found
    cdef bint varies
    found.feature = -1
    found.score = found.tie_score = -INFINITY
    if (search.scan != SCAN_OTHER or search.is_screened) and best.feature >= 0:
        # Only what is as good can matter; the kernels skip the rest.
        found.score = nextafter(best.score, -INFINITY)
    elif search.tie_terms != NULL and best.feature >= 0:
        found.score = best.score
        found.tie_score = nextafter(best.tie_score, -INFINITY)
    if is_stopped(work, node.n_samples):
        return True
    if search.rules.random_thresholds:
        varies = try_random_threshold(
            search, node, samples, <const entry_t*> list, segment, work, &found
        )
    elif search.rules.formula == TL_ABSOLUTE_ERROR:
        varies = scan_feature_absolute(
            search, node, samples, <const entry_t*> list, segment, work, &found
        )
    else:
        varies = scan_feature(search, node, list, segment, work, &found)
    if not varies:
        segment.feature = ~segment.feature
        return False
    if is_better(&found, best):
        best[0] = found
    return True


cdef int point_at_guide(GuideArrays* arrays, guide) except -1:
    """Point at the arrays of a `treelearn._guides.Guide`, which must outlive the pointers."""
    cdef const int32_t[::1] feature = guide.feature
    cdef const int32_t[::1] left = guide.left
    cdef const int32_t[::1] right = guide.right
    cdef const int32_t[::1] n_samples = guide.n_samples
    cdef const double[::1] threshold = guide.threshold
    cdef const uint8_t[::1] missing_goes_left = guide.missing_goes_left
    arrays.feature = &feature[0]
    arrays.left = &left[0]
    arrays.right = &right[0]
    arrays.n_samples = &n_samples[0]
    arrays.threshold = &threshold[0]
    arrays.missing_goes_left = &missing_goes_left[0]
    return 0


cdef bint is_as_guided(const Search* search, const Node* node, const Split* split) noexcept nogil:
    """Return whether a split is the one that the guide has for the node."""
    cdef const GuideArrays* guide = &search.guide
    return (
        guide.feature != NULL
        and node.guide >= 0
        and split.feature >= 0
        and split.feature == guide.feature[node.guide]
        and split.threshold == guide.threshold[node.guide]
        and split.n_left == guide.n_samples[guide.left[node.guide]]
        and split.missing_goes_left == guide.missing_goes_left[node.guide]
    )


cdef bint follow_guide(
    const Search* search,
    const Node* node,
    const int32_t* samples,
    const void* lists,
    Workspace* work,
    Split* best,        # in: without a feature; out, as it was where False is returned
) noexcept nogil:
    """Find the split that the guide has for the node; return False where it has none."""
    cdef Split found = best[0]
    cdef int32_t place = 0, feature = -1
    if search.guide.feature != NULL and node.guide >= 0:
        feature = search.guide.feature[node.guide]
    if feature < 0:
        return False
    while place < node.n_segments and node.segments[place].feature != feature:
        place += 1
    if place == node.n_segments:
        return False
    look_at(search, node, samples, lists, place, work, &found)
    if work.is_stopped or found.feature < 0:
        return False
    finish_split(search, node, lists, &found)
    if not is_as_guided(search, node, &found):
        return False
    best[0] = found
    return True


cdef void find_split(
    const Search* search,
    const Node* node,           # its constant features get negative numbers
    const int32_t* samples,     # of the node
    const void* lists,          # of the buffer that holds the node
    Workspace* work,
    Split* best,                # out; its feature is -1 where no cut is feasible
) noexcept nogil:
    """Search the features of a node, all of them or as many as are to be drawn."""
    cdef int32_t place, drawn, i, j, feature, n_visited = 0
    cdef int32_t n_features = search.n_features
    cdef bint has_varying = False
    cdef uint64_t state = mix(node.seed)
    best.feature = -1
    best.score = -INFINITY
    best.tie_score = -INFINITY
    if search.rules.formula == TL_ABSOLUTE_ERROR:
        rank_targets(search, node, samples, work)
    else:
        prepare_node(search, node, work)
    if follow_guide(search, node, samples, lists, work, best):
        return
    if search.rules.max_features >= n_features:
        for place in range(node.n_segments):
            look_at(search, node, samples, lists, place, work, best)
    else:
        # As in scikit-learn: constant features count as drawn, and drawing goes on until one
        # feature that varies was seen. Invariant: features[:i] were drawn.
        for place in range(node.n_segments):
            work.place[node.segments[place].feature] = place
        i = 0
        while i < n_features and (n_visited < search.rules.max_features or not has_varying):
            state = mix(state)
            j = i + <int32_t> (state % <uint64_t> (n_features - i))
            feature = work.features[j]
            work.features[j] = work.features[i]
            work.features[i] = feature
            i += 1
            n_visited += 1
            if work.place[feature] >= 0:
                if look_at(
                    search, node, samples, lists, work.place[feature], work, best
                ):
                    has_varying = True
        # The permutation must not depend on the nodes that were searched before.
        for drawn in range(n_features):
            work.features[drawn] = drawn
        for place in range(node.n_segments):
            feature = node.segments[place].feature
            work.place[feature if feature >= 0 else ~feature] = -1
    if best.feature >= 0:
        finish_split(search, node, lists, best)


cdef const Segment* segment_of(const Node* node, int32_t feature) noexcept nogil:
    """Find the segment of a feature that varies in the node."""
    cdef const Segment* segment = node.segments
    while segment.feature != feature:
        segment += 1
    return segment


cdef void finish_split(
    const Search* search, const Node* node, const void* lists, Split* split
) noexcept nogil:
    """Set how many samples go left, the threshold, and where missing values go."""
    cdef const Segment* segment = segment_of(node, split.feature)
    cdef int32_t n_stored = segment.n_below + segment.n_above
    split.n_left = split.n_stored_left
    if split.default_goes_left:
        split.n_left += node.n_samples - n_stored - segment.n_missing
    if segment.n_missing == 0:
        # What a node never saw goes where more samples go.
        split.missing_goes_left = 2 * split.n_left > node.n_samples
    elif split.missing_goes_left:
        split.n_left += segment.n_missing
    set_threshold(search, node, list_of(search, lists, segment), segment, split)
