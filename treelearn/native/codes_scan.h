/* The best cut of one column of codes in one node, from its histogram of classes.
 *
 * A histogram has a row of counts for every class that is present in the node; the scan leaves it
 * empty. Vector code looks for cuts that may win, in float32 in small nodes and in float64 in
 * large ones; what comes within CLOSE of the best score so far is scored again by the formula of
 * block.h, in the order of the codes. The plain scan scores every cut by it: same cut, same bits.
 */
#ifndef TREELEARN_CODES_SCAN_H
#define TREELEARN_CODES_SCAN_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "codes_partition.h"
#include "codes_types.h"
#include "impurity.h"
#include "simd.h"

/* Filters are off by less than this share of a score. */
#define TL_CLOSE 1e-6
/* Up to this many samples, sums of squared counts are exact in float32. */
#define TL_EXACT_FLOAT 4096
/* Codes of a row of the histogram come in blocks. */
#define TL_CODE_BLOCK 8

/* The one rule for ties, see _splitter.pyx; cuts of one feature are offered in order. */
static inline int tl_is_better(const TlCut *best, double score, int32_t feature) {
    return score > best->score || (score == best->score && feature < best->feature);
}

static inline void tl_take(TlCut *best, double score, int32_t feature, int32_t code,
                           int32_t next_code, int32_t missing_goes_left, int32_t has_missing) {
    if (score > -INFINITY && tl_is_better(best, score, feature)) {
        best->score = score;
        best->feature = feature;
        best->code = code;
        best->next_code = next_code;
        best->missing_goes_left = missing_goes_left;
        best->has_missing = has_missing;
    }
}

/* Sum of terms along a binary tree over the classes; `sums` holds 2 * n_leaves numbers. */
static double tl_tree_sum(const double *terms, const int32_t *counts, int n_classes) {
    double sums[64];
    int n = n_classes, c;
    if (n_classes > 64) {
        /* Halves of the smallest full tree: what it lacks is 0. */
        int half = 64;
        double left;
        while (2 * half < n_classes) half *= 2;
        left = tl_tree_sum(terms, counts, half);
        return left + tl_tree_sum(terms, counts + half, n_classes - half);
    }
    for (c = 0; c < n; c++) sums[c] = terms[counts[c]];
    while (n > 1) {
        if (n & 1) sums[n++] = 0.0;
        n /= 2;
        for (c = 0; c < n; c++) sums[c] = sums[2 * c] + sums[2 * c + 1];
    }
    return sums[0];
}

/* The score of a cut from the class counts of its left side; `right` is scratch. */
static double tl_cut_score(const TlScoring *scoring, const TlCounts *node, const int32_t *left,
                           int32_t n_left, int32_t *right) {
    double weight_left = (double)n_left, weight_right = (double)(node->n_samples - n_left);
    int c;
    if (scoring->formula == TL_GINI && scoring->is_binary) {
        double ones = (double)node->class_counts[1], zeros = (double)node->class_counts[0];
        double ones_left = (double)left[1];
        double difference = ones_left * zeros - (weight_left - ones_left) * ones;
        return difference * difference / (weight_left * weight_right);
    }
    if (scoring->formula == TL_GINI) {
        int64_t sum_left = 0, sum_right = 0;
        for (c = 0; c < node->n_classes; c++) {
            int64_t rest = node->class_counts[c] - left[c];
            sum_left += (int64_t)left[c] * left[c];
            sum_right += rest * rest;
        }
        return (double)sum_left / weight_left + (double)sum_right / weight_right;
    }
    for (c = 0; c < node->n_classes; c++) right[c] = node->class_counts[c] - left[c];
    return tl_sum_score(scoring->formula, scoring->order,
                        tl_tree_sum(scoring->count_terms, left, node->n_classes), weight_left,
                        scoring->weight_terms[n_left]) +
           tl_sum_score(scoring->formula, scoring->order,
                        tl_tree_sum(scoring->count_terms, right, node->n_classes), weight_right,
                        scoring->weight_terms[node->n_samples - n_left]);
}

/* What a scan learns of a column beside its best cut. */
typedef struct {
    int32_t n_present;    /* codes present in the node, the missing one among them */
    int32_t default_code; /* a code that covers a sixth of the node or more, -1: none */
    int32_t n_missing;
    uint8_t *present; /* a bit for every code */
} TlColumnScan;

