"""Every level of instruction sets grows the same trees, to the bit."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

LEVELS = ["scalar", "avx2", "avx512"]

# Around the switch points: vectors of 8, 16 and 32 entries, blocks of 64 and 256, narrow lists of
# 12 to 1024 samples, sorts of 8 and 11 bits.
SIZES = [2, 3, 5, 8, 11, 12, 13, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 255, 257, 1000]
SIZES += [1023, 1024, 1025, 1100, 2500, 8191, 8193]

CLASSIFIERS = [
    {},
    {"criterion": "entropy"},
    {"criterion": "renyi", "order": 0.5},
    {"criterion": "renyi", "order": 2.0},
    {"criterion": "renyi", "order": 3.5},
    {"criterion": "renyi_mean", "order": 5.0},
    {"criterion": "tsallis", "order": 1.5},
    {"min_samples_leaf": 7},
    {"max_leaf_nodes": 12},
    {"max_features": 2},
    {"min_weight_fraction_leaf": 0.05},
]
REGRESSORS = [{}, {"min_samples_leaf": 5}, {"criterion": "poisson"}, {"max_features": 2}]


def tables():
    """Yield tables with ties, default and missing values of every size."""
    rng = np.random.default_rng(3)
    for size in SIZES:
        X = rng.normal(size=(size, 5))
        X[:, 1] = rng.integers(0, 7, size)
        X[:, 2] = np.where(rng.random(size) < 0.7, 0.5, rng.integers(0, 4, size))
        X[rng.random(size) < 0.15, 3] = np.nan
        yield X, rng


def trees():
    """Yield the trees that the levels must agree on."""
    for k, (X, rng) in enumerate(tables()):
        n_classes = (2, 2, 3, 11, 40)[k % 5]
        y = rng.integers(0, n_classes, len(X))
        weight = rng.integers(0, 4, len(X)) if k % 3 == 0 and len(X) > 12 else None
        dtype = np.float32 if k % 2 else np.float64
        for arguments in CLASSIFIERS:
            tree = DecisionTreeClassifier(random_state=k, n_jobs=1 + k % 2, **arguments)
            if tree.criterion == "renyi_mean" and n_classes > 2:
                continue
            tree.set_params(order=min(tree.order, 2.0 if tree.criterion == "renyi_mean" else 9.0))
            yield tree.fit(X.astype(dtype), y, weight)
        target = np.abs(rng.normal(size=len(X))) + 0.1
        for arguments in REGRESSORS:
            yield DecisionTreeRegressor(random_state=k, **arguments).fit(X, target, weight)


def digest():
    """Return a hash of all those trees."""
    found = hashlib.sha256()
    for estimator in trees():
        found.update(tree_bytes(estimator))
    return found.hexdigest()


def test_all_levels_give_the_same_bits():
    digests = {}
    for level in LEVELS:
        done = subprocess.run(
            [sys.executable, __file__],
            env={**os.environ, "TREELEARN_SIMD": level},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        digests[level] = json.loads(done.stdout)
    assert len(set(digests.values())) == 1, digests


def tree_bytes(estimator):
    """Return what a tree holds as bytes."""
    state = estimator._tree.__getstate__()
    arrays = [state[name] for name in sorted(state) if isinstance(state[name], np.ndarray)]
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.one_of(st.integers(2, 300), st.sampled_from([1000, 4100, 33000])),
    n_features=st.integers(1, 20),
    n_classes=st.sampled_from([2, 3, 10, 70]),
    min_samples_leaf=st.sampled_from([1, 2, 20, 40000]),
    dtype=st.sampled_from([np.float32, np.float64]),
    form=st.sampled_from(["codes", "lists"]),
)
@settings(max_examples=100, deadline=None)
def test_tables_of_few_values_give_the_same_bits(
    seed, size, n_features, n_classes, min_samples_leaf, dtype, form
):
    """Columns that become bits, codes of 8 and of 16 bits, with and without a usual value."""
    rng = np.random.default_rng(seed)
    X = np.empty((size, n_features), dtype=dtype)
    for column in X.T:
        column[:] = rng.integers(0, rng.choice([2, 9, 200, 900]), size)
        if rng.random() < 0.4:
            column[rng.random(size) < rng.random()] = 3
        if rng.random() < 0.2:
            column *= 0.25
        if rng.random() < 0.1:
            column[rng.random(size) < 0.1] = np.nan
    y = (np.nan_to_num(X[:, 0]).astype(int) + rng.integers(0, 2, size)) % n_classes
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TREELEARN_FORM", form)
        for level in LEVELS:
            patch.setenv("TREELEARN_SIMD", level)
            tree = DecisionTreeClassifier(min_samples_leaf=min_samples_leaf, random_state=0)
            found.append(tree_bytes(tree.fit(X.copy(), y)))
    assert len(set(found)) == 1


@pytest.mark.parametrize("size", [1024, 1025, 3000])
def test_trees_do_not_depend_on_the_order_of_rows(size):
    """Classification: whichever sample comes first, the counts are the same."""
    rng = np.random.default_rng(size)
    X, y = rng.integers(0, 400, (size, 4)).astype(float), rng.integers(0, 3, size)
    order = rng.permutation(size)
    a = DecisionTreeClassifier().fit(X, y)
    b = DecisionTreeClassifier().fit(X[order], y[order])
    for name in ("feature", "threshold", "impurity", "n_node_samples"):
        assert (getattr(a.tree_, name) == getattr(b.tree_, name)).all()


if __name__ == "__main__":
    print(json.dumps(digest()))
