/* Codes of values: the number of bin edges below each value.
 *
 * A column's edges are the highest values of its bins but the last, growing, padded with infinity
 * to a power of two. Where they lie evenly enough, a value's place on a regular grid tells all but
 * the last few of them, as many as lie in one cell of the grid at most; else all lanes of a block
 * search together, so that the steps of one search fill the waiting times of the others. Nothing
 * branches on the data but a new lowest or highest value.
 */
#ifndef TREELEARN_BINNING_H
#define TREELEARN_BINNING_H

#include <stdint.h>
#include <string.h>

#define TL_LANES 16
#define TL_GRID 2048        /* cells of a grid; fewer values do not pay for one */
#define TL_GRID_STEPS 3     /* most edges in one of them */
#define TL_FEWEST_GRID 16   /* fewer edges are searched at once */

/* The place on the grid grows with the value, rounding included: what is in a lower cell is
 * smaller. */
#define TL_DEFINE_PLACES(NAME, REAL)                                                          \
    static inline void NAME(const REAL *value, REAL origin, REAL scale, int n,                \
                            int32_t *place) {                                                 \
        int i;                                                                                \
        for (i = 0; i < n; i++) {                                                             \
            REAL x = (value[i] - origin) * scale;                                             \
            x = x > 0 ? x : 0;                                                                \
            place[i] = (int32_t)(x < TL_GRID - 1 ? x : TL_GRID - 1);                          \
        }                                                                                     \
    }
TL_DEFINE_PLACES(tl_places_float, float)
TL_DEFINE_PLACES(tl_places_double, double)

/* Set the number of edges in lower cells for every cell. Returns the most edges in one cell, 0
 * where the grid does not serve. */
#define TL_DEFINE_GRID(NAME, PLACES, REAL)                                                    \
    static int NAME(const REAL *edges, int64_t n_edges, REAL *origin, REAL *scale,            \
                    uint16_t *below) {                                                        \
        int32_t place, cell = 0;                                                              \
        int64_t i, n_inside = 0, most = 0;                                                    \
        if (n_edges < TL_FEWEST_GRID) return 0;                                               \
        *origin = edges[0];                                                                   \
        *scale = TL_GRID / (edges[n_edges - 1] - edges[0]);                                   \
        if (!(*scale > 0) || *scale > (REAL)1e30) return 0;                                   \
        below[0] = 0;                                                                         \
        for (i = 0; i < n_edges; i++) {                                                       \
            PLACES(edges + i, *origin, *scale, 1, &place);                                    \
            n_inside = place == cell ? n_inside + 1 : 1;                                      \
            while (cell < place) below[++cell] = (uint16_t)i;                                 \
            most = n_inside > most ? n_inside : most;                                         \
        }                                                                                     \
        while (cell < TL_GRID - 1) below[++cell] = (uint16_t)n_edges;                         \
        return most <= TL_GRID_STEPS ? (int)most : 0;                                         \
    }
TL_DEFINE_GRID(tl_grid_float, tl_places_float, float)
TL_DEFINE_GRID(tl_grid_double, tl_places_double, double)

/* value: TL_LANES values; edges: n_padded of them, n_padded a power of two; code: out */
#define TL_DEFINE_SEARCH(NAME, REAL)                                                          \
    static inline void NAME(const REAL *value, const REAL *edges, uint32_t n_padded,          \
                            uint32_t *code) {                                                 \
        uint32_t step;                                                                        \
        int i;                                                                                \
        for (i = 0; i < TL_LANES; i++) code[i] = 0;                                           \
        for (step = n_padded >> 1; step > 0; step >>= 1) {                                    \
            for (i = 0; i < TL_LANES; i++)                                                    \
                code[i] += edges[code[i] + step - 1] < value[i] ? step : 0;                   \
        }                                                                                     \
    }
TL_DEFINE_SEARCH(tl_search_float, float)
TL_DEFINE_SEARCH(tl_search_double, double)

/* Encode n values that lie value_stride bytes apart into codes that lie code_stride bytes apart.
 * lowest, highest: of each bin, in and out, NULL where they are not asked for; the zero of either
 * sign is taken as +0. Returns how many values were missing; they get the code missing_code. */
