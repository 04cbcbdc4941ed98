"""--mean: what is subtracted from pixels, for weights of other programs that do not bring it."""

import json

import caffe_files
import numpy as np
import pytest
from caffe_files import fields
from torch_networks import caffe_answer, torchvision_answer, torchvision_module

import minialex as ma
import minialex.functional as F
from minialex import weights
from minialex.cli import evaluate, export, predict
from minialex.errors import UserError
from minialex.evaluation import classifier

# blue, green, red, as Caffe writes it
IMAGE = np.random.default_rng(2).uniform(80, 140, (3, 256, 256)).astype(np.float32)
CONV1 = {"conv1.weight": np.ones((96, 3, 11, 11), np.float32),
         "conv1.bias": np.zeros(96, np.float32)}


def without_mean(tmp_path, **transform):
    layers = caffe_files.layers(CONV1)
    layers[0].transform = fields(f4="elsewhere/mean.binaryproto", **transform)
    (tmp_path / "x.caffemodel").write_bytes(caffe_files.file(layers))
    return tmp_path / "x.caffemodel"


def binaryproto(path, image, old=True):
    path.write_bytes(caffe_files.blob(image[None], old))


def saved(path, array):
    np.save(path, array)


def written(path, value):
    path.write_text(json.dumps(value))


