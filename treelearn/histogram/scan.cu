/* The best split of every node of a level, from its histograms. */
#include "rules.h"

/* What the search knows of one node. */
typedef struct {
    const int64_t *stats;
    int64_t n_samples, weight;
    double lower, upper;
} tl_node;

/* The value that monotonic constraints compare. */
TL_DEVICE double tl_mean_value(const tl_rules *rules, const int64_t *stats, int64_t weight) {
    if (rules->is_classification) return (double)stats[0] / (double)weight;
    return rules->centres[0] +
           (double)stats[0] * rules->sum_unit / ((double)weight * rules->weight_unit);
}

/* Apply the rules that a cut must obey, and derive the right side. */
TL_DEVICE int tl_is_feasible(const tl_rules *rules, const tl_node *node, int feature,
                             const int64_t *left, int64_t weight_left, int64_t n_left,
                             int64_t *right) {
    int64_t weight_right = node->weight - weight_left;
    double low, high, value_left, value_right;
    int i, output;
    if (n_left < rules->min_samples_leaf || node->n_samples - n_left < rules->min_samples_leaf)
        return 0;
    if (weight_left < rules->min_weight_leaf || weight_right < rules->min_weight_leaf) return 0;
    for (i = 0; i < rules->n_stats; i++) right[i] = node->stats[i] - left[i];
    if (rules->formula == TL_POISSON) {
        for (output = 0; output < rules->n_outputs; output++)
            if (left[2 * output] <= 0 || right[2 * output] <= 0) return 0;
    }
    if (rules->has_monotonic && rules->monotonic[feature] != 0) {
        value_left = tl_mean_value(rules, left, weight_left);
        value_right = tl_mean_value(rules, right, weight_right);
        if ((value_left - value_right) * rules->monotonic[feature] > 0) return 0;
        low = value_left < value_right ? value_left : value_right;
        high = value_left < value_right ? value_right : value_left;
        if (low < node->lower || high > node->upper) return 0;
    }
    return 1;
}

/* What one child adds to the score, from its statistics vector. */
TL_DEVICE double tl_side_score(const tl_rules *rules, const tl_node *node, const int64_t *stats,
                               int64_t weight, double *counts, int shannon) {
    int formula = shannon ? TL_SHANNON : rules->formula, output, c;
    double total = 0.0;
    for (output = 0; output < rules->n_outputs; output++) {
        if (rules->is_classification) {
            for (c = 0; c < rules->n_classes[output]; c++)
                counts[c] = (double)stats[rules->class_starts[output] + c];
            total += tl_class_score(formula, rules->order, counts, rules->n_classes[output],
                                    (double)weight);
        } else {
            double sum = (double)stats[2 * output];
            if (formula == TL_GAUSSIAN && rules->ridges[output] == 0.0) continue;
            if (formula != TL_POISSON && formula != TL_GAUSSIAN)
                sum -= (double)weight / (double)node->weight * (double)node->stats[2 * output];
            total += tl_moment_score(formula, sum,
                                     (double)stats[2 * output + 1] * rules->square_ratio,
                                     (double)weight * rules->weight_unit,
                                     rules->ridges[output] / rules->sum_unit / rules->sum_unit);
        }
    }
    return total;
}

/* Sum of the terms of the classes present in the node, along a binary tree. */
TL_DEVICE double tl_tree_sum(const tl_rules *rules, const int64_t *counts,
                             const int64_t *node_counts, double *tree) {
    int c, n_local = 0, n_leaves = 1;
    for (c = 0; c < rules->max_n_classes; c++) n_local += node_counts[c] > 0;
    while (n_leaves < n_local) n_leaves *= 2;
    n_local = n_leaves;
    for (c = 0; c < rules->max_n_classes; c++)
        if (node_counts[c] > 0) tree[n_local++] = rules->count_terms[counts[c]];
    for (; n_local < 2 * n_leaves; n_local++) tree[n_local] = 0.0;
    for (c = n_leaves - 1; c > 0; c--) tree[c] = tree[2 * c] + tree[2 * c + 1];
    return tree[1];
}

/* tl_sum_score, the weight's term from its table. */
TL_DEVICE double tl_sums_score(const tl_rules *rules, double sum, double weight) {
    double term = rules->formula == TL_RENYI ? 0.0 : rules->weight_terms[(int64_t)weight];
    return tl_sum_score(rules->formula, rules->order, sum, weight, term);
}

