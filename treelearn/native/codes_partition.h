/* Which samples of a node go left, one bit each, and stable partitions by those bits.
 *
 * Bits and elements are counted from the first sample of the node. A partition works in place: the
 * left elements move to the front, the right ones pass through a spare array to where they are
 * wanted. Elements of the node's neighbours are never written.
 */
#ifndef TREELEARN_CODES_PARTITION_H
#define TREELEARN_CODES_PARTITION_H

#include <stdint.h>
#include <string.h>

#include "bits.h"
#include "compress.h"
#include "simd.h"
#include "words.h"

/* Set bits among bits [first, end). */
static int32_t tl_count_bits(const uint64_t *bits, int32_t first, int32_t end) {
    int32_t word = first >> 6, last, n;
    uint64_t from = ~(uint64_t)0 << (first & 63), to;
    if (first >= end) return 0;
    last = (end - 1) >> 6;
    to = ~(uint64_t)0 >> (63 - ((end - 1) & 63));
    if (word == last) return TL_POPCOUNT(bits[word] & from & to);
    n = TL_POPCOUNT(bits[word] & from) + TL_POPCOUNT(bits[last] & to);
    for (word++; word < last; word++) n += TL_POPCOUNT(bits[word]);
    return n;
}

#define TL_MARK(name, code_t)                                                                  \
    static void name##_scalar(const code_t *codes, int32_t n, int32_t cut, int32_t also,       \
                              uint64_t *bits) {                                                \
        const code_t most = (code_t)cut, other = (code_t)(also >= 0 ? also : cut);             \
        int32_t i = 0, j;                                                                      \
        for (; i + 64 <= n; i += 64) {                                                         \
            const code_t *here = codes + i;                                                    \
            uint8_t flags[64];                                                                 \
            uint64_t word = 0;                                                                 \
            for (j = 0; j < 64; j++)                                                           \
                flags[j] = (uint8_t)((here[j] <= most) | (here[j] == other));                  \
            for (j = 0; j < 64; j += 8) word |= (uint64_t)tl_pack_flags(flags + j) << j;       \
            bits[i >> 6] = word;                                                               \
        }                                                                                      \
        if (i < n) {                                                                           \
            uint64_t word = 0;                                                                 \
            for (j = 0; i + j < n; j++)                                                        \
                word |= (uint64_t)((codes[i + j] <= most) | (codes[i + j] == other)) << j;     \
            bits[i >> 6] = word;                                                               \
        }                                                                                      \
    }
/* Set the bit of every code up to the cut, and of the code `also` (-1: no such code). */
TL_MARK(tl_mark8, uint8_t)
TL_MARK(tl_mark16, uint16_t)

#define TL_DIVIDE(name, element_t)                                                             \
    static void name##_tail(element_t *elements, int32_t i, int32_t n, const uint64_t *bits,   \
                            element_t *spare, int32_t n_left, void *right_side) {              \
        while (i < n) {                                                                        \
            uint64_t word = bits[i >> 6] >> (i & 63);                                          \
            int32_t end = (i | 63) + 1 < n ? (i | 63) + 1 : n;                                 \
            for (; i < end; i++, word >>= 1) {                                                 \
                element_t element = elements[i];                                               \
                elements[n_left] = element;                                                    \
                spare[i - n_left] = element;                                                   \
                n_left += (int32_t)(word & 1);                                                 \
            }                                                                                  \
        }                                                                                      \
        memcpy(right_side, spare, (size_t)(n - n_left) * sizeof(element_t));                   \
    }
/* The end of a partition, element by element; from element 0 on, the scalar twin for elements of 32
 * bits. */
TL_DIVIDE(tl_divide8, uint8_t)
TL_DIVIDE(tl_divide16, uint16_t)
TL_DIVIDE(tl_divide32, uint32_t)

