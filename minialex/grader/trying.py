"""With which inputs does a student's code run? Layouts are drawn in turn until forward and backward
take them."""
import contextlib
import copy
import itertools
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..gradcheck import binding
from ..gradcheck.report import Report
from ..gradcheck.tensor_function import frozen
from ..gradcheck.verdicts import names as verdict
from ..gradcheck.verdicts.sums import FirstKept
from . import arrays, engines, forms, inputs, networks
from .finding import Found
from .functions import OneEntry, Reading
from .inputs import CannotDraw, Layout, Request

FATAL = NotImplementedError, MemoryError, RecursionError  # no layout helps against those


class Trying:
    """One thing that was found, run with whatever may be meant. layout: that of the first inputs
    with which it runs; error: the first one of those with which it does not; tried: what was drawn
    then; returned: whether backward ever came back; until: the computing time at which no further
    ones are tried."""

    def __init__(self, found: Found, request: Request, module: object, until: float) -> None:
        self.found, self.request, self.module, self.until = found, request, module, until
        self.layout, self.error, self.tried, self.returned = None, None, None, False

    def forward(self) -> Callable:
        """What takes the inputs."""
        if self.found.kind == "layer":
            return engines.made(self.found).forward
        return getattr(self.found.forward,
                       self.found.backward[0]) if self.found.kind == "class" else self.found.forward

    def check_names(self) -> None:
        """Raises CannotDraw when the command line names what is no argument."""
        is_class, known = self.found.kind == "class", inputs.parameters_of(self.forward())
        if is_class:
            known = [p for p in [*inputs.parameters_of(self.found.forward), *known]
                     if p.name != "self"]
        called, named = getattr(self.found.forward, "__name__",
                                self.found.name), self.request.named()
        unknown = sorted(named - {p.name for p in known})
        if unknown and (is_class or not any(p.kind == p.VAR_KEYWORD for p in known)):
            raise CannotDraw(f"{called} has no argument {', '.join(unknown)}; its arguments are "
                             f"{', '.join(p.name for p in known)}.")
        if not is_class and not named and all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
                                              for p in known):
            raise CannotDraw(f"{called} names no arguments: give their shapes in order to a "
                             f"function {self.found.name}_inputs(generator) that returns a list.")

    def readings(self, layout: Layout) -> list[Reading]:
        """How it may be meant, with inputs of this layout."""
        if self.found.kind == "layer":
            return [engines.reading(self.found, inputs.draw(inputs.parameters_of(self.forward()),
                                                            layout, self.request))]
        if self.found.kind == "class":
            return forms.of_class(self.found, layout, self.request)
        if self.found.kind == "network":
            return networks.of_functions(self.found, layout, self.request, self.module)
        return forms.of_functions(self.found.forward, self.found.backward, self.found.kind, layout,
                                  self.request)

    def running(self, layouts: Iterable[Layout],
                fatal: tuple = (MemoryError,)) -> Iterator[tuple[Layout, list[Reading]]]:
        """Yields those with which forward runs, none twice."""
        seen: list[tuple] = []
        for layout in layouts:
            if self.error and time.process_time() > self.until:
                return  # that error says more than that time is up
            try:
                with np.errstate(all="ignore"), frozen():
                    readings = self.readings(layout)
                    told = (_drawn(readings[0]), layout.shapes.get("labels"),
                            "probs" in layout.shapes.values())
                    if told in seen:
                        continue
                    seen.append(told)
                    self.tried = self.tried or readings[0].values
                    self._run(readings[0])
            except fatal:
                raise
            except Exception as error:  # this layout is not for this code
                self.error = self.error or error
                continue
            yield layout, readings

    def _run(self, reading):
        outputs = reading.code.run(copy.deepcopy(reading.values)).outputs
        output = binding.join(f"{reading.code.title} returned", outputs).astype(float)
        if self.found.kind == "loss" and output.size > 1:
            raise ValueError(f"{self.found.name} returns a loss of shape {output.shape} for drawn "
                             "inputs: one number is due, choose other shapes.")
        if not output.size:
            raise ValueError(f"{self.found.name} returns no values for drawn inputs: "
                             "give larger ones.")
        if not np.isfinite(output).all():
            raise ValueError(f"{self.found.name} gives NaN or infinity for drawn inputs: "
                             f"choose others, with a function {self.found.name}_inputs(generator).")

    def first(self, small: bool) -> list[Reading] | None:
        """The readings for the first layout with which forward and backward run, or else forward
        alone."""
        forward_only = None
        layouts = inputs.layouts(self.found.name, self.request, small, forward=self.forward())
        for layout, readings in self.running(layouts, FATAL):
            runs = self.backward_runs(readings)
            if runs or forward_only is None:
                forward_only, self.layout = readings, layout
            if runs:
                break
        return forward_only

    def backward_runs(self, readings: list[Reading]) -> bool:
        """In any reading, and with a gradient for all parameters."""
        for code, values, _ in readings:
            try:
                with np.errstate(all="ignore"), frozen():
                    run = code.run(copy.deepcopy(values))
                    code.backward(run, binding.cut(run.outputs,
                                                   np.ones_like(binding.join("", run.outputs))))
            except FATAL:
                raise
            except Exception:  # this is not how it is meant
                continue
            self.returned = True
            return not getattr(code, "without", ())
        return False

    def meant(self, small: bool, report: Report,
              first: Reading) -> Iterator[tuple[list[Reading], str | None]]:
        """(readings, what is to be said) for other inputs that wrong code may be meant for: a list,
        another object to hold, probabilities or one-hot rows, weights of one column, a bias as a
        row, a single example. None: these inputs count only if the code is right for them."""
        code, values, words = first
        if any(isinstance(row.detail, FirstKept) for row in report.rows):
            yield ([Reading(OneEntry(code), values, words)],
                   "right for a dout with one entry that is not 0, wrong for others")
        for layout, note in list(self._meant(small, report)):
            for _, readings in self.running([layout]):
                code, values, _ = readings[0]
                with contextlib.suppress(Exception):  # it takes one kind of labels
                    if note == "" and _takes_both(readings[0], first.values):
                        continue
                if not note or _tells(values, code.run(copy.deepcopy(values)).outputs[0]):
                    yield readings, note

    def _meant(self, small, report):
        if inputs.takes_list(self.forward()):
            yield self.layout._replace(several=not self.layout.several), ""
        parameters = inputs.parameters_of(self.found.forward)
        for number in range(1, max([len(inputs.helpers(p.annotation)) for p in parameters],
                                   default=0)):
            yield self.layout._replace(helper=number), ""
        found = []
        if "labels" in inputs.roles(self.tried):
            found = itertools.takewhile(lambda layout: not layout.turn,
                                        inputs.layouts("loss", self.request, small))
            found = sorted(found, key=lambda layout: "probs" not in layout.shapes.values())
            if verdict.SHAPE in {row.verdict for row in report.rows}:  # of one example, a class
                yield from ((layout, None) for layout in found if "index" in layout.shapes.values())
            for layout in found:
                if {"probs", "one-hot"} & set(layout.shapes.values()):
                    yield layout, ""
        if self.found.kind == "loss" and self._is_regression(report):
            yield self.layout._replace(shapes={**self.layout.shapes, "x": "ND", "w": "D", "b": "1",
                                               "labels": "N"}), None
        # a bias, drawn as large as x
        if "b" in inputs.roles(self.tried) and "b" not in self.layout.shapes:
            yield self.layout._replace(shapes={"x": "ND", "b": "D"}), None
        row, *others = report.counted()
        if not others and row.verdict in (verdict.UNKNOWN, verdict.TERM) and len(row.shape) == 2:
            row_of_scores = {**dict.fromkeys(("x", "scores", "probs"), "1Q"), "labels": "hotQ"}
            for shapes in ({"x": "D"}, {"x": "D1"}, {"x": "1D"}, row_of_scores):
                yield (self.layout._replace(shapes=shapes, sizes={**self.layout.sizes, "N": 1}),
                       f"right for one example, wrong for {row.shape[0]} rows")
        if {verdict.SHAPE, verdict.UNKNOWN, verdict.NOT_SUMMED} & {row.verdict
                                                                   for row in report.rows}:
            # labels that broadcast by chance: of one column, of columns; never of one example
            for layout in found:
                if "labels" in layout.shapes and layout.shapes["x"] != "D1":
                    yield layout, None

    def _is_regression(self, report):
        """May a small w stand for one column, as in loss(w, X, y)? A capital letter means a
        matrix."""
        matrices = [row.name for row in report.counted() if len(row.shape) == 2
                    and "w" in inputs.roles([row.name])]
        return (len(matrices) == 1 and matrices[0].islower()
                and {"x", "labels"} <= inputs.roles(self.tried))

    @staticmethod
    def rows(reading: Reading, batch: dict) -> Iterator[list[Reading]]:
        """The reading for one example with each row of the batch for which the code is wrong: drawn
        anew, an example may miss what is wrong."""
        code, values, words = reading
        for name, value in values.items():
            many = batch.get(name)
            if (inputs.roles([name]) - {"labels"} and np.ndim(many) == 2
                and np.shape(many)[1] == np.size(value) > 1):
                for row in many:
                    yield [Reading(code, {**values, name: np.reshape(row, np.shape(value))}, words)]
                return

    @staticmethod
    def large(reading: Reading) -> Iterator[list[Reading]]:
        """The same reading, with values beyond the numbers that its file compares with."""
        code, values, words = reading
        values = arrays.wide(values, code.file())
        if values is not None:
            yield [Reading(code, values, words)]

    def further(self, reading: Reading, small: bool) -> Iterator[tuple[list[Reading], dict]]:
        """(readings, how their inputs are told) where other mistakes show: whole numbers, then
        other layouts. More axes than before are meant by code that flattens them."""
        code, values, words = reading
        whole = arrays.whole_numbers(values, self.request.seed)
        if whole is not None:
            yield [Reading(code, whole, words)], {**arrays.told(whole),
                                                  "and": "the first of them whole numbers"}
        yield from ((readings, arrays.told(readings[0].values)) for readings in self.large(reading))
        axes = np.ndim(next(iter(values.values()), 0))
        layouts = list(inputs.layouts(self.found.name, self.request, small, also=True))
        for layout, readings in self.running([*layouts, *self._alternatives(layouts)]):
            code, other, _ = readings[0]
            dimensions = np.ndim(code.run(copy.deepcopy(other)).outputs[0])
            more = np.ndim(next(iter(other.values()), 0)) > axes == 2
            if more and dimensions > 2 or layout.also == inputs.PENALTY and dimensions:
                continue  # what only backward knows of a penalty is no part of forward
            if _drawn(readings[0]) != _drawn(reading) and self.backward_runs(readings):
                yield readings, arrays.told(other)

    def _alternatives(self, further):
        """The first layout again, with a penalty whose default is 0, and with other choices: an
        activation, the mean for the maximum."""
        layout = self.layout
        known = [*inputs.parameters_of(self.found.forward), *inputs.parameters_of(self.forward())]
        if any(inputs.is_penalty(p) for p in known):
            yield layout._replace(also=inputs.PENALTY)
        if any(inputs.has_choices(p) for p in known):
            yield layout._replace(also=inputs.CHOICE)
            yield from (each._replace(also=inputs.CHOICE) for each in further)
            yield from (layout._replace(turn=turn) for turn in range(3) if turn != layout.turn)


def _drawn(reading):
    """All that was drawn for it, as it is told."""
    return arrays.told(reading.values), getattr(reading.code, "built", None)


def _takes_both(reading, tried):
    """Are one-hot rows and the classes of that name the same to this loss? Then it must be right
    for both."""
    code, values, _ = reading
    name = next((name for name in values if inputs.roles([name]) == {"labels"}), None)
    if name is None or np.ndim(values[name]) != 2 or np.ndim(tried.get(name)) != 1:
        return False
    outputs = [code.run({**copy.deepcopy(values), name: labels}).outputs[0]
               for labels in (values[name], values[name].argmax(axis=1))]
    return bool(np.allclose(*outputs, rtol=1e-12))


def _tells(values, output):
    """Does what is right for this one example say anything? Of one row everything may be its mean,
    and where the layer gives its input back, backward may, too."""
    if np.ndim(output) and not np.ptp(output):
        return False
    return not any(np.array_equal(np.ravel(value), np.ravel(output)) for value in values.values()
                   if isinstance(value, np.ndarray))
