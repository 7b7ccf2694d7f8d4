"""Batched impurities, gains and best splits against the oracle, and the functions they stand on."""

import math
from decimal import Decimal, localcontext

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import CLASS_CRITERIA
from treelearn._impurity import elementary, impurities, scalar_impurities

from treelearn import DecisionTreeClassifier, batched
from treelearn.batched import best_splits, impurity, split_gains
from treelearn.criteria import kernel_of

# -- native/elementary.h ------------------------------------------------------------------------

DIGITS = 80


def exact(name, x, y):
    """Return a function to many digits."""
    x, y = Decimal(x), Decimal(y)
    if name == "log_quotient":
        return (x / y).ln()
    return {
        "log": lambda: x.ln(),
        "log1p": lambda: (1 + x).ln(),
        "exp": lambda: x.exp(),
        "exp_negative": lambda: x.exp(),
        "expm1": lambda: x.exp() - 1,
        "pow": lambda: (y * x.ln()).exp(),
    }[name]()


def arguments(name, rng, n):
    """Return points all over the range of a function, and next to where it vanishes."""
    near = rng.normal(size=n) * 10.0 ** rng.uniform(-12, 0, n)
    if name == "log":
        return np.concatenate([np.exp(rng.uniform(-700, 700, n)), 1.0 + near.clip(-0.9)]), None
    if name == "log1p":
        return np.concatenate([np.exp(rng.uniform(-60, 700, n)), near.clip(-0.99)]), None
    if name == "exp":
        return np.concatenate([rng.uniform(-700, 709, n), near]), None
    if name == "exp_negative":
        return np.concatenate([rng.uniform(-700, 0, n), -np.abs(near)]), None
    if name == "expm1":
        return np.concatenate([rng.uniform(-50, 709, n), near]), None
    if name == "pow":
        x = np.concatenate([np.exp(rng.uniform(-30, 30, n)), 1.0 + near.clip(-0.9)])
        y = 10.0 ** rng.uniform(-3, 2, 2 * n)
        y = np.minimum(y, 690.0 / np.maximum(np.abs(np.log(x)), 1.0))
        return x, y
    total = rng.integers(2, 10**6, 2 * n).astype(float)
    part = np.maximum(np.rint(total * rng.random(2 * n) ** rng.choice([0.001, 1, 9], 2 * n)), 1)
    # Down to subnormal numbers, and quotients of more than all of their range.
    unit, other = 2.0 ** rng.integers(-1074, 900, (2, n))
    return np.concatenate([part, part[:n] * unit]), np.concatenate([total, total[:n] * other])


@pytest.mark.parametrize(
    ("name", "ulps"),
    [
        ("log", 1),
        ("log1p", 1),
        ("exp", 1),
        ("exp_negative", 1),
        ("expm1", 2),
        ("pow", 2),
        ("log_quotient", 2),
    ],
)
def test_elementary_functions_to_a_few_ulp(name, ulps, rng):
    x, y = arguments(name, rng, 1500)
    found = elementary(name, x, y)
    with localcontext() as context:
        context.prec = DIGITS
        for i, value in enumerate(found.tolist()):
            expected = exact(name, x[i], 0.0 if y is None else y[i])
            error = abs(Decimal(value) - expected)
            assert error <= ulps * Decimal(math.ulp(float(expected))), (x[i], y and y[i], value)


@pytest.mark.parametrize(
    ("name", "x", "y", "expected"),
    [
        ("log", 1.0, None, 0.0),
        ("log", 5e-324, None, math.log(5e-324)),
        ("log1p", 0.0, None, 0.0),
        ("exp", 0.0, None, 1.0),
        ("exp", 800.0, None, math.inf),
        ("exp", -800.0, None, 0.0),
        ("exp", -math.inf, None, 0.0),
        ("exp_negative", 0.0, None, 1.0),
        ("exp_negative", -701.0, None, 0.0),
        ("exp_negative", -math.inf, None, 0.0),
        ("expm1", 0.0, None, 0.0),
        ("expm1", -900.0, None, -1.0),
        ("expm1", 800.0, None, math.inf),
        ("pow", 0.0, 0.5, 0.0),
        ("pow", 1.0, 1e6, 1.0),
        ("pow", 4.0, 0.5, 2.0),
        ("pow", 10.0, 400.0, math.inf),
        ("log_quotient", 7.0, 7.0, 0.0),
        ("log_quotient", 5e-324, 5e-324, 0.0),
        ("log_quotient", 2.0**-1074, 2.0**900, -1974 * math.log(2.0)),
    ],
)
def test_elementary_functions_at_their_ends(name, x, y, expected):
    found = elementary(name, np.array([x]), None if y is None else np.array([y]))
    assert found[0] == expected


