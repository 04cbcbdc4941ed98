"""What the released 2012 source really ran, against the paper's text

The authors' program was published later; its layer file says layer by layer what was computed. It is not quite what the paper
says, nor what most rewrites do. `models.alexnet("krizhevsky")` follows the program; here the two are compared, change by change.
"""
# %% Tools
import classroom
import numpy as np
from classroom import broken, fact, heard, predict
from drawings import released_source

import minialex as ma
import minialex.functional as F
from minialex import Tensor, models, nn
from minialex.data.patterns import PATTERNS
from minialex.data.scene import draw

# %% [markdown]
# ## 1. 224 after all: 55 by rounding up
# (224 − 11)/4 + 1 = 54.25. The program rounds up: the 55th window begins at column 216 and needs 216 to 226, so three columns
# and three rows of zeros are read, on the right and at the bottom only. No 227, and no padding on the left.

# %%
heard("The authors' own program ran what the paper says, so either 224 or 227 is right.")
guess = predict("How many of conv1's 55·55 places see at least one of these zeros?")
random = np.random.default_rng(0)
ones = F.conv2d(F.zero_pad2d(np.ones((1, 1, 224, 224)), 0, 3, 0, 3), np.ones((1, 1, 11, 11)), stride=4).data[0, 0]
touched = ones < 121
guess.turned_out(int(touched.sum()))
fact("rounded up, (224 − 11)/4 + 1 is 55", -(-(224 - 11) // 4) + 1 == 55 == len(ones))
fact("only the last row and column of places see zeros: 55 + 54 = 109 of 3025",
     touched.sum() == 109 and not touched[:-1, :-1].any())
fact("the corner's window has 8·8 of its 11·11 pixels in the picture", ones[-1, -1] == 64)

# %% [markdown]
# ## 2. ReLU may change places with the pool, not with the norm
# The largest value commutes with max(·, 0): `relu(max(a, b)) = max(relu(a), relu(b))`. A norm does not: before the ReLU,
# negative neighbours dim too, `s = k + α·Σ a²` counts their squares as well.

# %%
guess = predict("a = (3, −4), one window over both, α = 1, k = 0, β = 0.5: what is the first normalised value, ReLU last?")
maps = random.normal(0, 70, (2, 96, 15, 15))
results, gradients = [], []
for order in ((F.relu, lambda x: F.max_pool2d(x, 3, 2)), (lambda x: F.max_pool2d(x, 3, 2), F.relu)):
    x = Tensor(maps, requires_grad=True)
    y = order[1](order[0](x))
    y.backward(np.random.default_rng(1).normal(size=y.shape))
    results.append(y.data)
    gradients.append(x.grad)
fact("relu(pool(x)) = pool(relu(x)), to the last bit", np.array_equal(*results))
fact("and so are their gradients", np.array_equal(*gradients))
guess.turned_out(round(3 / (3**2 + 4**2) ** 0.5, 6))
fact("norm, then ReLU: 3/√(9 + 16) = 0.6; ReLU, then norm: 3/√9 = 1", 3 / 5 == 0.6 and 3 / 3 == 1)
norm = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0}
before, after = F.relu(F.local_response_norm(maps, **norm)).data, F.local_response_norm(F.relu(maps), **norm).data
positive = maps > 0
dimmer = float((before[positive] / after[positive]).mean())
fact("with values of ±70 the norm before the ReLU leaves everything dimmer, never brighter",
     (before[positive] <= after[positive]).all())
fact(f"by {100 * (1 - dimmer):.0f} % on average", 0.7 < dimmer < 0.9)

# %% [markdown]
# ## 3. Two more norms than you would think
# α: the program divides 10⁻⁴ by the window's size 5, the paper's formula does not. And conv2 is normalised twice: over 5
# channels, then over 5×5 pixels of the same map, `s = 1 + (0.001/25)·Σ a²`.

# %%
guess = predict("A map is 100 everywhere. By what does its second norm divide a pixel far from the edge? (Not yet: ^0.75.)")
flat = np.full((1, 1, 9, 9), 100.0)
within = F.map_response_norm(flat).data[0, 0]
by_loops = np.empty((9, 9))
for row in range(9):
    for column in range(9):
        window = flat[0, 0, max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        by_loops[row, column] = flat[0, 0, row, column] / (1 + 0.001 / 25 * (window**2).sum()) ** 0.75
guess.turned_out(1 + 0.001 / 25 * 25 * 100**2)
fact("1 + 0.001/25·25·100² = 11, so 100 becomes 100/11^0.75 = 16.6", round(within[4, 4], 1) == 16.6)
fact("the loops give what F.map_response_norm gives", np.allclose(within, by_loops))
fact("at the corner only 9 of 25 pixels dim, so it stays 1.9 times as bright", within[0, 0] > 1.9 * within[4, 4])
edge = np.abs(F.local_response_norm(maps, groups=2).data - F.local_response_norm(maps).data).max(axis=(0, 2, 3))
fact("each GPU normalised its own maps: of 96, only the four at the towers' edge notice",
     np.flatnonzero(edge).tolist() == [46, 47, 48, 49])

# %% [markdown]
# ## 4. The same weights through both
# Paper and program have the same parameters, name by name. So one set of weights fits both, and each change can be made alone.

# %%
ma.manual_seed(21)
paper = models.alexnet("paper", num_classes=10, init="he")
program = models.alexnet("krizhevsky", num_classes=10)
program.load_state_dict(paper.state_dict())
count = sum(p.size for p in paper.parameters())
fact(f"{count:,} parameters with 10 classes in both, the same shapes",
     count == sum(p.size for p in program.parameters()) == 60_965_224 - 990 * 4097)
pixels = np.stack([draw(pattern, np.random.default_rng([21, i]), 224) for i, pattern in enumerate(list(PATTERNS.values())[:4])])
pixels = (pixels - pixels.mean(axis=0)).transpose(0, 3, 1, 2).astype(np.float32)
padded = F.zero_pad2d(pixels, 0, 3, 0, 3).data  # the paper's network needs 227

def conv1_to_pool5(changes=()):
    """The paper's layers with the program's in their place where `changes` says so."""
    layers = dict(list(paper.named_children())[:15])  # conv1 to pool5
    divided = {name: nn.LocalResponseNorm(5, 1e-4 / (5 if "α/5" in changes else 1), 0.75, 2.0, 2 if "towers" in changes else 1)
               for name in ("norm1", "norm2")}
    layers |= divided
    if "within maps" in changes:
        layers["norm2"] = nn.Sequential(divided["norm2"], nn.MapResponseNorm())
    order = list(layers)
    if "ReLU last" in changes:
        order = ["conv1", "norm1", "pool1", "relu1", *order[4:-2], "pool5", "relu5"]
    with ma.no_grad():
        return nn.Sequential(*(layers[name] for name in order))(padded).data

with ma.no_grad():
    wanted = program[:17](pixels).data  # pad1 to relu5
changes = ["ReLU last", "α/5", "towers", "within maps"]
base, every = conv1_to_pool5(), conv1_to_pool5(changes)
fact("all four changes together make the program, pool5 value by pool5 value", np.allclose(every, wanted, rtol=1e-4, atol=1e-3))

def correlation(a, b):
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])

