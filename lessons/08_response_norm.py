"""Local response normalisation by hand: the window, α or α/n, the gradient, the tower's edge, and which comes first

A loud map is turned down by its neighbours in the channel direction. The formula has five numbers and two editions, and
two networks that differ only in where it stands.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, claim, fact, formula, heard, predict, settle
from drawings import response_norm

import minialex as ma
import minialex.functional as F
from minialex import models, shapes

# %% [markdown]
# ## 1. The formula
# b = a/(k + α·Σ a²)^β, the sum over the 5 channels around a's own, its own included. For small a nothing happens but a
# division by 2^0.75; the bracket grows with the square of what is loud.

# %%
claim("O3", "N1, N3, P", "b_i = a_i / (k + α·Σ_{j=max(0,i−n/2)}^{min(N−1,i+n/2)} a_j²)^β, k=2, n=5, α=10⁻⁴, β=0.75")
guess = predict("a = 100 in one channel, 0 in all others; k = 2, n = 5, α = 10⁻⁴, β = 0.75. What is b?", within=0.5)
formula("s = 2 + 10⁻⁴·100² = 3, b = 100/3^0.75 = 43.87; all five at 100: s = 2 + 10⁻⁴·5·100² = 7, b = 100/7^0.75 = 23.24")

def lrn(a, n=5, alpha=1e-4, beta=0.75, k=2.0, divided=False):
    """Channel by channel, at one pixel: a (C,). divided: α/n in the place of α, as Caffe and PyTorch have it."""
    b = np.empty_like(a)
    for i in range(len(a)):
        window = a[max(0, i - n // 2) : min(len(a) - 1, i + n // 2) + 1]
        b[i] = a[i] / (k + (alpha / n if divided else alpha) * sum(window**2)) ** beta
    return b

def engine(a, **options):
    return F.local_response_norm(a[None, :, None, None], **options).data.ravel()

alone = np.zeros(9)
alone[4] = 100
guess.turned_out(round(lrn(alone)[4], 2))
generator = np.random.default_rng(0)
a = generator.uniform(0, 100, size=96)
fact("F.local_response_norm is the formula with the loops", np.allclose(engine(a), lrn(a)))
fact("at the first and the last channel the window is cut: 3 channels, not 5 that wrap around", np.isclose(
     lrn(a)[0], a[0] / (2 + 1e-4 * (a[:3] ** 2).sum()) ** 0.75) and np.isclose(engine(a)[0], lrn(a)[0]))
fact("α is not divided by n: with α/n the sum counts a fifth, and every value stays larger",
     (lrn(a, divided=True) > lrn(a)).all() and not np.allclose(engine(a), lrn(a, divided=True)))
fact("Caffe's and PyTorch's edition divides: they need α = 5·10⁻⁴ to compute the paper's",
     np.allclose(lrn(a, alpha=5e-4, divided=True), lrn(a)))
settle("O3", "true", f"100 alone becomes {lrn(alone)[4]:.2f}, not {lrn(alone, divided=True)[4]:.2f} as with α/n; "
       "elsewhere write 5·10⁻⁴ for the paper's 10⁻⁴")

# %% [markdown]
# ## 2. Backward: every channel is also a neighbour
# a_i stands above the line of its own b_i and below the line of four others. With s the bracket and g = dL/db:
# da_i = g_i·s_i^−β − 2αβ·a_i·Σ_j g_j·a_j·s_j^(−β−1), j over all windows that hold i.

# %%
heard("The gradient of x/s^β is 1/s^β: the normaliser is a constant.")
g = generator.normal(size=96)

def lrn_backward(a, g, n=5, alpha=1e-4, beta=0.75, k=2.0, cross=True):
    s = np.array([k + alpha * (a[max(0, i - 2) : i + 3] ** 2).sum() for i in range(len(a))])
    da = g * s**-beta
    for i in range(len(a) if cross else 0):
        for j in range(max(0, i - n // 2), min(len(a), i + n // 2 + 1)):
            da[i] -= 2 * alpha * beta * a[i] * g[j] * a[j] * s[j] ** (-beta - 1)
    return da

def engine_backward(a, g):
    x = ma.Tensor(a[None, :, None, None], requires_grad=True)
    F.local_response_norm(x).backward(g[None, :, None, None])
    return x.grad.ravel()

def share(a):
    """How much of the gradient the second term is."""
    return np.linalg.norm(engine_backward(a, g) - lrn_backward(a, g, cross=False)) / np.linalg.norm(engine_backward(a, g))

fact("the engine has both terms", np.allclose(engine_backward(a, g), lrn_backward(a, g)))
guess = predict("Activations of about 50: what share of the gradient's length is the second term? (0 to 1)", within=0.15)
guess.turned_out(round(share(a), 2))
fact("at activations of 0 to 100 the second term is a third of everything or more", share(a) > 0.33)
fact("at activations of 0 to 1 it is less than a thousandth: a careless check of small numbers misses it", share(a / 100) < 1e-3)

# %% 3. The tower's edge
claim("O4", "N1", "LRN normalises two groups of 27×27×48")
guess = predict("96 maps in two towers, windows of 5: in how many channels do one and two devices give different values?")
formula("a window of 5 reaches 2 channels to each side: over the edge from 46, 47 and from 48, 49")
differ = np.flatnonzero(~np.isclose(engine(a), engine(a, groups=2)))
guess.turned_out(len(differ))
halves = np.concatenate([lrn(a[:48]), lrn(a[48:])])
fact("groups=2 is the formula on each half by itself", np.allclose(engine(a, groups=2), halves))
fact("they differ in channels 46 to 49, two on each side of the edge: their windows reach across",
     differ.tolist() == [46, 47, 48, 49])
ma.manual_seed(0)
paper, caffenet = models.alexnet("paper", init="he"), models.alexnet("caffenet", init="he")
rows = {row.name: row for row in shapes.summary(caffenet).rows}
fact("27×27 is what pool1 leaves: 27×27×48 is normalised only where the pool comes first; the paper normalises 55×55",
     rows["norm1"].output_shape == (96, 27, 27))
settle("O4", "half true", f"with towers the sum stops at the edge: channels {differ.tolist()} of 96 differ from one device. But "
       "27×27 is CaffeNet's order; the paper normalises 55×55 maps")

# %% 4. Norm and pool: which comes first?
claim("O1", "N1", "conv → ReLU → pool → LRN")
claim("O2", "N2, N3, P", "conv → ReLU → LRN → pool")
caffenet.load_state_dict(paper.state_dict())  # fits: the same names and shapes

def stages(model):
    """The names up to conv3, in order, and the maps there for one picture."""
    x, names = picture, []
    for name, layer in model.named_children():
        if name == "conv3":
            return names, x.data
        names, x = [*names, name], layer(x)

picture = ma.Tensor(np.random.default_rng(1).normal(size=(1, 3, 227, 227)).astype(np.float32) * 60)
(names, maps), (other_names, other_maps) = stages(paper), stages(caffenet)
fact("the paper's order: conv1, ReLU, norm, pool", names[:4] == ["conv1", "relu1", "norm1", "pool1"])
fact("CaffeNet's: conv1, ReLU, pool, norm", other_names[:4] == ["conv1", "relu1", "pool1", "norm1"])
count = {sum(p.size for p in model.parameters()) for model in (paper, caffenet)}
fact("same shapes, same 60,965,224 parameters", count == {60_965_224} and maps.shape == other_maps.shape == (1, 256, 13, 13))
difference = np.linalg.norm(maps - other_maps) / np.linalg.norm(maps)
fact("same weights, same picture, other values: more than 1 % away, where rounding would be 0.0001 %", difference > 0.01)
work = {name: rows[name].output_shape[1] ** 2 for name in ("relu1", "pool1")}
settle("O1", "true of CaffeNet", f"it normalises {work['pool1']} pixels of each map instead of {work['relu1']}, "
       f"{work['relu1'] / work['pool1']:.2f} times fewer; not the paper's order")
settle("O2", "true", f"the paper's order; with the same weights CaffeNet's maps before conv3 are {difference:.0%} away")

# %% 5. Broken on purpose: where the sum is 0, k = 0 divides by 0. Then the picture.
with broken(ValueError):
    F.local_response_norm(alone[None, :, None, None], k=0)
classroom.save(response_norm.draw(lrn, a, engine(a), engine(a, groups=2)), "08_response_norm")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/08_response_norm.py`: the backward pass, with its cross-channel term.
