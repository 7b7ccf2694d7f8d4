/* What a kernel is for either compiler.
 *
 * One source for two compilers: CuPy's run-time compiler makes CUDA of it; a C compiler makes the
 * CPU twin, in which one thread does the work of all, so that everything but the launches and the
 * races can be tested without a GPU. Every kernel asks for its share of the work by a loop of any
 * grid and block size.
 */
#ifndef TREELEARN_LAUNCH_H
#define TREELEARN_LAUNCH_H

#include "impurity.h"

#ifdef __CUDACC__
#define TL_KERNEL extern "C" __global__ void
#define TL_DEVICE static __device__ inline
#define TL_FIRST ((int64_t)blockIdx.x * blockDim.x + threadIdx.x)
#define TL_STEP ((int64_t)gridDim.x * blockDim.x)
#define TL_BLOCK ((int64_t)blockIdx.x)
#define TL_N_BLOCKS ((int64_t)gridDim.x)
#define TL_THREAD ((int64_t)threadIdx.x)
#define TL_N_THREADS ((int64_t)blockDim.x)
#define TL_SYNC() __syncthreads()
#define TL_ALIGN(bytes) __align__(bytes)
/* One piece of memory for all kernels of a source, whatever they keep in it. */
#define TL_SHARED(type, name, n)                                                              \
    extern __shared__ __align__(16) unsigned char tl_shared[];                                \
    type *name = (type *)tl_shared
#define TL_ADD(address, value)                                                                \
    atomicAdd((unsigned long long *)(address), (unsigned long long)(value))
#define TL_ADD_32(address, value) atomicAdd((unsigned int *)(address), (unsigned int)(value))
#define TL_LOWEST(address, value)                                                             \
    atomicMin((unsigned long long *)(address), (unsigned long long)(value))
#define TL_HIGHEST(address, value)                                                            \
    atomicMax((unsigned long long *)(address), (unsigned long long)(value))
#elif !defined(TL_KERNEL) /* tests bring their own, of several threads */
/* As an atomic addition, it returns what was there. */
static inline uint32_t tl_add_32(uint32_t *address, uint32_t value) {
    uint32_t before = *address;
    *address = before + value;
    return before;
}
#define TL_KERNEL void
#define TL_DEVICE static inline
#define TL_FIRST ((int64_t)0)
#define TL_STEP ((int64_t)1)
#define TL_BLOCK ((int64_t)0)
#define TL_N_BLOCKS ((int64_t)1)
#define TL_THREAD ((int64_t)0)
#define TL_N_THREADS ((int64_t)1)
#define TL_SYNC()
#define TL_ALIGN(bytes)
#define TL_SHARED(type, name, n) static type name[n]
#define TL_ADD(address, value) (*(address) += (value))
#define TL_ADD_32(address, value) tl_add_32((address), (value))
#define TL_LOWEST(address, value) (*(address) = *(address) < (value) ? *(address) : (value))
#define TL_HIGHEST(address, value) (*(address) = *(address) > (value) ? *(address) : (value))
#endif

/* What every device offers a block. */
#define TL_SHARED_BYTES 49152

/* Add 64 bits in shared memory, which GPUs do in a loop of attempts, by two additions of 32 bits.
 * Every addition that wraps the low half sees that it does, and carries: of any order the sum is
 * the same. */
TL_DEVICE void tl_add_in_halves(int64_t *address, int64_t value) {
    uint32_t *half = (uint32_t *)address;
    uint32_t low = (uint32_t)value, high = (uint32_t)((uint64_t)value >> 32);
    if (TL_ADD_32(half, low) + low < low) high += 1;
    if (high != 0) TL_ADD_32(half + 1, high);
}
#define TL_ADD_SHARED(address, value) tl_add_in_halves(address, value)

#define TL_INFINITY tl_from_bits(0x7FF0000000000000u)
/* As in _block.pyx and _node.pyx. */
#define TL_STEPS_PER_WEIGHT 1099511627776.0
#define TL_ROUNDING 1e-13

#endif
