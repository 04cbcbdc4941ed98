"""What training scripts save beside their weights, and under which names: the network is found, the
rest does no harm."""

import argparse
import array
import collections
import datetime
import ipaddress
import logging
import pathlib
import pickle
import random
import re
import statistics
import string
import struct
import types
import zipfile

import numpy as np
import pytest

from minialex import weights
from minialex.errors import UserError

STATE = {"features.0.weight": np.random.default_rng(0).random((64, 3, 11, 11), np.float32),
         "features.0.bias": np.arange(64, dtype=np.float32),
         "classifier.6.bias": np.arange(7, dtype=np.float32)}
NAMES = {"conv1.weight", "conv1.bias", "fc8.bias"}


def prefixed(before, state=None):
    return {before + name: array for name, array in (STATE if state is None else state).items()}


def text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def name(module, what):
    return f"c{module}\n{what}\n".encode()


class File:
    """The bytes of torch's zip form, without PyTorch: a dictionary of dictionaries and arrays, and
    raw pickle instructions."""

    def __init__(self, value):
        self.storages = {}
        self.pickle = b"\x80\x02" + self.write(value) + b"."

    def write(self, value):
        if isinstance(value, bytes):
            return value
        if isinstance(value, dict):
            return b"}(" + b"".join(text(key) + self.write(item)
                                    for key, item in value.items()) + b"u"
        if not isinstance(value, np.ndarray):
            return pickle.dumps(value, 2)[2:-1]
        key = str(len(self.storages))
        self.storages[key] = value.astype("<f4").tobytes()

        def ints(numbers):
            return b"(" + b"".join(b"J" + struct.pack("<i", number) for number in numbers) + b"t"
        strides = [step // value.itemsize for step in value.strides]
        storage = (b"(" + text("storage") + name("torch", "FloatStorage") + text(key) + text("cpu")
                   + ints([value.size])[1:-1] + b"tQ")
        return (name("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + b"K\x00" + ints(
            value.shape) + ints(strides) + b"\x89" + name("collections", "OrderedDict") + b")RtR")

    def save(self, path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", self.pickle)
            for key, content in self.storages.items():
                archive.writestr(f"archive/data/{key}", content)


def read(tmp_path, value):
    File(value).save(tmp_path / "x.pth")
    return weights.read(tmp_path / "x.pth")


def is_torchvision(found):
    assert found.variant == "torchvision" and set(found.arrays) == NAMES
    np.testing.assert_array_equal(found.arrays["conv1.bias"], STATE["features.0.bias"])
    np.testing.assert_array_equal(found.arrays["fc8.bias"], STATE["classifier.6.bias"])


MOMENTUM = {str(number): {"exp_avg": np.full(5, -1.0)} for number in range(9)}


@pytest.mark.parametrize("key", ["model_state_dict", "net", "model", "state_dict", "model_ema",
                                 "ema_state_dict", "weights", "params", "network", "classifier",
                                 "my_alexnet"])
def test_any_key_beside_anything_else(tmp_path, key):
    is_torchvision(read(tmp_path, {"epoch": 3, "loss": np.zeros(1),
                                   "optimizer": {"state": MOMENTUM}, key: STATE, "acc": 0.5}))


@pytest.mark.parametrize("before", ["_orig_mod.", "module.", "model.", "net.", "backbone.",
                                    "encoder.", "_orig_mod.module.", "model._orig_mod.",
                                    "module.model.", "model.backbone.", "my.own.", "alexnet."])
def test_any_prefix_alone_and_in_a_container(tmp_path, before):
    is_torchvision(read(tmp_path, prefixed(before)))
    is_torchvision(read(tmp_path, {"state_dict": prefixed(before)
                                   | {"criterion.weight": np.zeros(7)}, "arch": "alexnet"}))


def test_data_parallel_within_a_name(tmp_path):
    is_torchvision(read(tmp_path, {key.replace("features.", "features.module."): array
                                   for key, array in STATE.items()}))


@pytest.mark.parametrize("other", ["model_ema", "ema_state_dict", "momentum", "grads", "teacher",
                                   "shadow", "optimizer"])
@pytest.mark.parametrize("first", [True, False])
def test_the_network_itself_not_its_average_or_its_gradients(tmp_path, other, first):
    wrong = {key: array * 0 - 1 for key, array in STATE.items()}
    pairs = [(other, wrong), ("model", STATE)]
    found = read(tmp_path, dict(pairs if first else pairs[::-1]))
    is_torchvision(found)
    assert any(other in note for note in found.notes)


def test_arrays_of_minialex_under_a_prefix(tmp_path):
    state = {f"conv{number}.weight": np.full((2, 2, 3, 3), number, np.float32)
             for number in range(1, 6)}
    state["fc8.bias"] = np.ones(2)
    for before in ("", "model.", "_orig_mod.net."):
        found = read(tmp_path, {"model_state_dict": prefixed(before, state), "optimizer": MOMENTUM})
        assert set(found.arrays) == set(state) and found.variant is None


def test_arrays_of_any_name_are_the_largest_group(tmp_path):
    state = {f"layer{number}.w": np.full(3, number, np.float32) for number in range(4)}
    for value in (state, {"weights": state, "loss": np.zeros(1), "history": {"loss": np.zeros(50)}},
                  prefixed("module.", state)):
        assert set(read(tmp_path, value).arrays) == set(state)


COMPANIONS = {
    "Counter": name("collections", "Counter") + b"}\x85R",
    "defaultdict": name("collections", "defaultdict")
    + name("builtins", "list") + b"\x85R",
    "Namespace": name("argparse", "Namespace") + b")\x81}" + text("lr") + b"K\x01sb",
    "old numpy": name("numpy.core.multiarray", "scalar") + name("numpy", "dtype") + b"("
    + text("f8") + b"K\x00K\x01tR"
    + text("\0" * 8) + b"\x86R",
    "PosixPath": name("pathlib", "PosixPath") + text("/") + text("a") + b"\x86R",
    "WindowsPath": name("pathlib", "WindowsPath") + text("C:") + b"\x85R",
    "PosixPath of 3.13": name("pathlib._local", "PosixPath") + text("/") + b"\x85R",
    "device": name("torch", "device") + text("cuda") + b"\x85R", "dtype": name("torch", "float32"),
    "Size": name("torch", "Size") + b"]K\x01a\x85R",
    "a class of the script": name("__main__", "Config") + b")\x81}b",
    "a class of the script by REDUCE": name("utils", "AverageMeter") + b")R}" + text("avg")
    + b"K\x01sb",
    "Lightning's dictionary": name("pytorch_lightning.utilities.parsing", "AttributeDict")
    + b")\x81(" + text("lr") + b"K\x01u",
    "a list of the script's": name("my", "List") + b")\x81]K\x01aK\x02a0(K\x01K\x02e",
    "OmegaConf": name("omegaconf.dictconfig", "DictConfig") + b")\x81}" + text("_content") + b"}sb",
    "random state": name("numpy.random._pickle", "__generator_ctor") + text("PCG64") + b"\x85R",
    "a class in place of an object": name("torch.optim.adam", "Adam"),
    "frozenset of Python 2": name("__builtin__", "frozenset") + b"]\x85R",
    "PyTorch's version": name("torch.torch_version", "TorchVersion") + text("2.13.0") + b"\x85\x81",
    "a data set": name("torch.utils.data.dataset", "Subset") + b")\x81}" + text("indices") + b"]sb",
    "a scaler": name("torch.amp.grad_scaler", "GradScaler") + b")\x81}b",
    "a distribution": name("torch.distributions.normal", "Normal") + b")\x81}b",
    "a quantisation's scheme": name("torch", "per_tensor_affine"), "finfo": name("torch", "finfo"),
    "reconstructor": name("copy_reg", "_reconstructor") + name("argparse", "Namespace")
    + name("__builtin__", "object")
    + b"N\x87R}b",
}


@pytest.mark.parametrize("what", COMPANIONS)
def test_companions_are_inert(tmp_path, what):
    is_torchvision(read(tmp_path, {"other": COMPANIONS[what], "state_dict": STATE}))
    is_torchvision(read(tmp_path, {"state_dict": STATE, "other": COMPANIONS[what]}))


class Meter:
    """As scripts define them."""

    def __init__(self):
        self.values = [1.0]


PYTHON = [
    collections.Counter("aab"), collections.defaultdict(list, a=[1]), collections.OrderedDict(a=1),
    collections.deque([1, 2], 3),
    np.float64(1), np.float32(2), np.int64(3), np.bool_(True), np.str_("x"), np.dtype("f4"),
    np.dtype(">i8"), np.float32,
    np.arange(3), np.array(["a"]), np.array([{}, []], dtype=object), np.zeros(2, [("a", "f4")]),
    np.zeros((2, 3), order="F"),
    np.datetime64("2020-01-01"), np.random.default_rng(0), np.random.RandomState(1),
    np.random.get_state(), np.ma.zeros(2),
    argparse.Namespace(lr=0.1), types.SimpleNamespace(a=1), pathlib.PurePosixPath("/a"),
    pathlib.PureWindowsPath("C:/a"),
    pathlib.Path("/a"), datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    datetime.timedelta(1), {1, 2},
    frozenset({1}), 1j, b"x", bytearray(b"y"), slice(1, 2), range(3), random.Random(1),
    random.getstate(), 10**30, Meter, Meter(),
    ..., NotImplemented, re.compile("a"), logging.getLogger("x"), string.Template("$a"),
    array.array("d", [1]),
    statistics.NormalDist(), ipaddress.ip_address("1.1.1.1"), np.poly1d([1, 2]),
    np.rec.array([(1, 2.0)], dtype="i4,f4"),
    collections.UserDict(a=1), ValueError("x"),
]


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_what_python_itself_pickles(tmp_path, protocol):
    for value in PYTHON:
        content = pickle.dumps(value, protocol)
        start = 2 if protocol else 0  # PROTO, and a FRAME
        start += 9 if content[start:start + 1] == b"\x95" else 0
        is_torchvision_of = File({"state_dict": STATE})
        rest = is_torchvision_of.pickle[2:-1]
        is_torchvision_of.pickle = b"\x80" + bytes([max(protocol, 2)]) + content[
            start:-1] + b"0" + rest + b"."
        is_torchvision_of.save(tmp_path / "x.pth")
        is_torchvision(weights.read(tmp_path / "x.pth"))


def test_names_are_not_imported(tmp_path, monkeypatch):
    (tmp_path / "a_trap_to_import.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    is_torchvision(read(tmp_path,
                        {"state_dict": STATE, "args": name("a_trap_to_import", "Trap") + b")R"}))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("module, what", [
    ("os", "system"), ("nt", "system"), ("builtins", "getattr"), ("functools", "partial"),
    ("torch", "load"), ("torch.hub", "load"), ("numpy", "load"), ("importlib", "import_module"),
    ("__builtin__", "eval"), ("collections", "OrderedDict.__init__.__globals__")])
def test_good_weights_do_not_excuse_a_trap(tmp_path, module, what):
    with pytest.raises(UserError, match="refused, nothing of it was run"):
        read(tmp_path,
             {"state_dict": STATE, "other": name(module, what) + text("touch x") + b"\x85R"})


def test_what_pytorch_writes(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    state = {key: torch.from_numpy(array) for key, array in STATE.items()}
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
    extra = {
        "optimizer": optimizer.state_dict(), "scheduler": schedule.state_dict(),
        "loss": torch.zeros(1),
        "rng": torch.get_rng_state(), "device": torch.device("cuda:1"), "dtype": torch.bfloat16,
        "size": torch.Size([2]), "scaler": {"scale": 1.0},
        "args": argparse.Namespace(lr=0.1, output=pathlib.Path("runs")), "best": np.float64(0.5),
        "criterion": torch.nn.MSELoss(),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "complex": torch.zeros(2, dtype=torch.complex64),
        "float8": torch.zeros(2).to(torch.float8_e4m3fn),
        "uint16": torch.zeros(2, dtype=torch.uint16),
    }
    for zipped in (True, False):
        for value in ({"model": state, **extra}, {**extra, "model_state_dict": state}):
            torch.save(value, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
            is_torchvision(weights.read(tmp_path / "x.pth"))
    half = {key: tensor.bfloat16() for key, tensor in state.items()}
    torch.save({"net": half}, tmp_path / "x.pth")
    np.testing.assert_array_equal(weights.read(tmp_path / "x.pth").arrays["conv1.bias"],
                                  STATE["features.0.bias"])
    torch.save({"state_dict": state, "arch": "alexnet", "best_acc1": torch.tensor(56.5)},
               tmp_path / "x.pth", pickle_protocol=4)
    is_torchvision(weights.read(tmp_path / "x.pth"))


def test_a_tensor_of_a_subclass_and_with_attributes(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    state = {key: torch.nn.Parameter(torch.from_numpy(array)) for key, array in STATE.items()}
    state["features.0.bias"].note = "mine"
    torch.save(collections.OrderedDict(state), tmp_path / "x.pth")
    is_torchvision(weights.read(tmp_path / "x.pth"))


def test_a_view_of_negative_numbers(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.save({key: torch._neg_view(-torch.from_numpy(array)) for key, array in STATE.items()},
               tmp_path / "x.pth")
    is_torchvision(weights.read(tmp_path / "x.pth"))


def test_numbers_beside_the_layers_are_no_layers(tmp_path):
    """A dictionary that holds the epoch among the weights; a whole array of no layer is another
    network's."""
    beside = {"epoch": np.array(3), "best_acc": np.array(0.5), "classes": np.array(["cat", "dog"])}
    np.savez(tmp_path / "x.npz", **beside, **STATE)
    is_torchvision(weights.read(tmp_path / "x.npz"))
    np.savez(tmp_path / "x.npz", scale=np.ones(3), **STATE)
    assert "scale" in str(set(weights.read(tmp_path / "x.npz").arrays))
    is_torchvision(read(tmp_path, {"epoch": np.array(3.0), **STATE}))


# torch.jit.script is old, files of it are around
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("zipped", [True, False])
def test_a_module_that_was_pickled_whole(tmp_path, zipped):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from torch import nn
    module = nn.Sequential(collections.OrderedDict(features=nn.Sequential(nn.Conv2d(
        3, 64, 11), nn.ReLU()), classifier=nn.Sequential(*[nn.Dropout()] * 6, nn.Linear(4, 7))))
    for value in (module, {"model": module, "loss": torch.zeros(1)}, nn.DataParallel(module)):
        torch.save(value, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
        found = weights.read(tmp_path / "x.pth")
        assert found.variant == "torchvision" and set(found.arrays) == {*NAMES, "fc8.weight"}
        np.testing.assert_array_equal(found.arrays["conv1.bias"],
                                      module.features[0].bias.detach().numpy())
    torch.jit.script(module).save(tmp_path / "x.pt")
    np.testing.assert_array_equal(weights.read(tmp_path / "x.pt").arrays["conv1.bias"],
                                  module.features[0].bias.detach().numpy())


@pytest.mark.parametrize("before", ["", "model.", "alexnet."])
def test_safetensors_and_npz_under_a_prefix(tmp_path, before):
    library = pytest.importorskip("safetensors.numpy",
                                  reason="the safetensors package is not installed")
    library.save_file(prefixed(before), tmp_path / "x.safetensors")
    np.savez(tmp_path / "x.npz", **prefixed(before))
    for ending in ("safetensors", "npz"):
        found = weights.read(tmp_path / f"x.{ending}")
        is_torchvision(found)
        np.testing.assert_allclose(found.arrays["conv1.weight"] / found.statistics.std
                                   * found.folded[None, :, None, None], STATE["features.0.weight"],
                                   rtol=1e-5)


def test_no_tensor_at_all(tmp_path):
    with pytest.raises(UserError, match="holds no state_dict"):
        read(tmp_path, {"epoch": 1})


def test_the_network_of_a_file_with_optimiser_alone_is_read_from_the_disk(tmp_path):
    """The optimiser's storages are not read: a file without them is read as well."""
    file = File({"optimizer": MOMENTUM, "net": STATE})
    for key in range(9):
        del file.storages[str(key)]
    file.save(tmp_path / "x.pth")
    is_torchvision(weights.read(tmp_path / "x.pth"))
