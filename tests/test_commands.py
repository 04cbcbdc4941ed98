"""`minialex COMMAND`: one list, one way in, and every command behind it."""
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from minialex.__main__ import COMMANDS, main

ROOT = Path(__file__).resolve().parents[1]


def minialex(*arguments):
    return subprocess.run([sys.executable, "-m", "minialex", *arguments], capture_output=True, encoding="utf-8", check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"})


def test_without_a_command_all_are_listed():
    done = minialex()
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")] == list(COMMANDS)
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_the_module_of_that_name(name, capsys):
    module = importlib.import_module(f"minialex.{name}" + ".__main__" * (name == "gradcheck"))
    for run in (lambda: main([name, "--help"]), lambda: module.main(["--help"])):
        with pytest.raises(SystemExit) as ended:
            run()
        assert ended.value.code == 0
    own = capsys.readouterr().out
    assert own[:len(own) // 2] == own[len(own) // 2:] and len(own) > 400


def test_a_slip_of_the_pen_is_told():
    done = minialex("tarin", "--subset")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "minialex: there is no command 'tarin': did you mean train?\n"
    assert "choose one of train, evaluate" in minialex("xyz").stderr


def test_the_status_of_the_command_is_the_programs():
    done = minialex("summary", "nothing")
    assert done.returncode == 2 and done.stderr.startswith("minialex.summary: unknown variant 'nothing'")
    assert "60,965,224" in minialex("summary", "paper").stdout


def test_the_installed_program_is_this_one():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'minialex = "minialex.__main__:run"' in text
    assert main(["--version"]) == 0
