"""Two GPUs: the towers as two processes that talk at conv3 and in the fully connected layers

A GTX 580 has 3 GB, too little for AlexNet (P, section 3.2): "we spread the net across two GPUs", half the kernels on each,
"the GPUs communicate only in certain layers". Here two processes do the same, and must find what one process finds.
"""
# %% Tools
import time

import classroom
import numpy as np
import towers
from classroom import broken, claim, fact, predict, settle
from drawings import two_gpus

import minialex as ma
import minialex.functional as F
from minialex import Tensor, models, nn, optim

# %% [markdown]
# ## 1. A tower is a convolution of its own
# conv2 in groups: kernels 1 to 128 see maps 1 to 48, kernels 129 to 256 see maps 49 to 96. So it is two convolutions side by
# side, and nothing passes between them, forward or backward.

# %%
claim("T9", "N1, N2, N3, N4, N5", "two GPUs: half the kernels on each, crossing at conv3 and the fully connected layers")
guess = predict("conv2 has 256 kernels of 5×5×48 in two towers. How many weights (without biases) has one GPU for it?")
random = np.random.default_rng(0)
x, weight = random.normal(size=(2, 96, 13, 13)), random.normal(size=(256, 48, 5, 5))
together = F.conv2d(x, weight, padding=2, groups=2).data
apart = [F.conv2d(x[:, 48 * rank : 48 * rank + 48], towers.half_of(weight, rank), padding=2).data for rank in (0, 1)]
guess.turned_out(towers.half_of(weight, 0).size)
fact("128·48·5·5 = 153,600 weights on each", towers.half_of(weight, 0).size == 128 * 48 * 5 * 5 == 153_600)
fact("groups=2 gives what two half convolutions give, side by side", np.allclose(np.concatenate(apart, axis=1), together))

# %% [markdown]
# ## 2. Where a layer sees both halves
# Forward: each tower sends its maps and receives the other's. Backward: the gradient of a map is the sum of what both towers'
# layers say about it, so the other tower's part comes back over the same line. `towers.Exchange` is a Function of ours:
# `forward: y = [a, b]`, `backward: da = g_a (own layer) + g_a (other tower's layer)`.

# %%
def pieces(shape):
    return [random.normal(size=shape) for _ in range(2)]

mine, theirs = pieces((2, 3, 4, 4))
exchange = towers.Exchange(0, swap=lambda array: theirs)  # the other side always says the same
own = Tensor(mine, requires_grad=True)
joined = exchange(own)
fact("both halves, in order", np.array_equal(joined.data, np.concatenate([mine, theirs], axis=1)))
direction = random.normal(size=joined.shape)
joined.backward(direction)
fact("the gradient of our half is our layer's part plus what the other tower sends",
     np.allclose(own.grad, direction[:, :3] + theirs))

# %% [markdown]
# ## 3. One process, then two
# AlexNet's structure, small: 16-32-48-48-32 maps, 64-64-10 neurons, 67×67 pixels, response norm per tower. `towers.py`, started
# twice, gives each process half of the weights. What they write must be what one process computes.

# %%
ma.manual_seed(18)
whole = towers.small_alexnet(groups=2)
for p in whole.parameters():
    p.data = p.data.astype(np.float64)
images, labels = random.normal(size=(4, 3, 67, 67)), np.array([0, 3, 7, 9])
output = whole(images)
F.cross_entropy(output, labels).backward()
sides, how = towers.run(whole.state_dict(), images, labels)
print(f"  two processes, {sides[0]['process']} and {sides[1]['process']}, over {how}")

def difference(name, gradient, sides):
    """The largest difference between the halves that two processes computed and the whole, relative to the whole."""
    return np.abs(np.concatenate([side[name] for side in sides]) - gradient).max() / np.abs(gradient).max()

worst = max(difference(name, p.grad, sides) for name, p in whole.named_parameters())
fact("they were two processes", sides[0]["process"] != sides[1]["process"])
fact("both have the whole output, equal to one process's",
     all(np.allclose(side["output"], output.data, atol=1e-13) for side in sides))
