/* Scan of a run of entries by squared error, as the other scans of runs.h: sums laid down in a
 * block, a screen, the exact score of what passes it.
 */
#ifndef TREELEARN_MOMENTS_H
#define TREELEARN_MOMENTS_H

#include "moment_screen.h"
#include "runs.h"
#include "simd.h"

/* Any weights, plain code; total: sum of the node. */
static inline void tl_scan_moments_of(const int is_narrow, const int has_weights,
                                      const tl_reader *reader, const void *list, int32_t begin,
                                      int32_t end, tl_left *left, const int64_t *sums,
                                      int64_t total, const tl_bounds *bounds, double *best,
                                      int32_t *best_at) {
    const uint16_t *narrow = (const uint16_t *)list;
    const uint32_t *wide = (const uint32_t *)list;
    int64_t moments[TL_RUN_BLOCK];
    double weights[TL_RUN_BLOCK], lefts[TL_RUN_BLOCK], excess[TL_RUN_BLOCK];
    int64_t moment = left->stats[0], weight = left->weight;
    double whole = (double)bounds->weight, mean = (double)total / whole;
    const uint32_t mask = reader->index_mask;
    int32_t i, j;
    for (i = begin; i < end; i += TL_RUN_BLOCK) {
        int32_t length = end - i < TL_RUN_BLOCK ? end - i : TL_RUN_BLOCK;
        double bar = *best > 0.0 ? *best * (1.0 - 1e-9) : *best;
        for (j = 0; j < length; j++) {
            uint32_t sample =
                is_narrow ? narrow[i + j] >> TL_NARROW_SHIFT : (wide[i + j] & mask) >> 1;
            moments[j] = moment;
            lefts[j] = (double)moment;
            weights[j] = (double)weight;
            moment += sums[sample];
            weight += has_weights ? reader->weights[sample] : 1;
        }
        if (!tl_screen_moments(weights, lefts, whole, mean, TL_MOMENT_MARGIN, bar, length, excess))
            continue;
        for (j = 0; j < length; j++) {
            if (excess[j] >= 0.0 && tl_is_start(reader, list, i + j) &&
                tl_is_feasible(bounds, left->n + i - begin + j, (int64_t)weights[j])) {
                /* Both sides are rounded from whole numbers: mirrored cuts score alike. */
                double score = tl_moments_score(lefts[j], (double)(total - moments[j]), weights[j],
                                                whole, mean);
                if (score > *best) {
                    *best = score;
                    *best_at = i + j;
                }
            }
        }
    }
}

#if TL_HAS_X86
/* Blocks with fewer starts are summed from start to start. */
#define TL_FEW_STARTS 8

static inline int64_t tl_sum_at(const int is_narrow, const void *list, int32_t i, uint32_t mask,
                                const int64_t *sums) {
    return sums[is_narrow ? ((const uint16_t *)list)[i] >> TL_NARROW_SHIFT
                          : (((const uint32_t *)list)[i] & mask) >> 1];
}

