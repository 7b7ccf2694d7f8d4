"""What a bug report has to say about the machine."""

import platform
from importlib.metadata import PackageNotFoundError, version

from ._threads import effective_n_threads, openmp_enabled
from ._version import __version__

_DEPENDENCIES = ("numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl", "pandas", "pyarrow")


def _version_of(distribution):
    """Return the installed version, without importing the library."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def show_versions():
    """Print the versions of treelearn and of what it stands on.

    Notes
    -----
    The last two lines say whether the package was compiled with OpenMP and how many threads
    ``n_jobs=None`` uses.  Without OpenMP every call runs on one thread.

    Examples
    --------
    >>> from treelearn import show_versions
    >>> show_versions()  # doctest: +ELLIPSIS
    treelearn      ...
    python         ...
    OpenMP         ...
    threads        ...
    """
    lines = {
        "treelearn": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: _version_of(name) for name in _DEPENDENCIES},
        "OpenMP": "yes" if openmp_enabled() else "no",
        "threads": effective_n_threads(),
    }
    for name, value in lines.items():
        print(f"{name:<14} {value}")
