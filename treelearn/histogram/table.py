"""What the kernel modules read: codes, targets in whole units, and the rules of one fit."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Table", "make_table"]


@dataclass(frozen=True, eq=False)
class Table:
    """The binned training samples of one fit, arrays in the library of a kernel module.

    A histogram is an int64 array of shape (n_nodes, n_features, n_codes, n_channels). Channel 0
    counts samples; the next one sums their weights, unless every sample weighs one unit; the rest
    are the statistics vector: the weight of every class of every output, or sum and square sum of
    every regression output.

    Attributes
    ----------
    codes : array of shape (n_features, n_samples)
        uint8 or uint16; the code of a missing value is ``n_bins``.
    n_bins : array of shape (n_features,)
        int32.
    n_codes : int
        Codes of the feature that has most.
    rows : array of shape (n_samples,)
        int32: the row of every sample.
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

    codes: object
    n_bins: object
    n_codes: int
    rows: object
    labels: object
    y: object
    sums: object
    square_sums: object
    weights: object
    facts: dict
    formulas: object

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


def make_table(formulas, codes, n_bins, asarray=np.asarray):
    """Return the table of one fit.

    Parameters
    ----------
    formulas : Formulas
        Rules and formulas; its training set holds the targets.
    codes : array of shape (n_features, n_samples)
        Codes of the samples: the rows of positive weight, in their order.
    n_bins : array of shape (n_features,)
        Bins of every feature.
    asarray : callable, default=numpy.asarray
        Moves an array to where the kernels run.

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
        moved["labels"] = arrays["y"][:, rows] + facts["class_starts"][:, None]
    else:
        moved["y"] = arrays["y"][:, rows]
        moved["sums"] = arrays["sums"][:, rows]
        moved["square_sums"] = arrays["squares"][:, rows]
    if not facts["has_unit_weights"]:
        moved["weights"] = arrays["weights"][rows]
    moved = {
        name: None if a is None else asarray(np.ascontiguousarray(a)) for name, a in moved.items()
    }
    return Table(
        codes=asarray(codes),
        n_bins=asarray(np.asarray(n_bins, dtype=np.int32)),
        n_codes=int(np.max(n_bins)) + 1,
        rows=asarray(rows),
        facts=facts,
        formulas=formulas,
        **moved,
    )
