/* Chosen ones of a few neighbouring elements, moved together: tables for every choice. */
#ifndef TREELEARN_COMPRESS_H
#define TREELEARN_COMPRESS_H

#include <stdint.h>
#include <string.h>

#include "portable.h"

/* For every byte the places of its set bits, then of the others: a shuffle that puts the elements
 * of set bits first. */
static uint8_t tl_compress[256][8];
static uint8_t tl_n_chosen[256];

/* What moves the chosen elements of a word to its low end in log steps: first the chosen ones, then
 * those that move by 1, 2 and 4 elements (Hacker's Delight, 7-4). */
static uint64_t tl_moves8[256][4]; /* 8 elements of 8 bits */
static uint64_t tl_moves16[16][3]; /* 4 elements of 16 bits */

static void tl_fill_moves(int chosen, int n, int n_bits, int n_steps, uint64_t *moves) {
    const uint64_t element = ((uint64_t)1 << n_bits) - 1;
    int k, step, n_below = 0; /* not chosen ones below: the distance to move */
    memset(moves, 0, (size_t)(n_steps + 1) * sizeof *moves);
    for (k = 0; k < n; k++) {
        int at = k;
        if (!((chosen >> k) & 1)) {
            n_below++;
            continue;
        }
        moves[0] |= element << (n_bits * k);
        for (step = 0; step < n_steps; step++)
            if ((n_below >> step) & 1) {
                moves[1 + step] |= element << (n_bits * at);
                at -= 1 << step;
            }
    }
}

static void tl_fill_compress(void) {
    int byte, bit, n;
    for (byte = 0; byte < 256; byte++) {
        n = 0;
        for (bit = 0; bit < 8; bit++)
            if ((byte >> bit) & 1) tl_compress[byte][n++] = (uint8_t)bit;
        tl_n_chosen[byte] = (uint8_t)n;
        for (bit = 0; bit < 8; bit++)
            if (!((byte >> bit) & 1)) tl_compress[byte][n++] = (uint8_t)bit;
        tl_fill_moves(byte, 8, 8, 3, tl_moves8[byte]);
        if (byte < 16) tl_fill_moves(byte, 4, 16, 2, tl_moves16[byte]);
    }
}

TL_INLINE uint64_t tl_move_down(uint64_t word, uint64_t moving, int distance) {
    uint64_t part = word & moving;
    return (word ^ part) | part >> distance;
}

/* The chosen elements of a word in its low end, zeros above. */
TL_INLINE uint64_t tl_compress8(uint64_t word, int chosen) {
    const uint64_t *moves = tl_moves8[chosen];
    word = tl_move_down(word & moves[0], moves[1], 8);
    word = tl_move_down(word, moves[2], 16);
    return tl_move_down(word, moves[3], 32);
}

TL_INLINE uint64_t tl_compress16(uint64_t word, int chosen) {
    const uint64_t *moves = tl_moves16[chosen];
    word = tl_move_down(word & moves[0], moves[1], 16);
    return tl_move_down(word, moves[2], 32);
}

#endif
