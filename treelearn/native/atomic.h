/* Whole numbers that several threads count with. */
#ifndef TREELEARN_ATOMIC_H
#define TREELEARN_ATOMIC_H

#include <stdint.h>

#if defined(_MSC_VER)
#include <intrin.h>
static int64_t tl_fetch_add(int64_t *number, int64_t more) {
    return _InterlockedExchangeAdd64(number, more);
}
#else
/* Add to a number and return what it was; what was written before is seen by who reads it after. */
static int64_t tl_fetch_add(int64_t *number, int64_t more) {
    return __atomic_fetch_add(number, more, __ATOMIC_ACQ_REL);
}
#endif

#endif
