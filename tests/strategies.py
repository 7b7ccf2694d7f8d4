"""Hypothesis strategies: small tables full of ties, weights, missing values and rules."""

import math

import numpy as np
from hypothesis import strategies as st

ORDERS = (0.5, 1.0, 1.5, 2.0, 3.0, 10.0, 50.0)
CLASS_CRITERIA = [
    ("gini", 2.0),
    ("entropy", 2.0),
    ("log_loss", 2.0),
    ("misclassification", 2.0),
    *[("renyi", order) for order in (*ORDERS, math.inf)],
    *[("renyi_mean", order) for order in (*ORDERS, math.inf)],
    *[("tsallis", order) for order in ORDERS],
]
TARGET_CRITERIA = ["squared_error", "absolute_error", "poisson", "gaussian_entropy"]

# Quarters are exact in float32 too; tenths are not, and cut at midpoints that round.
CELLS = {
    "few": st.integers(0, 3).map(float),
    "quarters": st.integers(-20, 20).map(lambda k: k / 4.0),
    "tenths": st.integers(-9, 9).map(lambda k: k / 10.0),
    "wide": st.sampled_from([-1e300, -1e10, -1.0, 0.0, 5e-324, 1e-10, 1.0, 2.0**53, 1e300]),
}


@st.composite
def tables(draw, max_rows=24):
    """Draw X of float64, one kind of cell per column, perhaps with missing values."""
    n_rows = draw(st.integers(2, max_rows))
    n_features = draw(st.integers(1, 3))
    columns = []
    for _ in range(n_features):
        cell = CELLS[draw(st.sampled_from(sorted(CELLS)))]
        if draw(st.booleans()):
            cell = st.one_of(cell, cell, st.just(math.nan))
        columns.append(draw(st.lists(cell, min_size=n_rows, max_size=n_rows)))
    return np.array(columns, dtype=np.float64).T


@st.composite
def weights(draw, n_rows):
    """Draw None, whole weights with zeros, quarters, or fractions of any kind."""
    kind = draw(st.sampled_from(["none", "none", "whole", "quarters", "any"]))
    if kind == "none":
        return None
    cell = {
        "whole": st.integers(0, 3).map(float),
        "quarters": st.integers(0, 8).map(lambda k: k / 4.0),
        "any": st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0, math.pi, 17.3, 1e-3, 1e3]),
    }[kind]
    found = np.array(draw(st.lists(cell, min_size=n_rows, max_size=n_rows)))
    if found.sum() == 0.0:
        found[0] = 1.0
    return found


@st.composite
def labels(draw, n_rows, n_outputs=1, max_classes=4):
    """Draw class numbers, one column per output."""
    columns = []
    for _ in range(n_outputs):
        top = draw(st.integers(1, max_classes)) - 1
        columns.append(draw(st.lists(st.integers(0, top), min_size=n_rows, max_size=n_rows)))
    return np.array(columns[0]) if n_outputs == 1 else np.array(columns).T


@st.composite
def targets(draw, n_rows, n_outputs=1, positive=False):
    """Draw targets with many ties; at least one is positive if so asked."""
    cell = st.one_of(
        st.integers(0, 4).map(float),
        st.sampled_from([0.1, 0.2, 0.7, 1e-3, 12.5]),
    )
    if not positive:
        cell = st.one_of(cell, st.integers(-3, -1).map(float))
    columns = [draw(st.lists(cell, min_size=n_rows, max_size=n_rows)) for _ in range(n_outputs)]
    y = np.array(columns).T
    if positive:
        y[y.sum(axis=1) == 0.0] += draw(st.sampled_from([0.0, 1.0]))
        y[0] += 1.0
    return y[:, 0] if n_outputs == 1 else y


@st.composite
def rules(draw, constrained=True):
    """Draw stopping rules."""
    found = {"max_depth": draw(st.sampled_from([None, None, 1, 3]))}
    if constrained:
        found |= {
            "min_samples_split": draw(st.sampled_from([2, 2, 5, 0.3])),
            "min_samples_leaf": draw(st.sampled_from([1, 1, 2, 3, 0.15])),
            "min_weight_fraction_leaf": draw(st.sampled_from([0.0, 0.0, 0.1, 0.25])),
            "min_impurity_decrease": draw(st.sampled_from([0.0, 0.0, 0.02])),
            "max_leaf_nodes": draw(st.sampled_from([None, None, 2, 4, 100])),
        }
    return found
