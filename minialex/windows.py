"""The geometry that convolution and pooling share: windows of KH x KW pixels, SH and SW pixels apart.

    OH = ⌊(H + 2·PH − KH)/SH⌋ + 1
"""
from numbers import Integral


def pair(name, value, smallest=1):
    """`value` as (vertical, horizontal): one whole number for both, or two. Raises ValueError below `smallest`."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2 or not all(isinstance(v, Integral) and v >= smallest for v in values):
        raise ValueError(f"{name} must be a whole number of at least {smallest}, or two of them (vertical, horizontal), "
                         f"got {value!r}.")
    return int(values[0]), int(values[1])


def window_count(size, kernel, stride, padding):
    """⌊(size − kernel + 2·padding)/stride⌋ + 1: how many windows fit along one axis, in pixels."""
    return (size - kernel + 2 * padding) // stride + 1


def output_size(name, shape, kernel_size, stride, padding):
    """(OH, OW) for images of shape (N, C, H, W). Raises ValueError when it is no such shape or no window fits."""
    if len(shape) != 4:
        raise ValueError(f"{name}: input must be (N, C, H, W), a batch of images, got shape {tuple(shape)}.")
    if 0 in shape:
        raise ValueError(f"{name}: input of shape {tuple(shape)} holds no values: there must be at least one image, one "
                         "channel and one pixel.")
    sizes = []
    for axis, size, k, s, p in zip("HW", shape[2:], kernel_size, stride, padding):
        if k > size + 2 * p:
            raise ValueError(f"{name}: kernel_size {tuple(kernel_size)} does not fit input {tuple(shape)}: {axis} = {size} "
                             f"with padding {p} on both sides makes {size + 2 * p}, and the window needs {k}.")
        sizes.append(window_count(size, k, s, p))
    return tuple(sizes)
