"""Two GPUs: the towers as two processes that talk at conv3 and in the fully connected layers

Prerequisites: lessons 05, 07, 11 and 13. Minutes: 50. Afterwards you can divide a network or its
batch between machines, and say what they must send each other. The paper (P) had graphics cards of
3 GB and cut its network in two. Here two processes do the same, and must find what one process
finds. In the end any number of them find the same bytes.
"""
# %% Tools
import classroom
import numpy as np
import towers
from classroom import broken, claim, fact, formula, heard, predict, settle, show
from drawings import two_gpus

import minialex as ma
import minialex.functional as F
from minialex import Tensor, models, nn

# %% [markdown]
# ## 1. A tower is a convolution of its own
# "A single GTX 580 GPU has only 3GB of memory", says the paper (section 3.2). "Therefore we spread
# the net across two GPUs": half the kernels on each, "the GPUs communicate only in certain layers".
# What is a half worth alone? Look at conv2. Its kernels 1 to 128 see only maps 1 to 48. Its kernels
# 129 to 256 see only the other 48 maps. No sum has parts from both sides. So it is two convolutions
# side by side, and nothing passes between them, forward or backward.

# %%
claim("T9", "N1, N2, N3, N4, N5", "two GPUs: half the kernels on each, "
      "crossing at conv3 and the fully connected layers")
maps, kernels, K = 96, 256, 5
guess = predict(f"conv2 has {kernels} kernels of {K}×{K}×{maps // 2} in two towers. "
                "How many weights (without biases) has one GPU for it?")
