"""Calibration: whether what was called 80 % sure is right in 80 % of the cases.

Invariants
----------
- The last axis holds the samples; the others are separate data sets, one result each.
- An empty bin has no samples, NaN as its means, and no share in any error.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import array_api_compat

from ._arrays import stop_gradient, total
from ._bins import equal_borders, extremes, grouped
from ._host import from_host, to_host
from ._labels import labels_and_proba

__all__ = [
    "BrierDecomposition",
    "CalibrationTable",
    "brier_decomposition",
    "calibration_table",
    "expected_calibration_error",
    "maximum_calibration_error",
    "per_class_outcomes",
    "squared_calibration_error",
    "top_label_outcomes",
]


@dataclass(frozen=True, repr=False)
class CalibrationTable:
    """Samples grouped by their confidence; every array has shape (..., n_bins).

    Attributes
    ----------
    lower, upper : array
        Borders of the bins of equal width; else the least and the largest confidence in each.
    n_samples : array
        Samples in each bin.
    confidence : array
        Their mean confidence; NaN in an empty bin.
    accuracy : array
        The share of them that was right; NaN in an empty bin.
    """

    lower: Any
    upper: Any
    n_samples: Any
    confidence: Any
    accuracy: Any

    @property
    def gap(self):
        """Accuracy minus confidence: positive where the confidence was too modest."""
        return self.accuracy - self.confidence

    def __repr__(self):
        return f"<CalibrationTable of shape {tuple(self.n_samples.shape)}>"

    def __str__(self):
        columns = (self.lower, self.upper, self.n_samples, self.confidence, self.accuracy)
        rows = zip(*(to_host(column).reshape(-1) for column in columns), strict=True)
        lines = ["   lower    upper  samples  confidence  accuracy      gap"]
        lines += [
            f"{lower:8.4f} {upper:8.4f} {n:8.0f}  {confidence:10.4f}  {accuracy:8.4f} "
            f"{accuracy - confidence:+8.4f}"
            for lower, upper, n, confidence, accuracy in rows
            if n > 0
        ]
        return "\n".join(lines)


class BrierDecomposition(NamedTuple):
    """The parts of a Brier score; ``brier = reliability - resolution + uncertainty + within_bin``.

    Attributes
    ----------
    brier : array
        Mean squared difference of confidence and outcome.
    reliability : array
        Mean squared gap of confidence and accuracy: the squared calibration error. 0 is best.
    resolution : array
        How far the accuracies of the groups lie from the mean accuracy, squared. Large is good.
    uncertainty : array
        Variance of the outcomes, half their Gini impurity: what nobody can help.
    within_bin : array
        What grouping unequal confidences hides; 0 for groups of equal confidence.
    """

    brier: Any
    reliability: Any
    resolution: Any
    uncertainty: Any
    within_bin: Any


def top_label_outcomes(labels, proba):
    """Return the confidence in the likeliest class of each sample, and whether it was right.

    Parameters
    ----------
    labels : array of int of shape (..., n_samples)
        True classes, numbers from 0 up.
    proba : array of shape (..., n_samples, n_classes)
        Predicted probabilities.

    Returns
    -------
    confidences, correct : array of shape (..., n_samples)
        What the functions of this module take.  Of equally likely classes the first counts.

    Raises
    ------
    ValueError
        If a label is no whole number below ``n_classes``, probabilities are negative or do not
        sum to one, or the shapes do not fit.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks",
    2017.

    Examples
    --------
    >>> from treelearn.information import expected_calibration_error, top_label_outcomes
    >>> proba = [[0.75, 0.25], [0.75, 0.25], [0.5, 0.5], [0.5, 0.5]]
    >>> outcomes = top_label_outcomes([0, 0, 0, 1], proba)
    >>> float(expected_calibration_error(*outcomes, binning="distinct_values"))
    0.125
    """
    xp, labels, proba = labels_and_proba(labels, proba)
    predicted = xp.argmax(stop_gradient(proba), axis=-1)
    return xp.max(proba, axis=-1), xp.astype(predicted == labels, proba.dtype)


def per_class_outcomes(labels, proba):
    """Return the confidence in every class of each sample, and whether it was the true one.

    Parameters
    ----------
    labels : array of int of shape (..., n_samples)
        True classes, numbers from 0 up.
    proba : array of shape (..., n_samples, n_classes)
        Predicted probabilities.

    Returns
    -------
    confidences, correct : array of shape (..., n_classes, n_samples)
        What the functions of this module take; they then give one result per class.

    Raises
    ------
    ValueError
        If a label is no whole number below ``n_classes``, probabilities are negative or do not
        sum to one, or the shapes do not fit.

    References
    ----------
    M. Kull et al., "Beyond temperature scaling: obtaining well-calibrated multiclass
    probabilities with Dirichlet calibration", 2019.

    Examples
    --------
    >>> from treelearn.information import expected_calibration_error, per_class_outcomes
    >>> outcomes = per_class_outcomes([0, 1], [[0.75, 0.25], [0.5, 0.5]])
    >>> expected_calibration_error(*outcomes, binning="distinct_values")
    array([0.375, 0.375])
    """
    xp, labels, proba = labels_and_proba(labels, proba)
    classes = xp.arange(proba.shape[-1], dtype=xp.int64, device=array_api_compat.device(proba))
    correct = xp.astype(labels[..., None] == classes, proba.dtype)
    return xp.matrix_transpose(proba), xp.matrix_transpose(correct)


def calibration_table(confidences, correct, *, n_bins=15, binning="equal_width", closed="left"):
    """Return samples grouped by confidence, with the mean confidence and accuracy of each group.

    Parameters
    ----------
    confidences : array of shape (..., n_samples)
        Probability that was given to an outcome.
    correct : array of bool or number of shape (..., n_samples)
        Whether the outcome came: 0 or 1.
    n_bins : int, default=15
        Number of bins; ignored for distinct values.
    binning : {"equal_width", "equal_mass", "distinct_values"}, default="equal_width"
        Bins of the same width, bins of the same number of samples (the rank among the
        confidences decides, equal ones in the order given, so they may be parted), or one group
        for each value.  Trees have few distinct values: group by them.
    closed : {"left", "right"}, default="left"
        To which bin of equal width a confidence on a border belongs: the one it opens or the one
        it closes.  0 is always in the first bin and 1 in the last.

    Returns
    -------
    CalibrationTable
        Arrays of shape (..., n_bins).  With several data sets and distinct values, short tables
        end in empty bins.

    Raises
    ------
    ValueError
        If a confidence is no probability, an outcome is neither 0 nor 1, there are no samples, or
        an option is unknown.

    References
    ----------
    M. H. DeGroot and S. E. Fienberg, "The comparison and evaluation of forecasters", 1983; R.
    Roelofs et al., "Mitigating bias in calibration error estimation", 2022.

    Examples
    --------
    >>> from treelearn.information import calibration_table
    >>> confidences = [0.5, 0.5, 0.75, 0.75, 1.0, 1.0]
    >>> table = calibration_table(confidences, [1, 0, 1, 1, 1, 0], binning="distinct_values")
    >>> print(table)
       lower    upper  samples  confidence  accuracy      gap
      0.5000   0.5000        2      0.5000    0.5000  +0.0000
      0.7500   0.7500        2      0.7500    1.0000  +0.2500
      1.0000   1.0000        2      1.0000    0.5000  -0.5000
    """
    bins = grouped(confidences, correct, n_bins, binning, closed)
    xp, n = bins.xp, bins.n
    empty = xp.full_like(n, math.nan)
    some = xp.where(n > 0, n, xp.ones_like(n))
    if binning == "equal_width":
        borders = from_host(xp, equal_borders(n.shape[-1], n.dtype, xp), n)
        lower = xp.broadcast_to(borders[:-1], n.shape)
        upper = xp.broadcast_to(borders[1:], n.shape)
    else:
        lower, upper = extremes(bins)
    return CalibrationTable(
        lower=lower,
        upper=upper,
        n_samples=n,
        confidence=xp.where(n > 0, bins.confidence / some, empty),
        accuracy=xp.where(n > 0, bins.correct / some, empty),
    )


def expected_calibration_error(
    confidences, correct, *, n_bins=15, binning="equal_width", closed="left", norm="l1"
):
    """Return the mean gap between confidence and accuracy.

    Parameters
    ----------
    confidences : array of shape (..., n_samples)
        Probability that was given to an outcome.
    correct : array of bool or number of shape (..., n_samples)
        Whether the outcome came: 0 or 1.
    n_bins, binning, closed
        How samples are grouped, as in `calibration_table`.
    norm : {"l1", "l2"}, default="l1"
        Mean of the gaps, or root of the mean of their squares.

    Returns
    -------
    array of shape (...)
        Between 0 and 1; 0 says that the confidences hold on average, not that they are of use:
        the base rate as everyone's confidence is calibrated.

    Raises
    ------
    ValueError
        As `calibration_table`, and for an unknown norm.

    See Also
    --------
    top_label_outcomes : Confidences and outcomes of the likeliest class.
    per_class_outcomes : The same for every class.
    squared_calibration_error : Its square without the bias.

    Notes
    -----
    It is too large for few samples: a perfectly calibrated model has about
    ``sqrt(2 * n_bins / (pi * n_samples))`` times the mean standard deviation of an outcome, 0.12
    for 100 samples of uniform confidence and 15 bins.  It is too small where gaps of opposite
    sign share a bin.

    References
    ----------
    M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning", 2015; C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of
    modern neural networks", 2017.

    Examples
    --------
    >>> from treelearn.information import expected_calibration_error
    >>> confidences = [0.55, 0.65, 0.75, 0.85, 0.95, 1.0]
    >>> error = expected_calibration_error(confidences, [1, 0, 1, 1, 1, 1], n_bins=5)
    >>> round(float(error), 12)
    0.175
    """
    if norm not in ("l1", "l2"):
        raise ValueError(f"norm must be 'l1' or 'l2'; got {norm!r}.")
    bins = grouped(confidences, correct, n_bins, binning, closed)
    xp, n_samples = bins.xp, bins.confidences.shape[-1]
    if norm == "l1":
        return total(xp, xp.abs(bins.gap), -1) / n_samples
    return xp.sqrt(_mean_of_squares(bins, bins.gap))


def _mean_of_squares(bins, sums):
    """Return the mean, over the samples, of the squared mean of their bin."""
    some = bins.xp.where(bins.n > 0, bins.n, bins.xp.ones_like(bins.n))
    return total(bins.xp, sums * sums / some, -1) / bins.confidences.shape[-1]


def maximum_calibration_error(
    confidences, correct, *, n_bins=15, binning="equal_width", closed="left"
):
    """Return the largest gap between confidence and accuracy of any group of samples.

    Parameters
    ----------
    confidences : array of shape (..., n_samples)
        Probability that was given to an outcome.
    correct : array of bool or number of shape (..., n_samples)
        Whether the outcome came: 0 or 1.
    n_bins, binning, closed
        How samples are grouped, as in `calibration_table`.

    Returns
    -------
    array of shape (...)
        Between 0 and 1.  A group of one sample counts as much as a large one.

    Raises
    ------
    ValueError
        As `calibration_table`.

    References
    ----------
    M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning", 2015.

    Examples
    --------
    >>> from treelearn.information import maximum_calibration_error
    >>> confidences = [0.5, 0.5, 0.75, 0.75, 1.0, 1.0]
    >>> float(maximum_calibration_error(confidences, [1, 0, 1, 1, 1, 0], n_bins=4))
    0.125
    """
    bins = grouped(confidences, correct, n_bins, binning, closed)
    xp = bins.xp
    some = xp.where(bins.n > 0, bins.n, xp.ones_like(bins.n))
    return xp.max(xp.abs(bins.gap) / some, axis=-1)


def squared_calibration_error(
    confidences, correct, *, n_bins=15, binning="equal_width", closed="left", debias=True
):
    """Return the mean squared gap between confidence and accuracy, without its bias.

    Parameters
    ----------
    confidences : array of shape (..., n_samples)
        Probability that was given to an outcome.
    correct : array of bool or number of shape (..., n_samples)
        Whether the outcome came: 0 or 1.
    n_bins, binning, closed
        How samples are grouped, as in `calibration_table`.
    debias : bool, default=True
        Take away what chance adds: ``accuracy * (1 - accuracy) / (n - 1)`` in a bin of n samples,
        nothing where n is 1, which tells nothing about chance.

    Returns
    -------
    array of shape (...)
        The square of the error of `expected_calibration_error` with ``norm="l2"``.  Debiased
        values can be negative; they are right on average and are therefore not cut at 0.

    Raises
    ------
    ValueError
        As `calibration_table`.

    References
    ----------
    J. Brocker, "Estimating reliability and resolution of probability forecasts through
    decomposition of the empirical score", 2012; A. Kumar, P. Liang and T. Ma, "Verified
    uncertainty calibration", 2019.

    Examples
    --------
    >>> from treelearn.information import squared_calibration_error
    >>> confidences, correct = [0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0]
    >>> round(float(squared_calibration_error(confidences, correct)), 6)
    -0.083333
    """
    bins = grouped(confidences, correct, n_bins, binning, closed)
    xp, n, right = bins.xp, bins.n, bins.correct
    plain = _mean_of_squares(bins, bins.gap)
    if not debias:
        return plain
    several = n > 1
    pairs = xp.where(several, n * (n - 1), xp.ones_like(n))
    chance = xp.where(several, right * (n - right) / pairs, xp.zeros_like(n))
    return plain - total(xp, chance, -1) / bins.confidences.shape[-1]


def brier_decomposition(
    confidences, correct, *, n_bins=15, binning="distinct_values", closed="left"
):
    """Return the Brier score as reliability, resolution and uncertainty.

    Parameters
    ----------
    confidences : array of shape (..., n_samples)
        Probability that was given to an outcome.
    correct : array of bool or number of shape (..., n_samples)
        Whether the outcome came: 0 or 1.
    n_bins, closed
        As in `calibration_table`.
    binning : {"equal_width", "equal_mass", "distinct_values"}, default="distinct_values"
        How samples are grouped.

    Returns
    -------
    BrierDecomposition
        Arrays of shape (...), in squared probability.  With `per_class_outcomes`, the sum over
        the classes is the decomposition of the Brier score of all classes.

    Raises
    ------
    ValueError
        As `calibration_table`.

    References
    ----------
    A. H. Murphy, "A new vector partition of the probability score", 1973; D. B. Stephenson, C. A.
    S. Coelho and I. T. Jolliffe, "Two extra components in the Brier score decomposition", 2008.

    Examples
    --------
    >>> from treelearn.information import brier_decomposition
    >>> parts = brier_decomposition([0.25, 0.25, 0.75, 0.75], [0, 0, 1, 0])
    >>> [round(float(part), 6) for part in parts]
    [0.1875, 0.0625, 0.0625, 0.1875, 0.0]
    """
    bins = grouped(confidences, correct, n_bins, binning, closed)
    xp, n_samples = bins.xp, bins.confidences.shape[-1]
    error = bins.outcomes - bins.confidences
    base_rate = total(xp, bins.outcomes, -1) / n_samples
    # Confidences around the mean of their bin: all zero where a bin holds one value.
    some = xp.where(bins.n > 0, bins.n, xp.ones_like(bins.n))
    mean = xp.take_along_axis(bins.confidence / some, bins.index, axis=-1)
    accuracy = xp.take_along_axis(bins.correct / some, bins.index, axis=-1)
    deviation = bins.confidences - mean
    if binning == "distinct_values":
        deviation = xp.zeros_like(deviation)
    within = deviation * (deviation - 2 * (bins.outcomes - accuracy))
    return BrierDecomposition(
        brier=total(xp, error * error, -1) / n_samples,
        reliability=_mean_of_squares(bins, bins.gap),
        resolution=_mean_of_squares(bins, bins.correct - bins.n * base_rate[..., None]),
        uncertainty=base_rate * (1 - base_rate),
        within_bin=total(xp, within, -1) / n_samples,
    )
