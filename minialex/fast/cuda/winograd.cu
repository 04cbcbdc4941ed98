// The linear maps of a convolution by tiles and their transposes (fast/winograd.py has the formulas; Lavin and Gray, 2016):
//
//     V = B^T d B   columns       U = G g G^T   weights       Y = A^T M A   output       M = U V, for each place in a tile
//
// gpu_winograd.py writes above this file TILE (n), OUT (m) and KERNEL (r), and the six matrices BT, B, G, GT, AT, A. Loops over
// them have constant bounds, so that a tile stays in registers; zeros in a matrix are left out when it is compiled.
//
// A stride S is folded into channels while pixels are read: x'[n, (c, i, j), h, w] = x[n, c, S·h + i − PH, S·w + j − PW], and
// W'[o, (c, i, j), a, b] = W[o, c, S·a + i, S·b + j]. So k = (c·S + i)·S + j numbers the channels of x'. P = N·TH·TW tiles.
#ifdef __CUDACC__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL  // the tests compile this file with g++
#endif
#define EACH(i, count) UNROLL for (int i = 0; i < (count); ++i)

// y = L x L^T
template <int R, int K>
__device__ inline void on_both_sides(const real (&L)[R][K], const real (&x)[K][K], real (&y)[R][R])
{
    EACH(i, R) {
        real row[K];
        EACH(k, K) {
            row[k] = 0;
            EACH(l, K) if (L[i][l] != 0) row[k] += L[i][l] * x[l][k];
        }
        EACH(j, R) {
            y[i][j] = 0;
            EACH(k, K) if (L[j][k] != 0) y[i][j] += row[k] * L[j][k];
        }
    }
}

// columns: x (N, C, H, W) -> V (n·n, C·S·S, P). One thread per tile and channel; its neighbours have the neighbouring tiles.
extern "C" __global__ void winograd_columns(
    index_t total, const real* x, real* V,
    index_t C, index_t H, index_t W, index_t TH, index_t TW, index_t P, index_t S, index_t PH, index_t PW)
{
    FOR_EACH(at, total) {
        index_t p = at % P, k = at / P;
        index_t n = p / TW / TH, top = p / TW % TH * OUT, left = p % TW * OUT, c = k / (S * S), i = k / S % S, j = k % S;
        const real* plane = x + (n * C + c) * H * W;
        real d[TILE][TILE], v[TILE][TILE];
        EACH(a, TILE) EACH(b, TILE) {
            index_t h = S * (top + a) + i - PH, w = S * (left + b) + j - PW;
            bool inside = 0 <= h && h < H && 0 <= w && w < W;
            d[a][b] = inside ? plane[h * W + w] : (real)0;
        }
        on_both_sides(BT, d, v);
        EACH(a, TILE) EACH(b, TILE) V[(a * TILE + b) * total + at] = v[a][b];
    }
}

// The transpose in two steps. First each tile by itself, in place: d = B V B^T.
extern "C" __global__ void winograd_tiles_back(index_t total, real* V)
{
    FOR_EACH(at, total) {
        real v[TILE][TILE], d[TILE][TILE];
        EACH(a, TILE) EACH(b, TILE) v[a][b] = V[(a * TILE + b) * total + at];
        on_both_sides(B, v, d);
        EACH(a, TILE) EACH(b, TILE) V[(a * TILE + b) * total + at] = d[a][b];
    }
}

// Then each pixel of x (N, C, H, W) adds up what the tiles that share it have for it, always in the same order.
extern "C" __global__ void winograd_pixels(
    index_t total, const real* d, real* x,
    index_t C, index_t H, index_t W, index_t TH, index_t TW, index_t P, index_t S, index_t PH, index_t PW)
{
    index_t place = C * S * S * P;  // from one place in a tile to the next
    FOR_EACH(at, total) {
        index_t n = at / W / H / C, c = at / W / H % C, h = at / W % H + PH, w = at % W + PW;
        index_t k = (c * S + h % S) * S + w % S, row = h / S, column = w / S;
        real sum = 0;
        for (index_t th = first_window(row, TILE, OUT); th < end_window(row, OUT, TH); ++th)
            for (index_t tw = first_window(column, TILE, OUT); tw < end_window(column, OUT, TW); ++tw)
                sum += d[((row - th * OUT) * TILE + column - tw * OUT) * place + k * P + (n * TH + th) * TW + tw];
        x[at] = sum;
    }
}

