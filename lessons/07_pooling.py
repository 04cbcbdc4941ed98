"""Pooling: windows that overlap, ties, and LeNet's averages

Prerequisites: lessons 01, 02 and 06. Minutes: 40. Afterwards you can pool a map by hand, forward
and backward, and say which pixel gets the gradient. A pool keeps one number of each window. Which
pixel it came from decides where the gradient goes: one pixel can win several windows, and several
pixels can be equally large.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, fact, formula, heard, predict, show
from drawings import pooling

import minialex as ma
import minialex.functional as F

# %% [markdown]
# ## 1. Forward
# Why pool? After a convolution neighbouring places say nearly the same. What matters is that an
# edge is there, not on which pixel. A pool keeps one number of each window, so that a shift by a
# pixel changes little. With stride 2 the layers above have a quarter of the work.
#
# Max pooling keeps the largest: y[h, w] = max over i, j < z of x[s·h + i, s·w + j], where z is the
# window's size and s its stride. The paper has z = 3 and s = 2. Neighbouring windows share a row or
# a column of pixels. A pixel where a shared row and a shared column cross lies in four windows.

# %%
side = 5
heard("The gradient of max pooling is 1 for the winner and 0 for all others.")
guess = predict(f"A {side}×{side} picture has its largest value in the very middle. "
                "In how many 3×3 windows, 2 pixels apart, does it win?")
middle = side // 2
holding = [f"{top} to {top + 2}" for top in range(0, side - 2, 2) if top <= middle <= top + 2]
formula(f"counted from 0, row {middle} lies in the windows of rows {' and '.join(holding)}, "
        f"column {middle} likewise: {len(holding)}·{len(holding)} = {len(holding) ** 2}")

def max_pool(x, z, s):
    """(H, W) -> (OH, OW), and for each window the (row, column) that won: the first one, in reading
    order, when tied."""
    OH, OW = (x.shape[0] - z) // s + 1, (x.shape[1] - z) // s + 1
    y, winners = np.empty((OH, OW)), {}
    for h in range(OH):
        for w in range(OW):
            best = None
            for i in range(s * h, s * h + z):
                for j in range(s * w, s * w + z):
                    if best is None or x[i, j] > x[best]:  # > and not >=: the first stays
                        best = i, j
            y[h, w], winners[h, w] = x[best], best
    return y, winners

hill = 9.0 - np.add.outer(np.abs(np.arange(side) - middle), np.abs(np.arange(side) - middle))
wins = list(max_pool(hill, 3, 2)[1].values()).count((middle, middle))
guess.turned_out(wins)
generator = np.random.default_rng(0)
x = generator.normal(size=(11, 13))
for z, s in [(3, 2), (2, 2), (3, 1), (2, 3)]:
    fact(f"F.max_pool2d with {z}/{s} gives what the loops give",
         np.array_equal(F.max_pool2d(x[None, None], z, s).data[0, 0], max_pool(x, z, s)[0]))

# %% [markdown]
# ## 2. Backward: each window pays its winner
# y is the value of the winner, so y grows as fast as the winner, and does not care about the
# others. The gradient of y goes to the winner. A pixel that has won several windows is paid by each
# of them: what arrives is added.

# %%
def backward(function, x, g=None):
    """dL/dx of a pooling of one map, L = Σ g·y; g = 1 everywhere without it."""
    tensor = ma.Tensor(x[None, None], requires_grad=True)
    y = function(tensor)
    y.backward(np.ones(y.shape) if g is None else g[None, None])
    return tensor.grad[0, 0]

def pay_the_winners(x, g, z, s):
    dx = np.zeros_like(x)
    for (h, w), winner in max_pool(x, z, s)[1].items():
        dx[winner] += g[h, w]  # +=: it may have won before
    return dx

g = generator.normal(size=(5, 6))
fact("the engine's gradient goes to the winners of the loops", np.allclose(
     backward(lambda t: F.max_pool2d(t, 3, 2), x, g), pay_the_winners(x, g, 3, 2)))
fact(f"the middle of the hill wins {wins} window{'s' * (wins != 1)} and gets a gradient of {wins}",
     backward(lambda t: F.max_pool2d(t, 3, 2), hill)[middle, middle] == wins)
fact("without overlap, 2/2, nobody wins twice",
     backward(lambda t: F.max_pool2d(t, 2, 2), x).max() == 1)
fact(f"no gradient is lost or made: it sums to the number of windows, {g.size}",
     backward(lambda t: F.max_pool2d(t, 3, 2), x).sum() == g.size)

# %% [markdown]
# ## 3. Ties
# Where several values are equally large, each could be called the winner. The gradient may go to
# any one of them, or be shared. It may not go to all of them in full: then more would come out than
# was handed in. A comparison `x == y` does exactly that.

# %%
flat = np.zeros((4, 4))
windows = flat.size // 4
guess = predict(f"A picture of {flat.size} zeros, 2/2: each window gets gradient 1. "
                "If all tied pixels got it, what would dx sum to?")
formula(f"{windows} windows · 4 tied pixels · 1 = {4 * windows}, where {windows} was handed in")

class Generous(ma.Function):
    """2/2 max pooling that pays everybody who equals the maximum, as `x == y` would have it."""

    def forward(self, x):
        N, C, H, W = x.shape
        blocks = x.reshape(N, C, H // 2, 2, W // 2, 2)
        y = blocks.max(axis=(3, 5))
        self.save_for_backward(blocks == y[:, :, :, None, :, None])
        return y

    def backward(self, g):
        (equal,) = self.saved
        return (equal * g[:, :, :, None, :, None]).reshape(self.input_shapes[0])

generous = backward(lambda t: Generous()(t), flat)
guess.turned_out(generous.sum())
fact(f"{windows} windows hand out {windows}, the generous version hands out {4 * windows}",
     (backward(lambda t: F.max_pool2d(t, 2), flat).sum(), generous.sum()) == (windows, 4 * windows))
corners = np.zeros_like(flat)
corners[::2, ::2] = 1
fact("the engine pays the first of the tied, in reading order: the upper left corner "
     "of each window", np.array_equal(backward(lambda t: F.max_pool2d(t, 2), flat), corners))
rectified = np.maximum(generator.normal(size=(100, 100)), 0)
ties = np.mean(max_pool(rectified, 2, 2)[0] == 0)
fact("after ReLU ties are common: about (1/2)⁴ = 6 % of 2×2 windows are all zeros, "
     f"here {ties:.1%}", 0.04 < ties < 0.09)
fact("there a tie does no harm: ReLU's own slope at those zeros is 0, and nothing gets through",
     not backward(lambda t: F.max_pool2d(F.relu(t), 2), -np.ones((4, 4))).any())
report = ma.gradcheck(Generous, [flat[None, None]])
show(report)
fact("the gradient checker refuses the generous version", not report)

# %% [markdown]
# ## 4. Near-ties
# float32 keeps about 7 digits. A pixel of a map is a sum of hundreds of products, and programs add
# them in different orders. Each sum is rounded, and the last digits come out differently. Nobody is
# wrong. But if two pixels of a window agree in their first digits, or if a value is nearly 0 where
# ReLU bends, then the last digit decides: another pixel wins, another gradient flows.

# %%
heard("Two correct programs give the same gradients, but for the last digits.")
terms = generator.normal(loc=1, size=2000).astype(np.float32)
guess = predict(f"{len(terms)} float32 numbers are added from the left, then from the right. "
                "Which digit differs first?", within=1)
formula("2⁻²⁴ = 6·10⁻⁸ for each rounding; errors of both signs pile up to some 10⁻⁶ of the sum: "
        "the sixth or seventh")

def added(numbers):
    total = np.float32(0)
    for number in numbers:
        total += number
    return total

from_left, from_right = added(terms), added(terms[::-1])
guess.turned_out(round(-np.log10(abs(from_left - from_right) / from_left)))
between = (from_left + from_right) / np.float32(2)  # the value of a neighbour in the same window

def pooled(pixel):
    """One window of two pixels: what the pool gives, and each pixel's gradient."""
    window = ma.Tensor(np.array([[[[pixel, between]]]]), requires_grad=True)
    y = F.max_pool2d(window, (1, 2))
    y.backward(np.ones_like(y.data))
    return y.item(), window.grad.ravel()

