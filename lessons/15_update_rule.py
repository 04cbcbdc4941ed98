"""The update rule: momentum, weight decay, and what happens when the learning rate falls

Prerequisites: lessons 00 and 02. Minutes: 35. Afterwards you can write the paper's update, and say
what your library does differently. Lesson 00 went straight downhill. The paper's walker has a
memory, and most libraries build it in another way.
"""
# %% Tools
from math import ceil, log

import classroom
import numpy as np
from classroom import broken, claim, fact, formula, heard, predict, settle
from drawings import update_rule

from minialex import Tensor, nn, optim

# %% [markdown]
# ## 1. What momentum is good for
# Think of a valley: f = (50·x² + y²)/2. Across, in x, it is steep: the slope is 50·x. Along the
# floor, in y, it is nearly flat: the slope is y. Start at x = 1, y = 10, and go downhill with w ← w
# - ε·slope, as in lesson 00.
# - Across: x ← x - ε·50·x = (1 - 50·ε)·x. If ε is more than 0.04, then 1 - 50·ε is below -1, and x
#   grows with each step.
# - So ε must be small. Take 0.02. Along: y ← (1 - ε)·y = 0.98·y. That is slow.
#
# The steep direction says how small ε must be, and the flat direction has to wait. The idea against
# it is **momentum**: keep most of the last step, and add the new one, v ← μ·v - ε·slope, w ← w + v,
# with μ = 0.9. Across, steps to and fro cancel each other. Along, steps point the same way and add
# up.

# %%
heard("Momentum only makes the steps longer: a learning rate ten times as large does the same.")
momentum, rate, decay = 0.9, 0.01, 0.0005
steep, valley_rate, walked = 50.0, 0.02, 60
guess = predict(f"y ← (1 - {valley_rate:g})·y, {walked} times, from 10. "
                "Where is plain descent then?", within=0.05)

def valley(momentum, rate=valley_rate):
    """The walk of optim.SGD on f = (steep·x² + y²)/2 from (1, 10)."""
    place, walk = nn.Parameter(np.array([1.0, 10.0])), [[1.0, 10.0]]
    optimizer = optim.SGD([place], lr=rate, momentum=momentum, weight_decay=0)
    for _ in range(walked):
        optimizer.zero_grad()
        ((place * Tensor(np.array([steep, 1.0])) * place).sum() * 0.5).backward()
        optimizer.step()
        walk.append(place.data.tolist())
    return np.array(walk)

plain, heavy = valley(0.0), valley(momentum)
left = 10 * (1 - valley_rate) ** walked
formula(f"10·{1 - valley_rate:g}^{walked} = {left:.3f}")
guess.turned_out(round(plain[-1, 1], 3))
fact("the walker's y is this formula, and across it has arrived",
     np.isclose(plain[-1, 1], left) and abs(plain[-1, 0]) < 0.01)
fact(f"after {walked} steps plain descent has {plain[-1, 1]:.1f} of 10 to go, "
     f"momentum at most {abs(heavy[-1]).max():.2f} each way", abs(heavy[-1]).max() < plain[-1, 1])
above, below = (abs(valley(0.0, edge / steep)[-1, 0]) for edge in (2.02, 1.98))
fact(f"across, plain descent moves away if ε is just above {2 / steep:g}, "
     "and comes nearer just below", above > 1 > below)
larger = valley(0.0, valley_rate / (1 - momentum))
fact("so a larger ε is not the same: without momentum, "
     f"{valley_rate / (1 - momentum):g} ends at x = {larger[-1, 0]:.1g}", abs(larger[-1, 0]) > 1000)
fact("but it has been on the wrong side of the floor on its way, "
     f"down to y = {heavy[:, 1].min():.1f}: what has speed goes too far",
     heavy[:, 1].min() < 0 and plain[:, 1].min() > 0)

# %% [markdown]
# ## 2. Two rules that look alike
# The paper (P), section 5, and the study notes (N1 to N5) give one more number: **weight decay**, λ
# = 0.0005. In each step every weight is pulled a little towards 0, in proportion to its size. A
# weight that no gradient holds up dies out. The paper's rule, for a weight w with gradient g:
#
#     the paper:    v ← μ·v - ε·(g + λ·w)     w ← w + v
#     most others:  u ← μ·u + (g + λ·w)       w ← w - ε·u
#
# In the second one ε stands outside. Multiply it by -ε: -ε·u ← μ·(-ε·u) - ε·(g + λ·w). With v =
# -ε·u that is the first one. So they are the same rule, as long as ε stays what it is.
#
# How long do the steps become? Let the gradient be 1 for ever. The newest part of v is ε, the one
# before μ·ε, then μ²·ε, …: ε·(1 + μ + μ² + …). Call the bracket S. S = 1 + μ·S, so S = 1/(1 - μ).

