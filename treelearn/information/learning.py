"""Entropy in learning: the bonus that keeps a policy open-minded, and what it leads to.

Invariants
----------
- Values are in nats times the temperature, the unit of the rewards.
- The optimum of `policy_objective` is `soft_policy`, and its value there is `soft_value`.
- torch inputs keep their gradients, which are finite also where an action is impossible.
"""

import math
from numbers import Real

from ._arrays import (
    as_floating,
    check_axis,
    expectation,
    from_logits,
    from_weights,
    stop_gradient,
    total,
)

__all__ = [
    "entropy_bonus",
    "entropy_gradient",
    "policy_objective",
    "policy_objective_from_logits",
    "soft_policy",
    "soft_value",
]


def entropy_bonus(logits, temperature=1.0, *, axis=-1):
    """Return the entropy of a policy times a temperature: a reward for staying undecided.

    Parameters
    ----------
    logits : array
        Preferences of the actions along ``axis``; minus infinity forbids one.
    temperature : float, default=1.0
        What one nat of entropy is worth, in the unit of the rewards.
    axis : int, default=-1
        Axis of the actions.

    Returns
    -------
    array
        ``temperature * H(softmax(logits))``, without ``axis``.

    Raises
    ------
    ValueError
        If a logit is NaN or plus infinity, all of a row are minus infinity, or the temperature
        is negative or not finite.

    References
    ----------
    R. J. Williams and J. Peng, "Function optimization using connectionist reinforcement learning
    algorithms", 1991.

    Examples
    --------
    >>> from treelearn.information import entropy_bonus
    >>> round(float(entropy_bonus([0.0, 0.0], temperature=0.1)), 6)
    0.069315
    """
    temperature = _check_temperature(temperature, may_be_zero=True)
    return temperature * _entropy(from_logits(logits, axis=axis))


def _entropy(outcomes):
    """Return the entropy of some outcomes in nats."""
    return -expectation(outcomes, outcomes.log_p) + 0.0


def _check_temperature(temperature, may_be_zero=False):
    """Return a temperature as a float, or raise what is wrong with it."""
    is_number = isinstance(temperature, Real) and math.isfinite(temperature)
    if not is_number or temperature < 0 or (temperature == 0 and not may_be_zero):
        least = "from 0 up" if may_be_zero else "above 0"
        raise ValueError(f"temperature must be a finite number {least}; got {temperature!r}.")
    return float(temperature)


def policy_objective(policy, q_values, temperature=1.0, *, axis=-1):
    """Return what a policy that also likes entropy wants to be large.

    The mean value of its actions under the policy itself, and the entropy bonus.

    Parameters
    ----------
    policy : array
        Probabilities of the actions along ``axis``.
    q_values : array of the shape of policy
        Value of each action; minus infinity forbids one.
    temperature : float, default=1.0
        What one nat of entropy is worth, in the unit of the values.
    axis : int, default=-1
        Axis of the actions.

    Returns
    -------
    array
        ``sum(policy * q_values) + temperature * H(policy)``, without ``axis``; minus infinity
        where the policy takes a forbidden action.

    Raises
    ------
    ValueError
        If the policy is negative, NaN or does not sum to one, the shapes differ, a value is NaN
        or plus infinity, or the temperature is negative or not finite.

    See Also
    --------
    soft_policy : The policy that makes it largest.
    policy_objective_from_logits : The same for the softmax of logits.

    Notes
    -----
    A widely copied loss, ``(temperature * log(policy) - q_values).mean()``, weighs the actions
    equally instead of by the policy.  The values then drop out of its gradient, which can point
    the other way.  The mean is right only over actions that were drawn from the policy.

    References
    ----------
    B. D. Ziebart, "Modeling purposeful adaptive behavior with the principle of maximum causal
    entropy", 2010; T. Haarnoja, H. Tang, P. Abbeel and S. Levine, "Reinforcement learning with
    deep energy-based policies", 2017.

    Examples
    --------
    >>> from treelearn.information import policy_objective
    >>> round(float(policy_objective([0.5, 0.5], [1.0, 3.0], temperature=0.0)), 6)
    2.0
    """
    temperature = _check_temperature(temperature, may_be_zero=True)
    outcomes = from_weights(policy, axis=axis, name="policy")
    return _objective(outcomes, q_values, temperature)


