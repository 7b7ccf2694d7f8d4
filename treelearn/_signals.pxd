"""Ctrl-C while the interpreter's lock is released."""

cdef extern from "Python.h":
    # Declared without `except`: the exception stays set until the caller has cleaned up.
    int PyErr_CheckSignals()

cdef extern from *:
    """
    #include <time.h>
    static double tl_seconds(void) {
    #ifdef _WIN32
        return (double)clock() / CLOCKS_PER_SEC;
    #else
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    #endif
    }
    """
    double tl_seconds() noexcept nogil

# Signals are looked at about this often, in seconds.
cdef enum:
    POLLS_PER_SECOND = 20

cdef inline bint must_stop(double* last_poll) noexcept nogil:
    """Run pending signal handlers and return whether one raised; call it from the thread
    that holds Python."""
    cdef double now = tl_seconds()
    cdef bint stopped
    if now - last_poll[0] < 1.0 / POLLS_PER_SECOND:
        return False
    last_poll[0] = now
    with gil:
        stopped = PyErr_CheckSignals() != 0
    return stopped

cdef inline int raise_pending() except -1:
    """Raise the exception that must_stop left set."""
    return -1
