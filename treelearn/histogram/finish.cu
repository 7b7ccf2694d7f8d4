/* Impurity, purity and values of regression nodes, from the targets of their samples.
 *
 * The compiled core adds the targets of a node in the order of its samples, in floating point; so
 * must this. All threads of a block fetch targets into shared memory, one of them adds: a sum takes
 * the time of its additions, not of its reads.
 */
#include "rules.h"

#define TL_TILE 1024

/* The mean of one output: of equal numbers that number, whatever their sum is rounded to. */
TL_DEVICE double tl_mean_target(const tl_rules *rules, const double *y, const int64_t *weights,
                                const int32_t *samples, int64_t n, double *targets,
                                double *units, int *is_constant) {
    double total = 0.0, weight = 0.0, lowest = 0.0, highest = 0.0, mean;
    int64_t start;
    int i;
    for (start = 0; start < n; start += TL_TILE) {
        int m = n - start < TL_TILE ? (int)(n - start) : TL_TILE;
        for (i = (int)TL_THREAD; i < m; i += (int)TL_N_THREADS) {
            int32_t sample = samples[start + i];
            targets[i] = y[sample];
            units[i] = rules->has_unit_weights ? 1.0 : (double)weights[sample];
        }
        TL_SYNC();
        if (TL_THREAD == 0) {
            if (start == 0) lowest = highest = targets[0];
            for (i = 0; i < m; i++) {
                total += units[i] * targets[i];
                weight += units[i];
                lowest = targets[i] < lowest ? targets[i] : lowest;
                highest = targets[i] > highest ? targets[i] : highest;
            }
        }
        TL_SYNC();
    }
    *is_constant = lowest == highest;
    mean = total / weight;
    mean = mean > lowest ? mean : lowest;
    return mean < highest ? mean : highest;
}

/* Impurity of one output, in the order of the samples. All threads know the centre. */
TL_DEVICE double tl_target_impurity(const tl_rules *rules, int output, const double *y,
                                    const int64_t *weights, const int32_t *samples, int64_t n,
                                    double centre, double *terms, double *units) {
    double total = 0.0, weight = 0.0;
    int64_t start;
    int i;
    if (rules->formula == TL_GAUSSIAN && rules->ridges[output] == 0.0) return 0.0;
    for (start = 0; start < n; start += TL_TILE) {
        int m = n - start < TL_TILE ? (int)(n - start) : TL_TILE;
        for (i = (int)TL_THREAD; i < m; i += (int)TL_N_THREADS) {
            int32_t sample = samples[start + i];
            double target = y[sample];
            units[i] = rules->has_unit_weights ? 1.0 : (double)weights[sample];
            if (rules->formula == TL_POISSON)
                terms[i] = target > 0.0 ? units[i] * target * tl_log(target / centre) : 0.0;
            else
                terms[i] = units[i] * (target - centre) * (target - centre);
        }
        TL_SYNC();
        if (TL_THREAD == 0) {
            for (i = 0; i < m; i++) {
                total += terms[i];
                weight += units[i];
            }
        }
        TL_SYNC();
    }
    total /= weight;
    if (rules->formula == TL_GAUSSIAN) return tl_gaussian_impurity(total, rules->ridges[output]);
    return total;
}

/* A block finishes one node. */
TL_KERNEL tl_finish(TL_RULES, const double *y, const int64_t *weights, const int32_t *samples,
                    const int64_t *start, const int64_t *n_samples, int64_t n_nodes,
                    double *impurity, double *is_pure, double *value) {
    TL_SHARED(double, targets, 2 * TL_TILE + 1);
    double *units = targets + TL_TILE, *centre = units + TL_TILE;
    tl_rules rules = TL_READ_RULES;
    int64_t node;
    for (node = TL_BLOCK; node < n_nodes; node += TL_N_BLOCKS) {
        const int32_t *members = samples + start[node];
        double total = 0.0, all_constant = 1.0;
        int output;
        for (output = 0; output < rules.n_outputs; output++) {
            const double *own = y + output * rules.n_samples;
            int is_constant;
            double mean = tl_mean_target(&rules, own, weights, members, n_samples[node], targets,
                                         units, &is_constant);
            if (TL_THREAD == 0) *centre = mean;
            TL_SYNC();
            total += tl_target_impurity(&rules, output, own, weights, members, n_samples[node],
                                        *centre, targets, units);
            TL_SYNC();
            if (TL_THREAD == 0) value[node * rules.n_outputs + output] = mean;
            if (!is_constant) all_constant = 0.0;
        }
        if (TL_THREAD == 0) {
            impurity[node] = total / rules.n_outputs;
            is_pure[node] = all_constant;
        }
    }
}
