/* The impurity of a node: the one place where the formulas are written.
 *
 * Every criterion is a node term G = weight * impurity; the search minimises the sum of the
 * terms of the two children.  The functions below know neither samples nor features: a node
 * is a vector of class weights, or the moments of its targets.  The file compiles as C for
 * the CPU extension and as CUDA.
 *
 * Entropies are in nats here; the unit that users see is a factor kept in criteria.py.
 */
#ifndef TREELEARN_IMPURITY_H
#define TREELEARN_IMPURITY_H

#include <math.h>
#include <stdint.h>

#ifdef __CUDACC__
#define TL_INLINE __host__ __device__ static inline
#else
#define TL_INLINE static inline
#endif

/* The numbers are repeated in criteria.py; a test compares the two. */
enum {
    TL_GINI = 0,
    TL_SHANNON = 1,
    TL_TSALLIS = 2,
    TL_RENYI = 3,       /* Arimoto's: the R-norm entropy */
    TL_RENYI_MEAN = 4,  /* weight times the Renyi entropy of the node */
    TL_ERROR_RATE = 5,  /* misclassification, the limit of TL_RENYI at order infinity */
    TL_MIN_ENTROPY = 6, /* the limit of TL_RENYI_MEAN at order infinity */
    TL_SQUARED_ERROR = 7,
    TL_ABSOLUTE_ERROR = 8,
    TL_POISSON = 9,
    TL_GAUSSIAN = 10
};

/* Largest exponent for which the R-norm of a node is formed; beyond it the norm (of an order
 * near 0 with many classes) would overflow, and saturates instead. */
#define TL_LARGEST_LOG_NORM 600.0

#define TL_TWO_PI_E 17.079468445347134

/* ln of sum p^order over the class shares p = counts / total, to full relative precision next
 * to order 1 and without overflow or underflow elsewhere. */
TL_INLINE double tl_log_power_sum(double order, const double *counts, int n_classes,
                                  double total) {
    double excess = 0.0; /* sum p^order - 1, by expm1 so that it keeps its digits near order 1 */
    double largest = 0.0;
    double log_largest, sum = 0.0;
    int c;
    for (c = 0; c < n_classes; c++) {
        if (counts[c] > 0.0) {
            double share = counts[c] / total;
            excess += share * expm1((order - 1.0) * log(share));
            if (share > largest) largest = share;
        }
    }
    if (fabs(excess) < 0.5) return log1p(excess);
    log_largest = log(largest);
    for (c = 0; c < n_classes; c++) {
        if (counts[c] > 0.0) sum += exp(order * (log(counts[c] / total) - log_largest));
    }
    return order * log_largest + log(sum);
}

/* Impurity of a node from its class weights: the phi of theory, G / weight. */
TL_INLINE double tl_class_impurity(int criterion, double order, const double *counts,
                                   int n_classes, double total) {
    double sum = 0.0, largest = 0.0, log_norm;
    int c;
    switch (criterion) {
    case TL_GINI:
        for (c = 0; c < n_classes; c++) {
            double share = counts[c] / total;
            sum += share * (1.0 - share);
        }
        return sum;
    case TL_SHANNON:
        for (c = 0; c < n_classes; c++) {
            if (counts[c] > 0.0 && counts[c] < total) {
                double share = counts[c] / total;
                /* A share above one half loses the digits of its complement in log(share). */
                sum -= share * (share > 0.5 ? log1p(-(total - counts[c]) / total) : log(share));
            }
        }
        return sum;
    case TL_TSALLIS:
        for (c = 0; c < n_classes; c++) {
            if (counts[c] > 0.0 && counts[c] < total) {
                double share = counts[c] / total;
                sum -= share * expm1((order - 1.0) * log(share));
            }
        }
        return sum / (order - 1.0);
    case TL_RENYI:
        log_norm = tl_log_power_sum(order, counts, n_classes, total) / order;
        if (log_norm > TL_LARGEST_LOG_NORM) log_norm = TL_LARGEST_LOG_NORM;
        return -order / (order - 1.0) * expm1(log_norm);
    case TL_RENYI_MEAN:
        return tl_log_power_sum(order, counts, n_classes, total) / (1.0 - order);
    default: /* TL_ERROR_RATE, TL_MIN_ENTROPY */
        for (c = 0; c < n_classes; c++) {
            if (counts[c] > largest) largest = counts[c];
        }
        if (criterion == TL_MIN_ENTROPY) return -log(largest / total);
        return (total - largest) / total;
    }
}

