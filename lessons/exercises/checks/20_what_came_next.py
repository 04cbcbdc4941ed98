"""Exercise 20: receptive fields and the cost of stacks."""
from math import prod

from checking import call, same

ALEXNET = [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)]


def check(sees, weights, stack_for):
    for name, layers in [("two 3×3", [(3, 1)] * 2), ("conv1 and pool1", ALEXNET[:2]),
                         ("AlexNet to pool5", ALEXNET)]:
        right, early = _sees(layers), _sees(layers, stride_first=True)
        hints = [
            (sum(kernel for kernel, _ in layers), "neighbouring windows overlap: "
             "each layer adds kernel − 1, not kernel."),
            (1 + sum(kernel - 1 for kernel, _ in layers),
             "a step of a later layer is as long as all strides before it, multiplied."),
            (early, "a layer's own stride counts for the layers behind it only: "
             "multiply after adding."),
            (right - 1, "start from 1: a pixel sees itself."),
            (prod(kernel for kernel, _ in layers), "the windows overlap: they add up, "
             "they do not multiply."),
        ]
        same(f"sees({name})", call(sees, layers), right, hints)
    for kernel, count, channels in [(3, 2, 64), (7, 1, 64), (3, 3, 10)]:
        right = count * kernel**2 * channels**2
        hints = [(right // channels, "each kernel sees all channels, "
                  "and there are as many kernels as channels: channels twice."),
                 (count * kernel * channels**2, "kernels are square."),
                 (kernel**2 * channels**2, "for `count` layers."),
                 ((kernel**2 * channels**2) ** count, "layers add up.")]
        same(f"weights{kernel, count, channels}", call(weights, kernel, count, channels), right,
             hints)
    for kernel, right in [(3, 1), (5, 2), (7, 3), (11, 5)]:
        hints = [(kernel // 3, "they overlap: two 3×3 see 5, not 6."),
                 (kernel - 2, "each 3×3 adds two pixels, not one."),
                 (kernel / 3, "they overlap: two 3×3 see 5, not 6."),
                 ((kernel + 1) // 2, "the first 3×3 sees 3: three pixels, one layer.")]
        same(f"stack_for({kernel})", call(stack_for, kernel), right, hints)
    return "AlexNet's 11×11 would be five 3×3, if the stride allowed it."


def _sees(layers, stride_first=False):
    across, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride if stride_first else 1
        across += (kernel - 1) * jump
        jump *= 1 if stride_first else stride
    return across
