/* Lists of small nodes: 16-bit entries, local sample numbers.
 *
 * An entry is  sample << 6 | class << 1 | start.  Samples are numbered within a subtree of at most
 * TL_NARROW_SAMPLES, classes among those present at its root, at most 32; the start bit says that
 * the value differs from the one before it.  Scans screen candidates in single
 * precision, in which all counts here are exact, and score what is left with the one exact
 * formula: every instruction set gives the same bits.
 *
 * Lists may be read, never written, up to TL_NARROW_SLACK entries past their end.
 */
#ifndef TREELEARN_NARROW_H
#define TREELEARN_NARROW_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bits.h"
#include "block.h"
#include "lanes.h"
#include "simd.h"

enum {
    TL_NARROW_SAMPLES = 1024,
    TL_NARROW_CLASSES = 32,
    TL_NARROW_SLACK = 32,
    TL_NARROW_SHIFT = 6,
    TL_NARROW_CLASS = 0x3e
};

/* Candidates whose score is this share below the best are still scored exactly: single precision
 * errs by less. */
#define TL_SCREEN (1.0 - 1e-6)

/* What a scan of two classes or of several knows of its node. */
typedef struct {
    int n_samples;
    int n_classes;             /* present in the node */
    int lowest, highest;       /* feasible numbers of samples on the left */
    uint16_t code[TL_NARROW_CLASSES];  /* of a present class: class << 1 */
    float count[TL_NARROW_CLASSES];    /* its samples */
    float square_sum;          /* of the counts */
} tl_narrow_node;

static inline int tl_narrow_goes_left(const uint8_t *bits, uint16_t entry) {
    int sample = entry >> TL_NARROW_SHIFT;
    return (bits[sample >> 3] >> (sample & 7)) & 1;
}

/* Stable partition.  An entry starts a new value in its child if any entry since the last one
 * kept there did.  A side that is NULL is not written. */
static void tl_partition_narrow_scalar(const uint8_t *bits, const uint16_t *source, int n,
                                       uint16_t *left, uint16_t *right) {
    uint16_t spare, carry_left = 0, carry_right = 0;
    int step_left = left != NULL, step_right = right != NULL, i;
    if (!step_left) left = &spare;
    if (!step_right) right = &spare;
    for (i = 0; i < n; i++) {
        uint16_t entry = source[i], start = entry & 1;
        int go = tl_narrow_goes_left(bits, entry);
        /* Chosen by bits: a compiler would make a branch of it, which cannot be foretold. */
        uintptr_t to_left = (uintptr_t)left, to_right = (uintptr_t)right;
        uint16_t goes = (uint16_t)-go;
        uint16_t *to = (uint16_t *)(to_right ^ ((to_left ^ to_right) & (uintptr_t)-(intptr_t)go));
        carry_left |= start;
        carry_right |= start;
        *to = (uint16_t)((entry & 0xfffe) | (carry_left & goes) | (carry_right & ~goes));
        carry_left &= (uint16_t)~goes;
        carry_right &= goes;
        left += step_left & go;
        right += step_right & ~go;
    }
}

#if TL_HAS_X86
/* Per mask of eight lanes: the shuffle that brings its lanes to the front. */
static uint8_t tl_compress_16[256][16];

static void tl_fill_compress_16(void) {
    int mask, lane, at;
    for (mask = 0; mask < 256; mask++) {
        at = 0;
        memset(tl_compress_16[mask], 0x80, 16);
        for (lane = 0; lane < 8; lane++) {
            if (mask >> lane & 1) {
                tl_compress_16[mask][2 * at] = (uint8_t)(2 * lane);
                tl_compress_16[mask][2 * at + 1] = (uint8_t)(2 * lane + 1);
                at++;
            }
        }
    }
}

/* The lowest bit of each of 32 lanes, in order. */
TL_TARGET_AVX2 static inline uint32_t tl_low_bits(__m256i first, __m256i second) {
    __m256i packed = _mm256_packs_epi16(_mm256_slli_epi16(first, 15), _mm256_slli_epi16(second, 15));
    return (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(packed, 0xd8));
}

