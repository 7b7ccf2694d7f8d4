/* Histograms of one column in one node, a row of counts for every class, and new codes. */
#ifndef TREELEARN_CODES_HISTOGRAM_H
#define TREELEARN_CODES_HISTOGRAM_H

#include <stdint.h>
#include <string.h>

#include "codes_partition.h"
#include "simd.h"

/* Runs of one class from this length on are sampled for their most frequent code, which is then
 * counted by comparing: adding to one counter again and again waits for the memory. */
#define TL_SAMPLED_RUN 192

#define TL_FILL(name, code_t)                                                                  \
    static void name##_scalar(const code_t *codes, int32_t n, uint32_t *row) {                 \
        int32_t i;                                                                             \
        for (i = 0; i + 4 <= n; i += 4) {                                                      \
            row[codes[i]]++;                                                                   \
            row[codes[i + 1]]++;                                                               \
            row[codes[i + 2]]++;                                                               \
            row[codes[i + 3]]++;                                                               \
        }                                                                                      \
        for (; i < n; i++) row[codes[i]]++;                                                    \
    }                                                                                          \
    /* The most frequent code of a sample of a run, -1 where none comes twice. */             \
    static int32_t name##_frequent(const code_t *codes, int32_t n) {                           \
        code_t sample[8];                                                                      \
        int i, j, best = 1;                                                                    \
        int32_t found = -1;                                                                    \
        for (i = 0; i < 8; i++) sample[i] = codes[((int64_t)(2 * i + 1) * n) >> 4];            \
        for (i = 0; i < 5; i++) {                                                              \
            int count = 0;                                                                     \
            for (j = 0; j < 8; j++) count += sample[j] == sample[i];                           \
            if (count > best) {                                                                \
                best = count;                                                                  \
                found = sample[i];                                                             \
            }                                                                                  \
        }                                                                                      \
        return found;                                                                          \
    }                                                                                          \
    static void name##_recode(code_t *codes, int32_t n, const uint16_t *new_codes) {           \
        int32_t i;                                                                             \
        for (i = 0; i < n; i++) codes[i] = (code_t)new_codes[codes[i]];                        \
    }
TL_FILL(tl_fill8, uint8_t)
TL_FILL(tl_fill16, uint16_t)

#if TL_HAS_X86

TL_TARGET_AVX2 static void tl_fill8_avx2(const uint8_t *codes, int32_t n, int32_t default_code,
                                         uint32_t *row) {
    const __m256i usual = _mm256_set1_epi8((char)default_code);
    int32_t i, others = 0;
    for (i = 0; i + 32 <= n; i += 32) {
        __m256i code = _mm256_loadu_si256((const __m256i *)(codes + i));
        uint32_t differs = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(code, usual));
        others += TL_POPCOUNT(differs);
        for (; differs; differs &= differs - 1) row[codes[i + TL_LOWEST_BIT(differs)]]++;
    }
    row[default_code] += (uint32_t)(i - others);
    tl_fill8_scalar(codes + i, n - i, row);
}

TL_TARGET_AVX2 static void tl_fill16_avx2(const uint16_t *codes, int32_t n, int32_t default_code,
                                          uint32_t *row) {
    const __m256i usual = _mm256_set1_epi16((short)default_code);
    int32_t i, others = 0;
    for (i = 0; i + 16 <= n; i += 16) {
        __m256i code = _mm256_loadu_si256((const __m256i *)(codes + i));
        uint32_t differs = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi16(code, usual));
        differs &= 0x55555555u;
        others += TL_POPCOUNT(differs);
        for (; differs; differs &= differs - 1) row[codes[i + TL_LOWEST_BIT(differs) / 2]]++;
    }
    row[default_code] += (uint32_t)(i - others);
    tl_fill16_scalar(codes + i, n - i, row);
}

#endif

/* Count the codes of a node into a histogram that is empty. default_code: one that is frequent in
 * the whole node, -1 where none is. */
static void tl_fill(int level, const void *codes, int is_wide, int32_t n_classes,
                    const int32_t *class_counts, int32_t default_code, uint32_t *histogram,
                    int32_t stride) {
    int32_t c, at = 0;
    for (c = 0; c < n_classes; c++, histogram += stride) {
        int32_t n = class_counts[c];
        if (is_wide) {
            const uint16_t *run = (const uint16_t *)codes + at;
#if TL_HAS_X86
            int32_t usual = n >= TL_SAMPLED_RUN ? tl_fill16_frequent(run, n) : default_code;
            if (level >= TL_AVX2 && usual >= 0 && n >= 16)
                tl_fill16_avx2(run, n, usual, histogram);
            else
#endif
                tl_fill16_scalar(run, n, histogram);
        } else {
            const uint8_t *run = (const uint8_t *)codes + at;
#if TL_HAS_X86
            int32_t usual = n >= TL_SAMPLED_RUN ? tl_fill8_frequent(run, n) : default_code;
            if (level >= TL_AVX2 && usual >= 0 && n >= 32)
                tl_fill8_avx2(run, n, usual, histogram);
            else
#endif
                tl_fill8_scalar(run, n, histogram);
        }
        at += n;
    }
}

/* Number the codes that are present in order; return how many there are. */
static int32_t tl_number_codes(const uint8_t *present, int32_t n_codes, uint16_t *new_codes) {
    int32_t code, n = 0;
    for (code = 0; code < n_codes; code++) {
        new_codes[code] = (uint16_t)n;
        n += (present[code >> 3] >> (code & 7)) & 1;
    }
    return n;
}

/* Give the codes of a node their new numbers, in 8 bits where those suffice. In place: a code of
 * 8 bits is written where one of 16 bits was read before. */
static void tl_recode(void *codes, int is_wide, int becomes_wide, int32_t n,
                      const uint16_t *new_codes) {
    int32_t i;
    if (is_wide && !becomes_wide) {
        const uint16_t *old = (const uint16_t *)codes;
        uint8_t *new_ = (uint8_t *)codes;
        for (i = 0; i < n; i++) {
            uint16_t code = old[i];
            new_[i] = (uint8_t)new_codes[code];
        }
    } else if (is_wide) {
        tl_fill16_recode((uint16_t *)codes, n, new_codes);
    } else {
        tl_fill8_recode((uint8_t *)codes, n, new_codes);
    }
}

#endif
