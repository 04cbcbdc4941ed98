// Enough of CUDA's vocabulary for g++ to compile the kernels of minialex/fast/cuda and run them thread after thread.
#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>
#include <ucontext.h>

#define __global__
#define __device__

struct Position { unsigned x; };
static Position blockIdx, threadIdx, blockDim, gridDim;

using std::exp;
using std::log;
using std::pow;
using std::sqrt;

template <class T> T min(T a, T b) { return b < a ? b : a; }
template <class T> T max(T a, T b) { return a < b ? b : a; }

inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b)
{
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}

// Kernels whose threads are independent run thread after thread, forwards or backwards: they cannot tell.
template <class Call> int run_one_by_one(unsigned grid, unsigned block, bool backwards, Call call)
{
    gridDim.x = grid;
    blockDim.x = block;
    for (std::size_t step = 0, count = (std::size_t)grid * block; step < count; ++step) {
        std::size_t thread = backwards ? count - 1 - step : step;
        blockIdx.x = (unsigned)(thread / block);
        threadIdx.x = (unsigned)(thread % block);
        call();
    }
    return 0;
}

// Threads of a block that share memory run in turns, each up to the next __syncthreads(), on stacks of their own. One that
// is missing shows: forwards or backwards, some thread reads what another has not written yet.
#define __shared__ static

struct Turns {
    ucontext_t host;
    std::vector<ucontext_t> threads;
    std::vector<std::vector<char>> stacks;
    std::vector<bool> ended;
    std::function<void()> call;
    unsigned running;
};
static Turns turns;

inline void __syncthreads() { swapcontext(&turns.threads[turns.running], &turns.host); }

static void a_thread()
{
    turns.call();
    turns.ended[turns.running] = true;
}

template <class Call> int run_together(unsigned grid, unsigned block, bool backwards, Call call)
{
    gridDim.x = grid;
    blockDim.x = block;
    turns.call = call;
    turns.threads.resize(block);
    turns.stacks.resize(block, std::vector<char>(1 << 16));
    for (unsigned b = 0; b < grid; ++b) {
        blockIdx.x = backwards ? grid - 1 - b : b;
        turns.ended.assign(block, false);
        for (unsigned t = 0; t < block; ++t) {
            getcontext(&turns.threads[t]);
            turns.threads[t].uc_stack.ss_sp = turns.stacks[t].data();
            turns.threads[t].uc_stack.ss_size = turns.stacks[t].size();
            turns.threads[t].uc_link = &turns.host;
            makecontext(&turns.threads[t], a_thread, 0);
        }
        for (unsigned ended = 0; ended < block;) {
            if (ended) return 1;
            for (unsigned t = 0; t < block; ++t) {
                turns.running = threadIdx.x = backwards ? block - 1 - t : t;
                swapcontext(&turns.host, &turns.threads[turns.running]);
                ended += turns.ended[turns.running];
            }
        }
    }
    return 0;
}
