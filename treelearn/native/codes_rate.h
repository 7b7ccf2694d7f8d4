/* How good a cut can be in each of 16 columns that are sorted side by side (codes_lanes.h). */
#ifndef TREELEARN_CODES_RATE_H
#define TREELEARN_CODES_RATE_H

#include <stdint.h>
#include <string.h>

#include "codes_types.h"
#include "portable.h"
#include "simd.h"

#define TL_MOST_ROWS 64
#define TL_MOST_PAIRS 543 /* comparisons for 64 keys */

static uint8_t tl_pairs[TL_MOST_ROWS + 1][TL_MOST_PAIRS][2];
static int32_t tl_n_pairs[TL_MOST_ROWS + 1];
static float tl_inverse[TL_MOST_ROWS + 1];

static void tl_fill_networks(void) {
    int n, p, k, j, i;
    for (n = 1; n <= TL_MOST_ROWS; n++) {
        int32_t m = 0;
        tl_inverse[n] = 1.0f / (float)n;
        for (p = 1; p < n; p *= 2)
            for (k = p; k >= 1; k /= 2)
                for (j = k % p; j + k < n; j += 2 * k)
                    for (i = 0; i < k && i + j + k < n; i++)
                        if ((i + j) / (2 * p) == (i + j + k) / (2 * p)) {
                            tl_pairs[n][m][0] = (uint8_t)(i + j);
                            tl_pairs[n][m][1] = (uint8_t)(i + j + k);
                            m++;
                        }
        tl_n_pairs[n] = m;
    }
}

/* 16 columns of the samples of a node. */
typedef struct {
    const uint16_t *codes; /* [sample][stride], from the first of the 16 columns */
    size_t stride;
    const int32_t *samples;
    const uint8_t *classes; /* of the samples, among those present; ascending */
    int class_bits;
    uint32_t skipped;    /* lanes that are not searched here, a bit each */
    const int32_t *feature; /* of the lanes */
} TlLanes;

/* Keys of 32 bits as keys of 16 bits that order alike: a code becomes its place among those of
 * its lane. */
static inline void tl_shorten_keys(int32_t n, int shift, uint32_t (*keys)[16],
                                   uint16_t (*short_keys)[16]) {
    const uint32_t class_mask = ((uint32_t)1 << shift) - 1;
    uint32_t place[16];
    int32_t i;
    int l;
    for (l = 0; l < 16; l++) place[l] = 0;
    for (i = 0; i < n; i++) {
        const uint32_t *before = keys[i > 0 ? i - 1 : 0];
        for (l = 0; l < 16; l++) {
            place[l] += (before[l] >> shift) != (keys[i][l] >> shift);
            short_keys[i][l] = (uint16_t)(place[l] << shift | (keys[i][l] & class_mask));
        }
    }
}

/* The largest score of every lane in float32, -1 where no cut is feasible: Gini. */
typedef void tl_rate_t(const TlScoring *scoring, const TlCounts *node, int shift,
                       uint16_t (*keys)[16], float *rated);

