"""Nodes that threads hand to each other while a tree grows.

The queue is empty as long as every thread has work: whoever comes upon a node while another thread
waits puts it there. There is no barrier between levels, so a thread that is held up by a busy
neighbour holds up nobody else.
"""

from libc.stdlib cimport calloc, free, realloc

from ._crowd cimport begin_share, end_share
from ._node cimport INTERRUPTED, MEMORY_RAN_OUT
from ._records cimport Growth, release
from ._signals cimport must_stop
from ._types cimport *

cdef extern from "native/queue.h" nogil:
    void tl_lock(tl_lock_t*)
    void tl_unlock(tl_lock_t*)
    void tl_rest(int n_before)


cdef Growth* begin_subtree(Queue* queue, int32_t* number) noexcept nogil:
    """Return records for one more subtree, and its number; NULL when memory runs out."""
    cdef Growth* growth = <Growth*> calloc(1, sizeof(Growth))
    cdef void* larger
    if growth == NULL:
        return NULL
    growth.value_stride = queue.value_stride
    tl_lock(&queue.lock)
    if queue.n_subtrees == queue.subtree_capacity:
        larger = realloc(
            queue.subtrees, (2 * queue.subtree_capacity + 16) * sizeof(Growth*)
        )
        if larger == NULL:
            tl_unlock(&queue.lock)
            free(growth)
            return NULL
        queue.subtrees = <Growth**> larger
        queue.subtree_capacity = 2 * queue.subtree_capacity + 16
    number[0] = queue.n_subtrees
    queue.subtrees[queue.n_subtrees] = growth
    queue.n_subtrees += 1
    tl_unlock(&queue.lock)
    return growth


cdef int put(Queue* queue, void* node, Growth* growth) noexcept nogil:
    """Add a node, which is the queue's from now on unless memory runs out."""
    cdef void* larger
    cdef int status = 0
    tl_lock(&queue.lock)
    if queue.n_tasks == queue.task_capacity:
        larger = realloc(queue.tasks, (2 * queue.task_capacity + 16) * sizeof(Task))
        if larger == NULL:
            status = MEMORY_RAN_OUT
        else:
            queue.tasks = <Task*> larger
            queue.task_capacity = 2 * queue.task_capacity + 16
    if status == 0:
        queue.tasks[queue.n_tasks].node = node
        queue.tasks[queue.n_tasks].growth = growth
        queue.n_tasks += 1
    tl_unlock(&queue.lock)
    return status


cdef bint take(Queue* queue, bint polls, double* last_poll, Task* task) noexcept nogil:
    """Wait for a node; return False when all are done or growth is to end."""
    cdef bint is_waiting = False, is_over = False, is_taken = False
    cdef int n_rests = 0
    while True:
        tl_lock(&queue.lock)
        if queue.status == 0 and queue.n_tasks > 0:
            queue.n_tasks -= 1
            task[0] = queue.tasks[queue.n_tasks]
            queue.n_busy += 1
            is_taken = True
        else:
            is_over = queue.n_busy == 0 or queue.status != 0
        if is_waiting != (not is_taken and not is_over):
            is_waiting = not is_waiting
            queue.n_free += 1 if is_waiting else -1
        tl_unlock(&queue.lock)
        if is_taken:
            begin_share(0)
        if is_taken or is_over:
            return is_taken
        if polls and must_stop(last_poll):
            queue.status = INTERRUPTED
        tl_rest(n_rests)
        n_rests = min(n_rests + 1, 1000)  # those that follow are all alike


cdef void finish(Queue* queue, int status) noexcept nogil:
    """Note that a node that was taken has been grown, or why it could not be."""
    end_share()
    tl_lock(&queue.lock)
    queue.n_busy -= 1
    if status != 0:
        queue.status = status
    tl_unlock(&queue.lock)


cdef void close_queue(Queue* queue) noexcept nogil:
    """Free what the queue owns, but for nodes that were never taken."""
    cdef int32_t k
    for k in range(queue.n_subtrees):
        release(queue.subtrees[k])
        free(queue.subtrees[k])
    free(queue.subtrees)
    free(queue.tasks)
