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

/* The steps of the others fill the time in which one row waits for its node and its value; six
 * abreast take 1.1 to 1.2 times as long, thirty-two 1.2 to 1.3 times. */
enum { TL_ROWS_ABREAST = 16 };
/* Rows on their way at a time: those that have arrived make room for the next ones, so that
 * nobody waits for the deepest leaf. */
enum { TL_ROWS_WALKING = 128 };
/* Levels from one look for those that have arrived to the next; three take 1.1 times as long. */
enum { TL_LEVELS_AT_ONCE = 5 };

/* Rows of so many bytes are fetched while those of the chunk before walk: 1.03 to 1.05 times as
 * fast where X is larger than the caches. */
enum { TL_MOST_FETCHED = 512, TL_CACHE_LINE = 64 };

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

TL_INLINE void tl_route_rows(const tl_walk *shared, const int64_t *held, const char *X,
                             int64_t n_rows, ptrdiff_t row_stride, ptrdiff_t column_stride,
                             int64_t *out, int is_narrow, int is_double, int may_miss) {
    const tl_walk here = *shared, *walk = &here; /* no write to `out` can change it */
    const char *row[TL_ROWS_WALKING];
    uint64_t at[TL_ROWS_WALKING]; /* number of the row << 32 | place */
    int64_t next = 0;
    int n_walking = 0, k;
    for (;;) {
        int first, n_left = 0;
        for (; n_walking < TL_ROWS_WALKING && next < n_rows; n_walking++, next++) {
            row[n_walking] = X + next * row_stride;
            if (row_stride <= TL_MOST_FETCHED)
                for (k = 0; k < row_stride; k += TL_CACHE_LINE)
                    TL_PREFETCH(row[n_walking] + n_rows * row_stride + k);
            at[n_walking] = (uint64_t)next << 32;
        }
        if (n_walking < TL_ROWS_ABREAST) break;
        for (first = 0; first + TL_ROWS_ABREAST <= n_walking; first += TL_ROWS_ABREAST) {
            uint64_t place[TL_ROWS_ABREAST];
            int level;
            for (k = 0; k < TL_ROWS_ABREAST; k++) place[k] = (uint32_t)at[first + k];
            for (level = 0; level < TL_LEVELS_AT_ONCE; level++)
                for (k = 0; k < TL_ROWS_ABREAST; k++)
                    place[k] = tl_next_place(walk, is_narrow, is_double, may_miss, place[k],
                                             row[first + k], column_stride);
            for (k = 0; k < TL_ROWS_ABREAST; k++)
                at[first + k] = at[first + k] >> 32 << 32 | place[k];
        }
        /* Whether a row has arrived cannot be foretold: its place is written anyway, and the last
         * one is its leaf. */
        for (k = 0; k < n_walking; k++) {
            uint64_t place = (uint32_t)at[k];
            out[at[k] >> 32] = (int64_t)place;
            row[n_left] = row[k];
            at[n_left] = at[k];
            n_left += !tl_is_leaf(walk, is_narrow, place);
        }
        n_walking = n_left;
    }
    for (k = 0; k < n_walking; k++)
        out[at[k] >> 32] = (int64_t)tl_walk_on(walk, is_narrow, is_double, may_miss,
                                               (uint32_t)at[k], row[k], column_stride);
    for (next = 0; next < n_rows; next++)
        out[next] = held[tl_number(walk, is_narrow, (uint64_t)out[next])];
}

/* Fewer than 2**32 rows. */
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