/* What the search adds up over the two children, larger is better: minus G up to a part that
 * is the same for every split of the node.  Tsallis of a large order keeps only its power sum:
 * next to the constant 1 the sum would vanish, although it ranks the splits well. */
TL_INLINE double tl_class_score(int criterion, double order, const double *counts, int n_classes,
                                double total) {
    if (criterion == TL_TSALLIS && order > 2.0) {
        double sum = 0.0;
        int c;
        for (c = 0; c < n_classes; c++) {
            if (counts[c] > 0.0) sum += pow(counts[c] / total, order);
        }
        return total * sum;
    }
    return -total * tl_class_impurity(criterion, order, counts, n_classes, total);
}

/* The same for the R-norm of an order below 1, as a share of the node's norm: norms of orders near
 * 0 pass the range of float64, their quotients do not. */
TL_INLINE double tl_norm_score(double order, const double *counts, double total,
                               const double *node_counts, double node_total, int n_classes) {
    double side = tl_log_power_sum(order, counts, n_classes, total) / order;
    double node = tl_log_power_sum(order, node_counts, n_classes, node_total) / order;
    return -(total / node_total) * exp(side - node);
}

/* The score of one child from a power sum of its whole class counts and its whole weight:
 * power_sum = sum term(count) with term(j) = j^2, j ln j or (j/scale)^order.
 * weight_term: of the same table, at the child's weight (Shannon), or weight^(1 - order) in
 * the scaled unit (Tsallis). */
TL_INLINE double tl_sum_score(int criterion, double order, double power_sum, double weight,
                              double weight_term) {
    switch (criterion) {
    case TL_GINI:
        return power_sum / weight;
    case TL_SHANNON:
        return power_sum - weight_term;
    case TL_TSALLIS:
        return order > 1.0 ? power_sum * weight_term : -(power_sum * weight_term);
    case TL_RENYI:
        if (order == 2.0) return sqrt(power_sum);
        if (order == 0.5) return -(power_sum * power_sum);
        return order > 1.0 ? pow(power_sum, 1.0 / order) : -pow(power_sum, 1.0 / order);
    default: /* TL_RENYI_MEAN: weight_term is (weight / scale)^order */
        return weight * log(power_sum / weight_term) / (order - 1.0);
    }
}

/* Term of one class count in the power sum; scale is a power of two near the middle of the
 * range of counts, so that no order up to 40 overflows. */
TL_INLINE double tl_count_term(int criterion, double order, double count, double scale) {
    if (count == 0.0) return 0.0;
    if (criterion == TL_SHANNON) return count * log(count);
    if (criterion == TL_GINI) return count * count;
    return pow(count / scale, order);
}

/* Score of one child in regression.  sum: of weight * (y - centre of the node) for squared
 * error, of weight * y for Poisson; square_sum: of weight * (y - centre)^2. */
TL_INLINE double tl_moment_score(int criterion, double sum, double square_sum, double weight,
                                 double ridge) {
    double variance;
    switch (criterion) {
    case TL_POISSON:
        return sum > 0.0 ? sum * log(sum / weight) : 0.0;
    case TL_GAUSSIAN:
        variance = square_sum / weight - (sum / weight) * (sum / weight);
        if (variance < 0.0) variance = 0.0; /* rounding only: the ridge is what is left */
        return -0.5 * weight * log(variance + ridge);
    default:
        return sum * (sum / weight);
    }
}

/* Impurity of a node in regression from its centred variance. */
TL_INLINE double tl_gaussian_impurity(double variance, double ridge) {
    return 0.5 * log(TL_TWO_PI_E * (variance + ridge));
}

#endif
