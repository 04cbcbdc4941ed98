"""How much memory a run will need, and how much it took: the most of two moments.

    while it trains      weights, and of those that learn gradients and velocities, 4 bytes each; per picture worked on at once
                         OUTPUTS x what the layers put out + 4 x the input (batches that are ready or on their way);
                         what frozen layers make of all pictures, where that is kept, or while it is computed
    at its end           a second network, read from the best checkpoint and first drawn at random, and the drawing

besides the decoded pictures that are kept and what the program itself takes. Measured on the CPU with two threads, as VmHWM:
paper at batches of 8 and 64: 1,104 and 1,720 MB while it trains, 1,511 and 1,611 at its end; torchvision 976 and 1,458 MB;
LeNet-5 at 64 and 512: 72 and 131 MB, then 178 and 198.
"""

import math

from .. import nn, shapes
from ..device import memory_free
from . import features
from .experiment import part_size

PROGRAM, DRAWING = 65e6, 105e6  # Python and NumPy; Matplotlib and the page
SCRATCH = 2.6  # bytes per weight: tiles, sums of threads, what comes and goes
OUTPUTS, OUTPUTS_WITH_TANH, OUTPUTS_ON_GPU = 1.15, 1.65, 2.0  # tanh keeps its output, ReLU takes the place of its input
INPUTS = 4
FORWARD = 3  # of the largest outputs are there at once when nothing is kept for a backward pass
RANDOM = 1.35  # of the largest layer, while a network is drawn


def memory(experiment):
    """Bytes that a run will take at most, on the device; on a CPU with the decoded pictures that are kept."""
    if experiment.model.parameters()[0].device != "cpu":
        return round(_weights(experiment) + part_size(experiment.config) * per_picture(experiment) + PROGRAM)
    program = PROGRAM + SCRATCH * _count(experiment.model.parameters())
    program += sum(_kept(pictures) for pictures in (experiment.train, experiment.val))
    return round(program + max(training(experiment), ending(experiment)))


def training(experiment):
    """Bytes for weights, gradients, velocities, batches and features."""
    at_once = part_size(experiment.config) * per_picture(experiment)
    if experiment.trunk is None:
        return _weights(experiment) + at_once
    seen = min(experiment.views, experiment.config.epochs) * len(experiment.train) + len(experiment.val)
    kept = seen * _bytes_of_features(experiment) if experiment.views else 0
    return _weights(experiment) + kept + max(at_once, features.BATCH * _forward(experiment))


def ending(experiment):
    """Bytes when the last report is made: gradients and features are gone, a second network is there."""
    parameters = experiment.model.parameters()
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    largest = max(parameter.data.size for parameter in parameters)
    return 4 * (3 * _count(parameters) + _count(learning) + RANDOM * largest) + DRAWING


def per_picture(experiment):
    """Bytes for each picture that is worked on at once in training."""
    model = experiment.model
    outputs = OUTPUTS_WITH_TANH if any(isinstance(layer, nn.Tanh) for _, layer in model.named_modules()) else OUTPUTS
    if model.parameters()[0].device != "cpu":
        outputs = OUTPUTS_ON_GPU
    if not experiment.views:
        return outputs * shapes.summary(model).totals.activation_bytes + INPUTS * 4 * math.prod(model.input_shape)
    *_, last = shapes.summary(experiment.trunk, model.input_shape).rows
    head = shapes.summary(experiment.head, last.output_shape).totals
    return outputs * head.activation_bytes + 2 * _bytes_of_features(experiment)


def _forward(experiment):
    rows = shapes.summary(experiment.trunk, experiment.model.input_shape).rows
    return FORWARD * 4 * max(math.prod(row.output_shape) for row in rows) + INPUTS * 4 * math.prod(experiment.model.input_shape)


def _bytes_of_features(experiment):
    *_, last = shapes.summary(experiment.trunk, experiment.model.input_shape).rows
    return 4 * math.prod(last.output_shape)


def _weights(experiment):
    parameters = experiment.model.parameters()
    return 4 * _count(parameters) + 8 * _count([parameter for parameter in parameters if parameter.requires_grad])


def _count(parameters):
    return sum(parameter.data.size for parameter in parameters)


def _kept(pictures):
    """Bytes of decoded pictures that a set keeps; none when they are read from a pack."""
    return min(len(pictures) * 3 * pictures.size ** 2, getattr(pictures, "cache_bytes", 0))


def caution(experiment):
    """A sentence when the memory that is free will hardly do, or None."""
    needed, free = memory(experiment), memory_free(experiment.model.parameters()[0].device)
    if free is None or needed < 0.95 * free:
        return None
    parts = 2 * experiment.config.accumulate
    return (f"training may need {gigabytes(needed)} of memory and {gigabytes(free)} are free: --accumulate {parts} computes the "
            "same with less")


def gigabytes(count):
    """A number of bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
