"""ReLU against tanh and sigmoid: what a slope does to everything below it

Backwards, every layer multiplies by the slope of its activation. A quarter, twenty times over, is nothing. Here that is
seen layer by layer, and then three small networks are timed in epochs, as in the paper's Figure 1.
"""
# %% Tools
import math

import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, fact, formula, heard, predict
from drawings import relu

import minialex as ma
import minialex.functional as F
from minialex import models, nn, optim

# %% [markdown]
# ## 1. Three slopes
# sigmoid: y = 1/(1 + e⁻ˣ), slope y·(1 - y). tanh: slope 1 - y². ReLU: slope 1 or 0. The first two saturate: far from 0 the
# curve is flat.

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
    fact(f"F.{name} and its backward pass are the two formulae", np.allclose(function(xs).data, table[:, number, 0])
         and np.allclose(slopes[name], table[:, number, 1]))
guess.turned_out(slopes["sigmoid"].max())
fact("the sigmoid's steepest slope is 0.25, tanh's 1", (slopes["sigmoid"].max(), slopes["tanh"].max()) == (0.25, 1))
fact("at 10 both have saturated, slopes of 4.5·10⁻⁵ and 8·10⁻⁹; ReLU's is 1", slopes["relu"][-1] == 1
     and math.isclose(slopes["sigmoid"][-1], 4.54e-5, rel_tol=1e-2) and math.isclose(slopes["tanh"][-1], 8.2e-9, rel_tol=1e-2))
fact("through 20 sigmoids less than 10⁻¹² is left, 0.25²⁰, even where each is at its steepest", 0.25**20 < 1e-12)

# %% 2. Twenty layers, seen from the top
heard("With a good initialisation the activation does not matter.")
guess = predict("20 layers of 100 sigmoids: the gradient at layer 1 is 10⁻ⁿ of that at layer 20. Your n", within=2)
formula("19 times at most 0.25: 0.25¹⁹ = 4·10⁻¹²; the weights, N(0, 1/100), leave the length as it is")

def gradient_by_layer(activation, gain, depth=20, width=100):
    """The gradient's size at the output of each layer, relative to the last. Weights N(0, gain/width)."""
    generator = np.random.default_rng(6)
    x, outputs = ma.Tensor(generator.normal(size=(50, width)), requires_grad=True), []
    for _ in range(depth):
        nudge = ma.Tensor(np.zeros(x.shape), requires_grad=True)  # its gradient is that of the layer's output
        x = activation(x @ generator.normal(scale=math.sqrt(gain / width), size=(width, width))) + nudge
        outputs.append(nudge)
    (x * generator.normal(size=x.shape)).sum().backward()
    sizes = np.array([np.linalg.norm(output.grad) for output in outputs])
    return sizes / sizes[-1]

by_layer = {name: gradient_by_layer(function, gain=2 if name == "relu" else 1) for name, function in functions.items()}
guess.turned_out(round(-math.log10(by_layer["sigmoid"][0]), 1))
fact("sigmoid: what reaches layer 1 is less than 10⁻⁹ of what layer 20 gets", by_layer["sigmoid"][0] < 1e-9)
fact("each sigmoid layer takes about the same factor, below 0.25",
     all(a / b < 0.25 for a, b in zip(by_layer["sigmoid"], by_layer["sigmoid"][1:])))
fact("tanh, whose slope is 1 only at 0, loses little by little, less than a factor of 100", 0.01 < by_layer["tanh"][0] < 0.5)
fact("ReLU with weights of variance 2/width loses nothing to speak of", 0.3 < by_layer["relu"][0] < 3)

# %% [markdown]
# ## 3. Figure 1 in small
# The paper counts epochs until 25 % training error, each network with the learning rate that suits it best. Here: five
# classes of drawn pictures, 300 of 32×32, three convolutions and a fully connected layer.

# %%
heard("ReLU reaches 25 % training error six times faster.")
images, labels = classroom.drawn_pictures(classes=5, each=60, size=32)

def error_by_epoch(activation, init, rate, most=30):
    """Training error after each epoch, until it is below 25 %."""
    ma.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(3, 12, 5, stride=2, padding=2), activation(), nn.MaxPool2d(2), nn.Conv2d(12, 12, 3, padding=1),
                        activation(), nn.MaxPool2d(2), nn.Conv2d(12, 12, 3, padding=1), activation(), nn.Flatten(),
                        nn.Linear(12 * 4 * 4, 5))
    optimizer = optim.SGD(models.initialise(net, init).parameters(), lr=rate, momentum=0.9, weight_decay=0)
    generator, errors = np.random.default_rng(2), []
    while len(errors) < most and (not errors or errors[-1] >= 0.25):
        wrong, order = 0, generator.permutation(len(images))
        for batch in order.reshape(-1, 25):
            logits = net(images[batch])
            wrong += (logits.data.argmax(axis=1) != labels[batch]).sum()
            optimizer.zero_grad()
            F.cross_entropy(logits, labels[batch]).backward()
            optimizer.step()
        errors.append(wrong / len(images))
    return errors

best = {"relu": (nn.ReLU, "he", 0.01), "tanh": (nn.Tanh, "lecun", 0.01),  # of 0.01, 0.03, 0.1 and 0.3 these got there first
        "sigmoid": (nn.Sigmoid, "lecun", 0.1)}
runs = {name: error_by_epoch(*settings) for name, settings in best.items()}
epochs = {name: len(errors) for name, errors in runs.items()}
print("\n  epochs to 25 % training error: " + ", ".join(f"{name} {count}" for name, count in epochs.items()))
fact("the sigmoid network needs at least twice as many epochs as the ReLU network", epochs["sigmoid"] >= 2 * epochs["relu"])
fact("tanh, which the paper's Figure 1 really compares with, is not six times slower here: four layers are not deep",
     epochs["tanh"] < 3 * epochs["relu"])

# %% 4. Broken on purpose: the sigmoid as it stands in the formula, far to the left. Then the picture.
with np.errstate(over="raise"), broken(FloatingPointError):
    1 / (1 + np.exp(-np.float32(-100)))
fact("the engine writes it as eˣ/(1 + eˣ) there, and nothing overflows", 0 <= F.sigmoid([-100.0]).item() < 1e-30)
classroom.save(relu.draw(xs, table, by_layer, runs), "06_relu")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/06_relu.py`: a ReLU that leaks, forward and backward.
