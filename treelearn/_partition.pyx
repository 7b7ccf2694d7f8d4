"""Stable partition of the samples and of the sorted lists of a node.

Order is kept, so no list is ever sorted again, and the result does not depend on threads.
"""

from libc.string cimport memcpy

from ._types cimport *
from ._workspace cimport Workspace, is_stopped


cdef void mark_sides(
    const Search* search,
    const Node* node,
    const Split* split,
    const int32_t* samples,
    const entry_t* entries,     # of the buffer that holds the node
    uint8_t* goes_left,         # out: by sample, for the samples of the node
) noexcept nogil:
    """Write for every sample of a node which side it takes."""
    cdef const Segment* segment = node.segments
    cdef const entry_t* list
    cdef int32_t i, n_stored
    while segment.feature != split.feature:
        segment += 1
    list = entries + search.list_starts[segment.feature] + segment.start
    n_stored = segment.n_below + segment.n_above
    if n_stored + segment.n_missing < node.n_samples:
        for i in range(node.n_samples):
            goes_left[samples[i]] = split.default_goes_left
    for i in range(split.n_stored_left):
        goes_left[(list[i] & search.index_mask) >> 1] = 1
    for i in range(split.n_stored_left, n_stored):
        goes_left[(list[i] & search.index_mask) >> 1] = 0
    for i in range(n_stored, n_stored + segment.n_missing):
        goes_left[(list[i] & search.index_mask) >> 1] = split.missing_goes_left


cdef int32_t partition_samples(
    const uint8_t* goes_left,
    const int32_t* samples,
    int32_t n,
    int32_t* target,        # out: left samples first, each side in its old order
    int32_t* spare,         # scratch, as long as samples
) noexcept nogil:
    """Reorder the samples of a node and return how many go left."""
    cdef int32_t i, sample, n_left = 0, n_right = 0
    # Invariant: target[:n_left] and spare[:n_right] hold the first i samples, in order.
    for i in range(n):
        sample = samples[i]
        target[n_left] = sample
        spare[n_right] = sample
        n_left += goes_left[sample]
        n_right += not goes_left[sample]
    memcpy(target + n_left, spare, n_right * sizeof(int32_t))
    return n_left


cdef inline int32_t partition_run(
    const uint8_t* goes_left,
    uint32_t index_mask,
    const entry_t* source,
    int32_t n,
    entry_t* left,          # out
    entry_t* right,         # out
) noexcept nogil:
    """Partition a run of entries and return how many go left.

    An entry starts a new value in its child if any entry since the last one kept there did:
    the start bits of those that went the other way are carried along.
    """
    cdef int32_t i, n_left = 0, n_right = 0
    cdef entry_t entry, start, carry_left = 0, carry_right = 0
    cdef uint32_t go
    for i in range(n):
        entry = source[i]
        start = entry & 1
        carry_left |= start
        carry_right |= start
        go = goes_left[(entry & index_mask) >> 1]
        entry &= ~(<entry_t> 1)
        # Written on both sides, kept on one: no branch on the data.
        left[n_left] = entry | carry_left
        right[n_right] = entry | carry_right
        n_left += go
        n_right += 1 - go
        carry_left &= go - 1
        carry_right &= ~(go - 1)
    return n_left


cdef void partition_lists(
    const Search* search,
    const Node* node,
    const uint8_t* goes_left,
    const entry_t* source,      # the buffer that holds the node
    entry_t* target,            # out: the other buffer
    Segment* left,              # out
    Segment* right,             # out
    int32_t* n_segments,        # out: features that may still vary
    bint right_is_read,         # False where the right child is a leaf
    Workspace* work,
) noexcept nogil:
    """Partition the list of every feature that is not constant in the node."""
    cdef int32_t place, n_kept = 0, n_left, k
    cdef int32_t[3] lengths
    cdef int32_t[3] left_lengths
    cdef const Segment* segment
    cdef const entry_t* old
    cdef entry_t* new
    cdef entry_t* new_right
    cdef entry_t* spare = work.spare
    for place in range(node.n_segments):
        segment = node.segments + place
        if segment.feature < 0:
            continue
        if is_stopped(work, node.n_samples):
            break
        old = source + search.list_starts[segment.feature] + segment.start
        new = target + search.list_starts[segment.feature] + segment.start
        new_right = spare
        lengths[0] = segment.n_below
        lengths[1] = segment.n_above
        lengths[2] = segment.n_missing
        for k in range(3):
            n_left = partition_run(
                goes_left, search.index_mask, old, lengths[k], new, new_right
            )
            old += lengths[k]
            new += n_left
            new_right += lengths[k] - n_left
            left_lengths[k] = n_left
        if right_is_read:
            memcpy(new, spare, (new_right - spare) * sizeof(entry_t))
        left[n_kept].feature = segment.feature
        left[n_kept].start = segment.start
        left[n_kept].n_below = left_lengths[0]
        left[n_kept].n_above = left_lengths[1]
        left[n_kept].n_missing = left_lengths[2]
        right[n_kept].feature = segment.feature
        right[n_kept].start = segment.start + left_lengths[0] + left_lengths[1] + left_lengths[2]
        right[n_kept].n_below = lengths[0] - left_lengths[0]
        right[n_kept].n_above = lengths[1] - left_lengths[1]
        right[n_kept].n_missing = lengths[2] - left_lengths[2]
        n_kept += 1
    n_segments[0] = n_kept
