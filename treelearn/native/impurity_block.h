/* The formulas of impurity.h for many nodes side by side.
 *
 * Nodes lie in lanes, classes one after the other: what one lane computes is, operation by
 * operation, tl_class_impurity of its node, so both give the same bits. The loops over lanes have
 * no branch and become vector code; long formulas are two loops, as a processor sees only so many
 * operations ahead and fills the waiting times of one lane with the next.
 */
#ifndef TREELEARN_IMPURITY_BLOCK_H
#define TREELEARN_IMPURITY_BLOCK_H

#include <string.h>

#include "bits.h"
#include "impurity.h"

/* Nodes of a call, and counts that stay in the first-level cache. */
#define TL_LANES 128
#define TL_TILE 2048

/* What the counts of a block were like, and of what type. */
enum { TL_COUNTS_FINE = 0, TL_COUNTS_BAD = 1 };
enum { TL_FLOAT64 = 0, TL_FLOAT32 = 1, TL_INT64 = 2 };

typedef struct {
    _Alignas(32) double counts[TL_TILE]; /* [class][lane]; lanes beyond the last node hold 0 */
    double total[TL_LANES];
    double lowest[TL_LANES];
    double largest[TL_LANES];
    double sum[TL_LANES];
    double below[TL_LANES];     /* of tl_ratio_sum */
    double n_largest[TL_LANES];
    double shares[TL_LANES]; /* of one class */
    double logs[TL_LANES];
    double exponents[TL_LANES];
} tl_lanes;

#define TL_EACH_LANE for (lane = 0; lane < n_lanes; lane++)

/* Two numbers that are stored together. */
#if defined(__GNUC__)
typedef double tl_pair __attribute__((vector_size(16)));
#define TL_STORE_PAIR(at, a, b) *(tl_pair *)(at) = (tl_pair){a, b}
#else
#define TL_STORE_PAIR(at, a, b) (at)[0] = a, (at)[1] = b
#endif

#define TL_DEFINE_LOAD(suffix, number)                                                         \
    TL_INLINE void tl_load_##suffix(const number *counts, int n_lanes, int n_nodes,            \
                                    int n_classes, int width, double *tile) {                  \
        int c = 0, lane;                                                                       \
        if (n_classes == 2 && n_nodes == n_lanes) {                                            \
            TL_EACH_LANE {                                                                     \
                tile[lane] = (double)counts[2 * lane];                                         \
                tile[n_lanes + lane] = (double)counts[2 * lane + 1];                           \
            }                                                                                  \
            return;                                                                            \
        }                                                                                      \
        /* Two rows after the other, so that memory is read in its order. */                   \
        for (lane = 0; lane < n_lanes && n_nodes == n_lanes; lane += 2) {                      \
            const number *row = counts + (int64_t)lane * n_classes, *next = row + n_classes;   \
            double *target = tile + lane;                                                      \
            for (c = 0; c + 2 <= width; c += 2) {                                              \
                double a = (double)row[c + 1], b = (double)next[c + 1];                        \
                TL_STORE_PAIR(target, (double)row[c], (double)next[c]);                        \
                TL_STORE_PAIR(target + n_lanes, a, b);                                         \
                target += 2 * n_lanes;                                                         \
            }                                                                                  \
        }                                                                                      \
        for (; c < width; c++)                                                                 \
            for (lane = 0; lane < n_nodes; lane++)                                             \
                tile[c * n_lanes + lane] = (double)counts[(int64_t)lane * n_classes + c];      \
    }
TL_DEFINE_LOAD(f64, double)
TL_DEFINE_LOAD(f32, float)
TL_DEFINE_LOAD(i64, int64_t)

/* Fill the tile with the counts of some classes. counts: of node i and class c at
 * i * n_classes + c. */
TL_INLINE void tl_load(int type, const void *counts, int n_lanes, int n_nodes, int n_classes,
                       int first, int width, tl_lanes *lanes) {
    if (type == TL_FLOAT64)
        tl_load_f64((const double *)counts + first, n_lanes, n_nodes, n_classes, width,
                    lanes->counts);
    else if (type == TL_FLOAT32)
        tl_load_f32((const float *)counts + first, n_lanes, n_nodes, n_classes, width,
                    lanes->counts);
    else
        tl_load_i64((const int64_t *)counts + first, n_lanes, n_nodes, n_classes, width,
                    lanes->counts);
}

/* Ask for memory that is read soon; return where what follows it begins. */
TL_INLINE const char *tl_prefetch(const char *ahead, int n_bytes) {
    int at;
    for (at = 0; at < n_bytes; at += 64) TL_PREFETCH(ahead + at);
    return ahead + n_bytes;
}

