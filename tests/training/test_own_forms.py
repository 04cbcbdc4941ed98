"""The forms in which people write a network of their own: each trains and is the same afterwards,
or is refused in one sentence."""

import sys

import numpy as np
import pytest
from small_runs import OPTIONS, Listener

from minialex import own_model
from minialex.cli import train as command
from minialex.errors import UserError
from minialex.evaluation import classifier
from minialex.training import callbacks, run
from minialex.training.checkpoint import load

HEAD = '''
import random
import numpy as np
import minialex as ma
import minialex.functional as F
from minialex import nn

class Net(nn.Module):
    input_shape = (3, 16, 16)
'''
INIT = '''
    def __init__(self, num_classes):
        self.conv = nn.Conv2d(3, 4, 5, stride=2)
        self.last = nn.Linear(144, num_classes)
'''
FORWARD = '''
    def forward(self, x):
        x = F.relu(self.conv(x))
        return self.last(x.reshape(x.shape[0], -1))
'''


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    monkeypatch.setattr(callbacks.Figures, "on_end", lambda self, trainer: None)


@pytest.fixture
def own(pictures, tmp_path):
    """own(source, "run", ...) trains the network Net of this source; returns (folder, Listener)."""
    def start(source, folder="run", **options):
        (tmp_path / "net.py").write_text(source)
        listener = Listener()
        given = {"data": str(pictures), "model": f"{tmp_path / 'net.py'}:Net", "batch_size": 8,
                 "device": OPTIONS["device"], "epochs": 2, "schedule": "constant",
                 "out": str(tmp_path / folder)}
        run(given | options, listener)
        return tmp_path / folder, listener
    return start


