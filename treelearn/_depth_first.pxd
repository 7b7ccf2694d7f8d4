from ._node cimport Buffers
from ._queue cimport Queue
from ._records cimport Growth
from ._types cimport *
from ._workspace cimport Workspace

cdef int grow_depth_first(
    const Search* search, Buffers* buffers, Growth* growth, const Node* root,
    int32_t largest_kept, Queue* queue, Workspace* work,
) noexcept nogil
cdef void work_off(
    const Search* search, Buffers* buffers, Queue* queue, Workspace* work
) noexcept nogil
