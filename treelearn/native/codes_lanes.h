/* Small nodes: 16 columns side by side, one a lane, sorted by one network.
 *
 * A key is a code with the class of its sample below it. The samples of the node are sorted in
 * every lane by the same comparisons (Batcher's odd-even merge sort, which works for any number
 * of keys when what is beyond the end is left out); then every lane has the same number of samples
 * to the left of a row, so that a division becomes a product with a number known beforehand. The
 * scan only finds out how good a lane can be; the few lanes that come close to the best score are
 * walked again by the exact formula.
 *
 * This file is included twice, for keys of 16 and of 32 bits.
 */
#define TL_JOIN2(a, b) a##b
#define TL_JOIN(a, b) TL_JOIN2(a, b)
#define TL_NAME(name) TL_JOIN(name, TL_KEY_BITS)
#define tl_key_t TL_JOIN(TL_JOIN(uint, TL_KEY_BITS), _t)
#define tl_signed_t TL_JOIN(TL_JOIN(int, TL_KEY_BITS), _t)

/* Read and sort the keys; return 0 where every column is constant. */
TL_INLINE int TL_NAME(tl_sort_lanes)(const TlLanes *lanes,
                                                                        int32_t n,
                                                                        tl_key_t (*keys)[16]) {
    const int shift = lanes->class_bits;
    const uint8_t(*pairs)[2] = tl_pairs[n];
    tl_key_t differs[16], any = 0;
    const uint16_t *first = lanes->codes + (size_t)lanes->samples[0] * lanes->stride;
    int32_t i, n_pairs = tl_n_pairs[n];
    int l;
    for (l = 0; l < 16; l++) differs[l] = 0;
    for (i = 0; i < n; i++) {
        const uint16_t *row = lanes->codes + (size_t)lanes->samples[i] * lanes->stride;
        tl_key_t label = lanes->classes[i];
        for (l = 0; l < 16; l++) {
            differs[l] |= (tl_key_t)(row[l] ^ first[l]);
            keys[i][l] = (tl_key_t)(((tl_key_t)row[l] << shift) | label);
        }
    }
    for (l = 0; l < 16; l++) any |= differs[l];
    if (!any) return 0;
    for (i = 0; i < n_pairs; i++) {
        tl_key_t *a = keys[pairs[i][0]], *b = keys[pairs[i][1]], low[16], high[16];
        for (l = 0; l < 16; l++) {
            low[l] = a[l] < b[l] ? a[l] : b[l];
            high[l] = a[l] < b[l] ? b[l] : a[l];
        }
        for (l = 0; l < 16; l++) a[l] = low[l];
        for (l = 0; l < 16; l++) b[l] = high[l];
    }
    return 1;
}

/* Walk one lane by the exact formula. scratch: 2 n_classes. */
static void TL_NAME(tl_walk_lane)(const TlScoring *scoring, const TlCounts *node, int shift,
                                  tl_key_t (*keys)[16], int lane, int32_t feature,
                                  int32_t *scratch, TlCut *best) {
    const int32_t n = node->n_samples, first = node->min_leaf, last = n - node->min_leaf;
    const tl_key_t class_mask = (tl_key_t)((1 << shift) - 1);
    const int sums_squares = scoring->formula == TL_GINI && !scoring->is_binary;
    int32_t *left = scratch, *right = scratch + node->n_classes;
    int64_t square = 0, other = 0;
    int32_t i;
    int c;
    for (c = 0; c < node->n_classes; c++) {
        left[c] = 0;
        other += (int64_t)node->class_counts[c] * node->class_counts[c];
    }
    for (i = 1; i <= last; i++) {
        tl_key_t before = keys[i - 1][lane], after = keys[i][lane];
        double score;
        c = before & class_mask;
        square += 2 * left[c] + 1;
        other -= 2 * (node->class_counts[c] - left[c]) - 1;
        left[c]++;
        if (i < first || (before >> shift) == (after >> shift)) continue;
        if (sums_squares)
            score = (double)square / (double)i + (double)other / (double)(n - i);
        else
            score = tl_cut_score(scoring, node, left, i, right);
        tl_take(best, score, feature, (int32_t)(before >> shift), (int32_t)(after >> shift), 0, 0);
    }
}

TL_INLINE void TL_NAME(tl_search_lanes_body)(
    const TlScoring *scoring, const TlCounts *node, const TlLanes *lanes, int32_t *scratch,
    TlCut *best, tl_rate_t *rate) {
    tl_key_t keys[TL_MOST_ROWS][16];
    float rated[16], most = 0.0f, least;
    int l;
#if TL_KEY_BITS == 16
    uint16_t(*short_keys)[16] = keys;
#else
    uint16_t short_keys[TL_MOST_ROWS][16];
#endif
    if (!TL_NAME(tl_sort_lanes)(lanes, node->n_samples, keys)) return;
    if (scoring->formula != TL_GINI) {
        for (l = 0; l < 16; l++)
            if (!((lanes->skipped >> l) & 1))
                TL_NAME(tl_walk_lane)(scoring, node, lanes->class_bits, keys, l,
                                      lanes->feature[l], scratch, best);
        return;
    }
#if TL_KEY_BITS == 32
    tl_shorten_keys(node->n_samples, lanes->class_bits, keys, short_keys);
#endif
    rate(scoring, node, lanes->class_bits, short_keys, rated);
    for (l = 0; l < 16; l++) {
        if ((lanes->skipped >> l) & 1) rated[l] = -1.0f;
        if (rated[l] > most) most = rated[l];
    }
    least = (float)(best->score * (1.0 - TL_CLOSE));
    if (most * (float)(1.0 - TL_CLOSE) > least) least = most * (float)(1.0 - TL_CLOSE);
    for (l = 0; l < 16; l++)
        if (rated[l] >= 0.0f && rated[l] >= least)
            TL_NAME(tl_walk_lane)(scoring, node, lanes->class_bits, keys, l, lanes->feature[l],
                                  scratch, best);
}

static void TL_NAME(tl_search_lanes_scalar)(const TlScoring *scoring, const TlCounts *node,
                                            const TlLanes *lanes, int32_t *scratch, TlCut *best) {
    TL_NAME(tl_search_lanes_body)(scoring, node, lanes, scratch, best, tl_rate_scalar);
}
#if TL_HAS_X86
TL_TARGET_AVX2 static void TL_NAME(tl_search_lanes_avx2)(const TlScoring *scoring,
                                                         const TlCounts *node,
                                                         const TlLanes *lanes, int32_t *scratch,
                                                         TlCut *best) {
    TL_NAME(tl_search_lanes_body)(scoring, node, lanes, scratch, best, tl_rate_avx2);
}
#endif

/* The best cut among 16 columns without missing values. scratch: 2 n_classes. */
static void TL_NAME(tl_search_lanes)(int level, const TlScoring *scoring, const TlCounts *node,
                                     const TlLanes *lanes, int32_t *scratch, TlCut *best) {
    TL_CHOOSE(level,
              TL_NAME(tl_search_lanes_avx2)(scoring, node, lanes, scratch, best),
              TL_NAME(tl_search_lanes_scalar)(scoring, node, lanes, scratch, best));
}

#undef TL_NAME
#undef TL_JOIN
#undef TL_JOIN2
#undef tl_key_t
#undef tl_signed_t
