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
#define TL_SHARED(name) extern __shared__ int64_t name[]
#define TL_ADD(address, value)                                                                \
    atomicAdd((unsigned long long *)(address), (unsigned long long)(value))
#else
#define TL_KERNEL void
#define TL_DEVICE static inline
#define TL_FIRST ((int64_t)0)
#define TL_STEP ((int64_t)1)
#define TL_BLOCK ((int64_t)0)
#define TL_N_BLOCKS ((int64_t)1)
#define TL_THREAD ((int64_t)0)
#define TL_N_THREADS ((int64_t)1)
#define TL_SYNC()
#define TL_SHARED(name) static int64_t name[6144]
#define TL_ADD(address, value) (*(address) += (value))
#endif

#define TL_INFINITY tl_from_bits(0x7FF0000000000000u)
/* As in _block.pyx and _node.pyx. */
#define TL_STEPS_PER_WEIGHT 1099511627776.0
#define TL_ROUNDING 1e-13

#endif
