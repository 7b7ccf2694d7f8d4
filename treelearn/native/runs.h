/* Scans of a run of entries of either width, a block at a time.
 *
 * Sums run along the entries in whole numbers and are laid down in a block; a loop without
 * branches screens the block; what comes near the best is scored by the exact formula.  Candidates
 * are the places before entries with a start bit.  Every scan keeps the first of the best scores
 * above *best and writes the index of the entry behind the cut.
 */
#ifndef TREELEARN_RUNS_H
#define TREELEARN_RUNS_H

#include <math.h>
#include <stdint.h>

#include "bits.h"
#include "block.h"
#include "impurity.h"
#include "narrow.h"
#include "wide.h"

enum { TL_RUN_BLOCK = 256 };

/* How to read the entries of a list, and what its samples weigh. */
typedef struct {
    int is_narrow;
    int class_shift;           /* wide entries; 0: the class is in labels */
    uint32_t index_mask;
    const int32_t *labels;
    const int64_t *weights;    /* NULL: 1 each */
} tl_reader;

/* What bounds the cuts of a node. */
typedef struct {
    int64_t n_samples, lowest, highest;   /* feasible numbers of samples on the left */
    int64_t weight, lowest_weight;        /* feasible weights of either side */
} tl_bounds;

/* What stands left of a run. */
typedef struct {
    int64_t n;
    int64_t weight;
    int64_t *stats;  /* class weights, or sum and square sum; used up */
} tl_left;

static inline int tl_is_start(const tl_reader *reader, const void *list, int32_t i) {
    return reader->is_narrow ? ((const uint16_t *)list)[i] & 1 : ((const uint32_t *)list)[i] & 1;
}

static inline int tl_is_feasible(const tl_bounds *bounds, int64_t n_left, int64_t weight_left) {
    return n_left >= bounds->lowest && n_left <= bounds->highest &&
           weight_left >= bounds->lowest_weight &&
           bounds->weight - weight_left >= bounds->lowest_weight;
}

/* Gini of any number of classes and whole weights. */
static inline void tl_scan_classes_of(const int is_narrow, const int has_weights,
                                      const tl_reader *reader, const void *list, int32_t begin,
                                      int32_t end, tl_left *left, const int64_t *totals,
                                      int n_classes, const tl_bounds *bounds, double *best,
                                      int32_t *best_at) {
    const uint16_t *narrow = (const uint16_t *)list;
    const uint32_t *wide = (const uint32_t *)list;
    double weights[TL_RUN_BLOCK], lefts[TL_RUN_BLOCK], rights[TL_RUN_BLOCK];
    double excess[TL_RUN_BLOCK];
    int64_t sum_left = 0, mixed = 0, square_sum = 0, weight = left->weight;
    int64_t *stats = left->stats;
    const int shift = reader->class_shift;
    const uint32_t mask = reader->index_mask;
    int32_t i, j, c;
    for (c = 0; c < n_classes; c++) {
        sum_left += stats[c] * stats[c];
        mixed += stats[c] * totals[c];
        square_sum += totals[c] * totals[c];
    }
    for (i = begin; i < end; i += TL_RUN_BLOCK) {
        int32_t length = end - i < TL_RUN_BLOCK ? end - i : TL_RUN_BLOCK;
        double bar = *best > 0.0 ? *best * TL_WIDE_SCREEN : *best;
        for (j = 0; j < length; j++) {
            uint32_t entry = is_narrow ? narrow[i + j] : wide[i + j];
            uint32_t sample = is_narrow ? entry >> TL_NARROW_SHIFT : (entry & mask) >> 1;
            int64_t units = has_weights ? reader->weights[sample] : 1;
            c = is_narrow ? (int32_t)((entry & TL_NARROW_CLASS) >> 1)
                : shift   ? (int32_t)(entry >> shift)
                          : reader->labels[sample];
            weights[j] = (double)weight;
            lefts[j] = (double)sum_left;
            /* sum (N_c - l_c)^2 = sum N_c^2 - 2 sum N_c l_c + sum l_c^2 */
            rights[j] = (double)(square_sum - 2 * mixed + sum_left);
            sum_left += units * (2 * stats[c] + units);
            mixed += units * totals[c];
            stats[c] += units;
            weight += units;
        }
        if (!tl_screen_sums(weights, lefts, rights, (double)bounds->weight, bar, length, excess))
            continue;
        for (j = 0; j < length; j++) {
            /* No number where nothing stands on the left: such a cut is never feasible. */
            if (excess[j] >= 0.0 && tl_is_start(reader, list, i + j) &&
                tl_is_feasible(bounds, left->n + i - begin + j, (int64_t)weights[j])) {
                double score =
                    tl_sums_score(lefts[j], rights[j], weights[j], (double)bounds->weight);
                if (score > *best) {
                    *best = score;
                    *best_at = i + j;
                }
            }
        }
    }
}

