"""Entropy and its family, right to the last digits, on the arrays of any library."""

from . import calibration, coding, learning, universal_codes
from .calibration import *  # noqa: F403
from .coding import *  # noqa: F403
from .learning import *  # noqa: F403
from .universal_codes import *  # noqa: F403

_PARTS = (calibration, coding, learning, universal_codes)

__all__ = sorted(name for part in _PARTS for name in part.__all__)
