"""Gradient checking: which step size, and what rounding does to it

Prerequisites: lessons 00 and 02. Minutes: 40. Afterwards you can test any backward pass, and say
beforehand how exact the test will be. A backward pass is a formula that somebody typed, and people
make mistakes. A slope found by trying needs no formula.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, fact, formula, heard, predict, show
from drawings import gradient_checking

import minialex as ma
import minialex.functional as F

# %% [markdown]
# ## 1. The best step
# A slope found by trying is a **finite difference**. There are two: one-sided, (f(x + h) - f(x))/h,
# and central, (f(x + h) - f(x - h))/2h. How small should h be? Two errors work against each other.
#
# The first is that the curve bends. Taylor's series says what f is a little to the right and to the
# left:
#
#     f(x + h) = f + h·f′ + h²/2·f″ + h³/6·f‴ + …
#     f(x - h) = f - h·f′ + h²/2·f″ - h³/6·f‴ + …
#
# Subtract: f and f″ cancel, and 2h·f′ + 2·h³/6·f‴ is left. Divide by 2h: the central difference is
# f′ + h²/6·f‴. It is off by h²/6·f‴. In the one-sided difference f″ does not cancel: it is off by
# h/2·f″.
#
# The second error is rounding. float64 keeps 16 digits: each f is off by about ε·f, with ε =
# 2.2·10⁻¹⁶. (This ε is not the learning rate of lesson 00. Both are usual.) The division by h makes
# that ε·f/h. A smaller h makes the first error smaller and the second one larger. Somewhere between
# lies the best h.

# %%
heard("The smaller the step h, the better the numeric derivative.")
x0 = 1.0
guess = predict(f"f = eˣ in float64, x = {x0:g}. "
                "Which h = 10⁻ⁿ gives the best central difference? Your n", within=1)
epsilon = np.finfo(np.float64).eps
foretold = (3 * epsilon) ** (1 / 3)
formula("f = f‴ = eˣ, so the relative error is h²/6 + ε/h. "
        f"Its slope h/3 - ε/h² is 0 at h = (3ε)^(1/3) = (3·{epsilon:.2g})^(1/3) = {foretold:.2g}")

def one_sided(f, x, h):
    return (f(x + h) - f(x)) / h

def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)

def error(rule, h, dtype):
    """How far off, relative to the derivative eˣ; everything is rounded to `dtype`."""
    found = rule(np.exp, dtype(x0), dtype(h))
    return abs(float(found) - np.exp(x0)) / np.exp(x0)

steps = 10.0 ** np.arange(-1, -16, -0.25)
curves = {("central", "float64"): [error(central, h, np.float64) for h in steps],
          ("one-sided", "float64"): [error(one_sided, h, np.float64) for h in steps],
          ("central", "float32"): [error(central, h, np.float32) for h in steps]}
best = {name: steps[np.argmin(errors)] for name, errors in curves.items()}
guess.turned_out(-np.log10(best["central", "float64"]))
fact(f"the best central step in float64, {best['central', 'float64']:.1g}, is within a factor of "
     "10 of the foretold one", foretold / 10 < best["central", "float64"] < foretold * 10)
fact(f"the best one-sided step, {best['one-sided', 'float64']:.1g}, "
     f"is smaller: near √ε = {epsilon**0.5:.1g}",
     epsilon**0.5 / 10 < best["one-sided", "float64"] < epsilon**0.5 * 10)
fact(f"float32 has 7 digits: its best step is larger, {best['central', 'float32']:.1g}, "
     "and with h = 10⁻⁵ it is off by more than a thousandth", best["central", "float32"] > 100
     * best["central", "float64"] and error(central, 1e-5, np.float32) > 1e-3)
fact("a tenth of the step makes the central difference 100 times better, the one-sided 10 times",
     abs(error(central, 1e-2, np.float64) / error(central, 1e-3, np.float64) - 100) < 1
     and abs(error(one_sided, 1e-2, np.float64) / error(one_sided, 1e-3, np.float64) - 10) < 1)
fact("with h = 10⁻¹⁷ x + h is x, and the derivative comes out as 0",
     central(np.exp, x0, 1e-17) == 0)

# %% [markdown]
# ## 2. From one number to all entries of an array
# An operation takes an array and gives an array. To have one number, weight its outputs with fixed
# numbers g and sum up: L = Σ g·y. Then dL/dy = g. This g is called the **cotangent**: it is the
# slope that a backward pass is given. Move one entry of x at a time, and watch L. That costs two
# forward passes for each entry, and needs no formula. The four operations below are explained in
# lessons 06 and 09. To check one, you need not know what it is for.

# %%
def numeric(op, x, cotangent, h=1e-5):
    """dL/dx, L = Σ cotangent·op(x), by central differences: two forward passes for each entry."""
    slope = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        slope[index] = (cotangent * (op(ma.Tensor(up)).data
                                     - op(ma.Tensor(down)).data)).sum() / (2 * h)
    return slope

def analytic(op, x, cotangent):
    x = ma.Tensor(x, requires_grad=True)
    op(x).backward(cotangent)
    return x.grad

shape = (3, 4)
generator = np.random.default_rng(0)
x, cotangent = generator.normal(size=shape), generator.normal(size=shape)
for op in (F.tanh, F.sigmoid, F.relu, F.softmax):
    fact(f"F.{op.__name__}: backward agrees with {2 * x.size} forward passes, to about 8 digits",
         np.allclose(numeric(op, x, cotangent), analytic(op, x, cotangent), rtol=1e-8, atol=1e-9))
fact("the engine's own checker agrees, and chooses its steps by itself", ma.gradcheck(F.softmax, x))

# %% [markdown]
# ## 3. Why the cotangent is random
# Many checkers take g = 1 everywhere. That can hide a mistake. There is an operation that makes
# each row of numbers positive and divides it by its sum, so that a row adds up to 1 (lesson 09
# needs it). With g = 1, L is the sum of a row, and that is 1 whatever x is. So the right slope is
# 0. A backward pass that has forgotten everything and returns zeros passes the test.

# %%
class ForgetfulSoftmax(ma.Function):
    """Each row is made positive and divided by its sum. Its backward returns nothing but zeros."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def backward(self, g):
        return np.zeros_like(g)

