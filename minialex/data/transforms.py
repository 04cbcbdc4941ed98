"""What happens to a decoded picture before the network sees it: crop, reflect, subtract the mean,
shift the colour, scale.

The paper (section 4.1): "extracting random 224×224 patches (and their horizontal reflections) from
the 256×256 images and training our network on these extracted patches". (227×227 is what the layer
sizes need.)
"""

from typing import Any

import numpy as np

from ..aliases import Array
from ..device import array_module

# ITU-R BT.601, the weights that Pillow's mode L uses
LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def luminance(planes: Array) -> Array:
    """Brightness of a colour picture: uint8 (3, H, W) -> uint8 (1, H, W)."""
    grey = np.einsum("c,chw->hw", LUMINANCE, planes, dtype=np.float32)
    return np.rint(grey, out=grey).astype(np.uint8)[None]


def centre(size: int, crop: int) -> int:
    """Offset (row and column alike) of the central crop: (256, 227) -> 14."""
    return (size - crop) // 2


def prepare(planes: Array, row: int, column: int, reflect: bool, mean: Array | None, factor: float,
            out: Array, shift: Array | None = None) -> None:
    """out = (crop - mean's crop + shift) * factor, reflected if asked; out: float32 (C, crop,
    crop), written in place.

    planes: uint8 (C, size, size); row, column: the crop's offset; mean: float32 (C, size, size) or
    None; shift: float32 (C,), what every pixel's colour is moved by, or None. The mean is
    subtracted before the reflection, so each pixel meets its own.
    """
    window = np.s_[:, row : row + out.shape[1], column : column + out.shape[2]]
    # In a buffer that fits the cache, then once into the batch.
    picture = planes[window].astype(np.float32)
    if mean is not None:
        picture -= mean[window]
    if shift is not None:
        picture += shift[:, None, None]
    array_module(planes).multiply(picture[:, :, ::-1] if reflect else picture, np.float32(factor),
                                  out=out)


def prepare_batch(planes: Any, offsets: Any, reflections: Any, mean: Any, factor: float, crop: int,
                  shifts: Any = None) -> Any:
    """`prepare` for a batch that lies on a GPU, in a few operations instead of thousands; the same
    bytes.

    planes: uint8 (N, C, size, size); offsets: integers (N, 2), row and column; reflections: bool
    (N,); mean: float32 (C, size, size) or None; shifts: float32 (N, C) or None; all on one device,
    where the result, float32 (N, C, crop, crop), is too.
    """
    xp = array_module(planes)
    steps = xp.arange(crop)
    rows = (offsets[:, :1] + steps)[:, None, :, None]
    columns = (offsets[:, 1:] + xp.where(reflections[:, None], crop - 1 - steps,
                                         steps))[:, None, None, :]
    pictures, channels = xp.arange(len(planes))[:, None, None,
                                                None], xp.arange(planes.shape[1])[:, None, None]
    images = planes[pictures, channels, rows, columns].astype(np.float32)
    if mean is not None:
        images -= mean[channels, rows, columns]
    if shifts is not None:
        images += shifts[:, :, None, None]
    images *= np.float32(factor)
    return images


def colour_shifts(components: Array, sigma: float, count: int,
                  random: np.random.Generator) -> Array:
    """The paper's colour augmentation, one draw per picture: P·(α₁λ₁, α₂λ₂, α₃λ₃)ᵀ with α ~ N(0,
    sigma²) is added to every pixel of it (section 4.1; sigma 0.1). components: P·diag(λ), from
    Statistics; random: np Generator. float32 (count, 3)."""
    return (sigma * random.standard_normal((count, 3)) @ components.T).astype(np.float32)


def ten_crops(planes: Any, crop: int, mean: Any = None, factor: float = 1.0) -> Any:
    """The paper's ten views of each picture, "the four corner patches and the center patch as well
    as their horizontal reflections" (section 4.1): uint8 (N, C, size, size) -> float32 (N, 10, C,
    crop, crop), on the device of `planes`.

    mean: float32 (C, size, size) on the same device, or None; factor: as for `prepare`, whose
    values these are: each pixel meets its own mean before it is reflected. Views 5 to 9 are the
    reflections of 0 to 4; view 4 is what validation sees. Raises ValueError when the crop does not
    fit.
    """
    size = planes.shape[-1]
    if not 1 <= crop <= size:
        raise ValueError(f"ten crops of {crop}×{crop} do not fit into pictures of {size}×{size}.")
    out = array_module(planes).empty((len(planes), 10, planes.shape[1], crop, crop),
                                     dtype=np.float32)
    far, middle = size - crop, centre(size, crop)
    corners = [(0, 0), (0, far), (far, 0), (far, far), (middle, middle)]
    for picture, views in zip(planes, out):
        for view, (row, column) in zip(views, corners):
            prepare(picture, row, column, False, mean, factor, view)
    out[:, 5:] = out[:, :5, ..., ::-1]
    return out
