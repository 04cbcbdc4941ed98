"""Initialisation: why the paper's own weights leave a small set at ln K

The paper (P), section 5: "We initialized the weights in each layer from a zero-mean Gaussian distribution with standard
deviation 0.01", and the biases of conv2, conv4, conv5, fc6 and fc7 "with the constant 1". On a million pictures that worked.
"""
# %% Tools
from math import log, sqrt

import classroom
import numpy as np
from classroom import broken, fact, heard, predict
from drawings import initialisation

import minialex as ma
import minialex.functional as F
from lessons.labs import bench
from minialex import Tensor, models, nn, optim

# %% [markdown]
# ## 1. One layer: what becomes of a signal's size
# y = Σ w·x over n inputs. For weights of mean 0 and variance σ², independent of x: `E[y²] = n·σ²·E[x²]`. ReLU keeps the
# positive half: `E[relu(y)²] = n·σ²/2 · E[x²]`. So the root mean square changes by `gain = √(n·σ²/2)` from layer to layer.

# %%
heard("The paper's initialisation is the right one for AlexNet, so it must also be right for my thousand pictures.")
guess = predict("fc7 has n = 4096 inputs. By what factor do σ = 0.01 and ReLU change the signal's root mean square?", within=0.03)

def gain(n, sigma):
    return sqrt(n * sigma**2 / 2)

def rms(array):
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))

random = np.random.default_rng(0)
x = np.maximum(random.standard_normal(4096), 0)
by_loops = [max(0.0, sum(w * value for w, value in zip(random.normal(0, 0.01, 4096), x))) for _ in range(100)]
weight = random.normal(0, 0.01, (4096, 4096)).astype(np.float32)
by_engine = F.relu(F.linear(x[None].astype(np.float32), weight)).data
guess.turned_out(round(gain(4096, 0.01), 4))
fact("fc7: √(4096·0.01²/2) = 0.4525, less than half the signal gets through", round(gain(4096, 0.01), 4) == 0.4525)
fact("4096 neurons agree with the formula within 5 %", abs(rms(by_engine) / rms(x) / 0.4525 - 1) < 0.05)
fact("100 neurons by loops within 30 %", abs(rms(by_loops) / rms(x) / 0.4525 - 1) < 0.3)

# %% [markdown]
# ## 2. The chain: fan-in by fan-in
# n is a kernel's number of weights: 11·11·3 in conv1, 5·5·48 in conv2 (towers: 48 of 96 channels), ..., 9216 in fc6.

