"""What the released 2012 source really ran, against the paper's text

Prerequisites: lessons 01, 05, 08 and 14. Minutes: 35. Afterwards you can compare a text with a
program, change by change, and say which difference matters. The authors published their program
later. Its layer file says what was computed, and it is not quite what the paper (P) says, nor what
most rewrites do. `models.alexnet("krizhevsky")` follows the program.
"""
# %% Tools
import classroom
import numpy as np
from classroom import broken, fact, formula, heard, predict, show
from drawings import released_source

import minialex as ma
import minialex.functional as F
from minialex import Tensor, models, nn
from minialex.sets.patterns import PATTERNS
from minialex.sets.scene import draw

# %% [markdown]
# ## 1. 224 after all: 55 by rounding up
# Lesson 01 found that 224 does not fit: (224 - 11)/4 + 1 = 54.25, and rounded down that is 54, not
# the paper's 55. So most rewrites take pictures of 227, or padding. What did the authors do? Their
# program rounds up. The 55th window begins at column 54·4 = 216 and needs columns 216 to 226. The
# picture ends at 223. So columns 224, 225 and 226 are read as zeros, on the right only, and three
# rows at the bottom. No 227, and nothing on the left.

# %%
heard("The authors' own program ran what the paper says, so either 224 or 227 is right.")
size, kernel, stride = 224, 11, 4
places = -(-(size - kernel) // stride) + 1  # rounded up
zeros = (places - 1) * stride + kernel - size
guess = predict(f"How many of conv1's {places}·{places} places see at least one of these zeros?")
random = np.random.default_rng(0)
ones = F.conv2d(F.zero_pad2d(np.ones((1, 1, size, size)), 0, zeros, 0, zeros),
                np.ones((1, 1, kernel, kernel)), stride=stride).data[0, 0]
touched = ones < kernel**2
formula(f"the last row and the last column of places: {places} + {places - 1} = {2 * places - 1}")
guess.turned_out(int(touched.sum()))
fact(f"rounded up, ({size} - {kernel})/{stride} + 1 is {places}", places == 55 == len(ones))
fact(f"{zeros} columns of zeros are read, from column {size} to {size + zeros - 1}",
     (places - 1) * stride + kernel == size + zeros)
fact(f"only the last row and column of places see zeros: {2 * places - 1} of {places**2}",
     touched.sum() == 2 * places - 1 and not touched[:-1, :-1].any())
inside, rim, corner = int(ones[0, 0]), int(ones[0, -1]), int(ones[-1, -1])
fact(f"a window inside has {inside} pixels of the picture, one at the rim {rim} = 11·8, "
     f"the one in the corner {corner} = 8·8", (inside, rim, corner) == (121, 88, 64)
     and (ones[-1, :-1] == rim).all() and (ones[:-1, -1] == rim).all())

# %% [markdown]
# ## 2. ReLU may change places with the pool, not with the norm
# The paper's order is conv, ReLU, norm, pool. The program has conv1, norm, pool, ReLU, and conv5,
# pool, ReLU. Does this compute the same? With the pool, yes. ReLU never puts a smaller value above
# a larger one. So the largest value stays the largest: relu(max(a, b)) = max(relu(a), relu(b)). It
# saves work, because fewer values go through ReLU.
#
# With the norm, no. The norm divides by a number that grows with the squares of the neighbours, s =
# k + α·Σ a². Behind a ReLU, negative neighbours are 0. Before it, their squares count as well. So
# more is divided.

# %%
pair = (3.0, -4.0)
guess = predict(f"a = {pair}, one window over both, α = 1, k = 0, β = 0.5: "
                "what is the first normalised value, ReLU last?")
maps = random.normal(0, 70, (2, 96, 15, 15))
results, gradients = [], []
for order in ((F.relu, lambda x: F.max_pool2d(x, 3, 2)), (lambda x: F.max_pool2d(x, 3, 2), F.relu)):
    x = Tensor(maps, requires_grad=True)
    y = order[1](order[0](x))
    y.backward(np.random.default_rng(1).normal(size=y.shape))
    results.append(y.data)
    gradients.append(x.grad)

def first_normalised(values):
    return values[0] / (values**2).sum() ** 0.5

last, early = first_normalised(np.array(pair)), first_normalised(np.maximum(pair, 0))
formula(f"{pair[0]:g}/√({pair[0] ** 2:g} + {pair[1] ** 2:g}) = {last:.3g}; ReLU first: "
        f"{pair[0]:g}/√{pair[0] ** 2:g} = {early:g}")
guess.turned_out(round(last, 6))
fact("relu(pool(x)) = pool(relu(x)), to the last bit", np.array_equal(*results))
fact("and so are their gradients", np.array_equal(*gradients))
fact("ReLU and norm do not change places: the negative neighbour makes the difference",
     pair[1] < 0 and last < early)
norm = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0}
before, after = (F.relu(F.local_response_norm(maps, **norm)).data,
                 F.local_response_norm(F.relu(maps), **norm).data)
