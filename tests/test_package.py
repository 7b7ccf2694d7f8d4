"""The package as it is installed: compiled, documented, light to import."""

import doctest
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import distributions, version
from pathlib import Path

import pytest

import treelearn

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(treelearn.__file__).resolve().parent

PUBLIC_NAMES = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "TrainingSet",
    "__version__",
    "best_splits",
    "clear_training_cache",
    "compare_criteria",
    "impurity",
    "information_report",
    "set_training_cache_size",
    "show_versions",
    "split_gains",
    "training_cache_info",
]

# Importing __main__ would start the command line.
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages([str(PACKAGE)], "treelearn.")
    if not name.endswith("__main__")
]


def test_the_installed_package_is_imported():
    # A source distribution unpacked here describes itself too, and says nothing of its origin.
    origins = [
        json.loads(found.read_text("direct_url.json") or "{}")
        for found in distributions(name="treelearn")
    ]
    if not any(origin.get("dir_info", {}).get("editable", False) for origin in origins):
        assert ROOT not in PACKAGE.parents


def test_every_cython_source_is_compiled():
    sources = [path.relative_to(ROOT) for path in (ROOT / "treelearn").rglob("*.pyx")]
    assert sources
    for source in sources:
        module = importlib.import_module(".".join(source.with_suffix("").parts))
        assert module.__file__.endswith(tuple(EXTENSION_SUFFIXES))


def test_headers_are_installed():
    for source in (ROOT / "treelearn").rglob("*.h"):
        assert (PACKAGE.parent / source.relative_to(ROOT)).is_file()


def test_version():
    assert treelearn.__version__ == version("treelearn")


def test_public_names():
    assert sorted(treelearn.__all__) == PUBLIC_NAMES
    for name in PUBLIC_NAMES:
        assert getattr(treelearn, name).__doc__


def test_show_versions(capsys):
    treelearn.show_versions()
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["treelearn"] == treelearn.__version__
    assert lines["scikit-learn"] == version("scikit-learn")
    assert lines["OpenMP"] in ("yes", "no")
    assert int(lines["threads"]) >= 1


WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"matplotlib", "pandas", "polars", "pyarrow", "rich", "typer"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import treelearn
treelearn.DecisionTreeClassifier().fit([[0], [1]], [0, 1]).predict([[0]])
"""


def test_works_without_what_is_optional_or_slow_to_import(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    subprocess.run([sys.executable, "-c", WITHOUT], cwd=tmp_path, env=environment, check=True)


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=flags)
    assert failed == 0


def test_doctests_of_the_readme():
    failed, _ = doctest.testfile(
        str(ROOT / "README.md"), module_relative=False, optionflags=doctest.ELLIPSIS
    )
    assert failed == 0
