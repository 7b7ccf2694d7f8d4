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

/* Eight codes at a time that are all the usual one are counted together. The others of eight are
 * moved together, whatever their number, so that no branch depends on it. */
#define TL_FILL_OTHERS_SCALAR(name, count_t)                                                   \
    static void name##_usual_scalar(const uint8_t *codes, int32_t n, int32_t usual,            \
                                    count_t *row, uint8_t *others) {                           \
        const uint64_t all_usual = (uint64_t)usual * 0x0101010101010101u;                      \
        int32_t i, k, n_others = 0;                                                            \
        for (i = 0; i + 8 <= n; i += 8) {                                                      \
            uint64_t word;                                                                     \
            memcpy(&word, codes + i, sizeof word);                                             \
            if (word == all_usual) continue;                                                   \
            for (k = 0; k < 8; k++) {                                                          \
                others[n_others] = codes[i + k];                                               \
                n_others += codes[i + k] != usual;                                             \
            }                                                                                  \
        }                                                                                      \
        row[usual] = (count_t)(row[usual] + i - n_others);                                     \
        name(others, n_others, row);                                                           \
        name(codes + i, n - i, row);                                                           \
    }
TL_FILL_OTHERS_SCALAR(tl_fill8_short, uint16_t)
TL_FILL_OTHERS_SCALAR(tl_fill8_long, uint32_t)

/* Codes of 16 bits, four at a time. */
#define TL_FILL_USUAL_SCALAR(name, count_t)                                                    \
    static void name##_usual_scalar(const uint16_t *codes, int32_t n, int32_t usual,           \
                                    count_t *row, uint8_t *unused) {                           \
        const uint64_t all_usual = (uint64_t)usual * 0x0001000100010001u;                      \
        int32_t i, n_usual = 0;                                                                \
        (void)unused;                                                                          \
        for (i = 0; i + 4 <= n; i += 4) {                                                      \
            uint64_t word;                                                                     \
            memcpy(&word, codes + i, sizeof word);                                             \
            if (word == all_usual)                                                             \
                n_usual += 4;                                                                  \
            else                                                                               \
                name(codes + i, 4, row);                                                       \
        }                                                                                      \
        row[usual] = (count_t)(row[usual] + n_usual);                                          \
        name(codes + i, n - i, row);                                                           \
    }
TL_FILL_USUAL_SCALAR(tl_fill16_short, uint16_t)
TL_FILL_USUAL_SCALAR(tl_fill16_long, uint32_t)

#if TL_HAS_X86

#define TL_FILL_USUAL(name, code_t, count_t, lanes, set1, cmpeq, mask, shift)                  \
    TL_TARGET_AVX2 static void name##_usual(const code_t *codes, int32_t n, int32_t usual,     \
                                            count_t *row, uint8_t *unused) {                   \
        const __m256i default_code = set1(usual);                                              \
        int32_t i, others = 0;                                                                 \
        (void)unused;                                                                          \
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
#define TL_SET16(x) _mm256_set1_epi16((short)(x))

/* Codes of 8 bits other than the usual one are first moved together: then no branch depends on
 * how many there are. */
#define TL_FILL_OTHERS(name, count_t)                                                          \
    TL_TARGET_AVX2 static void name##_usual(const uint8_t *codes, int32_t n, int32_t usual,    \
                                            count_t *row, uint8_t *others) {                   \
        const __m128i default_code = _mm_set1_epi8((char)usual);                               \
        int32_t i, n_others = 0;                                                               \
        for (i = 0; i + 16 <= n; i += 16) {                                                    \
            __m128i code = _mm_loadu_si128((const __m128i *)(codes + i));                      \
            unsigned differs =                                                                 \
                0xFFFFu & ~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(code, default_code));    \
            __m128i low, high;                                                                 \
            if (!differs) continue;                                                            \
            low = _mm_loadl_epi64((const __m128i *)tl_compress[differs & 255]);                \
            high = _mm_loadl_epi64((const __m128i *)tl_compress[differs >> 8]);                \
            _mm_storel_epi64((__m128i *)(others + n_others), _mm_shuffle_epi8(code, low));     \
            n_others += TL_POPCOUNT(differs & 255);                                            \
            _mm_storel_epi64((__m128i *)(others + n_others),                                   \
                             _mm_shuffle_epi8(_mm_srli_si128(code, 8), high));                 \
            n_others += TL_POPCOUNT(differs >> 8);                                             \
        }                                                                                      \
        row[usual] = (count_t)(row[usual] + i - n_others);                                     \
        name(others, n_others, row);                                                           \
        name(codes + i, n - i, row);                                                           \
    }
TL_FILL_OTHERS(tl_fill8_short, uint16_t)
TL_FILL_OTHERS(tl_fill8_long, uint32_t)
TL_FILL_USUAL(tl_fill16_short, uint16_t, uint16_t, 16, TL_SET16, _mm256_cmpeq_epi16, 0x55555555u,
              1)
TL_FILL_USUAL(tl_fill16_long, uint16_t, uint32_t, 16, TL_SET16, _mm256_cmpeq_epi16, 0x55555555u, 1)
#endif

