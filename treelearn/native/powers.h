/* Scan of a run of entries by a criterion of power sums, any number of classes of whole weight; as
 * the scans of runs.h, whose types it shares.
 */
#ifndef TREELEARN_POWERS_H
#define TREELEARN_POWERS_H

#include "runs.h"

/* The power sum of a side is the root of a tree over the classes present in the node, of which one
 * leaf changes at a time: a function of the counts alone, whatever the order of the entries. */
static inline void tl_set_term(double *tree, int leaf, double term) {
    tree[leaf] = term;
    for (; leaf > 1; leaf >>= 1) {
        term += tree[leaf ^ 1];
        tree[leaf >> 1] = term;
    }
}

/* Where the classes of a node stand in such trees, and scratch for those of both sides. */
typedef struct {
    int n_local, n_leaves;
    const int32_t *place;  /* of a class among those present */
    double *left, *right;
    int64_t *left_counts, *right_counts;  /* by place */
} tl_trees;

static void tl_fill_trees(const tl_trees *trees, const double *terms, const int64_t *left,
                          const int64_t *totals, int n_classes) {
    int c, leaf;
    for (c = 0; c < n_classes; c++) {
        if (totals[c] > 0) {
            int p = trees->place[c];
            trees->left_counts[p] = left[c];
            trees->right_counts[p] = totals[c] - left[c];
            trees->left[trees->n_leaves + p] = terms[left[c]];
            trees->right[trees->n_leaves + p] = terms[totals[c] - left[c]];
        }
    }
    for (leaf = trees->n_leaves + trees->n_local; leaf < 2 * trees->n_leaves; leaf++)
        trees->left[leaf] = trees->right[leaf] = 0.0;
    for (leaf = trees->n_leaves - 1; leaf > 0; leaf--) {
        trees->left[leaf] = trees->left[2 * leaf] + trees->left[2 * leaf + 1];
        trees->right[leaf] = trees->right[2 * leaf] + trees->right[2 * leaf + 1];
    }
}

/* Score a cut from its power sums and the weight on its left. */
static inline double tl_power_score(const int formula, double order, const double *weight_terms,
                                    double sum_left, double sum_right, int64_t weight_left,
                                    int64_t weight) {
    return tl_sum_score(formula, order, sum_left, (double)weight_left,
                        weight_terms[weight_left]) +
           tl_sum_score(formula, order, sum_right, (double)(weight - weight_left),
                        weight_terms[weight - weight_left]);
}

/* Keep the best of a block of cuts by their power sums. */
static inline void tl_keep_best_power(const int formula, const tl_terms *terms,
                                      const tl_reader *reader, const void *list, int32_t first,
                                      int32_t length, int64_t n_left, const int64_t *weights,
                                      const double *lefts, const double *rights,
                                      const tl_bounds *bounds, double *best, int32_t *best_at) {
    const int is_norm = formula == TL_RENYI && terms->order == 2.0;
    double bar = *best > 0.0 ? *best * TL_WIDE_SCREEN : 0.0;
    int32_t j;
    for (j = 0; j < length; j++) {
        double score;
        if (!tl_is_start(reader, list, first + j) ||
            !tl_is_feasible(bounds, n_left + j, weights[j]))
            continue;
        if (is_norm) {
            double rest = bar * bar - lefts[j] - rights[j];
            if (rest > 0.0 && 4.0 * lefts[j] * rights[j] < rest * rest * (1.0 - 1e-9)) continue;
        }
        score = tl_power_score(formula, terms->order, terms->weight_terms, lefts[j], rights[j],
                               weights[j], bounds->weight);
        if (score > *best) {
            *best = score;
            *best_at = first + j;
            bar = *best > 0.0 ? *best * TL_WIDE_SCREEN : 0.0;
        }
    }
}

