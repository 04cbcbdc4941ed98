"""From LeNet-5 to AlexNet: what changed, and what each change costs

Fourteen years lie between a network with 60,000 parameters and one with 60 million. Built step by step, the way from one
to the other shows which change is dear and which is free.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, claim, fact, formula, heard, predict, settle
from drawings import lenet_to_alexnet

import minialex as ma
import minialex.functional as F
from minialex import models, nn, shapes

# %% [markdown]
# ## 1. LeNet-5 as it was in 1998
# C1: 6 kernels 5×5, each with a bias: 6·(25 + 1) = 156. S2: a mean times a trained number plus a trained one: 6·2 = 12. C3: 16
# maps, but each sees only some of the six below. C5: 120·(16·25 + 1) = 48,120. F6: 84·(120 + 1) = 10,164. The output layer
# measured distances to ten drawn figures of 7×12 and had nothing to train.

# %%
claim("O5", "N3", "average vs max pooling, sigmoid/tanh vs ReLU, Euclidean output vs softmax: what changed since LeNet-5")
guess = predict("C3 has 16 maps with kernels of 5×5. Six see 3 maps, nine see 4, one sees all 6. How many parameters?")
formula("6·(3·25 + 1) + 9·(4·25 + 1) + 1·(6·25 + 1) = 456 + 909 + 151 = 1,516")

c3_table = [[(i + j) % 6 for j in range(3)] for i in range(6)]  # 0 1 2, 1 2 3, ...: three neighbours
c3_table += [[(i + j) % 6 for j in range(4)] for i in range(6)]  # four neighbours
c3_table += [[i, i + 1, (i + 3) % 6, (i + 4) % 6] for i in range(3)]  # two pairs
c3_table += [list(range(6))]
c3 = sum(25 * len(seen) + 1 for seen in c3_table)
guess.turned_out(c3)
lenet_1998 = {"C1": 6 * (25 + 1), "S2": 6 * 2, "C3": c3, "S4": 16 * 2, "C5": 120 * (16 * 25 + 1), "F6": 84 * (120 + 1)}
fact("C3's table: six maps see 3, nine see 4, one sees 6", sorted(map(len, c3_table)) == [3] * 6 + [4] * 9 + [6])
fact("156 + 12 + 1,516 + 32 + 48,120 + 10,164 = 60,000 trainable parameters", sum(lenet_1998.values()) == 60_000)
lenet = models.lenet5()
modern = sum(parameter.size for parameter in lenet.parameters())
fact("the modern form has 61,706: C3 sees everything (+900), plain means (-44), ten trained outputs (+850)",
     modern == 61_706 == 60_000 + (16 * (6 * 25 + 1) - c3) - (12 + 32) + 10 * (84 + 1))

# %% 2. A sparse layer is a full one with zeros that nobody trains
generator = np.random.default_rng(0)
weight, x = generator.normal(size=(16, 6, 5, 5)), generator.normal(size=(1, 6, 14, 14))
mask = np.zeros_like(weight)
for number, seen in enumerate(c3_table):
    mask[number, seen] = 1
by_table = np.stack([sum(F.conv2d(x[:, [c]], weight[[number]][:, [c]]).data[0, 0] for c in seen)
                     for number, seen in enumerate(c3_table)])
fact("map by map along the table, or F.conv2d with 0 where the table has a gap: the same C3",
     np.allclose(F.conv2d(x, weight * mask).data[0], by_table))
fact("no input map is left out: each is seen by ten of the sixteen", (mask[:, :, 0, 0].sum(axis=0) == 10).all())

# %% [markdown]
# ## 3. Step by step
# Each step is a network that could be trained. Only shapes are computed: parameters, and multiply-accumulates for a picture.

# %%
heard("AlexNet is LeNet with ReLU.")
guess = predict("LeNet-5's layers on 227×227 colour pictures. How many million parameters, instead of 0.06?", within=1)
formula("((227 - 4)/2 - 4)/2 - 4 = 49 (rounded down): fc4 reads 120·49·49 = 288,120 values, 84·(288,120 + 1) = 24,202,164")

def lenet_on(size, channels, classes):
    """The same layers; fc4 reads whatever is left of the maps."""
    side = ((size - 4) // 2 - 4) // 2 - 4
    return nn.Sequential(
        conv1=nn.Conv2d(channels, 6, 5), pool1=nn.AvgPool2d(2), conv2=nn.Conv2d(6, 16, 5), pool2=nn.AvgPool2d(2),
        conv3=nn.Conv2d(16, 120, 5), flatten=nn.Flatten(), fc4=nn.Linear(120 * side**2, 84), fc5=nn.Linear(84, classes))

def size_of(network, shape):
    totals = shapes.summary(network, shape).totals
    return totals.parameters, totals.macs

alexnet, one_tower = models.alexnet("paper"), models.alexnet("single-tower")
steps = {"LeNet-5, 32×32 grey, 10 classes": size_of(lenet, (1, 32, 32)),
         "… on 227×227 colour": size_of(lenet_on(227, 3, 10), (3, 227, 227)),
         "… 1000 classes": size_of(lenet_on(227, 3, 1000), (3, 227, 227)),
         "AlexNet's layers, one tower": size_of(one_tower, (3, 227, 227)),
         "… in two towers": size_of(alexnet, (3, 227, 227))}
guess.turned_out(round(steps["… on 227×227 colour"][0] / 1e6, 1))
for name, (parameters, macs) in steps.items():
    print(f"  {name:<34} {parameters:>12,} parameters {macs / 1e6:>9,.1f} M multiply-accumulates")
figures = list(steps.values())
fact("LeNet-5: 416,520 multiply-accumulates for one digit", figures[0] == (61_706, 416_520))
fact("the larger picture alone costs 24 million parameters, all but 51,842 of them in fc4: 120 maps of 49×49 are left",
     figures[1][0] == 51_842 + 84 * (120 * 49**2 + 1))
fact("1000 classes cost next to nothing, 84,150 parameters", figures[2][0] - figures[1][0] == 990 * 85)
fact("AlexNet's stride of 4 and its pools leave 6×6 of 227×227: that is what pays for 256 maps and two layers of 4096",
     alexnet.fc6.in_features == 256 * 6 * 6)
ratios = figures[-1][0] / figures[0][0], figures[-1][1] / figures[0][1]
fact("in all: 988 times the parameters, 1,739 times the work", (round(ratios[0]), round(ratios[1])) == (988, 1739))

# %% 4. The changes that the notes name, one by one
maps = generator.normal(size=(1, 96, 55, 55)).astype(np.float32)
reads = {"2/2": 4 * 27 * 27, "3/2": 9 * 27 * 27}
fact("3×3 windows instead of 2×2 read 9 values for each output instead of 4: 2.25 times the comparisons, no parameters",
     reads["3/2"] / reads["2/2"] == 2.25 and not list(nn.MaxPool2d(3, 2).parameters()))
fact("max instead of mean: the mean of a map of noise is near 0, its maximum is not; a pool can now say “here, somewhere”",
     abs(F.avg_pool2d(maps, 2).data.mean()) < 0.01 and F.max_pool2d(maps, 2).data.mean() > 0.9)
fact("ReLU instead of tanh: half of the values of noise become 0, and nothing is to be trained",
     abs((F.relu(maps).data == 0).mean() - 0.5) < 0.01)
x = ma.Tensor(generator.normal(size=(1, 84)), requires_grad=True)
fact("distances instead of softmax: the smaller the better, and they do not sum to 1; softmax does",
     np.isclose(F.softmax(x @ generator.normal(size=(84, 10))).data.sum(), 1))
settle("O5", "true", f"LeNet-5 of 1998: {sum(lenet_1998.values()):,} parameters, today's form {modern:,}. The three changes "
       f"cost no parameter; the size does: ×{ratios[0]:,.0f} parameters, ×{ratios[1]:,.0f} work. New besides: towers, response "
       "norm, dropout")

# %% 5. Broken on purpose: AlexNet gets a digit. Then the picture.
with broken(ValueError):
    shapes.summary(alexnet, input_shape=(3, 32, 32))
classroom.save(lenet_to_alexnet.draw(shapes.summary(lenet), shapes.summary(alexnet)), "12_lenet_to_alexnet")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/12_lenet_to_alexnet.py`: count LeNet-5 as it was in 1998, with its table.
