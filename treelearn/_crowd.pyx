"""How many threads to share work out to, by how they got on lately.

Where other programs want the same processors, a thread is held up for some milliseconds in the
middle of its share, and all others wait for it at the end of the parallel region: two threads take
longer than one. Every share is timed, therefore. The time that threads run earns credit, the time
they are held up costs it; when it is used up the next regions are left to half of the threads, for
a time in which the loss does not count. Threads of Python are not timed, since they also wait for
its lock.
"""

from ._types cimport *

cdef extern from "native/crowd.h" nogil:
    int64_t tl_crowded_until, tl_last_wait, tl_credit
    int64_t tl_now()
    void tl_start_clock()
    void tl_stop_clock(int64_t* run, int64_t* held_up)
    int64_t tl_read_time(const int64_t* time)
    void tl_write_time(int64_t* time, int64_t value)

# Times are nanoseconds, more of them than an enumerator holds.
# To start a thread takes as long.
cdef int64_t STARTING = 100_000
# A thread that has a processor of its own is held up for less.
cdef int64_t HELD_UP = 200_000
# A region pays while threads are held up for a quarter of the time they run.
cdef int64_t RUN_PER_CREDIT = 4
cdef int64_t MOST_CREDIT = 4_000_000
# The next trial comes after so many times what was lost in the last one: the loss stays near one
# per cent. If it fails, too, the one after it comes twice as late, in eight seconds at most.
cdef int64_t TIMES_LOST = 100
cdef int64_t LONGEST_WAIT = 8_000_000_000

cdef bint crowd_is_ignored = False


def ignore_crowd(bint ignores):
    """Use all threads even where they are held up, or no longer.

    Parameters
    ----------
    ignores : bool
        True for tests that compare numbers of threads, on whatever machine they run.
    """
    global crowd_is_ignored
    crowd_is_ignored = ignores


def crowd_state():
    """Return what is known of all threads.

    Returns
    -------
    credit, last_wait, left : float
        Seconds that threads may be held up before the next wait; length of the last wait; what is
        left of it, negative where it has ended.
    """
    return (
        1e-9 * tl_read_time(&tl_credit),
        1e-9 * tl_read_time(&tl_last_wait),
        1e-9 * (tl_read_time(&tl_crowded_until) - tl_now()),
    )


cpdef int n_threads_now(int n_threads) noexcept nogil:
    """Return how many of some threads are likely to have processors."""
    cdef int64_t until = tl_read_time(&tl_crowded_until)
    if n_threads == 1 or until == 0 or crowd_is_ignored or tl_now() >= until:
        return n_threads
    return n_threads // 2


cpdef void settle(int64_t run, int64_t held_up) noexcept nogil:
    """Note that a thread ran for so many nanoseconds, and was held up for others."""
    cdef int64_t credit = tl_read_time(&tl_credit) + run // RUN_PER_CREDIT
    cdef int64_t now = tl_now(), until = tl_read_time(&tl_crowded_until), wait, last
    if now < until:
        return
    if held_up > HELD_UP:
        credit -= held_up
    if credit < 0:
        credit = 0
        wait = TIMES_LOST * held_up
        last = tl_read_time(&tl_last_wait)
        if now - until < last:
            wait = max(wait, 2 * last)
        wait = min(wait, LONGEST_WAIT)
        tl_write_time(&tl_last_wait, wait)
        tl_write_time(&tl_crowded_until, now + wait)
    tl_write_time(&tl_credit, min(credit, MOST_CREDIT))


cdef int64_t begin_region(int n_threads) noexcept nogil:
    """Return when each of some threads should have come to its share of a region."""
    return 0 if n_threads == 1 else tl_now() + n_threads * STARTING


cpdef void begin_share(int64_t due) noexcept nogil:
    """Note that a thread begins a share.

    ``due`` is what ``begin_region`` returned, or 0 if it does not matter when the share is begun.
    """
    if due != 0:
        settle(0, max(<int64_t> 0, tl_now() - due))
    tl_start_clock()


cpdef void end_share() noexcept nogil:
    """Note that a thread has done the share that it began last."""
    cdef int64_t run, held_up
    tl_stop_clock(&run, &held_up)
    settle(run, held_up)
