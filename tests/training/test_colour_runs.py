"""--colour: on with --paper, part of a run's settings, and drawn again exactly when a run goes
on."""

import signal

import numpy as np
import pytest
from small_runs import Listener

from minialex import models, nn
from minialex.errors import UserError
from minialex.training import Interrupted, run
from minialex.training.checkpoint import load
from minialex.training.config import Config, resolve


@pytest.mark.parametrize("given, colour",
                         [({"paper": True}, 0.1), ({}, 0.0), ({"colour": 0.3}, 0.3),
                          ({"paper": True, "colour": 0.0}, 0.0),
                          ({"paper": True, "variant": "lenet5"}, 0.0),
                          ({"variant": "lenet5", "colour": 0.2}, 0.2)])
def test_on_for_the_papers_recipe_and_when_asked_for(given, colour):
    assert resolve({"data": "x"} | given, 1000, 100).colour == colour


def test_a_set_as_large_as_the_papers_is_shifted_too():
    assert resolve({"data": "x"}, 1_200_000, 50_000).colour == 0.1


@pytest.fixture
def in_colour(monkeypatch):
    """LeNet-5 on colour pictures, which trains in a second."""
    def build(variant, classes, channels, init="lecun"):
        model = models.lenet5(classes)
        model.conv1 = nn.Conv2d(3, 6, 5)
        model.input_shape = (3, 32, 32)
        return model

    monkeypatch.setattr(models, "build", build)
    monkeypatch.setattr(Config, "channels", 3)


def weights(path):
    return {name: array.tobytes() for name, array in load(path / "checkpoint-last.npz")[0].items()}


@pytest.mark.long
def test_it_changes_the_run_and_goes_on_exactly(in_colour, train, tmp_path):
    options = {"epochs": 2, "colour": 0.5}
    whole, listener = train("whole", **options)
    assert "colours shifted with σ 0.5" in " ".join(listener.text.split())
    plain, _ = train("plain", epochs=2)
    assert weights(whole) != weights(plain)
    with pytest.raises(Interrupted):
        train("stopped", lambda steps: signal.raise_signal(signal.SIGINT) if steps == 6 else None,
              **options)
    trainer = run({"resume": str(tmp_path / "stopped")}, Listener())
    assert weights(tmp_path / "stopped") == weights(whole)
    assert (tmp_path / "stopped" / "metrics.csv").read_bytes() == (whole
                                                                   / "metrics.csv").read_bytes()
    kept = load(whole / "checkpoint-last.npz")[3]["components"]
    assert np.array(kept).tobytes() == trainer.experiment.statistics.components.tobytes()


def test_grey_pictures_have_no_colours(train):
    with pytest.raises(UserError, match="needs colour pictures"):
        train("grey", colour=0.1, epochs=1)


def test_a_negative_spread_is_a_sentence(train):
    with pytest.raises(UserError, match="--colour -1 is not possible: "
                       "it needs a standard deviation"):
        train("negative", colour=-1)
