"""A fully connected layer is a 6×6 convolution, and a network can slide

The notes call layer 6 a convolution whose kernels are as large as the picture. If that is so, then nothing in the network
depends on the picture's size, and a larger picture gives a map of answers instead of one.
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
# fc6: y[o] = b[o] + Σ over 9216 numbers of W[o, number]·x[number]. conv: Σ over c, i, j of W[o, c, i, j]·x[c, i, j]. The
# 9216 numbers are the 256·6·6 of pool5, in the order c, i, j.

# %%
claim("S10", "N1, N2", "layer 6 is a convolution with 4096 kernels of 6×6×256, one output each, hence “fully connected”")
guess = predict("How many places has a 6×6 kernel on a map of 6×6?")
formula(shapes.explain(6, kernel_size=6))
guess.turned_out(shapes.conv_output_size(6, kernel_size=6))
ma.manual_seed(0)
net = models.alexnet("paper").eval()
fc6 = net.fc6
generator = np.random.default_rng(0)
pool5, g = (generator.normal(size=shape).astype(np.float32) for shape in [(2, 256, 6, 6), (2, 4096)])
kernels = fc6.weight.data.reshape(4096, 256, 6, 6)  # the same memory, looked at otherwise

total = fc6.bias.data[7].astype(float)
for c in range(256):
    for i in range(6):
        for j in range(6):
            total += float(kernels[7, c, i, j]) * float(pool5[0, c, i, j])

def run(operation, *arrays, gradient):
    tensors = [ma.Tensor(array, requires_grad=True) for array in arrays]
    y = operation(*tensors)
    y.backward(gradient.reshape(y.shape))
    return [y.data, *(tensor.grad for tensor in tensors)]

as_layer = run(F.linear, pool5.reshape(2, -1), fc6.weight.data, fc6.bias.data, gradient=g)
as_conv = run(F.conv2d, pool5, kernels, fc6.bias.data, gradient=g)
fact("unit 7 of the layer is the three loops over kernel 7", np.isclose(as_layer[0][0, 7], total, rtol=1e-3))
fact("a convolution with 4096 kernels 6×6×256 gives 4096 maps of 1×1", as_conv[0].shape == (2, 4096, 1, 1))
parts = ("forward", "gradient of the picture", "gradient of the weights", "gradient of the biases")
for what, a, b in zip(parts, as_layer, as_conv):
    fact(f"{what}: the layer and the convolution agree", np.allclose(a.ravel(), b.ravel(), atol=1e-4 * abs(a).max()))
count = kernels.size + fc6.bias.size
settle("S10", "true", f"4096 kernels of 6×6×256: {kernels.size:,} weights + 4096 biases = {count:,} parameters either way; "
       "outputs and all three gradients agree")

# %% [markdown]
# ## 2. A larger picture
# As convolutions, fc7 and fc8 are 1×1. A picture 32 pixels larger (2·2·2·4 = 32) has room for one more 6×6 window.

# %%
guess = predict("A picture of 355×355 instead of 227×227: how many answers does the network give, one for each window of pool5?")
formula("(355 - 227)/32 + 1 = 128/32 + 1 = 5 in each direction, 5·5 = 25")

def answers(size):
    """Rows of answers on a picture of this width: windows of 6×6 on what pool5 leaves."""
    for _, kernel, stride, padding in [("conv1", 11, 4, 0), ("pool1", 3, 2, 0), ("conv2", 5, 1, 2), ("pool2", 3, 2, 0),
                                       ("conv3", 3, 1, 1), ("conv4", 3, 1, 1), ("conv5", 3, 1, 1), ("pool5", 3, 2, 0)]:
        size = shapes.conv_output_size(size, kernel, stride, padding)
    return shapes.conv_output_size(size, 6)

guess.turned_out(answers(355) ** 2)
fact("227 gives 1, 259 gives 2, 355 gives 5 in each direction: one more for every 32 pixels",
     [answers(227 + 32 * n) for n in range(5)] == [1, 2, 3, 4, 5])
features = net[: [name for name, _ in net.named_children()].index("flatten")]
large, small = (shapes.summary(features, (3, size, size)).totals.macs for size in (355, 227))
fact(f"conv1 to pool5 once over 355×355 instead of over 25 crops: {25 * small / large:.1f} times fewer products",
     8 < 25 * small / large < 12)

# %% 3. Is it the same as cutting out every crop? A small network without padding
heard("Sliding the network gives exactly what it would say to each crop.")
ma.manual_seed(1)
small_net = nn.Sequential(
    conv1=nn.Conv2d(3, 12, 5, stride=2), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2), conv2=nn.Conv2d(12, 16, 3), relu2=nn.ReLU(),
    conv3=nn.Conv2d(16, 16, 3), relu3=nn.ReLU(), flatten=nn.Flatten(), fc=nn.Linear(16 * 3 * 3, 5))
models.initialise(small_net, "he")
images, labels = classroom.drawn_pictures(classes=5, each=80, size=32)
optimizer = optim.SGD(small_net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
for epoch in range(10):
    for batch in np.random.default_rng(epoch).permutation(400).reshape(-1, 25):
        optimizer.zero_grad()
        F.cross_entropy(small_net(images[batch]), labels[batch]).backward()
        optimizer.step()

def slide(x):
    """The same layers; fc as a convolution with kernels of 3×3×16."""
    for layer in small_net[:7]:
        x = layer(x)
    return F.conv2d(x, small_net.fc.weight.data.reshape(5, 16, 3, 3), small_net.fc.bias.data).data[0]

tiles = classroom.drawn_pictures(classes=5, each=4, size=32, seed=1)[0]  # new ones
order = [0, 5, 10, 15, 1, 6, 17, 12, 8]  # four tiles of each class: classes 0 1 2 / 3 0 1 / 4 3 2
rows = [np.concatenate([tiles[i] for i in row], axis=2) for row in np.reshape(order, (3, 3))]
mosaic = np.concatenate(rows, axis=1)
answer = slide(mosaic[None])
fact("96×96 pixels, crops of 32×32 that start 4 pixels apart: 17×17 answers", answer.shape == (5, 17, 17))
crops = np.stack([mosaic[:, 4 * i : 4 * i + 32, 4 * j : 4 * j + 32] for i in range(17) for j in range(17)])
fact("without padding every one is what the network says to that crop", np.allclose(
     small_net(crops).data.T.reshape(5, 17, 17), answer, atol=1e-4))
picture = ma.Tensor(generator.normal(size=(1, 3, 259, 259)).astype(np.float32))
with ma.no_grad():
    whole, crop = features(picture).data[0, :, :6, :6], features(picture[:, :, :227, :227]).data[0]
apart = np.linalg.norm(whole - crop, axis=0) / np.linalg.norm(crop, axis=0)
fact("AlexNet has padding: where a crop ends it sees zeros, the sliding network sees the picture go on, and they differ",
     apart[-1, -1] > 0.01)
fact("at the corner where the picture ends for both they agree", apart[0, 0] < 1e-4)

# %% 4. Broken on purpose: the layer itself will not take more than it was made for. Then the picture.
with broken(ValueError):
    net(np.zeros((1, 3, 259, 259), dtype=np.float32))
classroom.save(fully_connected.draw(mosaic, answer, np.array(order) // 4), "11_fully_connected")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/11_fully_connected.py`: turn a layer into kernels, and find the picture for n×n answers.
