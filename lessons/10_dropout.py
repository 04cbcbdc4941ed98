"""Dropout: three explanations, each computed, and what happens at test time

Prerequisites: lessons 06 and 09. Minutes: 40. Afterwards you can write dropout, forward and
backward, and check each of the three reasons that students hear for it. AlexNet has more parameters
than it has seen pictures: it could learn them by heart. In training, half of the values of two of
its layers are therefore replaced by 0, others at every picture.
"""
# %% Tools
import itertools

import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, claim, fact, formula, heard, predict, settle
from drawings import dropout

import minialex as ma
import minialex.functional as F
from minialex import models, nn

# %% [markdown]
# ## 1. The formula
# **Dropout** with probability p. In training: y = x·m/(1 - p), where m is 1 with probability 1 - p,
# and 0 otherwise, drawn for each value. Why divide? The mean of m is 1 - p, so without the division
# the layers above would be used to smaller numbers than they get later. With p = 1/2 what is kept
# is doubled, and the mean of y is x. At test time: y = x. The paper does the same the other way
# round: y = x·m in training, and y = x/2 at test.

# %%
claim("T6", "N1, N4, N5", "Dropout of 0.5 in fc6 and fc7. Three explanations: "
      "many sub-networks averaged; no co-adaptation; new samples, (1,2,3,4,5,6) → (1,0,3,4,0,6)")
units = 4096 + 4096
guess = predict(f"fc6 and fc7 have {units} units, each there or not: 2^{units} networks. "
                "How many digits has that number?")
formula(f"{units}·log₁₀ 2 = {units}·0.30103 = {units * np.log10(2):.2f}, "
        f"so {int(units * np.log10(2)) + 1} digits")
guess.turned_out(len(str(2**units)))
ma.manual_seed(0)
x = np.arange(1.0, 7.0)
y = F.dropout(x).data
mask = (y != 0).astype(float)
fact("F.dropout is x·m/(1 - p): every value is 0 or doubled",
     np.array_equal(y, x * mask / (1 - 0.5)))
many = F.dropout(np.ones(100_000), p=0.3).data
fact("p = 0.3: the mean is still 1, three in ten are 0",
     abs(many.mean() - 1) < 0.01 and abs((many == 0).mean() - 0.3) < 0.01)
fact("at test time nothing happens", np.array_equal(F.dropout(x, training=False).data, x))
net = models.alexnet("paper", num_classes=2)
drops = [(name, layer.p) for name, layer in net.named_modules() if isinstance(layer, nn.Dropout)]
fact("AlexNet drops after fc6 and fc7 and nowhere else, with p = 0.5",
     drops == [("drop6", 0.5), ("drop7", 0.5)])

# %% [markdown]
# ## 2. Many networks, averaged
# The first explanation: each mask leaves another network, and the whole network stands for the mean
# of them all. Take ten units: that makes 2¹⁰ = 1024 masks, few enough to run every one of these
# networks and to average for real.

# %%
generator = np.random.default_rng(0)
h, W = np.maximum(generator.normal(size=10), 0.1), generator.normal(size=(3, 10))
masks = np.array(list(itertools.product([0, 1], repeat=10)))
outputs = (h * masks / 0.5) @ W.T  # (1024, 3): one row for each sub-network
fact("linear output: the mean of all 1024 sub-networks is the one network without dropout, exactly",
     np.allclose(outputs.mean(axis=0), W @ h))
p = F.softmax(outputs).data
geometric = np.exp(np.log(p).mean(axis=0))
whole = F.softmax((W @ h)[None]).data[0]
fact("softmax output: their geometric mean, scaled to sum 1, is again exactly the one network",
     np.allclose(geometric / geometric.sum(), whole))
gap = abs(p.mean(axis=0) - whole).max()
fact(f"the ordinary mean of the probabilities is something else, by up to {gap:.2f}", gap > 0.02)
V = generator.normal(size=(5, 10))
deep, one = np.maximum((h * masks / 0.5) @ V.T, 0).mean(axis=0), np.maximum(V @ h, 0)
fact("with another ReLU above, the one network is only near the mean: ReLU of a mean is never more "
     "than the mean of ReLUs", (one <= deep + 1e-12).all() and not np.allclose(one, deep))

# %% [markdown]
# ## 3. No co-adaptation
# The second explanation: units must not rely on each other. Take two units that always say the
# same, 1 and 1. Wanted is w₁ + w₂ = 1. The weights (10, -9) do it, as long as both units are there:
# each repairs what the other spoils. With dropout one of them is often missing. The mean squared
# error over the four masks is (1 - w₁ - w₂)² + w₁² + w₂², so large weights cost.

# %%
heard("Dropout is noise, and noise makes training slower, that is all.")
guess = predict("w = (10, -9), inputs (1, 1), wanted 1, p = 1/2. "
                "What is the mean squared error over the four masks?")