/* As many elements at a time as a word holds. */
#define TL_DIVIDE_WORDS(n_bits, n_elements, load, store)                                       \
    static void tl_divide##n_bits##_scalar(uint##n_bits##_t *elements, int32_t n,              \
                                           const uint64_t *bits, uint##n_bits##_t *spare,      \
                                           void *right_side) {                                 \
        const int all = (1 << n_elements) - 1;                                                 \
        int32_t i, n_left = 0;                                                                 \
        for (i = 0; i + n_elements <= n; i += n_elements) {                                    \
            int left = (int)(bits[i >> 6] >> (i & 63)) & all;                                  \
            uint64_t word = load(elements + i);                                                \
            store(tl_compress##n_bits(word, left), elements + n_left);                         \
            store(tl_compress##n_bits(word, all ^ left), spare + i - n_left);                  \
            n_left += tl_n_chosen[left];                                                       \
        }                                                                                      \
        tl_divide##n_bits##_tail(elements, i, n, bits, spare, n_left, right_side);             \
    }
TL_DIVIDE_WORDS(8, 8, tl_load_bytes, tl_store_bytes)
TL_DIVIDE_WORDS(16, 4, tl_load_shorts, tl_store_shorts)

#if TL_HAS_X86

TL_TARGET_AVX2 static void tl_mark8_avx2(const uint8_t *codes, int32_t n, int32_t cut,
                                         int32_t also, uint64_t *bits) {
    const __m256i most = _mm256_set1_epi8((char)cut), other = _mm256_set1_epi8((char)also);
    int32_t i = 0;
    for (; i + 64 <= n; i += 64) {
        uint64_t word = 0;
        int half;
        for (half = 0; half < 2; half++) {
            __m256i code = _mm256_loadu_si256((const __m256i *)(codes + i + 32 * half));
            __m256i goes = _mm256_cmpeq_epi8(_mm256_min_epu8(code, most), code);
            if (also >= 0) goes = _mm256_or_si256(goes, _mm256_cmpeq_epi8(code, other));
            word |= (uint64_t)(uint32_t)_mm256_movemask_epi8(goes) << (32 * half);
        }
        bits[i >> 6] = word;
    }
    if (i < n) tl_mark8_scalar(codes + i, n - i, cut, also, bits + (i >> 6));
}

TL_TARGET_AVX2 static void tl_mark16_avx2(const uint16_t *codes, int32_t n, int32_t cut,
                                          int32_t also, uint64_t *bits) {
    const __m256i most = _mm256_set1_epi16((short)cut), other = _mm256_set1_epi16((short)also);
    int32_t i = 0;
    for (; i + 64 <= n; i += 64) {
        uint64_t word = 0;
        int half, k;
        for (half = 0; half < 2; half++) {
            __m256i goes[2];
            for (k = 0; k < 2; k++) {
                __m256i code =
                    _mm256_loadu_si256((const __m256i *)(codes + i + 32 * half + 16 * k));
                goes[k] = _mm256_cmpeq_epi16(_mm256_min_epu16(code, most), code);
                if (also >= 0)
                    goes[k] = _mm256_or_si256(goes[k], _mm256_cmpeq_epi16(code, other));
            }
            goes[0] = _mm256_permute4x64_epi64(_mm256_packs_epi16(goes[0], goes[1]), 0xD8);
            word |= (uint64_t)(uint32_t)_mm256_movemask_epi8(goes[0]) << (32 * half);
        }
        bits[i >> 6] = word;
    }
    if (i < n) tl_mark16_scalar(codes + i, n - i, cut, also, bits + (i >> 6));
}

TL_TARGET_AVX2 static void tl_divide8_avx2(uint8_t *elements, int32_t n, const uint64_t *bits,
                                           uint8_t *spare, void *right_side) {
    int32_t i, n_left = 0, n_right = 0;
    for (i = 0; i + 8 <= n; i += 8) {
        unsigned byte = (unsigned)(bits[i >> 6] >> (i & 63)) & 255;
        __m128i eight = _mm_loadl_epi64((const __m128i *)(elements + i));
        __m128i left = _mm_loadl_epi64((const __m128i *)tl_compress[byte]);
        __m128i right = _mm_loadl_epi64((const __m128i *)tl_compress[255 - byte]);
        int count = TL_POPCOUNT(byte);
        _mm_storel_epi64((__m128i *)(elements + n_left), _mm_shuffle_epi8(eight, left));
        _mm_storel_epi64((__m128i *)(spare + n_right), _mm_shuffle_epi8(eight, right));
        n_left += count;
        n_right += 8 - count;
    }
    tl_divide8_tail(elements, i, n, bits, spare, n_left, right_side);
}

TL_TARGET_AVX2 static void tl_divide16_avx2(uint16_t *elements, int32_t n, const uint64_t *bits,
                                            uint16_t *spare, void *right_side) {
    /* Places of elements become pairs of places of bytes: 2 p and 2 p + 1. */
    const __m128i pairs = _mm_set1_epi16(0x0100);
    int32_t i, n_left = 0, n_right = 0;
    for (i = 0; i + 8 <= n; i += 8) {
        unsigned byte = (unsigned)(bits[i >> 6] >> (i & 63)) & 255;
        __m128i eight = _mm_loadu_si128((const __m128i *)(elements + i));
        __m128i left = _mm_loadl_epi64((const __m128i *)tl_compress[byte]);
        __m128i right = _mm_loadl_epi64((const __m128i *)tl_compress[255 - byte]);
        int count = TL_POPCOUNT(byte);
        left = _mm_add_epi8(left, left);
        right = _mm_add_epi8(right, right);
        left = _mm_add_epi8(_mm_unpacklo_epi8(left, left), pairs);
        right = _mm_add_epi8(_mm_unpacklo_epi8(right, right), pairs);
        _mm_storeu_si128((__m128i *)(elements + n_left), _mm_shuffle_epi8(eight, left));
        _mm_storeu_si128((__m128i *)(spare + n_right), _mm_shuffle_epi8(eight, right));
        n_left += count;
        n_right += 8 - count;
    }
    tl_divide16_tail(elements, i, n, bits, spare, n_left, right_side);
}

TL_TARGET_AVX2 static void tl_divide32_avx2(uint32_t *elements, int32_t n, const uint64_t *bits,
                                            uint32_t *spare, void *right_side) {
    int32_t i, n_left = 0, n_right = 0;
    for (i = 0; i + 8 <= n; i += 8) {
        unsigned byte = (unsigned)(bits[i >> 6] >> (i & 63)) & 255;
        __m256i eight = _mm256_loadu_si256((const __m256i *)(elements + i));
        __m256i left =
            _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)tl_compress[byte]));
        __m256i right =
            _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)tl_compress[255 - byte]));
        int count = TL_POPCOUNT(byte);
        _mm256_storeu_si256((__m256i *)(elements + n_left),
                            _mm256_permutevar8x32_epi32(eight, left));
        _mm256_storeu_si256((__m256i *)(spare + n_right),
                            _mm256_permutevar8x32_epi32(eight, right));
        n_left += count;
        n_right += 8 - count;
    }
    tl_divide32_tail(elements, i, n, bits, spare, n_left, right_side);
}