TL_TARGET_AVX2 static inline void tl_store_side(uint16_t *side, int *n, int end, __m128i lanes,
                                                uint32_t mask) {
    __m128i front = _mm_shuffle_epi8(lanes, _mm_loadu_si128((const __m128i *)tl_compress_16[mask]));
    int count = __builtin_popcount(mask);
    if (*n + 8 <= end) {
        _mm_storeu_si128((__m128i *)(side + *n), front);
    } else {
        uint16_t last[8];
        int k;
        _mm_storeu_si128((__m128i *)last, front);
        for (k = 0; k < count; k++) side[*n + k] = last[k];
    }
    *n += count;
}

TL_TARGET_AVX2 static void tl_partition_narrow_avx2(const uint8_t *bits, int n_chunks,
                                                    const uint16_t *source, int n, uint16_t *left,
                                                    int n_left_total, uint16_t *right) {
    const __m256i low7 = _mm256_set1_epi16(7), sixteen = _mm256_set1_epi8(16);
    const __m256i reach = _mm256_set1_epi8(0x70);
    const __m256i bit_of = _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1,
                                            2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i lane_bit = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048,
                                               4096, 8192, 16384, -32768);
    const __m256i one = _mm256_set1_epi16(1);
    uint64_t pending_left = 0, pending_right = 0;
    int n_left = 0, n_right = 0, i, k, n_right_total = n - n_left_total;
    for (i = 0; i < n; i += 32) {
        uint64_t valid = n - i >= 32 ? 0xffffffffu : (1u << (n - i)) - 1;
        __m256i first = _mm256_loadu_si256((const __m256i *)(source + i));
        __m256i second = _mm256_loadu_si256((const __m256i *)(source + i + 16));
        __m256i byte = _mm256_permute4x64_epi64(
            _mm256_packus_epi16(_mm256_srli_epi16(first, 9), _mm256_srli_epi16(second, 9)), 0xd8);
        __m256i bit = _mm256_permute4x64_epi64(
            _mm256_packus_epi16(_mm256_and_si256(_mm256_srli_epi16(first, 6), low7),
                                _mm256_and_si256(_mm256_srli_epi16(second, 6), low7)),
            0xd8);
        __m256i found = _mm256_setzero_si256();
        uint64_t go, starts, on_left, on_right, off_left, off_right, sum_left, sum_right, kept;
        bit = _mm256_shuffle_epi8(bit_of, bit);
        for (k = 0; k < n_chunks; k++) {
            __m256i chunk =
                _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(bits + 16 * k)));
            found = _mm256_or_si256(found,
                                    _mm256_shuffle_epi8(chunk, _mm256_adds_epu8(byte, reach)));
            byte = _mm256_sub_epi8(byte, sixteen);
        }
        go = (uint32_t)_mm256_movemask_epi8(
            _mm256_cmpeq_epi8(_mm256_and_si256(found, bit), bit));
        starts = tl_low_bits(first, second);
        /* The start bits of entries that went the other way ride on a carry to the next entry
         * kept: adding ones wherever an entry is not kept lets it run through. */
        on_left = go & valid;
        on_right = ~go & valid;
        off_left = ~on_left & 0xffffffffu;
        off_right = ~on_right & 0xffffffffu;
        sum_left = (starts & off_left) + off_left + pending_left;
        sum_right = (starts & off_right) + off_right + pending_right;
        pending_left = sum_left >> 32;
        pending_right = sum_right >> 32;
        kept = (starts | (sum_left & on_left) | (sum_right & on_right)) & valid;
        if (kept != (starts & valid)) {
            __m256i low = _mm256_set1_epi16((short)kept), high = _mm256_set1_epi16((short)(kept >> 16));
            low = _mm256_cmpeq_epi16(_mm256_and_si256(low, lane_bit), lane_bit);
            high = _mm256_cmpeq_epi16(_mm256_and_si256(high, lane_bit), lane_bit);
            first = _mm256_or_si256(first, _mm256_and_si256(low, one));
            second = _mm256_or_si256(second, _mm256_and_si256(high, one));
        }
        for (k = 0; k < 4 && i + 8 * k < n; k++) {
            __m128i lanes = k == 0   ? _mm256_castsi256_si128(first)
                            : k == 1 ? _mm256_extracti128_si256(first, 1)
                            : k == 2 ? _mm256_castsi256_si128(second)
                                     : _mm256_extracti128_si256(second, 1);
            if (left != NULL)
                tl_store_side(left, &n_left, n_left_total, lanes, (on_left >> 8 * k) & 0xff);
            if (right != NULL)
                tl_store_side(right, &n_right, n_right_total, lanes, (on_right >> 8 * k) & 0xff);
        }
    }
}
#else
static void tl_fill_compress_16(void) {}
#endif

