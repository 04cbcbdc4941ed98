// Enough of CUDA's vocabulary for g++ to compile the kernels of minialex/kernels/cuda and run them thread after thread.
#include <cmath>
#include <cstddef>

#define __global__
#define __device__

struct Position { unsigned x; };
static Position blockIdx, threadIdx, blockDim, gridDim;

using std::pow;

template <class T> T min(T a, T b) { return b < a ? b : a; }
template <class T> T max(T a, T b) { return a < b ? b : a; }

inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b)
{
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}

// Threads run one after the other, forwards or backwards: a kernel whose threads are independent cannot tell.
#define RUN_ALL_THREADS(grid, block, backwards, call)                                  \
    gridDim.x = grid;                                                                  \
    blockDim.x = block;                                                                \
    for (std::size_t step = 0; step < (std::size_t)grid * block; ++step) {             \
        std::size_t thread = backwards ? (std::size_t)grid * block - 1 - step : step;  \
        blockIdx.x = (unsigned)(thread / block);                                       \
        threadIdx.x = (unsigned)(thread % block);                                      \
        call;                                                                          \
    }