static void tl_rate_scalar(const TlScoring *scoring, const TlCounts *node, int shift,
                           uint16_t (*keys)[16], float *rated) {
    const int16_t n = (int16_t)node->n_samples;
    const int16_t first = (int16_t)(node->min_leaf < n ? node->min_leaf : n);
    const int16_t class_mask = (int16_t)((1 << shift) - 1);
    /* Binary: D = l1 n - i n1; else the sums of squares of both sides. */
    int16_t difference[16], square[16], other[16], counts[TL_MOST_ROWS][16];
    const int16_t n_ones = (int16_t)node->class_counts[1];
    int16_t i, c;
    int l;
    memset(difference, 0, sizeof difference);
    memset(square, 0, sizeof square);
    memset(counts, 0, (size_t)node->n_classes * sizeof *counts);
    for (l = 0; l < 16; l++) {
        rated[l] = -1.0f;
        other[l] = 0;
        for (c = 0; c < node->n_classes; c++)
            other[l] = (int16_t)(other[l] + node->class_counts[c] * node->class_counts[c]);
    }
    for (i = 1; i <= n - first; i++) {
        const uint16_t *before = keys[i - 1], *after = keys[i];
        if (scoring->is_binary) {
            TL_LANES
            for (l = 0; l < 16; l++)
                difference[l] = (int16_t)(difference[l] + (-(before[l] & 1) & n) - n_ones);
        } else {
            int16_t own[16] = {0}, whole[16] = {0};
            for (c = 0; c < node->n_classes; c++) {
                const int16_t total = (int16_t)node->class_counts[c];
                TL_LANES
                for (l = 0; l < 16; l++) {
                    int16_t is_class = (int16_t)-((int16_t)(before[l] & class_mask) == c);
                    own[l] = (int16_t)(own[l] | (is_class & counts[c][l]));
                    whole[l] = (int16_t)(whole[l] | (is_class & total));
                    counts[c][l] = (int16_t)(counts[c][l] - is_class);
                }
            }
            /* (c + 1)^2 - c^2 on the left, c^2 - (c - 1)^2 on the right */
            TL_LANES
            for (l = 0; l < 16; l++) {
                square[l] = (int16_t)(square[l] + 1 + 2 * own[l]);
                other[l] = (int16_t)(other[l] + 1 - 2 * (whole[l] - own[l]));
            }
        }
        if (i < first) continue;
        if (scoring->is_binary) {
            const float inverse = tl_inverse[i] * tl_inverse[n - i];
            TL_LANES
            for (l = 0; l < 16; l++) {
                float d = (float)difference[l], score = d * d * inverse;
                score = (before[l] >> shift) == (after[l] >> shift) ? -1.0f : score;
                rated[l] = rated[l] > score ? rated[l] : score;
            }
        } else {
            const float left = tl_inverse[i], right = tl_inverse[n - i];
            TL_LANES
            for (l = 0; l < 16; l++) {
                float score = (float)square[l] * left + (float)other[l] * right;
                score = (before[l] >> shift) == (after[l] >> shift) ? -1.0f : score;
                rated[l] = rated[l] > score ? rated[l] : score;
            }
        }
    }
}

#if TL_HAS_X86

/* Keep the larger score of every lane where the codes of two rows differ. */
#define TL_KEEP_RATED(score_low, score_high)                                                   \
    {                                                                                          \
        __m256i same = _mm256_cmpeq_epi16(_mm256_srl_epi16(before, count),                     \
                                          _mm256_srl_epi16(after, count));                     \
        __m256 low_same = _mm256_castsi256_ps(                                                 \
            _mm256_cvtepi16_epi32(_mm256_castsi256_si128(same)));                              \
        __m256 high_same = _mm256_castsi256_ps(                                                \
            _mm256_cvtepi16_epi32(_mm256_extracti128_si256(same, 1)));                         \
        low = _mm256_max_ps(low, _mm256_blendv_ps(score_low, none, low_same));                 \
        high = _mm256_max_ps(high, _mm256_blendv_ps(score_high, none, high_same));             \
    }
#define TL_LOW_FLOATS(x) \
    _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(x)))
#define TL_HIGH_FLOATS(x) \
    _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm256_extracti128_si256(x, 1)))

