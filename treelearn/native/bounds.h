/* What a cut inside a bin could reach at most.
 *
 * A cut inside a bin leaves on its left all samples of the lower bins and some of the bin's own:
 * its left class counts lie in the box  [l, l + b]  of the counts before and behind the bin.  The
 * score of a concave criterion, minus the node terms of both sides, is a convex function of the
 * left counts (theory.md, fact A), so over the box it is largest at a corner.
 *
 * The scores here are those of the scans up to rounding; who compares them leaves a margin.
 * Everything is computed for the bins of one feature at a time: n_before[i], the samples in lower
 * bins; edge[i], the score of the cut before bin i, i up to n_bins; bound[i], of bin i.
 */
#ifndef TREELEARN_BOUNDS_H
#define TREELEARN_BOUNDS_H

#include <stdint.h>

#include "block.h"
#include "runs.h"

/* A side without samples gains nothing. */
static inline double tl_binary_corner(double ones_left, double n_left, double ones, double n) {
    double difference = ones_left * (n - ones) - (n_left - ones_left) * ones;
    double product = n_left * (n - n_left);
    return difference * difference / (product > 1.0 ? product : 1.0);
}

static inline double tl_larger(double a, double b) { return a > b ? a : b; }
static inline double tl_smaller(double a, double b) { return a < b ? a : b; }

/* Two classes of unit weight: samples + (samples of class 1 << 32) in every cell. */
static inline void tl_running_pairs(const uint64_t *cells, int n_bins, double *n_before,
                                    double *ones_before) {
    uint64_t sum = 0;
    int i;
    for (i = 0; i < n_bins; i++) {
        n_before[i] = (double)(uint32_t)sum;
        ones_before[i] = (double)(uint32_t)(sum >> 32);
        sum += cells[i];
    }
    n_before[n_bins] = (double)(uint32_t)sum;
    ones_before[n_bins] = (double)(uint32_t)(sum >> 32);
}

/* ones_before: scratch of n_bins + 1 */
TL_VERSIONS static void tl_bound_pairs(const uint64_t *cells, int n_bins, double n, double ones,
                                       double *n_before, double *ones_before, double *edge,
                                       double *bound) {
    int i;
    tl_running_pairs(cells, n_bins, n_before, ones_before);
    for (i = 0; i <= n_bins; i++)
        edge[i] = tl_binary_corner(ones_before[i], n_before[i], ones, n);
    for (i = 0; i < n_bins; i++) {
        double more = ones_before[i + 1] - ones_before[i];
        double with_ones = tl_binary_corner(ones_before[i + 1], n_before[i] + more, ones, n);
        double with_zeros = tl_binary_corner(ones_before[i], n_before[i + 1] - more, ones, n);
        bound[i] = tl_larger(tl_larger(edge[i], edge[i + 1]), tl_larger(with_ones, with_zeros));
    }
}

/* One side of a cut by a criterion of power sums. */
static inline double tl_side_score(const tl_terms *terms, int64_t zeros, int64_t ones) {
    int64_t n = zeros + ones;
    if (n == 0) return 0.0;
    return tl_sum_score(terms->formula, terms->order, terms->terms[zeros] + terms->terms[ones],
                        (double)n, terms->weight_terms[n]);
}

static inline double tl_terms_corner(const tl_terms *terms, int64_t n_left, int64_t ones_left,
                                     int64_t n, int64_t ones) {
    int64_t n_right = n - n_left, ones_right = ones - ones_left;
    return tl_side_score(terms, n_left - ones_left, ones_left) +
           tl_side_score(terms, n_right - ones_right, ones_right);
}