@pytest.mark.parametrize("name", ["log1p", "exp", "expm1"])
def test_what_is_no_number_stays_none(name):
    assert math.isnan(elementary(name, np.array([math.nan]))[0])


# -- impurity -----------------------------------------------------------------------------------

ORDERS = st.one_of(
    st.sampled_from([0.1, 0.5, 0.999, 1.0, 1.0 + 1e-9, 1.4999, 1.5, 2.0, 3.0, 19.0, 40.0]),
    st.floats(0.05, 30.0),
)
COUNT = st.one_of(st.integers(0, 5), st.integers(0, 10**6)).map(float)


@st.composite
def count_rows(draw, max_classes=40):
    """Draw class weights of some nodes, at least one of them of positive weight."""
    n_classes = draw(st.integers(1, max_classes))
    n_nodes = draw(st.integers(1, 70))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    top = rng.choice([1, 3, 100, 10**6], size=(n_nodes, 1))
    counts = rng.integers(0, top + 1, size=(n_nodes, n_classes)).astype(float)
    return counts * draw(st.sampled_from([1.0, 0.1, 1e-9]))


@st.composite
def criteria(draw):
    """Draw a criterion and its order."""
    name, order = draw(st.sampled_from(CLASS_CRITERIA))
    if name in ("renyi", "renyi_mean", "tsallis") and not math.isinf(order):
        order = draw(ORDERS)
    return name, order


@given(counts=count_rows(), criterion=criteria())
def test_nodes_side_by_side_have_the_bits_of_one_node(counts, criterion):
    kernel = kernel_of(*criterion)
    np.testing.assert_array_equal(impurities(counts, kernel), scalar_impurities(counts, kernel))


@given(counts=count_rows(max_classes=6), criterion=criteria())
def test_impurity_agrees_with_the_oracle(counts, criterion):
    name, order = criterion
    found = impurity(counts, name, order)
    for row, value in zip(counts.tolist(), found.tolist(), strict=True):
        expected = oracle.class_impurity(name, order, row) if sum(row) > 0.0 else 0.0
        # The oracle's own textbook formulas lose digits next to order 1 and to pure nodes.
        slack = 1e-14 / max(abs(order - 1.0), 1e-4) if math.isfinite(order) else 1e-14
        assert value == pytest.approx(expected, rel=1e-11 + slack, abs=slack + 4e-15)


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA)
@pytest.mark.filterwarnings("ignore:criterion='renyi_mean'")
def test_the_estimators_report_the_same_bits(criterion, order, class_table):
    X, y = class_table
    tree = DecisionTreeClassifier(criterion=criterion, order=order, max_depth=3).fit(X, y)
    counts = tree.tree_.value[:, 0] * tree.tree_.weighted_n_node_samples[:, None]
    found = impurity(np.rint(counts), criterion, order)
    np.testing.assert_array_equal(found, tree.tree_.impurity)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64, np.float16, bool])
def test_any_real_dtype(dtype, rng):
    counts = rng.integers(0, 2, (3, 4, 5)).astype(dtype)
    found = impurity(counts, "entropy")
    assert found.dtype == np.float64
    assert found.shape == (3, 4)
    np.testing.assert_array_equal(found, impurity(counts.astype(float), "entropy"))


def test_float32_comes_back(rng):
    counts = rng.random((100, 3), dtype=np.float32)
    found = impurity(counts, "renyi", 0.5)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, impurity(counts.astype(float), "renyi", 0.5).astype("f4"))


def test_shapes_and_layouts(rng):
    counts = rng.integers(0, 9, (4, 5, 3, 2))
    expected = impurity(counts.reshape(-1, 2), "gini").reshape(4, 5, 3)
    np.testing.assert_array_equal(impurity(counts, "gini"), expected)
    np.testing.assert_array_equal(impurity(np.asfortranarray(counts), "gini"), expected)
    flipped = counts[::-1, :, ::2]
    np.testing.assert_array_equal(impurity(flipped, "gini"), expected[::-1, :, ::2])
    unaligned = np.frombuffer(b"\0" + counts.tobytes(), dtype=np.uint8)[1:].view(counts.dtype)
    np.testing.assert_array_equal(impurity(unaligned.reshape(counts.shape), "gini"), expected)
    assert impurity([3, 1], "gini") == 0.375
    assert impurity(np.zeros((0, 4)), "gini").shape == (0,)


