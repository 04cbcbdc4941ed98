"""Convolution: seven loops, one matrix product, and where col2im's sums come from

A convolution is a matrix product in disguise. Undressing it costs memory, and pays: the product is what processors are
best at. Backwards, the two transposes of the product are all there is, and one of them has to add.
"""
# %% Tools
import inspect
import time
from contextlib import nullcontext

import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, fact, formula, heard, predict
from drawings import convolution

import minialex as ma
import minialex.functional as F
from minialex import shapes

# %% [markdown]
# ## 1. The formula
# y[n, o, h, w] = b[o] + Σ over c, i, j of W[o, c, i, j] · x[n, c, h·s + i - p, w·s + j - p]. Seven indices, seven loops.
# With the numbers of conv1 the sum has 3·11·11 = 363 terms, and there are 96·55·55 of them for one picture.

# %%
heard("A convolution slides the flipped kernel over the picture, pixel by pixel.")
guess = predict("96 maps of 55×55 values, each a sum of 363 products: how many million is that for one picture?", within=1)
formula("96·(55·55)·(3·11·11) = 290,400·363 = 105,415,200")
guess.turned_out(round(96 * 55 * 55 * 363 / 1e6, 2))
generator = np.random.default_rng(0)
x, W, b = generator.normal(size=(2, 3, 7, 6)), generator.normal(size=(4, 3, 3, 3)), generator.normal(size=4)
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
                                y[n, o, h, w] += W[o, c, i, j] * padded[n, c, h * stride + i, w * stride + j]
    return y + b[:, None, None]

y = by_seven_loops(W)
engine = F.conv2d(x, W, b, stride, padding).data
fact("seven loops give what F.conv2d gives", np.allclose(engine, y))
fact("with the kernel flipped, as mathematicians define a convolution, it would be something else",
     not np.allclose(by_seven_loops(W[:, :, ::-1, ::-1]), y))

# %% 2. Three loops go: every window as a column
guess = predict("A picture of 3×227×227 as columns for conv1, 11×11 with stride 4: how many times as many numbers?", within=0.15)
formula("(3·11·11)·(55·55) / (3·227·227) = 1,098,075 / 154,587 = 7.10")

def im2col(image):
    """(C, H, W), padded -> (C·KH·KW, OH·OW): window after window, each written as one column."""
    windows = [image[:, h * stride : h * stride + KH, w * stride : w * stride + KW].ravel() for h in range(OH) for w in range(OW)]
    return np.array(windows).T

columns = np.array([im2col(image) for image in padded])
fact("each column is a window, each row is what one kernel entry meets: the engine's F.im2col says so too",
     np.array_equal(columns, F.im2col(x, (KH, KW), stride, padding)))
product = W.reshape(C_out, -1) @ columns + b[:, None]
fact("one matrix product, kernels as rows times windows as columns, is the whole convolution",
     np.allclose(product.reshape(N, C_out, OH, OW), y))
picture, conv1 = 3 * 227 * 227, 3 * 11 * 11 * 55 * 55
guess.turned_out(round(conv1 / picture, 2))
fact("conv1's columns: 363·3025 = 1,098,075 numbers, and 562 MB in float32 for 128 pictures",
     (conv1, 4 * 128 * conv1) == (1_098_075, 562_214_400))

# %% [markdown]
# ## 3. Backwards: the two transposes
# y = W·columns is a product like any other: dW = g·columnsᵀ and dcolumns = Wᵀ·g. But a pixel was copied into several
# columns. What its copies get belongs to the pixel: everything is added. That is col2im.

# %%
guess = predict("A 3×3 kernel moves by 1. To how many columns is a pixel in the middle copied? That many terms has its sum.")
formula("a window that holds it starts 0, 1 or 2 rows above and 0, 1 or 2 columns to the left: 3·3 = 9")
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
     all(np.allclose(mine, tensor.grad) for mine, tensor in zip((dx, dW, g.sum(axis=(0, 2, 3))), tensors)))

def readers(size, kernel, step):
    """How often each pixel of a picture of ones is read: col2im of its own columns."""
    ones = np.ones((1, 1, size, size))
    return F.col2im(F.im2col(ones, kernel, step), ones.shape, kernel, step)[0, 0]

guess.turned_out(readers(9, 3, 1)[4, 4])
fact("3×3, stride 1: 9 in the middle, 1 in the corner", readers(9, 3, 1)[4, 4] == 9 and readers(9, 3, 1)[0, 0] == 1)
fact("conv1, 11×11 with stride 4: a pixel is read 4, 6 or 9 times, 7.1 on average with the edges",
     set(readers(227, 11, 4)[100:104, 100:104].ravel()) == {4, 6, 9} and round(readers(227, 11, 4).mean(), 1) == 7.1)
v, c = generator.normal(size=x.shape), generator.normal(size=columns.shape)
fact("col2im is the transpose of im2col: ⟨im2col(v), c⟩ = ⟨v, col2im(c)⟩ for any v and c",
     np.isclose((F.im2col(v, 3, 2, 1) * c).sum(), (v * F.col2im(c, x.shape, 3, 2, 1)).sum()))

# %% [markdown]
# ## 4. The engine's own lines
# `minialex/ops/convolution.py` is the book: what you have just computed, with `groups` beside it (lesson 05). Inside
# `with ma.textbook():` these lines run; without it, what is fastest for the shape. On a CPU AlexNet's layers go by tiles, the
# same sums in fewer multiplications. `MINIALEX_TEXTBOOK=1 python -m lessons 04` opens the book for the whole lesson.

# %%
formula("columns = im2col(x); y = W·columns + b; dW = Σ dy·columnsᵀ; dcolumns = Wᵀ·dy; dx = col2im(dcolumns)")
pictures, weights = (generator.normal(size=shape).astype(np.float32) for shape in [(8, 64, 13, 13), (64, 64, 3, 3)])
results = []
for way in (nullcontext, ma.textbook):
    with way():
        served, began = ma.fast.explain(F.conv2d, pictures, weights, padding=1), time.process_time()
        results.append(F.conv2d(pictures, weights, padding=1).data)
        print(f"  {served}: {1e3 * (time.process_time() - began):.0f} ms")
fact("by the book the lines below run, and nothing else", "ops/convolution.py" in served)
fact("the same numbers come out, up to float32's rounding", np.abs(results[0] - results[1]).max() < 1e-5 * results[1].max())
print("\n".join(["", inspect.getsource(ma.ops.Conv2d.forward), inspect.getsource(ma.ops.Conv2d.backward)]))

# %% 5. Broken on purpose: overwriting instead of adding; then channels that do not fit. Then the picture.
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
print(f"\n{report}")
fact("with `=` only the last window's share is left, and the gradient checker sees it", not report)
with broken(ValueError):
    F.conv2d(x, W[:, :2], b)
classroom.save(convolution.draw(readers(227, 11, 4)), "04_convolution")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/04_convolution.py`: im2col and col2im yourself, for one picture.
