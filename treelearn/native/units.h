/* Weighted deviations of targets in whole units: the passes that _target_units.pyx makes.
 *
 * A sample has two moments: weight * deviation and weight * deviation * deviation, where the
 * deviation is value * factor - centre. Every pass computes them anew, which takes less time than
 * to keep them. Each operation is rounded as that of the arrays in _units.py is; sums are of whole
 * numbers, and largest numbers have no order: all instruction sets give the same bits.
 */
#ifndef TREELEARN_UNITS_H
#define TREELEARN_UNITS_H

#include <string.h>

#include "portable.h"

/* Added to a number below 2^51 in absolute value it leaves no place for a fraction: the sum is
 * rounded to a whole number, a half to the even one, and holds it in its lowest bits. */
#define TL_NO_FRACTION 0x1.8p52

/* The targets of one output. */
typedef struct {
    const double *values;
    const double *weights; /* NULL: every weight is `weight` */
    double weight;
    double factor; /* a power of two */
    double centre;
    int64_t n;
} TargetRow;

TL_INLINE int64_t tl_bits_of(double value) {
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

TL_INLINE double tl_double_of(int64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The nearest whole number of a number below 2^51. */
TL_INLINE double tl_nearest(double value) { return (value + TL_NO_FRACTION) - TL_NO_FRACTION; }

TL_INLINE int64_t tl_nearest_int(double value) {
    return tl_bits_of(value + TL_NO_FRACTION) - tl_bits_of(TL_NO_FRACTION);
}

/* The same of a number below 2^62. What the upper part stands for is even: a half that is left in
 * the lower part goes where it would go in the whole. */
TL_INLINE int64_t tl_nearest_long(double value) {
    double high = tl_nearest(value * 0x1p-32);
    uint64_t upper = (uint64_t)tl_nearest_int(high) << 32;
    return (int64_t)(upper + (uint64_t)tl_nearest_int(value - high * 0x1p32));
}

/* A number below 2^51 rounded up. */
TL_INLINE int64_t tl_ceiling(double value) {
    double nearest = tl_nearest(value);
    return tl_nearest_int(nearest) + (nearest < value);
}

/* An integer that compares as the number does; twice gives the number's bits again. */
TL_INLINE int64_t tl_ordered(int64_t bits) {
    return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1);
}

/* The lowest and the highest of n values, n > 0. As integers they are compared in vector code,
 * which would need -ffast-math for doubles. */
TL_VERSIONS static void tl_extremes(const double *values, int64_t n, double *lowest,
                                    double *highest) {
    int64_t low = INT64_MAX, high = INT64_MIN, i;
    for (i = 0; i < n; i++) {
        int64_t key = tl_ordered(tl_bits_of(values[i]));
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    *lowest = tl_double_of(tl_ordered(low));
    *highest = tl_double_of(tl_ordered(high));
}

/* Copied, what a row says stays the same for the compiler while a pass writes. */
#define TL_ROW                                                                     \
    const double *values = row->values, *weights = row->weights;                   \
    const double weight = row->weight, factor = row->factor, centre = row->centre; \
    const int64_t n = row->n;                                                      \
    int64_t i;

/* The moments of sample i; the loop around them is compiled with and without weights. */
#define TL_MOMENTS                                            \
    double deviation = values[i] * factor - centre;           \
    double sum = (weights ? weights[i] : weight) * deviation; \
    double square = sum * deviation;

/* The largest moments, without their signs. */
TL_VERSIONS static void tl_largest_moments(const TargetRow *row, double *largest_sum,
                                           double *largest_square) {
    int64_t sum_bits = 0, square_bits = 0;
    TL_ROW
    for (i = 0; i < n; i++) {
        TL_MOMENTS
        int64_t sum_here = tl_bits_of(fabs(sum)), square_here = tl_bits_of(square);
        sum_bits = sum_here > sum_bits ? sum_here : sum_bits;
        square_bits = square_here > square_bits ? square_here : square_bits;
    }
    *largest_sum = tl_double_of(sum_bits);
    *largest_square = tl_double_of(square_bits);
}

/* The sum of one of the moments in units of 1 / scale, and what that leaves in 2^-30 of a unit. */
TL_VERSIONS static void tl_add_moments(const TargetRow *row, int is_square, double scale,
                                       int64_t *high, int64_t *low) {
    int64_t total_high = 0, total_low = 0;
    TL_ROW
    for (i = 0; i < n; i++) {
        TL_MOMENTS
        double scaled = (is_square ? square : sum) * scale, whole = tl_nearest(scaled);
        total_high += tl_nearest_int(whole);
        total_low += tl_nearest_int((scaled - whole) * 0x1p30);
    }
    *high = total_high;
    *low = total_low;
}

/* Add the moments without their signs, each rounded up in units of 1 / scale. */
TL_VERSIONS static void tl_add_ceilings(const TargetRow *row, double sum_scale,
                                        double square_scale, int64_t *sum_bound,
                                        int64_t *square_bound) {
    int64_t total_sum = 0, total_square = 0;
    TL_ROW
    for (i = 0; i < n; i++) {
        TL_MOMENTS
        total_sum += tl_ceiling(fabs(sum) * sum_scale);
        total_square += tl_ceiling(square * square_scale);
    }
    *sum_bound += total_sum;
    *square_bound += total_square;
}

/* The moments themselves in units of 1 / scale. */
TL_VERSIONS static void tl_write_moments(const TargetRow *row, double sum_scale,
                                         double square_scale, int64_t *sums, int64_t *squares) {
    TL_ROW
    for (i = 0; i < n; i++) {
        TL_MOMENTS
        sums[i] = tl_nearest_long(sum * sum_scale);
        squares[i] = tl_nearest_long(square * square_scale);
    }
}

#undef TL_ROW
#undef TL_MOMENTS

#endif
