"""What a page says of a network: every number from `shapes.summary` and the layers themselves, none
typed."""
import math
from collections.abc import Iterator
from typing import Any

from .. import nn, shapes
from ..aliases import Shape
from ..errors import UserError
from ..models import is_chain
from ..sight import Sight, window_of
from ..utils.table import times


def facts(model: nn.Module, input_shape: Shape | None = None) -> dict[str, Any]:
    """A network as plain values for JSON: its name, its input (C, H, W), totals, and a dict for
    each layer, in order.

    Raises UserError for a network that is no chain of layers, ValueError where the picture does not
    fit.
    """
    summary = shapes.summary(model, input_shape)
    chain = dict(_chain(model))
    shape, layers = tuple(summary.input_shape), []
    sight: Sight | None = Sight.of_picture(shape)
    for row in summary.rows:
        layer = chain[row.name]
        sight = sight.after(layer) if sight and len(row.output_shape) == 3 else None
        layers.append(_layer(row, layer, shape) | {"sight": sight and sight._asdict(), "unseen":
                                                   sight and sight.unseen(summary.input_shape)})
        shape = row.output_shape
    return {"name": summary.title, "input": list(summary.input_shape),
            "totals": summary.totals._asdict(), "layers": layers}


def _chain(model: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """(name, layer) in the order of their calls. Raises UserError where a forward of its own hides
    that order."""
    if not model.named_children():
        yield name or type(model).__name__, model
        return
    if not is_chain(model):
        named = name or getattr(model, "variant", type(model).__name__)
        raise UserError(f"{named} is no chain of layers: what a unit sees follows from their "
                        "order, which a forward of its own hides. "
                        "Build it as one nn.Sequential of layers.")
    for child_name, child in model.named_children():
        yield from _chain(child, f"{name}.{child_name}" if name else child_name)


def _layer(row: Any, layer: nn.Module, before: Shape) -> dict[str, Any]:
    window = window_of(layer) if len(before) == 3 else None
    sides = zip(before[1:], window["kernel"], window["stride"], window["padding"]) if window else ()
    return {"name": row.name, "type": row.type, "formula": row.formula, "input": list(before),
            "output": list(row.output_shape), "groups": row.groups, "parameters": row.parameters,
            "parameterFormula": _parameter_formula(layer, row), "macs": row.macs,
            "macFormula": _mac_formula(layer, row), "bytes": row.activation_bytes, "window": window,
            "lost": [shapes.columns_never_read(*numbers) for numbers in sides],
            "feeds": _feeds(layer, row, before)}


def _parameter_formula(layer: nn.Module, row: Any) -> str:
    """'96·3·11·11 + 96 = 34,944'"""
    sizes = ["·".join(map(str, parameter.shape)) for parameter in layer.parameters()]
    return f"{' + '.join(sizes)} = {row.parameters:,}" if sizes else "none"


def _mac_formula(layer: nn.Module, row: Any) -> str:
    """'55·55 places · 34,848 weights = 105,415,200'"""
    if row.macs is None:
        return "not known: found by running it"
    if not row.macs:
        return "none"
    if len(row.output_shape) != 3:
        return f"{'·'.join(map(str, layer.weight.shape))} = {row.macs:,}"
    places = row.output_shape[1:]
    assert math.prod(places) * layer.weight.size == row.macs
    return f"{'·'.join(map(str, places))} places · {layer.weight.size:,} weights = {row.macs:,}"


def _feeds(layer: nn.Module, row: Any, before: Shape) -> dict[str, Any]:
    """Which channels of the input a channel of the output sees. kind: "all", "own", "groups" or
    "window" (of n in its group)."""
    groups = row.groups
    kind, across = "own", 1
    if isinstance(layer, nn.LocalResponseNorm):
        kind, across = "window", layer.size
    elif isinstance(layer, (nn.Conv2d, nn.Linear)):
        kind = "groups" if groups > 1 else "all"
    return {"kind": kind, "across": across, "groups": groups, "in": before[0],
            "out": row.output_shape[0]}


def sentence(found: dict[str, Any]) -> str:
    """A network in a line."""
    totals = found["totals"]
    return (f"a picture of {times(found['input'])}, "
            f"{len(found['layers'])} layers, {totals['parameters']:,} parameters, "
            f"{totals['macs']:,} multiply–accumulates for a picture")
