"""How much memory a run will need, and how much it took.

    3 numbers per weight (weight, gradient, velocity), and per picture of the part of a batch that is worked on at once
    2 x what the layers put out (the outputs, kept for the backward pass, and the gradients on their way back)
    4 x the input (batches that are ready or on their way)

all of 4 bytes, and 100 MB for programs and buffers. Measured at batches of 8 to 32 on the CPU the factor 2 was 1.8 for the
paper's network, 1.9 for LeNet-5, 2.0 for krizhevsky, 2.3 for keras and torchvision.
"""

from .. import shapes
from ..device import memory_free
from .experiment import part_size

OUTPUTS, INPUTS, FIXED = 2.0, 4, 100 << 20


def memory(experiment):
    """Bytes that training will take at most, on the device; on a CPU with the decoded pictures that are kept."""
    totals = shapes.summary(experiment.model).totals
    values = 1
    for size in experiment.model.input_shape:
        values *= size
    per_picture = OUTPUTS * totals.activation_bytes + INPUTS * 4 * values
    needed = 12 * totals.parameters + part_size(experiment.config) * per_picture + FIXED
    if experiment.model.parameters()[0].device == "cpu":
        needed += sum(_kept(pictures) for pictures in (experiment.train, experiment.val))
    return round(needed)


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
