"""`ma.record()` tells what happened, and changes nothing of it."""
import gc
import json
import re
import threading
import weakref
from contextlib import nullcontext

import numpy as np
import pytest

import minialex as ma
import minialex.functional as F
from minialex import models, nn, tensor
from minialex.errors import UserError
from minialex.explore import samples


class Square(ma.Function):
    def forward(self, x):
        self.save_for_backward(x)
        return x * x

    def backward(self, grad_output):
        (x,) = self.saved
        return grad_output * 2 * x


class WrongReLU(ma.Function):
    def forward(self, x):
        self.save_for_backward(x > 0)
        return x * (x > 0)

    def backward(self, grad_output):
        return grad_output


def _step(model, x):
    loss = F.cross_entropy(model(x), np.array([1, 2]))
    loss.backward()
    return loss


def _lenet(seed=0):
    ma.manual_seed(seed)
    return models.lenet5(10), ma.Tensor(
        np.random.default_rng(seed).standard_normal((2, 1, 32, 32), dtype=np.float32))


@pytest.mark.parametrize("by_the_book", [False, True])
def test_lenets_step_is_told_and_is_the_same(by_the_book):
    model, x = _lenet()
    plain = _step(model, x).item(), [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    with ma.textbook() if by_the_book else nullcontext(), ma.record(model, x=x) as tape:
        loss = _step(model, x)
    if not by_the_book:
        assert loss.item() == plain[0]
        assert all((parameter.grad == grad).all()
                   for parameter, grad in zip(model.parameters(), plain[1], strict=True))
    names = [tape.nodes[event["node"]]["name"] for event in tape.events[:-1]]
    half = len(names) // 2
    assert names[:half] == names[half:][::-1] and names[0] == "Conv2d" and names[
        half] == "CrossEntropy"
    assert [event["kind"]
            for event in tape.events] == ["forward"] * half + ["backward"] * half + ["end"]
    leaves = {node["name"] for node in tape.nodes if node["kind"] == "leaf"}
    assert leaves == {name for name, _ in model.named_parameters()} | {"x"}
    wheres = {node["where"] for node in tape.nodes if node["kind"] == "operation"}
    assert all(where.startswith("ops/") for where in wheres) == by_the_book
    first = tape.arrays[tape.nodes[tape.events[0]["node"]]["output"]]
    with ma.no_grad():
        out = F.conv2d(x, model.conv1.weight, model.conv1.bias).data
    assert first["shape"] == list(out.shape) and first["max"] == pytest.approx(out.max(), rel=1e-5)
    grads = {tape.nodes[node]["name"]: tape.arrays[number]
             for node, number in tape.events[-1]["leaves"]}
    for name, parameter in model.named_parameters():
        assert grads[name]["shape"] == list(parameter.shape)
        assert grads[name]["min"] == samples.number(parameter.grad.min())


def test_what_is_kept_is_freed_as_backward_passes():
    x = ma.Tensor([1.0, -2.0], requires_grad=True)
    with ma.record(x=x) as tape:
        y = Square()(x)
        z = Square()(y)
        z.sum().backward()
        with ma.no_grad():
            Square()(x)
    square, again = (number for number, node in enumerate(tape.nodes) if node["name"] == "Square"
                     and node["asked"])
    kinds = [(event["kind"], event.get("node"), event["freed"]) for event in tape.events]
    assert kinds[3:6] == [("backward", kinds[2][1], []), ("backward", again, []),
                          ("backward", square, [again])]
    assert kinds[6][2] == [square] and [kind for kind, *_ in kinds[6:]] == ["forward", "end"]
    assert tape.nodes[again]["saved"] == [tape.nodes[square]["output"]] and tape.nodes[kinds[6][1]][
        "saved"] == []


def test_no_array_lives_longer_for_it():
    x = ma.Tensor(np.ones((64, 64)), requires_grad=True)
    with ma.record() as tape:
        y = Square()(x)
        watch = weakref.ref(y.data)
        del y
        gc.collect()
        assert watch() is None
        Square()(x)
    assert tape.events[1]["freed"] == [1] and len(json.dumps([tape.nodes, tape.arrays,
                                                              tape.events])) < 20_000


def test_an_error_leaves_the_engine_as_it_was_and_is_told():
    class Broken(Square):
        def backward(self, grad_output):
            raise ValueError("no idea")

    before = list(tensor.observers)
    x = ma.Tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match="no idea"), ma.record() as tape:
        Broken()(x).backward()
    assert tensor.observers == before and x.grad is None
    assert [event["kind"] for event in tape.events] == ["forward", "failed", "end"]
    assert tape.events[1]["error"] == "ValueError: no idea" and tape.events[1][
        "direction"] == "backward"
    with ma.record() as after:
        Square()(x)
    assert len(after.events) == 2


