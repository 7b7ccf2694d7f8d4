/* What the kernels of level-wise growth know of one fit: its rules, its units, its records.
 *
 * The formulas are those of impurity.h, the rules those of the compiled core (_block.pyx,
 * _statistics.pyx, _sweep.pyx), operation by operation: all engines grow the same tree bit for
 * bit. Sums are whole numbers, so that the order in which threads add does not matter.
 */
#ifndef TREELEARN_RULES_H
#define TREELEARN_RULES_H

#include "launch.h"

/* Rules and units of one fit; the order of the two arrays is that of cuda_kernels.py. */
typedef struct {
    int formula, shannon_ties, sums_classes, sums_moments, is_classification, has_unit_weights;
    int n_outputs, n_stats, n_features, n_codes, n_channels, weight_channel, first_stat;
    int max_n_classes, code_bytes, record_bytes, has_monotonic;
    int64_t min_samples_leaf, min_weight_leaf, n_samples;
    double order, weight_unit, sum_unit, square_ratio;
    const int32_t *class_starts, *n_classes;
    const double *centres, *ridges, *count_terms, *weight_terms;
    const int8_t *monotonic;
} tl_rules;

#define TL_RULES                                                                              \
    const int64_t *whole, const double *real, const int32_t *class_starts,                    \
        const int32_t *n_classes, const double *centres, const double *ridges,                \
        const int8_t *monotonic, const double *count_terms, const double *weight_terms
#define TL_READ_RULES                                                                         \
    tl_read_rules(whole, real, class_starts, n_classes, centres, ridges, monotonic,           \
                  count_terms, weight_terms)

TL_DEVICE tl_rules tl_read_rules(TL_RULES) {
    tl_rules rules;
    rules.formula = (int)whole[0];
    rules.shannon_ties = (int)whole[1];
    rules.sums_classes = (int)whole[2];
    rules.sums_moments = (int)whole[3];
    rules.is_classification = (int)whole[4];
    rules.has_unit_weights = (int)whole[5];
    rules.n_outputs = (int)whole[6];
    rules.n_stats = (int)whole[7];
    rules.n_features = (int)whole[8];
    rules.n_codes = (int)whole[9];
    rules.n_channels = (int)whole[10];
    rules.weight_channel = (int)whole[11];
    rules.first_stat = (int)whole[12];
    rules.max_n_classes = (int)whole[13];
    rules.code_bytes = (int)whole[14];
    rules.record_bytes = (int)whole[15];
    rules.has_monotonic = (int)whole[16];
    rules.min_samples_leaf = whole[17];
    rules.min_weight_leaf = whole[18];
    rules.n_samples = whole[19];
    rules.order = real[0];
    rules.weight_unit = real[1];
    rules.sum_unit = real[2];
    rules.square_ratio = real[3];
    rules.class_starts = class_starts;
    rules.n_classes = n_classes;
    rules.centres = centres;
    rules.ridges = ridges;
    rules.monotonic = monotonic;
    rules.count_terms = count_terms;
    rules.weight_terms = weight_terms;
    return rules;
}

/* The code of a sample: its record holds the codes of all features side by side. */
TL_DEVICE int tl_code(const tl_rules *rules, const void *records, int64_t sample, int feature) {
    const char *record = (const char *)records + sample * rules->record_bytes;
    if (rules->code_bytes == 1) return ((const uint8_t *)record)[feature];
    return ((const uint16_t *)record)[feature];
}

#endif
