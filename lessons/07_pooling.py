"""Pooling: windows that overlap, ties, and LeNet's averages

A pool keeps one number of each window. Which pixel it came from decides where the gradient goes: one pixel can win several
windows, and several pixels can tie for one.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, fact, formula, heard, predict
from drawings import pooling

import minialex as ma
import minialex.functional as F

# %% [markdown]
# ## 1. Forward
# y[h, w] = max over i, j < z of x[s·h + i, s·w + j]. The paper has z = 3, s = 2: neighbours share a row of pixels, and a
# pixel at a corner of four windows is looked at four times.

# %%
heard("The gradient of max pooling is 1 for the winner and 0 for all others.")
guess = predict("A 5×5 picture has its largest value in the very middle. In how many 3×3 windows, 2 pixels apart, does it win?")

formula("row 2 lies in rows 0 to 2 and in rows 2 to 4, column 2 likewise: 2·2 = 4 windows")

def max_pool(x, z, s):
    """(H, W) -> (OH, OW), and for each window the (row, column) that won: the first one, in reading order, when tied."""
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

hill = 9.0 - np.add.outer(np.abs(np.arange(5) - 2), np.abs(np.arange(5) - 2))
guess.turned_out(list(max_pool(hill, 3, 2)[1].values()).count((2, 2)))
generator = np.random.default_rng(0)
x = generator.normal(size=(11, 13))
for z, s in [(3, 2), (2, 2), (3, 1), (2, 3)]:
    fact(f"F.max_pool2d with {z}/{s} gives what the loops give",
         np.array_equal(F.max_pool2d(x[None, None], z, s).data[0, 0], max_pool(x, z, s)[0]))

# %% 2. Backward: each window pays its winner
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
fact("the middle of the hill wins all four windows and gets a gradient of 4, not 1",
     backward(lambda t: F.max_pool2d(t, 3, 2), hill)[2, 2] == 4)
fact("without overlap, 2/2, nobody wins twice", backward(lambda t: F.max_pool2d(t, 2, 2), x).max() == 1)
fact("no gradient is lost or made: it sums to the number of windows", backward(lambda t: F.max_pool2d(t, 3, 2), x).sum() == 5 * 6)

# %% [markdown]
# ## 3. Ties
# Where all values are equal every one is the largest. A gradient may go to any of them, or be shared; it may not go to all.

# %%
guess = predict("A 4×4 picture of zeros, 2/2: each window gets gradient 1. If all tied pixels got it, what would dx sum to?")
formula("4 windows · 4 tied pixels · 1 = 16, where 4 was handed in")
flat = np.zeros((4, 4))

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
        return (equal * g[:, :, :, None, :, None]).reshape(self.input_types[0][0])

generous = backward(lambda t: Generous()(t), flat)
guess.turned_out(generous.sum())
fact("4 windows hand out 4, the generous version hands out 16",
     (backward(lambda t: F.max_pool2d(t, 2), flat).sum(), generous.sum()) == (4, 16))
fact("the engine pays the first of the tied, in reading order", np.array_equal(
     np.argwhere(backward(lambda t: F.max_pool2d(t, 2), flat)), [[0, 0], [0, 2], [2, 0], [2, 2]]))
rectified = np.maximum(generator.normal(size=(100, 100)), 0)
ties = np.mean(max_pool(rectified, 2, 2)[0] == 0)
fact("after ReLU ties are common: about (1/2)⁴ = 6 % of 2×2 windows are all zeros", 0.04 < ties < 0.09)
fact("there it does no harm: ReLU's own gradient at those zeros is 0",
     not backward(lambda t: F.max_pool2d(F.relu(t), 2), -np.ones((4, 4))).any())
report = ma.gradcheck(Generous, [flat[None, None]])
print(f"\n{report}")
fact("the gradient checker refuses the generous version", not report)

# %% 4. LeNet's pool: a mean, times a trained number, plus a trained bias
by_loops = np.array([[x[2 * h : 2 * h + 2, 2 * w : 2 * w + 2].sum() / 4 for w in range(6)] for h in range(5)])
fact("F.avg_pool2d is the mean of each window", np.allclose(F.avg_pool2d(x[None, None], 2).data[0, 0], by_loops))
fact("backwards each of the 4 pixels gets a quarter", set(backward(lambda t: F.avg_pool2d(t, 2), x)[:10, :12].ravel()) == {0.25})
coefficient, bias = (ma.Tensor(np.ones((1, 6, 1, 1)), requires_grad=True) for _ in range(2))
maps = generator.normal(size=(1, 6, 28, 28))
(F.avg_pool2d(maps, 2) * coefficient + bias).sum().backward()
fact("S2 of 1998: six maps, two trained numbers each, 12 parameters", coefficient.size + bias.size == 12
     and np.allclose(4 * coefficient.grad.ravel(), maps.sum(axis=(0, 2, 3))) and (bias.grad == 14 * 14).all())

# %% 5. Padding is minus infinity, not 0; and broken on purpose. Then the picture.
padded = F.max_pool2d(-np.ones((1, 1, 4, 4)), 3, 2, padding=1).data
fact("at the edge of a map of -1 the maximum is -1: padding never wins", (padded == -1).all())
with broken(ValueError):
    F.max_pool2d(x[None, None], 2, 2, padding=2)
photo = classroom.drawn_pictures(classes=1, each=1, size=49, seed=5)[0][0].mean(axis=0)
wins = {f"{z}/{s}": backward(lambda t, z=z, s=s: F.max_pool2d(t, z, s), photo) for z, s in [(2, 2), (3, 2)]}
classroom.save(pooling.draw(photo, wins), "07_pooling")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/07_pooling.py`: the backward pass of overlapping max pooling.
