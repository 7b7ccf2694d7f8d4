"""Code lengths: textbook values, exact arithmetic, brute force, and a real entropy coder."""

import heapq
import itertools
import math
from fractions import Fraction

import array_api_compat
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits, load_iris

from treelearn import DecisionTreeClassifier
from treelearn import information as info
from treelearn.information._host import to_host

OF_COUNTS = (info.laplace_code_length, info.kt_code_length, info.nml_code_length)
COUNTS = st.lists(st.integers(0, 10**15), min_size=1, max_size=8)
FEW = st.lists(st.integers(0, 4), min_size=1, max_size=4)
WEIGHTS = st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any)


def shares(weights):
    return np.asarray(weights) / np.sum(weights)


def exact_dirichlet(counts, added):
    """Return the code length in nats as a difference of log-gamma functions, at 60 digits."""
    with mpmath.workdps(60):
        added, n, k = mpmath.mpf(added), sum(counts), len(counts)
        whole = mpmath.loggamma(n + k * added) - mpmath.loggamma(k * added)
        parts = (mpmath.loggamma(c + added) - mpmath.loggamma(added) for c in counts)
        return whole - sum(parts)


def exact_complexity(n_samples, n_classes):
    """Return the sum of the largest likelihoods of all sequences, at the current precision."""
    term, of_two, k = mpmath.mpf(1), mpmath.mpf(0), 0
    while term > mpmath.mpf(10) ** -35:
        of_two += term
        term *= mpmath.mpf(n_samples - k) / max(n_samples, 1)
        k += 1
    before, here = mpmath.mpf(1), of_two
    for k in range(1, n_classes - 1):
        before, here = here, here + mpmath.mpf(n_samples) / k * before
    return here if n_classes > 1 else before


# --- codes of known probabilities -----------------------------------------------------------


def test_code_length_is_the_log_loss(xp, rng):
    proba = rng.dirichlet(np.ones(4), size=(3, 50))
    labels = rng.integers(0, 4, (3, 50))
    found = info.code_length(xp.asarray(labels), xp.asarray(proba))
    expected = -np.log2(np.take_along_axis(proba, labels[..., None], -1)).sum((1, 2))
    assert array_api_compat.array_namespace(found) is array_api_compat.array_namespace(
        xp.asarray(proba)
    )
    np.testing.assert_allclose(to_host(found), expected, rtol=1e-14)
    nats = info.code_length(xp.asarray(labels), xp.asarray(proba), base=None)
    np.testing.assert_allclose(to_host(nats), expected * math.log(2), rtol=1e-14)


def test_code_length_of_what_cannot_be_and_of_nothing():
    assert info.code_length([1], [[1.0, 0.0]]) == math.inf
    sure = info.code_length([0], [[1.0, 0.0]])
    assert sure == 0.0 and not np.signbit(sure)
    assert info.code_length([], np.empty((0, 3))) == 0.0
    assert info.code_length([0], [[1e-300, 1.0]]) == pytest.approx(300 * math.log2(10))


@pytest.mark.parametrize(
    ("labels", "proba", "message"),
    [
        ([0.5], [[0.5, 0.5]], "whole numbers"),
        (["a"], [[0.5, 0.5]], "whole numbers"),
        ([2], [[0.5, 0.5]], r"within \[0, 2\)"),
        ([-1], [[0.5, 0.5]], r"within \[0, 2\)"),
        ([0, 1], [[0.5, 0.5]], "shape"),
        (0, [0.5, 0.5], "one more axis"),
        ([0], [[0.5, 0.6]], "sum to one"),
        ([0], [[1.5, -0.5]], "negative"),
        ([0], [[math.nan, 0.5]], "NaN"),
    ],
)
def test_code_length_refuses(labels, proba, message):
    with pytest.raises(ValueError, match=message):
        info.code_length(labels, proba)


def test_code_length_has_a_gradient():
    torch = pytest.importorskip("torch", reason="gradients are those of torch")
    logits = torch.tensor([[0.3, -1.0, 2.0], [0.0, 0.0, 0.0]], requires_grad=True)
    labels = torch.tensor([2, 0])
    info.code_length(labels, torch.softmax(logits, -1), base=None).backward()
    expected = torch.softmax(logits.detach(), -1) - torch.nn.functional.one_hot(labels, 3)
    torch.testing.assert_close(logits.grad, expected)


@given(WEIGHTS)
def test_huffman_is_as_good_as_a_heap(weights):
    heap = [weight for weight in weights if weight > 0]
    heapq.heapify(heap)
    cost = 0
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        cost += merged
        heapq.heappush(heap, merged)
    lengths = info.huffman_code_lengths(weights, normalize=True)
    mean = info.expected_code_length(weights, lengths, normalize=True)
    assert mean == pytest.approx(cost / sum(weights), rel=1e-13)


