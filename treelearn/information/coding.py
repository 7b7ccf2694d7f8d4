"""Lengths of codes for outcomes of known probability: ideal, Shannon's and Huffman's.

Invariants
----------
- Lengths are in bits unless ``base`` says otherwise.
- An outcome of probability 0 never occurs: it gets no codeword, and length 0 in an array of
  lengths, so that it costs nothing on average.
- Lengths of codewords are whole numbers found in NumPy, whatever the library of the input; they
  carry no gradient.  Mean lengths do, through the probabilities.
"""

from numbers import Real

import numpy as np

from ._arrays import (
    as_floating,
    check_base,
    expectation,
    from_weights,
    logarithm,
    normalized,
    total,
)
from ._host import from_host, to_host
from ._labels import labels_and_proba

__all__ = [
    "bits_per_dimension",
    "code_length",
    "expected_code_length",
    "huffman_code",
    "huffman_code_lengths",
    "shannon_code_lengths",
    "source_coding_bound",
]


def code_length(labels, proba, *, base=2):
    """Return what it costs to send labels with an ideal code made for some probabilities.

    The length is ``-sum(log(proba[i, labels[i]]))``: the log-loss, not divided by the number of
    labels.  An arithmetic coder comes within two bits of it for a whole message.

    Parameters
    ----------
    labels : array of int of shape (..., n_samples)
        What is sent, as numbers from 0 up.
    proba : array of shape (..., n_samples, n_classes)
        Probabilities that sender and receiver agree on before each label.
    base : float or None, default=2
        Unit of the result: 2 for bits, None for nats.

    Returns
    -------
    array of shape (...)
        Total length.  Infinite where a label has probability 0.

    Raises
    ------
    ValueError
        If a label is no whole number below ``n_classes``, if the shapes do not fit, or if
        probabilities are negative or do not sum to one.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948; J. Rissanen and G. G. Langdon,
    "Arithmetic coding", 1979.

    Examples
    --------
    >>> from treelearn.information import code_length
    >>> proba = [[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]]
    >>> float(code_length([1, 0, 0], proba))
    3.0
    """
    nats_per_unit = check_base(base)
    xp, labels, proba = labels_and_proba(labels, proba)
    chosen = xp.take_along_axis(proba, labels[..., None], axis=-1)[..., 0]
    infinite = xp.full_like(chosen, float("inf"))
    nats = xp.where(chosen > 0, -logarithm(xp, chosen), infinite)
    return total(xp, nats, -1) / nats_per_unit + 0.0


def expected_code_length(p, lengths, *, axis=-1, normalize=False):
    """Return the mean length of the codewords of a code.

    Parameters
    ----------
    p : array
        Probabilities along ``axis``; counts or weights with ``normalize``.
    lengths : array of the shape of p
        Length of each codeword, in any unit.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Divide ``p`` by its sum first.

    Returns
    -------
    array
        ``sum(p * lengths)`` in the unit of the lengths, without ``axis``.

    Raises
    ------
    ValueError
        If p is negative, NaN or does not sum to one, or if the shapes differ.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from treelearn.information import expected_code_length, shannon_code_lengths
    >>> p = [0.7, 0.2, 0.1]
    >>> round(float(expected_code_length(p, shannon_code_lengths(p))), 12)
    1.7
    """
    xp, p, axis = normalized(p, axis=axis, normalize=normalize)
    _, _, lengths = as_floating(p, lengths)
    if lengths.shape != p.shape:
        raise ValueError(f"p has shape {tuple(p.shape)}, but lengths {tuple(lengths.shape)}.")
    # What never occurs costs nothing, even where its length is infinite.
    return total(xp, p * xp.where(p > 0, lengths, xp.zeros_like(lengths)), axis)


