// im2col: columns[n, (c·KH + kh)·KW + kw, oh·OW + ow] = image[n, c, oh·SH − PH + kh, ow·SW − PW + kw], 0 outside.
//
// One thread per (n, c, oh, ow) lays its window of KH·KW pixels down as part of one column. Neighbouring threads have
// neighbouring ow, so what they write lies side by side. The strides let columns lie image by image or row by row.
extern "C" __global__ void im2col(
    index_t total, const real* image, real* columns,
    index_t C, index_t H, index_t W, index_t OH, index_t OW,
    index_t KH, index_t KW, index_t SH, index_t SW, index_t PH, index_t PW,
    index_t image_stride, index_t row_stride)
{
    FOR_EACH(i, total) {
        index_t ow = i % OW, oh = i / OW % OH, c = i / OW / OH % C, n = i / OW / OH / C;
        const real* plane = image + (n * C + c) * H * W;
        real* column = columns + n * image_stride + c * KH * KW * row_stride + oh * OW + ow;
        for (index_t kh = 0; kh < KH; ++kh) {
            for (index_t kw = 0; kw < KW; ++kw) {
                index_t h = oh * SH - PH + kh, w = ow * SW - PW + kw;
                bool inside = 0 <= h && h < H && 0 <= w && w < W;
                *column = inside ? plane[h * W + w] : (real)0;
                column += row_stride;
            }
        }
    }
}

// col2im, the transpose of im2col: image[n, c, h, w] = Σ columns[n, (c·KH + kh)·KW + kw, oh·OW + ow]
// over the windows (oh, ow) that contain the pixel, kh = h + PH − oh·SH, kw = w + PW − ow·SW.
//
// One thread per pixel collects its own sum: nothing is written twice, so no atomics, and the order never changes
// (for each kw upwards the sum over kh upwards, as on the CPU).
extern "C" __global__ void col2im(
    index_t total, const real* columns, real* image,
    index_t C, index_t H, index_t W, index_t OH, index_t OW,
    index_t KH, index_t KW, index_t SH, index_t SW, index_t PH, index_t PW,
    index_t image_stride, index_t row_stride)
{
    FOR_EACH(i, total) {
        index_t w = i % W + PW, h = i / W % H + PH, c = i / W / H % C, n = i / W / H / C;
        index_t first_oh = first_window(h, KH, SH), first_ow = first_window(w, KW, SW);
        real sum = 0;
        for (index_t ow = end_window(w, SW, OW) - 1; ow >= first_ow; --ow) {
            real over_rows = 0;
            for (index_t oh = end_window(h, SH, OH) - 1; oh >= first_oh; --oh) {
                index_t row = (c * KH + h - oh * SH) * KW + w - ow * SW;
                over_rows += columns[n * image_stride + row * row_stride + oh * OW + ow];
            }
            sum += over_rows;
        }
        image[i] = sum;
    }
}