#define TL_FILL_CHOSEN(level, name, run, n, usual, row)                                        \
    if ((usual) < 0) {                                                                         \
        name(run, n, row);                                                                     \
    } else {                                                                                   \
        TL_CHOOSE(level, name##_usual(run, n, usual, row, spare),                              \
                  name##_usual_scalar(run, n, usual, row, spare));                             \
    }

/* Count the codes of a node into a histogram that is empty, of 16 bits where the node is short.
 * default_code: one that is frequent in the whole node, -1 where none is. spare: a byte for every
 * sample and 8. */
static void tl_fill(int level, const void *codes, int is_wide, int32_t n_classes,
                    const int32_t *class_counts, int32_t default_code, void *histogram,
                    int32_t stride, int is_short, uint8_t *spare) {
    int32_t c, at = 0;
    for (c = 0; c < n_classes; c++) {
        const int32_t n = class_counts[c];
        uint16_t *short_row = (uint16_t *)histogram + (size_t)c * stride;
        uint32_t *row = (uint32_t *)histogram + (size_t)c * stride;
        if (is_wide) {
            const uint16_t *run = (const uint16_t *)codes + at;
            int32_t usual = n >= TL_SAMPLED_RUN ? tl_fill16_frequent(run, n) : default_code;
            if (is_short) {
                TL_FILL_CHOSEN(level, tl_fill16_short, run, n, usual, short_row)
            } else {
                TL_FILL_CHOSEN(level, tl_fill16_long, run, n, usual, row)
            }
        } else {
            const uint8_t *run = (const uint8_t *)codes + at;
            int32_t usual = n >= TL_SAMPLED_RUN ? tl_fill8_frequent(run, n) : default_code;
            if (is_short) {
                TL_FILL_CHOSEN(level, tl_fill8_short, run, n, usual, short_row)
            } else {
                TL_FILL_CHOSEN(level, tl_fill8_long, run, n, usual, row)
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

#if TL_HAS_X86
/* The number of a code of 8 bits is that of the present codes below it: those of lower halves of
 * bytes of 16 codes, counted beforehand, and those in its own 16. */
TL_TARGET_AVX2 static void tl_recode8_avx2(uint8_t *codes, int32_t n, const uint8_t *present,
                                           int32_t n_codes) {
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i ones = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m256i below_low = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 3, 7, 15, 31, 63, 127, -1, -1, -1, -1, -1, -1, -1, -1));
    const __m256i below_high = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 7, 15, 31, 63, 127));
    uint8_t low_bits[16] = {0}, high_bits[16] = {0}, before[16] = {0};
    __m256i low_table, high_table, before_table;
    int32_t i, j, count = 0;
    for (j = 0; j < 16 && 16 * j < n_codes; j++) {
        low_bits[j] = present[2 * j];
        high_bits[j] = present[2 * j + 1];
        before[j] = (uint8_t)count;
        count += TL_POPCOUNT((unsigned)low_bits[j] | (unsigned)high_bits[j] << 8);
    }
    low_table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)low_bits));
    high_table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)high_bits));
    before_table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)before));
    for (i = 0; i + 32 <= n; i += 32) {
        __m256i code = _mm256_loadu_si256((const __m256i *)(codes + i));
        __m256i place = _mm256_and_si256(code, nibble);
        __m256i group = _mm256_and_si256(_mm256_srli_epi16(code, 4), nibble);
        __m256i low = _mm256_and_si256(_mm256_shuffle_epi8(low_table, group),
                                       _mm256_shuffle_epi8(below_low, place));
        __m256i high = _mm256_and_si256(_mm256_shuffle_epi8(high_table, group),
                                        _mm256_shuffle_epi8(below_high, place));
        __m256i sum = _mm256_shuffle_epi8(before_table, group);
        sum = _mm256_add_epi8(sum, _mm256_shuffle_epi8(ones, _mm256_and_si256(low, nibble)));
        sum = _mm256_add_epi8(
            sum,
            _mm256_shuffle_epi8(ones, _mm256_and_si256(_mm256_srli_epi16(low, 4), nibble)));
        sum = _mm256_add_epi8(sum, _mm256_shuffle_epi8(ones, _mm256_and_si256(high, nibble)));
        sum = _mm256_add_epi8(
            sum,
            _mm256_shuffle_epi8(ones, _mm256_and_si256(_mm256_srli_epi16(high, 4), nibble)));
        _mm256_storeu_si256((__m256i *)(codes + i), sum);
    }
    for (; i < n; i++) {
        int group = codes[i] >> 4, place = codes[i] & 15;
        unsigned bits = (unsigned)low_bits[group] | (unsigned)high_bits[group] << 8;
        codes[i] = (uint8_t)(before[group] + TL_POPCOUNT(bits & ((1u << place) - 1)));
    }
}
#endif

/* Give the codes of a node their new numbers, in 8 bits where those suffice. In place: a code of
 * 8 bits is written where one of 16 bits was read before. */
static void tl_recode(int level, void *codes, int is_wide, int becomes_wide, int32_t n,
                      const uint16_t *new_codes, const uint8_t *present, int32_t n_codes) {
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
        TL_CHOOSE(level, tl_recode8_avx2((uint8_t *)codes, n, present, n_codes),
                  tl_fill8_recode((uint8_t *)codes, n, new_codes));
    }
}

#endif
