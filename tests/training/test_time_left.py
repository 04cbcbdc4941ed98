"""How long a run is said to take is how long it takes, on a clock that only moves where the run is
said to spend time."""

import re

import pytest
from small_runs import OPTIONS, Listener

from minialex.training import finetune, loop, run
from minialex.training.callbacks import Checkpoints
from minialex.training.loop import Trainer
from minialex.training.say import DRAWING
from minialex.utils.progress import Progress


class Clock:
    """Seconds that pass: for a picture in training, in validation, in the frozen layers; for a
    save; for the end."""

    def __init__(self, monkeypatch, train, val, frozen, save=0.0):
        self.now, self.frozen = 0.0, frozen
        monkeypatch.setattr(loop.time, "perf_counter", lambda: self.now)
        self._passes(monkeypatch, Trainer, "step",
                     lambda trainer, images, labels: train * len(labels))
        self._passes(monkeypatch, finetune.FeatureLoader, "_compute",
                     lambda loader, view: frozen * len(loader.pictures))
        self._passes(monkeypatch, finetune.FeatureLoader, "sample", lambda loader, count: 0)
        self._passes(monkeypatch, Checkpoints, "save", lambda checkpoints, trainer: save)
        original = Trainer._validate

        def validate(trainer):
            found, count = original(trainer)
            self.now += val * count
            return found, count

        monkeypatch.setattr(Trainer, "_validate", validate)

    def _passes(self, monkeypatch, where, name, seconds):
        original = getattr(where, name)

        def slow(*given):
            found = original(*given)
            self.now += seconds(*given)
            return found

        monkeypatch.setattr(where, name, slow)


class Told(Progress):
    """The lines as a file gets them, with when they were told."""

    def __init__(self, clock):
        super().__init__(terminal=False)
        self.lines, self.clock = [], clock

    def line(self, text=""):
        self.lines.append((self.clock.now, text))


def seconds(text):
    units = {"s": 1, "min": 60, "h": 3600, "days": 86400, "day": 86400}
    return sum(int(number) * units[unit]
               for number, unit in re.findall(r"(\d+) (days?|h|min|s)\b", text))


def first(told, pattern):
    return next((when, re.search(pattern, text)) for when, text in told.lines
                if re.search(pattern, text))


@pytest.fixture
def source(finished):
    return str(finished[0] / "checkpoint-best.npz")


COSTS = [{"train": 3.0, "val": 1.0, "frozen": 0, "save": 2},
         {"train": 0.9, "val": 0.3, "frozen": 20.0, "save": 2}]


@pytest.mark.parametrize("costs", COSTS, ids=["whole", "frozen"])
def test_the_estimate_is_what_it_takes(pictures, tmp_path, monkeypatch, source, costs):
    options = OPTIONS | {"data": str(pictures), "epochs": 8, "out": str(tmp_path / "r"),
                         "save_every": "1000steps"}
    clock = Clock(monkeypatch, **costs)
    frozen = {"init": source, "freeze": "conv"} if costs["frozen"] else {}
    told = Told(clock)
    run(options | frozen, told)
    when, found = first(told, r"about (.*), at the (.*) images/s of the first steps")
    # the report's forward pass, not on this clock
    whole = clock.now - when + DRAWING + 15 * (costs["val"] + costs["frozen"])
    assert seconds(found[1]) == pytest.approx(whole, rel=0.1) and float(found[2]) == pytest.approx(
        1 / costs["train"], abs=0.06)
    for when, text in told.lines:
        row = re.match(r" +\d+/8 .* (\d[^,]*), (\d.*)", text)
        if row:
            whole = clock.now - when + DRAWING + 15 * (costs["val"] + costs["frozen"])
            assert seconds(row[2]) == pytest.approx(whole, rel=0.1, abs=2), text


def test_a_rate_counts_only_the_time_of_what_it_names(pictures, tmp_path, monkeypatch, source):
    """The frozen layers' pass before it, of an hour, does not make training look slow."""
    clock = Clock(monkeypatch, train=40.0, val=0.3, frozen=100.0)
    told = Told(clock)
    path = tmp_path / "r"
    run(OPTIONS | {"data": str(pictures), "epochs": 2, "out": str(path), "init": source,
                   "freeze": "conv"}, told)
    rates = [float(re.search(r"([\d.]+) images/s, (.*) left", text)[1])
             for _, text in told.lines if text.startswith("epoch ")]
    assert rates and all(rate == pytest.approx(1 / 40, abs=0.05) for rate in rates)
    head, row, _ = (path / "timing.csv").read_text().splitlines()
    row = dict(zip(head.split(","), map(float, row.split(","))))
    assert row["train_seconds"] == pytest.approx(32 * 40) and row[
        "feature_seconds"] == pytest.approx(100 * (36 + 15))
    assert row["train_images_per_second"] == pytest.approx(1 / 40, abs=1e-3)


def test_a_dry_run_of_frozen_layers_looks_at_few_pictures(pictures, tmp_path, source, monkeypatch):
    """A whole set may take an hour: its time is said from a few batches."""
    computed = []
    monkeypatch.setattr(finetune.FeatureLoader, "_compute", lambda *given: computed.append(1))
    listener = Listener()
    options = {"data": str(pictures), "out": str(tmp_path / "r"), "init": source, "freeze": "conv",
               "dry_run": True}
    run(OPTIONS | options, listener)
    assert computed == [] and "3 steps made, at" in listener.text
