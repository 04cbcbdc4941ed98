"""`python -m pytest --device cuda` runs the suite on a GPU, `--device standin` on the strict
stand-in for one (tests/gpu).

There, every operation that a test calls is computed on the device and compared with whatever the
test compares it with: finite differences, PyTorch, numbers by hand (on_device.py). The tests of
tests/gpu, and those with a `device` fixture, keep their arrays on the device all the way.
"""
import gc
import os
import re
import sys
import zlib
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import short  # noqa: E402 (it stands in this folder)

ABOUT_THE_CPU = {  # files and tests whose operations stay on the CPU, and why
    "fast": "threads, memory that is used again and its order, the CPU's plans of a convolution",
    "test_the_gradient_of_the_image_is_not_computed": "it breaks one of the CPU's kernels on "
                                                      "purpose",
    "test_outside_the_block_nobody_watches": "it looks at the list of observers, and on_device.py "
                                             "is one",
    "test_everything_is_as_it_was": "the same",
}
LONGEST = ("faults", "test_teaching.py", "test_notebooks.py", "grader", "students", "training",
           "parallel", "reports", "evaluation", "explore", "browser", "gpu", "weights",
           "test_my_engine.py", "test_gallery.py", "test_labs.py", "test_floors.py",
           "test_predictions.py", "test_lessons.py")  # they begin, so that none is left alone


def pytest_addoption(parser):
    parser.addoption("--device", default="cpu", metavar="cpu|cuda[:n]|standin",
                     help="where the tests compute (default: cpu)")
    parser.addoption("--all", action="store_true", help="also the tests marked long: many seeds, "
                     "real sizes, every notebook")
    parser.addoption("--part", default="0/1", metavar="K/N", help="with --all: part K of N of the "
                     "tests marked long (default: all of them)")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Spread the whole suite over the cores where pytest-xdist is installed. `-n 0`
    runs it in one process, `-n 8` in eight."""
    options = config.option
    if not hasattr(options, "numprocesses") or hasattr(config, "workerinput"):
        return
    if (options.numprocesses is None and config.args_source == config.ArgsSource.TESTPATHS
        and not options.usepdb):
        options.numprocesses = min(os.cpu_count() or 1, 4)
    if options.numprocesses and options.dist == "no":
        options.dist, options.loadscopereorder = "loadfile", False


def together(nodeid):
    """What one process runs, since its tests share what was made for them: a file; of one that goes
    through the course, a lesson."""
    lesson = re.search(r"\[\d\d_[a-z_]+", nodeid)
    return nodeid.partition("::")[0] + (lesson[0] if lesson else "")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out what belongs together, in the order of `pytest_collection_modifyitems`."""
    if config.option.dist != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling
    scheduler = LoadFileScheduling(config, log)
    scheduler._split_scope = together
    return scheduler


def pytest_configure(config):
    short.chosen["all"] = config.getoption("--all")


def pytest_collection_modifyitems(config, items):
    """Leave out what is marked long, unless --all is given, or its name. In several processes, the
    longest begin."""
    long = [item for item in items if item.get_closest_marker("long")]
    if long and not config.getoption("--all") and not any("::" in argument
                                                          for argument in config.args):
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
    part, parts = map(int, config.getoption("--part").split("/"))
    others = [item for item in long if zlib.crc32(item.nodeid.encode()) % parts != part]
    if others and config.getoption("--all"):
        items[:] = [item for item in items if item not in set(others)]
        config.hook.pytest_deselected(items=others)
    if hasattr(config, "workerinput"):
        sizes = Counter(together(item.nodeid) for item in items)
        items.sort(key=lambda item: (item.path.relative_to(HERE).parts[0] not in LONGEST,
                                     -sizes[together(item.nodeid)], together(item.nodeid)))


def pytest_collection_finish():
    """What has been collected lives to the end: no search for garbage walks over it, a tenth of a
    second each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def computes_on(request):
    """The device that operations are computed on, "cpu" or "cuda:n". Ends the run when that device
    cannot compute."""
    from minialex.device import resolve_device
    from minialex.errors import UserError
    name = request.config.getoption("--device")
    with pytest.MonkeyPatch.context() as patch:
        if name == "standin":
            sys.path.insert(0, str(HERE / "gpu"))
            import standin
            cupy = standin.install(patch)
        try:
            chosen = resolve_device("cuda" if name == "standin" else name).name
        except UserError as error:
            pytest.exit(str(error), returncode=2)
        yield chosen
        if name == "standin":
            assert not standin.unknown_to_cupy(cupy.state.names), "CuPy lacks what the stand-in has"


@pytest.fixture(scope="session")
def device(request, computes_on):
    """The name of the device under test, "cpu" or "cuda:n". (Where there is none, tests/gpu bring
    their own stand-in.)"""
    return "cpu" if request.config.getoption("--device") == "standin" else computes_on


@pytest.fixture
def weights_without_random_numbers(monkeypatch):
    """Shapes do not depend on weights, and 60 million normal deviates take a second."""
    import numpy as np

    from minialex import models, nn
    monkeypatch.setattr(models, "initialise", lambda model, how: model)
    monkeypatch.setattr(nn, "_uniform", lambda shape, fan_in: np.broadcast_to(np.float32(0), shape))


@pytest.fixture(autouse=True)
def operations_on_the_device(request):
    """Let the operations of this test be computed on the device that --device names."""
    part = request.path.relative_to(HERE).parts[0]
    stays = part in ("gpu", "data", *ABOUT_THE_CPU) or request.node.originalname in ABOUT_THE_CPU
    if request.config.getoption("--device") == "cpu" or stays:
        yield
        return
    from on_device import operations_on
    with operations_on(request.getfixturevalue("computes_on")):
        yield
