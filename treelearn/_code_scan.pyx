"""The best cut of a node of codes, and which of its samples go left.

The rule for ties is the one of _splitter.pyx. Scores depend on class counts alone, and are
computed by the formulas of the presorted lists: both forms grow the same tree to the bit.
"""

from libc.math cimport INFINITY

from ._code_types cimport *
from ._codes cimport TlBits
from ._types cimport *

cdef extern from "native/impurity.h" nogil:
    const int TL_GINI

cdef extern from "native/codes_partition.h" nogil:
    void tl_fill_compress()
    int32_t tl_count_bits(const uint64_t*, int32_t, int32_t)
    void tl_mark(int, const void*, int, int32_t, int32_t, int32_t, uint64_t*)
    void tl_divide(int, void*, int, int32_t, const uint64_t*, void*, void*)
    int TL_POPCOUNT(uint64_t)
    int TL_LOWEST_BIT(uint64_t)

cdef extern from "native/codes_histogram.h" nogil:
    void tl_fill(
        int, const void*, int, int32_t, const int32_t*, int32_t, void*, int32_t, int, uint8_t*
    )
    int32_t tl_number_codes(const uint8_t*, int32_t, uint16_t*)
    void tl_recode(
        int, void*, int, int, int32_t, const uint16_t*, const uint8_t*, int32_t
    )

cdef extern from "native/codes_scan.h" nogil:
    const int TL_CODE_BLOCK, TL_SHORT_NODE
    ctypedef struct TlColumnScan:
        int32_t n_present
        int32_t default_code
        int32_t n_missing
        uint8_t* present
    void tl_scan_column(
        int, const TlScoring*, const TlCounts*, void*, int32_t, int32_t, int, int32_t,
        int32_t*, TlColumnScan*, TlCut*,
    )

cdef extern from "native/codes_bits.h" nogil:
    void tl_search_bits(
        int, const TlScoring*, const TlBits*, const int32_t*, const TlCounts*, int32_t*,
        int32_t*, TlCut*,
    )

cdef extern from "native/codes_small.h" nogil:
    ctypedef struct TlLanes:
        const uint16_t* codes
        size_t stride
        const int32_t* samples
        const uint8_t* classes
        int class_bits
        uint32_t skipped
        const int32_t* feature
    void tl_fill_networks()
    void tl_search_lanes16(
        int, const TlScoring*, const TlCounts*, const TlLanes*, int32_t*, TlCut*
    )
    void tl_search_lanes32(
        int, const TlScoring*, const TlCounts*, const TlLanes*, int32_t*, TlCut*
    )
    void tl_search_sorted(
        const TlScoring*, const TlCounts*, const uint16_t*, size_t, const int32_t*,
        const uint8_t*, int32_t, int32_t, int32_t*, TlCut*,
    )

cdef enum:
    # Codes are numbered anew when half of them are gone, and below this number of codes as soon
    # as a block of the scan is saved (measurements.md, part 2: covertype twice as fast).
    FEW_CODES = 128

tl_fill_compress()
tl_fill_networks()


cdef inline void start_cut(TlCut* cut) noexcept nogil:
    cut.score = -INFINITY
    cut.feature = -1
    cut.code = 0
    cut.next_code = -1
    cut.missing_goes_left = 0
    cut.has_missing = 0


cdef inline double best_possible(const TlScoring* scoring, const TlCounts* counts) noexcept nogil:
    """Return the score of a cut into pure sides, which no other cut reaches."""
    if scoring.formula != TL_GINI:
        return INFINITY
    if scoring.is_binary:
        return <double> counts.class_counts[0] * <double> counts.class_counts[1]
    return <double> counts.n_samples if counts.n_classes == 2 else INFINITY


cdef char* codes_of(const CodeSearch* search, int32_t place, int32_t start) noexcept nogil:
    """Where the codes of a column start for a node that starts at a sample."""
    return <char*> (search.table.columns + place * search.table.column_stride + start)


