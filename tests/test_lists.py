"""Sorted lists of the features: what NumPy's stable sort makes of every column."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from treelearn._training_set import TrainingSet

SPECIAL = [0.0, -0.0, 1.0, 1.5, 2.0, -3.0, 1e-40, float(np.finfo(np.float32).max), np.nan]
# Of these float32 does not tell the first two apart.
WIDE = [1.0, 1.0 + 2.0**-40, 2.0, np.nan]


def expected_list(column, labels, class_shift):
    """Return entries, segment and default value of a column, as the invariants say them."""
    n = len(column)
    order = np.argsort(column, kind="stable")
    values = column[order]
    n_present = n - np.count_nonzero(np.isnan(column))
    entries = order.astype(np.uint32) << 1
    if class_shift:
        entries |= labels[order].astype(np.uint32) << class_shift
    starts = np.append(True, values[1:] != values[:-1])[:n]
    entries[:n_present] |= starts[:n_present]
    first = last = n_present
    default = 0.0
    if n_present >= 4 and 2 * n_present >= n:
        middle = values[n_present // 2]
        run = np.flatnonzero(values == middle)
        if 2 * len(run) >= n:
            first, last, default = run[0], run[-1] + 1, column[order[run[0]]]
    kept = np.concatenate([entries[:first], entries[last:]])
    return kept, [first, n_present - last, n - n_present], default


def check_lists(X, labels):
    """Compare the lists of a table of two classes, and of the same in regression."""
    for y, n_classes in ((labels[None].astype(np.int32), [2]), (labels[None] + 0.5, None)):
        found = TrainingSet(X, y, n_classes)
        lists = found.lists
        shift = 31 if n_classes and lists.index_mask != 0xFFFFFFFF else 0
        for feature, column in enumerate(X.T):
            entries, segment, default = expected_list(column, labels, shift)
            start = lists.starts[feature]
            np.testing.assert_array_equal(lists.segments[feature], segment)
            np.testing.assert_array_equal(lists.entries[start : start + len(entries)], entries)
            assert lists.default_values[feature].tobytes() == np.float64(default).tobytes()


@given(data=st.data(), n_samples=st.integers(1, 60), dtype=st.sampled_from([np.float32, float]))
def test_columns_of_few_values(data, n_samples, dtype):
    pools = st.lists(st.sampled_from(SPECIAL + WIDE), min_size=1, max_size=4)
    columns = [
        data.draw(
            st.lists(st.sampled_from(data.draw(pools)), min_size=n_samples, max_size=n_samples)
        )
        for _ in range(18)
    ]
    labels = np.array(
        data.draw(st.lists(st.integers(0, 1), min_size=n_samples, max_size=n_samples))
    )
    check_lists(np.array(columns, dtype=dtype).T.copy(), labels)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_samples", [200, 1023, 1024, 5000, 70000])
def test_columns_of_any_number_of_values(n_samples, dtype, rng):
    columns = [rng.integers(0, n_values, n_samples) for n_values in (1, 2, 3, 255, 256, 257, 2049)]
    columns += [np.where(rng.random(n_samples) < 0.6, 2.0, columns[3])]
    columns += [rng.integers(0, 50, n_samples) / 7, rng.normal(size=n_samples)]
    check_lists(np.array(columns, dtype=dtype).T.copy(), rng.integers(0, 2, n_samples))
