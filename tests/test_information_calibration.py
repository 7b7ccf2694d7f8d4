"""Calibration: brute force over the bins, borders, bias, and the parts of the Brier score."""

import math

import array_api_compat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from treelearn import information as info
from treelearn.information._host import to_host

BINNINGS = ["equal_width", "equal_mass", "distinct_values"]
SAMPLES = st.lists(
    st.tuples(st.integers(0, 20).map(lambda k: k / 20) | st.floats(0, 1), st.booleans()),
    min_size=1,
    max_size=40,
)


def brute_bins(confidences, n_bins, binning, closed):
    """Return the bin of each sample, by comparing it with every border."""
    if binning == "distinct_values":
        return [sorted(set(confidences)).index(c) for c in confidences]
    if binning == "equal_mass":
        order = sorted(range(len(confidences)), key=lambda i: confidences[i])  # stable
        return [order.index(i) * n_bins // len(confidences) for i in range(len(confidences))]
    found = []
    for c in confidences:
        for b in range(n_bins):
            lower, upper = b / n_bins, (b + 1) / n_bins
            is_inside = lower <= c < upper if closed == "left" else lower < c <= upper
            if is_inside or (c == 1 and b == n_bins - 1) or (c == 0 and b == 0):
                found.append(b)
                break
    return found


def brute_table(samples, n_bins, binning, closed):
    """Return n, mean confidence and accuracy of every bin that holds samples."""
    index = brute_bins([c for c, _ in samples], n_bins, binning, closed)
    rows = []
    for b in sorted(set(index)):
        members = [sample for sample, i in zip(samples, index, strict=True) if i == b]
        n = len(members)
        rows.append((n, math.fsum(c for c, _ in members) / n, sum(y for _, y in members) / n))
    return rows


@given(SAMPLES, st.integers(1, 12), st.sampled_from(BINNINGS), st.sampled_from(["left", "right"]))
def test_against_brute_force(samples, n_bins, binning, closed):
    confidences, correct = map(list, zip(*samples, strict=True))
    options = {"n_bins": n_bins, "binning": binning, "closed": closed}
    rows, n = brute_table(samples, n_bins, binning, closed), len(samples)
    table = info.calibration_table(confidences, correct, **options)
    is_filled = table.n_samples > 0
    np.testing.assert_array_equal(table.n_samples[is_filled], [row[0] for row in rows])
    np.testing.assert_allclose(table.confidence[is_filled], [row[1] for row in rows], rtol=1e-14)
    np.testing.assert_allclose(table.accuracy[is_filled], [row[2] for row in rows], rtol=1e-15)
    assert np.isnan(table.confidence[~is_filled]).all()
    gaps = [accuracy - confidence for _, confidence, accuracy in rows]
    assert (table.lower[is_filled] <= table.confidence[is_filled] + 1e-15).all()
    assert (table.upper[is_filled] >= table.confidence[is_filled] - 1e-15).all()

    def close(value):
        return pytest.approx(value, rel=1e-13, abs=1e-15)

    found = info.expected_calibration_error(confidences, correct, **options)
    assert found == close(sum(row[0] * abs(gap) for row, gap in zip(rows, gaps, strict=True)) / n)
    squared = sum(row[0] * gap**2 for row, gap in zip(rows, gaps, strict=True)) / n
    found = info.expected_calibration_error(confidences, correct, norm="l2", **options)
    assert found**2 == close(squared)
    found = info.squared_calibration_error(confidences, correct, debias=False, **options)
    assert found == close(squared)
    chance = sum(m * a * (1 - a) / (m - 1) for m, _, a in rows if m > 1) / n
    assert info.squared_calibration_error(confidences, correct, **options) == close(
        squared - chance
    )
    assert info.maximum_calibration_error(confidences, correct, **options) == close(
        max(map(abs, gaps))
    )


@given(SAMPLES, st.integers(1, 12), st.sampled_from(BINNINGS))
def test_brier_decomposition_adds_up(samples, n_bins, binning):
    confidences, correct = map(np.array, zip(*samples, strict=True))
    parts = info.brier_decomposition(confidences, correct, n_bins=n_bins, binning=binning)
    assert parts.brier == pytest.approx(np.mean((confidences - correct) ** 2), abs=1e-15)
    whole = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bin
    assert whole == pytest.approx(parts.brier, abs=1e-14)
    assert min(parts[:4]) >= 0
    if binning == "distinct_values":
        assert parts.within_bin == 0


def test_brier_score_of_all_classes(rng):
    proba = rng.dirichlet(np.ones(3), 60).round(1)
    proba[:, 0] += 1 - proba.sum(1)
    proba = np.abs(proba) / np.abs(proba).sum(1, keepdims=True)
    labels = rng.integers(0, 3, 60)
    parts = info.brier_decomposition(*info.per_class_outcomes(labels, proba))
    expected = ((proba - np.eye(3)[labels]) ** 2).sum(1).mean()
    assert parts.brier.sum() == pytest.approx(expected)
    one = info.brier_decomposition(proba[:, 1], labels == 1)
    assert one.brier == pytest.approx(brier_score_loss(labels == 1, proba[:, 1]))
    assert parts.reliability[1] == pytest.approx(one.reliability)


def test_borders_are_the_numbers_that_people_write():
    """np.digitize on np.linspace files 0.3 and 0.6 wrongly, a product with n_bins 0.29."""
    for n_bins in (2, 3, 5, 7, 10, 15, 100):
        borders = np.array([k / n_bins for k in range(n_bins + 1)])
        for confidences in (borders, borders.astype(np.float32)):
            outcomes = np.zeros(n_bins + 1)
            left = info.calibration_table(confidences, outcomes, n_bins=n_bins).n_samples
            assert left.tolist() == [1.0] * (n_bins - 1) + [2.0]
            right = info.calibration_table(confidences, outcomes, n_bins=n_bins, closed="right")
            assert right.n_samples.tolist() == [2.0] + [1.0] * (n_bins - 1)


@pytest.mark.parametrize("binning", BINNINGS)
def test_batches_and_libraries(xp, rng, binning):
    confidences = rng.random((2, 3, 50)).round(1)
    correct = (rng.random((2, 3, 50)) < confidences).astype(float)
    options = {"binning": binning, "n_bins": 7}
    for function in (
        info.expected_calibration_error,
        info.maximum_calibration_error,
        info.squared_calibration_error,
        lambda c, y, **options: info.brier_decomposition(c, y, **options).resolution,
    ):
        expected = [
            [float(function(confidences[i, j], correct[i, j], **options)) for j in range(3)]
            for i in range(2)
        ]
        found = function(xp.asarray(confidences), xp.asarray(correct), **options)
        assert array_api_compat.array_namespace(found) is array_api_compat.array_namespace(
            xp.asarray(confidences)
        )
        np.testing.assert_allclose(to_host(found), expected, rtol=1e-12, atol=1e-16)
        narrow = function(
            xp.asarray(confidences, dtype=xp.float32), xp.asarray(correct == 1), **options
        )
        assert narrow.dtype == xp.float32
        np.testing.assert_allclose(to_host(narrow), expected, rtol=1e-3, atol=1e-6)
    table = info.calibration_table(xp.asarray(confidences), xp.asarray(correct), **options)
    np.testing.assert_array_equal(to_host(table.n_samples).sum(-1), 50)
    assert np.nanmax(np.abs(to_host(table.gap))) <= 1
    one = info.calibration_table(xp.asarray(confidences[0, 0]), xp.asarray(correct[0, 0]))
    assert len(str(one).splitlines()) == 1 + np.count_nonzero(to_host(one.n_samples))


def test_top_label_and_per_class(xp, rng):
    proba = rng.dirichlet(np.ones(4), (2, 30))
    labels = rng.integers(0, 4, (2, 30))
    confidences, correct = info.top_label_outcomes(xp.asarray(labels), xp.asarray(proba))
    np.testing.assert_array_equal(to_host(confidences), proba.max(-1))
    np.testing.assert_array_equal(to_host(correct), proba.argmax(-1) == labels)
    confidences, correct = info.per_class_outcomes(xp.asarray(labels), xp.asarray(proba))
    assert tuple(confidences.shape) == tuple(correct.shape) == (2, 4, 30)
    np.testing.assert_array_equal(to_host(confidences), np.moveaxis(proba, -1, -2))
    np.testing.assert_array_equal(to_host(correct)[1, 2], labels[1] == 2)


def test_gaps_that_cancel_within_a_bin():
    """Wide bins hide what groups of equal confidence show."""
    confidences = [0.62] * 10 + [0.68] * 10
    correct = [1] * 10 + [1] * 3 + [0] * 7
    wide = info.expected_calibration_error(confidences, correct, n_bins=10)
    assert wide == pytest.approx(0, abs=1e-15)
    true = info.expected_calibration_error(confidences, correct, binning="distinct_values")
    assert true == pytest.approx(0.38)


def test_bias_of_a_calibrated_model(rng):
    """The plug-in error of 100 calibrated samples is about 0.12; the debiased square about 0."""
    confidences = rng.random((4000, 100))
    correct = rng.random((4000, 100)) < confidences
    expected = math.sqrt(2 * 15 / (math.pi * 100)) * math.pi / 8
    for binning in ("equal_width", "equal_mass"):
        plain = info.expected_calibration_error(confidences, correct, binning=binning)
        assert plain.mean() == pytest.approx(expected, rel=0.03)
        squared = info.squared_calibration_error(
            confidences, correct, binning=binning, debias=False
        )
        debiased = info.squared_calibration_error(confidences, correct, binning=binning)
        assert squared.mean() > 0.02
        assert abs(debiased.mean()) < 1e-3 and debiased.min() < 0


def test_gradient_of_the_error():
    torch = pytest.importorskip("torch", reason="gradients are those of torch")
    confidences = torch.tensor([0.12, 0.55, 0.58, 0.93], dtype=torch.float64, requires_grad=True)
    correct = torch.tensor([0, 1, 1, 1])
    for error in (
        info.expected_calibration_error,
        info.maximum_calibration_error,
        info.squared_calibration_error,
    ):
        assert torch.autograd.gradcheck(lambda c, error=error: error(c, correct), confidences)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0.5, 1.5], [0, 1]), {}, "must not exceed 1"),
        (([0.5, -0.5], [0, 1]), {}, "negative"),
        (([0.5, math.nan], [0, 1]), {}, "NaN"),
        (([0.5, 0.5], [0, 2]), {}, "0 or 1"),
        (([0.5, 0.5], [0, math.nan]), {}, "0 or 1"),
        (([0.5, 0.5], [0]), {}, "shape"),
        (([], []), {}, "at least one sample"),
        ((0.5, 1), {}, "at least one sample"),
        (([0.5], [1]), {"n_bins": 0}, "n_bins"),
        (([0.5], [1]), {"n_bins": 2.0}, "n_bins"),
        (([0.5], [1]), {"binning": "quantile"}, "binning"),
        (([0.5], [1]), {"closed": "both"}, "closed"),
        (([0.5], [1]), {"norm": "l3"}, "norm"),
    ],
)
def test_bad_input_is_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        info.expected_calibration_error(*arguments, **options)


def test_no_data_sets_give_no_results():
    for binning in BINNINGS:
        nothing = np.empty((0, 3))
        assert info.expected_calibration_error(nothing, nothing, binning=binning).shape == (0,)
        assert len(info.calibration_table(nothing, nothing, binning=binning).n_samples) == 0


def test_labels_that_do_not_fit_are_refused():
    for function in (info.top_label_outcomes, info.per_class_outcomes):
        with pytest.raises(ValueError, match="whole numbers"):
            function(["a"], [[0.5, 0.5]])
        with pytest.raises(ValueError, match="within"):
            function([2], [[0.5, 0.5]])
        with pytest.raises(ValueError, match="shape"):
            function([0, 1], [[0.5, 0.5]])
        with pytest.raises(ValueError, match="sum to one"):
            function([0], [[0.5, 0.6]])