formula("(1 - 10 + 9)² + 10² + 9² = 0 + 181; by mask: "
        "(1² + 19² + 19² + 1²)/4 = (1 + 361 + 361 + 1)/4 = 181")
pairs = np.array(list(itertools.product([0, 1], repeat=2)))

def with_dropout(w):
    """The mean over all four masks: (error, its gradient)."""
    wrong = 1 - (2 * pairs) @ w
    return (wrong**2).mean(), (-2 * wrong[:, None] * 2 * pairs).mean(axis=0)

def without(w):
    wrong = 1 - w.sum()
    return wrong**2, np.full(2, -2 * wrong)

fighters = np.array([10.0, -9.0])
guess.turned_out(with_dropout(fighters)[0])
fight = f"({fighters[0]:g}, {fighters[1]:g})"
fact(f"without dropout {fight} is perfect, and so is (1/2, 1/2)",
     without(fighters)[0] == without(np.array([0.5, 0.5]))[0] == 0)
fact(f"with dropout the formula holds: {with_dropout(fighters)[0]:g} for {fight}, "
     "0.5 for the equals", all(np.isclose(with_dropout(w)[0], (1 - w.sum()) ** 2 + (w**2).sum())
                                for w in (fighters, np.array([0.5, 0.5]))))

def descend(error, w, steps=60):
    path = [w]
    for _ in range(steps):
        path.append(path[-1] - 0.05 * error(path[-1])[1])
    return np.array(path)

start = np.array([6.0, -4.5])
paths = {"without dropout": descend(without, start), "with dropout": descend(with_dropout, start)}
fact("gradient descent with dropout makes the two equal, near (1/3, 1/3)",
     abs(paths["with dropout"][-1] - 1 / 3).max() < 0.05)
fact("without, they go on fighting", paths["without dropout"][-1][0] > 5)

# %% [markdown]
# ## 4. New samples
# The third explanation: dropout shows the network pictures that do not exist. If h = ReLU(W·x) =
# (1, 2, 3, 4, 5, 6) is masked to (1, 0, 3, 4, 0, 6), is there an input that would have given just
# that, without a mask? That is a system of equations.

# %%
W = generator.normal(size=(6, 9))
x = np.linalg.lstsq(W, np.arange(1.0, 7.0), rcond=None)[0]
h, masked = np.maximum(W @ x, 0), np.array([1.0, 0, 3, 4, 0, 6])
other = x + np.linalg.lstsq(W, masked - h, rcond=None)[0]
fact("x gives (1, 2, 3, 4, 5, 6)", np.allclose(h, [1, 2, 3, 4, 5, 6]))
fact("another input gives (1, 0, 3, 4, 0, 6) without any dropout",
     np.allclose(np.maximum(W @ other, 0), masked))
narrow = W[:, :4]
fact("it is there as long as there are at least as many inputs as units, "
     "as in fc6 (9216 for 4096); 4 for 6 are not enough", np.linalg.matrix_rank(W) == 6
     and np.abs(narrow @ np.linalg.lstsq(narrow, masked, rcond=None)[0] - masked).max() > 0.1
     and net.fc6.weight.shape == (4096, 9216))
settle("T6", "true", "linear: 1024 networks' mean is the one network, to rounding; softmax: "
       f"their geometric mean is, their mean is up to {gap:.2f} off. Weights (10, "
       "-9) cost 181 and become equal. The sample that gives (1,0,3,4,0,6) can be computed")

# %% [markdown]
# ## 5. Broken on purpose: dropping everything; and the paper's halving, forgotten
# With p = 1 nothing is left, and the division is by 0. And if a program neither doubles in training
# nor halves at test, then the layers above get values at test that are twice as large as those that
# they have learnt from.

# %%
with broken(ValueError):
    F.dropout(x, p=1.0)
forgotten = (masks * np.arange(1.0, 11.0)).mean(axis=0)
fact("kept without doubling, and not halved at test: every value is twice what training "
     "was used to", np.allclose(np.arange(1.0, 11.0), 2 * forgotten))
classroom.save(dropout.draw(outputs[:, 0], paths, with_dropout, (x, other), (h, masked)),
               "10_dropout", "The outputs of 1024 sub-networks scatter around the one network. "
               "With dropout two weights end up equal; without they keep fighting. "
               "And an input that gives the masked values by itself.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `units = 20`: how many networks are that?
# - `fighters = np.array([2.0, -1.0])`: what do smaller weights cost?
# - `start = np.array([1.0, 0.0])`: where does the descent without dropout end now?
#
# ## Exercise
# `lessons/exercises/10_dropout.py`: dropout with the random numbers given, forward and backward.
#
# `lessons/my_engine/10_dropout.py` is a brick of an engine of your own. Nine lessons have one.
# `python -m lessons` shows the wall of bricks, and `lessons/my_engine/train.py` trains LeNet-5 with
# those that you have.
