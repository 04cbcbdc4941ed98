"""Softmax cross-entropy: ln 1000, what overflows, and LeNet's Euclidean output beside it

Prerequisites: lessons 02, 03 and 06. Minutes: 45. Afterwards you can compute the loss of a
classifier and its gradient by hand, without overflow, and say before a run starts which number it
will print first, and what it means when it prints another one.
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
# AlexNet names one of 1000 classes. Its last layer gives one score for each class: the **logits**
# z. How wrong are they? Two steps.
# - Make probabilities of them. e^z is positive, and larger for a larger z. Divide by the sum, so
#   that they add up to 1: p_k = e^(z_k)/Σ e^(z_j). This is the **softmax**.
# - Look at the probability of the right class. If it is 1, the loss shall be 0. If it is near 0,
#   the loss shall be large. The function -ln p does that: L = -ln p_label. This is the
#   **cross-entropy** loss. Of several pictures one takes the mean.
#
# With z = (1, 2, 3) and label 0: p_0 = 2.718/(2.718 + 7.389 + 20.086) = 0.0900, and L = -ln 0.0900
# = 2.408.

# %%
classes = 1000
claim("T10", "–", "The untrained network's loss over 1000 classes is ln 1000")
guess = predict(f"{classes} classes, all equally likely. What is -ln p?")
formula(f"-ln(1/{classes}) = ln {classes} = {math.log(classes):.4f}")
guess.turned_out(round(math.log(classes), 4))

def cross_entropy_by_loops(z, labels):
    """The mean over the batch of -ln p_label, as the formula stands."""
    total = 0.0
    for row, label in zip(z, labels):
        total -= math.log(math.exp(row[label]) / sum(math.exp(value) for value in row))
    return total / len(z)

generator = np.random.default_rng(0)
z, labels = generator.normal(size=(6, 5)) * 2, np.array([0, 3, 1, 4, 4, 2])
fact("z = (1, 2, 3), label 0: 2.408",
     round(F.cross_entropy([[1.0, 2.0, 3.0]], [0]).item(), 3) == 2.408)
fact("F.cross_entropy gives what the loops give",
     math.isclose(F.cross_entropy(z, labels).item(), cross_entropy_by_loops(z, labels)))
fact(f"{classes} equal logits: {math.log(classes):.4f}, whatever they are, 0 or 500",
     all(math.isclose(F.cross_entropy(np.full((2, classes), c), [7, 8]).item(), math.log(classes))
         for c in (0.0, 500.0)))
fact("a half and a half of two classes: ln 2 = 0.693; e^loss is the number of classes one is "
     "undecided between", math.isclose(math.exp(F.cross_entropy(np.zeros((1, 2)), [1]).item()), 2))

# %% [markdown]
# ## 2. Broken on purpose: e^89 is more than float32 can hold
# The largest float32 is 3.4·10³⁸, and e^89 is 4.5·10³⁸. So the formula gives ∞/∞, which is NaN: not
# a number. But a number taken off all logits changes nothing, since e^(z - c) = e^z/e^c, and e^c
# cancels. Take off the largest logit: then no exponent is above 0.

# %%
with np.errstate(over="ignore", invalid="ignore"):
    as_it_stands = np.exp(np.float32(89)) / np.exp(np.float32([89, 88, 87])).sum()
fact(f"the formula as it stands gives {as_it_stands} for logits of 89, 88, 87",
     np.isnan(as_it_stands))
with broken(ValueError):
    F.cross_entropy(np.zeros((2, 5)), [1, 5])
shifted = z - z.max(axis=1, keepdims=True)
fact("a number taken off all logits changes nothing: p is the same",
     np.allclose(F.softmax(z).data, F.softmax(shifted).data))
p = F.softmax(np.float32([[89, 88, 87]])).data
fact("so the engine takes the largest off first: e⁰, e⁻¹, e⁻² cannot overflow",
     np.allclose(p, F.softmax([[2.0, 1.0, 0.0]]).data))
sure = F.cross_entropy(np.float32([[0, 200]]), [0]).item()
fact("-ln p where p = e⁻²⁰⁰ is 0 in float32: log-softmax never takes that logarithm, and says 200",
     sure == 200)

# %% [markdown]
# ## 3. Backward
# Write L = -ln(e^(z_label)/Σ e^(z_j)) = -z_label + ln Σ e^(z_j). The logarithm has undone the
# exponential. Now take the slope with respect to z_k:
# - the first part gives -1 if k is the label, and 0 otherwise;
# - the second part gives e^(z_k)/Σ e^(z_j), by the chain rule for ln, and that is p_k.
#
# So dL/dz_k = p_k - 1 at the label and p_k elsewhere. With a mean over N pictures: dL/dz = (p -
# onehot)/N, where onehot is 1 at the label and 0 elsewhere. It is the shortest gradient of the
# course.

# %%
heard("The gradient of softmax needs its whole Jacobian, a 1000×1000 matrix.")
guess = predict("p of the right class is 0.1, one picture. What is dL/dz for the right class?")
formula("(p - 1)/N = (0.1 - 1)/1 = -0.9")
tensor = ma.Tensor(z, requires_grad=True)
F.cross_entropy(tensor, labels).backward()
by_hand = F.softmax(z).data.copy()
for n, label in enumerate(labels):
    by_hand[n, label] -= 1
fact("p minus 1 at the label, over the batch: the engine's gradient",
     np.allclose(tensor.grad, by_hand / len(z)))
tenth = ma.Tensor(np.log([[0.1, 0.6, 0.3]]), requires_grad=True)
F.cross_entropy(tenth, [0]).backward()
guess.turned_out(round(tenth.grad[0, 0], 6))
found = F.softmax(tenth).data[0, 0]
fact(f"where the right class has p = {found:.1f}, its slope is {tenth.grad[0, 0]:.1f}",
     math.isclose(tenth.grad[0, 0], found - 1))
fact("every row sums to 0: what one class is pushed up, the others are pushed down",
     np.allclose(tensor.grad.sum(axis=1), 0))

# %% [markdown]
# ## 4. What the first step really prints
# Is the first loss of AlexNet ln 1000? Only if all its probabilities are equal at the start. The
# paper draws the first weights from N(0, 0.01²) and sets some biases to 1. So the logits differ
# from each other: they scatter by some σ. For logits that are drawn from N(0, σ²), ln Σ e^z is
# about ln 1000 + σ²/2. So the loss is higher by that.

# %%
ma.manual_seed(0)
net = models.alexnet("paper")  # N(0, 0.01²) everywhere, biases of 1: the paper's own start
pictures = generator.normal(size=(2, 3, 227, 227)).astype(np.float32)
with ma.no_grad():
    logits = {"training": net.train()(pictures).data, "evaluation": net.eval()(pictures).data}

def over_all_labels(z):
    """The mean loss over all 1000 labels that the pictures could have: ln Σ e^z - the mean of z."""
    return float(np.mean([F.cross_entropy(np.repeat(row[None], 1000, axis=0),
                                          np.arange(1000)).item() for row in z]))

first = {mode: over_all_labels(z) for mode, z in logits.items()}
spread = {mode: float(z.std(axis=1).mean()) for mode, z in logits.items()}
for mode in first:
    fact(f"{mode}: logits that scatter by σ = {spread[mode]:.2f} cost ln 1000 + σ²/2 = "
         f"{math.log(1000) + spread[mode] ** 2 / 2:.2f}, measured {first[mode]:.2f}",
         abs(first[mode] - math.log(1000) - spread[mode] ** 2 / 2) < 0.15)
fact("in training (lesson 10 says why it differs) the first step prints "
     f"about {first['training']:.1f}: a unit above ln 1000",
     0.5 < first["training"] - math.log(1000) < 1.7)
fact("a last layer of zeros would print ln 1000",
     math.isclose(over_all_labels(logits["training"] * 0), math.log(1000), rel_tol=1e-6))
settle("T10", "half true", f"{math.log(1000):.4f} is the floor, for equal probabilities. "
       f"The paper's own weights scatter the logits: {first['training']:.1f} in training, "
       f"{first['evaluation']:.1f} in evaluation. A first loss of 20 means weights that are too "
       "large, one well below 6.9 a mistake in the loss")

# %% [markdown]
# ## 5. LeNet's output: distances
# The network of 1998 ended differently. For each class it had a fixed pattern of 84 numbers, and it
# measured the distance of its features to each pattern. And many a first program uses the mean
# squared error for classes. Compare both with the softmax.

# %%
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
fact(f"sure and wrong, p = {F.sigmoid([-10.0]).item():.5f}: cross-entropy pulls with "
     f"{wrong['entropy']:.4f}, the squared error with {wrong['squared']:.5f}",
     math.isclose(wrong["entropy"], -1, abs_tol=1e-4) and 0 < -wrong["squared"] < 1e-4)
xs = np.linspace(-10, 10, 201)
curves = {loss.__name__: [(loss(ma.Tensor([[float(x)]])).item(), slope_of(loss, x)) for x in xs]
          for loss in (entropy, squared)}
classroom.save(cross_entropy.draw(xs, curves, logits["training"], first["training"]),
               "09_cross_entropy", "Where the network is sure and wrong, "
               "on the far left, cross-entropy still has a slope of -1; "
               "the squared error is flat. The untrained logits scatter: "
               f"the first loss is {first['training']:.1f}, not {math.log(1000):.1f}.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `classes = 10`: which number does a network for 10 digits print first?
# - `sure = F.cross_entropy(np.float32([[0, 2]]), [0]).item()`: what does a less sure mistake cost?
# - `tenth = ma.Tensor(np.log([[0.5, 0.3, 0.2]]), requires_grad=True)`: what is the gradient when
#   the right class has 0.5?
#
# ## Exercise
# `lessons/exercises/09_cross_entropy.py`: the loss without overflow, and its gradient.
#
# `lessons/my_engine/09_loss.py` is a brick of an engine of your own. Nine lessons have one. `python
# -m lessons` shows the wall of bricks, and `lessons/my_engine/train.py` trains LeNet-5 with those
# that you have.
