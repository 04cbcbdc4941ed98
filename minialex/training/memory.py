"""When a batch is too large for the memory: what was needed, what there was, and which batch would fit."""

from .. import nn, shapes
from ..device import bytes_asked_for, gpu_memory
from ..errors import OutOfMemory
from .experiment import part_size

# The most memory that a training step has in use, counted on networks of this family: weights, gradients and velocities,
# and of all layers' outputs together 1.6 times the size (paper), 1.8 (torchvision), 0.8 to 1.0 (LeNet-5: tanh keeps its own
# output, and nobody the convolution's before it).
PER_WEIGHT, PER_OUTPUT, PER_OUTPUT_WITH_TANH = 3, 1.8, 1.0


def batch_that_fits(model, room):
    """The most images per training step for `room` bytes; 0 when there is no room for one."""
    totals = shapes.summary(model).totals
    per_output = PER_OUTPUT_WITH_TANH if any(isinstance(layer, nn.Tanh) for _, layer in model.named_modules()) else PER_OUTPUT
    return max(0, int((0.95 * room - PER_WEIGHT * 4 * totals.parameters) / (per_output * totals.activation_bytes)))


def explain(error, trainer):
    """OutOfMemory, with one sentence for the user, for the MemoryError that ended a run (trainer: None before its first step)."""
    said = str(error).rstrip(".") or "an array could not be allocated"
    if trainer is None or trainer.device == "cpu":
        config = trainer and trainer.config
        parts = min(2 * config.accumulate, config.batch_size) if config else 2
        return OutOfMemory(f"the memory is too small: {said}; --accumulate {parts} computes the same with less, a smaller "
                           "--batch-size something else with less.")
    batch = part_size(trainer.config)
    free, in_use = gpu_memory()
    fits = min(batch_that_fits(trainer.model, free + in_use), batch - 1)
    needed = bytes_asked_for(said)
    wanted = f"{needed:,} bytes more were needed, {free:,} are free and {in_use:,} in use" if needed else said.partition(";")[0]
    parts = -(-trainer.config.batch_size // fits) if fits else 0
    advice = (f"a batch of about {fits} would fit (--batch-size {fits}), --accumulate {parts} computes the same in such parts"
              if fits else "not even one picture fits")
    return OutOfMemory(f"the GPU's memory is too small for a batch of {batch}: {wanted}; {advice}, or run with --device cpu.")