random = np.random.default_rng(0)
x, weight = random.normal(size=(2, maps, 13, 13)), random.normal(size=(kernels, maps // 2, K, K))
g = random.normal(size=(2, kernels, 17 - K + 1, 17 - K + 1))
formula(f"{kernels // 2}·{maps // 2}·{K}·{K} = {kernels // 2 * (maps // 2) * K * K:,}")
guess.turned_out(towers.half_of(weight, 0).size)

def slopes(x, weight, g, groups=1):
    """conv2's output, and the gradient of its input."""
    x = Tensor(x, requires_grad=True)
    y = F.conv2d(x, weight, padding=2, groups=groups)
    y.backward(g)
    return y.data, x.grad

together = slopes(x, weight, g, groups=2)
halves = [slopes(x[:, maps // 2 * rank : maps // 2 * (rank + 1)], towers.half_of(weight, rank),
                 g[:, kernels // 2 * rank : kernels // 2 * (rank + 1)]) for rank in (0, 1)]
fact("groups=2 gives what two half convolutions give, side by side, and so do the gradients",
     all(np.allclose(np.concatenate(parts, axis=1), whole)
         for parts, whole in zip(zip(*halves), together)))
fact(f"each GPU has half of the {weight.size:,} weights",
     2 * towers.half_of(weight, 0).size == weight.size)

# %% [markdown]
# ## 2. Where a layer sees both halves
# conv3 sees all 256 maps, and each GPU has made only half of them. So each sends its maps to the
# other. That is the way forward. And backward? A map of tower 0 is used twice: by tower 0's kernels
# of conv3, and by tower 1's. A value that is used twice gets the sum of both slopes (lesson 02).
# The second one was computed on the other GPU. So it comes back:
#
#     forward   y = [a, b]: mine and yours, in the order of the towers
#     backward  da = (what my layer says of a) + (what your layer says of a)
#
# `towers.Exchange` is a Function of ours that does this. To test it alone, let the other side be an
# array that never changes.

# %%
mine, theirs = random.normal(size=(2, 3, 4, 4)), random.normal(size=(2, 3, 4, 4))
sent_by_us = []

def swap(array):
    sent_by_us.append(array)
    return theirs

own = Tensor(mine, requires_grad=True)
joined = towers.Exchange(0, swap)(own)
fact("forward: both halves, in order",
     np.array_equal(joined.data, np.concatenate([mine, theirs], axis=1)))
g = random.normal(size=joined.shape)
joined.backward(g)
fact("backward: the gradient of our half is our layer's part plus what the other tower sends",
     np.allclose(own.grad, g[:, :3] + theirs))
fact("what we sent: our maps on the way forward, the gradient of the other's half on the way back",
     np.array_equal(sent_by_us[0], mine) and np.array_equal(sent_by_us[1], g[:, 3:]))

# %% [markdown]
# ## 3. One process, then two
# Now in earnest: AlexNet's structure in small, with 16-32-48-48-32 maps, 64-64-10 neurons and 67×67
# pixels. `towers.py` is started twice. Each process has half of the weights, and sees the other one
# only through the exchange. What the two write must be what one process computes. (A browser starts
# no process: there the towers take turns, each until it needs a message.)
#
# There is a trap at the end. Both towers have the whole output, so both compute the loss, and both
# start a backward pass. The exchange adds them up. What comes out if each of them passes back all
# of it?

# %%
share = 0.5
ma.manual_seed(18)
whole = towers.small_alexnet(groups=2)
for p in whole.parameters():
    p.data = p.data.astype(np.float64)
images, labels = random.normal(size=(4, 3, 67, 67)), np.array([0, 3, 7, 9])
output = whole(images)
F.cross_entropy(output, labels).backward()
sides, how = towers.run(whole.state_dict(), images, labels, share=share)
alone = how == towers.TURNS  # in a browser
show(f"  two towers by {how}: no more can be started here" if alone else
     f"  two processes, {sides[0]['process']} and {sides[1]['process']}, over {how}")

def difference(name, gradient, sides):
    """The largest difference between the halves that two processes computed and the whole, relative
    to the whole."""
    return np.abs(np.concatenate([side[name] for side in sides])
                  - gradient).max() / np.abs(gradient).max()

worst = max(difference(name, p.grad, sides) for name, p in whole.named_parameters())
fact("one process, by turns" if alone else "they were two processes",
     (sides[0]["process"] == sides[1]["process"]) == alone)
fact("both have the whole output, equal to one process's",
     all(np.allclose(side["output"], output.data, atol=1e-13) for side in sides))
fact(f"all {len(whole.parameters())} parameter gradients agree to twelve digits", worst < 1e-12)
guess = predict("Both towers compute the loss from the same ten outputs. "
                "If each passes back all of it, how many times too large is conv1's gradient?")
doubled, _ = towers.run(whole.state_dict(), images, labels, share=1.0)
ratio = doubled[0]["conv1.weight"] / sides[0]["conv1.weight"]
guess.turned_out(round(float(ratio.mean()), 6))
fact("twice: the exchange adds up both towers' gradients, so each may pass back only half",
     np.allclose(ratio, 2))

# %% [markdown]
# ## 4. What is sent
# Sending takes time. How much is it? In the real network each GPU sends its half of pool2's maps to
# conv3, of pool5's to fc6, and its half of the values of fc6, fc7 and fc8. On the way back as many
# gradients return. Compare this with what would cross over if all layers saw both halves: then
# conv2, conv4 and conv5 would need the other side's maps too. The towers send less.

# %%
guess = predict("How many floats does one GPU send per picture on the way forward?")
sent = {"conv3": 13 * 13 * 128, "fc6": 6 * 6 * 128, "fc7": 2048, "fc8": 2048, "output": 500}
total = sum(sent.values())
formula("13·13·128 + 6·6·128 + 2048 + "
        f"2048 + 500 = {' + '.join(f'{count:,}' for count in sent.values())} = {total:,}")
guess.turned_out(total)
here = 4 * 8 * 2 * (3 * 3 * 16 + 1 * 16 + 32 + 32 + 5)  # 4 pictures, 8 bytes, forward and backward
fact(f"the small towers sent what this count says, {here:,} bytes each",
     [int(side["sent"]) for side in sides] == [here, here])
model, sizes, boxes, y = models.alexnet("paper"), {}, [], Tensor(np.zeros((1, 3, 227, 227),
                                                                          dtype=np.float32))
with ma.no_grad():
    for name, layer in model.eval().named_children():
        y = layer(y)
        sizes[name] = y.data.size // 2
        boxes += [y.shape[1] // 2] if name in two_gpus.LAYERS else []
fact("the maps and neurons in the picture's boxes are half of each layer's",
     boxes == two_gpus.HALVES)
fact("these are halves of what pool2, pool5, fc6, fc7 and fc8 put out",
     list(sent.values()) == [sizes[name] for name in ("pool2", "pool5", "relu6", "relu7", "fc8")])
more = sizes["pool1"] + sizes["relu3"] + sizes["relu4"]
fact("if conv2, conv4 and conv5 crossed over as well, "
     f"it would be {(total + more) / total:.1f} times as much", more > total)
part = sent["conv3"] / total
fact(f"{part:.0%} of what is sent goes to conv3", part > 0.5)
settle("T9", "true", f"two {'towers by' if alone else 'processes over'} {how}: output equal, "
       f"worst parameter gradient off by {worst:.0e}; AlexNet's towers would send {total:,} floats "
       f"per picture each way, {part:.0%} of them at conv3")

# %% [markdown]
# ## 5. Five to six days
# "Our network takes between five and six days to train on two GTX 580 3GB GPUs", says the paper.
# How fast is that? 90 epochs of 1.2 million pictures are 108 million pictures. Divide by the
# seconds of 5.5 days, 5.5·24·60·60. To compare, this machine trains the full network for two steps
# of 16 pictures (in a browser it answers for one, and three times that counts as a step). And how
# much arithmetic is it? One multiply-accumulate is 2 operations. The backward pass has two products
# for each one of the forward pass (lesson 04: dW and dx). So a picture in training takes about 3·2
# operations for each multiply-accumulate. A GTX 580 can do 1.58 million million a second (TFLOP/s),
# by its data sheet.

# %%
claim("T12", "N4, P", "five to six days on two GTX 580 3 GB, 90 epochs of 1.2 million pictures")
guess = predict("How many pictures a second are 90 epochs of 1.2 million in 5.5 days?", within=5)
theirs = 90 * 1_200_000 / (5.5 * 86_400)
formula(f"90·1,200,000/(5.5·86,400) = {theirs:.1f}")
guess.turned_out(round(theirs, 1))
slow, fast = (90 * 1.2e6 / (days * 86_400) for days in (6, 5))
fact(f"six days are {slow:.0f} pictures a second, five are {fast:.0f}",
     (round(slow), round(fast)) == (208, 250) and slow < theirs < fast)
ours, measured = towers.speed(model.train(),
                              random.normal(size=(16, 3, 227, 227)).astype(np.float32))
days = 90 * 1.2e6 / ours / 86_400
show("  here, on this machine as busy as it is, "
     f"{measured} runs at {ours:.3g} pictures a second: {days:,.0f} days")
operations = 3 * 2 * 724_406_816 * theirs / 1e12
fact(f"theirs was {operations:.2f} TFLOP/s: a third of 2 × 1.58",
     0.3 < operations / (2 * 1.58) < 0.35)
settle("T12", f"true, as {slow:.0f} to {fast:.0f} pictures a second",
       f"here {ours:.3g} a second, or {days:,.0f} days; "
       f"theirs was about {operations:.2f} TFLOP/s out of 2 × 1.58 that two GTX 580 have on paper")

# %% [markdown]
# ## 6. Share the pictures instead
# **Data parallel** training cuts the batch, not the network. Each process has all the weights and
# some of the pictures, a **shard** or more. The batch's gradient is the sum of the shards'. What
# travels? Each of N processes sends the others their N-th parts of its gradient, adds up what it is
# given, and sends this sum to all: (N - 1)/N of all numbers, twice. A sum depends on its order
# (lesson 07). So add along one fixed tree, whoever computed the shards: s and s + 1, then s and s +
# 2. The engine does so (`parallel/network.py`, docs/machines.md) through mpi4py; here workers are
# plain processes.

# %%
heard("data parallel training gives the same gradient on any number of machines")
guess = predict("60,965,224 parameters of 4 bytes, N = 2 processes. "
                "How many bytes does each give to the other in a step?", 1e6)
N, parameters = 2, sum(p.data.size for p in model.parameters())
data = 2 * (N - 1) * parameters * 4 // N
formula(f"2·(N - 1)/N·{parameters:,}·4 = {data:,}")
guess.turned_out(data)
shards = [towers.shard_gradients(whole.state_dict(), images.astype(np.float32), labels, 4, workers)
          for workers in (1, 2, 4)]
sums = [(g[0] + g[1]) + (g[2] + g[3]) for g in shards]
by_turns = ", one after the other," if alone else ""
fact(f"the gradient of 4 shards: 1, 2 and 4 workers{by_turns} give the same bytes",
     len({added.tobytes() for added in sums}) == 1)
other = ((shards[0][0] + shards[0][1]) + shards[0][2]) + shards[0][3]
off = abs(other - sums[0])
show(f"  one number along the tree: {sums[0][off.argmax()]:.10f}; "
     f"shard after shard: {other[off.argmax()]:.10f}")
fact(f"in the other order {np.mean(off > 0):.0%} of the numbers end differently",
     0 < off.max() < 1e-5 * abs(other).max())

# %% [markdown]
# ## 7. One weird trick
# In 2014 the paper's first author mixed both ways (Krizhevsky, arXiv 1404.5997): convolutions share
# the batch of B pictures; fully connected layers are **model parallel**: each process has 1/N of
# the neurons, for all pictures, as our towers do. So the gradients of 96% of the weights stay at
# home. What travels besides the convolutions' gradients? Forward, pool5's and each layer's values,
# B/N of each, to N - 1 others. Backward, the slopes of each layer's inputs: sums over all neurons,
# so twice (N
# - 1)/N. The engine: `--parallel hybrid`.

# %%
heard("the fully connected layers have most of the weights, "
      "so their gradients must be most of what is sent")
guess = predict("B = 128, N = 2. The convolutions have 2,334,080 parameters; "
                "pool5 puts out 9216 values, fc6 to fc8 4096, 4096 and 1000. "
                "How many bytes does each process give to the other?", 1e6)
B = 128
forward, backward = (N - 1) * B // N * (9216 + 4096 + 4096
                                        + 1000), 2 * (N - 1) * B // N * (9216 + 4096 + 4096)
hybrid = 4 * (2 * (N - 1) * sum(p.data.size for name, p in model.named_parameters()
                                if "conv" in name) // N + forward + backward)
formula(f"4·(2,334,080 + {B}/2·18,408 + {B}·17,408) = {hybrid:,}")
guess.turned_out(hybrid)
fact(f"the trick saves {1 - hybrid / data:.0%}; towers, at 2·{total:,} floats a picture, "
     f"lie between: {8 * B * total:,} bytes", hybrid < 8 * B * total < data)

# %% [markdown]
# ## 8. Broken on purpose: kernels that two towers cannot share
# 255 kernels cannot be cut into equal halves. The layer says so when it is made.

# %%
with broken(ValueError):
    nn.Conv2d(96, 255, 5, groups=2)
classroom.save(two_gpus.draw(sent, whole, sides), "18_two_gpus",
               "Left: two towers; the wider the grey cross, the more is sent there, "
               "most of it to conv3. Right: a point for a weight's gradient, "
               "across as one process computes it, up as the two do; they agree.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `maps, kernels, K = 96, 256, 3`: how many weights has a GPU then?
# - `share = 1.0`: each tower passes back the whole loss. Which fact notices?
# - `B = 1024`: which of the three ways sends least per step now?
#
# ## Exercise
# `lessons/exercises/18_two_gpus.py`: the exchange as a Function of your own, forward and backward.
# Before you write it: what becomes of the gradient for the channels that came from the other tower?
