"""torchvision's weights as PyTorch itself writes them, and PyTorch reading ours."""

import io
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from torch_networks import torchvision_answer, torchvision_module

from minialex import weights
from minialex.errors import UserError
from minialex.evaluation import classifier
from minialex.weights import export

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")


@pytest.fixture(scope="module")
def module(torchvision_arrays):
    return torchvision_module(torchvision_arrays)


@pytest.mark.parametrize("zipped", [True, False])
def test_the_loaded_network_says_what_pytorch_says(module, planes, tmp_path, zipped):
    torch.save(module.state_dict(), tmp_path / "alexnet.pth", _use_new_zipfile_serialization=zipped)
    network = classifier.load(tmp_path / "alexnet.pth")
    answer = torchvision_answer(module, planes)
    assert 0.02 < answer.max() - answer.min(), "an oracle that says nothing would pass any network"
    np.testing.assert_allclose(network.picture(planes), answer, atol=2e-6)


def test_pytorch_reads_what_is_written(module, planes, tmp_path, torchvision_arrays):
    torch.save(module.state_dict(), tmp_path / "in.pth")
    found = weights.read(tmp_path / "in.pth")
    export.write(tmp_path / "out.pth", found)
    state = torch.load(tmp_path / "out.pth", weights_only=True)
    assert list(state) == list(module.state_dict())
    np.testing.assert_allclose(state["classifier.6.weight"].numpy(),
                               torchvision_arrays["fc8.weight"])
    again = weights.read(tmp_path / "out.pth")
    assert again.pixels == found.pixels and again.statistics.std == found.statistics.std
    assert all((again.arrays[name] == found.arrays[name]).all() for name in found.arrays)


def small_file(value, **options):
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3},
                                  lambda s: {"model": s}])
@pytest.mark.parametrize("zipped", [True, False])
def test_views_types_and_wrappings(tmp_path, wrap, zipped):
    base = torch.arange(24.0).reshape(4, 6)
    state = {"a": base.T, "b": base[1:3, ::2], "half": base.half(), "brain": base.bfloat16(),
             "double": base.double(), "number": torch.tensor(3),
             "parameter": torch.nn.Parameter(base), "empty": torch.zeros(0, 3)}
    (tmp_path / "x.pth").write_bytes(small_file(wrap(state), _use_new_zipfile_serialization=zipped))
    arrays = weights.read(tmp_path / "x.pth").arrays
    assert set(arrays) == set(state)
    for name, tensor in state.items():
        known = tensor.detach().float() if name == "brain" else tensor.detach()
        np.testing.assert_array_equal(arrays[name], known.numpy())


@pytest.mark.parametrize("zipped", [True, False])
def test_every_cut_or_changed_file_is_a_sentence_or_other_numbers(tmp_path, zipped):
    content = small_file({"conv1.weight": torch.arange(6.0)}, _use_new_zipfile_serialization=zipped)
    random = np.random.default_rng(3)
    for trial in range(60):
        damaged = bytearray(content)
        if trial % 2:
            damaged = damaged[: random.integers(1, len(content))]
        else:
            damaged[random.integers(len(content))] ^= int(random.integers(1, 256))
        (tmp_path / "x.pth").write_bytes(damaged)
        try:
            weights.read(tmp_path / "x.pth")
        except UserError as problem:
            assert "\n" not in str(problem)


def test_a_tensor_beyond_its_storage_is_refused(tmp_path):
    content = small_file({"w": torch.zeros(2, 3)})
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(tmp_path / "x.pth",
                                                                      "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            new.writestr(entry.filename, data.replace(b"K\x02K\x03\x86", b"M\x00\x7fK\x03\x86"))
    with pytest.raises(UserError, match="reaches beyond its storage|much larger"):
        weights.read(tmp_path / "x.pth")


def tar_file(state):
    """The bytes of PyTorch 0.1's tar form, for {name: float32 array}: PyTorch still reads it, but
    no longer writes it."""
    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    storages, tensors, entries = pickle.dumps(len(state), 2), pickle.dumps(len(state), 2), b""
    for key, (name, array) in enumerate(state.items(), 1):
        storages += b"\x80\x02" + text(str(key)) + text("cpu") + b"ctorch\nFloatStorage\n\x87."
        storages += struct.pack("<q", array.size) + array.tobytes()
        tensors += b"\x80\x02K" + bytes([key]) + text(str(key)) + b"ctorch\nFloatTensor\n\x87."
        strides = [step // 4 for step in array.strides]
        tensors += struct.pack(f"<i4x{2 * array.ndim + 1}q", array.ndim, *array.shape, *strides, 0)
        entries += text(name) + text(str(key)) + b"Q"
    members = {"sys_info": pickle.dumps({}, 2), "pickle": b"\x80\x02ccollections\nOrderedDict\n)R("
               + entries + b"u.", "tensors": tensors, "storages": storages + pickle.dumps([], 2)}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def test_the_tar_form_as_pytorch_reads_it(tmp_path):
    state = {"conv.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
             "conv.bias": np.float32([7, 8])}
    (tmp_path / "x.pth").write_bytes(tar_file(state))
    arrays, theirs = weights.read(tmp_path / "x.pth").arrays, torch.load(tmp_path / "x.pth",
                                                                         weights_only=False)
    assert set(arrays) == set(theirs) == set(state)
    for name in state:
        np.testing.assert_array_equal(arrays[name], theirs[name].numpy())
