"""What a training run is made of, and what it is where the user does not say: the recipes, as data.

The paper's recipe (section 5): batch 128, momentum 0.9, weight decay 0.0005, learning rate 0.01
divided by 10 whenever the validation error stops falling, three times in about 90 epochs, weights
from N(0, 0.01²), pixels 0..255 minus the mean. On a few thousand pictures it stays at ln K, the
loss of a guess among K classes, for many epochs. What learns there: weights of He's variance
2/fan_in, pixels of variance 1, smaller batches and steps that shrink in a line.

conv1 needs help to leave its random start within a few hundred steps (FIRST). Its gradient grows
with the pixels, and those of variance 1 are 65 times smaller than raw ones (of the built-in set).
So its kernels stay as they were drawn, unless it starts smaller and learns faster, as Caffe's
lr_mult has it: FIRST for drawn pictures, the recipe "middle" for photographs. Trials of both
numbers: benchmarks/RESULTS.md.
"""

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any

from .. import models
from ..errors import require

SMALL = 100_000  # fewer training pictures than this are a small set
MIDDLE = range(1_000, 5_000)  # so many make filters of the kernels, with the recipe "middle"

_PAPER = {
    "epochs": 90, "batch_size": 128, "lr": 0.01, "momentum": 0.9, "weight_decay": 0.0005,
    "schedule": "plateau", "warmup": 0, "init": "paper", "pixels": "raw", "colour": 0.1,
    "first_init": 1.0, "first_lr": 1.0,
}
_SMALL = _PAPER | {
    "epochs": 20, "batch_size": 32, "lr": 0.005, "schedule": "linear", "init": "he",
    "pixels": "unit", "colour": 0.0,
}
LONG = 20  # epochs: in fewer the first layer's faster start is not over
WITH_NORM = ("paper", "caffe", "caffenet", "single-tower")  # of these "middle" was measured
FIRST = {"first_init": 0.25, "first_lr": 20.0}
RECIPES: dict[str, dict[str, Any]] = {
    "paper": _PAPER,
    "small": _SMALL,
    "middle": _SMALL | {"epochs": 30, "lr": 0.007, "warmup": 80, "first_init": 0.2,
                        "first_lr": 6.0},
    "finetune": _SMALL | {"epochs": 10, "lr": 0.001, "warmup": 20},
    "frozen": _SMALL | {"epochs": 10, "lr": 0.0007, "batch_size": 64, "warmup": 20},
    "builtin": _SMALL | FIRST | {"epochs": 8, "warmup": 40},
    "lenet5": _SMALL | {"epochs": 20, "lr": 0.02, "init": "lecun"},
    "own": _SMALL | {"init": "own"},
}
REASONS = {
    "paper": "the paper's recipe",
    "small": "small set: starting from He's initialisation, because from the paper's own the loss "
    "stays at ln K for many epochs; --paper for the paper's",
    "finetune": "starting from weights that have learnt something: a small learning rate keeps it",
    "frozen": "the frozen layers see each picture a few times and then never again: what they make "
    "of it is kept",
    "own": "a network of your own: starting from the weights that it draws itself",
    "lenet5": "LeNet-5: starting from LeCun's initialisation, which suits tanh",
}
REASONS["builtin"] = REASONS["middle"] = REASONS["small"]