# %%
claim("T7", "N4, N5, P", "batch 128, momentum 0.9, weight decay 0.0005, lr 0.01, "
      "divided by 10 three times")
guess = predict(f"The gradient is 1 for ever, ε = {rate:g}, momentum {momentum:g}, no decay. "
                "How long is each step in the end?")

def paper(w, gradient, rates, momentum=momentum, decay=0.0):
    """The weight after every step; rates: ε of each step."""
    v, path = 0.0, [w]
    for rate in rates:
        v = momentum * v - decay * rate * w - rate * gradient(w)
        w = w + v
        path.append(w)
    return np.array(path)

def outside(w, gradient, rates, momentum=momentum, decay=0.0):
    """The common form."""
    u, path = 0.0, [w]
    for rate in rates:
        u = momentum * u + gradient(w) + decay * w
        w = w - rate * u
        path.append(w)
    return np.array(path)

def engine(w, gradient, rates, momentum=momentum, decay=0.0):
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

steps = -np.diff(paper(0.0, one, [rate] * 200))
long = rate / (1 - momentum)
formula(f"{rate:g}/(1 - {momentum:g}) = {long:g}")
guess.turned_out(round(steps[-1], 6))
fact(f"a constant gradient of 1 makes steps of {long:g}: {long / rate:g} times ε",
     abs(steps[-1] - long) < 1e-8)
constant = [rule(5.0, bowl, [rate] * 200, decay=decay) for rule in (paper, outside, engine)]
fact("with a constant ε all three rules walk the same path, decay included",
     all(np.allclose(path, constant[0], rtol=0, atol=1e-12) for path in constant))

# %% [markdown]
# ## 3. ε falls
# Near the goal, steps must become shorter. So the paper divides ε by 10, three times in all. What
# happens to the walker's speed? In the paper's rule, the steps that are already in v keep the size
# they had. Only what is added becomes smaller. With ε outside, everything in u is divided too, at
# once: the walker brakes within one step. The tests below use a gradient of 1 for ever, so that
# only the rules differ.

# %%
fall = 10
falling = (f"Steps of {long:g} at ε = {rate:g} and momentum {momentum:g}; "
           f"now ε is divided by {fall}. How long is the next step")
guess = predict(f"{falling} under the paper's rule?")
second = predict(f"{falling} with ε outside?")
falls = [rate] * 200 + [rate / fall] * 100
by_rule = {"paper": paper(0.0, one, falls), "outside": outside(0.0, one, falls),
           "engine": engine(0.0, one, falls)}
after = {name: -np.diff(path)[200] for name, path in by_rule.items()}
next_paper, next_outside = momentum * long + rate / fall, rate / fall * (momentum / (1 - momentum)
                                                                         + 1)
formula(f"the paper: {momentum:g}·{long:g} + {rate / fall:g} = {next_paper:g}; "
        f"outside: u is {1 / (1 - momentum):g}, "
        f"so {rate / fall:g}·({momentum:g}·{1 / (1 - momentum):g} + 1) = {next_outside:g}")
guess.turned_out(round(after["paper"], 6))
second.turned_out(round(after["outside"], 6))
fact("each rule's next step is its formula",
     abs(after["paper"] - next_paper) < 1e-8 and abs(after["outside"] - next_outside) < 1e-8)
fact("optim.SGD is the paper's rule",
     np.allclose(by_rule["engine"], by_rule["paper"], rtol=0, atol=1e-12))
extra = by_rule["outside"][-1] - by_rule["paper"][-1]
surplus = long - long / fall
fact("in the end the paper's rule has gone "
     f"{surplus:g}·(μ + μ² + …) = {surplus:g}·{momentum:g}/{1 - momentum:g} = {extra:.2f} further",
     abs(extra - surplus * momentum / (1 - momentum)) < 1e-4 * extra)
again = ceil(log(0.1) / log(momentum))
apart = (np.diff(by_rule["outside"]) - np.diff(by_rule["paper"]))[200:]
fact(f"after {again} more steps, and not before, their steps differ by less than a tenth of what "
     "they differed at first", apart[again] < 0.1 * apart[0] < apart[again - 1])