static int tl_is_present(const TlColumnScan *scan, int32_t code) {
    return (scan->present[code >> 3] >> (code & 7)) & 1;
}

/* The next present code after one, -1 where there is none. */
static int32_t tl_next_present(const TlColumnScan *scan, int32_t code, int32_t n_codes) {
    for (code++; code < n_codes; code++)
        if (tl_is_present(scan, code)) return code;
    return -1;
}

/* Every cut in order, by the exact formula; the one scan that knows missing values, and the twin
 * of those below. scratch: 3 n_classes. */
static void tl_scan_plain(const TlScoring *scoring, const TlCounts *node, uint32_t *histogram,
                          int32_t stride, int32_t n_codes, int has_missing, int32_t feature,
                          int32_t *scratch, TlColumnScan *scan, TlCut *best) {
    const int n_classes = node->n_classes;
    int32_t *left = scratch, *with_missing = scratch + n_classes, *right = scratch + 2 * n_classes;
    int32_t missing_code = has_missing ? n_codes - 1 : -1;
    int32_t code, n_left = 0, most = node->n_samples / 6;
    int c, side;
    memset(left, 0, (size_t)n_classes * sizeof *left);
    memset(scan->present, 0, (size_t)(stride / 8));
    scan->n_missing = 0;
    scan->n_present = 0;
    scan->default_code = -1;
    if (has_missing)
        for (c = 0; c < n_classes; c++)
            scan->n_missing += (int32_t)histogram[(size_t)c * stride + missing_code];
    for (code = 0; code < n_codes; code++) {
        int32_t n_here = 0;
        for (c = 0; c < n_classes; c++) n_here += (int32_t)histogram[(size_t)c * stride + code];
        if (n_here == 0) continue;
        scan->present[code >> 3] |= (uint8_t)(1 << (code & 7));
        scan->n_present++;
        if (n_here > most) {
            most = n_here;
            scan->default_code = code;
        }
        if (code == missing_code) break;
        n_left += n_here;
        for (c = 0; c < n_classes; c++) left[c] += (int32_t)histogram[(size_t)c * stride + code];
        for (side = 0; side < (scan->n_missing > 0 ? 2 : 1); side++) {
            int32_t n = n_left + (side ? scan->n_missing : 0);
            const int32_t *counts = left;
            double score;
            if (n < node->min_leaf || node->n_samples - n < node->min_leaf) continue;
            if (side) {
                for (c = 0; c < n_classes; c++)
                    with_missing[c] =
                        left[c] + (int32_t)histogram[(size_t)c * stride + missing_code];
                counts = with_missing;
            }
            score = tl_cut_score(scoring, node, counts, n, right);
            tl_take(best, score, feature, code, -1, side, scan->n_missing > 0);
        }
    }
    for (c = 0; c < n_classes; c++)
        memset(histogram + (size_t)c * stride, 0, (size_t)n_codes * sizeof *histogram);
}

#if TL_HAS_X86

/* Sums of 8 numbers from the lowest lane up. */
TL_TARGET_AVX2 static inline __m256i tl_prefix_sums(__m256i x) {
    __m256i low;
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 4));
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 8));
    low = _mm256_permutevar8x32_epi32(x, _mm256_set1_epi32(3));
    return _mm256_add_epi32(x, _mm256_blend_epi32(_mm256_setzero_si256(), low, 0xF0));
}

TL_TARGET_AVX2 static inline int tl_note_present(__m256i totals, int32_t block, int32_t *most,
                                                 TlColumnScan *scan) {
    const __m256i zero = _mm256_setzero_si256();
    int here = 255 & ~_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(totals, zero)));
    int larger = _mm256_movemask_ps(
        _mm256_castsi256_ps(_mm256_cmpgt_epi32(totals, _mm256_set1_epi32(*most))));
    scan->present[block] = (uint8_t)here;
    scan->n_present += TL_POPCOUNT((unsigned)here);
    if (larger) {
        int32_t count[8];
        int j;
        _mm256_storeu_si256((__m256i *)count, totals);
        for (j = 0; j < 8; j++) {
            if (count[j] > *most) {
                *most = count[j];
                scan->default_code = TL_CODE_BLOCK * block + j;
            }
        }
    }
    return here;
}