def source_coding_bound(p, n_symbols, *, axis=-1, base=2, normalize=False):
    """Return the fewest bits, on average, in which independent outcomes can be sent.

    No uniquely decodable code has a mean length below ``n_symbols`` times the entropy; arithmetic
    coding stays within two bits above it for the whole message.  The words "uniquely decodable"
    matter: three equally likely outcomes named by the empty word, 0 and 1 take 0.67 bits each,
    below their entropy of 1.58, but a row of such names cannot be read back.

    Parameters
    ----------
    p : array
        Probabilities along ``axis``; counts or weights with ``normalize``.
    n_symbols : int or array
        Length of the message.
    axis : int, default=-1
        Axis of the outcomes.
    base : float or None, default=2
        Unit of the result: 2 for bits, None for nats.
    normalize : bool, default=False
        Divide ``p`` by its sum first.

    Returns
    -------
    array
        ``n_symbols * entropy(p)``, without ``axis``.

    Raises
    ------
    ValueError
        If p is negative, NaN or does not sum to one, or if ``n_symbols`` is negative.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948; B. McMillan, "Two inequalities
    implied by unique decipherability", 1956.

    Examples
    --------
    >>> from treelearn.information import source_coding_bound
    >>> float(source_coding_bound([0.5, 0.25, 0.25], n_symbols=1000))
    1500.0
    """
    nats_per_unit = check_base(base)
    outcomes = from_weights(p, axis=axis, normalize=normalize)
    xp = outcomes.xp
    _, _, n_symbols = as_floating(outcomes.p, n_symbols)
    if not bool(xp.all(n_symbols >= 0)):
        raise ValueError("n_symbols must not be negative.")
    return n_symbols * (-expectation(outcomes, outcomes.log_p) / nats_per_unit) + 0.0


def shannon_code_lengths(p, *, axis=-1, normalize=False):
    """Return the lengths of Shannon's code, ``ceil(-log2(p))`` bits.

    They satisfy Kraft's inequality, and their mean lies less than one bit above the entropy.

    Parameters
    ----------
    p : array
        Probabilities along ``axis``; counts or weights with ``normalize``.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Divide ``p`` by its sum first.

    Returns
    -------
    array of int of the shape of p
        Bits of each codeword, exact also for powers of two; 0 where ``p`` is 0.

    Raises
    ------
    ValueError
        If p is negative, NaN or does not sum to one.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948, section 9.

    Examples
    --------
    >>> from treelearn.information import shannon_code_lengths
    >>> shannon_code_lengths([0.7, 0.2, 0.1, 0.0])
    array([1, 3, 4, 0])
    """
    xp, p, _ = normalized(p, axis=axis, normalize=normalize)
    p_host = to_host(p)
    # p = m * 2**e with 1/2 <= m < 1, hence -e < -log2(p) <= 1 - e: no logarithm, no rounding.
    lengths = np.where(p_host > 0, np.maximum(1 - np.frexp(p_host)[1], 0), 0).astype(np.int64)
    return from_host(xp, lengths, p)


def huffman_code_lengths(p, *, axis=-1, normalize=False):
    """Return the lengths of the codewords of Huffman's code, the best of all prefix codes.

    Parameters
    ----------
    p : array
        Probabilities along ``axis``; counts or weights with ``normalize``.
    axis : int, default=-1
        Axis of the outcomes.
    normalize : bool, default=False
        Divide ``p`` by its sum first.

    Returns
    -------
    array of int of the shape of p
        Bits of each codeword; 0 for a sure outcome, which needs no word, and where ``p`` is 0.

    Raises
    ------
    ValueError
        If p is negative, NaN or does not sum to one.

    Notes
    -----
    Among equal weights the outcome that comes first, and an outcome before a merged pair, is
    merged first: the result is always the same, and the longest word is as short as it can be.

    References
    ----------
    D. A. Huffman, "A method for the construction of minimum-redundancy codes", 1952; J. van
    Leeuwen, "On the construction of Huffman trees", 1976 (two queues instead of a heap).

    Examples
    --------
    >>> from treelearn.information import huffman_code_lengths
    >>> huffman_code_lengths([0.5, 0.25, 0.125, 0.125])
    array([1, 2, 3, 3])
    """
    xp, p, axis = normalized(p, axis=axis, normalize=normalize)
    rows = np.moveaxis(to_host(p), axis, -1)
    lengths = _huffman_lengths(rows.reshape(-1, rows.shape[-1])).reshape(rows.shape)
    return from_host(xp, np.ascontiguousarray(np.moveaxis(lengths, -1, axis)), p)


