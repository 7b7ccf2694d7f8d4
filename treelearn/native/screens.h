/* Which cuts before a run of entries can be the best, for the searches that score a cut from its
 * whole statistics vector: several outputs, weights that are not whole numbers, constraints.
 *
 * A block of entries is passed once.  What a criterion adds up over the classes runs along in
 * float64, from the left for the left sides and from the right for the right sides, so that it only
 * grows on its way; the terms and the scores are loops without branches over the block.  The score
 * of a cut lies within a margin of that of its statistics vector: cuts that do not come near the
 * best one need not be scored.
 */
#ifndef TREELEARN_SCREENS_H
#define TREELEARN_SCREENS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "impurity.h"

enum { TL_SCREEN_BLOCK = 256 };

/* A score errs by less than this share of what it is a difference of: sums of 256 rounded steps,
 * and functions right to 2^-50. */
#define TL_SCREEN_MARGIN 1e-9
/* As in moments.h, for sums of whole numbers that are rounded once. */
#define TL_SCREEN_ROUNDING 4096.0

/* The targets and the node that is searched. */
typedef struct {
    int formula;
    double order;
    int n_outputs;
    int64_t n_total;             /* length of a row of labels or sums */
    uint32_t index_mask;
    int class_shift;             /* one output: where entries hold the class; 0: they do not */
    const int32_t *labels;       /* [output][sample]; NULL: regression */
    const int32_t *class_starts; /* per output */
    const int32_t *n_classes;
    const int64_t *sums;         /* [output][sample] */
    const int64_t *square_sums;
    const int64_t *weights;      /* NULL: 1 each */
    double weight_unit;
    const int64_t *totals;       /* statistics vector of the node */
    int64_t weight;
} tl_screened;

/* Scratch, and what is found: scores by entry, of the cut before it. */
typedef struct {
    uint32_t sample[TL_SCREEN_BLOCK];
    int32_t place[TL_SCREEN_BLOCK]; /* of the entry's class in the statistics vector */
    double weight_left[TL_SCREEN_BLOCK];
    double term_left[TL_SCREEN_BLOCK]; /* of the entry's class, once it has passed */
    double term_right[TL_SCREEN_BLOCK]; /* before it passes */
    double sum_left[TL_SCREEN_BLOCK];
    double sum_right[TL_SCREEN_BLOCK];
    double score[TL_SCREEN_BLOCK];
    double margin[TL_SCREEN_BLOCK];
    double *current; /* terms of the classes of a side; as long as the statistics vector */
} tl_screen;

/* What classes of some weights add to the sum of their side, in their place. */
#define TL_SCREEN_TERMS(term)                                                                  \
    for (j = 0; j < n; j++) {                                                                  \
        /* Not the logarithm of 0: results that no normal float holds are slow. */             \
        const double count = counts[j] > 0.0 ? counts[j] : 1.0, share = count * scale;         \
        counts[j] = counts[j] > 0.0 ? (term) : 0.0;                                            \
    }

TL_VERSIONS static void tl_screen_terms(int formula, double order, double scale, int n,
                                        double *counts) {
    int j;
    if (formula == TL_GINI) {
        for (j = 0; j < n; j++) counts[j] *= counts[j];
    } else if (formula == TL_SHANNON) {
        TL_SCREEN_TERMS(((void)share, count * tl_log(count)))
    } else if (order == 2.0) {
        TL_SCREEN_TERMS(share * share)
    } else if (order == 0.5) {
        TL_SCREEN_TERMS(sqrt(share))
    } else {
        TL_SCREEN_TERMS(tl_pow(share, order))
    }
}

/* The score of a side from its sum, and what it is a difference of. */
TL_INLINE double tl_screen_side(int formula, double order, double sum, double weight, double whole,
                                int n_outputs, double *size) {
    double share = weight / whole, part;
    switch (formula) {
    case TL_GINI:
        part = sum / weight;
        *size += part;
        return part - n_outputs * weight;
    case TL_SHANNON:
        part = n_outputs * (weight * tl_log(weight));
        *size += fabs(part);
        return sum - part;
    case TL_TSALLIS:
        part = weight * sum / tl_pow(share, order);
        *size += part;
        if (tl_scores_power_sum(formula, order)) return part;
        return (part - n_outputs * weight) / (order - 1.0);
    case TL_RENYI:
        part = whole * tl_pow(sum, 1.0 / order);
        *size += part;
        return order / (order - 1.0) * (part - weight);
    default: /* TL_RENYI_MEAN */
        part = tl_log(sum) - order * tl_log(share);
        return weight * part / (order - 1.0);
    }
}