def forgetful(x):
    return ForgetfulSoftmax()(x)

guess = predict("A row that always adds up to 1 is summed. "
                "By how much does that sum grow per unit of any input?")
formula("Σ y = 1 whatever x is, so dΣy/dx = 0: with ones as the cotangent even zeros are right")
ones = np.ones_like(x)
guess.turned_out(round(abs(numeric(forgetful, x, ones)).max(), 6))
fact("with ones as the cotangent the zeros pass",
     np.allclose(numeric(forgetful, x, ones), analytic(forgetful, x, ones), atol=1e-9))
fact("with a random cotangent they do not pass", not np.allclose(
     numeric(forgetful, x, cotangent), analytic(forgetful, x, cotangent), atol=1e-3))

# %% [markdown]
# ## 4. Where there is no derivative
# max(x, 0) is flat on the left of 0 and climbs with slope 1 on the right. At 0 itself there is a
# kink, and no slope. A central difference takes the mean of both sides. An engine has to choose
# one. A test must therefore stay away from kinks.

# %%
kink = np.array([0.0])
right, left = one_sided(lambda v: np.maximum(v, 0), kink,
                        1e-6), one_sided(lambda v: np.maximum(v, 0), kink, -1e-6)
fact("max(x, 0) at 0 climbs with 1 to the right and with 0 to the left; the central "
     "difference says 1/2", (right, left, numeric(F.relu, kink, np.ones(1))) == (1, 0, 0.5))
fact("the engine says 0, one of the slopes from 0 to 1 that are allowed",
     analytic(F.relu, kink, np.ones(1)) == 0)

# %% [markdown]
# ## 5. Broken on purpose: what the checker says to zeros, and to whole numbers
# `ma.gradcheck` does all this by itself: it draws the cotangent, chooses the step, stays away from
# kinks, and names the mistake. Whole numbers it refuses: what would a step of 0.00001 mean there?

# %%
report = ma.gradcheck(ForgetfulSoftmax, [x])
show(report)
fact("the checker refuses the zeros", not report)
with broken(TypeError):
    ma.gradcheck(F.relu, np.array([1, 2, 3]))
classroom.save(gradient_checking.draw(steps, curves), "03_gradient_checking",
               "From left to right the step gets smaller. Each row of dots first falls, "
               "because the curve bends less, and then rises, because rounding grows. "
               "The lines are the sums of the two errors, computed beforehand.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `x0 = 20.0`: f is 178 million times larger here. Does the best step change?
# - `kink = np.array([0.0001])`: what do all three say, a little to the right of the kink?
# - `shape = (30, 4)`: how many forward passes does the numeric gradient take now?
#
# ## Exercise
# `lessons/exercises/03_gradient_checking.py`: the numeric gradient of any function of an array.
