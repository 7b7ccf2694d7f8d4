/* Columns of few values as bits: one for each possible cut, set where the sample goes left.
 *
 * A row of bits holds all cuts of all such columns, features and codes ascending, in one, two or
 * four words. Rows never move; a node reads them through its sample numbers. Ones are counted in
 * bit-sliced counters, one machine word adding 64 cuts at a time (the carry-save adders of Harley
 * and Seal: 7 operations a row where adding bytes takes 40).
 */
#ifndef TREELEARN_CODES_BITS_H
#define TREELEARN_CODES_BITS_H

#include <stdint.h>
#include <string.h>

#include "codes_partition.h"
#include "codes_scan.h"
#include "simd.h"
#include "words.h"

#define TL_MOST_BITS 256

#define TL_LEVELS 8 /* bits of a counter: runs are counted 255 rows at a time */

/* carry, sum = a + b + c for every bit */
#define TL_ADD3(carry, sum, a, b, c)                                                           \
    for (k = 0; k < N; k++) {                                                                  \
        uint64_t x_ = (a)[k] ^ (b)[k], y_ = (c)[k];                                            \
        (carry)[k] = ((a)[k] & (b)[k]) | (x_ & y_);                                            \
        (sum)[k] = x_ ^ y_;                                                                    \
    }

/* Count n <= 255 rows into the planes of bit-sliced counters. */
#define TL_COUNT(name, N_WORDS, attributes)                                                    \
    attributes static void name(const uint64_t *rows, const int32_t *samples, int32_t n,       \
                                uint64_t *out) {                                               \
        enum { N = N_WORDS };                                                                  \
        uint64_t plane[TL_LEVELS][N], carry[N];                                                \
        uint64_t twos_a[N], twos_b[N], fours_a[N], fours_b[N], eights_a[N], eights_b[N];       \
        int32_t i = 0, first = n & 15;                                                         \
        int level, k, round;                                                                   \
        memset(plane, 0, sizeof plane);                                                        \
        for (; i < first; i++) {                                                               \
            const uint64_t *row = rows + (size_t)samples[i] * N;                               \
            for (k = 0; k < N; k++) carry[k] = row[k];                                         \
            for (level = 0; level < 4; level++)                                                \
                for (k = 0; k < N; k++) {                                                      \
                    uint64_t both = plane[level][k] & carry[k];                                \
                    plane[level][k] ^= carry[k];                                               \
                    carry[k] = both;                                                           \
                }                                                                              \
        }                                                                                      \
        for (; i < n; i += 16) {                                                               \
            for (round = 0; round < 2; round++) {                                              \
                const int32_t *s = samples + i + 8 * round;                                    \
                const uint64_t *r0 = rows + (size_t)s[0] * N, *r1 = rows + (size_t)s[1] * N;   \
                const uint64_t *r2 = rows + (size_t)s[2] * N, *r3 = rows + (size_t)s[3] * N;   \
                const uint64_t *r4 = rows + (size_t)s[4] * N, *r5 = rows + (size_t)s[5] * N;   \
                const uint64_t *r6 = rows + (size_t)s[6] * N, *r7 = rows + (size_t)s[7] * N;   \
                uint64_t *eights = round ? eights_b : eights_a;                                \
                TL_ADD3(twos_a, plane[0], plane[0], r0, r1)                                    \
                TL_ADD3(twos_b, plane[0], plane[0], r2, r3)                                    \
                TL_ADD3(fours_a, plane[1], plane[1], twos_a, twos_b)                           \
                TL_ADD3(twos_a, plane[0], plane[0], r4, r5)                                    \
                TL_ADD3(twos_b, plane[0], plane[0], r6, r7)                                    \
                TL_ADD3(fours_b, plane[1], plane[1], twos_a, twos_b)                           \
                TL_ADD3(eights, plane[2], plane[2], fours_a, fours_b)                          \
            }                                                                                  \
            TL_ADD3(carry, plane[3], plane[3], eights_a, eights_b)                             \
            for (level = 4; level < TL_LEVELS; level++)                                        \
                for (k = 0; k < N; k++) {                                                      \
                    uint64_t both = plane[level][k] & carry[k];                                \
                    plane[level][k] ^= carry[k];                                               \
                    carry[k] = both;                                                           \
                }                                                                              \
        }                                                                                      \
        memcpy(out, plane, sizeof plane);                                                      \
    }
