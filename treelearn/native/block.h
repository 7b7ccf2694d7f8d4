/* Scores of a block of candidate cuts, for the criteria whose score is plain arithmetic.
 *
 * The loops have no branch and are compiled for several instruction sets where the compiler can
 * choose among them at run time. Division and square are exact to the last bit in every one of
 * them, and nothing is fused: all give the same bits.
 */
#ifndef TREELEARN_BLOCK_H
#define TREELEARN_BLOCK_H

#include "impurity.h"

/* Gini, two classes of unit weight: D^2 / (n_left * n_right) with D = l1 * n0 - l0 * n1, which is
 * half the gain times the node's weight; D is a whole number, exact while the node's weight is
 * below 2^26. */
static inline double tl_binary_score(double ones_left, double n_left, double ones, double n) {
    double difference = ones_left * (n - ones) - (n_left - ones_left) * ones;
    return difference * difference / (n_left * (n - n_left));
}

TL_VERSIONS static void tl_gini_binary(const double *weight_left, const double *ones_left,
                                       double weight, double ones, int first, int end,
                                       double *score) {
    int i;
    for (i = first; i < end; i++)
        score[i] = tl_binary_score(ones_left[i], weight_left[i], ones, weight);
}

/* Gini from the sums of squared class weights of the two sides. */
static inline double tl_sums_score(double sum_left, double sum_right, double weight_left,
                                   double weight) {
    return sum_left / weight_left + sum_right / (weight - weight_left);
}

TL_VERSIONS static void tl_gini_sums(const double *weight_left, const double *sum_left,
                                     const double *sum_right, double weight, int first, int end,
                                     double *score) {
    int i;
    for (i = first; i < end; i++)
        score[i] = tl_sums_score(sum_left[i], sum_right[i], weight_left[i], weight);
}

/* Which of those scores come near the bar, without a division: excess is not negative there.
 * Returns whether any does. */
TL_VERSIONS static int64_t tl_screen_sums(const double *weight_left, const double *sum_left,
                                          const double *sum_right, double weight, double bar,
                                          int n, double *excess) {
    int64_t any = 0;
    int i;
    for (i = 0; i < n; i++) {
        double left = weight_left[i], right = weight - left;
        excess[i] = sum_left[i] * right + sum_right[i] * left - left * right * bar;
        any |= -(int64_t)(excess[i] >= 0.0);
    }
    return any;
}

/* The other criteria of one power sum from the power sums of the two sides. Every formula has a
 * loop of its own, so that the compiler can make vector code of it. */
#define TL_SCORE_SUMS(score_of)                              \
    for (i = first; i < end; i++)                            \
        score[i] = score_of(sum_left[i], weight_left[i]) +   \
                   score_of(sum_right[i], weight - weight_left[i]);
#define TL_WEIGHT_TERM(weight) weight_terms[(int32_t)(weight)]
#define TL_SHANNON_SCORE(sum, weight)                                                          \
    tl_sum_score(TL_SHANNON, order, sum, weight, TL_WEIGHT_TERM(weight))
#define TL_TSALLIS_SCORE(sum, weight)                                                          \
    tl_sum_score(TL_TSALLIS, order, sum, weight, TL_WEIGHT_TERM(weight))
#define TL_RENYI_SCORE_2(sum, weight) tl_sum_score(TL_RENYI, 2.0, sum, weight, 0.0)
#define TL_RENYI_SCORE_HALF(sum, weight) tl_sum_score(TL_RENYI, 0.5, sum, weight, 0.0)
#define TL_RENYI_SCORE(sum, weight) tl_renyi_score(order, sum)
#define TL_RENYI_MEAN_SCORE(sum, weight)                                                       \
    tl_sum_score(TL_RENYI_MEAN, order, sum, weight, TL_WEIGHT_TERM(weight))