TL_TARGET_AVX2 static inline int tl_feasible(__m256i n_left, const TlCounts *node) {
    __m256i enough = _mm256_and_si256(
        _mm256_cmpgt_epi32(n_left, _mm256_set1_epi32(node->min_leaf - 1)),
        _mm256_cmpgt_epi32(_mm256_set1_epi32(node->n_samples - node->min_leaf + 1), n_left));
    return _mm256_movemask_ps(_mm256_castsi256_ps(enough));
}

/* Gini, two classes in the table. */
TL_TARGET_AVX2 static void tl_scan_binary_avx2(const TlCounts *node, uint32_t *histogram,
                                               int32_t stride, int32_t feature,
                                               TlColumnScan *scan, TlCut *best) {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i last = _mm256_set1_epi32(7);
    const int is_small = node->n_samples <= TL_EXACT_FLOAT;
    const float n = (float)node->n_samples;
    const double ones = (double)node->class_counts[1], zeros = (double)node->class_counts[0];
    __m256i before_zeros = zero, before_ones = zero;
    int32_t block, most = node->n_samples / 6;
    for (block = 0; block < stride / TL_CODE_BLOCK; block++) {
        __m256i *zeros_here = (__m256i *)(histogram + TL_CODE_BLOCK * block);
        __m256i *ones_here = (__m256i *)(histogram + stride + TL_CODE_BLOCK * block);
        __m256i count_zeros = _mm256_loadu_si256(zeros_here);
        __m256i count_ones = _mm256_loadu_si256(ones_here), n_left;
        int hits = tl_note_present(_mm256_add_epi32(count_zeros, count_ones), block, &most, scan);
        if (!hits) continue;
        _mm256_storeu_si256(zeros_here, zero);
        _mm256_storeu_si256(ones_here, zero);
        count_zeros = _mm256_add_epi32(tl_prefix_sums(count_zeros), before_zeros);
        count_ones = _mm256_add_epi32(tl_prefix_sums(count_ones), before_ones);
        before_zeros = _mm256_permutevar8x32_epi32(count_zeros, last);
        before_ones = _mm256_permutevar8x32_epi32(count_ones, last);
        n_left = _mm256_add_epi32(count_zeros, count_ones);
        hits &= tl_feasible(n_left, node);
        if (is_small) {
            /* D = l1 n0 - l0 n1 in whole numbers below 2^24. */
            __m256 difference = _mm256_cvtepi32_ps(_mm256_sub_epi32(
                _mm256_mullo_epi32(count_ones, _mm256_set1_epi32(node->class_counts[0])),
                _mm256_mullo_epi32(count_zeros, _mm256_set1_epi32(node->class_counts[1]))));
            __m256 left = _mm256_cvtepi32_ps(n_left);
            __m256 area = _mm256_mul_ps(left, _mm256_sub_ps(_mm256_set1_ps(n), left));
            __m256 least = _mm256_mul_ps(
                area, _mm256_set1_ps((float)(best->score * (1.0 - TL_CLOSE))));
            hits &= _mm256_movemask_ps(
                _mm256_cmp_ps(_mm256_mul_ps(difference, difference), least, _CMP_GE_OQ));
        } else {
            int half, filter = 0;
            for (half = 0; half < 2; half++) {
                __m128i l0 = half ? _mm256_extracti128_si256(count_zeros, 1)
                                  : _mm256_castsi256_si128(count_zeros);
                __m128i l1 = half ? _mm256_extracti128_si256(count_ones, 1)
                                  : _mm256_castsi256_si128(count_ones);
                __m256d zeros_left = _mm256_cvtepi32_pd(l0), ones_left = _mm256_cvtepi32_pd(l1);
                __m256d left = _mm256_add_pd(zeros_left, ones_left);
                __m256d area =
                    _mm256_mul_pd(left, _mm256_sub_pd(_mm256_set1_pd(zeros + ones), left));
                __m256d difference =
                    _mm256_sub_pd(_mm256_mul_pd(ones_left, _mm256_set1_pd(zeros)),
                                  _mm256_mul_pd(zeros_left, _mm256_set1_pd(ones)));
                __m256d least =
                    _mm256_mul_pd(area, _mm256_set1_pd(best->score * (1.0 - TL_CLOSE)));
                filter |= _mm256_movemask_pd(_mm256_cmp_pd(
                              _mm256_mul_pd(difference, difference), least, _CMP_GE_OQ))
                          << (4 * half);
            }
            hits &= filter;
        }
        if (hits) {
            int32_t left0[8], left1[8];
            _mm256_storeu_si256((__m256i *)left0, count_zeros);
            _mm256_storeu_si256((__m256i *)left1, count_ones);
            for (; hits; hits &= hits - 1) {
                int j = TL_LOWEST_BIT((unsigned)hits);
                double zeros_left = (double)left0[j], ones_left = (double)left1[j];
                double left = zeros_left + ones_left, right = zeros + ones - left;
                double difference = ones_left * zeros - zeros_left * ones;
                tl_take(best, difference * difference / (left * right), feature,
                        TL_CODE_BLOCK * block + j, -1, 0, 0);
            }
        }
    }
}

