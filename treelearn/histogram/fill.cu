/* Histograms of the nodes of a level.
 *
 * A block adds one chunk of samples to the cells of a few features in shared memory, and those to
 * the histogram of the chunk's node at the end. Chunk k are the places first[k] to end[k] of the
 * samples, all of node node_of[k]. Of a sample a thread reads its record in pieces of 16 bytes,
 * aligned: whatever share of the samples a node holds, what is fetched from memory is used.
 *
 * Lanes begin with different features, so that a value that most samples have does not make them
 * wait for one another.
 */
#include "rules.h"

/* Codes of 16 bytes of a record. */
typedef struct {
    uint32_t word[4];
} TL_ALIGN(16) tl_piece;

/* The code that stands at a place of a piece; words by choice, as registers have no index. */
TL_DEVICE int tl_code_in(const tl_piece *piece, int place, int code_bytes) {
    int at = place * code_bytes;
    uint32_t low = at & 4 ? piece->word[1] : piece->word[0];
    uint32_t high = at & 4 ? piece->word[3] : piece->word[2];
    uint32_t word = (at & 8 ? high : low) >> (8 * (at & 3));
    return (int)(code_bytes == 1 ? word & 0xFF : word & 0xFFFF);
}

/* Cells of fewer samples than this a code are not worth clearing and adding up. */
#define TL_CODES_PER_SAMPLE 4

/* What every thread of a block knows of its work. */
typedef struct {
    int64_t first, end, *target;
    int feature, n_features, is_shared;
} tl_share;

/* Block `block` works on `width` features of a chunk: 1, 2, 4, 8 or 16 that stand in one piece, or
 * whole pieces. */
TL_DEVICE tl_share tl_share_of(const tl_rules *rules, int64_t block, int width,
                               const int64_t *node_of, const int64_t *first, const int64_t *end,
                               int has_room, int64_t *histograms) {
    int n_groups = (rules->n_features + width - 1) / width;
    int64_t chunk = block / n_groups;
    tl_share share;
    share.feature = (int)(block % n_groups) * width;
    share.n_features = rules->n_features - share.feature;
    if (share.n_features > width) share.n_features = width;
    share.first = first[chunk];
    share.end = end[chunk];
    share.is_shared =
        has_room && (share.end - share.first) * TL_CODES_PER_SAMPLE >= rules->n_codes;
    share.target = histograms + (node_of[chunk] * rules->n_features + share.feature) *
                                    (int64_t)rules->n_codes * rules->n_channels;
    return share;
}

/* Add one sample to its cell of the histogram of its node, in device memory. */
TL_DEVICE void tl_add_directly(const tl_rules *rules, int64_t sample, const int32_t *labels,
                               const int64_t *sums, const int64_t *square_sums,
                               const int64_t *weights, int64_t *cell) {
    int64_t units = rules->has_unit_weights ? 1 : weights[sample];
    int output;
    TL_ADD(cell, 1);
    if (!rules->has_unit_weights) TL_ADD(cell + rules->weight_channel, units);
    cell += rules->first_stat;
    for (output = 0; output < rules->n_outputs; output++) {
        int64_t place = output * rules->n_samples + sample;
        if (rules->is_classification) {
            TL_ADD(cell + labels[place], units);
        } else {
            TL_ADD(cell + 2 * output, sums[place]);
            TL_ADD(cell + 2 * output + 1, square_sums[place]);
        }
    }
}

/* The same in shared memory, where a 64-bit addition is made of two of 32 bits. */
TL_DEVICE void tl_add_shared(const tl_rules *rules, int64_t sample, const int32_t *labels,
                             const int64_t *sums, const int64_t *square_sums,
                             const int64_t *weights, int64_t *cell) {
    int64_t units = rules->has_unit_weights ? 1 : weights[sample];
    int output;
    TL_ADD_SHARED(cell, 1);
    if (!rules->has_unit_weights) TL_ADD_SHARED(cell + rules->weight_channel, units);
    cell += rules->first_stat;
    for (output = 0; output < rules->n_outputs; output++) {
        int64_t place = output * rules->n_samples + sample;
        if (rules->is_classification) {
            TL_ADD_SHARED(cell + labels[place], units);
        } else {
            TL_ADD_SHARED(cell + 2 * output, sums[place]);
            TL_ADD_SHARED(cell + 2 * output + 1, square_sums[place]);
        }
    }
}

/* histograms: zero before, [node][feature][code][channel], int64.
 * width: features of a block. has_room: whether their cells fit into shared memory. */
