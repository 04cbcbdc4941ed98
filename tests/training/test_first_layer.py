"""--first-init and --first-lr: the first convolution starts smaller and learns faster than the
other layers."""

import csv
import json
import signal
from pathlib import Path

import numpy as np
import pytest
from small_runs import Listener

from minialex.errors import UserError
from minialex.training import Interrupted, run
from minialex.training.checkpoint import load
from minialex.training.config import FIRST, check, resolve


def one_step(train, name, **options):
    """(conv1's weights before, {name: weights after}) of a run of one step."""
    path, _ = train(name, epochs=1, batch_size=36, momentum=0.0, **options)
    saved = load(path / "checkpoint-last.npz")
    return saved.first_kernels, saved.weights


def test_one_step_is_that_many_times_as_long(train):
    start, plain = one_step(train, "plain")
    same_start, fast = one_step(train, "fast", first_lr=30)
    np.testing.assert_array_equal(start, same_start)
    np.testing.assert_allclose(fast["conv1.weight"] - start, 30 * (plain["conv1.weight"] - start),
                               rtol=1e-3, atol=1e-6)
    for name in set(plain) - {"conv1.weight"}:
        np.testing.assert_array_equal(fast[name], plain[name], err_msg=name)


def test_it_starts_that_many_times_as_large(train):
    start, _ = one_step(train, "plain")
    small, _ = one_step(train, "small", first_init=0.3)
    np.testing.assert_array_equal(small, start * np.float32(0.3))


@pytest.mark.parametrize("schedule", ["linear", "plateau"])
def test_the_rate_that_is_told_is_the_others(train, schedule):
    rates = []
    for name, factor in (("plain", 1.0), ("fast", 30.0)):
        path, listener = train(name, epochs=3, warmup=2, schedule=schedule, first_lr=factor)
        rates.append([row["lr"] for row in csv.DictReader((path / "metrics.csv").open())])
    assert rates[0] == rates[1]
    assert "lr 0.05 (the first layer's 30 times that)" in " ".join(listener.text.split())


def test_it_goes_on_exactly(train, tmp_path):
    options = {"epochs": 2, "first_lr": 30, "first_init": 0.3, "warmup": 3}
    whole, _ = train("whole", **options)
    stop = [lambda steps: steps == 6 and signal.raise_signal(signal.SIGINT)]
    with pytest.raises(Interrupted):
        train("cut", stop[0], **options)
    run({"resume": str(tmp_path / "cut")}, Listener())
    ours, theirs = (load(path / "checkpoint-last.npz") for path in (whole, tmp_path / "cut"))
    for kind in ("weights", "velocity"):
        for name, array in getattr(ours, kind).items():
            np.testing.assert_array_equal(getattr(theirs, kind)[name], array,
                                          err_msg=f"{kind} {name}")
    assert ours.state["groups"] == theirs.state["groups"] and len(ours.state["groups"]) == 2


def test_a_run_from_before_they_existed_goes_on_as_it_was(train):
    path, _ = train("old", epochs=1, schedule="constant")
    config = json.loads((path / "config.json").read_text())
    assert {config["settings"].pop(name) for name in FIRST} == {1.0}
    (path / "config.json").write_text(json.dumps(config))
    run({"resume": str(path), "epochs": 2}, Listener())
    assert len(load(path / "checkpoint-last.npz").state["groups"]) == 1


@pytest.mark.parametrize("given, used", [
    ({"subset": ""}, True), ({"lr": 0.01}, True), ({"init": "he"}, True),
    ({"variant": "torchvision"}, True), ({"paper": True}, False), ({"pixels": "raw"}, False),
    ({"init": "paper"}, False), ({"init": "weights.npz"}, False), ({"variant": "lenet5"}, False),
    ({"subset": "imagenette"}, False), ({"init": "weights.npz", "freeze": "conv"}, False)])
def test_the_builtin_set_uses_both_where_they_were_found(given, used):
    config = resolve(given, 9_469 if given.get("subset") else 1200, 400)
    assert {name: getattr(config, name) for name in FIRST} == (FIRST if used
                                                               else dict.fromkeys(FIRST, 1.0))


def test_what_the_user_says_wins():
    config = resolve({"pixels": "raw", "first_lr": 2.0}, 1200, 400)
    assert (config.first_lr, config.first_init) == (2.0, 1.0)


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_factors(name, value):
    with pytest.raises(UserError, match=name.replace("_", "-")):
        check({name: value})


def test_the_measured_runs_used_what_is_the_default():
    """Lesson 17 and RESULTS speak of benchmarks/filters.csv as of what `train --subset` does."""
    with (Path(__file__).parents[2] / "benchmarks" / "filters.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["run"] == "builtin"]
    config = resolve({"subset": ""}, 1200, 400)
    assert len(rows) == 3
    assert {(float(row["start"]), float(row["rate"]), int(row["epochs"])) for row in rows} == {
        (config.first_init, config.first_lr, config.epochs)}


def test_the_measured_runs_on_photographs_used_what_is_the_default():
    with (Path(__file__).parents[2] / "benchmarks" / "filters.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["run"] == "caltech20"]
    config = resolve({"data": "caltech20"}, 1200, 400)
    assert len(rows) == 3
    assert {(float(row["start"]), float(row["rate"]), int(row["epochs"])) for row in rows} == {
        (config.first_init, config.first_lr, config.epochs)}
