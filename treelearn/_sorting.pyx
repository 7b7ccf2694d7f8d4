"""Sorting the values of one feature: order-preserving integer keys and a radix sort.

A pair is ``key << 32 | class | sample << 1``, its lower half an entry without start bit.  The key
is the value as float32, mapped so that integers compare as the values do; where float64 values
fall on one float32 they are put in order afterwards, in most columns nowhere.  Equal values stay
in the order of their samples; missing ones come last.
"""

from libc.math cimport isnan
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from ._types cimport *

cdef extern from "native/keys.h" nogil:
    uint32_t tl_float_key(float value)
    void tl_survey_keys(const uint32_t* keys, int64_t n, uint32_t* difference, uint32_t* highest)

cdef enum:
    # Runs of equal float32 keys up to this length are put in order by insertion.
    LONGEST_INSERTION = 48
    # Below this many pairs 8 bits a pass beat 11: clearing 2,000 counters twice costs more than
    # the longer runs that are left (benchmarks/fit.py, iris).
    SHORT_COLUMN = 1024
    # Above this many the runs that 22 bits leave are long (benchmarks/scaling.py).
    LONG_COLUMN = 65536


cdef double value_at(const Values* values, int32_t sample, int32_t feature) noexcept nogil:
    """Return one raw value; the default 0 where a sparse matrix stores none."""
    cdef const char* address
    cdef int64_t low, high, middle
    if values.dense != NULL:
        address = values.dense + sample * values.row_stride + feature * values.column_stride
        return (<const double*> address)[0] if values.is_double else (<const float*> address)[0]
    low = values.sparse_starts[feature]
    high = values.sparse_starts[feature + 1]
    while low < high:
        middle = low + (high - low) // 2
        if values.sparse_rows[middle] < sample:
            low = middle + 1
        else:
            high = middle
    if low == values.sparse_starts[feature + 1] or values.sparse_rows[low] != sample:
        return 0.0
    if values.is_double:
        return (<const double*> values.sparse_data)[low]
    return (<const float*> values.sparse_data)[low]


cdef inline entry_t entry_of(
    int32_t sample, const int32_t* labels, int class_shift
) noexcept nogil:
    """Return the entry of a sample, without a start bit; labels: NULL, where it holds no class."""
    cdef entry_t entry = <uint32_t> sample << 1
    if labels != NULL:
        entry |= <uint32_t> labels[sample] << class_shift
    return entry


cdef inline void to_positions(int64_t* counts, uint32_t n_digits) noexcept nogil:
    """Turn counts of digits into the places where their runs start."""
    cdef int64_t position = 0, next_position
    cdef uint32_t digit
    for digit in range(n_digits):
        next_position = position + counts[digit]
        counts[digit] = position
        position = next_position


cdef void pass_digit(
    const uint64_t* source, uint64_t* target, int64_t n, int shift, uint32_t n_digits
) noexcept nogil:
    """Sort pairs by one digit, stably."""
    cdef int64_t[2048] counts
    cdef uint32_t digit, last_digit = n_digits - 1
    cdef int64_t i
    memset(counts, 0, n_digits * sizeof(int64_t))
    for i in range(n):
        counts[(source[i] >> shift) & last_digit] += 1
    to_positions(counts, n_digits)
    for i in range(n):
        digit = (source[i] >> shift) & last_digit
        target[counts[digit]] = source[i]
        counts[digit] += 1


