/* Integers that compare as floats do. */
#ifndef TREELEARN_KEYS_H
#define TREELEARN_KEYS_H

#include <stdint.h>
#include <string.h>

#include "portable.h"

static inline uint32_t tl_float_key(float value) {
    uint32_t bits;
    value += 0.0f; /* -0.0 becomes 0.0: the two are equal */
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((uint32_t)(-(int32_t)(bits >> 31)) | 0x80000000u);
}

/* In which bits n keys differ from the first, and the highest of them; n > 0. */
TL_VERSIONS static void tl_survey_keys(const uint32_t *keys, int64_t n, uint32_t *difference,
                                       uint32_t *highest) {
    uint32_t first = keys[0], all = 0, high = 0;
    int64_t i;
    for (i = 0; i < n; i++) {
        all |= keys[i] ^ first;
        high = keys[i] > high ? keys[i] : high;
    }
    *difference = all;
    *highest = high;
}

#endif
