from libc.stddef cimport size_t

cdef enum:
    BLOCK_BYTES = 18432     # of those that are kept: 256 records and their values, see _records.pyx

cdef void* take_block(size_t n_bytes) noexcept nogil
cdef void leave_block(void* block, size_t n_bytes) noexcept nogil
