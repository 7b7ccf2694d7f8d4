"""A node's records shared out between its children by several threads, each side in its order.

Every share is counted before any is moved, so that each thread knows where its records go.
"""

from cython.parallel cimport prange

from .._crowd cimport begin_region, begin_share, end_share


cdef void divide_in_shares(
    const Buffers* buffers,
    const Candidate* candidate,
    const void* cut,        # what the two functions want to know of it
    int n_shares,           # one for each thread, at most MOST_SHARES
    int n_counting,         # threads that count
    count_part_t count_part,
    move_part_t move_part,
) noexcept nogil:
    """Partition the samples of a node."""
    cdef int64_t n = candidate.node.n_samples, first, left = 0, n_left_of_share, due
    cdef int64_t per_share = (n + n_shares - 1) // n_shares
    cdef int64_t[MOST_SHARES] n_left
    cdef int t
    if n_shares == 1:
        move_part(buffers, candidate, cut, 0, n, 0)
        return
    due = begin_region(n_counting)
    for t in prange(n_shares, num_threads=n_counting, schedule="static", chunksize=1):
        begin_share(due)
        first = min(n, t * per_share)
        n_left[t] = count_part(
            buffers, candidate, cut, first, min(n, (t + 1) * per_share) - first
        )
        end_share()
    for t in range(n_shares):
        n_left_of_share = n_left[t]
        n_left[t] = left
        left += n_left_of_share
    due = begin_region(n_shares)
    for t in prange(n_shares, num_threads=n_shares, schedule="static", chunksize=1):
        begin_share(due)
        first = min(n, t * per_share)
        move_part(
            buffers, candidate, cut, first, min(n, (t + 1) * per_share) - first, n_left[t]
        )
        end_share()
