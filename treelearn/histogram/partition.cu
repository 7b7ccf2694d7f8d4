/* The samples of every node divided: left ones first, each side in its old order.
 *
 * Chunk k are the places first[k] to end[k] of the samples, all of node node_of[k].
 */
#include "rules.h"

/* goes_left[place], for the places of the chunks; 0 elsewhere. */
TL_KERNEL tl_mark(TL_RULES, const void *records, const int32_t *n_bins, const int32_t *samples,
                  const int64_t *node_of, const int64_t *first, const int64_t *end,
                  int64_t n_chunks, const int64_t *feature, const int64_t *bin,
                  const int64_t *missing_goes_left, int32_t *goes_left) {
    tl_rules rules = TL_READ_RULES;
    int64_t chunk, i;
    for (chunk = TL_BLOCK; chunk < n_chunks; chunk += TL_N_BLOCKS) {
        int64_t node = node_of[chunk];
        int column = (int)feature[node], last = (int)bin[node], missing = n_bins[column];
        for (i = first[chunk] + TL_THREAD; i < end[chunk]; i += TL_N_THREADS) {
            int code = tl_code(&rules, records, samples[i], column);
            goes_left[i] = code == missing ? missing_goes_left[node] != 0 : code <= last;
        }
    }
}

/* rank[place]: how many of the places up to this one go left, this one included. */
TL_KERNEL tl_move(const int32_t *samples, const int32_t *rank, const int64_t *node_of,
                  const int64_t *first, const int64_t *end, int64_t n_chunks,
                  const int64_t *start, const int64_t *n_left, int32_t *divided) {
    int64_t chunk, i;
    for (chunk = TL_BLOCK; chunk < n_chunks; chunk += TL_N_BLOCKS) {
        int64_t node = node_of[chunk], begin = start[node];
        int64_t before = begin > 0 ? rank[begin - 1] : 0;
        for (i = first[chunk] + TL_THREAD; i < end[chunk]; i += TL_N_THREADS) {
            int64_t left = rank[i] - before;
            int goes_left = rank[i] != (i > 0 ? rank[i - 1] : 0);
            int64_t place = goes_left ? begin + left - 1 : i + n_left[node] - left;
            divided[place] = samples[i];
        }
    }
}
