"""The pictures of a run. Each is drawn by itself: one that fails is a line, and the others are drawn all the same."""

from ..device import to_numpy
from ..utils.drawing import attempt
from ..utils.files import Output
from . import figures
from .predictions import predictions

EARLIER = (b"Software\0Matplotlib version",)  # what older runs' pictures have instead of a mark


def picture(folder, name):
    """The Output for a run's picture: what is there under its name already is replaced if a run has drawn it."""
    return Output(folder / name, "run", signs=EARLIER)


def draw(trainer, history, complete, say):
    """Write curves.png, filters.png and predictions.png into the run folder.

    history: rows of metrics.csv; complete: per row, did the validation see all pictures? say(text): for a picture that
    could not be drawn. Raises NotWritten on a full disk.
    """
    path, experiment = trainer.record.folder.path, trainer.experiment
    with attempt("curves.png", say):
        figures.curves(picture(path, "curves.png"), history, len(experiment.train.classes), complete)
    with attempt("filters.png", say):
        figures.filters(picture(path, "filters.png"), to_numpy(experiment.model.conv1.weight.data), experiment.first_kernels,
                        experiment.model.conv2.groups)
    with attempt("predictions.png", say):
        predictions(picture(path, "predictions.png"), experiment)
