"""Which format a file is in, what travels with it, and round trips."""

import numpy as np
import pytest

from minialex import data, models, weights
from minialex.errors import UserError
from minialex.weights import Weights, export


@pytest.fixture
def lenet():
    model = models.lenet5(3)
    statistics = data.Statistics(np.random.default_rng(0).random((1, 36, 36), np.float32), 41.5)
    return Weights(model.state_dict(), "here", "lenet5", statistics, "unit", ["Äpfel", "b", "c $5"])


@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".pth"])
def test_all_that_is_known_survives_a_round_trip(lenet, tmp_path, ending):
    export.write(tmp_path / f"x{ending}", lenet)
    again = weights.read(tmp_path / f"x{ending}")
    assert (again.variant, again.pixels, again.classes,
            again.statistics.std) == ("lenet5", "unit", lenet.classes, 41.5)
    np.testing.assert_array_equal(again.statistics.mean, lenet.statistics.mean)
    assert set(again.arrays) == set(lenet.arrays)
    for name, array in lenet.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)


@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".pth"])
def test_a_network_of_ones_own_keeps_its_names_though_torchvision_has_them_too(tmp_path, ending):
    arrays = {name: np.ones(3, np.float32)
              for name in ("features.0.weight", "features.3.weight", "classifier.1.bias", "scale")}
    export.write(tmp_path / f"x{ending}", Weights(arrays, "here", "net.py:Net"))
    found = weights.read(tmp_path / f"x{ending}")
    assert found.variant == "net.py:Net" and set(found.arrays) == set(arrays)


def test_the_format_is_seen_in_the_bytes_not_the_name(lenet, tmp_path):
    export.write(tmp_path / "x.safetensors", lenet)
    (tmp_path / "x.safetensors").rename(tmp_path / "x.caffemodel")
    assert weights.read(tmp_path / "x.caffemodel").variant == "lenet5"


def test_the_safetensors_package_reads_what_is_written_and_writes_what_is_read(lenet, tmp_path):
    library = pytest.importorskip("safetensors.numpy",
                                  reason="the safetensors package is not installed")
    export.write(tmp_path / "x.safetensors", lenet)
    theirs = library.load_file(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(theirs["conv2.weight"], lenet.arrays["conv2.weight"])
    library.save_file(lenet.arrays, tmp_path / "y.safetensors")
    np.testing.assert_array_equal(weights.read(tmp_path / "y.safetensors").arrays["fc4.bias"],
                                  lenet.arrays["fc4.bias"])


@pytest.mark.parametrize("content, said", [
    (b"", "is empty"),
    (b"\x89HDF\r\n\x1a\n" + bytes(600), "HDF5"),
    (b"\x80\x04N.", "bare pickle"),
    (b"hello, this is text and not weights", "no format known here"),
    (b"PK\x03\x04" + bytes(40), "damaged or cut off"),
    (b"\x93NUMPY\x01\x00\x10\x00{nonsense}", "damaged"),
    (b"\xff" * 7 + b"\x00{", "no format"),
    (b"\x10\x00\x00\x00\x00\x00\x00\x00{\"a\": 1}        ", "damaged"),
])
def test_what_is_no_file_of_weights_is_a_sentence(tmp_path, content, said):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UserError, match=said):
        weights.read(tmp_path / "x")


def test_a_missing_file_and_an_empty_folder(tmp_path):
    with pytest.raises(UserError, match="there is no file or run"):
        weights.read(tmp_path / "none")
    with pytest.raises(UserError, match="checkpoint-best.npz"):
        weights.read(tmp_path)


def test_an_unknown_ending_leaves_nothing(lenet, tmp_path):
    with pytest.raises(UserError, match="choose .npz"):
        export.write(tmp_path / "x.h5", lenet)
    assert not list(tmp_path.iterdir())
