"""--model FILE.py:NAME: a network of the user's has everything that AlexNet has, and every mistake
in it is one sentence."""

import json
import shutil
import signal

import numpy as np
import pytest
from small_runs import OPTIONS, Listener

from minialex.cli import evaluate, export, predict, report, summary
from minialex.cli import train as command
from minialex.errors import UserError
from minialex.evaluation import classifier
from minialex.training import Interrupted, callbacks, run
from minialex.training.checkpoint import load

NET = '''
import minialex.functional as F
from minialex import nn


class Net(nn.Sequential):
    input_shape = (3, 48, 48)

    def __init__(self, num_classes):
        super().__init__(first=nn.Conv2d(3, 6, 5, stride=2), relu1=nn.ReLU(), pool1=nn.MaxPool2d(4), flatten=nn.Flatten(),
                         drop=nn.Dropout(0.2), last=nn.Linear(6 * 5 * 5, num_classes))


class Free(nn.Module):
    """Its own forward, grey pictures, no convolution."""
    input_shape = (1, 16, 16)

    def __init__(self, in_channels, num_classes=7):
        assert in_channels == 1
        self.hidden = nn.Linear(256, 20)
        self.last = nn.Linear(20, num_classes)

    def forward(self, x):
        return self.last(F.relu(self.hidden(x.reshape(x.shape[0], -1))))


def made(num_classes):
    return Net(num_classes)


made.input_shape = (3, 48, 48)
'''  # noqa: E501


@pytest.fixture
def no_pictures(monkeypatch):
    """Drawing takes longer than these runs."""
    monkeypatch.setattr(callbacks.Figures, "on_end", lambda self, trainer: None)


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


@pytest.fixture
def own(net, pictures, tmp_path):
    """own("Net", "run", epochs=2, ...) trains a network of net.py; returns (path, Listener)."""
    def start(name, folder, after_step=lambda steps: None, **options):
        listener = Listener(after_step)
        given = {"data": str(pictures), "model": f"{net}:{name}", "batch_size": 8,
                 "device": OPTIONS["device"], "epochs": 1, "out": str(tmp_path / folder)}
        listener.trainer = run({key: value for key, value in (given | options).items()
                                if value is not None}, listener)
        return tmp_path / folder, listener
    return start


def outcome(path):
    return (path / "metrics.csv").read_bytes(), {name: array.tobytes() for name, array in
                                                 load(path / "checkpoint-last.npz").weights.items()}


@pytest.mark.parametrize("name, shape, parameters",
                         [("Net", (3, 54, 54), 909), ("Free", (1, 18, 18), 5203),
                          ("made", (3, 54, 54), 909)])
def test_it_trains_and_everything_can_use_it(own, net, name, shape, parameters, capsys, pictures,
                                             tmp_path, monkeypatch):
    path, listener = own(name, "run", epochs=4)
    net.unlink()  # the run keeps a copy
    assert (f"net.py:{name}: {parameters:,} parameters" in listener.text
            and "a network of your own" in listener.text)
    assert load(path / "checkpoint-last.npz").mean.shape == shape
    config = json.loads((path / "config.json").read_text("utf-8"))
    assert config["settings"]["variant"] == f"net.py:{name}" and (path
                                                                  / "model.py").read_text() == NET
    assert config["settings"]["model"]["file"] == str(net) and len(
        config["settings"]["model"]["sha256"]) == 64
    assert (path / "filters.png").exists() == ("first's kernels"
                                               in listener.text) == (name != "Free")
    assert evaluate.main([str(path), "--device", "cpu"]) == 0
    last = (path / "metrics.csv").read_text().splitlines()[-1].split(",")
    assert f" {float(last[5]):.1%} " in capsys.readouterr().out
    monkeypatch.chdir(tmp_path)
    assert predict.main([str(path), str(pictures / "val" / "leaves" / "00.png")]) == 0
    assert report.main([str(path)]) == 0 and export.main([str(path), str(tmp_path / "x.npz")]) == 0
    capsys.readouterr()
    assert evaluate.main([str(tmp_path / "x.npz"), "--data", str(pictures)]) == 2
    assert "give the folder of its run" in capsys.readouterr().err


def test_a_stopped_run_goes_on_from_its_copy(own, net, tmp_path, no_pictures):
    whole, _ = own("Net", "whole", epochs=3)
    with pytest.raises(Interrupted):
        own("Net", "parts", lambda done: signal.raise_signal(signal.SIGINT) if done == 6 else None,
            epochs=3)
    net.write_text("raise SystemExit('not this one')")
    run({"resume": str(tmp_path / "parts")}, Listener())
    assert outcome(tmp_path / "parts") == outcome(whole)


def test_a_changed_source_is_refused(own, net, tmp_path, no_pictures):
    path, _ = own("Net", "run")
    with pytest.raises(UserError, match="net.py:made is not the network that .*run was "
                       "started with, net.py:Net"):
        run({"resume": str(path), "model": f"{net}:made"}, Listener())
    run({"resume": str(path), "model": f"{net}:Net", "epochs": 2}, Listener())
    shutil.copytree(path, tmp_path / "lost")
    (tmp_path / "lost" / "model.py").unlink()
    with pytest.raises(UserError, match="there is no .*model.py, the program of this network"):
        classifier.load(str(tmp_path / "lost"))
    (path / "model.py").write_text(NET + "\n")
    for use in (lambda: run({"resume": str(path), "epochs": 3}, Listener()),
                lambda: classifier.load(str(path))):
        with pytest.raises(UserError, match="model.py has changed since the run was started"):
            use()


