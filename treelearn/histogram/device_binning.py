"""The bins of a table that lies on a device: those of ``binning``, to the bit."""

import numpy as np

from .binning import Coder, edges_of, find_bins
from .table import empty_records

__all__ = ["bin_on_device"]


def bin_on_device(engine, X, rows, max_bins):
    """Bin every feature of the samples of a table and encode it.

    Only the sample of rows that the bins are made from goes to the host, sorted.

    Parameters
    ----------
    engine : Engine
        Where the table lies.
    X : array of shape (n_rows, n_features)
        float32 or float64, no value infinite; NaN is a missing value.
    rows : array of shape (n_samples,) or None
        int32, increasing: the rows that are samples; None for all.
    max_bins : int
        Most bins of a feature.

    Returns
    -------
    bins : Bins
        As of ``bin_samples`` of these rows.
    records : array of shape (n_samples, n_padded)
        Their codes, see ``Table``.
    """
    xp, n_features = engine.xp, X.shape[1]
    n_samples = X.shape[0] if rows is None else len(rows)

    def edges_of_columns(chosen):
        places = rows if chosen is None else xp.asarray(chosen)
        if chosen is not None and rows is not None:
            places = rows[places]
        sample = X if places is None else X[places]
        sample = engine.on_host(xp.sort(xp.ascontiguousarray(sample.T), axis=1))
        n_values = sample.shape[1] - np.count_nonzero(np.isnan(sample), axis=1)
        for column, n in zip(sample, n_values, strict=True):
            yield edges_of(column[:n], max_bins)

    def distinct_values(feature):
        column = X[:, feature] if rows is None else X[rows, feature]
        return engine.on_host(xp.unique(column[~xp.isnan(column)]))

    def make_coder(edges, before=None):
        return _DeviceCoder(engine, X, rows, edges, before)

    return find_bins(
        *(edges_of_columns, distinct_values, make_coder),
        lambda dtype: empty_records(xp, n_samples, n_features, dtype),
        *((n_samples, n_features), max_bins),
    )


class _DeviceCoder(Coder):
    """Encodes on the device."""

    def __init__(self, engine, X, rows, edges, before):
        super().__init__(edges, X.dtype, 1, before)
        self.engine, self.X, self.rows = engine, X, rows

    def encode(self, features, records):
        """Write the codes of some features."""
        features = list(features)
        edges = [self.edges[f][:-1] for f in features]
        found = self.engine.values.encode(self.X, self.rows, features, edges, records)
        for f, low, high, is_missed in zip(features, *found, strict=True):
            bins = slice(*self.bin_starts[f : f + 2])
            self.lowest[0, bins], self.highest[0, bins] = low, high
            self.n_missing[0, f] = is_missed