/* Whether the criterion asks for the largest class. */
TL_INLINE int tl_sees_largest(int criterion) {
    return criterion == TL_RENYI || criterion == TL_RENYI_MEAN || criterion == TL_ERROR_RATE ||
           criterion == TL_MIN_ENTROPY;
}

/* The first class begins what the others add to: zeros would be stored by a call. */
TL_INLINE void tl_begin_totals(int criterion, int n_lanes, tl_lanes *lanes) {
    int lane;
    TL_EACH_LANE {
        double count = lanes->counts[lane];
        lanes->total[lane] = 0.0 + count;
        lanes->lowest[lane] = count < 0.0 ? count : 0.0;
    }
    if (tl_sees_largest(criterion)) {
        TL_EACH_LANE {
            double count = lanes->counts[lane];
            lanes->largest[lane] = count > 0.0 ? count : 0.0;
        }
    }
}

TL_INLINE void tl_add_totals(int criterion, int n_lanes, int c, tl_lanes *lanes) {
    const double *counts = lanes->counts + c * n_lanes;
    int lane;
    TL_EACH_LANE {
        lanes->total[lane] += counts[lane];
        lanes->lowest[lane] =
            counts[lane] < lanes->lowest[lane] ? counts[lane] : lanes->lowest[lane];
    }
    if (tl_sees_largest(criterion)) {
        TL_EACH_LANE lanes->largest[lane] =
            counts[lane] > lanes->largest[lane] ? counts[lane] : lanes->largest[lane];
    }
}

/* Return whether a count is negative, or a total no finite number. */
TL_INLINE int tl_end_totals(int criterion, int n_lanes, tl_lanes *lanes) {
    int64_t is_bad = 0;
    int lane;
    TL_EACH_LANE {
        is_bad |= lanes->lowest[lane] >= 0.0 ? 0 : 1;
        is_bad |= lanes->total[lane] < 0x1p960 ? 0 : 1;
        /* A node without weight has the impurity 0. */
        lanes->total[lane] = lanes->total[lane] > 0.0 ? lanes->total[lane] : 1.0;
        /* Sums begin with 0, which the lowest is where no count is negative. */
        lanes->sum[lane] = lanes->lowest[lane];
    }
    if (tl_sees_largest(criterion)) {
        TL_EACH_LANE lanes->largest[lane] =
            lanes->largest[lane] > 0.0 ? lanes->largest[lane] : lanes->total[lane];
    }
    return is_bad != 0;
}

TL_INLINE int tl_is_renyi(int criterion) {
    return criterion == TL_RENYI || criterion == TL_RENYI_MEAN;
}

/* Set the logarithms of counts divided by others. */
TL_INLINE void tl_take_logs(int n_lanes, const double *counts, const double *divisors,
                            tl_lanes *lanes) {
    int lane;
    TL_EACH_LANE {
        double exponent;
        lanes->logs[lane] = tl_reduce_quotient(counts[lane], divisors[lane], &exponent);
        lanes->exponents[lane] = exponent;
    }
    TL_EACH_LANE lanes->logs[lane] =
        tl_log_of_reduced(lanes->logs[lane], lanes->exponents[lane]);
}

TL_INLINE void tl_take_shares(int n_lanes, const double *counts, tl_lanes *lanes) {
    int lane;
    TL_EACH_LANE lanes->shares[lane] = counts[lane] / lanes->total[lane];
    tl_take_logs(n_lanes, counts, lanes->total, lanes);
}

/* Next to order 1 all exponents are so small that tl_expm1 has nothing to reduce: its bits then
 * are those of its polynomial. */
TL_INLINE void tl_add_excess(double order, int n_lanes, tl_lanes *lanes) {
    int64_t is_large = 0;
    int lane;
    TL_EACH_LANE {
        double exponent = (order - 1.0) * lanes->logs[lane];
        lanes->exponents[lane] = exponent;
        is_large |= lanes->shares[lane] > 0.0 && !(fabs(exponent) < 0.34) ? 1 : 0;
    }
    if (is_large) {
        TL_EACH_LANE lanes->sum[lane] +=
            tl_excess_term(order, lanes->shares[lane], lanes->logs[lane]);
    } else {
        TL_EACH_LANE {
            double x = lanes->exponents[lane];
            lanes->sum[lane] += lanes->shares[lane] * (x + x * x * tl_exp_tail(x));
        }
    }
}

