/* From values to codes: ranges of columns, distinct values, rows of codes, bits, columns. */
#ifndef TREELEARN_CODES_COLUMNS_H
#define TREELEARN_CODES_COLUMNS_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "lanes.h"
#include "portable.h"
#include "simd.h"

#define TL_TILE 64            /* rows that are encoded at a time */
#define TL_MOST_CODES 65535   /* so that 65535 is no code: it marks what is missing */
/* Rows in the order of the classes lie apart: they are asked for before they are read. */
#define TL_ROWS_AHEAD 8
#define TL_RANGE_LANES 64     /* columns whose range is kept in registers at a time */

/* How the columns of a table become codes; arrays are per feature unless said otherwise. */
typedef struct {
    const void *values; /* C order */
    int64_t n_rows;
    int64_t n_features;
    const int32_t *order;          /* rows of the table, by class */
    const void *lowest;            /* in the type of the values */
    int32_t n_ranked;              /* columns whose codes are ranks of their values */
    const int32_t *ranked;         /* their features */
    const uint16_t *ranks;         /* [ranked column][row] */
    int64_t rank_stride;
    int32_t n_with_missing;        /* columns with missing values */
    const int32_t *with_missing;   /* their features */
    const uint16_t *missing_codes; /* and their codes of missing values */
    int32_t n_narrow;              /* columns that become bits */
    const int32_t *narrow;         /* their features */
    const int32_t *narrow_start;   /* where their words start in the table below */
    const uint64_t *words;         /* [code] of every such column */
    const int32_t *word_start; /* of every word its first narrow column, and their number */
    int32_t n_runs;            /* runs of neighbouring columns of two values */
    const int32_t *runs;       /* [run]: first feature, length <= 64, word, shift */
    int32_t n_words;
    uint64_t *bits; /* out: [row][n_words] */
    int32_t n_stored;
    const int32_t *stored; /* the features of the other columns */
    int32_t row_stride;
    uint16_t *rows; /* out: [row][row_stride] */
    int64_t column_stride;
    const uint8_t *is_wide; /* of the stored columns: more than 256 codes */
    uint16_t *columns;      /* out: [stored column][column_stride], in 8 bits if not wide;
                             * NULL: they are not wanted */
} TlEncoder;

/* Lowest and highest value, and whether any value is missing or no whole number, of columns
 * [0, n_columns) of n_rows rows. `lanes` columns are worked on at a time; a table of few columns
 * is read as if several rows were one. */
