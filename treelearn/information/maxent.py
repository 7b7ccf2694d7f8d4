"""The distribution of largest entropy among those with given expectations."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog, minimize
from scipy.special import logsumexp

from ._arrays import as_floating, check_base, check_finite
from ._host import from_host, to_host
from .entropy import entropy_from_logits

__all__ = ["MaxEntropyDistribution", "max_entropy_distribution"]


@dataclass(frozen=True)
class MaxEntropyDistribution:
    """What :func:`max_entropy_distribution` returns.

    Attributes
    ----------
    p : array of shape (n_points,)
        The probabilities, proportional to ``exp(features @ multipliers)``; 0 at points that the
        moments exclude.
    multipliers : array of shape (n_features,)
        Lagrange's multipliers.  Of features that depend on each other the shortest solution.
    entropy : float
        Entropy, in the unit of the base that was asked for.
    """

    p: Any
    multipliers: Any
    entropy: float


def max_entropy_distribution(support, moments, base=None):
    r"""Return the distribution of largest entropy on finitely many points with given moments.

    It is :math:`p_i \propto e^{\lambda \cdot f_i}` (Jaynes, 1957), found by minimising the convex
    :math:`\ln \sum_i e^{\lambda \cdot (f_i - m)}` over the multipliers :math:`\lambda`.

    Parameters
    ----------
    support : array of shape (n_points,) or (n_points, n_features)
        The points, or any features of theirs: columns x and x**2 fix mean and variance.
    moments : float or array of shape (n_features,)
        The expectation of every feature.
    base : float, default=None
        Base of the logarithm of the entropy; None is nats.

    Returns
    -------
    MaxEntropyDistribution
        Probabilities, multipliers and entropy; arrays of the library of ``support``, found on the
        host without gradients.

    Raises
    ------
    ValueError
        If no distribution on the support has these moments, or shapes do not fit.

    References
    ----------
    E. T. Jaynes, "Information theory and statistical mechanics", 1957.

    Examples
    --------
    A die whose mean is 4.5 instead of 3.5:

    >>> from treelearn.information import max_entropy_distribution
    >>> die = max_entropy_distribution([1, 2, 3, 4, 5, 6], 4.5)
    >>> die.p.round(4)
    array([0.0544, 0.0788, 0.1142, 0.1654, 0.2398, 0.3475])
    >>> round(die.entropy, 6)
    1.613581
    """
    nats_per_unit = check_base(base)
    xp, support, moments = as_floating(support, moments)
    check_finite(xp, support, "support")
    check_finite(xp, moments, "moments")
    features = np.asarray(to_host(support), dtype=np.float64)
    targets = np.atleast_1d(np.asarray(to_host(moments), dtype=np.float64))
    features = features[:, np.newaxis] if features.ndim == 1 else features
    if features.ndim != 2 or not features.shape[0]:
        raise ValueError("support must have shape (n_points,) or (n_points, n_features).")
    if targets.shape != features.shape[1:]:
        raise ValueError(
            f"moments must have one value for each of {features.shape[1]} features; "
            f"got shape {targets.shape}."
        )
    offsets, scale = _scaled(features - targets)
    is_possible = _possible_points(offsets)
    multipliers = _solve_dual(offsets[is_possible])
    logits = np.full(len(features), -np.inf)
    logits[is_possible] = offsets[is_possible] @ multipliers
    p = np.exp(logits - logsumexp(logits))
    nats = float(entropy_from_logits(logits))

    def like_support(array):
        return from_host(xp, array.astype(_host_dtype(xp, support)), support)

    return MaxEntropyDistribution(
        like_support(p), like_support(multipliers / scale), nats / nats_per_unit
    )


def _host_dtype(xp, array):
    """Return NumPy's name of the floating dtype of an array."""
    return np.float32 if array.dtype == xp.float32 else np.float64


def _scaled(offsets):
    """Return columns of size 1 and what they were divided by."""
    scale = np.abs(offsets).max(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    return offsets / scale, scale


def _possible_points(offsets):
    """Return which points have positive probability in some distribution of mean offset 0.

    One linear program finds them all: weights q of mean offset 0 and any sum, of which as many as
    possible reach 1.
    """
    n_points = len(offsets)
    capped = np.eye(n_points)
    program = linprog(
        np.concatenate([np.zeros(n_points), -np.ones(n_points)]),
        A_ub=np.hstack([-capped, capped]),
        b_ub=np.zeros(n_points),
        A_eq=np.hstack([offsets.T, np.zeros_like(offsets.T)]),
        b_eq=np.zeros(offsets.shape[1]),
        bounds=[(0, None)] * n_points + [(0, 1)] * n_points,
        method="highs",
        # The smallest that the solver takes; moments closer to the edge count as on it.
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    reached = program.x[n_points:] if program.success else np.zeros(n_points)
    is_possible = reached > 0.5
    if not is_possible.any():
        raise ValueError("the moments are infeasible: no distribution on the support has them.")
    return is_possible


def _solve_dual(offsets):
    """Return the multipliers of the distribution whose mean offset is 0."""
    # In an orthonormal basis of what the offsets span the dual is strictly convex.
    _, sizes, basis = np.linalg.svd(offsets, full_matrices=False)
    basis = basis[sizes > sizes[0] * len(offsets) * np.finfo(float).eps if sizes[0] > 0 else []]
    if not len(basis):
        return np.zeros(offsets.shape[1])
    reduced = offsets @ basis.T

    def shares(multipliers):
        logits = reduced @ multipliers
        return np.exp(logits - logsumexp(logits))

    def gradient(multipliers):
        return shares(multipliers) @ reduced

    def hessian(multipliers):
        p = shares(multipliers)
        centred = reduced - p @ reduced
        return (centred * p[:, np.newaxis]).T @ centred

    found = minimize(
        lambda multipliers: logsumexp(reduced @ multipliers),
        np.zeros(len(basis)),
        jac=gradient,
        hess=hessian,
        method="trust-exact",
        options={"gtol": 1e-9},
    ).x
    # Newton's method doubles the digits with every step.
    for _ in range(3):
        step = np.linalg.lstsq(hessian(found), -gradient(found), rcond=None)[0]
        if np.abs(gradient(found + step)).max() >= np.abs(gradient(found)).max():
            break
        found = found + step
    return basis.T @ found