TL_INLINE void tl_add_terms(int criterion, double order, int is_score, int n_lanes, int width,
                            tl_lanes *lanes) {
    int c, lane;
    if (criterion == TL_GINI) {
        for (c = 0; c < width; c++) {
            const double *counts = lanes->counts + c * n_lanes;
            TL_EACH_LANE lanes->sum[lane] += tl_gini_term(counts[lane], lanes->total[lane]);
        }
    } else if (criterion == TL_SHANNON) {
        for (c = 0; c < width; c++) {
            tl_take_shares(n_lanes, lanes->counts + c * n_lanes, lanes);
            TL_EACH_LANE lanes->sum[lane] +=
                tl_shannon_term(lanes->shares[lane], lanes->logs[lane]);
        }
    } else if (is_score && tl_scores_power_sum(criterion, order)) {
        for (c = 0; c < width; c++) {
            const double *counts = lanes->counts + c * n_lanes;
            TL_EACH_LANE lanes->sum[lane] += tl_pow(counts[lane] / lanes->total[lane], order);
        }
    } else if (criterion == TL_TSALLIS || (tl_is_renyi(criterion) && tl_takes_excess(order))) {
        for (c = 0; c < width; c++) {
            tl_take_shares(n_lanes, lanes->counts + c * n_lanes, lanes);
            tl_add_excess(order, n_lanes, lanes);
        }
    }
}

TL_INLINE int tl_needs_ratios(int criterion, double order, int n_lanes, const tl_lanes *lanes) {
    int64_t needs = 0;
    int lane;
    if (!tl_is_renyi(criterion)) return 0;
    TL_EACH_LANE needs |= tl_takes_ratios(order, lanes->sum[lane]) ? 1 : 0;
    return needs != 0;
}

TL_INLINE void tl_begin_ratios(int n_lanes, tl_lanes *lanes) {
    int lane;
    TL_EACH_LANE {
        lanes->below[lane] = lanes->lowest[lane];
        lanes->n_largest[lane] = lanes->lowest[lane];
    }
}

TL_INLINE void tl_add_ratios(double order, int n_lanes, const double *counts, tl_lanes *lanes) {
    int lane;
    tl_take_logs(n_lanes, counts, lanes->largest, lanes);
    TL_EACH_LANE lanes->logs[lane] = tl_ratio_exponent(order, counts[lane], lanes->logs[lane]);
    TL_EACH_LANE {
        double is_largest = counts[lane] == lanes->largest[lane] ? 1.0 : 0.0;
        lanes->below[lane] += (1.0 - is_largest) * tl_exp_negative(lanes->logs[lane]);
        lanes->n_largest[lane] += is_largest;
    }
}

/* Of two classes one is the largest, and one term enough. */
TL_INLINE void tl_add_ratio_of_two(double order, int n_lanes, tl_lanes *lanes) {
    int lane;
    TL_EACH_LANE {
        double a = lanes->counts[lane], b = lanes->counts[n_lanes + lane];
        lanes->shares[lane] = a < b ? a : b;
    }
    tl_add_ratios(order, n_lanes, lanes->shares, lanes);
    TL_EACH_LANE lanes->n_largest[lane] += 1.0;
}

/* In and out: the sums, which become the impurities. */
TL_INLINE void tl_finish_renyi(int criterion, double order, int takes_ratios, int n_lanes,
                               tl_lanes *lanes) {
    int lane;
    if (takes_ratios) {
        tl_take_logs(n_lanes, lanes->largest, lanes->total, lanes);
        TL_EACH_LANE {
            double ratio_sum = tl_ratio_sum(lanes->below[lane], lanes->n_largest[lane]);
            lanes->sum[lane] =
                tl_log_power_sum(order, lanes->sum[lane], ratio_sum, lanes->logs[lane]);
        }
    } else {
        TL_EACH_LANE lanes->sum[lane] = tl_log1p(lanes->sum[lane]);
    }
    if (criterion == TL_RENYI) {
        TL_EACH_LANE lanes->sum[lane] = tl_renyi_impurity(TL_RENYI, order, lanes->sum[lane]);
    } else {
        TL_EACH_LANE lanes->sum[lane] =
            tl_renyi_impurity(TL_RENYI_MEAN, order, lanes->sum[lane]);
    }
}

TL_INLINE void tl_finish(int criterion, double order, int is_score, int takes_ratios,
                         double scale, int n_lanes, tl_lanes *lanes, double *impurity) {
    int lane;
    if (is_score && tl_scores_power_sum(criterion, order)) {
        TL_EACH_LANE impurity[lane] = lanes->total[lane] * lanes->sum[lane];
        return;
    }
    if (criterion == TL_TSALLIS) {
        TL_EACH_LANE lanes->sum[lane] = (0.0 - lanes->sum[lane]) / (order - 1.0);
    } else if (tl_is_renyi(criterion)) {
        tl_finish_renyi(criterion, order, takes_ratios, n_lanes, lanes);
    } else if (criterion == TL_MIN_ENTROPY) {
        TL_EACH_LANE lanes->sum[lane] =
            tl_majority_impurity(TL_MIN_ENTROPY, lanes->largest[lane], lanes->total[lane]);
    } else if (criterion == TL_ERROR_RATE) {
        TL_EACH_LANE lanes->sum[lane] =
            tl_majority_impurity(TL_ERROR_RATE, lanes->largest[lane], lanes->total[lane]);
    }
    if (is_score) {
        TL_EACH_LANE impurity[lane] = -lanes->total[lane] * lanes->sum[lane];
    } else {
        /* A pure node has a plain 0, not -0. */
        TL_EACH_LANE impurity[lane] = scale * lanes->sum[lane] + 0.0;
    }
}

