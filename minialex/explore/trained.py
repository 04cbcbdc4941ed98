"""What a trained network has learnt, for its page: filters, what pictures excite, the ten crops.
Numbers come from the engine; pictures and filters are rounded to 255 steps, for they are only
looked at."""
import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .. import data, nn
from ..data.transforms import luminance
from ..device import to_numpy
from ..errors import UserError
from ..evaluation import held_out
from ..evaluation.classifier import Classifier, planes_of
from ..evaluation.feature_plots import activations, strongest, strongest_maps
from ..evaluation.metrics import best
from ..folders.names import shown
from ..folders.problems import printable
from ..utils import marks

PICTURES = 96  # among which the strongest patches are found
CHOSEN = 4  # with feature maps and ten crops
MAPS = 12  # feature maps of each layer, the strongest
MOST_BYTES = 2_600_000  # of filters; AlexNet's five layers have 2.3 million weights
# bytes of JPEG; 96 photographs of 256×256 have 1.5 million, and noise has more
MOST_PHOTOS = 1_800_000

Seen = tuple[np.ndarray, str, str]  # planes (3, size, size), name, class or ""


def facts(network: Classifier, pictures: list[Seen]) -> dict[str, Any]:
    """All that the page shows of a network that has weights."""
    photos = [_photo(network, *seen) for seen in pictures]
    while sum(len(photo["jpeg"]) for photo in photos) > MOST_PHOTOS * 4 / 3:
        photos.pop()
    pictures = pictures[:len(photos)]
    return {"size": network.size, "crop": network.model.input_shape[-1], "pictures": photos,
            "filters": dict(_filters(network.model)), "patches": _patches(network, pictures),
            "chosen": [_chosen(network, planes) for planes, _, _ in pictures[:CHOSEN]]}


# ----------------------------------------------------------------------------------------- pictures


def pictures_of(network: Classifier, where: str | None, path: str) -> list[Seen]:
    """At most PICTURES: those below a folder, else of a run's held-out ones, from all over; none
    for weights alone.

    Raises UserError where there should be pictures, and are none.
    """
    if where is not None:
        paths = data.files_below(where)
        return [seen for seen in map(lambda path: _decoded(path, network.size), paths[:PICTURES])
                if seen] or _none(where)
    if not marks.is_run(path):
        return []
    whole = held_out.of_run(path, network.classes, network.size)
    # all over, a few of each class first
    order = np.argsort(np.arange(len(whole)) * 0.618 % 1, kind="stable")[:PICTURES]
    kept = held_out.Chosen([whole.pictures[index] for index in order], whole.labels[order],
                           whole.classes)
    return [(planes, kept.names[index], shown(network.classes[kept.labels[index]]))
            for index, planes in planes_of(kept)]


def _decoded(path: str, size: int) -> Seen | None:
    try:
        return data.decode(path, size).transpose(2, 0, 1), Path(path).name, ""
    except data.UnreadablePicture:
        return None


def _none(where: str) -> list[Seen]:
    raise UserError(f"no picture in {where} can be read: name a picture, "
                    "or a folder that has some.")


def _photo(network: Classifier, planes: np.ndarray, name: str, label: str) -> dict[str, str]:
    planes = np.repeat(luminance(planes), 3, axis=0) if network.channels == 1 else planes
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(planes.transpose(1, 2, 0))).save(file, "JPEG", quality=80)
    return {"name": printable(name), "label": label, "jpeg": _letters(file.getvalue())}


# --------------------------------------------------------------------------------- filters and maps


def _filters(model: nn.Module) -> Iterator[tuple[str, dict[str, Any]]]:
    """(layer, its kernels) for each convolution, as far as they fit into the page."""
    left = MOST_BYTES
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d) and layer.weight.size <= left:
            left -= layer.weight.size
            weights = to_numpy(layer.weight.data)
            most = float(np.abs(weights).max()) or 1.0
            yield name, {"shape": list(weights.shape), "most": short(most),
                         "values": _steps(weights, -most, most),
                         "ranges": [[short(kernel.min()), short(kernel.max())]
                                    for kernel in weights]}


def _chosen(network: Classifier, planes: np.ndarray) -> dict[str, Any]:
    """A picture's maps and ten crops."""
    maps = {name: _maps(to_numpy(values)[0])
            for name, values in activations(network.model, network.crops(planes)).items()}
    ten = network.probabilities(network.crops(planes, ten=True))
    return {"maps": maps, "ten": [_guesses(p, network.classes) for p in ten],
            "mean": _guesses(ten.mean(axis=0), network.classes)}


def _maps(values: np.ndarray) -> dict[str, Any]:
    """values: (C, H, W). The maps that answer most; what each answers most, and where."""
    order = strongest_maps(values, MAPS)
    low, high = float(values[order].min()), float(values[order].max())
    places = [np.unravel_index(values[number].argmax(), values[number].shape) for number in order]
    return {"channels": order.tolist(), "low": short(low),
            "high": short(high), "values": _steps(values[order], low, high),
            "largest": [[short(values[number][place]), *map(int, place)]
                        for number, place in zip(order, places)]}


def _guesses(p: np.ndarray, classes: list[str]) -> list[list[Any]]:
    return [[shown(classes[index]), short(p[index])] for index in best(p)]


# ------------------------------------------------------------------------------------------ patches


def _patches(network: Classifier, pictures: list[Seen]) -> dict[str, list[list[list[float]]]]:
    """{convolution: for each filter its strongest answers, [answer, picture, row, column], best
    first}."""
    names = [name for name, layer in network.model.named_modules() if isinstance(layer, nn.Conv2d)]
    found = strongest(network, enumerate(planes for planes, _, _ in pictures),
                      names) if names else {}
    return {name: [[[short(value), index, *place] for value, index, place in answers]
                   for answers in filters] for name, filters in found.items()}


# ------------------------------------------------------------------------------------------ as text


def _steps(values: np.ndarray, low: float, high: float) -> str:
    """Numbers from low to high as bytes from 0 to 255, in base64."""
    scaled = (values - low) * (255 / (high - low)) if high > low else np.zeros_like(values)
    return _letters(np.rint(scaled).astype(np.uint8).tobytes())


def _letters(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def short(number: Any) -> float:
    """With six digits, as the page shows it."""
    return float(f"{float(number):.6g}")
