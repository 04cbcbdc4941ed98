"""From pictures of more than 8 bits to 0..255: which of their values is black, and which is white.

Files rarely say it: 12 bits lie in 16, numbers run from 0 to 1, from -1 to 1, or in units of their
own. The rule, in this order:

    the file says it       2^bits - 1 for a TIFF of 10, 12 or 14 bits or with a MaxSampleValue; what
                           a PGM gives as its greatest
    whole numbers          the first of 255, 1023, 4095, 16383 and 65535 that none exceeds; but the
                           brightest value itself where that is below half of it (256 is no dark
                           picture of 10 bits), a tenth of 255, or above 65535
    floating point         1 or 255 for numbers up to that and above a tenth of it; else the
                           brightest value
    numbers below zero     a fifth of the brightest and less is a filter's overshoot, and black;
                           else -1 and 1 are black and white where most of that range is used, and
                           the darkest and the brightest value elsewhere
    white is zero          turned round in the end

NaN and -inf are black, inf is white. A picture that would be black though its values differ is
refused (Unclear).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from ..aliases import Array

_WHITES = (255, 1023, 4095, 16383, 65535)
_BITS, _PHOTOMETRIC, _MAX_SAMPLE, _SAMPLE_FORMAT = 258, 262, 281, 339  # tags of TIFF
_SIGNED = 2
# where the other byte of each value is read
_LOW = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "RGBX;16B": "RGBX;16L"}
_LOW |= {low: high for high, low in _LOW.items()} | {"RGB;16N": "RGB;16B", "RGBA;16N": "RGBA;16B",
                                                     "RGBX;16N": "RGBX;16B"}


class Unclear(ValueError):
    """Nothing says what is black and what is white; the message says why."""


def load(image: Image.Image, reopen: Callable[[str], Array]) -> Image.Image:
    """Load an image that is open, and give one of more than 8 bits its black and white: mode L, or
    colours of 8 bits.

    reopen(mode): the pixels of the file read as another raw mode of Pillow's. Raises Unclear.
    """
    tags = getattr(image, "tag_v2", {})
    # which Pillow reads without their sign
    if tags.get(_SAMPLE_FORMAT, (1,))[0] == _SIGNED and tags.get(_BITS, (0,))[0] == 8:
        raise Unclear("its pixels are signed bytes; save it with bytes from 0 to 255")
    args = image.tile[0][3] if image.tile else ""
    stored, *rest = args if isinstance(args, tuple) else (args,)
    greatest = rest[0] if image.format == "PPM" and len(rest) == 1 else None
    image.load()
    if image.mode.startswith(("I", "F")):
        return _grey(image, tags, greatest)
    return _colours(image, stored, reopen) if ";16" in str(stored) or greatest == 65535 else image


def _grey(image: Image.Image, tags: Mapping[int, Any], greatest: int | None) -> Image.Image:
    """Make an image of one channel one of mode L; greatest: what a PGM says."""
    values = np.asarray(image)
    if values.dtype == np.int32 and tags.get(_BITS) == (32,) and tags.get(_SAMPLE_FORMAT,
                                                                          (1,))[0] == 1:
        values = values.view(np.uint32)
    levels = _levels(values, _declared(tags, greatest))
    return Image.fromarray(255 - levels if tags.get(_PHOTOMETRIC) == 0 else levels)


def _colours(image: Image.Image, stored: str, reopen: Callable[[str], Array]) -> Image.Image:
    """Give the right white to a loaded colour image whose channels have 16 bits, of which Pillow
    keeps the upper 8; stored: the raw mode in which they lie in the file, such as "RGB;16B"."""
    high = np.asarray(image)
    shades = high[..., :3] if stored != "LA;16B" else high[..., :1]
    # as bright as 16 bits are: the upper 8 are the picture
    if shades.max(initial=0) >= 128 or not shades.size:
        return image
    if stored == "LA;16B":
        both = reopen("RGBA").astype(np.uint16)  # grey's two bytes, then those of the transparency
        values = both[..., [0, 0, 0, 2]] * 256 + both[..., [1, 1, 1, 3]]
    elif stored in _LOW:
        values = high.astype(np.uint16) * 256 + reopen(_LOW[stored])
    elif 0 < shades.max() <= 16:
        raise Unclear("its 16 bits hold at most 12, which would be black; save it with 8 bits")
    else:
        return image
    parts = [_levels(values[..., :3], None)] + ([_levels(values[..., 3:], None)]
                                                if values.shape[-1] == 4 else [])
    return Image.fromarray(np.concatenate(parts, axis=-1))


def _declared(tags: Mapping[int, Any], greatest: int | None) -> int | None:
    """The value that the file calls white, or None."""
    if greatest is not None:
        return 65535 if greatest < 65535 else None  # Pillow has scaled the others to it
    bits, most = tags.get(_BITS, (16,))[0], tags.get(_MAX_SAMPLE, (65535,))
    most = most[0] if isinstance(most, tuple) else most
    if bits not in (8, 16, 32, 64):
        return 2**bits - 1
    return most if 0 < most < 65535 else None


def _levels(values: Array, white: float | None) -> Array:
    """Values of any type -> uint8 in 0..255."""
    finite = np.isfinite(values)
    if not finite.all():
        if not finite.any():
            raise Unclear("it holds no numbers but NaN and infinity")
        lowest, highest = values[finite].min(), values[finite].max()
        values = np.nan_to_num(values, nan=min(lowest, 0), neginf=lowest, posinf=highest)
    lowest, highest = float(values.min()), float(values.max())
    floating = values.dtype.kind == "f"
    black, top = _ends(lowest, highest, floating)
    white = top if white is None or white < highest or lowest < 0 else white
    if black == white:
        raise Unclear(f"all its values are {lowest:g}, "
                      "and nothing says whether that is black or white")
    levels = ((values.clip(black, white) - np.float64(black))
              * (255.0 / (white - black))).round().astype(np.uint8)
    if floating and white == highest:
        _check_not_black(values, levels, highest)
    return levels


def _ends(lowest: float, highest: float, floating: bool) -> tuple[float, float]:
    """(black, white), which are equal when nothing can be told."""
    if lowest < -0.2 * max(highest, 0) and lowest < 0:
        return (-1.0, 1.0) if floating and 0.5 < max(-lowest, highest) <= 1.05 else (lowest,
                                                                                     highest)
    whites = (1, 255) if floating else _WHITES
    fitting = next((white for white in whites if highest <= white), highest)
    dark = highest <= fitting * (0.1 if fitting <= 255 else 0.5)
    return 0.0, float(highest if dark and highest > 0 else fitting)


def _check_not_black(values: Array, levels: Array, highest: float) -> None:
    dark = values[levels == 0]
    if dark.size > 0.99 * values.size and dark.min() < dark.max():
        raise Unclear(f"its values reach {highest:g}, and 99 % of them would be black; "
                      "scale them to 0..1")
