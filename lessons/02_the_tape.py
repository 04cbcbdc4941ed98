"""The tape: derivatives by hand, then a Tensor in 60 lines

Prerequisites: lesson 00. Minutes: 40. Afterwards you can find every slope of a formula in one walk
backwards, by hand and with a program of your own. Lesson 00 tried each weight twice. A network of
60 million weights cannot be trained like that.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, fact, formula, heard, predict, source_lines
from drawings import the_tape

import minialex as ma
import minialex.functional as F

# %% [markdown]
# ## 1. By hand
# Take f = (x·y + x)². Compute it in small steps and give each result a name: p = x·y, s = p + x, f
# = s². This way, from the inputs to the result, is the **forward pass**.
#
# Now go backwards, from f to x and y. At each value ask: how fast does f grow when this value
# grows? Call that its slope.
# - f itself grows as fast as f: slope 1.
# - f = s², so f grows 2s times as fast as s: slope of s = 2s.
# - s = p + x, so s grows as fast as p: slope of p = 2s, times 1.
# - p = x·y, so p grows y times as fast as x. What comes to x along this way is 2s·y.
# - s = p + x: x was used a second time. Along this way 2s·1 comes to x.
#
# What comes along both ways is added: the slope of x is 2s·y + 2s. This walk is the **backward
# pass**. Multiplying the slopes along a way is the **chain rule** of your calculus course.

# %%
heard("To find out how the loss depends on each weight, every weight has to be tried.")
x0, y0 = 2, 3
guess = predict(f"f = (x·y + x)², x = {x0}, y = {y0}. "
                "By how much does f grow per unit of x, df/dx?")

def f(x, y):
    return (x * y + x) ** 2

s = x0 * y0 + x0
by_hand_x, by_hand_y = 2 * s * y0 + 2 * s, 2 * s * x0
formula(f"forward p = {x0}·{y0} = {x0 * y0}, s = {x0 * y0} + {x0} = {s}, "
        f"f = {s**2}; backward df/ds = 2·{s} = {2 * s}, "
        f"df/dx = {2 * s}·{y0} + {2 * s} = {by_hand_x}, df/dy = {2 * s}·{x0} = {by_hand_y}")
guess.turned_out(by_hand_x)
h = 1e-6
fact(f"trying it out, (f(x + h) - f(x - h))/2h is the {by_hand_x} of the two ways together",
     abs((f(x0 + h, y0) - f(x0 - h, y0)) / (2 * h) - by_hand_x) < 1e-4)
fact(f"and df/dy is {by_hand_y}", abs((f(x0, y0 + h) - f(x0, y0 - h)) / (2 * h) - by_hand_y) < 1e-4)

# %% [markdown]
# ## 2. A program that remembers: the tape
# A program can do the same if each value remembers two things: which values it was made of (its
# parents), and how to pass its slope back to each of them. This record is called the **tape**. Each
# rule below comes from school, but for the last:
# - y = a + b: both get g, the slope of y.
# - y = a·b: a gets g·b, and b gets g·a.
# - y = tanh(a): a gets g·(1 - y²).
# - Y = A @ B: A gets g @ Bᵀ, and B gets Aᵀ @ g. Lesson 04 derives these two.
#
# In which order? A value can pass its slope back only when its own slope is complete. It is
# complete when everybody who used the value has passed theirs back. So walk in an order in which
# each value comes after all values that use it. Write down the values parents first, as they were
# computed. Read from the end, that list is such an order.

# %%
class Tape:
    """A value, its parents, and for each parent the slope that it gets when this value's slope is
    `g`."""

    def __init__(self, data, parents=(), pass_back=()):
        self.data, self.parents, self.pass_back = np.asarray(data, dtype=float), parents, pass_back
        self.grad = np.zeros_like(self.data)

    def __add__(self, other):
        other = other if isinstance(other, Tape) else Tape(other)
        return Tape(self.data + other.data, (self, other),
                    (lambda g: fit(g, self), lambda g: fit(g, other)))

    def __mul__(self, other):
        other = other if isinstance(other, Tape) else Tape(other)
        return Tape(self.data * other.data, (self, other),
                    (lambda g: fit(g * other.data, self), lambda g: fit(g * self.data, other)))

    def __matmul__(self, other):
        return Tape(self.data @ other.data, (self, other),
                    (lambda g: g @ other.data.T, lambda g: self.data.T @ g))

    def tanh(self):
        y = np.tanh(self.data)
        return Tape(y, (self,), (lambda g: g * (1 - y**2),))

    def sum(self):
        return Tape(self.data.sum(), (self,), (lambda g: g * np.ones_like(self.data),))

    def backward(self):
        """Before a value passes its slope back, it waits for the slopes of everybody who used
        it."""
        self.grad = np.ones_like(self.data)
        for value in reversed(in_order(self, [])):
            for parent, pass_back in zip(value.parents, value.pass_back):
                parent.grad = parent.grad + pass_back(value.grad)

def in_order(value, order):
    """All values behind this one, parents first, each once."""
    if not any(value is known for known in order):
        for parent in value.parents:
            in_order(parent, order)
        order.append(value)
    return order

def fit(g, parent):
    """A bias that was added to every row was used once per row: its slopes are summed."""
    return g.sum(axis=tuple(range(g.ndim - parent.data.ndim)))

lines = len(source_lines(Tape)) + len(source_lines(in_order)) + len(source_lines(fit))
fact(f"the tape is {lines} lines long, at most 60", lines <= 60)
x, y = Tape(x0), Tape(y0)
p = x * y
s_on_tape = p + x
root = s_on_tape * s_on_tape
root.backward()
fact(f"it finds {by_hand_x} and {by_hand_y}, as by hand",
     (x.grad, y.grad) == (by_hand_x, by_hand_y))
order = in_order(root, [])
place = {name: next(i for i, value in enumerate(order) if value is known)
         for name, known in {"x": x, "p": p, "s": s_on_tape, "f": root}.items()}
fact("in the list each value stands before the values that use it: x before p, p before s, "
     "s before f", place["x"] < place["p"] < place["s"] < place["f"])

# %% [markdown]
# ## 3. The engine's tape
# minialex has the same idea with all operations of a network. A `Tensor` is an array on the tape;
# `backward()` is the walk; `.grad` is where the slopes are. Here are two layers, tanh(x·W₁ + b)·W₂,
# with everything that comes out added up, once on each tape.

# %%
x, y = ma.Tensor(float(x0), requires_grad=True), ma.Tensor(float(y0), requires_grad=True)
s = x * y + x
(s * s).backward()
fact(f"the engine finds {by_hand_x} and {by_hand_y} too",
     (x.grad, y.grad) == (by_hand_x, by_hand_y))
rows = 8
generator = np.random.default_rng(0)
arrays = [generator.normal(size=shape) for shape in [(rows, 5), (5, 4), (4,), (4, 3)]]
mine, engine = [Tape(a) for a in arrays], [ma.Tensor(a, requires_grad=True) for a in arrays]
((mine[0] @ mine[1] + mine[2]).tanh() @ mine[3]).sum().backward()
(F.tanh(engine[0] @ engine[1] + engine[2]) @ engine[3]).sum().backward()
fact("both tapes find the same slopes for the data, both matrices and the bias",
     all(np.allclose(a.grad, b.grad) for a, b in zip(mine, engine)))
one_by_one = sum((1 - np.tanh(row @ arrays[1] + arrays[2]) ** 2) * arrays[3].sum(axis=1)
                 for row in arrays[0])
fact(f"each of the {rows} rows used the bias once: its slope is the sum of what the rows give "
     "one by one", np.allclose(mine[2].grad, one_by_one))

# %% [markdown]
# ## 4. An operation of your own
# The engine lets you add an operation: a class with `forward` and `backward`. `forward` gets arrays
# and saves what the way back needs. `backward` gets g, the slope of the result, and returns the
# slope of each input. Here is the square.

# %%
class Square(ma.Function):
    def forward(self, x):
        self.save_for_backward(x)
        return x**2

    def backward(self, g):
        (x,) = self.saved
        return g * 2 * x

x = ma.Tensor(float(x0), requires_grad=True)
Square()(x * 3.0).backward()
fact(f"d(3x)²/dx = 2·3x·3, at x = {x0} that is {18 * x0}", x.grad == 18 * x0)

# %% [markdown]
# ## 5. What it costs, against trying
# Trying takes one forward pass for each parameter. A backward pass takes about as much work as two
# forward passes, for all parameters together: behind each matrix product stand two others, one for
# each of its factors.

# %%
parameters = 60_965_224
guess = predict(f"AlexNet has {parameters:,} parameters. To try each with f(w + h) - f(w): "
                "how many forward passes?")
formula("one for each parameter, and one for f(w)")
guess.turned_out(parameters + 1)

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
product.pass_back[0](np.ones((rows, 4)).view(Counting)), product.pass_back[1](np.ones((rows, 4)))
fact(f"a product of {rows}×5 by 5×4 takes {rows * 5 * 4} multiplications, and both slopes "
     "together twice that", (forward, Counting.products) == (rows * 5 * 4, 3 * rows * 5 * 4))

# %% [markdown]
# ## 6. Broken on purpose: the same walk twice
# The engine walks a graph once, and then frees what it saved. Our own tape has no such guard.
# Walked twice, it adds to what is there already, and the result is wrong without a word.

# %%
x = ma.Tensor([2.0], requires_grad=True)
y = (x * x).sum()
y.backward()
with broken(RuntimeError):
    y.backward()
a = Tape(2)
square = a * a
square.backward()
once = float(a.grad)
square.backward()
fact(f"after the first walk the slope of a² at 2 is {once:g}, after the second {float(a.grad):g}",
     (once, a.grad) == (4, 8))
classroom.save(the_tape.draw(x0, y0), "02_the_tape", "Above, forward: each value is computed from "
               "its parents. Below, backward: each value passes its slope back, and at x two "
               f"slopes meet and are added, {2 * (x0 * y0 + x0) * y0} + {2 * (x0 * y0 + x0)}.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read what comes.
#
# - `x0, y0 = 5, -2`: which of the two ways brings the larger part to x?
# - `rows = 100`: how does the slope of the bias grow?
# - `h = 1e-12`: is a smaller h better? Lesson 03 says why not.
#
# Put `with ma.record(x=x) as tape:` around the three lines of section 6 that make y and walk back,
# and `tape.save("tape.html")` after them: that page plays the walk again, step by step.
#
# ## Exercise
# `lessons/exercises/02_the_tape.py`: an operation of your own, a/b, with its two slopes. It is a
# `Function`, as in section 4.
#
# `lessons/my_engine/02_tape.py` is a brick of an engine of your own. Nine lessons have one. `python
# -m lessons` shows the wall of bricks, and `lessons/my_engine/train.py` trains LeNet-5 with those
# that you have.
