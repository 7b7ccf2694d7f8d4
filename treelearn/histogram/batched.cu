/* Impurities and best splits of many nodes for a GPU, as _impurity.pyx on the CPU. */
#include "launch.h"

#define TL_LARGEST_WEIGHT 0x1p900

/* Whether a weight is one: not negative, not NaN, and of sums that do not overflow. */
TL_DEVICE int tl_is_weight(double count) { return count >= 0.0 && count < TL_LARGEST_WEIGHT; }

/* is_bad: out, 1 where a weight is none, 0 before; checked on the way, as another pass over the
 * counts would take as long as this one. */
TL_KERNEL tl_impurities(int formula, double order, double scale, const double *counts,
                        int64_t n_nodes, int n_classes, double *impurity, int32_t *is_bad) {
    int64_t node;
    int c;
    for (node = TL_FIRST; node < n_nodes; node += TL_STEP) {
        const double *own = counts + node * n_classes;
        double total = 0.0;
        int are_weights = 1;
        for (c = 0; c < n_classes; c++) {
            total += own[c];
            are_weights &= tl_is_weight(own[c]);
        }
        if (!are_weights) *is_bad = 1;
        impurity[node] =
            total > 0.0 ? scale * tl_class_impurity(formula, order, own, n_classes, total) : 0.0;
    }
}

/* The best cut of one feature in one node, as search_node of _impurity.pyx. Scratch of an item:
 * six rows of n_classes. gain is that of the item's cut. */
TL_KERNEL tl_search(int formula, double order, double scale, int shannon_ties, int has_missing,
                    int64_t min_samples_leaf, double min_weight_leaf, const double *histograms,
                    const int64_t *samples_of, int has_samples, int64_t n_items, int n_all_bins,
                    int n_classes, double *all_scratch, double *score, double *tie_score,
                    int32_t *bin, uint8_t *missing_goes_left, double *gain, int32_t *is_bad) {
    int n_bins = n_all_bins - has_missing;
    int64_t item;
    for (item = TL_FIRST; item < n_items; item += TL_STEP) {
        const double *cells = histograms + item * n_all_bins * n_classes;
        const int64_t *n_samples = samples_of + item * n_all_bins;
        double *running = all_scratch + item * 6 * n_classes, *left = running + n_classes;
        double *right = left + n_classes, *whole = right + n_classes;
        double *best_left = whole + n_classes, *best_right = best_left + n_classes;
        const double *missing = cells + (int64_t)n_bins * n_classes;
        double weight = 0.0, samples = 0.0, weight_missing = 0.0, samples_missing = 0.0;
        double weight_left = 0.0, samples_left = 0.0, best_weight = 0.0;
        int b, c, side;
        score[item] = tie_score[item] = -TL_INFINITY;
        bin[item] = -1;
        missing_goes_left[item] = 0;
        gain[item] = 0.0;
        for (c = 0; c < n_classes; c++) running[c] = whole[c] = 0.0;
        for (b = 0; b < n_all_bins; b++) {
            double in_bin = 0.0, present;
            for (c = 0; c < n_classes; c++) {
                double count = cells[(int64_t)b * n_classes + c];
                whole[c] += count;
                in_bin += count;
                if (!tl_is_weight(count)) *is_bad = 1;
            }
            present = has_samples ? (double)n_samples[b] : in_bin;
            weight += in_bin;
            samples += present;
            if (b >= n_bins) {
                weight_missing = in_bin;
                samples_missing = present;
            }
        }
        for (b = 0; b < n_bins; b++) {
            double in_bin = 0.0, present;
            for (c = 0; c < n_classes; c++) {
                running[c] += cells[(int64_t)b * n_classes + c];
                in_bin += cells[(int64_t)b * n_classes + c];
            }
            present = has_samples ? (double)n_samples[b] : in_bin;
            weight_left += in_bin;
            samples_left += present;
            if (present <= 0.0) continue;
            for (side = 0; side < (weight_missing > 0.0 ? 2 : 1); side++) {
                double n_left = samples_left + (side ? samples_missing : 0.0);
                double w_left = weight_left + (side ? weight_missing : 0.0);
                double w_right = weight - w_left, found, tie = 0.0;
                if (samples - n_left <= 0.0 || w_left <= 0.0 || w_right <= 0.0) continue;
                if (n_left < min_samples_leaf || samples - n_left < min_samples_leaf) continue;
                if (w_left < min_weight_leaf || w_right < min_weight_leaf) continue;
                w_left = w_right = 0.0;
                for (c = 0; c < n_classes; c++) {
                    left[c] = running[c] + (side ? missing[c] : 0.0);
                    right[c] = whole[c] - left[c] > 0.0 ? whole[c] - left[c] : 0.0;
                    w_left += left[c];
                    w_right += right[c];
                }
                found = tl_class_score(formula, order, left, n_classes, w_left) +
                        tl_class_score(formula, order, right, n_classes, w_right);
                if (shannon_ties) {
                    found = rint(found / weight * TL_STEPS_PER_WEIGHT);
                    tie = tl_class_score(TL_SHANNON, 1.0, left, n_classes, w_left) +
                          tl_class_score(TL_SHANNON, 1.0, right, n_classes, w_right);
                }
                if (found > score[item] || (found == score[item] && tie > tie_score[item])) {
                    score[item] = found;
                    tie_score[item] = tie;
                    bin[item] = b;
                    missing_goes_left[item] = (uint8_t)side;
                }
            }
        }
        if (bin[item] < 0) continue;
        /* The gain from the sides summed bin by bin, each by itself. */
        weight = 0.0;
        for (c = 0; c < n_classes; c++) best_left[c] = best_right[c] = whole[c] = 0.0;
        for (b = 0; b < n_all_bins; b++) {
            int goes_left = b <= bin[item] || (b >= n_bins && missing_goes_left[item]);
            for (c = 0; c < n_classes; c++) {
                double count = cells[(int64_t)b * n_classes + c];
                whole[c] += count;
                weight += count;
                if (goes_left) {
                    best_left[c] += count;
                    best_weight += count;
                } else {
                    best_right[c] += count;
                }
            }
        }
        {
            double node = tl_class_impurity(formula, order, whole, n_classes, weight);
            double found =
                node -
                (best_weight / weight *
                     tl_class_impurity(formula, order, best_left, n_classes, best_weight) +
                 (weight - best_weight) / weight *
                     tl_class_impurity(formula, order, best_right, n_classes,
                                       weight - best_weight));
            gain[item] = fabs(found) < TL_ROUNDING * node ? 0.0 : found * scale;
        }
    }
}
