"""What the kernel modules read: codes, targets in whole units, and the rules of one fit."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Table", "empty_records", "make_table"]

RECORD_BYTES = 16
"""Records are filled up to a multiple: what a thread of a GPU reads at once."""


@dataclass(frozen=True, eq=False)
class Table:
    """The binned training samples of one fit, arrays in the library of a kernel module.

    A histogram is an int64 array of shape (n_nodes, n_features, n_codes, n_channels). Channel 0
    counts samples; the next one sums their weights, unless every sample weighs one unit; the rest
    are the statistics vector: the weight of every class of every output, or sum and square sum of
    every regression output.

    Attributes
    ----------
    xp : module
        NumPy or CuPy.
    records : array of shape (n_samples, n_padded)
        uint8 or uint16: the codes of a sample side by side, filled up with zeros to a multiple of
        16 bytes; the code of a missing value is ``n_bins``.
    n_bins : array of shape (n_features,)
        int32.
    n_codes : int
        Codes of the feature that has most.
    labels : array of shape (n_outputs, n_samples) or None
        int32: the class, numbered over all outputs.
    y : array of shape (n_outputs, n_samples) or None
        float64 targets of regression.
    sums, square_sums : array of shape (n_outputs, n_samples) or None
        int64: weighted deviations and their squares, in units.
    weights : array of shape (n_samples,) or None
        int64, in units; None where every sample weighs one.
    facts : dict
        Rules and units by name, see ``Formulas.facts``.
    formulas : Formulas
        Them as functions.
    """

    xp: object
    records: object
    n_bins: object
    n_codes: int
    labels: object
    y: object
    sums: object
    square_sums: object
    weights: object
    facts: dict
    formulas: object

    @property
    def n_samples(self):
        """Number of samples."""
        return self.records.shape[0]

    @property
    def n_features(self):
        """Number of features."""
        return self.n_bins.shape[0]

    @property
    def weight_channel(self):
        """Channel that sums the weights."""
        return 0 if self.weights is None else 1

    @property
    def first_stat(self):
        """First channel of the statistics vector."""
        return self.weight_channel + 1

    @property
    def n_channels(self):
        """Channels of a histogram."""
        return self.first_stat + self.facts["n_stats"]


def empty_records(xp, n_samples, n_features, dtype):
    """Return records of zeros, see ``Table``."""
    per_piece = RECORD_BYTES // np.dtype(dtype).itemsize
    return xp.zeros((n_samples, -(-n_features // per_piece) * per_piece), dtype=dtype)


def make_table(formulas, codes, n_bins, xp=np):
    """Return the table of one fit whose targets a training set holds.

    Parameters
    ----------
    formulas : Formulas
        Rules and formulas; its training set holds the targets.
    codes : ndarray of shape (n_features, n_samples)
        Codes of the samples: the rows of positive weight, in their order.
    n_bins : ndarray of shape (n_features,)
        Bins of every feature.
    xp : module, default=numpy
        Library of the kernels.

    Returns
    -------
    Table
        The table.

    Raises
    ------
    ValueError
        If there is not one column of codes a sample, or not one row a feature.
    """
    facts = formulas.facts()
    rows, arrays = formulas.rows, formulas.target_arrays
    if tuple(codes.shape) != (len(n_bins), len(rows)):
        raise ValueError(
            f"codes must have shape ({len(n_bins)}, {len(rows)}), got {tuple(codes.shape)}."
        )
    moved = {"labels": None, "y": None, "sums": None, "square_sums": None, "weights": None}
    if facts["is_classification"]:
        moved["labels"] = arrays["y"].take(rows, axis=1) + facts["class_starts"][:, None]
    else:
        moved["y"] = arrays["y"].take(rows, axis=1)
        moved["sums"] = arrays["sums"].take(rows, axis=1)
        moved["square_sums"] = arrays["squares"].take(rows, axis=1)
    if not facts["has_unit_weights"]:
        moved["weights"] = arrays["weights"][rows]
    records = empty_records(np, len(rows), len(n_bins), codes.dtype)
    records[:, : len(n_bins)] = codes.T
    return Table(
        xp=xp,
        records=xp.asarray(records),
        n_bins=xp.asarray(np.asarray(n_bins, dtype=np.int32)),
        n_codes=int(np.max(n_bins)) + 1,
        facts=facts,
        formulas=formulas,
        **{name: None if array is None else xp.asarray(array) for name, array in moved.items()},
    )
