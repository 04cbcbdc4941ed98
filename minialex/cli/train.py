"""Trains AlexNet, or a relative of it, and leaves a folder with its weights, its
curves and pictures of what it has learnt.

  minialex train --subset              the built-in pictures, a few minutes
  minialex train --data PICTURES       your own: one folder per class
  minialex train --data PICTURES --init WEIGHTS --freeze conv       fine-tuning
  minialex train --data IMAGENET --paper                the paper's training
"""
import argparse

from .. import models
from ..training import run
from ..training.config import ALWAYS, INITIALISATIONS, PARALLEL, PIXELS, RECIPES, SCHEDULES
from . import CLASS_NAMES, LABELS, MEAN, Command


def _train(options: argparse.Namespace) -> int:
    run(vars(options))
    return 0


def _default(name: str) -> str:
    """A setting's value where none is given; by the recipe: for small sets | as in the paper."""
    if name in ALWAYS:
        return f"{ALWAYS[name]}"
    small, paper = RECIPES["small"][name], RECIPES["paper"][name]
    return f"{small}" if small == paper else f"{small} | {paper}"


PICTURES = [
    ("--subset", "SPEC", "alone: the built-in set of 10 classes; 'imagenette': ten classes of "
     "ImageNet, downloaded; with --data: 10 for ten of its classes, 10x100 for 100 pictures of "
     "each", {"nargs": "?", "const": ""}),
    ("--data", "DIR", "a folder of class folders, or one that holds train/ and val/ with them"),
    LABELS, CLASS_NAMES,
    ("--val-fraction", "X", "part of each class set aside where there is no val/ "
     f"({_default('val_fraction')})"),
    ("--val-images", "N", "pictures in each validation before the last tenth of the epochs, which "
     "use all (as many as cost 5 %% of the time)"),
    ("--no-crop", None, "train on central instead of random crops",
     {"dest": "crop", "action": "store_false"}),
    ("--no-reflect", None, "train without random reflections",
     {"dest": "reflect", "action": "store_false"}),
    ("--colour", "SIGMA", "shift the colours of each training picture along the principal "
     f"components, as the paper does with 0.1; 0 does not ({_default('colour')})"),
    ("--pixels", None, "unit: scaled to variance 1; raw: 0 to 255. The mean is subtracted from "
     f"both ({_default('pixels')})", {"action": "store", "choices": PIXELS}),
    ("--workers", "N", f"threads that read pictures ahead ({_default('workers')})"),
    ("--strict", None, "stop at a picture that cannot be read, instead of skipping it"),
]
NETWORK = [
    ("--variant", "V", f"one of {', '.join([*models.VARIANTS, 'lenet5'])} ({_default('variant')})"),
    ("--model", "FILE.py:NAME", "a network of your own instead: a class derived from nn.Module in "
     "this file, or a function that returns one"),
    ("--init", "HOW", f"initial weights: {', '.join(INITIALISATIONS)}, or a run or file of "
     "weights, also another program's (see the README), to go on from what was learnt on other "
     f"pictures ({_default('init')})"),
    ("--mean", "FILE", f"with --init: {MEAN[2]}"),
    ("--freeze", "LAYER", "with --init: layers up to this one stay as they are; conv: all "
     "convolutions. What they make of the pictures is computed once and kept"),
    ("--dropout", "P", "probability of dropping a value after fc6 and fc7 "
     f"({_default('dropout')})"),
]
TRAINING = [
    ("--paper", None, "all settings as in the paper, whatever the size of the set"),
    ("--epochs", "N", f"times that every picture is seen ({_default('epochs')}; "
     f"{RECIPES['builtin']['epochs']} for the built-in set)"),
    ("--batch-size", "N", f"pictures per step ({_default('batch_size')})"),
    ("--accumulate", "N", "work on each batch in N parts and add up their gradients: the same "
     f"result with less memory ({_default('accumulate')})"),
    ("--class-weights", "HOW", "how much a picture of each class counts in the loss. balanced: "
     "each class counts the same, whatever its size; or numbers in the classes' order, such as "
     "1,2.5,1; or a file of lines class,weight (all 1)"),
    ("--shards", "N", "cut each batch into N shards, for processes that mpiexec starts: any number "
     "of them up to N ends with the same bytes (as many as there are processes)"),
    ("--parallel", None, "data: the processes share each batch; hybrid: the fully connected "
     f"layers' units as well, whose gradients then need not travel ({_default('parallel')})",
     {"action": "store", "choices": PARALLEL}),
    ("--lr", "X", f"learning rate at the beginning ({_default('lr')})"),
    ("--schedule", None, "linear: lr falls towards 0 after 40 %% of the epochs; steps: lr ÷10 "
     "after 60 and 85 %% of them; milestones: lr ÷10 after those given; plateau: lr ÷10 when the "
     f"validation error stops falling; constant ({_default('schedule')})",
     {"action": "store", "choices": SCHEDULES}),
    ("--milestones", "E,E,E", "epochs after which lr is divided by 10, such as 30,60,80"),
    ("--warmup", "N", "steps over which lr rises to its first value (0; "
     f"{RECIPES['builtin']['warmup']} for the built-in set)"),
    ("--first-lr", "X", "the first convolution's learning rate, times lr "
     f"({_default('first_lr')})"),
    ("--first-init", "X", "its initial weights, times what --init draws "
     f"({_default('first_init')})"),
    ("--momentum", "X", f"part of the last step that is taken again ({_default('momentum')})"),
    ("--weight-decay", "X", "part of each weight, times lr, that a step takes away "
     f"({_default('weight_decay')})"),
]
RUN = [
    ("--device", "D", f"auto, cpu, cuda or cuda:n ({_default('device')}: a GPU if one can be "
     "used)"),
    ("--tf32", None, "on an Ampere or later GPU: matrix products of numbers rounded to TF32's 10 "
     "bits, several times as fast (off)"),
    ("--seed", "N", "all random numbers follow from it: the same seed on the same machine gives "
     f"the same metrics ({_default('seed')})"),
    ("--out", "RUN", "the run's folder (runs/<date>-<name of the pictures>)"),
    ("--profile", None, "say at the end where the steps' time went, by layer and direction"),
    ("--dry-run", None, "check everything: read pictures, make a few steps, save and read a "
     "checkpoint, say what it will take; leaves nothing behind"),
    ("--save-every", "TIME", "time or steps between two checkpoints within an epoch, such as 30min "
     f"or 500steps ({_default('save_every')}); its end is saved too where that is cheap"),
    ("--resume", "RUN", "go on with the run in this folder, exactly as if it had not stopped, or "
     "from a checkpoint in it; with more --epochs also after its end; 'auto': the run in --out, or "
     "the unfinished one in runs/ that was worked on last"),
]

main = Command(
    "train", "(--subset [SPEC] | --data DIR) [options]", __doc__, _train,
    {"pictures": PICTURES, "network": NETWORK,
     "training; the first default is for small sets, the second for 100,000\npictures and more and "
     "for --paper": TRAINING,
     "run": RUN},
    statuses="0 done, 1 training diverged, 2 a mistake of the user, 130 stopped by Ctrl-C",
    given_only=True)
