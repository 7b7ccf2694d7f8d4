/* Rows to the places of their leaves: many rows walk abreast and no step has a branch.
 *
 * A step is one entry for every node; the two children of a node stand side by side, and a leaf is
 * its own left child, so that a row that has arrived stays while the others walk on. The threshold
 * of a leaf is a NaN, than which nothing is larger; its spare bits hold the number that the leaf
 * leads to.
 */
#ifndef TREELEARN_ROUTE_H
#define TREELEARN_ROUTE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bits.h"
#include "portable.h"

/* Rows of one call at most: some fifty microseconds. */
enum { TL_ROWS_PER_CHUNK = 1024 };
/* The steps of the others fill the time in which one row waits for its node and its value; 8 and 16
 * abreast take 1.02 to 1.08 times as long. */
enum { TL_ROWS_ABREAST = 12 };
/* Levels from one look for those that have arrived to the next; 2 and 4 take as long. */
enum { TL_LEVELS_AT_ONCE = 3 };

/* Rows of so many bytes are fetched while those of the chunk before walk: 1.03 to 1.05 times as
 * fast where X is larger than the caches. */
enum { TL_MOST_FETCHED = 512 };
enum { TL_CACHE_LINE = 64 };

/* Bits of the number that a leaf holds. */
enum { TL_NARROW_BITS = 22, TL_WIDE_BITS = 31 };

/* For values of either width. */
typedef struct {
    double threshold;
    uint32_t column; /* feature << 1 | whether missing values go right */
    int32_t left;    /* place of the left child, the right one follows; of a leaf: its own */
} tl_step;

/* Half of the memory, for values of float32: the largest float32 that is not above a threshold
 * divides them as the threshold does. */
typedef struct {
    float threshold;
    uint32_t way; /* left << shift | column */
} tl_narrow_step;

typedef struct {
    const void *steps;
    int shift;     /* bits of the column in a narrow step; 0: the steps are wide */
    uint32_t even; /* those of them that hold twice the feature */
    int n_levels;  /* before the first look for rows that have arrived; at least 1 */
} tl_walk;

/* The arguments after the walk are constants wherever one of these is called. */

/* In a leaf no value is larger, and missing values go left. */
TL_INLINE uint64_t tl_next_place(const tl_walk *walk, int is_narrow, int is_double, int may_miss,
                                 uint64_t place, const char *row, ptrdiff_t column_stride) {
    uint64_t left;
    uint32_t column, even; /* bit 0 tells where missing values go; even: twice the feature */
    const char *at;
    int goes_right;
    if (is_narrow) {
        uint32_t way = ((const tl_narrow_step *)walk->steps)[place].way;
        left = way >> walk->shift;
        column = way;
        even = way & walk->even;
    } else {
        const tl_step *step = (const tl_step *)walk->steps + place;
        left = (uint64_t)step->left;
        column = step->column;
        even = column & ~(uint32_t)1;
    }
    /* Of neighbouring values the way is no product. */
    if (column_stride == sizeof(float))
        at = row + 2 * (size_t)even;
    else if (column_stride == sizeof(double))
        at = row + 4 * (size_t)even;
    else
        at = row + (ptrdiff_t)(even >> 1) * column_stride;
    if (is_narrow) {
        float value = *(const float *)at;
        goes_right = value > ((const tl_narrow_step *)walk->steps)[place].threshold;
        if (may_miss) goes_right |= (value != value) & (int)(column & 1);
    } else {
        double value = is_double ? *(const double *)at : *(const float *)at;
        goes_right = value > ((const tl_step *)walk->steps)[place].threshold;
        if (may_miss) goes_right |= (value != value) & (int)(column & 1);
    }
    return left + (uint64_t)goes_right;
}

TL_INLINE int tl_is_leaf(const tl_walk *walk, int is_narrow, uint64_t place) {
    if (is_narrow)
        return ((const tl_narrow_step *)walk->steps)[place].way >> walk->shift == place;
    return (uint64_t)((const tl_step *)walk->steps)[place].left == place;
}

/* The number that a leaf leads to. */
TL_INLINE uint64_t tl_number(const tl_walk *walk, int is_narrow, uint64_t place) {
    if (is_narrow) {
        uint32_t bits;
        memcpy(&bits, &((const tl_narrow_step *)walk->steps)[place].threshold, sizeof bits);
        return bits & (((uint32_t)1 << TL_NARROW_BITS) - 1);
    } else {
        uint64_t bits;
        memcpy(&bits, &((const tl_step *)walk->steps)[place].threshold, sizeof bits);
        return bits & (((uint64_t)1 << TL_WIDE_BITS) - 1);
    }
}

/* The leaf of one row alone. */
TL_INLINE uint64_t tl_walk_on(const tl_walk *walk, int is_narrow, int is_double, int may_miss,
                              uint64_t place, const char *row, ptrdiff_t column_stride) {
    while (!tl_is_leaf(walk, is_narrow, place))
        place = tl_next_place(walk, is_narrow, is_double, may_miss, place, row, column_stride);
    return place;
}

