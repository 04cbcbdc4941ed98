"""Pictures and runs that tests share."""

import pytest
from small_runs import OPTIONS, Listener, leave_blank, write_pictures

from minialex.training import run


@pytest.fixture(scope="session", autouse=True)
def on_the_device(computes_on):
    """`--device cuda`: the runs of these tests train there."""
    OPTIONS["device"] = computes_on


@pytest.fixture(autouse=True)
def blank_pictures(request, monkeypatch):
    """Only a test marked `drawn` draws the pictures of its runs; the shared ones are drawn."""
    if not request.node.get_closest_marker("drawn"):
        leave_blank(monkeypatch)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder with 12 training and 5 validation pictures of each class."""
    return write_pictures(tmp_path_factory.mktemp("pictures"), {"train": 12, "val": 5})


@pytest.fixture
def train(pictures, tmp_path):
    """train("name", epochs=3, ...) trains LeNet-5 on the pictures in the folder tmp_path/name;
    returns (path, Listener)."""

    def start(name, after_step=lambda steps: None, **options):
        listener = Listener(after_step)
        run(OPTIONS | {"data": str(pictures), "out": str(tmp_path / name)} | options, listener)
        return tmp_path / name, listener

    return start


@pytest.fixture(scope="session")
def finished(pictures, tmp_path_factory):
    """The folder of a run of four epochs, and what was printed."""
    path, listener = tmp_path_factory.mktemp("finished") / "run", Listener()
    run(OPTIONS | {"data": str(pictures), "epochs": 4, "out": str(path)}, listener)
    return path, listener
