"""How much memory of a device a fit takes."""

from .grower import HISTOGRAM_BYTES
from .table import RECORD_BYTES

__all__ = ["bytes_per_row", "fit_bytes"]

_GROWTH = 16  # the samples twice, how many go left up to each, what adds that up
_LABELS = 12  # of an output: the labels, and their distances from the least while they are encoded
_TARGETS = 72  # of an output while its targets become whole numbers; 24 of them stay
_TARGETS_KEPT = 24  # target, deviation, square
_WEIGHTS = 32  # weights while they become whole numbers; 8 of them stay
_WEIGHTS_KEPT = 8
# Parents and children, and what is made of them on the way from the ones to the others.
_HISTOGRAMS_HELD = 4
_FEWEST_BYTES = 2**26  # compiled kernels, the sample that bins are made from


def bytes_per_row(
    n_features,
    *,
    value_bytes=0,
    max_bins=255,
    n_outputs=1,
    is_classification=True,
    has_weights=False,
):
    """Return the bytes of device memory that a fit takes for every row.

    Parameters
    ----------
    n_features : int
        Columns of X.
    value_bytes : int, default=0
        4 or 8 where X has to be copied to the device as float32 or float64; 0 where it lies there
        as it is.
    max_bins : int, default=255
        Most bins: up to 255 a code has one byte, then two.
    n_outputs : int, default=1
        Columns of y.
    is_classification : bool, default=True
        Whether y holds labels.
    has_weights : bool, default=False
        Whether samples are weighted.

    Returns
    -------
    int
        Without X and y themselves where they lie on the device already.

    Examples
    --------
    >>> from treelearn.histogram.memory import bytes_per_row
    >>> bytes_per_row(50), bytes_per_row(50, value_bytes=4)
    (92, 292)
    """
    code_bytes = 1 if max_bins <= 255 else 2
    record = -(-n_features * code_bytes // RECORD_BYTES) * RECORD_BYTES
    before, kept = (_LABELS, _LABELS) if is_classification else (_TARGETS, _TARGETS_KEPT)
    before, kept = before * n_outputs, kept * n_outputs
    if has_weights:
        before, kept = before + _WEIGHTS, kept + _WEIGHTS_KEPT
    return n_features * value_bytes + max(before, kept + record + _GROWTH)


def fit_bytes(n_rows, n_features, **options):
    """Return the bytes of device memory that a fit takes.

    Parameters
    ----------
    n_rows, n_features : int
        Shape of X.
    **options
        As of `bytes_per_row`.

    Returns
    -------
    int
        The rows', and about a gigabyte for histograms, whatever the table.
    """
    rows = n_rows * bytes_per_row(n_features, **options)
    return rows + _HISTOGRAMS_HELD * HISTOGRAM_BYTES + _FEWEST_BYTES