TL_KERNEL tl_fill(TL_RULES, const void *records, const int32_t *samples, const int32_t *labels,
                  const int64_t *sums, const int64_t *square_sums, const int64_t *weights,
                  const int64_t *node_of, const int64_t *first, const int64_t *end,
                  int64_t n_blocks, int width, int has_room, int64_t *histograms) {
    TL_SHARED(int64_t, cells, TL_SHARED_BYTES / 8);
    tl_rules rules = TL_READ_RULES;
    int64_t n_cells = (int64_t)rules.n_codes * rules.n_channels, block, i;
    int k;
    for (block = TL_BLOCK; block < n_blocks; block += TL_N_BLOCKS) {
        tl_share share =
            tl_share_of(&rules, block, width, node_of, first, end, has_room, histograms);
        int turn = (int)TL_THREAD % share.n_features;
        if (share.is_shared) {
            for (i = TL_THREAD; i < share.n_features * n_cells; i += TL_N_THREADS) cells[i] = 0;
            TL_SYNC();
        }
        for (i = share.first + TL_THREAD; i < share.end; i += TL_N_THREADS) {
            int64_t sample = samples[i];
            for (k = 0; k < share.n_features; k++) {
                int at = turn + k < share.n_features ? turn + k : turn + k - share.n_features;
                int64_t cell =
                    at * n_cells + (int64_t)tl_code(&rules, records, sample, share.feature + at) *
                                       rules.n_channels;
                if (share.is_shared)
                    tl_add_shared(&rules, sample, labels, sums, square_sums, weights,
                                  cells + cell);
                else
                    tl_add_directly(&rules, sample, labels, sums, square_sums, weights,
                                    share.target + cell);
            }
        }
        if (share.is_shared) {
            TL_SYNC();
            for (i = TL_THREAD; i < share.n_features * n_cells; i += TL_N_THREADS) {
                if (cells[i] != 0) TL_ADD(share.target + i, cells[i]);
            }
            TL_SYNC();
        }
    }
}

/* The same for the classes of one output where every sample weighs one unit: 32 bits count the
 * samples of a chunk, and all samples of a code are those of its classes. */
TL_KERNEL tl_fill_counts(TL_RULES, const void *records, const int32_t *samples,
                         const int32_t *labels, const int64_t *node_of, const int64_t *first,
                         const int64_t *end, int64_t n_blocks, int width, int has_room,
                         int64_t *histograms) {
    TL_SHARED(uint32_t, counts, TL_SHARED_BYTES / 4);
    tl_rules rules = TL_READ_RULES;
    int per_piece = 16 / rules.code_bytes, n_stats = rules.n_stats;
    int n_in_piece = width < per_piece ? width : per_piece;
    int n_counts = has_room ? width * rules.n_codes * n_stats : 0, k, c;
    int64_t block, i;
    for (block = TL_BLOCK; block < n_blocks; block += TL_N_BLOCKS) {
        tl_share share =
            tl_share_of(&rules, block, width, node_of, first, end, has_room, histograms);
        int n_last = n_in_piece; /* of the last piece: a power of two, too */
        while (n_last / 2 >= (share.n_features - 1) % n_in_piece + 1) n_last /= 2;
        if (share.is_shared) {
            for (k = (int)TL_THREAD; k < n_counts; k += (int)TL_N_THREADS) counts[k] = 0;
            TL_SYNC();
        }
        for (i = share.first + TL_THREAD; i < share.end; i += TL_N_THREADS) {
            int64_t sample = samples[i];
            const tl_piece *pieces =
                (const tl_piece *)((const char *)records + sample * rules.record_bytes) +
                share.feature / per_piece;
            int begin = share.feature % per_piece, feature, label = labels[sample];
            for (feature = 0; feature < share.n_features; feature += n_in_piece) {
                tl_piece piece = pieces[feature / per_piece];
                int n_turns = feature + n_in_piece <= share.n_features ? n_in_piece : n_last;
                for (k = 0; k < n_turns; k++) {
                    int at = (int)((k + TL_THREAD) & (n_turns - 1));
                    /* Behind the last feature stand codes 0, whose counts nobody reads. */
                    int code = tl_code_in(&piece, begin + at, rules.code_bytes);
                    int64_t cell = (int64_t)(feature + at) * rules.n_codes + code;
                    if (share.is_shared) {
                        TL_ADD_32(counts + cell * n_stats + label, 1);
                    } else if (feature + at < share.n_features) {
                        int64_t *target = share.target + cell * rules.n_channels;
                        TL_ADD(target, 1);
                        TL_ADD(target + 1 + label, 1);
                    }
                }
            }
        }
        if (share.is_shared) {
            TL_SYNC();
            for (i = TL_THREAD; i < (int64_t)share.n_features * rules.n_codes;
                 i += TL_N_THREADS) {
                int64_t *target = share.target + i * rules.n_channels, total = 0;
                for (c = 0; c < n_stats; c++) {
                    uint32_t count = counts[i * n_stats + c];
                    if (count != 0) TL_ADD(target + 1 + c, count);
                    total += count;
                }
                if (total != 0) TL_ADD(target, total);
            }
            TL_SYNC();
        }
    }
}
