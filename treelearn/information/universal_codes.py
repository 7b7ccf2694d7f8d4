"""Lengths of codes for labels whose probabilities nobody knows beforehand, from their counts.

Invariants
----------
- Lengths are in bits unless ``base`` says otherwise, and depend on the counts alone: the order
  in which the labels were sent does not matter.
- Nothing large is taken away from anything large.  Differences of log-gamma functions lose nine
  digits at a million samples; here every length is a sum of terms that are not negative.
- The arithmetic is that of float64 whatever the dtype of the input, and the result has that
  dtype: counts above 2**24 must survive.
"""

import math

import numpy as np
from array_api_compat import device

from ._arrays import as_floating, check_axis, check_base, total
from ._host import from_host, to_host

__all__ = [
    "kt_code_length",
    "laplace_code_length",
    "mdlp_threshold",
    "nml_code_length",
    "nml_regret",
]

# Stirling's series, with the Bernoulli numbers: eight terms are right to the last digit from 8 up.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_STIRLING += (-3617 / 122400,)
_SERIES_FROM = 8

# From here on the series of Ramanujan's Q function is right to the last digit.
_ASYMPTOTIC_FROM = 20_000

# Sums of larger counts would overflow.
_LARGEST = 1e300


def laplace_code_length(counts, *, axis=-1, base=2):
    """Return what labels cost with Laplace's rule: each class as likely as its count plus one.

    The sender codes each label with the shares of those before it, one added to every count, so
    that nothing but the labels need be sent.  The total is
    ``log((N + K - 1)! / ((K - 1)! * prod(n_k!)))`` for N labels of K classes, in any order.

    Parameters
    ----------
    counts : array
        Labels of each class along ``axis``; also weights.
    axis : int, default=-1
        Axis of the classes.
    base : float or None, default=2
        Unit of the result: 2 for bits, None for nats.

    Returns
    -------
    array
        Total length, without ``axis``; 0 where there are no labels.

    Raises
    ------
    ValueError
        If a count is not between 0 and 1e300.

    References
    ----------
    P. S. Laplace, "Essai philosophique sur les probabilites", 1814 (the rule of succession).

    Examples
    --------
    >>> from treelearn.information import laplace_code_length
    >>> float(round(laplace_code_length([3, 1]), 6))
    4.321928
    """
    return _dirichlet_code_length(counts, 1.0, axis, base)


def kt_code_length(counts, *, axis=-1, base=2):
    """Return what labels cost with the rule of Krichevsky and Trofimov.

    As `laplace_code_length`, with one half added to every count.  It is never more than a
    constant above the best that any code can promise for all sequences, `nml_code_length`.

    Parameters
    ----------
    counts : array
        Labels of each class along ``axis``; also weights.
    axis : int, default=-1
        Axis of the classes.
    base : float or None, default=2
        Unit of the result: 2 for bits, None for nats.

    Returns
    -------
    array
        Total length, without ``axis``; 0 where there are no labels.

    Raises
    ------
    ValueError
        If a count is not between 0 and 1e300.

    References
    ----------
    R. E. Krichevsky and V. K. Trofimov, "The performance of universal encoding", 1981.

    Examples
    --------
    >>> from treelearn.information import kt_code_length
    >>> float(round(kt_code_length([3, 1]), 6))
    4.678072
    """
    return _dirichlet_code_length(counts, 0.5, axis, base)


def nml_code_length(counts, *, axis=-1, base=2):
    """Return the normalized maximum likelihood of labels as a code length.

    N times the entropy of their shares, which nobody can decode who does not know the shares, and
    the price of not knowing them: `nml_regret`, the same for all sequences of N labels and the
    smallest that a code can guarantee.

    Parameters
    ----------
    counts : array
        Labels of each class along ``axis``, whole numbers.
    axis : int, default=-1
        Axis of the classes.
    base : float or None, default=2
        Unit of the result: 2 for bits, None for nats.

    Returns
    -------
    array
        Total length, without ``axis``; 0 where there are no labels.

    Raises
    ------
    ValueError
        If a count is not between 0 and 1e300 or no whole number.

    References
    ----------
    Yu. M. Shtarkov, "Universal sequential coding of single messages", 1987; P. Kontkanen and P.
    Myllymaki, "A linear-time algorithm for computing the multinomial stochastic complexity",
    2007.

    Examples
    --------
    >>> from treelearn.information import nml_code_length
    >>> float(round(nml_code_length([3, 1]), 6))
    4.931613
    """
    nats_per_unit = check_base(base)
    xp, counts, axis, dtype = _checked_counts(counts, axis)
    n_samples = total(xp, counts, axis)
    nats = total(xp, _plug_in_terms(xp, counts, axis), axis)
    regret = _log_complexity(to_host(n_samples), counts.shape[axis])
    nats = nats + from_host(xp, regret, counts)
    return xp.astype(nats / nats_per_unit, dtype, copy=False)


