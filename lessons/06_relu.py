"""ReLU against tanh and sigmoid: what a slope does to everything below it

Prerequisites: lessons 00 to 03. Minutes: 40. Afterwards you can tell what an activation does to the
slopes of all layers below it, and what a comparison of training times is worth. Backwards, every
layer multiplies by the slope of its bend. A quarter of a quarter of a quarter … is soon nothing.
Here that is seen layer by layer. Then small networks race, as in the paper's Figure 1.
"""
# %% Tools
import math

import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, fact, formula, heard, predict, show
from drawings import relu
from learning import errors_by_epoch

import minialex as ma
import minialex.functional as F
from minialex import nn

# %% [markdown]
# ## 1. Three slopes
# Two matrix products one after the other are only one matrix product. So between two layers each
# number is bent by a function, the **activation**. (The numbers that come out are called
# activations, too.) Lesson 00 used tanh. Three are common:
# - sigmoid: y = 1/(1 + e⁻ˣ), between 0 and 1. Its slope is y·(1 - y).
# - tanh, between -1 and 1. Its slope is 1 - y².
# - **ReLU**: y = max(x, 0). Its slope is 1 for positive x and 0 for negative x.
#
# Far from 0 the curves of sigmoid and tanh are flat: they **saturate**. A flat curve has slope 0,
# and a slope of 0 stops everything that comes from above.

# %%
heard("The sigmoid was given up because it is slow to compute.")
guess = predict("What is the steepest slope that 1/(1 + e⁻ˣ) has anywhere?")
formula("y·(1 - y) is largest at y = 1/2, x = 0: 1/2·1/2 = 1/4")
xs = np.linspace(-10, 10, 2001)

def slope(function):
    x = ma.Tensor(xs, requires_grad=True)
    function(x).sum().backward()
    return x.grad

def by_hand(x):
    """Number by number: (sigmoid, its slope), (tanh, its slope), (ReLU, its slope)."""
    s, t = 1 / (1 + math.exp(-x)), math.tanh(x)
    return (s, s * (1 - s)), (t, 1 - t**2), (max(x, 0), float(x > 0))

functions = {"sigmoid": F.sigmoid, "tanh": F.tanh, "relu": F.relu}
slopes = {name: slope(function) for name, function in functions.items()}
table = np.array([by_hand(x) for x in xs])
for number, (name, function) in enumerate(functions.items()):
    fact(f"F.{name} and its backward pass are the two formulae",
         np.allclose(function(xs).data, table[:, number, 0])
         and np.allclose(slopes[name], table[:, number, 1]))
guess.turned_out(slopes["sigmoid"].max())
fact("the sigmoid's steepest slope is 0.25, tanh's 1",
     (slopes["sigmoid"].max(), slopes["tanh"].max()) == (0.25, 1))
fact(f"at {xs[-1]:g} both have saturated, "
     f"slopes of {slopes['sigmoid'][-1]:.1e} and {slopes['tanh'][-1]:.0e}; ReLU's is 1",
     slopes["relu"][-1] == 1 and slopes["sigmoid"][-1] < 1e-4 and slopes["tanh"][-1] < 1e-8)

# %% [markdown]
# ## 2. Twenty layers, seen from the top
# By the chain rule the gradient at layer 1 has been multiplied by the slopes of all layers above
# it. Build 20 layers and look. The weights are drawn so that a matrix product leaves the length of
# its vector as it is, on average: what shrinks, the activation shrinks.

# %%
heard("With good first weights the activation does not matter.")
depth = 20
guess = predict(f"{depth} layers of 100 sigmoids: "
                f"the gradient at layer 1 is 10⁻ⁿ of that at layer {depth}. Your n", within=2)
formula(f"{depth - 1} times at most 0.25: 0.25^{depth - 1} = {0.25 ** (depth - 1):.0e}; "
        "the weights leave the length as it is")

def gradient_by_layer(activation, gain, width=100):
    """The gradient's size at the output of each layer, relative to the last. Weights N(0,
    gain/width)."""
    generator = np.random.default_rng(6)
    x, outputs = ma.Tensor(generator.normal(size=(50, width)), requires_grad=True), []
    for _ in range(depth):
        # its gradient is that of the layer's output
        nudge = ma.Tensor(np.zeros(x.shape), requires_grad=True)
        x = activation(x @ generator.normal(scale=math.sqrt(gain / width),
                                            size=(width, width))) + nudge
        outputs.append(nudge)
    (x * generator.normal(size=x.shape)).sum().backward()
    sizes = np.array([np.linalg.norm(output.grad) for output in outputs])
    return sizes / sizes[-1]

by_layer = {name: gradient_by_layer(function, gain=2 if name == "relu" else 1)
            for name, function in functions.items()}
guess.turned_out(round(-math.log10(by_layer["sigmoid"][0]), 1))
fact(f"sigmoid: layer 1 gets {by_layer['sigmoid'][0]:.0e} of what layer {depth} gets",
     by_layer["sigmoid"][0] < 1e-9)
each = by_layer["sigmoid"][0] ** (1 / (depth - 1))
fact(f"on average a sigmoid layer leaves {each:.2f}: less than a quarter", each < 0.25)
fact(f"tanh, whose slope is 1 only at 0, loses little by little: {by_layer['tanh'][0]:.2f} is left",
     0.01 < by_layer["tanh"][0] < 0.5)
fact(f"ReLU, with weights of twice the variance: {by_layer['relu'][0]:.2f} is left, "
     "within a factor of 3", 1 / 3 < by_layer["relu"][0] < 3)

