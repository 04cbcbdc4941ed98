"""What the explorer says of a network is what shapes and the engine say."""
import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from short import first

import minialex as ma
from minialex import models, nn, shapes
from minialex.cli.explore import main
from minialex.errors import UserError
from minialex.explore import command, network, page

HERE = Path(page.__file__).parent
NODE, TSC = shutil.which("node"), shutil.which("tsc")


@pytest.fixture
def undrawn(monkeypatch):
    """Networks with whatever weights: nothing here depends on them."""
    monkeypatch.setattr(models, "initialise", lambda model, how: model)
    monkeypatch.setattr(nn, "_uniform", lambda shape, fan_in: np.zeros(shape, np.float32))


def test_every_row_is_the_row_of_the_summary(undrawn):
    for name in command.NETWORKS:
        model = models.build(name, 10, 1 if name == "lenet5" else 3)
        summary, found = shapes.summary(model), command.of_model(model)["network"]
        assert found["totals"] == summary.totals._asdict() and found["name"] == name
        for row, layer in zip(summary.rows, found["layers"], strict=True):
            told = {key: layer[key]
                    for key in ("name", "type", "formula", "groups", "parameters", "macs", "bytes")}
            assert told == {"name": row.name, "type": row.type, "formula": row.formula,
                            "groups": row.groups, "parameters": row.parameters, "macs": row.macs,
                            "bytes": row.activation_bytes}
            assert tuple(layer["output"]) == tuple(row.output_shape)
            for formula, number in ((layer["parameterFormula"], row.parameters),
                                    (layer["macFormula"], row.macs)):
                assert formula == "none" and not number or _value(formula) == (number, number)


def _value(formula):
    """Both sides of '96·3·11·11 + 96 = 34,944'."""
    left, right = re.sub(r"places|weights|,", "", formula).split(" = ")
    return eval(left.replace("·", "*")), int(right)


@pytest.mark.parametrize("name, layer", first(
    3, [("lenet5", "pool2"), ("krizhevsky", "pool2"), ("keras", "conv2"), ("paper", "pool5"),
        ("krizhevsky", "conv5"), ("torchvision", "pool5"), ("caffenet", "pool2")]))
def test_a_units_field_is_where_its_gradient_is_not_zero(name, layer):
    """Every path carries a positive number, so that nothing cancels: weights 1, values positive, no
    layer that dims others to nothing."""
    model = models.build(name, 2, 1 if name == "lenet5" else 3)
    found = next(entry for entry in network.facts(model)["layers"] if entry["name"] == layer)
    trunk = nn.Sequential(
        **dict(model.named_children()[:[n for n, _ in model.named_children()].index(layer) + 1]))
    for _, part in trunk.named_modules():
        if isinstance(part, nn.Conv2d):
            part.weight.data[...] = 1 / part.weight.data[0].size
            part.bias.data[...] = 0
    trunk = nn.Sequential(*(nn.AvgPool2d(part.kernel_size, part.stride)
                            if isinstance(part, nn.MaxPool2d) else part
                            for part in trunk))  # of a maximum only the winner would be seen
    x = ma.Tensor(np.random.default_rng(0).random((1, *model.input_shape), dtype=np.float32) + 0.5,
                  requires_grad=True)
    out = trunk(x)
    height, width = out.shape[2:]
    for row, column in ((0, 0), (height // 2, width // 3), (height - 1, width - 1)):
        seed = np.zeros(out.shape, np.float32)
        seed[0, 0, row, column] = 1
        x.grad = None
        trunk(x).backward(seed)
        reached = np.abs(x.grad[0]).sum(axis=0) > 0
        for side, index, across in ((0, row, reached.any(axis=1)),
                                    (1, column, reached.any(axis=0))):
            start = found["sight"]["start"][side] + index * found["sight"]["step"][side]
            places, span = np.flatnonzero(across), found["sight"]["spans"][side][index]
            assert (places[0], places[-1]) == span
            assert start <= span[0] and span[1] < start + found["sight"]["size"][side]
        if (row, column) == (height - 1, width - 1):
            assert [len(reached) - 1 - np.flatnonzero(reached.any(axis=1))[-1], reached.shape[1] - 1
                    - np.flatnonzero(reached.any(axis=0))[-1]] == found["unseen"]


def test_what_no_unit_sees_and_what_is_never_read(undrawn):
    layers = {layer["name"]: layer for layer in network.facts(models.alexnet("keras"))["layers"]}
    assert layers["conv1"]["lost"] == [[223], [223]] and layers["conv1"]["unseen"] == [1, 1]
    # what pool1 left over is gone for good
    assert layers["conv2"]["lost"] == [[], []] and layers["conv2"]["unseen"] == [5, 5]
    assert all(not any(layer["unseen"] or [])
               for layer in network.facts(models.alexnet("paper"))["layers"])


def test_a_network_that_is_no_chain_is_refused():
    class Fork(nn.Module):
        input_shape = (3, 8, 8)

        def __init__(self):
            self.left, self.right = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return self.left(x) + self.right(x)

    with pytest.raises(UserError, match="Fork is no chain of layers"):
        network.facts(Fork())
    inside = nn.Sequential(conv=nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()),
                           flatten=nn.Flatten())
    assert [layer["name"] for layer in network.facts(inside, (3, 8, 8))["layers"]] == ["conv.0",
                                                                                       "conv.1",
                                                                                       "flatten"]


# ----------------------------------------------------------------------------------------- the page


def test_whatever_the_data_holds_stays_data():
    text = page.render("explorer", "</title><b>", "a & b", {"class": "</script><script>alert(1)"},
                       "mark")
    held = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert json.loads(held[1]) == {"class": "</script><script>alert(1)"} and "<b>" not in text
    assert "default-src 'none'" in text and not re.search(r"https?://(?!www\.w3\.org)", text)


def test_a_script_is_whole():
    text = page.script("explorer")
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)
    assert text.index("const element") if "const element" in text else text.index(
        "function element") < text.index("showLayer();")