#define TL_COLUMNS(real_t, mask_t, first_whole, suffix)                                        \
    TL_INLINE void tl_range_body_##suffix(                  \
        const real_t *values, int64_t n_rows, int64_t row_length, int64_t n_columns,           \
        real_t *lowest, real_t *highest, mask_t *is_real, mask_t *is_missing) {                \
        const real_t whole = (real_t)first_whole;                                              \
        int64_t first, row;                                                                    \
        int j;                                                                                 \
        for (first = 0; first < n_columns; first += TL_RANGE_LANES) {                          \
            real_t low[TL_RANGE_LANES], high[TL_RANGE_LANES];                                  \
            mask_t real[TL_RANGE_LANES], missing[TL_RANGE_LANES];                              \
            int n = (int)(n_columns - first < TL_RANGE_LANES ? n_columns - first               \
                                                             : TL_RANGE_LANES);                \
            for (j = 0; j < n; j++) {                                                          \
                low[j] = lowest[first + j];                                                    \
                high[j] = highest[first + j];                                                  \
                real[j] = is_real[first + j];                                                  \
                missing[j] = is_missing[first + j];                                            \
            }                                                                                  \
            for (row = 0; row < n_rows; row++) {                                               \
                const real_t *value = values + row * row_length + first;                       \
                for (j = 0; j < n; j++) {                                                      \
                    real_t v = value[j];                                                       \
                    low[j] = v < low[j] ? v : low[j];                                          \
                    high[j] = v > high[j] ? v : high[j];                                       \
                    real_t size = v < 0 ? -v : v;                                              \
                    /* Above `whole` every number is whole; below, this addition rounds. */    \
                    real[j] |= -(mask_t)((size < whole) & ((size + whole) - whole != size));   \
                    missing[j] |= -(mask_t)(v != v);                                           \
                }                                                                              \
            }                                                                                  \
            for (j = 0; j < n; j++) {                                                          \
                lowest[first + j] = low[j];                                                    \
                highest[first + j] = high[j];                                                  \
                is_real[first + j] = real[j];                                                  \
                is_missing[first + j] = missing[j];                                            \
            }                                                                                  \
        }                                                                                      \
    }                                                                                          \
    TL_INLINE void tl_encode_body_##suffix(                 \
        const TlEncoder *encoder, int64_t begin, int64_t end, uint16_t *spare,                 \
        uint64_t (*zero_codes)(const uint16_t *, int)) {                                       \
        const real_t *lowest = (const real_t *)encoder->lowest;                                \
        const int64_t n_features = encoder->n_features;                                        \
        int64_t row, j;                                                                        \
        for (row = begin; row < end; row++) {                                                  \
            const real_t *value =                                                              \
                (const real_t *)encoder->values + (int64_t)encoder->order[row] * n_features;   \
            if (row + TL_ROWS_AHEAD < encoder->n_rows) {                                       \
                const real_t *ahead = (const real_t *)encoder->values +                        \
                                      (int64_t)encoder->order[row + TL_ROWS_AHEAD] * n_features; \
                for (j = 0; j < n_features; j += 64 / (int64_t)sizeof(real_t))                 \
                    TL_PREFETCH(ahead + j);                                                    \
            }                                                                                  \
            uint16_t *out = encoder->rows + row * encoder->row_stride;                         \
            uint16_t *codes = encoder->n_stored == n_features ? out : spare;                   \
            for (j = 0; j < n_features; j++) {                                                 \
                real_t v = value[j] - lowest[j];                                               \
                v = v < (real_t)65535 ? v : (real_t)65535; /* what is missing too */           \
                codes[j] = (uint16_t)(int32_t)v;                                               \
            }                                                                                  \
            tl_finish_row(encoder, row, codes, out, zero_codes);                               \
        }                                                                                      \
    }                                                                                          \
    static void tl_range_scalar_##suffix(const real_t *values, int64_t n_rows,                 \
                                         int64_t row_length, int64_t n_columns,                \
                                         real_t *lowest, real_t *highest, mask_t *is_real,     \
                                         mask_t *is_missing) {                                 \
        tl_range_body_##suffix(values, n_rows, row_length, n_columns, lowest, highest,         \
                               is_real, is_missing);                                           \
    }                                                                                          \
    static void tl_encode_scalar_##suffix(const TlEncoder *encoder, int64_t begin,             \
                                          int64_t end, uint16_t *codes) {                      \
        tl_encode_body_##suffix(encoder, begin, end, codes, tl_zero_codes);                    \
        if (encoder->columns != NULL) TL_TURN_ROWS(encoder, begin, end);                       \
    }

/* A bit for each of n <= 64 codes that is 0; 64 codes may be read. */
TL_INLINE uint64_t tl_zero_codes(const uint16_t *codes, int n) {
    uint64_t bits = 0;
    uint8_t flags[16];
    int j, k;
    for (j = 0; j < n; j += 16) {
        const uint16_t *here = codes + j;
        TL_LANES
        for (k = 0; k < 16; k++) flags[k] = here[k] == 0;
        bits |= (uint64_t)tl_pack_lanes(flags) << j;
    }
    return n == 64 ? bits : bits & (((uint64_t)1 << n) - 1);
}

#if TL_HAS_X86
TL_TARGET_AVX2 static inline uint64_t tl_zero_codes_avx2(const uint16_t *codes, int n) {
    const __m256i zero = _mm256_setzero_si256();
    uint64_t bits = 0;
    int j;
    for (j = 0; j < n; j += 32) {
        __m256i low = _mm256_loadu_si256((const __m256i *)(codes + j));
        __m256i high = _mm256_loadu_si256((const __m256i *)(codes + j + 16));
        low = _mm256_packs_epi16(_mm256_cmpeq_epi16(low, zero), _mm256_cmpeq_epi16(high, zero));
        low = _mm256_permute4x64_epi64(low, 0xD8);
        bits |= (uint64_t)(uint32_t)_mm256_movemask_epi8(low) << j;
    }
    return n == 64 ? bits : bits & (((uint64_t)1 << n) - 1);
}
#endif

