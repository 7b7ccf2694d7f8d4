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

#include "elementary.h"

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
#define TL_LARGEST_NORM 3.7730203009299397e260

#define TL_TWO_PI_E 17.079468445347134

/* -- Impurity of a node from its class weights -------------------------------------------------
 *
 * In three steps, so that one node at a time (below) and many side by side (impurity_block.h) are
 * the same formula to the bit: every class adds a term, the terms are summed in the order of the
 * classes, the sum becomes the impurity. An empty class adds 0. */

TL_INLINE double tl_gini_term(double count, double total) {
    double share = count / total;
    return share * (1.0 - share);
}

TL_INLINE double tl_shannon_term(double share, double log_share) {
    return share > 0.0 ? -(share * log_share) : 0.0;
}

/* share^order - share, by expm1 so that it keeps its digits next to order 1. The sum over the
 * classes is sum p^order - 1. */
TL_INLINE double tl_excess_term(double order, double share, double log_share) {
    return share > 0.0 ? share * tl_expm1((order - 1.0) * log_share) : 0.0;
}

/* (share / largest share)^order, which neither overflows nor vanishes, is e to this. Of an empty
 * class e to it is 0. */
TL_INLINE double tl_ratio_exponent(double order, double count, double log_ratio) {
    double exponent = order * log_ratio;
    return count > 0.0 ? exponent : 2.0 * TL_LEAST_EXPONENT;
}

/* ln of sum p^order over the class shares comes from the excess next to order 1, where the ratios
 * would cancel; and from the ratios elsewhere, where it needs one power a class. */
TL_INLINE int tl_takes_excess(double order) { return fabs(order - 1.0) < 0.5; }

/* Next to order 1 too where the excess comes close to -1, or is large. */
TL_INLINE int tl_takes_ratios(double order, double excess) {
    return !tl_takes_excess(order) || !(fabs(excess) < 0.5);
}

/* The ratios of all classes but one of the largest, whose ratio is 1. below: the sum over the
 * smaller classes; n_largest: the number of the largest ones, 0 in a node without weight. */
TL_INLINE double tl_ratio_sum(double below, double n_largest) {
    return below + (n_largest > 1.0 ? n_largest - 1.0 : 0.0);
}

/* ln of sum p^order. */
TL_INLINE double tl_log_power_sum(double order, double excess, double ratio_sum,
                                  double log_largest) {
    int takes_ratios = tl_takes_ratios(order, excess);
    double log_sum = tl_log1p(takes_ratios ? ratio_sum : excess);
    return takes_ratios ? order * log_largest + log_sum : log_sum;
}

/* Impurity of the Renyi families from the logarithm of the power sum. */
TL_INLINE double tl_renyi_impurity(int criterion, double order, double log_power_sum) {
    double log_norm = log_power_sum / order;
    if (criterion == TL_RENYI_MEAN) return log_power_sum / (1.0 - order);
    log_norm = log_norm > TL_LARGEST_LOG_NORM ? TL_LARGEST_LOG_NORM : log_norm;
    return -order / (order - 1.0) * tl_expm1(log_norm);
}

/* Impurity of the criteria that see the largest class alone. */
TL_INLINE double tl_majority_impurity(int criterion, double largest, double total) {
    if (criterion == TL_MIN_ENTROPY) return 0.0 - tl_log_quotient(largest, total);
    return (total - largest) / total;
}