def test_the_command_writes_a_page_and_spares_what_is_not_its_own(tmp_path, capsys, undrawn):
    mine = tmp_path / "page.html"
    assert main(["lenet5", str(mine)]) == 0
    assert "61,706 parameters" in capsys.readouterr().out and b"61,706" in mine.read_bytes()
    assert main(["lenet5", str(mine)]) == 0
    mine.write_text("a student's own")
    assert main(["lenet5", str(mine)]) == 2 and mine.read_text() == "a student's own"
    assert "page.html is there already" in capsys.readouterr().err
    assert main(["papre", str(tmp_path / "b.html")]) == 2
    assert "weights or network papre: give" in capsys.readouterr().err


# -------------------------------------------------------------------------- the sliders' arithmetic


@pytest.mark.skipif(NODE is None,
                    reason="needs Node.js, which runs the page's arithmetic without a browser")
def test_the_sliders_count_as_shapes_does(tmp_path):
    grid = [numbers for numbers in itertools.product(range(1, 41), (1, 2, 3, 5, 11),
                                                     (1, 2, 3, 4, 7), (0, 1, 2, 5))]
    grid += [(size, 11, 4, padding) for size in (223, 224, 225, 226, 227, 228)
             for padding in range(5)]
    program = tmp_path / "ask.mjs"
    program.write_text(f"""
        import * as a from {json.dumps((HERE / "arithmetic.js").as_uri())};
        import fs from "node:fs";
        const grid = JSON.parse(fs.readFileSync(0, "utf8"));
        const one = (n) => [a.outputSize(...n), a.explain(...n), a.windowStarts(...n), a.columnsNeverRead(...n)];
        console.log(JSON.stringify(grid.map(one)));""")  # noqa: E501
    done = subprocess.run([NODE, program], input=json.dumps(grid), capture_output=True, text=True,
                          check=True)
    for numbers, told in zip(grid, json.loads(done.stdout), strict=True):
        try:
            wanted = [shapes.conv_output_size(*numbers), shapes.explain(*numbers),
                      list(shapes.window_starts(*numbers)), shapes.columns_never_read(*numbers)]
        except ValueError as problem:
            told, wanted = told[:2], [0, str(problem)]
        assert told == wanted, numbers


@pytest.mark.skipif(NODE is None,
                    reason="needs Node.js, which runs the page's arithmetic without a browser")
def test_who_feeds_a_channel_is_where_its_gradient_goes(tmp_path):
    makers = {"groups": nn.Conv2d(8, 12, 1, groups=2), "all": nn.Conv2d(8, 12, 1),
              "own": nn.MaxPool2d(1), "window": nn.LocalResponseNorm(5),
              "even": nn.LocalResponseNorm(4), "towers": nn.LocalResponseNorm(5, groups=2)}
    for name, layer in makers.items():
        model = nn.Sequential(layer)
        feeds = network.facts(model, (8, 3, 3))["layers"][0]["feeds"]
        program = tmp_path / f"{name}.mjs"
        program.write_text(f"""
            import {{ fedBy }} from {json.dumps((HERE / "arithmetic.js").as_uri())};
            const feeds = {json.dumps(feeds)};
            console.log(JSON.stringify(Array.from({{length: feeds.out}}, (_, channel) => fedBy(feeds, channel))));""")  # noqa: E501
        told = json.loads(subprocess.run([NODE, program], capture_output=True, text=True,
                                         check=True).stdout)
        for channel, (start, end) in enumerate(told):
            x = ma.Tensor(np.random.default_rng(1).random((1, 8, 3, 3), dtype=np.float32) + 1,
                          requires_grad=True)
            seed = np.zeros(model(x).shape)
            seed[0, channel, 1, 1] = 1
            model(x).backward(seed)
            reached = np.flatnonzero(np.abs(x.grad[0, :, 1, 1]) > 0)
            assert (reached[0], reached[-1]) == (start,
                                                 end) and len(reached) == end - start + 1, (name,
                                                                                            channel)


@pytest.mark.skipif(TSC is None, reason="needs TypeScript's tsc: npm install -g typescript")
def test_the_types_of_the_scripts_hold():
    done = subprocess.run([TSC, "--project", HERE / "jsconfig.json"], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout


def test_a_sequential_with_a_forward_of_its_own_is_no_chain():
    class Twice(nn.Sequential):
        def forward(self, x):
            return super().forward(super().forward(x))

    for model in (Twice(conv1=nn.Conv2d(3, 3, 3, padding=1)),
                  nn.Sequential(inner=Twice(conv1=nn.Conv2d(3, 3, 3, padding=1)))):
        with pytest.raises(UserError, match="is no chain of layers"):
            network.facts(model, (3, 8, 8))
