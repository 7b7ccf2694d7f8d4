/* Lists of large nodes: 32-bit entries,  class | sample << 1 | start  from high to low.
 *
 * As in narrow.h, candidates are screened and whatever passes is scored by the exact formula: every
 * instruction set gives the same bits.
 */
#ifndef TREELEARN_WIDE_H
#define TREELEARN_WIDE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bits.h"
#include "block.h"
#include "lanes.h"
#include "simd.h"

/* Candidates whose score is this share below the best are still scored exactly: double precision
 * errs by less. */
#define TL_WIDE_SCREEN (1.0 - 1e-12)

/* Partition a run of entries, stably, and return how many go left.  An entry starts a new value in
 * its child if any entry since the last one kept there did: the start bits of those that went the
 * other way are carried along.  left and right have room for n entries each. */
static int32_t tl_partition_wide_scalar(const uint32_t *bits, uint32_t index_mask,
                                        const uint32_t *source, int32_t first, int32_t n,
                                        uint32_t carry_left, uint32_t carry_right, int32_t n_left,
                                        uint32_t *left, uint32_t *right) {
    int32_t i, n_right = first - n_left;
    for (i = first; i < n; i++) {
        uint32_t entry = source[i], start = entry & 1, sample = (entry & index_mask) >> 1;
        uint32_t go = (bits[sample >> 5] >> (sample & 31)) & 1;
        carry_left |= start;
        carry_right |= start;
        entry &= ~(uint32_t)1;
        /* Written on both sides, kept on one: no branch on the data. */
        left[n_left] = entry | carry_left;
        right[n_right] = entry | carry_right;
        n_left += go;
        n_right += 1 - go;
        carry_left &= go - 1;
        carry_right &= ~(go - 1);
    }
    return n_left;
}

#if TL_HAS_X86
/* Per mask of eight lanes: the lanes in it, first to last. */
static uint8_t tl_compress_32[256][8];

static void tl_fill_compress_32(void) {
    int mask, lane, at;
    for (mask = 0; mask < 256; mask++) {
        at = 0;
        memset(tl_compress_32[mask], 0, 8);
        for (lane = 0; lane < 8; lane++)
            if (mask >> lane & 1) tl_compress_32[mask][at++] = (uint8_t)lane;
    }
}

TL_TARGET_AVX2 static inline void tl_store_front(uint32_t *side, __m256i lanes, uint32_t mask) {
    __m256i order =
        _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)tl_compress_32[mask]));
    _mm256_storeu_si256((__m256i *)side, _mm256_permutevar8x32_epi32(lanes, order));
}

TL_TARGET_AVX2 static int32_t tl_partition_wide_avx2(const uint32_t *bits, uint32_t index_mask,
                                                     const uint32_t *source, int32_t n,
                                                     uint32_t *left, uint32_t *right) {
    const __m256i mask = _mm256_set1_epi32((int)index_mask), last = _mm256_set1_epi32(31);
    const __m256i lane_bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i one = _mm256_set1_epi32(1);
    uint32_t pending_left = 0, pending_right = 0;
    int32_t i, n_left = 0;
    /* Full vectors only: a store of eight never passes the eight entries read. */
    for (i = 0; i + 8 <= n; i += 8) {
        __m256i lanes = _mm256_loadu_si256((const __m256i *)(source + i));
        __m256i sample = _mm256_srli_epi32(_mm256_and_si256(lanes, mask), 1);
        __m256i word =
            _mm256_i32gather_epi32((const int *)bits, _mm256_srli_epi32(sample, 5), 4);
        uint32_t go = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(
            _mm256_sllv_epi32(word, _mm256_andnot_si256(sample, last))));
        uint32_t starts =
            (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(lanes, 31)));
        uint32_t stay = go ^ 0xff;
        /* See tl_partition_narrow_avx2: a carry takes start bits to the next entry kept. */
        uint32_t sum_left = (starts & stay) + stay + pending_left;
        uint32_t sum_right = (starts & go) + go + pending_right;
        uint32_t kept = starts | (sum_left & go) | (sum_right & stay);
        pending_left = sum_left >> 8;
        pending_right = sum_right >> 8;
        if (kept != starts) {
            __m256i is_start = _mm256_cmpeq_epi32(
                _mm256_and_si256(_mm256_set1_epi32((int)kept), lane_bit), lane_bit);
            lanes = _mm256_or_si256(lanes, _mm256_and_si256(is_start, one));
        }
        tl_store_front(left + n_left, lanes, go);
        tl_store_front(right + (i - n_left), lanes, stay);
        n_left += __builtin_popcount(go);
    }
    return tl_partition_wide_scalar(bits, index_mask, source, i, n, pending_left, pending_right,
                                    n_left, left, right);
}
#else
static void tl_fill_compress_32(void) {}
#endif

