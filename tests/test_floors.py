"""benchmarks/floors.py: operations and bytes by hand, and the command from end to end."""
import json
import subprocess
import sys
from pathlib import Path

import pytest
from short import first

from minialex import models, shapes

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.append(str(BENCHMARKS))

import floors  # noqa: E402

pytestmark = pytest.mark.usefixtures("weights_without_random_numbers")


def works(variant, batch, images=1):
    model = models.build(variant, 1000, 3)
    return model, {(w.layer, w.direction): w
                   for w in floors.step_work(model, batch, lambda *_: images)}


@pytest.mark.parametrize("variant", ["paper", "single-tower", "torchvision"])
@pytest.mark.parametrize("images", first(1, [3, 1]))
def test_the_operations_are_the_summarys(variant, images):
    """Forward, every multiply-accumulate of the network once a picture; backward twice that, but
    for conv1's pictures."""
    model, work = works(variant, 6, images)
    layers = {row.name: row.macs for row in shapes.summary(model).rows}
    for name, macs in layers.items():
        forward, backward = (sum(p.macs for p in work[name, direction].products)
                             for direction in ("forward", "backward"))
        assert forward == pytest.approx(6 * macs)
        assert backward == pytest.approx((6 if name == "conv1" else 12) * macs)


def test_the_shapes_of_conv2s_products():
    """5x5 over 48 channels in each of two towers of 128 kernels, 27x27 places, four pictures at a
    time."""
    _, work = works("paper", 128, 4)
    (forward,) = work["conv2", "forward"].products
    assert (forward.m, forward.k, forward.n, forward.times) == (128, 1200, 4 * 729, 64)
    weights, columns = work["conv2", "backward"].products
    assert (weights.m, weights.k, weights.n, weights.transposed) == (128, 4 * 729, 1200, "b")
    assert (columns.m, columns.k, columns.n, columns.transposed) == (1200, 128, 4 * 729, "a")


def test_bytes_by_hand():
    _, work = works("paper", 128)
    images, conv1, filters = 128 * 3 * 227 * 227, 128 * 96 * 55 * 55, 96 * (3 * 11 * 11 + 1)
    assert work["conv1", "forward"].bytes == 4 * (images + filters + conv1)
    assert work["conv1", "backward"].bytes == 4 * (
        conv1 + images + 2 * filters), "the pictures' gradient is not computed"
    assert work["relu1", "forward"].bytes == 4 * 2 * conv1 and work[
        "relu1", "backward"].bytes == 4 * 3 * conv1
    pool1 = 128 * 96 * 27 * 27
    assert work["pool1", "forward"].bytes == 4 * (conv1 + pool1) + pool1
    assert work["pool1", "backward"].bytes == 4 * (pool1 + conv1) + pool1
    assert work["drop6", "backward"].bytes == 4 * 2 * 128 * 4096, "its mask is drawn again"
    assert work["update", "w + v"].bytes == 5 * 4 * 60_965_224
    assert work["conv1", "forward"].column_bytes == 2 * 4 * 128 * 363 * 3025


def test_the_command():
    command = [sys.executable, str(BENCHMARKS / "floors.py"), "--device", "cpu", "--variant",
               "lenet5", "--batch", "2", "--rounds", "1"]
    said = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout
    result = json.loads(said)
    rows = {(row["layer"], row["direction"]): row for row in result["rows"]}
    layers = [name for name, _ in models.build("lenet5", 10, 1).named_children()]
    assert {(name, direction) for name in layers
            for direction in ("forward", "backward")} <= set(rows)
    for key in ("floor_seconds", "bytes", "macs"):
        assert result["total"][key] == pytest.approx(sum(row[key] for row in rows.values()))
    assert rows["conv1", "forward"]["macs"] == 2 * 117_600
    days = 90 * 1.2e6 / result["images_per_second"] / 86400
    assert result["imagenet_days"]["measured"] == pytest.approx(days)
    text = floors.report(result)
    assert ("five to six days" in text and "total" in text
            and f"{result['images_per_second']:,.1f} images/s" in text)
