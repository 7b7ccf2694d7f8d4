/* Preloaded before the C library: lets chosen allocations of treelearn's modules fail. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

enum { MOST_HELD = 65536 };

static atomic_int counts;
static atomic_long n_asked, failing;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static void *blocks[MOST_HELD]; /* what was allocated while counting and not freed since */
static long n_held;

/* Count from here on, and let the k-th allocation from now on fail; -1 lets none. */
void start_counting(long k) {
    n_held = 0;
    atomic_store(&n_asked, 0);
    atomic_store(&failing, k);
    atomic_store(&counts, 1);
}

void stop_counting(void) { atomic_store(&counts, 0); }
long asked(void) { return atomic_load(&n_asked); }
long held(void) { return n_held; }

static int is_ours(const void *caller) {
    Dl_info info;
    return atomic_load(&counts) && dladdr(caller, &info) && info.dli_fname != NULL &&
           strstr(info.dli_fname, "/treelearn/") != NULL;
}

/* Put a block in the place of another; NULL is no block. */
static void replace(void *old, void *block) {
    long k = 0;
    while (atomic_flag_test_and_set(&lock)) {}
    while (old != NULL && k < n_held && blocks[k] != old) k++;
    if (old != NULL && k < n_held) blocks[k] = blocks[--n_held];
    if (block != NULL && n_held < MOST_HELD) blocks[n_held++] = block;
    atomic_flag_clear(&lock);
}

#define ALLOCATE(call, old)                                                                    \
    int ours = is_ours(__builtin_return_address(0));                                           \
    void *block;                                                                               \
    if (ours && atomic_fetch_add(&n_asked, 1) == atomic_load(&failing)) return NULL;           \
    block = call;                                                                              \
    if (ours && block != NULL) replace(old, block);                                            \
    return block;

void *malloc(size_t n) { ALLOCATE(__libc_malloc(n), NULL) }
void *calloc(size_t n, size_t size) { ALLOCATE(__libc_calloc(n, size), NULL) }
void *realloc(void *old, size_t n) { ALLOCATE(__libc_realloc(old, n), old) }

/* Whoever frees: a call that ends in a jump has its caller's return address. */
void free(void *block) {
    if (block != NULL && atomic_load(&counts)) replace(block, NULL);
    __libc_free(block);
}
