"""A small run of LeNet-5 and its pictures."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))
from small_runs import OPTIONS, Listener, leave_blank, write_pictures  # noqa: E402

from minialex.training import run  # noqa: E402


@pytest.fixture
def blank_pictures(monkeypatch):
    leave_blank(monkeypatch)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("pictures"), {"train": 12, "val": 5})


@pytest.fixture(scope="session")
def runs(pictures, tmp_path_factory):
    """Two finished runs of other seeds, the second with another learning rate."""
    root = tmp_path_factory.mktemp("runs")
    for name, options in (("one", {}), ("two", {"seed": 1, "lr": 0.02})):
        run(OPTIONS | {"data": str(pictures), "epochs": 2, "out": str(root / name)} | options,
            Listener())
    return [root / "one", root / "two"]
