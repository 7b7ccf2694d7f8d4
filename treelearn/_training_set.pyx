"""The training samples in the form that growth works on: one sorted list per feature.

Invariants: the list of a feature holds every sample once, except those with the feature's
default value where it has one; equal values lie together and stand in the order of their
samples; missing values come last.
"""

from cython.parallel cimport parallel, prange, threadid
from libc.string cimport memset

import numpy as np
from scipy.sparse import issparse

from ._address cimport address_of
from ._crowd cimport begin_region, begin_share, end_share, n_threads_now
from ._lists cimport FEATURES_PER_GROUP, ListSource, build_lists, filter_list
from ._signals cimport must_stop, raise_pending
from ._types cimport *

from ._units import WeightUnits, target_units, weight_units

cdef enum:
    MEMORY_RAN_OUT = 1
    INTERRUPTED = 2


class SortedLists:
    """What sorting makes of a training set: arrays as in ``TrainingSet``, not to be changed."""

    def __init__(self, entries, starts, segments, default_values, n_rows, index_mask):
        self.entries = entries
        self.starts = starts
        self.segments = segments
        self.default_values = default_values
        self.n_rows = n_rows
        self.index_mask = index_mask

    @property
    def n_bytes(self):
        """Bytes of the entries; the rest is small."""
        return self.entries.nbytes


