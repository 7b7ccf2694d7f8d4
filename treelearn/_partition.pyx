"""Stable partition of the samples and of the sorted lists of a node.

Order is kept, so no list is ever sorted again, and the result does not depend on threads.
"""

from libc.string cimport memcpy

from ._pass cimport class_of, entry_at, list_of, sample_of, weight_of
from ._splitter cimport segment_of
from ._types cimport *
from ._workspace cimport Workspace, is_stopped

cdef extern from "native/narrow.h" nogil:
    void tl_fill_compress_16()
    int tl_narrow_goes_left(const uint8_t*, uint16_t)
    void tl_partition_narrow(
        int, const uint8_t*, int, const uint16_t*, int, uint16_t*, int, uint16_t*
    )

cdef extern from "native/wide.h" nogil:
    void tl_fill_compress_32()
    int32_t tl_partition_wide(
        int, const uint32_t*, uint32_t, const uint32_t*, int32_t, uint32_t*, uint32_t*
    )

tl_fill_compress_16()
tl_fill_compress_32()


cdef inline void set_bit(uint32_t* bits, int32_t sample) noexcept nogil:
    bits[sample >> 5] |= <uint32_t> 1 << (sample & 31)


cdef inline void clear_bit(uint32_t* bits, int32_t sample) noexcept nogil:
    bits[sample >> 5] &= ~(<uint32_t> 1 << (sample & 31))


cdef void mark_samples(
    const int32_t* samples, int32_t n, uint32_t* goes_left
) noexcept nogil:
    """Set the bits of some samples."""
    cdef int32_t i
    for i in range(n):
        set_bit(goes_left, samples[i])


cdef void mark_sides(
    const Search* search,
    const Node* node,
    const Split* split,
    const int32_t* samples,
    const void* lists,          # of the buffer that holds the node
    uint32_t* goes_left,        # in, out: one bit a sample, all 0 between nodes
) noexcept nogil:
    """Set the bit of every sample of a node that goes left."""
    cdef const Segment* segment = segment_of(node, split.feature)
    cdef const void* list = list_of(search, lists, segment)
    cdef int32_t i, n_stored = segment.n_below + segment.n_above
    if split.default_goes_left:
        # The samples of the default value are not listed: the left is the node without the right.
        for i in range(node.n_samples):
            set_bit(goes_left, samples[i])
        for i in range(split.n_stored_left, n_stored):
            clear_bit(goes_left, sample_of(search, entry_at(search, list, i)))
        if not split.missing_goes_left:
            for i in range(n_stored, n_stored + segment.n_missing):
                clear_bit(goes_left, sample_of(search, entry_at(search, list, i)))
        return
    for i in range(split.n_stored_left):
        set_bit(goes_left, sample_of(search, entry_at(search, list, i)))
    if split.missing_goes_left:
        for i in range(n_stored, n_stored + segment.n_missing):
            set_bit(goes_left, sample_of(search, entry_at(search, list, i)))


cdef void clear_sides(
    const Search* search,
    const Node* node,
    const Split* split,
    const int32_t* samples,
    const void* lists,
    uint32_t* goes_left,        # in, out
) noexcept nogil:
    """Clear the bits of the samples of a node."""
    cdef const Segment* segment
    cdef const void* list
    cdef int32_t i, n_stored
    if search.keeps_samples:
        for i in range(node.n_samples):
            goes_left[samples[i] >> 5] = 0
        return
    segment = segment_of(node, split.feature)
    list = list_of(search, lists, segment)
    n_stored = segment.n_below + segment.n_above
    for i in range(split.n_stored_left):
        goes_left[sample_of(search, entry_at(search, list, i)) >> 5] = 0
    if split.missing_goes_left:
        for i in range(n_stored, n_stored + segment.n_missing):
            goes_left[sample_of(search, entry_at(search, list, i)) >> 5] = 0


cdef void add_left_classes(
    const Search* search,
    const Node* node,
    const Split* split,
    const void* lists,
    int64_t* stats,             # in, out
    int64_t* weight,            # in, out
) noexcept nogil:
    """Add the classes of the left side, from the list of a feature without a default value."""
    cdef const Segment* segment = segment_of(node, split.feature)
    cdef const void* list = list_of(search, lists, segment)
    cdef int32_t i, n_stored = segment.n_below + segment.n_above
    cdef int64_t units
    cdef entry_t entry
    for i in range(split.n_stored_left):
        entry = entry_at(search, list, i)
        units = weight_of(search, sample_of(search, entry))
        stats[class_of(search, entry)] += units
        weight[0] += units
    if split.missing_goes_left:
        for i in range(n_stored, n_stored + segment.n_missing):
            entry = entry_at(search, list, i)
            units = weight_of(search, sample_of(search, entry))
            stats[class_of(search, entry)] += units
            weight[0] += units


