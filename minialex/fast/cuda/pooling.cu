// Max-pooling: y[n, c, oh, ow] = max over (kh, kw) of x[n, c, oh·SH − PH + kh, ow·SW − PW + kw]; padding counts as −∞.
// argmax = kh·KW + kw of the winner: the first in row-major order among equals. A NaN wins over every number.
//
// One thread per output.
extern "C" __global__ void max_pool_forward(
    index_t total, const real* x, real* y, unsigned char* argmax,
    index_t H, index_t W, index_t OH, index_t OW,
    index_t KH, index_t KW, index_t SH, index_t SW, index_t PH, index_t PW)
{
    FOR_EACH(i, total) {
        index_t ow = i % OW, oh = i / OW % OH, plane = i / OW / OH;
        real best = -(real)1 / (real)0;
        index_t winner = -1;
        for (index_t kh = 0; kh < KH; ++kh) {
            for (index_t kw = 0; kw < KW; ++kw) {
                index_t h = oh * SH - PH + kh, w = ow * SW - PW + kw;
                if (h < 0 || h >= H || w < 0 || w >= W) continue;
                real value = x[(plane * H + h) * W + w];
                bool first_nan = value != value && best == best;
                if (winner < 0 || value > best || first_nan) {
                    best = value;
                    winner = kh * KW + kw;
                }
            }
        }
        y[i] = best;
        argmax[i] = winner < 0 ? 0 : winner;
    }
}

// dx[n, c, h, w] = Σ grad[n, c, oh, ow] over the windows (oh, ow) that contain the pixel and whose winner it was.
//
// One thread per pixel of x. A window has one winner, so every gradient goes to exactly one pixel.
extern "C" __global__ void max_pool_backward(
    index_t total, const real* grad, const unsigned char* argmax, real* dx,
    index_t H, index_t W, index_t OH, index_t OW,
    index_t KH, index_t KW, index_t SH, index_t SW, index_t PH, index_t PW)
{
    FOR_EACH(i, total) {
        index_t w = i % W + PW, h = i / W % H + PH, plane = i / W / H;
        real sum = 0;
        for (index_t oh = first_window(h, KH, SH); oh < end_window(h, SH, OH); ++oh) {
            for (index_t ow = first_window(w, KW, SW); ow < end_window(w, SW, OW); ++ow) {
                index_t window = (plane * OH + oh) * OW + ow;
                if (argmax[window] == (h - oh * SH) * KW + w - ow * SW) sum += grad[window];
            }
        }
        dx[i] = sum;
    }
}
