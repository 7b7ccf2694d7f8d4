/* Codes of values: the number of bin edges below each value.
 *
 * A column's edges are the highest values of its bins but the last, growing, padded with infinity
 * to a power of two. All lanes of a block search together, so that the steps of one search fill
 * the waiting times of the others; nothing branches on the data but a new lowest or highest value.
 */
#ifndef TREELEARN_BINNING_H
#define TREELEARN_BINNING_H

#include <stdint.h>
#include <string.h>

#define TL_LANES 16

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
#define TL_DEFINE_ENCODE(NAME, SEARCH, REAL, CODE)                                            \
    static int64_t NAME(const char *values, int64_t value_stride, int64_t n,                  \
                        const REAL *edges, uint32_t n_padded, uint32_t missing_code,          \
                        char *codes, int64_t code_stride, REAL *lowest, REAL *highest) {      \
        REAL value[TL_LANES];                                                                 \
        uint32_t code[TL_LANES];                                                              \
        int64_t start, n_missing = 0;                                                         \
        for (start = 0; start < n; start += TL_LANES) {                                       \
            int n_lanes = n - start < TL_LANES ? (int)(n - start) : TL_LANES, i;              \
            for (i = 0; i < n_lanes; i++) {                                                   \
                REAL raw;                                                                     \
                memcpy(&raw, values, sizeof raw);                                             \
                value[i] = raw + (REAL)0;                                                     \
                values += value_stride;                                                       \
            }                                                                                 \
            for (; i < TL_LANES; i++) value[i] = 0;                                           \
            SEARCH(value, edges, n_padded, code);                                             \
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
TL_DEFINE_ENCODE(tl_encode_float_8, tl_search_float, float, uint8_t)
TL_DEFINE_ENCODE(tl_encode_float_16, tl_search_float, float, uint16_t)
TL_DEFINE_ENCODE(tl_encode_double_8, tl_search_double, double, uint8_t)
TL_DEFINE_ENCODE(tl_encode_double_16, tl_search_double, double, uint16_t)

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
