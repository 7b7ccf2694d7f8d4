"""The house: who may import whom, where optional libraries may appear, how long a file may be."""

import ast
import re
from pathlib import Path, PurePath

import pytest

ROOT = Path(__file__).resolve().parents[1]

# From the ground up.  A file imports from lower layers and from what stands before it in its own.
# A folder is one entry: its files may import each other.
LAYERS = (
    (
        *(
            "_version",
            "_files",
            "_types",
            "_address",
            "native",
            "information",
            "criteria",
            "_threads",
        ),
        *("_signals", "_crowd", "_impurity", "_cupy"),
    ),
    (
        *(
            "_target_units",
            "_units",
            "_checks",
            "_sorting",
            "_lists",
            "_statistics",
            "_hash",
            "_cache",
            "_guides",
            "_training_set",
        ),
        *("_code_layout", "_codes", "tree"),
    ),
    (
        *("_workspace", "_pass", "_largest", "_block", "_sweep", "_screened", "_runs", "_scan"),
        *("_absolute_error", "_splitter", "_partition", "_predict", "_code_types", "_code_scan"),
    ),
    (
        *(
            "_blocks",
            "_node",
            "_local",
            "_records",
            "_tiny",
            "_best_first",
            "_queue",
            "_depth_first",
            "_grower",
        ),
        *(
            "_code_node",
            "_code_grower",
            "_forms",
            "_code_fitting",
            "histogram",
            "_bounded_fitting",
            "_value_fitting",
        ),
        *("_fitting", "_device_fitting", "batched"),
    ),
    (
        *("_validation", "training_set", "_device", "_device_estimator", "_estimator"),
        *("classifier", "regressor", "forest"),
    ),
    (
        *("_show_versions", "_scores", "_tables", "_significance", "_study_data", "_study"),
        *("_comparison", "_tree_distance", "_pruning", "_leaf_statistics", "laboratory"),
        *("_information_report", "_columns", "model"),
        *("export", "plot", "report", "distributed"),
    ),
    (
        *("_terminal", "_text_table", "_options", "_model_words", "_fit_command"),
        *("_model_commands", "_compare_command", "_report_command", "cli", "__main__"),
    ),
    ("__init__",),
)
RANKS = {
    name: (layer, place) for layer, names in enumerate(LAYERS) for place, name in enumerate(names)
}

# The entries that may import what a user may lack, what would make every import slow, and what
# scikit-learn may change without notice.  Its other private parts are for _validation only.
HOMES = {
    "cupy": {"_cupy"},
    "duckdb": {"export"},
    "matplotlib": {"plot"},
    "onnx": {"export"},
    "onnxruntime": {"export"},
    "pandas": {"_tables"},
    "polars": set(),
    "pyarrow": {"_tables"},
    "rich": {"_terminal", "_text_table"},
    "skl2onnx": {"export"},
    "sklearn.base._fit_context": {"classifier", "regressor"},
    "sklearn.tree._tree": {"tree"},
    "sklearn.utils._param_validation": {"_validation", "classifier", "regressor"},
    "torch": {"batched"},
    "treelite": {"export"},
    "typer": {
        *("_terminal", "_options", "_fit_command", "_model_commands", "_compare_command"),
        *("_report_command", "cli"),
    },
}

MAX_LINES = 500


def sources(folder):
    """Return the files of a folder that are code, relative to the root."""
    suffixes = {".py", ".pyx", ".pxd", ".pxi", ".h", ".cu", ".js"}
    found = (path for path in (ROOT / folder).rglob("*") if path.suffix in suffixes)
    return sorted(path.relative_to(ROOT) for path in found)


SOURCES = sources("treelearn")

CYTHON_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<origin>[.\w]+)[ \t]+c?import[ \t]+(?P<names>\([^)]*\)|[^\n#]*)"
    r"|c?import[ \t]+(?P<modules>\w[^\n#]*))",
    re.MULTILINE,
)


def first_words(names):
    """Return what ``a as b, c`` imports: a and c."""
    return [part.split()[0] for part in names.strip(" \t()").split(",") if part.strip()]


def import_statements(path, source):
    """Yield (dots and module, names imported from it) of every import, those in functions too."""
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, []
            elif isinstance(node, ast.ImportFrom):
                yield "." * node.level + (node.module or ""), [alias.name for alias in node.names]
    elif path.suffix in (".pyx", ".pxd", ".pxi"):
        for match in CYTHON_IMPORT.finditer(source):
            if match["origin"]:
                yield match["origin"], first_words(match["names"])
            else:
                for module in first_words(match["modules"]):
                    yield module, []


def imported_modules(path, source):
    """Yield what a source imports: the parts of its absolute name, as a tuple."""
    for origin, names in import_statements(path, source):
        module = origin.lstrip(".")
        n_dots = len(origin) - len(module)
        parts = path.parts[: len(path.parts) - n_dots] if n_dots else ()
        parts += tuple(filter(None, module.split(".")))
        yield from [(*parts, name) for name in names] or [parts]


