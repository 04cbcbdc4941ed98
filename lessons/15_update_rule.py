"""The update rule: momentum, weight decay, and what happens when the learning rate falls

The paper (P), section 5, for a weight w, its momentum variable v, the learning rate ε and the gradient g of a batch of 128:
v ← 0.9·v − 0.0005·ε·w − ε·g, then w ← w + v. Most libraries compute something else, and it is the same until ε changes.
"""
# %% Tools
from math import log

import classroom
import numpy as np
from classroom import broken, claim, fact, predict, settle
from drawings import update_rule

from minialex import Tensor, nn, optim

# %% [markdown]
# ## 1. Two rules that look alike
# The paper: `v ← μ·v − ε·(g + λ·w)`, `w ← w + v`. The common form: `u ← μ·u + (g + λ·w)`, `w ← w − ε·u`, ε outside. With a
# constant ε they are the same rule, v = −ε·u. A constant gradient of 1 makes steps of ε·(1 + μ + μ² + …) = ε/(1 − μ).

# %%
claim("T7", "N4, N5, P", "batch 128, momentum 0.9, weight decay 0.0005, lr 0.01, divided by 10 three times")
guess = predict("The gradient is 1 for ever, ε = 0.01, momentum 0.9, no decay. How long is each step in the end?")

def paper(w, gradient, rates, momentum=0.9, decay=0.0):
    """The weight after every step; rates: ε of each step."""
    v, path = 0.0, [w]
    for rate in rates:
        v = momentum * v - decay * rate * w - rate * gradient(w)
        w = w + v
        path.append(w)
    return np.array(path)

def outside(w, gradient, rates, momentum=0.9, decay=0.0):
    """The common form."""
    u, path = 0.0, [w]
    for rate in rates:
        u = momentum * u + gradient(w) + decay * w
        w = w - rate * u
        path.append(w)
    return np.array(path)

def engine(w, gradient, rates, momentum=0.9, decay=0.0):
    """optim.SGD on one parameter."""
    weight = nn.Parameter(np.array([w]))
    optimizer, path = optim.SGD([weight], lr=rates[0], momentum=momentum, weight_decay=decay), [w]
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        weight.grad = np.array([gradient(float(weight.data[0]))])
        optimizer.step()
        path.append(float(weight.data[0]))
    return np.array(path)

def one(w):
    return 1.0

def bowl(w):
    return 3 * (w - 1)

steps = -np.diff(paper(0.0, one, [0.01] * 200))
guess.turned_out(round(steps[-1], 6))
fact("a constant gradient of 1 makes steps of 0.01/(1 − 0.9) = 0.1, ten times ε", abs(steps[-1] - 0.1) < 1e-8)
constant = [rule(5.0, bowl, [0.01] * 200, decay=0.0005) for rule in (paper, outside, engine)]
fact("with a constant ε all three rules walk the same path, decay included",
     all(np.allclose(path, constant[0], rtol=0, atol=1e-12) for path in constant))

# %% [markdown]
# ## 2. ε falls
# In the paper's rule the steps that are already in v keep the size they had; only what is added becomes smaller. With ε
# outside, everything in u is divided as well, at once: the walker stops dead.

# %%
guess = predict("Steps of 0.1, and now ε is divided by 10. How long is the next step under the paper's rule?")
second = predict("And with ε outside?")
falls = [0.01] * 200 + [0.001] * 100
by_rule = {"paper": paper(0.0, one, falls), "outside": outside(0.0, one, falls), "engine": engine(0.0, one, falls)}
after = {name: -np.diff(path)[200] for name, path in by_rule.items()}
guess.turned_out(round(after["paper"], 6))
second.turned_out(round(after["outside"], 6))
fact("the paper's next step is 0.9·0.1 + 0.001 = 0.091", abs(after["paper"] - 0.091) < 1e-9)
fact("with ε outside it is 0.001·(0.9·10 + 1) = 0.01", abs(after["outside"] - 0.01) < 1e-9)
fact("optim.SGD is the paper's rule", np.allclose(by_rule["engine"], by_rule["paper"], rtol=0, atol=1e-12))
extra = by_rule["outside"][-1] - by_rule["paper"][-1]
fact("in the end the paper's rule has gone 0.09·(0.9 + 0.9² + …) = 0.81 further", abs(extra - 0.81) < 1e-4)
fact("and after 22 steps the two take steps of the same length within 10 % of the first difference",
     abs(np.diff(by_rule["paper"]) - np.diff(by_rule["outside"]))[222] < 0.1 * 0.081)

