"""Weight files of other people's programs, through the commands: read and right, or refused with
the first difference."""

import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from cases import command, refused

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "weights"))

from caffe_files import Layer, fields, file, layers  # noqa: E402
from test_checkpoints import COMPANIONS, File  # noqa: E402

from minialex import models, weights  # noqa: E402
from minialex.errors import UserError  # noqa: E402
from minialex.evaluation import classifier  # noqa: E402

CONV1 = {"conv1.weight": np.zeros((96, 3, 11, 11), np.float32),
         "conv1.bias": np.zeros(96, np.float32)}
STATE = {"features.0.weight": np.ones((64, 3, 11, 11), np.float32),
         "features.0.bias": np.zeros(64, np.float32)}


def changed(name, **values):
    some = layers(CONV1)
    next(layer for layer in some if layer.name == name).__dict__.update(values)
    return some


OTHERS = {
    "BatchNorm": layers(CONV1)[:2] + [Layer("conv1/bn", "BatchNorm", ["conv1"], ["conv1"])]
    + layers(CONV1)[2:],
    "relu1": [layer for layer in layers(CONV1) if layer.name != "relu1"],
    "conv1 has stride 2": changed(
        "conv1", parameters=fields(f1=96, f4=11, f6=2)), "TanH": changed("relu1", kind="TanH"),
    "pool1 has pool AVE": changed("pool1", parameters=fields(f1=1, f2=3, f3=2)),
    "crop_size": changed("data", transform=fields(f3=224)),
    "mean_file": changed("data", transform=fields(f4="m.binaryproto")),
    "scale": changed("data", transform=fields(f1=0.00390625)),
}


@pytest.mark.parametrize("said", OTHERS)
def test_a_caffemodel_of_another_network_is_never_read_without_a_word(tmp_path, said):
    (tmp_path / "x.caffemodel").write_bytes(file(OTHERS[said]))
    done = command("export", "x.caffemodel", "y.npz", cwd=tmp_path)
    assert said in done.stderr and "Traceback" not in done.stderr
    if said in ("mean_file", "scale"):  # AlexNet's layers: read with a note
        assert done.returncode == 0 and done.stderr.startswith("note: ")
    else:
        assert refused(done) and not (tmp_path / "y.npz").exists()


@pytest.mark.parametrize(("biases", "said"),
                         [([], "conv1 has 0 biases for 96 outputs"),
                          ([np.zeros(95, np.float32)], "conv1 has 95 biases for 96 outputs")])
def test_a_caffemodel_without_all_biases(tmp_path, biases, said):
    (tmp_path / "x.caffemodel").write_bytes(file(changed("conv1",
                                                         blobs=[CONV1["conv1.weight"], *biases])))
    with pytest.raises(UserError, match=said):
        weights.read(tmp_path / "x.caffemodel")


