"""What is fitted: synthetic workloads with a settable seed, and the real tables.

The real tables lie in the folder named by TREELEARN_DATA, else in ../shared/data beside the
checkout: Parquet files, described by a datasets.json.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import ROOT


@dataclass(frozen=True)
class Workload:
    """A table with its target, and what a fit on it is asked to do."""

    name: str
    kind: str  # "synthetic" or "table"
    task: str  # "classification" or "regression"
    X: np.ndarray  # (n_samples, n_features), C order
    y: np.ndarray  # (n_samples,), class codes as int64 or values as float64
    limits: Mapping[str, int] = field(default_factory=dict)
    is_default: bool = False  # fitted as `Estimator().fit(X, y)`: no seed, no thread count
    budget_factor: float = 1.0  # more time than others, where one fit takes seconds

    @property
    def n_classes(self):
        """Number of classes, or None for regression."""
        return int(self.y.max()) + 1 if self.task == "classification" else None


def classification(n_classes, seed, dtype, *, n_samples=100_000, n_features=20, **more):
    """Make continuous columns, half of them informative and a fifth redundant."""
    from sklearn.datasets import make_classification

    X, y = make_classification(
        n_samples=n_samples,
        n_features=n_features,
        n_informative=n_features // 2,
        n_redundant=n_features // 5,
        n_classes=n_classes,
        n_clusters_per_class=2 if n_classes <= 10 else 1,  # more do not fit the hypercube
        flip_y=0.05,
        class_sep=1.0,
        random_state=seed,
    )
    X = np.ascontiguousarray(X, dtype=dtype)
    return {"task": "classification", "X": X, "y": y.astype(np.int64), **more}


def regression(seed, dtype, *, n_samples=200_000, n_features=20, **more):
    """Make normal columns and a target of waves, a product, a kink, a linear part and noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features)).astype(dtype)
    y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * np.abs(X[:, 3])
    y = y + 0.3 * X[:, 4:8].sum(axis=1) + 0.3 * rng.normal(size=n_samples)
    return {"task": "regression", "X": X, "y": y.astype(np.float64), **more}


def iris(seed, dtype):
    """Load the small table as a user meets it: float64, nothing set, whatever seed and dtype."""
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    return {"task": "classification", "X": X, "y": y.astype(np.int64), "is_default": True}


SYNTHETIC = {
    "100k_2_classes": partial(classification, 2, budget_factor=3.0),
    "100k_10_classes": partial(classification, 10),
    "100k_100_classes": partial(classification, 100),
    "200k_regression": partial(regression, limits={"min_samples_leaf": 5}),
    "iris": iris,
}

# Times faster than scikit-learn, float32, default criterion; all others: not slower.
FLOORS = {"100k_2_classes": 12.0}


def load_synthetic(name, seed=0, dtype="float32"):
    """Make a synthetic workload (or iris) by its name in `SYNTHETIC`."""
    kind = "table" if name == "iris" else "synthetic"
    return Workload(name=name, kind=kind, **SYNTHETIC[name](seed=seed, dtype=dtype))


def data_folder():
    """Return the folder of the real tables, or None where there is none."""
    named = os.environ.get("TREELEARN_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if (folder / "datasets.json").is_file() else None


def list_tables():
    """Return the names of the real tables, the smallest number of cells first."""
    folder = data_folder()
    if folder is None:
        return []
    entries = json.loads((folder / "datasets.json").read_text(encoding="utf-8"))["datasets"]
    return [e["name"] for e in sorted(entries, key=lambda e: e["rows"] * e["columns"])]


def load_table(name, dtype="float32"):
    """Read a real table: categorical columns as ordinal codes, missing values as NaN."""
    import pandas as pd

    folder = data_folder()
    entries = json.loads((folder / "datasets.json").read_text(encoding="utf-8"))["datasets"]
    entry = next(e for e in entries if e["name"] == name)
    frame = pd.read_parquet(folder / entry["file"])
    target = frame.pop(entry["target"])
    X = np.empty(frame.shape, dtype=dtype)
    for j, (_, column) in enumerate(frame.items()):
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy()
            X[:, j] = np.where(codes < 0, np.nan, codes)
        else:
            X[:, j] = column.to_numpy(dtype=dtype, na_value=np.nan)
    if entry["task"] == "classification":
        y = pd.factorize(target, sort=True)[0].astype(np.int64)
    else:
        y = target.to_numpy(dtype=np.float64)
    return Workload(name=name, kind="table", task=entry["task"], X=X, y=y)
