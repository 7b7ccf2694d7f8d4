from ._types cimport *

cdef class CodeLayout:
    cdef object block           # what the pointers point into
    cdef readonly int32_t n_features, n_ranked, n_with_missing, n_stored, n_chunks
    cdef int32_t n_narrow, n_narrow_words, n_runs, n_words, n_bits
    # Per feature; the lists of features are as long as their numbers above say.
    cdef int32_t* n_values      # distinct ones, without what is missing
    cdef uint8_t* is_missing    # whether any value is
    cdef int32_t* ranked
    cdef int32_t* with_missing
    cdef uint16_t* missing_codes
    cdef uint64_t* bit_field    # its bits in their word, 0 where it is a column
    cdef int32_t* column_of     # -1: bits or constant
    cdef int32_t* narrow        # those that are bits and no run
    cdef int32_t* narrow_start  # where their words start
    cdef uint64_t* words        # of every code of those
    cdef int32_t* word_start    # of every word its first narrow feature
    cdef int32_t* runs          # of features of two values: first, length, word, shift
    cdef int32_t* bit_feature   # of every bit
    cdef int32_t* bit_code
    # Per stored column.
    cdef int32_t* stored        # its feature
    cdef int32_t* n_codes
    cdef uint8_t* has_missing
    cdef uint8_t* is_wide
    cdef int32_t* chunk_bits    # of every 16 columns
    cdef uint32_t* chunk_missing

    cdef void lay_out(self, bint by_row) noexcept nogil
    cdef int32_t place_bits(self, int32_t feature, int32_t n_cuts, int32_t used) noexcept nogil
