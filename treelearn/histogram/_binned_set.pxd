from .._training_set cimport TrainingSet

cdef class BinnedSet(TrainingSet):
    cdef readonly int max_bins
    cdef readonly object bins       # binning.Bins
    cdef readonly object records    # uint8 of shape (n_samples or more, record_bytes)
    cdef readonly int code_bytes
    cdef readonly bint has_class    # the class stands behind the codes of a record