/* What a row of codes still needs: ranks, missing codes, bits, the stored columns. */
TL_INLINE void tl_finish_row(
    const TlEncoder *encoder, int64_t row, uint16_t *codes, uint16_t *out,
    uint64_t (*zero_codes)(const uint16_t *, int)) {
    uint64_t *bits = encoder->bits + row * encoder->n_words;
    int k, word;
    for (k = 0; k < encoder->n_ranked; k++)
        codes[encoder->ranked[k]] = encoder->ranks[k * encoder->rank_stride + row];
    for (k = 0; k < encoder->n_with_missing; k++) {
        uint16_t *code = codes + encoder->with_missing[k];
        if (*code == TL_MOST_CODES) *code = encoder->missing_codes[k];
    }
    for (word = 0, k = 0; word < encoder->n_words; word++) {
        uint64_t joined = 0;
        for (; k < encoder->word_start[word + 1]; k++)
            joined |= encoder->words[encoder->narrow_start[k] + codes[encoder->narrow[k]]];
        bits[word] = joined;
    }
    for (k = 0; k < encoder->n_runs; k++) {
        const int32_t *run = encoder->runs + 4 * k;
        bits[run[2]] |= zero_codes(codes + run[0], run[1]) << run[3];
    }
    if (out != codes)
        for (k = 0; k < encoder->n_stored; k++) out[k] = codes[encoder->stored[k]];
    for (k = encoder->n_stored; k < encoder->row_stride; k++) out[k] = 0;
}

/* Rows of codes as columns. */
TL_INLINE void tl_turn_rows(const TlEncoder *encoder,
                                                               int64_t begin, int64_t end) {
    int64_t row;
    int k;
    for (k = 0; k < encoder->n_stored; k++) {
        const uint16_t *from = encoder->rows + k;
        uint16_t *column = encoder->columns + k * encoder->column_stride;
        if (encoder->is_wide[k]) {
            for (row = begin; row < end; row++) column[row] = from[row * encoder->row_stride];
        } else {
            uint8_t *narrow = (uint8_t *)column;
            for (row = begin; row < end; row++)
                narrow[row] = (uint8_t)from[row * encoder->row_stride];
        }
    }
}

#if TL_HAS_X86
/* As above, 8 rows of 8 columns at a time: SSE2, which every such processor has. */
static void tl_turn_rows_in_squares(const TlEncoder *encoder, int64_t begin, int64_t end) {
    const int64_t stride = encoder->row_stride;
    int64_t row = begin, whole = begin + (end - begin) / 8 * 8;
    int k, i;
    for (k = 0; k < encoder->n_stored; k += 8) {
        const int n = encoder->n_stored - k < 8 ? encoder->n_stored - k : 8;
        for (row = begin; row < whole; row += 8) {
            const uint16_t *from = encoder->rows + row * stride + k;
            __m128i a[8], b[8];
            for (i = 0; i < 8; i++) a[i] = _mm_loadu_si128((const __m128i *)(from + i * stride));
            for (i = 0; i < 4; i++) {
                b[2 * i] = _mm_unpacklo_epi16(a[2 * i], a[2 * i + 1]);
                b[2 * i + 1] = _mm_unpackhi_epi16(a[2 * i], a[2 * i + 1]);
            }
            for (i = 0; i < 2; i++) {
                a[4 * i] = _mm_unpacklo_epi32(b[4 * i], b[4 * i + 2]);
                a[4 * i + 1] = _mm_unpackhi_epi32(b[4 * i], b[4 * i + 2]);
                a[4 * i + 2] = _mm_unpacklo_epi32(b[4 * i + 1], b[4 * i + 3]);
                a[4 * i + 3] = _mm_unpackhi_epi32(b[4 * i + 1], b[4 * i + 3]);
            }
            for (i = 0; i < 4; i++) {
                b[2 * i] = _mm_unpacklo_epi64(a[i], a[i + 4]);
                b[2 * i + 1] = _mm_unpackhi_epi64(a[i], a[i + 4]);
            }
            for (i = 0; i < n; i++) {
                uint16_t *column = encoder->columns + (k + i) * encoder->column_stride;
                if (encoder->is_wide[k + i])
                    _mm_storeu_si128((__m128i *)(column + row), b[i]);
                else
                    _mm_storel_epi64((__m128i *)((uint8_t *)column + row),
                                     _mm_packus_epi16(b[i], b[i]));
            }
        }
    }
    if (row < end) tl_turn_rows(encoder, row, end);
}
#define TL_TURN_ROWS tl_turn_rows_in_squares
#else
#define TL_TURN_ROWS tl_turn_rows
#endif

