"""The information bottleneck: a short description of X that keeps what X tells of Y."""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from ._arrays import as_floating, check_base, check_size, logarithm, stop_gradient
from ._host import from_host
from ._table import Table
from .entropy import shannon

__all__ = ["InformationBottleneck", "bottleneck_lagrangian", "information_bottleneck"]


@dataclass(frozen=True)
class InformationBottleneck:
    """What :func:`information_bottleneck` returns; information in the unit of its base.

    Attributes
    ----------
    encoder : array of shape (n_x, n_clusters)
        Probability of every cluster T given a value of X.
    decoder : array of shape (n_clusters, n_y)
        Probability of every value of Y given a cluster.
    weights : array of shape (n_clusters,)
        Probability of every cluster.
    information_x, information_y : float
        I(X;T), the length of the description, and I(T;Y), what it tells of Y.
    lagrangian : float
        I(X;T) - beta I(T;Y), which was minimised.
    curve : ndarray of shape (n_steps, 3)
        beta, I(X;T) and I(T;Y) of the best solution at every step of the annealing.
    n_iterations : int
        Iterations over all steps.
    converged : bool
        Whether the encoder of the best solution moved by less than ``tol`` in the end.
    """

    encoder: Any
    decoder: Any
    weights: Any
    information_x: float
    information_y: float
    lagrangian: float
    curve: np.ndarray
    n_iterations: int
    converged: bool


def information_bottleneck(
    joint,
    n_clusters,
    beta,
    base=None,
    *,
    normalize=False,
    n_restarts=8,
    n_steps=16,
    max_iter=1000,
    tol=1e-9,
    random_state=0,
):
    r"""Find clusters T of X that minimise :math:`I(X;T) - \beta\, I(T;Y)`.

    Iterates the self-consistent equations :math:`p(t|x) \propto p(t)\,
    e^{-\beta KL(p(y|x), p(y|t))}` from several random starts at once, while beta grows from 1 to
    its value in equal ratios.  At most 1 nothing is worth its length, and one cluster is best.
    No step of the iterations raises the Lagrangian; the minimum found may be a local one.

    Parameters
    ----------
    joint : array of shape (n_x, n_y)
        Joint probabilities; with ``normalize`` counts or weights of any sum.
    n_clusters : int
        Clusters at most; some may end up empty or equal.
    beta : float
        What a nat about Y is worth in nats about X, above 0.
    base : float, default=None
        Base of the logarithm of what is reported; None is nats.
    normalize : bool, default=False
        Whether to divide by the sum of the table.
    n_restarts : int, default=8
        Random starts.
    n_steps : int, default=16
        Values of beta.
    max_iter : int, default=1000
        Iterations at most for each of them.
    tol : float, default=1e-9
        Change of a probability of the encoder below which the iterations have converged; no
        smaller than four roundings of the dtype.
    random_state : int, default=0
        Seed of the starts; equal seeds give equal results.

    Returns
    -------
    InformationBottleneck
        Encoder, decoder, both informations, the curve, and whether it converged.

    Raises
    ------
    ValueError
        If the table is as :func:`mutual_information` does not take it, or a number is out of
        range.

    References
    ----------
    N. Tishby, F. Pereira and W. Bialek, "The information bottleneck method", 1999.

    Examples
    --------
    Four values of X, of which two and two say the same about Y:

    >>> from treelearn.information import information_bottleneck
    >>> found = information_bottleneck(
    ...     [[4, 1], [4, 1], [1, 4], [1, 4]], 2, beta=20, normalize=True
    ... )
    >>> found.decoder.round(3)[found.encoder.argmax(axis=1)]
    array([[0.8, 0.2],
           [0.8, 0.2],
           [0.2, 0.8],
           [0.2, 0.8]])
    >>> found.converged
    True
    """
    nats_per_unit = check_base(base)
    for name, number, least in (
        ("n_clusters", n_clusters, 1),
        ("n_restarts", n_restarts, 1),
        ("n_steps", n_steps, 1),
        ("max_iter", max_iter, 1),
    ):
        if not isinstance(number, Integral) or number < least:
            raise ValueError(f"{name} must be an integer of at least {least}; got {number!r}.")
    if not isinstance(beta, Real) or not 0 < beta < math.inf:
        raise ValueError(f"beta must be a finite number above 0; got {beta!r}.")
    xp, joint = as_floating(joint)
    if joint.ndim != 2:
        raise ValueError(f"joint must have two axes; got {joint.ndim}.")
    table = Table(stop_gradient(joint), normalize)
    iteration = _Iteration(xp, table)
    tol = max(tol, 4 * float(xp.finfo(joint.dtype).eps))
    random = np.random.default_rng(random_state)

    def noise(shape):
        rows = from_host(xp, random.dirichlet(np.ones(shape[-1]), shape[:-1]), joint)
        return xp.astype(rows, joint.dtype)

    encoder = noise((n_restarts, joint.shape[0], n_clusters))
    curve, n_iterations = [], 0
    for step_beta in np.geomspace(beta, min(1.0, beta), n_steps)[::-1]:
        # Clusters that agreed at a smaller beta part only if something tells them apart.
        encoder = 0.99 * encoder + 0.01 * noise(encoder.shape)
        for _ in range(max_iter):
            last, encoder = encoder, iteration.next_encoder(encoder, float(step_beta))
            n_iterations += 1
            moves = xp.max(xp.abs(encoder - last), axis=(-2, -1))
            if bool(xp.all(moves < tol)):
                break
        lengths, relevance = iteration.informations(encoder)
        best = int(xp.argmin(lengths - float(step_beta) * relevance))
        curve.append((step_beta, float(lengths[best]), float(relevance[best])))
    _, length, told = curve[-1]
    scale = np.array([1.0, nats_per_unit, nats_per_unit])
    weights, decoder = iteration.clusters(encoder[best : best + 1, ...])
    return InformationBottleneck(
        encoder=encoder[best, ...],
        decoder=decoder[0, ...],
        weights=weights[0, ...],
        information_x=length / nats_per_unit,
        information_y=told / nats_per_unit,
        lagrangian=(length - beta * told) / nats_per_unit,
        curve=np.array(curve) / scale,
        n_iterations=n_iterations,
        converged=bool(moves[best] < tol),
    )


