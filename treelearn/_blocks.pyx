"""Blocks of memory that one growth leaves for the next.

Memory that the system has just handed out costs a page fault for every four kilobytes; in the
records of a tree of 30,000 nodes they took a tenth of the time of a fit (regression,
benchmarks/fit.py, bike_sharing). So a few blocks stay with the process.
"""

from libc.stdlib cimport free, malloc

cdef extern from "native/queue.h" nogil:
    ctypedef int tl_lock_t
    bint tl_try_lock(tl_lock_t*)
    void tl_unlock(tl_lock_t*)

cdef enum:
    MOST_KEPT = 256     # 4.7 megabytes

ctypedef void* block_t
cdef block_t[MOST_KEPT] kept
cdef int n_kept = 0
# Never waited for: after a fork it may be held by a thread that is no more.
cdef tl_lock_t lock = 0


cdef void* take_block(size_t n_bytes) noexcept nogil:
    """Return so many bytes, whatever they hold; NULL when memory runs out."""
    global n_kept
    cdef void* block = NULL
    if n_bytes == BLOCK_BYTES and tl_try_lock(&lock):
        if n_kept > 0:
            n_kept -= 1
            block = kept[n_kept]
        tl_unlock(&lock)
    return malloc(n_bytes) if block == NULL else block


cdef void leave_block(void* block, size_t n_bytes) noexcept nogil:
    """Give back what ``take_block`` has returned."""
    global n_kept
    if n_bytes == BLOCK_BYTES and tl_try_lock(&lock):
        if n_kept < MOST_KEPT:
            kept[n_kept] = block
            n_kept += 1
            block = NULL
        tl_unlock(&lock)
    free(block)
