"""Two programs and one run's folder: whoever comes second is told, whenever that is."""

import json
import threading

import pytest
from small_runs import OPTIONS, Listener

from minialex.errors import UserError
from minialex.training import run, run_dir, setup
from minialex.utils.files import held

BUSY = "another program is training in"


@pytest.fixture
def begun(pictures):
    return setup.new(OPTIONS | {"data": str(pictures)}, progress=False)


def test_two_that_begin_while_neither_has_written_anything(begun, tmp_path):
    """Between choosing the folder and beginning the run lies the reading of all pictures."""
    first, second, third = (run_dir.new(str(tmp_path / "run"), "x") for _ in range(3))
    first.begin(begun, "cpu")
    with pytest.raises(UserError, match=BUSY):
        second.begin(begun, "the second one's")
    assert json.loads(first.config.read_text("utf-8"))["device"] == "cpu"
    first.last.write_bytes(b"a checkpoint")
    first.release()
    with pytest.raises(UserError, match="holds a run already: go on with --resume"):
        third.begin(begun, "the third one's")
    assert json.loads(first.config.read_text("utf-8"))["device"] == "cpu"


def test_one_that_has_begun_and_was_killed_begins_again(begun, tmp_path):
    run_dir.new(str(tmp_path / "run"), "x").begin(begun, "cpu")  # its lock goes with it
    again = run_dir.new(str(tmp_path / "run"), "x")
    again.begin(begun, "cpu")
    with pytest.raises(UserError, match=BUSY):
        run_dir.new(str(tmp_path / "run"), "x")


def test_the_lock_is_never_away_while_the_settings_are_replaced(begun, tmp_path, monkeypatch):
    ours, theirs = (run_dir.RunFolder(tmp_path / "run") for _ in range(2))
    ours.begin(begun, "cpu")
    write, asking = run_dir.RunFolder.write_config, []

    def meanwhile(self, settings):
        asking.append(threading.Thread(target=lambda: heard.append(theirs.lock())))
        asking[0].start()
        asking[0].join(0.2)
        write(self, settings)

    heard = []
    monkeypatch.setattr(run_dir.RunFolder, "write_config", meanwhile)
    ours.go_on(begun._replace(config=begun.config.__class__(**(begun.config.settings()
                                                             | {"epochs": 99}))), "cpu")
    asking[0].join(10)
    assert heard == [False] and not theirs.lock()


def test_who_comes_later_waits_for_a_folder_that_is_held(tmp_path):
    order = []

    def late():
        with held(tmp_path):
            order.append("late")

    thread = threading.Thread(target=late)
    with held(tmp_path):
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "late"]
    with held(tmp_path / "not there"):
        pass


def test_the_name_of_the_latest_run_is_a_help_and_no_need(pictures, tmp_path, monkeypatch):
    """runs/ may belong to somebody else, and only RUN be one's own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / run_dir.LATEST).mkdir(parents=True)
    run(OPTIONS | {"data": str(pictures), "epochs": 1, "out": "runs/mine"}, Listener())
    assert (tmp_path / "runs/mine/report.html").exists()
