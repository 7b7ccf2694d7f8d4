"""Stand-ins for a GPU: NumPy kernels, and the CUDA sources through the C compiler.

The twin is the same source, one thread doing the work of all; only launches and races stay
untested where there is no GPU.
"""

import ctypes
import shlex
import shutil
import subprocess
import sysconfig
from contextlib import contextmanager

import numpy as np
import pytest

from treelearn import _cupy, _device, _device_estimator
from treelearn.histogram import cuda_kernels, cuda_values, numpy_kernels, numpy_values
from treelearn.histogram.engine import Engine, cuda_engine

SOURCES = sorted(_cupy.SOURCES.glob("*.cu"))
C_TYPES = {"int32": ctypes.c_int32, "int64": ctypes.c_int64, "float64": ctypes.c_double}


class Twin:
    """A device that is the CPU: NumPy for CuPy, the sources through the C compiler."""

    xp = np

    def __init__(self, libraries):
        self.libraries = libraries

    def launch(self, source, kernel, n_blocks, arguments, shared_bytes=0):
        assert shared_bytes <= cuda_kernels.SHARED_BYTES
        values = []
        for value in arguments:
            if isinstance(value, np.ndarray):
                values.append(ctypes.c_void_p(value.ctypes.data))
            else:
                values.append(C_TYPES[value.dtype.name](value))
        getattr(self.libraries[source], kernel)(*values)

    def blocks_of(self, n_items):
        return n_items

    def on_host(self, array):
        return array


def build_twins(folder):
    """Return the CPU twins of the sources by name, or skip."""
    command = shlex.split(sysconfig.get_config_var("CC") or "cc")[:1]
    if shutil.which(command[0]) is None:
        command = ["cc"]
    if shutil.which(command[0]) is None:
        pytest.skip("there is no C compiler")
    found = {}
    for source in SOURCES:
        library = folder / f"{source.stem}.so"
        flags = ["-x", "c", "-O1", "-fPIC", "-shared", "-ffp-contract=off", "-Wall", "-Werror"]
        include = f"-I{_cupy.SOURCES.parent / 'native'}"
        subprocess.run(
            [*command, *flags, include, str(source), "-o", str(library), "-lm"], check=True
        )
        found[source.name] = ctypes.CDLL(str(library))
    return found


class OnDevice(np.ndarray):
    """An array that says that it lies on a GPU, and that nothing may take for one of NumPy's."""

    number = 0

    def __dlpack_device__(self):
        return 2, self.number


class StandIn:
    """An engine and the arrays that go with it."""

    def __init__(self, engine):
        self.engine = engine

    def put(self, array):
        """Return an array on the device."""
        if self.engine.xp is np:
            return np.asarray(array).view(OnDevice)
        return self.engine.xp.asarray(array)

    def get(self, array):
        """Return an array of the device as one of NumPy."""
        assert isinstance(array, self.engine.xp.ndarray)
        return self.engine.on_host(array)


@contextmanager
def stand_in(name, libraries):
    """Make ``device="cuda"`` mean an engine: "numpy", "twin", or the GPU for "cuda"."""
    with pytest.MonkeyPatch.context() as patch:
        if name == "cuda":
            engine = cuda_engine()
        else:
            kernels, values = numpy_kernels, numpy_values
            if name == "twin":
                device = Twin(libraries)
                patch.setattr(cuda_kernels, "_device", lambda: device)
                kernels, values = cuda_kernels, cuda_values
            engine = Engine(np, kernels, values, np.asarray, lambda: 2**40)
        for module in (_device, _device_estimator):
            patch.setattr(module, "open_engine", lambda: engine)
        yield StandIn(engine)