(left_y, left_dx), (right_y, right_dx) = pooled(from_left), pooled(from_right)
fact(f"what comes out is the same to six digits: {left_y:.9g} and {right_y:.9g}",
     abs(left_y - right_y) < 1e-5 * left_y)
fact(f"the gradient goes to another pixel, all of it: {left_dx} and {right_dx}",
     sorted([*left_dx, *right_dx]) == [0, 0, 1, 1] and (left_dx != right_dx).all())
step = 0.1
after = [max(from_left - step * dx[0], between - step * dx[1]) for dx in (left_dx, right_dx)]
fact("training does not mind: a step against either gradient leaves the same maximum, "
     "to six digits", abs(after[0] - after[1]) < 1e-5 * left_y)

# %% [markdown]
# How often? Let e be the rounding error of a value near 0 and p(0) how densely the values lie
# there. ReLU decides otherwise about p(0)·|e| times for each value. Four pictures in AlexNet have
# 2.6 million ReLUs and half a million pooling windows, with errors of some 3·10⁻⁷ of a typical
# value. That makes a fraction of one other decision: some runs have one, most have none. So compare
# two programs by their outputs, or in float64. A gradient check stays away from kinks (lesson 03).
# And whoever wants the same bits twice must add in the same order.

# %%
count, size = 1_000_000, 1e-4
exact = generator.normal(size=count)
errors = size * generator.normal(size=count)
expected = count * 1 / np.sqrt(2 * np.pi) * np.abs(errors).mean()
flips = np.sum((exact > 0) != (exact + errors > 0))
maps = {"conv1": 96 * 55**2, "conv2": 256 * 27**2, "conv3": 384 * 13**2, "conv4": 384 * 13**2,
        "conv5": 256 * 13**2}
