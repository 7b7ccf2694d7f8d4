/* A hash of 128 bits of the bytes of an array, several gigabytes a second.
 *
 * Two sums of 64 x 64 -> 128 bit products of neighbouring words with fixed odd keys, folded as they
 * go. It tells arrays apart; it is no protection against an adversary.
 */
#ifndef TREELEARN_HASH_H
#define TREELEARN_HASH_H

#include <stdint.h>
#include <string.h>

static inline uint64_t tl_fold(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t low = (a & 0xffffffffu) * (b & 0xffffffffu), high = (a >> 32) * (b >> 32);
    uint64_t cross = (a >> 32) * (b & 0xffffffffu), other = (a & 0xffffffffu) * (b >> 32);
    uint64_t carry = (low >> 32) + (cross & 0xffffffffu) + (other & 0xffffffffu);
    return (low & 0xffffffffu) ^ (carry << 32) ^
           (high + (cross >> 32) + (other >> 32) + (carry >> 32));
#endif
}

static inline uint64_t tl_word(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

static void tl_hash(const void *data, uint64_t n_bytes, uint64_t seed, uint64_t *hash) {
    const uint64_t k0 = 0x9e3779b97f4a7c15u, k1 = 0xbf58476d1ce4e5b9u, k2 = 0x94d049bb133111ebu;
    const uint64_t k3 = 0xd1342543de82ef95u;
    const uint8_t *bytes = (const uint8_t *)data;
    uint64_t a = seed ^ k0, b = seed ^ k1, c = seed ^ k2, d = seed ^ k3, i;
    uint8_t last[32] = {0};
    for (i = 0; i + 32 <= n_bytes; i += 32) {
        uint64_t w0 = tl_word(bytes + i), w1 = tl_word(bytes + i + 8);
        uint64_t w2 = tl_word(bytes + i + 16), w3 = tl_word(bytes + i + 24);
        a = tl_fold(a ^ w0, k1 ^ w1) + w2;
        b = tl_fold(b ^ w2, k2 ^ w3) + w0;
        c = tl_fold(c ^ w1, k3 ^ w2) + w3;
        d = tl_fold(d ^ w3, k0 ^ w0) + w1;
    }
    if (i < n_bytes) memcpy(last, bytes + i, n_bytes - i); /* no bytes: NULL */
    for (i = 0; i < 32; i += 8) {
        a = tl_fold(a ^ tl_word(last + i), k2) + b;
        c = tl_fold(c ^ tl_word(last + i), k1) + d;
    }
    hash[0] = tl_fold(a ^ n_bytes, k3) ^ tl_fold(d, k2);
    hash[1] = tl_fold(c ^ n_bytes, k0) ^ tl_fold(b, k1);
}

#endif
