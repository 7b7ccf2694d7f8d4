"""The training samples as integer codes."""

from ._code_layout cimport CodeLayout
from ._types cimport *

cdef extern from "native/codes_types.h" nogil:
    ctypedef struct TlBits:
        const uint64_t* rows
        int32_t n_words
        int32_t n_bits
        const int32_t* feature
        const int32_t* code

# The codes of a table; its samples are numbered by class.
cdef struct CodeTable:
    int32_t n_samples
    int32_t n_stored            # columns that are kept as codes, in the order of their features
    int32_t row_stride          # of `rows`, a multiple of 16
    int64_t column_stride       # of `columns`
    uint16_t* columns           # [column][sample], moved while a tree grows
    const uint16_t* rows        # [sample][column], never moved
    TlBits bits                 # the columns of few values
    # Per column.
    const int32_t* feature
    const int32_t* n_codes      # with the one of what is missing, the highest
    const uint8_t* has_missing
    const int32_t* chunk_bits   # of every 16 columns: bits of the widest code
    const uint32_t* chunk_missing  # of every 16 columns: those with missing values, a bit each
    # Per feature.
    const uint64_t* bit_field   # its bits in their word, 0 where it is a column
    const int32_t* column_of    # -1: bits or constant
    const double* lowest        # value of code 0 of whole numbers
    const int64_t* first_value  # into `values`, -1: the values are whole numbers
    const double* values        # of the other features, code by code

cdef class CodeSet:
    cdef CodeTable table
    cdef readonly dict arrays
    cdef readonly object class_counts
    cdef readonly int32_t n_features
    cdef readonly CodeLayout layout

    cdef void _point_at_layout(self) noexcept

cdef inline double value_of_code(
    const CodeTable* table, int32_t feature, int32_t code
) noexcept nogil:
    """Return the value that a code of the root stands for."""
    if table.first_value[feature] < 0:
        return table.lowest[feature] + code
    return table.values[table.first_value[feature] + code]
