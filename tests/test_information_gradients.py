"""Gradients in torch: right inside, finite wherever the mathematics is."""

import math

import numpy as np
import pytest

from treelearn import information as info

torch = pytest.importorskip("torch", reason="torch is not installed")

ORDERS = (0.5, 0.9, 1.0, 1.1, 2.0, 5.0)

OF_PROBABILITIES = {
    "entropy": info.entropy,
    "gini_impurity": info.gini_impurity,
    "misclassification": info.misclassification,
    "min_entropy": info.min_entropy,
    "efficiency": info.efficiency,
    **{f"renyi_{a}": lambda p, a=a, **options: info.renyi_entropy(p, a, **options) for a in ORDERS},
    **{
        f"tsallis_{a}": lambda p, a=a, **options: info.tsallis_entropy(p, a, **options)
        for a in ORDERS
    },
    "r_norm": lambda p, **options: info.r_norm_entropy(p, 2, **options),
}

OF_LOGITS = {
    "entropy": info.entropy_from_logits,
    **{f"renyi_{a}": lambda z, a=a: info.renyi_entropy_from_logits(z, a) for a in ORDERS},
    "cross_entropy": lambda z: info.cross_entropy_from_logits(z, torch.flip(z, (-1,))),
    "kl": lambda z: info.kl_divergence_from_logits(z, torch.flip(z, (-1,))),
    "js": lambda z: info.js_divergence_from_logits(z, torch.flip(z, (-1,))),
    "renyi_divergence": lambda z: info.renyi_divergence_from_logits(z, torch.flip(z, (-1,)), 0.5),
}

OF_TABLES = {
    "mutual_information": lambda t: info.mutual_information(t, normalize=True),
    "conditional_entropy": lambda t: info.conditional_entropy(t, normalize=True),
    "gain_ratio": info.gain_ratio,
    "gini_gain": info.gini_gain,
    **{
        kind: lambda t, kind=kind: info.conditional_renyi_entropy(t, 2, kind, normalize=True)
        for kind in ("arimoto", "hayashi", "mean", "jizba_arimitsu")
    },
}

OF_TARGETS = {
    "variance": info.variance,
    "absolute_error": info.absolute_error,
    "gaussian_entropy_impurity": lambda y: info.gaussian_entropy_impurity(y, 0.1),
    "half_poisson_deviance": info.half_poisson_deviance,
    "variance_reduction": lambda y: info.variance_reduction(y[..., :2], y[..., 2:]),
    "gaussian_entropy_gain": lambda y: info.gaussian_entropy_gain(y[..., :2], y[..., 2:], 0.1),
    "gaussian_entropy": lambda y: info.gaussian_entropy(samples=y, ridge=0.1),
}


def tensor(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("name", OF_PROBABILITIES)
def test_of_weights(name):
    measure = OF_PROBABILITIES[name]
    weights = tensor([[3.0, 1.5, 0.7], [0.2, 40.0, 0.1]])
    assert torch.autograd.gradcheck(lambda w: measure(w, normalize=True), weights)
    shares = tensor([[0.5, 0.3, 0.2], [0.9, 0.06, 0.04]])
    assert torch.autograd.gradcheck(measure, shares, eps=1e-9, atol=1e-5)


@pytest.mark.parametrize("name", OF_LOGITS)
def test_of_logits(name):
    measure = OF_LOGITS[name]
    assert torch.autograd.gradcheck(measure, tensor([[1.0, -2.0, 0.5], [4.0, 0.0, -3.0]]))


@pytest.mark.parametrize("name", OF_TABLES)
def test_of_tables(name):
    assert torch.autograd.gradcheck(OF_TABLES[name], tensor([[5.0, 1.0, 2.0], [1.0, 3.0, 0.5]]))


@pytest.mark.parametrize("name", OF_TARGETS)
def test_of_targets(name):
    measure = OF_TARGETS[name]
    assert torch.autograd.gradcheck(measure, tensor([0.5, 2.0, 3.5, 7.0, 1.0]))


@pytest.mark.parametrize("name", OF_PROBABILITIES)
@pytest.mark.parametrize("row", [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1.0, 1e-300, 0.0]])
def test_impossible_outcomes_have_finite_gradients(name, row):
    for options in ({}, {"normalize": True}):
        p = tensor(row)
        OF_PROBABILITIES[name](p, **options).backward()
        assert bool(torch.all(torch.isfinite(p.grad)))
        if not options:
            assert float(p.grad[2]) == 0


@pytest.mark.parametrize("name", ["entropy", *(f"renyi_{a}" for a in ORDERS)])
def test_masks_and_extreme_logits_have_finite_gradients(name):
    z = tensor([[-math.inf, 1.0, 0.0], [1000.0, -1000.0, -math.inf], [0.0, -50.0, 0.0]])
    OF_LOGITS[name](z).sum().backward()
    assert bool(torch.all(torch.isfinite(z.grad)))
    assert float(z.grad[0, 0]) == float(z.grad[1, 2]) == 0


@pytest.mark.parametrize("name", OF_TABLES)
def test_empty_rows_and_columns_have_finite_gradients(name):
    table = tensor([[3.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 4.0, 0.0]])
    OF_TABLES[name](table).backward()
    assert bool(torch.all(torch.isfinite(table.grad)))


def test_gradient_of_a_nearly_sure_outcome_keeps_its_digits():
    z = tensor([0.0, -50.0])
    info.entropy_from_logits(z).backward()
    p = math.exp(-50) / (1 + math.exp(-50))
    entropy = math.log1p(math.exp(-50)) + 50 * p
    expected = -p * (math.log(p) + entropy)
    np.testing.assert_allclose(z.grad, [-expected, expected], rtol=1e-14)


def test_divergences_of_excluded_outcomes_have_finite_gradients():
    p, q = tensor([0.5, 0.5, 0.0]), tensor([0.25, 0.25, 0.5])
    for measure in (
        info.kl_divergence,
        info.cross_entropy,
        info.js_divergence,
        lambda p, q: info.renyi_divergence(p, q, 0.5),
        lambda p, q: info.renyi_divergence(p, q, 2),
        lambda p, q: info.tsallis_divergence(p, q, 2),
    ):
        for first, second in ((p, q), (p, p)):
            p.grad = q.grad = None
            measure(first, second).backward()
            assert bool(torch.all(torch.isfinite(p.grad)))


def test_binary_entropy():
    z = tensor([0.0, 3.0, -40.0, 700.0, math.inf, -math.inf])
    info.binary_entropy_from_logit(z).sum().backward()
    p = torch.sigmoid(z.detach())
    expected = -z.detach() * p * (1 - p)
    expected = torch.where(torch.isfinite(expected), expected, 0.0)
    np.testing.assert_allclose(z.grad[:2], expected[:2], rtol=1e-14)
    assert bool(torch.all(torch.isfinite(z.grad)))
    p = tensor([0.0, 0.25, 1.0])
    info.binary_entropy(p).sum().backward()
    np.testing.assert_allclose(p.grad, [0, math.log(3), 0], rtol=1e-15)


def test_float32_stays_float32():
    p = torch.tensor([0.5, 0.25, 0.25], requires_grad=True)
    found = info.entropy(p, base=2)
    found.backward()
    assert found.dtype == p.grad.dtype == torch.float32