cdef void partition_samples(
    const uint32_t* goes_left,
    const int32_t* samples,
    int32_t n,
    int32_t* target,        # out: left samples first, each side in its old order
    int32_t* spare,         # scratch, as long as samples
) noexcept nogil:
    """Reorder the samples of a node."""
    cdef int32_t i, sample, go, n_left = 0, n_right = 0
    # Invariant: target[:n_left] and spare[:n_right] hold the first i samples, in order.
    for i in range(n):
        sample = samples[i]
        target[n_left] = sample
        spare[n_right] = sample
        go = (goes_left[sample >> 5] >> (sample & 31)) & 1
        n_left += go
        n_right += 1 - go
    memcpy(target + n_left, spare, n_right * sizeof(int32_t))


cdef void partition_segment(
    const Search* search,
    const uint32_t* goes_left,
    const Segment* segment,
    const void* source,         # the buffer that holds the node
    void* target,               # out: the other buffer
    bint left_is_read,          # False where the child is a leaf
    bint right_is_read,
    Workspace* work,
    int32_t* left_lengths,      # out: of below, above and missing
) noexcept nogil:
    """Partition the list of one feature."""
    cdef const entry_t* old
    cdef entry_t* new
    cdef entry_t* right = work.spare
    cdef int32_t[3] lengths
    cdef int32_t k
    lengths[0] = segment.n_below
    lengths[1] = segment.n_above
    lengths[2] = segment.n_missing
    if search.is_narrow:
        partition_narrow_segment(
            search, <const uint8_t*> goes_left, <const narrow_t*> list_of(search, source, segment),
            <narrow_t*> list_of(search, target, segment), lengths, left_is_read, right_is_read,
            work, left_lengths,
        )
        return
    old = <const entry_t*> list_of(search, source, segment)
    new = <entry_t*> list_of(search, target, segment)
    for k in range(3):
        left_lengths[k] = tl_partition_wide(
            search.simd, goes_left, search.index_mask, old, lengths[k], new, right
        )
        old += lengths[k]
        new += left_lengths[k]
        right += lengths[k] - left_lengths[k]
    if right_is_read:
        memcpy(new, work.spare, (right - work.spare) * sizeof(entry_t))


cdef void partition_narrow_segment(
    const Search* search,
    const uint8_t* goes_left,
    const narrow_t* old,
    narrow_t* new,              # out
    const int32_t* lengths,
    bint left_is_read,
    bint right_is_read,
    Workspace* work,
    int32_t* left_lengths,      # out
) noexcept nogil:
    """Partition a narrow list; the left side's length is known for all but mixed lists."""
    cdef narrow_t* right
    cdef int32_t n_left = 0, n = 0, k, i
    for k in range(3):
        n += lengths[k]
    if lengths[0] == n and n == work.n_listed:
        # All samples of the node are listed, in one run.
        left_lengths[0] = work.n_left
        left_lengths[1] = left_lengths[2] = 0
        tl_partition_narrow(
            search.simd, goes_left, search.n_chunks, old, n, new if left_is_read else NULL,
            work.n_left, new + work.n_left if right_is_read else NULL,
        )
        return
    for k in range(3):
        left_lengths[k] = 0
        for i in range(lengths[k]):
            left_lengths[k] += tl_narrow_goes_left(goes_left, old[i])
        n_left += left_lengths[k]
        old += lengths[k]
    old -= n
    right = new + n_left
    for k in range(3):
        tl_partition_narrow(
            search.simd, goes_left, search.n_chunks, old, lengths[k],
            new if left_is_read else NULL, left_lengths[k], right if right_is_read else NULL,
        )
        old += lengths[k]
        new += left_lengths[k]
        right += lengths[k] - left_lengths[k]


cdef void partition_lists(
    const Search* search,
    const Node* node,
    const Split* split,
    const uint32_t* goes_left,
    const void* source,         # the buffer that holds the node
    void* target,               # out: the other buffer
    Segment* left,              # out
    Segment* right,             # out
    int32_t* n_segments,        # out: features that may still vary
    bint left_is_read,          # False where the child is a leaf
    bint right_is_read,
    Workspace* work,
) noexcept nogil:
    """Partition the list of every feature that is not constant in the node."""
    cdef int32_t place, n_kept = 0
    cdef int32_t[3] left_lengths
    cdef const Segment* segment
    work.n_listed = node.n_samples
    work.n_left = split.n_left
    for place in range(node.n_segments):
        segment = node.segments + place
        if segment.feature < 0:
            continue
        if is_stopped(work, node.n_samples):
            break
        partition_segment(
            search, goes_left, segment, source, target, left_is_read, right_is_read, work,
            left_lengths,
        )
        left[n_kept].feature = segment.feature
        left[n_kept].start = segment.start
        left[n_kept].n_below = left_lengths[0]
        left[n_kept].n_above = left_lengths[1]
        left[n_kept].n_missing = left_lengths[2]
        right[n_kept].feature = segment.feature
        right[n_kept].start = segment.start + left_lengths[0] + left_lengths[1] + left_lengths[2]
        right[n_kept].n_below = segment.n_below - left_lengths[0]
        right[n_kept].n_above = segment.n_above - left_lengths[1]
        right[n_kept].n_missing = segment.n_missing - left_lengths[2]
        n_kept += 1
    n_segments[0] = n_kept
