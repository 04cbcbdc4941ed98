"""What the page shows of a trained network is what the network's own functions say."""
import base64
import io
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from minialex import data, models
from minialex.cli.explore import main
from minialex.evaluation import classifier, feature_plots, held_out
from minialex.evaluation.classifier import Classifier
from minialex.explore import command, page, trained


@pytest.fixture(scope="module")
def found(small_run):
    """(network, its page's pictures, what the page is told)"""
    network = classifier.load(str(small_run))
    pictures = trained.pictures_of(network, None, str(small_run))
    return network, pictures, trained.facts(network, pictures)


def _bytes(text):
    return np.frombuffer(base64.b64decode(text), np.uint8)


def test_filters_are_the_weights(found):
    network, _, told = found
    assert list(told["filters"]) == ["conv1", "conv2", "conv3"]
    for name, shown in told["filters"].items():
        weights = dict(network.model.named_modules())[name].weight.data
        assert shown["shape"] == list(weights.shape)
        again = (_bytes(shown["values"]) / 255 * 2 - 1).reshape(weights.shape) * shown["most"]
        assert np.abs(again - weights).max() <= shown["most"] / 255 * 1.01
        np.testing.assert_allclose(shown["ranges"],
                                   [[kernel.min(), kernel.max()] for kernel in weights], rtol=1e-5)


def test_maps_are_what_the_layers_put_out(found):
    network, pictures, told = found
    for (planes, _, _), shown in zip(pictures, told["chosen"]):
        for name, values in feature_plots.activations(network.model, network.crops(planes)).items():
            maps, values = shown["maps"][name], values[0]
            means = np.abs(values).mean(axis=(1, 2))
            assert means[maps["channels"]].tolist() == sorted(means, reverse=True)[:trained.MAPS]
            for channel, (largest, row, column) in zip(maps["channels"], maps["largest"]):
                assert largest == pytest.approx(values[channel].max(), rel=1e-5) == pytest.approx(
                    values[channel, row, column])
            again = _bytes(maps["values"]).reshape(-1, *values.shape[1:]) / 255 * (
                maps["high"] - maps["low"]) + maps["low"]
            assert np.abs(again - values[maps["channels"]]).max() <= (maps["high"]
                                                                      - maps["low"]) / 255


def test_patches_are_those_that_predict_finds(found, small_run):
    network, pictures, told = found
    whole = held_out.of_run(small_run, network.classes, network.size)
    shown_names = [name for _, name, _ in pictures]
    for layer, number in (("conv1", 5), ("conv2", 3), ("conv3", 119)):
        wanted = feature_plots.strongest_patches(network, whole, layer, number)
        got = [(value, shown_names[index], (row, column))
               for value, index, row, column in told["patches"][layer][number]]
        assert [(name, place) for _, name, place in got] == [(whole.names[index], place)
                                                             for _, index, place in wanted]
        assert [value for value, *_ in got] == pytest.approx([value for value, *_ in wanted],
                                                             rel=1e-5)


def test_the_ten_crops_are_the_networks_own(found):
    network, pictures, told = found
    for (planes, _, _), shown in zip(pictures, told["chosen"]):
        p = network.picture(planes, ten=True)
        assert [value for _, value in shown["mean"]] == pytest.approx(sorted(p, reverse=True)[:5],
                                                                      rel=1e-5)
        assert shown["ten"][4][0][1] == pytest.approx(network.picture(planes).max(), rel=1e-5)
        assert len(shown["ten"]) == 10


def test_photos_are_the_pictures(found):
    network, pictures, told = found
    assert {seen[2] for seen in pictures} == {"Äpfel", "leaves", "sky $5"} and len(pictures) == 21
    assert len({seen[2] for seen in pictures[:trained.CHOSEN]}) == 3
    for (planes, name, label), photo in zip(pictures, told["pictures"]):
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(photo["jpeg"]))), float)
        grey = np.array([0.299, 0.587, 0.114]) @ planes.reshape(3, -1)
        assert image.shape[:2] == planes.shape[1:] and np.abs(image.mean(axis=2).ravel()
                                                              - grey).mean() < 8
        assert (photo["name"], photo["label"]) == (name, label)


# -------------------------------------------------------------------------------------- the command


