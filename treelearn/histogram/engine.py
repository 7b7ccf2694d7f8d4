"""Where the level-wise grower works: an array library, the kernels that go with it, its memory."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

__all__ = ["Engine", "cuda_engine"]


@dataclass(frozen=True)
class Engine:
    """An array library and the kernels on its arrays.

    Attributes
    ----------
    xp : module
        NumPy or CuPy.
    kernels : module
        ``numpy_kernels`` or ``cuda_kernels``: the four steps of growth.
    values : module
        ``numpy_values`` or ``cuda_values``: raw values checked, encoded and routed.
    on_host : callable
        Returns an array as one of NumPy.
    free_bytes : callable
        Returns the bytes of memory that are free.
    number : int
        Number of the device.
    """

    xp: ModuleType
    kernels: ModuleType
    values: ModuleType
    on_host: Callable
    free_bytes: Callable
    number: int = 0


def cuda_engine():
    """Return the engine of the current GPU.

    Returns
    -------
    Engine
        Over CuPy.

    Raises
    ------
    ImportError
        If CuPy is not there, with what to install.
    RuntimeError
        If CuPy finds no GPU.
    """
    from . import cuda_kernels, cuda_values

    device = cuda_kernels.current_device()
    return Engine(
        xp=device.xp,
        kernels=cuda_kernels,
        values=cuda_values,
        on_host=device.on_host,
        free_bytes=device.free_bytes,
        number=int(device.xp.cuda.Device().id),
    )