/* Gini from the sums of squares of both sides, of whole numbers. `before`: 8 n_classes. */
TL_TARGET_AVX2 static void tl_scan_squares_avx2(const TlCounts *node, uint32_t *histogram,
                                                int32_t stride, int32_t feature,
                                                __m256i *before, TlColumnScan *scan,
                                                TlCut *best) {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i last = _mm256_set1_epi32(7);
    const int n_classes = node->n_classes;
    const int is_small = node->n_samples <= TL_EXACT_FLOAT;
    const double n = (double)node->n_samples;
    double squares = 0.0;
    int32_t block, most = node->n_samples / 6;
    int c;
    for (c = 0; c < n_classes; c++) {
        squares += (double)node->class_counts[c] * (double)node->class_counts[c];
        before[c] = zero;
    }
    for (block = 0; block < stride / TL_CODE_BLOCK; block++) {
        uint32_t *here = histogram + TL_CODE_BLOCK * block;
        __m256i totals = zero, n_left = zero;
        __m256 square_sum = _mm256_setzero_ps(), cross_sum = _mm256_setzero_ps();
        __m256d squares_low = _mm256_setzero_pd(), squares_high = _mm256_setzero_pd();
        __m256d cross_low = _mm256_setzero_pd(), cross_high = _mm256_setzero_pd();
        double sums_left[8], sums_right[8];
        int hits;
        if (is_small) {
            for (c = 0; c < n_classes; c++, here += stride) {
                __m256i counts = _mm256_loadu_si256((const __m256i *)here);
                __m256 count;
                totals = _mm256_add_epi32(totals, counts);
                _mm256_storeu_si256((__m256i *)here, zero);
                counts = _mm256_add_epi32(tl_prefix_sums(counts), before[c]);
                before[c] = _mm256_permutevar8x32_epi32(counts, last);
                n_left = _mm256_add_epi32(n_left, counts);
                count = _mm256_cvtepi32_ps(counts);
                square_sum = _mm256_add_ps(square_sum, _mm256_mul_ps(count, count));
                cross_sum = _mm256_add_ps(
                    cross_sum,
                    _mm256_mul_ps(count, _mm256_set1_ps((float)node->class_counts[c])));
            }
        } else {
            for (c = 0; c < n_classes; c++, here += stride) {
                __m256i counts = _mm256_loadu_si256((const __m256i *)here);
                __m256d low, high, whole = _mm256_set1_pd((double)node->class_counts[c]);
                totals = _mm256_add_epi32(totals, counts);
                _mm256_storeu_si256((__m256i *)here, zero);
                counts = _mm256_add_epi32(tl_prefix_sums(counts), before[c]);
                before[c] = _mm256_permutevar8x32_epi32(counts, last);
                n_left = _mm256_add_epi32(n_left, counts);
                low = _mm256_cvtepi32_pd(_mm256_castsi256_si128(counts));
                high = _mm256_cvtepi32_pd(_mm256_extracti128_si256(counts, 1));
                squares_low = _mm256_add_pd(squares_low, _mm256_mul_pd(low, low));
                squares_high = _mm256_add_pd(squares_high, _mm256_mul_pd(high, high));
                cross_low = _mm256_add_pd(cross_low, _mm256_mul_pd(low, whole));
                cross_high = _mm256_add_pd(cross_high, _mm256_mul_pd(high, whole));
            }
        }
        hits = tl_note_present(totals, block, &most, scan);
        if (!hits) continue;
        hits &= tl_feasible(n_left, node);
        if (is_small) {
            __m256 left = _mm256_cvtepi32_ps(n_left);
            __m256 right = _mm256_sub_ps(_mm256_set1_ps((float)n), left);
            __m256 square_right = _mm256_add_ps(
                _mm256_sub_ps(_mm256_set1_ps((float)squares), _mm256_add_ps(cross_sum, cross_sum)),
                square_sum);
            __m256 score = _mm256_add_ps(_mm256_mul_ps(square_sum, right),
                                         _mm256_mul_ps(square_right, left));
            __m256 least = _mm256_mul_ps(
                _mm256_mul_ps(left, right),
                _mm256_set1_ps((float)(best->score * (1.0 - TL_CLOSE))));
            hits &= _mm256_movemask_ps(_mm256_cmp_ps(score, least, _CMP_GE_OQ));
            if (!hits) continue;
            squares_low = _mm256_cvtps_pd(_mm256_castps256_ps128(square_sum));
            squares_high = _mm256_cvtps_pd(_mm256_extractf128_ps(square_sum, 1));
            _mm256_storeu_pd(sums_right, _mm256_cvtps_pd(_mm256_castps256_ps128(square_right)));
            _mm256_storeu_pd(sums_right + 4,
                             _mm256_cvtps_pd(_mm256_extractf128_ps(square_right, 1)));
        } else {
            __m256d whole = _mm256_set1_pd(n), all = _mm256_set1_pd(squares);
            __m256d least = _mm256_set1_pd(best->score * (1.0 - TL_CLOSE));
            int half, filter = 0;
            for (half = 0; half < 2; half++) {
                __m256d left = _mm256_cvtepi32_pd(half ? _mm256_extracti128_si256(n_left, 1)
                                                       : _mm256_castsi256_si128(n_left));
                __m256d right = _mm256_sub_pd(whole, left);
                __m256d square_left = half ? squares_high : squares_low;
                __m256d cross = half ? cross_high : cross_low;
                __m256d square_right =
                    _mm256_add_pd(_mm256_sub_pd(all, _mm256_add_pd(cross, cross)), square_left);
                __m256d score = _mm256_add_pd(_mm256_mul_pd(square_left, right),
                                              _mm256_mul_pd(square_right, left));
                _mm256_storeu_pd(sums_right + 4 * half, square_right);
                filter |= _mm256_movemask_pd(_mm256_cmp_pd(
                              score, _mm256_mul_pd(_mm256_mul_pd(left, right), least),
                              _CMP_GE_OQ))
                          << (4 * half);
            }
            hits &= filter;
            if (!hits) continue;
        }
        {
            int32_t counts_left[8];
            _mm256_storeu_si256((__m256i *)counts_left, n_left);
            _mm256_storeu_pd(sums_left, squares_low);
            _mm256_storeu_pd(sums_left + 4, squares_high);
            for (; hits; hits &= hits - 1) {
                int j = TL_LOWEST_BIT((unsigned)hits);
                double left = (double)counts_left[j];
                tl_take(best, sums_left[j] / left + sums_right[j] / (n - left), feature,
                        TL_CODE_BLOCK * block + j, -1, 0, 0);
            }
        }
    }
}