# %% [markdown]
# ## 3. Figure 1 in small
# The paper counts epochs: an **epoch** is one pass over all training pictures. In its Figure 1, a
# small network with ReLU needs a sixth of the epochs of the same one with tanh until 25 % of the
# training pictures are wrong. Here: five classes of drawn pictures, 300 of 32×32, three
# convolutions and one more layer. `learning.errors_by_epoch` is the loop of lesson 00 with the tape
# of lesson 02, a loss for five classes (lesson 09) and a step with a memory (lesson 15). Each
# network gets the learning rate that suits it best. That matters: with one rate for all, the race
# tests the rate.

# %%
heard("ReLU reaches 25 % training error six times faster.")
images, labels = classroom.drawn_pictures(classes=5, each=60, size=32)

def race(name, rate, pixels=1.0):
    """Training error after each epoch, until it is below 25 %. pixels: how many times larger the
    pictures' values are."""
    ma.manual_seed(1)
    activation, start = {"relu": (nn.ReLU, "he"), "tanh": (nn.Tanh, "lecun"),
                         "sigmoid": (nn.Sigmoid, "lecun")}[name]
    net = nn.Sequential(nn.Conv2d(3, 12, 5, stride=2, padding=2), activation(), nn.MaxPool2d(2),
                        nn.Conv2d(12, 12, 3, padding=1), activation(), nn.MaxPool2d(2),
                        nn.Conv2d(12, 12, 3, padding=1), activation(), nn.Flatten(),
                        nn.Linear(12 * 4 * 4, 5))
    return errors_by_epoch(net, pixels * images, labels, rate, start)

# the fastest of 0.001 to 0.03; for the sigmoid of 0.01 to 0.3
best = {"relu": 0.01, "tanh": 0.03, "sigmoid": 0.1}
runs = {name: race(name, rate) for name, rate in best.items()}
epochs = {name: len(errors) for name, errors in runs.items()}
show("  epochs to 25 % training error: " + ", ".join(f"{name} {count}"
                                                     for name, count in epochs.items()))
fact("the sigmoid network needs at least twice as many epochs as ReLU: "
     f"{epochs['sigmoid']} and {epochs['relu']}", epochs["sigmoid"] >= 2 * epochs["relu"])
fact("tanh, which the paper's Figure 1 really compares with, is not slower here: "
     f"{epochs['tanh']} epochs, ReLU {epochs['relu']}", epochs["tanh"] <= epochs["relu"])

# %% [markdown]
# ## 4. When does ReLU win?
# So at this size the paper's factor of six cannot be seen: with the best rate for each, tanh is as
# fast. Is there a condition under which ReLU is faster? Two were found. One is a rate that is too
# small for both. The other adds to it: make the pixels ten times larger. Then tanh's first layer
# sits on the flat parts of its curve, and ReLU has no flat part on the right.

# %%
slow = 0.001
small, large = ({name: len(race(name, slow, pixels)) for name in ("relu", "tanh")}
                for pixels in (1.0, 10.0))
fact(f"with a rate of {slow:g} for both, "
     f"ReLU needs {small['relu']} epochs and tanh {small['tanh']}", small["tanh"] > small["relu"])
fact(f"with pixels ten times larger, and a rate of {slow:g} for both, ReLU needs {large['relu']} "
     f"epochs and tanh {large['tanh']}", large["tanh"] >= 2 * large["relu"])
rescued = len(race("tanh", 0.01, pixels=10.0))
fact(f"with a rate of its own, 0.01, tanh needs {rescued} there: "
     "ReLU's advantage was the rate that it could do with", rescued <= large["relu"])

# %% [markdown]
# ## 5. Broken on purpose: the sigmoid as it stands in the formula, far to the left
# At x = -100 the formula needs e¹⁰⁰. That is more than a float32 can hold. The engine writes eˣ/(1
# + eˣ) there, which is the same. A layer of 10 numbers cannot take 12.

# %%
with np.errstate(over="ignore"):
    fact("e¹⁰⁰ is infinite in float32, whose largest number is 3.4·10³⁸",
         np.isinf(np.exp(np.float32(100))))
fact("the engine's sigmoid of -100 is a tiny number and no error",
     0 <= F.sigmoid([-100.0]).item() < 1e-30)
with broken(ValueError):
    nn.Sequential(nn.Linear(10, 10), nn.Sigmoid())(np.zeros((1, 12), dtype=np.float32))
classroom.save(relu.draw(xs, table, by_layer, runs), "06_relu",
               "Below left: the sigmoid's gradient falls by a factor at each layer, "
               f"to {by_layer['sigmoid'][0]:.0e}. Below right: epochs to 25 % error, "
               f"tanh {epochs['tanh']}, ReLU {epochs['relu']}, sigmoid {epochs['sigmoid']}.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `depth = 50`: what is left of the sigmoid's gradient, and of tanh's?
# - `slow = 0.01`: who is faster with larger pixels now?
# - `best = {"relu": 0.003, "tanh": 0.003, "sigmoid": 0.1}`: who wins with the same small rate?
#
# ## Exercise
# `lessons/exercises/06_relu.py`: a ReLU that leaks, forward and backward.
#
# `lessons/my_engine/06_activation.py` is a brick of an engine of your own. Nine lessons have one.
# `python -m lessons` shows the wall of bricks, and `lessons/my_engine/train.py` trains LeNet-5 with
# those that you have.
