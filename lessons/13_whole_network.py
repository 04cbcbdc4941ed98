"""The whole AlexNet: parameters, neurons, work and memory, and the 50,820,776 riddle

Every number that is told of AlexNet can be counted. Some that are told are of another network, one is of this network with
a slip in it, and the riddle is solved by the first line that a program printed.
"""
# %% Tools
import classroom  # makes `import minialex` work from any folder
import numpy as np
from classroom import broken, claim, fact, formula, predict, settle
from drawings import whole_network

from minialex import models, nn, shapes

# %% [markdown]
# ## 1. Parameters
# A convolution has C_out·(C_in/groups·K·K + 1), a fully connected layer out·(in + 1). conv1: 96·(3·11·11 + 1) = 34,944.

# %%
claim("C1", "N4, P", "60 M parameters")
claim("C3", "N5", "conv1 has 3·(11·11)·96 = 35k parameters")
claim("C4", "N5", "the fully connected layers hold most of the parameters")
guess = predict("How many million parameters has AlexNet, in two towers, 1000 classes?", within=1)
convolutions = [("conv1", 3, 96, 11, 1, 55), ("conv2", 96, 256, 5, 2, 27), ("conv3", 256, 384, 3, 1, 13),
                ("conv4", 384, 384, 3, 2, 13), ("conv5", 384, 256, 3, 2, 13)]  # in, out, kernel, groups, output's width
connected = [("fc6", 256 * 6 * 6, 4096), ("fc7", 4096, 4096), ("fc8", 4096, 1000)]