def test_its_own_weights_and_dropout_stay_unless_the_user_says_otherwise(own, no_pictures):
    def first_and_dropout(folder, **options):
        path, listener = own("Net", folder, lr=1e-9, **options)
        return load(path
                    / "checkpoint-last.npz").weights["first.weight"], listener.trainer.model.drop.p

    kept, p = first_and_dropout("kept")
    assert np.abs(kept).max() <= 75 ** -0.5 + 1e-6 and p == 0.2  # PyTorch's uniform numbers
    drawn, p = first_and_dropout("drawn", init="he", dropout=0.4)
    assert np.abs(drawn).max() > 0.2 and p == 0.4


def test_going_on_from_it_freezing_and_the_dry_run(own, pictures, tmp_path):
    source, _ = own("Net", "source", epochs=2)
    path, listener = own("Net", "more", model=None, init=str(source), freeze="conv")
    before, after = (load(folder / "checkpoint-last.npz").weights for folder in (source, path))
    assert (before["first.weight"] == after["first.weight"]).all() and (
        before["last.weight"] != after["last.weight"]).any()
    assert "first to first stay as they are" in " ".join(listener.text.split()) and (
        path / "model.py").read_text() == NET
    _, listener = own("Net", "never", dry_run=True)
    assert "3 steps made" in listener.text and not (tmp_path / "never").exists()
    free, _ = own("Free", "free")
    with pytest.raises(UserError, match="needs networks whose layers follow one another, "
                       ".* net.py:Free has a forward of its"):
        own("Free", "frozen", init=str(free), freeze="hidden")


@pytest.mark.parametrize("source, name, said", [
    (None, "Net", "there is no file .*net.py that --model could use"),
    (NET, "", "it needs a Python file and the name of a network|there is no NAME in .* the "
     "networks Net, Free"),
    (NET, "Nett", "there is no Nett in .*net.py: did you mean Net. "
     "the file has the networks Net, Free."),
    ("x = 3", "x", "x in .*net.py is neither a network nor a function: "
     "the file has no class derived from nn.Module"),
    ("class Net: pass", "Net", "Net in .*net.py is neither a network nor a function"),
    ("x = (", "Net", "net.py, line 1, stops the file from being read: SyntaxError"),
    ("\nimport nothing_of_the_kind", "Net", "net.py, line 2, "
     "stops the file from being read: ModuleNotFoundError"),
    ("raise SystemExit(3)", "Net", "net.py, line 1, stops the file"),
    ("def Net():\n    return 3", "Net", "Net in .*net.py gives a int, not a network"),
    ("from minialex import nn\nclass Net(nn.Module):\n    def __init__(self):\n        1 / 0",
     "Net",
     "Net in .*net.py, line 4, cannot be built: ZeroDivisionError: division by zero."),
    ("from minialex import nn\nclass Net(nn.Module):\n    def forward(self, x):\n        return x",
     "Net",
     "has no parameters, so there is nothing to learn"),
    (NET.replace("6 * 5 * 5", "6 * 5 * 6"), "Net", r"fails on pictures of shape \(2, 3, 48, "
     r"48\): ValueError: .*linear"),
    (NET.replace("5, num_classes", "5, 10"), "Net", r"a Tensor of shape \(2, 10\) for 2 pictures, "
     r"but .* needs a Tensor of shape \(2, 3\)"),
    (NET.replace("(3, 48, 48)", "(3, 48)"), "Net", r"Net.input_shape in .* is \(3, 48\): "
     r"it needs \(channels, height, width\)"),
    (NET.replace("(3, 48, 48)", "(3, 48, 40)"), "Net", "of square pictures"),
])
def test_what_is_no_network_is_a_sentence(net, pictures, tmp_path, capsys, source, name, said):
    import re

    net.unlink() if source is None else net.write_text(source)
    arguments = ["--data", str(pictures), "--device", "cpu", "--out", str(tmp_path / "run")]
    assert command.main([*arguments, "--model", f"{net}:{name}" if name else f"{net}"]) == 2
    error = capsys.readouterr().err
    assert re.search(said, error) and error.count("\n") == 1 and error.endswith(".\n"), error
    assert not (tmp_path / "run").exists()


def test_its_table_is_one_line_for_each_layer_or_one_in_all(net, capsys):
    for name, words in (("Net", ["6×22×22", "pool1", "909"]),
                        ("Free", ["5,203", "found by running it"])):
        assert summary.main([f"{net}:{name}", "--classes", "3"]) == 0
        table = capsys.readouterr().out
        assert all(word in table for word in words), table
    assert summary.main([f"{net}:Nett"]) == 2 and "did you mean Net?" in capsys.readouterr().err


def test_two_networks_are_one_too_many(net, pictures, capsys):
    assert command.main(["--data", str(pictures), "--model", f"{net}:Net", "--variant",
                         "lenet5"]) == 2
    assert "both name a network" in capsys.readouterr().err
