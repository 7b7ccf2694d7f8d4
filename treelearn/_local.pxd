from ._node cimport Buffers
from ._types cimport *
from ._workspace cimport Workspace

cdef bint is_for_narrow(const Search* search, const Node* node) noexcept nogil
cdef int enter_narrow(
    const Search* search, const Buffers* buffers, const Node* node, Workspace* work,
    Search* local, Buffers* local_buffers, Node* root,
) noexcept nogil
cdef int open_narrow(
    const Search* search, const Buffers* buffers, const Node* node, int32_t n_segments,
    Workspace* work, Search* local, Buffers* local_buffers, Node* root,
) noexcept nogil
cdef narrow_t* place_list(
    Workspace* work, int32_t n_samples, int32_t place, int32_t feature
) noexcept nogil
