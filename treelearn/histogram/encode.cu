/* Codes of values, as native/binning.h finds them: the number of bin edges below each value. */
#include "launch.h"

/* Some features of a table, and where their edges, bins and codes stand. */
typedef struct {
    const void *values;
    int is_double;
    int64_t row_stride, column_stride; /* in values */
} tl_values;

TL_DEVICE double tl_value(const tl_values *table, int64_t row, int64_t feature) {
    int64_t at = row * table->row_stride + feature * table->column_stride;
    /* The zero of either sign is taken as +0. */
    if (table->is_double) return ((const double *)table->values)[at] + 0.0;
    return (double)(((const float *)table->values)[at] + 0.0f);
}

/* Whole numbers in the order of the numbers, NaN aside. */
TL_DEVICE uint64_t tl_key(double value) {
    uint64_t bits = tl_to_bits(value);
    return bits >> 63 ? ~bits : bits | 0x8000000000000000u;
}

/* found[0]: whether a value is infinite; found[1]: whether one is missing. Both 0 before. The
 * values are n_outer lines of n_inner. */
TL_KERNEL tl_worst(const void *values, int is_double, int64_t n_outer, int64_t n_inner,
                   int64_t outer_stride, int64_t inner_stride, int32_t *found) {
    tl_values table = {values, is_double, outer_stride, inner_stride};
    int64_t i;
    for (i = TL_FIRST; i < n_outer * n_inner; i += TL_STEP) {
        double value = n_outer == 1 ? tl_value(&table, 0, i)
                                    : tl_value(&table, i / n_inner, i % n_inner);
        if (value != value) {
            found[1] = 1;
        } else if (value - value != 0.0) {
            found[0] = 1;
        }
    }
}

/* The number of edges below a value: n_padded of them, a power of two, growing, padded with
 * infinity. */
TL_DEVICE int tl_search(const double *edges, int n_padded, double value) {
    int code = 0, step;
    for (step = n_padded >> 1; step > 0; step >>= 1)
        code += edges[code + step - 1] < value ? step : 0;
    return code;
}

/* Codes of the features `features`, 2^shift of them a block, and a chunk of samples.
 *
 * rows[sample]: the row of a sample, where has_rows. edges: of feature k, n_padded[k] from
 * edge_starts[k] on. lowest, highest: keys of the lowest and the highest value of every bin, those
 * of feature k from bin_starts[k] on; in, out. is_missed[k]: whether a value is missing, 0 before.
 *
 * Edges and keys stand in shared memory where that has room, edges of neighbouring features one
 * bank apart: all lanes begin their search with the same step. */
TL_KERNEL tl_encode(const void *values, int is_double, int64_t row_stride, int64_t column_stride,
                    const int32_t *rows, int has_rows, int64_t n_samples, int n_per_chunk,
                    const int32_t *features, int n_features, int shift, int has_room,
                    int most_edges, const double *edges, const int64_t *edge_starts,
                    const int32_t *n_bins, const int64_t *bin_starts, char *records,
                    int code_bytes, int64_t record_bytes, uint64_t *lowest, uint64_t *highest,
                    int32_t *is_missed) {
    TL_SHARED(uint64_t, shared, TL_SHARED_BYTES / 8);
    tl_values table = {values, is_double, row_stride, column_stride};
    int width = 1 << shift, n_groups = (n_features + width - 1) >> shift, room = most_edges + 1;
    int64_t n_blocks = (n_samples + n_per_chunk - 1) / n_per_chunk * n_groups, block;
    for (block = TL_BLOCK; block < n_blocks; block += TL_N_BLOCKS) {
        int group = (int)(block % n_groups) << shift, k, b;
        int n_here = n_features - group < width ? n_features - group : width;
        int64_t first = block / n_groups * n_per_chunk, i;
        int64_t n = n_samples - first < n_per_chunk ? n_samples - first : n_per_chunk;
        double *own_edges = (double *)shared;
        uint64_t *low = shared + (int64_t)width * room, *high = low + (int64_t)width * most_edges;
        if (has_room) {
            for (k = 0; k < n_here; k++) {
                int f = group + k, n_edges = (int)(edge_starts[f + 1] - edge_starts[f]);
                for (b = (int)TL_THREAD; b < n_edges; b += (int)TL_N_THREADS)
                    own_edges[k * room + b] = edges[edge_starts[f] + b];
                for (b = (int)TL_THREAD; b < n_bins[f]; b += (int)TL_N_THREADS) {
                    low[k * most_edges + b] = ~(uint64_t)0;
                    high[k * most_edges + b] = 0;
                }
            }
            TL_SYNC();
        }
        for (i = TL_THREAD; i < n << shift; i += TL_N_THREADS) {
            int64_t sample = first + (i >> shift), row = has_rows ? rows[sample] : sample;
            int at = (int)(i & (width - 1)), f = group + at, code;
            double value;
            char *record = records + sample * record_bytes;
            if (at >= n_here) continue;
            value = tl_value(&table, row, features[f]);
            if (value != value) {
                code = n_bins[f];
                is_missed[f] = 1;
            } else {
                int n_edges = (int)(edge_starts[f + 1] - edge_starts[f]);
                uint64_t key = tl_key(value);
                if (has_room) {
                    code = tl_search(own_edges + at * room, n_edges, value);
                    /* Read first: few values are lower or higher than all before. */
                    if (key < *(volatile uint64_t *)(low + at * most_edges + code))
                        TL_LOWEST(low + at * most_edges + code, key);
                    if (key > *(volatile uint64_t *)(high + at * most_edges + code))
                        TL_HIGHEST(high + at * most_edges + code, key);
                } else {
                    int64_t bin;
                    code = tl_search(edges + edge_starts[f], n_edges, value);
                    bin = bin_starts[f] + code;
                    if (key < *(volatile uint64_t *)(lowest + bin)) TL_LOWEST(lowest + bin, key);
                    if (key > *(volatile uint64_t *)(highest + bin))
                        TL_HIGHEST(highest + bin, key);
                }
            }
            if (code_bytes == 1)
                ((uint8_t *)record)[features[f]] = (uint8_t)code;
            else
                ((uint16_t *)record)[features[f]] = (uint16_t)code;
        }
        if (has_room) {
            TL_SYNC();
            for (k = 0; k < n_here; k++) {
                int f = group + k;
                for (b = (int)TL_THREAD; b < n_bins[f]; b += (int)TL_N_THREADS) {
                    uint64_t l = low[k * most_edges + b], h = high[k * most_edges + b];
                    if (l < lowest[bin_starts[f] + b]) TL_LOWEST(lowest + bin_starts[f] + b, l);
                    if (h > highest[bin_starts[f] + b])
                        TL_HIGHEST(highest + bin_starts[f] + b, h);
                }
            }
            TL_SYNC();
        }
    }
}
