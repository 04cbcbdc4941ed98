"""Keras' files of the variant keras, written as Keras 2 and Keras 3 do, against a forward pass in
plain NumPy, channels last."""

import io
import json
import zipfile

import numpy as np
import pytest

from minialex import weights
from minialex.errors import UserError
from minialex.evaluation import classifier

h5py = pytest.importorskip("h5py", reason="h5py is not installed")
SHAPES = [(11, 11, 3, 96), (5, 5, 96, 256), (3, 3, 256, 384), (3, 3, 384, 384), (3, 3, 384, 256),
          (6400, 4096), (4096, 4096), (4096, 5)]
NAMES = ["conv2d", "conv2d_1", "conv2d_2", "conv2d_3", "conv2d_4", "dense", "dense_1", "dense_2"]


@pytest.fixture(scope="module")
def parameters():
    """[(kernel, bias)] of the eight layers, of a size that keeps activations alive."""
    random = np.random.default_rng(3)
    return [(random.standard_normal(shape,
                                    np.float32) * np.float32((2 / np.prod(shape[:-1])) ** 0.5),
             random.standard_normal(shape[-1], np.float32) * np.float32(0.1)) for shape in SHAPES]


def forward(parameters, x):
    """softmax for (H, W, 3), as Keras computes it: channels last, sizes rounded down."""
    for number, (kernel, bias) in enumerate(parameters[:5]):
        size, stride = len(kernel), 4 if number == 0 else 1
        x = np.pad(x, [(0, 0) if number == 0 else (size // 2, size // 2)] * 2 + [(0, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(x, (size, size),
                                                           axis=(0, 1))[::stride, ::stride]
        x = np.maximum(np.einsum("hwcij,ijco->hwo", windows, kernel, optimize=True) + bias, 0)
        if number in (0, 1, 4):
            x = np.lib.stride_tricks.sliding_window_view(x, (3, 3),
                                                         axis=(0, 1))[::2, ::2].max((3, 4))
    x = x.reshape(-1)
    for number, (kernel, bias) in enumerate(parameters[5:]):
        x = x @ kernel + bias
        x = np.maximum(x, 0) if number < 2 else np.exp(x - x.max())
    return x / x.sum()


def config(change=lambda layers: None, rescaling=True):
    """What Keras writes about its layers."""
    layers = [("InputLayer", {"batch_shape": [None, 224, 224, 3]})]
    layers += [("Rescaling", {"scale": 1 / 127.5, "offset": -1.0})] if rescaling else []
    for number, (size, _, _, out) in enumerate(SHAPES[:5]):
        layers.append(("Conv2D",
                       {"name": NAMES[number], "filters": out, "kernel_size": [size, size],
                        "activation": "relu", "padding": "same" if number else "valid",
                        "strides": [1, 1] if number else [4, 4], "groups": 1,
                        "dilation_rate": [1, 1], "use_bias": True, "data_format": "channels_last"}))
        if number in (0, 1, 4):
            layers.append(("MaxPooling2D",
                           {"pool_size": [3, 3], "strides": [2, 2], "padding": "valid"}))
    layers.append(("Flatten", {}))
    for number, (_, out) in enumerate(SHAPES[5:]):
        layers += [("Dense", {"name": NAMES[5 + number], "units": out,
                              "activation": "relu" if number < 2 else "softmax", "use_bias": True}),
                   ("Dropout", {"rate": 0.5})]
    layers = [{"class_name": kind, "config": values} for kind, values in layers[:-1]]
    change(layers)
    return json.dumps({"class_name": "Sequential",
                       "config": {"name": "sequential", "layers": layers}})


def keras_2(path, parameters, names=NAMES, whole=True, settings=None):
    with h5py.File(path, "w") as h5:
        group = h5.create_group("model_weights") if whole else h5
        for name, (kernel, bias) in zip(names, parameters):
            group[f"{name}/{name}/kernel:0"], group[f"{name}/{name}/bias:0"] = kernel, bias
        group.attrs["layer_names"] = names
        if whole:
            h5.attrs["model_config"] = settings or config()
            h5["optimizer_weights/Adam/conv2d/kernel/m:0"] = parameters[0][0] * 0
    return path


def keras_3(file, parameters, names=NAMES):
    with h5py.File(file, "w") as h5:
        for name, (kernel, bias) in zip(names, parameters):
            h5[f"layers/{name}/vars/0"], h5[f"layers/{name}/vars/1"] = kernel, bias
        h5.create_group("layers/flatten/vars")
        h5["layers/dropout/seed_generator/vars/0"] = np.zeros(2, np.uint32)
        h5["optimizer/vars/0"], h5["optimizer/vars/2"] = np.int64(7), parameters[0][0] * 0
    return file


def keras_zip(path, parameters, settings=None):
    file = io.BytesIO()
    keras_3(file, parameters)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", settings or config())
        archive.writestr("model.weights.h5", file.getvalue())
    return path


@pytest.mark.long
def test_the_network_says_what_numpy_says(tmp_path, parameters, planes):
    answer = forward(parameters, planes[:, 16:240, 16:240].transpose(1, 2, 0) / 127.5 - 1)
    assert answer.max() - answer.min() > 0.02
    for path in (keras_2(tmp_path / "a.h5", parameters),
                 keras_zip(tmp_path / "a.keras", parameters)):
        network = classifier.load(path)
        np.testing.assert_allclose(network.picture(planes), answer, atol=5e-6)
    keras_3(tmp_path / "a.weights.h5", parameters)
    network = classifier.load(tmp_path / "a.weights.h5", mean="0.5,0.5,0.5/0.5,0.5,0.5")
    np.testing.assert_allclose(network.picture(planes), answer, atol=5e-6)


def test_all_forms_hold_the_same(tmp_path, parameters):
    some = parameters[:5]
    odd = ["z", "y", "x", "w", "v"]
    files = [keras_2(tmp_path / "1.h5", some), keras_2(tmp_path / "2.h5", some, whole=False),
             keras_2(tmp_path / "3.h5", some, odd), keras_3(tmp_path / "4.h5", some),
             keras_3(tmp_path / "5.h5", some, odd), keras_zip(tmp_path / "6.keras", some)]
    for path in files:
        found = weights.read(path)
        assert found.variant == "keras" and len(found.arrays) == 10
        for number, (kernel, bias) in enumerate(some, 1):
            np.testing.assert_array_equal(found.arrays[f"conv{number}.weight"],
                                          kernel.transpose(3, 2, 0, 1))
            np.testing.assert_array_equal(found.arrays[f"conv{number}.bias"], bias)
    assert weights.read(files[1]).statistics is None and "does not hold" in weights.read(
        files[1]).notes[0]
    assert weights.read(files[0]).statistics.std == pytest.approx(127.5)
    assert weights.read(files[0]).statistics.mean[:, 0, 0] == pytest.approx(127.5)


def layer(name, **values):
    def change(layers):
        next(one for one in layers if one["config"].get("name") == name
             or one["class_name"] == name)["config"].update(values)
    return change


def added(at, kind):
    return lambda layers: layers.insert(at, {"class_name": kind, "config": {"name": kind.lower()}})


DIFFERENCES = {
    "stride": (layer("conv2d", strides=[2, 2]), "conv2d has strides 2, the network's layer has 4"),
    "padding": (layer("conv2d_1", padding="valid"), "conv2d_1 has padding valid, "
                "the network's layer has same"),
    "tanh": (layer("conv2d_2", activation="tanh"), "conv2d_2 has activation tanh, "
             "the network's layer has relu"),
    "groups": (layer("conv2d_3", groups=2), "conv2d_3 has groups 2"),
    "dilation": (layer("conv2d_3", dilation_rate=[2, 2]), "conv2d_3 has dilation_rate 2"),
    "channels first": (layer("conv2d", data_format="channels_first"), "channels_first"),
    "pool": (layer("MaxPooling2D", pool_size=[2, 2]), "pool_size 2, the network's layer has 3"),
    "uneven pool": (layer("MaxPooling2D", strides=[2, 1]), r"strides \[2, 1\]"),
    "average": (lambda layers: layers[3].update(class_name="AveragePooling2D"), "AveragePooling2D"),
    "BatchNormalization": (added(3, "BatchNormalization"),
                           r"batchnormalization \(BatchNormalization\)"),
    "Normalization": (added(1, "Normalization"),
                      r"normalization \(Normalization\), the network's is Conv2D"),
    "a later Rescaling": (added(3, "Rescaling"), "Rescaling"),
    "size": (layer("InputLayer", batch_shape=[None, 227, 227, 3]),
             "227 pixels a side, the network's 224"),
    "one more": (lambda layers: layers.append(
    {"class_name": "Dense", "config": {"name": "more", "use_bias": True}}), "more"),
    "sigmoid": (layer("dense_2", activation="sigmoid"),
                "dense_2 has activation sigmoid, the network's layer has softmax"),
    "ReLU6": (lambda layers: (layer("conv2d", activation="linear")(layers), layers.insert(3, {
        "class_name": "ReLU", "config": {"name": "relu", "max_value": 6.0}})),
        "conv2d has activation linear, the network's layer has relu"),
    "units": (layer("dense_1", units=2048), "dense_1 has units 2048"),
}


@pytest.mark.parametrize("what", DIFFERENCES)
@pytest.mark.parametrize("form", [keras_2, keras_zip])
def test_another_network_is_refused_by_its_first_difference(tmp_path, parameters, what, form):
    change, said = DIFFERENCES[what]
    with pytest.raises(UserError, match=said) as refused:
        weights.read(form(tmp_path / "x", parameters[:1], settings=config(change)))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind, values",
                         [("Activation", {"activation": "relu"}), ("ReLU", {"max_value": None})])
def test_activations_in_layers_of_their_own(tmp_path, parameters, kind, values):
    def apart(layers):
        layers[2]["config"]["activation"] = "linear"
        layers.insert(3, {"class_name": kind, "config": values})
    assert weights.read(keras_zip(tmp_path / "x", parameters[:1],
                                  settings=config(apart))).variant == "keras"


@pytest.mark.parametrize("name, array, said", [
    ("conv2d/conv2d/kernel:0", np.zeros((5, 5, 3, 96)),
     r"conv2d/conv2d/kernel:0 has shape \(5, 5, 3, 96\), which no layer"),
    ("bn/bn/gamma:0", np.zeros(96), "bn/bn/gamma:0, of a layer that the network does not have"),
    ("conv2d/conv2d/kernel:0", np.zeros((11, 11, 3, 96)), "there is no bias beside it")])
def test_arrays_of_another_network(tmp_path, name, array, said):
    with h5py.File(tmp_path / "x.h5", "w") as h5:
        h5[name] = array.astype("f4")
    with pytest.raises(UserError, match=said):
        weights.read(tmp_path / "x.h5")


def hostile(path):
    """{what: a function that writes an open h5py.File}"""
    big = (11, 11, 3, 96)
    yield "huge and never written", lambda h5: h5.create_dataset("fc/kernel:0", (4096, 10**9), "f4")
    yield "huge and compressed", lambda h5: h5.create_dataset("a/w", (2**15, 2**15), "f4",
                                                              chunks=(2**10, 2**10), compression=9)
    yield "in another file", lambda h5: h5.create_dataset("a/kernel:0", big, "f4",
                                                          external=[(str(path), 0, 4 * 34848)])
    yield "a link to another file", lambda h5: h5.__setitem__("a",
                                                              h5py.ExternalLink(str(path), "/a"))
    yield "a link to nothing", lambda h5: h5.__setitem__("a", h5py.SoftLink("/nowhere"))
    yield "a link in a circle", lambda h5: h5.create_group("a").__setitem__("b", h5["/"])
    yield "settings that are no JSON", lambda h5: h5.attrs.__setitem__("model_config", "{")
    yield "settings of another kind", lambda h5: h5.attrs.__setitem__("model_config", "[1]")
    yield "settings that are deep", lambda h5: h5.attrs.__setitem__("model_config", "[" * 30_000)
    yield "nothing", lambda h5: None


def test_hostile_files_are_sentences(tmp_path):
    (tmp_path / "other").write_bytes(bytes(4 * 34848))
    for what, write in hostile(tmp_path / "other"):
        with h5py.File(tmp_path / "x.h5", "w") as h5:
            write(h5)
        with pytest.raises(UserError) as refused:
            weights.read(tmp_path / "x.h5")
        assert "\n" not in str(refused.value), what


def test_every_cut_or_changed_file_is_a_sentence_or_other_numbers(tmp_path, parameters):
    content = keras_2(tmp_path / "x.h5", [(parameters[0][0], parameters[0][1])]).read_bytes()
    random = np.random.default_rng(3)
    for trial in range(60):
        damaged = bytearray(content)
        if trial % 2:
            damaged = damaged[: random.integers(1, len(content))]
        else:
            damaged[random.integers(4096)] ^= int(random.integers(1, 256))
        (tmp_path / "y.h5").write_bytes(damaged)
        try:
            weights.read(tmp_path / "y.h5")
        except UserError as problem:
            assert "\n" not in str(problem)


def test_without_h5py_it_says_what_to_install(tmp_path, parameters, monkeypatch):
    keras_2(tmp_path / "x.h5", parameters[:1])
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(UserError, match="python -m pip install h5py"):
        weights.read(tmp_path / "x.h5")