TL_COLUMNS(float, int32_t, 0x1p23, float)
TL_COLUMNS(double, int64_t, 0x1p52, double)

#if TL_HAS_X86
#define TL_COLUMNS_AVX2(real_t, mask_t, suffix)                                                \
    TL_TARGET_AVX2 static void tl_range_avx2_##suffix(                                         \
        const real_t *values, int64_t n_rows, int64_t row_length, int64_t n_columns,           \
        real_t *lowest, real_t *highest, mask_t *is_real, mask_t *is_missing) {                \
        tl_range_body_##suffix(values, n_rows, row_length, n_columns, lowest, highest,         \
                               is_real, is_missing);                                           \
    }                                                                                          \
    TL_TARGET_AVX2 static void tl_encode_avx2_##suffix(                                        \
        const TlEncoder *encoder, int64_t begin, int64_t end, uint16_t *codes) {               \
        tl_encode_body_##suffix(encoder, begin, end, codes, tl_zero_codes_avx2);               \
        if (encoder->columns != NULL) TL_TURN_ROWS(encoder, begin, end);                       \
    }
TL_COLUMNS_AVX2(float, int32_t, float)
TL_COLUMNS_AVX2(double, int64_t, double)
#endif

/* A key whose unsigned order is the order of the values; -0.0 and 0.0 have one key. */
static inline uint64_t tl_double_key(double value) {
    uint64_t bits;
    value += 0.0;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((uint64_t)(-(int64_t)(bits >> 63)) | 0x8000000000000000u);
}

static inline double tl_key_double(uint64_t key) {
    double value;
    key ^= (key >> 63) ? 0x8000000000000000u : ~(uint64_t)0;
    memcpy(&value, &key, sizeof value);
    return value;
}

/* Sort n keys with what belongs to them; returns which of the two pairs of arrays is sorted. */
static int tl_sort_keys(uint64_t *keys, uint32_t *items, uint64_t *spare_keys,
                        uint32_t *spare_items, int64_t n) {
    int swapped = 0, shift;
    for (shift = 0; shift < 64; shift += 11) {
        int64_t counts[2048], position = 0, i;
        uint64_t *from = swapped ? spare_keys : keys, *to = swapped ? keys : spare_keys;
        uint32_t *from_items = swapped ? spare_items : items;
        uint32_t *to_items = swapped ? items : spare_items;
        int digit;
        memset(counts, 0, sizeof counts);
        for (i = 0; i < n; i++) counts[(from[i] >> shift) & 2047]++;
        if (counts[(from[0] >> shift) & 2047] == n) continue; /* all alike in these bits */
        for (digit = 0; digit < 2048; digit++) {
            int64_t count = counts[digit];
            counts[digit] = position;
            position += count;
        }
        for (i = 0; i < n; i++) {
            int64_t place = counts[(from[i] >> shift) & 2047]++;
            to[place] = from[i];
            to_items[place] = from_items[i];
        }
        swapped = !swapped;
    }
    return swapped;
}

/* Scratch memory to rank a column of at most `room` distinct values. */
typedef struct {
    uint64_t *keys;    /* of the distinct values, twice as many */
    uint32_t *items;
    uint16_t *rank_of;
    uint16_t *table;   /* slot -> number of a distinct value */
} tl_rank_scratch;

enum { TL_RANK_BITS = 10, TL_MOST_RANK_BITS = 17, TL_NO_VALUE = 65535 };

static int64_t tl_rank_bytes(int64_t room) {
    return room * (2 * sizeof(uint64_t) + 2 * sizeof(uint32_t) + sizeof(uint16_t)) +
           (sizeof(uint16_t) << TL_MOST_RANK_BITS);
}

static inline tl_rank_scratch tl_rank_scratch_in(void *block, int64_t room) {
    tl_rank_scratch scratch;
    scratch.keys = (uint64_t *)block;
    scratch.items = (uint32_t *)(scratch.keys + 2 * room);
    scratch.rank_of = (uint16_t *)(scratch.items + 2 * room);
    scratch.table = scratch.rank_of + room;
    return scratch;
}

