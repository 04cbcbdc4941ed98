"""The tape: derivatives by hand, then a Tensor in 60 lines

A network of 60 million weights needs 60 million derivatives at every step. One walk backwards finds them all. Here it is
done by hand, then by a tape small enough to read in one go, and the engine finds the same numbers.
"""
# %% Tools
import inspect

import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, fact, formula, heard, predict
from drawings import the_tape

import minialex as ma
import minialex.functional as F

# %% [markdown]
# ## 1. By hand
# f = (x·y + x)² in steps: p = x·y, s = p + x, f = s². Forward each step is computed. Backward, from the end, each hands its
# derivative on to what it was made of, times the slope on the way. x was used twice: what arrives by its two ways is added.

# %%
heard("To find out how the loss depends on each weight, every weight has to be tried.")
guess = predict("f = (x·y + x)², x = 2, y = 3. By how much does f grow per unit of x, df/dx?")

formula("forward p = 2·3 = 6, s = 6 + 2 = 8, f = 64; backward df/ds = 2·8 = 16, df/dx = 16·3 + 16 = 64, df/dy = 16·2 = 32")

def f(x, y):
    return (x * y + x) ** 2

s = 2 * 3 + 2
by_hand_x, by_hand_y = 2 * s * 3 + 2 * s, 2 * s * 2
guess.turned_out(by_hand_x)
h = 1e-6
fact("trying it out, (f(x + h) - f(x - h))/2h is the 64 of the two ways together",
     abs((f(2 + h, 3) - f(2 - h, 3)) / (2 * h) - by_hand_x) < 1e-6)
fact("and df/dy is 16·2 = 32", abs((f(2, 3 + h) - f(2, 3 - h)) / (2 * h) - by_hand_y) < 1e-6)

# %% 2. The tape: a value remembers what it was made of, and how to hand a derivative back to it
class Tape:
    """A value, its parents, and for each parent the derivative that it gets when this one gets `g`."""

    def __init__(self, data, parents=(), hand_back=()):
        self.data, self.parents, self.hand_back = np.asarray(data, dtype=float), parents, hand_back
        self.grad = np.zeros_like(self.data)

    def __add__(self, other):
        other = other if isinstance(other, Tape) else Tape(other)
        return Tape(self.data + other.data, (self, other), (lambda g: fit(g, self), lambda g: fit(g, other)))

    def __mul__(self, other):
        other = other if isinstance(other, Tape) else Tape(other)
        return Tape(self.data * other.data, (self, other),
                    (lambda g: fit(g * other.data, self), lambda g: fit(g * self.data, other)))

    def __matmul__(self, other):
        return Tape(self.data @ other.data, (self, other), (lambda g: g @ other.data.T, lambda g: self.data.T @ g))

    def tanh(self):
        y = np.tanh(self.data)
        return Tape(y, (self,), (lambda g: g * (1 - y**2),))

    def sum(self):
        return Tape(self.data.sum(), (self,), (lambda g: g * np.ones_like(self.data),))

    def backward(self):
        """Every value after all those that use it: only then has everything arrived that it must hand on."""
        self.grad = np.ones_like(self.data)
        for value in reversed(in_order(self, [])):
            for parent, hand_back in zip(value.parents, value.hand_back):
                parent.grad = parent.grad + hand_back(value.grad)

def in_order(value, order):
    """All values behind this one, parents first, each once."""
    if not any(value is known for known in order):
        for parent in value.parents:
            in_order(parent, order)
        if not any(value is known for known in order):
            order.append(value)
    return order

def fit(g, parent):
    """A bias that was added to every row was used once per row: its derivatives are summed."""
    return g.sum(axis=tuple(range(g.ndim - parent.data.ndim)))

lines = sum(len(inspect.getsource(part).rstrip().splitlines()) for part in (Tape, in_order, fit))
fact(f"the tape is {lines} lines long, at most 60", lines <= 60)
x, y = Tape(2), Tape(3)
root = x * y + x
(root * root).backward()
fact("it finds 64 and 32, as by hand", (x.grad, y.grad) == (by_hand_x, by_hand_y))

# %% [markdown]
# ## 3. The engine's tape
# The same idea with the operations of a network. Two layers, y = Σ tanh(x·W₁ + b)·W₂, once on each tape.

# %%
x, y = ma.Tensor(2.0, requires_grad=True), ma.Tensor(3.0, requires_grad=True)
s = x * y + x
(s * s).backward()
fact("the engine finds 64 and 32 too: what meets at x is added there as well", (x.grad, y.grad) == (by_hand_x, by_hand_y))
generator = np.random.default_rng(0)
arrays = [generator.normal(size=shape) for shape in [(8, 5), (5, 4), (4,), (4, 3)]]
mine, engine = [Tape(a) for a in arrays], [ma.Tensor(a, requires_grad=True) for a in arrays]
((mine[0] @ mine[1] + mine[2]).tanh() @ mine[3]).sum().backward()
(F.tanh(engine[0] @ engine[1] + engine[2]) @ engine[3]).sum().backward()
fact("both tapes find the same derivatives for the data, both matrices and the bias",
     all(np.allclose(a.grad, b.grad) for a, b in zip(mine, engine)))
fact("for each row of the batch the bias was used once: its derivative is a sum over 8 rows",
     np.allclose(mine[2].grad, ((1 - np.tanh(arrays[0] @ arrays[1] + arrays[2]) ** 2) * arrays[3].sum(axis=1)).sum(axis=0)))

# %% 4. What it costs, against trying
guess = predict("AlexNet has 60,965,224 parameters. How many forward passes does trying each of them take, with f(w + h) - f(w)?")
formula("one for each, and one for f(w); a backward pass costs about two forward passes, and is there for all of them")
guess.turned_out(60_965_224 + 1)

class Counting(np.ndarray):
    """An array that counts multiplications in its matrix products."""
    products = 0

    def __matmul__(self, other):
        Counting.products += self.shape[0] * self.shape[1] * other.shape[1]
        return np.asarray(self).__matmul__(np.asarray(other)).view(Counting)

values = [Tape(a) for a in arrays[:2]]
for value in values:
    value.data = value.data.view(Counting)
product = values[0] @ values[1]
forward = Counting.products
product.hand_back[0](np.ones((8, 4)).view(Counting)), product.hand_back[1](np.ones((8, 4)))
fact(f"a product of 8×5 by 5×4 takes {8 * 5 * 4} multiplications, and both derivatives together twice that",
     (forward, Counting.products) == (160, 3 * 160))

# %% 5. Broken on purpose: a graph is walked once. Then the picture.
x = ma.Tensor([2.0], requires_grad=True)
y = (x * x).sum()
y.backward()
with broken(RuntimeError):
    y.backward()
a = Tape(2)
square = a * a
square.backward(), square.backward()
fact("our own tape walks twice without a word, and 2·a has become 8 instead of 4", a.grad == 8)
classroom.save(the_tape.draw(), "02_the_tape")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/02_the_tape.py`: an operation of your own, a/b, with its two derivatives.
