/* The formulas of impurity.h for many nodes side by side.
 *
 * Nodes lie in lanes, classes one after the other: what one lane computes is, operation by
 * operation, tl_class_impurity of its node, so both give the same bits. The loops over lanes have
 * no branch and become vector code.
 */
#ifndef TREELEARN_IMPURITY_BLOCK_H
#define TREELEARN_IMPURITY_BLOCK_H

#include "impurity.h"

/* Nodes at a time, and classes of each: the tiles stay in the first-level cache. */
#define TL_LANES 64
#define TL_TILE_CLASSES 16

/* What the counts of a block were like. */
enum { TL_COUNTS_FINE = 0, TL_COUNTS_BAD = 1 };

typedef struct {
    double counts[TL_TILE_CLASSES][TL_LANES];
    double shares[TL_TILE_CLASSES][TL_LANES];
    double logs[TL_TILE_CLASSES][TL_LANES];
} tl_tile;

/* Where a class stands in the arrays: counts of node i and class c at
 * counts[i * node_stride + c]; the nodes beyond the last one hold nothing. */
#define TL_LOAD(width)                                                                         \
    for (c = 0; c < (width); c++)                                                              \
        for (lane = 0; lane < n_nodes; lane++)                                                 \
            tile->counts[c][lane] = (double)counts[lane * n_classes + first + c];

#define TL_DEFINE_BLOCK(suffix, number)                                                        \
    TL_INLINE void tl_load_##suffix(const number *counts, int n_nodes, int n_classes,          \
                                    int first, int width, tl_tile *tile) {                     \
        int c, lane;                                                                           \
        if (n_classes == 2) {                                                                  \
            for (lane = 0; lane < n_nodes; lane++) {                                           \
                tile->counts[0][lane] = (double)counts[2 * lane];                              \
                tile->counts[1][lane] = (double)counts[2 * lane + 1];                          \
            }                                                                                  \
            return;                                                                            \
        }                                                                                      \
        TL_LOAD(width)                                                                         \
    }                                                                                          \
    /* impurity[i] = scale * the impurity of node i, or the score that a search adds up */     \
    TL_VERSIONS static int tl_impurity_block_##suffix(                                         \
        int criterion, double order, const number *counts, int n_nodes, int n_classes,         \
        double scale, int is_score, double *impurity) {                                        \
        tl_tile tile;                                                                          \
        tl_lanes lanes;                                                                        \
        int first, width;                                                                      \
        tl_begin(&tile, &lanes, n_nodes);                                                      \
        for (first = 0; first < n_classes; first += TL_TILE_CLASSES) {                         \
            width = n_classes - first < TL_TILE_CLASSES ? n_classes - first : TL_TILE_CLASSES; \
            tl_load_##suffix(counts, n_nodes, n_classes, first, width, &tile);                 \
            tl_add_totals(criterion, &tile, first, width, &lanes);                             \
        }                                                                                      \
        if (tl_end_totals(&lanes, n_nodes)) return TL_COUNTS_BAD;                              \
        for (first = 0; first < n_classes; first += TL_TILE_CLASSES) {                         \
            width = n_classes - first < TL_TILE_CLASSES ? n_classes - first : TL_TILE_CLASSES; \
            if (n_classes > TL_TILE_CLASSES)                                                   \
                tl_load_##suffix(counts, n_nodes, n_classes, first, width, &tile);             \
            tl_add_terms(criterion, order, is_score, first, width, &tile, &lanes);             \
        }                                                                                      \
        if (tl_needs_ratios(criterion, order, &lanes)) {                                       \
            for (first = 0; first < n_classes; first += TL_TILE_CLASSES) {                     \
                width =                                                                        \
                    n_classes - first < TL_TILE_CLASSES ? n_classes - first : TL_TILE_CLASSES; \
                if (n_classes > TL_TILE_CLASSES) {                                             \
                    tl_load_##suffix(counts, n_nodes, n_classes, first, width, &tile);         \
                    tl_take_logs(first, width, &tile, &lanes);                                 \
                }                                                                              \
                tl_add_ratios(order, first, width, &tile, &lanes);                             \
            }                                                                                  \
        }                                                                                      \
        tl_finish(criterion, order, is_score, scale, &lanes, n_nodes, impurity);               \
        return TL_COUNTS_FINE;                                                                 \
    }

