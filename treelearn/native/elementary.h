/* Logarithm, exponential and power, made of sums, products and quotients alone.
 *
 * The mathematical libraries of a processor, of another processor and of a GPU differ in the last
 * bit, and a tree may hang on it where two gains are nearly equal. These functions give the same
 * bits everywhere, as long as no multiplication is fused with an addition. They have no branch
 * and no table, so that a loop over them becomes vector code.
 *
 * Errors, measured by tests/test_impurity.py against 80 digits: below 1 ulp for tl_log, tl_log1p,
 * tl_exp and tl_exp_negative, below 2 ulp for tl_expm1, tl_pow and tl_log_quotient.
 *
 * The polynomials interpolate their functions at the Chebyshev nodes of the range that the
 * reduction leaves; the reductions are the textbook ones (Muller et al., Handbook of
 * Floating-Point Arithmetic, 2018, chapters 4 and 10).
 */
#ifndef TREELEARN_ELEMENTARY_H
#define TREELEARN_ELEMENTARY_H

#include "portable.h"

/* ln 2 = TL_LN2_HIGH + TL_LN2_LOW; the high part has 32 bits: its products with exponents are
 * exact. */
#define TL_LN2_HIGH 0x1.62e42feep-1
#define TL_LN2_LOW 0x1.a39ef35793c76p-33
/* 2 / 3, the high part of 26 bits. */
#define TL_TWO_THIRDS_HIGH 0x1.555555p-1
#define TL_TWO_THIRDS_LOW 0x1.5555555555555p-27
/* Adding it rounds a number below 2^51 to a whole one, which then stands in the lowest bits. */
#define TL_ROUNDER 0x1.8p52

TL_INLINE double tl_from_bits(uint64_t bits) {
    union {
        uint64_t bits;
        double value;
    } both;
    both.bits = bits;
    return both.value;
}

TL_INLINE uint64_t tl_to_bits(double value) {
    union {
        uint64_t bits;
        double value;
    } both;
    both.value = value;
    return both.bits;
}

/* The leading 26 bits: the product of two such numbers is exact. */
TL_INLINE double tl_high_part(double x) {
    return tl_from_bits(tl_to_bits(x) & 0xFFFFFFFFF8000000u);
}

/* Split x = 2^exponent * m with m in [sqrt(1/2), sqrt(2)), x positive and not subnormal; return
 * m. */