def _filtered(lists, rows, n_total):
    """Return the lists of some of the samples."""
    is_kept = np.zeros(n_total // 32 + 1, dtype=np.uint32)
    np.bitwise_or.at(is_kept, rows // 32, np.uint32(1) << (rows % 32).astype(np.uint32))
    entries = np.empty_like(lists.entries)
    segments = np.zeros_like(lists.segments)
    cdef const uint32_t[::1] bits = is_kept
    cdef const uint32_t[::1] source = lists.entries
    cdef const int64_t[::1] starts = lists.starts
    cdef const int32_t[:, ::1] old_segments = lists.segments
    cdef uint32_t[::1] target = entries
    cdef int32_t[:, ::1] new_segments = segments
    cdef uint32_t index_mask = lists.index_mask
    cdef int32_t feature, n_features = segments.shape[0]
    with nogil:
        for feature in range(n_features):
            filter_list(
                &bits[0], index_mask, &source[starts[feature]], &old_segments[feature, 0],
                &target[starts[feature]], &new_segments[feature, 0],
            )
    return SortedLists(
        entries, lists.starts, segments, lists.default_values, len(rows), lists.index_mask
    )


cdef class TrainingSet:
    """Samples and targets, sorted once.

    Parameters
    ----------
    X : ndarray of shape (n_total, n_features) or CSC matrix of that shape
        float32 or float64, any strides; NaN is a missing value in a dense matrix. A CSC matrix
        has sorted, unique row numbers; what it does not store is 0.
    y : ndarray of shape (n_outputs, n_total), C-contiguous
        int32 labels from 0 where ``n_classes`` is given, else float64 targets.
    n_classes : sequence of int or None, default=None
        Number of classes of each output.
    sample_weight : ndarray of shape (n_total,) or None, default=None
        float64, finite, none negative, not all 0. Rows of weight zero are no samples.
    is_centred : bool, default=True
        Whether sums of targets are taken about the mean (the Poisson deviance needs them
        about 0).
    ridge_share : float, default=0.0
        Share of the root's variance that gaussian_entropy adds to every variance.
    n_threads : int, default=1
        Threads that sort.
    lists : SortedLists or None, default=None
        What a training set of the same X and the same labels was sorted to, of these samples or
        more: nothing is sorted then.

    Raises
    ------
    ValueError
        If there are more rows, columns or classes than the index types hold.
    MemoryError
        If the lists do not fit.
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
        lists=None,
    ):
        largest = np.iinfo(np.int32).max - 1
        if max(X.shape) > largest:
            raise ValueError(
                f"X has shape {X.shape}, but at most {largest} rows or columns can be indexed."
            )
        if n_classes is not None and sum(n_classes) > largest:
            raise ValueError(
                f"y has {sum(n_classes)} classes, but at most {largest} can be indexed."
            )
        self.X = X
        self.n_total, self.n_features = X.shape
        self.n_classes = None if n_classes is None else [int(k) for k in n_classes]
        self.arrays = {}
        self._take_values(X)
        self._take_weights(sample_weight)
        if n_classes is None:
            self._take_targets(y, is_centred, ridge_share)
        else:
            self._take_labels(y)
        self.place_classes()
        if lists is None:
            self._sort(n_threads)
        elif lists.n_rows == len(self.rows):
            self._take_lists(lists)
        else:
            self._take_lists(_filtered(lists, self.rows, self.n_total))

    @property
    def lists(self):
        """The sorted lists, which growth changes unless it is told to keep them."""
        return SortedLists(
            self.entries,
            self.list_starts,
            self.root_segments,
            self.default_values,
            len(self.rows),
            self.index_mask,
        )

    @property
    def whole_weight(self):
        """Total weight in units where one output's class counts are whole numbers, else None."""
        if not self.targets.is_classification or self.targets.n_outputs > 1:
            return None
        if self.targets.has_unit_weights:
            return len(self.rows)
        if self.targets.weight_unit != 1.0:
            return None
        return int(self.total_weight)

    def _take_values(self, X):
        """Point `values` at the raw data."""
        memset(&self.values, 0, sizeof(Values))
        self.values.is_double = X.dtype == np.float64
        if issparse(X):
            data = np.ascontiguousarray(X.data)
            rows = np.ascontiguousarray(X.indices, dtype=np.int32)
            starts = np.ascontiguousarray(X.indptr, dtype=np.int64)
            self.arrays.update(data=data, sparse_rows=rows, sparse_starts=starts)
            self.values.sparse_data = <const char*> address_of(data)
            self.values.sparse_rows = <const int32_t*> address_of(rows)
            self.values.sparse_starts = <const int64_t*> address_of(starts)
        else:
            self.values.dense = <const char*> address_of(X)
            self.values.row_stride, self.values.column_stride = X.strides

    def _take_weights(self, sample_weight):
        """Choose the samples and express their weights in whole units."""
        memset(&self.targets, 0, sizeof(Targets))
        self.targets.n_total = self.n_total
        if sample_weight is None:
            self.rows = np.arange(self.n_total, dtype=np.int32)
            self.weights = WeightUnits(None, 1.0, 1.0, float(self.n_total))
        else:
            self.rows = np.flatnonzero(sample_weight).astype(np.int32)
            self.weights = weight_units(sample_weight[self.rows])
        self.total_weight, self.weight_scale = self.weights.total, self.weights.scale
        self.targets.weight_unit = self.weights.unit
        self.targets.has_unit_weights = self.weights.units is None
        if self.weights.units is not None:
            units = np.zeros(self.n_total, dtype=np.int64)
            units[self.rows] = self.weights.units
            self.arrays["weights"] = units
            self.targets.weights = <const int64_t*> address_of(units)

    def _take_labels(self, y):
        """Point `targets` at labels."""
        n_classes = np.array(self.n_classes, dtype=np.int32)
        starts = np.concatenate([[0], np.cumsum(n_classes)[:-1]]).astype(np.int32)
        self.arrays.update(y=y, n_classes=n_classes, class_starts=starts)
        self.targets.is_classification = True
        self.targets.n_outputs = y.shape[0]
        self.targets.n_stats = n_classes.sum()
        self.targets.max_n_classes = n_classes.max()
        self.targets.n_classes = <const int32_t*> address_of(n_classes)
        self.targets.class_starts = <const int32_t*> address_of(starts)
        self.targets.labels = <const int32_t*> address_of(y)

    def _take_targets(self, y, is_centred, ridge_share):
        """Point `targets` at real targets, and express their moments in whole units."""
        n_outputs = y.shape[0]
        # Of the samples alone: what other rows hold must not change a bit.
        samples = y if len(self.rows) == self.n_total else y.take(self.rows, axis=1)
        units = target_units(samples, self.weights, is_centred, ridge_share)
        sums, squares = units.sums, units.squares
        if len(self.rows) < self.n_total:
            sums, squares = (np.zeros((n_outputs, self.n_total), np.int64) for _ in range(2))
            sums[:, self.rows], squares[:, self.rows] = units.sums, units.squares
        self.arrays.update(y=y, sums=sums, squares=squares)
        self.targets.y = <const double*> address_of(y)
        self.targets.sums = <const int64_t*> address_of(sums)
        self.targets.square_sums = <const int64_t*> address_of(squares)
        self._point_at_units(units)

    def _point_at_units(self, units):
        """Point `targets` at the units of real targets."""
        n_outputs = len(units.centres)
        self.arrays.update(centres=units.centres, ridges=units.ridges)
        self.targets.is_classification = False
        self.targets.n_outputs = n_outputs
        self.targets.n_stats = 2 * n_outputs
        self.targets.max_n_classes = 1
        self.targets.centres = <const double*> address_of(units.centres)
        self.targets.ridges = <const double*> address_of(units.ridges)
        self.targets.sum_unit = units.sum_unit
        self.targets.square_ratio = units.square_ratio

    def _take_lists(self, lists):
        """Take what was sorted before."""
        self.entries = lists.entries
        self.list_starts = lists.starts
        self.root_segments = lists.segments
        self.default_values = lists.default_values

    def place_classes(self):
        """Choose where in an entry the class stands, if its bits suffice."""
        cdef int class_bits = 0
        cdef int index_bits = max(1, int(self.n_total - 1).bit_length())
        if self.targets.is_classification and self.targets.n_outputs == 1:
            class_bits = max(1, int(self.targets.max_n_classes - 1).bit_length())
        self.class_shift = 0
        self.index_mask = 0xFFFFFFFF
        if class_bits > 0 and class_bits + index_bits + 1 <= 32:
            self.class_shift = 32 - class_bits
            self.index_mask = (<uint32_t> 1 << self.class_shift) - 1

    def _sort(self, int n_threads):
        """Fill the lists."""
        cdef int64_t n_rows = self.rows.shape[0]
        cdef int32_t n_features = self.n_features
        lengths = np.full(n_features, n_rows, dtype=np.int64)
        if issparse(self.X):
            lengths = np.diff(self.arrays["sparse_starts"])
        starts = np.zeros(n_features + 1, dtype=np.int64)
        np.cumsum(lengths, out=starts[1:])
        self.list_starts = starts
        # Pages of a list that its default value leaves empty are never touched, and so never
        # taken from the machine.
        self.entries = np.empty(max(1, starts[n_features]), dtype=np.uint32)
        self.root_segments = np.zeros((n_features, 3), dtype=np.int32)
        self.default_values = np.zeros(n_features)
        is_row = np.zeros(self.n_total, dtype=np.uint8)
        is_row[self.rows] = 1
        n_threads = max(1, min(n_threads_now(n_threads), n_features))
        pairs = np.empty((n_threads, 2, max(1, lengths.max(initial=0))), dtype=np.uint64)

        cdef const int32_t[::1] rows_view = self.rows
        cdef const uint8_t[::1] is_row_view = is_row
        cdef uint64_t[:, :, ::1] pairs_view = pairs
        cdef const int64_t[::1] starts_view = starts
        cdef uint32_t[::1] entries_view = self.entries
        cdef int32_t[:, ::1] segments_view = self.root_segments
        cdef double[::1] defaults_view = self.default_values
        cdef ListSource source
        cdef int32_t size = max(1, min(FEATURES_PER_GROUP, n_features // n_threads))
        cdef int32_t n_groups = (n_features + size - 1) // size
        cdef int32_t group
        cdef int64_t due
        cdef int status = 0
        cdef double last_poll = 0.0
        source.values = &self.values
        source.rows = NULL if n_rows == self.n_total else &rows_view[0]
        source.is_row = &is_row_view[0]
        source.labels = self.targets.labels if self.class_shift != 0 else NULL
        source.n_rows = n_rows
        source.class_shift = self.class_shift
        source.index_mask = self.index_mask
        source.stores_all = False
        if n_threads == 1:
            with nogil:
                for group in range(n_groups):
                    build_group(
                        &source, group * size, min(size, n_features - group * size),
                        &pairs_view[0, 0, 0], &pairs_view[0, 1, 0], &starts_view[0],
                        &entries_view[0], &segments_view[0, 0], &defaults_view[0], True,
                        &last_poll, &status,
                    )
        else:
            due = begin_region(n_threads)
            with nogil, parallel(num_threads=n_threads):
                begin_share(due)
                for group in prange(n_groups, schedule="dynamic", chunksize=1):
                    build_group(
                        &source, group * size, min(size, n_features - group * size),
                        &pairs_view[threadid(), 0, 0], &pairs_view[threadid(), 1, 0],
                        &starts_view[0], &entries_view[0], &segments_view[0, 0],
                        &defaults_view[0], threadid() == 0, &last_poll, &status,
                    )
        if status == MEMORY_RAN_OUT:
            raise MemoryError(f"Unable to allocate {24 * n_rows} bytes to sort a column.")
        if status == INTERRUPTED:
            raise_pending()


cdef void build_group(
    const ListSource* source,
    int32_t first_feature,
    int32_t n_features,
    uint64_t* pairs,
    uint64_t* spare,
    const int64_t* starts,
    entry_t* entries,
    int32_t* segments,
    double* default_values,
    bint polls,             # True in the thread that holds Python
    double* last_poll,
    int* status,            # in, out: shared by all threads
) noexcept nogil:
    """Build some lists, unless another thread has failed or was interrupted."""
    if status[0] != 0:
        return
    begin_share(0)
    if build_lists(
        source, first_feature, n_features, pairs, spare, starts, entries, segments, default_values
    ) != 0:
        status[0] = MEMORY_RAN_OUT
    elif polls and must_stop(last_poll):
        status[0] = INTERRUPTED
    end_share()
