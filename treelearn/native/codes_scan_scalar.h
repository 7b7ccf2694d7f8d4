/* Scans of a histogram 16 codes at a time, as loops that a compiler turns into vector code of any
 * processor: filters of Gini's score, see codes_scan.h. Twins of codes_scan_avx2.h. */
#ifndef TREELEARN_CODES_SCAN_SCALAR_H
#define TREELEARN_CODES_SCAN_SCALAR_H

#include "lanes.h"
#include "words.h"

/* Note which codes of a block are present, and whether one is frequent; returns a bit for each. */
TL_INLINE unsigned tl_note_block(const uint16_t *totals, int32_t block, int32_t *most,
                                 TlColumnScan *scan) {
    uint8_t flags[TL_CODE_BLOCK];
    uint16_t largest = 0;
    unsigned here;
    int j;
    TL_LANES
    for (j = 0; j < TL_CODE_BLOCK; j++) flags[j] = totals[j] != 0;
    TL_LANES
    for (j = 0; j < TL_CODE_BLOCK; j++) largest = largest > totals[j] ? largest : totals[j];
    here = tl_pack_lanes(flags);
    scan->present[2 * block] = (uint8_t)here;
    scan->present[2 * block + 1] = (uint8_t)(here >> 8);
    scan->n_present += TL_POPCOUNT(here);
    if (largest > *most)
        for (j = 0; j < TL_CODE_BLOCK; j++)
            if (totals[j] > *most) {
                *most = totals[j];
                scan->default_code = TL_CODE_BLOCK * block + j;
            }
    return here;
}

/* Gini, two classes in the table. */
static void tl_scan_binary_scalar(const TlCounts *node, uint16_t *histogram, int32_t stride,
                                  int32_t feature, TlColumnScan *scan, TlCut *best) {
    const int16_t n = (int16_t)node->n_samples;
    const int16_t min_leaf = (int16_t)(node->min_leaf < n ? node->min_leaf : n);
    const int16_t n_zeros = (int16_t)node->class_counts[0], n_ones = (int16_t)node->class_counts[1];
    const double ones = (double)n_ones, zeros = (double)n_zeros;
    int32_t block, most = n / 6;
    int16_t before_zeros = 0, before_ones = 0;
    for (block = 0; block < stride / TL_CODE_BLOCK; block++) {
        uint16_t *zeros_here = histogram + TL_CODE_BLOCK * block;
        uint16_t *ones_here = zeros_here + stride, totals[TL_CODE_BLOCK];
        int16_t left0[TL_CODE_BLOCK], left1[TL_CODE_BLOCK];
        uint8_t flags[TL_CODE_BLOCK];
        float least;
        unsigned hits;
        int j;
        if (!tl_is_any(zeros_here) && !tl_is_any(ones_here)) {
            scan->present[2 * block] = scan->present[2 * block + 1] = 0;
            continue;
        }
        TL_LANES
        for (j = 0; j < TL_CODE_BLOCK; j++) totals[j] = (uint16_t)(zeros_here[j] + ones_here[j]);
        hits = tl_note_block(totals, block, &most, scan);
        before_zeros = tl_sum_up(zeros_here, before_zeros, left0);
        before_ones = tl_sum_up(ones_here, before_ones, left1);
        memset(zeros_here, 0, TL_CODE_BLOCK * sizeof *zeros_here);
        memset(ones_here, 0, TL_CODE_BLOCK * sizeof *ones_here);
        least = (float)(best->score * (1.0 - TL_CLOSE));
        TL_LANES
        for (j = 0; j < TL_CODE_BLOCK; j++) {
            int16_t n_left = (int16_t)(left0[j] + left1[j]), n_right = (int16_t)(n - n_left);
            int16_t fewest = n_left < n_right ? n_left : n_right;
            float left = (float)n_left, right = (float)n_right;
            float difference =
                (float)((int32_t)left1[j] * n_zeros - (int32_t)left0[j] * n_ones);
            flags[j] = (uint8_t)((difference * difference >= left * right * least) &
                                 (fewest >= min_leaf));
        }
        hits &= tl_pack_lanes(flags);
        for (; hits; hits &= hits - 1) {
            double zeros_left, ones_left, left, difference;
            j = TL_LOWEST_BIT(hits);
            zeros_left = (double)left0[j];
            ones_left = (double)left1[j];
            left = zeros_left + ones_left;
            difference = ones_left * zeros - zeros_left * ones;
            tl_take(best, difference * difference / (left * (zeros + ones - left)), feature,
                    TL_CODE_BLOCK * block + j, -1, 0, 0);
        }
    }
}

