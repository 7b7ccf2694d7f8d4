/* The kernels of level-wise growth for a GPU.
 *
 * The formulas are those of impurity.h, the rules those of the compiled core (_block.pyx,
 * _statistics.pyx, _sweep.pyx), operation by operation: all engines grow the same tree bit for bit.
 * Sums are whole numbers, so that the order in which threads add does not matter.
 */
#include "launch.h"

/* Rules and units of one fit; the order of the two arrays is that of cuda_kernels.py. */
typedef struct {
    int formula, shannon_ties, sums_classes, sums_moments, is_classification, has_unit_weights;
    int n_outputs, n_stats, n_features, n_codes, n_channels, weight_channel, first_stat;
    int max_n_classes, code_bytes, has_monotonic;
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
    rules.has_monotonic = (int)whole[15];
    rules.min_samples_leaf = whole[16];
    rules.min_weight_leaf = whole[17];
    rules.n_samples = whole[18];
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

TL_DEVICE int tl_code(const void *codes, int code_bytes, int64_t place) {
    return code_bytes == 1 ? ((const uint8_t *)codes)[place] : ((const uint16_t *)codes)[place];
}

/* -- fill ------------------------------------------------------------------------------------- */

/* Add one sample to the cell of its code. Where every sample weighs one unit, classes count the
 * samples: channel 0 is summed from them at the end. */
TL_DEVICE void tl_add_sample(const tl_rules *rules, int64_t sample, const int32_t *labels,
                             const int64_t *sums, const int64_t *square_sums,
                             const int64_t *weights, int64_t *cell) {
    int64_t units = rules->has_unit_weights ? 1 : weights[sample];
    int output;
    if (!(rules->is_classification && rules->has_unit_weights)) TL_ADD(cell, 1);
    if (!rules->has_unit_weights) TL_ADD(cell + rules->weight_channel, units);
    cell += rules->first_stat;
    for (output = 0; output < rules->n_outputs; output++) {
        int64_t place = output * rules->n_samples + sample;
        if (rules->is_classification) {
            TL_ADD(cell + labels[place], units);
        } else {
            TL_ADD(cell + 2 * output, sums[place]);
            TL_ADD(cell + 2 * output + 1, square_sums[place]);
        }
    }
}

/* histograms: zero before, [node][feature][code][channel]. Chunk k are the places first[k] to
 * end[k] of the samples, all of node node_of[k]. A block fills one chunk of one feature in shared
 * memory, where that holds a feature's cells. */
TL_KERNEL tl_fill(TL_RULES, const void *codes, const int32_t *samples, const int32_t *labels,
                  const int64_t *sums, const int64_t *square_sums, const int64_t *weights,
                  const int64_t *node_of, const int64_t *first, const int64_t *end,
                  int64_t n_chunks, int is_shared, int64_t *histograms) {
    TL_SHARED(shared);
    tl_rules rules = TL_READ_RULES;
    int64_t n_cells = (int64_t)rules.n_codes * rules.n_channels, block, i;
    for (block = TL_BLOCK; block < n_chunks * rules.n_features; block += TL_N_BLOCKS) {
        int64_t chunk = block / rules.n_features, feature = block % rules.n_features;
        int64_t *target =
            histograms + (node_of[chunk] * rules.n_features + feature) * n_cells;
        int64_t *cells = is_shared ? shared : target;
        if (is_shared) {
            for (i = TL_THREAD; i < n_cells; i += TL_N_THREADS) shared[i] = 0;
            TL_SYNC();
        }
        for (i = first[chunk] + TL_THREAD; i < end[chunk]; i += TL_N_THREADS) {
            int64_t sample = samples[i];
            int code = tl_code(codes, rules.code_bytes, feature * rules.n_samples + sample);
            tl_add_sample(&rules, sample, labels, sums, square_sums, weights,
                          cells + (int64_t)code * rules.n_channels);
        }
        if (is_shared) {
            TL_SYNC();
            for (i = TL_THREAD; i < n_cells; i += TL_N_THREADS) {
                if (shared[i] != 0) TL_ADD(target + i, shared[i]);
            }
            TL_SYNC();
        }
    }
}

/* Sum the classes of the first output into channel 0. */
TL_KERNEL tl_count(TL_RULES, int64_t n_cells, int64_t *histograms) {
    tl_rules rules = TL_READ_RULES;
    int64_t i;
    int c;
    for (i = TL_FIRST; i < n_cells; i += TL_STEP) {
        int64_t *cell = histograms + i * rules.n_channels;
        cell[0] = 0;
        for (c = 0; c < rules.n_classes[0]; c++) cell[0] += cell[rules.first_stat + c];
    }
}

/* -- scan ------------------------------------------------------------------------------------- */

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
 * The scratch of an item: the left and the right statistics vector, then the side it adds. */
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
        int64_t *left = whole_scratch + item * 3 * rules.n_stats;
        int64_t *tried = left + rules.n_stats, *right = tried + rules.n_stats;
        double *scratch = real_scratch + item * n_scratch;
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

/* The best feature of every node, and the left side of its cut. */
TL_KERNEL tl_choose(TL_RULES, const int32_t *n_bins, const int64_t *histograms,
                    const int64_t *n_samples, const double *score, const double *tie_score,
                    const int32_t *bin_of, const uint8_t *goes_left_of, int64_t n_nodes,
                    int32_t *feature, int32_t *bin, int32_t *next_bin,
                    uint8_t *missing_goes_left, int64_t *n_left, int64_t *weight_left,
                    int64_t *stats_left) {
    tl_rules rules = TL_READ_RULES;
    int64_t at;
    for (at = TL_FIRST; at < n_nodes; at += TL_STEP) {
        int64_t best = -1, item, *stats = stats_left + at * rules.n_stats;
        const int64_t *cells, *missing;
        int code, i, n;
        for (item = at * rules.n_features; item < (at + 1) * rules.n_features; item++) {
            if (bin_of[item] < 0) continue;
            if (best < 0 || score[item] > score[best] ||
                (score[item] == score[best] && tie_score[item] > tie_score[best]))
                best = item;
        }
        feature[at] = bin[at] = next_bin[at] = -1;
        missing_goes_left[at] = 0;
        n_left[at] = weight_left[at] = 0;
        for (i = 0; i < rules.n_stats; i++) stats[i] = 0;
        if (best < 0) continue;
        feature[at] = (int32_t)(best % rules.n_features);
        bin[at] = bin_of[best];
        n = n_bins[feature[at]];
        cells = histograms + best * rules.n_codes * rules.n_channels;
        missing = cells + (int64_t)n * rules.n_channels;
        missing_goes_left[at] = goes_left_of[best];
        for (code = 0; code <= n; code++) {
            const int64_t *cell = cells + (int64_t)code * rules.n_channels;
            if (code > bin[at] && code < n && next_bin[at] < 0 && cell[0] > 0)
                next_bin[at] = code;
            if (code > bin[at] && !(code == n && missing_goes_left[at])) continue;
            n_left[at] += cell[0];
            weight_left[at] += cell[rules.weight_channel];
            for (i = 0; i < rules.n_stats; i++) stats[i] += cell[rules.first_stat + i];
        }
        /* What a node never saw goes where more samples go. */
        if (missing[0] == 0) missing_goes_left[at] = 2 * n_left[at] > n_samples[at];
    }
}

/* -- partition -------------------------------------------------------------------------------- */

/* goes_left[place], for the places of the chunks; 0 elsewhere. */
TL_KERNEL tl_mark(TL_RULES, const void *codes, const int32_t *n_bins, const int32_t *samples,
                  const int64_t *node_of, const int64_t *first, const int64_t *end,
                  int64_t n_chunks, const int32_t *feature, const int32_t *bin,
                  const uint8_t *missing_goes_left, int32_t *goes_left) {
    tl_rules rules = TL_READ_RULES;
    int64_t chunk, i;
    for (chunk = TL_BLOCK; chunk < n_chunks; chunk += TL_N_BLOCKS) {
        int64_t node = node_of[chunk];
        int64_t column = feature[node] * rules.n_samples;
        for (i = first[chunk] + TL_THREAD; i < end[chunk]; i += TL_N_THREADS) {
            int code = tl_code(codes, rules.code_bytes, column + samples[i]);
            goes_left[i] =
                code == n_bins[feature[node]] ? missing_goes_left[node] : code <= bin[node];
        }
    }
}

/* rank[place]: how many of the places up to this one go left, this one included. */
TL_KERNEL tl_move(const int32_t *samples, const int32_t *goes_left, const int32_t *rank,
                  const int64_t *node_of, const int64_t *first, const int64_t *end,
                  int64_t n_chunks, const int64_t *start, const int64_t *n_left,
                  int32_t *divided) {
    int64_t chunk, i;
    for (chunk = TL_BLOCK; chunk < n_chunks; chunk += TL_N_BLOCKS) {
        int64_t node = node_of[chunk], begin = start[node];
        int64_t before = begin > 0 ? rank[begin - 1] : 0;
        for (i = first[chunk] + TL_THREAD; i < end[chunk]; i += TL_N_THREADS) {
            int64_t left = rank[i] - before;
            int64_t place = goes_left[i] ? begin + left - 1 : i + n_left[node] - left;
            divided[place] = samples[i];
        }
    }
}

/* -- finish ----------------------------------------------------------------------------------- */

/* The mean of one output: of equal numbers that number, whatever their sum is rounded to. */
TL_DEVICE double tl_mean_target(const tl_rules *rules, const double *y, const int64_t *weights,
                                const int32_t *samples, int64_t n, int *is_constant) {
    double total = 0.0, weight = 0.0, lowest = y[samples[0]], highest = lowest, mean;
    int64_t i;
    for (i = 0; i < n; i++) {
        double target = y[samples[i]];
        double units = rules->has_unit_weights ? 1.0 : (double)weights[samples[i]];
        total += units * target;
        weight += units;
        lowest = target < lowest ? target : lowest;
        highest = target > highest ? target : highest;
    }
    mean = total / weight;
    *is_constant = lowest == highest;
    mean = mean > lowest ? mean : lowest;
    return mean < highest ? mean : highest;
}

/* Impurity of one regression output from the targets, in the order of the samples. */
TL_DEVICE double tl_target_impurity(const tl_rules *rules, int output, const double *y,
                                    const int64_t *weights, const int32_t *samples, int64_t n,
                                    double centre) {
    double total = 0.0, weight = 0.0;
    int64_t i;
    if (rules->formula == TL_GAUSSIAN && rules->ridges[output] == 0.0) return 0.0;
    for (i = 0; i < n; i++) {
        double target = y[samples[i]];
        double units = rules->has_unit_weights ? 1.0 : (double)weights[samples[i]];
        weight += units;
        if (rules->formula == TL_POISSON) {
            if (target > 0.0) total += units * target * tl_log(target / centre);
        } else {
            total += units * (target - centre) * (target - centre);
        }
    }
    total /= weight;
    if (rules->formula == TL_GAUSSIAN) return tl_gaussian_impurity(total, rules->ridges[output]);
    return total;
}

TL_KERNEL tl_finish(TL_RULES, const double *y, const int64_t *weights, const int32_t *samples,
                    const int64_t *start, const int64_t *n_samples, const int64_t *stats,
                    const int64_t *weight, int64_t n_nodes, double *scratch, double *impurity,
                    uint8_t *is_pure, double *value) {
    tl_rules rules = TL_READ_RULES;
    int64_t node;
    for (node = TL_FIRST; node < n_nodes; node += TL_STEP) {
        const int64_t *own = stats + node * rules.n_stats;
        const int32_t *members = samples + start[node];
        double *counts = scratch + node * rules.max_n_classes;
        double total = 0.0;
        int output, c;
        is_pure[node] = 1;
        for (output = 0; output < rules.n_outputs; output++) {
            int n_present = 0, is_constant = 1;
            if (rules.is_classification) {
                for (c = 0; c < rules.n_classes[output]; c++) {
                    counts[c] = (double)own[rules.class_starts[output] + c];
                    n_present += counts[c] > 0.0;
                }
                is_constant = n_present < 2;
                total += tl_class_impurity(rules.formula, rules.order, counts,
                                           rules.n_classes[output], (double)weight[node]);
            } else {
                const double *targets = y + output * rules.n_samples;
                double mean = tl_mean_target(&rules, targets, weights, members, n_samples[node],
                                             &is_constant);
                value[node * rules.n_outputs + output] = mean;
                total += tl_target_impurity(&rules, output, targets, weights, members,
                                            n_samples[node], mean);
            }
            if (!is_constant) is_pure[node] = 0;
        }
        if (rules.is_classification) value[node] = (double)own[0] / (double)weight[node];
        impurity[node] = total / rules.n_outputs;
    }
}
