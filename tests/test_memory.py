"""Every allocation of the compiled modules may fail: MemoryError, and nothing is left behind."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("failing_malloc.c")

PROGRAM = """
import ctypes, os
import numpy as np
from scipy.sparse import csc_matrix
from treelearn import DecisionTreeClassifier as Classifier, DecisionTreeRegressor as Regressor
from treelearn import clear_training_cache
from treelearn.batched import best_splits

malloc = ctypes.CDLL(None)
malloc.start_counting.argtypes = [ctypes.c_long]
malloc.asked.restype = malloc.held.restype = ctypes.c_long

rng = np.random.default_rng(0)
X = rng.normal(size=(1500, 4))
X[:, 1] = rng.integers(0, 9, len(X))
X[:, 2] = 0.5 + 1e-12 * X[:, 2]  # equal as float32
y = (X[:, 0] + X[:, 1] > rng.normal(size=len(X))).astype(int)
y += rng.random(len(X)) < 0.1
missing = np.where(rng.random(X.shape) < 0.1, np.nan, X)
counts = rng.integers(0, 5, (40, 3, 8, 3))
weights = rng.random(len(X))


def fit(X, y, weights=None, form=None, estimator=Classifier, **params):
    os.environ.pop("TREELEARN_FORM", None)
    if form is not None:
        os.environ["TREELEARN_FORM"] = form
    return estimator(n_jobs=1, **params).fit(X, y, weights)


calls = {
    "lists": lambda: fit(X, y, form="lists"),
    "entropy": lambda: fit(missing, y, form="lists", criterion="entropy"),
    "codes": lambda: fit(np.round(X, 1), y, form="codes"),
    "bins": lambda: fit(X, y, form="bins"),
    "max_bins": lambda: fit(missing, y, max_bins=32),
    "best first": lambda: fit(X, y, max_leaf_nodes=100),
    "best first on bins": lambda: fit(missing, y, max_bins=32, max_leaf_nodes=30),
    "weights": lambda: fit(X, y, weights),
    "sparse": lambda: fit(csc_matrix(np.round(X)), y),
    "targets": lambda: fit(X, X[:, 0], estimator=Regressor),
    "absolute error": lambda: fit(
        X[:400], X[:400, 0], estimator=Regressor, criterion="absolute_error"
    ),
    "histograms": lambda: best_splits(counts, "entropy"),
}


def outcome(call, failing):
    clear_training_cache()
    malloc.start_counting(failing)
    try:
        call()
    except MemoryError:
        return "refused"
    else:
        return "done"
    finally:
        malloc.stop_counting()


for name, call in calls.items():
    call()
    assert outcome(call, -1) == "done"
    n_allocations = malloc.asked()
    assert n_allocations > 5, (name, n_allocations)
    # The first ones, which every fit makes once, and some of those that every node makes.
    rest = range(80, n_allocations, n_allocations // 20 + 1)
    for k in (*range(min(n_allocations, 80)), *rest):
        assert outcome(call, k) == "refused", (name, k)
        assert malloc.held() == 0, (name, k, malloc.held())
    assert outcome(call, -1) == "done"
"""


@pytest.fixture(scope="module")
def failing_malloc(tmp_path_factory):
    """Return the library to preload, or skip the test."""
    if not sys.platform.startswith("linux") or shutil.which("cc") is None:
        pytest.skip("needs Linux and a C compiler")
    if os.environ.get("LD_PRELOAD"):
        pytest.skip("another library is preloaded, the sanitizer's malloc for one")
    library = tmp_path_factory.mktemp("malloc") / "failing_malloc.so"
    done = subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-fno-builtin", SOURCE, "-o", library, "-ldl"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return library


def test_every_allocation_may_fail(failing_malloc):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "LD_PRELOAD": str(failing_malloc)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    if "undefined symbol: __libc_" in done.stderr:
        pytest.skip("needs glibc")
    assert done.returncode == 0, done.stderr
