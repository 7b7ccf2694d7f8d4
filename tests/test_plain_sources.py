"""The kernels compile for processors and compilers that have none of what they may use."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "treelearn"
COMPILER = shutil.which("gcc")
pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="needs gcc"),
    pytest.mark.skipif(not (PACKAGE / "_grower.pyx").exists(), reason="needs the sources"),
]


def list_kernels():
    """Return the names that the Cython sources take from every header."""
    kernels = {}
    for path in [*PACKAGE.rglob("*.pyx"), *PACKAGE.rglob("*.pxd")]:
        header = None
        for line in path.read_text().splitlines():
            if opening := re.match(r'cdef extern from "(native/.*?)"', line):
                header = opening[1]
            elif line and not line.startswith("    "):
                header = None
            if header is not None:
                kernels.setdefault(header, set()).update(re.findall(r"\b(tl_\w+)\(", line))
    return {header: sorted(names) for header, names in sorted(kernels.items()) if names}


def run(options, header, names):
    """Run the compiler over a program that takes every kernel of a header."""
    program = f'#include "{header}"\nvoid *kernels[] = {{{", ".join(names)}}};\n'
    return subprocess.run(
        [COMPILER, "-DTL_PLAIN", *options, f"-I{PACKAGE}", "-xc", "-"],
        input=program,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("header, names", list_kernels().items())
def test_every_kernel_has_a_plain_twin(header, names):
    done = run(["-std=gnu11", "-fsyntax-only", "-Werror=implicit"], header, names)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "header, names", [item for item in list_kernels().items() if item[0] != "native/queue.h"]
)
def test_plain_twins_ask_for_nothing_of_one_compiler(header, names, tmp_path):
    (tmp_path / "intrin.h").touch()
    done = run(["-E", "-U__GNUC__", "-D_MSC_VER=1930", f"-I{tmp_path}"], header, names)
    assert done.returncode == 0, done.stderr
    is_ours, found = False, []
    for line in done.stdout.splitlines():
        if place := re.match(r'# \d+ "(.*?)"', line):
            is_ours = str(PACKAGE) in place[1]
        elif is_ours and re.search(r"__builtin_|__attribute__|__atomic_", line):
            found.append(line)
    assert not found
