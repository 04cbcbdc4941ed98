"""Checkpoints are whole or refused."""

import os
import re
import time

import numpy as np
import pytest

from minialex.errors import UserError
from minialex.training import checkpoint
from minialex.training.checkpoint import Saved
from minialex.utils import files

STATE = {"epoch": 3, "classes": ["a", "Äpfel", "雨"], "random": {"state": 2**127 + 1}}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "checkpoint-last.npz"
    weights = {"conv1.weight": np.arange(300, dtype=np.float32).reshape(3, 100),
               "conv1.bias": np.zeros(3, np.float32)}
    velocity, mean = {"conv1.weight": np.ones((3, 100), np.float32)}, np.full((1, 4, 4), 7,
                                                                              np.float32)
    checkpoint.save(path, Saved(weights, velocity, mean, STATE, np.full((2, 3), 5, np.float32)))
    return path


def test_what_is_loaded_is_what_was_saved(saved):
    weights, velocity, mean, state, first_kernels = checkpoint.load(saved)
    assert (weights["conv1.weight"] == np.arange(300).reshape(3, 100)).all() and weights[
        "conv1.weight"].dtype == np.float32
    assert list(weights) == ["conv1.weight", "conv1.bias"] and list(velocity) == ["conv1.weight"]
    assert (first_kernels == 5).all()
    assert (mean == 7).all() and state == STATE | {"format": 2}


def test_a_failed_write_leaves_the_old_checkpoint_and_no_rubbish(saved, monkeypatch):
    before = saved.read_bytes()

    def full(file, arrays):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "_write_sealed", full)
    with pytest.raises(UserError, match="No space left on device; "
                       "what was there before is unchanged"):
        checkpoint.save(saved, Saved({}, {}, np.zeros(1), {}))
    assert saved.read_bytes() == before and os.listdir(saved.parent) == [saved.name]


def test_no_reader_ever_sees_half_a_checkpoint(saved, monkeypatch):
    seen = []

    def slowly(file, arrays):
        file.write(b"half")
        file.flush()
        seen.append(checkpoint.load(saved)[3]["epoch"])

    monkeypatch.setattr(checkpoint, "_write_sealed", slowly)
    checkpoint.save(saved, Saved({}, {}, np.zeros(1), {}))
    assert seen == [3]


def damaged_copies(whole):
    """Every byte with one bit changed, every third length, something added at either end."""
    for position in range(len(whole)):
        yield whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position
                                                                                      + 1 :]
    yield from (whole[:length] for length in range(0, len(whole), 3))
    yield from (whole + b"\0", b"\0" + whole, whole + whole)


def test_no_byte_can_change_or_be_missing(saved):
    whole = saved.read_bytes()
    damaged_copies_of_it = list(damaged_copies(whole))
    for damaged in damaged_copies_of_it:
        saved.write_bytes(damaged)
        with pytest.raises(UserError, match=re.escape(str(saved))):
            checkpoint.load(saved)
    assert len(damaged_copies_of_it) > 1.3 * len(whole) > 3000
    saved.write_bytes(whole)
    checkpoint.load(saved)


def test_any_program_reads_the_arrays(saved):
    with np.load(saved) as arrays:
        assert arrays["mean"].tolist() == np.full(
            (1, 4, 4), 7).tolist() and "model/conv1.weight" in arrays.files


def test_the_same_content_is_the_same_bytes_whatever_the_clock_says(saved, monkeypatch):
    before = saved.read_bytes()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "localtime", lambda *now: time.gmtime(0))
    checkpoint.save(saved, checkpoint.load(saved))
    assert saved.read_bytes() == before


def test_other_files_are_refused_by_name(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.save(tmp_path / "single.npy", np.zeros(3))
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    (tmp_path / "text.npz").write_text("hello")
    expected = {"other.npz": "no checkpoint", "single.npy": "no checkpoint",
                "objects.npz": "cannot read", "text.npz": "no checkpoint",
                "missing.npz": "there is no file"}
    for name, words in expected.items():
        with pytest.raises(UserError, match=words):
            checkpoint.load(tmp_path / name)


def test_another_format_is_refused(saved):
    with np.load(saved) as file:
        arrays = dict(file)
    np.savez(saved, **arrays)
    with pytest.raises(UserError,
                       match="the checksum that every checkpoint ends with is not there"):
        checkpoint.load(saved)
    np.savez(saved, **arrays | {"state": np.array('{"format": 99}')})
    with pytest.raises(UserError, match="format 99, this minialex reads format 2"):
        checkpoint.load(saved)


@pytest.mark.parametrize("links", [True, False])
def test_the_best_stays_when_the_last_is_written_anew(saved, links, monkeypatch):
    if not links:
        monkeypatch.setattr(os, "link",
                            lambda *paths: (_ for _ in ()).throw(OSError("no links here")))
    best = saved.with_name("checkpoint-best.npz")
    files.keep_as(saved, best)
    checkpoint.save(saved, Saved({}, {}, np.zeros(1), {"epoch": 4}))
    files.keep_as(best, best.with_name("again.npz"))
    assert checkpoint.load(best)[3]["epoch"] == 3 and checkpoint.load(saved)[3]["epoch"] == 4