FILES = {
    "mean.binaryproto": (lambda path: binaryproto(path, IMAGE), IMAGE[::-1]),
    "new.binaryproto": (lambda path: binaryproto(path, IMAGE, old=False), IMAGE[::-1]),
    "mean.npy": (lambda path: saved(path, IMAGE), IMAGE[::-1]),
    "double.npy": (lambda path: saved(path, IMAGE[None].astype(float)), IMAGE[::-1]),
    "colour.npy": (lambda path: saved(path, np.float64([10, 20, 30])), np.float32([30, 20, 10])),
    "colour.json": (lambda path: written(path, [30, 20, 10]), np.float32([30, 20, 10])),
    "named.json": (lambda path: written(path, {"mean": [30, 20, 10]}), np.float32([30, 20, 10])),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_caffe_are_blue_first_and_json_is_red_first(tmp_path, name):
    write, known = FILES[name]
    write(tmp_path / name)
    found = weights.read(without_mean(tmp_path), str(tmp_path / name))
    mean = np.broadcast_to(known if known.ndim == 3 else known[:, None, None], (3, 256, 256))
    np.testing.assert_array_equal(found.statistics.mean, mean)
    assert (found.pixels, found.statistics.std, found.notes) == ("raw", 1.0, [])


@pytest.mark.parametrize("given, mean, pixels, std", [
    ("104,117,123", [104, 117, 123], "raw", 1),
    ("104 117 123", [104, 117, 123], "raw", 1), ("128", [128, 128, 128], "raw", 1),
    ("0.5,0.5,0.5", [127.5] * 3, "unit", 255), ("0.5/0.5", [127.5] * 3, "unit", 127.5),
    ("0.5,0.25,0/0.5,0.5,0.5", [127.5, 63.75, 0], "unit", 127.5),
    ("100,110,120/50,50,50", [100, 110, 120], "unit", 50)])
def test_numbers_are_red_green_blue(tmp_path, given, mean, pixels, std):
    found = weights.read(without_mean(tmp_path), given)
    assert found.statistics.mean[:, 7, 9].tolist() == mean
    assert (found.pixels, found.statistics.std) == (pixels, std)
    assert (found.arrays["conv1.weight"] == 1).all()


def test_a_std_for_each_channel_goes_into_conv1(tmp_path):
    found = weights.read(without_mean(tmp_path), "0.5,0.5,0.5/0.1,0.2,0.3")
    x = np.float64([10.0, 20.0, 30.0])
    said = (x - 127.5) / found.statistics.std * found.arrays["conv1.weight"][0, :, 0, 0]
    np.testing.assert_allclose(said, (x / 255 - 0.5) / [0.1, 0.2, 0.3], rtol=1e-6)


def test_the_scale_of_the_file_is_kept(tmp_path):
    """The mean is elsewhere, the scale is here: (x - mean) * scale."""
    found = weights.read(without_mean(tmp_path, f1=0.5), "1,2,3")
    assert found.pixels == "raw" and (found.arrays["conv1.weight"] == 0.5).all()


@pytest.mark.parametrize("array, said", [
    (IMAGE[:, :227, :227], r"\(3, 227, 227\): it must be \(3, 256, 256\)"),
    (IMAGE[0], r"shape \(256, 256\)"), (IMAGE[:1], r"\(1, 256, 256\)"),
    (IMAGE.transpose(1, 2, 0), r"\(256, 256, 3\)"), (np.zeros(2), r"\(2,\)"),
    (np.full(3, np.nan), "holds no mean"), (np.array(["a"]), "holds no mean"),
    (np.zeros(0), "holds no mean"), (np.array([{}], dtype=object), "holds no mean"),
    (np.ones(3, bool), "holds no mean"), (np.ones(3, complex), "holds no mean"),
    (np.array(["1", "2", "3"]), "holds no mean"), (np.ones(3, "M8[s]"), "holds no mean")])
def test_another_shape_is_a_sentence(tmp_path, array, said):
    np.save(tmp_path / "m.npy", array)
    with pytest.raises(UserError, match=said) as refused:
        weights.read(without_mean(tmp_path), str(tmp_path / "m.npy"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("given", ["no.npy", "1,2", "red", "", "1/2/3", "nan,1,1",
                                   "0.5,0.5,0.5/0.5,0,0.5", "0.5,0.5,0.5/", "0.5,0.5,0.5/1,1"])
def test_what_is_no_mean_is_a_sentence(tmp_path, given):
    with pytest.raises(UserError) as refused:
        weights.read(without_mean(tmp_path), given)
    assert "\n" not in str(refused.value) and "--mean" in str(refused.value)


@pytest.mark.parametrize("content",
                         [b"", b"hello", b"{", b'{"mean": {}}', b"[" * 5000, b"\x08\x01\x10\xff",
                          b'{"mean": ["a"]}', b'{"mean": [[0.4]]}', b"[[1, 2, 3]]",
                          b'{"mean": 0.4}', b'{"mean": [[0.4, 0.4, 0.4]], "std": '
                          b'[[0.2, 0.2, 0.2]]}', b'{"mean": [0.4], "std": 0.2}'])
def test_a_damaged_file_is_a_sentence(tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(UserError, match="holds no mean"):
        weights.read(without_mean(tmp_path), str(tmp_path / "m"))


def test_a_file_of_gigabytes_is_not_read(tmp_path):
    with open(tmp_path / "m", "wb") as file:
        file.truncate(2**31)
    with pytest.raises(UserError, match="holds no mean"):
        weights.read(without_mean(tmp_path), str(tmp_path / "m"))


def test_weights_without_a_first_layer_have_no_use_for_it(tmp_path):
    np.savez(tmp_path / "x.npz", **{"fc8.weight": np.zeros((2, 3), np.float32)})
    with pytest.raises(UserError, match="--mean 1,2,3 cannot be used: these weights have no conv1"):
        weights.read(tmp_path / "x.npz", "1,2,3")


def test_weights_that_bring_their_mean_keep_it(tmp_path):
    np.savez(tmp_path / "x.npz", minialex=json.dumps({"variant": "caffe", "pixels": "raw",
                                                      "classes": None, "std": None}),
             **{"conv1.weight": CONV1["conv1.weight"]})
    with pytest.raises(UserError, match="not needed"):
        weights.read(tmp_path / "x.npz", "1,2,3")


def test_caffe_says_the_same_with_the_mean_image(caffe_arrays, planes, tmp_path):
    pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    layers = caffe_files.layers(caffe_arrays)
    layers[0].transform = fields(f4="mean.binaryproto")
    (tmp_path / "x.caffemodel").write_bytes(caffe_files.file(layers))
    binaryproto(tmp_path / "mean.binaryproto", IMAGE)
    network = classifier.load(tmp_path / "x.caffemodel", mean=str(tmp_path / "mean.binaryproto"))
    # The oracle subtracts one colour: it gets the picture less the image's own ripple.
    colour = IMAGE.mean(axis=(1, 2))
    rest = planes - (IMAGE - colour[:, None, None])[::-1]
    np.testing.assert_allclose(network.picture(planes), caffe_answer(caffe_arrays, rest, colour),
                               atol=5e-6)


def test_torchvision_says_the_same_with_another_mean_and_std(torchvision_arrays, planes, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    module = torchvision_module(torchvision_arrays)
    torch.save(module.state_dict(), tmp_path / "x.pth")
    mean, std = [0.3, 0.4, 0.5], [0.1, 0.3, 0.2]
    written(tmp_path / "p.json", {"image_mean": mean, "image_std": std})
    network = classifier.load(tmp_path / "x.pth", mean=str(tmp_path / "p.json"))
    module.double()
    answer = torchvision_answer(module, planes, mean, std)
    assert np.abs(answer - torchvision_answer(module, planes)).max() > 1e-4
    # in float32 the last layers' rounding depends on the machine
    for parameter in network.model.parameters():
        parameter.data = parameter.data.astype(np.float64)
    logits = network.model(ma.Tensor(network.crops(planes).astype(np.float64)))
    np.testing.assert_allclose(F.softmax(logits).data[0], answer, atol=1e-6)


@pytest.mark.long
def test_the_commands_take_it(tmp_path, caffe_arrays, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from PIL import Image
    for name in "ab":
        (tmp_path / "d" / name).mkdir(parents=True)
        Image.new("RGB", (20, 20), (200, 30, 90)).save(tmp_path / "d" / name / "x.png")
    layers = caffe_files.layers(caffe_arrays | {"fc8.weight": caffe_arrays["fc8.weight"][:2],
                                                "fc8.bias": np.zeros(2)})
    layers[0].transform = fields(f4="mean.binaryproto")
    (tmp_path / "x.caffemodel").write_bytes(caffe_files.file(layers))
    names = tmp_path / "names.txt"
    names.write_text("a\nb\n")
    asks = [(predict.main, ["x.caffemodel", "d/a/x.png"]),
            (evaluate.main,
             ["x.caffemodel", "--data", "d", "--classes", "names.txt", "--device", "cpu"])]
    for command, arguments in asks:
        assert command(arguments) == 2
        assert "give it with --mean" in capsys.readouterr().err
        assert command([*arguments, "--mean", "104,117,123"]) == 0
    assert export.main(["x.caffemodel", "y.npz", "--mean", "104,117,123"]) == 0
    assert weights.read(tmp_path / "y.npz").statistics.mean[:, 0, 0].tolist() == [104, 117, 123]


def test_training_takes_it(tmp_path, capsys):
    from minialex.cli import train
    from minialex.training import finetune

    assert train.main(["--mean", "1,2,3", "--out", str(tmp_path / "r")]) == 2
    assert "name them with --init" in capsys.readouterr().err
    path = without_mean(tmp_path)
    found = finetune.named_in({"init": str(path), "mean": "1,2,3"})
    assert found.statistics.mean[:, 0, 0].tolist() == [1, 2, 3]
    assert finetune.settings({}, found) == {"variant": "caffe", "pixels": "raw"}
    with pytest.raises(UserError, match="--mean 1,2,3 is for --pixels raw"):
        finetune.settings({"mean": "1,2,3", "pixels": "unit"}, found)
