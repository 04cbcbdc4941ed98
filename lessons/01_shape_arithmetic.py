"""Shape arithmetic: why AlexNet's picture is 227 pixels wide

Prerequisites: lesson 00. Minutes: 40. Afterwards you can tell the size of every layer of a network
with a formula of one line, and find the pixels that a network never looks at. The paper (P) says
that AlexNet's picture is 224 pixels wide. Several sets of study notes are copied around the world;
we call them N1 to N5. They say 224 or 227, and their divisions do not agree.
"""
# %% Tools: a prediction is typed before you know, a fact is an assertion with a name.
from fractions import Fraction

import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, claim, fact, formula, predict, settle
from drawings import shape_arithmetic

import minialex.functional as F
from minialex import models, nn, shapes

# %% [markdown]
# ## 1. Counting windows
# A picture is a block of numbers: height × width × **channel**, where the channels of a photograph
# are red, green and blue. The first layer of AlexNet does not look at the whole picture at once. It
# has small blocks of weights, 11 pixels high and 11 wide. Such a block is a **kernel**. The kernel
# starts in the upper left corner and moves over the picture, 4 pixels at a time. The part of the
# picture that it covers is a **window**, and the 4 is the **stride**. At each place it gives one
# number.
#
# So the width of what comes out is a count: how many places are there? The first window starts at
# column 0. Each stride to the right gives one more. The last one must not stick out. So the number
# of places is `(input - kernel)/stride + 1`, rounded down, and the + 1 is the window where the
# sliding starts. Often a border of zeros is put around the picture first, the **padding**. Then
# `size = (input - kernel + 2·padding)/stride + 1`.

# %%
size, wide, kernel, stride = 224, 227, 11, 4
claim("S1", "N1", "input 224 gives (224 - 11)/4 = 54.75, so 227 must be meant: (227 - 11)/4 = 55")
claim("S2", "N2", "(227 - 11)/4 + 1 = 55")
guess = predict(f"A window {kernel} columns wide moves {stride} columns at a time. "
                f"In how many places does it fit into {size} columns?")
formula(shapes.explain(size, kernel, stride) + "; a window that would stick out does not count")

def places(size, kernel, stride, padding=0):
    """Slide the window over the padded picture until it would stick out; column 0 is the first
    pixel."""
    left, count = -padding, 0
    while left + kernel <= size + padding:
        left, count = left + stride, count + 1
    return count

guess.turned_out(places(size, kernel, stride))
fact(f"the formula and the sliding agree: {places(size, kernel, stride)} places",
     places(size, kernel, stride) == shapes.conv_output_size(size, kernel, stride))