def nml_regret(n_samples, n_classes, *, base=2):
    """Return how much longer than N times the entropy of its shares a message must be.

    The parametric complexity of the multinomial family: the logarithm of the sum, over all
    sequences of N labels, of their largest likelihood.  Close to
    ``(K - 1) / 2 * log(N / 2) + log(sqrt(pi) / gamma(K / 2))``.

    Parameters
    ----------
    n_samples : int or array of int
        Labels sent, N.
    n_classes : int
        Number of classes, K.
    base : float or None, default=2
        Unit of the result: 2 for bits, None for nats.

    Returns
    -------
    array of the shape of n_samples
        The regret.

    Raises
    ------
    ValueError
        If ``n_samples`` is negative or no whole number, or ``n_classes`` is below 1.

    References
    ----------
    P. Kontkanen and P. Myllymaki, "A linear-time algorithm for computing the multinomial
    stochastic complexity", 2007; P. Flajolet, P. Grabner, P. Kirschenhofer and H. Prodinger, "On
    Ramanujan's Q-function", 1995.

    Examples
    --------
    >>> from treelearn.information import nml_regret
    >>> nml_regret([10, 100, 1000], n_classes=2).round(4)
    array([2.2204, 3.7236, 5.3328])
    """
    nats_per_unit = check_base(base)
    if not (isinstance(n_classes, int | np.integer) and n_classes >= 1):
        raise ValueError(f"n_classes must be a whole number from 1 up, got {n_classes!r}.")
    xp, given = as_floating(n_samples)
    n_samples = xp.astype(given, xp.float64, copy=False)
    _check_counts(xp, n_samples, "n_samples")
    regret = _log_complexity(to_host(n_samples), int(n_classes)) / nats_per_unit
    return xp.astype(from_host(xp, regret, n_samples), given.dtype, copy=False)


def mdlp_threshold(children, *, base=2):
    """Return the information gain that a split must exceed, by Fayyad and Irani's rule.

    With it a split pays for its own description: the rule compares the code lengths of the labels
    with and without the split.

    Parameters
    ----------
    children : array of shape (..., n_children, n_classes)
        Labels of each class in each child.
    base : float or None, default=2
        Unit of the result: 2 for bits, None for nats.

    Returns
    -------
    array of shape (...)
        ``(log(N - 1) + log(3**k - 2) - (k * H - sum(k_i * H_i))) / N``, where k counts the classes
        that are present and H is their entropy, in the node and in child i.

    Raises
    ------
    ValueError
        If a count is not between 0 and 1e300, or a table holds fewer than two samples.

    References
    ----------
    U. M. Fayyad and K. B. Irani, "Multi-interval discretization of continuous-valued attributes
    for classification learning", 1993.

    Examples
    --------
    >>> from treelearn.information import mdlp_threshold
    >>> float(mdlp_threshold([[10, 0], [5, 15]]).round(6))
    0.24293
    """
    nats_per_unit = check_base(base)
    xp, children, _, dtype = _checked_counts(children, -1, "children")
    if children.ndim < 2:
        raise ValueError("children must have the axes n_children and n_classes.")
    node = xp.sum(children, axis=-2)
    n_samples = total(xp, node, -1)
    if not bool(xp.all(n_samples >= 2)):
        raise ValueError("children must hold at least two samples.")
    n_classes, weighted = _classes_times_entropy(xp, node)
    _, weighted_of_children = _classes_times_entropy(xp, children)
    # log(3**k - 2), also where 3**k is beyond all floats.
    labellings = n_classes * math.log(3.0) + xp.log1p(-2.0 * 3.0 ** (-n_classes))
    nats = xp.log(n_samples - 1) + labellings - weighted + xp.sum(weighted_of_children, axis=-1)
    return xp.astype(nats / n_samples / nats_per_unit, dtype, copy=False)


def _classes_times_entropy(xp, counts):
    """Return the number of classes present and that number times their entropy, in nats."""
    n_classes = xp.sum(xp.astype(counts > 0, counts.dtype), axis=-1)
    n_samples = total(xp, counts, -1)
    n_samples = xp.where(n_samples > 0, n_samples, xp.ones_like(n_samples))
    return n_classes, n_classes * total(xp, _plug_in_terms(xp, counts, -1), -1) / n_samples


def _checked_counts(counts, axis, name="counts"):
    """Return the namespace, counts as float64, their axis and the dtype of the result."""
    xp, given = as_floating(counts)
    axis = check_axis(given, axis, name)
    counts = xp.astype(given, xp.float64, copy=False)
    _check_counts(xp, counts, name)
    return xp, counts, axis, given.dtype


def _check_counts(xp, counts, name):
    """Raise unless all counts are within range."""
    if not bool(xp.all((counts >= 0) & (counts <= _LARGEST))):
        raise ValueError(f"{name} must be numbers from 0 to {_LARGEST:g}.")


