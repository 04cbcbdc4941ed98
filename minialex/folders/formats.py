"""What lies where pictures were expected: data in other forms, each with what its owner can do."""

import os
import re
from collections import Counter
from collections.abc import Iterator

from PIL import features

from ..utils.files import Place
from .problems import printable

AVIF = features.version("avif") is not None  # Pillow reads it from 11.3 on
ENDINGS = tuple((".apng .bmp .dib .gif .jfi .jfif .jif .jpe .jpeg .jpg .mpo .pbm .pfm .pgm .pjp "
                 ".pjpeg .png .pnm .ppm .tif .tiff .webp" + " .avif .avifs" * AVIF).split())

_WRITE = "write each picture into a file first, such as CLASS/0001.png (docs/pictures.md shows how)"
_CONVERT = "convert each to .jpg or .png"
# (names of such files, what one is, what to do): the first that fits counts.
_KINDS = [(re.compile(names), what, advice) for names, what, advice in (
    (r".*-ubyte(\.gz)?", "an array as MNIST has it", _WRITE),
    (r"(data|test)_batch.*|batches\.meta.*|.*\.bin|train|test|meta",
     "an array as CIFAR or STL-10 has it", _WRITE),
    (r".*\.(dcm|dicom|nii|nii\.gz)", "a medical picture", _CONVERT),
    (r".*\.(zip|tar|tgz|tbz2?|txz|gz|bz2|xz|zst|7z|rar)", "an archive",
     "unpack it and give the folder with the pictures"),
    (r".*\.mat", "a file of MATLAB's", _WRITE),
    (r".*\.np[yz]", "a file of NumPy's arrays", _WRITE),
    (r".*\.(pkl|pickle|p|pt|pth)", "a pickle of Python's", _WRITE),
    (r".*\.(h5|hdf5|hdf)", "an HDF5 file", _WRITE),
    (r".*\.(mdb|lmdb)", "an LMDB database", _WRITE),
    (r".*\.(parquet|arrow|feather)", "a table that holds pictures, as Hugging Face keeps them",
     _WRITE),
    (r".*\.tfrecords?([-.].*)?|.*\.rec", "a file of TensorFlow's or MXNet's records", _WRITE),
    (r".*\.(hei[cf]s?|hif)", "a HEIC photograph", _CONVERT),
    (r".*\.(cr[23]|nef|arw|dng|raf|orf|rw2|srw)", "a camera's raw file", _CONVERT),
    (r".*\.(svgz?|pdf|psd|ai|eps|jp2|j2k|jxl|tga|exr|hdr|ico|xcf|wmf|emf)",
     "a picture in a format that is not read here", _CONVERT),
    (r".*\.(mp4|avi|mov|mkv|webm|mpe?g|m4v|wmv|3gp)", "a video",
     "save some of its frames as .jpg or .png"),
    (r".*\.(xlsx?|ods|numbers)", "a spreadsheet", "give the folder of the pictures"),
    (r".*\.(csv|tsv|jsonl?|xml|ya?ml|txt)", "a table or a text",
     "give the folder of the pictures; pixels in a table must become picture files first"),
    (r"[^.]*", "a file without an ending", "if it is a picture, let its name end in .jpg or .png"),
)]
_WEAK = len(_KINDS) - 2  # from here on: what also lies beside others
_MOST = 5000  # files that are looked at
# How files begin that are called pictures and are none.
_BEGINNINGS = [(re.compile(beginning), what) for beginning, what in (
    (rb"\s*version https://git-lfs", "Git LFS's pointer to one: git lfs pull fetches it"),
    (rb"(?is)\s*<(!doctype|html)", "a web page: the download has failed"),
    (rb"(?s)....ftyp(hei|hev|mif|msf)", "a HEIC photograph: convert it to .jpg or .png"),
)]


def instead_of_pictures(root: Place) -> str:
    """What a file is, or most files in a folder without pictures, and what to do. "": unknown."""
    paths = list(_files(root)) if os.path.isdir(root) else [os.fspath(root)]
    kinds = Counter(kind for path in paths if (kind := _kind(path)) is not None)
    if not kinds or paths == [os.fspath(root)] and len(_KINDS) - 1 in kinds:
        return ""  # a file whose name says nothing
    kind = max(kinds, key=lambda kind: (kind < _WEAK, kinds[kind]))
    _, what, advice = _KINDS[kind]
    if paths == [root]:
        return f"{printable(root)} is {what}: {advice}"
    example = printable(os.path.relpath(next(path for path in paths if _kind(path) == kind), root))
    return f"{printable(root)} holds no pictures but {example}, {what}: {advice}"


def called_picture(path: Place) -> str:
    """" but ...": what a file is that is called a picture and is none, or ""."""
    with open(path, "rb") as file:
        beginning = file.read(64)
    return next((f" but {what}" for sign, what in _BEGINNINGS if sign.match(beginning)), "")


def instead_of_text(path: Place) -> str:
    """What a file is by its name, if it is known, or no text."""
    kind = _kind(os.fspath(path))
    return "no text in UTF-8 or UTF-16" if kind is None or kind >= _WEAK else _KINDS[kind][1]


def _kind(path: str) -> int | None:
    name = os.path.basename(path).lower()
    return next((at for at, (names, _, _) in enumerate(_KINDS) if names.fullmatch(name)), None)


def _files(root: Place) -> Iterator[str]:
    """The paths of the first files below a folder, in order of their names."""
    count = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            yield os.path.join(folder, name)
            count += 1
        if count >= _MOST:
            return
