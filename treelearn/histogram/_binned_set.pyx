"""The training samples in the form that the histogram mode works on: one record per sample."""

import numpy as np

from .._training_set cimport TrainingSet

from .binning import bin_samples

# Bytes behind the last record that may be read: a block of 16 codes.
READ_PAST = 32


cdef class RecordSet(TrainingSet):
    """Samples and targets, one record of codes a sample; parameters as of ``TrainingSet``."""

    cdef void without_lists(self):
        """Set what says that there are no lists."""
        self.class_shift = 0
        self.index_mask = 0xFFFFFFFF
        self.list_starts = np.zeros(self.n_features + 1, dtype=np.int64)
        self.default_values = np.zeros(self.n_features)


cdef class BinnedSet(RecordSet):
    """Samples and targets, binned.

    Parameters
    ----------
    X, y, n_classes, sample_weight, is_centred, ridge_share, n_threads
        As of ``TrainingSet``.
    max_bins : int
        Most bins of a feature, from 2 to 65535.
    """

    def __init__(
        self,
        X,
        y,
        n_classes=None,
        sample_weight=None,
        is_centred=True,
        ridge_share=0.0,
        int n_threads=1,
        *,
        int max_bins,
    ):
        self.max_bins = max_bins
        super().__init__(
            X, y, n_classes, sample_weight, is_centred, ridge_share, n_threads
        )

    def _sort(self, int n_threads):
        """Bin the samples into records instead of sorting them."""
        X, rows = self.X, self.rows
        if len(rows) < self.n_total:
            X = X[rows]
        n_samples = len(rows)
        n_features = self.n_features
        self.without_lists()
        most_classes = self.n_classes[0] if self.n_classes and len(self.n_classes) == 1 else None
        records = None

        def allocate(dtype):
            nonlocal records
            item = dtype.itemsize
            has_class = most_classes is not None and most_classes <= 256**item
            n_bytes = (n_features + has_class) * item
            self.has_class = has_class
            self.code_bytes = item
            n_words = -(-n_bytes // 8)
            # The search of small nodes reads a block of features, past the end of the last one.
            n_spare = -(-READ_PAST // (8 * n_words))
            records = np.empty((n_samples + n_spare, n_words), dtype=np.uint64)
            records[n_samples:] = 0
            return records.view(dtype)[:n_samples, :n_features].T

        self.bins, _ = bin_samples(X, self.max_bins, n_threads, allocate)
        if self.has_class:
            labels = self.arrays["y"][0]
            dtype = self.bins.code_dtype
            records.view(dtype)[:n_samples, n_features] = (
                labels if n_samples == self.n_total else labels[rows]
            )
        self.records = records.view(np.uint8)
