"""The information bottleneck: limits, bounds, reproducibility, and the tree's Lagrangian."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treelearn import information as info


@pytest.fixture
def table(rng):
    """Return a joint table of 8 by 4."""
    return rng.dirichlet(np.full(4, 0.4), 8) / 8


def test_limits(xp, table):
    joint = xp.asarray(table)
    full = float(info.mutual_information(joint))
    sure = info.information_bottleneck(joint, 8, 1e4, n_steps=6, max_iter=300)
    assert sure.converged
    assert sure.information_y == pytest.approx(full, rel=1e-6)
    assert isinstance(sure.encoder, type(joint))
    assert sure.encoder.dtype == joint.dtype
    # Below 1 nothing of Y is worth its length in X.
    none = info.information_bottleneck(joint, 8, 0.9, n_restarts=2, n_steps=2)
    assert none.converged
    assert none.information_x == pytest.approx(0, abs=1e-9)
    assert none.lagrangian == pytest.approx(0, abs=1e-9)


def test_result_is_consistent(table):
    found = info.information_bottleneck(table, 3, 6.0, base=2)
    assert found.converged
    np.testing.assert_allclose(found.encoder.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(found.decoder.sum(axis=1), 1, rtol=1e-12)
    x = table.sum(axis=1)
    np.testing.assert_allclose(found.weights, x @ found.encoder, rtol=1e-12)
    lengths = info.mutual_information(x[:, None] * found.encoder, base=2)
    relevance = info.mutual_information(found.encoder.T @ table, base=2)
    assert found.information_x == pytest.approx(lengths, rel=1e-12)
    assert found.information_y == pytest.approx(relevance, rel=1e-12)
    assert found.lagrangian == pytest.approx(lengths - 6 * relevance, rel=1e-12)
    # The encoder is a fixed point of its own equation.
    distances = info.kl_divergence((table / x[:, None])[:, None, :], found.decoder, normalize=True)
    chances = found.weights * np.exp(-6 * distances)
    np.testing.assert_allclose(
        chances / chances.sum(axis=1, keepdims=True), found.encoder, atol=1e-7
    )


def test_curve(table):
    found = info.information_bottleneck(table, 8, 50.0, n_steps=12)
    betas, lengths, relevance = found.curve.T
    assert betas[0] == pytest.approx(1)
    assert betas[-1] == pytest.approx(50)
    assert np.all(np.diff(lengths) > -1e-6)
    assert np.all(np.diff(relevance) > -1e-6)
    # Data processing: no description tells more than it is long, nor than X does.
    assert np.all(relevance <= lengths + 1e-12)
    assert np.all(relevance <= info.mutual_information(table) + 1e-12)
    assert (found.curve[-1, 1:] == [found.information_x, found.information_y]).all()


def test_better_than_every_hard_clustering(table):
    beta = 8.0
    found = info.information_bottleneck(table, 2, beta)
    for mask in range(2**7):
        clusters = np.array([(mask >> i) & 1 for i in range(8)])
        leaves = np.stack([table[clusters == t].sum(axis=0) for t in (0, 1)])
        assert found.lagrangian <= info.bottleneck_lagrangian(leaves, beta) + 1e-9


def test_reproducible_and_reports_what_it_did(table):
    first, second = (info.information_bottleneck(table, 3, 5.0, random_state=7) for _ in range(2))
    np.testing.assert_array_equal(first.encoder, second.encoder)
    hurried = info.information_bottleneck(table, 3, 5.0, max_iter=1, n_steps=2)
    assert not hurried.converged
    assert hurried.n_iterations == 2
    single = info.information_bottleneck(table, 3, 5.0, n_steps=1, n_restarts=1)
    assert single.curve.shape == (1, 3)
    assert single.curve[0, 0] == pytest.approx(5)


def test_zeros_counts_and_float32(xp):
    counts = xp.asarray([[4, 0, 0], [0, 0, 0], [0, 3, 0], [1, 0, 0]], dtype=xp.float32)
    found = info.information_bottleneck(counts, 2, 30.0, normalize=True)
    assert found.converged
    assert found.encoder.dtype == xp.float32
    whole = float(info.information_gain(counts))
    assert found.information_y == pytest.approx(whole, rel=1e-5)


@settings(max_examples=50)
@given(
    counts=st.lists(
        st.lists(st.integers(0, 9), min_size=2, max_size=2), min_size=2, max_size=2
    ).filter(lambda table: all(map(any, table))),
    beta=st.floats(0.5, 50),
)
def test_a_split_lowers_the_lagrangian_when_its_gain_ratio_exceeds_one_over_beta(counts, beta):
    whole = np.sum(counts, axis=0, keepdims=True)
    change = info.bottleneck_lagrangian(counts, beta) - info.bottleneck_lagrangian(whole, beta)
    ratio = float(info.gain_ratio(counts))
    if abs(ratio * beta - 1) > 1e-9:
        assert (change < 0) == (ratio > 1 / beta)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_clusters": 0}, "n_clusters"),
        ({"n_clusters": "2"}, "n_clusters must be an integer"),
        ({"n_clusters": 2.0}, "n_clusters must be an integer"),
        ({"beta": 0}, "beta"),
        ({"beta": "1"}, "beta must be a finite number"),
        ({"beta": math.inf}, "beta"),
        ({"n_restarts": 0}, "n_restarts"),
        ({"n_steps": 1.5}, "n_steps"),
        ({"joint": [0.5, 0.5]}, "two axes"),
        ({"joint": [[1, 1]]}, "sum to one"),
    ],
)
def test_bad_inputs(options, words):
    arguments = {"joint": [[0.5, 0.0], [0.0, 0.5]], "n_clusters": 2, "beta": 2.0} | options
    with pytest.raises(ValueError, match=words):
        info.information_bottleneck(**arguments)


def test_bad_beta_of_a_tree():
    with pytest.raises(ValueError, match="beta"):
        info.bottleneck_lagrangian([[1, 1]], -1)
    with pytest.raises(ValueError, match="beta must be a finite number of at least 0"):
        info.bottleneck_lagrangian([[1, 1]], "1")
