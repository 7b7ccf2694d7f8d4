/* Samples inside bins: collected from records, ordered by their values, partitioned by a cut that
 * lies between two values of one bin.
 */
#ifndef TREELEARN_INSIDE_H
#define TREELEARN_INSIDE_H

#include <stdint.h>
#include <string.h>

#include "histogram.h"
#include "keys.h"

/* Where the values of a feature lie: of sample s at  start + s * stride  bytes. */
typedef struct {
    const char *start;
    int64_t stride;
    int is_double;
} tl_column;

static inline double tl_value_of(const tl_column *column, int64_t sample) {
    const char *at = column->start + sample * column->stride;
    double wide;
    float narrow;
    if (column->is_double) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

/* Write down the samples of some bins, each bin's together and in their order.
 * next: per code, where its next sample goes; -1: it is not wanted; in, out
 * found: class << class_shift | sample << 1, out */
static void tl_collect(const uint8_t *record, int64_t n, int64_t record_bytes, int feature,
                       int label_at, int class_shift, const int32_t *samples, int32_t *next,
                       uint32_t *found) {
    int64_t i;
    for (i = 0; i < n; i++, record += record_bytes) {
        int32_t at = next[record[feature]];
        if (at >= 0) {
            found[at] = (uint32_t)record[label_at] << class_shift | (uint32_t)samples[i] << 1;
            next[record[feature]] = at + 1;
        }
    }
}

enum { TL_FEWEST_DIGITS = 40 }; /* fewer pairs are sorted by insertion */

/* Sort pairs by their upper 32 bits, stably, by as many passes as their range needs. */
static void tl_sort_range(uint64_t *pairs, uint64_t *spare, int64_t n) {
    uint32_t lowest = UINT32_MAX, highest = 0;
    uint64_t *source = pairs, *target = spare, *swap;
    int64_t i, j;
    int n_bits = n < 1024 ? 8 : 11, n_range = 0, shift;
    if (n < TL_FEWEST_DIGITS) {
        for (i = 1; i < n; i++) {
            uint64_t pair = pairs[i];
            for (j = i; j > 0 && pairs[j - 1] >> 32 > pair >> 32; j--) pairs[j] = pairs[j - 1];
            pairs[j] = pair;
        }
        return;
    }
    for (i = 0; i < n; i++) {
        uint32_t key = (uint32_t)(pairs[i] >> 32);
        lowest = key < lowest ? key : lowest;
        highest = key > highest ? key : highest;
    }
    while (n_range < 32 && (highest - lowest) >> n_range > 0) n_range++;
    for (shift = 0; shift < n_range; shift += n_bits) {
        int32_t counts[2048] = {0}, at = 0;
        uint32_t mask = ((uint32_t)1 << n_bits) - 1, digit;
        for (i = 0; i < n; i++)
            counts[(((uint32_t)(source[i] >> 32) - lowest) >> shift) & mask]++;
        for (digit = 0; digit <= mask; digit++) {
            int32_t count = counts[digit];
            counts[digit] = at;
            at += count;
        }
        for (i = 0; i < n; i++)
            target[counts[(((uint32_t)(source[i] >> 32) - lowest) >> shift) & mask]++] = source[i];
        swap = source;
        source = target;
        target = swap;
    }
    if (source != pairs) memcpy(pairs, source, n * sizeof *pairs);
}

/* Put the samples of one bin in the order of their values as float32: key << 32 | found. */
static void tl_order_bin(const tl_column *column, const uint32_t *found, uint32_t index_mask,
                         int64_t n, uint64_t *pairs, uint64_t *spare) {
    int64_t i;
    for (i = 0; i < n; i++) {
        float value = (float)tl_value_of(column, (found[i] & index_mask) >> 1);
        pairs[i] = (uint64_t)tl_float_key(value) << 32 | found[i];
    }
    tl_sort_range(pairs, spare, n);
}

/* A cut: codes below `bin` go left; the samples of the bin itself too where their value is not
 * above the threshold, column is NULL where none of them does. */
typedef struct {
    int feature;
    uint32_t bin;
    double threshold;
    const tl_column *column;
} tl_inside_cut;

static inline int tl_goes_below(const tl_inside_cut *cut, const uint8_t *record, int32_t sample) {
    uint32_t code = record[cut->feature];
    if (code != cut->bin) return code < cut->bin;
    return cut->column != 0 && tl_value_of(cut->column, sample) <= cut->threshold;
}

static int64_t tl_count_below(const tl_inside_cut *cut, const uint8_t *record, int64_t n,
                              int64_t record_bytes, const int32_t *samples) {
    int64_t i, n_left = 0;
    for (i = 0; i < n; i++, record += record_bytes)
        n_left += tl_goes_below(cut, record, samples[i]);
    return n_left;
}

static inline void tl_divide_of(const tl_inside_cut *cut, const uint8_t *record, int64_t n,
                                int64_t n_words, const int32_t *samples, uint8_t *left,
                                uint8_t *right, int32_t *left_samples, int32_t *right_samples) {
    int64_t i, record_bytes = 8 * n_words;
    for (i = 0; i < n; i++, record += record_bytes) {
        int64_t goes_left = tl_goes_below(cut, record, samples[i]);
        tl_copy_words(goes_left ? left : right, record, n_words);
        *(goes_left ? left_samples : right_samples) = samples[i];
        left += goes_left * record_bytes;
        right += (1 - goes_left) * record_bytes;
        left_samples += goes_left;
        right_samples += 1 - goes_left;
    }
}

/* Partition records and samples; stable: both sides keep their order. */
static void tl_divide(const tl_inside_cut *cut, const uint8_t *record, int64_t n,
                      int64_t record_bytes, const int32_t *samples, uint8_t *left, uint8_t *right,
                      int32_t *left_samples, int32_t *right_samples) {
#define TL_CALL(n_words)                                                                      \
    tl_divide_of(cut, record, n, n_words, samples, left, right, left_samples, right_samples)
    switch (record_bytes / 8) {
    case 1: TL_CALL(1); break;
    case 2: TL_CALL(2); break;
    case 3: TL_CALL(3); break;
    case 4: TL_CALL(4); break;
    default: TL_CALL(record_bytes / 8);
    }
#undef TL_CALL
}

#endif