TL_INLINE void tl_screen_scores_of(int formula, double order, double whole, int n_outputs, int n,
                                   tl_screen *screen) {
    double amplified = 1.0;
    int j;
    if (formula == TL_TSALLIS || formula == TL_RENYI_MEAN) amplified = 1.0 / fabs(order - 1.0);
    if (formula == TL_RENYI) amplified = order / fabs(order - 1.0);
    if (amplified < 1.0) amplified = 1.0;
    for (j = 0; j < n; j++) {
        double size = n_outputs * whole, left = screen->weight_left[j];
        double score = tl_screen_side(formula, order, screen->sum_left[j], left, whole, n_outputs,
                                      &size);
        score += tl_screen_side(formula, order, screen->sum_right[j], whole - left, whole,
                                n_outputs, &size);
        screen->score[j] = score;
        screen->margin[j] = TL_SCREEN_MARGIN * amplified * size;
    }
}

TL_VERSIONS static void tl_screen_scores(int formula, double order, double whole, int n_outputs,
                                         int n, tl_screen *screen) {
    switch (formula) {
    case TL_GINI: tl_screen_scores_of(TL_GINI, order, whole, n_outputs, n, screen); break;
    case TL_SHANNON: tl_screen_scores_of(TL_SHANNON, order, whole, n_outputs, n, screen); break;
    case TL_TSALLIS: tl_screen_scores_of(TL_TSALLIS, order, whole, n_outputs, n, screen); break;
    case TL_RENYI: tl_screen_scores_of(TL_RENYI, order, whole, n_outputs, n, screen); break;
    default: tl_screen_scores_of(TL_RENYI_MEAN, order, whole, n_outputs, n, screen);
    }
}

static inline int64_t tl_screen_units(const tl_screened *node, uint32_t sample) {
    return node->weights == NULL ? 1 : node->weights[sample];
}

/* Note samples and weights; return the weight on the left of what follows. */
static inline int64_t tl_screen_entries(const tl_screened *node, const uint32_t *entries, int n,
                                 int64_t weight_left, tl_screen *screen) {
    int j;
    for (j = 0; j < n; j++) {
        const uint32_t sample = (entries[j] & node->index_mask) >> 1;
        screen->sample[j] = sample;
        screen->weight_left[j] = (double)weight_left;
        weight_left += tl_screen_units(node, sample);
    }
    return weight_left;
}

/* Set the sum of a side before every entry: it grows by one class at a time. */
static inline void tl_run_along(const tl_screen *screen, const double *terms, int first, int step,
                                int n, double start, double *sums) {
    double sum = start;
    int j, k;
    for (k = 0, j = first; k < n; k++, j += step) {
        if (step > 0) sums[j] += sum;
        sum += terms[j] - screen->current[screen->place[j]];
        screen->current[screen->place[j]] = terms[j];
        if (step < 0) sums[j] += sum;
    }
}

/* Pass a block of entries in classification: set scores and margins, move `left` to what stands
 * on the left of the block's end. */
static inline void tl_screen_classes(const tl_screened *node, int n, int64_t *left, tl_screen *screen) {
    const double scale = 1.0 / (double)node->weight;
    int output, j, c;
    for (j = 0; j < n; j++) screen->sum_left[j] = screen->sum_right[j] = 0.0;
    for (output = 0; output < node->n_outputs; output++) {
        const int32_t *labels = node->labels + output * node->n_total;
        const int32_t begin = node->class_starts[output], k = node->n_classes[output];
        double *current = screen->current + begin, start = 0.0;
        for (c = 0; c < k; c++) current[c] = (double)left[begin + c];
        for (j = 0; j < n; j++) {
            const uint32_t sample = screen->sample[j];
            const int32_t place = begin + labels[sample];
            screen->place[j] = place;
            screen->term_right[j] = (double)(node->totals[place] - left[place]);
            left[place] += tl_screen_units(node, sample);
            screen->term_left[j] = (double)left[place];
        }
        tl_screen_terms(node->formula, node->order, scale, n, screen->term_left);
        tl_screen_terms(node->formula, node->order, scale, n, screen->term_right);
        tl_screen_terms(node->formula, node->order, scale, k, current);
        for (c = 0; c < k; c++) start += current[c];
        tl_run_along(screen, screen->term_left, 0, 1, n, start, screen->sum_left);
        start = 0.0;
        for (c = 0; c < k; c++) current[c] = (double)(node->totals[begin + c] - left[begin + c]);
        tl_screen_terms(node->formula, node->order, scale, k, current);
        for (c = 0; c < k; c++) start += current[c];
        tl_run_along(screen, screen->term_right, n - 1, -1, n, start, screen->sum_right);
    }
    tl_screen_scores(node->formula, node->order, (double)node->weight, node->n_outputs, n, screen);
}