# %% [markdown]
# ## 3. Weight decay: how long does a weight last that gets no gradient?
# Each step takes λ·ε·w, and momentum makes it ten times that: w shrinks by λ·ε/(1 − μ) = 0.0005·0.01/0.1 = 5·10⁻⁵ a step.
# An epoch is 1.2 million pictures in batches of 128.

# %%
guess = predict("In how many epochs of 9,375 steps does a weight without gradient fall to one half, at ε = 0.01?", within=0.1)

def zero(w):
    return 0.0

path = paper(1.0, zero, [0.01] * 20_000, decay=0.0005)
half_life = int(np.argmax(path < 0.5))
epoch = 1_200_000 // 128
guess.turned_out(round(half_life / epoch, 2))
fact("an epoch is 9,375 steps", epoch == 9375)
fact("ln 2 / 5·10⁻⁵ = 13,863 steps, and the simulation agrees within ten", abs(half_life - log(2) / 5e-5) < 10)
rates = [0.01 / 10**n for n in range(4)]
fact("0.01 divided by 10 three times ends at 0.00001", abs(rates[-1] - 1e-5) < 1e-18)
plateau = optim.SGD([nn.Parameter(np.ones(1))], lr=0.01)
schedule = optim.ReduceOnPlateau(plateau, factor=0.1, patience=1, max_reductions=3)
for _ in range(20):
    schedule.step(metric=0.4)  # a validation error that never falls
fact("ReduceOnPlateau stops after three divisions, like the authors", abs(plateau.param_groups[0]["lr"] - 1e-5) < 1e-18)
settle("T7", "true", f"and ε stands inside v: after ε/10 the next step is {after['paper']:.3f}, with ε outside "
       f"{after['outside']:.3f}, {extra:.2f} less in all; "
       f"without gradient a weight halves in {half_life:,} steps = {half_life / epoch:.2f} epochs")

# %% [markdown]
# ## 4. What momentum is good for
# A valley: steep across (curvature 50), flat along (1). ε must be small for the steep side; along the floor steps add up.

# %%
def valley(momentum, steps=60, rate=0.02):
    """The walk of optim.SGD on f = (50·x² + y²)/2 from (1, 10)."""
    place, walk = nn.Parameter(np.array([1.0, 10.0])), [[1.0, 10.0]]
    optimizer = optim.SGD([place], lr=rate, momentum=momentum, weight_decay=0)
    for _ in range(steps):
        optimizer.zero_grad()
        ((place * Tensor(np.array([50.0, 1.0])) * place).sum() * 0.5).backward()
        optimizer.step()
        walk.append(place.data.tolist())
    return np.array(walk)

plain, heavy = valley(0.0), valley(0.9)
fact("after 60 steps plain descent still has a quarter of the way to go, momentum less than a tenth",
     plain[-1, 1] > 2.5 and np.abs(heavy[-1]).max() < 1)

# %% 5. Broken on purpose: a negative rate, and gradients that nobody forgot. Then the picture.
with broken(ValueError):
    optim.SGD([nn.Parameter(np.ones(1))], lr=-0.01)
w = nn.Parameter(np.ones(1))
(w * 3).sum().backward()
(w * 3).sum().backward()
fact("without zero_grad() the second backward adds to the first: 3 + 3 = 6", w.grad.tolist() == [6.0])
classroom.save(update_rule.draw(by_rule, plain, heavy), "15_update_rule")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/15_update_rule.py`: the paper's update for arrays, in place. Before you write it: what must v be
# multiplied by, when ε changes, so that the common form takes the paper's steps?
