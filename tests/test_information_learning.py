"""Entropy in learning: the optimum, the gradients, and the objective with the right sign."""

import math

import array_api_compat
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treelearn import information as info
from treelearn.information._host import to_host

NUMBERS = st.lists(st.floats(-1000, 1000), min_size=1, max_size=6)
TEMPERATURES = st.floats(1e-3, 1e3)


def exact_soft_value(q_values, temperature):
    with mpmath.workdps(60):
        tau = mpmath.mpf(temperature)
        terms = [mpmath.exp(mpmath.mpf(q) / tau) for q in q_values]
        value = tau * mpmath.log(sum(terms))
        return value, [term / sum(terms) for term in terms]


@given(NUMBERS, TEMPERATURES)
def test_soft_value_and_policy_against_mpmath(q_values, temperature):
    value, policy = exact_soft_value(q_values, temperature)
    # What rounding the quotient q / temperature costs comes with the largest q.
    scale = max(abs(q) for q in q_values) + temperature
    assert info.soft_value(q_values, temperature) == pytest.approx(
        float(value), rel=4e-15, abs=1e-15 * scale
    )
    found = info.soft_policy(q_values, temperature)
    slack = 4e-15 + 1e-15 * scale / temperature
    np.testing.assert_allclose(found, [float(p) for p in policy], rtol=slack, atol=1e-300)


@given(NUMBERS, TEMPERATURES, st.integers(0, 2**32 - 1))
def test_no_policy_beats_the_soft_one(q_values, temperature, seed):
    best = info.soft_value(q_values, temperature)
    policy = np.random.default_rng(seed).dirichlet(np.full(len(q_values), 0.5))
    slack = 1e-12 * (1000 + temperature)
    assert info.policy_objective(policy, q_values, temperature) <= best + slack
    soft = info.soft_policy(q_values, temperature)
    assert info.policy_objective(soft, q_values, temperature) == pytest.approx(best, abs=slack)


def test_both_forms_of_the_objective_agree_and_keep_the_library(xp, rng):
    logits, q_values = rng.normal(size=(2, 3, 4, 5))
    z, q = xp.asarray(logits), xp.asarray(q_values)
    policy = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = (policy * q_values).sum(-1) - 0.3 * (policy * np.log(policy)).sum(-1)
    for found in (
        info.policy_objective_from_logits(z, q, 0.3),
        info.policy_objective(xp.asarray(policy), q, temperature=0.3),
    ):
        assert array_api_compat.array_namespace(found) is array_api_compat.array_namespace(z)
        np.testing.assert_allclose(to_host(found), expected, rtol=1e-13)
    first = info.policy_objective_from_logits(
        *(xp.asarray(np.moveaxis(a, -1, 0).copy()) for a in (logits, q_values)), 0.3, axis=0
    )
    np.testing.assert_allclose(to_host(first), expected, rtol=1e-13)
    bonus = info.entropy_bonus(z, temperature=0.3)
    np.testing.assert_allclose(to_host(bonus), -0.3 * (policy * np.log(policy)).sum(-1), rtol=1e-13)
    soft = info.soft_value(q, 0.3)
    np.testing.assert_allclose(
        to_host(soft), 0.3 * np.log(np.exp(q_values / 0.3).sum(-1)), rtol=1e-13
    )
    gradient = to_host(info.entropy_gradient(z))
    entropy = -(policy * np.log(policy)).sum(-1, keepdims=True)
    np.testing.assert_allclose(gradient, -policy * (np.log(policy) + entropy), atol=1e-15)


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=6))
def test_entropy_gradient_against_mpmath(logits):
    with mpmath.workdps(700):
        weights = [mpmath.exp(mpmath.mpf(z)) for z in logits]
        p = [w / sum(weights) for w in weights]
        entropy = -sum(pk * mpmath.log(pk) for pk in p)
        expected = np.array([float(-pk * (mpmath.log(pk) + entropy)) for pk in p])
    found = info.entropy_gradient(logits)
    # The zero crossing, where log p = -H, is known as well as the logits are.
    spread = max(abs(z) for z in logits) + 1
    slack = np.array([float(pk) for pk in p]) * spread * 1e-15
    assert (np.abs(found - expected) <= 4e-15 * np.abs(expected) + slack + 1e-320).all()
    assert abs(found.sum()) <= slack.sum() * 4 + 1e-320


def test_objective_against_mpmath_and_in_float32(rng):
    for _ in range(50):
        weights, q_values = rng.integers(1, 2**20, 5), rng.normal(size=5) * 10
        weights[0] += 2**23 - weights.sum()  # shares of a power of two sum to one exactly
        policy = weights / 2**23
        with mpmath.workdps(50):
            terms = [
                mpmath.mpf(p) * (q - mpmath.mpf(0.25) * mpmath.log(p))
                for p, q in zip(policy.tolist(), q_values.tolist(), strict=True)
            ]
            size = float(sum(map(abs, terms)))
            expected = float(sum(terms))
        found = info.policy_objective(policy, q_values, 0.25)
        assert abs(found - expected) <= 4e-15 * size
        q_narrow = np.float32(q_values)
        narrow = info.policy_objective(np.float32(policy), q_narrow, 0.25)
        assert narrow.dtype == np.float32 and abs(narrow - expected) <= 1e-6 * size
        for function in (info.soft_value, info.soft_policy, info.entropy_bonus):
            narrow, wide = function(q_narrow, 2.0), function(np.float64(q_narrow), 2.0)
            assert narrow.dtype == np.float32
            np.testing.assert_allclose(narrow, wide, rtol=3e-7)


