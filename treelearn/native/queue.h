/* Nodes that threads hand to each other: a lock for a few lines of code, and a short rest.
 *
 * A thread without work looks at the queue for some ten microseconds and sleeps between later looks.
 */
#ifndef TREELEARN_QUEUE_H
#define TREELEARN_QUEUE_H

#ifdef _WIN32
#include <windows.h>
typedef volatile LONG tl_lock_t;
static void tl_lock(tl_lock_t *lock) {
    while (InterlockedExchange(lock, 1)) SwitchToThread();
}
static int tl_try_lock(tl_lock_t *lock) { return !InterlockedExchange(lock, 1); }
static void tl_unlock(tl_lock_t *lock) { InterlockedExchange(lock, 0); }
static void tl_rest(int n_before) {
    (void)n_before;
    Sleep(0);
}
#else
#include <sched.h>
#include <time.h>
typedef volatile int tl_lock_t;
static void tl_lock(tl_lock_t *lock) {
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) sched_yield();
}
static int tl_try_lock(tl_lock_t *lock) {
    return !__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE);
}
static void tl_unlock(tl_lock_t *lock) { __atomic_store_n(lock, 0, __ATOMIC_RELEASE); }
static void tl_rest(int n_before) {
    /* A microsecond or two at first, since a node often comes soon and sleep ends late. */
    enum { SHORT_RESTS = 32, TURNS = 200 };
    /* 20 microseconds: a hundredth of the smallest growth that is worth a second thread. */
    struct timespec pause = {0, 20000};
    if (n_before < SHORT_RESTS) {
        volatile int turn;
        for (turn = 0; turn < TURNS; turn++) {}
    } else {
        nanosleep(&pause, NULL);
    }
}
#endif

#endif
