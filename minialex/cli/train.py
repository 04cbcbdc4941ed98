"""python -m minialex.train: train a network of the AlexNet family on pictures. `--help` lists the options."""

import argparse
import sys

from .. import models, weights
from ..errors import UserError
from ..training import Diverged, Interrupted, run
from ..training.config import ALWAYS, INITIALISATIONS, PIXELS, RECIPES, SCHEDULES
from ..utils import console

DESCRIPTION = """\
Trains AlexNet, or a relative of it, and leaves a folder with its weights, its curves and pictures of what it
has learnt.

  python -m minialex.train --subset                     the built-in pictures, a few minutes on two cores
  python -m minialex.train --data PICTURES              your own: one folder per class
  python -m minialex.train --data PICTURES --init WEIGHTS --freeze conv    fine-tune what has learnt already
  python -m minialex.train --data IMAGENET --paper      the paper's training
"""


def main(arguments=None):
    """Trains; returns 0, 1 when training diverged, 2 after a user's mistake (one line on stderr), 130 after Ctrl-C."""
    options = vars(_parser().parse_args(arguments))
    try:
        run(options)
    except UserError as problem:
        return _say(problem, 2)
    except OSError as problem:
        return _say(console.explain(problem), 2)
    except Diverged as problem:
        return _say(problem, 1)
    except Interrupted as stopped:
        return _say(stopped, 130)
    except KeyboardInterrupt:
        return _say("stopped", 130)
    return 0


def _say(what, status):
    print(f"minialex.train: {what}", file=sys.stderr)
    return status


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m minialex.train", usage="%(prog)s (--subset [SPEC] | --data DIR) [options]", description=DESCRIPTION,
        epilog="exit status: 0 done, 1 training diverged, 2 a mistake of the user, 130 stopped by Ctrl-C",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=26, width=110),
        argument_default=argparse.SUPPRESS, allow_abbrev=False)
    parser.error = lambda message: parser.exit(2, f"minialex.train: {message} (--help lists the options).\n")
    _add_data(parser.add_argument_group("pictures"))
    _add_network(parser.add_argument_group("network"))
    _add_training(parser.add_argument_group("training; the first default is for small sets, the second for 100,000 pictures "
                                            "and more and for --paper"))
    _add_run(parser.add_argument_group("run"))
    return parser


def _add_data(group):
    group.add_argument("--subset", nargs="?", const="", metavar="SPEC",
                       help="alone: the built-in set of 10 classes; 'imagenette': ten classes of ImageNet, downloaded; with "
                       "--data: 10 for ten of its classes, 10x100 for 100 pictures of each")
    group.add_argument("--data", metavar="DIR", help="a folder of class folders, or one that holds train/ and val/ with them")
    group.add_argument("--labels", metavar="FILE", help="a table that says what each picture is, for pictures that lie in no "
                       "class folders: lines such as photo.jpg,cat")
    group.add_argument("--class-names", metavar="FILE", help="what people read for each class: lines such as n01440764 tench, or "
                       "JSON (ImageNet's names are known)")
    group.add_argument("--val-fraction", type=float, metavar="X",
                       help=f"part of each class set aside where there is no val/ ({ALWAYS['val_fraction']})")
    group.add_argument("--val-images", type=int, metavar="N",
                       help="pictures in each validation before the last tenth of the epochs, which use all (as many as cost 5 %%"
                       " of the time)")
    group.add_argument("--no-crop", dest="crop", action="store_false", help="train on central instead of random crops")
    group.add_argument("--no-reflect", dest="reflect", action="store_false", help="train without random reflections")
    group.add_argument("--colour", type=float, metavar="SIGMA", help="shift the colours of each training picture along the "
                       f"principal components, as the paper does with 0.1; 0 does not ({_defaults('colour')})")
    group.add_argument("--pixels", choices=PIXELS, help=f"unit: scaled to variance 1; raw: 0 to 255. The mean is subtracted from "
                       f"both ({_defaults('pixels')})")
    group.add_argument("--workers", type=int, metavar="N", help=f"threads that read pictures ahead ({ALWAYS['workers']})")
    group.add_argument("--strict", action="store_true", help="stop at a picture that cannot be read, instead of skipping it")


