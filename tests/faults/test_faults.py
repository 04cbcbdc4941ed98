"""The fast part of `python -m tests.faults`, and proof that its traps and its comparison would show
a fault."""

import os
import pickle
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix",
                                reason="the victims are forked and killed as POSIX has it")


@pytest.mark.long
def test_the_fast_part():
    import suite
    from outcome import table

    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # a victim runs as another user
        outcomes = list(suite.everything(Path(folder), fast=True))
    assert not any(outcome.wrong for outcome in outcomes), table(outcomes)
    assert sum(outcome.tried for outcome in outcomes) > 100


def test_the_traps_work(tmp_path):
    """An ordinary reader falls into each of them."""
    import pickles

    mark = tmp_path / "it-ran"
    for name, content in pickles.traps(mark):
        loaded = pickle.loads(pickle.dumps(content, 2))
        if isinstance(loaded, subprocess.Popen):
            loaded.wait()
        if hasattr(loaded, "close"):
            loaded.close()
        for _ in range(12_000):  # ten minutes: a busy machine starts programs late
            if mark.exists():
                break
            time.sleep(0.05)
        assert mark.exists(), name
        mark.unlink()


def test_a_run_that_went_another_way_is_seen(tmp_path):
    import runs
    from victim import Victim

    with Victim() as victim:
        world = runs.World(tmp_path, victim)
        copy = shutil.copytree(world.whole, tmp_path / "copy")
        assert world.difference(copy) == ""
        (copy / "metrics.csv").write_bytes((copy / "metrics.csv").read_bytes().replace(b"0.05",
                                                                                       b"0.06"))
        (copy / ".minialex-0123-4567.tmp").write_bytes(b"half")
        assert world.difference(copy) == "metrics.csv, .minialex-0123-4567.tmp"
        other = tmp_path / "other"
        assert victim.run([*world.begin(other), "--seed", "1"], world.log) == 0
        assert "last weight conv1.weight" in world.difference(other)