def said_by(source, pictures, tmp_path, capsys):
    """What the command says of a network that it refuses."""
    (tmp_path / "net.py").write_text(source)
    assert command.main(["--data", str(pictures), "--device", "cpu", "--epochs", "1", "--model",
                         f"{tmp_path / 'net.py'}:Net", "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.endswith(".\n"), error
    return error


def weights_of(folder):
    return {name: array.tobytes() for name, array in load(folder / "checkpoint-last.npz")
            .weights.items()}


SHARED = {
    "a layer under two names": '''
    def __init__(self, num_classes):
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.again = self.conv
        self.last = nn.Linear(768, num_classes)

    def forward(self, x):
        x = self.again(F.relu(self.conv(x)))
        return self.last(x.reshape(x.shape[0], -1))
''',
    "a weight of two layers": '''
    def __init__(self, num_classes):
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.again = nn.Conv2d(3, 3, 3, padding=1)
        self.again.weight = self.conv.weight
        self.last = nn.Linear(768, num_classes)

    def forward(self, x):
        x = self.again(F.relu(self.conv(x)))
        return self.last(x.reshape(x.shape[0], -1))
''',
    "a part that stays": INIT + '''
        self.conv.weight.requires_grad = False
''' + FORWARD,
}


@pytest.mark.parametrize("what", SHARED)
def test_parameters_of_two_names_and_of_none_that_learn_go_on(own, tmp_path, what):
    whole, _ = own(HEAD + SHARED[what], "whole")
    part, _ = own(HEAD + SHARED[what], "part", epochs=1)
    begun = load(part / "checkpoint-last.npz").weights["conv.weight"]
    run({"resume": str(part), "epochs": 2}, Listener())
    assert weights_of(part) == weights_of(whole)
    stays = "stays" in what
    assert (begun.tobytes() == weights_of(part)["conv.weight"]) == stays


@pytest.mark.parametrize("what, source, said", [
    ("an array", INIT + FORWARD + "        .data", r"gives a ndarray for 2 pictures"),
    ("no gradient", INIT + '''
    def forward(self, x):
        x = F.relu(self.conv(x))
        return ma.Tensor(self.last(x.reshape(x.shape[0], -1)).data)
''', "no gradient reaches a parameter"),
    ("nothing learns", INIT + '''
        for parameter in self.parameters():
            parameter.requires_grad = False
''' + FORWARD, "nothing to learn"),
    ("one picture", INIT + FORWARD.replace("return ", "y = ") + '''
        return y.reshape(*[n for n in y.shape if n > 1])
''', r"a Tensor of shape \(3,\) for 1 picture, but"),
    ("fails as it trains", INIT + FORWARD.replace("x = F", "assert not self.training, 'a \\n b'\n"
                                                  "        x = F"),
     r"net.py, line 16, fails: AssertionError: a b"),
    ("exits", INIT.replace("self.conv =", "raise SystemExit('bye')\n        self.conv =") + FORWARD,
     r"net.py, line 12, cannot be built: SystemExit: bye"),
    ("arguments of other names", INIT.replace("num_classes", "classes, width") + FORWARD,
     r"'classes': it is called with num_classes= and in_channels= alone"),
    ("a size too late", INIT + "        self.input_shape = (3, 20, 20)\n" + FORWARD,
     "let it stand in the class"),
    ("drawn anew", INIT + "        self.fixed = np.random.default_rng().random(4)\n" + FORWARD,
     "draws fixed anew each time it is built"),
    ("drawn anew below", INIT + "        self.conv.fixed = ma.Tensor(nn._uniform((4,), 4))\n"
     + FORWARD, "draws conv.fixed anew each time it is built"),
], ids=lambda value: None if len(value) > 40 else value)
def test_what_cannot_be_trained_or_kept_is_one_sentence(pictures, tmp_path, capsys, what, source,
                                                        said):
    import re

    source = HEAD + source.replace("-1))\n        .data", "-1)).data")
    error = said_by(source, pictures, tmp_path, capsys)
    assert re.search(said, error), error


def test_a_network_in_place_of_its_class(pictures, tmp_path, capsys):
    made = (HEAD + INIT + FORWARD).replace("class Net(", "class Made(") + "\nNet = Made(3)"
    error = said_by(made, pictures, tmp_path, capsys)
    assert "Net in" in error and "is a network already: name its class" in error


@pytest.mark.parametrize("signature", ["**options", "*, num_classes", "num_classes=7, width=4",
                                       "*arguments, **options", "num_classes, in_channels"])
def test_any_signature_that_can_take_the_number_of_classes(tmp_path, signature):
    count = "options['num_classes']" if "**" in signature else "num_classes"
    source = INIT.replace("self, num_classes", f"self, {signature}").replace("144, num_classes",
                                                                             f"144, {count}")
    (tmp_path / "net.py").write_text(HEAD + source + FORWARD)
    assert own_model.read(f"{tmp_path / 'net.py'}:Net").build(5).last.weight.shape == (5, 144)


STATISTICS = INIT + '''
        self.running = {}
''' + FORWARD.replace("x = F.relu(self.conv(x))", '''x = self.conv(x)
        if self.training:
            mean = 0.9 * {} + 0.1 * x.data.mean((0, 2, 3))
            {} = mean
        x = F.relu(x - ma.Tensor({}[None, :, None, None]))''')


def test_an_array_that_changes_and_is_not_saved_is_told_once(own):
    plain = ["np.zeros(4, 'f4')", *["self.running"] * 3]
    _, listener = own(HEAD + STATISTICS.format(*plain))
    assert listener.text.count("running of net.py:Net changes while it trains") == 1
    kept = ["nn.Parameter(np.zeros(4, 'f4'))\n        self.running.requires_grad = False",
            *["self.running.data"] * 3]
    folder, listener = own(HEAD + STATISTICS.format(*kept), "kept")
    assert "changes while it trains" not in listener.text
    running = classifier.load(str(folder)).model.running.data
    assert running.any() and running.tobytes() == weights_of(folder)["running"]


def test_what_it_draws_from_numpy_while_it_is_built_follows_from_the_seed(own):
    drawn = INIT + '''
        self.last.weight.data[:] = np.random.randn(num_classes, 144) * 0.1
        self.last.bias.data[:] = random.random()
        self.fixed = np.random.randn(4)
''' + FORWARD
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    outcomes = [weights_of(own(HEAD + drawn, f"run{n}", seed=seed)[0])
                for n, seed in enumerate((1, 1, 2))]
    assert outcomes[0] == outcomes[1] and outcomes[0]["last.bias"] != outcomes[2]["last.bias"]
    assert (np.random.get_state()[1] == before).all()


def test_a_file_beside_it_is_told(own, tmp_path, monkeypatch):
    (tmp_path / "beside_my_net.py").write_text("WIDTH = 4\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "beside_my_net", raising=False)
    _, listener = own("from beside_my_net import WIDTH\n" + HEAD + INIT + FORWARD)
    said = " ".join(listener.text.split())
    assert "net.py uses " in said and "beside_my_net.py, of which the run keeps no copy" in said
    with pytest.raises(UserError, match="No module named 'beside_my_not'"):
        own("import beside_my_not\n" + HEAD + INIT + FORWARD, "other")
