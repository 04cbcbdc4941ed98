"""Softmax cross-entropy: ln 1000, what overflows, and LeNet's Euclidean output beside it

The first number that a training run prints can be predicted before it starts, and says whether all is well. It comes from
a formula that cannot be computed as it stands.
"""
# %% Tools
import math

import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, claim, fact, formula, heard, predict, settle
from drawings import cross_entropy

import minialex as ma
import minialex.functional as F
from minialex import models

# %% [markdown]
# ## 1. The formula
# p_k = e^(z_k)/Σ e^(z_j), L = -ln p_label. For z = (1, 2, 3) and label 0: p_0 = 2.718/(2.718 + 7.389 + 20.086) = 0.0900,
# L = 2.408.

# %%
claim("T10", "–", "The untrained network's loss over 1000 classes is ln 1000")
guess = predict("1000 classes, all equally likely. What is -ln p?")
formula("-ln(1/1000) = ln 1000 = 3·ln 10 = 3·2.3026 = 6.9078")
guess.turned_out(round(math.log(1000), 4))

def cross_entropy_by_loops(z, labels):
    """The mean over the batch of -ln p_label, as the formula stands."""
    total = 0.0
    for row, label in zip(z, labels):
        total -= math.log(math.exp(row[label]) / sum(math.exp(value) for value in row))
    return total / len(z)

generator = np.random.default_rng(0)
z, labels = generator.normal(size=(6, 5)) * 2, np.array([0, 3, 1, 4, 4, 2])
fact("z = (1, 2, 3), label 0: 2.408", round(F.cross_entropy([[1.0, 2.0, 3.0]], [0]).item(), 3) == 2.408)
fact("F.cross_entropy gives what the loops give",
     math.isclose(F.cross_entropy(z, labels).item(), cross_entropy_by_loops(z, labels)))
fact("1000 equal logits: 6.9078, whatever they are, 0 or 500",
     all(round(F.cross_entropy(np.full((2, 1000), c), [7, 8]).item(), 4) == 6.9078 for c in (0.0, 500.0)))
fact("a half and a half of two classes: ln 2 = 0.693; e^loss is the number of classes one is undecided between",
     math.isclose(math.exp(F.cross_entropy(np.zeros((1, 2)), [1]).item()), 2))

# %% 2. Broken on purpose: e^89 is more than float32 can hold, 3.4·10³⁸
with np.errstate(over="raise"), broken(FloatingPointError):
    np.exp(np.float32(89)) / np.exp(np.float32([89, 88, 87])).sum()
shifted = z - z.max(axis=1, keepdims=True)
fact("a number taken off all logits changes nothing: p is the same", np.allclose(F.softmax(z).data, F.softmax(shifted).data))
p = F.softmax(np.float32([[89, 88, 87]])).data
fact("so the engine takes the largest off first: e⁰, e⁻¹, e⁻² cannot overflow", np.allclose(p, F.softmax([[2.0, 1.0, 0.0]]).data))
sure = F.cross_entropy(np.float32([[0, 200]]), [0]).item()
fact("-ln p where p = e⁻²⁰⁰ is 0 in float32: log-softmax never takes that logarithm, and says 200", sure == 200)

# %% [markdown]
# ## 3. Backward
# The logarithm undoes the exponential, and what is left is the shortest gradient of the course: dL/dz = (p - one-hot)/N.

# %%
heard("The gradient of softmax needs its whole Jacobian, a 1000×1000 matrix.")
guess = predict("p of the right class is 0.1, one picture. What is dL/dz for the right class?")
formula("(p - 1)/N = (0.1 - 1)/1 = -0.9")
tensor = ma.Tensor(z, requires_grad=True)
F.cross_entropy(tensor, labels).backward()
by_hand = F.softmax(z).data.copy()
for n, label in enumerate(labels):
    by_hand[n, label] -= 1
