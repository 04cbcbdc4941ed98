"""The table of a network: its totals against DESIGN's, its rows against running the layers, its
sentences."""
import re

import numpy as np
import pytest

import minialex.functional as F
from minialex import Tensor, layer_table, models, nn, no_grad, shapes
from minialex.cli import summary as command
from minialex.random import random_state

pytestmark = pytest.mark.usefixtures("weights_without_random_numbers")
PARAMETERS = {
    "paper": 60_965_224,
    "caffenet": 60_965_224,
    "caffe": 60_965_224,
    "single-tower": 62_378_344,
    "keras": 50_844_008,
    "torchvision": 61_100_840,
    "krizhevsky": 60_965_224,
    "lenet5": 61_706,
}


@pytest.fixture
def build():
    return lambda name, channels=3: models.build(name, 1000, channels)


@pytest.mark.parametrize("name", sorted(models.VARIANTS))
def test_parameters_of_every_variant(build, name):
    assert shapes.summary(build(name)).totals.parameters == PARAMETERS[name]


def test_parameters_of_the_grey_keras_program_and_of_lenet(build):
    assert shapes.summary(build("keras", channels=1)).totals.parameters == 50_820_776
    assert shapes.summary(models.lenet5()).totals.parameters == PARAMETERS["lenet5"]


def counted_by_loops(towers):
    """One multiplication for each weight of each kernel at each place, layer by layer, as the paper
    describes them."""
    convolutions = [(96, 3, 11, 55, 1), (256, 96, 5, 27, towers)]
    convolutions += [(384, 256, 3, 13, 1), (384, 384, 3, 13, towers), (256, 384, 3, 13, towers)]
    total = 0
    for kernels, channels, kernel, places, groups in convolutions:
        for _ in range(kernels):
            total += places**2 * kernel**2 * (channels // groups)
    return total + 9216 * 4096 + 4096 * 4096 + 4096 * 1000


@pytest.mark.parametrize("name, towers, expected",
                         [("paper", 2, 724_406_816), ("single-tower", 1, 1_135_256_096)])
def test_multiply_accumulates(build, name, towers, expected):
    totals = shapes.summary(build(name)).totals
    assert totals.macs == counted_by_loops(towers) == expected
    assert totals.fully_connected_macs == 58_621_952
    assert totals.fully_connected_parameters == 58_631_168 - 24


def test_shares_of_the_fully_connected_layers(build):
    text = str(shapes.summary(build("paper")))
    assert "60,965,224  96.2% in fully connected layers" in text
    assert "724,406,816  = 724.4 M without biases, 8.1% in fully connected layers" in text


def test_rows_of_the_paper(build):
    rows = {row.name: row for row in shapes.summary(build("paper")).rows}
    conv1, conv2, flatten = rows["conv1"], rows["conv2"], rows["flatten"]
    assert conv1.formula == "(227 - 11 + 2·0)/4 + 1 = 216/4 + 1 = 55"
    assert (conv1.type, conv1.output_shape, conv1.groups) == ("Conv2d", (96, 55, 55), 1)
    assert (conv1.parameters, conv1.macs, conv1.activation_bytes) == (34_944, 105_415_200,
                                                                      4 * 290_400)
    assert (conv2.groups, conv2.parameters) == (2, 307_456)
    assert (flatten.formula, flatten.activation_bytes) == ("256·6·6 = 9216", 0)
    assert rows["norm1"].formula == "n=5 α=0.0001 β=0.75 k=2"


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_the_table_fits_a_terminal_and_notes_every_remainder(build, name):
    result = shapes.summary(build(name, channels=1 if name == "lenet5" else 3))
    lines = str(result).splitlines()
    assert max(map(len, lines)) <= 100
    for row in result.rows:
        assert any(line.startswith(row.name + " ") for line in lines)
    rounded = {"keras": ["conv1", "pool1", "pool2", "pool5"], "torchvision": ["conv1"]}
    assert re.findall(r"^(\w+): \(", str(result), flags=re.MULTILINE) == rounded.get(name, [])


def small_network():
    return nn.Sequential(
        features=nn.Sequential(
            pad=nn.ZeroPad2d(left=1, right=2, top=0, bottom=3),
            conv=nn.Conv2d(2, 4, (3, 5), stride=(2, 1), padding=(1, 0), groups=2),
            relu=nn.ReLU(),
            norm=nn.LocalResponseNorm(groups=2),
            local=nn.MapResponseNorm(),
            pool=nn.MaxPool2d(3, 2, padding=1),
        ),
        mean=nn.AvgPool2d(2),
        head=nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(40, 5, bias=False), nn.Tanh(),
                           nn.Sigmoid()),
    )


