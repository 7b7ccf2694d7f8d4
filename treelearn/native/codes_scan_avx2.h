/* Scans of a histogram 16 codes at a time: filters of Gini's score, see codes_scan.h. */
#ifndef TREELEARN_CODES_SCAN_AVX2_H
#define TREELEARN_CODES_SCAN_AVX2_H

/* Sums of 16 short numbers from the lowest lane up, on top of what came before. */
TL_TARGET_AVX2 static inline __m256i tl_prefix_sums16(__m256i x) {
    const __m256i last = _mm256_set1_epi16(0x0F0E);
    __m256i low;
    x = _mm256_add_epi16(x, _mm256_slli_si256(x, 2));
    x = _mm256_add_epi16(x, _mm256_slli_si256(x, 4));
    x = _mm256_add_epi16(x, _mm256_slli_si256(x, 8));
    low = _mm256_shuffle_epi8(_mm256_permute2x128_si256(x, x, 0x08), last);
    return _mm256_add_epi16(x, low);
}

/* The highest lane in every lane. */
TL_TARGET_AVX2 static inline __m256i tl_last16(__m256i x) {
    return _mm256_shuffle_epi8(_mm256_permute4x64_epi64(x, 0xFF), _mm256_set1_epi16(0x0706));
}

TL_TARGET_AVX2 static inline __m256i tl_prefix_sums32(__m256i x) {
    __m256i low;
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 4));
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 8));
    low = _mm256_permutevar8x32_epi32(x, _mm256_set1_epi32(3));
    return _mm256_add_epi32(x, _mm256_blend_epi32(_mm256_setzero_si256(), low, 0xF0));
}

/* A bit for every lane of 16 bits that is not 0. */
TL_TARGET_AVX2 static inline int tl_nonzero16(__m256i x) {
    const __m256i zero = _mm256_setzero_si256();
    x = _mm256_packs_epi16(_mm256_cmpeq_epi16(x, zero), zero);
    return 0xFFFF & ~_mm256_movemask_epi8(_mm256_permute4x64_epi64(x, 0xD8));
}

/* Note which of 16 codes are present, and whether one is frequent; returns a bit for each. */
TL_TARGET_AVX2 static inline int tl_note_present(__m256i totals, int32_t block, int32_t *most,
                                                 TlColumnScan *scan) {
    int here = tl_nonzero16(totals);
    scan->present[2 * block] = (uint8_t)here;
    scan->present[2 * block + 1] = (uint8_t)(here >> 8);
    scan->n_present += TL_POPCOUNT((unsigned)here);
    if (tl_nonzero16(_mm256_subs_epu16(totals, _mm256_set1_epi16((short)*most)))) {
        uint16_t count[16];
        int j;
        _mm256_storeu_si256((__m256i *)count, totals);
        for (j = 0; j < 16; j++) {
            if (count[j] > *most) {
                *most = count[j];
                scan->default_code = TL_CODE_BLOCK * block + j;
            }
        }
    }
    return here;
}

TL_TARGET_AVX2 static inline int tl_feasible16(__m256i n_left, const TlCounts *node) {
    int32_t most = node->n_samples - node->min_leaf;
    __m256i low, high;
    if (most < node->min_leaf) return 0;
    low = _mm256_subs_epu16(_mm256_set1_epi16((short)node->min_leaf), n_left);
    high = _mm256_subs_epu16(n_left, _mm256_set1_epi16((short)most));
    return 0xFFFF & ~tl_nonzero16(_mm256_or_si256(low, high));
}