positive = maps > 0
dimmer = float((before[positive] / after[positive]).mean())
fact("with values of ±70 the norm before the ReLU makes no value brighter, and all dimmer by "
     f"{1 - dimmer:.0%} on average", (before[positive] <= after[positive]).all() and dimmer < 0.9)

# %% [markdown]
# ## 3. Two more norms than you would think
# The layer file also says how the norms were computed, and there are two surprises.
# - α: the program divides 10⁻⁴ by the window's size 5. The paper's formula does not (lesson 08).
# - Behind conv2 there are two norms: first the known one over 5 channels, then another over 5×5
#   pixels of the same map, with s = 1 + (0.001/25)·Σ a². The paper does not say a word about it.
#
# The second one dims a pixel by how loud its own map is around it. A loud pixel alone keeps more
# than one in a map that is loud everywhere. At the edge a part of the window is outside, and fewer
# pixels are summed.

# %%
loud = 100.0
guess = predict(f"A map is {loud:g} everywhere. "
                "By what does its second norm divide a pixel far from the edge? (Not yet: ^0.75.)")
flat = np.full((1, 1, 9, 9), loud)
within = F.map_response_norm(flat).data[0, 0]
by_loops = np.empty((9, 9))
for row in range(9):
    for column in range(9):
        window = flat[0, 0, max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        by_loops[row, column] = flat[0, 0, row, column] / (1
                                                           + 0.001 / 25 * (window**2).sum()) ** 0.75
s = 1 + 0.001 / 25 * 25 * loud**2
formula(f"s = 1 + 0.001/25·25·{loud:g}² = {s:g}; {loud:g}/{s:g}^0.75 = {loud / s**0.75:.2f}")
guess.turned_out(s)
fact(f"in the middle {loud:g} becomes {within[4, 4]:.1f}", np.isclose(within[4, 4], loud / s**0.75))
fact("the loops give what F.map_response_norm gives", np.allclose(within, by_loops))
fact(f"at the corner only 9 of 25 pixels dim: it stays {within[0, 0] / within[4, 4]:.2f} "
     "times as bright", np.isclose(within[0, 0], loud / (1 + 0.001 / 25 * 9 * loud**2) ** 0.75)
     and within[0, 0] > within[4, 4])
spot = np.zeros_like(flat)
spot[0, 0, 4, 4] = loud
lonely = F.map_response_norm(spot).data[0, 0, 4, 4]
fact(f"a pixel of {loud:g} alone in its map keeps {lonely:.1f}",
     np.isclose(lonely, loud / (1 + 0.001 / 25 * loud**2) ** 0.75) and lonely > within[4, 4])
edge = np.abs(F.local_response_norm(maps, groups=2).data
              - F.local_response_norm(maps).data).max(axis=(0, 2, 3))
fact("each GPU normalised its own maps: of 96, only the four at the towers' edge notice",
     np.flatnonzero(edge).tolist() == [46, 47, 48, 49])

# %% [markdown]
# ## 4. The same weights through both
# Four changes, then. Which one matters? Paper and program have the same parameters, name by name.
# So one set of weights fits both. Give both the same four pictures, and make each change alone.
# Look at pool5, the last thing before the fully connected layers: how large it is, and how alike
# the paper's and the changed one are. (Correlation: 1 means alike up to a factor, 0 not at all.) If
# the list of changes is complete, all four together must give exactly the program.

# %%
ma.manual_seed(21)
paper = models.alexnet("paper", num_classes=10, init="he")
program = models.alexnet("krizhevsky", num_classes=10)
program.load_state_dict(paper.state_dict())
count = sum(p.size for p in paper.parameters())
fact(f"{count:,} parameters with 10 classes in both, the same names and shapes",
     count == 60_965_224 - 990 * 4097 and [(n, p.shape) for n, p in paper.named_parameters()]
     == [(n, p.shape) for n, p in program.named_parameters()])
order = [name for name, _ in program.named_children()][:17]
fact("the program's order: conv1, norm, pool, ReLU; conv2, ReLU and two norms; conv5, pool, ReLU",
     order[1:5] == ["conv1", "norm1", "pool1", "relu1"] and order[5:9]
     == ["conv2", "relu2", "norm2", "mapnorm2"] and order[-3:] == ["conv5", "pool5", "relu5"])
fact("its α is a fifth of the paper's", np.isclose(5 * program.norm1.alpha, paper.norm1.alpha))
pixels = np.stack([draw(pattern, np.random.default_rng([21, i]), 224)
                   for i, pattern in enumerate(list(PATTERNS.values())[:4])])
pixels = (pixels - pixels.mean(axis=0)).transpose(0, 3, 1, 2).astype(np.float32)
padded = F.zero_pad2d(pixels, 0, 3, 0, 3).data  # the paper's network needs 227

def conv1_to_pool5(changes=()):
    """The paper's layers with the program's in their place where `changes` says so."""
    layers = dict(list(paper.named_children())[:15])  # conv1 to pool5
    divided = {name: nn.LocalResponseNorm(5, 1e-4 / (5 if "α/5" in changes else 1), 0.75, 2.0,
                                          2 if "towers" in changes else 1)
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
fact("all the changes together make the program, pool5 value by pool5 value",
     np.allclose(every, wanted, rtol=1e-4, atol=1e-3))

def correlation(a, b):
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])

