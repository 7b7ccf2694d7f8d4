/* Histograms of squared error: cells of two words, samples and sum of their targets.
 *
 * The best cut of a feature's cells is found as in the scans of moments.h: sums in whole numbers, a
 * screen without a division, the exact score of what passes it.  Behind an empty cell a cut has
 * the score of the cut before it, and the first of equal scores is kept.
 */
#ifndef TREELEARN_CELLS_H
#define TREELEARN_CELLS_H

#include <stdint.h>

#include "bits.h"
#include "block.h"
#include "moment_screen.h"
#include "simd.h"

#define TL_CELL_BLOCK 64

typedef struct {
    int64_t n_samples;
    int64_t total;  /* sum of the targets */
    int64_t lowest; /* samples that stay on either side */
} tl_cell_node;

/* Samples and sum left of the cut behind every cell of a block. */
typedef struct {
    int64_t word[TL_CELL_BLOCK][2];
} tl_running;

/* Which cuts of a block come near the bar, one bit each. */
static inline uint64_t tl_near_cells(const int64_t *cells, int n, int64_t left[2], double whole,
                                     double mean, double bar, tl_running *running) {
    uint64_t near = 0;
    int i;
    for (i = 0; i < n; i++) {
        left[0] += cells[2 * i];
        left[1] += cells[2 * i + 1];
        running->word[i][0] = left[0];
        running->word[i][1] = left[1];
        near |= (uint64_t)tl_is_near((double)left[1], (double)left[0], whole, mean, bar) << i;
    }
    return near;
}

#if TL_HAS_X86
/* As above; the bits of cells past the last one mean nothing. */
TL_TARGET_AVX2 static inline uint64_t tl_near_cells_avx2(const int64_t *cells, int n,
                                                         int64_t left[2], double whole,
                                                         double mean, double bar,
                                                         tl_running *running) {
    const __m256d wholes = _mm256_set1_pd(whole), means = _mm256_set1_pd(mean);
    const __m256d bars = _mm256_set1_pd(bar);
    __m128i sum = _mm_loadu_si128((const __m128i *)left);
    uint64_t near = 0;
    int i, k;
    for (i = 0; i < n; i += 4) {
        __m128i after[4];
        __m256i first, second;
        for (k = 0; k < 4; k++) {
            if (i + k < n)
                sum = _mm_add_epi64(sum, _mm_loadu_si128((const __m128i *)(cells + 2 * (i + k))));
            after[k] = sum;
            _mm_store_si128((__m128i *)running->word[i + k], sum);
        }
        first = _mm256_inserti128_si256(_mm256_castsi128_si256(after[0]), after[2], 1);
        second = _mm256_inserti128_si256(_mm256_castsi128_si256(after[1]), after[3], 1);
        near |= tl_are_near_avx2(_mm256_unpackhi_epi64(first, second),
                                 tl_to_doubles(_mm256_unpacklo_epi64(first, second)), wholes,
                                 means, bars)
                << i;
    }
    _mm_storeu_si128((__m128i *)left, sum);
    return n == 64 ? near : near & (((uint64_t)1 << n) - 1);
}
#endif

/* Whether samples lie in more than one cell. */
static inline int tl_cells_vary(const int64_t *cells, int n_cells, int64_t n_samples) {
    int i = 0;
    while (i < n_cells && cells[2 * i] == 0) i++;
    return i < n_cells && cells[2 * i] < n_samples;
}

/* The best cut of the cells of one feature that varies, none of which holds missing values.
 * score, in and out: the score to beat.  Returns the cell before the cut; -1: none is better. */
#define TL_BEST_OF_CELLS(name, target, near_cells)                                              \
    target static int name(const int64_t *cells, int n_cells, const tl_cell_node *node,         \
                           double *score, int64_t *n_left_of_cut) {                             \
        const double whole = (double)node->n_samples, mean = (double)node->total / whole;       \
        double bar = tl_moment_bar(*score, whole);                                              \
        int64_t left[2] = {0, 0};                                                               \
        _Alignas(16) tl_running running;                                                        \
        int start, best = -1;                                                                   \
        for (start = 0; start < n_cells; start += TL_CELL_BLOCK) {                              \
            const int n = n_cells - start < TL_CELL_BLOCK ? n_cells - start : TL_CELL_BLOCK;    \
            uint64_t near = near_cells(cells + 2 * start, n, left, whole, mean, bar, &running); \
            for (; near; near &= near - 1) {                                                    \
                const int i = TL_LOWEST_BIT(near);                                              \
                const int64_t n_left = running.word[i][0], sum = running.word[i][1];            \
                double found;                                                                   \
                if (n_left < node->lowest || node->n_samples - n_left < node->lowest) continue; \
                found = tl_moments_score((double)sum, (double)(node->total - sum),              \
                                         (double)n_left, whole, mean);                          \
                if (found > *score) {                                                           \
                    *score = found;                                                             \
                    best = start + i;                                                           \
                    *n_left_of_cut = n_left;                                                    \
                    bar = tl_moment_bar(found, whole);                                          \
                }                                                                               \
            }                                                                                   \
        }                                                                                       \
        return best;                                                                            \
    }

TL_BEST_OF_CELLS(tl_best_of_cells_plain, , tl_near_cells)
#if TL_HAS_X86
TL_BEST_OF_CELLS(tl_best_of_cells_avx2, TL_TARGET_AVX2, tl_near_cells_avx2)
#endif

static inline int tl_best_of_cells(int simd, const int64_t *cells, int n_cells,
                                   const tl_cell_node *node, double *score,
                                   int64_t *n_left_of_cut) {
#if TL_HAS_X86
    if (simd >= TL_AVX2)
        return tl_best_of_cells_avx2(cells, n_cells, node, score, n_left_of_cut);
#endif
    return tl_best_of_cells_plain(cells, n_cells, node, score, n_left_of_cut);
}

#endif
