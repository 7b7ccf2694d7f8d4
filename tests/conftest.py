"""Fixtures: data sets, array libraries, thread counts, real tables; the hypothesis profiles."""

import os
from pathlib import Path

import array_api_compat
import hypothesis
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from treelearn._crowd import ignore_crowd

# Processes that tests start import what these tests import, never the source folder they stand in.
os.environ["PYTHONSAFEPATH"] = "1"

# A test run must find the same examples everywhere: what a machine's speed or a random seed
# decides cannot be repeated by whoever reads the failure.
hypothesis.settings.register_profile(
    "ci",
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "thorough",
    max_examples=1000,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Numbers of threads are compared on busy machines, too, where fewer threads would be used.
ignore_crowd(True)


@pytest.fixture(params=[1, 2, 3])
def n_jobs(request):
    """Return a number of threads."""
    return request.param


@pytest.fixture
def rng():
    """Return a generator that gives every test the same numbers."""
    return np.random.default_rng(20)


@pytest.fixture(params=[load_iris, load_wine, load_breast_cancer], ids=["iris", "wine", "cancer"])
def class_table(request):
    """Return X and y of a bundled classification set."""
    return request.param(return_X_y=True)


@pytest.fixture
def diabetes():
    """Return X and y of a bundled regression set."""
    return load_diabetes(return_X_y=True)


@pytest.fixture(scope="session")
def data_folder():
    """Return the folder of real tables, or skip the test."""
    named = os.environ.get("TREELEARN_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (folder / "datasets.json").is_file():
        pytest.skip("no real tables: set TREELEARN_DATA to a folder with datasets.json")
    pytest.importorskip("pyarrow", reason="real tables are Parquet files")
    return folder


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    """Return the CPU twins of the CUDA sources, of one thread and of several, or skip."""
    from cuda_twin import build_threaded_twins, build_twins

    return {
        "twin": build_twins(tmp_path_factory.mktemp("twin")),
        "threads": build_threaded_twins(tmp_path_factory.mktemp("threads")),
    }


@pytest.fixture(scope="session", params=["numpy", "array_api_strict", "torch", "cupy"])
def xp(request):
    """Return the array API namespace of a library, or skip the test where it is absent."""
    library = pytest.importorskip(request.param, reason=f"{request.param} is not installed")
    if request.param == "cupy" and not library.is_available():
        pytest.skip("no GPU for CuPy")
    return array_api_compat.array_namespace(library.empty(1))