typedef struct {
    double total[TL_LANES];
    double largest[TL_LANES];
    double largest_class[TL_LANES]; /* the first of the largest */
    double lowest[TL_LANES];
    double sum[TL_LANES];
    double ratio_sum[TL_LANES];
    double log_largest[TL_LANES];
} tl_lanes;

#define TL_EACH_LANE for (lane = 0; lane < TL_LANES; lane++)

TL_INLINE void tl_begin(tl_tile *tile, tl_lanes *lanes, int n_nodes) {
    int c, lane;
    if (n_nodes < TL_LANES)
        for (c = 0; c < TL_TILE_CLASSES; c++) TL_EACH_LANE tile->counts[c][lane] = 0.0;
    TL_EACH_LANE {
        lanes->total[lane] = 0.0;
        lanes->largest[lane] = 0.0;
        lanes->largest_class[lane] = 0.0;
        lanes->lowest[lane] = 0.0;
        lanes->sum[lane] = 0.0;
        lanes->ratio_sum[lane] = 0.0;
        lanes->log_largest[lane] = 0.0;
    }
}

/* Whether the criterion asks for the largest class. */
TL_INLINE int tl_sees_largest(int criterion) {
    return criterion == TL_RENYI || criterion == TL_RENYI_MEAN || criterion == TL_ERROR_RATE ||
           criterion == TL_MIN_ENTROPY;
}

TL_INLINE void tl_add_totals(int criterion, const tl_tile *tile, int first, int width,
                             tl_lanes *lanes) {
    int c, lane;
    for (c = 0; c < width; c++) {
        double number = (double)(first + c);
        TL_EACH_LANE {
            double count = tile->counts[c][lane];
            lanes->total[lane] += count;
            lanes->lowest[lane] = count < lanes->lowest[lane] ? count : lanes->lowest[lane];
        }
        if (tl_sees_largest(criterion)) {
            TL_EACH_LANE {
                double count = tile->counts[c][lane];
                int is_larger = count > lanes->largest[lane];
                lanes->largest_class[lane] = is_larger ? number : lanes->largest_class[lane];
                lanes->largest[lane] = is_larger ? count : lanes->largest[lane];
            }
        }
    }
}

/* Return whether a count is negative, or a total no finite number. */
TL_INLINE int tl_end_totals(tl_lanes *lanes, int n_nodes) {
    int lane, is_bad = 0;
    for (lane = 0; lane < n_nodes; lane++)
        is_bad |= !(lanes->lowest[lane] >= 0.0) | !(lanes->total[lane] < 0x1p1000);
    /* A node without weight has the impurity 0. */
    TL_EACH_LANE lanes->total[lane] = lanes->total[lane] > 0.0 ? lanes->total[lane] : 1.0;
    TL_EACH_LANE lanes->largest[lane] =
        lanes->largest[lane] > 0.0 ? lanes->largest[lane] : lanes->total[lane];
    return is_bad;
}

TL_INLINE int tl_is_renyi(int criterion) {
    return criterion == TL_RENYI || criterion == TL_RENYI_MEAN;
}

TL_INLINE void tl_take_logs(int first, int width, tl_tile *tile, tl_lanes *lanes) {
    int c, lane;
    for (c = 0; c < width; c++) {
        double number = (double)(first + c);
        TL_EACH_LANE {
            double count = tile->counts[c][lane];
            double log_share = tl_log_share(count, lanes->total[lane]);
            tile->shares[c][lane] = count / lanes->total[lane];
            tile->logs[c][lane] = log_share;
            lanes->log_largest[lane] = lanes->largest_class[lane] == number && count > 0.0
                                           ? log_share
                                           : lanes->log_largest[lane];
        }
    }
}

