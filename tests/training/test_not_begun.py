"""A run that cannot begin leaves nothing behind, and what was there before as it was."""

import errno
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
from in_process import run_here
from small_runs import OPTIONS

from minialex.errors import UserError
from minialex.training import run
from minialex.utils import files

PAGE = 4096
MODEL = ("from minialex import nn\n\nclass Net(nn.Sequential):\n    input_shape = (3, 32, 32)\n\n"
         "    def __init__(self, num_classes):\n"
         "        super().__init__(nn.Flatten(), nn.Linear(3072, num_classes))\n")


def tree(root):
    return {path.relative_to(root): path.is_file() and path.read_bytes()
            for path in root.rglob("*")}


@contextmanager
def disk(place, options):
    place.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", str(place)],
            capture_output=True).returncode:
        pytest.skip("only root on Linux can make a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def own(tmp_path):
    (tmp_path / "net.py").write_text(MODEL, encoding="utf-8")
    return f"{tmp_path / 'net.py'}:Net"


@pytest.mark.parametrize("kind", ["no room", "no names"])
@pytest.mark.parametrize("out", ["run", "a/folder/of/runs/run", "there"])
def test_a_full_disk_is_left_as_it_was(kind, out, pictures, tmp_path, own):
    """It has so many pages, or names, left, from none to enough to begin: config.json, the model
    and pictures.csv. From then on it is a run that has no checkpoint yet."""
    command = ["--data", str(pictures), "--model", own, "--epochs", "1", "--device",
               OPTIONS["device"], "--out", out]
    for left in range(12):
        names = 4 + left if kind == "no names" else 100  # the disk itself has one
        place = tmp_path / f"disk{left}"
        with disk(place, f"size={32 * PAGE},nr_inodes={names}"):
            (place / "there").mkdir()
            (place / "there" / ".keep").touch()
            (place / "mine").write_bytes(bytes(PAGE * (32 - left if kind == "no room" else 1)))
            before = tree(place)
            done = run_here("train", command, place)
            begun = "checkpoint" in done.stderr or done.returncode == 0
            if begun:
                break
            assert done.returncode == 2 and "No space left on device" in done.stderr
            assert done.stderr.count("\n") == 1 and tree(place) == before
    assert begun and left > 2


@pytest.mark.parametrize("kind", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("written", [0, 1, 2])
def test_whatever_ends_it_while_it_begins(kind, written, pictures, tmp_path, own, monkeypatch):
    opened = files._open_temporary
    calls = iter(range(written))

    def fails(*arguments):
        if next(calls, None) is None:
            raise kind(errno.EACCES, "no")
        if written == 1:
            (tmp_path / "runs" / "run" / "notes.txt").write_text("the user's", encoding="utf-8")
        return opened(*arguments)

    monkeypatch.setattr(files, "_open_temporary", fails)
    with pytest.raises((UserError, kind)):
        run({"data": str(pictures), "model": own, "device": OPTIONS["device"],
             "out": str(tmp_path / "runs" / "run")})
    left = [str(path) for path in tree(tmp_path) if path.parts[0] == "runs"]
    assert left == (["runs", "runs/run", "runs/run/notes.txt"] if written == 1 else [])


def test_an_earlier_beginning_stays(pictures, tmp_path, monkeypatch):
    """It was stopped before its first checkpoint; --resume starts it over."""
    def stop(*_):
        raise KeyboardInterrupt
    given = OPTIONS | {"data": str(pictures), "out": str(tmp_path / "run")}
    with monkeypatch.context() as patch:
        patch.setattr("minialex.training.loop.Trainer.fit", stop)
        with pytest.raises(KeyboardInterrupt):
            run(given)
    before = set(tree(tmp_path))
    monkeypatch.setattr(files, "_open_temporary", stop)
    with pytest.raises(KeyboardInterrupt):
        run(given)
    assert set(tree(tmp_path)) == before != set()
