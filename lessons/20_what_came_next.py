"""What came next: stacked 3×3, receptive fields, shortcuts

Prerequisites: lessons 05, 06, 12 and 14. Minutes: 35. Afterwards you can compute what a value of
any network sees, and why later networks could become much deeper. Three ideas carry them, and each
can be computed on a page: what a stack of small kernels sees, what a 1×1 convolution saves, what a
shortcut does for the gradient.
"""
# %% Tools
from fractions import Fraction

import classroom
import numpy as np
from classroom import broken, claim, fact, formula, predict, settle
from drawings import what_came_next

import minialex.functional as F
from minialex import Tensor, models, shapes

# %% [markdown]
# ## 1. What one value sees
# A kernel of conv1 sees 11×11 pixels. That is enough for an edge, but not for a dog. How does a
# network come to see a dog? A value of conv2 sees 5×5 values of the layer below, and each of these
# sees a window of its own. Together they cover more. The part of the picture that one value can see
# is its **receptive field**. How wide is it? Count two numbers, layer by layer:
# - across: how many pixels one value sees. It begins with 1, because a pixel sees itself.
# - jump: how many pixels further on its neighbour looks. It begins with 1 too.
#
# A layer with kernel k takes k values side by side. The first sees `across` pixels, and each of the
# k - 1 others adds `jump` more: across ← across + (k - 1)·jump. Its own neighbours then look
# `stride` values further on: jump ← jump·stride. The study notes (N1 to N5) end with deeper
# networks that use this.

# %%
claim("T11", "N1, N5", "deeper networks: conv + conv + pool; wider and deeper; "
      "VGG, Inception, ResNet")
kernel = 3
guess = predict(f"Two {kernel}×{kernel} convolutions one after the other: "
                "how many pixels across does one value see?")

def sees(layers):
    """(across, jump) by the formula. layers: (kernel, stride), first layer first."""
    across, jump = 1, 1
    for kernel, stride in layers:
        across, jump = across + (kernel - 1) * jump, jump * stride
    return across, jump