TL_TARGET_AVX2 static void tl_rate_avx2(const TlScoring *scoring, const TlCounts *node, int shift,
                                        uint16_t (*keys)[16], float *rated) {
    const int32_t n = node->n_samples, first = node->min_leaf, last = n - node->min_leaf;
    const int n_classes = node->n_classes;
    const __m256i one = _mm256_set1_epi16(1), zero = _mm256_setzero_si256();
    const __m128i count = _mm_cvtsi32_si128(shift);
    const __m256 none = _mm256_set1_ps(-1.0f);
    __m256 low = none, high = none;
    int32_t i;
    int c;
    if (scoring->is_binary) {
        /* D = l1 n - i n1 */
        const __m256i whole = _mm256_set1_epi16((short)n);
        const __m256i ones = _mm256_set1_epi16((short)node->class_counts[1]);
        __m256i difference = zero;
        for (i = 1; i <= last; i++) {
            const __m256i before = _mm256_loadu_si256((const __m256i *)keys[i - 1]);
            const __m256i after = _mm256_loadu_si256((const __m256i *)keys[i]);
            __m256i is_one = _mm256_sub_epi16(zero, _mm256_and_si256(before, one));
            difference = _mm256_add_epi16(
                difference, _mm256_sub_epi16(_mm256_and_si256(is_one, whole), ones));
            if (i >= first) {
                const __m256 inverse = _mm256_set1_ps(tl_inverse[i] * tl_inverse[n - i]);
                __m256 low_part = TL_LOW_FLOATS(difference);
                __m256 high_part = TL_HIGH_FLOATS(difference);
                low_part = _mm256_mul_ps(_mm256_mul_ps(low_part, low_part), inverse);
                high_part = _mm256_mul_ps(_mm256_mul_ps(high_part, high_part), inverse);
                TL_KEEP_RATED(low_part, high_part)
            }
        }
    } else {
        const __m256i class_mask = _mm256_set1_epi16((short)((1 << shift) - 1));
        __m256i counts[TL_MOST_ROWS], totals[TL_MOST_ROWS], square = zero, other;
        int all = 0;
        for (c = 0; c < n_classes; c++) {
            all += node->class_counts[c] * node->class_counts[c];
            counts[c] = zero;
            totals[c] = _mm256_set1_epi16((short)node->class_counts[c]);
        }
        other = _mm256_set1_epi16((short)all);
        for (i = 1; i <= last; i++) {
            const __m256i before = _mm256_loadu_si256((const __m256i *)keys[i - 1]);
            const __m256i after = _mm256_loadu_si256((const __m256i *)keys[i]);
            const __m256i label = _mm256_and_si256(before, class_mask);
            __m256i own = zero, whole = zero, number = zero;
            for (c = 0; c < n_classes; c++) {
                __m256i is_class = _mm256_cmpeq_epi16(label, number);
                own = _mm256_or_si256(own, _mm256_and_si256(is_class, counts[c]));
                whole = _mm256_or_si256(whole, _mm256_and_si256(is_class, totals[c]));
                counts[c] = _mm256_sub_epi16(counts[c], is_class);
                number = _mm256_add_epi16(number, one);
            }
            /* (c + 1)^2 - c^2 on the left, c^2 - (c - 1)^2 on the right */
            square = _mm256_add_epi16(square, _mm256_add_epi16(one, _mm256_add_epi16(own, own)));
            whole = _mm256_sub_epi16(whole, own);
            other = _mm256_add_epi16(other, _mm256_sub_epi16(one, _mm256_add_epi16(whole, whole)));
            if (i >= first) {
                const __m256 left = _mm256_set1_ps(tl_inverse[i]);
                const __m256 right = _mm256_set1_ps(tl_inverse[n - i]);
                __m256 low_part =
                    _mm256_add_ps(_mm256_mul_ps(TL_LOW_FLOATS(square), left),
                                  _mm256_mul_ps(TL_LOW_FLOATS(other), right));
                __m256 high_part =
                    _mm256_add_ps(_mm256_mul_ps(TL_HIGH_FLOATS(square), left),
                                  _mm256_mul_ps(TL_HIGH_FLOATS(other), right));
                TL_KEEP_RATED(low_part, high_part)
            }
        }
    }
    _mm256_storeu_ps(rated, low);
    _mm256_storeu_ps(rated + 8, high);
}

#endif

#endif
