// What all kernels share. `real` is float or double, `index_t` is int, or long long for arrays of 2^30 elements and more:
// both are typedefs that gpu.py writes above this file. Names as everywhere in minialex: N, C, H, W the images,
// KH, KW the window, OH, OW the output, SH, SW the stride, PH, PW the padding.

// The grid-stride loop: thread t takes elements t, t + threads, t + 2·threads, ... so that any number of threads will do.
#define FOR_EACH(i, total)                                                                 \
    for (index_t i = blockIdx.x * (index_t)blockDim.x + threadIdx.x; i < (total);          \
         i += gridDim.x * (index_t)blockDim.x)

// Window o covers the padded positions o·stride ... o·stride + kernel − 1. Those that contain position p are
//     first_window(p) <= o < end_window(p).
__device__ inline index_t first_window(index_t p, index_t kernel, index_t stride)
{
    return p < kernel ? 0 : (p - kernel) / stride + 1;
}

__device__ inline index_t end_window(index_t p, index_t stride, index_t windows)
{
    return min(p / stride + 1, windows);
}
