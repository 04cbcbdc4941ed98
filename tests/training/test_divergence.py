"""Divergence names its layer; a suspicious first loss is explained."""

import math

import numpy as np
import pytest

from minialex import models, nn
from minialex.anomaly import explain, first_broken_parameter
from minialex.cli import train as command
from minialex.training import Diverged
from minialex.training.callbacks import about_first_loss
from minialex.training.checkpoint import load


@pytest.mark.parametrize("loss, classes, warns", [
    (math.log(10), 10, False),
    (3.7, 10, False),  # ln 10 + 1.4
    (4.0, 10, True),
    (8.0, 1000, False),
    (12.9, 1000, True),  # He's initialisation in the last layer too, measured
    (80.0, 1000, True),
    (1.0, 10, True),
    (0.5, 2, False),
])
def test_warning_about_the_first_loss(loss, classes, warns):
    warning = about_first_loss(loss, classes)
    assert (warning is not None) == warns
    if warns:
        assert f"ln {classes} = {math.log(classes):.2f}" in warning and f"{loss:.2f}" in warning


def test_a_network_that_has_learnt_before_may_start_well():
    assert about_first_loss(0.1, 10, pretrained=True) is None


def test_the_layer_with_broken_weights_is_named():
    model = models.lenet5(3)
    model.conv3.weight.data[0, 0, 0, 0] = np.inf
    assert first_broken_parameter(model) == "conv3.weight"
    said = explain(model, np.zeros((2, 1, 32, 32), np.float32), np.zeros(2, int))
    assert "layer conv3 is the first" in said


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_the_layer_that_overflows_is_named():
    model = models.lenet5(3)
    model.fc4.weight.data[...] = 0
    model.fc4.bias.data[...] = 1
    model.fc5.weight.data[...] = 3e38
    said = explain(model, np.ones((2, 1, 32, 32), np.float32), np.zeros(2, int))
    assert "layer fc5, op Linear, forward" in said


def test_a_run_that_diverges_stops_with_status_1(pictures, tmp_path, capsys):
    options = ["--data", str(pictures), "--variant", "lenet5", "--batch-size", "8", "--out",
               str(tmp_path / "run")]
    assert command.main([*options, "--lr", "1e30", "--pixels", "raw"]) == 1
    said = capsys.readouterr().err
    assert "the loss is no longer finite: layer " in said and "(--lr)" in said and said.count(
        "\n") == 1


def test_the_checkpoint_of_the_last_good_epoch_is_kept(train, tmp_path, monkeypatch):
    made, original = [], models.build

    def build(*arguments):
        made.append(original(*arguments))
        return made[-1]

    def break_conv1(steps):
        if steps == 6:  # the second step of the second epoch
            made[0].conv1.weight.data[0] = np.nan

    monkeypatch.setattr(models, "build", build)
    # On the CPU every step's loss is looked at, on a GPU (--device cuda) only now and then: here
    # after the epoch's fourth step.
    with pytest.raises(Diverged, match="epoch 2, step [35]: "
                       ".*layer conv1 .* has the network after epoch 1"):
        train("late", break_conv1, epochs=5)
    weights, *_, state, _ = load(tmp_path / "late" / "checkpoint-last.npz")
    assert state["epoch"] == 1 and all(np.isfinite(array).all() for array in weights.values())


def test_weights_that_break_in_the_last_step_of_an_epoch_are_not_saved(train, tmp_path,
                                                                       monkeypatch):
    """Validation would call them good: no output depends on the broken number."""
    made, original = [], models.build

    def build(*arguments):
        made.append(original(*arguments))
        made[-1].tanh4.spare = nn.Linear(1, 1)
        return made[-1]

    def break_spare(steps):
        if steps == 8:
            made[0].tanh4.spare.weight.data[...] = np.inf

    monkeypatch.setattr(models, "build", build)
    with pytest.raises(Diverged, match="layer tanh4.spare is the first"):
        train("unseen", break_spare, epochs=5)
    assert load(tmp_path / "unseen" / "checkpoint-last.npz")[3]["epoch"] == 1
