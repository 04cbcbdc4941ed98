"""Convolution: seven loops, one matrix product, and where col2im's sums come from

Prerequisites: lessons 01 to 03. Minutes: 50. Afterwards you can write a convolution with one matrix
product, derive its three gradients, and read the engine's own file, line by line. A convolution can
be written as one matrix product. That costs memory, and it pays: matrix products are what
processors are best at.
"""
# %% Tools
import inspect
import time
from contextlib import nullcontext

import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, fact, formula, heard, predict, show
from drawings import convolution

import minialex as ma
import minialex.functional as F
from minialex import shapes

# %% [markdown]
# ## 1. The formula
# Lesson 01 slid one kernel over one sheet of pixels. A real layer has more of everything: several
# pictures that go through the network together, a **batch** (index n), several kernels (o), and
# several channels (c) in each. At each place (h, w) a kernel multiplies each of its entries (i, j,
# in each channel) with the pixel that lies under it:
#
#     y[n, o, h, w] = b[o] + Σ over c, i, j of W[o, c, i, j] · x[n, c, h·s + i - p, w·s + j - p]
#
# with stride s and padding p. Seven indices, seven loops. In AlexNet's first layer, conv1, each sum
# has 3·11·11 terms.

# %%
heard("A convolution slides the flipped kernel over the picture, pixel by pixel.")
kernels, side, wide = 96, 55, 11
guess = predict(f"{kernels} maps of {side}×{side} values, each a sum of {3 * wide**2} products: "
                "how many million is that for one picture?", within=1)
products = kernels * side**2 * 3 * wide**2
formula(f"{kernels}·({side}·{side})·(3·{wide}·{wide}) = {products:,}")
guess.turned_out(round(products / 1e6, 2))
generator = np.random.default_rng(0)
x, W, b = generator.normal(size=(2, 3, 7, 6)), generator.normal(size=(4, 3, 3,
                                                                      3)), generator.normal(size=4)
stride, padding = 2, 1
N, C, H, Wd = x.shape
C_out, _, KH, KW = W.shape
OH, OW = shapes.conv_output_size((H, Wd), (KH, KW), stride, padding)
padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])

def by_seven_loops(W):
    y = np.zeros((N, C_out, OH, OW))
    for n in range(N):
        for o in range(C_out):
            for h in range(OH):
                for w in range(OW):
                    for c in range(C):
                        for i in range(KH):
                            for j in range(KW):
                                y[n, o, h, w] += W[o, c, i, j] * padded[n, c, h * stride
                                                                        + i, w * stride + j]
    return y + b[:, None, None]

y = by_seven_loops(W)
engine = F.conv2d(x, W, b, stride, padding).data
fact(f"seven loops give what F.conv2d gives: {C_out} maps of {OH}×{OW}", np.allclose(engine, y))
fact("with the kernel flipped, as mathematicians define a convolution, it would be something else",
     not np.allclose(by_seven_loops(W[:, :, ::-1, ::-1]), y))

# %% [markdown]
# ## 2. Three loops go: every window as a column
# The three inner loops multiply a window by a kernel and add up. If both are written as a list of
# numbers, that is a dot product. A matrix product does many dot products at once: rows times
# columns. So write each kernel as a row of a matrix, and each window as a column of another.
# Writing the windows as columns is called **im2col**. Neighbouring windows overlap, so pixels are
# copied.

# %%
picture, conv1 = 3 * 227 * 227, 3 * wide**2 * side**2
guess = predict(f"A picture of 3×227×227 as columns for conv1, {wide}×{wide} with stride 4: "
                "how many times as many numbers?", within=0.15)
formula(f"(3·{wide}·{wide})·({side}·{side}) / (3·227·227) = {conv1:,} / "
        f"{picture:,} = {conv1 / picture:.2f}")

def im2col(image):
    """(C, H, W), padded -> (C·KH·KW, OH·OW): window after window, each written as one column."""
    windows = [image[:, h * stride : h * stride + KH, w * stride : w * stride + KW].ravel()
               for h in range(OH) for w in range(OW)]
    return np.array(windows).T

