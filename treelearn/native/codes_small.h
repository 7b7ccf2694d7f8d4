/* Small nodes: their columns in lanes, and those with missing values one by one. */
#ifndef TREELEARN_CODES_SMALL_H
#define TREELEARN_CODES_SMALL_H

#include <stdint.h>
#include <string.h>

#include "codes_rate.h"
#include "codes_scan.h"
#include "portable.h"
#include "simd.h"

#define TL_KEY_BITS 16
#include "codes_lanes.h"
#undef TL_KEY_BITS
#define TL_KEY_BITS 32
#include "codes_lanes.h"
#undef TL_KEY_BITS

/* The best cut of one column by sorting its samples; knows missing values. scratch: 4 n_classes. */
static void tl_search_sorted(const TlScoring *scoring, const TlCounts *node, const uint16_t *codes,
                             size_t stride, const int32_t *samples, const uint8_t *classes,
                             int32_t missing_code, int32_t feature, int32_t *scratch,
                             TlCut *best) {
    uint32_t keys[TL_MOST_ROWS];
    int32_t *left = scratch, *missing = scratch + node->n_classes;
    int32_t *with_missing = missing + node->n_classes, *right = with_missing + node->n_classes;
    int32_t n = 0, n_missing = 0, i, j;
    int c, side;
    memset(scratch, 0, 2 * (size_t)node->n_classes * sizeof *scratch);
    for (i = 0; i < node->n_samples; i++) {
        uint32_t code = codes[(size_t)samples[i] * stride], key = code << 8 | classes[i];
        if ((int32_t)code == missing_code) {
            n_missing++;
            missing[classes[i]]++;
            continue;
        }
        for (j = n++; j > 0 && keys[j - 1] > key; j--) keys[j] = keys[j - 1];
        keys[j] = key;
    }
    for (i = 1; i <= n; i++) {
        left[keys[i - 1] & 255]++;
        if (i < n && (keys[i - 1] >> 8) == (keys[i] >> 8)) continue;
        for (side = 0; side < (n_missing > 0 && i < n ? 2 : 1); side++) {
            int32_t n_left = i + (side ? n_missing : 0);
            const int32_t *counts = left;
            double score;
            if (n_left < node->min_leaf || node->n_samples - n_left < node->min_leaf) continue;
            if (side) {
                for (c = 0; c < node->n_classes; c++) with_missing[c] = left[c] + missing[c];
                counts = with_missing;
            }
            score = tl_cut_score(scoring, node, counts, n_left, right);
            tl_take(best, score, feature, (int32_t)(keys[i - 1] >> 8),
                    i < n ? (int32_t)(keys[i] >> 8) : -1, side, n_missing > 0);
        }
    }
}

#endif
