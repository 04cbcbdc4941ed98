"""--mean: what is subtracted from pixels, for weights that come without it or with another.

    mean.binaryproto       Caffe's BlobProto, (1, 3, 256, 256), channels in the order blue, green,
                           red
    ilsvrc_2012_mean.npy   the same as an array (3, 256, 256), or a colour (3,)
    preprocessor.json      {"mean": [...], "std": [...]} or {"image_mean": ..., "image_std": ...}:
                           red, green, blue
    0.485,0.456,0.406/0.229,0.224,0.225   mean and, after a slash, std: red, green, blue

Numbers of which none is above 1 are for pixels of 0 to 1, others for pixels of 0 to 255.
"""

import json
from pathlib import Path
from tokenize import TokenError  # NumPy reads the head of an .npy by it

import numpy as np

from ..data import Statistics
from ..errors import UserError
from ..foreign import conventions, protobuf

FORMS = ("Caffe's mean.binaryproto, an .npy of it, a .json with mean and std, or numbers for red, "
         "green and blue, such as 104,117,123 or 0.485,0.456,0.406/0.229,0.224,0.225")
MOST_BYTES = 2**26  # a mean image of 256 × 256 has 786,432


def apply(found, given):
    """Give Weights the mean that --mean names, in place. Raises UserError when it cannot be read,
    or fits no picture here."""
    if "minialex" in found.origin:
        raise UserError(f"--mean {given} is not needed: "
                        "these weights bring the mean that they were trained with.")
    kernels = found.arrays.get("conv1.weight")
    if kernels is None or kernels.ndim != 4:
        raise UserError(f"--mean {given} cannot be used: these weights have no conv1.")
    mean, std, unit = _read(given)
    image = _image(mean, kernels.shape[1], 36 if found.variant == "lenet5" else conventions.SIZE,
                   given)
    if std is not None:
        if std.shape not in ((1,), (kernels.shape[1],)) or not (std > 0).all():
            raise UserError(f"the std of --mean {given} must be one number above 0, "
                            f"or {kernels.shape[1]} of them.")
        std = np.broadcast_to(std, kernels.shape[1])
        if found.folded is not None:
            kernels = kernels * np.float32(found.folded / found.folded.mean())[None, :, None, None]
        found.arrays["conv1.weight"], common = conventions.fold_std(kernels, std)
        found.folded = std
    elif found.statistics is not None:
        common = found.statistics.std
    else:
        common = 255.0 if unit else 1.0
    found.pixels = "raw" if common == 1 else "unit"
    found.statistics = Statistics(image, common)
    found.notes = [note for note in found.notes if "--mean" not in note]


def _image(mean, channels, size, given):
    """float32 (channels, size, size)"""
    colour = mean.reshape(-1) if mean.ndim < 3 or mean.shape[-2:] == (1, 1) else None
    if colour is not None and len(colour) in (1, channels):
        return conventions.mean_image(np.broadcast_to(colour, channels), size)
    if mean.shape != (channels, size, size):
        raise UserError(f"the mean of --mean {given} has shape {mean.shape}: "
                        f"it must be {(channels, size, size)}, "
                        f"which are the pictures before they are cropped, or {channels} numbers.")
    return np.ascontiguousarray(mean, np.float32)


def _read(given):
    """(mean, std or None, whether they are for pixels of 0 to 1), in units of 0..255, red, green,
    blue."""
    path = Path(given)
    try:
        if not path.is_file():
            return _numbers(*(part.replace(",", " ").split() for part in given.split("/")))
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        content = path.read_bytes()
        if content.lstrip()[:1] in (b"{", b"["):
            return _numbers(*_json(json.loads(content)))
        is_npy = content.startswith(b"\x93NUMPY")
        mean = (np.load(path, allow_pickle=False) if is_npy
                else protobuf.blob(protobuf.decode(content, "BlobProto")))
        if mean.dtype.kind not in "fiu":
            raise ValueError("it holds no numbers")
        mean = mean.astype(np.float32).reshape(mean.shape[1:] if mean.ndim == 4 and len(mean) == 1
                                               else mean.shape)
        if not mean.size or not np.isfinite(mean).all():
            raise ValueError("it holds no numbers")
        return mean[::-1], None, False
    except OSError as error:
        raise UserError(f"cannot read {given}: {error.strerror or error}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError,
            RecursionError, TokenError) as error:
        what = (f"{given} holds no mean" if path.is_file()
                else f"--mean {given} is no file and no numbers")
        raise UserError(f"{what}: give {FORMS}.") from error


def _json(found):
    """(mean, std) of what torchvision, timm or a preprocessor of transformers wrote."""
    found = found.get("pretrained_cfg", found) if isinstance(found, dict) else {"mean": found}
    mean, std = found.get("mean", found.get("image_mean")), found.get("std", found.get("image_std"))
    return mean, std


def _numbers(mean, std=None):
    """The same of lists of numbers, which may be text."""
    parts = [np.array(part, np.float64) for part in (mean, std) if part is not None]
    both = np.concatenate(parts)
    if not all(part.ndim == 1 and part.size for part in parts) or not np.isfinite(both).all():
        raise ValueError("no numbers")
    unit = bool((np.abs(both) <= 1).all())
    mean, *std = [part * (255 if unit else 1) for part in parts]
    return mean, std[0] if std else None, unit
