"""python -m minialex.summary: a network's table of sizes, parameters, multiply-accumulates and memory."""
import argparse
import sys

from .. import models, shapes
from ..errors import UserError

NETWORKS = {**models.VARIANTS, "lenet5": "LeNet-5 of 1998 in its modern form, for pictures of 32 x 32"}


def main(arguments=None):
    """Prints the table and returns 0, or one sentence on stderr and returns 2."""
    options = _parser().parse_args(arguments)
    try:
        print(_summarise(options))
    except (UserError, ValueError, MemoryError) as problem:
        print(f"minialex.summary: {problem}", file=sys.stderr)
        return 2
    return 0


def _summarise(options):
    if options.variant not in NETWORKS:
        raise UserError(f"unknown variant '{options.variant}': choose one of {', '.join(NETWORKS)}.")
    channels = options.channels or (1 if options.variant == "lenet5" else 3)
    model = models.build(options.variant, options.classes, channels)
    size = options.input or model.input_shape[-1]
    return shapes.summary(model, (channels, size, size))


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m minialex.summary",
        description="One line for each layer of a network: its size with the formula, parameters,\n"
        "multiply-accumulates (biases not counted) and memory, all for one picture; then the totals.",
        epilog="variants:\n" + "\n".join(f"  {name:<13} {what}" for name, what in NETWORKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.error = lambda message: parser.exit(2, f"minialex.summary: {message} (--help lists the options).\n")
    parser.add_argument("variant", nargs="?", default="paper", metavar="VARIANT", help="which network (default: paper)")
    parser.add_argument("--input", type=_count, metavar="N", help="pictures of N x N (default: the network's own)")
    parser.add_argument("--classes", type=_count, default=1000, metavar="N", help="the last layer's size (default: 1000)")
    parser.add_argument("--channels", type=_count, metavar="N", help="1 for grey, 3 for colour (default: 3; lenet5: 1)")
    return parser


def _count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number of at least 1")
    return int(text)