def _add_network(group):
    names = ", ".join([*models.VARIANTS, "lenet5"])
    group.add_argument("--variant", metavar="V", help=f"one of {names} ({ALWAYS['variant']})")
    group.add_argument("--init", metavar="HOW", help=f"initial weights: {', '.join(INITIALISATIONS)}, or a run or file of "
                       "weights, also another program's (see the README), to go on from what was learnt on other pictures "
                       f"({_defaults('init')})")
    group.add_argument("--mean", metavar="FILE", help="with --init: " + weights.MEAN_HELP)
    group.add_argument("--freeze", metavar="LAYER", help="with --init: layers up to this one stay as they are; conv: all "
                       "convolutions. What they make of the pictures is computed once and kept")
    group.add_argument("--dropout", type=float, metavar="P",
                       help=f"probability of dropping a value after fc6 and fc7 ({ALWAYS['dropout']})")


def _add_training(group):
    group.add_argument("--paper", action="store_true", help="all settings as in the paper, whatever the size of the set")
    group.add_argument("--epochs", type=int, metavar="N", help="times that every picture is seen "
                       f"({_defaults('epochs')}; {RECIPES['builtin']['epochs']} for the built-in set)")
    group.add_argument("--batch-size", type=int, metavar="N", help=f"pictures per step ({_defaults('batch_size')})")
    group.add_argument("--accumulate", type=int, metavar="N", help="work on each batch in N parts and add up their gradients: "
                       f"the same result with less memory ({ALWAYS['accumulate']})")
    group.add_argument("--class-weights", metavar="HOW", help="how much a picture of each class counts in the loss. balanced: "
                       "each class counts the same, whatever its size; or numbers in the classes' order, such as 1,2.5,1; or a "
                       "file of lines class,weight (all 1)")
    group.add_argument("--lr", type=float, metavar="X", help=f"learning rate at the beginning ({_defaults('lr')})")
    group.add_argument("--schedule", choices=SCHEDULES, help="linear: lr falls towards 0 after 40 %% of the epochs; steps: "
                       "lr ÷10 after 60 and 85 %% of them; milestones: lr ÷10 after those given; plateau: lr ÷10 when the "
                       "validation error stops falling; constant "
                       f"({_defaults('schedule')})")
    group.add_argument("--milestones", metavar="E,E,E", help="epochs after which lr is divided by 10, such as 30,60,80")
    group.add_argument("--warmup", type=int, metavar="N",
                       help="steps over which lr rises to its first value (0; "
                       f"{RECIPES['builtin']['warmup']} for the built-in set)")
    group.add_argument("--momentum", type=float, metavar="X",
                       help=f"part of the last step that is taken again ({_defaults('momentum')})")
    group.add_argument("--weight-decay", type=float, metavar="X",
                       help=f"part of each weight, times lr, that a step takes away ({_defaults('weight_decay')})")


def _add_run(group):
    group.add_argument("--device", metavar="D", help=f"auto, cpu, cuda or cuda:n ({ALWAYS['device']}: a GPU if one can be used)")
    group.add_argument("--tf32", action="store_true", help="on an Ampere or later GPU: matrix products of numbers rounded to "
                       "TF32's 10 bits, several times as fast (off)")
    group.add_argument("--seed", type=int, metavar="N", help="all random numbers follow from it: the same seed on the same "
                       f"machine gives the same metrics ({ALWAYS['seed']})")
    group.add_argument("--out", metavar="RUN", help="the run's folder (runs/<date>-<name of the pictures>)")
    group.add_argument("--profile", action="store_true", help="say at the end where the steps' time went, by layer and direction")
    group.add_argument("--dry-run", action="store_true", help="check everything: read pictures, make a few steps, save and "
                       "read a checkpoint, say what it will take; leaves nothing behind")
    group.add_argument("--save-every", metavar="TIME", help="time or steps between two checkpoints within an epoch, such as "
                       f"30min or 500steps ({ALWAYS['save_every']}); its end is saved too where that is cheap")
    group.add_argument("--resume", metavar="RUN", help="go on with the run in this folder, exactly as if it had not "
                       "stopped, or from a checkpoint in it; with more --epochs also after its end; 'auto': the run in --out, or "
                       "the unfinished one in runs/ that was worked on last")


def _defaults(name):
    small, paper = RECIPES["small"][name], RECIPES["paper"][name]
    return f"{small}" if small == paper else f"{small} | {paper}"
