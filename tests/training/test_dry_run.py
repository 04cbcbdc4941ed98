"""--dry-run does everything once and leaves nothing; estimates stand beside what happened; --paper
says how it differs."""

import os
import re
import signal

import pytest
from small_runs import OPTIONS, Listener, write_pictures

from minialex.cli import train as command
from minialex.errors import UserError
from minialex.training import Interrupted, checkpoint, run, run_dir, say
from minialex.training import memory_estimate as estimate
from minialex.training.loop import Trainer


def tree(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
            for path in root.rglob("*")}


def test_a_dry_run_says_what_it_did_and_leaves_nothing(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "before.txt").write_text("here")
    before, listener = tree(tmp_path), Listener()
    run(OPTIONS | {"data": str(pictures), "dry_run": True, "out": "new/run"}, listener)
    assert tree(tmp_path) == before
    for words in ("36 of 36 pictures of train looked at, 0 cannot be read",
                  "15 of 15 pictures of val", "3 steps made, at ", "a checkpoint of ",
                  "saved and read again", "memory so far", "lenet5: 61,111 parameters",
                  "run      new/run"):
        assert words in listener.text, listener.text
    run(OPTIONS | {"data": str(pictures), "dry_run": True}, Listener())
    assert tree(tmp_path) == before


def test_a_dry_run_of_going_on_changes_nothing(train, tmp_path):
    with pytest.raises(Interrupted):
        train("stopped", lambda done: signal.raise_signal(signal.SIGINT) if done == 6 else None,
              epochs=2)
    before, listener = tree(tmp_path), Listener()
    trainer = run({"resume": str(tmp_path / "stopped"), "dry_run": True}, listener)
    assert tree(tmp_path) == before and trainer.epoch == 1
    assert "resume   after epoch 1 of 2 and 2 steps of the next" in listener.text
    with pytest.raises(UserError, match="stopped was started with lr 0.05, not 0.1"):
        run({"resume": str(tmp_path / "stopped"), "lr": 0.1, "dry_run": True}, Listener())
    assert tree(tmp_path) == before


def test_a_dry_run_is_not_the_latest_run(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / run_dir.LATEST).write_text("a")
    run(OPTIONS | {"data": str(pictures), "dry_run": True}, Listener())
    assert (tmp_path / "runs" / run_dir.LATEST).read_text() == "a"


def test_a_dry_run_finds_what_would_stop_the_run(pictures, tmp_path, monkeypatch):
    def full(file, arrays):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "_write_sealed", full)
    with pytest.raises(UserError, match="No space left on device"):
        run(OPTIONS | {"data": str(pictures), "dry_run": True, "out": str(tmp_path / "run")},
            Listener())
    monkeypatch.undo()
    root = write_pictures(tmp_path / "bad", {"train": 4, "val": 2})
    (root / "train" / "leaves" / "00.png").write_bytes(b"no picture")
    listener = Listener()
    run(OPTIONS | {"data": str(root), "batch_size": 4, "dry_run": True,
                   "out": str(tmp_path / "run")}, listener)
    assert "12 of 12 pictures of train looked at, 1 cannot be read" in listener.text
    assert os.listdir(tmp_path) == ["bad"]


def test_estimates_stand_beside_what_happened(finished):
    _, listener = finished
    assert re.search(r"^memory   about \d+ MB", listener.text, re.MULTILINE)
    assert re.search(r"^time     about .* images/s of the first steps; memory so far ",
                     listener.text, re.MULTILINE)
    assert re.search(r"^took     .*, estimated .*; at most .* of memory, estimated ", listener.text,
                     re.MULTILINE)


def test_less_memory_than_needed_is_told(train, monkeypatch):
    for module in ("say", "memory_estimate"):
        monkeypatch.setattr(f"minialex.training.{module}.memory_free", lambda device: 50_000_000)
    _, listener = train("small", epochs=1, accumulate=2)
    assert "50 MB are free: --accumulate 4 computes the same" in " ".join(listener.text.split())


def test_running_out_of_memory_is_one_line(pictures, tmp_path, monkeypatch, capsys):
    def starve(trainer, images, labels):
        raise MemoryError("Unable to allocate 9 GiB")

    monkeypatch.setattr(Trainer, "step", starve)
    options = ["--data", str(pictures), "--variant", "lenet5", "--device", "cpu", "--out",
               str(tmp_path / "run")]
    assert command.main([*options, "--batch-size", "8", "--accumulate", "2"]) == 2
    said = capsys.readouterr().err
    assert ("Unable to allocate 9 GiB; --accumulate 4 computes the same with less" in said
            and said.count("\n") == 1)


@pytest.mark.parametrize("more, pictures_more, ready",
                         [({"batch_size": 16}, 8, 0), ({"accumulate": 2}, -4, 16 - 32)])
def test_the_estimate_grows_with_the_pictures_worked_on_at_once(pictures, tmp_path, more,
                                                                pictures_more, ready):
    """What is fixed (weights, programs, decoded pictures) drops out of the difference to a batch of
    8 in one part.

    ready: how many more pictures wait in batches, of which there are at most four, or all 32
    pictures.
    """
    def needed(**options):
        given = OPTIONS | {"data": str(pictures), "dry_run": True,
                           "out": str(tmp_path / "run")} | options
        return estimate.training(run(given, Listener()).experiment)

    # each map, and after its tanh
    outputs = 2 * (6 * 28 * 28 + 16 * 10 * 10 + 120 + 84) + 6 * 14 * 14 + 16 * 5 * 5 + 3
    expected = 4 * (1.65 * outputs * pictures_more + 32 * 32 * ready)
    assert needed(**more) - needed() == pytest.approx(expected, rel=0.01)


@pytest.mark.long
def test_the_papers_training_on_a_tree_like_imagenets(tmp_path):
    root = write_pictures(tmp_path / "imagenet", {"train": 3, "val": 2})
    for part in ("train", "val"):
        for number, folder in enumerate(sorted((root / part).iterdir())):
            folder.rename(root / part / f"n0144{number:04d}")
    listener = Listener()
    options = {"data": str(root), "paper": True, "dry_run": True, "device": "cpu", "batch_size": 4,
               "out": str(tmp_path / "run")}
    trainer = run(options, listener)
    config, text = trainer.config, " ".join(listener.text.split())
    assert (config.lr, config.momentum, config.weight_decay) == (0.01, 0.9, 0.0005)
    assert (config.schedule, config.init) == ("plateau", "paper")
    assert (config.colour == 0.1 and config.dropout == 0.5 and config.epochs == 90
            and trainer.model.input_shape == (3, 227, 227))
    for words in ("differs from the paper: 9 pictures of 3 classes", "batch size 4, not 128",
                  "put on two GPUs", "--variant krizhevsky keeps them apart",
                  "crops of 227 pixels, not 224", "--ten-crop", "n01440000"):
        assert words in text, words
    assert len(list(say.differences(trainer.experiment))) == 8