def test_one_thread_has_one_recording_and_another_its_own():
    x = ma.Tensor([1.0], requires_grad=True)
    elsewhere = []

    def work():
        with ma.record() as other:
            Square()(x)
            Square()(x)
        elsewhere.append(other)

    with ma.record() as tape:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        Square()(x)
        with pytest.raises(RuntimeError, match="in this thread already: "
                           "end its block first"), ma.record():
            pass
        Square()(x)
    assert (len(tape.events), len(elsewhere[0].events)) == (3, 3)


def test_what_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match="got a ndarray"), ma.record(x=np.ones(3)):
        pass
    with ma.record() as tape:
        pass
    assert tape.nodes == [] and repr(tape) == "Recording(1 events, 0 operations and leaves)"


# ----------------------------------------------------------------------------------------- verdicts


def _marks(path):
    return json.loads(re.search(r'id="data">(.*?)</script>', path.read_text("utf-8"),
                                re.DOTALL)[1])["marks"]


def test_a_wrong_operation_is_marked(tmp_path):
    x = ma.Tensor([[1.0, -2.0]], requires_grad=True)
    with ma.record(x=x) as tape:
        WrongReLU()(Square()(x)).sum().backward()
    tape.save(tmp_path / "tape.html", ma.gradcheck(WrongReLU, [np.array([[1.0, -2.0, 3.0]])]),
              ma.gradcheck(Square, [x.data]))
    (mark,) = _marks(tmp_path / "tape.html")
    assert tape.nodes[mark["node"]]["name"] == "WrongReLU" and (mark["input"],
                                                                mark["sure"]) == (0, True)
    assert "negative" in mark["words"]
    with pytest.raises(ValueError, match="names no operation and no leaf"):
        tape.save(tmp_path / "b.html", ma.gradcheck(lambda z: z * z, [x.data]))
    assert not (tmp_path / "b.html").exists()
    (tmp_path / "own.html").write_text("mine")
    with pytest.raises(UserError, match="was not written by this command"):
        tape.save(tmp_path / "own.html")


def test_a_wrong_step_of_a_network_is_found_behind_its_wrong_leaves(tmp_path):
    class Layer(nn.Module):
        def forward(self, x):
            return WrongReLU()(x)

    ma.manual_seed(1)
    model = nn.Sequential(first=nn.Linear(4, 5), relu=Layer(), second=nn.Linear(5, 3))
    x = np.random.default_rng(0).standard_normal((2, 4))
    report = ma.gradcheck(model, [x], ["x"])
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(np.float64)
    with ma.record(model, x=(leaf := ma.Tensor(x, requires_grad=True))) as tape:
        model(leaf).sum().backward()
    tape.save(tmp_path / "tape.html", report)
    marked = {(tape.nodes[mark["node"]]["name"], mark["input"], mark["sure"])
              for mark in _marks(tmp_path / "tape.html")}
    # second's dx would do the same harm
    assert marked == {("WrongReLU", 0, False), ("Linear", 0, False)}
    layers = {tape.nodes[mark["node"]]["layer"] for mark in _marks(tmp_path / "tape.html")}
    assert layers == {"relu", "second"}


# ------------------------------------------------------------------------------------------ samples


def test_a_sample_is_small_and_right():
    array = np.arange(600_000, dtype=np.float32).reshape(2, 3, 100, 1000) - 5
    told = samples.of(array)
    assert (told["min"], told["max"], told["zeros"], told["bytes"]) == (-5, 599_994, 1, 2_400_000)
    assert told["shape"] == [2, 3, 100,
                             1000] and len(json.dumps(told)) < 8000 and len(told["values"]) <= 64
    assert told["thumbnail"]["shape"] == [3, 25, 32] and told["thumbnail"]["low"] == -5
    assert samples.of(np.array(2.5)) == {"shape": [], "dtype": "float64", "bytes": 8,
                                         "values": [2.5], "min": 2.5, "max": 2.5, "mean": 2.5,
                                         "zeros": 0}
    broken = samples.of(np.full((9, 9), np.nan))
    assert (broken["bad"], broken["max"],
            broken["values"][0]) == (81, "nan", "nan") and "thumbnail" not in broken
    assert samples.of(np.empty((0, 3)))["shape"] == [0, 3] and json.dumps(broken, allow_nan=False)