@given(WEIGHTS)
def test_huffman_words_can_be_read_back(weights):
    words = info.huffman_code(weights, normalize=True)
    assert [word is None for word in words] == [weight == 0 for weight in weights]
    words = [word for word in words if word is not None]
    assert len(words) == len(set(words))
    for first, second in itertools.permutations(words, 2):
        assert not second.startswith(first)
    if len(words) > 1:
        assert sum(Fraction(1, 2 ** len(word)) for word in words) == 1


@given(WEIGHTS)
def test_a_code_lies_between_the_entropy_and_one_bit_more(weights):
    p = shares(weights)
    bound = float(info.source_coding_bound(p, 1))
    huffman = float(info.expected_code_length(p, info.huffman_code_lengths(p)))
    shannon = float(info.expected_code_length(p, info.shannon_code_lengths(p)))
    assert bound - 1e-12 <= huffman <= shannon + 1e-12
    assert shannon < bound + 1


def test_shannon_lengths_are_exact_at_powers_of_two():
    exponents = np.arange(1, 1074)
    p = np.stack([2.0**-exponents, 1 - 2.0**-exponents], axis=1)
    np.testing.assert_array_equal(info.shannon_code_lengths(p)[:, 0], exponents)
    above = np.nextafter(0.25, 1)
    assert info.shannon_code_lengths([above, 1 - above]).tolist() == [2, 1]
    below = np.nextafter(0.25, 0)
    assert info.shannon_code_lengths([below, 1 - below]).tolist() == [3, 1]
    assert info.shannon_code_lengths([1.0, 0.0]).tolist() == [0, 0]


def test_codes_are_batched_and_keep_their_library(xp, rng):
    weights = rng.integers(0, 9, (4, 7, 5))
    weights[..., 0] += 1
    array = xp.asarray(weights)
    for lengths_of in (info.huffman_code_lengths, info.shannon_code_lengths):
        lengths = lengths_of(array, normalize=True)
        assert array_api_compat.array_namespace(lengths) is array_api_compat.array_namespace(array)
        one_by_one = [[lengths_of(row, normalize=True) for row in block] for block in weights]
        np.testing.assert_array_equal(to_host(lengths), one_by_one)
        along_first = lengths_of(xp.asarray(np.moveaxis(weights, -1, 0)), axis=0, normalize=True)
        np.testing.assert_array_equal(np.moveaxis(to_host(along_first), 0, -1), one_by_one)
        mean = info.expected_code_length(array, lengths, normalize=True)
        expected = (weights * np.array(one_by_one)).sum(-1) / weights.sum(-1)
        np.testing.assert_allclose(to_host(mean), expected, rtol=1e-14)


def test_bits_per_dimension(xp):
    nll = xp.asarray([2000.0, 0.0], dtype=xp.float64)
    found = to_host(info.bits_per_dimension(nll, 784))
    np.testing.assert_allclose(found, [3.680344492063682, 0.0], rtol=1e-15)
    found = to_host(info.bits_per_dimension(nll, 784, n_levels=256))
    np.testing.assert_allclose(found, [11.680344492063682, 8.0], rtol=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: info.bits_per_dimension(1.0, 0), "n_dims"),
        (lambda: info.bits_per_dimension(1.0, None), "n_dims"),
        (lambda: info.bits_per_dimension([1.0, math.nan], 2), "NaN"),
        (lambda: info.bits_per_dimension(1.0, 3, n_levels=0), "n_levels"),
        (lambda: info.huffman_code([[0.5, 0.5]]), "one axis"),
        (lambda: info.huffman_code([0.5, 0.4]), "sum to one"),
        (lambda: info.expected_code_length([0.5, 0.5], [1, 1, 1]), "shape"),
        (lambda: info.source_coding_bound([0.5, 0.5], -1), "n_symbols"),
        (lambda: info.kt_code_length([1, -1]), "from 0 to"),
        (lambda: info.kt_code_length([1, math.nan]), "from 0 to"),
        (lambda: info.laplace_code_length([1, math.inf]), "from 0 to"),
        (lambda: info.nml_code_length([1.5, 1]), "whole numbers"),
        (lambda: info.nml_regret(3, 0), "n_classes"),
        (lambda: info.nml_regret(-1, 2), "n_samples must be numbers from 0"),
        (lambda: info.kt_code_length([1, 2], base=1.0), "base"),
        (lambda: info.mdlp_threshold([1, 2]), "axes"),
        (lambda: info.mdlp_threshold([[1, 0], [0, 0]]), "two samples"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- codes of counts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "laplace", "kt", "nml"),
    [
        ((5, 3), 8.977280, 9.508147, 9.721243),
        ((10, 0), 3.459432, 2.504738, 2.220397),
        ((7, 2, 1), 14.536247, 15.049636, 15.441631),
        ((50, 30, 20), 154.101041, 155.204191, 155.370387),
    ],
)
def test_published_code_lengths(counts, laplace, kt, nml):
    for code, expected in zip(OF_COUNTS, (laplace, kt, nml), strict=True):
        assert code(counts) == pytest.approx(expected, abs=6e-7)


