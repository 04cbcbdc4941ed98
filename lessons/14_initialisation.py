"""Initialisation: why the paper's own weights leave a small set at ln K

Prerequisites: lessons 06, 09, 11 and 13. Minutes: 35. Afterwards you can compute how large the
first weights must be, and recognise a network that cannot start. The paper (P), section 5, draws
all weights "from a zero-mean Gaussian distribution with standard deviation 0.01", and sets the
biases of five layers to 1. It had 1.2 million pictures. What if you have 160?
"""
# %% Tools
from math import log, sqrt

import classroom
import numpy as np
from classroom import broken, fact, formula, heard, predict, show
from drawings import initialisation

import minialex as ma
import minialex.functional as F
from lessons.labs import bench
from minialex import Tensor, models, nn, optim

# %% [markdown]
# ## 1. One layer: what becomes of a signal's size
# Before the first step, the weights must be something. If all are the same, zero for instance, then
# all outputs of a layer get the same slopes and stay alike for ever. So they are drawn at random.
# This is the **initialisation** of a network. But how large should the random numbers be? Follow
# the size of a signal through one layer, y = Σ w·x over n inputs. The weights have mean 0 and
# standard deviation σ, and know nothing of each other or of x.
# - y² is the sum of all products w_i·x_i·w_j·x_j.
# - For i ≠ j the mean of w_i·w_j is 0·0 = 0. These products drop out.
# - For i = j the mean of w_i² is σ². There are n of these: E[y²] = n·σ²·E[x²]. (E[·] is the mean
#   over many draws.)
# - y is as often positive as negative. ReLU keeps the positive half: E[relu(y)²] = n·σ²/2·E[x²].
#
# The root mean square is the root of this. From layer to layer it changes by the factor √(n·σ²/2).

# %%
heard("The paper's initialisation is the right one for AlexNet, "
      "so it must also be right for my thousand pictures.")
n, sigma = 4096, 0.01
guess = predict(f"fc7 has n = {n} inputs. By what factor do σ = {sigma:g} and ReLU change the "
                "signal's root mean square?", within=0.03)

def gain(n, sigma):
    return sqrt(n * sigma**2 / 2)

def rms(array):
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))

random = np.random.default_rng(0)
x = np.maximum(random.standard_normal(n), 0)
by_loops = [max(0.0, sum(w * value for w, value in zip(random.normal(0, sigma, n), x)))
            for _ in range(100)]
weight = random.normal(0, sigma, (4096, n)).astype(np.float32)
by_engine = F.relu(F.linear(x[None].astype(np.float32), weight)).data
expected = gain(n, sigma)
formula(f"√({n}·{sigma:g}²/2) = {expected:.4f}")
guess.turned_out(round(expected, 4))
fact("so less than half of the signal gets through", expected < 0.5)
fact(f"4096 neurons of the engine: {rms(by_engine) / rms(x):.4f}, within 5 %",
     abs(rms(by_engine) / rms(x) / expected - 1) < 0.05)
fact(f"100 neurons by loops: {rms(by_loops) / rms(x):.2f}, within 30 %",
     abs(rms(by_loops) / rms(x) / expected - 1) < 0.3)
alike = Tensor(np.full((3, 8), 0.5), requires_grad=True)
F.relu(F.linear(x[None, :8], alike)).sum().backward()
fact("three outputs with the same weights get the same slopes",
     (alike.grad == alike.grad[0]).all() and alike.grad.any())

# %% [markdown]
# ## 2. The chain: fan-in by fan-in
# n is how many numbers one output sees: its fan-in, a kernel's number of weights. 11·11·3 in conv1,
# 5·5·48 in conv2 (a kernel sees its tower's 48 of 96 channels), …, 9216 in fc6. The paper draws all
# weights with the same σ = 0.01. So each layer has a factor of its own, and a chain of layers
# multiplies them. He and others (2015) turned the question round. For which σ is the factor 1?
# n·σ²/2 = 1, so σ = √(2/n).

# %%
ma.manual_seed(0)
model = models.alexnet("paper", num_classes=10)
layers = [(name, layer) for name, layer in model.named_children()
          if isinstance(layer, (nn.Conv2d, nn.Linear))]