/* Any number of classes of whole weight by a criterion of power sums. */
static inline void tl_scan_powers_of(const int is_narrow, const int has_weights,
                                     const tl_reader *reader, const void *list, int32_t begin,
                                     int32_t end, const tl_left *left, const int64_t *totals,
                                     int n_classes, const tl_trees *trees,
                                     const tl_bounds *bounds, const tl_terms *terms, double *best,
                                     int32_t *best_at) {
    const uint16_t *narrow = (const uint16_t *)list;
    const uint32_t *wide = (const uint32_t *)list;
    int64_t weights[TL_RUN_BLOCK], weight = left->weight;
    double lefts[TL_RUN_BLOCK], rights[TL_RUN_BLOCK];
    const double *table = terms->terms;
    const int shift = reader->class_shift;
    const uint32_t mask = reader->index_mask;
    int32_t i, j;
    tl_fill_trees(trees, table, left->stats, totals, n_classes);
    for (i = begin; i < end; i += TL_RUN_BLOCK) {
        int32_t length = end - i < TL_RUN_BLOCK ? end - i : TL_RUN_BLOCK;
        int64_t n_left = left->n + i - begin;
        for (j = 0; j < length; j++) {
            uint32_t entry = is_narrow ? narrow[i + j] : wide[i + j];
            uint32_t sample = is_narrow ? entry >> TL_NARROW_SHIFT : (entry & mask) >> 1;
            int64_t units = has_weights ? reader->weights[sample] : 1;
            int32_t c = is_narrow ? (int32_t)((entry & TL_NARROW_CLASS) >> 1)
                        : shift   ? (int32_t)(entry >> shift)
                                  : reader->labels[sample];
            int32_t p = trees->place[c];
            weights[j] = weight;
            lefts[j] = trees->left[1];
            rights[j] = trees->right[1];
            weight += units;
            trees->left_counts[p] += units;
            trees->right_counts[p] -= units;
            tl_set_term(trees->left, trees->n_leaves + p, table[trees->left_counts[p]]);
            tl_set_term(trees->right, trees->n_leaves + p, table[trees->right_counts[p]]);
        }
#define TL_KEEP(formula)                                                                       \
    tl_keep_best_power(formula, terms, reader, list, i, length, n_left, weights, lefts, rights, \
                       bounds, best, best_at)
        switch (terms->formula) {
        case TL_SHANNON: TL_KEEP(TL_SHANNON); break;
        case TL_TSALLIS: TL_KEEP(TL_TSALLIS); break;
        case TL_RENYI: TL_KEEP(TL_RENYI); break;
        default: TL_KEEP(TL_RENYI_MEAN);
        }
#undef TL_KEEP
    }
}

/* Unit weights: sums that only run along tell which cuts of a block come near the best, and those
 * are scored from their trees. */
enum { TL_POWER_BLOCK = 128, TL_SCREENED_CLASSES = 128 };

/* How far below its exact value a score of sums that ran along a block may lie: the sums only grow
 * on their way, by 128 rounded steps, so each is off by 128 roundings of itself at most. */
static inline double tl_power_slack(const tl_terms *terms, double score, int64_t weight) {
    switch (terms->formula) {
    case TL_SHANNON: return 1e-12 * terms->weight_terms[weight]; /* less the terms of the sides */
    case TL_RENYI_MEAN: return 1e-12 * (double)weight / fabs(terms->order - 1.0); /* a logarithm */
    default: return (1e-10 + 1e-12 / terms->order) * fabs(score); /* a product, or a root */
    }
}

/* The root of a tree over counts by place. */
static inline double tl_tree_sum(const tl_trees *trees, double *tree, const double *terms,
                                 const int64_t *counts) {
    int leaf;
    for (leaf = 0; leaf < trees->n_local; leaf++)
        tree[trees->n_leaves + leaf] = terms[counts[leaf]];
    for (leaf += trees->n_leaves; leaf < 2 * trees->n_leaves; leaf++) tree[leaf] = 0.0;
    for (leaf = trees->n_leaves - 1; leaf > 0; leaf--)
        tree[leaf] = tree[2 * leaf] + tree[2 * leaf + 1];
    return tree[1];
}

/* Whether any score of a block comes near the bar. */
TL_VERSIONS static int64_t tl_any_above(const double *scores, double bar, int n) {
    int64_t any = 0;
    int i;
    for (i = 0; i < n; i++) any |= -(int64_t)(scores[i] >= bar);
    return any;
}

