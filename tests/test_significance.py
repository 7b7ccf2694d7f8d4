"""Tests over folds and over tables, against published values, scipy and brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from treelearn._significance import (
    bayesian_signed_rank,
    bayesian_t_test,
    corrected_half_width,
    corrected_t_test,
    critical_difference,
    friedman,
    holm_against_best,
    nemenyi,
    rank_rows,
    undistinguished,
)

# Demsar (2006), table 6: AUC of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 data sets.
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],  # printed as 0.975, ranked as the larger
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def test_the_published_example():
    ranks = rank_rows(DEMSAR, higher_is_better=True)
    found = friedman(ranks)
    assert found.mean_ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    # The paper's 9.28 leaves out the correction for ties that scipy has.
    uncorrected = 12 * 14 / (4 * 5) * ((found.mean_ranks**2).sum() - 4 * 25 / 4)
    assert uncorrected == pytest.approx(9.28, abs=0.01)
    assert found.statistic == pytest.approx(10.2283464566929)
    assert found.statistic == pytest.approx(stats.friedmanchisquare(*DEMSAR.T).statistic)
    assert found.p_chi2 == pytest.approx(stats.friedmanchisquare(*DEMSAR.T).pvalue)
    assert found.p_value < 0.05
    assert critical_difference(4, 14, level=0.05) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, level=0.10) == pytest.approx(1.12, abs=0.005)
    # No two of the four differ by the critical difference; C4.5 against the best nearly does.
    assert nemenyi(found.mean_ranks, 14).min() == pytest.approx(0.0742, abs=5e-4)
    against_best = holm_against_best(found.mean_ranks, 14)
    assert against_best[3] == 1.0
    z = (3.143 - 1.964) / np.sqrt(4 * 5 / (6 * 14))
    assert against_best[0] == pytest.approx(3 * 2 * stats.norm.sf(z), abs=1e-3)


@given(st.integers(2, 6), st.integers(2, 8), st.integers(0, 1000))
def test_friedman_is_that_of_scipy(n_criteria, n_tables, seed):
    scores = np.random.default_rng(seed).integers(0, 4, (n_tables, n_criteria)).astype(float)
    ranks = rank_rows(scores, higher_is_better=False)
    np.testing.assert_array_equal(ranks, stats.rankdata(scores, axis=1))
    found = friedman(ranks)
    if (ranks == ranks[:, :1]).all():
        assert found.p_value == found.p_chi2 == 1.0
    elif n_criteria > 2:
        assert found.statistic == pytest.approx(stats.friedmanchisquare(*scores.T).statistic)


def test_rounding_makes_no_rank():
    scores = np.array([[0.3, 0.1 + 0.2, 0.5]])
    assert rank_rows(scores, higher_is_better=True).tolist() == [[2.5, 2.5, 1.0]]
    assert rank_rows(scores, higher_is_better=False).tolist() == [[1.5, 1.5, 3.0]]


def test_one_table_tells_nothing():
    assert friedman(np.array([[1.0, 3.0, 2.0]])).p_value > 0.05


def test_tables_that_rank_alike():
    found = friedman(np.tile([1.0, 2.0, 3.0], (8, 1)))
    assert found.f_statistic == np.inf
    assert found.p_value == found.p_chi2 < 1e-3


def test_friedman_keeps_its_level():
    rng = np.random.default_rng(5)
    n_studies = 400
    rejected = sum(
        friedman(rank_rows(rng.normal(size=(12, 4)), True)).p_value < 0.05 for _ in range(n_studies)
    )
    assert stats.binomtest(rejected, n_studies, 0.05).pvalue > 0.01


def test_groups_that_are_not_told_apart():
    assert undistinguished(np.array([1.0, 3.0, 1.5, 2.4]), 1.0) == [[0, 2], [2, 3], [3, 1]]
    assert undistinguished(np.array([1.0, 1.2, 1.4]), 1.0) == [[0, 1, 2]]
    assert undistinguished(np.array([1.0, 3.0]), 1.0) == []
    assert undistinguished(np.array([2.0, 1.0, 4.0, 4.5]), 1.5) == [[1, 0], [2, 3]]


@pytest.mark.parametrize(
    ("n", "mean", "expected"),
    # Of baycomp 1.0.3, SignedRankTest.probs with 50,000 draws.
    [
        (5, 0.01, (0.654, 0.335, 0.011)),
        (12, 0.02, (0.950, 0.050, 0.000)),
        (20, 0.005, (0.326, 0.660, 0.014)),
        (20, -0.03, (0.0, 0.0, 1.0)),
    ],
)
def test_bayesian_signed_rank_is_that_of_its_authors(n, mean, expected):
    rng = np.random.default_rng(0)
    for n_before, mean_before in ((5, 0.01), (12, 0.02), (20, 0.005), (20, -0.03)):
        first = rng.normal(0.8, 0.05, n_before)
        second = first - rng.normal(mean_before, 0.02, n_before)
        if (n_before, mean_before) == (n, mean):
            break
    worse, equivalent, better = bayesian_signed_rank(first - second, 0.01)
    assert (better, equivalent, worse) == pytest.approx(expected, abs=0.012)


def test_equal_scores_are_practically_equivalent():
    assert bayesian_signed_rank(np.zeros(6), 0.0) == (0.0, 1.0, 0.0)
    assert bayesian_t_test(np.zeros(10), 0.25, 0.01) == (0.0, 1.0, 0.0)


def test_bayesian_t_test_is_a_student_distribution(rng):
    differences = rng.normal(0.01, 0.02, 50)
    scale = differences.std(ddof=1) * np.sqrt(1 / 50 + 1 / 4)
    posterior = stats.t(49, differences.mean(), scale)
    below, within, above = bayesian_t_test(differences, 0.25, 0.01)
    assert below == pytest.approx(posterior.cdf(-0.01))
    assert above == pytest.approx(posterior.sf(0.01))
    assert below + within + above == pytest.approx(1.0)


def test_interval_and_test_agree(rng):
    for shift in (0.0, 0.01, 0.02, 0.04):
        differences = rng.normal(shift, 0.02, 10)
        excludes_zero = abs(differences.mean()) > corrected_half_width(differences, 0.25)
        assert excludes_zero == (corrected_t_test(differences, 0.25) < 0.05)