cdef void number_anew(
    const CodeSearch* search,
    const CodeNode* node,
    CodeColumn* column,
    const TlColumnScan* scan,
    CodeWorkspace* work,
    TlCut* cut,     # NULL where another column holds the best cut
) noexcept nogil:
    """Number the codes of a column anew where that makes its histograms smaller."""
    cdef int32_t n_present = scan.n_present, n_codes = column.n_codes
    cdef bint narrows = column.is_wide and n_present <= 256
    if not (
        narrows
        or (n_codes > 16 and 2 * n_present <= n_codes)
        or (
            16 < n_codes <= FEW_CODES
            and (n_present + TL_CODE_BLOCK - 1) // TL_CODE_BLOCK
            < (n_codes + TL_CODE_BLOCK - 1) // TL_CODE_BLOCK
        )
    ):
        return
    tl_number_codes(scan.present, n_codes, work.new_codes)
    tl_recode(
        search.level, codes_of(search, column.place, node.start), column.is_wide,
        column.is_wide and not narrows, node.n_samples, work.new_codes, scan.present, n_codes,
    )
    if narrows:
        column.is_wide = False
    column.has_missing = scan.n_missing > 0
    column.n_codes = n_present
    if column.default_code >= 0:
        column.default_code = work.new_codes[column.default_code]
    if cut != NULL:
        cut.code = work.new_codes[cut.code]
        if cut.next_code >= 0:
            cut.next_code = work.new_codes[cut.next_code]


cdef void search_node(
    const CodeSearch* search,
    CodeNode* node,         # columns that do not vary are left out; codes are numbered anew
    CodeWorkspace* work,
    TlCut* cut,             # out
) noexcept nogil:
    """Search all columns and bits of a node."""
    cdef const CodeTable* table = &search.table
    cdef TlCounts counts
    cdef TlColumnScan scan
    cdef CodeColumn* column
    cdef double possible
    cdef int32_t k, n_kept = 0, stride, feature
    start_cut(cut)
    counts.n_samples = node.n_samples
    counts.n_classes = node.n_classes
    counts.class_counts = node.counts
    counts.min_leaf = <int32_t> search.common.rules.min_samples_leaf
    possible = best_possible(&search.scoring, &counts)
    scan.present = work.present
    if table.bits.n_bits > 0:
        tl_search_bits(
            search.level, &search.scoring, &table.bits, search.samples + node.start, &counts,
            work.bit_counts, work.scratch, cut,
        )
    for k in range(node.n_columns):
        column = node.columns + k
        feature = table.feature[column.place]
        if cut.score >= possible and cut.feature < feature:
            # Both children are pure: the columns are not needed any more.
            break
        stride = (column.n_codes + TL_CODE_BLOCK - 1) // TL_CODE_BLOCK * TL_CODE_BLOCK
        tl_fill(
            search.level, codes_of(search, column.place, node.start), column.is_wide,
            node.n_classes, node.counts, column.default_code, work.histogram, stride,
            node.n_samples <= TL_SHORT_NODE, <uint8_t*> work.spare,
        )
        tl_scan_column(
            search.level, &search.scoring, &counts, work.histogram, stride, column.n_codes,
            column.has_missing, feature, work.scratch, &scan, cut,
        )
        if scan.n_present < 2:
            continue
        column.default_code = scan.default_code
        number_anew(
            search, node, column, &scan, work, cut if cut.feature == feature else NULL
        )
        node.columns[n_kept] = column[0]
        n_kept += 1
    node.n_columns = n_kept


cdef inline int first_difference(
    const CodeSearch* search, int32_t first, int32_t second, TlCut* cut
) noexcept nogil:
    """The cut of two samples: the first feature that differs."""
    cdef const CodeTable* table = &search.table
    cdef const uint64_t* bits = table.bits.rows
    cdef const uint16_t* one = table.rows + <int64_t> first * table.row_stride
    cdef const uint16_t* other = table.rows + <int64_t> second * table.row_stride
    cdef int32_t word, place, lane
    cdef uint64_t differs
    for word in range(table.bits.n_words):
        differs = (
            bits[<int64_t> first * table.bits.n_words + word]
            ^ bits[<int64_t> second * table.bits.n_words + word]
        )
        if differs != 0:
            lane = 64 * word + TL_LOWEST_BIT(differs)
            cut.feature = table.bits.feature[lane]
            cut.code = lane
            break
    for place in range(table.n_stored):
        if cut.feature >= 0 and table.feature[place] > cut.feature:
            return True
        if one[place] != other[place]:
            cut.feature = table.feature[place]
            cut.code = min(one[place], other[place])
            cut.next_code = max(one[place], other[place])
            if table.has_missing[place] and cut.next_code == table.n_codes[place] - 1:
                cut.has_missing = True
                cut.next_code = -1
            break
    return cut.feature >= 0


