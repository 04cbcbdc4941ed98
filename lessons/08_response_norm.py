"""Response normalisation by hand: window, α or α/n, gradient, the tower's edge, what comes first

Prerequisites: lessons 02, 05 and 07. Minutes: 45. Afterwards you can compute this layer by hand,
forward and backward, and say how the paper's edition differs from that of two libraries, Caffe and
PyTorch. A loud map turns down its neighbours in the channel direction.
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
# ReLU has no upper limit. A kernel that finds its pattern can answer with 200 where its neighbours
# say 2. The authors wanted the maps to compete, as nerve cells do: who is loud turns down who
# stands beside it. That is local **response normalisation**, LRN for short. At each pixel, each
# channel's value is divided by a number that grows with the values of the 5 channels around it, its
# own included:
#
#     b = a / s^β,    s = k + α·Σ a²
#
# For small a the sum does not count, and a is divided by k^β = 2^0.75. For large a, s grows with
# its square.

# %%
alone_at, n, alpha, beta, k = 100, 5, 1e-4, 0.75, 2.0
claim("O3", "N1, N3, P", "b_i = a_i / (k + α·Σ_{j=max(0,i−n/2)}^{min(N−1,i+n/2)} a_j²)^β, k=2, "
      "n=5, α=10⁻⁴, β=0.75")
guess = predict(f"a = {alone_at} in one channel, 0 in all others; k = {k:g}, n = {n}, "
                f"α = {alpha:g}, β = {beta:g}. What is b?", within=0.5)
one, five = k + alpha * alone_at**2, k + alpha * n * alone_at**2
formula(f"s = {k:g} + {alpha:g}·{alone_at}² = {one:g}, "
        f"b = {alone_at}/{one:g}^{beta:g} = {alone_at / one**beta:.2f}; with all {n} at "
        f"{alone_at}: s = {five:g}, b = {alone_at}/{five:g}^{beta:g} = {alone_at / five**beta:.2f}")

def lrn(a, n=n, alpha=alpha, beta=beta, k=k, divided=False):
    """Channel by channel, at one pixel: a (C,). divided: α/n in the place of α, as Caffe and
    PyTorch have it."""
    b = np.empty_like(a)
    for i in range(len(a)):
        window = a[max(0, i - n // 2) : min(len(a) - 1, i + n // 2) + 1]
        b[i] = a[i] / (k + (alpha / n if divided else alpha) * sum(window**2)) ** beta
    return b

def engine(a, **options):
    options = {"size": n, "alpha": alpha, "beta": beta, "k": k} | options
    return F.local_response_norm(a[None, :, None, None], **options).data.ravel()

alone = np.zeros(9)
alone[4] = alone_at
guess.turned_out(round(lrn(alone)[4], 2))
generator = np.random.default_rng(0)
a = generator.uniform(0, 100, size=96)
fact("F.local_response_norm is the formula with the loops", np.allclose(engine(a), lrn(a)))
edge = a[: n // 2 + 1]
fact(f"at the first channel the window is cut to {len(edge)} channels: it does not wrap around",
     np.isclose(engine(a)[0], a[0] / (k + alpha * (edge**2).sum()) ** beta))
fact(f"α is not divided by n: with α/n the sum counts 1/{n}, and every value stays larger",
     (lrn(a, divided=True) > lrn(a)).all() and not np.allclose(engine(a), lrn(a, divided=True)))
fact(f"Caffe's and PyTorch's edition divides α by n: they need α = {n * alpha:g} to "
     "compute the paper's", np.allclose(lrn(a, alpha=n * alpha, divided=True), lrn(a)))
settle("O3", "true", f"{alone_at} alone becomes {lrn(alone)[4]:.2f}, "
       f"not {lrn(alone, divided=True)[4]:.2f} as with α/n; "
       f"elsewhere write {n * alpha:g} for the paper's {alpha:g}")
bump = np.array([20, 25, 20, 30, 60, 150, 260, 150, 60, 30, 20, 25, 20, 60, 20], dtype=float)
kept = lrn(bump, n=5) / (bump / k**beta)
peak = int(bump.argmax())
fact(f"windows of 5, a bump across channels: the peak keeps the smallest share, {kept[peak]:.3f}; "
     f"its neighbours keep {kept[peak + 1]:.3f}, the next {kept[peak + 2]:.3f}",
     kept.argmin() == peak and kept[peak] < kept[peak + 1] < kept[peak + 2])

# %% [markdown]
# ## 2. Backward: every channel is also a neighbour
# What does L feel when a_i grows? Let g = dL/db. There are two ways:
# - Above the line. b_i = a_i·s_i^-β, with s_i held still: its slope is s_i^-β. That gives
#   g_i·s_i^-β.
# - Below the line, in s_j for each channel j whose window holds i, and j = i is one of them. b_j =
#   a_j·s_j^-β, so db_j/ds_j = -β·a_j·s_j^(-β-1). And s_j = k + α·Σ a², so ds_j/da_i = 2α·a_i. The
#   chain rule multiplies them: -2αβ·a_i·a_j·s_j^(-β-1).
#
# Add up: da_i = g_i·s_i^-β - 2αβ·a_i·Σ_j g_j·a_j·s_j^(-β-1). The second part is the cross-channel
# term: it is how a loud channel is told that it turned its neighbours down.

# %%
heard("The gradient of x/s^β is 1/s^β: the normaliser is a constant.")
g = generator.normal(size=96)

def lrn_backward(a, g, cross=True):
    s = np.array([k + alpha * (a[max(0, i - n // 2) : i + n // 2 + 1] ** 2).sum()
                  for i in range(len(a))])
    da = g * s**-beta
    for i in range(len(a) if cross else 0):
        for j in range(max(0, i - n // 2), min(len(a), i + n // 2 + 1)):
            da[i] -= 2 * alpha * beta * a[i] * g[j] * a[j] * s[j] ** (-beta - 1)
    return da

def engine_backward(a, g):
    x = ma.Tensor(a[None, :, None, None], requires_grad=True)
    F.local_response_norm(x, n, alpha, beta, k).backward(g[None, :, None, None])
    return x.grad.ravel()

def share(a):
    """How much of the gradient the second term is."""
    return np.linalg.norm(engine_backward(a, g)
                          - lrn_backward(a, g, cross=False)) / np.linalg.norm(engine_backward(a, g))

fact("the engine has both terms", np.allclose(engine_backward(a, g), lrn_backward(a, g)))
guess = predict("Activations of about 50: "
                "what share of the gradient's length is the second term? (0 to 1)", within=0.15)
guess.turned_out(round(share(a), 2))
fact("at activations of 0 to 100 the second term is a third of everything or more", share(a) > 0.33)
fact("at activations of 0 to 1 it is less than a thousandth: "
     "a careless check of small numbers misses it", share(a / 100) < 1e-3)

# %% [markdown]
# ## 3. The tower's edge
# With two GPUs each holds 48 of the 96 maps, and its windows stop at its own last map. With one
# device a window reaches over the edge. So the two do not compute the same, near the edge.

# %%
claim("O4", "N1", "LRN normalises two groups of 27×27×48")
guess = predict(f"96 maps in two towers, windows of {n}: "
                "in how many channels do one and two devices give different values?")
reach = n // 2
formula(f"a window of {n} reaches {reach} channels to each side: "
        f"over the edge from channels {48 - reach} to {47 + reach}")
differ = np.flatnonzero(~np.isclose(engine(a), engine(a, groups=2)))
guess.turned_out(len(differ))
halves = np.concatenate([lrn(a[:48]), lrn(a[48:])])
fact("groups=2 is the formula on each half by itself", np.allclose(engine(a, groups=2), halves))
fact(f"they differ in channels {differ[0]} to {differ[-1]}, {reach} on each side of the edge: "
     "their windows reach across", differ.tolist() == list(range(48 - reach, 48 + reach)))
ma.manual_seed(0)
paper, caffenet = models.alexnet("paper", init="he"), models.alexnet("caffenet", init="he")
rows = {row.name: row for row in shapes.summary(caffenet).rows}
fact("27×27 is what pool1 leaves: 27×27×48 is normalised only where the pool comes first; "
     "the paper normalises 55×55", rows["norm1"].output_shape == (96, 27, 27))
settle("O4", "half true", f"with towers the sum stops at the edge: channels {differ.tolist()} of "
       "96 differ from one device. But 27×27 is CaffeNet's order; the paper normalises 55×55 maps")

# %% [markdown]
# ## 4. Norm and pool: which comes first?
# N1 pools first, the others normalise first. Both networks exist: the paper's, and CaffeNet, where
# the two have changed places. They have the same layers with the same weights. Give both the same
# weights and the same picture, and compare.

# %%
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
fact("the paper's order: conv1, ReLU, norm, pool",
     names[:4] == ["conv1", "relu1", "norm1", "pool1"])
fact("CaffeNet's: conv1, ReLU, pool, norm", other_names[:4] == ["conv1", "relu1", "pool1", "norm1"])
count = {sum(p.size for p in model.parameters()) for model in (paper, caffenet)}
fact("same shapes, same 60,965,224 parameters",
     count == {60_965_224} and maps.shape == other_maps.shape == (1, 256, 13, 13))
difference = np.linalg.norm(maps - other_maps) / np.linalg.norm(maps)
fact("same weights, same picture, other values: more than 1 % away, "
     "where rounding would be 0.0001 %", difference > 0.01)
work = {name: rows[name].output_shape[1] ** 2 for name in ("relu1", "pool1")}
settle("O1", "true of CaffeNet", f"it normalises {work['pool1']} pixels of each map instead of "
       f"{work['relu1']}, {work['relu1'] / work['pool1']:.2f} times fewer; not the paper's order")
settle("O2", "true", "the paper's order; "
       f"with the same weights CaffeNet's maps before conv3 are {difference:.0%} away")

# %% [markdown]
# ## 5. Broken on purpose: k = 0
# k keeps s away from 0. Without it, five zeros side by side would be divided by 0.

# %%
with broken(ValueError):
    F.local_response_norm(alone[None, :, None, None], k=0)
classroom.save(response_norm.draw(lrn, k, beta, a, engine(a), engine(a, groups=2), bump),
               "08_response_norm", "Upper left: the louder the neighbours, the less comes out. "
               f"Upper right: the peak of a bump keeps {kept[peak]:.2f} of what small values keep, "
               f"its neighbours {kept[peak + 1]:.2f}. Below: "
               "red bars where two towers differ from one device.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `alone_at, n, alpha, beta, k = 100, 9, 1e-4, 0.75, 2.0`: in how many channels do the towers
#   differ now?
# - `alone_at, n, alpha, beta, k = 1000, 5, 1e-4, 0.75, 2.0`: ten times as loud. How much louder is
#   what comes out?
# - `alone_at, n, alpha, beta, k = 100, 5, 1e-4, 0.75, 1.0`: Caffe's k. Who keeps more now, the loud
#   or the quiet?
#
# ## Exercise
# `lessons/exercises/08_response_norm.py`: the backward pass, with its cross-channel term.
#
# `lessons/my_engine/08_response_norm.py` is a brick of an engine of your own. Nine lessons have
# one. `python -m lessons` shows the wall of bricks, and `lessons/my_engine/train.py` trains LeNet-5
# with those that you have.