def test_limits_and_masks():
    assert info.soft_value([3.0, -math.inf]) == 3.0
    assert info.soft_value([5.0]) == 5.0
    assert info.soft_policy([0.0, -math.inf]).tolist() == [1.0, 0.0]
    assert info.soft_value([1.0, 2.0], 1e-3) == pytest.approx(2.0)
    assert info.soft_value([1.0, 2.0], 1e-310) == 2.0
    assert info.soft_policy([0.0, 1e308], 1e-310).tolist() == [0.0, 1.0]
    assert info.soft_value([1000.0, 1000.0]) == pytest.approx(1000 + math.log(2))
    assert info.policy_objective([1.0, 0.0], [2.0, -math.inf]) == 2.0
    assert info.policy_objective([0.5, 0.5], [2.0, -math.inf]) == -math.inf
    assert info.policy_objective_from_logits([0.0, -math.inf], [2.0, 9.0]) == 2.0
    assert info.entropy_bonus([4.0, -math.inf]) == 0.0
    assert info.entropy_gradient([4.0, -math.inf]).tolist() == [0.0, 0.0]
    # What is left of a second action at a distance of 40 is not lost.
    assert info.soft_value([0.0, -40.0]) == pytest.approx(math.exp(-40), rel=1e-14)


def test_gradients_of_torch_and_their_sign():
    torch = pytest.importorskip("torch", reason="gradients are those of torch")
    logits = torch.tensor([2.0, 0.0, -3.0], dtype=torch.float64, requires_grad=True)
    q_values = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
    objective = info.policy_objective_from_logits(logits, q_values, 0.2)
    objective.backward()
    assert objective.item() == pytest.approx(1.22197, abs=5e-6)
    expected = torch.tensor([-0.1711, 0.1427, 0.0283], dtype=torch.float64)
    torch.testing.assert_close(logits.grad, expected, atol=5e-5, rtol=0)
    # The widely copied objective climbs the other way for every one of these actions.
    copied = logits.detach().clone().requires_grad_()
    (q_values - 0.2 * torch.log_softmax(copied, -1)).mean().backward()
    assert (copied.grad * logits.grad < 0).all()


def test_gradient_ascent_reaches_the_soft_policy():
    torch = pytest.importorskip("torch", reason="gradients are those of torch")
    q_values = torch.tensor([[1.0, 2.0, 2.5], [0.3, 0.1, -0.2]], dtype=torch.float64)
    for temperature in (0.5, 2.0):
        logits = torch.zeros_like(q_values, requires_grad=True)
        for _ in range(500):
            objective = info.policy_objective_from_logits(logits, q_values, temperature)
            (gradient,) = torch.autograd.grad(objective.sum(), logits)
            logits = (logits + 2 / temperature * gradient).detach().requires_grad_()
        reached, expected = torch.softmax(logits, -1), torch.softmax(q_values / temperature, -1)
        torch.testing.assert_close(reached, expected, atol=1e-9, rtol=0)
        best = info.soft_value(q_values, temperature)
        torch.testing.assert_close(objective, best, atol=1e-12, rtol=0)


def test_every_gradient_is_right_and_finite():
    torch = pytest.importorskip("torch", reason="gradients are those of torch")
    z = torch.tensor([[0.3, -1.2, 2.0], [0.0, 0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([[1.0, 5.0, -2.0], [0.1, 0.1, 0.1]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: info.entropy_bonus(z, 0.7), z)
    assert torch.autograd.gradcheck(
        lambda z, q: info.policy_objective_from_logits(z, q, 0.7), (z, q)
    )
    # The gradient of the soft value is the soft policy, ties or not.
    (gradient,) = torch.autograd.grad(info.soft_value(q, 0.7).sum(), q)
    torch.testing.assert_close(gradient, info.soft_policy(q.detach(), 0.7))
    (gradient,) = torch.autograd.grad(info.entropy_bonus(z).sum(), z)
    torch.testing.assert_close(gradient, info.entropy_gradient(z.detach()))
    masked = torch.tensor([0.5, -math.inf, 800.0], dtype=torch.float64, requires_grad=True)
    values = torch.tensor([1.0, -math.inf, 3.0], dtype=torch.float64)
    for result in (
        info.entropy_bonus(masked),
        info.policy_objective_from_logits(masked, values),
        info.soft_value(masked),
    ):
        (gradient,) = torch.autograd.grad(result, masked)
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: info.soft_value([1.0], 0.0), "temperature must be a finite number above 0"),
        (lambda: info.soft_policy([1.0], -1.0), "temperature"),
        (lambda: info.soft_value([1.0], math.inf), "temperature"),
        (lambda: info.entropy_bonus([1.0], -0.1), "temperature must be a finite number from 0"),
        (lambda: info.entropy_bonus([math.nan, 1.0]), "NaN"),
        (lambda: info.soft_value([math.inf, 1.0]), "q_values"),
        (lambda: info.soft_value([-math.inf, -math.inf]), "q_values"),
        (lambda: info.policy_objective([0.5, 0.5], [1.0]), "shape"),
        (lambda: info.policy_objective([0.5, 0.6], [1.0, 2.0]), "policy must sum to one"),
        (lambda: info.policy_objective([0.5, 0.5], [1.0, math.nan]), "q_values"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
