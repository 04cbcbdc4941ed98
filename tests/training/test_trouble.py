"""Divergence names its layer; a suspicious first loss is explained."""

import math

import numpy as np
import pytest

from minialex import models
from minialex import train as command
from minialex.training import Diverged
from minialex.training.checkpoint import load
from minialex.training.trouble import about_first_loss, explain_divergence, first_broken_parameter


@pytest.mark.parametrize("loss, classes, warns", [
    (math.log(10), 10, False),
    (5.9, 10, False),  # He's initialisation, the paper's network, ten classes, measured
    (12.9, 1000, False),  # the same, 1000 classes
    (13.4, 10, True),
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
    said = explain_divergence(model, np.zeros((2, 1, 32, 32), np.float32), np.zeros(2, int), 0.1)
    assert "layer conv3 is the first" in said and "--lr" in said


def test_the_layer_that_overflows_is_named():
    model = models.lenet5(3)
    model.fc4.weight.data[...] = 0
    model.fc4.bias.data[...] = 1
    model.fc5.weight.data[...] = 3e38
    said = explain_divergence(model, np.ones((2, 1, 32, 32), np.float32), np.zeros(2, int), 0.1)
    assert "layer fc5, op Linear, forward" in said


def test_a_run_that_diverges_stops_with_status_1_and_keeps_the_last_good_epoch(pictures, tmp_path, capsys, train):
    options = ["--data", str(pictures), "--variant", "lenet5", "--batch-size", "8", "--epochs", "5", "--out", str(tmp_path / "run")]
    assert command.main([*options, "--lr", "1e30", "--pixels", "raw"]) == 1
    said = capsys.readouterr().err
    assert "the loss is no longer finite" in said and "layer " in said and said.count("\n") == 1

    def explode(done):
        if done == 6:
            trainer_model[0].conv1.weight.data[0] = np.nan

    trainer_model = []
    original = models.build

    def build(*arguments):
        trainer_model.append(original(*arguments))
        return trainer_model[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "build", build)
        with pytest.raises(Diverged, match="epoch 2, step 3: .*layer conv1"):
            train("late", explode, epochs=5)
    weights, *_, state = load(tmp_path / "late" / "checkpoint-last.npz")
    assert state["epoch"] == 1 and all(np.isfinite(array).all() for array in weights.values())
