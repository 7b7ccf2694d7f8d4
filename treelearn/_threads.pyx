"""How many threads a call may use, and whether the user wants it to stop."""

import os
import threading

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define TL_OPENMP 1
    #else
    #define TL_OPENMP 0
    static int omp_get_max_threads(void) { return 1; }
    #endif
    """
    const int TL_OPENMP
    int omp_get_max_threads() nogil


# The thread pool of GNU OpenMP does not survive a fork: a parallel region in the child would
# wait for threads that are no more.  A forked child therefore works on one thread.
_is_forked_child = False

# No machine of today gains from more in one tree.
_MOST_THREADS = 256
_most_started = 1


def _note_fork():
    global _is_forked_child
    _is_forked_child = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def openmp_enabled():
    """Return whether the package was compiled with OpenMP.

    Returns
    -------
    bool
        False where every call runs on one thread.
    """
    return bool(TL_OPENMP)


def check_n_jobs(n_jobs):
    """Raise ValueError for no threads or processes at all."""
    if n_jobs == 0:
        raise ValueError("n_jobs == 0 has no meaning; use None or a number other than 0.")


def effective_n_threads(n_jobs=None):
    """Return the number of threads that ``n_jobs`` stands for.

    Parameters
    ----------
    n_jobs : int or None, default=None
        None: as many as OpenMP, threadpoolctl and joblib allow, and no more than there are
        processors.  A negative number counts back from that: -1 is all of them.

    Returns
    -------
    int
        At least 1; always 1 without OpenMP and in a forked child process.

    Raises
    ------
    ValueError
        If ``n_jobs`` is 0.
    """
    check_n_jobs(n_jobs)
    if not TL_OPENMP or _is_forked_child:
        return 1
    if n_jobs is not None and n_jobs > 0:
        return _startable(min(int(n_jobs), _MOST_THREADS))
    allowed = omp_get_max_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        from joblib import cpu_count

        allowed = min(allowed, cpu_count())
    return _startable(max(1, allowed if n_jobs is None else allowed + 1 + n_jobs))


def _startable(n_threads):
    """Return n_threads if so many can be started, else 1.

    OpenMP ends the process where the system refuses it a thread, for want of memory say. Plain
    threads, started once for every larger number, find out without harm; their stacks stay with
    the C library for those that OpenMP starts next.
    """
    global _most_started
    if n_threads <= _most_started:
        return n_threads
    may_end = threading.Event()
    started = []
    try:
        for _ in range(n_threads - 1):
            thread = threading.Thread(target=may_end.wait)
            thread.start()
            started.append(thread)
    except (RuntimeError, MemoryError):
        return 1
    finally:
        may_end.set()
        for thread in started:
            thread.join()
    _most_started = n_threads
    return n_threads
