"""An activation or a loss that a constructor is handed: an object of any protocol, a pair of
functions, a word of the class's own."""
import pytest
from short import first
from student_files import verdicts

LAYER = """
import numpy as np

class Lager:
    def __init__(self, in_, ut, kurva):
        self.W, self.b = np.random.randn(in_, ut), np.zeros(ut)
        self.kurva = kurva

    def forward(self, x):
        self.x = x
        self.z = x @ self.W + self.b
        self.a = self.kurva{call}
        return self.a

    def backward(self, dout):
        dz = {slope}
        self.dW, self.db = self.x.T @ dz, dz.sum(axis=0)
        return dz @ self.W{turned}
"""
PROTOCOLS = {
    "evaluate": (".evaluate(self.z)", "dout * self.kurva.derivative(self.z)"),
    "f, df": (".f(self.z)", "dout * self.kurva.df(self.z)"),
    "called, grad": ("(self.z)", "self.kurva.grad(self.z) * dout"),
    "of the output": (".calculate(self.z)", "dout * self.kurva.derivate(self.a)"),
    "dout first": (".activation(self.z)", "self.kurva.dactivation(dout, self.z)"),
    "dout last": (".compute(self.z)", "self.kurva.compute_grad(self.a, dout)"),
    "dout alone": (".forward(self.z)", "self.kurva.backward(dout)"),
    "nothing": (".forward(self.z)", "dout * self.kurva.derivative()"),
    "a flag": ("(self.z)", "dout * self.kurva(self.z, deriv=True)"),
    "a flag by place": (".apply(self.z)", "dout * self.kurva.apply(self.z, True)"),
    "words of its own": (".berakna(self.z)", "dout * self.kurva.lutning(self.z)"),
    "a slope of its own": (".vrednost(self.z)", "dout * self.kurva.prvi(self.z)"),
}


def layer(call, slope, turned=".T", more=""):
    return LAYER.format(call=call, slope=slope, turned=turned) + more


@pytest.mark.parametrize("turned, status, how", first(3, [
    (".T", "correct", "dout first"), (".T * 2", "wrong", "evaluate"), (".T", "correct", "f, df"),
    *((turned, status, how) for how in PROTOCOLS
      for turned, status in ((".T", "correct"), (".T * 2", "wrong")))]))
def test_an_object_of_any_protocol_is_given(check, turned, status, how):
    _, (result,) = check(lager=layer(*PROTOCOLS[how], turned))
    rows = verdicts(result)
    assert result["status"] == status and len(rows) == 3, result
    assert [name for name, one in rows.items() if one != "correct"] == ["x"] * (status == "wrong")


@pytest.mark.parametrize("slope", [
    "dout * self.kurva.derivative(self.x @ self.W)", "dout * self.kurva.derivative(dout)",
    "dout * self.kurva.evaluate(self.z)"])
def test_a_slope_of_something_else_is_wrong(check, slope):
    _, (result,) = check(lager=layer(".evaluate(self.z)", slope))
    rows = verdicts(result)
    assert result["status"] == "wrong" and rows["W"] != "correct", result


OWN = """
class Rak:
    def evaluate(self, v):
        return v

    def derivative(self, v):
        return np.ones_like(v)


class Knick:
    def evaluate(self, v):
        return np.maximum(v, 0)

    def derivative(self, v):
        return (v > 0) * 1.0


class Mjuk:
    def evaluate(self, v):
        return 1 / (1 + np.exp(-v))

    def derivative(self, {given}):
        return {slope}
"""


@pytest.mark.parametrize("given, slope, asked, status", [
    ("v", "self.evaluate(v) * (1 - self.evaluate(v))", "self.z", "correct"),
    ("v", "self.evaluate(v) * (1 - self.evaluate(v))", "self.a", "wrong"),
    ("s", "s * (1 - s)", "self.a", "correct"), ("s", "s * (1 - s)", "self.z", "wrong")])
def test_the_file_has_a_class_with_these_methods(check, given, slope, asked, status):
    """That one says what its derivative is given; a straight line would hide it."""
    code = layer(".evaluate(self.z)", f"dout * self.kurva.derivative({asked})",
                 more=OWN.format(given=given, slope=slope))
    _, (result,) = check(lager=code)
    found = {one["checked"]: one["status"] for one in result["checks"]}
    assert found["Lager"] == status and found["Mjuk"] == found["Knick"] == "correct", result


def test_its_own_mistake_is_not_the_layers(check):
    code = layer(".evaluate(self.z)", "dout * self.kurva.derivative(self.z)",
                 more=OWN.format(given="v", slope="self.evaluate(v)").replace("v > 0", "v > 1"))
    _, (result,) = check(lager=code)
    found = {one["checked"]: one["status"] for one in result["checks"]}
    assert found["Lager"] == "correct" and found["Mjuk"] == found["Knick"] == "wrong", result


PAIRED = """
import numpy as np

class Lager:
    def __init__(self, in_, ut, {arguments}):
        self.W = np.random.randn(in_, ut)
        {keeps}

    def forward(self, x):
        self.x = x
        self.z = x @ self.W
        self.a = self.g(self.z)
        return self.a

    def backward(self, dout):
        dz = dout * self.h({of})
        self.dW = self.x.T @ dz
        return dz @ self.W{turned}
"""