#define TL_DEFINE_ENCODE(NAME, SEARCH, GRID, PLACES, REAL, CODE)                              \
    static int64_t NAME(const char *values, int64_t value_stride, int64_t n,                  \
                        const REAL *edges, uint32_t n_padded, uint32_t missing_code,          \
                        char *codes, int64_t code_stride, REAL *lowest, REAL *highest) {      \
        REAL value[TL_LANES], origin = 0, scale = 0;                                          \
        uint32_t code[TL_LANES];                                                              \
        int32_t place[TL_LANES];                                                              \
        uint16_t below[TL_GRID];                                                              \
        int64_t start, n_missing = 0;                                                         \
        int n_steps = 0, step;                                                                \
        if (n >= TL_GRID)                                                                     \
            n_steps = GRID(edges, (int64_t)missing_code - 1, &origin, &scale, below);         \
        for (start = 0; start < n; start += TL_LANES) {                                       \
            int n_lanes = n - start < TL_LANES ? (int)(n - start) : TL_LANES, i;              \
            for (i = 0; i < n_lanes; i++) {                                                   \
                REAL raw;                                                                     \
                memcpy(&raw, values, sizeof raw);                                             \
                value[i] = raw + (REAL)0;                                                     \
                values += value_stride;                                                       \
            }                                                                                 \
            for (; i < TL_LANES; i++) value[i] = 0;                                           \
            if (n_steps > 0) {                                                                \
                PLACES(value, origin, scale, TL_LANES, place);                                \
                for (i = 0; i < TL_LANES; i++) code[i] = below[place[i]];                     \
                for (step = 0; step < n_steps; step++) {                                      \
                    for (i = 0; i < TL_LANES; i++) code[i] += edges[code[i]] < value[i];      \
                }                                                                             \
            } else {                                                                          \
                SEARCH(value, edges, n_padded, code);                                         \
            }                                                                                 \
            for (i = 0; i < n_lanes; i++) {                                                   \
                if (value[i] != value[i]) {                                                   \
                    n_missing++;                                                              \
                    code[i] = missing_code;                                                   \
                } else if (lowest != 0) {                                                     \
                    if (value[i] < lowest[code[i]]) lowest[code[i]] = value[i];               \
                    if (value[i] > highest[code[i]]) highest[code[i]] = value[i];             \
                }                                                                             \
                *(CODE *)codes = (CODE)code[i];                                               \
                codes += code_stride;                                                         \
            }                                                                                 \
        }                                                                                     \
        return n_missing;                                                                     \
    }
TL_DEFINE_ENCODE(tl_encode_float_8, tl_search_float, tl_grid_float, tl_places_float, float,
                 uint8_t)
TL_DEFINE_ENCODE(tl_encode_float_16, tl_search_float, tl_grid_float, tl_places_float, float,
                 uint16_t)
TL_DEFINE_ENCODE(tl_encode_double_8, tl_search_double, tl_grid_double, tl_places_double, double,
                 uint8_t)
TL_DEFINE_ENCODE(tl_encode_double_16, tl_search_double, tl_grid_double, tl_places_double, double,
                 uint16_t)

static inline int64_t tl_encode(int is_double, int code_bytes, const char *values,
                                int64_t value_stride, int64_t n, const void *edges,
                                uint32_t n_padded, uint32_t missing_code, char *codes,
                                int64_t code_stride, void *lowest, void *highest) {
    if (is_double && code_bytes == 1)
        return tl_encode_double_8(values, value_stride, n, (const double *)edges, n_padded,
                                  missing_code, codes, code_stride, (double *)lowest,
                                  (double *)highest);
    if (is_double)
        return tl_encode_double_16(values, value_stride, n, (const double *)edges, n_padded,
                                   missing_code, codes, code_stride, (double *)lowest,
                                   (double *)highest);
    if (code_bytes == 1)
        return tl_encode_float_8(values, value_stride, n, (const float *)edges, n_padded,
                                 missing_code, codes, code_stride, (float *)lowest,
                                 (float *)highest);
    return tl_encode_float_16(values, value_stride, n, (const float *)edges, n_padded,
                              missing_code, codes, code_stride, (float *)lowest, (float *)highest);
}

#endif
