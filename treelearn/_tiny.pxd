from ._node cimport Buffers
from ._records cimport Growth
from ._types cimport *
from ._workspace cimport Workspace

cdef bint is_for_tiny(const Search* search, const Node* node) noexcept nogil
cdef int grow_tiny(
    const Search* search, const Buffers* buffers, Growth* growth, const Node* root,
    Workspace* work,
) noexcept nogil