/* Partition one list.  n_chunks: 128 samples each, as many as the subtree has. */
static inline void tl_partition_narrow(int simd, const uint8_t *bits, int n_chunks,
                                       const uint16_t *source, int n, uint16_t *left,
                                       int n_left_total, uint16_t *right) {
#if TL_HAS_X86
    if (simd >= TL_AVX2 && n > 4) {
        tl_partition_narrow_avx2(bits, n_chunks, source, n, left, n_left_total, right);
        return;
    }
#endif
    tl_partition_narrow_scalar(bits, source, n, left, right);
}

/* Whether a list has more than one value. */
static inline int tl_narrow_varies(const uint16_t *entries, int n) {
    int i, starts = 0;
    for (i = 1; i < n; i++) starts |= entries[i];
    return starts & 1;
}

/* Best cut of two classes of unit weight by Gini.  Passes entries[begin:end] from right to left;
 * n_left samples, ones_left of them of class 1, stand left of entries[begin].  Keeps the first of
 * the best scores above *best and writes the index of the entry behind the cut. */
static void tl_scan_binary_scalar(const uint16_t *entries, int begin, int end, int n_left,
                                  int ones_left, const tl_narrow_node *node, double *best,
                                  int32_t *best_at) {
    double ones = node->count[1], n = node->n_samples;
    uint16_t one = node->code[1];
    int i;
    for (i = begin; i < end; i++, n_left++) {
        if (entries[i] & 1 && n_left >= node->lowest && n_left <= node->highest) {
            double score = tl_binary_score(ones_left, n_left, ones, n);
            if (score > *best) {
                *best = score;
                *best_at = i;
            }
        }
        ones_left += (entries[i] & TL_NARROW_CLASS) == one;
    }
}

/* The same 16 entries at a time; read beyond the end. */
static void tl_scan_binary_lanes(const uint16_t *entries, int begin, int end, int n_left,
                                 int ones_left, const tl_narrow_node *node, double *best,
                                 int32_t *best_at) {
    const float n = (float)node->n_samples, ones = node->count[1];
    const uint16_t one = node->code[1];
    int i, k;
    for (i = begin; i < end; i += 16, n_left += 16) {
        const uint16_t *here = entries + i;
        const float bar = (float)(*best * (*best > 0.0 ? TL_SCREEN : 1.0)), first = (float)n_left;
        uint16_t is_one[16];
        int16_t sums[16];
        uint8_t flags[16], starts[16];
        unsigned hits;
        TL_LANES
        for (k = 0; k < 16; k++) is_one[k] = (here[k] & TL_NARROW_CLASS) == one;
        TL_LANES
        for (k = 0; k < 16; k++) starts[k] = here[k] & 1;
        ones_left = tl_sum_up(is_one, (int16_t)ones_left, sums);
        TL_LANES
        for (k = 0; k < 16; k++) {
            float left = first + (float)k, before = (float)(int16_t)(sums[k] - is_one[k]);
            float difference = before * n - left * ones;
            flags[k] = difference * difference >= left * (n - left) * bar;
        }
        hits = tl_pack_lanes(flags) & tl_pack_lanes(starts);
        if (end - i < 16) hits &= (1u << (end - i)) - 1;
        for (; hits; hits &= hits - 1) {
            double score;
            k = TL_LOWEST_BIT(hits);
            if (n_left + k < node->lowest || n_left + k > node->highest) continue;
            score = tl_binary_score(sums[k] - is_one[k], n_left + k, node->count[1],
                                    node->n_samples);
            if (score > *best) {
                *best = score;
                *best_at = i + k;
            }
        }
    }
}

