"""A training set whose samples lie elsewhere, on a GPU: sizes and units alone."""

from libc.string cimport memset

import numpy as np

from .._training_set cimport TrainingSet
from .._types cimport *


cdef class RemoteSet(TrainingSet):
    """Sizes and units of some samples.

    Parameters
    ----------
    n_samples, n_features : int
        Sizes.
    weights : treelearn._units.WeightUnits
        Units of the weights.
    n_classes : list of int or None
        Classes of each output; None in regression.
    targets : treelearn._units.TargetUnits or None
        Units of the targets; None in classification.
    """

    def __init__(self, n_samples, n_features, weights, n_classes=None, targets=None):
        memset(&self.values, 0, sizeof(Values))
        memset(&self.targets, 0, sizeof(Targets))
        self.n_total, self.n_features = n_samples, n_features
        self.rows = range(n_samples)
        self.n_classes = n_classes
        self.arrays = {}
        self.class_shift = 0
        self.index_mask = 0xFFFFFFFF
        self.list_starts = np.zeros(n_features + 1, dtype=np.int64)
        self.default_values = np.zeros(n_features)
        self.weights = weights
        self.total_weight, self.weight_scale = weights.total, weights.scale
        self.targets.n_total = n_samples
        self.targets.weight_unit = weights.unit
        self.targets.has_unit_weights = weights.units is None
        if n_classes is not None:
            self._take_labels(np.zeros((len(n_classes), 1), dtype=np.int32))
            self.targets.labels = NULL
            return
        self._point_at_units(targets)
