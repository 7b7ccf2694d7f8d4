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

#define TL_FILL_RUN(name, code_t, count_t)                                                     \
    static void name(const code_t *codes, int32_t n, count_t *row) {                           \
        int32_t i;                                                                             \
        for (i = 0; i + 4 <= n; i += 4) {                                                      \
            row[codes[i]]++;                                                                   \
            row[codes[i + 1]]++;                                                               \
            row[codes[i + 2]]++;                                                               \
            row[codes[i + 3]]++;                                                               \
        }                                                                                      \
        for (; i < n; i++) row[codes[i]]++;                                                    \
    }
TL_FILL_RUN(tl_fill8_short, uint8_t, uint16_t)
TL_FILL_RUN(tl_fill16_short, uint16_t, uint16_t)
TL_FILL_RUN(tl_fill8_long, uint8_t, uint32_t)
TL_FILL_RUN(tl_fill16_long, uint16_t, uint32_t)

#if TL_HAS_X86

#define TL_FILL_USUAL(name, code_t, count_t, lanes, set1, cmpeq, mask, shift)                  \
    TL_TARGET_AVX2 static void name##_usual(const code_t *codes, int32_t n, int32_t usual,     \
                                            count_t *row) {                                    \
        const __m256i default_code = set1(usual);                                              \
        int32_t i, others = 0;                                                                 \
        for (i = 0; i + lanes <= n; i += lanes) {                                              \
            __m256i code = _mm256_loadu_si256((const __m256i *)(codes + i));                   \
            uint32_t differs = ~(uint32_t)_mm256_movemask_epi8(cmpeq(code, default_code));     \
            differs &= mask;                                                                   \
            others += TL_POPCOUNT(differs);                                                    \
            for (; differs; differs &= differs - 1)                                            \
                row[codes[i + (TL_LOWEST_BIT(differs) >> shift)]]++;                           \
        }                                                                                      \
        row[usual] = (count_t)(row[usual] + i - others);                                       \
        name(codes + i, n - i, row);                                                           \
    }
#define TL_SET8(x) _mm256_set1_epi8((char)(x))
#define TL_SET16(x) _mm256_set1_epi16((short)(x))
TL_FILL_USUAL(tl_fill8_short, uint8_t, uint16_t, 32, TL_SET8, _mm256_cmpeq_epi8, 0xFFFFFFFFu, 0)
TL_FILL_USUAL(tl_fill8_long, uint8_t, uint32_t, 32, TL_SET8, _mm256_cmpeq_epi8, 0xFFFFFFFFu, 0)
TL_FILL_USUAL(tl_fill16_short, uint16_t, uint16_t, 16, TL_SET16, _mm256_cmpeq_epi16, 0x55555555u,
              1)
TL_FILL_USUAL(tl_fill16_long, uint16_t, uint32_t, 16, TL_SET16, _mm256_cmpeq_epi16, 0x55555555u, 1)
#define TL_FILL_CHOSEN(level, name, run, n, usual, row)                                        \
    if ((level) >= TL_AVX2 && (usual) >= 0) name##_usual(run, n, usual, row);                  \
    else name(run, n, row)
#else
#define TL_FILL_CHOSEN(level, name, run, n, usual, row) name(run, n, row)
#endif

/* Count the codes of a node into a histogram that is empty, of 16 bits where the node is short.
 * default_code: one that is frequent in the whole node, -1 where none is. */
static void tl_fill(int level, const void *codes, int is_wide, int32_t n_classes,
                    const int32_t *class_counts, int32_t default_code, void *histogram,
                    int32_t stride, int is_short) {
    int32_t c, at = 0;
    for (c = 0; c < n_classes; c++) {
        const int32_t n = class_counts[c];
        uint16_t *short_row = (uint16_t *)histogram + (size_t)c * stride;
        uint32_t *row = (uint32_t *)histogram + (size_t)c * stride;
        if (is_wide) {
            const uint16_t *run = (const uint16_t *)codes + at;
            int32_t usual = n >= TL_SAMPLED_RUN ? tl_fill16_frequent(run, n) : default_code;
            if (is_short) {
                TL_FILL_CHOSEN(level, tl_fill16_short, run, n, usual, short_row);
            } else {
                TL_FILL_CHOSEN(level, tl_fill16_long, run, n, usual, row);
            }
        } else {
            const uint8_t *run = (const uint8_t *)codes + at;
            int32_t usual = n >= TL_SAMPLED_RUN ? tl_fill8_frequent(run, n) : default_code;
            if (is_short) {
                TL_FILL_CHOSEN(level, tl_fill8_short, run, n, usual, short_row);
            } else {
                TL_FILL_CHOSEN(level, tl_fill8_long, run, n, usual, row);
            }
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
