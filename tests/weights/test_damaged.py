"""What a reader refuses that few files hold: each is one sentence that says what it is."""

import json
import pickle
import struct
import zipfile

import caffe_files
import numpy as np
import pytest
from caffe_files import Layer
from test_checkpoints import STATE, File, name, text

from minialex import weights
from minialex.errors import UserError
from minialex.foreign import conventions
from minialex.foreign import torch as torch_files

KERNELS = {"conv1.weight": np.zeros((96, 3, 11, 11), np.float32),
           "conv1.bias": np.zeros(96, np.float32)}


def npz(**arrays):
    return lambda path: np.savez(path.open("wb"), **arrays)


def not_an_array(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", bytes(64))


def safetensors(kind, start=0, end=4, length=4):
    def write(path):
        header = json.dumps({"conv1.weight": {"dtype": kind, "shape": [4],
                                              "data_offsets": [start, end]}}).encode()
        path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(length))
    return write


def caffe(*layers, of=KERNELS):
    return lambda path: path.write_bytes(caffe_files.file([*caffe_files.layers(of), *layers]))


def mean_values(path):
    grey = {"conv1.weight": KERNELS["conv1.weight"][:, :1], "conv1.bias": KERNELS["conv1.bias"]}
    layers = caffe_files.layers(grey)
    layers[0].transform = caffe_files.fields(f5=[1.0, 2.0, 3.0])
    path.write_bytes(caffe_files.file(layers))


def relu_with_weights(path):
    layers = caffe_files.layers(KERNELS)
    layers[2].blobs = [np.zeros((96, 96), np.float32)]
    path.write_bytes(caffe_files.file(layers))


def zipped(value, **entries):
    def write(path):
        File(value).save(path)
        with zipfile.ZipFile(path, "a") as archive:
            for entry, content in entries.items():
                archive.writestr(f"archive/{entry}", content)
    return write


def legacy(count):
    """PyTorch's old form, whose only storage says that it holds `count` numbers."""
    parts = [pickle.dumps(part, 2) for part in (torch_files.MAGIC, 1001, {})]
    tensor = name("torch._utils", "_rebuild_tensor_v2") + b"((" + b"".join(
        (text("storage"), name("torch", "FloatStorage"), text("0"), text("cpu"), b"K\x02N", b"tQ",
         b"K\x00K\x02\x85K\x01\x85\x89"))
    parts += [b"\x80\x02}" + text("w") + tensor + name("collections", "OrderedDict") + b")RtRs.",
              pickle.dumps(["0"], 2)]
    return lambda path: path.write_bytes(b"".join(parts) + struct.pack("<q", count) + bytes(8))


TENSOR = name("torch._utils", "_rebuild_tensor_v2")
CASES = {
    "what is no array": (not_an_array, "a is no array"),
    "one array": (lambda path: np.save(path.open("wb"), np.zeros(3)), "one array without a name"),
    "no array": (npz(**{"velocity/w": np.zeros(1)}),
                 "holds no state_dict, a network's arrays by their names"),
    "settings that are none": (npz(minialex="[]", w=np.zeros(1)),
                               "is damaged: what it says about its network"),
    "bytes that are not there": (safetensors("F32", 0, 16), "conv1.weight lies at bytes 0 to 16"),
    "bytes that lie before": (safetensors("F32", 4, 0), "conv1.weight lies at bytes 4 to 0"),
    "8 bits": (safetensors("F8_E4M3"), "numbers of the type float8_e4m3, "
               "which NumPy does not have: save them as float32"),
    "8 bits, scaled": (safetensors("F8_E8M0"), "type float8_e8m0, .* times its scale"),
    "a type of the future": (safetensors("X7"), "type x7"),
    "a thousand layers": (caffe(*[Layer("d", "Dropout", [], [])] * 1000), r"it has 1025 layers"),
    "no weights": (caffe(of={}), "none of its 25 layers is a convolution named conv1"),
    "a mean of another number of channels": (mean_values,
                                             "has 3 numbers as mean_value, for 1 channels"),
    "weights of a ReLU": (relu_with_weights, "relu1 has weights, the network's relu1 has none"),
    "another byte order": (zipped(STATE, byteorder="big"), "big-endian machine"),
    "no tensor": (zipped({"w": TENSOR + b"(K\x01K\x00K\x01\x85K\x01\x85\x89}tR"}),
                  "a tensor without a storage"),
    "a storage without a name": (zipped({"w": b"(" + text("storage") + name("torch", "FloatStorage")
                                         + b"]tQ"}),
                                 "a storage without a name"),
    "another identifier": (zipped({"w": b"(" + text("device") + name("torch", "FloatStorage")
                                   + text("0") + b"tQ"}),
                           "an identifier of another kind"),
    "less than nothing": (legacy(-1), "a storage reaches beyond the file"),
    "more than the file": (legacy(3), "a storage reaches beyond the file"),
    "text in another encoding": (zipped({"w": name("_codecs", "encode") + text("a") + text("utf-7")
                                         + b"\x86R"}),
                                 "bytes in another encoding than Latin-1"),
}


@pytest.mark.parametrize("what", CASES)
def test_one_sentence_says_what_it_is(tmp_path, what):
    write, said = CASES[what]
    write(tmp_path / "x")
    with pytest.raises(UserError, match=said) as refused:
        weights.read(tmp_path / "x")
    assert "\n" not in str(refused.value) and str(refused.value).endswith(".")


@pytest.mark.parametrize("kind, size", [("C64", 32), ("BOOL", 4), ("I16", 8)])
def test_numbers_that_are_no_weights_are_told_as_what_they_are(tmp_path, kind, size):
    safetensors(kind, 0, size, size)(tmp_path / "x")
    with pytest.raises(UserError, match="conv1.weight in x does not hold finite floating-point "
                       "numbers: these weights cannot"):
        conventions.check_numbers(weights.read(tmp_path / "x").arrays, "x")


def test_the_old_form_is_read_where_all_is_there(tmp_path):
    """`legacy` would otherwise be refused for something else."""
    legacy(2)(tmp_path / "x")
    assert weights.read(tmp_path / "x").arrays["w"].tolist() == [0, 0]


@pytest.mark.parametrize("zipped", [True, False])
def test_eight_bits_of_pytorch(tmp_path, zipped):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    state = {"conv1.weight": torch.ones(2).to(torch.float8_e5m2)}
    torch.save(state, tmp_path / "x", _use_new_zipfile_serialization=zipped)
    with pytest.raises(UserError, match="type float8_e5m2, .*save them as float32"):
        weights.read(tmp_path / "x")

