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
    y: np.ndarray  # (n_samples,) or (n_samples, 2), class codes as int64 or values as float64
    sample_weight: np.ndarray | None = None  # (n_samples,)
    limits: Mapping[str, object] = field(default_factory=dict)
    is_for_few: bool = False  # asks for what no peer but scikit-learn has
    is_default: bool = False  # fitted as `Estimator().fit(X, y)`: no seed, no thread count
    budget_factor: float = 1.0  # more time than others, where one fit takes seconds
    min_rounds: int = 3  # fewer where one fit of scikit-learn takes a minute

    @property
    def n_classes(self):
        """Number of classes, or None for regression."""
        return int(self.y.max()) + 1 if self.task == "classification" else None

    @property
    def has_missing(self):
        """Whether any value is missing."""
        return bool(np.isnan(self.X).any())


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


def with_missing(seed, dtype, **more):
    """Make two classes, and let a tenth of every fourth column be missing."""
    made = classification(2, seed, dtype, **more)
    is_missing = np.random.default_rng(seed).random(made["X"][:, ::4].shape) < 0.1
    made["X"][:, ::4][is_missing] = np.nan
    return made


def with_weights(seed, dtype, **more):
    """Make two classes, and weights from 1 to 5."""
    made = classification(2, seed, dtype, **more)
    weights = np.random.default_rng(seed).integers(1, 6, size=len(made["y"]))
    return {**made, "sample_weight": weights.astype(np.float64)}


def with_real_weights(seed, dtype, **more):
    """Make four classes, and weights from 0.1 to 1.1."""
    made = classification(4, seed, dtype, **more)
    weights = np.random.default_rng(seed).random(len(made["y"])) + 0.1
    return {**made, "sample_weight": weights}


def with_second_output(make, seed, dtype, **more):
    """Make a table and a second output: the first one, half of it noise."""
    made = make(seed=seed, dtype=dtype, **more)
    rng = np.random.default_rng(seed)
    is_kept = rng.random(len(made["y"])) < 0.5
    second = np.where(is_kept, made["y"], rng.permutation(made["y"]))
    return {**made, "y": np.column_stack([made["y"], second])}


