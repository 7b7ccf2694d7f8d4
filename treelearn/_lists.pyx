"""From the values of a column to its list: entries in order, the default value left out."""

from libc.string cimport memcpy, memset

from ._sorting cimport (
    MISSING_KEY,
    MOST_DIGITS,
    count_digits,
    order_doubles,
    place_keys,
    read_keys,
    read_sparse_pairs,
    sample_in,
    sort_keys,
    sort_pairs,
    value_at,
)
from ._types cimport *

# Columns whose most frequent value covers at least this share of the samples do not store it:
# their lists shrink by what it covers, and cost a second pass over the entries above it.
cdef double DEFAULT_SHARE = 0.5


cdef inline bint is_same_value(
    const ListSource* source, int32_t feature, bint is_exact, uint64_t a, uint64_t b
) noexcept nogil:
    """Compare the values of two sorted pairs; exact keys tell all values apart."""
    if a >> 32 != b >> 32:
        return False
    if is_exact:
        return True
    return value_at(source.values, sample_in(a, source.index_mask), feature) == value_at(
        source.values, sample_in(b, source.index_mask), feature
    )


cdef void find_default(
    const ListSource* source,
    int32_t feature,
    bint is_exact,
    const uint64_t* pairs,
    int64_t n,
    int64_t* run_start,     # out: the run of the default value; empty where there is none
    int64_t* run_end,       # out
) noexcept nogil:
    """Find a value that covers half of all samples: it covers the middle one and a quarter."""
    cdef int64_t middle = n // 2
    cdef int64_t start = middle, end = middle + 1
    run_start[0] = run_end[0] = n
    if source.stores_all or n < DEFAULT_SHARE * source.n_rows or n < 4 or not (
        pairs[middle] >> 32 == pairs[n // 4] >> 32
        or pairs[middle] >> 32 == pairs[n - 1 - n // 4] >> 32
    ):
        return
    while start > 0 and is_same_value(source, feature, is_exact, pairs[start - 1], pairs[middle]):
        start -= 1
    while end < n and is_same_value(source, feature, is_exact, pairs[end], pairs[middle]):
        end += 1
    if end - start >= DEFAULT_SHARE * source.n_rows:
        run_start[0] = start
        run_end[0] = end


cdef void write_entries(
    const ListSource* source,
    int32_t feature,
    bint is_exact,
    const uint64_t* pairs,
    int64_t begin,
    int64_t end,
    entry_t* entries,       # out
) noexcept nogil:
    """Write a run of sorted pairs as entries; the start bit says where values change."""
    cdef int64_t i
    cdef bint is_start
    for i in range(begin, end):
        is_start = i == 0 or not is_same_value(
            source, feature, is_exact, pairs[i - 1], pairs[i]
        )
        entries[i - begin] = <uint32_t> pairs[i] | <uint32_t> is_start


cdef bint build_counted_list(
    const ListSource* source,
    int32_t feature,
    uint64_t* spare,        # scratch
    entry_t* entries,       # in: the keys of a dense column; out
    int32_t* segment,       # out: as of build_list
    double* default_value,  # out
) noexcept nogil:
    """Write the list of a column of which the keys tell all values and differ in one digit alone.

    Return False, and write nothing, for another column.
    """
    cdef int64_t[MOST_DIGITS] ends
    cdef entry_t* placed = <entry_t*> spare
    cdef int64_t n = source.n_rows, run_start = 0, run_end
    cdef uint32_t n_digits, digit = 0
    cdef int shift
    n_digits = count_digits(entries, n, ends, &shift)
    if n_digits == 0:
        return False
    place_keys(
        entries, source.rows, source.labels, source.class_shift, n, shift, n_digits, ends, placed
    )
    # The run of the middle, as find_default finds it.
    while ends[digit] <= n // 2:
        run_start = ends[digit]
        digit += 1
    run_end = ends[digit]
    if source.stores_all or n < 4 or run_end - run_start < DEFAULT_SHARE * n:
        run_start = run_end = n
    else:
        default_value[0] = value_at(
            source.values, sample_in(placed[run_start], source.index_mask), feature
        )
    memcpy(entries, placed, run_start * sizeof(entry_t))
    memcpy(entries + run_start, placed + run_end, (n - run_end) * sizeof(entry_t))
    segment[0] = <int32_t> run_start
    segment[1] = <int32_t> (n - run_end)
    segment[2] = 0
    return True


cdef int build_list(
    const ListSource* source,
    int32_t feature,
    bint is_exact,          # whether keys tell all values apart
    uint64_t* pairs,        # scratch
    uint64_t* spare,        # scratch
    entry_t* entries,       # in: the keys of a dense column; out
    int32_t* segment,       # out: n_below, n_above, n_missing
    double* default_value,  # out
) noexcept nogil:
    """Sort one feature and write its list; return -1 when memory runs out."""
    cdef const Values* values = source.values
    cdef int64_t n = source.n_rows, n_present, i, run_start, run_end
    if values.dense == NULL:
        n = read_sparse_pairs(
            values, feature, source.is_row, source.labels, source.class_shift, pairs
        )
        sort_pairs(pairs, spare, n)
        n_present = n
    else:
        if is_exact and n > 0 and build_counted_list(
            source, feature, spare, entries, segment, default_value
        ):
            return 0
        sort_keys(
            entries, source.rows, source.labels, source.class_shift, n, pairs, spare
        )
        n_present = n
        while n_present > 0 and pairs[n_present - 1] >> 32 == MISSING_KEY:
            n_present -= 1
    if not is_exact and order_doubles(
        values, feature, source.index_mask, pairs, n_present
    ) != 0:
        return -1
    if values.dense == NULL:
        default_value[0] = 0.0
        run_start = 0
        while run_start < n_present and value_at(
            values, sample_in(pairs[run_start], source.index_mask), feature
        ) < 0.0:
            run_start += 1
        run_end = run_start
    else:
        find_default(source, feature, is_exact, pairs, n_present, &run_start, &run_end)
        if run_end > run_start:
            default_value[0] = value_at(
                values, sample_in(pairs[run_start], source.index_mask), feature
            )
    write_entries(source, feature, is_exact, pairs, 0, run_start, entries)
    write_entries(source, feature, is_exact, pairs, run_end, n_present, entries + run_start)
    entries += run_start + n_present - run_end
    for i in range(n_present, n):
        entries[i - n_present] = <uint32_t> pairs[i]
    segment[0] = <int32_t> run_start
    segment[1] = <int32_t> (n_present - run_end)
    segment[2] = <int32_t> (n - n_present)
    return 0


cdef int build_lists(
    const ListSource* source,
    int32_t first_feature,
    int32_t n_features,
    uint64_t* pairs,            # scratch
    uint64_t* spare,            # scratch
    const int64_t* starts,      # per feature: where its list starts
    entry_t* entries,           # out: all lists
    int32_t* segments,          # out: three numbers a feature
    double* default_values,     # out
) noexcept nogil:
    """Build the lists of some neighbouring features; return -1 when memory runs out."""
    cdef uint8_t[FEATURES_PER_GROUP] is_exact
    cdef int32_t first = first_feature, end, feature
    memset(is_exact, not source.values.is_double, FEATURES_PER_GROUP)
    while first < first_feature + n_features:
        end = min(first + FEATURES_PER_GROUP, first_feature + n_features)
        if source.values.dense != NULL:
            # The keys wait where the entries will stand.
            read_keys(
                source.values, source.rows, source.n_rows, first, end - first,
                entries + starts[first], source.n_rows, is_exact,
            )
        for feature in range(first, end):
            if build_list(
                source, feature, is_exact[feature - first], pairs, spare,
                entries + starts[feature], segments + 3 * feature, default_values + feature,
            ) != 0:
                return -1
        first = end
    return 0


cdef void filter_list(
    const uint32_t* is_kept,    # one bit a sample
    uint32_t index_mask,
    const entry_t* source,
    const int32_t* segment,     # n_below, n_above, n_missing
    entry_t* target,            # out, as long as source
    int32_t* new_segment,       # out
) noexcept nogil:
    """Keep the entries of some of the samples."""
    cdef int32_t k, i, n
    cdef uint32_t sample, is_here
    cdef entry_t start
    for k in range(3):
        n = 0
        start = 0
        for i in range(segment[k]):
            sample = (source[i] & index_mask) >> 1
            is_here = (is_kept[sample >> 5] >> (sample & 31)) & 1
            # A value starts where one of its entries is kept first, whichever it is.
            start |= source[i] & 1
            if is_here:
                target[n] = (source[i] & ~(<entry_t> 1)) | start
                n += 1
                start = 0
        new_segment[k] = n
        source += segment[k]
        target += n