moved = {change: (float(np.abs(x).mean() / np.abs(base).mean()), correlation(base, x))
         for change, x in [*((c, conv1_to_pool5([c])) for c in changes), ("all four", every)]}
for change, (size, alike) in moved.items():
    print(f"    {change:<12} pool5 is {size:6.2f} times as large and correlates by {alike:.3f} with the paper's")
fact("the towers' edge changes least", moved["towers"][1] == max(alike for _, alike in moved.values()))
fact("α/5 makes activations larger, the norm within maps makes them smaller", moved["α/5"][0] > 1 > moved["within maps"][0])

# %% 5. Weights, and broken on purpose: the program's 224 for the paper's network. Then the picture.
start = models.initialise(program, "released")
deviations = {name: float(getattr(start, name).weight.data.std()) for name in ("conv2", "conv3", "fc8")}
fact("the program drew conv3 to conv5 from N(0, 0.03²), three times the paper's 0.01",
     [round(value, 2) for value in deviations.values()] == [0.01, 0.03, 0.01])
with broken(ValueError):
    paper(pixels)
classroom.save(released_source.draw(ones, before[positive], after[positive], moved), "21_released_source")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/21_released_source.py`: sizes rounded up, and the norm within a map, by loops. Before you write it: which
# of the paper's numbers would you no longer need if all sizes were rounded up?