/* Score of a cut of classes with tables of terms: the formulas of native/block.h. */
TL_DEVICE double tl_classes_score(const tl_rules *rules, const tl_node *node,
                                  const int64_t *left, int64_t weight_left, const int64_t *right,
                                  double *tree) {
    double weight = (double)node->weight, left_weight = (double)weight_left;
    double right_weight = weight - left_weight, sum_left = 0.0, sum_right = 0.0;
    int c;
    if (rules->max_n_classes == 2 && rules->has_unit_weights) {
        double ones = (double)node->stats[1], zeros = weight - ones;
        double ones_left = (double)left[1], zeros_left = left_weight - ones_left;
        double difference = ones_left * zeros - zeros_left * ones;
        if (rules->formula == TL_GINI)
            return difference * difference / (left_weight * right_weight);
        sum_left = rules->count_terms[left[0]] + rules->count_terms[left[1]];
        sum_right = rules->count_terms[right[0]] + rules->count_terms[right[1]];
    } else if (rules->formula == TL_GINI) {
        for (c = 0; c < rules->max_n_classes; c++) {
            sum_left += (double)left[c] * (double)left[c];
            sum_right += (double)right[c] * (double)right[c];
        }
        return sum_left / left_weight + sum_right / right_weight;
    } else {
        sum_left = tl_tree_sum(rules, left, node->stats, tree);
        sum_right = tl_tree_sum(rules, right, node->stats, tree);
    }
    return tl_sums_score(rules, sum_left, left_weight) +
           tl_sums_score(rules, sum_right, right_weight);
}

/* Score of a cut of one regression output. */
TL_DEVICE double tl_moments_score(const tl_rules *rules, const tl_node *node,
                                  const int64_t *left, int64_t weight_left,
                                  const int64_t *right) {
    double weight = (double)node->weight, left_weight = (double)weight_left;
    double right_weight = weight - left_weight;
    double sum_left = (double)left[0], sum_right = (double)right[0], ridge, mean;
    if (rules->formula == TL_POISSON || rules->formula == TL_GAUSSIAN) {
        ridge = rules->ridges[0] / rules->sum_unit / rules->sum_unit;
        return tl_moment_score(rules->formula, sum_left, (double)left[1] * rules->square_ratio,
                               left_weight * rules->weight_unit, ridge) +
               tl_moment_score(rules->formula, sum_right, (double)right[1] * rules->square_ratio,
                               right_weight * rules->weight_unit, ridge);
    }
    mean = (double)node->stats[0] / weight;
    sum_left -= mean * left_weight;
    sum_right -= mean * right_weight;
    return sum_left * (sum_left / left_weight) + sum_right * (sum_right / right_weight);
}

TL_DEVICE double tl_cut_score(const tl_rules *rules, const tl_node *node, const int64_t *left,
                              int64_t weight_left, const int64_t *right, double *scratch,
                              double *tie_score) {
    int64_t weight_right = node->weight - weight_left;
    double score;
    *tie_score = 0.0;
    if (rules->sums_classes)
        return tl_classes_score(rules, node, left, weight_left, right, scratch);
    if (rules->sums_moments) return tl_moments_score(rules, node, left, weight_left, right);
    score = tl_side_score(rules, node, left, weight_left, scratch, 0) +
            tl_side_score(rules, node, right, weight_right, scratch, 0);
    if (rules->shannon_ties) {
        score = rint(score / (double)node->weight * TL_STEPS_PER_WEIGHT);
        *tie_score = tl_side_score(rules, node, left, weight_left, scratch, 1) +
                     tl_side_score(rules, node, right, weight_right, scratch, 1);
    }
    return score;
}

/* varies[node][feature]: whether any cut divides the samples of the node. */
TL_KERNEL tl_varies(TL_RULES, const int32_t *n_bins, const int64_t *histograms, int64_t n_items,
                    uint8_t *varies) {
    tl_rules rules = TL_READ_RULES;
    int64_t item;
    for (item = TL_FIRST; item < n_items; item += TL_STEP) {
        const int64_t *cells = histograms + item * rules.n_codes * rules.n_channels;
        int n = n_bins[item % rules.n_features], code, n_filled = 0;
        for (code = 0; code < n; code++) n_filled += cells[(int64_t)code * rules.n_channels] > 0;
        varies[item] = n_filled > 1 || (n_filled == 1 && cells[(int64_t)n * rules.n_channels] > 0);
    }
}

/* The best cut of one feature in one node: an item. bin[item] is -1 where none is feasible.
 * The scratch of a thread: the statistics of the bins so far, of the left and of the right side. */
