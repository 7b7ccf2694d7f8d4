from .._training_set cimport TrainingSet

# Samples as records of codes.
cdef class RecordSet(TrainingSet):
    cdef readonly object bins       # binning.Bins
    cdef readonly object records    # uint8 of shape (n_samples or more, record_bytes)
    cdef readonly int code_bytes
    cdef readonly bint has_class    # the class stands behind the codes of a record

    cdef void without_lists(self)

cdef class BinnedSet(RecordSet):
    cdef readonly int max_bins
