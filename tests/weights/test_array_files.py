"""Layers by name in .npy dictionaries and .npz files: all spellings that converters use, both
layouts."""

import numpy as np
import pytest

from minialex import weights
from minialex.errors import UserError
from minialex.evaluation import classifier

RANDOM = np.random.default_rng(7)
KERNEL = RANDOM.random((96, 3, 11, 11), np.float32)  # blue, green, red
BIAS = RANDOM.random(96, np.float32)
FC7 = RANDOM.random((4096, 4096), np.float32)
PAIRS = [("weights", "biases"), ("weight", "bias"), ("W", "b"), ("kernel", "bias"), ("w", "b")]


def save(path, value):
    if path.suffix == ".npz":
        np.savez(path, **value)
    else:
        np.save(path, value, allow_pickle=True)
    return path


def is_caffe(found, fc7=False):
    assert found.variant == "caffe" and found.pixels == "raw" and found.notes == []
    np.testing.assert_array_equal(found.arrays["conv1.weight"], KERNEL[:, ::-1])
    np.testing.assert_array_equal(found.arrays["conv1.bias"], BIAS)
    np.testing.assert_allclose(found.statistics.mean[:, 3, 4], [122.67891, 116.66877, 104.00699],
                               rtol=1e-6)
    if fc7:
        np.testing.assert_array_equal(found.arrays["fc7.weight"], FC7)


def hwio(kernel):
    return np.ascontiguousarray(kernel.transpose(2, 3, 1, 0))


@pytest.mark.parametrize("kinds", PAIRS)
@pytest.mark.parametrize("layout", [hwio, lambda kernel: kernel],
                         ids=["TensorFlow's layout", "Caffe's"])
def test_dictionaries_of_dictionaries(tmp_path, kinds, layout):
    is_caffe(weights.read(save(tmp_path / "x.npy",
                               {"conv1": dict(zip(kinds, (layout(KERNEL), BIAS)))})))
    is_caffe(weights.read(save(tmp_path / "x.npy",
                               {"alexnet": {"conv1": dict(zip(kinds, (layout(KERNEL), BIAS)))}})))


@pytest.mark.parametrize("pair", [list, tuple])
@pytest.mark.parametrize("layout", [hwio, lambda kernel: kernel],
                         ids=["TensorFlow's layout", "Caffe's"])
def test_pairs(tmp_path, pair, layout):
    is_caffe(weights.read(save(tmp_path / "x.npy", {"conv1": pair([layout(KERNEL), BIAS])})))
    fc7 = FC7.T if layout is hwio else FC7
    both = {"conv1": pair([layout(KERNEL), BIAS]), "fc7": pair([fc7, np.zeros(4096)])}
    is_caffe(weights.read(save(tmp_path / "x.npy", both)), fc7=True)


FLAT = ["conv1_{}", "conv1/{}", "conv1/{}:0", "alexnet/conv1/{}:0", "conv1/conv1_{}",
        "conv1/{}/read", "net.conv1.{}", "conv1.{}"]


@pytest.mark.parametrize("ending", [".npy", ".npz"])
@pytest.mark.parametrize("name", FLAT[:5] + FLAT[6:])
@pytest.mark.parametrize("kinds", PAIRS)
def test_flat_names(tmp_path, ending, name, kinds):
    is_caffe(weights.read(save(tmp_path / f"x{ending}",
                               {name.format(kinds[0]): hwio(KERNEL), name.format(kinds[1]): BIAS})))


def test_the_names_of_a_state_dict_in_our_layout_are_ours(tmp_path):
    for ending in (".npy", ".npz"):
        found = weights.read(save(tmp_path / f"x{ending}",
                                  {"conv1.weight": KERNEL, "conv1.bias": BIAS}))
        assert found.variant is None and found.statistics is None
        np.testing.assert_array_equal(found.arrays["conv1.weight"], KERNEL)  # not turned around


@pytest.mark.parametrize("ending", [".npy", ".npz"])
@pytest.mark.parametrize("before", ["", "module.", "model.", "state_dict."])
def test_torchvisions_names(tmp_path, ending, before):
    kernel = RANDOM.random((64, 3, 11, 11), np.float32)
    state = {before + "features.0.weight": kernel, before + "features.0.bias": BIAS[:64]}
    found = weights.read(save(tmp_path / f"x{ending}", state))
    assert found.variant == "torchvision" and set(found.arrays) == {"conv1.weight", "conv1.bias"}
    np.testing.assert_allclose(found.arrays["conv1.weight"] * found.folded[None, :, None, None]
                               / found.statistics.std, kernel, rtol=1e-6)


