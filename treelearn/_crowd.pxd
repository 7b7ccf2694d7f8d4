"""How many threads to share work out to, by how they got on lately."""

from ._types cimport int64_t

cpdef int n_threads_now(int n_threads) noexcept nogil
cdef int64_t begin_region(int n_threads) noexcept nogil
cpdef void begin_share(int64_t due) noexcept nogil
cpdef void end_share() noexcept nogil