@given(COUNTS)
def test_dirichlet_code_lengths_to_the_last_digits(counts):
    for code, added in ((info.laplace_code_length, 1), (info.kt_code_length, 0.5)):
        expected = float(exact_dirichlet(counts, added))
        assert code(counts, base=None) == pytest.approx(expected, rel=1e-15, abs=0)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=6))
def test_nml_and_mdlp_to_the_last_digits(counts):
    n, n_classes = sum(counts), len(counts)
    with mpmath.workdps(60):
        ideal = sum(c * mpmath.log(mpmath.mpf(n) / c) for c in counts if c)
        regret = mpmath.log(exact_complexity(n, n_classes))
        assert info.nml_code_length(counts, base=None) == pytest.approx(
            float(ideal + regret), rel=4e-15, abs=0
        )
        if n < 2:
            return
        present = sum(c > 0 for c in counts)
        # One child is the whole node and the other is empty: the entropies cancel.
        threshold = (mpmath.log(n - 1) + mpmath.log(mpmath.mpf(3) ** present - 2)) / n
        found = info.mdlp_threshold([counts, [0] * n_classes], base=None)
        assert found == pytest.approx(float(threshold), rel=1e-14, abs=1e-14)


@given(st.lists(st.floats(1e-300, 1), min_size=2, max_size=20))
def test_code_length_to_the_last_digits(chosen):
    chosen = np.array(chosen)
    proba = np.stack([chosen, 1 - chosen], axis=1)
    with mpmath.workdps(60):
        expected = float(-sum(mpmath.log(p, 2) for p in chosen.tolist()))
    found = info.code_length(np.zeros(len(chosen), dtype=int), proba)
    assert found == pytest.approx(expected, rel=4e-15, abs=0)


@given(FEW)
def test_dirichlet_codes_are_sequential_codes(counts):
    """Sent one by one, in two orders, with the shares of what came before."""
    labels = np.repeat(np.arange(len(counts)), counts)
    for code, added in ((info.laplace_code_length, 1.0), (info.kt_code_length, 0.5)):
        for sent in (labels, labels[::-1]):
            seen, proba = np.full(len(counts), added), []
            for label in sent:
                proba.append(seen / seen.sum())
                seen[label] += 1
            length = info.code_length(sent, np.reshape(proba, (-1, len(counts))))
            assert code(counts) == pytest.approx(float(length), rel=1e-13)


@given(st.integers(0, 6), st.integers(1, 4))
def test_regret_is_the_sum_of_all_largest_likelihoods(n_samples, n_classes):
    complexity = 0
    for labels in itertools.product(range(n_classes), repeat=n_samples):
        counts = [labels.count(k) for k in range(n_classes)]
        complexity += math.prod(Fraction(c, n_samples) ** c for c in counts if c)
    found = info.nml_regret(n_samples, n_classes, base=None)
    assert found == pytest.approx(math.log(complexity), rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("n_classes", [2, 3, 10, 1000])
@pytest.mark.parametrize("n_samples", [1, 7, 100, 19_999, 20_000, 1_000_003])
def test_regret_to_the_last_digits(n_samples, n_classes):
    with mpmath.workdps(40):
        expected = float(mpmath.log(exact_complexity(n_samples, n_classes)))
    assert info.nml_regret(n_samples, n_classes, base=None) == pytest.approx(expected, rel=4e-15)


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=6))
def test_universal_codes_pay_for_what_they_do_not_know(counts):
    plug_in = float(info.nml_code_length(counts) - info.nml_regret(sum(counts), len(counts)))
    for code in OF_COUNTS:
        assert code(counts) >= plug_in * (1 - 1e-12)
        assert code(counts) == pytest.approx(float(code(counts[::-1])), rel=1e-14)
        assert code([*counts, 0]) >= code(counts) * (1 - 1e-12)  # one more class to tell apart


