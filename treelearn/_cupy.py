"""The one place that imports CuPy, and compiles the CUDA sources with it."""

from functools import cache
from pathlib import Path

__all__ = ["SOURCE", "compile_options", "import_cupy", "kernels"]

SOURCE = Path(__file__).parent / "histogram" / "kernels.cu"
"""The CUDA source; it includes the headers of ``native``."""


def import_cupy():
    """Return the module cupy.

    Raises
    ------
    ImportError
        If it is not installed, or does not work here, with what to install.
    """
    try:
        import cupy
    except ImportError as error:
        raise ImportError(
            "Arrays on a GPU need CuPy, which is not installed or does not work here: "
            'pip install "treelearn[gpu]".'
        ) from error
    return cupy


def compile_options():
    """Return the options of the run-time compiler.

    Nothing is fused, so that every sum and product has the bits of the CPU's.
    """
    return ("-std=c++17", "--fmad=false", f"-I{SOURCE.parents[1] / 'native'}")


@cache
def kernels():
    """Return the compiled kernels, a ``cupy.RawModule``; the first call compiles them.

    Raises
    ------
    ImportError
        If CuPy is not there.
    """
    return import_cupy().RawModule(
        code=SOURCE.read_text(), options=compile_options(), backend="nvrtc"
    )