#if TL_HAS_X86
/* Running sums over 16 lanes. */
TL_TARGET_AVX2 static inline __m256i tl_prefix_sums(__m256i x) {
    const __m256i last_word = _mm256_set1_epi16(0x0f0e);
    x = _mm256_add_epi16(x, _mm256_slli_si256(x, 2));
    x = _mm256_add_epi16(x, _mm256_slli_si256(x, 4));
    x = _mm256_add_epi16(x, _mm256_slli_si256(x, 8));
    return _mm256_add_epi16(
        x, _mm256_shuffle_epi8(_mm256_permute2x128_si256(x, x, 0x08), last_word));
}

/* The candidates among 16 entries: a start bit, and a feasible number of samples on the left. */
TL_TARGET_AVX2 static inline uint32_t tl_narrow_candidates(__m256i entries, int n_entries,
                                                           int n_left, int lowest, int highest) {
    __m256i starts = _mm256_slli_epi16(entries, 15);
    uint32_t mask = (uint32_t)_mm_movemask_epi8(
        _mm_packs_epi16(_mm256_castsi256_si128(starts), _mm256_extracti128_si256(starts, 1)));
    if (n_entries < 16) mask &= (1u << n_entries) - 1;
    if (n_left < lowest) mask &= lowest - n_left >= 16 ? 0u : 0xffffu << (lowest - n_left);
    if (n_left + 15 > highest)
        mask &= highest < n_left ? 0u : (2u << (highest - n_left)) - 1;
    return mask;
}

TL_TARGET_AVX2 static inline __m256 tl_to_floats(__m256i words, int high) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(
        high ? _mm256_extracti128_si256(words, 1) : _mm256_castsi256_si128(words)));
}