def test_codes_of_counts_are_batched_and_keep_library_and_dtype(xp, rng):
    counts = rng.integers(0, 50, (2, 6, 4))
    for code in OF_COUNTS:
        one_by_one = np.array([[code(row) for row in block] for block in counts])
        found = code(xp.asarray(counts))
        assert array_api_compat.array_namespace(found) is array_api_compat.array_namespace(
            xp.asarray(counts)
        )
        np.testing.assert_array_max_ulp(to_host(found), one_by_one, 4)
        along_first = code(xp.asarray(np.moveaxis(counts, -1, 0).copy()), axis=0)
        np.testing.assert_array_max_ulp(to_host(along_first), one_by_one, 4)
        narrow = code(xp.asarray(counts, dtype=xp.float32))
        assert narrow.dtype == xp.float32
        np.testing.assert_allclose(to_host(narrow), one_by_one, rtol=2e-7)
    assert [float(code([0, 0, 0])) for code in OF_COUNTS] == [0.0, 0.0, 0.0]
    assert [float(code([9])) for code in OF_COUNTS] == [0.0, 0.0, 0.0]


def test_codes_of_counts_at_the_ends_of_the_range():
    largest = 1e300
    for code in OF_COUNTS:
        assert code([largest, largest]) == pytest.approx(2e300, rel=1e-15)
        assert code([[0, 1], [2**53, 1]])[1] == pytest.approx(code([2**53, 1]))
        assert code(np.empty((0, 3))).shape == (0,)
        with pytest.raises(ValueError, match="from 0 to 1e.300"):
            code([1e301, 0])


def test_code_lengths_of_weights_have_a_gradient():
    torch = pytest.importorskip("torch", reason="gradients are those of torch")
    counts = torch.tensor([5.0, 0.5, 12.0], dtype=torch.float64, requires_grad=True)
    for code in (info.laplace_code_length, info.kt_code_length):
        assert torch.autograd.gradcheck(code, counts)


def test_mdlp_threshold(xp):
    tables = np.array([[[10, 0], [5, 15]], [[3, 3], [3, 3]], [[0, 0], [1, 1]]])
    found = to_host(info.mdlp_threshold(xp.asarray(tables)))
    assert found[0] == pytest.approx(0.2429297388701147, rel=1e-14)
    expected = (math.log2(11) + math.log2(7) - (2 - 2 - 2)) / 12
    assert found[1] == pytest.approx(expected, rel=1e-14)
    assert found[2] == pytest.approx((0 + math.log2(7) - (2 - 0 - 2)) / 2, rel=1e-14)
    many = np.ones((2, 2000))
    assert math.isfinite(info.mdlp_threshold(many))  # 3**2000 is beyond all floats


def test_mdlp_finds_the_known_cuts_of_iris():
    """The cuts that this rule makes of the fourth feature are 0.8 and 1.75."""
    X, y = load_iris(return_X_y=True)

    def cuts(values, labels):
        gain, best = -math.inf, None
        for cut in np.unique(values)[:-1]:
            is_left = values <= cut
            children = np.stack(
                [np.bincount(labels[side], minlength=3) for side in (is_left, ~is_left)]
            )
            whole = info.source_coding_bound(children.sum(0), 1, normalize=True)
            parts = info.source_coding_bound(children, children.sum(1), normalize=True)
            if whole - parts.sum() / len(labels) > gain:
                gain, best = whole - parts.sum() / len(labels), (cut, is_left, children)
        if best is None or gain <= info.mdlp_threshold(best[2]):
            return []
        cut, is_left, _ = best
        middle = (cut + values[~is_left].min()) / 2
        below, above = (
            cuts(values[is_left], labels[is_left]),
            cuts(values[~is_left], labels[~is_left]),
        )
        return [*below, round(float(middle), 6), *above]

    assert cuts(X[:, 3], y) == [0.8, 1.75]
    assert cuts(X[:, 0], y) == [5.55, 6.15]


# --- a real coder -------------------------------------------------------------------------------


def test_a_real_entropy_coder_needs_what_code_length_says():
    constriction = pytest.importorskip("constriction", reason="the coder that is compared with")
    X, y = load_digits(return_X_y=True)
    tree = DecisionTreeClassifier(criterion="entropy", min_samples_leaf=5).fit(X, y)
    # Smoothed leaves: what a class may happen to be must not be impossible.
    proba = (tree.predict_proba(X) + 0.01) / 1.1
    copies = 20  # some 36,000 labels: the coder's own 64 bits are then below a tenth of a per cent
    proba, labels = np.tile(proba, (copies, 1)), np.tile(y.astype(np.int32), copies)
    model = constriction.stream.model.Categorical(perfect=False)
    coder = constriction.stream.queue.RangeEncoder()
    coder.encode(labels, model, proba)
    message = coder.get_compressed()
    n_bits, ideal = 32 * len(message), float(info.code_length(labels, proba))
    assert ideal * (1 - 1e-3) - 64 <= n_bits <= ideal * (1 + 1e-3) + 64
    decoded = constriction.stream.queue.RangeDecoder(message).decode(model, proba)
    np.testing.assert_array_equal(decoded, labels)
