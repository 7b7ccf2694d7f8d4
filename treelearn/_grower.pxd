from ._node cimport Buffers
from ._training_set cimport TrainingSet
from ._types cimport *
from ._workspace cimport Workspace

cdef Scan scan_of(const Search* search) noexcept nogil

cdef class Grower:
    cdef TrainingSet training_set
    cdef Search search
    cdef uint64_t seed
    cdef int n_threads
    # Of a thread's share of the samples: nodes of more samples than one of so many parts are
    # searched by all threads together, before threads have nodes of their own; 0: none is.
    cdef int n_shares
    cdef bint keeps_lists   # whether the lists of the training set stay as they are
    cdef dict arrays
    cdef double scale
    cdef double weight_scale

    cdef void choose_scan(self)
    cdef int open_buffers(self, Buffers* buffers) except -1
    cdef int make_root(self, Node* root, Workspace* work) except -1
