"""What people bring: situations from public reports, each with the outcome that its reporter
expected.

A module for each kind. Their inputs are small and made here.
"""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

from cases import TRAIN, command  # noqa: E402
from small_runs import leave_blank, write_pictures  # noqa: E402


@pytest.fixture
def blank_pictures(monkeypatch):
    leave_blank(monkeypatch)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder with 12 training and 5 validation pictures of each of three classes."""
    return write_pictures(tmp_path_factory.mktemp("reports") / "pictures", {"train": 12, "val": 5})


@pytest.fixture(scope="session")
def flat(tmp_path_factory):
    """A folder of three class folders with 10 pictures each, without train/ and val/."""
    return write_pictures(tmp_path_factory.mktemp("reports") / "flat", {".": 10})


@pytest.fixture(scope="session")
def tiny_run(pictures, tmp_path_factory):
    """The folder of a finished run of one epoch on `pictures`."""
    folder = tmp_path_factory.mktemp("reports") / "run"
    done = command(*TRAIN, "--data", pictures, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder
