"""The explorer in a browser: its numbers are those of shapes, a keyboard is enough, and nothing is
asked of any network."""
import numpy as np
import pytest
from driver import Browser, find

from minialex import data, models, nn, shapes
from minialex.evaluation.classifier import Classifier
from minialex.explore import command, page, trained
from minialex.utils.files import Output

pytestmark = [pytest.mark.skipif(find() is None, reason="needs a Chromium")]


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """A maker of pages, of networks with whatever weights."""
    monkeypatch.setattr(models, "initialise", lambda model, how: model)
    monkeypatch.setattr(nn, "_uniform", lambda shape, fan_in: np.zeros(shape, np.float32))

    def make(name):
        path = tmp_path / f"{name}.html"
        page.write(Output(path, "explorer"), "explorer", name, "", command.of_variant(name))
        return path.as_uri()

    return make


EVERY_LAYER = """[...document.querySelectorAll('#layers input')].map(input => {
    input.click();
    const terms = [...document.querySelectorAll('#facts dt')].map(term => [term.innerText, term.nextElementSibling.innerText]);
    const rows = [...document.querySelectorAll('#table tbody tr')].map(row => [...row.children].map(cell => cell.innerText));
    return {title: document.querySelector('#layer-title').innerText, formula: document.querySelector('#formula').innerText,
            facts: Object.fromEntries(terms), live: document.querySelector('#arithmetic-formula').innerText,
            unit: document.querySelector('#unit-words').innerText, rows}; })"""  # noqa: E501


@pytest.mark.parametrize("name", command.NETWORKS)
def test_every_number_is_the_one_that_shapes_computes(browser, pages, name):
    view = browser.open(pages(name))
    told = view.eval(EVERY_LAYER)
    model = models.build(name, 10 if name == "lenet5" else 1000, 1 if name == "lenet5" else 3)
    summary, layers, before = shapes.summary(model), dict(model.named_children()), model.input_shape
    for number, (row, seen) in enumerate(zip(summary.rows, told, strict=True)):
        layer, facts = layers[row.name], seen["facts"]
        assert seen["title"] == f"{row.name}, {row.type}" and seen["formula"] == (
            row.formula or "every value by itself")
        assert facts["input"] == "×".join(map(str, before)) and facts["output"] == "×".join(
            map(str, row.output_shape))
        sizes = [weights.shape for weights in layer.parameters()]
        parameters = " + ".join("·".join(map(str, shape)) for shape in sizes)
        count = sum(int(np.prod(shape)) for shape in sizes)
        assert facts["parameters"] == (f"{parameters} = {count:,}" if sizes
                                       else "none") and count == row.parameters
        assert facts["multiply–accumulates"].endswith(f"= {row.macs:,}" if row.macs else "none")
        assert facts["memory for a picture"].startswith(
            f"{4 * int(np.prod(row.output_shape)):,} bytes" if row.type != "Flatten" else "none")
        if hasattr(layer, "kernel_size"):
            assert seen["live"] == seen["formula"]
            lost = shapes.columns_never_read(before[2], layer.kernel_size[1], layer.stride[1],
                                             layer.padding[1])
            assert facts["never read of its input"].endswith(
                "nothing over" if not lost else f"column {lost[0]}" if len(lost) == 1
                else f"columns {lost[0]} to {lost[-1]}")
        expected = [row.name, row.type, row.formula, "×".join(map(str, row.output_shape)),
                    f"{row.groups:,}", f"{row.parameters:,}", f"{row.macs:,}",
                    f"{row.activation_bytes:,}"]
        assert seen["rows"][number] == expected
        before = row.output_shape
    assert told[0]["rows"][-1][-3:] == [f"{summary.totals.parameters:,}",
                                        f"{summary.totals.macs:,}",
                                        f"{summary.totals.activation_bytes:,}"]
    assert view.eval("performance.getEntriesByType('resource').length") == 0
    assert browser.strangers == [] and browser.log == []
    view.close()


def test_a_keyboard_is_enough(browser, pages):
    view = browser.open(pages("paper"))
    view.press("Tab", "Tab", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    assert view.text("#layer-title") == "conv2, Conv2d"
    view.press("Tab", "Home", "Tab", "Home", "Tab", "End")  # row, column, channel
    assert view.text("#unit-words").startswith("Channel 255 of conv2, in tower 2 of 2, "
                                               "is fed by channels 48 to 95 of pool1. "
                                               "The unit in row 0, column 0 sees rows 0 to 34 and "
                                               "columns 0 to 34 of the picture, 1,225 of")
    view.press("Tab", "Tab", "Enter")  # the second button: 224
    assert view.text("#arithmetic-formula") == shapes.explain(224, 11, 4)
    assert "column 223 never read (striped)" in view.text("#strip-words")
    view.press("Tab", "Tab", "ArrowRight", "ArrowRight", "ArrowRight")  # the size
    assert view.text("#arithmetic-formula") == shapes.explain(
        227, 11, 4) and "every column read" in view.text("#strip-words")
    view.close()


def test_a_unit_is_pointed_at(browser, pages):
    view = browser.open(pages("lenet5"))
    view.click("#map")
    middle = view.text("#unit-words")
    assert "The unit in row 14, column 14 sees rows 14 to 18" in middle
    view.close()


def test_what_a_network_has_learnt_is_shown_with_the_engines_numbers(browser, tmp_path):
    random = np.random.default_rng(0)
    model = models.lenet5(10, 3)
    statistics = data.Statistics(np.full((3, 36, 36), 128, np.float32), 60.0)
    network = Classifier(model.eval(), [f"class {n}" for n in range(10)], statistics, 1 / 60)
    pictures = [(random.integers(0, 256, (3, 36, 36), dtype=np.uint8), f"{n}.png",
                 f"class {n % 10}") for n in range(12)]
    told = command.of_model(model) | {"trained": trained.facts(network, pictures)}
    path = tmp_path / "trained.html"
    page.write(Output(path, "explorer"), "explorer", "t", "", told)
    view = browser.open(path.as_uri())
    view.eval("document.querySelector('#photo-2').click()")
    view.eval("document.querySelector('#layer-3').click()")  # conv2
    view.press("Tab")
    view.eval("document.querySelector('#unit-sliders-channel').focus()")
    view.press("Home", "ArrowRight", "ArrowRight", "ArrowRight")
    low, high = model.conv2.weight.data[3].min(), model.conv2.weight.data[3].max()
    assert ("Filter 3 of conv2: its 6 kernels of 5×5, "
            f"weights from {low:.6g} to {high:.6g}." in view.text("#filters-words"))
    maps = told["trained"]["chosen"][2]["maps"]["conv2"]
    tiles = view.eval("[...document.querySelectorAll('#maps-tiles "
                      "li')].map(tile => tile.innerText.split('\\n').filter(Boolean))")
    assert tiles == [[f"channel {c}", f"most: {_plain(most)}"]
                     for c, (most, *_) in zip(maps["channels"], maps["largest"])]
    view.wait("document.querySelectorAll('#patches-tiles li').length == 9")
    strongest = _plain(told["trained"]["patches"]["conv2"][3][0][0])
    view.wait(f"document.querySelector('#patches-tiles li').innerText.startsWith('{strongest}')")
    p = network.picture(pictures[2][0], ten=True)
    top = sorted(range(10), key=lambda k: -p[k])[:5]
    assert view.text("#crops-words") == "The mean: " + ", ".join(f"class {k} {100 * p[k]:.1f} %"
                                                                 for k in top) + "."
    assert view.eval("document.querySelectorAll('#crops-table tbody tr').length") == 11
    view.click("#maps-tiles button")
    channel, (_, row, column) = maps["channels"][0], maps["largest"][0]
    words = view.text("#unit-words")
    assert f"Channel {channel} of conv2 is fed" in words and f"row {row}, column {column}" in words
    assert (view.eval(
        "performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).length")
            == 0)
    assert browser.strangers == [] and browser.log == []
    view.close()


def _plain(number):
    """As JavaScript writes it."""
    return f"{number:.6g}"