static inline void tl_scan_unit_powers_of(const int is_narrow, const tl_reader *reader,
                                          const void *list, int32_t begin, int32_t end,
                                          const tl_left *left, const int64_t *totals,
                                          int n_classes, const tl_trees *trees,
                                          const tl_bounds *bounds, const tl_terms *terms,
                                          double *best, int32_t *best_at) {
    const uint16_t *narrow = (const uint16_t *)list;
    const uint32_t *wide = (const uint32_t *)list;
    const double *table = terms->terms;
    const int shift = reader->class_shift;
    const uint32_t mask = reader->index_mask;
    const double whole = (double)bounds->weight;
    double lefts[TL_POWER_BLOCK], rights[TL_POWER_BLOCK], weights[TL_POWER_BLOCK];
    double scores[TL_POWER_BLOCK];
    int64_t before[2][TL_SCREENED_CLASSES], on_right[TL_SCREENED_CLASSES], n_left = left->n;
    uint8_t places[TL_POWER_BLOCK];
    int32_t i, j;
    tl_fill_trees(trees, table, left->stats, totals, n_classes);
    for (i = begin; i < end; i += TL_POWER_BLOCK, n_left += TL_POWER_BLOCK) {
        const int32_t length = end - i < TL_POWER_BLOCK ? end - i : TL_POWER_BLOCK;
        int64_t first = bounds->lowest - n_left, last = bounds->highest - n_left;
        double sum_left = 0.0, sum_right = 0.0, bar = *best, top;
        for (j = 0; j < trees->n_local; j++) {
            before[0][j] = trees->left_counts[j];
            before[1][j] = trees->right_counts[j];
            sum_left += table[before[0][j]];
        }
        for (j = 0; j < length; j++) {
            uint32_t entry = is_narrow ? narrow[i + j] : wide[i + j];
            int32_t c = is_narrow ? (int32_t)((entry & TL_NARROW_CLASS) >> 1)
                        : shift   ? (int32_t)(entry >> shift)
                                  : reader->labels[(entry & mask) >> 1];
            const int32_t p = trees->place[c];
            const int64_t on_left = trees->left_counts[p];
            lefts[j] = sum_left;
            weights[j] = (double)(n_left + j);
            places[j] = (uint8_t)p;
            sum_left += table[on_left + 1] - table[on_left];
            trees->left_counts[p] = on_left + 1;
        }
        for (j = 0; j < trees->n_local; j++) {
            on_right[j] = before[1][j] + before[0][j] - trees->left_counts[j];
            trees->right_counts[j] = on_right[j];
            sum_right += table[on_right[j]];
        }
        for (j = length - 1; j >= 0; j--) {
            const int p = places[j];
            sum_right += table[on_right[p] + 1] - table[on_right[p]];
            on_right[p]++;
            rights[j] = sum_right;
        }
        first = first < 0 ? 0 : first;
        last = last >= length ? length - 1 : last;
        if (first > last) continue;
        tl_score_sums(terms->formula, terms->order, weights, lefts, rights, whole,
                      terms->weight_terms, (int)first, (int)last + 1, scores);
        bar -= tl_power_slack(terms, bar, bounds->weight);
        if (*best > -INFINITY &&
            !tl_any_above(scores + first, bar, (int)(last + 1 - first)))
            continue;
        top = -INFINITY;
        for (j = (int32_t)first; j <= last; j++)
            if (scores[j] > top && tl_is_start(reader, list, i + j)) top = scores[j];
        top -= 2.0 * tl_power_slack(terms, top, bounds->weight);
        top = top > bar ? top : bar;
        for (j = (int32_t)first; j <= last; j++) {
            double score;
            int32_t k;
            if (!(scores[j] >= top) || !tl_is_start(reader, list, i + j)) continue;
            for (k = 0; k < j; k++) {
                before[0][places[k]]++;
                before[1][places[k]]--;
            }
            score = tl_power_score(
                terms->formula, terms->order, terms->weight_terms,
                tl_tree_sum(trees, trees->left, table, before[0]),
                tl_tree_sum(trees, trees->right, table, before[1]), n_left + j, bounds->weight);
            for (k = 0; k < j; k++) {
                before[0][places[k]]--;
                before[1][places[k]]++;
            }
            if (score > *best) {
                *best = score;
                *best_at = i + j;
            }
        }
    }
}

static void tl_scan_powers(const tl_reader *reader, const void *list, int32_t begin, int32_t end,
                           const tl_left *left, const int64_t *totals, int n_classes,
                           const tl_trees *trees, const tl_bounds *bounds, const tl_terms *terms,
                           double *best, int32_t *best_at) {
#define TL_CALL(is_narrow, has_weights)                                                        \
    tl_scan_powers_of(is_narrow, has_weights, reader, list, begin, end, left, totals,          \
                      n_classes, trees, bounds, terms, best, best_at)
    if (reader->weights == NULL && trees->n_local <= TL_SCREENED_CLASSES) {
        if (reader->is_narrow)
            tl_scan_unit_powers_of(1, reader, list, begin, end, left, totals, n_classes, trees,
                                   bounds, terms, best, best_at);
        else
            tl_scan_unit_powers_of(0, reader, list, begin, end, left, totals, n_classes, trees,
                                   bounds, terms, best, best_at);
    } else if (reader->is_narrow) TL_CALL(1, 1); /* of unit weight it has few enough classes */
    else if (reader->weights == NULL) TL_CALL(0, 0);
    else TL_CALL(0, 1);
#undef TL_CALL
}

#endif