columns = np.array([im2col(image) for image in padded])
fact("each column is a window, each row is what one kernel entry meets: the engine's F.im2col "
     "says so too", np.array_equal(columns, F.im2col(x, (KH, KW), stride, padding)))
product = W.reshape(C_out, -1) @ columns + b[:, None]
fact("one matrix product, kernels as rows times windows as columns, is the whole convolution",
     np.allclose(product.reshape(N, C_out, OH, OW), y))
guess.turned_out(round(conv1 / picture, 2))
memory = 4 * 128 * conv1
one_picture = F.im2col(np.zeros((1, 3, 227, 227), np.float32), wide, 4)
fact(f"conv1's columns are {conv1:,} numbers, and {memory / 1e6:.0f} MB in float32 for a "
     "batch of 128", conv1 == one_picture.size and memory == 128 * one_picture.nbytes)

# %% [markdown]
# ## 3. Backwards: the two transposes
# Let Y = W·X, where X are the columns: Y[o, k] = Σ over r of W[o, r]·X[r, k]. The incoming gradient
# is g = dL/dY. By the chain rule:
# - W[o, r] stands in Y[o, k] for each place k, with the factor X[r, k]. So dL/dW[o, r] = Σ over k
#   of g[o, k]·X[r, k], and this is the entry (o, r) of the product g·Xᵀ. For several pictures, add
#   up.
# - X[r, k] stands in Y[o, k] for each kernel o, with the factor W[o, r]. So dL/dX[r, k] = Σ over o
#   of W[o, r]·g[o, k], and this is the entry (r, k) of the product Wᵀ·g.
# - b[o] stands in each Y[o, k] with the factor 1. So dL/db[o] = Σ over k of g[o, k].
#
# What remains is the way from the columns back to the picture. A pixel was copied into several
# columns. When the pixel grows, all its copies grow, and each of them changes L. So the slope of
# the pixel is the sum of the slopes of its copies. This way back is called col2im.

# %%
guess = predict("A 3×3 kernel moves by 1. "
                "To how many columns is a pixel in the middle copied? That many terms has its sum.")
formula("a window that holds it starts 0, 1 or 2 rows above and 0, "
        "1 or 2 columns to the left: 3·3 = 9")
g = generator.normal(size=y.shape)
dW = sum(g[n].reshape(C_out, -1) @ columns[n].T for n in range(N)).reshape(W.shape)
dcolumns = W.reshape(C_out, -1).T @ g.reshape(N, C_out, -1)