def _plug_in_terms(xp, counts, axis):
    """Return ``n_k * log(N / n_k)`` of every class, in nats: what its labels cost ideally."""
    n_samples = total(xp, counts, axis, keepdims=True)
    some = xp.where(counts > 0, counts, xp.ones_like(counts))
    # The logarithm of N / n_k forgets how far a share is from 1; that of 1 + the rest does not.
    return counts * xp.log1p(xp.where(counts > 0, (n_samples - counts) / some, counts))


def _dirichlet_code_length(counts, added, axis, base):
    """Return the length of the code in which a class is as likely as its count plus ``added``.

    The order of the labels does not matter, so let them come class by class.  The n labels of one
    class then cost the logarithm of ``prod((d + b + j) / (b + j))`` over j below n, where b is
    what was added and d is what the others had before: their labels and what was added to them.
    With Stirling's formula for the four gamma functions of that quotient all large terms cancel
    but three logarithms of 1 + x, and four remainders below 0.16 are left.  Those of d + b and
    d + b + n cancel between one class and the next but for the first and the last.
    """
    nats_per_unit = check_base(base)
    xp, counts, axis, dtype = _checked_counts(counts, axis)
    b, n_classes = added, counts.shape[axis]
    others = xp.cumulative_sum(counts, axis=axis) - counts + (n_classes - 1) * b
    own_end = counts + b
    log_others = xp.log1p(others / own_end)
    nats = counts * log_others + others * xp.log1p(counts / (others + b))
    if b != 0.5:
        nats = nats + (b - 0.5) * (log_others - xp.log1p(others / b))
    start, whole_start = (
        xp.full((1,) * counts.ndim, value, dtype=counts.dtype, device=device(counts))
        for value in (b, n_classes * b)
    )
    nats = nats - (_remainder(xp, own_end) - _remainder(xp, start))
    nats = total(xp, xp.where(counts > 0, nats, xp.zeros_like(nats)), axis, keepdims=True)
    whole_end = total(xp, counts, axis, keepdims=True) + n_classes * b
    nats = nats + (_remainder(xp, whole_end) - _remainder(xp, whole_start))
    return xp.astype(xp.squeeze(nats, axis=axis) / nats_per_unit, dtype, copy=False)


def _remainder(xp, x):
    """Return ``log(gamma(x)) - (x - 1/2) * log(x) + x - log(2 * pi) / 2`` for x from 1/2 up."""
    result = xp.zeros_like(x)
    for _ in range(_SERIES_FROM):
        is_small = x < _SERIES_FROM
        if not bool(xp.any(is_small)):
            break
        step = (x + 0.5) * xp.log1p(1 / x) - 1
        result = result + xp.where(is_small, step, xp.zeros_like(x))
        x = xp.where(is_small, x + 1, x)
    series, inverse = xp.zeros_like(x), 1 / x
    for coefficient in reversed(_STIRLING):
        series = series * (inverse * inverse) + coefficient
    return result + series * inverse


def _log_complexity(n_samples, n_classes):
    """Return the regret of normalized maximum likelihood in nats, for a NumPy array of counts."""
    n_samples = np.asarray(n_samples, dtype=np.float64)
    if (n_samples != np.floor(n_samples)).any():
        raise ValueError("normalized maximum likelihood needs whole numbers of samples.")
    if n_classes == 1:
        return np.zeros(n_samples.shape)
    distinct, position = np.unique(n_samples, return_inverse=True)
    # C(k + 2) = C(k + 1) + N / k * C(k), as quotients of neighbours, which stay in range.
    quotient = _complexity_of_two(distinct)
    nats = np.log(quotient)
    for k in range(1, n_classes - 1):
        excess = distinct / k / quotient
        nats += np.log1p(excess)
        quotient = 1 + excess
    return nats[position].reshape(n_samples.shape)


def _complexity_of_two(n_samples):
    """Return the sum of the largest likelihoods of all sequences of N labels of two classes.

    It equals the sum of ``N! / ((N - k)! * N**k)`` over k from 0 to N, one more than Ramanujan's
    Q function: some nine square roots of N terms until nothing is added.
    """
    n = np.maximum(n_samples, 1.0)
    x = 1 / n
    series = np.sqrt(np.pi * n / 2) * (1 + x * (1 / 12 + x * (1 / 288 - x * 139 / 51840)))
    series += 2 / 3 - x * (4 / 135 - x * 8 / 2835)
    small = np.flatnonzero(n_samples < _ASYMPTOTIC_FROM)
    if len(small):
        n = n[small]
        term, result = np.ones_like(n), np.zeros_like(n)
        k = 0
        while (term > result * 1e-18).any():
            result += term
            term = term * np.maximum((n - k) / n, 0.0)
            k += 1
        series[small] = result
    return np.where(n_samples > 0, series, 1.0)
