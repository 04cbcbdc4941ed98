"""Shape arithmetic: why AlexNet's picture is 227 pixels wide

The paper (P) says 224; the study notes (N1 to N5) say 224 or 227, and do not agree on the division either. Here windows
are slid and counted, one by one. Run this file with python, or open its cells as a notebook.
"""
# %% Tools: a prediction is typed before you know, a fact is an assertion with a name.
from fractions import Fraction

import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, claim, fact, formula, predict, settle
from drawings import shape_arithmetic

import minialex.functional as F
from minialex import Tensor, models, nn, shapes

# %% [markdown]
# ## 1. Counting windows
# A kernel of 11×11 starts in the corner and moves 4 pixels at a time. Each place where it lies inside the picture makes
# one output value: the output's width is a count, and `size = (input - kernel + 2·padding)/stride + 1` is its shortcut.

# %%
claim("S1", "N1", "input 224 gives (224 - 11)/4 = 54.75, so 227 must be meant: (227 - 11)/4 = 55")
claim("S2", "N2", "(227 - 11)/4 + 1 = 55")
guess = predict("A window 11 columns wide moves 4 columns at a time. In how many places does it fit into 224 columns?")
formula("(224 - 11 + 2·0)/4 + 1 = 213/4 + 1 = 54.25; the window that would stick out does not count")

def places(size, kernel, stride, padding=0):
    """Slide the window over the padded picture until it would stick out; column 0 is the first pixel."""
    left, count = -padding, 0
    while left + kernel <= size + padding:
        left, count = left + stride, count + 1
    return count