def _huffman_lengths(weights):
    """Return the lengths of Huffman's code for every row, one merge of all rows at a time."""
    n_rows, n_outcomes = weights.shape
    order = np.argsort(weights, axis=1, kind="stable")
    n_possible = np.count_nonzero(weights > 0, axis=1)
    # Two queues, both in ascending order: outcomes, and the pairs already merged.  Infinity
    # marks their ends, so that an empty queue is never chosen.
    ends = np.full((n_rows, 1), np.inf)
    leaves = np.hstack([np.take_along_axis(weights, order, axis=1).astype(np.float64), ends])
    pairs = np.full((n_rows, n_outcomes), np.inf)
    next_leaf, next_pair = n_outcomes - n_possible, np.zeros(n_rows, dtype=np.intp)
    # Node numbers: outcomes in ascending order, then pairs as they are made.
    parent = np.zeros((n_rows, 2 * n_outcomes), dtype=np.intp)
    for step in range(n_outcomes - 1):
        rows = np.flatnonzero(step < n_possible - 1)
        merged = np.zeros(len(rows))
        for _ in range(2):
            leaf, pair = next_leaf[rows], next_pair[rows]
            is_leaf = leaves[rows, leaf] <= pairs[rows, pair]
            merged += np.where(is_leaf, leaves[rows, leaf], pairs[rows, pair])
            parent[rows, np.where(is_leaf, leaf, n_outcomes + pair)] = n_outcomes + step
            next_leaf[rows] += is_leaf
            next_pair[rows] += ~is_leaf
        pairs[rows, step] = merged
    depth = np.zeros((n_rows, 2 * n_outcomes), dtype=np.int64)
    for step in range(n_outcomes - 3, -1, -1):
        rows = np.flatnonzero(step < n_possible - 2)  # the last pair of a row is its root
        node = n_outcomes + step
        depth[rows, node] = depth[rows, parent[rows, node]] + 1
    of_leaf = np.take_along_axis(depth, parent[:, :n_outcomes], axis=1) + 1
    impossible = np.arange(n_outcomes) < (n_outcomes - n_possible)[:, None]
    of_leaf[impossible | (n_possible == 1)[:, None]] = 0
    lengths = np.empty_like(of_leaf)
    np.put_along_axis(lengths, order, of_leaf, axis=1)
    return lengths


def huffman_code(p, *, normalize=False):
    """Return the codewords of Huffman's code for one distribution.

    Parameters
    ----------
    p : array of shape (n_outcomes,)
        Probabilities; counts or weights with ``normalize``.
    normalize : bool, default=False
        Divide ``p`` by its sum first.

    Returns
    -------
    list of str or None
        One word of zeros and ones for each outcome, none of them the beginning of another; None
        where ``p`` is 0.  The code is canonical: words of equal length count upwards.

    Raises
    ------
    ValueError
        If p is not one-dimensional, is negative, NaN or does not sum to one.

    References
    ----------
    D. A. Huffman, "A method for the construction of minimum-redundancy codes", 1952.

    Examples
    --------
    >>> from treelearn.information import huffman_code
    >>> huffman_code([0.5, 0.25, 0.125, 0.125, 0.0])
    ['0', '10', '110', '111', None]
    """
    _, p, _ = normalized(p, normalize=normalize)
    if p.ndim != 1:
        raise ValueError(f"p must have one axis, got shape {tuple(p.shape)}.")
    weights = to_host(p)
    lengths = _huffman_lengths(weights[None])[0]
    words = [None] * len(weights)
    value, length_before = 0, 0
    for outcome in np.argsort(lengths, kind="stable").tolist():
        if weights[outcome] > 0:
            length = int(lengths[outcome])
            value <<= length - length_before
            words[outcome] = f"{value:0{length}b}" if length else ""
            value, length_before = value + 1, length
    return words


def bits_per_dimension(nll, n_dims, n_levels=None):
    """Return the negative log-likelihood of a density model in bits per dimension.

    Parameters
    ----------
    nll : array
        Negative log-likelihood of one sample in all its dimensions, in nats.
    n_dims : int
        Number of dimensions, as 3 * 32 * 32 of a small picture.
    n_levels : int, optional
        Number of levels of each dimension where the model saw them scaled to unit width, as 256
        for bytes divided by 256: adds ``log2(n_levels)``.

    Returns
    -------
    array of the shape of nll
        ``nll / (n_dims * log(2))``, plus ``log2(n_levels)``.

    Raises
    ------
    ValueError
        If ``nll`` holds NaN, ``n_dims`` is below 1 or ``n_levels`` is not positive.

    References
    ----------
    L. Theis, A. van den Oord and M. Bethge, "A note on the evaluation of generative models",
    2016.

    Examples
    --------
    >>> from treelearn.information import bits_per_dimension
    >>> round(float(bits_per_dimension(2000.0, 784)), 6)
    3.680344
    """
    if not (isinstance(n_dims, Real) and n_dims >= 1):
        raise ValueError(f"n_dims must be at least 1, got {n_dims!r}.")
    if n_levels is not None and not (isinstance(n_levels, Real) and n_levels > 0):
        raise ValueError(f"n_levels must be positive, got {n_levels!r}.")
    xp, nll = as_floating(nll)
    if bool(xp.any(xp.isnan(nll))):
        raise ValueError("nll must not contain NaN.")
    bits = nll / (float(n_dims) * float(np.log(2.0)))
    return bits if n_levels is None else bits + float(np.log2(n_levels))
