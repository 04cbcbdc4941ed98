"""--accumulate: a batch worked on in parts gives the gradients of the whole batch, dropout's masks
included."""

import csv
import signal
from types import SimpleNamespace

import numpy as np
import pytest
from short import first
from small_runs import Listener

import minialex as ma
from minialex import functional as F
from minialex import models, nn
from minialex.random import first_row, parts_of_batch, random_state
from minialex.training import Interrupted, run
from minialex.training.checkpoint import load
from minialex.training.config import resolve
from minialex.training.loop import Trainer


@pytest.mark.parametrize("width", [1, 5, 8])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_the_masks_of_the_parts_are_those_of_the_whole_batch(width, size):
    x = np.ones((7, width), np.float32)
    ma.manual_seed(5)
    whole = [F.dropout(ma.Tensor(x), 0.4).data for _ in range(2)]
    after = random_state()
    ma.manual_seed(5)
    parts = [[F.dropout(ma.Tensor(x[part]), 0.4).data for _ in range(2)] for part in parts_of_batch(
        [slice(start, min(start + size, 7)) for start in range(0, 7, size)])]
    for layer in range(2):
        np.testing.assert_array_equal(np.concatenate([part[layer] for part in parts]), whole[layer])
    assert random_state() == after and first_row() == 0


@pytest.fixture
def with_dropout(monkeypatch):
    """LeNet-5 has no dropout, so a layer of it is put in here."""
    original = models.build

    def build(*arguments):
        model = original(*arguments)
        model.tanh4 = nn.Sequential(nn.Tanh(), nn.Dropout(0.5))
        return model

    monkeypatch.setattr(models, "build", build)


@pytest.mark.parametrize("parts", first(1, [3, 2, 8]))
def test_training_in_parts_is_training(with_dropout, train, parts):
    whole, _ = train("whole", epochs=2)
    cut, listener = train("cut", epochs=2, accumulate=parts)
    assert f"batch 8 in {parts} parts" in listener.text
    ours, theirs = (load(path / "checkpoint-last.npz")[0] for path in (whole, cut))
    for name, array in ours.items():
        np.testing.assert_allclose(theirs[name], array, atol=2e-5, err_msg=name)
    losses = [[float(row["train_loss"]) for row in csv.DictReader((path / "metrics.csv").open())]
              for path in (whole, cut)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


@pytest.mark.long
def test_it_goes_on_exactly_and_in_other_parts(with_dropout, train, tmp_path):
    whole, _ = train("whole", epochs=2, accumulate=2)
    for name, parts in (("same", 2), ("other", 4)):
        with pytest.raises(Interrupted):
            train(name, lambda done: signal.raise_signal(signal.SIGINT) if done == 3 else None,
                  epochs=2, accumulate=2)
        run({"resume": str(tmp_path / name), "accumulate": parts}, Listener())
    ours, same, other = (load(path / "checkpoint-last.npz")[0]
                         for path in (whole, tmp_path / "same", tmp_path / "other"))
    for name, array in ours.items():
        np.testing.assert_array_equal(same[name], array)
        np.testing.assert_allclose(other[name], array, atol=2e-5)


def test_milestones_divide_the_learning_rate_by_ten(train):
    path, listener = train("falls", epochs=4, milestones="1,3,9", lr=0.01)
    rates = [row["lr"] for row in csv.DictReader((path / "metrics.csv").open())]
    assert rates == ["0.01", "0.001", "0.001", "0.0001"]
    assert ("÷10 after epoch 1 and 3 and 9" in listener.text
            and "milestone 9 is not reached" in listener.text)


def test_a_batch_of_which_pictures_are_missing_counts_as_it_is():
    """Kept features leave out what could not be read: the parts that are there make up the whole
    gradient, none is empty."""
    config = resolve({"data": "x", "batch_size": 8, "accumulate": 2}, 400, 100)
    trainer = SimpleNamespace(config=config, class_weights=None, on_device=lambda *arrays: arrays)
    for count, sizes in ((8, [4, 4]), (5, [4, 1]), (3, [3])):
        parts = list(Trainer._parts(trainer, np.zeros((count, 1)), np.zeros(count, int)))
        assert [len(images) for images, _, _ in parts] == sizes
        assert [share for _, _, share in parts] == [size / count for size in sizes]
