/* Which instruction set the hand-written kernels may use.
 *
 * Every kernel written for one has a twin for any processor that gives the same bits. The level is found once,
 * from the processor and from the environment variable TREELEARN_SIMD (scalar, avx2, avx512),
 * which lowers it and never raises it.
 */
#ifndef TREELEARN_SIMD_H
#define TREELEARN_SIMD_H

#include <stdlib.h>
#include <string.h>

enum { TL_SCALAR = 0, TL_AVX2 = 1, TL_AVX512 = 2 };

/* TL_PLAIN: without any, as on other processors. */
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__) && !defined(TL_PLAIN)
#define TL_HAS_X86 1
#include <immintrin.h>
#define TL_TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))
/* The set of Ice Lake and Zen 4: compress of 16-bit lanes, counts of bits in lanes. */
#define TL_TARGET_AVX512                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx512vbmi,"           \
                          "avx512vbmi2,avx512bitalg,avx512vpopcntdq,avx2,bmi,bmi2,popcnt,lzcnt")))
#else
#define TL_HAS_X86 0
#endif

static int tl_processor_level(void) {
#if TL_HAS_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bitalg") &&
        __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("bmi2"))
        return TL_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) return TL_AVX2;
#endif
    return TL_SCALAR;
}

/* The level of this process; call it once and keep the answer. */
static int tl_simd_level(void) {
    int level = tl_processor_level();
    const char *asked = getenv("TREELEARN_SIMD");
    if (asked != NULL && strcmp(asked, "scalar") == 0) return TL_SCALAR;
    if (asked != NULL && strcmp(asked, "avx2") == 0 && level > TL_AVX2) return TL_AVX2;
    return level;
}

#endif