TL_INLINE double tl_split_normal(double x, double *exponent) {
    /* So that the exponent changes at sqrt(1/2) and not at a power of two. */
    uint64_t bits = tl_to_bits(x) + (0x3FF0000000000000u - 0x3FE6A09E667F3BCDu);
    uint64_t biased = bits >> 52;
    /* biased as a double, without an instruction that only some processors have for vectors */
    *exponent = tl_from_bits(biased | 0x4330000000000000u) - (0x1p52 + 1023.0);
    return tl_from_bits((bits & 0x000FFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu);
}

/* The same of any positive x. */
TL_INLINE double tl_split_exponent(double x, double *exponent) {
    double is_tiny = x < 0x1p-1022 ? 54.0 : 0.0;
    double m = tl_split_normal(x < 0x1p-1022 ? x * 0x1p54 : x, exponent);
    *exponent -= is_tiny;
    return m;
}

/* 2^k for a whole number given as k + TL_ROUNDER, -1022 <= k <= 1023. */
TL_INLINE double tl_power_of_two(double rounded) {
    return tl_from_bits((tl_to_bits(rounded) + 1023u) << 52);
}

/* 2 atanh(s) / s - 2 from z = s^2 <= 0.0295 and w = z^2. */
TL_INLINE double tl_atanh_rest(double z, double w) {
    return z * (((0x1.5555555555558p-1 + z * 0x1.99999999952e2p-2) +
                 w * (0x1.2492492df148dp-2 + z * 0x1.c71c62e5800a1p-3)) +
                (w * w) * ((0x1.7462b4ab2ef6bp-3 + z * 0x1.39fe606542ddep-3) +
                           w * 0x1.2b584aae78a57p-3));
}

/* ln(1 + f) + exponent * ln 2 for f in [sqrt(1/2) - 1, sqrt(2) - 1). */
TL_INLINE double tl_log_reduced(double f, double exponent) {
    double s = f / (2.0 + f);
    double z = s * s;
    double w = z * z;
    double half_square = 0.5 * f * f;
    double correction = s * (half_square + tl_atanh_rest(z, w)) + exponent * TL_LN2_LOW;
    return exponent * TL_LN2_HIGH - ((half_square - correction) - f);
}

/* ln x for positive, finite x. */
TL_LARGE double tl_log(double x) {
    double exponent;
    double m = tl_split_exponent(x, &exponent);
    return tl_log_reduced(m - 1.0, exponent);
}

/* The first half of tl_log_quotient: a / b = 2^exponent * (1 + s) / (1 - s); return s. */
TL_INLINE double tl_reduce_quotient(double a, double b, double *exponent) {
    /* So scaled no number is subnormal: its bits grow by 2^52 from one power of two to the next. */
    double scaled = b * 0x1p60;
    uint64_t pivot = tl_to_bits(scaled * 0x1.6a09e667f3bcdp-1);
    uint64_t distance = tl_to_bits(a * 0x1p60) - pivot + 0x7FF0000000000000u;
    /* a = 2^exponent * m with m from b * sqrt(1/2) to b * sqrt(2): m - b is exact. */
    double m = tl_from_bits(pivot + (distance & 0x000FFFFFFFFFFFFFu));
    *exponent = tl_from_bits((distance >> 52) | 0x4330000000000000u) - (0x1p52 + 2047.0);
    return (m - scaled) / (m + scaled);
}

/* The second half. */
TL_INLINE double tl_log_of_reduced(double s, double exponent) {
    double z = s * s;
    double low = s * tl_atanh_rest(z, z * z) + exponent * TL_LN2_LOW;
    return exponent * TL_LN2_HIGH + (2.0 * s + low);
}

/* ln(a / b) of positive a and b below 2^960: to full relative precision also next to 1, where the
 * quotient itself has lost the digits of its difference from 1. */
TL_LARGE double tl_log_quotient(double a, double b) {
    double exponent;
    double s = tl_reduce_quotient(a, b, &exponent);
    return tl_log_of_reduced(s, exponent);
}

/* ln(1 + x) for finite x > -1. */
TL_LARGE double tl_log1p(double x) {
    double exponent;
    double y = 1.0 + x;
    double m = tl_split_normal(y, &exponent);
    /* What rounding took from y goes back to the reduced argument. */
    double lost = x < 1.0 ? x - (y - 1.0) : 1.0 - (y - x);
    double f = (m - 1.0) + lost * tl_power_of_two(TL_ROUNDER - exponent);
    return tl_log_reduced(f, exponent);
}

/* (e^r - 1 - r) / r^2 for r within ln(2) / 2 of 0. */
TL_INLINE double tl_exp_tail(double r) {
    double r2 = r * r;
    double r4 = r2 * r2;
    double low = (0.5 + r * 0x1.5555555555557p-3) +
                 r2 * (0x1.5555555555556p-5 + r * 0x1.11111111100d5p-7);
    double middle = (0x1.6c16c16c162d1p-10 + r * 0x1.a01a01abeb69fp-13) +
                    r2 * (0x1.a01a01a6da7e2p-16 + r * 0x1.71de0226bd07ap-19);
    double high = (0x1.27e4db5e389d2p-22 + r * 0x1.af4e000e84be8p-26) +
                  r2 * 0x1.1f73102e57f8bp-29;
    return low + r4 * (middle + r4 * high);
}

/* e^(x + low) for a low part that is tiny beside x. */
TL_LARGE double tl_exp_sum(double x, double low) {
    double raised = x < -746.0 ? -746.0 : x;
    double bounded = raised > 710.0 ? 710.0 : raised;
    double rounded = bounded * 0x1.71547652b82fep+0 + TL_ROUNDER;
    double k = rounded - TL_ROUNDER;
    double r = ((bounded - k * TL_LN2_HIGH) - k * TL_LN2_LOW) + low;
    double value = 1.0 + (r + r * r * tl_exp_tail(r));
    /* In two steps: 2^k itself may be out of range where the result is not. */
    double half_rounded = k * 0.5 + TL_ROUNDER;
    double rest_rounded = (k - (half_rounded - TL_ROUNDER)) + TL_ROUNDER;
    return value * tl_power_of_two(half_rounded) * tl_power_of_two(rest_rounded);
}

TL_INLINE double tl_exp(double x) { return tl_exp_sum(x, 0.0); }

/* e^x for x <= 0; 0 below TL_LEAST_EXPONENT, where the result soon is no normal number. */
#define TL_LEAST_EXPONENT -700.0
TL_INLINE double tl_exp_negative(double x) {
    /* A factor and not a choice of results, which compilers make a branch. */
    double is_in_range = x > TL_LEAST_EXPONENT ? 1.0 : 0.0;
    double bounded = x > TL_LEAST_EXPONENT ? x : 0.0;
    double rounded = bounded * 0x1.71547652b82fep+0 + TL_ROUNDER;
    double k = rounded - TL_ROUNDER;
    double r = (bounded - k * TL_LN2_HIGH) - k * TL_LN2_LOW;
    return (1.0 + (r + r * r * tl_exp_tail(r))) * tl_power_of_two(rounded) * is_in_range;
}

/* e^x - 1, to full relative precision next to 0. */
TL_LARGE double tl_expm1(double x) {
    double raised = x < -40.0 ? -40.0 : x;
    double bounded = raised > 710.0 ? 710.0 : raised;
    double rounded = bounded * 0x1.71547652b82fep+0 + TL_ROUNDER;
    double k = rounded - TL_ROUNDER;
    double r = (bounded - k * TL_LN2_HIGH) - k * TL_LN2_LOW;
    double value = r + r * r * tl_exp_tail(r);
    /* 2^k * (value + 1) - 1, by halves of 2^k, which is out of range at k = 1024. */
    double half_power = tl_power_of_two((k - 1.0) + TL_ROUNDER);
    double result = 2.0 * (half_power * value + (half_power - 0.5));
    return k == 0.0 ? value : result;
}

/* x^y for finite x >= 0 and finite y > 0. */
TL_LARGE double tl_pow(double x, double y) {
    double exponent;
    double m = tl_split_exponent(x > 0.0 ? x : 1.0, &exponent);
    /* ln m = 2 atanh(s), s = (m - 1) / (m + 1), in two parts: s = s_high + s_low ... */
    double f = m - 1.0;
    double t = m + 1.0;
    double t_high = tl_high_part(t);
    double t_low = m - (t_high - 1.0);
    double s = f / t;
    double s_high = tl_high_part(s);
    double s_low = ((f - s_high * t_high) - s_high * t_low) / t;
    /* ... times 2 / 3 * (3 + s^2 + tail), whose first two summands are exact in s_high ... */
    double z = s * s;
    double w = z * z;
    double tail = w * (((0x1.3333333333337p-1 + z * 0x1.b6db6db6d57d9p-2) +
                        w * (0x1.55555561ec58cp-2 + z * 0x1.1745c7755e286p-2)) +
                       (w * w) * ((0x1.d8a514cd28356p-3 + z * 0x1.98251920734bep-3) +
                                  w * 0x1.8cb3dd8a12c3dp-3)) +
                  s_low * (s_high + s);
    double square = s_high * s_high;
    double sum_high = tl_high_part((3.0 + square) + tail);
    double sum_low = tail - ((sum_high - 3.0) - square);
    double product = s_high * sum_high;
    double product_rest = s_low * sum_high + sum_low * s;
    double whole_high = tl_high_part(product + product_rest);
    double whole_low = product_rest - (whole_high - product);
    /* ... and the exponent. */
    double log_high = TL_TWO_THIRDS_HIGH * whole_high;
    double log_low =
        (TL_TWO_THIRDS_LOW * whole_high + whole_low * (2.0 / 3.0)) + exponent * TL_LN2_LOW;
    double power_high = exponent * TL_LN2_HIGH;
    double log_x = tl_high_part((log_high + log_low) + power_high);
    double log_rest = log_low - ((log_x - power_high) - log_high);
    /* y times that, again in two parts. */
    double y_high = tl_high_part(y);
    double result_high = y_high * log_x;
    double result_low = (y - y_high) * log_x + y * log_rest;
    double total = result_high + result_low;
    double power = tl_exp_sum(total, result_low - (total - result_high));
    return x > 0.0 ? power : 0.0;
}

#endif