fan_in = {name: layer.weight.size // len(layer.weight.data) for name, layer in layers}
fact("fan-in: 363, 1200, 2304, 1728, 1728, 9216, 4096, 4096",
     list(fan_in.values()) == [363, 1200, 2304, 1728, 1728, 9216, 4096, 4096])
gains = {name: gain(inputs, sigma) for name, inputs in fan_in.items()}
through = float(np.prod(list(gains.values())[:7]))
formula(f"conv1 to fc7: {' · '.join(f'{value:.2f}' for value in list(gains.values())[:7])} = "
        f"{through:.2g}")
fact(f"through seven layers the signal shrinks to 1/{1 / through:,.0f}", through < 1 / 1000)
he = {name: gain(inputs, sqrt(2 / inputs)) for name, inputs in fan_in.items()}
fact("He's σ = √(2/n) makes every gain 1", all(abs(value - 1) < 1e-12 for value in he.values()))

# %% [markdown]
# ## 3. What the biases of 1 do
# If the signal becomes so small, why does the network not go silent? The paper adds 1 in five
# layers, as their bias: this helps "by providing the ReLUs with positive inputs". But a bias is the
# same for every picture. Behind layers that shrink what comes from the picture, the bias is nearly
# everything, and the network says nearly the same whatever it sees.
#
# To measure it, give the network four pictures of noise. In each layer, take what differs between
# the pictures. Divide its root mean square by that of everything. That is the share of the signal
# that depends on the picture. One more thing matters: the size of the pixels. The paper subtracts
# the mean and does not scale, so its pixels are tens of grey levels large; 70 is taken here. Many
# programs divide by the standard deviation, so that it is 1.

# %%
factor = 70
guess = predict("With the paper's weights and pixels of variance 1: "
                "how many % of fc7's signal depend on the picture?", within=2)
images = random.standard_normal((classroom.live("pictures of noise", 4, 2), 3, 227,
                                 227)).astype(np.float32)

def picture_part(model, images):
    """For each layer with weights: rms of what differs between pictures, over the rms of
    everything, after the ReLU."""
    shares, x = {}, Tensor(images)
    with ma.no_grad():
        for name, layer in model.eval().named_children():
            x = layer(x)
            if name.startswith("relu"):
                shares[name.replace("relu", "layer ")] = rms(x.data
                                                             - x.data.mean(axis=0)) / rms(x.data)
    return shares

paper = picture_part(model, images)
he = picture_part(models.initialise(model, "he"), images)
# the last layer is drawn narrower
drawn = {name: float(layer.weight.data.std()) for name, layer in layers[:-1]}
fact("the engine's He draws σ = √(2/n), within 2 %",
     all(abs(s / sqrt(2 / fan_in[name]) - 1) < 0.02 for name, s in drawn.items()))
ones = [name for name, layer in models.initialise(model, "paper").named_children() if name in fan_in
        and layer.bias.data[0] == 1]
fact("the paper's biases of 1 are in conv2, conv4, conv5, fc6 and fc7",
     ones == ["conv2", "conv4", "conv5", "fc6", "fc7"])
raw = picture_part(model, images * factor)
del model
guess.turned_out(round(100 * paper["layer 7"], 2))
show("  share of the signal that depends on the picture, after each ReLU:\n"
     + "\n".join(f"    {name}: paper {100 * paper[name]:8.4f} %   paper, pixels {factor} times as "
                 f"large {100 * raw[name]:8.4f} %   He {100 * he[name]:6.1f} %" for name in paper))
fact("with the paper's weights and pixels of variance 1, "
     f"{paper['layer 7']:.4%} of fc7 depends on the picture", paper["layer 7"] < 1e-3)
fact(f"pixels {factor} times as large leave more than ten times as much, {raw['layer 7']:.3%}",
     raw["layer 7"] > 10 * paper["layer 7"])
fact(f"He's weights leave {he['layer 7']:.0%}", he["layer 7"] > 0.05)

# %% [markdown]
# ## 4. Small, live: four layers, 160 pictures
# Does this matter for training? A network that says the same about every picture can at best learn
# how frequent the classes are. With K classes of equal size that is the probability 1/K for each,
# and the loss ln K (lesson 09): its loss at the start. To get below, it must let the picture
# through. So its first layers must change. But the gradient comes down through the same small
# weights, and is made small on its way too. First it has to wait until the weights have grown.

# %%
pictures = bench.draw_pictures(16, 1)
images, labels, *_, spread = pictures.choose(seed=0, per_class=16)
images = bench.centre(images)

steps = classroom.live("steps", 60, 40)

def losses(sigma):
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

small, small_gradient = losses(sigma)
grown, he_gradient = losses(None)
start = F.cross_entropy(np.zeros((len(labels), 10)), labels).item()
fact(f"their pixels had a standard deviation of {spread:.0f} grey levels before they were scaled",
     40 < spread < 100)
fact("all ten classes are equally frequent, and equal scores have the loss ln 10 = 2.303",
     set(np.bincount(labels)) == {16} and abs(start - log(10)) < 1e-6)
fact(f"σ = {sigma:g}: after {steps} steps the loss is {np.mean(small[-5:]):.3f}, "
     "still ln 10 within 0.02", abs(np.mean(small[-5:]) - log(10)) < 0.02)
fact(f"He: it has fallen to {np.mean(grown[-5:]):.2f}", np.mean(grown[-5:]) < 1.9)
fact(f"the first gradient that reaches conv1 is {he_gradient / small_gradient:.0f} times "
     f"smaller with σ = {sigma:g}", he_gradient > 10 * small_gradient)

# %% [markdown]
# ## 5. Broken on purpose: a name that nobody knows
# There are many such rules, each with a name. The engine has four, and says which.

# %%
with broken(ValueError):
    models.initialise(nn.Sequential(nn.Linear(2, 2)), "xavier")
classroom.save(initialisation.draw(paper, raw, he, small, grown, sigma), "14_initialisation",
               f"Left: what is left of the picture in fc7 is {paper['layer 7']:.4%} with the "
               f"paper's weights, {he['layer 7']:.0%} with He's. Right: "
               f"the loss stays at ln 10 with σ = {sigma:g}, and falls with He's weights.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `n, sigma = 4096, 0.02`: how much of the signal gets through fc7 now?
# - `factor = 1`: what is left of the advantage of large pixels?
# - `steps = 300`: does the network with σ = 0.01 leave ln 10 if it has more time?
#
# ## Exercise
# `lessons/exercises/14_initialisation.py`: the σ that keeps a signal's size behind ReLU, behind
# tanh, and in a layer with towers. Before you write it: which of conv4's n is right, 3·3·384 or
# 3·3·192?
