"""A small run of LeNet-5, whose pictures are larger than what it looks at."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))
from small_runs import OPTIONS, Listener, write_pictures  # noqa: E402

from minialex.training import run  # noqa: E402


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    root = tmp_path_factory.mktemp("explored")
    pictures = write_pictures(root / "pictures", {"train": 6, "val": 7})
    run(OPTIONS | {"data": str(pictures), "epochs": 1, "out": str(root / "run")}, Listener())
    return root / "run"