#define TL_CHOOSE(level, vector, scalar)                                                       \
    if ((level) >= TL_AVX2) vector;                                                            \
    else scalar
#else
#define TL_CHOOSE(level, vector, scalar) scalar
#endif

static void tl_mark(int level, const void *codes, int is_wide, int32_t n, int32_t cut, int32_t also,
                    uint64_t *bits) {
    if (is_wide) {
        TL_CHOOSE(level, tl_mark16_avx2((const uint16_t *)codes, n, cut, also, bits),
                  tl_mark16_scalar((const uint16_t *)codes, n, cut, also, bits));
    } else {
        TL_CHOOSE(level, tl_mark8_avx2((const uint8_t *)codes, n, cut, also, bits),
                  tl_mark8_scalar((const uint8_t *)codes, n, cut, also, bits));
    }
}

/* Partition n elements of 1, 2 or 4 bytes; the spare array has room for n + 8 of them. */
static void tl_divide(int level, void *elements, int size, int32_t n, const uint64_t *bits,
                      void *spare, void *right_side) {
    if (size == 1) {
        TL_CHOOSE(level,
                  tl_divide8_avx2((uint8_t *)elements, n, bits, (uint8_t *)spare, right_side),
                  tl_divide8_scalar((uint8_t *)elements, n, bits, (uint8_t *)spare, right_side));
    } else if (size == 2) {
        TL_CHOOSE(level,
                  tl_divide16_avx2((uint16_t *)elements, n, bits, (uint16_t *)spare, right_side),
                  tl_divide16_scalar((uint16_t *)elements, n, bits, (uint16_t *)spare,
                                     right_side));
    } else {
        TL_CHOOSE(level,
                  tl_divide32_avx2((uint32_t *)elements, n, bits, (uint32_t *)spare, right_side),
                  tl_divide32_tail((uint32_t *)elements, 0, n, bits, (uint32_t *)spare, 0,
                                  right_side));
    }
}

#endif
