"""--freeze: layers that stay as they are.

    pictures (N, 3, 227, 227)  →  trunk, frozen: conv1 … pool5  →  features (N, 256, 6, 6)  →  head: fc6 … fc8, which learns

A frozen parameter has requires_grad = False: no gradient is computed for it, and the optimiser, which would also let it
decay, does not have it. What the trunk makes of a picture never changes, so it is computed once and kept (see features).
"""

from .. import nn
from ..errors import UserError


def cut(model, until):
    """How many of a network's layers are frozen by --freeze `until`: "conv" or the name of a layer with parameters.

    With it go the layers without parameters that follow, up to the first that behaves in another way while training
    (dropout). Raises UserError when there is no such layer, or when none would be left to learn.
    """
    layers = model.named_children()
    learning = [name for name, layer in layers if layer.parameters()]
    convolutions = [name for name, layer in layers if isinstance(layer, nn.Conv2d)]
    last = convolutions[-1] if until == "conv" else until
    if last not in learning[:-1]:
        raise UserError(f"--freeze {until} is not possible: choose conv (all convolutions) or the last layer to freeze, one of "
                        f"{', '.join(learning[:-1])}.")
    names = [name for name, _ in layers]
    end = names.index(last) + 1
    while not layers[end][1].parameters() and not isinstance(layers[end][1], nn.Dropout):
        end += 1
    return end


def freeze(model, until):
    """Freeze layers in place. Returns (trunk, head), two networks that share the model's layers."""
    end = cut(model, until)
    trunk, head = model[:end], model[end:]
    for parameter in trunk.parameters():
        parameter.requires_grad = False
    return trunk, head


def learning(model):
    """(name, parameter) of those that are not frozen."""
    return [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