# %%
model = models.alexnet("paper", num_classes=10)
layers = [(name, layer) for name, layer in model.named_children() if isinstance(layer, (nn.Conv2d, nn.Linear))]
fan_in = {name: layer.weight.size // len(layer.weight.data) for name, layer in layers}
fact("fan-in: 363, 1200, 2304, 1728, 1728, 9216, 4096, 4096",
     list(fan_in.values()) == [363, 1200, 2304, 1728, 1728, 9216, 4096, 4096])
gains = {name: gain(n, 0.01) for name, n in fan_in.items()}
through = float(np.prod(list(gains.values())[:7]))
fact("conv1 to fc7 in a row: the signal shrinks to less than 1/1000", 1 / 4000 < through < 1 / 1000)
he = {name: gain(n, sqrt(2 / n)) for name, n in fan_in.items()}
fact("He's σ = √(2/n) makes every gain 1", all(abs(value - 1) < 1e-12 for value in he.values()))

# %% [markdown]
# ## 3. What the biases of 1 do
# They keep ReLUs alive ("providing the ReLUs with positive inputs"), but a bias is the same for every picture. Behind
# layers that shrink the picture's part, the answer is nearly the same whatever the picture shows.

# %%
guess = predict("With the paper's weights, pixels of variance 1: how many % of fc7's signal depend on the picture?", within=2)
images = random.standard_normal((4, 3, 227, 227)).astype(np.float32)

def picture_part(model, images):
    """For each layer with weights: rms of what differs between pictures, over the rms of everything, after the ReLU."""
    shares, x = {}, Tensor(images)
    with ma.no_grad():
        for name, layer in model.eval().named_children():
            x = layer(x)
            if name.startswith("relu"):
                shares[name.replace("relu", "layer ")] = rms(x.data - x.data.mean(axis=0)) / rms(x.data)
    return shares

paper = picture_part(model, images)
he = picture_part(models.initialise(model, "he"), images)
drawn = {name: float(layer.weight.data.std()) for name, layer in layers[:-1]}  # the last layer is drawn narrower
fact("the engine's He draws σ = √(2/n), within 2 %", all(abs(s / sqrt(2 / fan_in[name]) - 1) < 0.02 for name, s in drawn.items()))
raw = picture_part(models.initialise(model, "paper"), images * 70)  # the paper's pixels: mean subtracted, not scaled
del model
guess.turned_out(round(100 * paper["layer 7"], 2))
print("  share of the signal that depends on the picture, after each ReLU:")
for name in paper:
    print(f"    {name}: paper {100 * paper[name]:8.4f} %   paper, pixels 70 times as large {100 * raw[name]:8.4f} %   "
          f"He {100 * he[name]:6.1f} %")
fact("with the paper's weights and pixels of variance 1, less than 0.1 % of fc7 depends on the picture", paper["layer 7"] < 1e-3)
fact("raw pixels, 70 times as large, leave more than ten times as much", raw["layer 7"] > 10 * paper["layer 7"])
fact("with He's weights more than 5 % does", he["layer 7"] > 0.05)

# %% [markdown]
# ## 4. Small, live: four layers, 160 pictures
# A network that says the same about every picture can at best learn how frequent the classes are: ln K, its loss at the
# start. It leaves ln K once the early layers have grown, and they grow slowly, because what shrinks the signal on its way
# up shrinks the gradient on its way down.

# %%
pictures = bench.draw_pictures(16, 1)
images, labels, *_ = pictures.choose(seed=0, per_class=16)
images = bench.centre(images)

def losses(sigma, steps=60):
    """The loss of each step with weights N(0, sigma²); sigma None: √(2/n)."""
    ma.manual_seed(1)
    net = bench.network(10)  # draws √(2/n) itself
    if sigma is not None:
        for p in net.parameters():
            p.data[...] = np.random.default_rng(2).normal(0, sigma, p.shape) if p.ndim > 1 else 0
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    curve, first = [], None
    for step in range(steps):
        batch = slice(32 * (step % 5), 32 * (step % 5) + 32)
        order = np.random.default_rng(step // 5).permutation(len(images))[batch]
        loss = F.cross_entropy(net(images[order]), labels[order])
        optimizer.zero_grad()
        loss.backward()
        first = first or rms(net.conv1.weight.grad)
        optimizer.step()
        curve.append(loss.item())
    return curve, first

small, small_gradient = losses(0.01)
grown, he_gradient = losses(None)
fact("σ = 0.01: after 60 steps the loss is still ln 10 = 2.303, within 0.02", abs(np.mean(small[-5:]) - log(10)) < 0.02)
fact("He: it has fallen below 1.9", np.mean(grown[-5:]) < 1.9)
fact(f"the first gradient that reaches conv1 is {he_gradient / small_gradient:.0f} times smaller with σ = 0.01",
     he_gradient > 10 * small_gradient)
with broken(ValueError):
    models.initialise(nn.Sequential(nn.Linear(2, 2)), "xavier")
classroom.save(initialisation.draw(paper, raw, he, small, grown), "14_initialisation")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/14_initialisation.py`: the σ that keeps a signal's size behind ReLU, behind tanh, and in a layer
# with towers. Before you write it: which of conv4's n is right, 3·3·384 or 3·3·192?