static void tl_scan_classes(const tl_reader *reader, const void *list, int32_t begin, int32_t end,
                            tl_left *left, const int64_t *totals, int n_classes,
                            const tl_bounds *bounds, double *best, int32_t *best_at) {
#define TL_CALL(is_narrow, has_weights)                                                        \
    tl_scan_classes_of(is_narrow, has_weights, reader, list, begin, end, left, totals,         \
                       n_classes, bounds, best, best_at)
    if (reader->is_narrow && reader->weights == NULL) TL_CALL(1, 0);
    else if (reader->is_narrow) TL_CALL(1, 1);
    else if (reader->weights == NULL) TL_CALL(0, 0);
    else TL_CALL(0, 1);
#undef TL_CALL
}

/* A criterion that is a function of one power sum, its terms in tables. */
typedef struct {
    int formula;
    double order;
    const double *terms;         /* of a count */
    const double *weight_terms;  /* of a weight */
    int is_concave;              /* no cut between neighbours of one class can be the best */
} tl_terms;

/* Start bits and classes of up to 64 entries of two classes. */
static inline void tl_masks(const tl_reader *reader, const void *list, int32_t i, int32_t length,
                            uint64_t *starts, uint64_t *ones) {
    const uint16_t *narrow = (const uint16_t *)list + i;
    const uint32_t *wide = (const uint32_t *)list + i;
    int32_t j;
    *starts = *ones = 0;
    for (j = 0; j < length; j++) {
        uint64_t is_start = reader->is_narrow ? narrow[j] & 1 : wide[j] & 1;
        uint64_t is_one = reader->is_narrow ? (narrow[j] >> 1) & 1 : wide[j] >> reader->class_shift;
        *starts |= is_start << j;
        *ones |= is_one << j;
    }
}

/* Two classes of unit weight by a criterion of power sums; ones: of the node. */
static inline double tl_terms_score(const int formula, double order, const double *terms,
                                    const double *weight_terms, int64_t n_left, int64_t ones_left,
                                    int64_t n, int64_t ones) {
    int64_t n_right = n - n_left, ones_right = ones - ones_left;
    double left = terms[n_left - ones_left] + terms[ones_left];
    double right = terms[n_right - ones_right] + terms[ones_right];
    return tl_sum_score(formula, order, left, (double)n_left, weight_terms[n_left]) +
           tl_sum_score(formula, order, right, (double)n_right, weight_terms[n_right]);
}

/* Renyi of order 2 without its two roots: sqrt(a) + sqrt(b) >= c means 4 a b >= (c^2 - a - b)^2,
 * or that the bracket is negative. */
static inline int tl_misses_norm(const double *terms, int64_t n_left, int64_t ones_left, int64_t n,
                                 int64_t ones, double bar) {
    int64_t ones_right = ones - ones_left;
    double left = terms[n_left - ones_left] + terms[ones_left];
    double right = terms[n - n_left - ones_right] + terms[ones_right];
    double rest = bar * bar - left - right;
    return rest > 0.0 && 4.0 * left * right < rest * rest * (1.0 - 1e-9);
}

#define TL_BINARY_TERMS(name, target, masks, formula)                                             \
    target static void name(const tl_reader *reader, const void *list, int32_t begin,             \
                            int32_t end, int64_t n_left, int64_t ones_left, int64_t ones,         \
                            const tl_bounds *bounds, const tl_terms *terms, double *best,         \
                            int32_t *best_at) {                                                   \
        const int is_filtered = terms->is_concave && bounds->lowest == 1;                         \
        const int is_norm = (formula) == TL_RENYI && terms->order == 2.0;                         \
        const double *table = terms->terms, *weight_table = terms->weight_terms;                  \
        const int64_t n = bounds->n_samples;                                                      \
        uint64_t last_start = 0, last_one = 0;                                                    \
        double bar = *best > 0.0 ? *best * TL_WIDE_SCREEN : 0.0;                                  \
        int32_t i;                                                                                \
        for (i = begin; i < end; i += 64, n_left += 64) {                                         \
            int32_t length = end - i < 64 ? end - i : 64;                                         \
            uint64_t starts, is_one, candidates;                                                  \
            masks(reader, list, i, length, &starts, &is_one);                                     \
            candidates = starts;                                                                  \
            if (is_filtered) {                                                                    \
                /* Left out: both neighbours are single and of one class. */                      \
                uint64_t next = i + 64 < end ? tl_is_start(reader, list, i + 64) : 1;             \
                uint64_t starts_before = starts << 1 | last_start;                                \
                uint64_t starts_behind = starts >> 1 | next << 63;                                \
                if (length < 64) starts_behind |= ~(((uint64_t)1 << (length - 1)) - 1);           \
                candidates &= (is_one ^ (is_one << 1 | last_one)) | ~starts_before |              \
                              ~starts_behind;                                                     \
                last_start = starts >> 63;                                                        \
                last_one = is_one >> 63;                                                          \
            }                                                                                     \
            for (; candidates; candidates &= candidates - 1) {                                    \
                int k = TL_LOWEST_BIT(candidates);                                              \
                int64_t here = n_left + k;                                                        \
                int64_t count =                                                                   \
                    ones_left + TL_POPCOUNT(is_one & (((uint64_t)1 << k) - 1));                   \
                double score;                                                                     \
                if (here < bounds->lowest || here > bounds->highest) continue;                    \
                if (is_norm && tl_misses_norm(table, here, count, n, ones, bar)) continue;        \
                score = tl_terms_score(formula, terms->order, table, weight_table, here, count,   \
                                       n, ones);                                                  \
                if (score > *best) {                                                              \
                    *best = score;                                                                \
                    *best_at = i + k;                                                             \
                    bar = *best > 0.0 ? *best * TL_WIDE_SCREEN : 0.0;                             \
                }                                                                                 \
            }                                                                                     \
            ones_left += TL_POPCOUNT(is_one);                                                     \
        }                                                                                         \
    }