/* impurity[i] = scale * the impurity of node i, or the score that a search adds up. type and
 * n_bytes: of a count; at most n_lanes nodes. */
TL_INLINE int tl_impurity_lanes(int n_lanes, int type, int n_bytes, int criterion, double order,
                                const void *counts, int n_nodes, int n_classes, double scale,
                                int is_score, tl_lanes *lanes, double *impurity) {
    /* The nodes that come next: while these are computed, theirs are fetched. */
    const char *ahead = (const char *)counts + (int64_t)n_nodes * n_classes * n_bytes;
    double found[TL_LANES];
    int most = TL_TILE / n_lanes, is_whole = n_classes <= most, first, width, c, takes_ratios;
    if (n_nodes < n_lanes)
        memset(lanes->counts, 0, (is_whole ? n_classes : most) * n_lanes * sizeof(double));
    for (first = 0; first < n_classes; first += most) {
        width = n_classes - first < most ? n_classes - first : most;
        tl_load(type, counts, n_lanes, n_nodes, n_classes, first, width, lanes);
        if (first == 0) tl_begin_totals(criterion, n_lanes, lanes);
        for (c = first == 0; c < width; c++) {
            ahead = tl_prefetch(ahead, n_lanes * n_bytes);
            tl_add_totals(criterion, n_lanes, c, lanes);
        }
    }
    if (tl_end_totals(criterion, n_lanes, lanes)) return TL_COUNTS_BAD;
    for (first = 0; first < n_classes; first += most) {
        width = n_classes - first < most ? n_classes - first : most;
        if (!is_whole)
            tl_load(type, counts, n_lanes, n_nodes, n_classes, first, width, lanes);
        tl_add_terms(criterion, order, is_score, n_lanes, width, lanes);
    }
    takes_ratios = tl_needs_ratios(criterion, order, n_lanes, lanes);
    if (takes_ratios) {
        tl_begin_ratios(n_lanes, lanes);
        for (first = 0; first < n_classes; first += most) {
            width = n_classes - first < most ? n_classes - first : most;
            if (!is_whole)
                tl_load(type, counts, n_lanes, n_nodes, n_classes, first, width, lanes);
            if (n_classes == 2) {
                tl_add_ratio_of_two(order, n_lanes, lanes);
            } else {
                for (c = 0; c < width; c++)
                    tl_add_ratios(order, n_lanes, lanes->counts + c * n_lanes, lanes);
            }
        }
    }
    if (n_nodes == n_lanes) {
        tl_finish(criterion, order, is_score, takes_ratios, scale, n_lanes, lanes, impurity);
    } else {
        tl_finish(criterion, order, is_score, takes_ratios, scale, n_lanes, lanes, found);
        memcpy(impurity, found, n_nodes * sizeof(double));
    }
    return TL_COUNTS_FINE;
}

/* The same of any number of nodes. */
TL_VERSIONS static int tl_impurity_block(int type, int criterion, double order,
                                         const void *counts, int64_t n_nodes, int n_classes,
                                         double scale, int is_score, double *impurity) {
    const int n_bytes = type == TL_FLOAT32 ? sizeof(float) : sizeof(double); /* int64: as these */
    tl_lanes lanes;
    int64_t first, n;
    int n_lanes = TL_LANES, status = TL_COUNTS_FINE;
    /* Fewer nodes at once where their classes then fit into a tile, or where there are no more. */
    while (n_lanes > 16 && ((int64_t)n_lanes * n_classes > TL_TILE || n_nodes <= n_lanes / 2))
        n_lanes /= 2;
    n_lanes &= ~15; /* so that the compiler sees that vectors divide it */
    for (first = 0; first < n_nodes && status == TL_COUNTS_FINE; first += n_lanes) {
        n = n_nodes - first < n_lanes ? n_nodes - first : n_lanes;
        status = tl_impurity_lanes(n_lanes, type, n_bytes, criterion, order,
                                   (const char *)counts + first * n_classes * n_bytes,
                                   (int)n, n_classes, scale, is_score, &lanes,
                                   impurity + first);
    }
    return status;
}

#endif