TL_TARGET_AVX2 static void tl_scan_binary_avx2(const uint16_t *entries, int begin, int end,
                                               int n_left, int ones_left,
                                               const tl_narrow_node *node, double *best,
                                               int32_t *best_at) {
    const __m256i class_bits = _mm256_set1_epi16(TL_NARROW_CLASS);
    const __m256i one = _mm256_set1_epi16((short)node->code[1]);
    const __m256 n = _mm256_set1_ps((float)node->n_samples);
    const __m256 ones = _mm256_set1_ps(node->count[1]);
    const __m256 steps = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7), eight = _mm256_set1_ps(8.0f);
    __m256 bar = _mm256_set1_ps((float)(*best * (*best > 0.0 ? TL_SCREEN : 1.0)));
    int i;
    for (i = begin; i < end; i += 16, n_left += 16) {
        __m256i lanes = _mm256_loadu_si256((const __m256i *)(entries + i));
        __m256i is_one = _mm256_cmpeq_epi16(_mm256_and_si256(lanes, class_bits), one);
        __m256i sums = tl_prefix_sums(_mm256_sub_epi16(_mm256_setzero_si256(), is_one));
        uint32_t candidates =
            tl_narrow_candidates(lanes, end - i, n_left, node->lowest, node->highest);
        if (candidates) {
            __m256i before = _mm256_add_epi16(_mm256_add_epi16(sums, is_one),
                                              _mm256_set1_epi16((short)ones_left));
            __m256 left_0 = _mm256_add_ps(_mm256_set1_ps((float)n_left), steps);
            __m256 left_1 = _mm256_add_ps(left_0, eight);
            __m256 a_0 = tl_to_floats(before, 0), a_1 = tl_to_floats(before, 1);
            __m256 d_0 = _mm256_sub_ps(_mm256_mul_ps(a_0, n), _mm256_mul_ps(left_0, ones));
            __m256 d_1 = _mm256_sub_ps(_mm256_mul_ps(a_1, n), _mm256_mul_ps(left_1, ones));
            __m256 q_0 = _mm256_mul_ps(left_0, _mm256_sub_ps(n, left_0));
            __m256 q_1 = _mm256_mul_ps(left_1, _mm256_sub_ps(n, left_1));
            uint32_t hits =
                (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(
                    _mm256_mul_ps(d_0, d_0), _mm256_mul_ps(q_0, bar), _CMP_GE_OQ)) |
                (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(
                    _mm256_mul_ps(d_1, d_1), _mm256_mul_ps(q_1, bar), _CMP_GE_OQ))
                    << 8;
            hits &= candidates;
            if (hits) {
                uint16_t counts[16];
                _mm256_storeu_si256((__m256i *)counts, before);
                do {
                    int k = __builtin_ctz(hits);
                    double score = tl_binary_score(counts[k], n_left + k, node->count[1],
                                                   node->n_samples);
                    hits &= hits - 1;
                    if (score > *best) {
                        *best = score;
                        *best_at = i + k;
                    }
                } while (hits);
                bar = _mm256_set1_ps((float)(*best * (*best > 0.0 ? TL_SCREEN : 1.0)));
            }
        }
        ones_left += _mm256_extract_epi16(sums, 15);
    }
}
#endif

static inline void tl_scan_binary_narrow(int simd, const uint16_t *entries, int begin, int end,
                                         int n_left, int ones_left, const tl_narrow_node *node,
                                         double *best, int32_t *best_at) {
#if TL_HAS_X86
    if (simd >= TL_AVX2 && end - begin > 3) {
        tl_scan_binary_avx2(entries, begin, end, n_left, ones_left, node, best, best_at);
        return;
    }
#endif
    if (end - begin > 3)
        tl_scan_binary_lanes(entries, begin, end, n_left, ones_left, node, best, best_at);
    else
        tl_scan_binary_scalar(entries, begin, end, n_left, ones_left, node, best, best_at);
}

/* Best cut of several classes of unit weight by Gini; left: the counts by class of what stands left
 * of entries[begin]. */
