/* Small nodes, sorted feature beside feature; and the cuts of two classes of unit weight under
 * Gini, in small nodes and in a feature's cells.
 *
 * With D = l1 * n0 - l0 * n1 over the classes of the left side and of the node, the score of a cut
 * is D^2 / (n_left * n_right), as tl_gini_binary of block.h has it; D is a whole number. Equal
 * scores are decided by the lowest feature, then by the lowest bin.
 */
#ifndef TREELEARN_PAIRS_H
#define TREELEARN_PAIRS_H

#include <stdint.h>
#include <string.h>

#include "block.h"

#define TL_CELLS 512    /* cells looked at together */
#define TL_SMALL 64     /* samples of a small node at most */
#define TL_SIDE 16      /* features side by side */
#define TL_COMPARATORS 543
#define TL_PLACE_BITS 6 /* of a sample's place in a small node */

/* List the cells that hold samples: running counts up to and including each of them. */
static inline int tl_list_pairs(const uint64_t *cells, int n_cells, uint64_t *running,
                                int32_t *n_left, int32_t *ones_left, int32_t *bins) {
    uint64_t sum = *running;
    int i, n_listed = 0;
    for (i = 0; i < n_cells; i++) {
        sum += cells[i];
        n_left[n_listed] = (int32_t)(uint32_t)sum;
        ones_left[n_listed] = (int32_t)(sum >> 32);
        bins[n_listed] = i;
        n_listed += (uint32_t)cells[i] != 0;
    }
    *running = sum;
    return n_listed;
}

/* Scores of cuts after n_listed cells, and the largest of them; n_left grows. */
TL_VERSIONS static double tl_score_pairs(const int32_t *n_left, const int32_t *ones_left, int first,
                                         int end, double weight, double ones, double *score) {
    double zeros = weight - ones, largest[8] = {-1, -1, -1, -1, -1, -1, -1, -1}, found = -1.0;
    int i, k;
    for (i = first; i < end; i++) {
        double left = (double)n_left[i], left_ones = (double)ones_left[i];
        double difference = left_ones * zeros - (left - left_ones) * ones;
        score[i] = difference * difference / (left * (weight - left));
    }
    for (i = first; i + 8 <= end; i += 8) {
        for (k = 0; k < 8; k++) largest[k] = score[i + k] > largest[k] ? score[i + k] : largest[k];
    }
    for (; i < end; i++) found = score[i] > found ? score[i] : found;
    for (k = 0; k < 8; k++) found = largest[k] > found ? largest[k] : found;
    return found;
}

/* The best cut of the cells of one feature, none of which holds missing values.
 * score, in and out: the score to beat, by more than nothing. Returns the bin, -1 where no cut is
 * better, or -2 where the feature is constant; n_left_of_cut: out. */
static int tl_best_of_pairs(const uint64_t *cells, int n_cells, int64_t n_samples, int64_t ones,
                            int64_t fewest, double *score, int64_t *n_left_of_cut) {
    int32_t n_left[TL_CELLS], ones_left[TL_CELLS], bins[TL_CELLS];
    double scores[TL_CELLS];
    uint64_t running = 0;
    int start, best = -1, varies = 0;
    for (start = 0; start < n_cells; start += TL_CELLS) {
        int n = n_cells - start < TL_CELLS ? n_cells - start : TL_CELLS;
        int n_listed = tl_list_pairs(cells + start, n, &running, n_left, ones_left, bins);
        int first = 0, end = n_listed, i;
        double found;
        varies |= n_listed > 0 && n_left[0] < n_samples;
        while (first < end && n_left[first] < fewest) first++;
        while (first < end && n_samples - n_left[end - 1] < fewest) end--;
        if (first == end) continue;
        found = tl_score_pairs(n_left, ones_left, first, end, (double)n_samples, (double)ones,
                               scores);
        if (!(found > *score)) continue;
        for (i = first; scores[i] != found; i++) {
        }
        *score = found;
        best = start + bins[i];
        *n_left_of_cut = n_left[i];
    }
    return varies ? best : -2;
}

/* Batcher's odd-even merge sort (1968) for every number of samples: pairs of places, low << 8. */
static uint16_t tl_networks[TL_SMALL + 1][TL_COMPARATORS];
static int tl_network_sizes[TL_SMALL + 1];

static void tl_make_networks(void) {
    int n, p, k, i, j, size;
    for (n = 0; n <= TL_SMALL; n++) {
        size = 0;
        for (p = 1; p < n; p *= 2) {
            for (k = p; k >= 1; k /= 2) {
                for (j = k % p; j + k < n; j += 2 * k) {
                    for (i = 0; i < k && i + j + k < n; i++) {
                        if ((i + j) / (2 * p) == (i + j + k) / (2 * p))
                            tl_networks[n][size++] = (uint16_t)((i + j) << 8 | (i + j + k));
                    }
                }
            }
        }
        tl_network_sizes[n] = size;
    }
}

static inline void tl_sort_keys(uint16_t keys[TL_SMALL][TL_SIDE], int n) {
    const uint16_t *network = tl_networks[n];
    int size = tl_network_sizes[n], l, k;
    for (k = 0; k < size; k++) {
        uint16_t *low = keys[network[k] >> 8], *high = keys[network[k] & 255];
        uint16_t smaller[TL_SIDE], larger[TL_SIDE];
        for (l = 0; l < TL_SIDE; l++) smaller[l] = low[l] < high[l] ? low[l] : high[l];
        for (l = 0; l < TL_SIDE; l++) larger[l] = low[l] < high[l] ? high[l] : low[l];
        memcpy(low, smaller, sizeof smaller);
        memcpy(high, larger, sizeof larger);
    }
}