TL_VERSIONS static void tl_score_sums(int criterion, double order, const double *weight_left,
                                      const double *sum_left, const double *sum_right,
                                      double weight, const double *weight_terms, int first,
                                      int end, double *score) {
    int i;
    if (criterion == TL_SHANNON) {
        TL_SCORE_SUMS(TL_SHANNON_SCORE)
    } else if (criterion == TL_TSALLIS) {
        TL_SCORE_SUMS(TL_TSALLIS_SCORE)
    } else if (criterion == TL_RENYI_MEAN) {
        TL_SCORE_SUMS(TL_RENYI_MEAN_SCORE)
    } else if (order == 2.0) {
        TL_SCORE_SUMS(TL_RENYI_SCORE_2)
    } else if (order == 0.5) {
        TL_SCORE_SUMS(TL_RENYI_SCORE_HALF)
    } else {
        TL_SCORE_SUMS(TL_RENYI_SCORE)
    }
}

/* Squared error from the sums of the two sides, about the mean of the node: the score is then no
 * small difference of large numbers. */
static inline double tl_moments_score(double sum_left, double sum_right, double weight_left,
                                      double weight, double mean) {
    double weight_right = weight - weight_left;
    double left = sum_left - mean * weight_left;
    double right = sum_right - mean * weight_right;
    return left * (left / weight_left) + right * (right / weight_right);
}

/* Which of those scores come near the bar: left^2 * weight / (weight_left * weight_right) is the
 * score but for the rounding of the two sides, for which the margin stands. Returns whether any
 * does. */
TL_VERSIONS static int64_t tl_screen_moments(const double *weight_left, const double *sum_left,
                                             double weight, double mean, double margin,
                                             double bar, int n, double *excess) {
    int64_t any = 0;
    int i;
    for (i = 0; i < n; i++) {
        double left = fabs(sum_left[i] - mean * weight_left[i]) + margin;
        excess[i] = left * left * weight - bar * (weight_left[i] * (weight - weight_left[i]));
        any |= -(int64_t)(excess[i] >= 0.0);
    }
    return any;
}

TL_VERSIONS static void tl_squared_error(const double *weight_left, const double *sum_left,
                                         const double *sum_right, double weight, double mean,
                                         int first, int end, double *score) {
    int i;
    for (i = first; i < end; i++)
        score[i] = tl_moments_score(sum_left[i], sum_right[i], weight_left[i], weight, mean);
}

/* Poisson's deviance; a side without events has no score. */
TL_VERSIONS static void tl_poisson(const double *weight_left, const double *sum_left,
                                   const double *sum_right, double weight, double unit, int first,
                                   int end, double *score) {
    int i;
    for (i = first; i < end; i++) {
        int has_events = (sum_left[i] > 0.0) & (sum_right[i] > 0.0);
        double left = has_events ? sum_left[i] : 1.0, right = has_events ? sum_right[i] : 1.0;
        double sum = tl_moment_score(TL_POISSON, left, 0.0, weight_left[i] * unit, 0.0) +
                     tl_moment_score(TL_POISSON, right, 0.0, (weight - weight_left[i]) * unit, 0.0);
        score[i] = has_events ? sum : -INFINITY;
    }
}

/* The entropy of a normal variable; square sums in the unit of squares of the sums. */
TL_VERSIONS static void tl_gaussian(const double *weight_left, const double *sum_left,
                                    const double *sum_right, const double *square_left,
                                    const double *square_right, double weight, double unit,
                                    double square_unit, double ridge, int first, int end,
                                    double *score) {
    int i;
    for (i = first; i < end; i++)
        score[i] = tl_moment_score(TL_GAUSSIAN, sum_left[i], square_left[i] * square_unit,
                                   weight_left[i] * unit, ridge) +
                   tl_moment_score(TL_GAUSSIAN, sum_right[i], square_right[i] * square_unit,
                                   (weight - weight_left[i]) * unit, ridge);
}

#endif
