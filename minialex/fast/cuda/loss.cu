// Softmax cross-entropy, row by row of x (N, K):  m = max x,  ln Σ = ln Σ_j e^(x_j − m),
//     loss       = −(x_label − m − ln Σ)
//     gradient_j = (e^(x_j − m − ln Σ) − [j = label]) / N       what the mean of the losses gives back
// A label outside 0 … K − 1 gives NaN, which shows soon; to ask for the labels' values would make the host wait each step.
//
// One block per row, because K is large and N is small: its threads share the row's elements, and then their results.

#define ROW_THREADS 256  // how many threads a block has here, always: the order of additions depends on it

// The sum, or with `largest` the maximum, of every thread's value; all threads of the block get it. A tree, always the same.
__device__ inline real over_block(real value, bool largest, real* shared)
{
    __syncthreads();  // whoever still reads what an earlier call left
    shared[threadIdx.x] = value;
    __syncthreads();
    for (unsigned half = ROW_THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            real a = shared[threadIdx.x], b = shared[threadIdx.x + half];
            shared[threadIdx.x] = largest ? max(a, b) : a + b;
        }
        __syncthreads();
    }
    return shared[0];
}

extern "C" __global__ void cross_entropy(
    index_t total, const real* logits, const long long* labels, real* losses, real* gradient, index_t K)
{
    __shared__ real shared[ROW_THREADS];
    for (index_t n = blockIdx.x; n < total; n += gridDim.x) {
        const real* x = logits + n * K;
        real best = -(real)1 / (real)0, sum = 0;
        for (index_t j = threadIdx.x; j < K; j += ROW_THREADS) best = max(best, x[j]);
        best = over_block(best, true, shared);
        for (index_t j = threadIdx.x; j < K; j += ROW_THREADS) sum += exp(x[j] - best);
        real log_sum = log(over_block(sum, false, shared));

        long long label = labels[n];
        real one = 0 <= label && label < K ? (real)1 : (real)0 / (real)0;
        for (index_t j = threadIdx.x; j < K; j += ROW_THREADS) {
            real hit = one != one || j == label ? one : 0;
            gradient[n * K + j] = (exp(x[j] - best - log_sum) - hit) * ((real)1 / total);
        }
        if (threadIdx.x == 0) losses[n] = one != one ? one : -(x[label] - best - log_sum);
    }
}