/* Gini, two classes in the table. */
TL_TARGET_AVX2 static void tl_scan_binary_avx2(const TlCounts *node, uint16_t *histogram,
                                               int32_t stride, int32_t feature,
                                               TlColumnScan *scan, TlCut *best) {
    const __m256i zero = _mm256_setzero_si256();
    const double ones = (double)node->class_counts[1], zeros = (double)node->class_counts[0];
    const __m256 whole = _mm256_set1_ps((float)node->n_samples);
    /* D = l1 n0 - l0 n1 from pairs (l1, l0) */
    const __m256i weights = _mm256_set1_epi32(
        (int)((uint32_t)node->class_counts[0] | (uint32_t)-node->class_counts[1] << 16));
    __m256i before_zeros = zero, before_ones = zero;
    int32_t block, most = node->n_samples / 6;
    for (block = 0; block < stride / TL_CODE_BLOCK; block++) {
        __m256i *zeros_here = (__m256i *)(histogram + TL_CODE_BLOCK * block);
        __m256i *ones_here = (__m256i *)(histogram + stride + TL_CODE_BLOCK * block);
        __m256i count_zeros = _mm256_loadu_si256(zeros_here);
        __m256i count_ones = _mm256_loadu_si256(ones_here), n_left, low, high;
        int hits = tl_note_present(_mm256_add_epi16(count_zeros, count_ones), block, &most, scan);
        int filter;
        __m256 low_left, high_left, low_area, high_area, least, low_d, high_d;
        if (!hits) continue;
        _mm256_storeu_si256(zeros_here, zero);
        _mm256_storeu_si256(ones_here, zero);
        count_zeros = _mm256_add_epi16(tl_prefix_sums16(count_zeros), before_zeros);
        count_ones = _mm256_add_epi16(tl_prefix_sums16(count_ones), before_ones);
        before_zeros = tl_last16(count_zeros);
        before_ones = tl_last16(count_ones);
        n_left = _mm256_add_epi16(count_zeros, count_ones);
        hits &= tl_feasible16(n_left, node);
        /* Lanes 0-3 and 8-11 in one half, the others in the other. */
        low = _mm256_unpacklo_epi16(n_left, zero);
        high = _mm256_unpackhi_epi16(n_left, zero);
        low_left = _mm256_cvtepi32_ps(low);
        high_left = _mm256_cvtepi32_ps(high);
        low_d = _mm256_cvtepi32_ps(
            _mm256_madd_epi16(_mm256_unpacklo_epi16(count_ones, count_zeros), weights));
        high_d = _mm256_cvtepi32_ps(
            _mm256_madd_epi16(_mm256_unpackhi_epi16(count_ones, count_zeros), weights));
        low_area = _mm256_mul_ps(low_left, _mm256_sub_ps(whole, low_left));
        high_area = _mm256_mul_ps(high_left, _mm256_sub_ps(whole, high_left));
        least = _mm256_set1_ps((float)(best->score * (1.0 - TL_CLOSE)));
        low = _mm256_castps_si256(
            _mm256_cmp_ps(_mm256_mul_ps(low_d, low_d), _mm256_mul_ps(low_area, least), _CMP_GE_OQ));
        high = _mm256_castps_si256(_mm256_cmp_ps(_mm256_mul_ps(high_d, high_d),
                                                 _mm256_mul_ps(high_area, least), _CMP_GE_OQ));
        filter = tl_nonzero16(_mm256_packs_epi32(low, high));
        hits &= filter;
        if (hits) {
            uint16_t left0[16], left1[16];
            _mm256_storeu_si256((__m256i *)left0, count_zeros);
            _mm256_storeu_si256((__m256i *)left1, count_ones);
            for (; hits; hits &= hits - 1) {
                int j = TL_LOWEST_BIT((unsigned)hits);
                double zeros_left = (double)left0[j], ones_left = (double)left1[j];
                double left = zeros_left + ones_left, right = zeros + ones - left;
                double difference = ones_left * zeros - zeros_left * ones;
                tl_take(best, difference * difference / (left * right), feature,
                        TL_CODE_BLOCK * block + j, -1, 0, 0);
            }
        }
    }
}

/* Gini from the sums of squares of both sides: whole numbers below 2^30, two classes at a time.
 * `before` has room for one class more than there are. */