def _data_of(path):
    return json.loads(re.search(r'id="data">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)[1])


def test_a_run_and_its_weights_alone_give_a_page(small_run, tmp_path, capsys):
    assert main([str(small_run), str(tmp_path / "run.html")]) == 0
    assert len(_data_of(tmp_path / "run.html")["trained"]["pictures"]) == 21
    weights = shutil.copy(small_run / "checkpoint-best.npz", tmp_path / "weights.npz")
    assert main([str(weights), str(tmp_path / "weights.html")]) == 0
    told = _data_of(tmp_path / "weights.html")["trained"]
    assert told["filters"] and told["pictures"] == told["chosen"] == []
    leaves = small_run.parent / "pictures" / "val" / "leaves"
    assert main([str(weights), str(tmp_path / "w.html"), "--pictures", str(leaves)]) == 0
    assert [photo["name"] for photo in _data_of(tmp_path / "w.html")["trained"]["pictures"]] == [
        f"{n:02}.png" for n in range(7)]
    assert capsys.readouterr().err == ""


def test_a_run_whose_pictures_are_gone_shows_its_filters_and_says_so(small_run, tmp_path, capsys):
    moved = shutil.copytree(small_run, tmp_path / "run")
    config = json.loads((moved / "config.json").read_text("utf-8"))
    config["settings"]["data"] = str(tmp_path / "gone")
    (moved / "config.json").write_text(json.dumps(config), "utf-8")
    assert main([str(moved), str(tmp_path / "page.html")]) == 0
    assert "gone, which is no longer there: put it back" in capsys.readouterr().err
    assert _data_of(tmp_path / "page.html")["trained"]["filters"]
    (tmp_path / "empty").mkdir()
    assert main([str(moved), str(tmp_path / "no.html"), "--pictures", str(tmp_path / "empty")]) == 2
    assert not (tmp_path / "no.html").exists()


def test_a_network_of_ones_own_is_a_chain_or_refused(tmp_path, capsys):
    program = tmp_path / "net.py"
    program.write_text("""
from minialex import nn
class Chain(nn.Sequential):
    input_shape = (3, 16, 16)
    def __init__(self, num_classes):
        super().__init__(conv1=nn.Conv2d(3, 4, 3), relu1=nn.ReLU(), flatten=nn.Flatten(), fc=nn.Linear(784, num_classes))
class Fork(nn.Module):
    input_shape = (3, 16, 16)
    def __init__(self, num_classes):
        self.a, self.b = nn.Linear(768, num_classes), nn.Linear(768, num_classes)
        self.flatten = nn.Flatten()
    def forward(self, x):
        x = self.flatten(x)
        return self.a(x) + self.b(x)
""")  # noqa: E501
    assert main([f"{program}:Chain", str(tmp_path / "chain.html")]) == 0
    layers = _data_of(tmp_path / "chain.html")["network"]["layers"]
    assert [layer["name"] for layer in layers] == ["conv1", "relu1", "flatten", "fc"]
    capsys.readouterr()
    assert main([f"{program}:Fork", str(tmp_path / "fork.html")]) == 2
    assert "net.py:Fork is no chain of layers" in capsys.readouterr().err and not (
        tmp_path / "fork.html").exists()


def test_a_network_without_weights_makes_nothing_of_pictures(tmp_path, capsys):
    assert main(["lenet5", str(tmp_path / "page.html"), "--pictures", str(tmp_path)]) == 2
    assert "lenet5 has no weights yet" in capsys.readouterr().err and not (tmp_path
                                                                           / "page.html").exists()


@pytest.mark.long
def test_alexnets_page_has_less_than_8_million_bytes():
    """With pictures of noise, which no JPEG makes small."""
    model = models.alexnet("paper", 10, init="he")
    mean = np.full((3, 256, 256), 128, np.float32)
    network = Classifier(model.eval(), [f"class {n}" for n in range(10)],
                         data.Statistics(mean, 70.0), 1 / 70.0)
    random = np.random.default_rng(0)
    pictures = [(random.integers(0, 256, (3, 256, 256), dtype=np.uint8), f"{n}.jpg", "noise")
                for n in range(60)]
    told = command.of_model(model) | {"trained": trained.facts(network, pictures)}
    assert len(told["trained"]["pictures"]) < 60 and set(told["trained"]["filters"]) == {
        f"conv{n}" for n in range(1, 6)}
    assert len(page.render("explorer", "t", "s", told, "m").encode()) < 8_000_000
