/* Rows to the places of their leaves: several rows walk abreast and no step has a branch.
 *
 * A step is one of 16 bytes for every node; the two children of a node stand side by side, and a
 * leaf is its own left child, so that a row that has arrived stays while the others walk on.
 */
#ifndef TREELEARN_ROUTE_H
#define TREELEARN_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_MSC_VER)
#define TL_INLINE static __forceinline
#elif defined(__GNUC__)
#define TL_INLINE static inline __attribute__((always_inline))
#else
#define TL_INLINE static inline
#endif

/* With eight, the steps of the others fill the time in which one waits for its node and its value:
 * 1.5 times faster than four, and sixteen do not fit into the registers. */
enum { TL_ROWS_ABREAST = 8 };

typedef struct {
    double threshold; /* infinity in a leaf: every value goes to the left */
    uint32_t column;  /* feature << 1 | whether missing values go right */
    int32_t left;     /* place of the left child, the right one follows; of a leaf: its own */
} tl_step;

/* Only a missing value is not equal to itself. In a leaf neither term is ever true. */
TL_INLINE int32_t tl_next_place(const tl_step *step, double value, int may_miss) {
    int goes_right = value > step->threshold;
    if (may_miss) goes_right |= (value != value) & (int)(step->column & 1);
    return step->left + goes_right;
}

/* The last three arguments are constants wherever this is called, each giving a loop of its own. */
TL_INLINE void tl_route_rows(const tl_step *steps,
                             const int64_t *held, /* by place */
                             const char *X, int64_t n_rows, ptrdiff_t row_stride,
                             ptrdiff_t column_stride,
                             int64_t *out, /* out: what the leaf of every row holds */
                             int is_double, int may_miss, int is_contiguous) {
    int64_t first;
    if (is_contiguous) column_stride = is_double ? sizeof(double) : sizeof(float);
    for (first = 0; first < n_rows; first += TL_ROWS_ABREAST) {
        const char *row[TL_ROWS_ABREAST];
        int32_t place[TL_ROWS_ABREAST];
        int32_t moved;
        int k;
        for (k = 0; k < TL_ROWS_ABREAST; k++) {
            /* The last row is led several times, rather than fewer abreast. */
            int64_t i = first + k < n_rows ? first + k : n_rows - 1;
            row[k] = X + i * row_stride;
            place[k] = 0;
        }
        do {
            moved = 0;
            for (k = 0; k < TL_ROWS_ABREAST; k++) {
                const tl_step *step = steps + place[k];
                const char *at = row[k] + (ptrdiff_t)(step->column >> 1) * column_stride;
                double value = is_double ? *(const double *)at : *(const float *)at;
                int32_t following = tl_next_place(step, value, may_miss);
                moved |= following ^ place[k];
                place[k] = following;
            }
        } while (moved);
        for (k = 0; k < TL_ROWS_ABREAST && first + k < n_rows; k++) out[first + k] = held[place[k]];
    }
}

static void tl_route(const tl_step *steps, const int64_t *held, const char *X, int64_t n_rows,
                     ptrdiff_t row_stride, ptrdiff_t column_stride, int64_t *out, int is_double,
                     int may_miss) {
    ptrdiff_t size = is_double ? sizeof(double) : sizeof(float);
    switch (4 * (is_double != 0) + 2 * (may_miss != 0) + (column_stride == size)) {
#define TL_ROUTE(is_double, may_miss, is_contiguous)                                              \
    tl_route_rows(steps, held, X, n_rows, row_stride, column_stride, out, is_double, may_miss,    \
                  is_contiguous)
        case 0: TL_ROUTE(0, 0, 0); break;
        case 1: TL_ROUTE(0, 0, 1); break;
        case 2: TL_ROUTE(0, 1, 0); break;
        case 3: TL_ROUTE(0, 1, 1); break;
        case 4: TL_ROUTE(1, 0, 0); break;
        case 5: TL_ROUTE(1, 0, 1); break;
        case 6: TL_ROUTE(1, 1, 0); break;
        default: TL_ROUTE(1, 1, 1); break;
#undef TL_ROUTE
    }
}

#endif
