/* Records of binned samples: counting them into histograms and partitioning them.
 *
 * A record holds the codes of one sample, of one or two bytes, and its class where that fits; it
 * is a whole number of 8-byte words long. A histogram holds one cell per feature and code, the
 * missing one last, in one of three forms:
 *
 *   pairs     two classes of unit weight: samples + (samples of class 1 << 32) in 64 bits
 *   classes   classes of unit weight: 32 bits per class
 *   wide      64-bit words: samples, weight unless it is one unit each, statistics
 */
#ifndef TREELEARN_HISTOGRAM_H
#define TREELEARN_HISTOGRAM_H

#include <stdint.h>
#include <string.h>

#include "simd.h"

/* code_bytes is a constant wherever this is inlined */
static inline uint32_t tl_code(const uint8_t *record, int64_t feature, int code_bytes) {
    uint16_t wide;
    if (code_bytes == 1) return record[feature];
    memcpy(&wide, record + 2 * feature, 2);
    return wide;
}

#define TL_BOTH_WIDTHS(CALL_1, CALL_2)                                                        \
    if (code_bytes == 1) {                                                                    \
        CALL_1;                                                                               \
    } else {                                                                                  \
        CALL_2;                                                                               \
    }

/* The class stands behind the codes. */
static inline void tl_fill_pairs_of(const uint8_t *record, int64_t n, int64_t record_bytes,
                                    int n_features, int code_bytes, const int32_t *starts,
                                    uint64_t *cells) {
    int64_t i;
    int f;
    for (i = 0; i < n; i++, record += record_bytes) {
        uint64_t one = 1 + ((uint64_t)tl_code(record, n_features, code_bytes) << 32);
        for (f = 0; f < n_features; f++) cells[starts[f] + tl_code(record, f, code_bytes)] += one;
    }
}

static void tl_fill_pairs(const uint8_t *record, int64_t n, int64_t record_bytes, int n_features,
                          int code_bytes, const int32_t *starts, uint64_t *cells) {
    TL_BOTH_WIDTHS(tl_fill_pairs_of(record, n, record_bytes, n_features, 1, starts, cells),
                   tl_fill_pairs_of(record, n, record_bytes, n_features, 2, starts, cells))
}

static inline void tl_fill_classes_of(const uint8_t *record, int64_t n, int64_t record_bytes,
                                      int n_features, int code_bytes, const int32_t *starts,
                                      int n_classes, uint32_t *cells) {
    int64_t i;
    int f;
    for (i = 0; i < n; i++, record += record_bytes) {
        uint32_t *column = cells + tl_code(record, n_features, code_bytes);
        for (f = 0; f < n_features; f++)
            column[(int64_t)(starts[f] + tl_code(record, f, code_bytes)) * n_classes]++;
    }
}

static void tl_fill_classes(const uint8_t *record, int64_t n, int64_t record_bytes,
                            int n_features, int code_bytes, const int32_t *starts, int n_classes,
                            uint32_t *cells) {
    TL_BOTH_WIDTHS(
        tl_fill_classes_of(record, n, record_bytes, n_features, 1, starts, n_classes, cells),
        tl_fill_classes_of(record, n, record_bytes, n_features, 2, starts, n_classes, cells))
}

/* Add the first n_words of a sample to the cells of its codes. */
static inline void tl_add_words(const uint8_t *record, int n_features, int code_bytes,
                                const int32_t *starts, const int64_t *words, int n_words,
                                int cell_words, int64_t *cells) {
    int f, k;
    for (f = 0; f < n_features; f++) {
        int64_t *cell = cells + (int64_t)(starts[f] + tl_code(record, f, code_bytes)) * cell_words;
        for (k = 0; k < n_words; k++) cell[k] += words[k];
    }
}

static inline void tl_add_sample(const uint8_t *record, int n_features, int code_bytes,
                                 const int32_t *starts, const int64_t *words, int n_words,
                                 int cell_words, int64_t *cells) {
    if (n_words == 2 && cell_words == 2 && code_bytes == 1)
        tl_add_words(record, n_features, 1, starts, words, 2, 2, cells);
    else if (n_words == 3 && cell_words == 3 && code_bytes == 1)
        tl_add_words(record, n_features, 1, starts, words, 3, 3, cells);
    else if (code_bytes == 1)
        tl_add_words(record, n_features, 1, starts, words, n_words, cell_words, cells);
    else
        tl_add_words(record, n_features, 2, starts, words, n_words, cell_words, cells);
}

/* Unit weights and one sum: cells of two words, (1, sum of the target) for every sample. */
static inline void tl_fill_sums_of(const uint8_t *record, int64_t n, int64_t record_bytes,
                                   int n_features, int code_bytes, const int32_t *starts,
                                   const int32_t *samples, const int64_t *sums, int64_t *cells) {
    int64_t i;
    int f;
    for (i = 0; i < n; i++, record += record_bytes) {
        const int64_t sum = sums[samples[i]];
#if TL_HAS_X86
        const __m128i words = _mm_set_epi64x(sum, 1);
#endif
        for (f = 0; f < n_features; f++) {
            int64_t *cell = cells + 2 * (int64_t)(starts[f] + tl_code(record, f, code_bytes));
#if TL_HAS_X86
            __m128i *both = (__m128i *)cell;
            _mm_storeu_si128(both, _mm_add_epi64(_mm_loadu_si128(both), words));
#else
            cell[0]++;
            cell[1] += sum;
#endif
        }
    }
}

