"""From LeNet-5 to AlexNet: what changed, and what each change costs

Prerequisites: lessons 05 to 10. Minutes: 30. Afterwards you can count a network's parameters and
its work layer by layer, and say which change is dear and which is free. Fourteen years lie between
a network with 60,000 parameters and one with 60 million.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, claim, fact, formula, heard, predict, settle, show
from drawings import lenet_to_alexnet

import minialex.functional as F
from minialex import models, nn, shapes

# %% [markdown]
# ## 1. LeNet-5 as it was in 1998
# LeNet-5 read handwritten digits (LeCun, Bottou, Bengio and Haffner, 1998). To see what AlexNet
# changed, count what was there before. A map whose kernels are K×K and see n maps has n·K·K weights
# and one bias: n·K·K + 1 parameters. A layer with `in` inputs has in + 1 parameters for each
# output. So:
# - C1, 6 maps, each sees the one picture: 6·(25 + 1) = 156.
# - S2, a pool: the mean of 2×2, times a trained number, plus a trained number. Two for each of 6
#   maps: 12.
# - C3, 16 maps, and each sees only some of the six below. Count it yourself.
# - S4, like S2: 16·2 = 32.
# - C5, 120 maps that see all 16: 120·(16·25 + 1) = 48,120.
# - F6, 84 numbers that see all 120: 84·(120 + 1) = 10,164.
#
# The output compared these 84 numbers with ten figures of 7×12 pixels, drawn by hand. It had
# nothing to train. The study notes (N1 to N5) list what changed since then. That is the claim to
# test.

# %%
claim("O5", "N3", "average vs max pooling, sigmoid/tanh vs ReLU, Euclidean output vs softmax: "
      "what changed since LeNet-5")
K = 5
guess = predict(f"C3 has 16 maps with kernels of {K}×{K}. Six see 3 maps, nine see 4, "
                "one sees all 6. How many parameters?")
parts = [6 * (3 * K**2 + 1), 9 * (4 * K**2 + 1), 1 * (6 * K**2 + 1)]
formula(f"6·(3·{K**2} + 1) + 9·(4·{K**2} + 1) + 1·(6·{K**2} + 1) = {' + '.join(map(str, parts))} = "
        f"{sum(parts):,}")

# 0 1 2, 1 2 3, ...: three neighbours
c3_table = [[(i + j) % 6 for j in range(3)] for i in range(6)]
c3_table += [[(i + j) % 6 for j in range(4)] for i in range(6)]  # four neighbours
c3_table += [[i, i + 1, (i + 3) % 6, (i + 4) % 6] for i in range(3)]  # two pairs
c3_table += [list(range(6))]
c3 = sum(K**2 * len(seen) + 1 for seen in c3_table)
guess.turned_out(c3)
lenet_1998 = {"C1": 6 * (K**2 + 1), "S2": 6 * 2, "C3": c3, "S4": 16 * 2,
              "C5": 120 * (16 * K**2 + 1), "F6": 84 * (120 + 1)}
fact("C3's table: six maps see 3, nine see 4, one sees 6",
     sorted(map(len, c3_table)) == [3] * 6 + [4] * 9 + [6])
total = sum(lenet_1998.values())
fact(f"{' + '.join(f'{n:,}' for n in lenet_1998.values())} = 60,000 trainable parameters, exactly",
     total == 60_000)
lenet = models.lenet5()
modern = sum(parameter.size for parameter in lenet.parameters())
more = 16 * (6 * K**2 + 1) - c3, 12 + 32, 10 * (7 * 12 + 1)
fact(f"today's form has {modern:,}: C3 sees everything (+{more[0]}), plain means (-{more[1]}), "
     f"ten trained outputs (+{more[2]})", modern == 61_706 == total + more[0] - more[1] + more[2])

# %% [markdown]
# ## 2. A sparse layer is a full one with zeros that nobody trains
# Why did C3 not see everything? It was cheaper, and the authors wanted the maps to become different
# from each other. No library has such a layer today. None is needed: a sum over all six maps with
# weight 0 for some of them is the sum over the others. Test it: once along the table, map by map,
# and once with zeros where the table has a gap.

# %%
generator = np.random.default_rng(0)
weight, x = generator.normal(size=(16, 6, K, K)), generator.normal(size=(1, 6, 14, 14))
mask = np.zeros_like(weight)
for number, seen in enumerate(c3_table):
    mask[number, seen] = 1
by_table = np.stack([sum(F.conv2d(x[:, [c]], weight[[number]][:, [c]]).data[0, 0] for c in seen)
                     for number, seen in enumerate(c3_table)])
fact("map by map along the table, or F.conv2d with 0 where the table has a gap: the same C3",
     np.allclose(F.conv2d(x, weight * mask).data[0], by_table))
seen_by = mask[:, :, 0, 0].sum(axis=0)
fact("no input map is left out: each is seen by ten of the sixteen", (seen_by == 10).all())
fact(f"so {1 - mask.mean():.1%} of a full layer's weights are missing",
     mask.sum() == 60 * K**2 and mask.size == 96 * K**2)

# %% [markdown]
# ## 3. Step by step
# Which of the changes made the network a thousand times larger? Go from one network to the other in
# steps, and count after each: the parameters, and the multiply-accumulates for one picture (a
# product and its addition, lesson 05).
#
# The first step is the picture. Photographs have three channels and more pixels. LeNet's layers on
# such a picture: two kernels of 5×5 and two pools of 2 come first, then the kernels of C5. A kernel
# of 5 takes 4 away from the side, a pool halves it and rounds down. fc4 (F6 in 1998) then reads
# everything that is left.

# %%
heard("AlexNet is LeNet with ReLU.")
size, classes = 227, 1000
guess = predict(f"LeNet-5's layers on {size}×{size} colour pictures. How many million parameters, "
                "instead of 0.06?", within=1)
side = ((size - 4) // 2 - 4) // 2 - 4
fc4 = 84 * (120 * side**2 + 1)
formula(f"(({size} - 4)/2 - 4)/2 - 4 = {side} (rounded down): fc4 reads "
        f"120·{side}·{side} = {120 * side**2:,} values, 84·({120 * side**2:,} + 1) = {fc4:,}")

def lenet_on(size, channels, classes):
    """The same layers; fc4 reads whatever is left of the maps."""
    side = ((size - 4) // 2 - 4) // 2 - 4
    return nn.Sequential(conv1=nn.Conv2d(channels, 6, 5), pool1=nn.AvgPool2d(2),
                         conv2=nn.Conv2d(6, 16, 5), pool2=nn.AvgPool2d(2),
                         conv3=nn.Conv2d(16, 120, 5), flatten=nn.Flatten(),
                         fc4=nn.Linear(120 * side**2, 84), fc5=nn.Linear(84, classes))

def size_of(network, shape):
    totals = shapes.summary(network, shape).totals
    return totals.parameters, totals.macs

alexnet, one_tower = models.alexnet("paper"), models.alexnet("single-tower")
steps = {"LeNet-5, 32×32 grey, 10 classes": size_of(lenet, (1, 32, 32)),
         f"… on {size}×{size} colour": size_of(lenet_on(size, 3, 10), (3, size, size)),
         f"… {classes} classes": size_of(lenet_on(size, 3, classes), (3, size, size)),
         "AlexNet's layers, one tower": size_of(one_tower, (3, 227, 227)),
         "… in two towers": size_of(alexnet, (3, 227, 227))}
figures = list(steps.values())
guess.turned_out(round(figures[1][0] / 1e6, 1))
show("\n".join(f"  {name:<34} {parameters:>12,} parameters {macs / 1e6:>9,.1f} M "
               "multiply-accumulates" for name, (parameters, macs) in steps.items()))
fact(f"LeNet-5: {figures[0][1]:,} multiply-accumulates for one digit",
     figures[0] == (61_706, 416_520))
fact(f"the larger picture makes {figures[1][0]:,} parameters of them; "
     f"fc4 has {fc4 / figures[1][0]:.1%}, because 120 maps of {side}×{side} are left",
     figures[1][0] - fc4 == 51_842 and fc4 > 0.9 * figures[1][0])
extra = figures[2][0] - figures[1][0]
fact(f"{classes} classes instead of 10 cost {extra:,} parameters, {extra / figures[1][0]:.1%}: "
     "little", extra == (classes - 10) * 85 and extra < 0.1 * figures[1][0])
fact(f"AlexNet's stride of 4 and three pools leave 6×6 of 227×227; 256 maps of {side}×{side} into "
     f"4096 numbers would be {4096 * 256 * side**2 / 1e9:.2f} billion weights",
     alexnet.fc6.in_features == 256 * 6 * 6 and side > 6)
fact(f"towers leave {figures[4][0] / figures[3][0]:.0%} of the parameters, "
     f"and {figures[4][1] / figures[3][1]:.0%} of the work",
     0.97 < figures[4][0] / figures[3][0] < 0.98 and 0.63 < figures[4][1] / figures[3][1] < 0.65)
ratios = figures[-1][0] / figures[0][0], figures[-1][1] / figures[0][1]
fact(f"in all: {ratios[0]:,.0f} times the parameters, {ratios[1]:,.0f} times the work",
     (round(ratios[0]), round(ratios[1])) == (988, 1739))

# %% [markdown]
# ## 4. The changes that the notes name, one by one
# What did each of them cost, and what was it for?
# - Larger windows in the pool: they overlap. More values are compared, and nothing is trained.
# - The largest value instead of the mean (lesson 07). A kernel finds its pattern at one place. The
#   mean of the window mixes this with places where it is not. The maximum says: here, somewhere.
# - ReLU instead of tanh (lesson 06): the slope does not die where the value is large.
# - Softmax instead of distances to drawn figures (lesson 09): probabilities, and a loss whose slope
#   is simple.

# %%
window, apart = 3, 2
maps = generator.normal(size=(1, 96, 55, 55)).astype(np.float32)
found = np.zeros((1, 1, 2, 2))
found[0, 0, 1, 0] = 8.0
reads = window**2 / 2**2
fact(f"a {window}×{window} window reads {window**2} values, a 2×2 window 4: "
     f"{reads:g} times as many for each output, and neither has a parameter",
     not list(nn.MaxPool2d(window, apart).parameters()) + list(nn.AvgPool2d(2).parameters()))
fact(f"windows of {window} that start {apart} apart overlap", window > apart)
fact("of a window 0, 0, 8, 0 the maximum keeps 8, the mean 2",
     (F.max_pool2d(found, 2).data.item(), F.avg_pool2d(found, 2).data.item()) == (8, 2))
fact("the mean of noise is near 0, its maximum is not",
     abs(F.avg_pool2d(maps, 2).data.mean()) < 0.01 and F.max_pool2d(maps, 2).data.mean() > 0.9)
fact("ReLU makes half of the values of noise 0, and has no parameter",
     abs((F.relu(maps).data == 0).mean() - 0.5) < 0.01 and not list(nn.ReLU().parameters()))
fact("at 3, tanh's slope is 0.01, ReLU's is 1",
     round(1 - np.tanh(3) ** 2, 2) == 0.01 and F.relu(np.array([3.0])).data == 3)
figures_drawn = np.sign(generator.normal(size=(10, 84)))
x = figures_drawn[3] + 0.1 * generator.normal(size=84)
distances = ((x - figures_drawn) ** 2).sum(axis=1)
fact("distances: the smallest one is right, and they do not sum to 1",
     distances.argmin() == 3 and distances.sum() > 10)
p = F.softmax((figures_drawn @ x)[None]).data[0]
fact("softmax: the largest one is right, and they sum to 1",
     p.argmax() == 3 and np.isclose(p.sum(), 1))
settle("O5", "true", f"LeNet-5 of 1998: {total:,} parameters, today's form {modern:,}. "
       f"The three changes cost no parameter, but for the trained output's {more[2]}; "
       f"the size does: ×{ratios[0]:,.0f} parameters, ×{ratios[1]:,.0f} work. New besides: towers, "
       "response norm, dropout")

# %% [markdown]
# ## 5. Broken on purpose: AlexNet gets a digit
# Stride 4 and three pools need room. A picture of 32×32 has become too small long before fc6, and
# the first layer that finds no place for its window says so.

# %%
with broken(ValueError):
    shapes.summary(alexnet, input_shape=(3, 32, 32))
small, large = shapes.summary(lenet), shapes.summary(alexnet)
heaviest = [max(summary.rows, key=lambda row: row.parameters) for summary in (small, large)]
fact("more than half of the parameters are in one layer behind the last pool: "
     f"{heaviest[0].name} of LeNet-5, {heaviest[1].name} of AlexNet",
     [row.name for row in heaviest] == ["conv3", "fc6"] and heaviest[0].parameters > modern / 2
     and heaviest[1].parameters > figures[4][0] / 2)
fact("AlexNet's convolutions have most of the work",
     sum(row.macs for row in large.rows if "conv" in row.name) > figures[4][1] / 2)
classroom.save(lenet_to_alexnet.draw(small, large), "12_lenet_to_alexnet", "Above: the area of a "
               "box is the number of values in it; LeNet-5's are small at this scale. Below: "
               f"one layer has most of the parameters, {heaviest[0].name} and {heaviest[1].name}. "
               "AlexNet's convolutions have most of the work.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `K = 3`: is LeNet-5 still a network of exactly 60,000 parameters?
# - `size, classes = 448, 1000`: pictures twice as wide. How many parameters has fc4 now?
# - `window, apart = 5, 2`: how many times as many values does a pool compare?
#
# ## Exercise
# `lessons/exercises/12_lenet_to_alexnet.py`: count LeNet-5 as it was in 1998, with its table.
