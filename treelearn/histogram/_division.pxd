"""A node's records shared out between its children by several threads."""

from .._node cimport Buffers, Candidate
from .._types cimport int64_t

# How many of a range of the node's samples go left.
ctypedef int64_t (*count_part_t)(
    const Buffers* buffers, const Candidate* candidate, const void* cut, int64_t first, int64_t n
) noexcept nogil
# Moves a range; `left` is where the first of them that goes left is put.
ctypedef void (*move_part_t)(
    const Buffers* buffers, const Candidate* candidate, const void* cut, int64_t first, int64_t n,
    int64_t left,
) noexcept nogil

cdef enum:
    MOST_SHARES = 64

cdef void divide_in_shares(
    const Buffers* buffers, const Candidate* candidate, const void* cut, int n_shares,
    int n_counting, count_part_t count_part, move_part_t move_part,
) noexcept nogil