#endif

/* Scan one column. scratch: room for 8 n_classes numbers of 32 bits, aligned to 32 bytes. */
static void tl_scan_column(int level, const TlScoring *scoring, const TlCounts *node,
                           uint32_t *histogram, int32_t stride, int32_t n_codes, int has_missing,
                           int32_t feature, int32_t *scratch, TlColumnScan *scan, TlCut *best) {
    int32_t old_feature = best->feature, old_code = best->code, old_side = best->missing_goes_left;
    int c, some_missing = 0;
    if (has_missing)
        for (c = 0; c < node->n_classes; c++)
            some_missing |= histogram[(size_t)c * stride + n_codes - 1] > 0;
#if TL_HAS_X86
    if (level >= TL_AVX2 && scoring->formula == TL_GINI && !some_missing) {
        scan->n_present = 0;
        scan->default_code = -1;
        scan->n_missing = 0;
        if (scoring->is_binary)
            tl_scan_binary_avx2(node, histogram, stride, feature, scan, best);
        else
            tl_scan_squares_avx2(node, histogram, stride, feature, (__m256i *)scratch, scan, best);
    } else
#endif
        tl_scan_plain(scoring, node, histogram, stride, n_codes, has_missing && some_missing,
                      feature, scratch, scan, best);
    if (best->feature == feature &&
        (old_feature != feature || best->code != old_code || best->missing_goes_left != old_side))
        best->next_code =
            tl_next_present(scan, best->code, some_missing ? n_codes - 1 : n_codes);
}

#endif
