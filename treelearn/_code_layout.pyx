"""What becomes of every column of a table of codes: bits, a stored column, or nothing.

Plain loops, since a small table is encoded in less time than a dozen calls of NumPy take.
"""

from libc.math cimport fabs

import numpy as np

from ._types cimport *

cdef extern from "native/codes_columns.h" nogil:
    const int TL_MOST_CODES

cdef enum:
    # Widest columns that become bits. At 16 values 15 bits take the place of a histogram; letter,
    # whose 16 columns have 16 values each, then fits into one row of 256 (measurements.md, part 2).
    MOST_NARROW = 16
    MOST_BITS = 256
    MOST_WORDS = 512        # of the codes of narrow columns: at most two a bit
    NO_FEATURE = 2147483647     # of a bit that is left free
    LANES = 16              # columns of a chunk

# Whole numbers below it are exact in float32, and so are their distances.
cdef double LARGEST_WHOLE = 8388608.0


cdef class CodeLayout:
    """The columns of a table, by their ranges.

    Parameters
    ----------
    lowest, highest : ndarray of shape (n_features,)
        float64; infinite the wrong way round where a column has no value.
    flags : ndarray of shape (n_features,) of uint8
        1: some values are no whole numbers; 2: values are missing.
    """

    def __init__(
        self, const double[::1] lowest, const double[::1] highest, const uint8_t[::1] flags
    ):
        cdef int32_t n = lowest.shape[0], feature
        cdef char* at
        self.n_features = n
        block = np.zeros(10 * <int64_t> n + MOST_WORDS + MOST_BITS + 64, dtype=np.uint64)
        self.block = block
        cdef uint64_t[::1] view = block
        at = <char*> &view[0]
        self.bit_field = <uint64_t*> at
        self.words = self.bit_field + n
        self.bit_feature = <int32_t*> (self.words + MOST_WORDS)
        self.bit_code = self.bit_feature + MOST_BITS
        self.word_start = self.bit_code + MOST_BITS
        self.n_values = self.word_start + 6
        self.ranked = self.n_values + n
        self.with_missing = self.ranked + n
        self.column_of = self.with_missing + n
        self.narrow = self.column_of + n
        self.narrow_start = self.narrow + n
        self.runs = self.narrow_start + n
        self.stored = self.runs + 4 * n
        self.n_codes = self.stored + n
        self.chunk_bits = self.n_codes + n
        self.chunk_missing = <uint32_t*> (self.chunk_bits + n // LANES + 1)
        self.missing_codes = <uint16_t*> (self.chunk_missing + n // LANES + 1)
        self.is_missing = <uint8_t*> (self.missing_codes + n)
        self.has_missing = self.is_missing + n
        self.is_wide = self.has_missing + n
        assert <char*> (self.is_wide + n) <= at + 8 * view.shape[0]
        for feature in range(n):
            self.is_missing[feature] = (flags[feature] & 2) != 0
            if is_whole(lowest[feature], highest[feature], flags[feature]):
                self.n_values[feature] = <int32_t> (highest[feature] - lowest[feature]) + 1
            else:
                self.ranked[self.n_ranked] = feature
                self.n_ranked += 1

    cdef void lay_out(self, bint by_row) noexcept nogil:
        """Choose what becomes of every feature, once the numbers of their values are known."""
        cdef int32_t feature, n_values, n_codes, used = 0, k
        for feature in range(self.n_features):
            n_values = self.n_values[feature]
            if self.is_missing[feature]:
                self.with_missing[self.n_with_missing] = feature
                self.missing_codes[self.n_with_missing] = <uint16_t> n_values
                self.n_with_missing += 1
            elif not by_row and 1 < n_values <= MOST_NARROW and used <= MOST_BITS:
                used = self.place_bits(feature, n_values - 1, used)
        self.n_words = (self.n_bits + 63) // 64
        if self.n_words == 3:
            self.n_words = 4
        for feature in range(self.n_features):
            self.column_of[feature] = -1
            n_codes = self.n_values[feature] + self.is_missing[feature]
            if not by_row and (n_codes <= 1 or self.bit_field[feature] != 0):
                continue
            k = self.n_stored
            self.column_of[feature] = k
            self.stored[k] = feature
            self.n_codes[k] = n_codes
            self.has_missing[k] = self.is_missing[feature]
            self.is_wide[k] = n_codes > 256
            self.chunk_missing[k // LANES] |= <uint32_t> self.is_missing[feature] << (k % LANES)
            while n_codes - 1 >> self.chunk_bits[k // LANES] > 0:
                self.chunk_bits[k // LANES] += 1
            self.n_stored += 1
        self.n_chunks = (self.n_stored + LANES - 1) // LANES

    cdef int32_t place_bits(self, int32_t feature, int32_t n_cuts, int32_t used) noexcept nogil:
        """Give a feature its bits behind those in use; return how many are then."""
        cdef int32_t word, shift, code
        cdef int32_t* run = self.runs   # the last one
        if used % 64 + n_cuts > 64:
            used += 64 - used % 64
        if used + n_cuts > MOST_BITS:
            return MOST_BITS + 1    # no feature behind it becomes bits either
        while self.n_bits < used:
            self.bit_feature[self.n_bits] = NO_FEATURE
            self.n_bits += 1
        for code in range(n_cuts):
            self.bit_feature[self.n_bits] = feature
            self.bit_code[self.n_bits] = code
            self.n_bits += 1
        if self.n_runs > 0:
            run += 4 * (self.n_runs - 1)
        word = used // 64
        shift = used % 64
        self.bit_field[feature] = ((<uint64_t> 1 << n_cuts) - 1) << shift
        if n_cuts > 1:
            self.narrow[self.n_narrow] = feature
            self.narrow_start[self.n_narrow] = self.n_narrow_words
            self.n_narrow += 1
            for code in range(word + 1, 5):
                self.word_start[code] += 1
            # The bits of a code: from the code up.
            for code in range(n_cuts + 1):
                self.words[self.n_narrow_words] = self.bit_field[feature] & ~(
                    ((<uint64_t> 1 << code) - 1) << shift
                )
                self.n_narrow_words += 1
        elif (
            self.n_runs > 0 and run[0] + run[1] == feature and run[2] == word
            and run[3] + run[1] == shift
        ):
            run[1] += 1
        else:
            run = self.runs + 4 * self.n_runs
            run[0] = feature
            run[1] = 1
            run[2] = word
            run[3] = shift
            self.n_runs += 1
        return used + n_cuts


cdef bint is_whole(double lowest, double highest, uint8_t flags) noexcept nogil:
    """Return whether a column holds whole numbers that are told apart by their distance."""
    return (
        not flags & 1
        and lowest <= highest
        and highest - lowest < TL_MOST_CODES - 1
        and fabs(lowest) < LARGEST_WHOLE
        and fabs(highest) < LARGEST_WHOLE
    )
