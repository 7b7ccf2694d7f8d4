"""Differential entropies: closed forms, estimates of known densities, degenerate samples."""

import math

import numpy as np
import pytest
from information_exact import array
from scipy import stats

from treelearn import information as info


def test_gaussian_entropy(xp, rng):
    for dtype in ("float64", "float32"):
        one = info.gaussian_entropy(array(xp, 4.0, dtype), base=2)
        assert one.dtype == getattr(xp, dtype)
        assert one.shape == ()
        exact = math.log2(2 * math.pi * math.e * 4) / 2
        assert float(one) == pytest.approx(exact, rel=5e-7 if dtype == "float32" else 4e-15)
    root = rng.normal(size=(3, 4, 4))
    covariance = root @ np.swapaxes(root, -1, -2)
    found = info.gaussian_entropy(array(xp, covariance))
    for i in range(3):
        reference = stats.multivariate_normal(cov=covariance[i]).entropy()
        assert float(found[i]) == pytest.approx(reference, rel=1e-11)


def test_gaussian_entropy_of_samples(xp, rng):
    samples = rng.normal(size=(50, 3)) + 1e6
    centred = samples - samples.mean(axis=0)
    covariance = centred.T @ centred / 50
    for ridge in (0.0, 0.5):
        found = info.gaussian_entropy(samples=array(xp, samples), ridge=ridge)
        reference = info.gaussian_entropy(covariance, ridge=ridge)
        assert float(found) == pytest.approx(float(reference), rel=1e-9)
        line = info.gaussian_entropy(samples=array(xp, samples[:, 0]), ridge=ridge)
        assert float(line) == pytest.approx(
            float(info.gaussian_entropy_impurity(samples[:, 0], ridge)), rel=1e-12
        )


def test_degenerate_covariances(xp):
    assert float(info.gaussian_entropy(array(xp, 0.0))) == -math.inf
    assert float(info.gaussian_entropy(array(xp, [[1.0, 0.0], [0.0, 0.0]]))) == -math.inf
    regular = info.gaussian_entropy(array(xp, [[1.0, 1.0], [1.0, 1.0]]), ridge=1.0)
    assert float(regular) == pytest.approx(math.log(2 * math.pi * math.e) + math.log(3) / 2)
    assert float(info.gaussian_entropy(samples=array(xp, [2.0, 2.0]))) == -math.inf


def test_renyi_gaussian_entropy(xp):
    variance = array(xp, [0.25, 4.0])
    for order in (0.3, 1 - 1e-9, 1, 1 + 1e-9, 2, 30):
        found = info.renyi_gaussian_entropy(variance, order)
        tail = 1.0 if abs(order - 1) < 1e-6 else math.log(order) / (order - 1)
        for value, entry in zip((0.25, 4.0), found, strict=True):
            exact = (math.log(2 * math.pi * value) + tail) / 2
            assert float(entry) == pytest.approx(exact, rel=1e-8 if tail == 1 else 4e-15)
    assert float(info.renyi_gaussian_entropy(variance, 0)[0]) == math.inf
    collision = math.log(2 * math.sqrt(math.pi * 4))
    assert float(info.renyi_gaussian_entropy(4.0, 2)) == pytest.approx(collision, rel=1e-14)
    largest = math.log(2 * math.pi * 4) / 2
    assert float(info.renyi_gaussian_entropy(4.0, math.inf)) == pytest.approx(largest)


@pytest.mark.parametrize(
    ("distribution", "nats"),
    [
        (stats.uniform(2, 5), math.log(5)),
        (stats.expon(scale=1 / 3), 1 - math.log(3)),
        (stats.laplace(scale=0.7), 1 + math.log(1.4)),
        (stats.gamma(1, scale=2), 1 + math.log(2)),
        (stats.norm(9, 2), math.log(2 * math.pi * math.e * 4) / 2),
        (stats.logistic(scale=3), 2 + math.log(3)),
    ],
)
def test_families(distribution, nats):
    assert info.distribution_entropy(distribution) == pytest.approx(nats, rel=1e-12)
    assert info.distribution_entropy(distribution, 2) == pytest.approx(
        nats / math.log(2), rel=1e-12
    )


@pytest.mark.parametrize("method", ["auto", "vasicek", "van es", "ebrahimi", "correa", "knn"])
def test_estimates_in_one_dimension(xp, rng, method):
    samples = rng.normal(scale=0.05, size=4000)
    found = info.differential_entropy(array(xp, samples), method)
    assert isinstance(found, type(array(xp, samples))) or isinstance(found, np.float64)
    exact = float(info.gaussian_entropy(0.05**2))
    assert exact < 0
    assert float(found) == pytest.approx(exact, abs=0.06)


def test_estimates_in_several_dimensions(xp, rng):
    covariance = np.array([[1.0, 0.6, 0.0], [0.6, 1.0, 0.2], [0.0, 0.2, 2.0]])
    samples = rng.multivariate_normal(np.zeros(3), covariance, size=4000)
    exact = float(info.gaussian_entropy(covariance))
    for n_neighbors in (1, 3, 10):
        found = info.differential_entropy(array(xp, samples), n_neighbors=n_neighbors)
        assert float(found) == pytest.approx(exact, abs=0.12)
    halved = info.differential_entropy(array(xp, samples / 2))
    whole = info.differential_entropy(array(xp, samples))
    assert float(whole - halved) == pytest.approx(3 * math.log(2), rel=1e-12)


def test_repeated_samples():
    samples = np.repeat([0.0, 1.0], 50)
    assert info.differential_entropy(samples, "knn") == -math.inf
    assert info.differential_entropy(samples) == -math.inf


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: info.gaussian_entropy(), "either a covariance or samples"),
        (lambda: info.gaussian_entropy(1.0, samples=[1.0]), "either a covariance or samples"),
        (lambda: info.gaussian_entropy([1.0, 2.0]), "shape"),
        (lambda: info.gaussian_entropy(-1.0), "positive semi-definite"),
        (lambda: info.gaussian_entropy([[1.0, 2.0], [2.0, 1.0]]), "positive semi-definite"),
        (lambda: info.gaussian_entropy([[1.0, 0.5], [0.0, 1.0]]), "symmetric"),
        (lambda: info.gaussian_entropy(math.nan), "neither NaN"),
        (lambda: info.gaussian_entropy(1.0, ridge=-1), "ridge"),
        (lambda: info.gaussian_entropy(samples=[]), "samples must not be empty"),
        (lambda: info.renyi_gaussian_entropy(0.0, 2), "positive"),
        (lambda: info.renyi_gaussian_entropy(1.0, -2), "order must be"),
        (lambda: info.distribution_entropy(stats.gamma(-1)), "outside its domain"),
        (lambda: info.differential_entropy([1.0, 2.0, 3.0], "kde"), "method must be one of"),
        (lambda: info.differential_entropy([1.0, math.nan]), "neither NaN"),
        (lambda: info.differential_entropy([1.0, 2.0]), "too few"),
        (lambda: info.differential_entropy([1.0, 2.0, 4.0, 7.0]), "4, and spacings need 5"),
        (lambda: info.gaussian_entropy(1.0, ridge="a"), "ridge must be a finite number"),
        (lambda: info.differential_entropy(np.ones((9, 2)), "vasicek"), "one dimension"),
        (lambda: info.differential_entropy(np.ones((3, 2)), n_neighbors=3), "n_neighbors"),
    ],
)
def test_bad_inputs(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_no_distribution():
    for wrong in (stats.gamma, stats.poisson(3), 1.0):
        with pytest.raises(TypeError, match="frozen continuous distribution"):
            info.distribution_entropy(wrong)
