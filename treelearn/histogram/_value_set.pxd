from ._binned_set cimport RecordSet

cdef class ValueSet(RecordSet):
    cdef object ranges
    cdef int most_codes
