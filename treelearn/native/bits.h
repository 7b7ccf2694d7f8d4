/* Bits of a word, and a hint to the memory, on compilers that have instructions for them or not. */
#ifndef TREELEARN_BITS_H
#define TREELEARN_BITS_H

#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define TL_POPCOUNT(x) __builtin_popcountll(x)
#define TL_LOWEST_BIT(x) __builtin_ctzll(x)
#define TL_PREFETCH(address) __builtin_prefetch(address)
#else
static inline int tl_popcount(uint64_t x) {
    int n = 0;
    for (; x; x &= x - 1) n++;
    return n;
}
static inline int tl_lowest_bit(uint64_t x) {
    int n = 0;
    while (!((x >> n) & 1)) n++;
    return n;
}
#define TL_POPCOUNT(x) tl_popcount(x)
#define TL_LOWEST_BIT(x) tl_lowest_bit(x)
#define TL_PREFETCH(address) ((void)0)
#endif

#endif
