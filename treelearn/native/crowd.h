/* Whether threads get the processors that they need, as their own clocks tell.
 *
 * A thread is held up while time passes in which it does not run.  All times are nanoseconds.
 */
#ifndef TREELEARN_CROWD_H
#define TREELEARN_CROWD_H

#include <stdint.h>

/* What all threads know; a value that another thread overwrites is no great loss. */
static int64_t tl_crowded_until, tl_last_wait, tl_credit;

#if defined(_WIN32) || defined(_MSC_VER)
/* Its clock of a thread steps by 15 milliseconds: nobody is ever found to be held up. */
static int64_t tl_now(void) { return 0; }
static void tl_start_clock(void) {}
static void tl_stop_clock(int64_t *run, int64_t *held_up) { *run = *held_up = 0; }
static int64_t tl_read_time(const int64_t *time) { return *time; }
static void tl_write_time(int64_t *time, int64_t value) { *time = value; }
#else
#include <time.h>

static _Thread_local int64_t tl_began, tl_began_run;

static int64_t tl_time_of(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return 0;
    return 1000000000 * (int64_t)time.tv_sec + time.tv_nsec;
}
static int64_t tl_now(void) { return tl_time_of(CLOCK_MONOTONIC); }

static void tl_start_clock(void) {
    tl_began = tl_now();
    tl_began_run = tl_time_of(CLOCK_THREAD_CPUTIME_ID);
}
/* How long this thread ran, and how long it was held up, since it started the clock. */
static void tl_stop_clock(int64_t *run, int64_t *held_up) {
    *run = tl_time_of(CLOCK_THREAD_CPUTIME_ID) - tl_began_run;
    *held_up = tl_now() - tl_began - *run;
}

static int64_t tl_read_time(const int64_t *time) { return __atomic_load_n(time, __ATOMIC_RELAXED); }
static void tl_write_time(int64_t *time, int64_t value) {
    __atomic_store_n(time, value, __ATOMIC_RELAXED);
}
#endif

#endif