# %% [markdown]
# ## 4. Weight decay: how long does a weight last that gets no gradient?
# Each step takes λ·ε·w away, and momentum makes it 1/(1 - μ) times that, as in section 2. So w is
# multiplied by 1 - s in each step, with s = λ·ε/(1 - μ). After n steps it is w·(1 - s)ⁿ. When is
# this one half? (1 - s)ⁿ = 1/2. Take logarithms: n·ln(1 - s) = -ln 2. For small s, ln(1 - s) is
# nearly -s. So n = ln 2/s.
#
# An epoch is one pass over 1.2 million pictures, in batches of 128.

# %%
pictures, batch = 1_200_000, 128
epoch = pictures // batch
guess = predict(f"In how many epochs of {epoch:,} steps does a weight without gradient fall to one "
                f"half, at ε = {rate:g}?", within=0.1)

def zero(w):
    return 0.0

shrinks = decay * rate / (1 - momentum)
expected = log(2) / shrinks
path = paper(1.0, zero, [rate] * int(1.5 * expected), decay=decay)
half_life = int(np.argmax(path < 0.5))
formula(f"s = {decay:g}·{rate:g}/{1 - momentum:g} = {shrinks:.3g}; ln 2/s = {expected:,.0f} steps; "
        f"{expected:,.0f}/{epoch:,} = {expected / epoch:.2f} epochs")
guess.turned_out(round(half_life / epoch, 2))
fact(f"an epoch is {pictures:,}/{batch} = {epoch:,} steps", epoch * batch == pictures)
fact(f"step by step it takes {half_life:,}: "
     f"the formula is right within the {1 / (1 - momentum):.0f} steps that v needs to get going",
     abs(half_life - expected) < 1 / (1 - momentum))
fact(f"{rate:g} divided by 10 three times is {rate / 10**3:.5f}",
     abs(rate / 10 / 10 / 10 - 1e-5) < 1e-18)
plateau = optim.SGD([nn.Parameter(np.ones(1))], lr=rate)
schedule = optim.ReduceOnPlateau(plateau, factor=0.1, patience=1, max_reductions=3)
for _ in range(20):
    schedule.step(metric=0.4)  # a validation error that never falls
fact("ReduceOnPlateau stops after three divisions, like the authors",
     abs(plateau.param_groups[0]["lr"] - 1e-5) < 1e-18)
settle("T7", "true", f"and ε stands inside v: after ε/{fall} the next step is "
       f"{after['paper']:.3f}, with ε outside {after['outside']:.3f}, {extra:.2f} less in all; "
       f"without gradient a weight halves in {half_life:,} steps = {half_life / epoch:.2f} epochs")

# %% [markdown]
# ## 5. Broken on purpose: a negative rate, and gradients that nobody forgot
# A negative ε would go uphill. And `backward()` adds to the gradient that is there, because a
# weight may be used in several places (lesson 02). So the gradient of the last batch must be
# forgotten before the next one: `zero_grad()`.

# %%
with broken(ValueError):
    optim.SGD([nn.Parameter(np.ones(1))], lr=-0.01)
w = nn.Parameter(np.ones(1))
(w * 3).sum().backward()
(w * 3).sum().backward()
fact("without zero_grad() the second backward adds to the first: 3 + 3 = 6",
     w.grad.tolist() == [6.0])
classroom.save(update_rule.draw(by_rule, plain, heavy, momentum, fall, steep), "15_update_rule",
               f"Left: ε is divided by {fall}. The paper's steps become shorter little by little, "
               f"with ε outside they do at once. Right: without momentum {plain[-1, 1]:.1f} of 10 "
               "are left; with it the walk goes too far, and comes back.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `momentum, rate, decay = 0.5, 0.01, 0.0005`: how long are the steps with less memory? Does the
#   walker still go too far?
# - `steep, valley_rate, walked = 50.0, 0.041, 60`: what happens to plain descent just above 0.04?
# - `fall = 2`: how far apart are the two rules after a gentle fall?
#
# ## Exercise
# `lessons/exercises/15_update_rule.py`: the paper's update for arrays. Before you write it: what
# must u be multiplied by, when ε changes, so that the common form takes the paper's steps?
#
# `lessons/my_engine/15_update.py` is a brick of an engine of your own. Nine lessons have one.
# `python -m lessons` shows the wall of bricks, and `lessons/my_engine/train.py` trains LeNet-5 with
# those that you have.
