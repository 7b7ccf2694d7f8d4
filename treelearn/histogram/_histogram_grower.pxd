from .._grower cimport Grower
from .._node cimport Buffers, Candidate
from .._types cimport *
from ._bin_table cimport BinTable

cdef int share_out_histogram(
    const Search* search, Buffers* buffers, Candidate* candidate
) noexcept nogil

cdef class HistogramGrower(Grower):
    cdef BinTable table