TL_KERNEL tl_scan(TL_RULES, const int32_t *n_bins, const int64_t *histograms,
                  const int64_t *stats, const int64_t *n_samples, const int64_t *weight,
                  const double *lower, const double *upper, const uint8_t *drawn,
                  int64_t n_items, int64_t n_scratch, int64_t *whole_scratch,
                  double *real_scratch, double *score, double *tie_score, int32_t *bin,
                  uint8_t *missing_goes_left) {
    tl_rules rules = TL_READ_RULES;
    int64_t item;
    for (item = TL_FIRST; item < n_items; item += TL_STEP) {
        int64_t at = item / rules.n_features;
        int feature = (int)(item % rules.n_features), n = n_bins[feature], code, side, i;
        const int64_t *cells = histograms + item * rules.n_codes * rules.n_channels;
        const int64_t *missing = cells + (int64_t)n * rules.n_channels;
        int64_t *left = whole_scratch + TL_FIRST * 3 * rules.n_stats;
        int64_t *tried = left + rules.n_stats, *right = tried + rules.n_stats;
        double *scratch = real_scratch + TL_FIRST * n_scratch;
        int64_t n_left = 0, weight_left = 0, n_missing = missing[0];
        tl_node node;
        score[item] = -TL_INFINITY;
        tie_score[item] = 0.0;
        bin[item] = -1;
        missing_goes_left[item] = 0;
        if (!drawn[item]) continue;
        node.stats = stats + at * rules.n_stats;
        node.n_samples = n_samples[at];
        node.weight = weight[at];
        node.lower = lower[at];
        node.upper = upper[at];
        for (i = 0; i < rules.n_stats; i++) left[i] = 0;
        for (code = 0; code < n; code++) {
            const int64_t *cell = cells + (int64_t)code * rules.n_channels;
            if (cell[0] == 0) continue;
            n_left += cell[0];
            weight_left += cell[rules.weight_channel];
            for (i = 0; i < rules.n_stats; i++) left[i] += cell[rules.first_stat + i];
            /* Missing values right, then left: of equal cuts the first stays. */
            for (side = 0; side < (n_missing > 0 ? 2 : 1); side++) {
                int64_t n_tried = n_left + side * n_missing;
                int64_t weight_tried = weight_left + side * missing[rules.weight_channel];
                double found, tie;
                if (n_tried >= node.n_samples) continue;
                for (i = 0; i < rules.n_stats; i++)
                    tried[i] = left[i] + side * missing[rules.first_stat + i];
                if (!tl_is_feasible(&rules, &node, feature, tried, weight_tried, n_tried, right))
                    continue;
                found = tl_cut_score(&rules, &node, tried, weight_tried, right, scratch, &tie);
                if (!(found > -TL_INFINITY)) continue;
                if (bin[item] < 0 || found > score[item] ||
                    (found == score[item] && tie > tie_score[item])) {
                    score[item] = found;
                    tie_score[item] = tie;
                    bin[item] = code;
                    missing_goes_left[item] = (uint8_t)side;
                }
            }
        }
    }
}

/* The best feature of every node, and the left side of its cut. found: out, a row a node of
 * feature, bin, next bin, whether missing values go left, samples, weight, statistics. */
TL_KERNEL tl_choose(TL_RULES, const int32_t *n_bins, const int64_t *histograms,
                    const int64_t *n_samples, const double *score, const double *tie_score,
                    const int32_t *bin_of, const uint8_t *goes_left_of, int64_t n_nodes,
                    int64_t *found) {
    tl_rules rules = TL_READ_RULES;
    int64_t at;
    for (at = TL_FIRST; at < n_nodes; at += TL_STEP) {
        int64_t best = -1, item, next = -1, n_left = 0, weight_left = 0, goes_left;
        int64_t *row = found + at * (6 + rules.n_stats), *stats = row + 6;
        const int64_t *cells, *missing;
        int code, i, n, bin;
        for (item = at * rules.n_features; item < (at + 1) * rules.n_features; item++) {
            if (bin_of[item] < 0) continue;
            if (best < 0 || score[item] > score[best] ||
                (score[item] == score[best] && tie_score[item] > tie_score[best]))
                best = item;
        }
        row[0] = row[1] = row[2] = -1;
        for (i = 3; i < 6 + rules.n_stats; i++) row[i] = 0;
        if (best < 0) continue;
        bin = bin_of[best];
        n = n_bins[best % rules.n_features];
        cells = histograms + best * rules.n_codes * rules.n_channels;
        missing = cells + (int64_t)n * rules.n_channels;
        goes_left = goes_left_of[best];
        for (code = 0; code <= n; code++) {
            const int64_t *cell = cells + (int64_t)code * rules.n_channels;
            if (code > bin && code < n && next < 0 && cell[0] > 0) next = code;
            if (code > bin && !(code == n && goes_left)) continue;
            n_left += cell[0];
            weight_left += cell[rules.weight_channel];
            for (i = 0; i < rules.n_stats; i++) stats[i] += cell[rules.first_stat + i];
        }
        /* What a node never saw goes where more samples go. */
        if (missing[0] == 0) goes_left = 2 * n_left > n_samples[at];
        row[0] = best % rules.n_features;
        row[1] = bin;
        row[2] = next;
        row[3] = goes_left;
        row[4] = n_left;
        row[5] = weight_left;
    }
}