TL_INLINE void tl_add_terms(int criterion, double order, int is_score, int first, int width,
                            tl_tile *tile, tl_lanes *lanes) {
    int c, lane;
    if (criterion == TL_GINI) {
        for (c = 0; c < width; c++)
            TL_EACH_LANE lanes->sum[lane] +=
                tl_gini_term(tile->counts[c][lane], lanes->total[lane]);
        return;
    }
    if (criterion == TL_ERROR_RATE) return;
    if (is_score && tl_scores_power_sum(criterion, order)) {
        for (c = 0; c < width; c++)
            TL_EACH_LANE lanes->sum[lane] +=
                tl_pow(tile->counts[c][lane] / lanes->total[lane], order);
        return;
    }
    tl_take_logs(first, width, tile, lanes);
    if (criterion == TL_MIN_ENTROPY || (tl_is_renyi(criterion) && !tl_takes_excess(order))) return;
    for (c = 0; c < width; c++) {
        if (criterion == TL_SHANNON) {
            TL_EACH_LANE lanes->sum[lane] +=
                tl_shannon_term(tile->shares[c][lane], tile->logs[c][lane]);
        } else {
            TL_EACH_LANE lanes->sum[lane] +=
                tl_excess_term(order, tile->shares[c][lane], tile->logs[c][lane]);
        }
    }
}

TL_INLINE int tl_needs_ratios(int criterion, double order, const tl_lanes *lanes) {
    int lane, needs = 0;
    if (!tl_is_renyi(criterion)) return 0;
    TL_EACH_LANE needs |= tl_takes_ratios(order, lanes->sum[lane]);
    return needs;
}

TL_INLINE void tl_add_ratios(double order, int first, int width, const tl_tile *tile,
                             tl_lanes *lanes) {
    int c, lane;
    for (c = 0; c < width; c++) {
        double number = (double)(first + c);
        TL_EACH_LANE {
            double term = tl_ratio_term(order, tile->shares[c][lane], tile->logs[c][lane],
                                        lanes->log_largest[lane]);
            lanes->ratio_sum[lane] += lanes->largest_class[lane] == number ? 0.0 : term;
        }
    }
}

TL_INLINE void tl_finish(int criterion, double order, int is_score, double scale, tl_lanes *lanes,
                         int n_nodes, double *impurity) {
    double found[TL_LANES];
    int lane;
    if (is_score && tl_scores_power_sum(criterion, order)) {
        for (lane = 0; lane < n_nodes; lane++)
            impurity[lane] = lanes->total[lane] * lanes->sum[lane];
        return;
    }
    switch (criterion) {
    case TL_GINI:
    case TL_SHANNON:
        TL_EACH_LANE found[lane] = lanes->sum[lane];
        break;
    case TL_TSALLIS:
        TL_EACH_LANE found[lane] = (0.0 - lanes->sum[lane]) / (order - 1.0);
        break;
    case TL_RENYI:
        TL_EACH_LANE found[lane] = tl_renyi_impurity(
            TL_RENYI, order, tl_log_power_sum(order, lanes->sum[lane], lanes->ratio_sum[lane],
                                              lanes->log_largest[lane]));
        break;
    case TL_RENYI_MEAN:
        TL_EACH_LANE found[lane] = tl_renyi_impurity(
            TL_RENYI_MEAN, order,
            tl_log_power_sum(order, lanes->sum[lane], lanes->ratio_sum[lane],
                             lanes->log_largest[lane]));
        break;
    case TL_MIN_ENTROPY:
        TL_EACH_LANE found[lane] = 0.0 - lanes->log_largest[lane];
        break;
    default:
        TL_EACH_LANE found[lane] =
            tl_majority_impurity(TL_ERROR_RATE, lanes->largest[lane], lanes->total[lane]);
    }
    if (is_score) {
        for (lane = 0; lane < n_nodes; lane++)
            impurity[lane] = -lanes->total[lane] * found[lane];
    } else {
        for (lane = 0; lane < n_nodes; lane++) impurity[lane] = scale * found[lane];
    }
}

TL_DEFINE_BLOCK(f64, double)
TL_DEFINE_BLOCK(f32, float)
TL_DEFINE_BLOCK(i64, int64_t)

#endif
