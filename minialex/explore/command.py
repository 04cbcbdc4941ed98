"""`minialex explore`: which network, and its page."""
from argparse import Namespace
from pathlib import Path
from typing import Any

from .. import models, nn
from ..errors import UserError
from ..utils.files import Output
from . import network, page

NETWORKS = (*models.VARIANTS, "lenet5")
# What the sliders' buttons set: the paper's picture, and the one that its figure says.
PRESETS = [("AlexNet's conv1 at 227", 227, 11, 4, 0), ("at 224, as the paper's figure says", 224, 11, 4, 0),
           ("at 224 with padding 2", 224, 11, 4, 2)]


def explore(options: Namespace) -> None:
    """`minialex explore`: network, out, force. Raises UserError."""
    target = Output(options.out, "explorer", force=options.force)
    target.check()
    data = of_variant(options.network) if options.network in NETWORKS and not Path(options.network).exists() else None
    if data is None:
        raise UserError(f"there is no network {options.network}: choose one of {', '.join(NETWORKS)}.")
    found = data["network"]
    page.write(target, "explorer", f"Inside {found['name']}", network.sentence(found), data)
    print(f"{target}: {network.sentence(found)}")


def of_variant(name: str) -> dict[str, Any]:
    """The page's data of a network without weights."""
    return of_model(models.build(name, 10 if name == "lenet5" else 1000, 1 if name == "lenet5" else 3))


def of_model(model: nn.Module) -> dict[str, Any]:
    """The same of any chain of layers. Raises UserError for another network."""
    return {"network": network.facts(model), "presets": PRESETS, "trained": None}