def count(convolutions, connected):
    """({layer: parameters}, {layer: multiply-accumulates}), straight from the formulae."""
    parameters = {name: out * (inner // groups * kernel**2 + 1) for name, inner, out, kernel, groups, _ in convolutions}
    parameters |= {name: out * (inner + 1) for name, inner, out in connected}
    macs = {name: out * inner // groups * kernel**2 * width**2 for name, inner, out, kernel, groups, width in convolutions}
    return parameters, macs | {name: inner * out for name, inner, out in connected}

def built(variant, **options):
    """(the model's summary, how many numbers are really in its arrays)."""
    model = models.alexnet(variant, **options)
    return shapes.summary(model), sum(parameter.size for parameter in model.parameters())

parameters, macs = count(convolutions, connected)
summary, real = built("paper")
formula(" + ".join(f"{number:,}" for number in parameters.values()) + f" = {sum(parameters.values()):,}")
guess.turned_out(round(real / 1e6, 2))
fact("60,965,224 by the formula, in the summary, and in the arrays themselves",
     sum(parameters.values()) == summary.totals.parameters == real == 60_965_224)
fact("layer by layer too", parameters == {row.name: row.parameters for row in summary.rows if row.parameters})
settle("C1", "true", f"{real:,}")
fact("conv1: 34,848 weights and 96 biases", (3 * 11 * 11 * 96, parameters["conv1"]) == (34_848, 34_944))
settle("C3", "true", f"3·11·11·96 = {3 * 11 * 11 * 96:,} weights; with 96 biases {parameters['conv1']:,}")
last = sum(parameters[name] for name, *_ in connected), sum(macs[name] for name, *_ in connected)
shares = last[0] / real, last[1] / sum(macs.values())
fact("fc6 to fc8: 58,631,144 of 60,965,224 parameters", last[0] == 58_631_144)
work = sum(macs.values())
fact("but 58.6 of 724.4 million multiply-accumulates", (round(last[1] / 1e6, 1), round(work / 1e6, 1)) == (58.6, 724.4)
     and macs == {row.name: row.macs for row in summary.rows if row.macs})
settle("C4", "true", f"{shares[0]:.1%} of the parameters, and only {shares[1]:.1%} of the work: a convolution uses each weight "
       "at every place, a connected layer once")

# %% 2. Without the split
claim("C5", "N3, N4", "without the split: double the channels each kernel sees")
guess = predict("Without towers conv2, conv4 and conv5 have twice the weights. How many million parameters in all?", within=1)
formula("2·307,200 + 2·663,552 + 2·442,368 instead of the same once: 1,413,120 more")
single = count([(name, inner, out, kernel, 1, width) for name, inner, out, kernel, _, width in convolutions], connected)
whole, real_single = built("single-tower")
guess.turned_out(round(real_single / 1e6, 2))
fact("62,378,344 parameters, only 2 % more", sum(single[0].values()) == whole.totals.parameters == real_single == 62_378_344)
fact("but 1,135 million multiply-accumulates instead of 724: 57 % more",
     sum(single[1].values()) == whole.totals.macs == 1_135_256_096)
settle("C5", "true", f"{real_single:,} parameters, {whole.totals.macs / 1e6:,.0f} M multiply-accumulates against "
       f"{summary.totals.macs / 1e6:,.0f} M")

# %% [markdown]
# ## 3. The riddle of 50,820,776
# A student's program prints this number. It is not AlexNet's. Its first line says 11,712 for conv1: 96·(11·11·1 + 1).

# %%
claim("C2", "N3", "50 M parameters; Keras prints 50,820,776")
guess = predict("96·(11·11·c + 1) = 11,712. How many channels c had that program's pictures?")
formula("11,712/96 = 122 = 11·11·1 + 1")
guess.turned_out((11_712 / 96 - 1) / 121)
(keras, grey), (_, colour) = built("keras", in_channels=1), built("keras")
fact("with one channel, no towers, 224 without padding and a flatten of 256·5·5 = 6400: 50,820,776",
     (grey, keras.rows[0].parameters) == (50_820_776, 11_712))
fact("in colour it would have printed 50,844,008, which is 2·121·96 more", (colour, colour - grey) == (50_844_008, 2 * 121 * 96))
fc6_loss = 4096 * (9216 - 6400)
fact("from one tower's 62,378,344 it is fc6's 4096·(9216 - 6400) = 11,534,336 that are missing", colour == real_single - fc6_loss)
settle("C2", "true of that program", f"grey pictures: {grey:,}; RGB {colour:,}; AlexNet {real:,}. flatten 6400 instead of 9216 "
       f"costs {fc6_loss:,}, the towers that are missing add {real_single - real:,}")

# %% 4. Neurons
claim("C6", "N4, N3, P", "650,000 neurons; 253,440–186,624–64,896–64,896–43,264–4096–4096–1000")
guess = predict("How many values does conv1 put out, 96 maps of 55×55?")
told = [253_440, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
counted = [out * width**2 for _, _, out, _, _, width in convolutions] + [out for _, _, out in connected]
guess.turned_out(counted[0])
fact("the layers' sizes give the same count as the summary's shapes",
     counted == [np.prod(row.output_shape) for row in summary.rows if row.parameters])
fact("all others are right, conv1 is not", [a == b for a, b in zip(told, counted)] == [False] + [True] * 7)
fact("253,440 is 55·48·96: a map of 55×48, a slip. 55·55·96 = 290,400", (55 * 48 * 96, 55 * 55 * 96) == (told[0], counted[0]))
fact("the figure's numbers sum to 622,312, the right ones to 659,272", (sum(told), sum(counted)) == (622_312, 659_272))
fact("its input of 150,528 is 224·224·3; what fits is 227·227·3 = 154,587", (224**2 * 3, 227**2 * 3) == (150_528, 154_587))
settle("C6", "half true", f"conv1 has {counted[0]:,}, not {told[0]:,} = 55·48·96; the sum is {sum(counted):,}, with the slip "
       f"{sum(told):,}: 650,000 lies between")

# %% 5. The one that PyTorch ships
claim("C7", "–", "The AlexNet that PyTorch ships is the paper's")
torchvision, shipped = built("torchvision")
kinds = {row.type for row in torchvision.rows}
widths = [row.output_shape[0] for row in torchvision.rows if row.type == "Conv2d"]
fact("64-192-384-256-256 maps: 61,100,840 parameters", (widths, shipped) == ([64, 192, 384, 256, 256], 61_100_840))
fact("no response norm, no towers; 224 with padding 2 gives 55", "LocalResponseNorm" not in kinds
     and all(row.groups == 1 for row in torchvision.rows) and torchvision.rows[0].output_shape == (64, 55, 55))
settle("C7", "false", f"it is the “one weird trick” network of 2014: {'-'.join(map(str, widths))}, {shipped:,} parameters, 224 "
       "with padding 2, no response norm")

# %% 6. Memory; and broken on purpose: too few channels. Then the picture.
weights, outputs = 4 * real / 2**20, summary.totals.activation_bytes / 2**20
fact("in float32: weights 233 MiB, with gradient and velocity 698; all outputs of one picture 7.3 MiB, of 128 pictures 940 MiB",
     (round(weights), round(3 * weights), round(outputs, 1), round(128 * outputs)) == (233, 698, 7.3, 940))
with broken(ValueError):
    shapes.summary(nn.Sequential(conv1=nn.Conv2d(3, 96, 11, stride=4), conv2=nn.Conv2d(48, 256, 5, padding=2)), (3, 227, 227))
print(f"\n{summary}")
classroom.save(whole_network.draw(parameters, macs, dict(zip(parameters, counted)), np.array(told)), "13_whole_network")
classroom.score()

# %% [markdown]
# ## Exercise
# `lessons/exercises/13_whole_network.py`: a counter of your own, for any such network.