def sees_by_gradient(layers, size):
    """The same from the engine: how many columns have a gradient from one value in the middle, with
    kernels of ones."""
    picture = x = Tensor(np.zeros((1, 1, 1, size)), requires_grad=True)
    for kernel, stride in layers:
        x = F.conv2d(x, Tensor(np.ones((1, 1, 1, kernel))), stride=(1, stride))
    middle = np.zeros(x.shape)
    middle[..., x.shape[-1] // 2] = 1
    x.backward(middle)
    return int((picture.grad != 0).sum())

formula(f"1 + {kernel - 1}·1 + {kernel - 1}·1 = {1 + 2 * (kernel - 1)}")
guess.turned_out(sees([(kernel, 1)] * 2)[0])
stacks = {count: [(kernel, 1)] * count for count in (1, 2, 3)}
widths = [1 + count * (kernel - 1) for count in stacks]
fact(f"one, two, three {kernel}×{kernel} see {widths[0]}, {widths[1]}, {widths[2]} pixels",
     [sees(stack)[0] for stack in stacks.values()] == widths)
fact("the engine's gradient says the same",
     [sees_by_gradient(stack, 40) for stack in stacks.values()] == widths)
fact("so does minialex.shapes",
     all(shapes.receptive_field(stack) == sees(stack) for stack in stacks.values()))

# %% [markdown]
# ## 2. With fewer weights
# So two 3×3 see what one 5×5 sees. Which is better? Count the weights, from C maps to C maps,
# without biases. A layer with kernel k has C·C·k·k. Two 3×3 have 2·9·C², one 5×5 has 25·C². Three
# 3×3 have 27·C², one 7×7 has 49·C². C² cancels.
#
# And there is a second gain: a ReLU stands between them. Without it nothing would be gained in what
# they can compute. A convolution of a convolution is a convolution: two 3×3 would be one 5×5, if a
# special one. With it they can bend.

# %%
guess = predict("What part of one 7×7's weights do three 3×3 have?")
shares = {5: Fraction(2 * 9, 25), 7: Fraction(3 * 9, 49)}
formula(f"3·9/49 = {shares[7]} = {float(shares[7]):.3f}")
guess.turned_out(shares[7])
fact(f"{shares[5]} and {shares[7]} of the weights, for any C",
     all(shares[large] == Fraction(count * C * C * 9, C * C * large**2) for C in (1, 64, 512)
         for count, large in ((2, 5), (3, 7))))
fact("and they see the same",
     [sees([(3, 1)] * 2), sees([(3, 1)] * 3)] == [sees([(5, 1)]), sees([(7, 1)])])
random = np.random.default_rng(0)
image, first, second = (random.normal(size=(1, 1, 12, 12)), random.normal(size=(1, 1, 3, 3)),
                        random.normal(size=(1, 1, 3, 3)))
combined = np.zeros((5, 5))
for row in range(3):
    for column in range(3):
        combined[row : row + 3, column : column + 3] += second[0, 0, row, column] * first[0, 0]
twice = F.conv2d(F.conv2d(image, first), second).data
fact("without ReLU two 3×3 are one 5×5",
     np.allclose(twice, F.conv2d(image, combined[None, None]).data))
bent = [F.conv2d(F.relu(F.conv2d(sign * image, first)), second).data for sign in (1, -1)]
fact("with ReLU they are no convolution at all: turn the picture's sign, "
     "and the answer's does not just turn", not np.allclose(bent[0], -bent[1])
     and np.allclose(twice, -F.conv2d(F.conv2d(-image, first), second).data))

# %% [markdown]
# ## 3. AlexNet's own, and VGG-16's
# Use the formula on whole networks. VGG-16 (Simonyan and Zisserman, 2014) has only 3×3: 2 + 2 + 3 +
# 3 + 3 convolutions, a 2×2 pool after each group, 64 to 512 maps, then 4096, 4096, 1000. Does it
# see more of its picture than AlexNet, because it is deeper? And what does it cost?

# %%
guess = predict("How many pixels across does one value behind AlexNet's pool5 see, of 227?")
alexnet = {"conv1": (11, 4), "pool1": (3, 2), "conv2": (5, 1), "pool2": (3, 2),
           "conv3": (3, 1), "conv4": (3, 1), "conv5": (3, 1), "pool5": (3, 2)}
vgg = {}
for group, count in enumerate((2, 2, 3, 3, 3), 1):
    vgg |= {f"conv{group}_{i}": (3, 1) for i in range(1, count + 1)} | {f"pool{group}": (2, 2)}

def grows(layers):
    """What one value sees behind each layer: {name: (across, jump)}."""
    names = list(layers)
    return {name: sees([layers[before] for before in names[: place + 1]])
            for place, name in enumerate(names)}

fields = {"AlexNet": grows(alexnet), "VGG-16": grows(vgg)}
steps, jump = [], 1
for size, stride in alexnet.values():
    steps, jump = [*steps, (size - 1) * jump], jump * stride
formula(f"1 + {' + '.join(map(str, steps))} = {1 + sum(steps)}")
(across, apart), (vgg_across, vgg_apart) = (field["pool5"] for field in fields.values())
guess.turned_out(across)
fact(f"AlexNet, layer by layer: {', '.join(str(a) for a, _ in fields['AlexNet'].values())}",
     [a for a, _ in fields["AlexNet"].values()] == [11, 19, 51, 67, 99, 131, 163, 195])
fact(f"the gradient through all eight layers is {across} columns wide",
     sees_by_gradient(list(alexnet.values()), 1000) == across)
fact(f"pool5's values lie {apart} pixels apart in both", apart == vgg_apart)
fact(f"VGG-16's pool5 sees {vgg_across} pixels, {vgg_across / across - 1:.0%} more, "
     f"through {len(vgg)} layers instead of {len(alexnet)}",
     (vgg_across, len(vgg), len(alexnet)) == (212, 18, 8))
maps = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
convolutions = sum(9 * below * above + above for below, above in zip(maps, maps[1:]))
connected = sum(n * m + m for n, m in ((7 * 7 * 512, 4096), (4096, 4096), (4096, 1000)))
totals = shapes.summary(models.alexnet("paper")).totals
times = (convolutions + connected) / totals.parameters
fact(f"VGG-16 has {convolutions + connected:,} parameters, {times:.1f} times AlexNet's",
     convolutions + connected == 138_357_544 and round(times, 1) == 2.3)
sizes = [224, 224, 112, 112, 56, 56, 56, 28, 28, 28, 14, 14, 14]
macs = sum(9 * below * above * size**2 for below, above, size in zip(maps, maps[1:], sizes))
macs += 7 * 7 * 512 * 4096 + 4096**2 + 4096 * 1000
fact(f"and {macs / 1e9:.1f} billion multiply-accumulates, {macs / totals.macs:.0f} times "
     f"AlexNet's {totals.macs / 1e6:.0f} million", round(macs / totals.macs) == 21)
settle("T11", "true", f"two 3×3 see 5×5 with {shares[5]} of the weights, "
       f"three see 7×7 with {shares[7]}; pool5 sees {across} pixels in AlexNet, "
       f"{vgg_across} in VGG-16, which has {convolutions + connected:,} parameters")

# %% [markdown]
# ## 4. Inception's 1×1
# A 3×3 from 256 to 256 maps is 9·256·256 products for each place. That is dear. Can it be done with
# fewer maps? A 1×1 convolution sees one place only, and mixes its channels. It can make 64 maps out
# of 256, and 256 out of 64. So go down to 64 maps, do the 3×3 there, and go up again: 256·64 +
# 9·64·64 + 64·256. Inception (2014) and ResNet (2015) are built of such parts.

# %%
wide, narrow = 256, 64
cheap, dear = wide * narrow + 9 * narrow * narrow + narrow * wide, 9 * wide * wide
guess = predict("How many times fewer products is 1×1, 3×3, "
                f"1×1 through {narrow} maps than one 3×3 from {wide} to {wide}?", within=0.1)
formula(f"9·{wide}·{wide}/({wide}·{narrow} + 9·{narrow}·{narrow} + {narrow}·{wide}) = "
        f"{dear:,}/{cheap:,} = {dear / cheap:.2f}")
guess.turned_out(round(dear / cheap, 3))

def products(*layers):
    """Products for one place, of layers (kernel, in, out), as F.conv2d would need them: the size of
    its weights."""
    return sum(np.empty((out, inner, size, size)).size for size, inner, out in layers)

fact(f"the three layers' weights give the same count, {dear / cheap:.1f} times fewer",
     dear > cheap and products((1, wide, narrow), (3, narrow, narrow), (1, narrow, wide)) == cheap
     and products((3, wide, wide)) == dear)

# %% [markdown]
# ## 5. ResNet's shortcut
# If deep is good, why not fifty layers? Because the gradient has to come back through all of them.
# The chain rule multiplies the layers' derivatives. If each takes a little away, fifty take nearly
# everything (0.7⁵⁰ is 0.00000002), and the first layers learn nothing. ResNet adds a way around
# each layer: y = x + f(x). Its derivative is 1 + f′(x). Where f′ is small, the 1 carries the
# gradient through.
#
# See it on chains of small layers with 32 neurons and ReLU. Their weights are 0.7 times what lesson
# 14 recommends. At the end, broken on purpose: stacks need room, and a 5×5 kernel finds none in 4×4
# pixels.

# %%
weak, depths = 0.7, (2, 5, 10, 20, 50)

def first_gradient(depth, shortcut):
    """Size of the gradient at the input of `depth` small layers, relative to the one at the
    output."""
    draws = np.random.default_rng(1)
    x = start = Tensor(draws.normal(size=(8, 32)), requires_grad=True)
    for _ in range(depth):
        step = F.relu(F.linear(x, draws.normal(0, weak * (2 / 32) ** 0.5, (32, 32))))
        x = x + step * 0.2 if shortcut else step
    x.backward(np.ones(x.shape))
    return float(np.sqrt((start.grad**2).mean()))

chains = {name: [first_gradient(depth, name == "with shortcuts") for depth in depths]
          for name in ("plain", "with shortcuts")}
gone, kept = (values[-1] for values in chains.values())
fact(f"through {depths[-1]} plain layers {gone:.1g} of the gradient is left: less than a millionth",
     gone < 1e-6)
fact(f"with shortcuts {kept:.1f} times as much arrives as was sent", 0.5 < kept < 1000)
with broken(ValueError):
    # a kernel larger than what is left of the picture
    F.conv2d(np.zeros((1, 3, 4, 4)), np.zeros((8, 3, 5, 5)))
classroom.save(what_came_next.draw(fields, chains, depths), "20_what_came_next",
               f"Left: AlexNet comes to {across} pixels in {len(alexnet)} layers, "
               f"VGG-16 to {vgg_across} in {len(vgg)}. Right: the gradient fades in plain chains, "
               "and arrives where there are shortcuts.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `kernel = 5`: what do two and three of these see?
# - `wide, narrow = 256, 128`: is the way through 128 maps still much cheaper?
# - `weak, depths = 1.0, (2, 5, 10, 20, 50)`: with the weights that lesson 14 recommends, does a
#   plain chain still lose all?
#
# ## Exercise
# `lessons/exercises/20_what_came_next.py`: receptive fields and the cost of stacks. Before you
# write it: what does pooling do to the receptive field of all layers behind it?
