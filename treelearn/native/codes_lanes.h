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
#ifndef TL_LANES
#define TL_LANES 16
#define TL_MOST_ROWS 64
#define TL_MOST_PAIRS 543 /* comparisons for 64 keys */

static uint8_t tl_pairs[TL_MOST_ROWS + 1][TL_MOST_PAIRS][2];
static int32_t tl_n_pairs[TL_MOST_ROWS + 1];
static float tl_inverse[TL_MOST_ROWS + 1];

static void tl_fill_networks(void) {
    int n, p, k, j, i;
    for (n = 1; n <= TL_MOST_ROWS; n++) {
        int32_t m = 0;
        tl_inverse[n] = 1.0f / (float)n;
        for (p = 1; p < n; p *= 2)
            for (k = p; k >= 1; k /= 2)
                for (j = k % p; j + k < n; j += 2 * k)
                    for (i = 0; i < k && i + j + k < n; i++)
                        if ((i + j) / (2 * p) == (i + j + k) / (2 * p)) {
                            tl_pairs[n][m][0] = (uint8_t)(i + j);
                            tl_pairs[n][m][1] = (uint8_t)(i + j + k);
                            m++;
                        }
        tl_n_pairs[n] = m;
    }
}

/* 16 columns of the samples of a node. */
typedef struct {
    const uint16_t *codes; /* [sample][stride], from the first of the 16 columns */
    size_t stride;
    const int32_t *samples;
    const uint8_t *classes; /* of the samples, among those present; ascending */
    int class_bits;
    uint32_t skipped;    /* lanes that are not searched here, a bit each */
    const int32_t *feature; /* of the lanes */
} TlLanes;
#endif

#define TL_JOIN2(a, b) a##b
#define TL_JOIN(a, b) TL_JOIN2(a, b)
#define TL_NAME(name) TL_JOIN(name, TL_KEY_BITS)
#define tl_key_t TL_JOIN(TL_JOIN(uint, TL_KEY_BITS), _t)
#define tl_signed_t TL_JOIN(TL_JOIN(int, TL_KEY_BITS), _t)

/* Read and sort the keys; return 0 where every column is constant. */
static inline __attribute__((always_inline)) int TL_NAME(tl_sort_lanes)(const TlLanes *lanes,
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

/* The largest score of every lane in float32, -1 where no cut is feasible. */
static inline __attribute__((always_inline)) void TL_NAME(tl_rate_binary)(
    const TlCounts *node, int shift, tl_key_t (*keys)[16], float *rated) {
    const int32_t n = node->n_samples, first = node->min_leaf, last = n - node->min_leaf;
    const tl_signed_t ones = (tl_signed_t)node->class_counts[1];
    tl_signed_t difference[16];
    int32_t i;
    int l;
    for (l = 0; l < 16; l++) difference[l] = 0, rated[l] = -1.0f;
    for (i = 1; i <= last; i++) {
        /* i samples on the left: D = l1 n - i n1, half of the sign does not matter */
        const tl_key_t *before = keys[i - 1], *after = keys[i];
        const float inverse = tl_inverse[i] * tl_inverse[n - i];
        for (l = 0; l < 16; l++)
            difference[l] = (tl_signed_t)(difference[l] - ones +
                                          ((tl_signed_t)n & (tl_signed_t)-(tl_signed_t)(before[l] & 1)));
        if (i < first) continue;
        for (l = 0; l < 16; l++) {
            float d = (float)difference[l];
            float score = (before[l] >> shift) != (after[l] >> shift) ? d * d * inverse : -1.0f;
            rated[l] = rated[l] > score ? rated[l] : score;
        }
    }
}

static inline __attribute__((always_inline)) void TL_NAME(tl_rate_squares)(
    const TlCounts *node, int shift, tl_key_t (*keys)[16], float *rated) {
    const int32_t n = node->n_samples, first = node->min_leaf, last = n - node->min_leaf;
    const int n_classes = node->n_classes;
    const tl_key_t class_mask = (tl_key_t)((1 << shift) - 1);
    tl_key_t counts[TL_MOST_ROWS][16], square[16], other[16];
    int32_t i;
    int l, c, all = 0;
    for (c = 0; c < n_classes; c++) {
        all += node->class_counts[c] * node->class_counts[c];
        for (l = 0; l < 16; l++) counts[c][l] = 0;
    }
    for (l = 0; l < 16; l++) square[l] = 0, other[l] = (tl_key_t)all, rated[l] = -1.0f;
    for (i = 1; i <= last; i++) {
        const tl_key_t *before = keys[i - 1], *after = keys[i];
        const float left = tl_inverse[i], right = tl_inverse[n - i];
        tl_key_t own[16], whole[16];
        for (l = 0; l < 16; l++) own[l] = whole[l] = 0;
        for (c = 0; c < n_classes; c++) {
            const tl_key_t count = (tl_key_t)node->class_counts[c];
            for (l = 0; l < 16; l++) {
                tl_key_t is_class = (tl_key_t)-(tl_key_t)((before[l] & class_mask) == (tl_key_t)c);
                own[l] |= is_class & counts[c][l];
                whole[l] |= is_class & count;
                counts[c][l] = (tl_key_t)(counts[c][l] - is_class);
            }
        }
        /* (c + 1)^2 - c^2 on the left, c^2 - (c - 1)^2 on the right */
        for (l = 0; l < 16; l++) {
            square[l] = (tl_key_t)(square[l] + 2 * own[l] + 1);
            other[l] = (tl_key_t)(other[l] - 2 * (whole[l] - own[l]) + 1);
        }
        if (i < first) continue;
        for (l = 0; l < 16; l++) {
            float score = (float)square[l] * left + (float)other[l] * right;
            score = (before[l] >> shift) != (after[l] >> shift) ? score : -1.0f;
            rated[l] = rated[l] > score ? rated[l] : score;
        }
    }
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

static inline __attribute__((always_inline)) void TL_NAME(tl_search_lanes_body)(
    const TlScoring *scoring, const TlCounts *node, const TlLanes *lanes, int32_t *scratch,
    TlCut *best) {
    tl_key_t keys[TL_MOST_ROWS][16];
    float rated[16], most = 0.0f, least;
    int l;
    if (!TL_NAME(tl_sort_lanes)(lanes, node->n_samples, keys)) return;
    if (scoring->formula != TL_GINI) {
        for (l = 0; l < 16; l++)
            if (!((lanes->skipped >> l) & 1))
                TL_NAME(tl_walk_lane)(scoring, node, lanes->class_bits, keys, l,
                                      lanes->feature[l], scratch, best);
        return;
    }
    if (scoring->is_binary)
        TL_NAME(tl_rate_binary)(node, lanes->class_bits, keys, rated);
    else
        TL_NAME(tl_rate_squares)(node, lanes->class_bits, keys, rated);
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
    TL_NAME(tl_search_lanes_body)(scoring, node, lanes, scratch, best);
}
#if TL_HAS_X86
TL_TARGET_AVX2 static void TL_NAME(tl_search_lanes_avx2)(const TlScoring *scoring,
                                                         const TlCounts *node,
                                                         const TlLanes *lanes, int32_t *scratch,
                                                         TlCut *best) {
    TL_NAME(tl_search_lanes_body)(scoring, node, lanes, scratch, best);
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