@pytest.mark.parametrize("of, turned, status, arguments, keeps", first(2, [
    ("self.z", ".T", "correct", "kurva", "self.g, self.h = kurva"),
    ("self.z", ".T * 2", "wrong", "g, h", "self.g, self.h = g, h"),
    ("self.a", ".T", "correct", "g, h", "self.g, self.h = g, h"),
    ("self.a", ".T", "correct", "h, g", "self.g, self.h = g, h"),
    ("self.a", ".T", "correct", "kurva", "self.g, self.h = kurva[0], kurva[1]"),
    ("self.x @ self.W * 2", ".T", "wrong", "kurva", "self.g, self.h = kurva"),
    ("self.a", ".T", "correct", "activation, activation_prime",
     "self.g, self.h = activation, activation_prime")]))
def test_a_function_and_its_derivative_are_given(check, of, turned, status, arguments, keeps):
    code = PAIRED.format(of=of, turned=turned, arguments=arguments, keeps=keeps)
    _, (result,) = check(lager=code)
    assert result["status"] == status and len(verdicts(result)) == 2, result


NET = """
import numpy as np

class Siec:
    def __init__(self, rozmiary, krzywe, blad):
        self.W = [np.random.randn(m, n) for n, m in zip(rozmiary[:-1], rozmiary[1:])]
        self.krzywe, self.blad = krzywe, blad

    def forward(self, x):
        self.Z, self.A = [], [x]
        for i in range(len(self.W)):
            self.Z.append(self.W[i] @ self.A[-1])
            self.A.append(self.krzywe[i].oblicz(self.Z[-1]))
        return self.A[-1]

    def backward(self, y):
        self.dW = [None] * len(self.W)
        delta = {loss}
        for i in reversed(range(len(self.W))):
            delta = delta * self.krzywe[i].pochodna(self.{of})
            self.dW[i] = delta @ self.A[i].T
            delta = self.W[i].T @ delta
"""


@pytest.mark.parametrize("loss, of, status", first(1, [
    ("self.blad.gradient(self.A[-1], y)", "Z[i]", "correct"),
    ("self.blad.gradient(self.A[-1], y)", "Z[i] * 2", "wrong"),
    ("self.blad.pochodna(y, self.A[-1])", "Z[i]", "correct"),
    ("self.blad.delta(self.A[-1], y)", "Z[i]", "correct")]))
def test_several_and_a_loss_are_given(check, loss, of, status):
    _, (result,) = check(siec=NET.format(loss=loss, of=of))
    rows = {name: one for name, one in verdicts(result).items() if name not in "xy"}
    assert result["status"] == status and len(rows) == 2, result


WORDS = """
import numpy as np
from dataclasses import dataclass

def prosta(z):
    return z

def krzywa(z):
    return np.tanh(z)

FUNKCJE = {{"prosta": prosta, "krzywa": krzywa}}

{decorated}class Warstwa:
    {begin}

    def forward(self, x):
        self.x = x
        self.z = x @ self.W
        {choose}
        return self.a

    def backward(self, dout):
        {slope}
        self.dW = self.x.T @ (dout * s)
        return (dout * s) @ self.W.T
"""
BEGIN = ("", "def __init__(self, in_, out, rodzaj):\n"
         "        self.W, self.rodzaj = np.random.randn(in_, out), rodzaj")
CHOOSE = {
    "compared": (*BEGIN, """if self.rodzaj == "prosta":
            self.a = self.z
        elif self.rodzaj == "krzywa":
            self.a = np.tanh(self.z)"""),
    "in small letters": (*BEGIN, """if self.rodzaj.lower() in ("prosta", "linia"):
            self.a = self.z
        elif self.rodzaj.lower() == "krzywa":
            self.a = np.tanh(self.z)"""),
    "matched": (*BEGIN, """match self.rodzaj:
            case "prosta" | "linia":
                self.a = self.z
            case "krzywa":
                self.a = np.tanh(self.z)"""),
    "a dictionary of the file": (*BEGIN, "self.a = FUNKCJE[self.rodzaj](self.z)"),
    "a dictionary of the class": ("", 'moje = {"prosta": prosta, "krzywa": krzywa}\n    '
                                  + BEGIN[1], "self.a = self.moje.get(self.rodzaj)(self.z)"),
    "a dictionary of the method": (*BEGIN, """wszystkie = {"prosta": prosta, "krzywa": krzywa}
        self.a = wszystkie[self.rodzaj](self.z)"""),
    "of a dataclass": ("@dataclass\n", "W: np.ndarray\n    rodzaj: str",
                       "self.a = FUNKCJE[self.rodzaj](self.z)"),
}


@pytest.mark.parametrize("slope, status, how", first(3, [
    ("1 - self.a ** 2", "correct", "of a dataclass"), ("1 - self.a", "wrong", "matched"),
    ("1 - self.a ** 2", "correct", "a dictionary of the class"),
    *((slope, status, how) for how in CHOOSE
      for slope, status in (("1 - self.a ** 2", "correct"), ("1 - self.a", "wrong")))]))
def test_the_words_are_those_that_the_class_knows(check, slope, status, how):
    """All of them: the mistake is in what the second one does."""
    decorated, begin, choose = CHOOSE[how]
    code = WORDS.format(decorated=decorated, begin=begin, choose=choose,
                        slope=f's = {slope} if self.rodzaj == "krzywa" else 1')
    _, (result,) = check(warstwa=code)
    assert result["status"] == status and len(verdicts(result)) == 2, result
