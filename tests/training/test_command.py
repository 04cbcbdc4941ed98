"""python -m minialex.train: every mistake is one line on stderr and status 2; Ctrl-C saves."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minialex import train as command

ROOT = Path(__file__).parents[2]


def start(*arguments, **options):
    return subprocess.Popen([sys.executable, "-m", "minialex.train", *arguments], cwd=ROOT, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, encoding="utf-8",
                            env=os.environ | {"PYTHONIOENCODING": "utf-8"}, **options)


MISTAKES = [
    ("", "no pictures are named: give --data DIR, or --subset for the built-in ones"),
    ("--data nowhere", "there is no folder nowhere"),
    ("--data {file}", "is a file: give the folder"),
    ("--subset many", "the subset 'many' is none of"),
    ("--data {data} --subset", "--subset after --data needs a number of classes"),
    ("--data {data} --subset 9", "asks for 9 classes"),
    ("--data {data} --variant vgg", "unknown variant 'vgg': choose one of paper, caffenet"),
    ("--data {data} --batch-size 0", "--batch-size 0 is not possible: it needs pictures per step, at least 1"),
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
    ("--data {data} --variant lenet5 --init {file}", "cannot read"),
    ("--data {data} --variant lenet5 --init {unfit}", "fits this network: it holds conv1.weight (2, 2)"),
    ("--resume {missing}", "there is no run"),
    ("--resume {folder}", "holds no checkpoint-last.npz"),
    ("--unknown 3", "unrecognized arguments: --unknown 3 (--help lists the options)"),
]


@pytest.mark.parametrize("arguments, words", MISTAKES, ids=[arguments for arguments, _ in MISTAKES])
def test_a_mistake_is_one_line_and_status_2(arguments, words, pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "folder").mkdir()
    np.savez(tmp_path / "unfit.npz", **{"conv1.weight": np.zeros((2, 2), np.float32)})
    places = {"data": str(pictures), "file": "file", "folder": "folder", "missing": "missing.npz", "unfit": "unfit.npz"}
    try:
        status = command.main([part.format(**places) for part in arguments.split()])
    except SystemExit as stopped:
        status = stopped.code
    said = capsys.readouterr().err
    assert status == 2 and words in said, said
    assert said.startswith("minialex.train: ") and said.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="only a user without all rights can be refused a folder")
def test_a_folder_that_cannot_be_written(pictures, tmp_path, capsys):
    (tmp_path / "locked").mkdir(mode=0o500)
    status = command.main(["--data", str(pictures), "--variant", "lenet5", "--out", str(tmp_path / "locked" / "run")])
    assert status == 2 and "may not be written to" in capsys.readouterr().err


def test_help_groups_the_options_and_gives_defaults(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["--help"])
    said = capsys.readouterr().out
    assert stopped.value.code == 0
    places = [said.index(f"\n{group}") for group in ("pictures:", "network:", "training;", "run:")]
    assert places == sorted(places)
    assert len(set(re.findall(r"^  (--[a-z-]+)", said, re.MULTILINE))) >= 20
    assert "(0.005 | 0.01)" in said and "(32 | 128)" in said and max(map(len, said.splitlines())) <= 110


def test_a_real_run_in_a_process_of_its_own(pictures, tmp_path):
    process = start("--data", str(pictures), "--variant", "lenet5", "--epochs", "2", "--batch-size", "8", "--out",
                    str(tmp_path / "run"))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and err == ""
    assert "sky $5, Äpfel" in out and "2/2" in out and out.count("\r") == 0 and len(out.splitlines()) < 40
    assert (tmp_path / "run" / "predictions.png").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")
def test_ctrl_c_saves_and_tells_how_to_go_on(pictures, tmp_path):
    process = start("--data", str(pictures), "--variant", "lenet5", "--epochs", "100000", "--batch-size", "8", "--out",
                    str(tmp_path / "run"))
    for line in process.stdout:
        if line.startswith("  3/"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"python -m minialex.train --resume {tmp_path / 'run'}" in err and err.count("\n") == 1
    assert (tmp_path / "run" / "checkpoint-last.npz").exists()
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) >= 4
