"""Nodes that threads hand to each other while a tree grows."""

from ._crowd cimport n_threads_now
from ._records cimport Growth
from ._types cimport int32_t, int64_t

cdef extern from "native/queue.h" nogil:
    ctypedef int tl_lock_t

# A node to be grown, and where its subtree is written down.
cdef struct Task:
    void* node
    Growth* growth

# What threads share while they grow.
cdef struct Queue:
    tl_lock_t lock
    Task* tasks             # to be done by whoever is free
    int32_t n_tasks
    int32_t task_capacity
    int32_t n_free          # threads that wait
    int32_t n_busy
    Growth** subtrees       # of every task there was
    int32_t n_subtrees
    int32_t subtree_capacity
    int32_t value_stride    # of their records
    int status

cdef inline bint is_waited_for(const Queue* queue) noexcept nogil:
    """Return whether a thread waits for a node; without the lock, a wrong answer does no harm."""
    return queue.n_free > queue.n_tasks


cdef enum:
    # So many cells take far longer to grow than a thread is ever held up.
    MANY_CELLS = 16_000_000

cdef inline int n_at_work(int n_threads, int64_t n_cells) noexcept nogil:
    """Return how many threads should work off a queue.

    Who is held up in a long growth holds up the others at its end only.
    """
    return n_threads if n_cells >= MANY_CELLS else n_threads_now(n_threads)


cdef Growth* begin_subtree(Queue* queue, int32_t* number) noexcept nogil
cdef int put(Queue* queue, void* node, Growth* growth) noexcept nogil
cdef bint take(Queue* queue, bint polls, double* last_poll, Task* task) noexcept nogil
cdef void finish(Queue* queue, int status) noexcept nogil
cdef void close_queue(Queue* queue) noexcept nogil