def test_shapes_are_those_of_the_arrays_that_the_layers_give():
    model = small_network()
    rows = shapes.summary(model, input_shape=(2, 13, 20)).rows
    x, seen = Tensor(np.zeros((1, 2, 13, 20), dtype=np.float32)), []
    with no_grad():
        for layer in [*model.features, model.mean, *model.head]:
            x = layer(x)
            seen.append(x.shape[1:])
    assert [row.output_shape for row in rows] == seen
    assert [rows[place].name for place in (0, 1, 6, -1)] == ["features.pad", "features.conv",
                                                             "mean", "head.4"]
    assert rows[0].formula == "height 0 + 13 + 3 = 16; width 1 + 20 + 2 = 23"
    assert rows[1].formula.startswith("height (16 - 3 + 2·1)/2 + 1 = 8.5 → 8, "
                                      "the last row is never read, padding only")
    assert rows[1].macs == 8 * 19 * 4 * (1 * 3 * 5)
    assert (rows[9].type, rows[9].parameters, rows[9].macs) == ("Linear", 200, 200)


class Doubled(nn.Module):
    """A student's own layer, of which the table knows nothing."""

    def __init__(self):
        self.scale = nn.Parameter(np.ones(3, dtype=np.float32))

    def forward(self, x):
        return x[:, :, ::2, ::2] * 2


class Renamed(nn.Conv2d):
    """Another name for the same computation."""


class Shy(nn.Conv2d):
    def forward(self, x):
        return super().forward(x).relu() if x.ndim == 3 else super().forward(x)[:, :1]


def test_an_unknown_layer_is_run_on_zeros_and_a_subclass_keeps_its_rule():
    model = nn.Sequential(double=Doubled(), known=Renamed(3, 4, 3), shy=Shy(4, 4, 3))
    result = shapes.summary(model, input_shape=(3, 21, 21))
    double, known, shy = result.rows
    assert (double.output_shape, double.parameters, double.macs) == ((3, 11, 11), 3, None)
    assert known.macs == 9 * 9 * 4 * 27
    assert (shy.output_shape, shy.macs) == ((1, 7, 7), None)
    assert result.totals.macs == known.macs
    assert "double: Doubled is not known here, its multiply-accumulates are not counted" in str(
        result)
    assert [row.name for row in shapes.summary(nn.ReLU(), input_shape=(3, 4, 4)).rows] == ["ReLU"]


class Noisy(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.5, self.training)


def test_running_a_layer_draws_no_random_numbers_and_leaves_its_mode():
    model = nn.Sequential(noisy=Noisy())
    before = random_state()
    shapes.summary(model, input_shape=(3, 4, 4))
    assert random_state() == before and model.noisy.training


def test_only_modules_have_a_summary():
    with pytest.raises(TypeError, match="summary needs a network, "
                       "a nn.Module such as models.alexnet.., got a str"):
        shapes.summary("paper")


class Picky(nn.Module):
    def forward(self, x):
        raise ValueError("only on Sundays")


@pytest.mark.parametrize(
    "layers, shape, sentence",
    [
        ({"conv": nn.Conv2d(3, 8, 3)}, (1, 9, 9),
         "conv expects 3 channels but gets 1 from a picture of 1×9×9: no square"),
        ({"conv": nn.Conv2d(3, 8, 3)}, (3, 2, 9),
         "conv slides a window of 3×3 but gets only 2×9 values"),
        ({"conv": nn.Conv2d(3, 8, 3)}, (27,), "conv slides a window over maps (C, H, "
         "W) but gets 27 from a picture of 27: in"),
        ({"conv": nn.Conv2d(3, 8, 3)}, (1, 3, 9, 9),
         "is one picture, (channels, height, width), without the batch."),
        ({"pool": nn.MaxPool2d(5, 2)}, (3, 4, 4), "square pictures of 5 to 1024 pixels fit, 5, 7, "
         "9, 11, 13, 15 and more"),
        ({"fc": nn.Linear(27, 5)}, (3, 3, 3), "fc needs nn.Flatten() before it: "
         "it expects 27 numbers but gets 3×3×3"),
        ({"a": nn.Flatten(), "fc": nn.Linear(27, 5), "fc2": nn.Linear(4, 1)}, (3, 3, 3),
         "fc2 expects 4 inputs but gets 5"),
        ({"a": nn.Flatten(), "fc": nn.Linear(28, 5)}, (3, 3, 3),
         "fc expects 28 inputs but gets 3·3·3 = 27"),
        ({"mine": Picky()}, (3, 3, 3),
         "mine (Picky) stops with “only on Sundays” when it gets 3×3×3 zeros"),
    ],
)
def test_a_misfit_names_the_layer(layers, shape, sentence):
    with pytest.raises(ValueError) as caught:
        shapes.summary(nn.Sequential(**layers), input_shape=shape)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["paper", "keras", "torchvision", "krizhevsky", "lenet5"])
