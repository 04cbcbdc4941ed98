"""The built-in pictures: the same everywhere, whole or absent, and not to be told apart by colour
or rough shape."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from baseline import baseline_accuracy

from minialex.data import builtin, open_folder
from minialex.errors import UserError
from minialex.sets import sources
from minialex.sets.patterns import PATTERNS
from minialex.sets.scene import draw
from minialex.utils.cache import cache_folder, whole_folder

PHOTOGRAPHS = Path(__file__).parents[3] / "shared" / "data" / "caltech20"


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(sources, "PER_CLASS", {"train": 3, "val": 2})


@pytest.mark.parametrize("name", PATTERNS)
def test_drawing_depends_on_its_random_numbers_alone(name):
    first, again, other = (draw(PATTERNS[name], np.random.default_rng(seed), 64)
                           for seed in (1, 1, 2))
    assert first.shape == (64, 64, 3) and first.dtype == np.uint8
    assert np.array_equal(first, again) and np.abs(first.astype(int) - other).mean() > 10
    assert first.std() > 15  # there is something to see


def test_ten_classes_once_drawn_stay(few, tmp_path, monkeypatch):
    train, val = builtin(tmp_path, progress=False)
    assert train.classes == val.classes == sorted(PATTERNS) and len(train.classes) == 10
    assert np.bincount(train.labels).tolist() == [3] * 10 and np.bincount(val.labels).tolist() == [
        2] * 10
    pixels = train.read(7).copy()
    monkeypatch.setattr(sources, "draw", None)  # a second drawing would fail
    assert np.array_equal(builtin(tmp_path, progress=False)[0].read(7), pixels)
    assert len(builtin(tmp_path, progress=False, max_classes=4, max_images=2)[0]) == 8


def test_every_picture_is_another_one(few, tmp_path):
    sets = builtin(tmp_path, progress=False)
    assert len({part.read(i).tobytes() for part in sets for i in range(len(part))}) == 50


def test_same_files_for_any_number_of_threads(tmp_path):
    for workers in (1, 4):
        sources.generate(tmp_path / str(workers), {"train": 1, "val": 1}, workers=workers)
    files = sorted(path.relative_to(tmp_path / "1") for path in (tmp_path / "1").rglob("*.jpg"))
    assert len(files) == 20
    assert all((tmp_path / "1" / f).read_bytes() == (tmp_path / "4" / f).read_bytes()
               for f in files)


def test_interrupted_drawing_leaves_nothing(few, tmp_path, monkeypatch):
    calls = []

    def interrupted(pattern, random):
        calls.append(pattern)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return draw(pattern, random)

    monkeypatch.setattr(sources, "draw", interrupted)
    with pytest.raises(KeyboardInterrupt):
        builtin(tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(sources, "draw", draw)
    assert len(builtin(tmp_path, progress=False)[0]) == 30


def test_second_program_does_not_disturb_the_first(tmp_path):
    with whole_folder(tmp_path / "made") as mine:
        (mine / "mine").touch()
        with whole_folder(tmp_path / "made") as other:
            (other / "other").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "other"]


def test_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write .*MINIALEX_CACHE"):
        builtin(tmp_path / "file", progress=False)


def test_full_disk(tmp_path):
    with pytest.raises(UserError, match="No space left on device; make room"):
        with whole_folder(tmp_path / "made"):
            raise OSError(28, os.strerror(28))
    assert list(tmp_path.iterdir()) == []


def test_where_the_cache_is(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIALEX_CACHE", str(tmp_path / "a"))
    assert cache_folder() == tmp_path / "a"
    assert cache_folder(tmp_path / "b") == tmp_path / "b"
    monkeypatch.delenv("MINIALEX_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    assert cache_folder() == tmp_path / "c" / "minialex"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "minialex"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder() == Path.home() / "Library" / "Caches" / "minialex"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "d"))
    assert cache_folder() == tmp_path / "d" / "minialex"


@pytest.mark.long
def test_colour_and_rough_shape_do_not_tell_the_classes_apart(tmp_path):
    """Half the pictures are enough for the score: with all of them it is measured in the same
    way."""
    sources.generate(tmp_path, {"train": 60, "val": 15})
    assert 0.1 < baseline_accuracy(*open_folder(tmp_path)) < 0.5


@pytest.mark.long
@pytest.mark.skipif(not PHOTOGRAPHS.exists(),
                    reason="the twenty classes of photographs are not on this machine")
def test_baseline_is_a_fair_opponent_on_photographs():
    """A baseline that fails everywhere would prove nothing: on real pictures it reaches more than
    half."""
    assert 0.5 < baseline_accuracy(*open_folder(PHOTOGRAPHS)) < 0.65


def test_damaged_cache_says_what_to_do(few, tmp_path):
    builtin(tmp_path, progress=False)
    root = tmp_path / f"builtin-v{sources.VERSION}"
    next(root.glob("train/*/*.jpg")).unlink()
    with pytest.raises(UserError, match=f"fewer than 3: delete {root}, and they are drawn again"):
        builtin(tmp_path, progress=False)


def test_nobodys_home(monkeypatch):
    monkeypatch.setenv("MINIALEX_CACHE", "~nosuchuser/x")
    with pytest.raises(UserError, match="name one in the variable MINIALEX_CACHE"):
        cache_folder()


@pytest.mark.parametrize("terminal", [True, False])
def test_bars_are_for_terminals(few, tmp_path, monkeypatch, capsys, terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    builtin(tmp_path, progress=True)
    assert ("drawing the pictures" in capsys.readouterr().err) == terminal