TL_TARGET_AVX2 static void tl_scan_squares_avx2(const TlCounts *node, uint16_t *histogram,
                                                int32_t stride, int32_t feature,
                                                __m256i *before, TlColumnScan *scan,
                                                TlCut *best) {
    const __m256i zero = _mm256_setzero_si256();
    const int n_classes = node->n_classes;
    const __m256 whole = _mm256_set1_ps((float)node->n_samples);
    int32_t block, most = node->n_samples / 6, all = 0;
    int c;
    for (c = 0; c < n_classes; c++) {
        all += node->class_counts[c] * node->class_counts[c];
        before[c] = zero;
    }
    for (block = 0; block < stride / TL_CODE_BLOCK; block++) {
        uint16_t *here = histogram + TL_CODE_BLOCK * block;
        __m256i totals = zero, n_left = zero;
        __m256i square_low = zero, square_high = zero, cross_low = zero, cross_high = zero;
        __m256i other_low, other_high;
        __m256 left, right, least, score_low, score_high, area_low, area_high;
        int hits;
        for (c = 0; c < n_classes; c += 2, here += 2 * stride) {
            /* Without a second class, a class of no samples. */
            const int has_second = c + 1 < n_classes;
            __m256i first = _mm256_loadu_si256((const __m256i *)here), second = zero, low, high;
            __m256i wholes = _mm256_set1_epi32(
                node->class_counts[c] | (has_second ? node->class_counts[c + 1] << 16 : 0));
            _mm256_storeu_si256((__m256i *)here, zero);
            totals = _mm256_add_epi16(totals, first);
            first = _mm256_add_epi16(tl_prefix_sums16(first), before[c]);
            before[c] = tl_last16(first);
            n_left = _mm256_add_epi16(n_left, first);
            if (has_second) {
                second = _mm256_loadu_si256((const __m256i *)(here + stride));
                _mm256_storeu_si256((__m256i *)(here + stride), zero);
                totals = _mm256_add_epi16(totals, second);
                second = _mm256_add_epi16(tl_prefix_sums16(second), before[c + 1]);
                before[c + 1] = tl_last16(second);
                n_left = _mm256_add_epi16(n_left, second);
            }
            low = _mm256_unpacklo_epi16(first, second);
            high = _mm256_unpackhi_epi16(first, second);
            square_low = _mm256_add_epi32(square_low, _mm256_madd_epi16(low, low));
            square_high = _mm256_add_epi32(square_high, _mm256_madd_epi16(high, high));
            cross_low = _mm256_add_epi32(cross_low, _mm256_madd_epi16(low, wholes));
            cross_high = _mm256_add_epi32(cross_high, _mm256_madd_epi16(high, wholes));
        }
        hits = tl_note_present(totals, block, &most, scan);
        if (!hits) continue;
        hits &= tl_feasible16(n_left, node);
        /* sum (total - left)^2 */
        other_low = _mm256_add_epi32(
            _mm256_sub_epi32(_mm256_set1_epi32(all), _mm256_add_epi32(cross_low, cross_low)),
            square_low);
        other_high = _mm256_add_epi32(
            _mm256_sub_epi32(_mm256_set1_epi32(all), _mm256_add_epi32(cross_high, cross_high)),
            square_high);
        least = _mm256_set1_ps((float)(best->score * (1.0 - TL_CLOSE)));
        left = _mm256_cvtepi32_ps(_mm256_unpacklo_epi16(n_left, zero));
        right = _mm256_sub_ps(whole, left);
        score_low = _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(square_low), right),
                                  _mm256_mul_ps(_mm256_cvtepi32_ps(other_low), left));
        area_low = _mm256_mul_ps(_mm256_mul_ps(left, right), least);
        left = _mm256_cvtepi32_ps(_mm256_unpackhi_epi16(n_left, zero));
        right = _mm256_sub_ps(whole, left);
        score_high = _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(square_high), right),
                                   _mm256_mul_ps(_mm256_cvtepi32_ps(other_high), left));
        area_high = _mm256_mul_ps(_mm256_mul_ps(left, right), least);
        hits &= tl_nonzero16(_mm256_packs_epi32(
            _mm256_castps_si256(_mm256_cmp_ps(score_low, area_low, _CMP_GE_OQ)),
            _mm256_castps_si256(_mm256_cmp_ps(score_high, area_high, _CMP_GE_OQ))));
        if (hits) {
            uint16_t counts_left[16];
            int32_t squares[2][8], others[2][8];
            _mm256_storeu_si256((__m256i *)counts_left, n_left);
            _mm256_storeu_si256((__m256i *)squares[0], square_low);
            _mm256_storeu_si256((__m256i *)squares[1], square_high);
            _mm256_storeu_si256((__m256i *)others[0], other_low);
            _mm256_storeu_si256((__m256i *)others[1], other_high);
            for (; hits; hits &= hits - 1) {
                int j = TL_LOWEST_BIT((unsigned)hits);
                /* Lanes 0-3 and 8-11 are in the low half. */
                int half = (j >> 2) & 1, lane = (j & 3) | ((j & 8) >> 1);
                double n_here = (double)counts_left[j];
                double n_rest = (double)node->n_samples - n_here;
                tl_take(best,
                        (double)squares[half][lane] / n_here +
                            (double)others[half][lane] / n_rest,
                        feature, TL_CODE_BLOCK * block + j, -1, 0, 0);
            }
        }
    }
}