def test_a_mean_beside_the_layers(tmp_path):
    mean = RANDOM.random((3, 256, 256), np.float32)
    found = weights.read(save(tmp_path / "x.npz",
                              {"conv1_W": KERNEL, "conv1_b": BIAS, "mean_bgr_chw": mean}))
    np.testing.assert_array_equal(found.statistics.mean, mean[::-1])


@pytest.mark.parametrize("value, ending, said", [
    ({"conv1": {"weights": hwio(KERNEL), "biases": BIAS}, "conv6": [np.zeros((3, 3, 2, 2)), BIAS]},
     ".npy", "conv6"),
    ({"block1": {"weights": hwio(KERNEL)}}, ".npy", "block1/weights, so it is no AlexNet"),
    ({"conv1": {"weights": hwio(KERNEL[:64])}}, ".npy",
     r"\(64, 3, 11, 11\), the network's conv1 has \(96, 3, 11, 11\)"),
    ({"conv1_W": KERNEL, "conv2_W": np.zeros((256, 96, 5, 5), "f4")}, ".npz",
     r"conv2's weights have shape \(256, 96, 5, 5\)"),
    ({"conv1_W": KERNEL, "fc6_W": np.zeros((4096, 6400), np.float32)}, ".npz",
     r"fc6's weights have shape \(4096, 6400\)"),
    ({"conv1_W": hwio(KERNEL), "fc6_W": np.zeros((100, 4096), np.float32)}, ".npz",
     "another network"),
    ({"arr_0": KERNEL, "arr_1": BIAS}, ".npz", "have no names"), ({}, ".npy", "holds nothing"),
    ({"conv1": 3}, ".npy", "nothing"),
    ({"conv1": {"weights": np.array(["a"])}}, ".npy", "damaged|no AlexNet"),
    ({1: {2: hwio(KERNEL)}}, ".npy", "1/2"),
])
def test_what_is_another_network_is_a_sentence(tmp_path, value, ending, said):
    with pytest.raises(UserError, match=said) as refused:
        weights.read(save(tmp_path / f"x{ending}", value))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("other", ["momentum/conv1/weights", "train/Adam/conv1/weights",
                                   "ema.conv1.weights"])
@pytest.mark.parametrize("first", [True, False])
def test_the_weights_not_what_an_optimiser_keeps_of_them(tmp_path, other, first):
    pairs = [(other, hwio(KERNEL) * 0), ("conv1/weights", hwio(KERNEL)), ("conv1/biases", BIAS)]
    found = weights.read(save(tmp_path / "x.npy", dict(pairs if first else pairs[::-1])))
    np.testing.assert_array_equal(found.arrays["conv1.weight"], KERNEL[:, ::-1])
    assert found.notes == [f"not used from {tmp_path / 'x.npy'}: {other}"]


def test_capitals(tmp_path):
    is_caffe(weights.read(save(tmp_path / "x.npy",
                               {"Conv1": {"Weights": hwio(KERNEL), "Biases": BIAS}})))


def test_what_else_is_there_is_named(tmp_path):
    found = weights.read(save(tmp_path / "x.npy",
                              {"conv1": [hwio(KERNEL), BIAS], "global_step": np.zeros(())}))
    assert found.notes == [f"not used from {tmp_path / 'x.npy'}: global_step"]


@pytest.mark.long
def test_fc6_in_both_layouts_says_the_same(tmp_path, caffe_arrays, planes):
    """(H, W, C) rows of TensorFlow, (C, H, W) rows of Caffe."""
    found = {}
    for ending in ("caffe", "tensorflow"):
        value = {}
        for key, array in caffe_arrays.items():
            layer, _, kind = key.partition(".")
            if ending == "tensorflow" and kind == "weight":
                array = (hwio(array) if array.ndim == 4 else array.T if layer != "fc6" else
                         array.reshape(4096, 256, 6, 6).transpose(2, 3, 1, 0).reshape(9216, 4096))
            value[f"{layer}_{'W' if kind == 'weight' else 'b'}"] = array
        found[ending] = classifier.load(save(tmp_path / f"{ending}.npz", value)).picture(planes)
    np.testing.assert_allclose(found["caffe"], found["tensorflow"], atol=1e-6)
