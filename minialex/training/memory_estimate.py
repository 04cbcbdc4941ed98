"""How much memory a run will need, and how much it took: the most of two moments.

    while it trains   weights, and of those that learn gradients and velocities, 4 bytes each; per
                      picture worked on at once OUTPUTS x what the layers put out + 5 x the input
                      (batches that are ready or on their way, if the set has so many); what frozen
                      layers make of all pictures, where that is kept, or while it is computed
    at its end        a second network, read from the best checkpoint and first drawn at random, and
                      the drawing

besides the decoded pictures that are kept and what the program itself takes. Measured on the CPU
with two threads, as VmHWM, on 136 pictures: paper at batches of 32 and 128: 1,350 and 1,925 MB
while it trains, 1,590 and less at its end; torchvision 1,252 and 1,553, then 1,568; keras at 16:
969, then 1,314; LeNet-5 at 64: 85, then 183. On 576 pictures paper at 128 takes 2,287 MB while it
trains and torchvision at 64 1,631 at its end.
"""

import math

from .. import nn, shapes
from ..device import bytes_asked_for, gpu_memory, memory_free
from ..errors import OutOfMemory
from . import finetune
from .loop import Trainer
from .setup import Experiment

PROGRAM, DRAWING = 75e6, 105e6  # Python and NumPy; Matplotlib and the page
SCRATCH = 4  # bytes per weight: tiles, sums of threads, gaps between small arrays
# Of what the layers put out, how much is there at once in a training step: without tanh, and with
# it, which keeps its output while ReLU takes the place of its input. A GPU's pool was counted on
# networks of this family: 1.6 times (paper), 1.8 (torchvision), 0.8 to 1.0 (LeNet-5: nobody keeps
# the convolution's output before the tanh).
OUTPUTS, OUTPUTS_ON_GPU = (0.86, 1.65), (1.8, 1.0)
INPUTS = 5
FORWARD = 3  # of the largest outputs are there at once when nothing is kept for a backward pass
RANDOM = 1.35  # of the largest layer, while a network is drawn


def memory(experiment: Experiment) -> int:
    """Bytes that a run will take at most; on a CPU with the decoded pictures that are kept."""
    if experiment.model.parameters()[0].device != "cpu":
        return round(_weights(experiment.model) + _at_once(experiment) + PROGRAM)
    program = PROGRAM + SCRATCH * _count(experiment.model)
    for pictures in (experiment.train, experiment.val):  # none are kept that lie in a pack
        decoded = len(pictures) * 3 * pictures.size ** 2
        program += min(decoded, getattr(pictures, "cache_bytes", 0))
    return round(program + max(training(experiment), ending(experiment.model)))


def training(experiment: Experiment) -> float:
    """Bytes for weights, gradients, velocities, batches and features."""
    weights, at_once = _weights(experiment.model), _at_once(experiment)
    if experiment.trunk is None:
        return weights + at_once
    shape = experiment.model.input_shape
    layers = shapes.summary(experiment.trunk, shape).rows
    largest = max(math.prod(layer.output_shape) for layer in layers)
    forward = finetune.BATCH * 4 * (FORWARD * largest + INPUTS * math.prod(shape))
    views = min(experiment.views, experiment.config.epochs)
    seen = views * len(experiment.train) + len(experiment.val) * (views > 0)
    return weights + seen * bytes_of_features(experiment) + max(at_once, forward)


def ending(model: nn.Module) -> float:
    """Bytes at the last report: gradients and features are gone, a second network is there."""
    largest = max(parameter.data.size for parameter in model.parameters())
    return 4 * (3 * _count(model) + _count(model, learning=True) + RANDOM * largest) + DRAWING


def bytes_of_features(experiment: Experiment) -> int:
    """Bytes of what the frozen layers make of one picture."""
    return 4 * math.prod(finetune.output_shape(experiment.trunk, experiment.model.input_shape))


def _at_once(experiment):
    """Bytes for the pictures that are worked on at once in training."""
    model, part = experiment.model, experiment.config.part_size
    on_cpu = model.parameters()[0].device == "cpu"
    outputs = (OUTPUTS if on_cpu else OUTPUTS_ON_GPU)[_has_tanh(model)]
    if not experiment.views:
        ahead = min(INPUTS, len(experiment.train) / part)
        return part * (outputs * _activations(model) + ahead * 4 * math.prod(model.input_shape))
    shape = finetune.output_shape(experiment.trunk, model.input_shape)
    head = shapes.summary(experiment.head, shape).totals.activation_bytes
    return part * (outputs * head + 2 * bytes_of_features(experiment))


def _activations(model):
    """Bytes that a network's layers put out for a picture."""
    return getattr(model, "activation_bytes", None) or shapes.summary(model).totals.activation_bytes


def _has_tanh(model):
    return any(isinstance(layer, nn.Tanh) for _, layer in model.named_modules())


def _weights(model):
    """Bytes of the weights, and of the gradients and velocities of those that learn."""
    return 4 * _count(model) + 8 * _count(model, learning=True)


def _count(model, learning=False):
    return sum(parameter.data.size for parameter in model.parameters()
               if parameter.requires_grad or not learning)


def caution(experiment: Experiment) -> str | None:
    """A sentence when the memory that is free will hardly do, or None."""
    needed, free = memory(experiment), memory_free(experiment.model.parameters()[0].device)
    if free is None or needed < 0.95 * free:
        return None
    return (f"training may need {gigabytes(needed)} of memory and {gigabytes(free)} are free: "
            f"--accumulate {2 * experiment.config.accumulate} computes the same with less")


def gigabytes(count: float) -> str:
    """A number of bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


# -------------------------------------------------------------------------------- too large a batch


def batch_that_fits(model: nn.Module, room: float) -> int:
    """The most images per training step for `room` bytes on a GPU; 0 without room for one."""
    per_output = OUTPUTS_ON_GPU[_has_tanh(model)]
    return max(0, int((0.95 * room - 12 * _count(model)) / (per_output * _activations(model))))


def explain(error: MemoryError, trainer: Trainer | None) -> OutOfMemory:
    """One sentence for the MemoryError that ended a run. trainer: None before its first step."""
    said = str(error).rstrip(".") or "an array could not be allocated"
    if trainer is None or trainer.device == "cpu":
        parts = min(2 * trainer.config.accumulate, trainer.config.batch_size) if trainer else 2
        return OutOfMemory(f"the memory is too small: {said}; --accumulate {parts} computes the "
                           "same with less, a smaller --batch-size something else with less.")
    batch, (free, in_use) = trainer.config.part_size, gpu_memory()
    fits = min(batch_that_fits(trainer.model, free + in_use), batch - 1)
    needed, wanted = bytes_asked_for(said), said.partition(";")[0]
    if needed:
        wanted = f"{needed:,} bytes more were needed, {free:,} are free and {in_use:,} in use"
    advice = "not even one picture fits"
    if fits:
        advice = (f"a batch of about {fits} would fit (--batch-size {fits}), --accumulate "
                  f"{-(-trainer.config.batch_size // fits)} computes the same in such parts")
    return OutOfMemory(f"the GPU's memory is too small for a batch of {batch}: {wanted}; {advice}, "
                       "or run with --device cpu.")