/* Both kinds of Gini in the largest nodes, in float64. `before`: one for every class. */
TL_TARGET_AVX2 static void tl_scan_large_avx2(const TlScoring *scoring, const TlCounts *node,
                                              uint32_t *histogram, int32_t stride,
                                              int32_t feature, __m256i *before,
                                              TlColumnScan *scan, TlCut *best) {
    const __m256i zero = _mm256_setzero_si256();
    const int n_classes = node->n_classes;
    const double n = (double)node->n_samples;
    double all = 0.0;
    int32_t block, most = node->n_samples / 6;
    int c;
    memset(scan->present, 0, (size_t)(stride / 8));
    for (c = 0; c < n_classes; c++) {
        all += (double)node->class_counts[c] * (double)node->class_counts[c];
        before[c] = zero;
    }
    for (block = 0; block < stride / 8; block++) {
        uint32_t *here = histogram + 8 * block;
        __m256i totals = zero, n_left = zero;
        double squares[8], crosses[8], ones_left[8];
        int32_t counts[8], totals_here[8];
        int j;
        for (j = 0; j < 8; j++) squares[j] = crosses[j] = ones_left[j] = 0.0;
        for (c = 0; c < n_classes; c++, here += stride) {
            const double total = (double)node->class_counts[c];
            __m256i count = _mm256_loadu_si256((const __m256i *)here);
            totals = _mm256_add_epi32(totals, count);
            _mm256_storeu_si256((__m256i *)here, zero);
            count = _mm256_add_epi32(tl_prefix_sums32(count), before[c]);
            before[c] = _mm256_permutevar8x32_epi32(count, _mm256_set1_epi32(7));
            n_left = _mm256_add_epi32(n_left, count);
            _mm256_storeu_si256((__m256i *)counts, count);
            for (j = 0; j < 8; j++) {
                ones_left[j] = (double)counts[j];
                squares[j] += ones_left[j] * ones_left[j];
                crosses[j] += ones_left[j] * total;
            }
        }
        _mm256_storeu_si256((__m256i *)counts, n_left);
        _mm256_storeu_si256((__m256i *)totals_here, totals);
        for (j = 0; j < 8; j++) {
            double left = (double)counts[j], right = n - left, score;
            int32_t code = 8 * block + j;
            if (totals_here[j] == 0) continue;
            scan->present[code >> 3] |= (uint8_t)(1 << (code & 7));
            scan->n_present++;
            if (totals_here[j] > most) {
                most = totals_here[j];
                scan->default_code = code;
            }
            if (counts[j] < node->min_leaf || node->n_samples - counts[j] < node->min_leaf)
                continue;
            if (scoring->is_binary) {
                double ones = (double)node->class_counts[1];
                double difference =
                    ones_left[j] * (n - ones) - (left - ones_left[j]) * ones;
                score = difference * difference / (left * right);
            } else {
                score = squares[j] / left + (all - 2.0 * crosses[j] + squares[j]) / right;
            }
            tl_take(best, score, feature, code, -1, 0, 0);
        }
    }
}

#endif
