"""The information folder stands alone: no compiled module, nothing else of treelearn."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

from treelearn import information

FOLDER = Path(information.__file__).parent

ALONE = """
import sys
import information
assert "treelearn" not in sys.modules
assert float(information.entropy([1, 1], base=2, normalize=True)) == 1
"""


def test_needs_neither_a_compiler_nor_the_package():
    assert {path.suffix for path in FOLDER.iterdir() if path.is_file()} == {".py"}
    environment = {**os.environ, "PYTHONPATH": str(FOLDER.parent), "PYTHONSAFEPATH": "1"}
    subprocess.run([sys.executable, "-c", ALONE], env=environment, check=True)


def test_every_public_name_is_there_once():
    assert len(set(information.__all__)) == len(information.__all__)
    for name in information.__all__:
        assert getattr(information, name).__doc__


def test_every_function_says_what_it_takes_gives_raises_and_where_it_is_from():
    without_a_source = {"joint_counts", "per_class_outcomes", "top_label_outcomes"}
    for name in information.__all__:
        public = getattr(information, name)
        if inspect.isclass(public):
            continue
        sections = ["Parameters", "Returns", "Raises", "Examples"]
        sections += [] if name in without_a_source else ["References"]
        for section in sections:
            underlined = f"\n{section}\n{'-' * len(section)}\n"
            assert underlined in inspect.getdoc(public), f"{name} lacks {section}"
