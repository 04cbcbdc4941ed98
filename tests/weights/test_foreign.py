"""Files that people have: other programs' formats, other networks under our names, and numbers
that are none. Each is named, with what to do; none is taken for AlexNet's weights."""

import io
import struct
import zipfile

import numpy as np
import pytest
from test_checkpoints import STATE, File, is_torchvision, name, prefixed, read

from minialex import nn, weights
from minialex.errors import UserError
from minialex.evaluation import classifier
from minialex.foreign import names
from minialex.training import finetune


def zipped(*entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for entry in entries:
            archive.writestr(entry, b"x")
    return file.getvalue()


FILES = {
    "MATLAB's .mat": b"MATLAB 5.0 MAT-file, Platform: PCWIN64" + b" " * 90,
    "MATLAB's  .mat": b"MATLAB 7.3 MAT-file, Platform: GLNXA64" + b" " * 600 + b"\x89HDF",
    "MXNet's": struct.pack("<QQQ", 0x112, 0, 1) + bytes(99),
    "Flax": b"\x81\xa6params\x82\xa5conv1" + bytes(99),
    "ONNX": b"\x08\x08\x12\x07pytorch\x1a\x062.13.0\x3a\x90\x01" + bytes(99),
    "SavedModel": b"\x08\x01\x12\xe9\x0b" + bytes(99),
    "a graph of TensorFlow": b"\x0a\x1c\x0a\x05input\x12\x0bPlaceholder*\x00" + bytes(99),
    "TensorFlow's checkpoint": b'model_checkpoint_path: "model.ckpt-100"\n',
    "TensorFlow's  checkpoint": b"\x00\x00\x0c\x08\x01\x1a\x02\x10\x01" + bytes(99),
    "TensorFlow Lite": b"\x1c\x00\x00\x00TFL3" + bytes(99),
    "Lua Torch": struct.pack("<ii", 4, 1) + b"\x03\0\0\0V 1" + bytes(99),
    "GGML": b"GGUF\x03" + bytes(99), "a bare pickle": b"\x80\x04\x95" + bytes(99),
    "a bare  pickle": b"(dp0\nVconv1\np1\nI1\ns.", "xz": b"\xfd7zXZ\x00" + bytes(99),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(99), "bzip2": b"BZh91AY" + bytes(99),
    "a web page": b"\xef\xbb\xbf<!DOCTYPE html>", "JSON": b'{"error": "Repository not found"}',
    "in parts": b'{"metadata": {"total_size": 1},\n "weight_map": {"a": "model-00001-of-2"}}',
    "Caffe's description": b'# AlexNet\n\n# for cats\nname: "AlexNet"', "zeros": bytes(5000),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(99),
    "text": b"import torch\nfrom torch import nn\n#.",
    "torch.package": zipped("m/.data/0.storage", "m/model/model.pkl"),
    "torch.export": zipped("m/data/weights/weight_0", "m/.data/serialization_id"),
    "an archive with net.pth in it: unpack": zipped("net.pth", "README.md"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_of_another_program_is_named(tmp_path, what):
    (tmp_path / "x").write_bytes(FILES[what])
    with pytest.raises(UserError) as error:
        weights.read(tmp_path / "x")
    said = str(error.value)
    assert " ".join(what.split()) in said, said
    assert "this reads .npz, .safetensors, PyTorch's .pth" in said


def test_a_tar_archive_says_what_is_in_it(tmp_path):
    import tarfile

    (tmp_path / "net.pth").write_bytes(b"x")
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.add(tmp_path / "net.pth", "net.pth")
    with pytest.raises(UserError, match="a tar archive with net.pth in it: unpack it"):
        weights.read(tmp_path / "x.tar")


def test_a_folder_says_what_is_in_it(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(UserError, match="checkpoint-last.npz, but model.safetensors: give"):
        weights.read(tmp_path)


# ----------------------------------------------------------------------------- other networks

SHAPES = {
    "VGG": {"features.0.weight": (64, 3, 3, 3), "features.2.weight": (64, 64, 3, 3),
            "classifier.6.weight": (7, 4096)},
    "SqueezeNet": {"features.0.weight": (96, 3, 7, 7), "features.3.squeeze.weight": (16, 96, 1, 1)},
    "with batch normalisation": {"features.0.weight": (64, 3, 11, 11), "features.1.weight": (64,),
                                 "features.1.running_mean": (64,)},
    "wider": {"features.0.weight": (96, 3, 11, 11), "features.3.weight": (256, 96, 5, 5)},
    "pruned": {"features.0.weight_orig": (64, 3, 11, 11), "features.0.weight_mask": (64, 3, 11, 11),
               "classifier.6.weight": (7, 4096)},
    "weight norm": {"features.0.weight": (64, 3, 11, 11),
                    "features.3.parametrizations.weight.original0": (192, 1, 1, 1)},
}


@pytest.mark.parametrize("before", ["", "module."])
@pytest.mark.parametrize("what", SHAPES)
def test_another_network_with_torchvisions_names_is_not_alexnet(tmp_path, what, before):
    state = {name: np.ones(shape, np.float32) for name, shape in SHAPES[what].items()}
    found = read(tmp_path, {"state_dict": prefixed(before, state)})
    assert found.variant is None and set(found.arrays) == set(state)
    assert found.statistics is None and "another network than AlexNet: " in " ".join(found.notes)
    with pytest.raises(UserError, match=r"no whole network, .*\(its names are torchvision's, but"):
        classifier.load(str(tmp_path / "x.pth"))


@pytest.mark.parametrize("change", [
    {"classifier.1.weight": (512, 9216), "classifier.3.bias": (4,)},
    {"classifier.6.weight": (2, 9)},
    {"features.0.weight": (64, 1, 11, 11)}, {"features.0.weight": (64, 4, 11, 11)},
    {"head.weight": (3, 256)}])
def test_another_classifier_and_other_channels_are_still_alexnet(tmp_path, change):
    state = STATE | {name: np.ones(shape, np.float32) for name, shape in change.items()}
    assert read(tmp_path, state).variant == "torchvision"


def test_a_users_own_network_with_torchvisions_names_takes_torchvisions_weights(tmp_path):
    net = nn.Sequential(features=nn.Sequential(nn.Conv2d(3, 64, 11, stride=4)))
    net.variant = "net.py:Net"
    notes, fresh = finetune.load_into(net, read(tmp_path, STATE), "x.pth")
    np.testing.assert_array_equal(net.features[0].bias.data, STATE["features.0.bias"])
    assert not fresh and notes[0].startswith("2 of 2 arrays")


# ----------------------------------------------------------------------------- no plain numbers

REBUILT = {what: name("torch._utils", f"_rebuild_{what}") + b")R" for what in (
    "qtensor", "sparse_tensor", "sparse_csr_tensor", "nested_tensor", "meta_tensor_no_storage",
    "wrapper_subclass")}


@pytest.mark.parametrize("what", REBUILT)
def test_a_tensor_without_plain_numbers_is_not_left_out(tmp_path, what):
    for state in (STATE | {"features.0.weight": REBUILT[what]},
                  STATE | {"classifier.6.weight": REBUILT[what]},
                  {key: REBUILT[what] for key in STATE}):
        with pytest.raises(UserError, match=f"not plain numbers .{what}"):
            read(tmp_path, {"state_dict": state})
    is_torchvision(read(tmp_path, {"state_dict": STATE, "optimizer": {"a": REBUILT[what]}}))


def test_rounded_weights_are_told(tmp_path):
    np.savez(tmp_path / "x.npz", **{key: (array * 100).astype(np.int8)
                                    for key, array in STATE.items()})
    with pytest.raises(UserError, match="features.0.weight as int8: whole numbers are rounded"):
        weights.read(tmp_path / "x.npz")


def test_arrays_without_names(tmp_path):
    for value in (STATE["features.0.bias"], {"shadow_params": b"]" + File({}).write(
            STATE["features.0.bias"]) + b"a"}):
        with pytest.raises(UserError, match="1 arrays that have no names: save them by their"):
            read(tmp_path, value)


def test_the_legacy_form_in_protocol_4(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for protocol in (2, 3, 4):
        torch.save({key: torch.from_numpy(array) for key, array in STATE.items()},
                   tmp_path / "x.pth", _use_new_zipfile_serialization=False,
                   pickle_protocol=protocol)
        is_torchvision(weights.read(tmp_path / "x.pth"))


@pytest.mark.parametrize("key, companion", [
    ("model_ema", True), ("EMA", True), ("ema_state_dict", True), ("swa_model", True),
    ("grads", True), ("exp_avg", True), ("optimizer", True), ("adam", True), ("cinema", False),
    ("semantic", False), ("upgraded", False), ("schemas", False), ("madame", False)])
def test_a_companion_is_a_word_not_letters(tmp_path, key, companion):
    assert bool(names.COMPANIONS.search(key)) == companion
    other = {key: array * 0 - 1 for key, array in STATE.items()}
    if companion:
        is_torchvision(read(tmp_path, {key: other, "z": STATE}))
