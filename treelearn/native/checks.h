/* One pass over an array that a caller hands in, compiled for several instruction sets.
 *
 * The loops are whole-number arithmetic without a branch: all instruction sets give the same.
 */
#ifndef TREELEARN_CHECKS_H
#define TREELEARN_CHECKS_H

#include <stdint.h>

#include "portable.h"

/* What is found among floating-point values; higher beats lower, and nobody has looked yet. */
enum { TL_FINITE = 0, TL_MISSING = 1, TL_INFINITE = 2, TL_UNKNOWN = 3 };

/* The sign is masked out; adding one to an exponent of ones carries into its place. */
TL_VERSIONS static int tl_is_finite_32(const uint32_t *bits, int64_t n) {
    uint32_t carries = 0;
    int64_t i;
    for (i = 0; i < n; i++) carries |= (bits[i] & 0x7fffffffu) + 0x00800000u;
    return carries >> 31 == 0;
}

TL_VERSIONS static int tl_is_finite_64(const uint64_t *bits, int64_t n) {
    uint64_t carries = 0;
    int64_t i;
    for (i = 0; i < n; i++) carries |= (bits[i] & 0x7fffffffffffffffu) + 0x0010000000000000u;
    return carries >> 63 == 0;
}

TL_VERSIONS static int tl_has_infinity_32(const uint32_t *bits, int64_t n) {
    uint32_t found = 0;
    int64_t i;
    for (i = 0; i < n; i++) found |= (bits[i] & 0x7fffffffu) == 0x7f800000u;
    return found != 0;
}

TL_VERSIONS static int tl_has_infinity_64(const uint64_t *bits, int64_t n) {
    uint64_t found = 0;
    int64_t i;
    for (i = 0; i < n; i++) found |= (bits[i] & 0x7fffffffffffffffu) == 0x7ff0000000000000u;
    return found != 0;
}

/* The worst of n values. Of a block of values the second question finds the memory of the first
 * still in the cache. */
#define TL_WORST(name, bits_t, is_finite, has_infinity)                                           \
    static int name(const bits_t *bits, int64_t n) {                                              \
        enum { PER_BLOCK = 4096 };                                                                \
        int worst = TL_FINITE;                                                                    \
        int64_t first;                                                                            \
        for (first = 0; first < n && worst != TL_INFINITE; first += PER_BLOCK) {                  \
            int64_t length = n - first < PER_BLOCK ? n - first : PER_BLOCK;                       \
            if (is_finite(bits + first, length)) continue;                                        \
            worst = has_infinity(bits + first, length) ? TL_INFINITE : TL_MISSING;                \
        }                                                                                         \
        return worst;                                                                             \
    }
TL_WORST(tl_worst_32, uint32_t, tl_is_finite_32, tl_has_infinity_32)
TL_WORST(tl_worst_64, uint64_t, tl_is_finite_64, tl_has_infinity_64)
#undef TL_WORST

/* The lowest and the highest of n values, n > 0. */
TL_VERSIONS static void tl_range_64(const int64_t *values, int64_t n, int64_t *lowest,
                                           int64_t *highest) {
    int64_t low = values[0], high = values[0], i;
    for (i = 1; i < n; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    *lowest = low;
    *highest = high;
}

TL_VERSIONS static void tl_range_32(const int32_t *values, int64_t n, int64_t *lowest,
                                           int64_t *highest) {
    int32_t low = values[0], high = values[0];
    int64_t i;
    for (i = 1; i < n; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    *lowest = low;
    *highest = high;
}

#endif