def regression(seed, dtype, *, n_samples=200_000, n_features=20, **more):
    """Make normal columns and a target of waves, a product, a kink, a linear part and noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features)).astype(dtype)
    y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * np.abs(X[:, 3])
    y = y + 0.3 * X[:, 4:8].sum(axis=1) + 0.3 * rng.normal(size=n_samples)
    return {"task": "regression", "X": X, "y": y.astype(np.float64), **more}


def images(seed, dtype, *, n_samples=60_000, n_classes=10, side=28, **more):
    """Make pictures of whole numbers from 0 to 255, five sixths of them 0.

    Each class has three prototypes of six soft dots; a picture is one of them, moved by up to
    two pixels, made lighter or darker, with noise where it is lit. 2 % of the labels are wrong.
    """
    rng = np.random.default_rng(seed)
    n_prototypes, n_dots = 3 * n_classes, 6
    centre = rng.uniform(5, side - 5, size=(2, n_prototypes, n_dots, 1))
    width = rng.uniform(1.2, 2.6, size=(n_prototypes, n_dots, 1))
    profile = np.exp(-((np.arange(side) - centre) ** 2) / (2 * width**2))
    prototypes = np.einsum("pdi,pdj->pij", *profile)
    prototypes /= prototypes.max(axis=(1, 2), keepdims=True)
    moves = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
    moved = np.stack([np.roll(prototypes, move, axis=(1, 2)) for move in moves])

    y = rng.integers(n_classes, size=n_samples)
    prototype = 3 * y + rng.integers(3, size=n_samples)
    move = rng.integers(len(moves), size=n_samples)
    X = np.empty((n_samples, side * side), dtype=dtype)
    for first in range(0, n_samples, 4096):  # a part at a time: half a gigabyte less
        part = slice(first, first + 4096)
        picture = moved[move[part], prototype[part]]
        noise = rng.normal(0, 0.08, size=picture.shape) * (picture > 0.08)
        picture = picture * rng.uniform(0.7, 1.1, size=(len(picture), 1, 1)) + noise
        picture[picture < 0.25] = 0.0
        X[part] = np.floor(np.clip(255 * picture, 0, 255)).reshape(len(picture), -1)
    is_wrong = rng.random(n_samples) < 0.02
    y[is_wrong] = rng.integers(n_classes, size=np.count_nonzero(is_wrong))
    return {"task": "classification", "X": X, "y": y.astype(np.int64), **more}


def iris(seed, dtype):
    """Load the small table as a user meets it: float64, nothing set, whatever seed and dtype."""
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    return {"task": "classification", "X": X, "y": y.astype(np.int64), "is_default": True}


_MILLION = {"n_samples": 1_000_000, "min_rounds": 1}

SYNTHETIC = {
    "100k_2_classes": partial(classification, 2, budget_factor=3.0),
    "1m_2_classes": partial(classification, 2, **_MILLION),
    "100k_10_classes": partial(classification, 10),
    "1m_10_classes": partial(classification, 10, **_MILLION),
    "100k_100_classes": partial(classification, 100),
    "100k_depth_8": partial(classification, 2, limits={"max_depth": 8}),
    "1m_depth_8": partial(classification, 2, limits={"max_depth": 8}, **_MILLION),
    "images": partial(images, min_rounds=1),
    "200k_regression": partial(regression, limits={"min_samples_leaf": 5}),
    "200k_sqrt_features": partial(
        classification, 2, n_samples=200_000, n_features=100, limits={"max_features": "sqrt"}
    ),
    "200k_missing": partial(with_missing, n_samples=200_000),
    "100k_weights": with_weights,
    "100k_best_first": partial(classification, 2, limits={"max_leaf_nodes": 255}),
    "20k_real_weights": partial(with_real_weights, n_samples=20_000),
    "20k_two_outputs": partial(
        with_second_output, partial(classification, 4), n_samples=20_000, is_for_few=True
    ),
    "20k_two_targets": partial(with_second_output, regression, n_samples=20_000, is_for_few=True),
    "20k_monotonic": partial(
        classification,
        2,
        n_samples=20_000,
        limits={"monotonic_cst": [1, -1] + 18 * [0]},
        is_for_few=True,
    ),
    "5k_absolute_error": partial(
        regression, n_samples=5_000, limits={"criterion": "absolute_error"}, is_for_few=True
    ),
    "iris": iris,
}


def load_synthetic(name, seed=0, dtype="float32", most_rows=None):
    """Make a synthetic workload (or iris) by its name in `SYNTHETIC`, or a part of one."""
    if name == "iris":
        return Workload(name=name, kind="table", **iris(seed, dtype))
    make = SYNTHETIC[name]
    size = {}
    if most_rows is not None:
        default = {"200k": 200_000, "1m": 1_000_000, "images": 60_000, "20k": 20_000, "5k": 5_000}
        size["n_samples"] = min(most_rows, default.get(name.split("_")[0], 100_000))
    return Workload(name=name, kind="synthetic", **make(seed=seed, dtype=dtype, **size))


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


def load_table(name, dtype="float32", most_rows=None):
    """Read a real table: categorical columns as ordinal codes, missing values as NaN."""
    import pandas as pd

    folder = data_folder()
    entries = json.loads((folder / "datasets.json").read_text(encoding="utf-8"))["datasets"]
    entry = next(e for e in entries if e["name"] == name)
    frame = pd.read_parquet(folder / entry["file"])
    if most_rows is not None and most_rows < len(frame):
        frame = frame.iloc[np.linspace(0, len(frame) - 1, most_rows).astype(int)]
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
