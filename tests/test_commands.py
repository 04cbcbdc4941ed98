"""`minialex COMMAND`: one list, one way in, and every command behind it."""
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minialex import cli
from minialex.__main__ import COMMANDS, main
from minialex.errors import UserError

ROOT = Path(__file__).resolve().parents[1]


def minialex(*arguments):
    return subprocess.run([sys.executable, "-m", "minialex", *arguments],
                          capture_output=True, encoding="utf-8", check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"})


def test_without_a_command_all_are_listed():
    done = minialex()
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()
            if line.startswith("  ")] == list(COMMANDS)
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", [name for name in COMMANDS
                                  if importlib.util.find_spec(f"minialex.{name}")])
def test_an_older_spelling_is_the_same_command(name, capsys):
    module = importlib.import_module(f"minialex.{name}"
                                     + ".__main__" * (ROOT / "minialex" / name).is_dir())
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
    assert done.returncode == 2 and done.stderr.startswith("minialex.summary: "
                                                           "unknown variant 'nothing'")
    assert "145,856" in minialex("summary", "lenet5").stdout


@pytest.mark.parametrize("name, line, has_data", [
    ("train", "--data a b", True), ("summary", "lenet5 extra", False),
    ("compare", "a --out b c", False), ("explore", "lenet5 a.html b", False)])
def test_a_word_too_many_is_told_of_options_that_the_command_has(name, line, has_data, capsys):
    assert main([name, *line.split()]) == 2
    said = capsys.readouterr().err
    assert "a name with blanks stands in quotes (--help lists" in said
    assert ("--data, and" in said) is has_data


def test_the_installed_program_is_this_one():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'minialex = "minialex.__main__:run"' in text
    assert main(["--version"]) == 0


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_80_columns_and_begins_with_examples(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["/x/minialex/__main__.py"])
    monkeypatch.setenv("COLUMNS", "80")  # as where there is no terminal
    with pytest.raises(SystemExit) as ended:
        sys.exit(main([*name.split(), "--help"]))
    said, error = capsys.readouterr()
    assert (ended.value.code, error) == (0, "")
    assert all(len(line) <= 80 for line in said.splitlines())
    if name:
        places = [said.index(f"\n{what}")
                  for what in (f"  minialex {name}", "options:", "exit status: 0 ")]
        assert places == sorted(places)
        assert said.startswith(f"usage: python -m minialex {name} ")


@pytest.mark.parametrize("program, shown",
                         [("/usr/bin/minialex", "minialex train"),
                          ("minialex.exe", "minialex train"),
                          ("/x/minialex/__main__.py", "python -m minialex train"),
                          ("/x/minialex/train.py", "python -m minialex.train"),
                          ("/x/minialex/gradcheck/__main__.py", "python -m minialex.train"),
                          ("/x/pytest/__main__.py", "minialex train"), ("", "minialex train")])
def test_the_usage_line_shows_what_was_typed(monkeypatch, program, shown):
    monkeypatch.setattr(sys, "argv", [program])
    assert cli.typed("train") == shown


def test_help_is_quick(tmp_path):
    """Nobody waits for matplotlib to read a list."""
    code = ("import sys; sys.argv[1:] = {}; from minialex.__main__ import run\ntry: "
            "run()\nexcept SystemExit: pass\nassert 'matplotlib' not in sys.modules")
    for arguments in (["--help"], ["train", "--help"], ["predict", "--help"]):
        done = subprocess.run([sys.executable, "-c", code.format(arguments)], capture_output=True,
                              encoding="utf-8", check=False,
                              env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("problem, status, said", [
    (UserError("no such thing"), 2, "no such thing."),
    (UserError("did you mean x?"), 2, "did you mean x?"),
    (FileNotFoundError(2, "No such file", "a.txt"), 2, "cannot use 'a.txt': No such file."),
    (OSError("odd"), 2, None), (MemoryError("1 GB"), 2, "the memory is too small: 1 GB."),
    (KeyboardInterrupt(), 130, "stopped."), (BrokenPipeError(), 141, "")])
def test_every_way_to_fail_is_one_line_and_a_status(capsys, problem, status, said):
    def work(options):
        raise problem

    assert cli.Command("evaluate", "", "", work, {})([]) == status
    told = capsys.readouterr().err
    assert told == (said and f"minialex.evaluate: {said}\n") if said is not None else told.count(
        "\n") == 1


INSTALLED = "import sys\nfrom minialex.__main__ import run\nsys.exit(run())\n"  # as pip writes it


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C as a signal")
@pytest.mark.parametrize("command", [
    "-m minialex.train --subset", "-m minialex train --subset", "-m minialex.gradcheck",
    "PROGRAM train --subset"])
def test_ctrl_c_while_a_command_is_imported_ends_it_quietly(command, tmp_path):
    """From the moment when Python has come to our first line: the first of our modules is there."""
    (tmp_path / "minialex").write_text(INSTALLED, encoding="utf-8")
    arguments = [sys.executable, "-X", "importtime", *command.split()]
    arguments = [str(tmp_path / "minialex") if one == "PROGRAM" else one for one in arguments]
    for seconds in (0, 0.05, 0.1, 0.2, 0.3):
        process = subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, encoding="utf-8",
                                   env={**os.environ, "PYTHONPATH": str(ROOT)})
        while "minialex.errors" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        assert (process.returncode, "Traceback" in said) == (130, False), said[-2000:]


def test_a_program_that_imports_minialex_keeps_its_ctrl_c():
    code = "import signal, minialex\nprint(signal.getsignal(2) is signal.default_int_handler)"
    done = subprocess.run([sys.executable, "-c", code, "minialex"], capture_output=True,
                          encoding="utf-8", env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stdout == "True\n"


def completed(line, tmp_path):
    """What the shell is offered after a Tab at the end of this line: argcomplete's protocol."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "_ARGCOMPLETE": "1",
                   "_ARGCOMPLETE_IFS": "\n", "COMP_LINE": line, "COMP_POINT": str(len(line)),
                   "_ARGCOMPLETE_COMP_WORDBREAKS": " \t\n", "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
                   "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "offered")}
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "minialex"],
                          capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "matplotlib" not in done.stderr
    return (tmp_path / "offered").read_text("utf-8").split()


@pytest.mark.parametrize("line, offered",
                         [("minialex ", [*COMMANDS, "-h", "--help"]), ("minialex tr", ["train"]),
                          ("minialex train --sch", ["--schedule"]),
                          ("minialex train --schedule l", ["linear"]),
                          ("minialex evaluate run --part t", ["train", "test"]),
                          ("minialex predict run --pa", ["--patches"]),
                          ("minialex gradcheck --mean", ["--mean-over-examples"])])
def test_the_shell_completes_commands_options_and_choices(tmp_path, line, offered):
    pytest.importorskip("argcomplete")
    assert sorted(completed(line, tmp_path)) == sorted(offered)


def test_without_argcomplete_nothing_is_different(tmp_path):
    (tmp_path / "argcomplete.py").write_text("raise ImportError")
    done = subprocess.run([sys.executable, "-m", "minialex", "--version"],
                          capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
                               "_ARGCOMPLETE": "1"})
    assert done.returncode == 0 and done.stdout.startswith("minialex ")