static inline uint64_t tl_rank_slot(uint64_t key, int table_bits) {
    return (key * 0x9E3779B97F4A7C15u) >> (64 - table_bits);
}

/* Put the n_distinct values into a table of so many bits. */
static void tl_fill_rank_table(const tl_rank_scratch *scratch, int32_t n_distinct,
                               int table_bits) {
    const uint64_t last = ((uint64_t)1 << table_bits) - 1;
    int32_t k;
    memset(scratch->table, 0xFF, sizeof(uint16_t) << table_bits);
    for (k = 0; k < n_distinct; k++) {
        uint64_t slot = tl_rank_slot(scratch->keys[k], table_bits);
        while (scratch->table[slot] != TL_NO_VALUE) slot = (slot + 1) & last;
        scratch->table[slot] = (uint16_t)k;
    }
}

/* Rank the values of one column among its distinct ones; what is missing comes last.
 *
 * Returns how many distinct values there are, -1 where there is no room for them or no code.  The
 * table of the values that were seen grows with them: that of few stays in the nearest cache.
 * block: tl_rank_bytes(room) bytes. */
#define TL_RANK(real_t, suffix)                                                                \
    static int32_t tl_rank_column_##suffix(const real_t *values, int64_t stride,               \
                                           const int32_t *order, int64_t n, int64_t room,      \
                                           void *block, uint16_t *ranks, double *distinct) {   \
        const tl_rank_scratch scratch = tl_rank_scratch_in(block, room);                       \
        uint64_t *keys = scratch.keys;                                                         \
        uint32_t *items = scratch.items;                                                       \
        int32_t n_distinct = 0, k;                                                             \
        int64_t i;                                                                             \
        int table_bits = TL_RANK_BITS;                                                         \
        tl_fill_rank_table(&scratch, 0, table_bits);                                           \
        for (i = 0; i < n; i++) {                                                              \
            const double value = (double)values[(int64_t)order[i] * stride];                   \
            const uint64_t last = ((uint64_t)1 << table_bits) - 1;                             \
            uint64_t key, slot;                                                                \
            int32_t found;                                                                     \
            if (value != value) {                                                              \
                ranks[i] = TL_MOST_CODES;                                                      \
                continue;                                                                      \
            }                                                                                  \
            key = tl_double_key(value);                                                        \
            slot = tl_rank_slot(key, table_bits);                                              \
            while ((found = scratch.table[slot]) != TL_NO_VALUE && keys[found] != key)         \
                slot = (slot + 1) & last;                                                      \
            if (found == TL_NO_VALUE) {                                                        \
                if (n_distinct == room || n_distinct == TL_MOST_CODES - 1) return -1;          \
                found = n_distinct++;                                                          \
                keys[found] = key;                                                             \
                items[found] = (uint32_t)found;                                                \
                scratch.table[slot] = (uint16_t)found;                                         \
                if (2 * (int64_t)n_distinct > (int64_t)last && table_bits < TL_MOST_RANK_BITS) \
                    tl_fill_rank_table(&scratch, n_distinct, ++table_bits);                    \
            }                                                                                  \
            ranks[i] = (uint16_t)found;                                                        \
        }                                                                                      \
        if (n_distinct > 0 &&                                                                  \
            tl_sort_keys(keys, items, keys + room, items + room, n_distinct)) {                \
            keys += room;                                                                      \
            items += room;                                                                     \
        }                                                                                      \
        for (k = 0; k < n_distinct; k++) {                                                     \
            distinct[k] = tl_key_double(keys[k]);                                              \
            scratch.rank_of[items[k]] = (uint16_t)k;                                           \
        }                                                                                      \
        for (i = 0; i < n; i++)                                                                \
            if (ranks[i] != TL_MOST_CODES) ranks[i] = scratch.rank_of[ranks[i]];               \
        return n_distinct;                                                                     \
    }
TL_RANK(float, float)
TL_RANK(double, double)

static int32_t tl_rank_column(int is_double, const void *values, int64_t stride,
                              const int32_t *order, int64_t n, int64_t room, void *block,
                              uint16_t *ranks, double *distinct) {
    if (is_double)
        return tl_rank_column_double((const double *)values, stride, order, n, room, block, ranks,
                                     distinct);
    return tl_rank_column_float((const float *)values, stride, order, n, room, block, ranks,
                                distinct);
}

