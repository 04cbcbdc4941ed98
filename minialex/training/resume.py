"""--resume: a run goes on as what it was, on the same pictures; all else is an error."""

import dataclasses
from typing import Any

from .. import own_model
from ..errors import UserError, require
from ..evaluation import seen
from ..evaluation.runs import read_config
from ..parallel.ranks import Ranks
from . import checkpoint, finetune, setup
from .checkpoint import Saved
from .config import INITIALISATIONS, Config, check, check_types
from .run_dir import KEPT, RunFolder
from .setup import Beginning

# What may differ where a run goes on: it changes results by rounding at most, or what is to come.
MAY_DIFFER = (*KEPT, "device", "workers", "save_every", "accumulate")


def begin(folder: RunFolder, given: dict[str, Any], progress: bool, ranks: Ranks) -> Beginning:
    """What a run goes on from: its folder, which is ours from here on, and the user's options."""
    from_file = given.get("init", "he") not in INITIALISATIONS
    setup.make_absolute(given, "mean", *(["init"] if from_file else ()))
    named = given.pop("model", None)

    def read():
        folder.take()
        config = same_settings(folder, given)
        return config, saved(folder, config)

    config, found = ranks.from_first(read)
    own = own_network(folder, config, named)
    train, val = setup.open_pictures(config.settings(), progress)
    ranks.from_first(lambda: seen.check_same_pictures(folder, read_config(folder.path), train, val))
    weights = None if found else finetune.named_in(config.settings())
    return Beginning(config, train, val, weights, own, found)


def same_settings(folder: RunFolder, given: dict[str, Any]) -> Config:
    """The Config of an earlier part of the run. Raises UserError when the options say otherwise."""
    before = read_config(folder.path)
    require("settings" in before and "classes" in before,
            f"{folder.path / 'config.json'} is not that of a run: it lacks settings or classes.")
    try:
        config = Config(**before["settings"])
        check_types(config)
        check(config.settings())
    except (KeyError, TypeError, UserError) as error:
        raise UserError(f"{folder.path / 'config.json'} is not that of a run: "
                        f"{str(error).rstrip('.')}.") from error
    require(config.recipe == "paper" or not given.get("paper"),
            f"{folder} was not started with --paper: leave it out, or start a new run.")
    if given.get("class_weights") is not None:
        given["class_weights"] = setup.spelled_weights(given["class_weights"], before["classes"])
    for name, value in given.items():
        then = getattr(config, name, value)
        words = name.replace("_", " ")
        how = f"without {words}" if then is None else f"with {words} {then}, not {value}"
        require(name in MAY_DIFFER or then == value, f"{folder} was started {how}: leave the "
                "option out, or start a new run.")
    other = {name: value for name, value in given.items() if name in MAY_DIFFER}
    return dataclasses.replace(config, **other)


def own_network(folder: RunFolder, config: Config, named: str | None) -> own_model.OwnModel | None:
    """The user's own network as the run keeps it, or None. --model may have `named` no other."""
    own = None
    if config.model:
        own = own_model.of_run(folder.path, config.model, config.seed)
    same = named is None or own is not None and own_model.read(named)[1:3] == own[1:3]
    require(same, f"{named} is not the network that {folder} was started with, {config.variant}, "
            "or has changed since: --resume goes on with the copy that the run keeps, so leave "
            "--model out, or start a new run.")
    return own


def saved(folder: RunFolder, config: Config) -> Saved | None:
    """What the run's checkpoint holds. None: it was stopped before its first, and begins again."""
    if not folder.source.exists() and not folder.holds_run():
        return None
    require(folder.source.exists() or folder.best.exists(), f"{folder} has lost its checkpoints: "
            "nothing is left to go on from, so start a new run.")
    try:
        found = checkpoint.load(folder.source)
    except UserError as error:
        if folder.source != folder.last or not folder.best.exists():
            raise
        best = f"To go on from the best epoch instead: --resume {folder.best}"
        raise UserError(f"{error} {best}") from error
    theirs = found.state.get("settings", {})
    for name, value in config.settings().items():
        then = theirs.get(name, getattr(Config, name, None))  # it may be older than a setting
        require(name in MAY_DIFFER or then == value,
                f"{folder.source} belongs to another run than the config.json beside it: "
                f"{name.replace('_', ' ')} is {then} there and {value} here.")
    return found
