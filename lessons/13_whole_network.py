"""The whole AlexNet: parameters, neurons, work and memory, and the 50,820,776 riddle

Prerequisites: lessons 05, 11 and 12. Minutes: 35. Afterwards you can count any such network, and
find out which one a printed number belongs to. Some numbers that are told of AlexNet are of another
network, and one is of this network with a slip in it.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, claim, fact, formula, predict, settle, show
from drawings import whole_network

from minialex import models, nn, shapes

# %% [markdown]
# ## 1. Parameters and work
# Before you train a network you want to know three things. How many numbers does it learn? How long
# does a picture take? Does it fit into memory? All three can be counted without running it.
#
# One kernel sees C_in/groups channels, K·K numbers in each, and has a bias. A layer has C_out
# kernels:
#
#     convolution       parameters  C_out·(C_in/groups·K·K + 1)
#     fully connected   parameters  out·(in + 1)
#
# conv1: 96·(3·11·11 + 1) = 34,944. Now the work, in multiply-accumulates. A fully connected layer
# uses each weight once. A convolution uses each weight at every place of its output, W·W times:
# C_out·C_in/groups·K·K·W·W. So few parameters can be much work. The claims are from the paper (P)
# and from a widely copied set of study notes (N1 to N5).

# %%
claim("C1", "N4, P", "60 M parameters")
claim("C3", "N5", "conv1 has 3·(11·11)·96 = 35k parameters")
claim("C4", "N5", "the fully connected layers hold most of the parameters")
classes = 1000
guess = predict(f"How many million parameters has AlexNet, in two towers, {classes} classes?",
                within=1)
convolutions = [("conv1", 3, 96, 11, 1, 55), ("conv2", 96, 256, 5, 2, 27),
                ("conv3", 256, 384, 3, 1, 13),
                ("conv4", 384, 384, 3, 2, 13),
                ("conv5", 384, 256, 3, 2, 13)]  # in, out, kernel, groups, output's width
connected = [("fc6", 256 * 6 * 6, 4096), ("fc7", 4096, 4096), ("fc8", 4096, classes)]

def count(convolutions, connected):
    """({layer: parameters}, {layer: multiply-accumulates}), straight from the formulae."""
    parameters = {name: out * (inner // groups * kernel**2 + 1)
                  for name, inner, out, kernel, groups, _ in convolutions}
    parameters |= {name: out * (inner + 1) for name, inner, out in connected}
    macs = {name: out * inner // groups * kernel**2 * width**2
            for name, inner, out, kernel, groups, width in convolutions}
    return parameters, macs | {name: inner * out for name, inner, out in connected}

def built(variant, **options):
    """(the model's summary, how many numbers are really in its arrays)."""
    model = models.alexnet(variant, num_classes=classes, **options)
    return shapes.summary(model), sum(parameter.size for parameter in model.parameters())

parameters, macs = count(convolutions, connected)
summary, real = built("paper")
formula(" + ".join(f"{number:,}" for number in parameters.values())
        + f" = {sum(parameters.values()):,}")
guess.turned_out(round(real / 1e6, 2))
fact(f"{real:,} by the formula, in the summary, and in the arrays themselves",
     sum(parameters.values()) == summary.totals.parameters == real)
fact("layer by layer too",
     parameters == {row.name: row.parameters for row in summary.rows if row.parameters})
fact("that is 60 million, within 2 %", abs(real / 60e6 - 1) < 0.02)
settle("C1", "true", f"{real:,}")
fact("conv1: 34,848 weights and 96 biases",
     (3 * 11 * 11 * 96, parameters["conv1"]) == (34_848, 34_944))
settle("C3", "true", f"3·11·11·96 = {3 * 11 * 11 * 96:,} weights; with "
       f"96 biases {parameters['conv1']:,}")
last = sum(parameters[name] for name, *_ in connected), sum(macs[name] for name, *_ in connected)
work = sum(macs.values())
shares = last[0] / real, last[1] / work
fact(f"fc6 to fc8 have {last[0]:,} of {real:,} parameters: more than nine tenths", shares[0] > 0.9)
fact(f"but only {last[1] / 1e6:.1f} of {work / 1e6:.1f} million multiply-accumulates: less than a "
     "tenth", shares[1] < 0.1 and macs == {row.name: row.macs for row in summary.rows if row.macs})
fact("a convolution uses each weight at each of its W·W places, a connected layer uses it once",
     all(macs[name] == (parameters[name] - out) * width**2
         for name, _, out, _, _, width in convolutions)
     and all(macs[name] == parameters[name] - out for name, _, out in connected))
settle("C4", "true", f"{shares[0]:.1%} of the parameters, and only {shares[1]:.1%} of the work: "
       "a convolution uses each weight at every place, a connected layer once")

# %% [markdown]
# ## 2. Without the split
# The paper has two towers because one graphics card of 3 GB, it says, is too small (lesson 18).
# With one large card nobody needs them. In which layers does this change the count? Where `groups`
# was 2: conv2, conv4 and conv5. Their kernels then see twice as many channels, so they have twice
# the weights. conv3 and the fully connected layers saw both towers already.

# %%
claim("C5", "N3, N4", "without the split: double the channels each kernel sees")
guess = predict("Without towers conv2, conv4 and conv5 have twice the weights. "
                "How many million parameters in all?", within=1)
halved = [out * inner // 2 * kernel**2 for _, inner, out, kernel, groups, _ in convolutions
          if groups == 2]
formula(f"{' + '.join(f'{n:,}' for n in halved)} = {sum(halved):,} weights, "
        "and they come a second time")
single = count([(name, inner, out, kernel, 1, width)
                for name, inner, out, kernel, _, width in convolutions], connected)
whole, real_single = built("single-tower")
guess.turned_out(round(real_single / 1e6, 2))
fact(f"{real_single:,} parameters, only {real_single / real - 1:.1%} more",
     real_single < 1.03 * real and real_single - real == sum(halved)
     and sum(single[0].values()) == whole.totals.parameters == real_single)
more = whole.totals.macs / work - 1
fact(f"but {whole.totals.macs / 1e6:,.0f} million multiply-accumulates "
     f"instead of {work / 1e6:,.0f}: {more:.0%} more",
     sum(single[1].values()) == whole.totals.macs and 0.5 < more < 0.6)
settle("C5", "true", f"{real_single:,} parameters, {whole.totals.macs / 1e6:,.0f} M "
       f"multiply-accumulates against {summary.totals.macs / 1e6:,.0f} M")

# %% [markdown]
# ## 3. The riddle of 50,820,776
# A student's program, copied often, prints this number at its end as "AlexNet". It is 10 million
# too small. How do you find out which network it is? Read the first line that it prints: conv1 has
# 11,712 parameters. With 96 kernels of 11×11 over c channels this is 96·(11·11·c + 1). Solve it for
# c: divide by 96, subtract 1, divide by 121.

# %%
claim("C2", "N3", "50 M parameters; Keras prints 50,820,776")
first_line, riddle = 11_712, 50_820_776
guess = predict(f"96·(11·11·c + 1) = {first_line:,}. How many channels c had "
                "that program's pictures?")
c = (first_line / 96 - 1) / 121
formula(f"c = ({first_line:,}/96 - 1)/121 = ({first_line / 96:g} - 1)/121 = {c:g}")
guess.turned_out(c)
(keras, printed), (_, grey), (_, colour) = (built("keras", in_channels=channels)
                                            for channels in (int(c), 1, 3))
fact(f"with {c:g} channel(s), no towers, "
     f"224 without padding and a flatten of 256·5·5 = 6400 it is {riddle:,}: 10 million too few",
     (printed, keras.rows[0].parameters, c) == (riddle, first_line, int(c))
     and all(row.groups == 1 for row in keras.rows)
     and {row.name: row for row in keras.rows}["fc6"].macs == 6400 * 4096 and real - riddle > 10e6)
fact(f"in grey it prints {grey:,}, in colour {colour:,}, which is 2·121·96 more",
     colour - grey == 2 * 121 * 96)
fc6_loss = 4096 * (9216 - 6400)
fact(f"from one tower's {real_single:,} it is fc6's 4096·(9216 - 6400) = {fc6_loss:,} "
     "that are missing", colour == real_single - fc6_loss)
settle("C2", "true of that program", f"grey pictures: {grey:,}; RGB {colour:,}; "
       f"AlexNet {real:,}. flatten 6400 instead of 9216 costs {fc6_loss:,}, "
       f"the towers that are missing add {real_single - real:,}")

# %% [markdown]
# ## 4. Neurons
# Older texts say "neuron" for each single value that a layer puts out, because each was thought of
# as a nerve cell. conv1 puts out 96 maps of 55×55, so it has 96·55·55 of them. The paper says that
# there are 650,000, and writes a number on each layer of its figure. Do these numbers agree with
# the layers, and with each other?

# %%
claim("C6", "N4, N3, P", "650,000 neurons; 253,440–186,624–64,896–64,896–43,264–4096–4096–1000")
guess = predict("How many values does conv1 put out, 96 maps of 55×55?")
told = [253_440, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
counted = [out * width**2 for _, _, out, _, _, width in convolutions] + [out
                                                                         for _, _, out in connected]
guess.turned_out(counted[0])
fact("the layers' sizes give the same count as the summary's shapes",
     counted == [np.prod(row.output_shape) for row in summary.rows if row.parameters])
fact("of the figure's eight numbers seven are right, conv1's is not",
     [a == b for a, b in zip(told, counted)] == [False] + [True] * 7)
fact("253,440 is 55·48·96: a map of 55×48, a slip. 55·55·96 = 290,400",
     (55 * 48 * 96, 55 * 55 * 96) == (told[0], counted[0]))
fact(f"the figure's numbers sum to {sum(told):,}, "
     f"the right ones to {sum(counted):,}: 650,000 lies between",
     (sum(told), sum(counted)) == (622_312, 659_272) and sum(told) < 650_000 < sum(counted))
fact("its input of 150,528 is 224·224·3; what fits is 227·227·3 = 154,587",
     (224**2 * 3, 227**2 * 3) == (150_528, 154_587))
settle("C6", "half true", f"conv1 has {counted[0]:,}, not {told[0]:,} = 55·48·96; "
       f"the sum is {sum(counted):,}, with the slip {sum(told):,}: 650,000 lies between")

# %% [markdown]
# ## 5. The one that PyTorch ships
# Who writes `torchvision.models.alexnet()` today gets a network with this name. Is it the one of
# 2012? The same author published a simpler one in 2014, in "One weird trick for parallelizing
# convolutional neural networks": fewer kernels in some layers, no towers and no response norm.
# Compare the layers, not the name.

# %%
claim("C7", "–", "The AlexNet that PyTorch ships is the paper's")
torchvision, shipped = built("torchvision")
kinds = {row.type for row in torchvision.rows}
widths = [row.output_shape[0] for row in torchvision.rows if row.type == "Conv2d"]
fact("64-192-384-256-256 maps: 61,100,840 parameters",
     (widths, shipped) == ([64, 192, 384, 256, 256], 61_100_840))
fact("no response norm, no towers; 224 with padding 2 gives 55",
     "LocalResponseNorm" not in kinds and all(row.groups == 1 for row in torchvision.rows)
     and torchvision.rows[0].output_shape == (64, 55, 55))
settle("C7", "false", f"it is the “one weird trick” network of 2014: {'-'.join(map(str, widths))}, "
       f"{shipped:,} parameters, 224 with padding 2, no response norm")

# %% [markdown]
# ## 6. Memory
# How much memory does training take? A number in float32 takes 4 bytes. Training keeps three
# numbers for each weight: the weight, its gradient, and what the update remembers (lesson 15). It
# also keeps the outputs of all layers for each picture of the batch, because the backward pass
# needs them. The weights are there once, the outputs once a picture.

# %%
batch = 128
weights, outputs = 4 * real / 2**20, summary.totals.activation_bytes / 2**20
fact(f"weights {weights:.0f} MiB, with gradient and memory of the update {3 * weights:.0f} MiB",
     round(weights) == 233)
fact(f"all outputs of one picture {outputs:.1f} MiB, "
     f"of {batch} pictures {batch * outputs:.0f} MiB: more than the three together",
     round(outputs, 1) == 7.3 and batch * outputs > 3 * weights)

# %% [markdown]
# ## 7. Broken on purpose: kernels of one tower after a layer of two
# conv1 puts out 96 maps. Kernels for 48 channels, without `groups=2`, do not fit. The summary says
# so without running anything.

# %%
with broken(ValueError):
    shapes.summary(nn.Sequential(conv1=nn.Conv2d(3, 96, 11, stride=4),
                                 conv2=nn.Conv2d(48, 256, 5, padding=2)), (3, 227, 227))
show(summary)
neurons = dict(zip(parameters, counted))
middle = sum(macs[f"conv{n}"] for n in (2, 3, 4, 5)) / work
front = (neurons["conv1"] + neurons["conv2"]) / sum(counted)
fact(f"neurons are in front: conv1 and conv2 have {front:.0%}. Work is in the middle: "
     f"conv2 to conv5 have {middle:.0%}. Parameters are at the end: "
     f"fc6 to fc8 have {shares[0]:.0%}", min(front, middle, shares[0]) > 0.7)
classroom.save(whole_network.draw(parameters, macs, neurons, np.array(told)), "13_whole_network",
               "Above: one strip for each count, divided among the layers. Below: "
               "the figure's numbers and the right ones; only conv1's differ.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `classes = 20`: does a network for 20 classes have 60 million parameters?
# - `first_line, riddle = 34_944, 50_844_008`: how many channels had this program's pictures?
# - `batch = 64`: what takes more memory then, the outputs or the weights?
#
# ## Exercise
# `lessons/exercises/13_whole_network.py`: a counter of your own, for any such network.