#if TL_HAS_X86
TL_TARGET_AVX2 static void tl_scan_classes_avx2(const uint16_t *entries, int begin, int end,
                                                int n_left, const int64_t *left,
                                                const tl_narrow_node *node, double *best,
                                                int32_t *best_at) {
    const __m256i class_bits = _mm256_set1_epi16(TL_NARROW_CLASS);
    const __m256 n = _mm256_set1_ps((float)node->n_samples);
    const __m256 square_sum = _mm256_set1_ps(node->square_sum);
    const __m256 steps = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7), eight = _mm256_set1_ps(8.0f);
    __m256 bar = _mm256_set1_ps((float)(*best * TL_SCREEN));
    uint16_t base[TL_NARROW_CLASSES];
    int i, c, n_classes = node->n_classes;
    for (c = 0; c < n_classes; c++) base[c] = (uint16_t)left[node->code[c] >> 1];
    for (i = begin; i < end; i += 16, n_left += 16) {
        __m256i lanes = _mm256_loadu_si256((const __m256i *)(entries + i));
        __m256i codes = _mm256_and_si256(lanes, class_bits);
        __m256 sum_0 = _mm256_setzero_ps(), sum_1 = sum_0, mixed_0 = sum_0, mixed_1 = sum_0;
        uint32_t candidates =
            tl_narrow_candidates(lanes, end - i, n_left, node->lowest, node->highest);
        for (c = 0; c < n_classes; c++) {
            __m256i is_class =
                _mm256_cmpeq_epi16(codes, _mm256_set1_epi16((short)node->code[c]));
            __m256i sums = tl_prefix_sums(_mm256_sub_epi16(_mm256_setzero_si256(), is_class));
            if (candidates) {
                __m256i before = _mm256_add_epi16(_mm256_add_epi16(sums, is_class),
                                                  _mm256_set1_epi16((short)base[c]));
                __m256 count = _mm256_set1_ps(node->count[c]);
                __m256 a_0 = tl_to_floats(before, 0), a_1 = tl_to_floats(before, 1);
                sum_0 = _mm256_add_ps(sum_0, _mm256_mul_ps(a_0, a_0));
                sum_1 = _mm256_add_ps(sum_1, _mm256_mul_ps(a_1, a_1));
                mixed_0 = _mm256_add_ps(mixed_0, _mm256_mul_ps(a_0, count));
                mixed_1 = _mm256_add_ps(mixed_1, _mm256_mul_ps(a_1, count));
            }
            base[c] = (uint16_t)(base[c] + _mm256_extract_epi16(sums, 15));
        }
        if (candidates) {
            __m256 left_0 = _mm256_add_ps(_mm256_set1_ps((float)n_left), steps);
            __m256 left_1 = _mm256_add_ps(left_0, eight);
            __m256 rest_0 = _mm256_sub_ps(n, left_0), rest_1 = _mm256_sub_ps(n, left_1);
            __m256 right_0 = _mm256_add_ps(
                _mm256_sub_ps(square_sum, _mm256_add_ps(mixed_0, mixed_0)), sum_0);
            __m256 right_1 = _mm256_add_ps(
                _mm256_sub_ps(square_sum, _mm256_add_ps(mixed_1, mixed_1)), sum_1);
            __m256 scaled_0 =
                _mm256_add_ps(_mm256_mul_ps(sum_0, rest_0), _mm256_mul_ps(right_0, left_0));
            __m256 scaled_1 =
                _mm256_add_ps(_mm256_mul_ps(sum_1, rest_1), _mm256_mul_ps(right_1, left_1));
            uint32_t hits =
                (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(
                    scaled_0, _mm256_mul_ps(_mm256_mul_ps(left_0, rest_0), bar), _CMP_GE_OQ)) |
                (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(
                    scaled_1, _mm256_mul_ps(_mm256_mul_ps(left_1, rest_1), bar), _CMP_GE_OQ))
                    << 8;
            hits &= candidates;
            if (hits) {
                float sums[16], rights[16];
                _mm256_storeu_ps(sums, sum_0);
                _mm256_storeu_ps(sums + 8, sum_1);
                _mm256_storeu_ps(rights, right_0);
                _mm256_storeu_ps(rights + 8, right_1);
                do {
                    int k = __builtin_ctz(hits);
                    double score =
                        tl_sums_score(sums[k], rights[k], n_left + k, node->n_samples);
                    hits &= hits - 1;
                    if (score > *best) {
                        *best = score;
                        *best_at = i + k;
                    }
                } while (hits);
                bar = _mm256_set1_ps((float)(*best * TL_SCREEN));
            }
        }
    }
}
#endif

/* Above this many classes the plain loop of runs.h wins: it costs the same for any number. */
enum { TL_VECTOR_CLASSES = 10 };

/* The same where vector code serves; returns whether it did. */
static inline int tl_scan_classes_narrow(int simd, const uint16_t *entries, int begin, int end,
                                         int n_left, const int64_t *left,
                                         const tl_narrow_node *node, double *best,
                                         int32_t *best_at) {
#if TL_HAS_X86
    if (simd >= TL_AVX2 && end - begin > 3 && node->n_classes <= TL_VECTOR_CLASSES) {
        tl_scan_classes_avx2(entries, begin, end, n_left, left, node, best, best_at);
        return 1;
    }
#endif
    return 0;
}

#endif
