"""From a picture file to the 256×256 pixels that the network sees.

The paper (section 2): "we first rescaled the image such that the shorter side was of length 256,
and then cropped out the central 256×256 patch from the resulting image". Taking the central square
first and rescaling only that is the same patch, costs less, and keeps a 1×60,000 banner from
becoming a 256×15,360,000 one.
"""

import os
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from ..aliases import Array
from ..errors import UserError
from ..folders.formats import AVIF, called_picture
from ..folders.problems import Problems, Reporter, printable, report_problem
from ..utils.files import Place
from . import depth

SIZE = 256
MAX_PIXELS = 90_000_000
# Without this list Pillow would also try formats that start other programs (PostScript) or fetch
# other files.
FORMATS = ("BMP", "DIB", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP") + ("AVIF", ) * AVIF
# What turns a picture upright, by the orientation that a camera notes (Exif), 2 to 8.
UPRIGHT = dict(enumerate(map(Image.Transpose.__getitem__,
                             ("FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE",
                              "ROTATE_270", "TRANSVERSE", "ROTATE_90")), 2))

# Pillow warns of large pictures and odd metadata; here a picture is either used or refused in one
# line with its path.
warnings.filterwarnings("ignore", module=r"PIL\.")


class UnreadablePicture(UserError):
    """A file that cannot be used as a picture; `path` says which, `reason` says why."""

    def __init__(self, path: Place, reason: str):
        self.path, self.reason = printable(path), reason
        super().__init__(f"cannot read {self.path}: {reason}")


def decode(path: Place, size: int = SIZE) -> Array:
    """Read a picture file of any mode as the upright central square, `size` pixels a side: uint8
    (size, size, 3).

    Transparent parts become white. Raises UnreadablePicture (a UserError) with path and reason.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            # lets the JPEG decoder skip detail that the rescaling would throw away
            image.draft(None, (size, size))
            loaded = depth.load(image, lambda rawmode: _read_as(path, rawmode))
            # asked after loading, which turns TIFF pictures upright by itself
            orientation = _orientation(image)
            square = _on_white(_central_square(_as_colours(loaded), size))
        if orientation in UPRIGHT:
            square = square.transpose(UPRIGHT[orientation])
        return np.array(square)
    except Exception as error:
        # decoders raise almost anything on damaged bytes: struct.error, SyntaxError, ...
        raise UnreadablePicture(path, _reason(path, error)) from error


def planes_of(path: Place, size: int = SIZE) -> Array:
    """Read a picture as `decode` does, as three colour planes: uint8 (3, size, size), read-only,
    since many may share it."""
    planes = np.ascontiguousarray(decode(path, size).transpose(2, 0, 1))
    planes.flags.writeable = False
    return planes


def attempt(read: Callable[..., Any], *which: Any) -> Any:
    """What read(*which) returns or, of a picture that cannot be read, the UnreadablePicture: for
    threads that read ahead."""
    try:
        return read(*which)
    except UnreadablePicture as failure:
        return failure


def _central_square(image: Image.Image, size: int) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling.BICUBIC, box, reducing_gap=3)


def _as_colours(image: Image.Image) -> Image.Image:
    """As RGB, or as RGBA if parts are transparent."""
    mode = "RGBA" if image.mode in ("LA", "La", "PA", "RGBA",
                                    "RGBa") or "transparency" in image.info else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _on_white(image: Image.Image) -> Image.Image:
    """Without transparency. Only the small square is laid on white: the whole picture would be held
    four times."""
    if image.mode == "RGB":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _read_as(path: Place, rawmode: str) -> Array:
    """The pixels of a file whose bytes are taken for another raw mode of Pillow's."""
    with Image.open(path, formats=FORMATS) as image:
        tile = image.tile[0]
        args = (rawmode, *tile[3][1:]) if isinstance(tile[3], tuple) else rawmode
        image.tile = [(*each[:3], args) for each in image.tile]
        return np.asarray(image)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a damaged tag says nothing about the pixels
        return 1


def _reason(path: Place, error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {MAX_PIXELS:,} pixels; make it smaller"
    if isinstance(error, depth.Unclear):
        return str(error)
    if isinstance(error, MemoryError):
        return "it is too large for the memory; make it smaller"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, UnidentifiedImageError):
        if os.path.getsize(path) == 0:
            return "the file is empty"
        return "its content is not a picture in a known format" + called_picture(path)
    return f"damaged or cut off ({type(error).__name__}: {error})"


class PictureSet:
    """Labelled pictures, decoded when asked for and then kept in memory while they fit.

    classes: list of str; labels: int64 (len,); names: list of str, relative to the root; paths:
    list of str problems: list of (path, reason): what was left out so far. Each is also given to
    `report` once, when it is found.
    """

    def __init__(self, classes: Sequence[str], labels: Sequence[int], paths: Sequence[str],
                 names: Sequence[str] | None = None, size: int = SIZE, cache_bytes: int = 2**30,
                 report: Reporter = report_problem):
        self.classes = list(classes)
        self.labels = np.asarray(labels, dtype=np.int64)
        self.paths = list(paths)
        self.names = [printable(name) for name in (paths if names is None else names)]
        self.size = size
        self.cache_bytes = cache_bytes
        self.report = report
        self.problems: Problems = []
        self._failures: dict[int, UnreadablePicture] = {}
        self._cache: dict[int, Array] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def decodes_anew(self) -> bool:
        """Do the decoded pictures not fit into the memory for them, so that every epoch decodes
        some of them again?"""
        return len(self) * 3 * self.size**2 > self.cache_bytes

    def read(self, index: int) -> Array:
        """Picture number `index`: uint8 (size, size, 3). Raises UnreadablePicture; safe to call
        from many threads."""
        return self.planes(index).transpose(1, 2, 0)

    def planes(self, index: int) -> Array:
        """The same picture as three colour planes, uint8 (3, size, size): the layout in which crops
        are cheap."""
        if index in self._cache:
            return self._cache[index]
        if index in self._failures:
            raise self._failures[index]
        try:
            planes = self._decode(index)
        except UnreadablePicture as failure:
            with self._lock:
                # else another thread has said so
                if self._failures.setdefault(index, failure) is failure:
                    self.problems.append((failure.path, failure.reason))
                    if self.report is not None:
                        self.report(failure.path, failure.reason)
            raise
        # All pictures have the same size, so counting them is counting bytes.
        if (len(self._cache) + 1) * planes.nbytes <= self.cache_bytes:
            self._cache[index] = planes
        return planes

    def _decode(self, index: int) -> Array:
        return planes_of(self.paths[index], self.size)

    def planes_or_next(self, index: int) -> tuple[Array, int]:
        """(planes, index) of this picture or, if it cannot be read, of the first after it that can;
        the last is followed by the first. Raises UserError if there is none."""
        for step in range(len(self)):
            candidate = (index + step) % len(self)
            try:
                return self.planes(candidate), candidate
            except UnreadablePicture:
                continue
        first = printable(self.paths[0])
        raise UserError(f"none of the {len(self)} pictures can be read, the first being {first}: "
                        "check the files")
