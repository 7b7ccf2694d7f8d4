"""Benchmarks of treelearn; each module but the helpers runs alone: ``python -m benchmarks.fit``."""

import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# `python -m` puts the checkout first on the path. Its treelearn folder is what should be measured
# only when it was compiled in place; otherwise it would hide the installed, compiled package.
SUFFIXES = tuple(EXTENSION_SUFFIXES)
if not any(path.name.endswith(SUFFIXES) for path in (ROOT / "treelearn").glob("*")):
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != ROOT]