static void tl_fill_sums(const uint8_t *record, int64_t n, int64_t record_bytes, int n_features,
                         int code_bytes, const int32_t *starts, const int32_t *samples,
                         const int64_t *sums, int64_t *cells) {
    TL_BOTH_WIDTHS(tl_fill_sums_of(record, n, record_bytes, n_features, 1, starts, samples, sums,
                                   cells),
                   tl_fill_sums_of(record, n, record_bytes, n_features, 2, starts, samples, sums,
                                   cells))
}

/* Add a number to one word of the cells of a sample's codes. */
static inline void tl_add_word(const uint8_t *record, int n_features, int code_bytes,
                               const int32_t *starts, int64_t word, int64_t units, int cell_words,
                               int64_t *cells) {
    int f;
    for (f = 0; f < n_features; f++)
        cells[(int64_t)(starts[f] + tl_code(record, f, code_bytes)) * cell_words + word] += units;
}

/* A cut: codes up to `bin` go left, and the code `also`, which is none where missing values go
 * right. */
static inline int tl_goes_left(uint32_t code, uint32_t bin, uint32_t also) {
    return (code <= bin) | (code == also);
}

static inline int64_t tl_count_left_of(const uint8_t *record, int64_t n, int64_t record_bytes,
                                       int feature, int code_bytes, uint32_t bin, uint32_t also) {
    int64_t i, n_left = 0;
    for (i = 0; i < n; i++, record += record_bytes)
        n_left += tl_goes_left(tl_code(record, feature, code_bytes), bin, also);
    return n_left;
}

static int64_t tl_count_left(const uint8_t *record, int64_t n, int64_t record_bytes, int feature,
                             int code_bytes, uint32_t bin, uint32_t also) {
    if (code_bytes == 1)
        return tl_count_left_of(record, n, record_bytes, feature, 1, bin, also);
    return tl_count_left_of(record, n, record_bytes, feature, 2, bin, also);
}

static inline void tl_copy_words(uint8_t *target, const uint8_t *source, int64_t n_words) {
    int64_t k;
    for (k = 0; k < n_words; k++) memcpy(target + 8 * k, source + 8 * k, 8);
}

/* Stable: both sides keep their order. The two targets do not overlap the source. */
static inline void tl_partition_of(const uint8_t *record, int64_t n, int64_t n_words, int feature,
                                   int code_bytes, uint32_t bin, uint32_t also, uint8_t *left,
                                   uint8_t *right) {
    int64_t i, record_bytes = 8 * n_words;
    for (i = 0; i < n; i++, record += record_bytes) {
        int64_t goes_left = tl_goes_left(tl_code(record, feature, code_bytes), bin, also);
        tl_copy_words(goes_left ? left : right, record, n_words);
        left += goes_left * record_bytes;
        right += (1 - goes_left) * record_bytes;
    }
}

static void tl_partition_records(const uint8_t *record, int64_t n, int64_t record_bytes,
                                 int feature, int code_bytes, uint32_t bin, uint32_t also,
                                 uint8_t *left, uint8_t *right) {
    int64_t n_words = record_bytes / 8;
    if (code_bytes == 2 && n_words == 4)
        tl_partition_of(record, n, 4, feature, 2, bin, also, left, right);
    else if (code_bytes == 2)
        tl_partition_of(record, n, n_words, feature, 2, bin, also, left, right);
    else if (n_words == 1)
        tl_partition_of(record, n, 1, feature, 1, bin, also, left, right);
    else if (n_words == 2)
        tl_partition_of(record, n, 2, feature, 1, bin, also, left, right);
    else if (n_words == 3)
        tl_partition_of(record, n, 3, feature, 1, bin, also, left, right);
    else if (n_words == 4)
        tl_partition_of(record, n, 4, feature, 1, bin, also, left, right);
    else
        tl_partition_of(record, n, n_words, feature, 1, bin, also, left, right);
}

static void tl_partition_samples(const uint8_t *record, int64_t n, int64_t record_bytes,
                                 int feature, int code_bytes, uint32_t bin, uint32_t also,
                                 const int32_t *samples, int32_t *left, int32_t *right) {
    int64_t i;
    for (i = 0; i < n; i++, record += record_bytes) {
        uint32_t code = code_bytes == 1 ? tl_code(record, feature, 1) : tl_code(record, feature, 2);
        int goes_left = tl_goes_left(code, bin, also);
        *(goes_left ? left : right) = samples[i];
        left += goes_left;
        right += 1 - goes_left;
    }
}

#endif
