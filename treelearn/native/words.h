/* A word for a few small numbers: what stands in for vector code where there is none. */
#ifndef TREELEARN_WORDS_H
#define TREELEARN_WORDS_H

#include <stdint.h>

#include "portable.h"

/* Numbers of 8 or 16 bits as one word, the first one lowest: one load or store where that is the
 * order of the processor. */
TL_INLINE uint64_t tl_load_bytes(const uint8_t *bytes) {
    return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
           (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
           (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

TL_INLINE void tl_store_bytes(uint64_t word, uint8_t *bytes) {
    bytes[0] = (uint8_t)word;
    bytes[1] = (uint8_t)(word >> 8);
    bytes[2] = (uint8_t)(word >> 16);
    bytes[3] = (uint8_t)(word >> 24);
    bytes[4] = (uint8_t)(word >> 32);
    bytes[5] = (uint8_t)(word >> 40);
    bytes[6] = (uint8_t)(word >> 48);
    bytes[7] = (uint8_t)(word >> 56);
}

TL_INLINE uint64_t tl_load_shorts(const uint16_t *shorts) {
    return (uint64_t)shorts[0] | (uint64_t)shorts[1] << 16 | (uint64_t)shorts[2] << 32 |
           (uint64_t)shorts[3] << 48;
}

TL_INLINE void tl_store_shorts(uint64_t word, uint16_t *shorts) {
    shorts[0] = (uint16_t)word;
    shorts[1] = (uint16_t)(word >> 16);
    shorts[2] = (uint16_t)(word >> 32);
    shorts[3] = (uint16_t)(word >> 48);
}

/* Eight flags of a byte each, 0 or 1, as bits, the first one lowest: the product moves flag k to
 * bit 56 + k, and nothing carries. */
TL_INLINE unsigned tl_pack_flags(const uint8_t *flags) {
    return (unsigned)((tl_load_bytes(flags) * 0x0102040810204080u) >> 56);
}

/* And back, as bytes of a word: byte k takes bit k of a copy of all of them. */
TL_INLINE uint64_t tl_spread_bits(unsigned bits) {
    uint64_t own = (bits * (uint64_t)0x0101010101010101u) & 0x8040201008040201u;
    return ((own + 0x7F7F7F7F7F7F7F7Fu) >> 7) & 0x0101010101010101u;
}

#endif
