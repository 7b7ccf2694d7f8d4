"""Growth depth first, of small subtrees in the form that serves them best, by several threads."""

from libc.stdlib cimport free, malloc, realloc

from ._local cimport enter_narrow, is_for_narrow
from ._node cimport CHANGES_FORM, MEMORY_RAN_OUT, Buffers, Candidate, enter_t, release_node
from ._queue cimport Queue, Task, begin_subtree, finish, is_waited_for, put, take
from ._records cimport Growth, apply_split, record_of, write_leaf, write_record
from ._tiny cimport grow_tiny, is_for_tiny
from ._types cimport *
from ._workspace cimport Workspace

cdef enum:
    # A node of fewer entries is grown in less time than it takes to wake a thread: with 20,000
    # abalone (33,000 at the root) takes 4.3 ms with two threads, with 4,000 3.8 ms.
    FEWEST_HANDED_ON = 4000


cdef int grow_in_other_form(
    const Search* search,
    Buffers* buffers,
    Growth* growth,
    const Node* node,
    enter_t enter,
    Workspace* work,
) noexcept nogil:
    """Grow a small subtree on a copy of its samples."""
    cdef Search local
    cdef Buffers local_buffers
    cdef Node root
    cdef int status = enter(search, buffers, node, work, &local, &local_buffers, &root)
    if status != 0:
        release_node(&root)
    else:
        status = grow_depth_first(&local, &local_buffers, growth, &root, 0, NULL, work)
    free(local_buffers.owned)
    return status


cdef int give_away(
    const Search* search,
    const Buffers* buffers,
    Growth* growth,
    Node* node,             # its record is written; it is owned by this call
    Queue* queue,
    Workspace* work,
) noexcept nogil:
    """Put a node where a thread without work finds it, to be written to records of its own."""
    cdef int32_t number
    cdef Growth* own = begin_subtree(queue, &number)
    cdef Node* copy = <Node*> malloc(sizeof(Node))
    cdef const int32_t* samples = NULL
    if copy != NULL:
        copy[0] = node[0]
        if search.keeps_samples:
            samples = buffers.samples[node.buffer & 1] + node.start
        if own != NULL and write_record(search, own, copy, samples, work) == 0:
            record_of(growth, node.id).subtree = number
            if put(queue, copy, own) == 0:
                return 0
        free(copy)
    release_node(node)
    return MEMORY_RAN_OUT


cdef bint is_given_away(
    const Node* node, int32_t n_stack, int32_t largest_kept, const Queue* queue
) noexcept nogil:
    """Return whether a node is for another thread."""
    if queue == NULL:
        return False
    if node.n_samples <= largest_kept or (node.changes_form and largest_kept > 0):
        return True
    return (
        n_stack > 0
        and <int64_t> node.n_samples * node.n_segments >= FEWEST_HANDED_ON
        and is_waited_for(queue)
    )


cdef int grow_depth_first(
    const Search* search,
    Buffers* buffers,
    Growth* growth,
    const Node* root,       # its record is written; it is owned by this call
    int32_t largest_kept,   # nodes of at most so many samples are left to others
    Queue* queue,           # NULL: to nobody
    Workspace* work,
) noexcept nogil:
    """Grow a subtree."""
    cdef Node* stack = NULL
    cdef void* larger
    cdef int32_t n_stack = 1, stack_capacity = 64, k
    cdef Candidate candidate
    cdef Node* child
    cdef enter_t enter
    cdef bint is_split
    cdef int status = 0
    candidate.node = root[0]
    stack = <Node*> malloc(stack_capacity * sizeof(Node))
    if stack == NULL:
        release_node(&candidate.node)
        return MEMORY_RAN_OUT
    stack[0] = candidate.node
    while n_stack > 0 and status == 0:
        n_stack -= 1
        candidate.node = stack[n_stack]
        if is_given_away(&candidate.node, n_stack, largest_kept, queue):
            status = give_away(search, buffers, growth, &candidate.node, queue, work)
            continue
        enter = NULL
        if is_for_narrow(search, &candidate.node):
            enter = enter_narrow
        elif (
            candidate.node.n_samples <= buffers.most_entered or candidate.node.changes_form
        ):
            enter = buffers.enter
        if is_for_tiny(search, &candidate.node):
            status = grow_tiny(search, buffers, growth, &candidate.node, work)
            release_node(&candidate.node)
            continue
        if enter != NULL:
            status = grow_in_other_form(
                search, buffers, growth, &candidate.node, enter, work
            )
            release_node(&candidate.node)
            continue
        status = buffers.evaluate(search, buffers, &candidate, work, &is_split)
        if status == CHANGES_FORM and candidate.node.n_samples <= buffers.most_changed:
            status = 0
            candidate.node.changes_form = True
            stack[n_stack] = candidate.node
            n_stack += 1
            release_node(&candidate.left)
            release_node(&candidate.right)
            continue
        if status == 0:
            if is_split:
                status = apply_split(search, buffers, growth, &candidate, work)
            else:
                status = write_leaf(search, growth, &candidate.node)
        if status == 0 and is_split and n_stack + 2 > stack_capacity:
            stack_capacity *= 2
            larger = realloc(stack, stack_capacity * sizeof(Node))
            if larger == NULL:
                status = MEMORY_RAN_OUT
            else:
                stack = <Node*> larger
        for k in range(2):  # the left child comes off the stack first
            child = &candidate.right if k == 0 else &candidate.left
            if status == 0 and is_split and not child.is_terminal:
                stack[n_stack] = child[0]
                n_stack += 1
            else:
                release_node(child)
        release_node(&candidate.node)
    for k in range(n_stack):
        release_node(stack + k)
    free(stack)
    return status


cdef void work_off(
    const Search* search, Buffers* buffers, Queue* queue, Workspace* work
) noexcept nogil:
    """Grow what the queue holds until every thread is done."""
    cdef Task task
    while take(queue, work.polls, &work.last_poll, &task):
        finish(
            queue,
            grow_depth_first(
                search, buffers, task.growth, <Node*> task.node, 0, queue, work
            ),
        )
        free(task.node)
