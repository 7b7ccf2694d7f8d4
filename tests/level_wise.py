"""The same tree from the compiled histogram mode and level by level, array for array."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import strategies as st
from strategies import CLASS_CRITERIA, labels, rules, tables, targets, weights
from treelearn.histogram._formulas import Formulas

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor
from treelearn.histogram import _histogram_grower as compiled
from treelearn.histogram import cuda_kernels, grower
from treelearn.histogram.table import make_table

REGRESSION = ["squared_error", "poisson", "gaussian_entropy"]


def grow_both(estimator, X, y, sample_weight, kernels, total=None):
    """Fit an estimator; return the arrays that its engine grew, and those grown level by level."""
    seen = []
    options = {} if total is None else {"total": total}

    class Recorder(compiled.HistogramGrower):
        def __init__(self, training_set, *arguments):
            super().__init__(training_set, *arguments)
            formulas = Formulas(training_set, *arguments)
            bins = training_set.bins
            records = training_set.records.view(bins.code_dtype)
            codes = records[: len(training_set.rows), : training_set.n_features].T
            xp = kernels.current_device().xp if kernels is cuda_kernels else np
            table = make_table(formulas, np.ascontiguousarray(codes), bins.n_bins, xp)
            seen.append(grower.grow_by_levels(table, bins, kernels, **options))

        def grow(self):
            seen.append(super().grow())
            return dict(seen[-1])

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="criterion='renyi_mean'")
        patch.setattr(compiled, "HistogramGrower", Recorder)
        estimator.fit(X, y, sample_weight)
    by_levels, expected = seen
    return expected, by_levels


def same_arrays(expected, found):
    """Assert that two dicts of arrays are equal to the bit, dtypes included."""
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        assert array.dtype == found[name].dtype, name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def estimator_of(criterion, order, **parameters):
    """Return an estimator of either kind with a criterion."""
    if criterion in REGRESSION:
        return DecisionTreeRegressor(criterion=criterion, **parameters)
    return DecisionTreeClassifier(criterion=criterion, order=order, **parameters)


@st.composite
def problems(draw):
    """Draw an estimator of the histogram mode, X, y and weights."""
    X = draw(tables(max_rows=40))
    n_rows, n_features = X.shape
    criterion, order = draw(st.sampled_from(CLASS_CRITERIA + [(name, 2.0) for name in REGRESSION]))
    if criterion in ("renyi", "tsallis") and math.isfinite(order):
        order = draw(st.sampled_from([order, 0.3, 1.02, 25.0]))
    parameters = draw(rules()) | {
        "max_bins": draw(st.sampled_from([2, 3, 255, 65535])),
        "max_features": draw(st.sampled_from([None, None, 1, 2])),
        "random_state": draw(st.integers(0, 100)),
    }
    if parameters["max_features"] is not None:
        parameters["max_features"] = min(parameters["max_features"], n_features)
    n_outputs = draw(st.sampled_from([1, 1, 1, 2]))
    has_bounds = n_outputs == 1 and draw(st.sampled_from([False, False, True]))
    if criterion in REGRESSION:
        y = draw(targets(n_rows, n_outputs, positive=criterion == "poisson"))
    else:
        y = draw(labels(n_rows, n_outputs, max_classes=2 if has_bounds else 4))
    if has_bounds and not np.isnan(X).any():
        parameters["monotonic_cst"] = [draw(st.sampled_from([-1, 0, 1])) for _ in range(n_features)]
    sample_weight = draw(weights(n_rows))
    if criterion == "poisson" and sample_weight is not None:
        sample_weight[0] = max(sample_weight[0], 1.0)
    return estimator_of(criterion, order, **parameters), X, y, sample_weight
