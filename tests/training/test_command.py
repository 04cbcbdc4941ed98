"""python -m minialex.train: every mistake is one line on stderr and status 2; Ctrl-C saves."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from short import first

from minialex.cli import train as command

ROOT = Path(__file__).parents[2]


def start(*arguments, **options):
    return subprocess.Popen([sys.executable, "-m", "minialex.train", *arguments], cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            encoding="utf-8", env=os.environ | {"PYTHONIOENCODING": "utf-8"},
                            **options)


MISTAKES = [
    ("", "no pictures are named: give --data DIR, or --subset for the built-in ones"),
    ("--data nowhere", "there is no folder nowhere"),
    ("--data {file}", "is a file: give the folder"),
    ("--subset many", "the subset 'many' is none of"),
    ("--data {data} --subset", "--subset after --data needs a number of classes"),
    ("--data {data} --subset 9", "asks for 9 classes"),
    ("--data {data} --variant vgg", "unknown variant 'vgg': choose one of paper, caffenet"),
    ("--data {data} --batch-size 0", "--batch-size 0 is not possible: it needs pictures per step, "
     "at least 1"),
    ("--data {data} --batch-size many", "invalid int value: 'many'"),
    ("--data {data} --lr -1", "--lr -1.0 is not possible: it needs a learning rate above 0"),
    ("--data {data} --epochs 0", "--epochs 0 is not possible"),
    ("--data {data} --momentum 1", "--momentum 1.0 is not possible"),
    ("--data {data} --val-fraction 2", "--val-fraction 2.0 is not possible"),
    ("--data {data} --seed -1", "--seed -1 is not possible"),
    ("--data {data} --device tpu", "unknown device 'tpu': choose auto, cpu, cuda or cuda:n"),
    ("--data {data} --schedule slow", "invalid choice: 'slow'"),
    ("--data {data} --out {file}", "because file is a file: choose another with --out"),
    ("--data {data} --out {file}/run", "is a file: choose another with --out"),
    ("--data {data} --variant lenet5 --init {missing}", "there is no file"),
    ("--data {data} --variant lenet5 --init {file}", "in no format known here"),
    ("--data {data} --variant lenet5 --init {unfit}",
     "fits this network: it holds conv1.weight (2, 2)"),
    ("--data {data} --variant lenet5 --freeze conv", "name their weights with --init"),
    ("--resume {missing}", "there is no run"),
    ("--resume {folder}", "holds no run that could go on"),
    ("--resume {file}", "holds no run that could go on"),
    ("--data {data} --save-every often", "it needs minutes or steps"),
    ("--data {data} --save-every 0", "it needs minutes or steps"),
    ("--unknown 3", "unrecognized arguments: --unknown 3 (--help lists the options)"),
    ("{data}", "pictures stand behind --data, and a name with blanks stands in quotes"),
    ("--data my pets", "unrecognized arguments: pets: pictures stand behind --data"),
]


@pytest.mark.parametrize("arguments, words", MISTAKES, ids=[arguments for arguments, _ in MISTAKES])
def test_a_mistake_is_one_line_and_status_2(arguments, words, pictures, tmp_path, monkeypatch,
                                            capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "folder").mkdir()
    np.savez(tmp_path / "unfit.npz", **{"conv1.weight": np.zeros((2, 2), np.float32)})
    places = {"data": str(pictures), "file": "file", "folder": "folder", "missing": "missing.npz",
              "unfit": "unfit.npz"}
    try:
        status = command.main([part.format(**places) for part in arguments.split()])
    except SystemExit as stopped:
        status = stopped.code
    said = capsys.readouterr().err
    assert status == 2 and words in said, said
    assert said.startswith("minialex.train: ") and said.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0,
                    reason="only a user without all rights can be refused a folder")
def test_a_folder_that_cannot_be_written(pictures, tmp_path, capsys):
    (tmp_path / "locked").mkdir(mode=0o500)
    status = command.main(["--data", str(pictures), "--variant", "lenet5", "--out",
                           str(tmp_path / "locked" / "run")])
    assert status == 2 and "may not be written to" in capsys.readouterr().err


def test_help_groups_the_options_and_gives_defaults(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["--help"])
    said = capsys.readouterr().out
    assert stopped.value.code == 0
    places = [said.index(f"\n{group}") for group in ("pictures:", "network:", "training;", "run:")]
    assert places == sorted(places)
    assert len(set(re.findall(r"^  (--[a-z-]+)", said, re.MULTILINE))) >= 20
    assert "(0.005 | 0.01)" in said and "(32 | 128)" in said and max(map(len,
                                                                         said.splitlines())) <= 80


def test_a_real_run_in_a_process_of_its_own(pictures, tmp_path):
    process = start("--data", str(pictures), "--variant", "lenet5", "--epochs", "2", "--batch-size",
                    "8", "--out", str(tmp_path / "run"))
    out, err = process.communicate(timeout=1200)
    assert process.returncode == 0 and err == ""
    assert "sky $5, Äpfel" in out and "2/2" in out and out.count("\r") == 0 and len(
        out.splitlines()) < 40
    assert (tmp_path / "run" / "predictions.png").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")
def test_ctrl_c_saves_and_tells_how_to_go_on(pictures, tmp_path):
    process = start("--data", str(pictures), "--variant", "lenet5", "--epochs", "100000",
                    "--batch-size", "8", "--out", str(tmp_path / "run"))
    for line in process.stdout:
        if line.startswith("  3/"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=1200)
    assert process.returncode == 130
    assert f"python -m minialex.train --resume {tmp_path / 'run'}" in err and err.count("\n") == 1
    assert (tmp_path / "run" / "checkpoint-last.npz").exists()
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) >= 4


@pytest.mark.parametrize("option", ["--out", "--resume", "--data"])
def test_an_empty_name_is_not_the_current_folder(option, pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command.main(["--data", str(pictures), "--variant", "lenet5", option, ""]) == 2
    assert f"{option} is empty" in capsys.readouterr().err and not any(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--out", "--resume"])
def test_a_name_that_no_file_system_takes(option, pictures, tmp_path, capsys):
    status = command.main(["--data", str(pictures), "--variant", "lenet5", option,
                           str(tmp_path / ("x" * 300))])
    said = capsys.readouterr().err
    assert status == 2 and said.count("\n") == 1 and said.startswith("minialex.train: ")


def test_a_refused_folder_is_one_line(pictures, monkeypatch, capsys):
    def refuse(options):
        raise PermissionError(13, "Permission denied", "/closed/config.json")

    monkeypatch.setattr(command, "run", refuse)
    assert command.main(["--data", str(pictures)]) == 2
    assert (capsys.readouterr().err == "minialex.train: cannot use '/closed/config.json': "
            "Permission denied.\n")


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege on Windows")
def test_a_data_folder_that_is_a_link_to_itself_is_one_line(tmp_path, capsys):
    (tmp_path / "loop").symlink_to("loop")
    assert command.main(["--data", str(tmp_path / "loop"), "--variant", "lenet5"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux",
                    reason="only Linux allows file names that are no UTF-8")
def test_pictures_in_a_folder_whose_name_is_no_utf8(pictures, tmp_path):
    root = os.fsencode(tmp_path) + b"/\xff"
    shutil.copytree(pictures, os.fsdecode(root))
    environment = os.environ | {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-m", "minialex.train", "--data", root, "--variant",
                           "lenet5", "--epochs", "1", "--out", tmp_path / "run"], cwd=ROOT,
                          env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    done = subprocess.run([sys.executable, "-m", "minialex.train", "--resume", tmp_path / "run"],
                          cwd=ROOT, env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


needs_shell = pytest.mark.skipif(not os.path.exists("/dev/full"),
                                 reason="written for a shell with /dev/full")
# An unbuffered stdout fails earlier, while something is printed; the usual one fails when it is
# flushed.
SHELL = {"cwd": ROOT, "capture_output": True, "text": True,
         "env": os.environ | {"PYTHONUNBUFFERED": ""}}


@needs_shell
@pytest.mark.parametrize("where, said", first(1, [
    ("| head -2", ""), (">&-", ""), (">/dev/full", "output cannot be written: No space")]))
def test_training_outlives_its_output(where, said, pictures, tmp_path):
    options = f"--data '{pictures}' --variant lenet5 --epochs 2 --out '{tmp_path / 'run'}'"
    line = f"'{sys.executable}' -m minialex.train {options} {where}"
    done = subprocess.run(line, shell=True, **SHELL)
    assert done.returncode == 0 and said in done.stderr and done.stderr.count("\n") == (1 if said
                                                                                        else 0)
    assert (tmp_path / "run" / "predictions.png").exists()


@needs_shell
@pytest.mark.parametrize("module",
                         ["minialex.summary lenet5", "minialex.summary --help", "lessons"])
def test_output_that_cannot_be_written_is_one_line(module):
    run = f"'{sys.executable}' -m {module}"
    full = subprocess.run(f"{run} >/dev/full", shell=True, **SHELL)
    name = module.split()[0]
    assert (full.returncode, full.stderr) == (2, f"{name}: the output cannot be written: "
                                              "No space left on device.\n")
    closed = subprocess.run(f"{run} >&-", shell=True, **SHELL)
    assert closed.returncode == 0 and "Traceback" not in closed.stderr
    pipe = subprocess.run(f"({run}; echo $? >&2) | true", shell=True, **SHELL)
    assert pipe.stderr in ("141\n", "0\n")
