from ._node cimport Buffers
from ._records cimport Growth
from ._types cimport *
from ._workspace cimport Workspace

cdef int grow_best_first(
    const Search* search, Buffers* buffers, Growth* growth, const Node* root, Workspace* work
) noexcept nogil
