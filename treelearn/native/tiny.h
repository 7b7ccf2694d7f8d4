/* The best cut of a node of a few samples by squared error, and its partition.
 *
 * The samples of a subtree have numbers from 0 and a rank in every list, equal for equal values;
 * each list keeps them in its order, the samples of one node side by side.  Nodes of two or three
 * samples are read off the ranks alone, so their lists need not be kept in order.  A list in which
 * a node is constant is left as it is: its samples then all have one rank.
 */
#ifndef TREELEARN_TINY_H
#define TREELEARN_TINY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bits.h"
#include "block.h"
#include "moment_screen.h"
#include "narrow.h"
#include "simd.h"

#define TL_TINY_SAMPLES 64

/* Nodes of fewer samples have no lists. */
#define TL_TINY_LISTED 4

/* Entries that vector code may read past a list. */
#define TL_TINY_SLACK 32

typedef struct {
    int n_lists;
    uint16_t *entries;             /* [list][TL_TINY_SAMPLES]: rank << 8 | sample */
    uint8_t *rank;                 /* [list][TL_TINY_SAMPLES], by sample */
    int64_t sums[TL_TINY_SAMPLES]; /* weighted targets, by sample */
} tl_tiny;

typedef struct {
    int list; /* -1: none */
    int n_left;
    int last_left; /* sample with the largest value on the left */
    int first_right;
    uint64_t left; /* its samples, one bit each */
} tl_tiny_cut;

static inline double tl_tiny_score(int64_t left, int64_t total, int n_left, double weight,
                                   double mean) {
    return tl_moments_score((double)left, (double)(total - left), (double)n_left, weight, mean);
}

static inline void tl_tiny_set(tl_tiny_cut *cut, int list, int n_left, int last_left,
                               int first_right, uint64_t left) {
    cut->list = list;
    cut->n_left = n_left;
    cut->last_left = last_left;
    cut->first_right = first_right;
    cut->left = left;
}

/* Two samples: all cuts score alike, the first list that tells them apart wins. */
static inline void tl_tiny_cut_two(const tl_tiny *tiny, const int32_t *samples,
                                   tl_tiny_cut *cut) {
    const int a = samples[0], b = samples[1];
    const uint8_t *rank = tiny->rank;
    int k;
    for (k = 0; k < tiny->n_lists; k++, rank += TL_TINY_SAMPLES) {
        if (rank[a] == rank[b]) continue;
        if (rank[a] < rank[b])
            tl_tiny_set(cut, k, 1, a, b, (uint64_t)1 << a);
        else
            tl_tiny_set(cut, k, 1, b, a, (uint64_t)1 << b);
        return;
    }
}

/* Three samples: a cut singles one of them out, so there are three scores. */
static inline void tl_tiny_cut_three(const tl_tiny *tiny, const int32_t *samples, int64_t total,
                                     tl_tiny_cut *cut) {
    const uint8_t *rank = tiny->rank;
    const double mean = (double)total / 3.0;
    double score[3], best = -INFINITY;
    int i, k;
    for (i = 0; i < 3; i++)
        score[i] = tl_tiny_score(tiny->sums[samples[i]], total, 1, 3.0, mean);
    for (k = 0; k < tiny->n_lists; k++, rank += TL_TINY_SAMPLES) {
        int r0 = rank[samples[0]], r1 = rank[samples[1]], r2 = rank[samples[2]];
        int low, high, middle;
        if (r0 == r1 && r1 == r2) continue;
        low = r1 < r0 ? 1 : 0;
        low = r2 < (r1 < r0 ? r1 : r0) ? 2 : low;
        high = r1 >= r0 ? 1 : 0;
        high = r2 >= (r1 >= r0 ? r1 : r0) ? 2 : high;
        middle = 3 - low - high;
        r0 = rank[samples[low]], r1 = rank[samples[middle]], r2 = rank[samples[high]];
        if (r0 < r1 && score[low] > best) {
            best = score[low];
            tl_tiny_set(cut, k, 1, samples[low], samples[middle], (uint64_t)1 << samples[low]);
        }
        if (r1 < r2 && score[high] > best) {
            best = score[high];
            tl_tiny_set(cut, k, 2, samples[middle], samples[high],
                        (uint64_t)1 << samples[low] | (uint64_t)1 << samples[middle]);
        }
    }
}

/* What the screen of a node's cuts knows, and the sums left of every entry of the list at hand. */
typedef struct {
    double weight, mean;
    double bar; /* score / weight to come near to */
    int64_t sums[TL_TINY_SAMPLES];
} tl_tiny_screen;

