/* From the codes of a small node to the lists of narrow.h, feature by feature. */
#ifndef TREELEARN_CODE_LISTS_H
#define TREELEARN_CODE_LISTS_H

#include <stdint.h>
#include <string.h>

#include "histogram.h"
#include "narrow.h"
#include "pairs.h"

/* Codes of one pass of counting. */
enum { TL_COUNTED_CODES = 1024 };

/* A sample in numbers of the node below its code. */
static inline uint32_t tl_coded(uint32_t code, int sample) {
    return code << 16 | (uint32_t)sample << TL_NARROW_SHIFT;
}

/* Sort by some bits of the code; equal ones keep their order. */
static inline void tl_count_codes(const uint32_t *from, int n, int shift, int n_digits,
                                  uint32_t *to) {
    uint16_t counts[TL_COUNTED_CODES];
    uint16_t position = 0;
    const uint32_t mask = (uint32_t)n_digits - 1;
    int i;
    memset(counts, 0, n_digits * sizeof(uint16_t));
    for (i = 0; i < n; i++) counts[from[i] >> shift & mask]++;
    for (i = 0; i < n_digits; i++) {
        const uint16_t count = counts[i];
        counts[i] = position;
        position += count;
    }
    for (i = 0; i < n; i++) to[counts[from[i] >> shift & mask]++] = from[i];
}

/* Write the list of one feature for n <= TL_NARROW_SAMPLES samples; returns whether it varies.
 * records: of two bytes a code. */
static int tl_list_codes(const uint8_t *records, int n, int64_t record_bytes, int feature,
                         int n_codes, uint16_t *entries) {
    uint32_t first[TL_NARROW_SAMPLES], second[TL_NARROW_SAMPLES];
    const uint32_t *sorted = second;
    int i, n_digits = 2;
    for (i = 0; i < n; i++, records += record_bytes)
        first[i] = tl_coded(tl_code(records, feature, 2), i);
    if (n_codes <= TL_COUNTED_CODES) {
        while (n_digits < n_codes) n_digits *= 2;
        tl_count_codes(first, n, 16, n_digits, second);
    } else {
        tl_count_codes(first, n, 16, 256, second);
        tl_count_codes(second, n, 24, 256, first);
        sorted = first;
    }
    entries[0] = (uint16_t)sorted[0];
    for (i = 1; i < n; i++)
        entries[i] = (uint16_t)(sorted[i] | (sorted[i] >> 16 != sorted[i - 1] >> 16));
    return sorted[0] >> 16 != sorted[n - 1] >> 16;
}

/* The same from the sorted keys of native/pairs.h, of a node of at most TL_SMALL samples. */
static int tl_list_keys(const uint16_t (*keys)[TL_SIDE], int n, int lane, uint16_t *entries) {
    const int place = (1 << TL_PLACE_BITS) - 1;
    int i;
    entries[0] = (uint16_t)((keys[0][lane] & place) << TL_NARROW_SHIFT);
    for (i = 1; i < n; i++) {
        const int key = keys[i][lane], before = keys[i - 1][lane];
        entries[i] = (uint16_t)((key & place) << TL_NARROW_SHIFT |
                                (key >> TL_PLACE_BITS != before >> TL_PLACE_BITS));
    }
    return keys[0][lane] >> TL_PLACE_BITS != keys[n - 1][lane] >> TL_PLACE_BITS;
}

#endif
