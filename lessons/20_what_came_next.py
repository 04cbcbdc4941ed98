"""What came next: stacked 3×3, receptive fields, shortcuts

The notes (N1, N5) end with deeper networks: conv + conv + pool, VGG, Inception, ResNet. Three ideas carry them, and each can be
computed on a page: what a stack of small kernels sees, what a 1×1 convolution saves, what a shortcut does for the gradient.
"""
# %% Tools
from fractions import Fraction

import classroom
import numpy as np
from classroom import broken, claim, fact, predict, settle
from drawings import what_came_next

import minialex.functional as F
from minialex import Tensor, shapes

# %% [markdown]
# ## 1. What one value sees
# A value of a layer sees `kernel` values of the layer below; each of those sees its own window, `jump` pixels further on. So
# `across ← across + (kernel − 1)·jump`, then `jump ← jump·stride`, from across = jump = 1.

# %%
claim("T11", "N1, N5", "deeper networks: conv + conv + pool; wider and deeper; VGG, Inception, ResNet")
guess = predict("Two 3×3 convolutions one after the other: how many pixels across does one value see?")

def sees(layers):
    """(across, jump) by the formula. layers: (kernel, stride), first layer first."""
    across, jump = 1, 1
    for kernel, stride in layers:
        across, jump = across + (kernel - 1) * jump, jump * stride
    return across, jump