cdef void search_small(
    const CodeSearch* search,
    const TlCounts* counts,
    const int32_t* samples,
    const uint8_t* classes,     # of the samples, among those present
    CodeWorkspace* work,
    TlCut* cut,                 # out
) noexcept nogil:
    """Search all columns and bits of a small node."""
    cdef const CodeTable* table = &search.table
    cdef TlLanes lanes
    cdef uint32_t missing
    cdef int32_t chunk, lane, place
    cdef double possible = best_possible(&search.scoring, counts)
    start_cut(cut)
    if counts.n_samples == 2 and counts.min_leaf <= 1 and search.scoring.formula == TL_GINI:
        if first_difference(search, samples[0], samples[1], cut):
            cut.score = possible
        return
    if table.bits.n_bits > 0:
        tl_search_bits(
            search.level, &search.scoring, &table.bits, samples, counts, work.bit_counts,
            work.scratch, cut,
        )
    lanes.stride = table.row_stride
    lanes.samples = samples
    lanes.classes = classes
    lanes.class_bits = 1
    while 1 << lanes.class_bits < counts.n_classes:
        lanes.class_bits += 1
    for chunk in range(table.row_stride // 16):
        if cut.score >= possible and cut.feature < table.feature[16 * chunk]:
            break
        lanes.codes = table.rows + 16 * chunk
        lanes.feature = table.feature + 16 * chunk
        missing = table.chunk_missing[chunk]
        lanes.skipped = missing
        if 16 * chunk + 16 > table.n_stored:
            lanes.skipped |= <uint32_t> 0xFFFFFFFF << (table.n_stored - 16 * chunk)
        if table.chunk_bits[chunk] + lanes.class_bits <= 16:
            tl_search_lanes16(search.level, &search.scoring, counts, &lanes, work.scratch, cut)
        else:
            tl_search_lanes32(search.level, &search.scoring, counts, &lanes, work.scratch, cut)
        while missing != 0:
            lane = TL_LOWEST_BIT(missing)
            missing &= missing - 1
            place = 16 * chunk + lane
            tl_search_sorted(
                &search.scoring, counts, table.rows + place, table.row_stride, samples, classes,
                table.n_codes[place] - 1, table.feature[place], work.scratch, cut,
            )


cdef void find_bit_values(
    const CodeSearch* search, uint64_t all_left, uint64_t any_right, TlCut* cut
) noexcept nogil:
    """Set the codes on either side of a bit from what the samples of the sides have in common.

    A sample of code c has the bits from c up: on the left the fewest bits belong to the highest
    code, on the right the most bits to the lowest.
    """
    cdef uint64_t field = search.table.bit_field[cut.feature]
    cdef int32_t n_bits = TL_POPCOUNT(field)
    cut.code = n_bits - TL_POPCOUNT(all_left & field)
    cut.next_code = n_bits - TL_POPCOUNT(any_right & field)


cdef void mark_node(
    const CodeSearch* search, const CodeNode* node, const TlCut* cut, uint64_t* goes_left
) noexcept nogil:
    """Set the bits of the samples of a node that go left."""
    cdef const CodeTable* table = &search.table
    cdef const int32_t* samples = search.samples + node.start
    cdef const CodeColumn* column = node.columns
    cdef const uint64_t* bits
    cdef int32_t place = table.column_of[cut.feature], i, j, n_words = table.bits.n_words
    cdef int32_t also = -1, shift
    cdef uint64_t word
    if place < 0:
        bits = table.bits.rows + cut.code // 64
        shift = cut.code & 63
        for i in range(0, node.n_samples, 64):
            word = 0
            for j in range(min(64, node.n_samples - i)):
                word |= (
                    (bits[<int64_t> samples[i + j] * n_words] >> shift) & 1
                ) << j
            goes_left[i >> 6] = word
        return
    while column.place != place:
        column += 1
    if cut.missing_goes_left:
        also = column.n_codes - 1
    tl_mark(
        search.level, codes_of(search, place, node.start), column.is_wide, node.n_samples,
        cut.code, also, goes_left,
    )


cdef void find_values(
    const CodeSearch* search, const CodeNode* node, const uint64_t* goes_left, TlCut* cut
) noexcept nogil:
    """Turn the codes of a cut into those of the root: find a sample that has each."""
    cdef const CodeTable* table = &search.table
    cdef const int32_t* samples = search.samples + node.start
    cdef const CodeColumn* column = node.columns
    cdef const uint8_t* narrow
    cdef const uint16_t* wide
    cdef const uint64_t* bits
    cdef int32_t place = table.column_of[cut.feature], i, n_words = table.bits.n_words
    cdef uint64_t all_left = ~(<uint64_t> 0), any_right = 0, is_left, word
    if place < 0:
        bits = table.bits.rows + cut.code // 64
        for i in range(node.n_samples):
            is_left = (goes_left[i >> 6] >> (i & 63)) & 1
            word = bits[<int64_t> samples[i] * n_words]
            all_left &= word | (is_left - 1)
            any_right |= word & (is_left - 1)
        find_bit_values(search, all_left, any_right, cut)
        return
    while column.place != place:
        column += 1
    narrow = <const uint8_t*> codes_of(search, place, node.start)
    wide = <const uint16_t*> narrow
    i = 0
    if column.is_wide:
        while wide[i] != cut.code:
            i += 1
    else:
        while narrow[i] != cut.code:
            i += 1
    cut.code = table.rows[<int64_t> samples[i] * table.row_stride + place]
    if cut.next_code < 0:
        return
    i = 0
    if column.is_wide:
        while wide[i] != cut.next_code:
            i += 1
    else:
        while narrow[i] != cut.next_code:
            i += 1
    cut.next_code = table.rows[<int64_t> samples[i] * table.row_stride + place]


cdef uint64_t mark_small(
    const CodeSearch* search, int32_t n, const int32_t* samples, TlCut* cut
) noexcept nogil:
    """Return the bits of the samples that go left; a bit's number becomes codes."""
    cdef const CodeTable* table = &search.table
    cdef int32_t place = table.column_of[cut.feature], i, n_words = table.bits.n_words
    cdef uint64_t goes_left = 0, all_left = ~(<uint64_t> 0), any_right = 0, is_left, word
    cdef const uint64_t* bits
    cdef const uint16_t* codes
    cdef int32_t code, missing_code
    if place < 0:
        bits = table.bits.rows + cut.code // 64
        for i in range(n):
            word = bits[<int64_t> samples[i] * n_words]
            is_left = (word >> (cut.code & 63)) & 1
            goes_left |= is_left << i
            all_left &= word | (is_left - 1)
            any_right |= word & (is_left - 1)
        find_bit_values(search, all_left, any_right, cut)
        return goes_left
    codes = table.rows + place
    missing_code = table.n_codes[place] - 1 if cut.missing_goes_left else -1
    for i in range(n):
        code = codes[<int64_t> samples[i] * table.row_stride]
        goes_left |= <uint64_t> (code <= cut.code or code == missing_code) << i
    return goes_left


cdef int32_t count_left(
    const uint64_t* goes_left,
    int32_t n_classes,
    const int32_t* counts,
    int32_t* left_counts,   # out
) noexcept nogil:
    """Count the samples of every class that go left, and return their number."""
    cdef int32_t c, at = 0, n_left = 0
    for c in range(n_classes):
        left_counts[c] = tl_count_bits(goes_left, at, at + counts[c])
        at += counts[c]
        n_left += left_counts[c]
    return n_left


cdef void divide(
    const CodeSearch* search,
    void* elements,
    int size,                   # of an element, in bytes
    int32_t n,
    const uint64_t* goes_left,
    void* spare,
    void* right_side,           # where the right elements are wanted
) noexcept nogil:
    """Partition elements of a node in place."""
    tl_divide(search.level, elements, size, n, goes_left, spare, right_side)
