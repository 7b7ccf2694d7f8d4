/* What lets one source compile as C for the CPU and as CUDA for a GPU. */
#ifndef TREELEARN_PORTABLE_H
#define TREELEARN_PORTABLE_H

#ifdef __CUDACC_RTC__
/* The run-time compiler has no C library. */
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
#else
#include <float.h>
#include <math.h>
#include <stdint.h>
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD > 1
#error "sums must be rounded as they are made: compile with -msse2 -mfpmath=sse"
#endif
#endif

/* TL_LARGE: what a loop over lanes must have inlined to become vector code, and what a GPU, which
 * has a thread a lane, had better call: copies of it fill the kernels. */
#ifdef __CUDACC__
#define TL_INLINE __host__ __device__ static inline
#define TL_LARGE __host__ __device__ static __noinline__
#elif defined(__GNUC__)
#define TL_INLINE static inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define TL_INLINE static __forceinline
#else
#define TL_INLINE static inline
#endif
#ifndef TL_LARGE
#define TL_LARGE TL_INLINE
#endif

/* Before a loop over 16 lanes: GCC would write out all its rounds, and then finds no vectors. */
#if defined(__GNUC__) && !defined(__clang__)
#define TL_LANES _Pragma("GCC unroll 1")
#else
#define TL_LANES
#endif

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#define TL_VERSIONS __attribute__((unused, target_clones("avx512f", "avx2", "default")))
#elif defined(__GNUC__)
#define TL_VERSIONS __attribute__((unused))
#else
#define TL_VERSIONS
#endif

#endif
