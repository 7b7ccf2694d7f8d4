"""Training samples as records of codes, one code for every value of a feature."""

import numpy as np

from ._binned_set cimport RecordSet

from .._codes import CodeSet
from .binning import Bins


cdef class ValueSet(RecordSet):
    """Samples and targets, with bins of one value each.

    Parameters
    ----------
    X : ndarray of shape (n_total, n_features)
        float32 or float64, C order, without NaN.
    y, n_classes, sample_weight, is_centred, ridge_share, n_threads
        As of ``TrainingSet``.
    ranges : tuple of ndarray
        What `treelearn._codes.column_ranges` returns for X.
    most_codes : int
        Most distinct values of a column that is no whole numbers of a small range.

    Raises
    ------
    OverflowError
        If a column has more distinct values.
    """

    def __init__(self, X, y, n_classes=None, sample_weight=None, *, ranges, most_codes, **options):
        self.ranges = ranges
        self.most_codes = most_codes
        super().__init__(X, y, n_classes, sample_weight, **options)

    def _sort(self, int n_threads):
        """Encode the samples into records instead of sorting them."""
        rows = self.rows if len(self.rows) < self.n_total else None
        nothing = np.zeros(self.n_total, dtype=np.int32)
        codes = CodeSet(self.X, nothing, 1, rows, self.ranges, n_threads, self.most_codes, True)
        arrays = codes.arrays
        n_codes = codes.n_codes
        bin_starts = np.zeros(self.n_features + 1, dtype=np.int64)
        np.cumsum(n_codes, out=bin_starts[1:])
        values = np.arange(bin_starts[-1]) - np.repeat(bin_starts[:-1], n_codes) + np.repeat(
            arrays["lowest"], n_codes
        )
        for feature, k in enumerate(arrays["first_value"].tolist()):
            if k >= 0:
                first = bin_starts[feature]
                n = n_codes[feature]
                values[first : first + n] = arrays["values"].ravel()[k : k + n]
        is_missing = np.zeros(self.n_features, dtype=bool)
        self.bins = Bins(n_codes, bin_starts, values, values, values, is_missing)
        self.without_lists()
        self.code_bytes = 2
        self.has_class = False
        # A row is a whole number of blocks of 16 codes: nothing is read behind the last one.
        stride = 16 * codes.layout.n_chunks
        self.records = arrays["rows"][: len(self.rows) * stride].view(np.uint8).reshape(
            -1, 2 * stride
        )