units, windows = sum(maps.values()) + 2 * 4096, 96 * 27**2 + 256 * 13**2 + 256 * 6**2
fact(f"four pictures: 4·{units:,} = {4 * units:,} ReLUs, 4·{windows:,} = {4 * windows:,} windows",
     round(4 * units, -5) == 2_600_000 and round(4 * windows, -5) == 500_000)
fact(f"with errors of {size:g}, {flips} of {count:,} ReLUs decide otherwise; "
     f"p(0)·|e| says {expected:.0f}", abs(flips - expected) < 4 * np.sqrt(expected))

# %% [markdown]
# ## 5. LeNet's pool: a mean, times a trained number, plus a trained bias
# LeNet-5, the network of 1998 that read the digits on cheques, pooled with means, in its layers S2
# and S4. Each map then had a number to multiply it with and a bias, both trained. Backwards, a mean
# of 4 pixels gives each of them a quarter.

# %%
by_loops = np.array([[x[2 * h : 2 * h + 2, 2 * w : 2 * w + 2].sum() / 4 for w in range(6)]
                     for h in range(5)])
fact("F.avg_pool2d is the mean of each window",
     np.allclose(F.avg_pool2d(x[None, None], 2).data[0, 0], by_loops))
fact("backwards each of the 4 pixels gets a quarter",
     set(backward(lambda t: F.avg_pool2d(t, 2), x)[:10, :12].ravel()) == {0.25})
coefficient, bias = (ma.Tensor(np.ones((1, 6, 1, 1)), requires_grad=True) for _ in range(2))
maps = generator.normal(size=(1, 6, 28, 28))
(F.avg_pool2d(maps, 2) * coefficient + bias).sum().backward()
fact("S2 of 1998: six maps, two trained numbers each, 12 parameters", coefficient.size
     + bias.size == 12 and np.allclose(4 * coefficient.grad.ravel(), maps.sum(axis=(0, 2, 3)))
     and (bias.grad == 14 * 14).all())

# %% [markdown]
# ## 6. Padding is minus infinity; and broken on purpose
# If a max pool padded its map with zeros, a zero would win at the edge of a map of negative
# numbers. So padding counts as -∞, which never wins. And a padding as wide as the window would make
# a window that holds nothing but padding.

# %%
padded = F.max_pool2d(-np.ones((1, 1, 4, 4)), 3, 2, padding=1).data
fact("at the edge of a map of -1 the maximum is -1: padding never wins", (padded == -1).all())
with broken(ValueError):
    F.max_pool2d(x[None, None], 2, 2, padding=2)
photo = classroom.drawn_pictures(classes=1, each=1, size=49, seed=5)[0][0].mean(axis=0)
paid = {f"{z}/{s}": backward(lambda t, z=z, s=s: F.max_pool2d(t, z, s), photo)
        for z, s in [(2, 2), (3, 2)]}
classroom.save(pooling.draw(photo, paid), "07_pooling", "The same picture pooled with 2/2 and "
               "with 3/2, and how often each pixel won. With 2/2 no pixel is paid twice. "
               f"With 3/2 the most paid one won {paid['3/2'].max():.0f} windows.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `side = 7`: in how many windows does the middle win now?
# - `flat = np.zeros((8, 8))`: how much would the generous version hand out?
# - `terms = generator.normal(loc=1, size=20).astype(np.float32)`: which digit differs now, and why?
# - `rectified = np.maximum(generator.normal(size=(100, 100)) - 1, 0)`: are ties more common when
#   fewer values are positive?
#
# ## Exercise
# `lessons/exercises/07_pooling.py`: the backward pass of overlapping max pooling.
#
# `lessons/my_engine/07_pooling.py` is a brick of an engine of your own. Nine lessons have one.
# `python -m lessons` shows the wall of bricks, and `lessons/my_engine/train.py` trains LeNet-5 with
# those that you have.