def entry_of(parts):
    """Return the entry of LAYERS that a module of the package belongs to.

    What is no entry is a name that ``__init__`` exports.
    """
    return parts[1] if len(parts) > 1 and parts[1] in RANKS else "__init__"


def is_at_home(entry, parts):
    """Return whether an entry may import something from outside the package."""
    for n_parts in range(1, len(parts) + 1):
        homes = HOMES.get(".".join(parts[:n_parts]))
        if homes is not None:
            return entry in homes
    is_private = parts[0] == "sklearn" and any(part.startswith("_") for part in parts)
    return not is_private or entry == "_validation"


def violations(path, source):
    """Return one sentence for every rule of the house that the imports of a source break."""
    path = PurePath(path)
    entry = path.with_suffix("").parts[1]
    if entry not in RANKS:
        return [f"{path} has no layer: give it one in tests/test_layers.py"]
    found = []
    for parts in imported_modules(path, source):
        target = entry_of(parts)
        if parts[0] != "treelearn":
            if not is_at_home(entry, parts):
                found.append(f"{path} imports {'.'.join(parts)}, which is not at home there")
        elif target != entry and RANKS[target] >= RANKS[entry]:
            found.append(f"{path} imports {target}, which stands above it")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_imports_only_from_below(path):
    assert violations(path, (ROOT / path).read_text()) == []


@pytest.mark.parametrize("path", SOURCES + sources("tests") + sources("benchmarks"), ids=str)
def test_is_short(path):
    n_lines = len((ROOT / path).read_text().splitlines())
    assert n_lines <= MAX_LINES


@pytest.mark.parametrize(
    ("path", "source", "word"),
    [
        ("treelearn/newcomer.py", "", "no layer"),
        ("treelearn/newcomer.pyx", "", "no layer"),
        ("treelearn/criteria.py", "from .tree import Tree", "tree"),
        ("treelearn/criteria.py", "def f():\n    from treelearn.tree import Tree", "tree"),
        ("treelearn/criteria.py", "import treelearn.tree as t", "tree"),
        ("treelearn/criteria.py", "from . import tree", "tree"),
        ("treelearn/criteria.py", "from treelearn import DecisionTreeClassifier", "__init__"),
        ("treelearn/criteria.py", "import treelearn", "__init__"),
        ("treelearn/histogram/grower.py", "from ..classifier import X", "classifier"),
        ("treelearn/histogram/grower.py", "from .. import classifier", "classifier"),
        ("treelearn/_scan.pyx", "from ._splitter cimport Splitter", "_splitter"),
        ("treelearn/_scan.pxd", "from treelearn cimport _types, _splitter", "_splitter"),
        ("treelearn/_scan.pyx", "from . cimport (\n    _types,\n    _splitter,\n)", "_splitter"),
        ("treelearn/_scan.pyx", "cimport numpy, treelearn._grower as g", "_grower"),
        ("treelearn/classifier.py", "from .regressor import X", "regressor"),
        ("treelearn/classifier.py", "import pandas as pd", "pandas"),
        ("treelearn/_scan.pyx", "    import matplotlib.pyplot as plt", "matplotlib"),
        ("treelearn/classifier.py", "from sklearn.tree._tree import Tree", "_tree"),
        ("treelearn/classifier.py", "from sklearn.tree import _tree", "_tree"),
        ("treelearn/classifier.py", "def f():\n    import sklearn.utils._tags", "_tags"),
    ],
)
def test_a_violation_is_seen(path, source, word):
    found = violations(path, source)
    assert len(found) == 1
    assert word in found[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("treelearn/tree.py", "import numpy as np\nfrom .criteria import parse_criterion"),
        ("treelearn/_scan.pyx", "from ._types cimport *\nfrom libc.math cimport log  # x"),
        ("treelearn/_scan.pyx", "from ._scan cimport Block"),
        ("treelearn/_scan.pyx", 'cdef extern from "native/impurity.h":\n    pass'),
        (
            "treelearn/histogram/grower.py",
            "from .numpy_kernels import fill\nfrom ..tree import Tree",
        ),
        ("treelearn/regressor.py", "from .classifier import X"),
        ("treelearn/regressor.py", "from sklearn.tree import DecisionTreeRegressor"),
        ("treelearn/tree.py", "from sklearn.tree._tree import Tree"),
        ("treelearn/_validation.py", "from sklearn.utils.validation import _check_n_features"),
        ("treelearn/cli.py", "import typer\nfrom .laboratory import compare_criteria"),
        ("treelearn/__init__.py", "from .cli import main\nfrom .criteria import CRITERIA"),
    ],
)
def test_what_is_allowed_is_not_a_violation(path, source):
    assert violations(path, source) == []