/* Gini from the sums of squares of both sides: whole numbers below 2^30. `before` has room for a
 * number of every class. */
static void tl_scan_squares_scalar(const TlCounts *node, uint16_t *histogram, int32_t stride,
                                   int32_t feature, int32_t *before, TlColumnScan *scan,
                                   TlCut *best) {
    const int n_classes = node->n_classes;
    const int16_t n = (int16_t)node->n_samples;
    const int16_t min_leaf = (int16_t)(node->min_leaf < n ? node->min_leaf : n);
    int32_t block, most = n / 6, all = 0;
    int c;
    for (c = 0; c < n_classes; c++) {
        all += node->class_counts[c] * node->class_counts[c];
        before[c] = 0;
    }
    for (block = 0; block < stride / TL_CODE_BLOCK; block++) {
        uint16_t *here = histogram + TL_CODE_BLOCK * block, totals[TL_CODE_BLOCK] = {0};
        int16_t n_left[TL_CODE_BLOCK] = {0};
        int32_t squares[TL_CODE_BLOCK] = {0}, cross[TL_CODE_BLOCK] = {0};
        uint8_t flags[TL_CODE_BLOCK];
        float least;
        unsigned hits;
        int j;
        for (c = 0; c < n_classes; c++, here += stride) {
            const int16_t total = (int16_t)node->class_counts[c];
            int16_t left[TL_CODE_BLOCK];
            TL_LANES
            for (j = 0; j < TL_CODE_BLOCK; j++) totals[j] = (uint16_t)(totals[j] + here[j]);
            before[c] = tl_sum_up(here, (int16_t)before[c], left);
            memset(here, 0, TL_CODE_BLOCK * sizeof *here);
            TL_LANES
            for (j = 0; j < TL_CODE_BLOCK; j++) n_left[j] = (int16_t)(n_left[j] + left[j]);
            TL_LANES
            for (j = 0; j < TL_CODE_BLOCK; j++) squares[j] += (int32_t)left[j] * left[j];
            TL_LANES
            for (j = 0; j < TL_CODE_BLOCK; j++) cross[j] += (int32_t)left[j] * total;
        }
        hits = tl_note_block(totals, block, &most, scan);
        if (!hits) continue;
        least = (float)(best->score * (1.0 - TL_CLOSE));
        TL_LANES
        for (j = 0; j < TL_CODE_BLOCK; j++) {
            int16_t n_right = (int16_t)(n - n_left[j]);
            int16_t fewest = n_left[j] < n_right ? n_left[j] : n_right;
            float left = (float)n_left[j], right = (float)n_right;
            /* sum (total - left)^2 */
            float other = (float)(all - 2 * cross[j] + squares[j]);
            float score = (float)squares[j] * right + other * left;
            flags[j] = (uint8_t)((score >= left * right * least) & (fewest >= min_leaf));
        }
        hits &= tl_pack_lanes(flags);
        for (; hits; hits &= hits - 1) {
            double left, other;
            j = TL_LOWEST_BIT(hits);
            left = (double)n_left[j];
            other = (double)(all - 2 * cross[j] + squares[j]);
            tl_take(best, (double)squares[j] / left + other / ((double)n - left), feature,
                    TL_CODE_BLOCK * block + j, -1, 0, 0);
        }
    }
}

#endif
