from ._types cimport *

cdef class TrainingSet:
    cdef readonly object X
    cdef readonly Py_ssize_t n_total        # rows of X, those of zero weight included
    cdef readonly Py_ssize_t n_features
    cdef readonly object rows               # the samples: row numbers, increasing
    cdef readonly double total_weight       # in weight_scale
    cdef readonly double weight_scale       # a power of two by which weights were divided
    cdef object weights                     # WeightUnits of the samples
    cdef readonly object n_classes
    cdef readonly int class_shift           # the class is entry >> class_shift; 0: not in the entry
    cdef uint32_t index_mask                # the sample is (entry & index_mask) >> 1
    cdef Values values
    cdef Targets targets
    cdef readonly object entries            # every feature's list, one after the other
    cdef readonly object list_starts        # per feature: where its list starts
    cdef readonly object root_segments      # per feature: n_below, n_above, n_missing
    cdef readonly object default_values     # per feature
    cdef readonly dict arrays               # what the pointers of `targets` and `values` point into
