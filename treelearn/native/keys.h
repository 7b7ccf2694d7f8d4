/* Integers that compare as floats do. */
#ifndef TREELEARN_KEYS_H
#define TREELEARN_KEYS_H

#include <stdint.h>
#include <string.h>

static inline uint32_t tl_float_key(float value) {
    uint32_t bits;
    value += 0.0f; /* -0.0 becomes 0.0: the two are equal */
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((uint32_t)(-(int32_t)(bits >> 31)) | 0x80000000u);
}

#endif
