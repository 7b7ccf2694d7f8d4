/* Whole numbers to float64, four at a time: an instruction for it came with AVX-512 only. */
#ifndef TREELEARN_DOUBLES_H
#define TREELEARN_DOUBLES_H

#include "simd.h"

#if TL_HAS_X86
/* Whole numbers of any size, rounded once. */
TL_TARGET_AVX2 static inline __m256d tl_to_doubles(__m256i x) {
    /* Upper 48 and lower 48 bits, each placed in the mantissa of a large number. */
    const __m256i low_base = _mm256_castpd_si256(_mm256_set1_pd(0x1p52));
    const __m256i high_base = _mm256_castpd_si256(_mm256_set1_pd(0x1.8p68));
    const __m256d bases = _mm256_set1_pd(0x1.8p68 + 0x1p52);
    __m256i high = _mm256_blend_epi16(_mm256_srai_epi32(x, 16), _mm256_setzero_si256(), 0x33);
    __m256i low = _mm256_blend_epi16(x, low_base, 0x88);
    high = _mm256_add_epi64(high, high_base);
    return _mm256_add_pd(_mm256_sub_pd(_mm256_castsi256_pd(high), bases),
                         _mm256_castsi256_pd(low));
}
#endif

#endif
