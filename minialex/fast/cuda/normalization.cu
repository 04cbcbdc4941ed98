// Local response normalisation (paper, section 3.3):
//     scale_j = k + α Σ x_i²   over the channels  j − size/2 <= i <= j + (size − 1)/2  of j's own tower
//     y_j     = x_j · scale_j^−β
// A tower is C/groups neighbouring channels; with groups = 1 there is one. HW = H·W pixels per channel.
//
// One thread per element; neighbours share what they read through the cache.

// s^−β; for the paper's 3/4 by two square roots, as on the CPU: for sm_90 pow is 128 PTX instructions, this is 4.
__device__ inline real inverse_power(real s, real beta)
{
    if (beta != (real)0.75) return pow(s, -beta);
    real root = sqrt(s);
    return 1 / (root * sqrt(root));
}

extern "C" __global__ void lrn_forward(
    index_t total, const real* x, real* y, real* scale,
    index_t HW, index_t tower, index_t size, real alpha, real beta, real k)
{
    FOR_EACH(i, total) {
        index_t j = i / HW % tower;
        index_t first = max(j - size / 2, (index_t)0), last = min(j + (size - 1) / 2, tower - 1);
        const real* channel = x + i - j * HW;
        real sum = 0;
        for (index_t c = first; c <= last; ++c) sum += channel[c * HW] * channel[c * HW];
        scale[i] = k + alpha * sum;
        y[i] = x[i] * inverse_power(scale[i], beta);
    }
}

// dx_j = g_j · scale_j^−β − 2αβ · x_j · Σ g_i · x_i · scale_i^(−β−1)   over the i whose window contains j:
//     j − (size − 1)/2 <= i <= j + size/2.
extern "C" __global__ void lrn_backward(
    index_t total, const real* grad, const real* x, const real* scale, real* dx,
    index_t HW, index_t tower, index_t size, real alpha, real beta)
{
    FOR_EACH(i, total) {
        index_t j = i / HW % tower;
        index_t first = max(j - (size - 1) / 2, (index_t)0), last = min(j + size / 2, tower - 1);
        index_t base = i - j * HW;
        real sum = 0;
        for (index_t c = first; c <= last; ++c) {
            index_t at = base + c * HW;
            sum += grad[at] * x[at] * inverse_power(scale[at], beta) / scale[at];
        }
        dx[i] = grad[i] * inverse_power(scale[i], beta) - 2 * alpha * beta * x[i] * sum;
    }
}
