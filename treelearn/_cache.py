"""What was made of the last training sets, so that equal data are sorted once per process.

A grid search fits every fold once a candidate, each time on a fresh copy of the same rows. What
growth needs of them in sorted form is kept here under a hash of their content, and so are the
splits of the trees that were grown on them.
"""

import os
import threading
from collections import OrderedDict
from numbers import Integral

__all__ = ["ListCache", "clear_training_cache", "set_training_cache_size", "training_cache_info"]

_DEFAULT_BYTES = 64 * 2**20
# Splits of trees are small, and many of them belong to one table.
_SHARE_OF_GUIDES = 16


class ListCache:
    """Sorted lists by the hash of what they were sorted from, the least recently used go first.

    Anything else that states its ``n_bytes`` is kept as well.

    Parameters
    ----------
    max_bytes : int
        Bound on the bytes of all lists together; lists that alone are larger are not kept.
    """

    def __init__(self, max_bytes):
        self.max_bytes = max_bytes
        self.start_anew()

    def start_anew(self):
        """Forget everything, the lock included: another thread may have held it at a fork."""
        self._lock = threading.Lock()
        self.clear()

    def clear(self):
        """Forget all lists and counts."""
        with self._lock:
            self._lists = OrderedDict()
            self.n_bytes = 0
            self.n_hits = 0
            self.n_misses = 0

    def takes(self, n_bytes):
        """Return whether lists of that size would be kept."""
        return n_bytes <= self.max_bytes

    def get(self, key):
        """Return the lists of a key, or None."""
        with self._lock:
            lists = self._lists.get(key)
            if lists is None:
                self.n_misses += 1
            else:
                self.n_hits += 1
                self._lists.move_to_end(key)
            return lists

    def put(self, key, lists):
        """Keep lists, which nobody may change from here on, in the place of older ones."""
        with self._lock:
            if key in self._lists:
                self.n_bytes -= self._lists.pop(key).n_bytes
            self._lists[key] = lists
            self.n_bytes += lists.n_bytes
            self._shrink()

    def resize(self, max_bytes):
        """Set the bound and drop what passes it."""
        with self._lock:
            self.max_bytes = max_bytes
            self._shrink()

    def _shrink(self):
        while self.n_bytes > self.max_bytes:
            self.n_bytes -= self._lists.popitem(last=False)[1].n_bytes

    def __len__(self):
        return len(self._lists)


cache = ListCache(_DEFAULT_BYTES)
guides = ListCache(_DEFAULT_BYTES // _SHARE_OF_GUIDES)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=cache.start_anew)
    os.register_at_fork(after_in_child=guides.start_anew)


def set_training_cache_size(max_bytes):
    """Set how many bytes of sorted training data are kept for fits on the same data.

    Every fit of up to that size leaves its sorted data behind; a fit on data of the same content
    (a fold of a grid search, say) takes them from there. The splits of the trees are kept too,
    in a sixteenth of that size beside it: a later fit by the same criterion, with other limits,
    need not search for them again. Trees do not depend on it. The cache is one per process, safe
    under threads, and empty in a forked child.

    Parameters
    ----------
    max_bytes : int
        The bound, 64 MiB at the start; 0 keeps nothing.

    Raises
    ------
    ValueError
        If it is no whole number, or negative.

    Examples
    --------
    >>> import treelearn
    >>> treelearn.set_training_cache_size(0)
    >>> treelearn.training_cache_info()["n_bytes"]
    0
    >>> treelearn.set_training_cache_size(64 * 2**20)
    """
    if not isinstance(max_bytes, Integral) or isinstance(max_bytes, bool) or max_bytes < 0:
        raise ValueError(f"max_bytes must be an int and not be negative, got {max_bytes!r}.")
    cache.resize(int(max_bytes))
    guides.resize(int(max_bytes) // _SHARE_OF_GUIDES)


def clear_training_cache():
    """Drop all sorted training data, and all splits, that are kept for fits on the same data.

    Examples
    --------
    >>> import treelearn
    >>> treelearn.clear_training_cache()
    >>> treelearn.training_cache_info()["n_entries"]
    0
    """
    cache.clear()
    guides.clear()


def training_cache_info():
    """Return what the cache of sorted training data holds.

    Returns
    -------
    dict
        ``n_entries``, ``n_bytes``, ``max_bytes``, and how many fits found their data there or
        not, ``n_hits`` and ``n_misses``. Splits of trees are not counted.

    Examples
    --------
    >>> import treelearn
    >>> sorted(treelearn.training_cache_info())
    ['max_bytes', 'n_bytes', 'n_entries', 'n_hits', 'n_misses']
    """
    return {
        "n_entries": len(cache),
        "n_bytes": cache.n_bytes,
        "max_bytes": cache.max_bytes,
        "n_hits": cache.n_hits,
        "n_misses": cache.n_misses,
    }