static inline int32_t tl_partition_wide(int simd, const uint32_t *bits, uint32_t index_mask,
                                        const uint32_t *source, int32_t n, uint32_t *left,
                                        uint32_t *right) {
#if TL_HAS_X86
    if (simd >= TL_AVX2)
        return tl_partition_wide_avx2(bits, index_mask, source, n, left, right);
#endif
    return tl_partition_wide_scalar(bits, index_mask, source, 0, n, 0, 0, 0, left, right);
}

/* Best cut of two classes of unit weight by Gini: see tl_scan_binary_scalar of narrow.h. */
static void tl_scan_binary_wide_scalar(const uint32_t *entries, int class_shift, int32_t begin,
                                       int32_t end, int64_t n_left, int64_t ones_left, double n,
                                       double ones, int64_t lowest, int64_t highest, double *best,
                                       int32_t *best_at) {
    int32_t i;
    for (i = begin; i < end; i++, n_left++) {
        if (entries[i] & 1 && n_left >= lowest && n_left <= highest) {
            double score = tl_binary_score((double)ones_left, (double)n_left, ones, n);
            if (score > *best) {
                *best = score;
                *best_at = i;
            }
        }
        ones_left += entries[i] >> class_shift;
    }
}

/* The same 16 entries at a time. */
static void tl_scan_binary_wide_lanes(const uint32_t *entries, int class_shift, int32_t begin,
                                      int32_t end, int64_t n_left, int64_t ones_left, double n,
                                      double ones, int64_t lowest, int64_t highest, double *best,
                                      int32_t *best_at) {
    int32_t i, k;
    for (i = begin; i + 16 <= end; i += 16, n_left += 16) {
        const uint32_t *here = entries + i;
        const double bar = *best * (*best > 0.0 ? TL_WIDE_SCREEN : 1.0);
        const double first = (double)n_left, ones_before = (double)ones_left;
        uint16_t is_one[16], starts[16];
        int16_t sums[16];
        uint8_t flags[16];
        unsigned hits;
        TL_LANES
        for (k = 0; k < 16; k++) is_one[k] = (uint16_t)(here[k] >> class_shift);
        TL_LANES
        for (k = 0; k < 16; k++) starts[k] = (uint16_t)(here[k] & 1);
        ones_left += tl_sum_up(is_one, 0, sums);
        if (!tl_is_any(starts) || n_left + 15 < lowest || n_left > highest) continue;
        TL_LANES
        for (k = 0; k < 16; k++) {
            double left = first + (double)k;
            double before = ones_before + (double)((int32_t)sums[k] - (int32_t)is_one[k]);
            double difference = before * n - left * ones;
            flags[k] = (uint8_t)((difference * difference >= left * (n - left) * bar) &
                                 (starts[k] != 0));
        }
        hits = tl_pack_lanes(flags);
        for (; hits; hits &= hits - 1) {
            double score;
            k = TL_LOWEST_BIT(hits);
            if (n_left + k < lowest || n_left + k > highest) continue;
            score = tl_binary_score(ones_before + (double)(sums[k] - is_one[k]),
                                    (double)(n_left + k), ones, n);
            if (score > *best) {
                *best = score;
                *best_at = i + k;
            }
        }
    }
    tl_scan_binary_wide_scalar(entries, class_shift, i, end, n_left, ones_left, n, ones, lowest,
                               highest, best, best_at);
}