TL_BINARY_TERMS(tl_shannon_plain, , tl_masks, TL_SHANNON)
TL_BINARY_TERMS(tl_tsallis_plain, , tl_masks, TL_TSALLIS)
TL_BINARY_TERMS(tl_renyi_plain, , tl_masks, TL_RENYI)
TL_BINARY_TERMS(tl_renyi_mean_plain, , tl_masks, TL_RENYI_MEAN)

#if TL_HAS_X86
TL_TARGET_AVX2 static inline void tl_masks_avx2(const tl_reader *reader, const void *list,
                                                int32_t i, int32_t length, uint64_t *starts,
                                                uint64_t *ones) {
    int32_t j;
    uint64_t s = 0, o = 0;
    if (length < 64 && !reader->is_narrow) {
        tl_masks(reader, list, i, length, starts, ones);
        return;
    }
    if (reader->is_narrow) {
        const uint16_t *narrow = (const uint16_t *)list + i;
        for (j = 0; j < length; j += 32) {
            __m256i first = _mm256_loadu_si256((const __m256i *)(narrow + j));
            __m256i second = _mm256_loadu_si256((const __m256i *)(narrow + j + 16));
            s |= (uint64_t)tl_low_bits(first, second) << j;
            o |= (uint64_t)tl_low_bits(_mm256_srli_epi16(first, 1), _mm256_srli_epi16(second, 1))
                 << j;
        }
        if (length < 64) {
            s &= ((uint64_t)1 << length) - 1;
            o &= ((uint64_t)1 << length) - 1;
        }
    } else {
        const uint32_t *wide = (const uint32_t *)list + i;
        const __m128i to_top = _mm_cvtsi32_si128(31 - reader->class_shift);
        for (j = 0; j < 64; j += 8) {
            __m256i lanes = _mm256_loadu_si256((const __m256i *)(wide + j));
            s |= (uint64_t)(uint32_t)_mm256_movemask_ps(
                     _mm256_castsi256_ps(_mm256_slli_epi32(lanes, 31)))
                 << j;
            o |= (uint64_t)(uint32_t)_mm256_movemask_ps(
                     _mm256_castsi256_ps(_mm256_sll_epi32(lanes, to_top)))
                 << j;
        }
    }
    *starts = s;
    *ones = o;
}

TL_BINARY_TERMS(tl_shannon_avx2, TL_TARGET_AVX2, tl_masks_avx2, TL_SHANNON)
TL_BINARY_TERMS(tl_tsallis_avx2, TL_TARGET_AVX2, tl_masks_avx2, TL_TSALLIS)
TL_BINARY_TERMS(tl_renyi_avx2, TL_TARGET_AVX2, tl_masks_avx2, TL_RENYI)
TL_BINARY_TERMS(tl_renyi_mean_avx2, TL_TARGET_AVX2, tl_masks_avx2, TL_RENYI_MEAN)
#endif

static void tl_scan_binary_terms(int simd, const tl_reader *reader, const void *list,
                                 int32_t begin, int32_t end, int64_t n_left, int64_t ones_left,
                                 int64_t ones, const tl_bounds *bounds, const tl_terms *terms,
                                 double *best, int32_t *best_at) {
    void (*scan)(const tl_reader *, const void *, int32_t, int32_t, int64_t, int64_t, int64_t,
                 const tl_bounds *, const tl_terms *, double *, int32_t *);
    switch (terms->formula) {
    case TL_SHANNON: scan = tl_shannon_plain; break;
    case TL_TSALLIS: scan = tl_tsallis_plain; break;
    case TL_RENYI: scan = tl_renyi_plain; break;
    default: scan = tl_renyi_mean_plain;
    }
#if TL_HAS_X86
    if (simd >= TL_AVX2) {
        switch (terms->formula) {
        case TL_SHANNON: scan = tl_shannon_avx2; break;
        case TL_TSALLIS: scan = tl_tsallis_avx2; break;
        case TL_RENYI: scan = tl_renyi_avx2; break;
        default: scan = tl_renyi_mean_avx2;
        }
    }
#endif
    scan(reader, list, begin, end, n_left, ones_left, ones, bounds, terms, best, best_at);
}

#endif