def col2im(columns):
    """Every entry goes back to the pixel that it was copied from, and is added to what is there."""
    image = np.zeros(padded.shape[1:])
    for number, column in enumerate(columns.T):
        h, w = stride * (number // OW), stride * (number % OW)
        image[:, h : h + KH, w : w + KW] += column.reshape(C, KH, KW)
    return image[:, padding : padding + H, padding : padding + Wd]

dx = np.array([col2im(each) for each in dcolumns])
tensors = [ma.Tensor(array, requires_grad=True) for array in (x, W, b)]
F.conv2d(*tensors, stride, padding).backward(g)
fact("dW = g·columnsᵀ, dx = col2im(Wᵀ·g), db = Σ g: the engine's three gradients",
     all(np.allclose(mine, tensor.grad)
         for mine, tensor in zip((dx, dW, g.sum(axis=(0, 2, 3))), tensors)))

def readers(size, kernel, step):
    """How often each pixel of a picture of ones is read: col2im of its own columns."""
    ones = np.ones((1, 1, size, size))
    return F.col2im(F.im2col(ones, kernel, step), ones.shape, kernel, step)[0, 0]

guess.turned_out(readers(9, 3, 1)[4, 4])
fact("3×3, stride 1: 9 in the middle, 1 in the corner",
     readers(9, 3, 1)[4, 4] == 9 and readers(9, 3, 1)[0, 0] == 1)
reads = readers(227, 11, 4)
fact("conv1, 11×11 with stride 4: a pixel is read 4, 6 or 9 times, 7.1 on average with the edges",
     set(reads[100:104, 100:104].ravel()) == {4, 6, 9} and reads[0, 0] == 1
     and round(reads.mean(), 1) == 7.1)
v, c = generator.normal(size=x.shape), generator.normal(size=columns.shape)
fact("col2im is the transpose of im2col: ⟨im2col(v), c⟩ = ⟨v, col2im(c)⟩ for any v and c",
     np.isclose((F.im2col(v, 3, stride, padding) * c).sum(),
                (v * F.col2im(c, x.shape, 3, stride, padding)).sum()))

# %% [markdown]
# ## 4. The engine's own lines
# The engine's file `minialex/ops/convolution.py` is what you have just computed. (The letter G is 1
# here; lesson 05 says what else it can be.) Inside `with ma.textbook():` these lines run, and
# nothing else. Without it, minialex runs what is fastest for the shape: on a CPU most layers of
# AlexNet then go by tiles (Winograd's method), which find the same sums with fewer multiplications.
# The numbers must be the same. `MINIALEX_TEXTBOOK=1 python lessons/04_convolution.py` runs this
# whole lesson by the book.

# %%
formula("columns = im2col(x); y = W·columns + b; dW = Σ dy·columnsᵀ; dcolumns = Wᵀ·dy; "
        "dx = col2im(dcolumns)")
many = 8
pictures, weights = (generator.normal(size=shape).astype(np.float32)
                     for shape in [(many, 64, 13, 13), (64, 64, 3, 3)])
results = []
for way in (nullcontext, ma.textbook):
    with way():
        served, began = ma.fast.explain(F.conv2d, pictures, weights, padding=1), time.process_time()
        results.append(F.conv2d(pictures, weights, padding=1).data)
        show(f"  {served}: {1e3 * (time.process_time() - began):.0f} ms")
fact("by the book the lines below run, and nothing else", "ops/convolution.py" in served)
fact("the same numbers come out, up to float32's rounding",
     np.abs(results[0] - results[1]).max() < 1e-5 * results[1].max())
show("\n".join([inspect.getsource(ma.ops.Conv2d.forward),
                inspect.getsource(ma.ops.Conv2d.backward)]))

# %% [markdown]
# ## 5. Broken on purpose: overwriting instead of adding, and channels that do not fit
# The most common mistake in a hand-written col2im is one character: `=` instead of `+=`. Then each
# pixel keeps only what its last window brought. And a kernel for two channels cannot be laid on a
# picture of three.

# %%
class Overwriting(ma.Function):
    """A 3×3 convolution whose col2im writes `=` where `+=` belongs."""

    def forward(self, x):
        self.shape = x.shape
        return F.im2col(x, 3).sum(axis=1)

    def backward(self, g):
        dx = np.zeros(self.shape)
        for h in range(self.shape[2] - 2):
            for w in range(self.shape[3] - 2):
                dx[:, :, h : h + 3, w : w + 3] = g[:, h * (self.shape[3] - 2) + w, None, None, None]
        return dx

report = ma.gradcheck(Overwriting, [generator.normal(size=(1, 1, 5, 5))])
show(report)
fact("with `=` only the last window's share is left, and the gradient checker sees it", not report)
with broken(ValueError):
    F.conv2d(x, W[:, :2], b)
classroom.save(convolution.draw(reads), "04_convolution", "A window becomes a column, and each "
               "entry of a column goes back to its pixel. How often a pixel of conv1 is read: "
               f"{reads.mean():.1f} times on average, once in the corner.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `stride, padding = 1, 1`: do the loops, the product and the engine still agree?
# - `kernels, side, wide = 96, 56, 5`: kernels of 5×5 have 56×56 places. How much memory do their
#   columns take?
# - `many = 2`: which way does the engine go for two pictures?
#
# ## Exercise
# `lessons/exercises/04_convolution.py`: im2col and col2im yourself, for one picture.
#
# `lessons/my_engine/04_convolution.py` is a brick of an engine of your own. Nine lessons have one.
# `python -m lessons` shows the wall of bricks, and `lessons/my_engine/train.py` trains LeNet-5 with
# those that you have.
