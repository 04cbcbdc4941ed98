"""How other programs' files begin, and what reads them. A new format is a file beside this one and
a row of FORMATS; one whose bytes are a zip, of ZIPS."""

import re

from . import caffe, keras, torch

KNOWN = "PyTorch's .pth, Caffe's .caffemodel, bvlc_alexnet.npy and Keras' .h5 and .keras"
# the magic number as its pickle writes it
LEGACY = re.escape(b"\x8a\x0a" + torch.MAGIC.to_bytes(10, "little"))

NUMPY = "save its arrays with np.savez(FILE, **arrays)"

# How a file begins: its reader and what it should be, or what a file of that kind is instead. The
# first row that fits counts.
FORMATS = [
    (rb"..(\x95.{8})?" + LEGACY, (torch.read_legacy, "file of weights")),  # protocol 4 has frames
    (rb".{257}ustar", (torch.read_tar, "file of weights")),
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
# By the name of an entry; a .npy is an array of NumPy's own zip, whatever folder its name has.
ZIPS = [
    (r"model\.weights\.h5", (keras.read_zip, "HDF5 file of Keras")),
    (r".*/data\.pkl", (torch.read_zip, "file of weights")),
    (r"[^/]+/data/weights/.*(?<!\.npy)", "a program of torch.export: torch.save its state_dict"),
    (r"[^/]+/\.data/.*(?<!\.npy)", "an archive of torch.package: torch.save the state_dict of the "
     "model that its PackageImporter loads"),
]