guess.turned_out(places(224, 11, 4))
fact("sliding over 224 columns finds 54 places", places(224, 11, 4) == 54)
fact("sliding over 227 columns finds 55, and so does the formula", places(227, 11, 4) == 55 == (227 - 11) // 4 + 1)
fact("(224 - 11)/4 is 53.25: N1's 54.75 is 219/4, the quotient with the 3 pixels of padding that N5 has",
     Fraction(224 - 11, 4) == 53.25 and Fraction(224 - 11 + 2 * 3, 4) == 54.75)
fact("(227 - 11)/4 is 54: N1 forgot the + 1, the window where the sliding starts", Fraction(227 - 11, 4) == 54)
settle("S1", "half true", f"both quotients are wrong ({213 / 4} and {216 // 4}), the conclusion right: "
       + shapes.explain(224, kernel_size=11, stride=4))
settle("S2", "true", shapes.explain(227, kernel_size=11, stride=4))

# %% [markdown]
# ## 2. From two loops to the engine
# The same windows with arithmetic in them: an output value is a sum of 11×11 products. The engine takes all windows at
# once (lesson 4 shows how), and must find the same numbers.

# %%
generator = np.random.default_rng(0)
pixels, kernel = generator.normal(size=(227, 227)), generator.normal(size=(11, 11))
by_loops = np.empty((55, 55))
for row in range(55):
    for column in range(55):
        by_loops[row, column] = (pixels[4 * row : 4 * row + 11, 4 * column : 4 * column + 11] * kernel).sum()
by_engine = F.conv2d(Tensor(pixels[None, None]), Tensor(kernel[None, None]), stride=4)
fact("F.conv2d gives the 55×55 values of the two loops", np.allclose(by_engine.data[0, 0], by_loops))

# %% [markdown]
# ## 3. Columns that nobody reads
# The engine can testify. With a kernel of ones, the gradient of the summed output with respect to a column is the
# number of windows that read it. Where it is 0 the picture could show anything.

# %%
claim("S3", "N5", "input 224, stride 4, padding 3 gives 55")
guess = predict("What is (224 - 11 + 2·3)/4 + 1, before any rounding?")
guess.turned_out(Fraction(224 - 11 + 2 * 3, 4) + 1)

def readers(size, kernel, stride, padding=0):
    """How many windows read each column of the padded picture."""
    line = Tensor(np.zeros((1, 1, 1, size + 2 * padding)), requires_grad=True)
    F.conv2d(line, Tensor(np.ones((1, 1, 1, kernel))), stride=(1, stride)).sum().backward()
    return line.grad.ravel()

unread = np.flatnonzero(readers(224, 11, 4, padding=3) == 0) - 3  # so that column 0 is the first pixel again
fact("with padding 3 nobody reads columns 224 to 226: all the padding on the right", unread.tolist() == [224, 225, 226])
fact("without padding nobody reads column 223, a pixel", np.flatnonzero(readers(224, 11, 4) == 0).tolist() == [223])
fact("of 227 columns every one is read", readers(227, 11, 4).all())
settle("S3", "true by rounding down", shapes.explain(224, 11, 4, 3) + ". With 3 zeros on the left: 227 again")

# %% [markdown]
# ## 4. The whole chain
# Pooling takes averages here instead of maxima, so that every value of a window counts and the gradient can testify.

# %%
claim("S5", "N1, N2", "pool: (55 - 3)/2 + 1 = 27, (27 - 3)/2 + 1 = 13, (13 - 3)/2 + 1 = 6")
claim("S6", "N1, N2", "conv2: (27 + 2·2 - 5)/1 + 1 = 27; conv3 to conv5: (13 - 3 + 2·1)/1 + 1 = 13")
claim("S4", "N3", "input 224, no padding, gives 54, then pool 26 → 12 → 5, flatten 6400")
guess = predict("N3's program gets 224 columns. How many of them cannot change its output, whatever they show?")
layers = [("conv1", 11, 4, 0), ("pool1", 3, 2, 0), ("conv2", 5, 1, 2), ("pool2", 3, 2, 0),
          ("conv3", 3, 1, 1), ("conv4", 3, 1, 1), ("conv5", 3, 1, 1), ("pool5", 3, 2, 0)]  # kernel, stride, padding

def follow(size):
    """The widths from the picture to pool5: counted, found by the engine; and the columns that no output depends on."""
    picture = x = Tensor(np.zeros((1, 1, size, size)), requires_grad=True)
    counted, engine = [size], [size]
    for name, kernel, stride, padding in layers:
        ones = Tensor(np.ones((1, 1, kernel, kernel)))
        x = F.avg_pool2d(x, kernel, stride) if "pool" in name else F.conv2d(x, ones, stride=stride, padding=padding)
        counted.append(places(counted[-1], kernel, stride, padding))
        engine.append(x.shape[-1])
    x.sum().backward()
    return counted, engine, np.flatnonzero(picture.grad[0, 0].sum(axis=0) == 0).tolist()

counted, engine, lost = follow(227)
fact("227 → 55 → 27 → 27 → 13 → 13 → 13 → 13 → 6", counted == engine == [227, 55, 27, 27, 13, 13, 13, 13, 6])
fact("every division is whole, and every one of the 227 columns reaches the output", lost == [])
counted, engine, lost = follow(224)
fact("224 → 54 → 26 → 26 → 12 → 12 → 12 → 12 → 5", counted == engine == [224, 54, 26, 26, 12, 12, 12, 12, 5])
fact("four divisions are rounded down, and the last five columns reach nothing", lost == [219, 220, 221, 222, 223])
guess.turned_out(len(lost))
settle("S5", "true", "; ".join(shapes.explain(size, 3, 2) for size in (55, 27, 13)))
settle("S6", "true", shapes.explain(27, 5, 1, 2) + "; " + shapes.explain(13, 3, 1, 1))
settle("S4", "true of that program", f"flatten is 256·5·5 = {256 * 5**2}, AlexNet's 256·6·6 = {256 * 6**2}; "
       f"columns {lost[0]} to {lost[-1]} never count")

# %% 5. Kernels are not output values
claim("S9", "N2", "each GPU has 13·13·192 convolution kernels")
guess = predict("On each GPU conv4 makes 192 maps of 13×13 out of 192 maps of 13×13. How many kernels does it need?")
formula("one kernel of 3·3·192 weights, slid over 13·13 places, makes one map of 13×13")
half = nn.Conv2d(192, 192, kernel_size=3, padding=1)
maps = half(Tensor(np.zeros((1, 192, 13, 13), dtype=np.float32)))
guess.turned_out(len(half.weight.data))
fact("a kernel of 3×3×192 makes one whole map, so 192 make 192", half.weight.shape == (192, 192, 3, 3))
fact("13·13·192 is the number of values that come out", maps.size == 13 * 13 * 192)
settle("S9", "false", f"{len(half.weight.data)} kernels make {maps.size:,} output values")

# %% 6. Overlapping pooling, 3/2 against 2/2
claim("S11", "N1, N3, N4", "a 3×3 pool of stride 2 overlaps, as any z > s does; 55 → 27 for both 3/2 and 2/2")
guess = predict("And 54 columns, as in N3's program: how many values does the 2×2 pool of stride 2 give?")
guess.turned_out(places(54, 2, 2))
fact("some column is read twice exactly when z > s",
     all((readers(60, z, s).max() > 1) == (z > s) for z in range(1, 7) for s in range(1, 7)))
sizes = {size: (places(size, 3, 2), places(size, 2, 2)) for size in (55, 27, 13, 54)}
fact("both give 27 from 55, 13 from 27, 6 from 13", [sizes[n] for n in (55, 27, 13)] == [(27, 27), (13, 13), (6, 6)])
fact("from 54 they differ, as from any even width", all(
     (places(size, 3, 2) != places(size, 2, 2)) == (size % 2 == 0) for size in range(3, 228)))
fact("3/2 reads all of 55 columns, 2/2 never reads the last", readers(55, 3, 2).all() and not readers(55, 2, 2)[-1])
settle("S11", "true, for odd widths", ", ".join(f"{n} → {a} and {b}" for n, (a, b) in sizes.items()))

# %% 7. Broken on purpose: AlexNet with the paper's own 224. Then the picture.
with broken(ValueError):
    shapes.summary(models.alexnet("paper"), input_shape=(3, 224, 224))
classroom.save(shape_arithmetic.draw(layers), "01_shape_arithmetic")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/01_shape_arithmetic.py`: the formula both ways, and the width for which pool5 gives 7×7, nothing lost.