fact("p minus 1 at the label, over the batch: the engine's gradient", np.allclose(tensor.grad, by_hand / len(z)))
tenth = ma.Tensor(np.log([[0.1, 0.6, 0.3]]), requires_grad=True)
F.cross_entropy(tenth, [0]).backward()
guess.turned_out(round(tenth.grad[0, 0], 6))
fact("every row sums to 0: what one class is pushed up, the others are pushed down", np.allclose(tensor.grad.sum(axis=1), 0))

# %% 4. What the first step really prints
ma.manual_seed(0)
net = models.alexnet("paper")  # N(0, 0.01²) everywhere, biases of 1: the paper's own start
pictures = generator.normal(size=(2, 3, 227, 227)).astype(np.float32)
with ma.no_grad():
    logits = {"training": net.train()(pictures).data, "evaluation": net.eval()(pictures).data}

def over_all_labels(z):
    """The mean loss over all 1000 labels that the pictures could have: ln Σ e^z - the mean of z."""
    return float(np.mean([F.cross_entropy(np.repeat(row[None], 1000, axis=0), np.arange(1000)).item() for row in z]))

first = {mode: over_all_labels(z) for mode, z in logits.items()}
spread = {mode: float(z.std(axis=1).mean()) for mode, z in logits.items()}
for mode in first:
    fact(f"{mode}: logits that scatter by σ = {spread[mode]:.2f} cost ln 1000 + σ²/2 = "
         f"{math.log(1000) + spread[mode] ** 2 / 2:.2f}, measured {first[mode]:.2f}",
         abs(first[mode] - math.log(1000) - spread[mode] ** 2 / 2) < 0.15)
fact("dropout doubles what is kept, so the first training step prints about 8, a whole unit above ln 1000",
     7.4 < first["training"] < 8.6)
fact("a last layer of zeros would print ln 1000", round(over_all_labels(logits["training"] * 0), 4) == 6.9078)
settle("T10", "half true", f"{math.log(1000):.4f} is the floor, for equal probabilities. The paper's own weights scatter the "
       f"logits: {first['training']:.1f} in training with dropout, {first['evaluation']:.1f} without. A first loss of 20 "
       "means weights that are too large, one well below 6.9 a mistake in the loss")

# %% 5. LeNet's output: distances
heard("LeNet's Euclidean output is something else altogether.")
features, centres = generator.normal(size=84), np.sign(generator.normal(size=(10, 84)))
distances = np.array([sum((f - c) ** 2 for f, c in zip(features, centre)) for centre in centres])
as_layer = F.linear(features[None], centres, -(centres**2).sum(axis=1) / 2).data
fact("softmax of -distance²/2 is softmax of a linear layer with bias -|w|²/2: the |x|² cancels",
     np.allclose(F.softmax(-distances[None] / 2).data, F.softmax(as_layer).data))

def slope_of(loss, z):
    z = ma.Tensor([[float(z)]], requires_grad=True)
    loss(z).backward()
    return z.grad.item()

def squared(z):
    return F.mse_loss(F.sigmoid(z), np.ones((1, 1), dtype=np.float32))

def entropy(z):
    return F.cross_entropy(z * np.float32([[1, 0]]), [0])  # two classes: p = sigmoid(z)

wrong = {loss.__name__: slope_of(loss, -10) for loss in (squared, entropy)}
fact("sure and wrong, p = 0.00005: cross-entropy pulls with -1, the squared error with less than 0.0001",
     math.isclose(wrong["entropy"], -1, abs_tol=1e-4) and 0 < -wrong["squared"] < 1e-4)
xs = np.linspace(-10, 10, 201)
curves = {loss.__name__: [(loss(ma.Tensor([[float(x)]])).item(), slope_of(loss, x)) for x in xs] for loss in (entropy, squared)}
classroom.save(cross_entropy.draw(xs, curves, logits["training"], first["training"]), "09_cross_entropy")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/09_cross_entropy.py`: the loss without overflow, and its gradient.
