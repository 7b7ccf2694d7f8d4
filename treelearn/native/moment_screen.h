/* Which cuts may come near the best score by squared error, without a division.
 *
 * The score is off^2 * whole / (count * (whole - count)) but for the rounding of the two sides,
 * where `off` is how far the sum of the left side lies from its share of the node's.
 */
#ifndef TREELEARN_MOMENT_SCREEN_H
#define TREELEARN_MOMENT_SCREEN_H

#include <math.h>

#include "doubles.h"
#include "simd.h"

/* Sums stay below 2^61 in size and are rounded to 53 bits: the sides err by a few 2^8. */
#define TL_MOMENT_MARGIN 4096.0

/* What off^2 / (count * (whole - count)) has to reach. */
static inline double tl_moment_bar(double best, double whole) {
    return best > 0.0 ? best * (1.0 - 1e-9) / whole : -INFINITY;
}

static inline int tl_is_near(double sum, double count, double whole, double mean, double bar) {
    const double off = fabs(sum - mean * count) + TL_MOMENT_MARGIN;
    return off * off >= bar * (count * (whole - count));
}

#if TL_HAS_X86
/* The same of four cuts, one bit each. */
TL_TARGET_AVX2 static inline uint64_t tl_are_near_avx2(__m256i sum, __m256d count, __m256d whole,
                                                       __m256d mean, __m256d bar) {
    const __m256d no_sign = _mm256_castsi256_pd(_mm256_set1_epi64x(INT64_MAX));
    __m256d off = _mm256_sub_pd(tl_to_doubles(sum), _mm256_mul_pd(mean, count));
    __m256d sides = _mm256_mul_pd(count, _mm256_sub_pd(whole, count));
    off = _mm256_add_pd(_mm256_and_pd(off, no_sign), _mm256_set1_pd(TL_MOMENT_MARGIN));
    return (uint64_t)_mm256_movemask_pd(
        _mm256_cmp_pd(_mm256_mul_pd(off, off), _mm256_mul_pd(bar, sides), _CMP_GE_OQ));
}
#endif

#endif
