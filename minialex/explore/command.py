"""`minialex explore`: which network, and its page."""
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from .. import models, nn, own_model
from ..errors import UserError
from ..utils.files import Output
from . import network, page

NETWORKS = (*models.VARIANTS, "lenet5")
# What the sliders' buttons set: the paper's picture, and the one that its figure says.
PRESETS = [("AlexNet's conv1 at 227", 227, 11, 4, 0),
           ("at 224, as the paper's figure says", 224, 11, 4, 0),
           ("at 224 with padding 2", 224, 11, 4, 2)]


def explore(options: Namespace) -> None:
    """`minialex explore`: network, out, pictures, classes, class_names, mean, device, force. Raises
    UserError."""
    target = Output(options.out, "explorer", force=options.force)
    target.check()
    data = _data(options)
    found = data["network"]
    page.write(target, "explorer", f"Inside {found['name']}", network.sentence(found), data)
    print(f"{target}: {network.sentence(found)}")


def _data(options: Namespace) -> dict[str, Any]:
    name = options.network
    if Path(name).exists():
        return _of_weights(options)
    if options.pictures:
        raise UserError(f"{name} has no weights yet, so it makes nothing of {options.pictures}: "
                        "give a run or a file of weights with --pictures.")
    if name in NETWORKS:
        return of_variant(name)
    if own_model.is_own(name):
        return of_model(own_model.read(name).build(1000))
    raise UserError(f"there is no run, file of weights or network {name}: give a run's folder, "
                    f"a file, FILE.py:NAME or one of {', '.join(NETWORKS)}.")


def of_variant(name: str) -> dict[str, Any]:
    """The page's data of a network without weights."""
    return of_model(models.build(name, 10 if name == "lenet5" else 1000,
                                 1 if name == "lenet5" else 3))


def of_model(model: nn.Module) -> dict[str, Any]:
    """The same of any chain of layers. Raises UserError for another network."""
    return {"network": network.facts(model), "presets": PRESETS, "trained": None}


def _of_weights(options: Namespace) -> dict[str, Any]:
    from ..evaluation import classifier  # what only weights need
    from . import trained

    learnt = classifier.named(options.network, options)
    data = of_model(learnt.model)
    try:
        pictures = trained.pictures_of(learnt, options.pictures, options.network)
    except UserError as problem:
        if options.pictures:
            raise
        print(f"note: the page shows no pictures: {problem}", file=sys.stderr)
        pictures = []
    return data | {"trained": trained.facts(learnt, pictures)}