static void tl_bound_pairs_terms(const uint64_t *cells, int n_bins, int64_t n, int64_t ones,
                                 const tl_terms *terms, double *n_before, double *ones_before,
                                 double *edge, double *bound) {
    int i;
    tl_running_pairs(cells, n_bins, n_before, ones_before);
    edge[0] = tl_terms_corner(terms, 0, 0, n, ones);
    for (i = 0; i < n_bins; i++) {
        int64_t low = (int64_t)n_before[i], ones_low = (int64_t)ones_before[i];
        int64_t high = (int64_t)n_before[i + 1], ones_high = (int64_t)ones_before[i + 1];
        int64_t more = ones_high - ones_low;
        edge[i + 1] = edge[i];
        bound[i] = edge[i];
        if (high == low) continue;
        edge[i + 1] = tl_terms_corner(terms, high, ones_high, n, ones);
        bound[i] = tl_larger(edge[i], edge[i + 1]);
        if (more == 0 || more == high - low) continue; /* the box is a line */
        bound[i] = tl_larger(bound[i], tl_terms_corner(terms, low + more, ones_high, n, ones));
        bound[i] = tl_larger(bound[i], tl_terms_corner(terms, high - more, ones_low, n, ones));
    }
}

/* Any number of classes of unit weight under Gini, 32 bits per class in every cell.
 *
 * A cut gains  sum D_c^2 / (n n_left n_right)  over the node's own score, with
 * D_c = l_c (n - N_c) - N_c (n_left - l_c),  for the class counts N_c of the node.  Over the box
 * D_c is largest in size where class c alone, or all but c, have come over; and the product of the
 * sides is smallest at an end.  Where one side is small that says little: the gain is also
 * n n_left / n_right  times the squared distance of the left shares from the node's, at most that
 * of a pure side.
 *
 * sums: scratch of n_classes */
static void tl_bound_classes(const uint32_t *cells, int n_bins, int n_classes,
                             const int64_t *totals, int64_t n_samples, int64_t *sums,
                             double *n_before, double *edge, double *bound) {
    const double n = (double)n_samples;
    double own = 0.0, purest = 0.0;
    int64_t n_left = 0;
    int i, c;
    for (c = 0; c < n_classes; c++) {
        sums[c] = 0;
        own += (double)totals[c] / n * (double)totals[c];
    }
    for (c = 0; c < n_classes; c++) {
        if (totals[c] > 0)
            purest = tl_larger(purest, 1.0 - 2.0 * (double)totals[c] / n + own / n);
    }
    n_before[0] = 0.0;
    edge[0] = own;
    for (i = 0; i < n_bins; i++, cells += n_classes) {
        double low = (double)n_left, high, here = 0.0, worst = 0.0, corner, product, alone;
        for (c = 0; c < n_classes; c++) here += cells[c];
        high = low + here;
        n_before[i + 1] = high;
        edge[i + 1] = edge[i];
        bound[i] = edge[i];
        if (here == 0.0) continue;
        for (c = 0; c < n_classes; c++) {
            double total = (double)totals[c], zero = n * (double)sums[c] - low * total;
            double most = zero + (n - total) * cells[c], least = zero - total * (here - cells[c]);
            worst += tl_larger(most * most, least * least);
            sums[c] += cells[c];
        }
        n_left += (int64_t)here;
        corner = worst / (n * tl_larger(1.0, tl_smaller(low * (n - low), high * (n - high))));
        alone = n * purest * tl_smaller(high / tl_larger(1.0, n - high),
                                        (n - low) / tl_larger(1.0, low));
        bound[i] = own + tl_smaller(corner, alone);
        if (n_left == n_samples) {
            edge[i + 1] = own;
            continue;
        }
        product = 0.0;
        for (c = 0; c < n_classes; c++) {
            double difference = n * (double)sums[c] - high * (double)totals[c];
            product += difference * difference;
        }
        edge[i + 1] = own + product / (n * high * (n - high));
    }
}

/* The best of the cuts between bins that leave enough samples on both sides; -inf: none does. */
static double tl_best_edge(const double *n_before, const double *edge, int n_bins, double lowest,
                           double highest) {
    double best = -INFINITY;
    int i;
    for (i = 1; i < n_bins; i++) {
        if (n_before[i] >= lowest && n_before[i] <= highest && edge[i] > best) best = edge[i];
    }
    return best;
}

#endif