/* Which cuts of a list lie between two values and come near the bar, one bit each. */
static inline uint64_t tl_tiny_hits(const tl_tiny *tiny, const uint16_t *entries, int n,
                                    tl_tiny_screen *screen) {
    uint64_t hits = 0;
    int64_t left = 0;
    int i;
    for (i = 0; i < n; i++) {
        uint64_t is_start = i > 0 && (entries[i] >> 8) != (entries[i - 1] >> 8);
        uint64_t is_near =
            tl_is_near((double)left, (double)i, screen->weight, screen->mean, screen->bar);
        hits |= (is_start & is_near) << i;
        screen->sums[i] = left;
        left += tiny->sums[entries[i] & 255];
    }
    return hits;
}

#if TL_HAS_X86
/* The sums go from register to register: a wide load waits for narrow stores to reach the cache.
 * Entries past the last one are some sample's; what is summed there is not looked at. */
TL_TARGET_AVX2 static inline uint64_t tl_tiny_hits_avx2(const tl_tiny *tiny,
                                                        const uint16_t *entries, int n,
                                                        tl_tiny_screen *screen) {
    const __m256d bar = _mm256_set1_pd(screen->bar);
    const __m256d mean = _mm256_set1_pd(screen->mean), weight = _mm256_set1_pd(screen->weight);
    const uint64_t *sums = (const uint64_t *)tiny->sums;
    __m256d count = _mm256_setr_pd(0.0, 1.0, 2.0, 3.0);
    uint64_t near = 0, same = 0, a = 0;
    int i;
    for (i = 0; i < n; i += 4, count = _mm256_add_pd(count, _mm256_set1_pd(4.0))) {
        const uint64_t b = a + sums[entries[i] & 255];
        const uint64_t c = b + sums[entries[i + 1] & 255];
        const uint64_t d = c + sums[entries[i + 2] & 255];
        const __m256i left =
            _mm256_set_epi64x((int64_t)d, (int64_t)c, (int64_t)b, (int64_t)a);
        near |= tl_are_near_avx2(left, count, weight, mean, bar) << i;
        _mm256_storeu_si256((__m256i *)(screen->sums + i), left);
        a = d + sums[entries[i + 3] & 255];
    }
    if (near == 0) return 0;
    for (i = 0; i < n; i += 16) {
        __m256i here = _mm256_loadu_si256((const __m256i *)(entries + i));
        __m256i next = _mm256_loadu_si256((const __m256i *)(entries + i + 1));
        __m256i equal =
            _mm256_cmpeq_epi16(_mm256_srli_epi16(here, 8), _mm256_srli_epi16(next, 8));
        __m128i bytes =
            _mm_packs_epi16(_mm256_castsi256_si128(equal), _mm256_extracti128_si256(equal, 1));
        same |= (uint64_t)(uint32_t)_mm_movemask_epi8(bytes) << i;
    }
    return near & ~(same << 1);
}
#endif

/* More samples, of which `lowest` at least stay on either side; `first` is where the node's stand
 * in every list. */
#define TL_TINY_CUT_LISTED(name, target, hits_of)                                                \
    target static void name(const tl_tiny *tiny, int first, int n, int lowest, int64_t total,    \
                            tl_tiny_cut *cut) {                                                  \
        const uint64_t allowed =                                                                 \
            (~(uint64_t)0 << lowest) & (~(uint64_t)0 >> (63 - (n - lowest)));                    \
        const uint16_t *entries = tiny->entries + first;                                         \
        tl_tiny_screen screen;                                                                   \
        double best = -INFINITY;                                                                 \
        int at = -1, list = -1, i, k;                                                            \
        screen.weight = (double)n;                                                               \
        screen.mean = (double)total / screen.weight;                                             \
        screen.bar = -INFINITY;                                                                  \
        for (k = 0; k < tiny->n_lists; k++, entries += TL_TINY_SAMPLES) {                        \
            uint64_t hits;                                                                       \
            if (entries[0] >> 8 == entries[n - 1] >> 8) continue;                                \
            for (hits = hits_of(tiny, entries, n, &screen) & allowed; hits; hits &= hits - 1) {  \
                const int end = TL_LOWEST_BIT(hits);                                             \
                const double score =                                                             \
                    tl_tiny_score(screen.sums[end], total, end, screen.weight, screen.mean);     \
                if (score > best) {                                                              \
                    best = score;                                                                \
                    list = k;                                                                    \
                    at = end;                                                                    \
                }                                                                                \
            }                                                                                    \
            screen.bar = tl_moment_bar(best, screen.weight);                                     \
        }                                                                                        \
        if (list < 0) return;                                                                    \
        entries = tiny->entries + list * TL_TINY_SAMPLES + first;                                \
        tl_tiny_set(cut, list, at, entries[at - 1] & 255, entries[at] & 255, 0);                 \
        for (i = 0; i < at; i++) cut->left |= (uint64_t)1 << (entries[i] & 255);                 \
    }

TL_TINY_CUT_LISTED(tl_tiny_cut_listed, , tl_tiny_hits)
#if TL_HAS_X86
TL_TINY_CUT_LISTED(tl_tiny_cut_listed_avx2, TL_TARGET_AVX2, tl_tiny_hits_avx2)
#endif

