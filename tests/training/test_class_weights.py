"""--class-weights: what a picture counts in the loss by its class, in parts of a batch as in the
whole."""

import csv
import json
import shutil

import numpy as np
import pytest
from small_runs import OPTIONS, Listener

from minialex import functional as F
from minialex.errors import UserError
from minialex.evaluation.metrics import Tally
from minialex.tensor import Tensor
from minialex.training import run
from minialex.training.checkpoint import load


@pytest.fixture
def uneven(pictures, tmp_path):
    """12 leaves, 6 pictures of the sky, 3 Äpfel to train on."""
    shutil.copytree(pictures, tmp_path / "uneven")
    for name, count in (("sky $5", 6), ("Äpfel", 3)):
        for path in sorted((tmp_path / "uneven" / "train" / name).iterdir())[count:]:
            path.unlink()
    return str(tmp_path / "uneven")


def dry(uneven, tmp_path, **options):
    return run(OPTIONS | {"data": uneven, "dry_run": True, "out": str(tmp_path / "r")} | options,
               Listener())


def test_balanced_is_n_over_k_times_n_c(uneven, tmp_path):
    trainer = dry(uneven, tmp_path, class_weights="balanced")
    np.testing.assert_allclose(trainer.class_weights, [21 / 36, 21 / 18, 21 / 9], rtol=1e-6)
    assert (trainer.class_weights[trainer.experiment.train.labels]).mean() == pytest.approx(1)


@pytest.mark.parametrize("text", ["1,2.5,1", "file"])
def test_given_weights_are_kept_as_numbers(uneven, tmp_path, text):
    if text == "file":
        text = str(tmp_path / "weights.csv")
        (tmp_path / "weights.csv").write_text("\ufeffclass,weight\nsky $5,2.5\n\n",
                                              encoding="utf-8")
    trainer = dry(uneven, tmp_path, class_weights=text)
    assert trainer.config.class_weights == "1.0,2.5,1.0" and trainer.class_weights.tolist() == [1,
                                                                                                2.5,
                                                                                                1]


@pytest.mark.parametrize("text, said",
                         [("1,2", "a number above 0 for each of the 3 classes"),
                          ("1,2,0", "above 0"), ("1,2,nan", "above 0"), ("1,-2,1", "above 0"),
                          ("equal", "cannot read the class weights in equal"),
                          ("{cow}", "line 2 of .* names the class cow"),
                          ("{odd}", "not class,weight")])
def test_what_cannot_be_weights_is_a_sentence(uneven, tmp_path, text, said):
    (tmp_path / "cow.csv").write_text("leaves,2\ncow,1\n")
    (tmp_path / "odd.csv").write_text("leaves two\n")
    for name in ("cow", "odd"):
        text = text.replace(f"{{{name}}}", str(tmp_path / f"{name}.csv"))
    with pytest.raises(UserError, match=said):
        dry(uneven, tmp_path, class_weights=text)


@pytest.mark.parametrize("accumulate", [1, 2, 3, 8])
def test_a_step_has_the_gradients_of_the_weighted_mean_over_the_whole_batch(uneven, tmp_path,
                                                                            accumulate):
    trainer = dry(uneven, tmp_path, class_weights="balanced", accumulate=accumulate)
    trainer.optimizer.step = lambda: None
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(8, 1, 32, 32)).astype(np.float32), np.array([0, 0, 0, 0, 1, 1,
                                                                                   2, 0])
    trainer.model.eval()
    trainer.step(images, labels)
    ours = {name: parameter.grad.copy() for name, parameter in trainer.model.named_parameters()}
    trainer.optimizer.zero_grad()
    p = F.log_softmax(trainer.model(Tensor(images)))  # Σ w·(−ln p) / Σ w, written out
    w = np.float32([21 / 36, 21 / 18, 21 / 9])[labels]
    mask = np.zeros((8, 3), np.float32)
    mask[np.arange(8), labels] = w / w.sum()
    (-(p * mask).sum()).backward()
    for name, parameter in trainer.model.named_parameters():
        np.testing.assert_allclose(ours[name], parameter.grad, rtol=2e-3, atol=2e-6, err_msg=name)


@pytest.mark.long
def test_parts_give_the_numbers_of_the_whole_and_losses_are_plain(uneven, train, tmp_path):
    options = {"data": uneven, "epochs": 2, "class_weights": "balanced"}
    whole, listener = train("whole", **options)
    parts, _ = train("parts", accumulate=3, **options)
    again, _ = train("again", **options)
    assert (whole / "metrics.csv").read_bytes() == (again / "metrics.csv").read_bytes()
    for a, b in zip(*[list(csv.DictReader((path / "metrics.csv").open()))
                      for path in (whole, parts)], strict=True):
        assert {name: float(a[name])
                for name in a} == pytest.approx({name: float(b[name]) for name in b}, abs=1e-4)
    assert json.loads((whole / "config.json").read_text("utf-8"))["settings"][
        "class_weights"] == "balanced"
    said = " ".join(listener.text.split())
    assert "leaves 0.583, sky $5 1.17, Äpfel 2.33" in said and "plain means" in said
    other, _ = train("other", data=uneven, epochs=2)
    ours, theirs = (load(path / "checkpoint-last.npz")[0]["conv1.weight"]
                    for path in (whole, other))
    assert not (ours == theirs).all()


def test_the_told_loss_is_the_plain_mean(uneven, tmp_path):
    trainer = dry(uneven, tmp_path, class_weights="1,5,25")
    trainer.tally = Tally()
    images, labels = (np.random.default_rng(0).normal(size=(8, 1, 32, 32)).astype(np.float32),
                      np.array([0, 1, 2, 0, 1, 2, 0, 0]))
    expected = F.cross_entropy(trainer.model(Tensor(images)), labels).item()
    trainer.step(images, labels)
    assert trainer.tally.fetch()[0] == pytest.approx(expected, rel=1e-5)


def test_a_run_goes_on_with_the_same_options_given_again(uneven, finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(finished[0] / "checkpoint-best.npz", "w.npz")
    (tmp_path / "weights.csv").write_text("sky $5,2\n")
    for number, text in enumerate(("1,2,1", "weights.csv")):
        options = {"class_weights": text, "init": "w.npz", "data": "uneven"}
        run(OPTIONS | options | {"out": f"r{number}", "epochs": 1}, Listener())
        trainer = run(options | {"resume": f"r{number}", "epochs": 2}, Listener())
        assert trainer.epoch == 2
        with pytest.raises(UserError,
                           match="was started with class weights 1.0,2.0,1.0, not 1.0,3.0,1.0"):
            run({"resume": f"r{number}", "class_weights": "1,3,1"}, Listener())
