"""Arrays of any library to NumPy on the host and back, for what has no meaning on a device."""

import array_api_compat
import numpy as np

from ._arrays import stop_gradient

__all__ = ["from_host", "to_host"]


def to_host(array):
    """Return an array of any library as one of NumPy, without its gradient."""
    if isinstance(array, np.ndarray):
        return array
    if array_api_compat.is_torch_array(array) or array_api_compat.is_cupy_array(array):
        array = array_api_compat.to_device(stop_gradient(array), "cpu")
        if "bfloat16" in str(array.dtype):
            array = array.float()  # NumPy has no such numbers
    return np.asarray(array)


def from_host(xp, array, like):
    """Return a NumPy array as one of another library, on the device of ``like``."""
    if array_api_compat.is_numpy_namespace(xp):
        return array
    return xp.asarray(array, device=array_api_compat.device(like))