/* Unit weights. */
TL_TARGET_AVX2 static inline void tl_scan_unit_moments_avx2(
    const int is_narrow, const tl_reader *reader, const void *list, int32_t begin, int32_t end,
    const tl_left *left, const int64_t *sums, int64_t total, const tl_bounds *bounds, double *best,
    int32_t *best_at) {
    const uint32_t mask = reader->index_mask;
    const double whole = (double)bounds->weight, mean = (double)total / whole;
    const __m256d all = _mm256_set1_pd(whole), means = _mm256_set1_pd(mean);
    double bar = tl_moment_bar(*best, whole);
    int64_t moments[64], moment = left->stats[0], n_left = left->n;
    int32_t i, j;
    for (i = begin; i < end; i += 64, n_left += 64) {
        const int32_t length = end - i < 64 ? end - i : 64;
        uint64_t hits, is_one; /* there are no classes, and what asks for them is dropped */
        int is_sparse;
        int32_t n_summed = 0;
        tl_masks_avx2(reader, list, i, length, &hits, &is_one);
        is_sparse = __builtin_popcountll(hits) < TL_FEW_STARTS;
        if (!is_sparse) {
            const __m256d bars = _mm256_set1_pd(bar);
            uint64_t near = 0;
            __m256d n = _mm256_add_pd(_mm256_set1_pd((double)n_left),
                                      _mm256_setr_pd(0.0, 1.0, 2.0, 3.0));
            for (j = 0; j + 4 <= length; j += 4) {
                moments[j] = moment;
                moment += tl_sum_at(is_narrow, list, i + j, mask, sums);
                moments[j + 1] = moment;
                moment += tl_sum_at(is_narrow, list, i + j + 1, mask, sums);
                moments[j + 2] = moment;
                moment += tl_sum_at(is_narrow, list, i + j + 2, mask, sums);
                moments[j + 3] = moment;
                moment += tl_sum_at(is_narrow, list, i + j + 3, mask, sums);
            }
            for (; j < length; j++) {
                moments[j] = moment;
                moment += tl_sum_at(is_narrow, list, i + j, mask, sums);
            }
            for (j = 0; j < length; j += 4, n = _mm256_add_pd(n, _mm256_set1_pd(4.0))) {
                const __m256i sum = _mm256_loadu_si256((const __m256i *)(moments + j));
                near |= tl_are_near_avx2(sum, n, all, means, bars) << j;
            }
            hits &= near;
        }
        for (; hits; hits &= hits - 1) {
            const int64_t weight = n_left + __builtin_ctzll(hits);
            double score;
            j = __builtin_ctzll(hits);
            if (is_sparse) {
                for (; n_summed < j; n_summed++)
                    moment += tl_sum_at(is_narrow, list, i + n_summed, mask, sums);
                moments[j] = moment;
                if (!tl_is_near((double)moment, (double)weight, whole, mean, bar)) continue;
            }
            if (!tl_is_feasible(bounds, weight, weight)) continue;
            score = tl_moments_score((double)moments[j], (double)(total - moments[j]),
                                     (double)weight, whole, mean);
            if (score > *best) {
                *best = score;
                *best_at = i + j;
                bar = tl_moment_bar(*best, whole);
            }
        }
        if (is_sparse)
            for (; n_summed < length; n_summed++)
                moment += tl_sum_at(is_narrow, list, i + n_summed, mask, sums);
    }
}

TL_TARGET_AVX2 static void tl_scan_moments_avx2(const tl_reader *reader, const void *list,
                                                int32_t begin, int32_t end, const tl_left *left,
                                                const int64_t *sums, int64_t total,
                                                const tl_bounds *bounds, double *best,
                                                int32_t *best_at) {
    if (reader->is_narrow)
        tl_scan_unit_moments_avx2(1, reader, list, begin, end, left, sums, total, bounds, best,
                                  best_at);
    else
        tl_scan_unit_moments_avx2(0, reader, list, begin, end, left, sums, total, bounds, best,
                                  best_at);
}
#endif

static void tl_scan_moments(int simd, const tl_reader *reader, const void *list, int32_t begin,
                            int32_t end, tl_left *left, const int64_t *sums, int64_t total,
                            const tl_bounds *bounds, double *best, int32_t *best_at) {
#define TL_CALL(is_narrow, has_weights)                                                        \
    tl_scan_moments_of(is_narrow, has_weights, reader, list, begin, end, left, sums, total,    \
                       bounds, best, best_at)
#if TL_HAS_X86
    if (simd >= TL_AVX2 && reader->weights == NULL) {
        tl_scan_moments_avx2(reader, list, begin, end, left, sums, total, bounds, best, best_at);
        return;
    }
#endif
    if (reader->is_narrow && reader->weights == NULL) TL_CALL(1, 0);
    else if (reader->is_narrow) TL_CALL(1, 1);
    else if (reader->weights == NULL) TL_CALL(0, 0);
    else TL_CALL(0, 1);
#undef TL_CALL
}

#endif
