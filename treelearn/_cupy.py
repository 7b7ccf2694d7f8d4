"""The one place that imports CuPy, and compiles and launches the CUDA sources with it."""

from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np

__all__ = ["HEADERS", "N_THREADS", "SOURCES", "Device", "compile_options", "import_cupy"]

SOURCES = Path(__file__).parent / "histogram"
"""Folder of the CUDA sources."""

HEADERS = Path(__file__).parent / "native"
"""Folder of the headers that they include."""

N_THREADS = 256
"""Threads of a block."""

# More blocks than any device runs at a time; kernels loop over what is left.
_MOST_BLOCKS = 65535


def import_cupy():
    """Return the module cupy.

    Returns
    -------
    module
        CuPy.

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

    Returns
    -------
    tuple of str
        Nothing is fused, so that every sum and product has the bits of the CPU's.
    """
    return ("-std=c++17", "--fmad=false", f"-I{HEADERS}")


@cache
def _module(source):
    """Return the compiled kernels of a source; the first call compiles them."""
    headers = b"".join(path.read_bytes() for path in sorted(HEADERS.glob("*.h")))
    # CuPy keeps what it has compiled, on disk, under a hash of the source alone: the headers'
    # hash in it is what makes a new version of them a new source.
    code = f"// {sha256(headers).hexdigest()}\n{(SOURCES / source).read_text()}"
    return import_cupy().RawModule(code=code, options=compile_options(), backend="nvrtc")


class Device:
    """The current GPU: its array library, and how kernels are launched on it.

    Attributes
    ----------
    xp : module
        CuPy.

    Raises
    ------
    ImportError
        If CuPy is not there.
    RuntimeError
        If CuPy finds no GPU.
    """

    def __init__(self):
        self.xp = import_cupy()
        runtime = self.xp.cuda.runtime
        try:
            n_devices = runtime.getDeviceCount()
        except runtime.CUDARuntimeError:
            n_devices = 0
        if n_devices == 0:
            raise RuntimeError("CuPy is installed but finds no GPU that it can use.")

    def launch(self, source, kernel, n_blocks, arguments, shared_bytes=0):
        """Launch a kernel.

        Parameters
        ----------
        source : str
            File of the kernel.
        kernel : str
            Name of the kernel.
        n_blocks : int
            Blocks that would do all the work at once.
        arguments : sequence of array or NumPy scalar
            What the kernel takes, scalars of exactly its types.
        shared_bytes : int, default=0
            Shared memory of a block.
        """
        grid = (int(min(max(1, n_blocks), _MOST_BLOCKS)),)
        function = _module(source).get_function(kernel)
        function(grid, (N_THREADS,), tuple(arguments), shared_mem=shared_bytes)

    def blocks_of(self, n_items):
        """Return the blocks in which every item has a thread."""
        return -(-int(n_items) // N_THREADS)

    def on_host(self, array):
        """Return an array of the device as a NumPy array."""
        return np.asarray(self.xp.asnumpy(array))

    def free_bytes(self):
        """Return the bytes of device memory that are free, those that CuPy keeps among them."""
        free, _ = self.xp.cuda.runtime.memGetInfo()
        return free + self.xp.get_default_memory_pool().free_bytes()
