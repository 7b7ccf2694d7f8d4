"""Build of the compiled modules; everything that is not compiled stands in pyproject.toml.

Two environment variables change the build:

TREELEARN_BUILD
    release (the default); debug, with bounds checks and with the address and undefined-behaviour
    sanitizers, whose library a Python that was built without them must preload; coverage, with
    line tracing for the plugin Cython.Coverage.
TREELEARN_OPENMP
    0 builds for one thread without looking for OpenMP.
"""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import Cython
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError

MODES = ("release", "debug", "coverage")
MODE = os.environ.get("TREELEARN_BUILD", "release")
if MODE not in MODES:
    raise SystemExit(f"TREELEARN_BUILD={MODE}: must be one of {', '.join(MODES)}")

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": MODE == "debug",
    "initializedcheck": MODE == "debug",
    "wraparound": False,
    "cdivision": True,
    "linetrace": MODE == "coverage",
}

# Sums must have the same bits on every machine: no fused multiply-add that the source does not
# ask for, and no -ffast-math, which would also lose NaN.
# Nobody reads the exception flags, and minding them would keep comparisons out of vector code.
FLAGS = {
    "unix": ["-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"],
    "msvc": ["/O2", "/fp:precise"],
}
SANITIZERS = ["-fsanitize=address,undefined"]
DEBUG_FLAGS = ["-O1", "-g", "-fno-omit-frame-pointer", *SANITIZERS]
TRACING = [("CYTHON_TRACE_NOGIL", "1"), ("CYTHON_USE_SYS_MONITORING", "0")]

# What every module with a memoryview would else hold, compile and load a copy of.
SHARED = "treelearn._cython_shared"

# Arguments for the compiler and for the linker, in the order in which they are tried.
OPENMP = {
    "unix": [(["-fopenmp"], ["-fopenmp"]), (["-Xpreprocessor", "-fopenmp"], ["-lomp"])],
    "msvc": [(["/openmp"], [])],
}
OPENMP_PROGRAM = """
#include <omp.h>
int main(void) {
    int n_threads = 0;
    #pragma omp parallel num_threads(2) reduction(+:n_threads)
    n_threads += omp_get_num_threads() > 0;
    return n_threads == 0;
}
"""


def find_openmp(compiler):
    """Return the arguments with which an OpenMP program compiles and links, or None."""
    if os.environ.get("TREELEARN_OPENMP") == "0":
        return None
    with TemporaryDirectory() as folder:
        program = Path(folder, "openmp.c")
        program.write_text(OPENMP_PROGRAM)
        for compile_args, link_args in OPENMP.get(compiler.compiler_type, OPENMP["unix"]):
            try:
                objects = compiler.compile([str(program)], folder, extra_postargs=compile_args)
                compiler.link_executable(
                    objects, str(Path(folder, "openmp")), extra_postargs=link_args
                )
            except (CompileError, LinkError):
                continue
            return compile_args, link_args
    return None


class BuildExt(build_ext):
    """Probe the compiler, translate the Cython sources, compile on all processors."""

    def build_extensions(self):
        """Build all compiled modules."""
        openmp = find_openmp(self.compiler)
        print(
            f"treelearn: {MODE} build, "
            + (f"OpenMP found ({' '.join(openmp[0])})" if openmp else "no OpenMP: one thread"),
            flush=True,
        )
        compile_args = list(FLAGS.get(self.compiler.compiler_type, FLAGS["unix"]))
        link_args = []
        if MODE == "debug" and self.compiler.compiler_type != "msvc":
            compile_args = compile_args[1:] + DEBUG_FLAGS
            link_args = SANITIZERS
        if openmp:
            compile_args = compile_args + openmp[0]
            link_args = link_args + openmp[1]
        macros = TRACING if MODE == "coverage" else []

        # The times of the files do not tell that the flags have changed.
        flags = [DIRECTIVES, SHARED, compile_args, link_args, macros]
        settings = json.dumps([Cython.__version__, *flags])
        built_with = Path("build", "built-with.json")
        if not built_with.exists() or built_with.read_text() != settings:
            self.force = True
        built_with.unlink(missing_ok=True)

        n_processors = os.cpu_count() or 1
        translated = cythonize(
            self.extensions,
            # The coverage plugin looks for the C files beside their sources.
            build_dir=None if MODE == "coverage" else f"build/cython-{MODE}",
            compiler_directives=DIRECTIVES,
            force=self.force,
            nthreads=min(n_processors, len(self.extensions)),
            shared_utility_qualified_name=SHARED,
        )
        for extension, found in zip(self.extensions, translated, strict=True):
            extension.sources = found.sources
            extension.extra_compile_args = compile_args
            extension.extra_link_args = link_args
            extension.define_macros = macros
        self.parallel = self.parallel or n_processors
        super().build_extensions()

        built_with.parent.mkdir(exist_ok=True)
        built_with.write_text(settings)


def extensions():
    """Return one extension for every Cython source of the package, and what they share."""
    package = Path("treelearn")
    depends = sorted(str(path) for suffix in ("pxd", "h") for path in package.rglob(f"*.{suffix}"))
    sources = {".".join(path.with_suffix("").parts): str(path) for path in package.rglob("*.pyx")}
    modules = [
        Extension(name, [source], include_dirs=[str(package)], depends=depends)
        for name, source in sorted(sources.items())
    ]
    return [*modules, Extension(SHARED, [])]


# The processes that translate the Cython sources import this file on some platforms.
if __name__ == "__main__":
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExt})