MILESTONES = (0.6, 0.85)  # parts of the epochs: the schedule "steps" divides lr by 10 after them
SCHEDULES = ("linear", "steps", "milestones", "plateau", "constant")
INITIALISATIONS = ("paper", "released", "he", "lecun", "own")  # own: the user's network does it
PIXELS = ("unit", "raw")
PARALLEL = ("data", "hybrid")  # do processes share fully connected layers too? (parallel/)
# A forward pass takes a third of a step: 0.15 times the training pictures cost 5 % of an epoch.
VALIDATION_SHARE = 0.15


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """All settings of a run, none left open; what config.json holds.

    Those without a value here come from the recipe.
    """

    recipe: str
    data: str | None = None  # a folder, or None for a set that minialex brings
    subset: str | None = None  # the text after --subset
    val_fraction: float = 0.2
    crop: bool = True  # random crops while training
    reflect: bool = True  # random reflections while training
    strict: bool = False  # stop at a picture that cannot be read
    variant: str = "paper"
    init: str  # one of INITIALISATIONS, or a file
    freeze: str | None = None  # the last layer that does not learn, or "conv"
    dropout: float | None = 0.5  # None: as a network of the user's has it
    epochs: int
    batch_size: int
    lr: float
    momentum: float
    weight_decay: float
    schedule: str  # one of SCHEDULES
    warmup: int  # steps of the first epoch over which the learning rate rises to its first value
    pixels: str  # "unit": of variance 1; "raw": 0..255; the mean is subtracted from both
    val_images: int  # pictures that the usual validation looks at
    seed: int = 0
    device: str = "auto"
    workers: int = 2
    first_init: float = 1.0  # times what `init` draws for the first convolution
    first_lr: float = 1.0  # times lr: the learning rate of its weights
    colour: float = 0.0  # σ of the colour shifts along the principal components while training
    tf32: bool = False  # a GPU's matrix products round to TF32
    accumulate: int = 1  # parts in which a batch is worked on
    milestones: str | None = None  # epochs after which the schedule "milestones" divides lr by 10
    mean: str | None = None  # of the pictures that `init` was trained with: a file or numbers
    save_every: str = "10min"  # time or steps between two checkpoints, see save_interval
    labels: str | None = None  # a file that says what the pictures are, where no class folders do
    class_names: str | None = None  # a file that says what people read for each class
    class_weights: str | None = None  # of the classes in the loss: "balanced", or numbers in order
    model: dict | None = None  # type: ignore[type-arg]  # the user's own network, see own_model
    shards: int = 1  # into which each batch is cut for the processes that share it
    parallel: str = "data"  # one of PARALLEL

    def settings(self) -> dict[str, Any]:
        """As config.json has them; `model` only where there is one."""
        return {name: value for name, value in vars(self).items() if name != "model" or value}

    @property
    def channels(self) -> int:
        """Of the pictures: LeNet-5 was made for grey ones."""
        return self.model["input_shape"][0] if self.model else 1 if self.variant == "lenet5" else 3

    @property
    def part_size(self) -> int:
        """Pictures that the network works on at once."""
        return -(-self.batch_size // self.accumulate)

    def parts(self, count: int) -> list[slice]:
        """The rows of a batch of `count` pictures that are worked on at once, part after part."""
        size = self.part_size
        return [slice(start, min(start + size, count)) for start in range(0, count, size)]

    def drops(self) -> list[int]:
        """After which epochs the schedules "steps" and "milestones" divide lr by 10."""
        if self.milestones is not None:
            return parse_milestones(self.milestones)
        parts = MILESTONES if self.schedule == "steps" else ()
        after = {max(1, round(part * self.epochs)) for part in parts}
        return sorted(epoch for epoch in after if epoch < self.epochs)


# What holds where neither the user nor a recipe says otherwise.
ALWAYS = {field.name: field.default for field in dataclasses.fields(Config)
          if field.default is not dataclasses.MISSING and field.name not in _PAPER}


def choose_recipe(given: dict[str, Any], train_count: int) -> str:
    """The name in RECIPES for the user's options and this many training pictures."""
    settings = ALWAYS | given
    variant, long = settings["variant"], settings.get("epochs", LONG) >= LONG
    first_that_holds = {
        "paper": settings.get("paper", False),
        "frozen": settings["freeze"] is not None,
        "finetune": settings.get("init", "he") not in INITIALISATIONS,
        "own": settings["model"] is not None,
        "lenet5": variant == "lenet5",
        "builtin": settings["data"] is None and settings["subset"] != "imagenette",
        "middle": train_count in MIDDLE and variant in WITH_NORM and long,
        "small": train_count < SMALL,
    }
    return next((name for name, holds in first_that_holds.items() if holds), "paper")


def resolve(given: dict[str, Any], train_count: int, val_count: int) -> Config:
    """A complete Config from the options that the user gave and the size of the data."""
    name = choose_recipe(given, train_count)
    settings = RECIPES[name] | ALWAYS | given | {"recipe": name}
    settings.pop("paper", None)
    own = settings["model"]
    if settings["variant"] == "lenet5" or own and own["input_shape"][0] == 1:  # pictures are grey
        settings["colour"] = given.get("colour", 0.0)
    if own:
        settings["dropout"] = given.get("dropout")
    if settings["pixels"] == "raw" or settings["init"] != RECIPES[name]["init"]:
        settings |= {name: given.get(name, 1.0) for name in FIRST}  # was found with other settings
    if settings["milestones"] is not None:
        settings["schedule"] = "milestones"
    settings.setdefault("val_images", max(1, round(VALIDATION_SHARE * train_count)))
    settings["val_images"] = min(settings["val_images"], val_count)
    if settings["freeze"] is not None:  # what the frozen layers make of them is kept as well
        settings["val_images"] = val_count
    shards, batch = settings["shards"], min(settings["batch_size"], train_count)
    require(shards <= batch, f"--shards {shards} cannot cut a batch of {batch} pictures into so "
            "many shards: give fewer shards (processes), or a larger --batch-size.")
    return Config(**settings)


def check_types(config: Config) -> None:
    """Raises UserError for the first setting whose value is of another type than it must have."""
    for field in dataclasses.fields(config):
        value: Any = getattr(config, field.name)
        wanted: Any = field.type
        wanted = int | wanted if wanted in (float, float | None) else wanted
        right = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
        require(right, f"the setting {field.name} is {value!r}, but it must be of type "
                       f"{getattr(field.type, '__name__', str(field.type))}")


def need(holds: object, option: str, value: Any, what: str) -> None:
    """Raises UserError unless it holds: the option has this value, and needs `what`."""
    require(holds, f"--{option} {value} is not possible: it needs {what}.")


def save_interval(text: str) -> tuple[int | None, float | None]:
    """(steps, seconds) between two checkpoints, one of them None, for "10min" or "500steps"."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(min|steps?)?\s*", text, re.ASCII)
    number, in_steps = (float(found[1]), "step" in found[0]) if found else (0.0, False)
    possible = number > 0 and (not in_steps or number == int(number))
    need(possible, "save-every", text, "minutes or steps, such as 10min or 500steps")
    return (int(number), None) if in_steps else (None, 60 * number)


def parse_milestones(text: str) -> list[int]:
    """[30, 60, 80] for "30,60,80". Raises UserError."""
    numeric = re.fullmatch(r"\s*\d+(\s*,\s*\d+)*\s*", text, re.ASCII)
    numbers = [int(number) for number in text.split(",")] if numeric else [0]
    rising = numbers[0] >= 1 and numbers == sorted(set(numbers))
    need(rising, "milestones", text, "rising numbers of epochs, such as 30,60,80")
    return numbers


# What each number must satisfy, and how to say it.
_RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    "epochs": (lambda x: x >= 1, "a number of epochs, at least 1"),
    "batch_size": (lambda x: x >= 1, "pictures per step, at least 1"),
    "lr": (lambda x: 0 < x < math.inf, "a learning rate above 0, such as 0.01"),
    "momentum": (lambda x: 0 <= x < 1, "a momentum of at least 0 and below 1, such as 0.9"),
    "weight_decay": (lambda x: 0 <= x < math.inf, "a weight decay of at least 0, such as 0.0005"),
    "first_init": (lambda x: 0 < x < math.inf, "a factor above 0, such as 0.3"),
    "first_lr": (lambda x: 0 < x < math.inf, "a factor above 0, such as 30"),
    "dropout": (lambda x: 0 <= x < 1, "a probability of at least 0 and below 1, such as 0.5"),
    "val_fraction": (lambda x: 0 < x < 1, "a part of the pictures between 0 and 1, such as 0.2"),
    "val_images": (lambda x: x >= 1, "a number of pictures, at least 1"),
    "accumulate": (lambda x: x >= 1, "a number of parts of a batch, at least 1"),
    "shards": (lambda x: x >= 1, "a number of shards of a batch, at least 1"),
    "warmup": (lambda x: x >= 0, "a number of steps, at least 0"),
    "colour": (lambda x: 0 <= x <= 10, "a standard deviation of at least 0, "
               "such as the paper's 0.1"),
    "seed": (lambda x: x >= 0, "a whole number, at least 0"),
    "workers": (lambda x: x >= 1, "a number of threads, at least 1"),
}


_FOLDER = "the name of a folder (a single dot is the current one)"
# What options that may not be empty name; an empty one is a shell's variable that was never set.
NAMED = {"data": _FOLDER, "out": _FOLDER, "resume": _FOLDER, "init": "a run or a file of weights",
         "model": "FILE.py:NAME", "mean": "a file or numbers", "labels": "a table's file",
         "class_names": "a file", "freeze": "conv or the name of a layer",
         "class_weights": "balanced, numbers or a file"}


def check_options(given: dict[str, Any]) -> None:
    """Raises UserError for the first of the user's options (a dict) that no run could have."""
    variant, networks = given.get("variant", ALWAYS["variant"]), [*models.VARIANTS, "lenet5"]
    require(given.get("model") is None or "variant" not in given,
            "--variant and --model both name a network: leave one of them out.")
    require(variant in networks,
            f"unknown variant '{variant}': choose one of {', '.join(networks)}.")
    for name, what in NAMED.items():
        require(given.get(name) != "", f"--{name.replace('_', '-')} is empty: it needs {what}.")
    check(given)


def check(given: dict[str, Any]) -> None:
    """Raises UserError for the first setting in a dict that no run could have, or has with others.

    Where a run goes on ("resume"), its config.json completes what the user gave.
    """
    whole = "resume" not in given
    if whole and given.get("init", "he") in INITIALISATIONS:
        require(given.get("freeze") is None, "--freeze keeps layers as they are, so they must have "
                "learnt something: name their weights with --init.")
        require(given.get("mean") is None,
                "--mean belongs to weights that were learnt elsewhere: name them with --init.")
    for name, (holds, what) in _RANGES.items():
        value = given.get(name)
        need(value is None or holds(value), name.replace("_", "-"), value, what)
    save_interval(given.get("save_every", ALWAYS["save_every"]))
    schedule = given.get("schedule")
    if given.get("milestones") is not None:
        parse_milestones(given["milestones"])
        require(schedule in (None, "milestones"), "--milestones belong to --schedule milestones, "
                f"not to {schedule}: leave one of them out.")
    elif whole:
        require(schedule != "milestones", "--schedule milestones needs to know them: add "
                "--milestones 30,60,80 or other epochs.")
    parts, batch = given.get("accumulate", 1), given.get("batch_size", math.inf)
    require(parts <= batch,
            f"--accumulate {parts} cannot cut a batch of {batch} pictures into so many parts.")