moved = {change: (float(np.abs(x).mean() / np.abs(base).mean()), correlation(base, x))
         for change, x in [*((c, conv1_to_pool5([c])) for c in changes), ("all four", every)]}
show("\n".join(f"    {change:<12} pool5 is {size:6.2f} times as large and correlates by "
               f"{alike:.3f} with the paper's" for change, (size, alike) in moved.items()))
fact("the towers' edge changes least",
     moved["towers"][1] == max(alike for _, alike in moved.values()))
fact("α/5 makes what arrives larger, the norm within maps makes it smaller",
     moved["α/5"][0] > 1 > moved["within maps"][0])
most = min(changes, key=lambda change: moved[change][1])
fact(f"of the single changes “{most}” leaves least of the likeness", moved[most][1] < 1)

# %% [markdown]
# ## 5. Weights, and broken on purpose
# One more difference: the paper says that all weights were drawn from N(0, 0.01²). The program drew
# those of conv3, conv4 and conv5 three times as wide. Lesson 14 shows why that helps. And then: the
# program's 224 for the paper's network. It is 3 pixels too small, and fc6 gets too few values.

# %%
start = models.initialise(program, "released")
deviations = {name: float(getattr(start, name).weight.data.std())
              for name in ("conv2", "conv3", "conv4", "conv5", "fc8")}
fact("conv3, conv4 and conv5 have the deviation 0.03, the others 0.01",
     [round(value, 2) for value in deviations.values()] == [0.01, 0.03, 0.03, 0.03, 0.01])
with broken(ValueError):
    paper(pixels)
classroom.save(released_source.draw(ones, before[positive], after[positive], moved),
               "21_released_source", "Left: only the last row and column of windows see zeros. "
               "Middle: a point for each positive value; below the red line it has become dimmer. "
               "Right: how large pool5 is after each change; the red line is the paper's.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `size, kernel, stride = 227, 11, 4`: does any window still read a zero?
# - `pair = (3.0, -1.0)`: how much does a quieter negative neighbour take away?
# - `loud = 10.0`: does the second norm dim a quiet map too?
#
# ## Exercise
# `lessons/exercises/21_released_source.py`: sizes rounded up, and the norm within a map, by loops.
# Before you write it: which of the paper's numbers would you no longer need if all sizes were
# rounded up?