def test_the_sizes_that_the_error_proposes_are_those_that_work(build, name, monkeypatch):
    model = build(name, channels=1 if name == "lenet5" else 3)
    channels = model.input_shape[0]
    with pytest.raises(ValueError) as caught:
        shapes.summary(model, (channels, 20, 20))
    # the search, which is slow, has been asked once
    monkeypatch.setattr(layer_table, "_what_fits", lambda *anything: "")
    working, whole = [], []
    for size in range(1, 300):
        try:
            rows = shapes.summary(model, (channels, size, size)).rows
        except ValueError:
            continue
        working.append(size)
        whole += [] if any("never read" in row.formula for row in rows) else [size]
    assert working == list(range(working[0], working[-1] + 1)) and len(whole) == 1
    proposal = (f"square pictures of {working[0]} to {working[-1]} pixels fit, "
                f"{whole[0]} without a remainder anywhere.")
    assert str(caught.value).endswith(proposal)


def test_the_paper_with_its_own_224(build):
    with pytest.raises(ValueError) as caught:
        shapes.summary(build("paper"), input_shape=(3, 224, 224))
    assert str(caught.value) == (
        "fc6 expects 9216 = 256·6·6 inputs but gets 256·5·5 = 6400 from a picture of 3×224×224: "
        "square pictures of 227 to 258 pixels fit, 227 without a remainder anywhere."
    )


# -------------------------------------------------------------------------------------- the command


def run(capsys, *arguments):
    try:
        status = command.main([str(argument) for argument in arguments])
    except SystemExit as leaving:
        status = leaving.code
    return status, *capsys.readouterr()


def test_the_command_prints_the_table(capsys):
    status, out, err = run(capsys)
    assert (status, err) == (0, "")
    assert ("conv1    Conv2d             (227-11+2·0)/4+1 = 55     96×55×55              34,944  "
            "105.4 M  1,134" in out)
    assert "paper, one picture of 3×227×227" in out
    status, out, err = run(capsys, "keras", "--channels", 1)
    assert "50,820,776" in out and "one picture of 1×224×224" in out
    status, out, err = run(capsys, "lenet5", "--classes", 10)
    assert "61,706" in out and "one picture of 1×32×32" in out
    status, out, err = run(capsys, "paper", "--input", 258, "--classes", 7)
    assert (status == 0 and "4096 → 7" in out and "conv1: (258 - 11 + 2·0)/4 + 1 = 62.75 → 62, "
            "the last 3 columns" in out)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["vgg"], "unknown variant 'vgg': choose one of paper, caffenet, caffe, single-tower, "
         "keras, torchvision, kri"),
        (["--input", 224], "square pictures of 227 to 258 pixels fit"),
        (["--input", 5], "conv1 slides a window of 11×11 but gets only 5×5 values"),
        (["--input", 0], "argument --input: '0' is no whole number of at least 1"),
        (["--input", -3], "'-3' is no whole number"),
        (["--input", "big"], "'big' is no whole number"),
        (["--classes", "1.5"], "argument --classes: '1.5' is no whole number"),
        (["--channels", 0], "argument --channels: '0'"),
        (["--size", 224], "unrecognized arguments: --size"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(capsys, arguments, sentence):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert sentence in err and err.count("\n") == 1


def test_help_lists_the_variants(capsys):
    status, out, _ = run(capsys, "--help")
    assert status == 0
    for name in PARAMETERS:
        assert f"  {name} " in out
