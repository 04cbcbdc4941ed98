"""axe-core finds nothing serious in any page that minialex writes, on a laptop and in dark mode on a phone."""
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from driver import Browser, find

import minialex as ma
from minialex import data, models
from minialex.evaluation import classifier, report
from minialex.evaluation.metrics import Scores
from minialex.explore import command, page, trained
from minialex.utils.files import Output

ROOT = Path(__file__).resolve().parents[2]
AXE = os.environ.get("MINIALEX_AXE")
pytestmark = [pytest.mark.skipif(find() is None or not AXE, reason="needs a Chromium, and MINIALEX_AXE to name the file "
                                 "axe.min.js (tests/browser/README.md)")]
PROBLEMS = """axe.run().then(found => found.violations.filter(one => ['serious', 'critical'].includes(one.impact))
    .map(one => one.id + ': ' + one.nodes.map(node => node.target.join(' ')).join(', ')))"""


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


def _explorer(folder):
    random = np.random.default_rng(0)
    model = models.lenet5(10, 3)
    statistics = data.Statistics(np.full((3, 36, 36), 128, np.float32), 60.0)
    network = classifier.Classifier(model.eval(), [f"class {n}" for n in range(10)], statistics, 1 / 60)
    pictures = [(random.integers(0, 256, (3, 36, 36), dtype=np.uint8), f"{n}.png", f"class {n % 10}") for n in range(12)]
    told = command.of_model(model) | {"trained": trained.facts(network, pictures)}
    page.write(Output(folder / "page.html", "explorer"), "explorer", "LeNet-5", "a network", told)
    return folder / "page.html"


def _player(folder):
    class Wrong(ma.Function):
        def forward(self, x):
            return x * x

        def backward(self, grad_output):
            return grad_output

    x = ma.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    with ma.record(x=x) as tape:
        Wrong()(x).sum().backward()
    tape.save(folder / "page.html", ma.gradcheck(Wrong, [x.data]))
    return folder / "page.html"


def _report(folder):
    random = np.random.default_rng(0)

    class Pictures:
        classes, labels = ["cat", "dog"], np.arange(8) % 2

        def __len__(self):
            return 8

        def planes(self, index):
            return random.integers(0, 256, (3, 36, 36), dtype=np.uint8)

    settings = {"variant": "lenet5", "data": None, "subset": "", "lr": 0.1}
    config = {"settings": settings, "classes": Pictures.classes, "train_pictures": 8, "val_pictures": 8, "device": "cpu"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "metrics.csv").write_text("epoch,lr,train_loss,train_top1,val_loss,val_top1,val_top5\n1,0.1,2,0.5,2,0.5,1\n")
    (folder / "timing.csv").write_text("epoch,train_seconds,val_seconds,train_images_per_second\n1,2,1,4\n")
    p = random.random((8, 2)).astype(np.float32)
    scores = Scores(p / p.sum(axis=1, keepdims=True), Pictures.labels, Pictures.classes, list(range(8)))
    return report.write(folder, scores, Pictures(), print)


def _site(folder):
    subprocess.run([sys.executable, "-m", "lessons.site", str(folder / "site")], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder / "site" / "index.html"


@pytest.mark.parametrize("make", [_explorer, _player, _report, _site])
def test_axe_finds_nothing_serious(browser, tmp_path, make):
    path = make(tmp_path)
    for width, dark in ((1280, False), (390, True)):
        view = browser.open(path.as_uri(), width=width, dark=dark)
        view.eval("document.querySelector('#wrong')?.click()")
        view.eval(Path(AXE).read_text(encoding="utf-8") + ";0")
        assert view.eval(PROBLEMS) == []
        assert view.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        view.close()
