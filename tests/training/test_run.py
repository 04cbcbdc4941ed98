"""A run from beginning to end: what it leaves, that it repeats itself to the byte, and that it goes
on where it stopped."""

import csv
import json
import os
import shutil
import signal

import numpy as np
import pytest
from short import first
from small_runs import OPTIONS, Listener, write_pictures

from minialex import optim
from minialex.errors import UserError
from minialex.training import Interrupted, checkpoint, run
from minialex.training.checkpoint import load, save

FILES = {"config.json", "metrics.csv", "timing.csv", "checkpoint-last.npz", "checkpoint-best.npz",
         "curves.png", "filters.png", "predictions.png", "report.html", "pictures.csv"}


def stop(steps):
    return lambda done: signal.raise_signal(signal.SIGINT) if done == steps else None


def weights(path):
    return {name: array.tobytes() for name, array in load(path / "checkpoint-last.npz")[0].items()}


def metrics(path):
    return (path / "metrics.csv").read_bytes()


def test_the_run_folder(finished):
    path, _ = finished
    assert set(os.listdir(path)) == FILES
    rows = list(csv.DictReader((path / "metrics.csv").open()))
    assert list(rows[0]) == ["epoch", "lr", "train_loss", "train_top1", "val_loss", "val_top1",
                             "val_top5"]
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    # the line from 40 % of 4 epochs to 0
    assert [row["lr"] for row in rows] == ["0.05", "0.05", "0.03125", "0.0104167"]
    config = json.loads((path / "config.json").read_text("utf-8"))
    assert config["classes"] == ["leaves", "sky $5", "Äpfel"] and config["settings"]["lr"] == 0.05
    assert set(config["versions"]) == {"minialex", "numpy", "python"}


def test_it_learns_and_says_so(finished):
    path, listener = finished
    last = list(csv.DictReader((path / "metrics.csv").open()))[-1]
    assert float(last["val_top1"]) > 0.9 and float(last["val_loss"]) < 0.5
    for words in (f"device   {OPTIONS['device']}", "lenet5: 61,111 parameters",
                  "3 classes (leaves, sky $5, Äpfel)", "LeCun", "time     about",
                  "36 pictures to train on, 15 to validate", "4 epochs, batch 8, "
                  "lr 0.05 (falling towards 0 after 40 % of them)", "checkpoint-best.npz"):
        assert words in listener.text, words


def test_the_checkpoint_has_all_that_using_the_network_needs(finished):
    path, _ = finished
    arrays, velocity, mean, state, _ = load(path / "checkpoint-last.npz")
    assert set(arrays) == set(velocity) and mean.shape == (1, 36, 36) and state["std"] > 0
    assert state["variant"] == "lenet5" and state["classes"] == ["leaves", "sky $5",
                                                                 "Äpfel"] and state["epoch"] == 4
    assert all(array.dtype == np.float32 for array in [*arrays.values(), *velocity.values(), mean])


def test_the_same_seed_gives_the_same_bytes(finished, train):
    path, _ = finished
    again, _ = train("again", epochs=4, workers=1)
    assert metrics(again) == metrics(path) and weights(again) == weights(path)
    other, _ = train("other", epochs=4, seed=1)
    assert metrics(other) != metrics(path)


@pytest.mark.parametrize("steps", first(2, [6, 1, 4, 16]))
def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(finished, train, tmp_path, steps):
    """36 pictures in batches of 8 are 4 steps: the run is stopped in the first epoch, at its end,
    later, at the very end."""
    path, _ = finished
    with pytest.raises(Interrupted, match="--resume"):
        train("stopped", lambda done: signal.raise_signal(signal.SIGINT) if done == steps else None,
              epochs=4)
    assert load(tmp_path / "stopped" / "checkpoint-last.npz")[3]["batch"] == (steps - 1) % 4 + 1
    run({"resume": str(tmp_path / "stopped")}, Listener())
    assert metrics(tmp_path / "stopped") == metrics(path) and weights(tmp_path
                                                                      / "stopped") == weights(path)
    assert set(os.listdir(tmp_path / "stopped")) == FILES


def test_a_killed_run_goes_on_from_its_last_checkpoint(finished, train, tmp_path):
    path, _ = finished

    def die(done):
        if done == 10:
            raise MemoryError

    with pytest.raises(MemoryError):
        train("killed", die, epochs=4)
    listener = Listener()
    run({"resume": str(tmp_path / "killed"), "workers": 1}, listener)
    assert "resume   after epoch" in listener.text and "1/4" not in listener.text
    assert metrics(tmp_path / "killed") == metrics(path) and weights(tmp_path
                                                                     / "killed") == weights(path)


