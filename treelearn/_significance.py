"""Whether differences are more than noise: tests over folds of one table, and over tables.

Every function takes plain arrays of scores.  Differences that are no more than rounding count as
none (`difference`, `rank_rows`), so that equal trees are ties.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit
from scipy.stats import chi2, f, norm, rankdata, studentized_range

__all__ = [
    "Friedman",
    "SIGNIFICANCE",
    "bayesian_signed_rank",
    "bayesian_t_test",
    "corrected_half_width",
    "corrected_t_test",
    "critical_difference",
    "difference",
    "friedman",
    "holm",
    "holm_against_best",
    "nemenyi",
    "rank_rows",
    "undistinguished",
]

SIGNIFICANCE = 0.05
"""A difference is more than noise when its adjusted p-value is below this."""

_ROUNDING = 1e-12
_PRIOR_STRENGTH = 0.5


def difference(first, second):
    """Return first - second, with differences that are no more than rounding set to zero."""
    found = first - second
    size = np.maximum(np.abs(first), np.abs(second))
    return np.where(np.abs(found) > _ROUNDING * size, found, 0.0)


def corrected_t_test(differences, test_to_train):
    """Return the two-sided p-value of Nadeau and Bengio's corrected resampled t-test.

    Parameters
    ----------
    differences : ndarray of shape (n_folds,)
        One value per fold of one or several cross-validations.
    test_to_train : float
        Test samples per training sample of a fold.

    Returns
    -------
    float
        1 where the mean is zero.
    """
    n = len(differences)
    mean, spread = differences.mean(), differences.std(ddof=1)
    if mean == 0.0:
        return 1.0
    if spread <= _ROUNDING * abs(mean):
        # No spread to measure against: what is left is that all signs agree.
        return 2.0 ** (1 - n)
    t = mean / (spread * np.sqrt(1.0 / n + test_to_train))
    return float(2.0 * stdtr(n - 1, -abs(t)))


def corrected_half_width(values, test_to_train, level=0.95):
    """Return half the width of the interval of a mean over folds, corrected as the t-test is."""
    n = len(values)
    scale = np.std(values, ddof=1) * np.sqrt(1.0 / n + test_to_train)
    return float(stdtrit(n - 1, (1.0 + level) / 2.0) * scale)


def bayesian_t_test(differences, test_to_train, rope):
    """Return the posterior of a difference: below, within and above practical equivalence.

    The correlated t-test of Corani and Benavoli (2015): the posterior of the mean difference is
    a Student distribution with the location and scale of the corrected t-test.

    Parameters
    ----------
    differences : ndarray of shape (n_folds,)
        One value per fold.
    test_to_train : float
        Test samples per training sample of a fold.
    rope : float
        Differences up to this are practically none.

    Returns
    -------
    tuple of (float, float, float)
        Probabilities that the mean difference is below -rope, within, and above rope.
    """
    n = len(differences)
    mean = differences.mean()
    scale = differences.std(ddof=1) * np.sqrt(1.0 / n + test_to_train)
    if scale <= _ROUNDING * max(abs(mean), rope):
        return float(mean < -rope), float(abs(mean) <= rope), float(mean > rope)
    below = float(stdtr(n - 1, (-rope - mean) / scale))
    above = float(stdtr(n - 1, (mean - rope) / scale))
    return below, max(0.0, 1.0 - below - above), above


def holm(p_values):
    """Return p-values adjusted by Holm's step-down method (1979)."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for n_before, i in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (len(p_values) - n_before) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def rank_rows(scores, higher_is_better):
    """Return the ranks within every row, 1 for the best; equal scores share their mean rank.

    Parameters
    ----------
    scores : ndarray of shape (n_tables, n_criteria)
        One score per table and criterion.
    higher_is_better : bool
        Whether the largest score is the best one.

    Returns
    -------
    ndarray of shape (n_tables, n_criteria)
        Each row sums to ``n_criteria * (n_criteria + 1) / 2``.
    """
    ordered = -scores if higher_is_better else scores
    snapped = ordered.copy()
    for row in snapped:
        # Scores that differ by rounding get the value of the first of them.
        by_value = np.argsort(row, kind="stable")
        for before, after in zip(by_value, by_value[1:], strict=False):
            if difference(row[after], row[before]) == 0.0:
                row[after] = row[before]
    return rankdata(snapped, axis=1)


@dataclass(frozen=True)
class Friedman:
    """Friedman's test of several criteria on several tables.

    Attributes
    ----------
    mean_ranks : ndarray of shape (n_criteria,)
        Mean rank over the tables, 1 for the best.
    statistic : float
        Friedman's chi-square, corrected for ties.
    p_chi2 : float
        Its p-value.
    f_statistic : float
        The statistic of Iman and Davenport (1980), less conservative.
    p_value : float
        Its p-value, the one that is decided by.
    """

    mean_ranks: np.ndarray
    statistic: float
    p_chi2: float
    f_statistic: float
    p_value: float