TL_COUNT(tl_count1, 1, )
TL_COUNT(tl_count2, 2, )
TL_COUNT(tl_count4, 4, )

/* One byte for every bit of the counters. */
static void tl_planes_to_bytes_scalar(const uint64_t *planes, int n_words, int n_levels,
                                      uint8_t *bytes) {
    int part, level;
    for (part = 0; part < 8 * n_words; part++) {
        uint64_t count = 0;
        for (level = 0; level < n_levels; level++) {
            uint64_t word = planes[level * n_words + part / 8];
            count |= tl_spread_bits((unsigned)(word >> (8 * (part & 7))) & 255) << level;
        }
        tl_store_bytes(count, bytes + 8 * part);
    }
}

#if TL_HAS_X86
TL_COUNT(tl_count4_avx2, 4, TL_TARGET_AVX2)

TL_TARGET_AVX2 static void tl_planes_to_bytes_avx2(const uint64_t *planes, int n_words,
                                                   int n_levels, uint8_t *bytes) {
    const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2,
                                            2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    const __m256i bit = _mm256_set1_epi64x((int64_t)0x8040201008040201);
    int part, level;
    for (part = 0; part < 2 * n_words; part++) {
        __m256i count = _mm256_setzero_si256();
        for (level = 0; level < n_levels; level++) {
            uint32_t word = (uint32_t)(planes[level * n_words + part / 2] >> (32 * (part & 1)));
            __m256i is_set = _mm256_shuffle_epi8(_mm256_set1_epi32((int)word), spread);
            is_set = _mm256_cmpeq_epi8(_mm256_and_si256(is_set, bit), bit);
            count = _mm256_or_si256(count,
                                    _mm256_and_si256(is_set, _mm256_set1_epi8((char)(1 << level))));
        }
        _mm256_storeu_si256((__m256i *)(bytes + 32 * part), count);
    }
}
#endif

/* Add the counts of one class to the sums over classes. */
#define TL_ADD_CLASS(name, sum_t, count_t, attributes)                                         \
    attributes static void name(const count_t *counts, int n_lanes, sum_t whole,               \
                                int32_t *n_left, sum_t *squares, sum_t *cross) {               \
        int lane;                                                                              \
        for (lane = 0; lane < n_lanes; lane++) {                                               \
            sum_t count = (sum_t)counts[lane];                                                 \
            n_left[lane] += (int32_t)counts[lane];                                             \
            squares[lane] += count * count;                                                    \
            cross[lane] += count * whole;                                                      \
        }                                                                                      \
    }

/* As above for nodes whose squares fit 16 bits. */
#define TL_ADD_CLASS_SHORT(name, attributes)                                                   \
    attributes static void name(const uint8_t *counts, int n_lanes, int whole,                 \
                                uint16_t *n_left, uint16_t *squares, uint16_t *cross) {        \
        int lane;                                                                              \
        for (lane = 0; lane < n_lanes; lane++) {                                               \
            uint16_t count = counts[lane];                                                     \
            n_left[lane] = (uint16_t)(n_left[lane] + count);                                   \
            squares[lane] = (uint16_t)(squares[lane] + count * count);                         \
            cross[lane] = (uint16_t)(cross[lane] + count * (uint16_t)whole);                   \
        }                                                                                      \
    }

/* Flag the cuts that come close to the best of them and to a score, -1 stands for cuts that are
 * not feasible; for sums of three kinds of numbers. In loops of their own, so that no division
 * depends on a condition: they become vector code. */
#define TL_FLAG_BEST(real_t)                                                                   \
    for (lane = 0; lane < n_lanes; lane++) {                                                   \
        real_t left = (real_t)n_left[lane], right = n - left;                                  \
        real_t fewest = left < right ? left : right;                                           \
        score[lane] = fewest < min_leaf ? (real_t)-1 : score[lane];                            \
    }                                                                                          \
    for (k = 0; k < 16; k++) part[k] = 0;                                                      \
    for (lane = 0; lane < n_lanes; lane += 16)                                                 \
        for (k = 0; k < 16; k++)                                                               \
            part[k] = part[k] > score[lane + k] ? part[k] : score[lane + k];                   \
    for (k = 0; k < 16; k++) most = most > part[k] ? most : part[k];                           \
    most *= (real_t)(1.0 - TL_CLOSE);                                                          \
    least = least > most ? least : most;                                                       \
    for (lane = 0; lane < n_lanes; lane++)                                                     \
        flags[lane] = (uint8_t)((score[lane] >= least) & (score[lane] >= 0));