def sees_by_gradient(layers, size):
    """The same from the engine: how many columns have a gradient from one value in the middle, with kernels of ones."""
    picture = x = Tensor(np.zeros((1, 1, 1, size)), requires_grad=True)
    for kernel, stride in layers:
        x = F.conv2d(x, Tensor(np.ones((1, 1, 1, kernel))), stride=(1, stride))
    middle = np.zeros(x.shape)
    middle[..., x.shape[-1] // 2] = 1
    x.backward(middle)
    return int((picture.grad != 0).sum())

guess.turned_out(sees([(3, 1)] * 2)[0])
stacks = {count: [(3, 1)] * count for count in (1, 2, 3)}
fact("one, two, three 3×3 see 3, 5, 7 pixels", [sees(stack)[0] for stack in stacks.values()] == [3, 5, 7])
fact("the engine's gradient says the same", [sees_by_gradient(stack, 40) for stack in stacks.values()] == [3, 5, 7])
fact("so does minialex.shapes", all(shapes.receptive_field(stack) == sees(stack) for stack in stacks.values()))

# %% [markdown]
# ## 2. With fewer weights
# From C to C maps, without biases: two 3×3 have 2·9·C² weights, one 5×5 has 25·C²; three 3×3 have 27·C², one 7×7 has 49·C².
# And between them stand more ReLUs. Without a ReLU between them, two 3×3 are one 5×5, if a special one.

# %%
guess = predict("What part of one 7×7's weights do three 3×3 have?")
shares = {5: Fraction(2 * 9, 25), 7: Fraction(3 * 9, 49)}
guess.turned_out(shares[7])
fact("18/25 and 27/49 of the weights, for any C", all(
    shares[large] == Fraction(count * C * C * 9, C * C * large**2) for C in (1, 64, 512) for count, large in ((2, 5), (3, 7))))
random = np.random.default_rng(0)
image, first, second = random.normal(size=(1, 1, 12, 12)), random.normal(size=(1, 1, 3, 3)), random.normal(size=(1, 1, 3, 3))
combined = np.zeros((5, 5))
for row in range(3):
    for column in range(3):
        combined[row : row + 3, column : column + 3] += second[0, 0, row, column] * first[0, 0]
twice = F.conv2d(F.conv2d(image, first), second).data
fact("without ReLU two 3×3 are one 5×5", np.allclose(twice, F.conv2d(image, combined[None, None]).data))
fact("with ReLU they are not", not np.allclose(F.conv2d(F.relu(F.conv2d(image, first)), second).data, twice))

# %% [markdown]
# ## 3. AlexNet's own, and VGG-16's
# VGG-16: 2 + 2 + 3 + 3 + 3 convolutions of 3×3, a 2×2 pool after each group, 64 to 512 maps, then 4096, 4096, 1000.

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
    return {name: sees([layers[before] for before in names[: place + 1]]) for place, name in enumerate(names)}

fields = {"AlexNet": grows(alexnet), "VGG-16": grows(vgg)}
guess.turned_out(fields["AlexNet"]["pool5"][0])
fact("AlexNet: 11, 19, 51, 67, 99, 131, 163, 195",
     [a for a, _ in fields["AlexNet"].values()] == [11, 19, 51, 67, 99, 131, 163, 195])
fact("the gradient through all eight layers is 195 columns wide", sees_by_gradient(list(alexnet.values()), 1000) == 195)
fact("pool5's values lie 32 pixels apart", fields["AlexNet"]["pool5"][1] == 32)
fact("VGG-16's pool5 sees 212 pixels, hardly more, through 18 layers instead of 8", fields["VGG-16"]["pool5"] == (212, 32))
maps = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
convolutions = sum(9 * below * above + above for below, above in zip(maps, maps[1:]))
connected = sum(n * m + m for n, m in ((7 * 7 * 512, 4096), (4096, 4096), (4096, 1000)))
fact("VGG-16 has 138,357,544 parameters, 2.3 times AlexNet's", convolutions + connected == 138_357_544)
sizes = [224, 224, 112, 112, 56, 56, 56, 28, 28, 28, 14, 14, 14]
macs = sum(9 * below * above * size**2 for below, above, size in zip(maps, maps[1:], sizes))
macs += 25_088 * 4096 + 4096**2 + 4096 * 1000
fact("and 15.5 billion multiply–accumulates, 21 times AlexNet's 724 million", round(macs / 724_406_816) == 21)
settle("T11", "true", f"two 3×3 see 5×5 with {shares[5]} of the weights, three see 7×7 with {shares[7]}; "
       f"pool5 sees {fields['AlexNet']['pool5'][0]} pixels in AlexNet, "
       f"{fields['VGG-16']['pool5'][0]} in VGG-16, which has {convolutions + connected:,} parameters")

# %% [markdown]
# ## 4. Inception's 1×1 and ResNet's shortcut
# 1×1 convolutions first make fewer maps: 256 → 64 → 256 costs `256·64 + 9·64·64 + 64·256` products per place, not `9·256·256`.
# A shortcut: y = x + f(x) has the derivative 1 + f′(x), so a product of fifty derivatives cannot vanish as easily.

# %%
guess = predict("How many times fewer products is 1×1, 3×3, 1×1 through 64 maps than one 3×3 from 256 to 256?", within=0.1)
narrow, wide = 256 * 64 + 9 * 64 * 64 + 64 * 256, 9 * 256 * 256
guess.turned_out(round(wide / narrow, 3))
fact("8.5 times fewer", round(wide / narrow, 1) == 8.5)

def first_gradient(depth, shortcut):
    """Size of the gradient at the input of `depth` small layers, relative to the one at the output."""
    draws = np.random.default_rng(1)
    x = start = Tensor(draws.normal(size=(8, 32)), requires_grad=True)
    for _ in range(depth):
        step = F.relu(F.linear(x, draws.normal(0, 0.7 * (2 / 32) ** 0.5, (32, 32))))
        x = x + step * 0.2 if shortcut else step
    x.backward(np.ones(x.shape))
    return float(np.sqrt((start.grad**2).mean()))

depths = (2, 5, 10, 20, 50)
chains = {name: [first_gradient(depth, name == "with shortcuts") for depth in depths] for name in ("plain", "with shortcuts")}
fact("through fifty plain layers less than a millionth of the gradient is left", chains["plain"][-1] < 1e-6)
fact("with shortcuts it arrives", 0.5 < chains["with shortcuts"][-1] < 1000)
with broken(ValueError):
    F.conv2d(np.zeros((1, 3, 4, 4)), np.zeros((8, 3, 5, 5)))  # a kernel larger than what is left of the picture
classroom.save(what_came_next.draw(fields, chains, depths), "20_what_came_next")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/20_what_came_next.py`: receptive fields and the cost of stacks. Before you write it: what does pooling do
# to the receptive field of all layers behind it?
