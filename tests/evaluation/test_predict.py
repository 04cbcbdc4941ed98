"""python -m minialex.predict: bars, pictures, feature maps, patches."""

import json

import numpy as np
import pytest
from PIL import Image

import minialex.functional as F
from minialex import Tensor, data, models, nn
from minialex.cli import predict
from minialex.errors import UserError
from minialex.evaluation import classifier, feature_plots


@pytest.fixture
def photo(pictures):
    return str(sorted((pictures / "val" / "leaves").iterdir())[0])


def test_bars_and_a_picture(runs, photo, tmp_path, capsys):
    assert predict.main([str(runs[0]), photo, "--out", str(tmp_path / "p.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == photo and len(lines) == 5 and "leaves" in "".join(lines[1:4])
    assert sum(float(line.rstrip(" %").split()[-1])
               for line in lines[1:4]) == pytest.approx(100, abs=0.3)
    assert Image.open(tmp_path / "p.png").width > 900


def test_json_agrees_with_the_network(runs, photo, tmp_path, capsys):
    assert predict.main([str(runs[0]), photo, photo, photo, photo, "--json", "--out",
                         str(tmp_path / "p.png"), "--ten-crop"]) == 0
    found = json.loads(capsys.readouterr().out)
    network = classifier.load(runs[0])
    p = network.picture(data.decode(photo, 36).transpose(2, 0, 1), ten=True)
    assert len(found) == 4 and found[0]["predictions"][0]["probability"] == pytest.approx(
        float(p.max()), abs=1e-6)


def test_a_bad_picture_is_a_line_and_the_others_go_on(runs, photo, tmp_path, capsys):
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    arguments = [str(runs[0]), str(tmp_path / "bad.jpg"), photo, str(tmp_path / "missing.png"),
                 "--out", str(tmp_path / "p.png")]
    assert predict.main(arguments) == 2
    said = capsys.readouterr()
    assert (said.err.count("\n") == 2 and "bad.jpg" in said.err and "missing.png" in said.err
            and photo in said.out)


def test_class_names_from_a_file(runs, photo, tmp_path, capsys):
    (tmp_path / "names.txt").write_text("x1\nx2\nx3\n")
    assert predict.main([str(runs[0]), photo, "--classes", str(tmp_path / "names.txt"), "--out",
                         str(tmp_path / "p.png")]) == 0
    assert "x2" in capsys.readouterr().out
    (tmp_path / "names.txt").write_text("x1\n")
    assert predict.main([str(runs[0]), photo, "--classes", str(tmp_path / "names.txt")]) == 2
    assert "3 classes apart, but there are 1 names" in capsys.readouterr().err


def test_feature_maps_and_patches(runs, photo, tmp_path, capsys):
    arguments = [str(runs[0]), photo, "--out", str(tmp_path / "p.png"), "--features", "--patches",
                 "conv2:5", "--folder", str(tmp_path)]
    assert predict.main(arguments) == 0
    said = capsys.readouterr().out
    assert said.count(".png\n") >= 11 and (tmp_path / "patches-conv2-5.png").exists()
    assert len(list(tmp_path.glob("*-features.png"))) == 1


@pytest.mark.parametrize("text", ["conv9:1", "conv2:16", "conv2:x", "fc4:1", ""])
def test_an_unknown_filter_lists_those_that_there_are(runs, capsys, text):
    assert predict.main([str(runs[0]), "--patches", text]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_strongest_patch_is_where_the_pattern_is(runs, pictures):
    """The patch is cut where the filter's largest answer comes from: computing it on the patch
    alone gives that answer."""
    network = classifier.load(runs[0])
    train, _ = data.open_folder(pictures, size=network.size)
    value, index, place = feature_plots.strongest_patches(network, train, "conv2", 3)[0]
    (size, _), (step, _), (start, _), _ = feature_plots.sight_of(network.model, "conv2")
    crop = network.crops(train.planes(index))
    top, left = (start + step * where for where in place)
    patch = crop[:, :, top : top + size, left : left + size]
    assert patch.shape[2:] == (size, size) == (14, 14)
    answer = feature_plots.activations(network.model, np.ascontiguousarray(patch), "conv2")["conv2"]
    assert answer.shape[2:] == (1, 1) and answer[0, 3, 0, 0] == pytest.approx(value, rel=1e-4)


def test_receptive_fields_of_alexnet():
    layers = models.alexnet.__globals__["_paper"](3)[2]
    network = nn.Sequential(**layers)
    network.input_shape = (3, 227, 227)
    known = {"conv1": (11, 4), "pool1": (19, 8), "conv2": (51, 8), "conv3": (99, 16),
             "conv5": (163, 16), "pool5": (195, 32)}
    for name, (size, step) in known.items():
        assert feature_plots.sight_of(network, name)[:2] == ((size, size), (step, step)), name


def test_a_kernel_that_is_not_square_sees_a_patch_that_is_not(tmp_path):
    """Its patch is as high and as wide as what it sees, and lies where it looked."""
    network = nn.Sequential(wide=nn.Conv2d(1, 1, (1, 5), stride=(1, 2)),
                            tall=nn.Conv2d(1, 1, (3, 1)))
    network.input_shape = (1, 9, 21)
    assert feature_plots.sight_of(network, "tall")[:3] == ((3, 5), (1, 2), (0, 0))
    planes = np.arange(3 * 9 * 21).reshape(3, 9, 21)
    np.testing.assert_array_equal(feature_plots._cut(planes, 2, 4, 3, 5),
                                  planes[:, 2:5, 4:9].transpose(1, 2, 0))
    outside = feature_plots._cut(planes, -1, 19, 3, 5)
    assert outside.shape == (3, 5,
                             3) and (outside[0] == 128).all() and (outside[:, 2:] == 128).all()
    np.testing.assert_array_equal(outside[1:, :2], planes[:, :2, 19:].transpose(1, 2, 0))


class Own(nn.Module):
    """A student's network, with a forward of its own."""

    def __init__(self):
        self.first, self.inner, self.last = nn.Conv2d(1, 4,
                                                      5), nn.Sequential(nn.Conv2d(4, 3, 3),
                                                                        nn.ReLU()), nn.Linear(3, 2)
        self.input_shape, self.num_classes = (1, 32, 32), 2

    def forward(self, x):
        x = self.inner(F.max_pool2d(F.relu(self.first(x)), 2))
        return self.last(x.mean(axis=(2, 3)))


def test_maps_of_a_network_with_a_forward_of_its_own(tmp_path):
    model = Own().eval()
    x = np.random.default_rng(0).normal(size=(1, 1, 32, 32)).astype(np.float32)
    found = feature_plots.activations(model, x)
    assert {name: values.shape[1:] for name, values in found.items()} == {
        "first": (4, 28, 28), "inner.0": (3, 12, 12), "inner.1": (3, 12, 12)}
    np.testing.assert_array_equal(found["first"], model.first(Tensor(x)).data)
    assert all("forward" not in vars(layer) for _, layer in model.named_modules())
    network = classifier.Classifier(model, ["a", "b"],
                                    data.Statistics(np.zeros((1, 36, 36), np.float32), 1.0), 1.0)
    feature_plots.maps(tmp_path / "maps.png", network, np.zeros((3, 36, 36), np.uint8))
    assert Image.open(tmp_path / "maps.png").height == int(150 * (0.75 + 0.95 * 2))
    with pytest.raises(UserError, match="needs a network that is one nn.Sequential"):
        feature_plots.parse_filter(model, "first:0")


def test_patches_need_the_layers_in_their_order():
    class Skipping(nn.Sequential):
        def forward(self, x):
            return super().forward(x) + 1

    assert feature_plots.parse_filter(nn.Sequential(nn.Conv2d(1, 2, 3)), "0:1") == ("0", 1)
    with pytest.raises(UserError, match="needs a network that is one nn.Sequential"):
        feature_plots.parse_filter(Skipping(nn.Conv2d(1, 2, 3)), "0:1")


def test_a_patch_at_the_edge_is_grey_where_the_picture_ends():
    planes = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    for top, left in ((-2, -1), (3, 4), (1, 1), (-9, 9)):
        cut = feature_plots._cut(planes, top, left, 3, 3)
        wanted = [[planes[:, y, x].tolist() if 0 <= y < 4 and 0 <= x < 5 else [128] * 3
                   for x in range(left, left + 3)] for y in range(top, top + 3)]
        assert cut.tolist() == wanted