@pytest.mark.parametrize(("content", "said"),
                         [(b"<!DOCTYPE html><html>", "a web page, so the download has failed"),
                          (b"  <?xml version", "a web page"),
                          (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS's pointer"),
                          (b"\x1f\x8b\x08", "packed with gzip"),
                          (b'name: "AlexNet"\n', "description of a network, without weights"),
                          (b"7z\xbc\xaf", "an archive"), (b"Rar!\x1a", "an archive"),
                          (b"PK\5\6" + bytes(18), "an empty archive"),
                          (b"GGUF", "GGML.s .gguf"),
                          (b"\xfeabc", "in no format known here")])
def test_what_is_no_file_of_weights_is_called_what_it_is(tmp_path, content, said):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(UserError, match=said):
        weights.read(tmp_path / "x.pth")


def test_an_archive_around_a_file_of_weights(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("alexnet.pth", "x")
    with pytest.raises(UserError, match="an archive with alexnet.pth in it: unpack it"):
        weights.read(tmp_path / "x.zip")


def test_published_networks_are_read(tmp_path):
    for pool_first, old in ((False, True), (True, False)):
        (tmp_path / "x.caffemodel").write_bytes(file(layers(CONV1, pool_first=pool_first), old))
        done = command("export", "x.caffemodel", f"{pool_first}.npz", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert weights.read(tmp_path / f"{pool_first}.npz").variant == ("caffenet" if pool_first
                                                                        else "caffe")


@pytest.mark.parametrize("value", [
    {"epoch": 1, "model_state_dict": STATE}, {"model_state_dict": STATE, "loss": np.zeros(1)},
    {"net": STATE, "acc": 9}, {f"_orig_mod.{name}": array for name, array in STATE.items()},
    {f"backbone.{name}": array for name, array in STATE.items()},
    {"state_dict": {f"model.{name}": array for name, array in STATE.items()}},
    *({"state_dict": STATE, "other": other} for other in COMPANIONS.values())])
def test_checkpoints_of_training_scripts(tmp_path, value):
    File(value).save(tmp_path / "x.pth")
    found = weights.read(tmp_path / "x.pth")
    assert found.variant == "torchvision" and list(found.arrays) == ["conv1.weight", "conv1.bias"]


def test_a_checkpoint_that_would_run_a_program_is_refused(tmp_path):
    class Trap:
        def __reduce__(self):
            return exec, (f"open({str(tmp_path / 'ran')!r}, 'w').close()",)

    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({"state_dict": {}, "other": Trap()}, 2))
    assert refused(command("export", "x.pth", "y.npz",
                           cwd=tmp_path)) and not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kinds", [("weights", "biases"), ("weight", "bias"), ("W", "b"),
                                   ("kernel", "bias"), None])
def test_dictionaries_of_arrays(tmp_path, kinds):
    pair = np.zeros((11, 11, 3, 96), np.float32), np.zeros(96, np.float32)
    np.save(tmp_path / "x.npy", {"conv1": dict(zip(kinds, pair)) if kinds else pair},
            allow_pickle=True)
    assert command("export", "x.npy", "y.npz", cwd=tmp_path).returncode == 0
    assert set(weights.read(tmp_path / "y.npz").arrays) == set(CONV1)


def test_torchvisions_names_in_an_npz(tmp_path):
    np.savez(tmp_path / "x.npz", **STATE)
    assert "torchvision" in command("export", "x.npz", "y.pth", cwd=tmp_path).stdout
    np.savez(tmp_path / "z.npz", STATE["features.0.weight"])
    assert refused(command("export", "z.npz", "w.pth", cwd=tmp_path))


@pytest.mark.parametrize("bad", [lambda array: (100 * array).astype(np.int8),
                                 lambda array: array * np.nan])
def test_weights_that_were_rounded_or_blew_up_predict_nothing(tmp_path, bad):
    network = models.lenet5(3).state_dict()
    np.savez(tmp_path / "w.npz", **network | {"conv2.weight": bad(network["conv2.weight"])})
    with pytest.raises(UserError,
                       match="conv2.weight in .*w.npz does not hold finite floating-point numbers"):
        classifier.load(str(tmp_path / "w.npz"), mean="128")


@pytest.mark.parametrize(("mean", "red"),
                         [(np.array([104.0, 117.0, 123.0]), 123), (np.array([104, 117, 123]), 123),
                          (np.full((3, 256, 256), 9.0), 9), (np.zeros((3, 227, 227)), None),
                          (np.float32(9), None), (np.array(["a", "b", "c"]), None),
                          (np.zeros((256, 256, 3)), None)])
def test_a_mean_beside_the_layers_fits_or_is_refused(tmp_path, mean, red):
    layer = {"conv1_W": np.zeros((11, 11, 3, 96), np.float32), "conv1_b": np.zeros(96, np.float32)}
    np.savez(tmp_path / "w.npz", **layer, mean_bgr_chw=mean)
    if red is None:
        with pytest.raises(UserError, match="has a mean_bgr_chw of .*it must be"):
            weights.read(tmp_path / "w.npz")
        return
    found = weights.read(tmp_path / "w.npz").statistics.mean
    assert found.shape == (3, 256, 256) and (found[0] == red).all()
