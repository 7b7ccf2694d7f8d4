/* 16 small numbers side by side, in what vectors every processor has. */
#ifndef TREELEARN_LANES_H
#define TREELEARN_LANES_H

#include <stdint.h>
#include <string.h>

#include "portable.h"
#include "words.h"

#if defined(__GNUC__)
typedef int16_t tl_short8 __attribute__((vector_size(16)));
/* Lanes moved up, zeros move in. */
#if defined(__clang__)
#define TL_MOVED_UP(x, ...) __builtin_shufflevector((tl_short8){0}, x, __VA_ARGS__)
#else
#define TL_MOVED_UP(x, ...) __builtin_shuffle((tl_short8){0}, x, (tl_short8){__VA_ARGS__})
#endif
TL_INLINE tl_short8 tl_prefix_sums8(const uint16_t *counts) {
    tl_short8 x;
    memcpy(&x, counts, sizeof x);
    x += TL_MOVED_UP(x, 0, 8, 9, 10, 11, 12, 13, 14);
    x += TL_MOVED_UP(x, 0, 1, 8, 9, 10, 11, 12, 13);
    x += TL_MOVED_UP(x, 0, 1, 2, 3, 8, 9, 10, 11);
    return x;
}
/* Sums of 16 counts from the first on, on top of what came before; returns the last. */
TL_INLINE int16_t tl_sum_up(const uint16_t *counts, int16_t before, int16_t *sums) {
    tl_short8 low = tl_prefix_sums8(counts) + before;
    tl_short8 high = tl_prefix_sums8(counts + 8) + low[7];
    memcpy(sums, &low, sizeof low);
    memcpy(sums + 8, &high, sizeof high);
    return high[7];
}
#else
TL_INLINE int16_t tl_sum_up(const uint16_t *counts, int16_t before, int16_t *sums) {
    int j;
    for (j = 0; j < 16; j++) sums[j] = before = (int16_t)(before + counts[j]);
    return before;
}
#endif

/* Whether any of 16 counts is not 0. */
TL_INLINE int tl_is_any(const uint16_t *counts) {
    uint64_t words[4];
    memcpy(words, counts, sizeof words);
    return (words[0] | words[1] | words[2] | words[3]) != 0;
}

/* 16 flags as bits, the first one lowest. */
TL_INLINE unsigned tl_pack_lanes(const uint8_t *flags) {
    return tl_pack_flags(flags) | tl_pack_flags(flags + 8) << 8;
}

#endif