/* The cut with the largest score; of equal scores the first list's, then the lowest. */
static void tl_tiny_best_cut(int simd, const tl_tiny *tiny, const int32_t *samples, int first,
                             int n, int lowest, int64_t total, tl_tiny_cut *cut) {
    cut->list = -1;
    if (n < 2 * lowest) return;
    if (n == 2)
        tl_tiny_cut_two(tiny, samples, cut);
    else if (n == 3)
        tl_tiny_cut_three(tiny, samples, total, cut);
#if TL_HAS_X86
    else if (simd >= TL_AVX2)
        tl_tiny_cut_listed_avx2(tiny, first, n, lowest, total, cut);
#endif
    else
        tl_tiny_cut_listed(tiny, first, n, lowest, total, cut);
}

static inline void tl_tiny_divide(uint16_t *entries, int n, uint64_t left) {
    uint16_t others[TL_TINY_SAMPLES];
    uint16_t *to_left = entries, *to_right = others;
    int i;
    for (i = 0; i < n; i++) {
        const uint16_t entry = entries[i];
        const uint64_t goes_left = left >> (entry & 63) & 1;
        *to_left = entry;
        *to_right = entry;
        to_left += goes_left;
        to_right += goes_left ^ 1;
    }
    memcpy(to_left, others, (to_right - others) * sizeof(uint16_t));
}

#if TL_HAS_X86
TL_TARGET_AVX2 static inline void tl_tiny_divide_avx2(uint16_t *entries, int n, uint64_t left) {
    const __m128i bit_of = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m128i low = _mm_set1_epi16(7), no_high = _mm_set1_epi16(-0x8000);
    const __m128i sides = _mm_cvtsi64_si128((int64_t)left);
    /* Whole vectors are stored: what stands behind the node is put back at the end. */
    const __m128i behind = _mm_loadu_si128((const __m128i *)(entries + n));
    uint16_t others[TL_TINY_SAMPLES + 8];
    int i, n_left = 0, n_right = 0;
    for (i = 0; i < n; i += 8) {
        const __m128i lanes = _mm_loadu_si128((const __m128i *)(entries + i));
        const uint32_t valid = n - i < 8 ? (1u << (n - i)) - 1 : 255;
        /* The bit of a sample: one of eight in one of eight bytes; the rank's half stays 0. */
        const __m128i bit =
            _mm_shuffle_epi8(bit_of, _mm_or_si128(_mm_and_si128(lanes, low), no_high));
        const __m128i byte = _mm_shuffle_epi8(
            sides, _mm_or_si128(_mm_and_si128(_mm_srli_epi16(lanes, 3), low), no_high));
        const __m128i go = _mm_cmpeq_epi16(_mm_and_si128(byte, bit), bit);
        const uint32_t mask = (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(go, go)) & valid;
        _mm_storeu_si128(
            (__m128i *)(entries + n_left),
            _mm_shuffle_epi8(lanes, _mm_loadu_si128((const __m128i *)tl_compress_16[mask])));
        _mm_storeu_si128(
            (__m128i *)(others + n_right),
            _mm_shuffle_epi8(lanes,
                             _mm_loadu_si128((const __m128i *)tl_compress_16[mask ^ valid])));
        n_left += __builtin_popcount(mask);
        n_right += __builtin_popcount(mask ^ valid);
    }
    for (i = 0; i < n_right; i += 8)
        _mm_storeu_si128((__m128i *)(entries + n_left + i),
                         _mm_loadu_si128((const __m128i *)(others + i)));
    _mm_storeu_si128((__m128i *)(entries + n), behind);
}
#endif

/* Partition the lists of a node, each side in its old order. */
#define TL_TINY_PARTITION(name, target, divide)                                                \
    target static void name(tl_tiny *tiny, int first, int n, uint64_t left) {                  \
        uint16_t *entries = tiny->entries + first;                                             \
        int k;                                                                                 \
        for (k = 0; k < tiny->n_lists; k++, entries += TL_TINY_SAMPLES)                        \
            if (entries[0] >> 8 != entries[n - 1] >> 8) divide(entries, n, left);              \
    }

TL_TINY_PARTITION(tl_tiny_partition_plain, , tl_tiny_divide)
#if TL_HAS_X86
TL_TINY_PARTITION(tl_tiny_partition_avx2, TL_TARGET_AVX2, tl_tiny_divide_avx2)
#endif

static void tl_tiny_partition(int simd, tl_tiny *tiny, int first, int n, uint64_t left) {
#if TL_HAS_X86
    if (simd >= TL_AVX2) {
        tl_tiny_partition_avx2(tiny, first, n, left);
        return;
    }
#endif
    tl_tiny_partition_plain(tiny, first, n, left);
}

#endif
