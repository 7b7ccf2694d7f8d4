/* The best cut of one column of codes in one node, from its histogram of classes.
 *
 * A histogram has a row of counts for every class that is present in the node; the scan leaves it
 * empty. A filter looks for cuts that may win, in float32 in all but the largest nodes; what comes
 * within CLOSE of the best score so far is scored again by the formula of block.h, in the order of
 * the codes. The plain scan scores every cut by it: same cut, same bits.
 */
#ifndef TREELEARN_CODES_SCAN_H
#define TREELEARN_CODES_SCAN_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "codes_partition.h"
#include "codes_types.h"
#include "impurity.h"
#include "portable.h"
#include "simd.h"

/* Filters are off by less than this share of a score. */
#define TL_CLOSE 1e-6
/* Up to this many samples, sums of squared counts are exact in float32. */
#define TL_EXACT_FLOAT 4096
/* Up to this many samples, counts of a histogram have 16 bits: twice as many in a vector. */
#define TL_SHORT_NODE 32767
/* Codes of a row of the histogram come in blocks. */
#define TL_CODE_BLOCK 16

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

static inline int32_t tl_count_at(const void *histogram, int is_short, size_t place) {
    return is_short ? ((const uint16_t *)histogram)[place]
                    : (int32_t)((const uint32_t *)histogram)[place];
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

/* Every cut in order, by the exact formula; the one scan that knows missing values. scratch: 3
 * n_classes. */
static void tl_scan_plain(const TlScoring *scoring, const TlCounts *node, void *histogram,
                          int32_t stride, int32_t n_codes, int has_missing, int32_t feature,
                          int32_t *scratch, TlColumnScan *scan, TlCut *best) {
    const int n_classes = node->n_classes, is_short = node->n_samples <= TL_SHORT_NODE;
    const size_t size = is_short ? sizeof(uint16_t) : sizeof(uint32_t);
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
            scan->n_missing += tl_count_at(histogram, is_short, (size_t)c * stride + missing_code);
    for (code = 0; code < n_codes; code++) {
        int32_t n_here = 0;
        for (c = 0; c < n_classes; c++)
            n_here += tl_count_at(histogram, is_short, (size_t)c * stride + code);
        if (n_here == 0) continue;
        scan->present[code >> 3] |= (uint8_t)(1 << (code & 7));
        scan->n_present++;
        if (n_here > most) {
            most = n_here;
            scan->default_code = code;
        }
        if (code == missing_code) break;
        n_left += n_here;
        for (c = 0; c < n_classes; c++)
            left[c] += tl_count_at(histogram, is_short, (size_t)c * stride + code);
        for (side = 0; side < (scan->n_missing > 0 ? 2 : 1); side++) {
            int32_t n = n_left + (side ? scan->n_missing : 0);
            const int32_t *counts = left;
            double score;
            if (n < node->min_leaf || node->n_samples - n < node->min_leaf) continue;
            if (side) {
                for (c = 0; c < n_classes; c++)
                    with_missing[c] = left[c] + tl_count_at(histogram, is_short,
                                                            (size_t)c * stride + missing_code);
                counts = with_missing;
            }
            score = tl_cut_score(scoring, node, counts, n, right);
            tl_take(best, score, feature, code, -1, side, scan->n_missing > 0);
        }
    }
    for (c = 0; c < n_classes; c++)
        memset((char *)histogram + (size_t)c * stride * size, 0, (size_t)n_codes * size);
}

#include "codes_scan_scalar.h"
#if TL_HAS_X86
#include "codes_scan_avx2.h"
#endif

/* Scan one column. scratch: room for 8 (n_classes + 1) numbers of 32 bits, aligned to 32 bytes. */
static void tl_scan_column(int level, const TlScoring *scoring, const TlCounts *node,
                           void *histogram, int32_t stride, int32_t n_codes, int has_missing,
                           int32_t feature, int32_t *scratch, TlColumnScan *scan, TlCut *best) {
    int32_t old_feature = best->feature, old_code = best->code, old_side = best->missing_goes_left;
    int c, some_missing = 0;
    if (has_missing)
        for (c = 0; c < node->n_classes; c++)
            some_missing |= tl_count_at(histogram, node->n_samples <= TL_SHORT_NODE,
                                        (size_t)c * stride + n_codes - 1) > 0;
    if (scoring->formula != TL_GINI || some_missing) {
        tl_scan_plain(scoring, node, histogram, stride, n_codes, some_missing, feature, scratch,
                      scan, best);
    } else {
        scan->n_present = 0;
        scan->default_code = -1;
        scan->n_missing = 0;
        if (node->n_samples > TL_SHORT_NODE) {
            TL_CHOOSE(level,
                      tl_scan_large_avx2(scoring, node, (uint32_t *)histogram, stride, feature,
                                         (__m256i *)scratch, scan, best),
                      tl_scan_plain(scoring, node, histogram, stride, n_codes, 0, feature, scratch,
                                    scan, best));
        } else if (scoring->is_binary) {
            TL_CHOOSE(level,
                      tl_scan_binary_avx2(node, (uint16_t *)histogram, stride, feature, scan, best),
                      tl_scan_binary_scalar(node, (uint16_t *)histogram, stride, feature, scan,
                                            best));
        } else {
            TL_CHOOSE(level,
                      tl_scan_squares_avx2(node, (uint16_t *)histogram, stride, feature,
                                           (__m256i *)scratch, scan, best),
                      tl_scan_squares_scalar(node, (uint16_t *)histogram, stride, feature, scratch,
                                             scan, best));
        }
    }
    if (best->feature == feature &&
        (old_feature != feature || best->code != old_code || best->missing_goes_left != old_side))
        best->next_code =
            tl_next_present(scan, best->code, some_missing ? n_codes - 1 : n_codes);
}

#endif
