"""axe-core finds nothing serious in any page that minialex writes, on a laptop and in dark mode on
a phone."""
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from driver import Browser, Server, find
from pages import AXE, serious
from short import first, some

import minialex as ma
from minialex import data, models
from minialex.evaluation import classifier, report
from minialex.evaluation.metrics import Scores
from minialex.explore import command, page, trained
from minialex.utils.files import Output

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("[0-9][0-9]_*.py"))
pytestmark = [pytest.mark.skipif(find() is None or not AXE.exists(), reason="needs a Chromium, "
                                 "and axe-core: npm ci in lessons/site/web, "
                                 "or MINIALEX_AXE to name its axe.min.js")]
LOOKS = [(1280, False), (390, True), (1280, True), (390, False)]


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


def _explorer(folder):
    random = np.random.default_rng(0)
    model = models.lenet5(10, 3)
    statistics = data.Statistics(np.full((3, 36, 36), 128, np.float32), 60.0)
    network = classifier.Classifier(model.eval(), [f"class {n}" for n in range(10)], statistics,
                                    1 / 60)
    pictures = [(random.integers(0, 256, (3, 36, 36), dtype=np.uint8), f"{n}.png",
                 f"class {n % 10}") for n in range(12)]
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
    config = {"settings": settings, "classes": Pictures.classes, "train_pictures": 8,
              "val_pictures": 8, "device": "cpu"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "metrics.csv").write_text(
        "epoch,lr,train_loss,train_top1,val_loss,val_top1,val_top5\n1,0.1,2,0.5,2,0.5,1\n")
    (folder / "timing.csv").write_text(
        "epoch,train_seconds,val_seconds,train_images_per_second\n1,2,1,4\n")
    p = random.random((8, 2)).astype(np.float32)
    scores = Scores(p / p.sum(axis=1, keepdims=True), Pictures.labels, Pictures.classes,
                    list(range(8)))
    return report.write(folder, scores, Pictures(), print)


@pytest.mark.parametrize("make", [_explorer, _player, _report])
def test_axe_finds_nothing_serious(browser, tmp_path, make):
    path = make(tmp_path)
    for width, dark in LOOKS[:2]:
        view = browser.open(path.as_uri(), width=width, dark=dark)
        view.eval("document.querySelector('#wrong')?.click()")
        assert serious(view) == []
        view.close()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The site without Python: its pages are looked at as they are read."""
    folder = tmp_path_factory.mktemp("site") / "course"
    subprocess.run([sys.executable, "-m", "lessons.site", str(folder)], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    with Server(folder) as server:
        yield server.url


@pytest.mark.parametrize("name", first(6, ["index", "words", *LESSONS]))
def test_axe_finds_nothing_serious_in_the_course(browser, course, name):
    """Every page; of its four looks, of small and large, light and dark, one by one, and with --all
    each."""
    number = ["index", "words", *LESSONS].index(name)
    view = browser.open(f"{course}assets/icon.svg")
    view.call("Network.enable")
    view.call("Network.setBlockedURLs", urls=["*/worker.js", "*/sw.js*"])
    for width, dark in some(1, LOOKS[number % 4:] + LOOKS[:number % 4]):
        view.resize(width, 900, dark)
        view.goto(f"{course}{name}.html")
        if name in LESSONS:
            view.wait("document.querySelectorAll('.cm-editor').length > 3")
            view.eval(
                "document.querySelectorAll('details').forEach(details => details.open = true)")
        assert serious(view) == []
    view.close()