/* All rows of a chunk go on by the same number of levels, and those that have arrived leave. */
TL_INLINE void tl_route_rows(const tl_walk *shared, const int64_t *held, const char *X,
                             int64_t n_rows, ptrdiff_t row_stride, ptrdiff_t column_stride,
                             int64_t *out, int is_narrow, int is_double, int may_miss) {
    const tl_walk here = *shared, *walk = &here; /* no write to `out` can change it */
    uint32_t number[TL_ROWS_PER_CHUNK + TL_ROWS_ABREAST]; /* of a row that walks */
    uint32_t at[TL_ROWS_PER_CHUNK + TL_ROWS_ABREAST];     /* its place */
    int n_walking = (int)n_rows, n_levels = walk->n_levels, is_first = 1, i, k;
    for (k = 0; k < n_walking; k++) {
        number[k] = (uint32_t)k;
        at[k] = 0;
    }
    while (n_walking > 0) {
        int first, n_left = 0;
        /* The last group is filled up with a row that walks once more. */
        for (k = n_walking; k % TL_ROWS_ABREAST != 0; k++) {
            number[k] = number[0];
            at[k] = at[0];
        }
        for (first = 0; first < n_walking; first += TL_ROWS_ABREAST) {
            uint64_t place[TL_ROWS_ABREAST];
            const char *row[TL_ROWS_ABREAST];
            for (k = 0; k < TL_ROWS_ABREAST; k++) {
                place[k] = at[first + k];
                row[k] = X + (ptrdiff_t)number[first + k] * row_stride;
                if (is_first && row_stride <= TL_MOST_FETCHED)
                    for (i = 0; i < row_stride; i += TL_CACHE_LINE)
                        TL_PREFETCH(row[k] + n_rows * row_stride + i);
            }
            for (i = 0; i < n_levels; i++)
                for (k = 0; k < TL_ROWS_ABREAST; k++)
                    place[k] = tl_next_place(walk, is_narrow, is_double, may_miss, place[k],
                                             row[k], column_stride);
            for (k = 0; k < TL_ROWS_ABREAST; k++) at[first + k] = (uint32_t)place[k];
        }
        /* Whether a row has arrived cannot be foretold: its place is written anyway, and the last
         * one is its leaf. */
        for (k = 0; k < n_walking; k++) {
            uint32_t place = at[k], row = number[k];
            out[row] = (int64_t)place;
            number[n_left] = row;
            at[n_left] = place;
            n_left += !tl_is_leaf(walk, is_narrow, place);
        }
        n_walking = n_left;
        n_levels = TL_LEVELS_AT_ONCE;
        is_first = 0;
    }
    for (k = 0; k < (int)n_rows; k++)
        out[k] = held[tl_number(walk, is_narrow, (uint64_t)out[k])];
}

/* Reads the steps in their order, so that rows find them in a cache: fetched one by one by the rows
 * that need them first, they come several times as slowly. */
static void tl_read_ahead(const tl_walk *walk, int64_t n_bytes) {
    const volatile char *bytes = (const volatile char *)walk->steps;
    int64_t i;
    for (i = 0; i < n_bytes; i += TL_CACHE_LINE) (void)bytes[i];
}

/* At most TL_ROWS_PER_CHUNK rows. */
static void tl_route(const tl_walk *walk, const int64_t *held, /* by number */
                     const char *X, int64_t n_rows, ptrdiff_t row_stride, ptrdiff_t column_stride,
                     int64_t *out, /* out: what the leaf of every row holds */
                     int is_double, int may_miss) {
    ptrdiff_t size = is_double ? sizeof(double) : sizeof(float);
    int kind = is_double ? 2 : walk->shift != 0;
#define TL_ROUTE(stride, is_narrow, is_double, may_miss)                                          \
    tl_route_rows(walk, held, X, n_rows, row_stride, stride, out, is_narrow, is_double, may_miss)
    switch (4 * kind + 2 * (may_miss != 0) + (column_stride == size)) {
        case 0: case 2: TL_ROUTE(column_stride, 0, 0, 1); break;
        case 1: case 3: TL_ROUTE(sizeof(float), 0, 0, 1); break;
        case 4: TL_ROUTE(column_stride, 1, 0, 0); break;
        case 5: TL_ROUTE(sizeof(float), 1, 0, 0); break;
        case 6: TL_ROUTE(column_stride, 1, 0, 1); break;
        case 7: TL_ROUTE(sizeof(float), 1, 0, 1); break;
        case 8: TL_ROUTE(column_stride, 0, 1, 0); break;
        case 9: TL_ROUTE(sizeof(double), 0, 1, 0); break;
        case 10: TL_ROUTE(column_stride, 0, 1, 1); break;
        default: TL_ROUTE(sizeof(double), 0, 1, 1); break;
    }
#undef TL_ROUTE
}

/* One row of float64 by wide steps, neighbouring values. */
static uint64_t tl_number_of_row(const tl_walk *walk, const double *row) {
    return tl_number(walk, 0, tl_walk_on(walk, 0, 1, 1, 0, (const char *)row, sizeof(double)));
}

#endif
