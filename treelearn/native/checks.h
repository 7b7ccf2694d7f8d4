/* One pass over an array that a caller hands in, compiled for several instruction sets.
 *
 * The loops are whole-number arithmetic without a branch: all instruction sets give the same.
 */
#ifndef TREELEARN_CHECKS_H
#define TREELEARN_CHECKS_H

#include <stdint.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#define TL_CHECKS_VERSIONS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define TL_CHECKS_VERSIONS
#endif

/* What is found among floating-point values; higher beats lower. */
enum { TL_FINITE = 0, TL_MISSING = 1, TL_INFINITE = 2 };

/* The sign is masked out; adding one to an exponent of ones carries into its place. */
TL_CHECKS_VERSIONS static int tl_is_finite_32(const uint32_t *bits, int64_t n) {
    uint32_t carries = 0;
    int64_t i;
    for (i = 0; i < n; i++) carries |= (bits[i] & 0x7fffffffu) + 0x00800000u;
    return carries >> 31 == 0;
}

TL_CHECKS_VERSIONS static int tl_is_finite_64(const uint64_t *bits, int64_t n) {
    uint64_t carries = 0;
    int64_t i;
    for (i = 0; i < n; i++) carries |= (bits[i] & 0x7fffffffffffffffu) + 0x0010000000000000u;
    return carries >> 63 == 0;
}

TL_CHECKS_VERSIONS static int tl_has_infinity_32(const uint32_t *bits, int64_t n) {
    uint32_t found = 0;
    int64_t i;
    for (i = 0; i < n; i++) found |= (bits[i] & 0x7fffffffu) == 0x7f800000u;
    return found != 0;
}

TL_CHECKS_VERSIONS static int tl_has_infinity_64(const uint64_t *bits, int64_t n) {
    uint64_t found = 0;
    int64_t i;
    for (i = 0; i < n; i++) found |= (bits[i] & 0x7fffffffffffffffu) == 0x7ff0000000000000u;
    return found != 0;
}

/* The lowest and the highest of n values, n > 0. */
TL_CHECKS_VERSIONS static void tl_range_64(const int64_t *values, int64_t n, int64_t *lowest,
                                           int64_t *highest) {
    int64_t low = values[0], high = values[0], i;
    for (i = 1; i < n; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    *lowest = low;
    *highest = high;
}

TL_CHECKS_VERSIONS static void tl_range_32(const int32_t *values, int64_t n, int64_t *lowest,
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