fact("sliding over 224 columns finds 54 places", places(224, 11, 4) == 54)
fact("sliding over 227 columns finds 55, and so does the formula",
     places(227, 11, 4) == 55 == (227 - 11) // 4 + 1)
fact("(224 - 11)/4 is 53.25: N1's 54.75 is 219/4, the quotient with the 3 pixels of padding "
     "that N5 has", Fraction(224 - 11, 4) == 53.25 and Fraction(224 - 11 + 2 * 3, 4) == 54.75)
fact("(227 - 11)/4 is 54: N1 forgot the + 1, the window where the sliding starts",
     Fraction(227 - 11, 4) == 54)
settle("S1", "half true", f"both quotients are wrong, they are {213 / 4} and {216 // 4}; "
       "the conclusion is right: " + shapes.explain(224, kernel_size=11, stride=4))
settle("S2", "true", shapes.explain(227, kernel_size=11, stride=4))

# %% [markdown]
# ## 2. A convolution
# What does a kernel do at one place? It multiplies each pixel of the window by the weight that lies
# on it, and adds up all products: here 11·11 of them. A layer that does this at every place is a
# **convolution**. What one kernel puts out is again a sheet of numbers, called a **map**. Two loops
# are enough to write it. minialex, the engine of this course, does the same faster, with `F.conv2d`
# (lesson 04 shows how).

# %%
generator = np.random.default_rng(0)
pixels, weights = generator.normal(size=(wide, wide)), generator.normal(size=(kernel, kernel))
count = places(wide, kernel, stride)
by_loops = np.empty((count, count))
for row in range(count):
    for column in range(count):
        top, left = stride * row, stride * column
        by_loops[row, column] = (pixels[top : top + kernel, left : left + kernel] * weights).sum()
by_engine = F.conv2d(pixels[None, None], weights[None, None], stride=stride)
fact(f"F.conv2d gives the {count}×{count} values of the two loops",
     np.allclose(by_engine.data[0, 0], by_loops))

# %% [markdown]
# ## 3. Columns that nobody reads
# Where the division leaves a remainder, some columns at the right edge lie in no window. The
# picture could show anything there. To find them, count for each column how many windows cover it.

# %%
claim("S3", "N5", "input 224, stride 4, padding 3 gives 55")
guess = predict("What is (224 - 11 + 2·3)/4 + 1, before any rounding?")
guess.turned_out(Fraction(224 - 11 + 2 * 3, 4) + 1)

def readers(size, kernel, stride, padding=0):
    """How many windows cover each column of the padded picture."""
    count = np.zeros(size + 2 * padding, dtype=int)
    for place in range(places(size, kernel, stride, padding)):
        count[stride * place : stride * place + kernel] += 1
    return count

# so that column 0 is the first pixel again
unread = np.flatnonzero(readers(224, 11, 4, padding=3) == 0) - 3
fact("with padding 3 nobody reads columns 224 to 226: all the padding on the right",
     unread.tolist() == [224, 225, 226])
fact("without padding nobody reads column 223, a pixel",
     np.flatnonzero(readers(224, 11, 4) == 0).tolist() == [223])
fact("of 227 columns every one is read", readers(227, 11, 4).all())
settle("S3", "true by rounding down",
       shapes.explain(224, 11, 4, 3) + ". Read are 3 zeros on the left and the 224: 227 again")

# %% [markdown]
# ## 4. The whole chain
# Behind some convolutions comes a layer of another kind. **Pooling** keeps one number of each
# window: its largest, or its mean. It has a window size and a stride too, and the formula is the
# same. AlexNet has five convolutions, conv1 to conv5. Behind the first, the second and the fifth of
# them stands a pool of 3×3 with stride 2: pool1, pool2, pool5. What comes out of pool5 is laid out
# in one row (it is made flat), and the next layer, fc6, reads this row. So we can follow the width
# from the picture to pool5.
#
# Which columns of the picture reach the end? Test it: change one column, and see whether anything
# in pool5 changes. All weights are 1 here and pooling takes means, so that every change goes
# through. One row of pixels is enough.

# %%
claim("S5", "N1, N2", "pool: (55 - 3)/2 + 1 = 27, (27 - 3)/2 + 1 = 13, (13 - 3)/2 + 1 = 6")
claim("S6", "N1, N2", "conv2: (27 + 2·2 - 5)/1 + 1 = 27; conv3 to conv5: (13 - 3 + 2·1)/1 + 1 = 13")
claim("S4", "N3", "input 224, no padding, gives 54, then pool 26 → 12 → 5, flatten 6400")
guess = predict("N3's program gets 224 columns. How many of them cannot change its output, "
                "whatever they show?")
layers = [("conv1", 11, 4, 0), ("pool1", 3, 2, 0), ("conv2", 5, 1, 2), ("pool2", 3, 2, 0),
          ("conv3", 3, 1, 1), ("conv4", 3, 1, 1), ("conv5", 3, 1, 1),
          ("pool5", 3, 2, 0)]  # kernel, stride, padding

def chain(rows):
    """What pool5 makes of rows of pixels, (N, 1, 1, width), and the widths on the way."""
    widths = [rows.shape[-1]]
    for name, kernel, stride, padding in layers:
        ones = np.ones((1, 1, 1, kernel))
        step, border = (1, stride), (0, padding)
        rows = F.avg_pool2d(rows, (1, kernel), step) if "pool" in name else F.conv2d(rows, ones,
                                                                                     stride=step,
                                                                                     padding=border)
        widths.append(rows.shape[-1])
    return rows.data, widths

def follow(size):
    """The widths from the picture to pool5, counted and by the engine; how many divisions were
    rounded down; and the columns that change nothing at the end."""
    counted, rounded = [size], 0
    for _, kernel, stride, padding in layers:
        rounded += (counted[-1] + 2 * padding - kernel) % stride > 0
        counted.append(places(counted[-1], kernel, stride, padding))
    # row number n has a 1 in column n and 0 elsewhere
    result, engine = chain(np.eye(size)[:, None, None, :])
    return counted, engine, rounded, np.flatnonzero(result.reshape(size,
                                                                   -1).sum(axis=1) == 0).tolist()

counted, engine, rounded, lost = follow(227)
fact("227 → 55 → 27 → 27 → 13 → 13 → 13 → 13 → 6",
     counted == engine == [227, 55, 27, 27, 13, 13, 13, 13, 6])
fact("every division is whole, and every one of the 227 columns reaches the output",
     rounded == 0 and lost == [])
counted, engine, rounded, lost = follow(224)
fact("224 → 54 → 26 → 26 → 12 → 12 → 12 → 12 → 5",
     counted == engine == [224, 54, 26, 26, 12, 12, 12, 12, 5])
fact("four divisions are rounded down, and the last five columns reach nothing",
     rounded == 4 and lost == [219, 220, 221, 222, 223])
guess.turned_out(len(lost))
settle("S5", "true", "; ".join(shapes.explain(size, 3, 2) for size in (55, 27, 13)))
settle("S6", "true", shapes.explain(27, 5, 1, 2) + "; " + shapes.explain(13, 3, 1, 1))
settle("S4", "true of that program", f"flatten is 256·5·5 = {256 * 5**2}, "
       f"AlexNet's 256·6·6 = {256 * 6**2}; columns {lost[0]} to {lost[-1]} never count")

# %% [markdown]
# ## 5. Kernels are not output values
# One kernel makes one map, with as many values as there are places. So the number of kernels is the
# number of maps, and not the number of values. Students mix the two up, and so does N2. Where
# several maps come in, a kernel has a sheet of weights for each of them, and adds up all products.
# (A GPU is a graphics card. AlexNet ran on two of them, with half of the kernels on each: lesson
# 05.)

# %%
claim("S9", "N2", "each GPU has 13·13·192 convolution kernels")
guess = predict("On each GPU conv4 makes 192 maps of 13×13 out of 192 maps of 13×13. "
                "How many kernels does it need?")
formula("one kernel of 3·3·192 weights, slid over 13·13 places, makes one map of 13×13")
half = nn.Conv2d(192, 192, kernel_size=3, padding=1)
maps = half(np.zeros((1, 192, 13, 13), dtype=np.float32))
guess.turned_out(len(half.weight.data))
fact("a kernel of 3×3×192 makes one whole map, so 192 make 192",
     half.weight.shape == (192, 192, 3, 3))
fact("13·13·192 is the number of values that come out", maps.size == 13 * 13 * 192)
settle("S9", "false", f"{len(half.weight.data)} kernels make {maps.size:,} output values")

# %% [markdown]
# ## 6. Overlapping pooling, 3/2 against 2/2
# A pool of size z and stride s is written z/s. If z is larger than s, neighbouring windows share
# columns: they overlap. The paper found that 3/2 makes fewer mistakes than 2/2 and gives maps of
# the same size. Is the second part true?

# %%
claim("S11", "N1, N3, N4", "a 3×3 pool of stride 2 overlaps, as any z > s does; "
      "55 → 27 for both 3/2 and 2/2")
guess = predict("And 54 columns, as in N3's program: "
                "how many values does the 2×2 pool of stride 2 give?")
guess.turned_out(places(54, 2, 2))
fact("some column is read twice exactly when z > s",
     all((readers(60, z, s).max() > 1) == (z > s) for z in range(1, 7) for s in range(1, 7)))
sizes = {size: (places(size, 3, 2), places(size, 2, 2)) for size in (55, 27, 13, 54)}
fact("both give 27 from 55, 13 from 27, 6 from 13",
     [sizes[n] for n in (55, 27, 13)] == [(27, 27), (13, 13), (6, 6)])
fact("from 54 they differ, as from any even width", all(
     (places(size, 3, 2) != places(size, 2, 2)) == (size % 2 == 0) for size in range(3, 228)))
fact("3/2 reads all of 55 columns, 2/2 never reads the last",
     readers(55, 3, 2).all() and not readers(55, 2, 2)[-1])
settle("S11", "true, for odd widths",
       ", ".join(f"{n} → {a} and {b}" for n, (a, b) in sizes.items()))

# %% [markdown]
# ## 7. Broken on purpose: AlexNet with the paper's own 224
# With 224 columns pool5 gives 5×5 and not 6×6. The next layer, fc6, was made for 6·6·256 numbers.
# It says so.

# %%
with broken(ValueError):
    shapes.summary(models.alexnet("paper"), input_shape=(3, 224, 224))
classroom.save(shape_arithmetic.draw(layers), "01_shape_arithmetic",
               "Above: the first and the last windows on 224 columns, on 224 with padding 3, "
               "and on 227. Red columns lie in no window. Below: each layer's values over what "
               "they see. Of 227 columns each one counts, of 224 the last 5 do not.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `size, wide, kernel, stride = 224, 227, 11, 3`: how many places does stride 3 give?
# - `size, wide, kernel, stride = 224, 231, 11, 4`: how many more columns make one more window?
# - `size, wide, kernel, stride = 224, 227, 5, 4`: what does a smaller kernel do to the size?
#
# ## Exercise
# `lessons/exercises/01_shape_arithmetic.py`: the formula both ways, and the width for which pool5
# gives 7×7, nothing lost.