/* Sort a small node by each of a block of features: keys of code << TL_PLACE_BITS | place. The
 * codes have to fit into the bits that are left; those of TL_SIDE features are read, whether the
 * record has so many or not. */
TL_VERSIONS static void tl_sort_small(const uint8_t *records, int n, int64_t record_bytes,
                                      int code_bytes, int first_feature,
                                      uint16_t keys[TL_SMALL][TL_SIDE]) {
    int i, l;
    for (i = 0; i < n; i++, records += record_bytes) {
        if (code_bytes == 1) {
            uint8_t codes[TL_SIDE];
            memcpy(codes, records + first_feature, sizeof codes);
            for (l = 0; l < TL_SIDE; l++) keys[i][l] = (uint16_t)(codes[l] << TL_PLACE_BITS | i);
        } else {
            uint16_t codes[TL_SIDE];
            memcpy(codes, records + 2 * first_feature, sizeof codes);
            for (l = 0; l < TL_SIDE; l++) keys[i][l] = (uint16_t)(codes[l] << TL_PLACE_BITS | i);
        }
    }
    tl_sort_keys(keys, n);
}

typedef struct {
    int32_t feature; /* -1: none is feasible */
    int32_t n_left;
    int32_t bin;
    int32_t next_bin; /* the first bin on the right that holds samples */
    int64_t square;   /* D^2 */
    int64_t product;  /* n_left * n_right */
} tl_small_cut;

/* The best cut of a small node over a block of features, code << 1 | class in 16 bits each.
 * The codes of TL_SIDE features are read, whether the record has so many or not. */
TL_VERSIONS static void tl_cut_small(const uint8_t *records, int n, int64_t record_bytes,
                                     int code_bytes, int n_features, int first_feature, int ones,
                                     int fewest, const uint8_t *is_skipped, tl_small_cut *best) {
    uint16_t keys[TL_SMALL][TL_SIDE];
    int32_t ones_left[TL_SIDE], squares[TL_SIDE], products[TL_SIDE], places[TL_SIDE];
    int i, l;
    int n_lanes = n_features - first_feature < TL_SIDE ? n_features - first_feature : TL_SIDE;
    for (i = 0; i < n; i++, records += record_bytes) {
        if (code_bytes == 1) {
            uint8_t codes[TL_SIDE];
            uint16_t label = records[n_features];
            memcpy(codes, records + first_feature, sizeof codes);
            for (l = 0; l < TL_SIDE; l++) keys[i][l] = (uint16_t)(codes[l] << 1 | label);
        } else {
            uint16_t codes[TL_SIDE], label;
            memcpy(&label, records + 2 * n_features, 2);
            memcpy(codes, records + 2 * first_feature, sizeof codes);
            for (l = 0; l < TL_SIDE; l++) keys[i][l] = (uint16_t)(codes[l] << 1 | label);
        }
    }
    tl_sort_keys(keys, n);
    for (l = 0; l < TL_SIDE; l++) {
        ones_left[l] = 0;
        squares[l] = -1;
        products[l] = 1;
        places[l] = 0;
    }
    for (i = 1; i < n; i++) {
        const uint16_t *last = keys[i - 1], *next = keys[i];
        int32_t product = i * (n - i);
        for (l = 0; l < TL_SIDE; l++) ones_left[l] += last[l] & 1;
        if (i < fewest || n - i < fewest) continue;
        /* D^2 is below 2^21 and a product below 2^11: all fits into 32 bits. */
        for (l = 0; l < TL_SIDE; l++) {
            int32_t difference = ones_left[l] * n - i * ones;
            int32_t square = difference * difference;
            int32_t is_cut = (last[l] ^ next[l]) > 1;
            int32_t is_better = (square * products[l] > squares[l] * product) & is_cut;
            squares[l] = is_better ? square : squares[l];
            products[l] = is_better ? product : products[l];
            places[l] = is_better ? i : places[l];
        }
    }
    for (l = 0; l < n_lanes; l++) {
        if (places[l] == 0 || is_skipped[first_feature + l]) continue;
        if (best->feature >= 0 &&
            (int64_t)squares[l] * best->product <= best->square * (int64_t)products[l])
            continue;
        best->feature = first_feature + l;
        best->n_left = places[l];
        best->bin = keys[places[l] - 1][l] >> 1;
        best->next_bin = keys[places[l]][l] >> 1;
        best->square = squares[l];
        best->product = products[l];
    }
}

static tl_small_cut tl_best_of_small(const uint8_t *records, int n, int64_t record_bytes,
                                     int code_bytes, int n_features, int ones, int fewest,
                                     const uint8_t *is_skipped) {
    tl_small_cut best = {-1, 0, 0, 0, 0, 1};
    int first;
    for (first = 0; first < n_features; first += TL_SIDE)
        tl_cut_small(records, n, record_bytes, code_bytes, n_features, first, ones, fewest,
                     is_skipped, &best);
    return best;
}

#endif