/* Rows [begin, end) of the table; codes: scratch for one row. */
static void tl_encode(int level, int is_double, const TlEncoder *encoder, int64_t begin,
                      int64_t end, uint16_t *codes) {
    int64_t row;
    for (row = begin; row < end; row += TL_TILE) {
        int64_t stop = end - row < TL_TILE ? end : row + TL_TILE;
#if TL_HAS_X86
        if (level >= TL_AVX2) {
            if (is_double) tl_encode_avx2_double(encoder, row, stop, codes);
            else tl_encode_avx2_float(encoder, row, stop, codes);
            continue;
        }
#endif
        if (is_double) tl_encode_scalar_double(encoder, row, stop, codes);
        else tl_encode_scalar_float(encoder, row, stop, codes);
    }
}

/* The ranges of all columns of a table of n_rows x n_features; flags: 1 no whole number, 2 missing.
 * Columns without any value keep infinite ranges. */
#define TL_RANGES(real_t, mask_t, suffix)                                                      \
    static int tl_ranges_##suffix(int level, const real_t *values, int64_t n_rows,             \
                                  int64_t n_features, real_t *lowest, real_t *highest,         \
                                  uint8_t *flags) {                                            \
        /* Rows that are read as one, so that vectors fill: the few last rows alone. */        \
        int64_t joined = n_features < 16 ? TL_RANGE_LANES / n_features : 1;                    \
        int64_t n_columns = joined * n_features, n_whole = n_rows / joined, j;                 \
        size_t size = (size_t)n_columns * 2 * (sizeof(real_t) + sizeof(mask_t));               \
        real_t *low = (real_t *)malloc(size), *high;                                           \
        mask_t *is_real, *is_missing;                                                          \
        int64_t block = 65536 / n_columns + 1, row, part;                                      \
        if (low == NULL) return -1;                                                            \
        high = low + n_columns;                                                                \
        is_real = (mask_t *)(high + n_columns);                                                \
        is_missing = is_real + n_columns;                                                      \
        for (j = 0; j < n_columns; j++) {                                                      \
            low[j] = (real_t)INFINITY;                                                         \
            high[j] = -(real_t)INFINITY;                                                       \
            is_real[j] = is_missing[j] = 0;                                                    \
        }                                                                                      \
        for (part = 0; part < 2; part++) {                                                     \
            int64_t begin = part == 0 ? 0 : n_whole * joined;                                  \
            int64_t n = part == 0 ? n_whole : n_rows - n_whole * joined;                       \
            int64_t length = part == 0 ? n_columns : n_features;                               \
            for (row = 0; row < n; row += block) {                                             \
                const real_t *from = values + begin * n_features + row * length;               \
                int64_t count = n - row < block ? n - row : block;                             \
                if (level >= TL_AVX2)                                                          \
                    TL_RANGE_AVX2(suffix)(from, count, length, length, low, high, is_real,     \
                                          is_missing);                                         \
                else                                                                           \
                    tl_range_scalar_##suffix(from, count, length, length, low, high, is_real,  \
                                             is_missing);                                      \
            }                                                                                  \
        }                                                                                      \
        for (j = 0; j < n_features; j++) {                                                     \
            lowest[j] = (real_t)INFINITY;                                                      \
            highest[j] = -(real_t)INFINITY;                                                    \
            flags[j] = 0;                                                                      \
        }                                                                                      \
        for (j = 0; j < n_columns; j++) {                                                      \
            int64_t f = j % n_features;                                                        \
            if (low[j] < lowest[f]) lowest[f] = low[j];                                        \
            if (high[j] > highest[f]) highest[f] = high[j];                                    \
            flags[f] |= (uint8_t)((is_real[j] != 0) | ((is_missing[j] != 0) << 1));            \
        }                                                                                      \
        free(low);                                                                             \
        return 0;                                                                              \
    }
#if TL_HAS_X86
#define TL_RANGE_AVX2(suffix) tl_range_avx2_##suffix
#else
#define TL_RANGE_AVX2(suffix) tl_range_scalar_##suffix
#endif
TL_RANGES(float, int32_t, float)
TL_RANGES(double, int64_t, double)

#endif
