"""Which format is it? Decided by a file's first bytes, never by its name. A new format is one more
row of FORMATS."""

import os
import re
import zipfile
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from ..errors import UserError
from . import arrays, caffe, keras, means, torch
from .conventions import Refusal, Weights, shown

# in a run folder, the first of them that is there
RUN_FILES = ("checkpoint-best.npz", "checkpoint-last.npz")
MOST_BYTES = 3 * 2**30  # unpacked; AlexNet with its optimiser has half a gigabyte
KNOWN = (".npz, PyTorch's .pth, Caffe's .caffemodel, bvlc_alexnet.npy, "
         ".safetensors and Keras' .h5 and .keras")
# the magic number as its pickle writes it
LEGACY = re.escape(b"\x8a\x0a" + torch.MAGIC.to_bytes(10, "little"))

NUMPY = "save its arrays with np.savez(FILE, **arrays)"

# How a file begins: its reader and what it should be, or what a file of that kind is instead.
FORMATS = [
    (rb"PK\x03\x04", (None, "archive")),
    (rb"\x93NUMPY", (arrays.read_npy, ".npy file")),
    (rb"..(\x95.{8})?" + LEGACY, (torch.read_legacy, "file of weights")),  # protocol 4 has frames
    (rb".{257}ustar", (torch.read_tar, "file of weights")),
    # at most 100 MB of JSON
    (rb".{3}[\x00-\x05]\x00{4}\{.{7}", (arrays.read_safetensors, ".safetensors file")),
    (rb"\x89HDF", (keras.read, "HDF5 file of Keras")),
    (rb"\x80|\([dl]p\d", f"a bare pickle: where you trust it, load it in Python, and {NUMPY}"),
    (rb"MATLAB ", "MATLAB's .mat, as MatConvNet has it: read it with scipy.io.loadmat, and "
     f"{NUMPY}"),
    (rb"\x12\x01\x00{6}", f"MXNet's .params: read it with mx.nd.load, and {NUMPY}"),
    (rb"[\x81-\x8f][\xa0-\xbf\xd9]|[\xde\xdf]\x00", "msgpack, as Flax writes it: read it with "
     f"flax.serialization.msgpack_restore, and {NUMPY}"),
    (rb"\x08\x01\x12", "TensorFlow's SavedModel: save the model in Keras as a .keras file"),
    (rb"\x08[\x03-\x0f](\x12.[a-zA-Z]|[\x1a\x3a])", "ONNX: turn each initializer into an array "
     f"with onnx.numpy_helper.to_array, and {NUMPY}"),
    (rb"\x0a.{1,2}\x0a.[\w/.-]+\x12", "a graph of TensorFlow: save the model in Keras as a .keras "
     "file"),
    (rb"\x00\x00.\x08|\s*(all_)?model_checkpoint_path", "a part of TensorFlow's checkpoint: read "
     f"that with tf.train.load_checkpoint, and {NUMPY}"),
    (rb".{4}TFL3", "TensorFlow Lite's .tflite, whose weights may be rounded: take the model that "
     "it was made from"),
    (rb"[\x01-\x04]\x00{3}\x01\x00{3}", f"Lua Torch's .t7: read it with torchfile, and {NUMPY}"),
    (rb"GGU?[FJLM]", "GGML's .gguf, whose weights may be rounded: take the model that it was made "
     "from"),
    # a NetParameter's name, an input, or a layer
    (rb"[\x0a\x12\x1a]|\xa2\x06", (caffe.read, ".caffemodel")),
    (rb"(\xef\xbb\xbf)?\s*<", "a web page, so the download has failed"),
    (rb"(?i)(\s*#[^\n]*\n)*\s*(name|layers?|input|force_backward)\s*[:{]",
     "Caffe's description of a network, without weights"),
    (rb"(?i)\s*version https://git-lfs", "Git LFS's pointer to a file (git lfs pull fetches it)"),
    (rb'\s*\{.*"weight_map"', "a list of the files in which weights lie in parts: read each with "
     "safetensors or PyTorch, and save all together as one file"),
    (rb"\s*[{\[]", "JSON, which is text without weights; a failed download may be that"),
    (rb"\s*(\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18)",
     "packed with gzip, bzip2, xz, zstd or lz4, so unpack it first"),
    (rb"(?i)\s*(7z|rar!)", "an archive, so unpack it first"),
    (rb"(?i)\s*pk\x05\x06", "an empty archive"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF.{4}WEBP|%PDF", "a picture or a document, without weights"),
    (rb"\x00{32}", "in no format known here, it begins with zeros, as a broken-off download does"),
    (rb"[\t\n\r -~]{32}", "text, and in no format known here"),
    (rb"", "in no format known here"),
]
ZIPS = [(r"model\.weights\.h5", (keras.read_zip, "HDF5 file of Keras")),
        (r".*/data\.pkl", (torch.read_zip, "file of weights")),
        (r".*\.npy", (arrays.read_npz, ".npz file of plain arrays")),
        (r"[^/]+/data/weights/.*", "a program of torch.export: torch.save its state_dict"),
        (r"[^/]+/\.data/.*", "an archive of torch.package: torch.save the state_dict of the model "
         "that its PackageImporter loads")]
# by the name of an entry


def read(path: str | PathLike, mean: str | None = None) -> Weights:
    """Weights from a run folder or a file in any format known here. Raises UserError.

    mean: what --mean names, for weights that come without the mean of their pictures or with
    another (see means.py).
    """
    path, problem = find(path), "damaged or cut off"
    try:
        with open(path, "rb") as file:
            reader, what = _format(file)
            problem = f"damaged, cut off, or no {what}"
            found = reader(file)
        if mean is not None:
            means.apply(found, mean)
        return found
    except UserError:
        raise
    except Refusal as refusal:
        raise UserError(f"{path} {refusal}") from refusal
    except MemoryError as error:
        raise UserError(f"{path} asks for more memory than there is.") from error
    except Exception as error:
        # damaged bytes make zip, NumPy, HDF5 and pickle raise almost anything
        if isinstance(error, OSError) and error.strerror:
            raise UserError(f"cannot read {path}: {error.strerror}.") from error
        said = f"{type(error).__name__}: {shown(str(error))}"
        raise UserError(f"cannot read {path}: it is {problem} ({said}).") from error


def find(path: str | PathLike) -> Path:
    """The file itself, or the best checkpoint in a run folder. Raises UserError when there is
    none."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"there is no file or run {path}: check the path.")
    if not path.is_dir():
        return path
    for name in RUN_FILES:
        if (path / name).exists():
            return path / name
    there = [shown(name) for name in sorted(os.listdir(path))]
    but = f", but {', '.join(there[:4])}{', ...' * (len(there) > 4)}" if there else ""
    raise UserError(f"{path} holds no {' or '.join(RUN_FILES)}{but}: "
                    "give the folder of a run that has saved one, or a file.")


def _format(file: BinaryIO) -> tuple[Callable[[BinaryIO], Weights], str]:
    """(the function that reads this open file, what the file should be). Raises Refusal."""
    head = file.read(512)
    file.seek(0)
    if not head:
        raise Refusal("is empty.")
    found = next(what for start, what in FORMATS if re.match(start, head, re.DOTALL))
    if isinstance(found, str):
        raise Refusal(f"is {found}; this reads {KNOWN}.")
    if found[0] is not None:
        return found
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    file.seek(0)
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise Refusal(f"would unpack to more than {MOST_BYTES / 2**30:.0f} GiB: "
                      "that is no file of weights.")
    inside = [entry.filename for entry in entries]
    found = next((found for name, found in ZIPS
                  if any(re.fullmatch(name, entry, re.DOTALL) for entry in inside)), None)
    if found is None or isinstance(found, str):
        what = found or f"an archive with {shown([*inside, 'nothing'][0])} in it: unpack it"
        raise Refusal(f"is {what}, and give a file of weights; this reads {KNOWN}.")
    return found