@pytest.mark.long
def test_dropout_and_plateau_go_on_exactly_too(train, tmp_path, pictures, monkeypatch):
    """LeNet-5 has no dropout, so a layer of it is put in here."""
    from minialex import models, nn

    original = models.build

    def with_dropout(*arguments):
        model = original(*arguments)
        model.tanh4 = nn.Sequential(nn.Tanh(), nn.Dropout(0.5))
        return model

    monkeypatch.setattr(models, "build", with_dropout)
    options = {"epochs": 3, "schedule": "plateau", "dropout": 0.3}
    whole, _ = train("whole", **options)
    with pytest.raises(Interrupted):
        train("stopped", lambda done: signal.raise_signal(signal.SIGTERM) if done == 6 else None,
              **options)
    run({"resume": str(tmp_path / "stopped")}, Listener())
    assert metrics(tmp_path / "stopped") == metrics(whole) and weights(
        tmp_path / "stopped") == weights(whole)


def test_resume_auto_takes_the_newest_unfinished_run(train, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train("runs/done", epochs=1)
    for name in ("runs/old", "runs/new"):
        with pytest.raises(Interrupted):
            train(name, lambda done: signal.raise_signal(signal.SIGINT) if done == 2 else None,
                  epochs=1)
    os.utime("runs/old/checkpoint-last.npz", (1, 1))
    assert run({"resume": "auto"}, Listener()).folder.path.name == "new"
    assert run({"resume": "auto"}, Listener()).folder.path.name == "old"
    with pytest.raises(UserError, match="no unfinished run"):
        run({"resume": "auto"}, Listener())


def test_what_cannot_be_gone_on_with(finished, train, tmp_path, pictures):
    path, _ = finished
    options = {"data": str(pictures), "variant": "lenet5"}
    for resume, more, words in [
        (tmp_path / "nowhere", {}, "there is no run"),
        (tmp_path, {}, "holds no run that could go on"),
        (path, {"lr": 0.5}, "started with lr 0.05, not 0.5"),
        (path, {"variant": "paper"}, "started with variant lenet5, not paper"),
        (path, {"paper": True}, "not started with --paper"),
    ]:
        with pytest.raises(UserError, match=words):
            run(options | {"resume": str(resume)} | more, Listener())


def test_another_networks_checkpoint_is_refused(finished, train, tmp_path):
    path, _ = finished
    ours, _ = train("ours", epochs=1, subset="2")
    (ours / "checkpoint-last.npz").write_bytes((path / "checkpoint-last.npz").read_bytes())
    with pytest.raises(UserError, match="belongs to another run than the config.json beside it: "
                       "subset is None there and 2 here"):
        run({"resume": str(ours)}, Listener())


def test_a_folder_with_a_run_is_never_overwritten(finished, train, tmp_path):
    path, _ = finished
    before = metrics(path)
    with pytest.raises(UserError, match="holds a run already: go on with --resume"):
        train(path)
    assert metrics(path) == before


def test_sampled_validations_are_marked_and_never_the_best(train, tmp_path):
    with pytest.raises(Interrupted):
        train("sampled", lambda done: signal.raise_signal(signal.SIGINT) if done == 21 else None,
              epochs=11, val_images=6)
    path, listener = tmp_path / "sampled", Listener()
    assert load(path / "checkpoint-last.npz")[3]["best"] is None and not (
        path / "checkpoint-best.npz").exists()
    run({"resume": str(path)}, listener)
    lines = [line for line in listener.lines if "/11" in line]
    assert [line.count("*") for line in lines] == [2] * 4 + [0] * 2
    assert load(path / "checkpoint-best.npz")[3]["best"][2] in (10, 11)


def test_pictures_that_cannot_be_read_are_counted_or_stop_a_strict_run(train, tmp_path):
    root = write_pictures(tmp_path / "bad", {"train": 4, "val": 2})
    (root / "train" / "leaves" / "00.png").write_bytes(b"no picture")
    _, listener = train("lenient", data=str(root), epochs=1)
    assert "skipped  1 files" in listener.text
    with pytest.raises(UserError, match="--strict: .*00.png"):
        train("strict", data=str(root), epochs=1, strict=True)


def test_a_validation_without_a_picture_is_a_sentence(train, tmp_path):
    root = write_pictures(tmp_path / "bad", {"train": 4, "val": 2})
    for path in (root / "val").glob("*/*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(UserError, match="none of the 6 pictures for validation can be read"):
        train("none", data=str(root), epochs=1, batch_size=4)


def test_the_learning_rate_warms_up_step_by_step(train, monkeypatch):
    seen = []
    step = optim.SGD.step
    monkeypatch.setattr(optim.SGD, "step",
                        lambda self: (seen.append(self.param_groups[0]["lr"]), step(self)))
    train("warm", warmup=3, epochs=2, lr=0.03)
    assert seen[:4] == pytest.approx([0.01, 0.02, 0.03, 0.03]) and max(seen) == pytest.approx(0.03)


@pytest.mark.drawn
@pytest.mark.long
def test_filters_show_the_kernels_the_run_began_with(train, tmp_path):
    """LeNet-5 begins with LeCun's initialisation, and what goes on is built with another."""
    with pytest.raises(Interrupted):
        train("stopped", stop(3), epochs=1)
    whole, _ = train("whole", epochs=1)
    trainer = run({"resume": str(tmp_path / "stopped")}, Listener())
    first = load(whole / "checkpoint-last.npz")[4]
    assert first.shape == (6, 1, 5, 5) and (trainer.experiment.first_kernels == first).all()
    assert (tmp_path / "stopped" / "filters.png").read_bytes() == (whole
                                                                   / "filters.png").read_bytes()


def die(done):
    raise MemoryError


def test_a_run_killed_before_its_first_checkpoint_goes_on_from_its_settings(finished, train,
                                                                            tmp_path):
    for name in ("again", "resumed"):
        with pytest.raises(MemoryError):
            train(name, die, epochs=4)
        for file in ("checkpoint-last.npz", "metrics.csv", "timing.csv"):
            (tmp_path / name / file).unlink()
    train("again", epochs=4)
    run({"resume": str(tmp_path / "resumed")}, Listener())
    for name in ("again", "resumed"):
        assert set(os.listdir(tmp_path / name)) == FILES and weights(tmp_path
                                                                     / name) == weights(finished[0])


def test_a_lost_checkpoint_is_no_fresh_start(finished, tmp_path):
    path = shutil.copytree(finished[0], tmp_path / "copy")
    (path / "checkpoint-last.npz").unlink()
    with pytest.raises(UserError, match="there is no file .*npz. "
                       "To go on from the best epoch instead: --resume "):
        run({"resume": str(path)}, Listener())
    run({"resume": str(path / "checkpoint-best.npz")}, Listener())
    assert weights(path) == weights(finished[0]) and metrics(path) == metrics(finished[0])


def test_a_run_in_use_is_left_alone(train, tmp_path):
    refused = []

    def meddle(done):
        for given in ({"resume": str(tmp_path / "used")},
                      {"data": ".", "out": str(tmp_path / "used")}):
            with pytest.raises(UserError) as error:
                run(given, Listener())
            refused.append(str(error.value))
        raise Interrupted

    with pytest.raises(Interrupted):
        train("used", meddle, epochs=1)
    assert "another program is training in" in refused[0] and "holds a run already" in refused[1]
    run({"resume": str(tmp_path / "used")}, Listener())


def test_auto_with_a_folder_is_the_run_in_it(train, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        with pytest.raises(Interrupted):
            train(name, stop(2), epochs=1)
    assert run({"resume": "auto", "out": "a"}, Listener()).folder.path.name == "a"
    with pytest.raises(UserError, match="goes on in its own folder, not in a"):
        run({"resume": "b", "out": "a"}, Listener())
    with pytest.raises(UserError, match="there is no run nowhere"):
        run({"resume": "auto", "out": "nowhere"}, Listener())


@pytest.mark.parametrize("name, value", [("variant", "caffenet"), ("seed", 3), ("pixels", "raw")])
def test_a_checkpoint_of_other_settings_is_refused(finished, tmp_path, name, value):
    """Both networks have the same shapes, so nothing but the settings tells them apart."""
    path = shutil.copytree(finished[0], tmp_path / "copy")
    saved = load(path / "checkpoint-last.npz")
    saved.state["settings"][name] = value
    save(path / "checkpoint-last.npz", saved)
    with pytest.raises(UserError, match="belongs to another run than the config.json beside it: "
                       f"{name} is {value} there and"):
        run({"resume": str(path)}, Listener())


def test_a_run_that_is_older_than_a_setting_goes_on(finished, tmp_path):
    path = shutil.copytree(finished[0], tmp_path / "copy")
    config, saved = (json.loads((path / "config.json").read_text("utf-8")),
                     load(path / "checkpoint-last.npz"))
    for settings in (config["settings"], saved.state["settings"]):
        for name in ("class_weights", "shards", "parallel", "colour"):
            del settings[name]
    (path / "config.json").write_text(json.dumps(config), "utf-8")
    save(path / "checkpoint-last.npz", saved)
    trainer = run({"resume": str(path), "dry_run": True}, Listener())
    assert trainer.epoch == saved.state["epoch"] and trainer.config.class_weights is None
    assert (trainer.config.shards, trainer.config.parallel, trainer.config.colour) == (1, "data", 0)


def test_the_best_gets_its_name_though_the_run_was_killed_before(finished, tmp_path):
    path = shutil.copytree(finished[0], tmp_path / "copy")
    best = (path / "checkpoint-best.npz").read_bytes()
    arrays, velocity, mean, state, first_kernels = load(path / "checkpoint-best.npz")
    (path / "checkpoint-last.npz").write_bytes(best)
    (path / "checkpoint-best.npz").write_bytes(b"an older one")
    run({"resume": str(path)}, Listener())
    assert load(path / "checkpoint-best.npz")[3]["epoch"] == state["epoch"]
    assert weights(path) == weights(finished[0])


@pytest.mark.long
def test_checkpoints_within_an_epoch(train, tmp_path):
    def look(done):
        if done in (2, 3, 5, 6):
            seen.append(load(tmp_path / "often" / "checkpoint-last.npz")[3])
        if done == 6:
            raise MemoryError

    seen = []
    with pytest.raises(MemoryError):
        train("often", look, epochs=3, save_every="2steps")
    assert [(state["epoch"], state["batch"]) for state in seen] == [(0, 0), (0, 2), (0, 4), (0, 4)]
    run({"resume": str(tmp_path / "often"), "save_every": "9min"}, Listener())
    whole, _ = train("whole", epochs=3)
    assert metrics(tmp_path / "often") == metrics(whole) and weights(tmp_path
                                                                     / "often") == weights(whole)


@pytest.mark.long
def test_a_full_disk_is_told_and_training_goes_on(train, tmp_path, monkeypatch):
    """The disk is full from the second epoch on, and has room again in the third."""
    def disk(done):
        full = 5 <= done <= 9
        monkeypatch.setattr(checkpoint, "_write_sealed", fail if full else write)

    def fail(file, arrays):
        raise OSError(28, "No space left on device")

    write = checkpoint._write_sealed
    path, listener = train("full", disk, epochs=4, save_every="2steps")
    warnings = [line for line in listener.lines if line.startswith("warning")]
    assert warnings and all("No space left on device; what was there before is unchanged" in line
                            for line in warnings)
    whole, _ = train("whole", epochs=4)
    assert metrics(path) == metrics(whole) and weights(path) == weights(whole)


@pytest.mark.long
def test_a_disk_that_stays_full_keeps_the_last_good_checkpoint(train, tmp_path, monkeypatch):
    def fail(file, arrays):
        file.write(b"part")
        raise OSError(28, "No space left on device")

    def disk(done):
        if done == 5:
            monkeypatch.setattr(checkpoint, "_write_sealed", fail)

    with pytest.raises(UserError, match="cannot write .*checkpoint-last.npz: "
                       "No space left on device"):
        train("full", disk, epochs=2)
    assert load(tmp_path / "full" / "checkpoint-last.npz")[3]["epoch"] == 1
    monkeypatch.undo()
    run({"resume": str(tmp_path / "full")}, Listener())
    whole, _ = train("whole", epochs=2)
    assert metrics(tmp_path / "full") == metrics(whole) and weights(tmp_path
                                                                    / "full") == weights(whole)


@pytest.mark.parametrize("change", ["remove", "rename"])
def test_changed_pictures_are_refused(train, tmp_path, change):
    root = write_pictures(tmp_path / "mine", {"train": 4, "val": 2})
    with pytest.raises(Interrupted):
        train("stopped", stop(1), data=str(root), epochs=2, batch_size=4)
    picture = root / "train" / "leaves" / "00.png"
    picture.unlink() if change == "remove" else picture.rename(picture.with_name("new.png"))
    with pytest.raises(UserError, match="pictures have changed since .*stopped was started, "
                       "on 12 for training"):
        run({"resume": str(tmp_path / "stopped")}, Listener())


def test_pictures_may_move(train, tmp_path):
    root = write_pictures(tmp_path / "mine", {"train": 4, "val": 2})
    with pytest.raises(Interrupted):
        train("stopped", stop(1), data=str(root), epochs=1, batch_size=4)
    root.rename(tmp_path / "moved")
    run({"resume": str(tmp_path / "stopped"), "data": str(tmp_path / "moved")}, Listener())
