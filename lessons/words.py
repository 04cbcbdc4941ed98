"""The words of the course, each with the lesson that explains it. `python -m lessons --words`
prints them.

A lesson explains a word where it stands in bold, **so**, in one of its texts. No lesson before uses
it: a test holds this.
"""
from collections import namedtuple

from lessons.telling import paragraph

# lesson: its number; term: as it stands in bold; forms: regular expression of what counts as using
# it; meaning: one sentence.
Word = namedtuple("Word", "lesson term forms meaning")

WORDS = [
    Word(0, "network", r"networks?",
         "A chain of simple steps with numbers in it that can be changed."),
    Word(0, "weights", r"weights?", "The numbers in a network that training changes; "
         "often without the biases."),
    Word(0, "layers", r"layers?", "The steps of a network, one after the other."),
    Word(0, "bias", r"bias(?:es)?", "A number that a layer adds to its result; "
         "one for each number it puts out."),
    Word(0, "parameters", r"parameters?", "All weights and biases of a network."),
    Word(0, "label", r"labels?", "The right answer for one example."),
    Word(0, "loss", r"loss(?:es)?", "One number that says how wrong the answers are; "
         "training makes it small."),
    Word(0, "train", r"train(?:s|ed|ing)?", "Change the weights, step by step, "
         "until the loss is small."),
    Word(0, "gradient", r"gradients?", "The slopes of the loss in the direction of each weight."),
    Word(0, "step", r"", "One change of all weights: w ← w − ε·slope."),
    Word(0, "learning rate", r"learning rates?", "How far a step goes: ε in w ← w − ε·slope."),
    Word(0, "validation", r"validation", "Examples kept aside, "
         "which the network never learns from; they show what it can do."),
    Word(1, "channel", r"channels?", "One sheet of numbers of a picture, such as its red part; "
         "layers make more of them."),
    Word(1, "kernel", r"kernels?", "A small block of weights that slides over a picture; "
         "also called a filter."),
    Word(1, "window", r"windows?", "The part of a picture that a kernel covers at one place."),
    Word(1, "stride", r"strides?", "How many pixels a window moves from one place to the next."),
    Word(1, "padding", r"padding", "A border around the picture, mostly of zeros, "
         "so that windows can reach over its edge."),
    Word(1, "convolution", r"convolutions?|convolutional",
         "A layer that multiplies each window by a kernel and sums up."),
    Word(1, "map", r"maps?|feature maps?", "What one kernel puts out: a number for each place, "
         "again a sheet."),
    Word(1, "pooling", r"pool(?:s|ing|ed)?", "A layer that keeps one number of each window, "
         "the largest or the mean."),
    Word(2, "tape", r"tapes?", "A record of what was computed, "
         "so that derivatives can be found by walking it backwards."),
    Word(2, "forward pass", r"forward pass(?:es)?", "Compute the network's answer, "
         "from the picture to the loss."),
    Word(2, "backward pass", r"backward pass(?:es)?",
         "Compute all slopes, from the loss back to the weights."),
    Word(2, "chain rule", r"chain rule",
         "The slope of a chain of steps is the product of their slopes."),
    Word(3, "finite difference", r"finite differences?",
         "A slope found by trying: (f(x + h) − f(x − h))/2h."),
    Word(3, "cotangent", r"cotangents?",
         "The incoming gradient g = dL/dy that a backward pass starts from."),
    Word(4, "im2col", r"im2col", "Write each window of a picture as a column of a matrix."),
    Word(4, "batch", r"batch(?:es)?",
         "The pictures that go through the network together in one step."),
    Word(5, "groups", r"groups",
         "Divide a layer's channels into parts that do not see each other."),
    Word(5, "tower", r"towers?", "One half of AlexNet; each ran on a graphics card of its own."),
    Word(6, "activation", r"activations?", "The bend between two layers (ReLU, tanh, sigmoid), "
         "and what comes out of it."),
    Word(6, "ReLU", r"ReLUs?", "max(x, 0): keeps what is positive, makes the rest 0."),
    Word(6, "saturate", r"saturat(?:e|es|ed|ion)",
         "Be so far out that the curve is flat and the slope is almost 0."),
    Word(6, "epoch", r"epochs?", "One pass over all training pictures."),
    Word(8, "response normalisation", r"(?:local )?response norm(?:alisation)?|LRN",
         "Divide each value by a number that grows with its neighbours in the channel direction."),
    Word(9, "logits", r"logits?", "The scores of the classes, as the last layer puts them out."),
    Word(9, "softmax", r"softmax", "Make scores into probabilities: e^x of each, "
         "divided by their sum."),
    Word(9, "cross-entropy", r"cross-entropy", "The loss −ln p, "
         "where p is the probability that the right class got."),
    Word(10, "dropout", r"dropout", "In training, replace each value by 0 with probability p."),
    Word(11, "fully connected", r"fully connected", "A layer in which each output sees each input: "
         "a matrix product."),
    Word(14, "initialisation", r"initialis(?:ation|e|ed)",
         "The random numbers that the weights start from."),
    Word(15, "momentum", r"momentum", "Keep most of the last step's direction: v ← 0.9·v − ε·g."),
    Word(15, "weight decay", r"weight decay", "Pull every weight a little towards 0 in each step."),
    Word(16, "augmentation", r"augmentation", "Make more training pictures of one: "
         "crops, reflections, colours."),
    Word(17, "overfit", r"overfit(?:s|ting)?",
         "Learn the training pictures by heart instead of what they have in common."),
    Word(18, "data parallel", r"data[- ]parallel",
         "Each process has all weights and a part of the batch; gradients are added."),
    Word(18, "shard", r"shards?", "A fixed part of a batch, whose gradient one process computes."),
    Word(18, "model parallel", r"model[- ]parallel",
         "Each process has a part of the weights and sees the whole batch."),
    Word(19, "ensemble", r"ensembles?", "Several networks whose answers are averaged."),
    Word(20, "receptive field", r"receptive fields?",
         "The part of the picture that one value can see."),
]


def glossary():
    """All words, in the order in which the lessons explain them."""
    lines, lesson = ["The words of the course, and the lesson that explains each"], None
    for word in WORDS:
        if word.lesson != lesson:
            lesson = word.lesson
            lines.append(f"\nLesson {lesson:02}")
        lines.append(paragraph(f"  {word.term}: {word.meaning}"))
    return "\n".join(lines)