def policy_objective_from_logits(logits, q_values, temperature=1.0, *, axis=-1):
    """Return `policy_objective` of the softmax of logits, the form to climb with gradients.

    Parameters
    ----------
    logits : array
        Preferences of the actions along ``axis``; minus infinity forbids one.
    q_values : array of the shape of logits
        Value of each action.
    temperature : float, default=1.0
        What one nat of entropy is worth, in the unit of the values.
    axis : int, default=-1
        Axis of the actions.

    Returns
    -------
    array
        ``sum(p * q_values) + temperature * H(p)`` for ``p = softmax(logits)``, without ``axis``.

    Raises
    ------
    ValueError
        If a logit or a value is NaN or plus infinity, all logits of a row are minus infinity,
        the shapes differ, or the temperature is negative or not finite.

    References
    ----------
    T. Haarnoja, H. Tang, P. Abbeel and S. Levine, "Reinforcement learning with deep energy-based
    policies", 2017.

    Examples
    --------
    >>> from treelearn.information import policy_objective_from_logits, soft_value
    >>> q_values = [1.0, 2.0, 5.0]
    >>> best = policy_objective_from_logits([5.0, 10.0, 25.0], q_values, temperature=0.2)
    >>> round(float(best - soft_value(q_values, temperature=0.2)), 12)
    0.0
    """
    temperature = _check_temperature(temperature, may_be_zero=True)
    return _objective(from_logits(logits, axis=axis), q_values, temperature)


def _objective(outcomes, q_values, temperature):
    """Return the mean value of the actions and the bonus."""
    xp, p, _, axis = outcomes
    _, _, q_values = as_floating(p, q_values)
    if q_values.shape != p.shape:
        raise ValueError(
            f"q_values have shape {tuple(q_values.shape)}, but the policy {tuple(p.shape)}."
        )
    _check_values(xp, q_values)
    # A forbidden action that is never taken costs nothing.
    values = total(xp, p * xp.where(p > 0, q_values, xp.zeros_like(p)), axis)
    return values + temperature * _entropy(outcomes)


def _check_values(xp, q_values):
    """Raise unless every value is below plus infinity."""
    if not bool(xp.all(q_values < math.inf)):
        raise ValueError("q_values must contain neither NaN nor plus infinity.")


def soft_value(q_values, temperature=1.0, *, axis=-1):
    """Return the largest value of `policy_objective`: a maximum with soft edges.

    Parameters
    ----------
    q_values : array
        Value of each action along ``axis``; minus infinity forbids one.
    temperature : float, default=1.0
        What one nat of entropy is worth, in the unit of the values; above 0.  Towards 0 the
        result becomes the largest value.
    axis : int, default=-1
        Axis of the actions.

    Returns
    -------
    array
        ``temperature * log(sum(exp(q_values / temperature)))``, without ``axis``.

    Raises
    ------
    ValueError
        If a value is NaN or plus infinity, all of a row are minus infinity, or the temperature
        is not above 0 and finite.

    References
    ----------
    B. D. Ziebart, "Modeling purposeful adaptive behavior with the principle of maximum causal
    entropy", 2010.

    Examples
    --------
    >>> from treelearn.information import soft_value
    >>> round(float(soft_value([0.0, 1.0])), 6)
    1.313262
    """
    temperature = _check_temperature(temperature)
    xp, q_values = as_floating(q_values)
    outcomes = _soft_outcomes(xp, q_values, temperature, axis)
    # At the optimum the objective does not change with the policy, and for the best action
    # log p = (q - value) / temperature: its value and a bonus that is never negative.
    _, _, log_p, axis = outcomes
    best = xp.max(q_values, axis=axis, keepdims=True)
    is_best = q_values == best
    log_best = xp.max(xp.where(is_best, log_p, xp.full_like(log_p, -math.inf)), axis=axis)
    return xp.squeeze(best, axis=axis) - temperature * log_best


