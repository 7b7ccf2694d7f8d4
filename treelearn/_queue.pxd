"""Nodes that threads hand to each other while a tree grows."""

from ._records cimport Growth
from ._types cimport int32_t

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


cdef Growth* begin_subtree(Queue* queue, int32_t* number) noexcept nogil
cdef int put(Queue* queue, void* node, Growth* growth) noexcept nogil
cdef bint take(Queue* queue, bint polls, double* last_poll, Task* task) noexcept nogil
cdef void finish(Queue* queue, int status) noexcept nogil
cdef void close_queue(Queue* queue) noexcept nogil