class _Iteration:
    """The self-consistent equations over a batch of encoders of shape (n_restarts, n_x, n_t)."""

    def __init__(self, xp, table):
        self.xp = xp
        self.x = table.row_distribution().p
        self.y_given_x = table.distributions_in_rows().p

    def clusters(self, encoder):
        """Return p(t) and p(y|t), rows of zeros for empty clusters."""
        xp = self.xp
        shares = encoder * self.x[:, None]
        weights = xp.sum(shares, axis=-2)
        sums = xp.matrix_transpose(shares) @ self.y_given_x
        divisors = xp.where(weights > 0, weights, xp.ones_like(weights))
        return weights, sums / divisors[..., None]

    def next_encoder(self, encoder, beta):
        """Return the encoder that the clusters of an encoder ask for."""
        xp = self.xp
        weights, y_given_t = self.clusters(encoder)
        # The entropies of the rows of p(y|x) are the same for all clusters and cancel.
        score = self.y_given_x @ xp.matrix_transpose(logarithm(xp, y_given_t))
        is_zero = xp.astype(y_given_t == 0, y_given_t.dtype)
        lost = self.y_given_x @ xp.matrix_transpose(is_zero)
        logits = logarithm(xp, weights)[..., None, :] + beta * score
        is_open = (weights > 0)[..., None, :]
        is_possible = (lost == 0) & is_open
        # A value of X that never occurs, or whose chances underflowed, fits all or none.
        fits_none = ~xp.any(is_possible, axis=-1, keepdims=True)
        is_possible = is_possible | (fits_none & is_open)
        logits = xp.where(is_possible, logits, xp.full_like(logits, -math.inf))
        logits = logits - xp.max(logits, axis=-1, keepdims=True)
        chances = xp.exp(logits)
        return chances / xp.sum(chances, axis=-1, keepdims=True)

    def informations(self, encoder):
        """Return I(X;T) and I(T;Y) of every encoder, in nats."""
        xp = self.xp
        shares = encoder * self.x[:, None]
        pairs = xp.matrix_transpose(shares) @ self.y_given_x
        return Table(shares, True).mutual_information(), Table(pairs, True).mutual_information()


def bottleneck_lagrangian(leaves, beta, base=None):
    r"""Return the bottleneck's Lagrangian of a tree, :math:`H(T) - \beta\, I(T;Y)`.

    The leaf T is decided by the features, so that I(X;T) is its entropy.  A split lowers the
    Lagrangian exactly when its gain ratio exceeds 1 / beta.

    Parameters
    ----------
    leaves : array of shape (..., n_leaves, n_classes)
        Counts or weights of the classes in every leaf.
    beta : float
        What a nat about the class is worth in nats of the leaf, at least 0.
    base : float, default=None
        Base of the logarithm; None is nats.

    Returns
    -------
    array of shape (...)
        The Lagrangian.

    Raises
    ------
    ValueError
        If a count is NaN or negative, all are 0, or beta is negative or not finite.

    References
    ----------
    N. Tishby, F. Pereira and W. Bialek, "The information bottleneck method", 1999.

    Examples
    --------
    >>> from treelearn.information import bottleneck_lagrangian
    >>> round(float(bottleneck_lagrangian([[3, 0], [0, 3]], 2, base=2)), 12)
    -1.0
    """
    nats_per_unit = check_base(base)
    check_size(beta, "beta")
    table = Table(leaves, True, "leaves")
    nats = shannon(table.row_distribution()) - beta * table.mutual_information()
    return nats / nats_per_unit
