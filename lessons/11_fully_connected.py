"""A fully connected layer is a 6×6 convolution, and a network can slide

Prerequisites: lessons 04, 07 and 09. Minutes: 35. Afterwards you can turn such a layer into
kernels, and get a map of answers from a larger picture in one pass. Nobody has to cut out every
crop: the network slides over the picture, as a kernel does.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, claim, fact, formula, heard, predict, settle
from drawings import fully_connected

import minialex as ma
import minialex.functional as F
from minialex import models, nn, optim, shapes

# %% [markdown]
# ## 1. The same sum, written twice
# The convolutions leave 256 maps of 6×6 values: pool5. Each value knows only a part of the picture.
# A wheel here, a window there: to say "car", somebody must see all of them. A layer is **fully
# connected** when each of its outputs sees each input. fc6 has 256·6·6 = 9216 inputs and 4096
# outputs. Each output o is a sum with weights of its own, plus a bias:
#
#     layer:        y[o] = b[o] + Σ over all 9216 numbers m of W[o, m]·x[m]
#     convolution:  y[o] = b[o] + Σ over c, i, j of W[o, c, i, j]·x[c, i, j]
#
# The second line is a kernel of 6×6 over 256 maps. A map of 6×6 has only one place for it. So both
# lines have the same products, if number m means the same: maps are laid out channel by channel,
# row by row, so m = (c·6 + i)·6 + j. A widely copied set of study notes (N1 to N5) says just this
# of the layer.

# %%
claim("S10", "N1, N2", "layer 6 is a convolution with 4096 kernels of 6×6×256, one output each, "
      "hence “fully connected”")
unit = 7
guess = predict("How many places has a 6×6 kernel on a map of 6×6?")
formula(shapes.explain(6, kernel_size=6))
guess.turned_out(shapes.conv_output_size(6, kernel_size=6))
ma.manual_seed(0)
net = models.alexnet("paper").eval()
fc6 = net.fc6
generator = np.random.default_rng(0)
pool5, g = (generator.normal(size=shape).astype(np.float32)
            for shape in [(2, 256, 6, 6), (2, 4096)])
kernels = fc6.weight.data.reshape(4096, 256, 6, 6)  # the same memory, looked at otherwise

fact(f"fc6 has {fc6.in_features} = 256·6·6 inputs and {fc6.out_features} outputs",
     (fc6.in_features, fc6.out_features) == (256 * 6 * 6, 4096))
total, same_number = fc6.bias.data[unit].astype(float), True
for c in range(256):
    for i in range(6):
        for j in range(6):
            total += float(kernels[unit, c, i, j]) * float(pool5[0, c, i, j])
            same_number &= bool(kernels[unit, c, i, j] == fc6.weight.data[unit, (c * 6 + i) * 6
                                                                          + j])

def run(operation, *arrays, gradient):
    tensors = [ma.Tensor(array, requires_grad=True) for array in arrays]
    y = operation(*tensors)
    y.backward(gradient.reshape(y.shape))
    return [y.data, *(tensor.grad for tensor in tensors)]

as_layer = run(F.linear, pool5.reshape(2, -1), fc6.weight.data, fc6.bias.data, gradient=g)
as_conv = run(F.conv2d, pool5, kernels, fc6.bias.data, gradient=g)
fact("kernel[o, c, i, j] is the layer's W[o, (c·6 + i)·6 + j]: no number moves", same_number)
fact(f"output {unit} of the layer is the three loops over kernel {unit}",
     np.isclose(as_layer[0][0, unit], total, rtol=1e-3))
fact("a convolution with 4096 kernels 6×6×256 gives 4096 maps of 1×1",
     as_conv[0].shape == (2, 4096, 1, 1))
parts = ("forward", "gradient of the picture", "gradient of the weights", "gradient of the biases")
for what, a, b in zip(parts, as_layer, as_conv):
    fact(f"{what}: the layer and the convolution agree",
         np.allclose(a.ravel(), b.ravel(), atol=1e-4 * abs(a).max()))
count = kernels.size + fc6.bias.size
settle("S10", "true", f"4096 kernels of 6×6×256: {kernels.size:,} weights + 4096 "
       f"biases = {count:,} parameters either way; outputs and all three gradients agree")

# %% [markdown]
# ## 2. A larger picture
# Why would anybody want this? Because a kernel can slide, and a layer cannot. Give the network a
# larger picture: pool5 gets larger too, the 6×6 kernels of fc6 find more places, and each place
# gives an answer of its own. (fc7 and fc8 become kernels of 1×1.) How much larger must the picture
# be for one more place? pool5 must have one more column. conv1 goes 4 pixels a step, and three
# pools double this: 4·2·2·2 = 32 pixels.

# %%
large, step = 355, 4 * 2 * 2 * 2
guess = predict(f"A picture of {large}×{large}, not 227×227: how many answers are there, "
                "one for each window of pool5?")
across = (large - 227) // step + 1
formula(f"({large} - 227)/{step} + 1 = {large - 227}/{step} + 1 = {across} in each direction, "
        f"{across}·{across} = {across**2}")

def answers(size):
    """How many windows of 6×6 find room, in one direction, on what pool5 leaves of a picture of
    this width."""
    for _, kernel, stride, padding in [("conv1", 11, 4, 0), ("pool1", 3, 2, 0), ("conv2", 5, 1, 2),
                                       ("pool2", 3, 2, 0), ("conv3", 3, 1, 1), ("conv4", 3, 1, 1),
                                       ("conv5", 3, 1, 1), ("pool5", 3, 2, 0)]:
        size = shapes.conv_output_size(size, kernel, stride, padding)
    return shapes.conv_output_size(size, 6)

guess.turned_out(answers(large) ** 2)
fact(f"layer by layer it is {across} in each direction too", answers(large) == across)
fact(f"one more for every {step} pixels: 227 gives 1, "
     f"{227 + step} gives 2, and one pixel less still gives 1",
     [answers(227 + step * n) for n in range(5)] == [1, 2, 3, 4, 5] and answers(226 + step) == 1)
features = net[: [name for name, _ in net.named_children()].index("flatten")]
whole, one = (shapes.summary(features, (3, size, size)).totals.macs for size in (large, 227))
saved = across**2 * one / whole
fact(f"conv1 to pool5 once over {large}×{large}, or over {across**2} crops: "
     f"one pass has {saved:.1f} times fewer products, because the crops overlap", saved > 1)

# %% [markdown]
# ## 3. Is it the same as cutting out every crop?
# The shapes agree. Do the answers? Test it on a small network. It has learned five kinds of
# pictures of 32×32. Now it slides over a picture of 96×96, which holds nine new ones. Two of its
# steps are 2 pixels long, so its answers lie 2·2 = 4 pixels apart. Then the crop is cut out at each
# of these places, and shown to the network as it was.
#
# One thing could spoil it: padding. At the border of a crop a padded layer reads zeros. The sliding
# network reads the neighbouring pixels there. The small network has no padding, AlexNet has.

# %%
heard("Sliding the network gives exactly what it would say to each crop.")
padding, epochs = 0, 10
ma.manual_seed(1)
small_net = nn.Sequential(conv1=nn.Conv2d(3, 12, 5, stride=2), relu1=nn.ReLU(),
                          pool1=nn.MaxPool2d(2), conv2=nn.Conv2d(12, 16, 3, padding=padding),
                          relu2=nn.ReLU(), conv3=nn.Conv2d(16, 16, 3, padding=padding),
                          relu3=nn.ReLU(), flatten=nn.Flatten(),
                          fc=nn.Linear(16 * (3 + 4 * padding) ** 2, 5))
models.initialise(small_net, "he")
images, labels = classroom.drawn_pictures(classes=5, each=80, size=32)
optimizer = optim.SGD(  # its step is lesson 15's
    small_net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
for epoch in range(epochs):
    for batch in np.random.default_rng(epoch).permutation(400).reshape(-1, 25):
        optimizer.zero_grad()
        F.cross_entropy(small_net(images[batch]), labels[batch]).backward()
        optimizer.step()

def slide(x):
    """The same layers; fc as a convolution with kernels as large as the maps that it was made
    for."""
    for layer in small_net[:7]:
        x = layer(x)
    return F.conv2d(x, small_net.fc.weight.data.reshape(5, 16, 3 + 4 * padding, 3 + 4 * padding),
                    small_net.fc.bias.data).data[0]

tiles = classroom.drawn_pictures(classes=5, each=4, size=32, seed=1)[0]  # new ones
order = [0, 5, 10, 15, 1, 6, 17, 12, 8]  # four tiles of each class: classes 0 1 2 / 3 0 1 / 4 3 2
rows = [np.concatenate([tiles[i] for i in row], axis=2) for row in np.reshape(order, (3, 3))]
mosaic = np.concatenate(rows, axis=1)
answer = slide(mosaic[None])
fact("96×96 pixels, crops of 32×32 that start 4 pixels apart: 17×17 answers",
     answer.shape == (5, 17, 17))
crops = np.stack([mosaic[:, 4 * i : 4 * i + 32, 4 * j : 4 * j + 32] for i in range(17)
                  for j in range(17)])
said = small_net(crops).data.T.reshape(5, 17, 17)
fact(f"with padding {padding}, each of the 17·17 answers is what the network says to that crop",
     np.allclose(said, answer, atol=1e-4))
whole_tiles = crops.reshape(17, 17, 3, 32, 32)[::8, ::8].reshape(9, 3, 32, 32)
fact("answers 0, 8 and 16 of rows 0, 8 and 16 are those to the nine whole tiles, "
     "and it learned from none of the nine", np.array_equal(whole_tiles, tiles[order])
     and not any((images == tile).all(axis=(1, 2, 3)).any() for tile in whole_tiles))
sure = F.softmax(answer, axis=0).data.max(axis=0)
fact(f"its mean probability for what it names is {sure[::8, ::8].mean():.2f} there, "
     f"{sure.mean():.2f} over all 17·17 windows", sure[::8, ::8].mean() > sure.mean())
named = int((answer[:, ::8, ::8].reshape(5, 9).argmax(axis=0) == np.array(order) // 4).sum())
fact(f"it names {named} of the nine tiles right; guessing gives about 2", named > 4)
picture = ma.Tensor(generator.normal(size=(1, 3, 259, 259)).astype(np.float32))
with ma.no_grad():
    whole, crop = features(picture).data[0, :, :6, :6], features(picture[:, :, :227, :227]).data[0]
apart = np.linalg.norm(whole - crop, axis=0) / np.linalg.norm(crop, axis=0)
fact("AlexNet has padding: where the crop ends and the picture does not, "
     f"pool5 differs by {apart[-1, -1]:.0%}", net.conv2.padding == (2, 2) and apart[-1, -1] > 0.01)
fact("at the corner where both end they agree", apart[0, 0] < 1e-4)

# %% [markdown]
# ## 4. Broken on purpose: a layer cannot slide
# fc6 as a layer has room for exactly 9216 numbers. A larger picture leaves more, and the layer says
# so.

# %%
with broken(ValueError):
    net(np.zeros((1, 3, 259, 259), dtype=np.float32))
classroom.save(fully_connected.draw(mosaic, answer, np.array(order) // 4), "11_fully_connected",
               "Left: nine tiles of five kinds. Middle: one answer for each window of 32×32; "
               "it is less sure between tiles. Right: what it says to the nine whole tiles; "
               f"the longest bar names {named} of them right.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `large, step = 387, 4 * 2 * 2 * 2`: how many answers, and how many products are saved?
# - `padding, epochs = 1, 10`: is each answer still what the network says to its crop?
# - `padding, epochs = 0, 0`: what does a network name that has learned nothing?
#
# ## Exercise
# `lessons/exercises/11_fully_connected.py`: turn a layer into kernels, and find the picture for n×n
# answers.
#
# `lessons/my_engine/11_linear.py` is a brick of an engine of your own. Nine lessons have one.
# `python -m lessons` shows the wall of bricks, and `lessons/my_engine/train.py` trains LeNet-5 with
# those that you have.
