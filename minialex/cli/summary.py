"""One line for each layer of a network: its size with the formula, parameters,
multiply-accumulates (biases not counted) and memory, all for one picture; then
the totals.

  minialex summary
  minialex summary torchvision --classes 10 --input 160
  minialex summary net.py:Net --classes 10        a network of your own
"""
import argparse
import textwrap

from .. import models, own_model, shapes
from ..errors import UserError
from ..nn import Module
from . import Command

LENET5 = "LeNet-5 of 1998 in its modern form, for pictures of 32 x 32"
NETWORKS = {**models.VARIANTS, "lenet5": LENET5}
VARIANTS = "\nvariants:\n" + "\n".join(
    textwrap.fill(what, 80, initial_indent=f"  {name:<13} ", subsequent_indent=" " * 16)
    for name, what in NETWORKS.items())


def _summarise(options: argparse.Namespace) -> None:
    if ".py:" not in options.variant and options.variant not in NETWORKS:
        raise UserError(f"unknown variant '{options.variant}': choose one of "
                        f"{', '.join(NETWORKS)}, or a network of your own as FILE.py:NAME.")
    try:
        if ".py:" in options.variant:
            model = _own(options)
        else:
            channels = options.channels or (1 if options.variant == "lenet5" else 3)
            model = models.build(options.variant, options.classes, channels)
        channels, *_, size = model.input_shape
        print(shapes.summary(model, (channels, *[options.input or size] * 2)))
    except (ValueError, MemoryError) as problem:
        raise UserError(str(problem)) from problem


def _own(options: argparse.Namespace) -> Module:
    own = own_model.read(options.variant)
    channels, *_, size = own.input_shape
    shape = (options.channels or channels, *[options.input or size] * 2)
    return own._replace(input_shape=shape).build(options.classes)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number of at least 1")
    return int(text)


main = Command(
    "summary", "[VARIANT] [options]", (__doc__ or "") + VARIANTS, _summarise, {"options": [
        ("variant", "VARIANT", "which network (default: paper)",
         {"nargs": "?", "default": "paper"}),
        ("--input", "N", "pictures of N x N (default: the network's own)", {"type": _count}),
        ("--classes", "N", "the last layer's size (default: 1000)",
         {"type": _count, "default": 1000}),
        ("--channels", "N", "1 for grey, 3 for colour (default: 3; lenet5: 1)", {"type": _count})]})