#define TL_FLAG(name, real_t, sum_t, count_t, attributes)                                      \
    attributes static void name(const count_t *n_left, const sum_t *squares,                   \
                                    const sum_t *cross, int n_lanes, real_t n, real_t all,     \
                                    real_t least, real_t min_leaf, uint8_t *flags) {           \
        real_t score[TL_MOST_BITS], part[16], most = 0;                                        \
        int lane, k;                                                                           \
        for (lane = 0; lane < n_lanes; lane++) {                                               \
            real_t left = (real_t)n_left[lane], right = n - left;                              \
            real_t square = (real_t)squares[lane];                                             \
            real_t other = all - 2 * (real_t)cross[lane] + square;                             \
            score[lane] = (square * right + other * left) / (left * right);                    \
        }                                                                                      \
        TL_FLAG_BEST(real_t)                                                                   \
    }

#define TL_FLAG_BINARY(name, real_t, attributes)                                               \
    attributes static void name(const int32_t *n_left, const int32_t *ones_left,               \
                                    int n_lanes, real_t n, real_t ones, real_t least,          \
                                    real_t min_leaf, uint8_t *flags) {                         \
        real_t score[TL_MOST_BITS], part[16], most = 0;                                        \
        int lane, k;                                                                           \
        for (lane = 0; lane < n_lanes; lane++) {                                               \
            real_t left = (real_t)n_left[lane], right = n - left;                              \
            real_t difference = (real_t)ones_left[lane] * n - left * ones;                     \
            score[lane] = difference * difference / (left * right);                            \
        }                                                                                      \
        TL_FLAG_BEST(real_t)                                                                   \
    }

