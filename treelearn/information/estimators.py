"""Entropy of a distribution of which only counts are known."""

import math

import numpy as np
from scipy.special import digamma

from ._arrays import (
    as_floating,
    at_least_zero,
    check_axis,
    check_base,
    check_finite,
    expectation,
    from_weights,
    total,
)
from ._host import from_host, to_host
from .entropy import shannon

__all__ = ["entropy_from_counts"]


def entropy_from_counts(counts, estimator="plug_in", base=None, axis=-1):
    r"""Return an estimate of the entropy of the distribution that some counts were drawn from.

    The entropy of the observed shares is too low on average, by about (K - 1) / (2 N) for K
    outcomes and N samples.  The corrections, of counts n_k of which m are positive:

    ===============  =========================================================================
    estimator        formula in nats
    ===============  =========================================================================
    "plug_in"        :math:`H = -\sum_k (n_k/N) \ln(n_k/N)`
    "miller_madow"   :math:`H + (m - 1) / (2N)`
    "jackknife"      :math:`N H - (N-1)` times the mean of H with one sample left out
    "grassberger"    :math:`\sum_k (n_k/N) (\ln N - \psi(\lfloor n_k/2 \rfloor + 1/2) - \ln 2)`
    "chao_shen"      :math:`-\sum_k q_k \ln q_k / (1 - (1 - q_k)^N)` with
                     :math:`q_k = n_k/N` times the share of the distribution that was seen,
                     estimated as :math:`1 - n_{\mathrm{once}}/N`
    ===============  =========================================================================

    None is best.  Bias (root mean squared error) in nats over 40,000 simulations of N = 20:

    ===============  ==================  ================  ====================
    estimator        10 equal chances    Zipf, 100 words   two outcomes, 0.1
    ===============  ==================  ================  ====================
    "plug_in"        -0.260 (0.284)      -1.221 (1.238)    -0.028 (0.156)
    "miller_madow"   -0.065 (0.149)      -0.899 (0.934)    -0.006 (0.160)
    "jackknife"      +0.027 (0.152)      -0.620 (0.692)    +0.004 (0.157)
    "grassberger"    +0.023 (0.166)      -0.505 (0.609)    +0.025 (0.168)
    "chao_shen"      +0.008 (0.160)      -0.370 (0.594)    +0.018 (0.145)
    ===============  ==================  ================  ====================

    So: Miller-Madow where every outcome has been seen or the outcomes are few; Grassberger or
    Chao-Shen where many have not been seen; plug-in to compare with what a tree reports, and when
    N is many times K, where all agree.

    Parameters
    ----------
    counts : array of shape (..., n_outcomes)
        Whole numbers of samples.  No estimate but the plug-in carries gradients, and Grassberger's
        is computed on the host.
    estimator : str, default="plug_in"
        One of "plug_in", "miller_madow", "jackknife", "grassberger" and "chao_shen".
    base : float, default=None
        Base of the logarithm; None is nats.
    axis : int, default=-1
        Axis of the outcomes.

    Returns
    -------
    array of shape (...)
        Estimate; Grassberger's may be negative for a single outcome, the others are at least 0.

    Raises
    ------
    ValueError
        If a count is NaN, negative or no whole number, a row has no samples, or the estimator is
        unknown.

    References
    ----------
    G. Miller, 1955; S. Zahl, 1977 (jackknife); P. Grassberger, "Entropy estimates from
    insufficient samplings", 2003; A. Chao and T.-J. Shen, 2003.

    Examples
    --------
    >>> from treelearn.information import entropy_from_counts
    >>> for estimator in ("plug_in", "miller_madow", "grassberger", "chao_shen"):
    ...     print(round(float(entropy_from_counts([5, 3, 2], estimator)), 4))
    1.0297
    1.1297
    1.2396
    1.0792
    """
    nats_per_unit = check_base(base)
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}; got {estimator!r}.")
    xp, counts = as_floating(counts)
    axis = check_axis(counts, axis, "counts")
    check_finite(xp, counts, "counts")
    if bool(xp.any(counts != xp.floor(counts))):
        raise ValueError("counts must be whole numbers.")
    outcomes = from_weights(counts, axis=axis, normalize=True, name="counts")
    return ESTIMATORS[estimator](outcomes, counts, total(xp, counts, axis)) / nats_per_unit


def _plug_in(outcomes, counts, n_samples):
    return shannon(outcomes)


def _miller_madow(outcomes, counts, n_samples):
    xp = outcomes.xp
    n_seen = total(xp, xp.astype(counts > 0, counts.dtype), outcomes.axis)
    return shannon(outcomes) + (n_seen - 1) / (2 * n_samples)


def _jackknife(outcomes, counts, n_samples):
    xp, axis = outcomes.xp, outcomes.axis
    # The mean of N H - (N - 1) H' over the left-out samples, after what cancels.
    rows = _last_step(xp, xp.expand_dims(n_samples, axis=axis))
    differences = xp.where(counts > 0, rows - _last_step(xp, counts), xp.zeros_like(counts))
    return at_least_zero(xp, expectation(outcomes, differences))


def _last_step(xp, n):
    """Return ``n ln n - (n - 1) ln(n - 1)`` of whole numbers."""
    is_many = n > 1
    many = xp.where(is_many, n, 2 * xp.ones_like(n))
    return xp.where(is_many, xp.log(many) - (many - 1) * xp.log1p(-1 / many), xp.zeros_like(n))


def _grassberger(outcomes, counts, n_samples):
    xp, axis = outcomes.xp, outcomes.axis
    halves = digamma(np.floor(to_host(counts) / 2) + 0.5) + math.log(2)
    scores = from_host(xp, halves.astype(to_host(counts).dtype), counts)
    logs = xp.log(xp.expand_dims(n_samples, axis=axis))
    return expectation(outcomes, logs - scores)


def _chao_shen(outcomes, counts, n_samples):
    xp, p, log_p, axis = outcomes
    n_samples = xp.expand_dims(n_samples, axis=axis)
    n_once = total(xp, xp.astype(counts == 1, counts.dtype), axis, keepdims=True)
    # Only singletons would mean that nothing of the distribution has been seen.
    n_once = xp.where(n_once == n_samples, n_samples - 1, n_once)
    unseen = n_once / n_samples
    q, log_q = p * (1 - unseen), log_p + xp.log1p(-unseen)
    is_unsure = (p > 0) & (q < 1)
    inner = xp.where(is_unsure, q, xp.ones_like(q) / 2)
    seen = -xp.expm1(n_samples * xp.log1p(-inner))
    terms = xp.where(is_unsure, -q * log_q / seen, xp.zeros_like(q))
    return at_least_zero(xp, total(xp, terms, axis))


ESTIMATORS = {
    "plug_in": _plug_in,
    "miller_madow": _miller_madow,
    "jackknife": _jackknife,
    "grassberger": _grassberger,
    "chao_shen": _chao_shen,
}
