"""What a run says before its first step and after its last."""

import textwrap

from .. import shapes
from .config import REASONS, SMALL
from .experiment import milestones

WIDTH = 100


def _row(name, text):
    return textwrap.fill(text, WIDTH, initial_indent=f"{name:9}", subsequent_indent=" " * 9)


def plan(experiment, device, folder, data_name):
    """Device, network, data and recipe: a list of lines."""
    config, model = experiment.config, experiment.model
    totals = shapes.summary(model).totals
    classes = experiment.train.classes
    named = ", ".join(classes[:10]) + (", ..." if len(classes) > 10 else "")
    return [
        _row("device", device.why.removeprefix("device: ")),
        _row("network", f"{config.variant}: {totals.parameters:,} parameters, {totals.macs / 1e6:,.1f} million "
                        "multiply-accumulates per picture"),
        _row("data", f"{data_name}: {len(classes)} classes ({named}), {len(experiment.train):,} pictures to train on, "
                     f"{len(experiment.val):,} to validate"),
        _row("recipe", REASONS[config.recipe]),
        _row("", _numbers(config)),
        *(_row("note", note) for note in [*experiment.notes, *_cautions(experiment)]),
        _row("run", str(folder)),
    ]


def _numbers(config):
    drops = " and ".join(map(str, milestones(config)))
    schedule = {"steps": f" (÷10 after epoch {drops})", "plateau": " (÷10 when the validation error stops falling, "
                "at most 3 times)", "constant": ""}[config.schedule]
    pixels = "scaled to variance 1" if config.pixels == "unit" else "0 to 255"
    return (f"{config.epochs} epochs, batch {config.batch_size}, lr {config.lr:g}{schedule}, momentum {config.momentum:g}, "
            f"weight decay {config.weight_decay:g}, init {config.init}, pixels minus the mean, {pixels}, seed {config.seed}")


def _cautions(experiment):
    config = experiment.config
    if config.init in ("paper", "released") and len(experiment.train) < SMALL and config.variant != "lenet5":
        yield (f"from the {config.init} initial weights the loss stays at ln {len(experiment.train.classes)} for many epochs on "
               f"{len(experiment.train):,} pictures; without --paper and --init it would not")


def ending(trainer):
    """What the run has reached and where it is: a list of lines."""
    best_complete, best_top1, _ = trainer.best
    _, _, _, _, _, top1, top5 = trainer.history[-1]
    files = {
        "config.json": "all settings",
        "metrics.csv": "loss and accuracy of each epoch (timing.csv: seconds)",
        "checkpoint-last.npz": "weights after the last epoch",
        "checkpoint-best.npz": f"weights of the best epoch, {best_top1:.1%}",
        "curves.png": "loss and accuracy as curves",
        "filters.png": "what conv1 has learnt to see",
        "predictions.png": "validation pictures with the network's five best guesses",
    }
    there = [(name, what) for name, what in files.items() if (trainer.folder.path / name).exists()]
    return [f"done     validation top-1 {top1:.1%}, top-5 {top5:.1%}; the run is in {trainer.folder}",
            *(f"         {name:20} {what}" for name, what in there)]
