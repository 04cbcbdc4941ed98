"""Gradient checking: which step size, and what rounding does to it

A backward pass is a formula that somebody typed. Finite differences need no formula: they test it. Too large a step bends,
too small a step drowns in rounding, and both errors can be computed beforehand.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, fact, formula, heard, predict
from drawings import gradient_checking

import minialex as ma
import minialex.functional as F

# %% [markdown]
# ## 1. The best step
# For f = eˣ at x = 1 the derivative is e. The central difference (f(x + h) - f(x - h))/2h is off by h²/6·f‴ because the
# curve bends, and by about ε·f/h because each f is rounded to 16 digits. Both cannot be small: somewhere lies the best h.

# %%
heard("The smaller the step h, the better the numeric derivative.")
guess = predict("f = eˣ in float64. Which step h = 10⁻ⁿ gives the best central difference? Your n", within=1)

formula("h²/6 + ε/h, with ε = 2.2·10⁻¹⁶, is smallest where h/3 = ε/h²: h = (3·2.2·10⁻¹⁶)^(1/3) = 8.7·10⁻⁶")

def one_sided(f, x, h):
    return (f(x + h) - f(x)) / h

def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)

def error(rule, h, dtype):
    """How far off, relative to e; everything is rounded to `dtype`."""
    found = rule(np.exp, dtype(1), dtype(h))
    return abs(float(found) - np.e) / np.e

steps = 10.0 ** np.arange(-1, -16, -0.25)
curves = {("central", "float64"): [error(central, h, np.float64) for h in steps],
          ("one-sided", "float64"): [error(one_sided, h, np.float64) for h in steps],
          ("central", "float32"): [error(central, h, np.float32) for h in steps]}
best = {name: steps[np.argmin(errors)] for name, errors in curves.items()}
guess.turned_out(-np.log10(best["central", "float64"]))
fact("the best central step in float64 lies between 10⁻⁶ and 10⁻⁴", 1e-6 <= best["central", "float64"] <= 1e-4)
fact("the best one-sided step is smaller, near √ε = 1.5·10⁻⁸", 1e-9 <= best["one-sided", "float64"] <= 1e-7)
fact("float32 has 7 digits: the best step is near 10⁻², and the 10⁻⁵ of float64 is off by more than a thousandth",
     1e-3 <= best["central", "float32"] <= 1e-1 and error(central, 1e-5, np.float32) > 1e-3)
fact("a tenth of the step makes the central difference 100 times better, the one-sided 10 times",
     abs(error(central, 1e-2, np.float64) / error(central, 1e-3, np.float64) - 100) < 1
     and abs(error(one_sided, 1e-2, np.float64) / error(one_sided, 1e-3, np.float64) - 10) < 1)
fact("with h = 10⁻¹⁷ x + h is x, and the derivative comes out as 0", central(np.exp, 1.0, 1e-17) == 0)

# %% [markdown]
# ## 2. From one number to all entries of an array
# L is one number: the outputs, weighted with a `cotangent` and summed. One entry moves at a time.

# %%
def numeric(op, x, cotangent, h=1e-5):
    """dL/dx, L = Σ cotangent·op(x), by central differences: two forward passes for each entry."""
    slope = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        slope[index] = (cotangent * (op(ma.Tensor(up)).data - op(ma.Tensor(down)).data)).sum() / (2 * h)
    return slope

def analytic(op, x, cotangent):
    x = ma.Tensor(x, requires_grad=True)
    op(x).backward(cotangent)
    return x.grad

generator = np.random.default_rng(0)
x, cotangent = generator.normal(size=(3, 4)), generator.normal(size=(3, 4))
for op in (F.tanh, F.sigmoid, F.relu, F.softmax, F.log_softmax):
    fact(f"F.{op.__name__}: backward agrees with 24 forward passes to 9 digits",
         np.allclose(numeric(op, x, cotangent), analytic(op, x, cotangent), rtol=1e-8, atol=1e-9))
fact("the engine's own checker agrees, and chooses its steps by itself", ma.gradcheck(F.softmax, x))

# %% 3. Why the cotangent is random
class ForgetfulSoftmax(ma.Function):
    """A softmax whose backward returns nothing but zeros."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def backward(self, g):
        return np.zeros_like(g)

def forgetful(x):
    return ForgetfulSoftmax()(x)

guess = predict("A row of a softmax is summed. By how much does that sum grow per unit of any input?")
formula("Σ p = 1 whatever x is, so dΣp/dx = 0: with ones as the cotangent even zeros are right")
ones = np.ones_like(x)
guess.turned_out(round(abs(numeric(forgetful, x, ones)).max(), 6))
fact("with ones as the cotangent the zeros pass: each row of a softmax sums to 1, whatever x is",
     np.allclose(numeric(forgetful, x, ones), analytic(forgetful, x, ones), atol=1e-9))
fact("with a random cotangent they do not", not np.allclose(
     numeric(forgetful, x, cotangent), analytic(forgetful, x, cotangent), atol=1e-3))

# %% 4. Where there is no derivative
kink = np.array([0.0])
right, left = one_sided(lambda v: np.maximum(v, 0), kink, 1e-6), one_sided(lambda v: np.maximum(v, 0), kink, -1e-6)
fact("ReLU at 0 climbs with 1 to the right and with 0 to the left; the central difference says 1/2",
     (right, left, numeric(F.relu, kink, np.ones(1))) == (1, 0, 0.5))
fact("the engine says 0, one of the many that are allowed", analytic(F.relu, kink, np.ones(1)) == 0)

# %% 5. Broken on purpose: what the checker says to zeros, and to whole numbers. Then the picture.
report = ma.gradcheck(ForgetfulSoftmax, [x])
print(f"\n{report}")
fact("the checker refuses the zeros", not report)
with broken(TypeError):
    ma.gradcheck(F.relu, np.array([1, 2, 3]))
classroom.save(gradient_checking.draw(steps, curves), "03_gradient_checking")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/03_gradient_checking.py`: the numeric gradient of any function of an array.