#if TL_HAS_X86
TL_TARGET_AVX2 static void tl_scan_binary_wide_avx2(const uint32_t *entries, int class_shift,
                                                    int32_t begin, int32_t end, int64_t n_left,
                                                    int64_t ones_left, double n, double ones,
                                                    int64_t lowest, int64_t highest,
                                                    double *best, int32_t *best_at) {
    const __m128i shift = _mm_cvtsi32_si128(class_shift);
    const __m256d vn = _mm256_set1_pd(n), vones = _mm256_set1_pd(ones);
    const __m256d steps = _mm256_setr_pd(0, 1, 2, 3), four = _mm256_set1_pd(4.0);
    __m256d bar = _mm256_set1_pd(*best * (*best > 0.0 ? TL_WIDE_SCREEN : 1.0));
    int32_t i, k;
    for (i = begin; i + 8 <= end; i += 8, n_left += 8) {
        __m256i lanes = _mm256_loadu_si256((const __m256i *)(entries + i));
        __m256i is_one = _mm256_srl_epi32(lanes, shift);
        __m256i sums = _mm256_add_epi32(is_one, _mm256_slli_si256(is_one, 4));
        uint32_t starts =
            (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(lanes, 31)));
        sums = _mm256_add_epi32(sums, _mm256_slli_si256(sums, 8));
        sums = _mm256_add_epi32(
            sums, _mm256_shuffle_epi32(_mm256_permute2x128_si256(sums, sums, 0x08), 0xff));
        if (starts && n_left + 7 >= lowest && n_left <= highest) {
            __m256i before = _mm256_add_epi32(_mm256_sub_epi32(sums, is_one),
                                              _mm256_set1_epi32((int)ones_left));
            __m256d left_0 = _mm256_add_pd(_mm256_set1_pd((double)n_left), steps);
            __m256d left_1 = _mm256_add_pd(left_0, four);
            __m256d a_0 = _mm256_cvtepi32_pd(_mm256_castsi256_si128(before));
            __m256d a_1 = _mm256_cvtepi32_pd(_mm256_extracti128_si256(before, 1));
            __m256d d_0 = _mm256_sub_pd(_mm256_mul_pd(a_0, vn), _mm256_mul_pd(left_0, vones));
            __m256d d_1 = _mm256_sub_pd(_mm256_mul_pd(a_1, vn), _mm256_mul_pd(left_1, vones));
            __m256d q_0 = _mm256_mul_pd(left_0, _mm256_sub_pd(vn, left_0));
            __m256d q_1 = _mm256_mul_pd(left_1, _mm256_sub_pd(vn, left_1));
            uint32_t hits =
                (uint32_t)_mm256_movemask_pd(_mm256_cmp_pd(
                    _mm256_mul_pd(d_0, d_0), _mm256_mul_pd(q_0, bar), _CMP_GE_OQ)) |
                (uint32_t)_mm256_movemask_pd(_mm256_cmp_pd(
                    _mm256_mul_pd(d_1, d_1), _mm256_mul_pd(q_1, bar), _CMP_GE_OQ))
                    << 4;
            hits &= starts;
            if (hits) {
                int32_t counts[8];
                _mm256_storeu_si256((__m256i *)counts, before);
                for (; hits; hits &= hits - 1) {
                    double score;
                    k = __builtin_ctz(hits);
                    if (n_left + k < lowest || n_left + k > highest) continue;
                    score = tl_binary_score(counts[k], (double)(n_left + k), ones, n);
                    if (score > *best) {
                        *best = score;
                        *best_at = i + k;
                    }
                }
                bar = _mm256_set1_pd(*best * (*best > 0.0 ? TL_WIDE_SCREEN : 1.0));
            }
        }
        ones_left += _mm256_extract_epi32(sums, 7);
    }
    tl_scan_binary_wide_scalar(entries, class_shift, i, end, n_left, ones_left, n, ones, lowest,
                               highest, best, best_at);
}
#endif

static inline void tl_scan_binary_wide(int simd, const uint32_t *entries, int class_shift,
                                       int32_t begin, int32_t end, int64_t n_left,
                                       int64_t ones_left, double n, double ones, int64_t lowest,
                                       int64_t highest, double *best, int32_t *best_at) {
#if TL_HAS_X86
    if (simd >= TL_AVX2) {
        tl_scan_binary_wide_avx2(entries, class_shift, begin, end, n_left, ones_left, n, ones,
                                 lowest, highest, best, best_at);
        return;
    }
#endif
    tl_scan_binary_wide_lanes(entries, class_shift, begin, end, n_left, ones_left, n, ones, lowest,
                              highest, best, best_at);
}

#endif