/* The same by squared error. */
static inline void tl_screen_targets(const tl_screened *node, int n, int64_t *left, tl_screen *screen) {
    const double whole = (double)node->weight;
    int output, j;
    for (j = 0; j < n; j++) screen->sum_left[j] = 0.0;
    for (output = 0; output < node->n_outputs; output++) {
        const int64_t *sums = node->sums + output * node->n_total;
        const int64_t *square_sums = node->square_sums + output * node->n_total;
        const double mean = (double)node->totals[2 * output] / whole;
        int64_t sum = left[2 * output], square_sum = left[2 * output + 1];
        for (j = 0; j < n; j++) {
            const double off = (double)sum - mean * screen->weight_left[j];
            screen->sum_left[j] += off * off;
            sum += sums[screen->sample[j]];
            square_sum += square_sums[screen->sample[j]];
        }
        left[2 * output] = sum;
        left[2 * output + 1] = square_sum;
    }
    for (j = 0; j < n; j++) {
        const double weight = screen->weight_left[j];
        const double per_side = whole / (weight * (whole - weight) * node->weight_unit);
        const double size = sqrt(screen->sum_left[j]) + TL_SCREEN_ROUNDING * node->n_outputs;
        screen->score[j] = screen->sum_left[j] * per_side;
        screen->margin[j] = size * size * per_side - screen->score[j] + 1e-9 * screen->score[j];
    }
}

/* Pass up to TL_SCREEN_BLOCK entries; return the weight on the left of what follows. */
static inline int64_t tl_screen_block(const tl_screened *node, const uint32_t *entries, int n,
                               int64_t weight_left, int64_t *left, tl_screen *screen) {
    const int64_t behind = tl_screen_entries(node, entries, n, weight_left, screen);
    if (node->labels != NULL)
        tl_screen_classes(node, n, left, screen);
    else
        tl_screen_targets(node, n, left, screen);
    return behind;
}

/* Move entries to the left without a look at their cuts; return the weight that is then there. */
static inline int64_t tl_screen_pass(const tl_screened *node, const uint32_t *entries, int n,
                                     int64_t weight_left, int64_t *left) {
    const uint32_t mask = node->index_mask;
    const int shift = node->class_shift;
    int output, j;
    if (node->weights == NULL) {
        weight_left += n;
    } else {
        for (j = 0; j < n; j++) weight_left += node->weights[(entries[j] & mask) >> 1];
    }
    for (output = 0; output < node->n_outputs; output++) {
        if (node->labels == NULL) {
            const int64_t *sums = node->sums + output * node->n_total;
            const int64_t *square_sums = node->square_sums + output * node->n_total;
            int64_t sum = left[2 * output], square_sum = left[2 * output + 1];
            for (j = 0; j < n; j++) {
                sum += sums[(entries[j] & mask) >> 1];
                square_sum += square_sums[(entries[j] & mask) >> 1];
            }
            left[2 * output] = sum;
            left[2 * output + 1] = square_sum;
        } else {
            const int32_t *labels = node->labels + output * node->n_total;
            int64_t *of_output = left + node->class_starts[output];
            for (j = 0; j < n; j++) {
                const uint32_t sample = (entries[j] & mask) >> 1;
                const int32_t label = shift ? (int32_t)(entries[j] >> shift) : labels[sample];
                of_output[label] += tl_screen_units(node, sample);
            }
        }
    }
    return weight_left;
}

static inline int tl_count_starts(const uint32_t *entries, int n) {
    uint32_t starts = 0;
    int j;
    for (j = 0; j < n; j++) starts += entries[j] & 1;
    return (int)starts;
}

/* Whether the cut before an entry may be as good as the best; scores that are no numbers may. */
static inline int tl_comes_near(const tl_screen *screen, int j, double best) {
    return !(screen->score[j] + screen->margin[j] < best);
}

/* Whether any cut of a block may. */
static inline int tl_any_comes_near(const tl_screen *screen, const uint32_t *entries, int n,
                             double best) {
    int any = 0, j;
    for (j = 0; j < n; j++) any |= (int)(entries[j] & 1) & tl_comes_near(screen, j, best);
    return any;
}

#endif
