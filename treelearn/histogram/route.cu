/* Rows to the places of their leaves, a thread a row: the steps of _predict.pyx. */
#include "launch.h"

/* As in native/route.h: of a leaf the threshold is infinite and the left child the leaf itself. */
typedef struct {
    double threshold;
    uint32_t column; /* feature << 1 | whether missing values go right */
    int32_t left;
} TL_ALIGN(16) tl_step;

/* place: out, of every row. Strides are in values. */
TL_KERNEL tl_route(const void *packed, const void *values, int is_double, int64_t n_rows,
                   int64_t row_stride, int64_t column_stride, int32_t *place) {
    const tl_step *steps = (const tl_step *)packed;
    int64_t row;
    for (row = TL_FIRST; row < n_rows; row += TL_STEP) {
        int32_t at = -1, next = 0;
        while (next != at) {
            tl_step step = steps[next];
            int64_t where = row * row_stride + (int64_t)(step.column >> 1) * column_stride;
            double value =
                is_double ? ((const double *)values)[where] : ((const float *)values)[where];
            int goes_right = value > step.threshold || (value != value && (step.column & 1));
            at = next;
            next = step.left + goes_right;
        }
        place[row] = at;
    }
}