def friedman(ranks):
    """Test whether mean ranks differ by more than noise.

    Parameters
    ----------
    ranks : ndarray of shape (n_tables, n_criteria)
        From `rank_rows`.

    Returns
    -------
    Friedman
        Mean ranks, statistics and p-values; p-values of 1 where all criteria tie everywhere.

    Notes
    -----
    Written out rather than taken from ``scipy.stats.friedmanchisquare``, which refuses two
    criteria and gives NaN where all tie.
    """
    n_tables, n_criteria = ranks.shape
    mean_ranks = ranks.mean(axis=0)
    middle = (n_criteria + 1) / 2.0
    # The variance of the ranks within the tables: k (k + 1) / 12 without ties, times k / (k - 1).
    within = ((ranks - middle) ** 2).sum() / (n_tables * (n_criteria - 1))
    if within == 0.0:
        return Friedman(mean_ranks, 0.0, 1.0, 0.0, 1.0)
    statistic = float(n_tables * ((mean_ranks - middle) ** 2).sum() / within)
    p_chi2 = float(chi2.sf(statistic, n_criteria - 1))
    most = n_tables * (n_criteria - 1)
    if most - statistic <= 1e-9 * most:
        # All tables rank alike, which the F statistic divides by zero for.
        return Friedman(mean_ranks, statistic, p_chi2, np.inf, p_chi2)
    f_statistic = (n_tables - 1) * statistic / (most - statistic)
    freedom = n_criteria - 1, (n_criteria - 1) * (n_tables - 1)
    # With one table there is nothing to test against.
    p_value = float(f.sf(f_statistic, *freedom)) if n_tables > 1 else 1.0
    return Friedman(mean_ranks, statistic, p_chi2, float(f_statistic), p_value)


def critical_difference(n_criteria, n_tables, level=SIGNIFICANCE):
    """Return by how much mean ranks must differ to be told apart, by Nemenyi's test (1963)."""
    q = studentized_range.ppf(1.0 - level, n_criteria, np.inf) / np.sqrt(2.0)
    return float(q * _rank_error(n_criteria, n_tables))


def nemenyi(mean_ranks, n_tables):
    """Return Nemenyi's p-value of every pair of mean ranks, of shape (n_criteria, n_criteria)."""
    n_criteria = len(mean_ranks)
    gaps = np.abs(mean_ranks[:, None] - mean_ranks) / _rank_error(n_criteria, n_tables)
    p_values = np.ones_like(gaps)
    rows, columns = np.triu_indices(n_criteria, 1)
    found = studentized_range.sf(gaps[rows, columns] * np.sqrt(2.0), n_criteria, np.inf)
    p_values[rows, columns] = p_values[columns, rows] = found
    return p_values


def holm_against_best(mean_ranks, n_tables):
    """Return the p-value of every criterion against the best, adjusted by Holm; 1 for the best."""
    best = int(np.argmin(mean_ranks))
    others = np.flatnonzero(np.arange(len(mean_ranks)) != best)
    z = (mean_ranks[others] - mean_ranks[best]) / _rank_error(len(mean_ranks), n_tables)
    p_values = np.ones(len(mean_ranks))
    p_values[others] = holm(2.0 * norm.sf(z))
    return p_values


def _rank_error(n_criteria, n_tables):
    return np.sqrt(n_criteria * (n_criteria + 1) / (6.0 * n_tables))


def undistinguished(mean_ranks, width):
    """Return the groups of criteria that a critical difference does not tell apart.

    Parameters
    ----------
    mean_ranks : ndarray of shape (n_criteria,)
        Mean ranks.
    width : float
        The critical difference.

    Returns
    -------
    list of list of int
        Largest groups of two or more whose ranks lie within ``width``, the best first.
    """
    order = np.argsort(mean_ranks, kind="stable")
    groups, last_end = [], 0
    for start in range(len(order)):
        close = mean_ranks[order] - mean_ranks[order[start]] < width
        end = int(np.flatnonzero(close).max()) + 1
        if end > last_end and end - start > 1:
            groups.append(order[start:end].tolist())
        last_end = max(last_end, end)
    return groups


def bayesian_signed_rank(differences, rope, seed=0, n_samples=20_000):
    """Return the posterior of a difference over tables: below, within, above equivalence.

    The Bayesian signed-rank test of Benavoli, Corani, Demsar and Zaffalon (2017): a Dirichlet
    process over the tables whose prior is one pseudo-table without difference, of strength 1/2.

    Parameters
    ----------
    differences : ndarray of shape (n_tables,)
        One mean difference per table.
    rope : float
        Differences up to this are practically none.
    seed : int, default=0
        Seed of the draws from the posterior.
    n_samples : int, default=20_000
        How many are drawn.

    Returns
    -------
    tuple of (float, float, float)
        Probabilities that the difference of a new table is most often below -rope, within, and
        above rope.
    """
    z = np.append(differences, 0.0)
    strengths = np.ones(len(z))
    strengths[-1] = _PRIOR_STRENGTH
    sums = z[:, None] + z
    tolerance = _ROUNDING * max(1.0, rope)
    is_below, is_above = sums < -2.0 * rope - tolerance, sums > 2.0 * rope + tolerance
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(strengths, size=n_samples)
    below = ((weights @ is_below) * weights).sum(axis=1)
    above = ((weights @ is_above) * weights).sum(axis=1)
    shares = np.column_stack([below, 1.0 - below - above, above])
    winners = np.bincount(shares.argmax(axis=1), minlength=3) / n_samples
    return tuple(float(share) for share in winners)
