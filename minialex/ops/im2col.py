"""im2col: every window of an image as a column, and back.

    OH = ⌊(H + 2·PH − KH)/SH⌋ + 1           windows from top to bottom; OW from left to right
    columns[n, (c, i, j), (h, w)] = x[n, c, h·SH + i − PH, w·SW + j − PW]
    dx = col2im(dcolumns), the transpose: each entry is added to the pixel that it came from

x is 0 outside the image. (c, i, j) is row (c·KH + i)·KW + j, (h, w) is column h·OW + w. A pixel
is copied into every window that holds it, and the transpose of copying is summing. So
col2im(im2col(x)) is not x: each pixel comes back once for each of its windows.

Pooling has the same windows. N, C, H, W: images, channels, height, width. KH, KW: kernel. SH,
SW: stride. PH, PW: padding.
"""
from numbers import Integral

from ..aliases import Array, Pair, Shape, Size
from ..device import array_module, is_array, is_masked


def im2col(array: Array, kernel_size: Size | Shape, stride: Size = 1, padding: Size = 0) -> Array:
    """Every window of every image as a column: (N, C, H, W) -> (N, C·KH·KW, OH·OW). Plain arrays.

    Row (c·KH + i)·KW + j of image n holds the pixels that kernel entry [c, i, j] meets; outside the
    image stand zeros. Raises ValueError when no window fits.
    """
    _check_plain("im2col", array)
    kernel_size, stride, padding = geometry(kernel_size, stride, padding)
    OH, OW = output_size("im2col", array.shape, kernel_size, stride, padding)
    entries = array_module(array).stack(taps(pad(array, padding), kernel_size, stride), axis=2)
    return entries.reshape(len(array), -1, OH * OW)  # from (N, C, KH·KW, OH, OW)


def col2im(columns: Array, image_shape: Shape, kernel_size: Size | Shape, stride: Size = 1,
           padding: Size = 0) -> Array:
    """The transpose of im2col: (N, C·KH·KW, OH·OW) -> image_shape (N, C, H, W).

    Overlapping entries are added up. Raises ValueError when the columns do not belong to images of
    that shape.
    """
    _check_plain("col2im", columns)
    kernel_size, stride, padding = geometry(kernel_size, stride, padding)
    (N, C, H, W), (KH, KW), (PH, PW) = image_shape, kernel_size, padding
    OH, OW = output_size("col2im", image_shape, kernel_size, stride, padding)
    if columns.shape != (N, C * KH * KW, OH * OW):
        raise ValueError(f"col2im: columns of shape {columns.shape} do not belong to images "
                         f"{tuple(image_shape)} with kernel_size {kernel_size}, stride {stride}, "
                         f"padding {padding}: those have {(N, C * KH * KW, OH * OW)}.")
    entries = columns.reshape(N, C, KH * KW, OH, OW)
    padded = array_module(columns).zeros((N, C, H + 2 * PH, W + 2 * PW), dtype=columns.dtype)
    for k, pixels in enumerate(taps(padded, kernel_size, stride)):
        pixels += entries[:, :, k]  # pixels is a view: this adds into padded
    return unpad(padded, padding)


def taps(image: Array, kernel_size: Pair, stride: Pair) -> list[Array]:
    """KH·KW views of an image (…, H, W), in reading order. Tap i·KW + j is pixel (i, j) of every
    window, (…, OH, OW); writing to it writes to the image."""
    (KH, KW), (SH, SW) = kernel_size, stride
    OH, OW = map(window_count, image.shape[-2:], kernel_size, stride, (0, 0))
    return [image[..., i:i + SH * OH:SH, j:j + SW * OW:SW] for i in range(KH) for j in range(KW)]


def pad(x: Array, padding: Pair, value: float = 0) -> Array:
    """x with PH rows of `value` above and below, and PW columns left and right."""
    PH, PW = padding
    return array_module(x).pad(x, [(0, 0), (0, 0), (PH, PH), (PW, PW)], constant_values=value)


def unpad(x: Array, padding: Pair) -> Array:
    """The images without their padding."""
    (PH, PW), (H, W) = padding, x.shape[2:]
    return x[:, :, PH:H - PH, PW:W - PW]


def pair(name: str, value: Size | Shape, smallest: int = 1) -> Pair:
    """`value` as (vertical, horizontal): one whole number for both, or two. Raises ValueError below
    `smallest`."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2 or not all(isinstance(v, Integral) and v >= smallest for v in values):
        raise ValueError(f"{name} must be a whole number of at least {smallest}, or two of them "
                         f"(vertical, horizontal), got {value!r}.")
    return int(values[0]), int(values[1])


def geometry(kernel_size: Size | Shape, stride: Size, padding: Size) -> tuple[Pair, ...]:
    """All three as (vertical, horizontal)."""
    return pair("kernel_size", kernel_size), pair("stride", stride), pair("padding", padding, 0)


def window_count(size: int, kernel: int, stride: int, padding: int) -> int:
    """⌊(size − kernel + 2·padding)/stride⌋ + 1: how many windows fit along one axis, in pixels."""
    return (size - kernel + 2 * padding) // stride + 1


def output_size(name: str, shape: Shape, kernel_size: Pair, stride: Pair, padding: Pair) -> Pair:
    """(OH, OW) for images of shape (N, C, H, W). Raises ValueError when it is no such shape or no
    window fits."""
    if len(shape) != 4 or 0 in shape:
        raise ValueError(f"{name}: input must be (N, C, H, W), a batch of images, all above 0, "
                         f"got shape {tuple(shape)}.")
    for axis, size, k, p in zip("HW", shape[2:], kernel_size, padding):
        if k > size + 2 * p:
            raise ValueError(f"{name}: kernel_size {kernel_size} does not fit input "
                             f"{tuple(shape)}: {axis} = {size} with padding {p} on both sides "
                             f"makes {size + 2 * p}, and the window needs {k}.")
    OH, OW = map(window_count, shape[2:], kernel_size, stride, padding)
    return OH, OW


def _check_plain(name: str, array: object) -> None:
    if not is_array(array) or is_masked(array):
        raise TypeError(f"{name} works on plain arrays, got a {type(array).__name__}: pass a "
                        "Tensor's .data, or np.asarray(...) of a list.")