def soft_policy(q_values, temperature=1.0, *, axis=-1):
    """Return the policy with the largest `policy_objective`, ``softmax(q_values / temperature)``.

    Parameters
    ----------
    q_values : array
        Value of each action along ``axis``; minus infinity forbids one.
    temperature : float, default=1.0
        What one nat of entropy is worth, in the unit of the values; above 0.
    axis : int, default=-1
        Axis of the actions.

    Returns
    -------
    array of the shape of q_values
        Probabilities along ``axis``.

    Raises
    ------
    ValueError
        If a value is NaN or plus infinity, all of a row are minus infinity, or the temperature
        is not above 0 and finite.

    References
    ----------
    B. D. Ziebart, "Modeling purposeful adaptive behavior with the principle of maximum causal
    entropy", 2010.

    Examples
    --------
    >>> from treelearn.information import soft_policy
    >>> soft_policy([0.0, 1.0], temperature=0.5).round(6)
    array([0.119203, 0.880797])
    """
    temperature = _check_temperature(temperature)
    xp, q_values = as_floating(q_values)
    return _soft_outcomes(xp, q_values, temperature, axis).p


def _soft_outcomes(xp, q_values, temperature, axis):
    """Return the outcomes of the soft policy."""
    axis = check_axis(q_values, axis, "q_values")
    _check_values(xp, q_values)
    best = xp.max(stop_gradient(q_values), axis=axis, keepdims=True)
    if not bool(xp.all(best > -math.inf)):
        raise ValueError("a row of q_values is minus infinity throughout: nothing is possible.")
    # Shifting first would lose digits where it is not needed.
    possible = stop_gradient(xp.where(q_values > -math.inf, q_values, best))
    largest = min(temperature, 1.0) * float(xp.finfo(q_values.dtype).max)
    if bool(xp.any(xp.abs(possible) > largest)):
        # The quotients would overflow; the exponential of -10,000 is 0.
        q_values = xp.clip(q_values - best, -10_000 * temperature, None)
    return from_logits(q_values / temperature, axis=axis, name="q_values")


def entropy_gradient(logits, *, axis=-1):
    """Return the gradient of the entropy of a softmax with respect to its logits.

    Parameters
    ----------
    logits : array
        Logits along ``axis``; minus infinity is an impossible outcome.
    axis : int, default=-1
        Axis of the outcomes.

    Returns
    -------
    array of the shape of logits
        ``-p * (log(p) + H)`` in nats per logit; its sum along ``axis`` is 0.

    Raises
    ------
    ValueError
        If a logit is NaN or plus infinity, or all of a row are minus infinity.

    References
    ----------
    R. J. Williams and J. Peng, "Function optimization using connectionist reinforcement learning
    algorithms", 1991.

    Examples
    --------
    >>> from treelearn.information import entropy_gradient
    >>> entropy_gradient([2.0, 0.0]).round(6)
    array([-0.209987,  0.209987])
    """
    outcomes = from_logits(logits, axis=axis)
    xp, p, _, axis = outcomes
    _, logits = as_floating(logits)
    possible = logits > -math.inf
    largest = xp.max(logits, axis=axis, keepdims=True)
    # log(p) + H is a logit minus the mean of the logits: differences of neighbours are exact.
    below = xp.where(possible, logits, largest) - largest
    mean = total(xp, p * below, axis, keepdims=True)
    return xp.where(possible, -p * (below - mean), xp.zeros_like(p)) + 0.0
