"""Sorting the values of one feature: order-preserving integer keys and a radix sort.

A pair is ``key << 32 | sample``.  The key is the value as float32, mapped so that integers
compare as the values do; where float64 values fall on one float32 they are put in order
afterwards, in most columns nowhere.  Equal values stay in the order of their samples.
"""

from libc.math cimport isnan
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from ._types cimport *

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    static uint32_t tl_float_key(float value) {
        uint32_t bits;
        value += 0.0f; /* -0.0 becomes 0.0: the two are equal */
        memcpy(&bits, &value, sizeof bits);
        return bits ^ ((uint32_t)(-(int32_t)(bits >> 31)) | 0x80000000u);
    }
    """
    uint32_t tl_float_key(float value) noexcept nogil

cdef enum:
    # Runs of equal float32 keys up to this length are put in order by insertion.
    LONGEST_INSERTION = 48
    # Below this many pairs 8 bits a pass beat 11: clearing 6,000 counters costs more than the
    # fourth pass (benchmarks/fit.py, iris).
    SHORT_COLUMN = 8192


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


cdef int sort_pairs(uint64_t* pairs, uint64_t* spare, int64_t n) noexcept nogil:
    """Sort pairs by their upper 32 bits, stably; `spare` is as long."""
    cdef int n_bits = 8 if n < SHORT_COLUMN else 11
    cdef int n_passes = 4 if n_bits == 8 else 3
    cdef uint32_t n_digits = 1 << n_bits
    cdef uint32_t last_digit = n_digits - 1
    cdef int64_t[4][2048] counts
    cdef int64_t* count
    cdef uint64_t* source = pairs
    cdef uint64_t* target = spare
    cdef uint64_t* swap
    cdef int64_t i, position, next_position
    cdef uint32_t digit
    cdef int k, shift
    for k in range(n_passes):
        memset(&counts[k][0], 0, n_digits * sizeof(int64_t))
    for i in range(n):
        for k in range(n_passes):
            counts[k][(pairs[i] >> (32 + k * n_bits)) & last_digit] += 1
    for k in range(n_passes):
        count = &counts[k][0]
        shift = 32 + k * n_bits
        if count[(source[0] >> shift) & last_digit] == n:
            continue  # all alike in these bits
        position = 0
        for digit in range(n_digits):
            next_position = position + count[digit]
            count[digit] = position
            position = next_position
        for i in range(n):
            digit = (source[i] >> shift) & last_digit
            target[count[digit]] = source[i]
            count[digit] += 1
        swap = source
        source = target
        target = swap
    if source != pairs:
        memcpy(pairs, source, n * sizeof(uint64_t))
    return 0


cdef int sort_run_of_doubles(
    const Values* values, int32_t feature, uint64_t* pairs, int64_t n
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
            value = value_at(values, <int32_t> <uint32_t> pair, feature)
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
        key[i] = value_at(values, <int32_t> <uint32_t> pairs[i], feature)
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


cdef int64_t sort_column(
    const Values* values,
    int32_t feature,
    const int32_t* rows,     # the samples, increasing
    int64_t n_rows,
    const uint8_t* is_row,   # per sample: whether it is among rows
    uint64_t* pairs,         # out: the present values in order
    uint64_t* spare,         # out: the samples whose value is missing, from the start
    int64_t* n_missing,      # out
) noexcept nogil:
    """Sort one column and return the number of values present, -1 when memory runs out.

    Of a sparse column only the values other than 0 are present.
    """
    cdef int64_t i, first, n = 0, missing = 0
    cdef int32_t sample
    cdef const char* column
    cdef double wide
    cdef float narrow
    if values.dense == NULL:
        for i in range(values.sparse_starts[feature], values.sparse_starts[feature + 1]):
            sample = values.sparse_rows[i]
            if values.is_double:
                wide = (<const double*> values.sparse_data)[i]
            else:
                wide = (<const float*> values.sparse_data)[i]
            if wide != 0.0 and is_row[sample]:
                pairs[n] = (<uint64_t> tl_float_key(<float> wide) << 32) | <uint32_t> sample
                n += 1
    else:
        column = values.dense + feature * values.column_stride
        for i in range(n_rows):
            sample = rows[i]
            if values.is_double:
                wide = (<const double*> (column + sample * values.row_stride))[0]
                narrow = <float> wide
            else:
                narrow = (<const float*> (column + sample * values.row_stride))[0]
            if isnan(narrow):
                spare[missing] = sample
                missing += 1
            else:
                pairs[n] = (<uint64_t> tl_float_key(narrow) << 32) | <uint32_t> sample
                n += 1
    n_missing[0] = missing
    if n == 0:
        return 0
    if missing == 0:
        sort_pairs(pairs, spare, n)
    else:
        # The far end of the spare array is free: n + missing entries were asked for.
        sort_pairs(pairs, spare + missing, n)
    if values.is_double:
        first = 0
        for i in range(1, n + 1):
            if i == n or (pairs[i] >> 32) != (pairs[first] >> 32):
                if i - first > 1 and sort_run_of_doubles(
                    values, feature, pairs + first, i - first
                ) != 0:
                    return -1
                first = i
    return n