def test_threads_change_no_bit(n_jobs, rng):
    counts = rng.integers(0, 50, (90_000, 3))
    for criterion, order in [("gini", None), ("renyi", 0.3), ("tsallis", 1.7)]:
        found = impurity(counts, criterion, order, n_jobs=n_jobs)
        np.testing.assert_array_equal(found, impurities(counts, kernel_of(criterion, order or 2.0)))


@pytest.mark.parametrize("order", [0.5, 1.02, 2.0, 7.3])
def test_weights_of_any_size(order):
    """The impurity is one of shares: a power of two in the weights changes no bit."""
    counts = np.array([[3.0, 0.0, 5.0], [2.0, 2.0, 1.0], [7.0, 7.0, 7.0], [0.0, 0.0, 1.0]])
    for criterion in ("gini", "entropy", "renyi", "renyi_mean", "tsallis"):
        expected = impurity(counts, criterion, order)
        for unit in (2.0**-1074, 2.0**-1000, 2.0**955):
            np.testing.assert_array_equal(impurity(counts * unit, criterion, order), expected)


@pytest.mark.parametrize("n_classes", [2, 3, 16, 17, 128, 129, 2049])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8"])
def test_every_form_of_a_block(n_classes, dtype, rng):
    """Nodes go by 128 or by fewer, by twos or alone, and classes all at once or not."""
    counts = rng.integers(0, 9, (131, n_classes)).astype(dtype)
    for criterion, order in [
        ("gini", 2.0),
        ("renyi", 0.7),
        ("renyi", 3.0),
        ("misclassification", 2),
    ]:
        kernel = kernel_of(criterion, order)
        for n_nodes in (1, 7, 16, 33, 128, 131):
            np.testing.assert_array_equal(
                impurities(counts[:n_nodes], kernel),
                scalar_impurities(counts[:n_nodes].astype(float), kernel),
            )


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf, 1e305])
@pytest.mark.parametrize("n_rows", [1, 1000])
def test_counts_that_are_none(bad, n_rows):
    counts = np.ones((n_rows, 20))
    counts[-1, -1] = bad
    with pytest.raises(ValueError, match="finite and none negative"):
        impurity(counts, "gini")
    with pytest.raises(ValueError, match="finite and none negative"):
        best_splits(counts.reshape(n_rows, 1, 10, 2), "gini")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], "squared_error"), "criterion must be one of gini"),
        (([1, 2], "nonsense"), "criterion must be one of gini"),
        (([1, 2], "renyi", 0.0), "order"),
        (([1, 2], "tsallis", math.inf), "order"),
        ((["a", "b"], "gini"), "real numbers"),
        (([1j, 2], "gini"), "real numbers"),
        ((3.0, "gini"), "at least 1 dimensions"),
        ((np.zeros((3, 0)), "gini"), "must not be empty"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        impurity(*arguments)


# -- split_gains --------------------------------------------------------------------------------


@given(left=count_rows(max_classes=5), criterion=criteria(), seed=st.integers(0, 10**6))
def test_gains_agree_with_the_oracle(left, criterion, seed):
    name, order = criterion
    right = np.random.default_rng(seed).permutation(left, axis=0)
    found = split_gains(left, right, name, order)
    for a, b, gain in zip(left.tolist(), right.tolist(), found.tolist(), strict=True):
        weights = [math.fsum(a), math.fsum(b)]
        total = math.fsum(weights)
        if total == 0.0:
            assert gain == 0.0
            continue
        terms = [oracle.class_impurity(name, order, [x + y for x, y in zip(a, b, strict=True)])]
        terms += [
            -w / total * oracle.class_impurity(name, order, side)
            for w, side in zip(weights, (a, b), strict=True)
            if w > 0.0
        ]
        slack = 1e-14 / max(abs(order - 1.0), 1e-4) if math.isfinite(order) else 1e-14
        assert gain == pytest.approx(math.fsum(terms), abs=(1e-12 + 4 * slack) * (1 + terms[0]))


def test_gains_need_one_shape():
    with pytest.raises(ValueError, match="one shape"):
        split_gains([[1, 2]], [[1, 2, 3]], "gini")


# -- best_splits --------------------------------------------------------------------------------


@st.composite
def histogram_arrays(draw):
    """Draw histograms of samples, with empty bins and many ties, and a unit of weight or None."""
    n_nodes, n_features, n_bins, n_classes = (draw(st.integers(1, top)) for top in (4, 3, 6, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_samples = np.zeros((n_nodes, n_features, n_bins + 1, n_classes), dtype=np.int64)
    for node in range(n_nodes):
        labels = rng.integers(0, n_classes, rng.choice([1, 4, 12, 60]))
        for feature in range(n_features):
            codes = rng.integers(0, n_bins + 1, len(labels))
            np.add.at(n_samples, (node, feature, codes, labels), 1)
    return n_samples, draw(st.sampled_from([None, 0.1, 2.0]))


def brute_force(histogram, samples, criterion, rules):
    """Yield (gain, feature, bin, missing left) of every feasible cut of a node."""
    has_missing, least_samples, least_weight = rules
    for feature, cells in enumerate(histogram.tolist()):
        n_bins = len(cells) - has_missing
        for b in range(n_bins):
            if sum(samples[feature][b]) == 0:
                continue
            for missing_left in (False, True):
                if missing_left and not (has_missing and sum(samples[feature][-1])):
                    continue
                sides = [i <= b or (i >= n_bins and missing_left) for i in range(len(cells))]
                parts = []
                for is_left in (True, False):
                    chosen = [i for i, side in enumerate(sides) if side == is_left]
                    weights = [math.fsum(c) for c in zip(*(cells[i] for i in chosen), strict=True)]
                    parts.append((sum(sum(samples[feature][i]) for i in chosen), weights))
                if any(n == 0 or n < least_samples for n, _ in parts):
                    continue
                if any(math.fsum(w) < least_weight for _, w in parts):
                    continue
                whole = [x + y for x, y in zip(parts[0][1], parts[1][1], strict=True)]
                total = math.fsum(whole)
                gain = oracle.class_impurity(*criterion, whole) - math.fsum(
                    math.fsum(w) / total * oracle.class_impurity(*criterion, w) for _, w in parts
                )
                yield gain, feature, b, missing_left


@given(
    drawn=histogram_arrays(),
    criterion=st.sampled_from(
        [("gini", 2.0), ("entropy", 2.0), ("renyi", 0.5), ("renyi", 3.0), ("tsallis", 5.0)]
    ),
    has_missing=st.booleans(),
    least_samples=st.sampled_from([1, 1, 2, 5]),
    least_weight=st.sampled_from([0.0, 0.0, 1.55]),
)
def test_best_splits_agree_with_brute_force(
    drawn, criterion, has_missing, least_samples, least_weight
):
    n_samples, unit = drawn
    weights = n_samples * (unit or 1.0)
    found = best_splits(
        weights if unit else n_samples,
        *criterion,
        n_samples=n_samples.sum(axis=3) if unit else None,
        has_missing_bin=has_missing,
        min_samples_leaf=least_samples,
        min_weight_leaf=least_weight,
    )
    rules = (has_missing, least_samples, least_weight)
    for node in range(len(weights)):
        all_cuts = list(brute_force(weights[node], n_samples[node].tolist(), criterion, rules))
        key = (int(found.feature[node]), int(found.bin[node]), bool(found.missing_goes_left[node]))
        if not all_cuts:
            assert key == (-1, -1, False)
            assert found.gain[node] == 0.0
            continue
        best = max(cut[0] for cut in all_cuts)
        gains = {cut[1:]: cut[0] for cut in all_cuts}
        assert gains[key] == pytest.approx(best, abs=1e-12)
        assert found.gain[node] == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA)
def test_ties_go_to_the_lowest_feature_then_bin_then_missing_right(criterion, order):
    cells = np.array([[4, 0], [0, 0], [0, 4], [0, 0], [4, 0]])
    twice = np.stack([cells, cells])[None]
    found = best_splits(twice, criterion, order)
    assert (found.feature[0], found.bin[0]) == (0, 0)
    # Where missing values and the last bin are alike, right comes before left.
    mirrored = np.array([[[[5, 1], [1, 5], [0, 0]]]])
    found = best_splits(mirrored, criterion, order, has_missing_bin=True)
    assert (found.feature[0], found.bin[0], found.missing_goes_left[0]) == (0, 0, False)
    even = np.array([[[[3, 3], [3, 3], [3, 3]]]])
    found = best_splits(even, criterion, order, has_missing_bin=True)
    assert (found.feature[0], found.bin[0], found.missing_goes_left[0]) == (0, 0, False)


def test_shannon_decides_between_equal_error_rates():
    """The classic pair of Breiman and others: both cuts leave a quarter of errors."""
    first = [[300, 100], [100, 300]]
    second = [[200, 400], [200, 0]]
    found = best_splits(np.array([[first, second]]), "misclassification")
    assert found.feature[0] == 1


@given(drawn=histogram_arrays(), order=st.sampled_from([0.5, 1.5, 30.0]))
def test_threads_find_the_same_splits(drawn, order):
    counts, _ = drawn
    one = best_splits(np.tile(counts, (50, 1, 1, 1)), "renyi", order, n_jobs=1)
    many = batched.search_histograms(
        np.tile(counts, (50, 1, 1, 1)).astype(float),
        None,
        kernel_of("renyi", order),
        False,
        1,
        0.0,
        3,
    )
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_root_split_of_a_tree(class_table):
    """A histogram with one bin a value finds what the exact search finds."""
    X, y = class_table
    tree = DecisionTreeClassifier(max_depth=1).fit(X, y)
    codes = [np.unique(column, return_inverse=True)[1].ravel() for column in X.T]
    histogram = np.zeros((1, X.shape[1], max(map(np.max, codes)) + 1, y.max() + 1), dtype=int)
    for feature, code in enumerate(codes):
        np.add.at(histogram, (0, feature, code, y), 1)
    found = best_splits(histogram, "gini")
    assert found.feature[0] == tree.tree_.feature[0]
    values = np.unique(X[:, found.feature[0]])
    low, high = values[found.bin[0]], values[found.bin[0] + 1]
    assert low <= tree.tree_.threshold[0] < high
    gain = tree.tree_.impurity[0] - np.dot(
        tree.tree_.impurity[1:], tree.tree_.n_node_samples[1:]
    ) / len(y)
    assert found.gain[0] == pytest.approx(gain, rel=1e-12)


@pytest.mark.parametrize(
    ("histograms", "rules", "message"),
    [
        (np.ones((2, 3, 2)), {}, "4 dimensions"),
        (np.ones((1, 1, 1, 2)), {"has_missing_bin": True}, "at least one bin"),
        (np.ones((1, 1, 2, 2)), {"min_samples_leaf": 0}, "min_samples_leaf"),
        (np.ones((1, 1, 2, 2)), {"min_samples_leaf": 1.5}, "min_samples_leaf"),
        (np.ones((1, 1, 2, 2)), {"min_weight_leaf": -1.0}, "min_weight_leaf"),
        (np.ones((1, 1, 2, 2)), {"n_samples": np.ones((1, 1, 2))}, "n_samples must be integers"),
        (np.ones((1, 1, 2, 2)), {"n_samples": np.ones((1, 1, 3), int)}, "n_samples must be"),
        (np.ones((1, 1, 2, 2)), {"n_samples": np.array([[[2, -1]]])}, "Negative values"),
    ],
)
def test_bad_histograms(histograms, rules, message):
    with pytest.raises(ValueError, match=message):
        best_splits(histograms, "gini", **rules)


@pytest.mark.parametrize("criterion", ["gini", "renyi", "renyi_mean", "tsallis"])
def test_pure_nodes_have_a_plain_zero(criterion):
    assert not np.signbit(impurity([[4, 0], [0, 0]], criterion, 0.5)).any()
    assert not np.signbit(impurity([[4, 0], [0, 0]], criterion, 2.0)).any()


@pytest.mark.parametrize("n_rows", [2, 200_000])
def test_no_jobs_have_no_meaning(n_rows):
    with pytest.raises(ValueError, match="n_jobs == 0"):
        impurity(np.ones((n_rows, 2)), "gini", n_jobs=0)


def test_no_node_and_no_feature():
    assert best_splits(np.ones((0, 2, 3, 2)), "gini").feature.shape == (0,)
    assert best_splits(np.ones((2, 0, 3, 2)), "gini").feature.tolist() == [-1, -1]


# -- other libraries ----------------------------------------------------------------------------


def test_torch_tensors(rng):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    counts = rng.integers(0, 9, (4, 3, 5, 2))
    tensor = torch.tensor(counts, dtype=torch.float32, requires_grad=True)
    found = impurity(tensor, "entropy")
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found.numpy(), impurity(counts.astype("f4"), "entropy"))
    gains = split_gains(tensor[:, :, 0], tensor[:, :, 1], "gini")
    assert isinstance(gains, torch.Tensor)
    for a, b in zip(best_splits(tensor, "gini"), best_splits(counts, "gini"), strict=True):
        np.testing.assert_array_equal(a.numpy(), b)
    with pytest.raises(ValueError, match="one library"):
        split_gains(tensor, counts, "gini")