cdef void order_run(uint64_t* pairs, uint64_t* spare, int64_t n, int n_low) noexcept nogil:
    """Sort pairs that differ in the lowest n_low bits of their keys only."""
    cdef int64_t i, j
    cdef uint64_t pair
    if n > LONGEST_INSERTION:
        pass_digit(pairs, spare, n, 32, 1 << (n_low // 2))
        pass_digit(spare, pairs, n, 32 + n_low // 2, 1 << (n_low // 2))
        return
    for i in range(1, n):
        pair = pairs[i]
        j = i
        while j > 0 and (pairs[j - 1] >> 32) > (pair >> 32):
            pairs[j] = pairs[j - 1]
            j -= 1
        pairs[j] = pair


cdef void order_runs(uint64_t* pairs, uint64_t* spare, int64_t n, int n_low) noexcept nogil:
    """Finish a sort that left the lowest bits of the keys out."""
    cdef int64_t i = 1, first, end
    cdef int shift = 32 + n_low
    while i < n:
        if (pairs[i] >> 32) >= (pairs[i - 1] >> 32):
            i += 1
            continue
        first = i - 1
        while first > 0 and (pairs[first - 1] >> shift) == (pairs[i] >> shift):
            first -= 1
        end = i + 1
        while end < n and (pairs[end] >> shift) == (pairs[i] >> shift):
            end += 1
        order_run(pairs + first, spare, end - first, n_low)
        i = end


cdef void sort_pairs(uint64_t* pairs, uint64_t* spare, int64_t n) noexcept nogil:
    """Sort pairs by their upper 32 bits, stably; `spare` is as long."""
    cdef int n_bits = 8 if n < SHORT_COLUMN else 11
    cdef int n_low = 32 - 2 * n_bits
    pass_digit(pairs, spare, n, 32 + n_low, 1 << n_bits)
    pass_digit(spare, pairs, n, 32 + n_low + n_bits, 1 << n_bits)
    order_runs(pairs, spare, n, n_low)


cdef void sort_keys(
    const uint32_t* keys,
    const int32_t* rows,     # sample of every key, increasing; NULL: 0, 1, 2, ...
    const int32_t* labels,   # NULL where the entries do not hold the class
    int class_shift,
    int64_t n,
    uint64_t* pairs,         # out: key << 32 | class | sample << 1, in order
    uint64_t* spare,         # scratch
) noexcept nogil:
    """Sort samples by their keys, equal ones in the order of the samples.

    Two passes order the upper bits, which tell most values of a column apart; the few runs that
    are alike in them are put in order afterwards. Where the values are many a third pass is
    cheaper than long runs.
    """
    cdef int64_t[2048] counts
    cdef bint has_three = n > LONG_COLUMN
    cdef int n_bits = 8 if n < SHORT_COLUMN else 11
    cdef int n_low = 10 if has_three else 32 - 2 * n_bits
    cdef int shift = 0 if has_three else n_low
    cdef uint32_t n_digits = 1 << n_bits, digit, last_digit
    cdef uint64_t* target = pairs if has_three else spare
    cdef int32_t sample
    cdef int64_t i
    if has_three:
        n_digits = 1 << 10
    last_digit = n_digits - 1
    memset(counts, 0, n_digits * sizeof(int64_t))
    for i in range(n):
        counts[(keys[i] >> shift) & last_digit] += 1
    to_positions(counts, n_digits)
    for i in range(n):
        sample = <int32_t> i if rows == NULL else rows[i]
        digit = (keys[i] >> shift) & last_digit
        target[counts[digit]] = (<uint64_t> keys[i] << 32) | entry_of(
            sample, labels, class_shift
        )
        counts[digit] += 1
    if has_three:
        pass_digit(pairs, spare, n, 42, 1 << 11)
        pass_digit(spare, pairs, n, 53, 1 << 11)
    else:
        pass_digit(spare, pairs, n, 32 + n_low + n_bits, 1 << n_bits)
        order_runs(pairs, spare, n, n_low)


cdef uint32_t count_digits(
    const uint32_t* keys,
    int64_t n,
    int64_t* ends,           # out: where the digits end that are sorted before each digit
    int* shift,              # out: the digit of a key is (key >> shift) & (n_digits - 1)
) noexcept nogil:
    """Count the keys that differ in one digit alone; return how many digits there are.

    Return 0, and count nothing, where one digit does not tell all keys apart or values are missing.
    """
    cdef uint32_t difference, highest, n_digits = 1
    cdef int64_t i
    tl_survey_keys(keys, n, &difference, &highest)
    if highest == MISSING_KEY:
        return 0
    shift[0] = 0
    while difference != 0 and not difference & 1:
        difference >>= 1
        shift[0] += 1
    if difference >= (256 if n < SHORT_COLUMN else MOST_DIGITS):
        return 0
    while n_digits <= difference:
        n_digits *= 2
    memset(ends, 0, n_digits * sizeof(int64_t))
    for i in range(n):
        ends[(keys[i] >> shift[0]) & (n_digits - 1)] += 1
    to_positions(ends, n_digits)
    return n_digits


cdef void place_keys(
    const uint32_t* keys,
    const int32_t* rows,     # as in sort_keys
    const int32_t* labels,
    int class_shift,
    int64_t n,
    int shift,
    uint32_t n_digits,
    int64_t* ends,           # in: of count_digits; out: where each digit ends
    entry_t* entries,        # out: in order
) noexcept nogil:
    """Write the entries of keys that differ in one digit alone; a start bit where it changes."""
    cdef uint32_t digit, last_digit = n_digits - 1
    cdef int32_t sample
    cdef int64_t i
    for i in range(n):
        sample = <int32_t> i if rows == NULL else rows[i]
        digit = (keys[i] >> shift) & last_digit
        entries[ends[digit]] = entry_of(sample, labels, class_shift)
        ends[digit] += 1
    entries[0] |= 1
    for digit in range(last_digit):
        if ends[digit] < n:
            entries[ends[digit]] |= 1


cdef int32_t sample_in(uint64_t pair, uint32_t index_mask) noexcept nogil:
    """The sample of a sorted pair."""
    return <int32_t> ((<uint32_t> pair & index_mask) >> 1)


cdef int sort_run_of_doubles(
    const Values* values, int32_t feature, uint32_t index_mask, uint64_t* pairs, int64_t n
) noexcept nogil:
    """Put pairs with one float32 key in the order of their float64 values.

    Returns -1 when memory for a long run is not to be had.
    """
    cdef double[LONGEST_INSERTION] keys
    cdef double* key
    cdef double* spare_key
    cdef uint64_t* spare
    cdef uint64_t pair
    cdef double value
    cdef int64_t i, j, width, low, middle, high, left, right
    if n <= LONGEST_INSERTION:
        for i in range(n):
            pair = pairs[i]
            value = value_at(values, sample_in(pair, index_mask), feature)
            j = i
            while j > 0 and keys[j - 1] > value:
                keys[j] = keys[j - 1]
                pairs[j] = pairs[j - 1]
                j -= 1
            keys[j] = value
            pairs[j] = pair
        return 0
    key = <double*> malloc(n * 2 * sizeof(double))
    spare = <uint64_t*> malloc(n * sizeof(uint64_t))
    if key == NULL or spare == NULL:
        free(key)
        free(spare)
        return -1
    spare_key = key + n
    for i in range(n):
        key[i] = value_at(values, sample_in(pairs[i], index_mask), feature)
    # Bottom-up merge sort. Invariant: every block of `width` pairs is in order.
    width = 1
    while width < n:
        low = 0
        while low + width < n:
            middle = low + width
            high = min(middle + width, n)
            if key[middle - 1] > key[middle]:
                memcpy(spare + low, pairs + low, (high - low) * sizeof(uint64_t))
                memcpy(spare_key + low, key + low, (high - low) * sizeof(double))
                left = low
                right = middle
                for i in range(low, high):
                    if right >= high or (left < middle and spare_key[left] <= spare_key[right]):
                        j = left
                        left += 1
                    else:
                        j = right
                        right += 1
                    pairs[i] = spare[j]
                    key[i] = spare_key[j]
            low = high
        width *= 2
    free(key)
    free(spare)
    return 0


cdef void read_keys(
    const Values* values,
    const int32_t* rows,     # the samples, increasing; NULL: all rows
    int64_t n_rows,
    int32_t first_feature,
    int32_t n_features,
    uint32_t* keys,          # out: one column after the other
    int64_t stride,          # between the columns of keys
    uint8_t* is_exact,       # out: per column, whether float32 holds its values
) noexcept nogil:
    """Read the keys of some neighbouring columns of a dense matrix; a missing value is last.

    Row by row: the columns of a row lie in one cache line.
    """
    cdef int64_t i
    cdef int32_t f
    cdef const char* row
    # A byte that is written may be any byte to the compiler: here it need not look again.
    cdef const char* first = values.dense + first_feature * values.column_stride
    cdef Py_ssize_t row_stride = values.row_stride, column_stride = values.column_stride
    cdef bint is_double = values.is_double
    cdef double wide
    cdef float narrow
    memset(is_exact, 1, n_features)
    for i in range(n_rows):
        row = first + (i if rows == NULL else rows[i]) * row_stride
        if is_double:
            for f in range(n_features):
                wide = (<const double*> (row + f * column_stride))[0]
                narrow = <float> wide
                keys[f * stride + i] = MISSING_KEY if isnan(wide) else tl_float_key(narrow)
                is_exact[f] &= (<double> narrow == wide) | isnan(wide)
        else:
            for f in range(n_features):
                narrow = (<const float*> (row + f * column_stride))[0]
                keys[f * stride + i] = MISSING_KEY if isnan(narrow) else tl_float_key(narrow)


cdef int64_t read_sparse_pairs(
    const Values* values,
    int32_t feature,
    const uint8_t* is_row,   # per row: whether it is a sample
    const int32_t* labels,   # NULL where the entries do not hold the class
    int class_shift,
    uint64_t* pairs,         # out
) noexcept nogil:
    """Read the values other than 0 of a sparse column; return how many there are."""
    cdef int64_t i, n = 0
    cdef int32_t sample
    cdef double value
    for i in range(values.sparse_starts[feature], values.sparse_starts[feature + 1]):
        sample = values.sparse_rows[i]
        if values.is_double:
            value = (<const double*> values.sparse_data)[i]
        else:
            value = (<const float*> values.sparse_data)[i]
        if value != 0.0 and is_row[sample]:
            pairs[n] = (<uint64_t> tl_float_key(<float> value) << 32) | entry_of(
                sample, labels, class_shift
            )
            n += 1
    return n


cdef int order_doubles(
    const Values* values, int32_t feature, uint32_t index_mask, uint64_t* pairs, int64_t n
) noexcept nogil:
    """Put float64 values that fall on one float32 in order; return -1 when memory runs out."""
    cdef int64_t first = 0, i
    for i in range(1, n + 1):
        if i == n or (pairs[i] >> 32) != (pairs[first] >> 32):
            if i - first > 1 and sort_run_of_doubles(
                values, feature, index_mask, pairs + first, i - first
            ) != 0:
                return -1
            first = i
    return 0