// weights: W (C_out, C/T, K, K) -> U (n·n, C_out, C/T·S·S).
extern "C" __global__ void winograd_weights(
    index_t total, const real* weight, real* U, index_t channels, index_t K, index_t S)
{
    FOR_EACH(at, total) {
        index_t k = at % channels, o = at / channels, i = k / S % S, j = k % S;
        const real* kernel = weight + (o * (channels / (S * S)) + k / (S * S)) * K * K;
        real g[KERNEL][KERNEL], u[TILE][TILE];
        EACH(a, KERNEL) EACH(b, KERNEL) {
            index_t h = S * a + i, w = S * b + j;
            g[a][b] = h < K && w < K ? kernel[h * K + w] : (real)0;
        }
        on_both_sides(G, g, u);
        EACH(a, TILE) EACH(b, TILE) U[(a * TILE + b) * total + at] = u[a][b];
    }
}

// The transpose: dW (C_out, C/T, K, K) from dU (n·n, C_out, C/T·S·S).
extern "C" __global__ void winograd_weights_back(
    index_t total, const real* dU, real* dweight, index_t channels, index_t K, index_t S)
{
    FOR_EACH(at, total) {
        index_t k = at % channels, o = at / channels, i = k / S % S, j = k % S;
        real* kernel = dweight + (o * (channels / (S * S)) + k / (S * S)) * K * K;
        real u[TILE][TILE], g[KERNEL][KERNEL];
        EACH(a, TILE) EACH(b, TILE) u[a][b] = dU[(a * TILE + b) * total + at];
        on_both_sides(GT, u, g);
        EACH(a, KERNEL) EACH(b, KERNEL) {
            index_t h = S * a + i, w = S * b + j;
            if (h < K && w < K) kernel[h * K + w] = g[a][b];
        }
    }
}

// output: M (n·n, C_out, P), bias (C_out) -> y (N, C_out, OH, OW). Tiles at the edges reach beyond the output.
extern "C" __global__ void winograd_output(
    index_t total, const real* M, const real* bias, real* y,
    index_t channels, index_t OH, index_t OW, index_t TH, index_t TW, index_t P)
{
    FOR_EACH(at, total) {
        index_t p = at % P, o = at / P, n = p / TW / TH, top = p / TW % TH * OUT, left = p % TW * OUT;
        real* plane = y + (n * channels + o) * OH * OW;
        real m[TILE][TILE], out[OUT][OUT];
        EACH(a, TILE) EACH(b, TILE) m[a][b] = M[(a * TILE + b) * total + at];
        on_both_sides(AT, m, out);
        EACH(a, OUT) EACH(b, OUT) {
            if (top + a < OH && left + b < OW) plane[(top + a) * OW + left + b] = out[a][b] + bias[o];
        }
    }
}

// The transpose: dM (n·n, C_out, P) from dy (N, C_out, OH, OW).
extern "C" __global__ void winograd_output_back(
    index_t total, const real* dy, real* dM,
    index_t channels, index_t OH, index_t OW, index_t TH, index_t TW, index_t P)
{
    FOR_EACH(at, total) {
        index_t p = at % P, o = at / P, n = p / TW / TH, top = p / TW % TH * OUT, left = p % TW * OUT;
        const real* plane = dy + (n * channels + o) * OH * OW;
        real y[OUT][OUT], m[TILE][TILE];
        EACH(a, OUT) EACH(b, OUT) {
            bool inside = top + a < OH && left + b < OW;
            y[a][b] = inside ? plane[(top + a) * OW + left + b] : (real)0;
        }
        on_both_sides(A, y, m);
        EACH(a, TILE) EACH(b, TILE) dM[(a * TILE + b) * total + at] = m[a][b];
    }
}