/* Impurity of a node of positive weight: the phi of theory, G / weight. */
TL_LARGE double tl_class_impurity(int criterion, double order, const double *counts,
                                   int n_classes, double total) {
    double sum = 0.0, below = 0.0, n_largest = 0.0, largest = counts[0];
    int c;
    for (c = 1; c < n_classes; c++) largest = counts[c] > largest ? counts[c] : largest;
    switch (criterion) {
    case TL_GINI:
        for (c = 0; c < n_classes; c++) sum += tl_gini_term(counts[c], total);
        return sum;
    case TL_SHANNON:
        for (c = 0; c < n_classes; c++) {
            if (counts[c] > 0.0)
                sum += tl_shannon_term(counts[c] / total, tl_log_quotient(counts[c], total));
        }
        return sum;
    case TL_TSALLIS:
    case TL_RENYI:
    case TL_RENYI_MEAN:
        if (criterion == TL_TSALLIS || tl_takes_excess(order)) {
            for (c = 0; c < n_classes; c++) {
                if (counts[c] > 0.0)
                    sum += tl_excess_term(order, counts[c] / total,
                                          tl_log_quotient(counts[c], total));
            }
        }
        if (criterion == TL_TSALLIS) return (0.0 - sum) / (order - 1.0);
        if (tl_takes_ratios(order, sum)) {
            for (c = 0; c < n_classes; c++) {
                if (counts[c] == largest)
                    n_largest += 1.0;
                else
                    below += tl_exp_negative(tl_ratio_exponent(
                        order, counts[c], tl_log_quotient(counts[c], largest)));
            }
        }
        return tl_renyi_impurity(criterion, order,
                                 tl_log_power_sum(order, sum, tl_ratio_sum(below, n_largest),
                                                  tl_log_quotient(largest, total)));
    default: /* TL_ERROR_RATE, TL_MIN_ENTROPY */
        return tl_majority_impurity(criterion, largest, total);
    }
}

/* Whether a search ranks splits by the power sum alone. Next to the constant 1 that of a large
 * order would vanish, although it ranks them well. */
TL_INLINE int tl_scores_power_sum(int criterion, double order) {
    return criterion == TL_TSALLIS && order > 2.0;
}

/* What the search adds up over the two children, larger is better: minus G up to a part that
 * is the same for every split of the node. */
TL_LARGE double tl_class_score(int criterion, double order, const double *counts, int n_classes,
                                double total) {
    if (tl_scores_power_sum(criterion, order)) {
        double sum = 0.0;
        int c;
        for (c = 0; c < n_classes; c++) {
            sum += tl_pow(counts[c] / total, order);
        }
        return total * sum;
    }
    return -total * tl_class_impurity(criterion, order, counts, n_classes, total);
}

/* tl_sum_score of TL_RENYI for the orders that have no root of their own. */
TL_INLINE double tl_renyi_score(double order, double power_sum) {
    double norm = tl_pow(power_sum, 1.0 / order);
    /* As in the impurity: a cut whose norm no float holds is still a cut. */
    norm = norm > TL_LARGEST_NORM ? TL_LARGEST_NORM : norm;
    return order > 1.0 ? norm : -norm;
}

/* The score of one child from a power sum of its whole class counts and its whole weight:
 * power_sum = sum term(count) with term(j) = j^2, j ln j or (j/scale)^order.
 * weight_term: of the same table, at the child's weight (Shannon), or weight^(1 - order) in
 * the scaled unit (Tsallis). */
TL_LARGE double tl_sum_score(int criterion, double order, double power_sum, double weight,
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
        return tl_renyi_score(order, power_sum);
    default: /* TL_RENYI_MEAN: weight_term is (weight / scale)^order */
        return weight * tl_log(power_sum / weight_term) / (order - 1.0);
    }
}

/* Score of one child in regression.  sum: of weight * (y - centre of the node) for squared
 * error, of weight * y for Poisson; square_sum: of weight * (y - centre)^2. */
TL_INLINE double tl_moment_score(int criterion, double sum, double square_sum, double weight,
                                 double ridge) {
    double variance;
    switch (criterion) {
    case TL_POISSON:
        return sum > 0.0 ? sum * tl_log(sum / weight) : 0.0;
    case TL_GAUSSIAN:
        variance = square_sum / weight - (sum / weight) * (sum / weight);
        if (variance < 0.0) variance = 0.0; /* rounding only: the ridge is what is left */
        return -0.5 * weight * tl_log(variance + ridge);
    default:
        return sum * (sum / weight);
    }
}

/* Impurity of a node in regression from its centred variance. */
TL_INLINE double tl_gaussian_impurity(double variance, double ridge) {
    return 0.5 * tl_log(TL_TWO_PI_E * (variance + ridge));
}

#endif
