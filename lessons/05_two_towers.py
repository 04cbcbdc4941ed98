"""Groups: two towers that meet at conv3

Prerequisites: lessons 01, 02 and 04. Minutes: 35. Afterwards you can say which kernel of AlexNet
sees which channels, and build the network from two halves. The network did not fit into one
graphics card (GPU) of 3 GB. So each of two cards got half of the kernels. Of the convolutions only
conv3 saw what both halves had found. One word says all that today: groups=2.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, claim, fact, formula, heard, predict, settle
from drawings import two_towers

import minialex as ma
import minialex.functional as F
from minialex import models, nn, shapes

# %% [markdown]
# ## 1. Half of the kernels, half of the channels
# A layer's channels can be divided into **groups** that do not see each other. conv2, AlexNet's
# second convolution, has 256 kernels and gets 96 channels. Without groups each kernel would be
# 5×5×96. With two groups, kernels 0 to 127 see channels 0 to 47, and the others see channels 48 to
# 95. So each kernel is 5×5×48: half of the weights. Each half of the network is called a **tower**.

# %%
groups = 2
claim("S7", "N1, N2", "conv1 gives 55×55×96, as two groups 55×55×48")
claim("S8", "N1, N2", "conv2: two groups of 128 kernels 5×5×48; conv4: two of 192 kernels 3×3×192; "
      "conv5: two of 128 kernels 3×3×192; conv3: 384 kernels 3×3×256 seeing both halves")
guess = predict("conv2's weights, 256 kernels of 5×5 over 96 channels: "
                f"what share is left with {groups} groups? (0 to 1)")
formula(f"256·(5·5·{96 // groups}) = {256 * 25 * (96 // groups):,} of "
        f"256·(5·5·96) = {256 * 25 * 96:,}")
ma.manual_seed(0)
layer = nn.Conv2d(96, 256, 5, padding=2, groups=groups)
guess.turned_out(layer.weight.size / nn.Conv2d(96, 256, 5).weight.size)
fact(f"each of the 256 kernels is 5×5×{96 // groups}",
     layer.weight.shape == (256, 96 // groups, 5, 5))

generator = np.random.default_rng(0)
x = generator.normal(size=(1, 96, 9, 9)).astype(np.float32)
g = generator.normal(size=(1, 256, 9, 9)).astype(np.float32)

def parts_by_hand(x, weight, bias):
    """Small convolutions that know nothing of each other, one for each group."""
    c, k = 96 // groups, 256 // groups
    # channels, kernels
    own = [(slice(c * n, c * n + c), slice(k * n, k * n + k)) for n in range(groups)]
    return [F.conv2d(x[:, channels], weight[kernels], bias[kernels], padding=2)
            for channels, kernels in own]

whole, halves = ([ma.Tensor(a.copy(), requires_grad=True)
                  for a in (x, layer.weight.data, layer.bias.data)] for _ in range(2))
y = F.conv2d(*whole, padding=2, groups=groups)
parts = parts_by_hand(*halves)
fact(f"groups={groups} gives the maps of small convolutions, one for each group",
     np.allclose(y.data, np.hstack([part.data for part in parts]), atol=1e-5))
y.backward(g)
sum((part * piece).sum() for part, piece in zip(parts, np.split(g, groups, axis=1))).backward()
fact("and their gradients, for the picture, the kernels and the biases",
     all(np.allclose(a.grad, b.grad, atol=1e-3) for a, b in zip(whole, halves)))

# %% [markdown]
# ## 2. Who sees whom
# Which channels can a kernel see at all? Ask the tape: take the sum of one map and look at its
# slope with respect to each channel below. Where the slope is 0 everywhere, the map does not depend
# on that channel. AlexNet's conv2, conv4 and conv5 have two groups, conv3 has none: it is the one
# convolution in which the towers meet.

# %%
net = models.alexnet("paper", init="he")
for parameter in net.parameters()[:10]:  # conv1 to conv5 in float64, so that equal means equal
    parameter.data = parameter.data.astype(np.float64)

def sees(layer):
    """(C_out, C_in) of bool: which output map depends on which input channel. Copy n of a picture
    asks for map n."""
    count, size = layer.out_channels, layer.kernel_size
    pictures = np.repeat(generator.normal(size=(1, layer.in_channels, *size)), count, axis=0)
    x = ma.Tensor(pictures, requires_grad=True)
    F.conv2d(x, layer.weight.data, groups=layer.groups).backward(np.eye(count)[:, :, None, None])
    return (x.grad != 0).any(axis=(2, 3))

tables = {name: sees(getattr(net, name)) for name in ("conv2", "conv3", "conv4", "conv5")}
for name, (count, side, depth) in {"conv2": (128, 5, 48), "conv4": (192, 3, 192),
                                   "conv5": (128, 3, 192)}.items():
    table = tables[name]
    fact(f"{name}: two groups of {count} kernels {side}×{side}×{depth}, and neither sees "
         "the other's half", table[:count, :depth].all() and table[count:, depth:].all()
         and not table[:count, depth:].any() and not table[count:, :depth].any()
         and getattr(net, name).weight.shape == (2 * count, depth, side, side))
fact("conv3: 384 kernels 3×3×256, each sees both halves",
     tables["conv3"].all() and net.conv3.weight.shape == (384, 256, 3, 3))
rows = {row.name: row for row in shapes.summary(net).rows}
fact("conv1 makes 96 maps of 55×55, 48 on each GPU", rows["conv1"].output_shape == (2 * 48, 55, 55))
settle("S7", "true", f"conv1 gives {'×'.join(map(str, rows['conv1'].output_shape))}; "
       f"each tower computes 48 of the maps, 2·{48 * 55 * 55:,} = {96 * 55 * 55:,} values")
settle("S8", "true",
       "conv2 " + ", ".join(f"{name} {'×'.join(map(str, getattr(net, name).weight.shape))}"
                            for name in tables)[6:] + ": conv3 alone crosses between the towers")
reach = tables["conv5"].astype(int) @ tables["conv4"] @ tables["conv3"] @ tables["conv2"] > 0
fact("through conv3 every map of conv5 depends on all 96 maps of conv1", reach.all())
fact("with towers in conv3 too, the two halves would not learn of each other before fc6, behind "
     "the last convolution", not (tables["conv5"].astype(int) @ tables["conv4"]
                                  @ np.kron(np.eye(2, dtype=int), np.ones((192, 128), dtype=int))
                                  @ tables["conv2"])[:128, 48:].any())

# %% [markdown]
# ## 3. The whole network as two half networks, with real sizes
# Now write each tower as a program of its own. The two know nothing of each other, until conv3.
# There each sends its maps to the other. A kernel of conv3 is then cut in two: one part meets the
# tower's own maps, the other part meets those that came over the wire, and the two results are
# added. That is allowed, because a convolution is a sum over channels.

# %%
heard("Two GPUs means: two networks, and at the end their votes are averaged.")

def tower(x, half):
    """conv1 to pool2 on one GPU: its half of the kernels, its half of what it made itself. (Lesson
    08 adds two norms.)"""
    own = [slice(0, 48), slice(48, 96)][half], [slice(0, 128), slice(128, 256)][half]
    x = F.max_pool2d(F.relu(F.conv2d(x, net.conv1.weight[own[0]], net.conv1.bias[own[0]],
                                     stride=4)), 3, 2)
    return F.max_pool2d(F.relu(F.conv2d(x, net.conv2.weight[own[1]], net.conv2.bias[own[1]],
                                        padding=2)), 3, 2)

def conv3_on(half, mine, other):
    """192 kernels of conv3. The other tower's maps come over the wire: the kernels see 128 of their
    own and 128 of those."""
    kernels = slice(192 * half, 192 * half + 192)
    own, foreign = (slice(0, 128), slice(128, 256)) if half == 0 else (slice(128, 256),
                                                                       slice(0, 128))
    weight = net.conv3.weight[kernels]
    return (F.conv2d(mine, weight[:, own], padding=1) + F.conv2d(other, weight[:, foreign],
                                                                 padding=1)
            + net.conv3.bias[kernels].reshape(1, -1, 1, 1))

picture = generator.normal(size=(1, 3, 227, 227))
as_one = picture
for name in ("conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "conv3"):
    as_one = getattr(net, name)(as_one)
one, two = tower(picture, 0), tower(picture, 1)
parts = conv3_on(0, one, two), conv3_on(1, two, one)
fact("two towers that exchange 128 maps each way before conv3 compute what the "
     "one network computes", np.allclose(as_one.data, np.hstack([part.data for part in parts])))
(as_one * as_one).sum().backward()
grads = [parameter.grad for parameter in net.parameters() if parameter.grad is not None]
net.zero_grad()
sum((part * part).sum() for part in parts).backward()
fact("backward too: the exchange carries gradients home, down to the kernels of conv1",
     len(grads) == 6 and all(np.allclose(parameter.grad, grad, atol=1e-9 * abs(grad).max())
                             for parameter, grad in zip(net.parameters(), grads)))
crossing = one.data[0].size
maps, side = one.shape[1], one.shape[2]
guess = predict("How many numbers does one GPU send to the other for one picture before conv3? "
                f"(half of pool2's {2 * maps}×{side}×{side})")
formula(f"{maps}·{side}·{side} = {maps * side * side:,} each way, forward; "
        "as many gradients, backward")
guess.turned_out(crossing)

# %% [markdown]
# ## 4. Broken on purpose: towers that cannot be equal
# 95 channels cannot be cut into two equal groups. The layer says so when it is made, and not when
# it is used.

# %%
with broken(ValueError):
    nn.Conv2d(95, 256, kernel_size=5, groups=2)
classroom.save(two_towers.draw(tables, crossing), "05_two_towers", "Above: two towers, "
               "and red arrows where they exchange. Below: a coloured point where a map (row) "
               f"depends on a channel below (column). conv3 is full, {tables['conv3'].mean():.0%}; "
               f"conv2 is half empty, {tables['conv2'].mean():.0%}, and so are conv4 and conv5.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `groups = 4`: which share of the weights is left?
# - `groups = 1`: what is left of the difference?
# - `picture = generator.normal(size=(1, 3, 131, 131))`: does the equality depend on the size of the
#   picture?
#
# ## Exercise
# `lessons/exercises/05_two_towers.py`: a convolution with any number of groups, made of ungrouped
# ones.