fact("all 16 parameter gradients agree to twelve digits", worst < 1e-12)
guess = predict("Both towers compute the loss from the same ten outputs. If each passes back all of it, how many times too "
                "large is conv1's gradient?")
doubled, _ = towers.run(whole.state_dict(), images, labels, share=1.0)
ratio = doubled[0]["conv1.weight"] / sides[0]["conv1.weight"]
guess.turned_out(round(float(ratio.mean()), 6))
fact("twice: the exchange adds up both towers' gradients, so each may pass back only half", np.allclose(ratio, 2))

# %% [markdown]
# ## 4. What is sent
# In the real network each GPU sends its half of pool2's maps, of pool5's, of fc6's, fc7's and fc8's values, and as many
# gradients back: floats of 4 bytes.

# %%
guess = predict("How many floats does one GPU send per picture on the way forward?")
sent = {"conv3": 13 * 13 * 128, "fc6": 6 * 6 * 128, "fc7": 2048, "fc8": 2048, "output": 500}
guess.turned_out(sum(sent.values()))
here = 4 * 8 * 2 * (3 * 3 * 16 + 1 * 16 + 32 + 32 + 5)  # 4 pictures, 8 bytes, forward and backward
fact("the small towers sent what this count says, in bytes", [int(side["sent"]) for side in sides] == [here, here])
kept = 27 * 27 * 48 + 13 * 13 * 192 + 13 * 13 * 192  # what conv2, conv4 and conv5 would need from the other side
fact("if conv2, conv4 and conv5 crossed over as well, it would be 4.2 times as much",
     round((sum(sent.values()) + kept) / sum(sent.values()), 1) == 4.2)
settle("T9", "true", f"two processes over {how}: output equal, worst parameter gradient off by {worst:.0e}; "
       f"AlexNet's towers would send {sum(sent.values()):,} floats per picture each way, "
       f"{100 * sent['conv3'] / sum(sent.values()):.0f} % of them at conv3")

# %% 5. Five to six days
claim("T12", "N4, P", "five to six days on two GTX 580 3 GB, 90 epochs of 1.2 million pictures")
guess = predict("How many pictures a second are 90 epochs of 1.2 million in 5.5 days?", within=5)
theirs = 90 * 1_200_000 / (5.5 * 86_400)
guess.turned_out(round(theirs, 1))
fact("208 to 250 pictures a second", 208 < 90 * 1.2e6 / (6 * 86_400) < theirs < 90 * 1.2e6 / (5 * 86_400) <= 250)
model, labels = models.alexnet("paper"), np.arange(16)
optimizer, pictures = optim.SGD(model.parameters(), lr=0.01), random.normal(size=(16, 3, 227, 227)).astype(np.float32)
for _ in range(2):  # the first one also pays for memory and threads
    start = time.perf_counter()
    loss = F.cross_entropy(model(pictures), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
ours = 16 / (time.perf_counter() - start)
days = 90 * 1.2e6 / ours / 86_400
print(f"  here, on this CPU as busy as it is, a step of 16 pictures runs at {ours:.0f} pictures a second: {days:.0f} days")
operations = 3 * 2 * 724_406_816 * theirs / 1e12  # forward, and twice that backward; 2 per multiply-accumulate
settle("T12", "true, as 208 to 250 pictures a second", f"here {ours:.0f} a second, or {days:.0f} days; theirs was about "
       f"{operations:.2f} TFLOP/s out of 2 × 1.58 that two GTX 580 have on paper")

# %% 6. Broken on purpose: kernels that two towers cannot share. Then the picture.
with broken(ValueError):
    nn.Conv2d(96, 255, 5, groups=2)
classroom.save(two_gpus.draw(sent, whole, sides), "18_two_gpus")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/18_two_gpus.py`: the exchange as a Function of your own, forward and backward. Before you write it: what
# becomes of the gradient for the channels that came from the other tower?
