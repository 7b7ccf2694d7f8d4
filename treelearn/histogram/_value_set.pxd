from ._binned_set cimport BinnedSet

cdef class ValueSet(BinnedSet):
    cdef object ranges
    cdef int most_codes
