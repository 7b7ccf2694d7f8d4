from ._node cimport Buffers
from ._types cimport *
from ._workspace cimport Workspace

cdef bint is_for_narrow(const Search* search, const Node* node) noexcept nogil
cdef int enter_narrow(
    const Search* search, const Buffers* buffers, const Node* node, Workspace* work,
    Search* local, Buffers* local_buffers, Node* root,
) noexcept nogil