#define TL_BITS_KERNELS(level, attributes)                                                     \
    TL_ADD_CLASS(tl_add_class_float_##level, float, uint8_t, attributes)                       \
    TL_ADD_CLASS(tl_add_class_double_##level, double, int32_t, attributes)                     \
    TL_ADD_CLASS_SHORT(tl_add_class_short_##level, attributes)                                 \
    TL_FLAG(tl_flag_short_##level, float, uint16_t, uint16_t, attributes)                      \
    TL_FLAG(tl_flag_float_##level, float, float, int32_t, attributes)                          \
    TL_FLAG(tl_flag_double_##level, double, double, int32_t, attributes)                       \
    TL_FLAG_BINARY(tl_flag_binary_float_##level, float, attributes)                            \
    TL_FLAG_BINARY(tl_flag_binary_double_##level, double, attributes)
TL_BITS_KERNELS(scalar, )
#if TL_HAS_X86
TL_BITS_KERNELS(avx2, TL_TARGET_AVX2)
#endif

/* Count one run of samples: counts[lane] of them go left at each cut. */
static void tl_count_run(int level, const TlBits *bits, const int32_t *samples, int32_t n,
                         uint8_t *bytes) {
    uint64_t planes[TL_LEVELS * 4];
    int n_levels = 0;
    while (n >> n_levels) n_levels++;
    if (bits->n_words == 1) {
        tl_count1(bits->rows, samples, n, planes);
    } else if (bits->n_words == 2) {
        tl_count2(bits->rows, samples, n, planes);
    } else {
        TL_CHOOSE(level, tl_count4_avx2(bits->rows, samples, n, planes),
                  tl_count4(bits->rows, samples, n, planes));
    }
    TL_CHOOSE(level, tl_planes_to_bytes_avx2(planes, bits->n_words, n_levels, bytes),
              tl_planes_to_bytes_scalar(planes, bits->n_words, n_levels, bytes));
}

/* The counts of every class, [class][TL_MOST_BITS]. */
static void tl_count_classes(int level, const TlBits *bits, const int32_t *samples,
                             const TlCounts *node, int32_t *counts) {
    uint8_t bytes[TL_MOST_BITS];
    const int n_lanes = 64 * bits->n_words;
    int32_t c, i, end = 0;
    int lane;
    for (c = 0, i = 0; c < node->n_classes; c++, counts += TL_MOST_BITS) {
        memset(counts, 0, (size_t)n_lanes * sizeof *counts);
        end += node->class_counts[c];
        while (i < end) {
            int32_t n = end - i < 255 ? end - i : 255;
            tl_count_run(level, bits, samples + i, n, bytes);
            for (lane = 0; lane < n_lanes; lane++) counts[lane] += bytes[lane];
            i += n;
        }
    }
}

static void tl_take_bit(const TlBits *bits, int lane, double score, TlCut *best) {
    tl_take(best, score, bits->feature[lane], lane, -1, 0, 0);
}

/* Every cut by the exact formula. counts: [class][TL_MOST_BITS]; scratch: 2 n_classes. */
static void tl_search_bits_plain(int level, const TlScoring *scoring, const TlBits *bits,
                                 const int32_t *samples, const TlCounts *node, int32_t *counts,
                                 int32_t *scratch, TlCut *best) {
    int lane, c;
    tl_count_classes(level, bits, samples, node, counts);
    for (lane = 0; lane < bits->n_bits; lane++) {
        int32_t n_left = 0;
        for (c = 0; c < node->n_classes; c++) {
            scratch[c] = counts[c * TL_MOST_BITS + lane];
            n_left += scratch[c];
        }
        if (n_left < node->min_leaf || node->n_samples - n_left < node->min_leaf) continue;
        tl_take_bit(bits, lane,
                    tl_cut_score(scoring, node, scratch, n_left, scratch + node->n_classes), best);
    }
}

/* Sums of squares of up to so many samples fit 16 bits. */
#define TL_SHORT_SQUARES 255

/* A kernel of the level. */
#define TL_BITS_CALL(name, ...)                                                                \
    {                                                                                          \
        TL_CHOOSE(level, name##_avx2(__VA_ARGS__), name##_scalar(__VA_ARGS__));                \
    }

/* Gini: cuts that may win are found in floats, and scored again exactly. */
static void tl_search_bits_gini(int level, const TlScoring *scoring, const TlBits *bits,
                                const int32_t *samples, const TlCounts *node, int32_t *counts,
                                TlCut *best) {
    const int n_lanes = 64 * bits->n_words, n_classes = node->n_classes;
    const double n = (double)node->n_samples, least = best->score * (1.0 - TL_CLOSE);
    const double min_leaf = (double)node->min_leaf;
    uint8_t flags[TL_MOST_BITS], bytes[TL_MOST_BITS];
    double all = 0.0;
    int32_t c, i = 0;
    int lane, part;
    unsigned hits;
    memset(flags, 0, sizeof flags);
    for (c = 0; c < n_classes; c++)
        all += (double)node->class_counts[c] * (double)node->class_counts[c];
#define TL_FOR_HITS(...)                                                                       \
    for (part = 0; part < bits->n_bits; part += 8) {                                           \
        for (hits = tl_pack_flags(flags + part); hits; hits &= hits - 1) {                     \
            lane = part + TL_LOWEST_BIT(hits);                                                 \
            if (lane < bits->n_bits) __VA_ARGS__                                               \
        }                                                                                      \
    }
    if (scoring->is_binary) {
        int32_t *n_left = counts, *ones_left = counts + TL_MOST_BITS;
        const double ones = (double)node->class_counts[1], zeros = n - ones;
        tl_count_classes(level, bits, samples, node, counts);
        for (lane = 0; lane < n_lanes; lane++) n_left[lane] += ones_left[lane];
        if (n <= TL_EXACT_FLOAT) {
            TL_BITS_CALL(tl_flag_binary_float, n_left, ones_left, n_lanes, (float)n, (float)ones,
                         (float)least, (float)min_leaf, flags)
        } else {
            TL_BITS_CALL(tl_flag_binary_double, n_left, ones_left, n_lanes, n, ones, least,
                         min_leaf, flags)
        }
        TL_FOR_HITS({
            double left = (double)n_left[lane], l1 = (double)ones_left[lane];
            double difference = l1 * zeros - (left - l1) * ones;
            tl_take_bit(bits, lane, difference * difference / (left * (n - left)), best);
        })
    } else if (node->n_samples <= TL_SHORT_SQUARES) {
        uint16_t n_left[TL_MOST_BITS], squares[TL_MOST_BITS], cross[TL_MOST_BITS];
        memset(n_left, 0, (size_t)n_lanes * 2);
        memset(squares, 0, (size_t)n_lanes * 2);
        memset(cross, 0, (size_t)n_lanes * 2);
        for (c = 0; c < n_classes; c++) {
            tl_count_run(level, bits, samples + i, node->class_counts[c], bytes);
            TL_BITS_CALL(tl_add_class_short, bytes, n_lanes, node->class_counts[c], n_left, squares,
                         cross)
            i += node->class_counts[c];
        }
        TL_BITS_CALL(tl_flag_short, n_left, squares, cross, n_lanes, (float)n, (float)all,
                     (float)least, (float)min_leaf, flags)
        TL_FOR_HITS({
            double left = (double)n_left[lane];
            double other = all - 2.0 * (double)cross[lane] + (double)squares[lane];
            tl_take_bit(bits, lane, (double)squares[lane] / left + other / (n - left), best);
        })
    } else if (node->n_samples <= TL_EXACT_FLOAT) {
        float squares[TL_MOST_BITS], cross[TL_MOST_BITS];
        int32_t n_left[TL_MOST_BITS];
        memset(n_left, 0, sizeof n_left);
        memset(squares, 0, sizeof squares);
        memset(cross, 0, sizeof cross);
        for (c = 0; c < n_classes; c++) {
            if (node->class_counts[c] <= 255) {
                tl_count_run(level, bits, samples + i, node->class_counts[c], bytes);
                TL_BITS_CALL(tl_add_class_float, bytes, n_lanes, (float)node->class_counts[c],
                             n_left, squares, cross)
            } else {
                TlCounts one = {node->class_counts[c], 1, node->class_counts + c, 1};
                tl_count_classes(level, bits, samples + i, &one, counts);
                for (lane = 0; lane < n_lanes; lane++) {
                    float count = (float)counts[lane];
                    n_left[lane] += counts[lane];
                    squares[lane] += count * count;
                    cross[lane] += count * (float)node->class_counts[c];
                }
            }
            i += node->class_counts[c];
        }
        TL_BITS_CALL(tl_flag_float, n_left, squares, cross, n_lanes, (float)n, (float)all,
                     (float)least, (float)min_leaf, flags)
        TL_FOR_HITS({
            double left = (double)n_left[lane];
            double other = all - 2.0 * (double)cross[lane] + (double)squares[lane];
            tl_take_bit(bits, lane, (double)squares[lane] / left + other / (n - left), best);
        })
    } else {
        double squares[TL_MOST_BITS], cross[TL_MOST_BITS];
        int32_t n_left[TL_MOST_BITS];
        memset(n_left, 0, sizeof n_left);
        memset(squares, 0, sizeof squares);
        memset(cross, 0, sizeof cross);
        for (c = 0; c < n_classes; c++) {
            TlCounts one = {node->class_counts[c], 1, node->class_counts + c, 1};
            tl_count_classes(level, bits, samples + i, &one, counts);
            TL_BITS_CALL(tl_add_class_double, counts, n_lanes, (double)node->class_counts[c],
                         n_left, squares, cross)
            i += node->class_counts[c];
        }
        TL_BITS_CALL(tl_flag_double, n_left, squares, cross, n_lanes, n, all, least, min_leaf,
                     flags)
        TL_FOR_HITS({
            double left = (double)n_left[lane];
            double other = all - 2.0 * cross[lane] + squares[lane];
            tl_take_bit(bits, lane, squares[lane] / left + other / (n - left), best);
        })
    }
#undef TL_FOR_HITS
}

/* The best cut among the bits; `code` of the cut is the number of the bit. */
static void tl_search_bits(int level, const TlScoring *scoring, const TlBits *bits,
                           const int32_t *samples, const TlCounts *node, int32_t *counts,
                           int32_t *scratch, TlCut *best) {
    if (scoring->formula == TL_GINI)
        tl_search_bits_gini(level, scoring, bits, samples, node, counts, best);
    else
        tl_search_bits_plain(level, scoring, bits, samples, node, counts, scratch, best);
}

#endif
