"""Growth to a number of leaves, best first: a heap of nodes whose splits have been found."""

from libc.stdlib cimport free, malloc, realloc

from ._node cimport MEMORY_RAN_OUT, Buffers, Candidate, release_node
from ._records cimport Growth, apply_split, write_leaf
from ._types cimport *
from ._workspace cimport Workspace


cdef inline bint comes_before(const Candidate* a, const Candidate* b) noexcept nogil:
    """Order of the frontier: the largest gain, of equal gains the node that was made first."""
    if a.gain != b.gain:
        return a.gain > b.gain
    return a.node.id < b.node.id


cdef void sift_up(Candidate* heap, int64_t i) noexcept nogil:
    cdef Candidate swap
    while i > 0 and comes_before(heap + i, heap + (i - 1) // 2):
        swap = heap[i]
        heap[i] = heap[(i - 1) // 2]
        heap[(i - 1) // 2] = swap
        i = (i - 1) // 2


cdef void sift_down(Candidate* heap, int64_t n) noexcept nogil:
    cdef Candidate swap
    cdef int64_t i = 0, child
    while 2 * i + 1 < n:
        child = 2 * i + 1
        if child + 1 < n and comes_before(heap + child + 1, heap + child):
            child += 1
        if comes_before(heap + i, heap + child):
            return
        swap = heap[i]
        heap[i] = heap[child]
        heap[child] = swap
        i = child


cdef int grow_best_first(
    const Search* search, Buffers* buffers, Growth* growth, const Node* root, Workspace* work
) noexcept nogil:
    """Grow to a number of leaves, always where the gain is largest."""
    cdef int64_t n_left = search.rules.max_leaf_nodes - 1, n_heap = 0, capacity = 64, i
    cdef Candidate* heap = <Candidate*> malloc(capacity * sizeof(Candidate))
    cdef Candidate candidate, next_candidate
    cdef void* larger
    cdef bint is_split = False
    cdef Node* child
    cdef int status = 0, k
    candidate.node = root[0]
    if heap == NULL:
        release_node(&candidate.node)
        return MEMORY_RAN_OUT
    status = buffers.evaluate(search, buffers, &candidate, work, &is_split)
    if status == 0 and is_split:
        heap[0] = candidate
        n_heap = 1
    else:
        if status == 0:
            status = write_leaf(search, growth, &candidate.node)
        release_node(&candidate.left)
        release_node(&candidate.right)
        release_node(&candidate.node)
    while n_heap > 0 and status == 0:
        candidate = heap[0]
        n_heap -= 1
        heap[0] = heap[n_heap]
        sift_down(heap, n_heap)
        if n_left <= 0:
            status = write_leaf(search, growth, &candidate.node)
            release_node(&candidate.left)
            release_node(&candidate.right)
            release_node(&candidate.node)
            continue
        n_left -= 1
        status = apply_split(search, buffers, growth, &candidate, work)
        if n_heap + 2 > capacity and status == 0:
            capacity *= 2
            growth.bytes_asked = capacity * <int64_t> sizeof(Candidate)
            larger = realloc(heap, capacity * sizeof(Candidate))
            if larger == NULL:
                status = MEMORY_RAN_OUT
            else:
                heap = <Candidate*> larger
        for k in range(2):
            child = &candidate.left if k == 0 else &candidate.right
            if status != 0 or child.is_terminal:
                release_node(child)
                continue
            next_candidate.node = child[0]
            status = buffers.evaluate(search, buffers, &next_candidate, work, &is_split)
            if status == 0 and is_split:
                heap[n_heap] = next_candidate
                n_heap += 1
                sift_up(heap, n_heap - 1)
                continue
            if status == 0:
                status = write_leaf(search, growth, &next_candidate.node)
            release_node(&next_candidate.left)
            release_node(&next_candidate.right)
            release_node(&next_candidate.node)
        release_node(&candidate.node)
    for i in range(n_heap):
        release_node(&heap[i].left)
        release_node(&heap[i].right)
        release_node(&heap[i].node)
    free(heap)
    return status
