"""Other inputs for code that ran with some: those that wrong code may be meant for, and those with
which other mistakes show."""
import contextlib
import copy
import itertools
import re
from collections.abc import Iterator

import numpy as np

from ..gradcheck.report import Report
from ..gradcheck.verdicts import names as verdict
from ..gradcheck.verdicts.sums import FirstKept
from . import suiting
from .called import binding
from .drawn import arrays, inputs, used
from .forms import networks
from .forms.functions import Around, OneEntry, Reading
from .forms.layers import Layer
from .reading.sources import source
from .trying import FITS, Trying

LINE = "w", "b", "attn", "h", "c", "wx", None  # what may be a number, as slope and intercept are
COMPARES = re.compile(r"maximum\(|minimum\(|clip\(|where\(|max\(0|[<>]")
CLOSE = 1e-5  # to a factor
MANY = 40  # examples, of which some lie near what they are compared with
VECTORS = re.compile(r"\b(outer|diag|diagflat)\(|\bdelete\(\w+, *0\)")
OF_NUMBERS = r"[(\[] *([nNmM]|n_samples|batch_size|num_\w+) *, *[)\]]"  # (N,)
FLATTENS = r"reshape\(|flatten\(|ravel\(|\.shape = "
OF_VECTORS = "right for a product of two vectors, wrong for matrices"


class GivenInput(Around):
    """A code whose backward is given what went in where its name says what came out: A, of a pool
    after an activation."""

    def backward(self, run, douts):
        """What backward returns for that."""
        x = next(value for value in run.inputs.values() if binding.is_checked(value))
        return super().backward(run._replace(outputs=[x, *run.outputs[1:]]), douts)


class Others(Trying):
    """One thing that was found, with whatever inputs it may be meant for besides the first."""

    def roles(self) -> set:
        """What its inputs are, and what it reads at the top level that was drawn."""
        return inputs.roles([*self.tried, *self.elsewhere.drawn])

    def may_mean_others(self, report: Report) -> bool:
        """Is the code wrong, or right but for the axes of a column, which may be a vector's?"""
        shapes = self.layout.shapes if self.layout is not None else {}
        column = shapes.get("x") == "D1" or shapes.get("b") == "111F"
        return self.found.kind != "usual" and (
            not report or column and any(row.is_remark for row in report.rows))

    def meant(self, small: bool, report: Report,
              first: Reading) -> Iterator[tuple[list[Reading], str | None]]:
        """(readings, what is to be said) for other inputs that wrong code may be meant for: a list,
        another object to hold, probabilities or one-hot rows, weights of one column, a bias as a
        row, a single example. None: these inputs count only if the code is right for them."""
        code, values, words = first
        self.tried = self.tried or values  # where no layout ran, what was found by trying
        if any(isinstance(row.detail, FirstKept) for row in report.rows):
            yield ([Reading(OneEntry(code), values, words)],
                   "right for a dout with one entry that is not 0, wrong for others")
        if one := self._column(report, values):
            yield [Reading(code, one, words)], None
        if self.found.kind == "pair" and all(row.verdict == verdict.SHAPE
                                             for row in report.counted()):
            yield [Reading(GivenInput(code), values, ", ".join(filter(None, (
                words, "backward is given forward's input"))))], None
        for layout, note in list(self._meant(small, report)):
            for _, readings in self.running([layout]):
                code, values, _ = readings[0]
                with contextlib.suppress(Exception):  # it takes one kind of labels
                    if note == "" and suiting.takes_both(readings[0], first.values):
                        continue
                output = code.run(copy.deepcopy(values)).outputs[0]
                with contextlib.suppress(Exception):  # backward does not take them
                    # a softmax of one column is 1, and every gradient 0
                    if self.found.kind == "network" and not suiting.gives_any(readings[0]):
                        continue
                if suiting.tells(values, output) if note else np.size(output) < 2 or np.ptp(output):
                    yield readings, note

    def _column(self, report, values):
        """A loss's inputs, all alike, with one output of each example, where they are described so:
        y of shape (N,). The mean over several is another one."""
        shapes = {np.shape(value) for value in values.values() if isinstance(value, np.ndarray)}
        text = source(self.found.forward) + self._backward()
        if ({row.verdict for row in report.counted()} == {verdict.FACTOR} and len(shapes) == 1
            and ("labels" in self.roles() and re.search(OF_NUMBERS, text)
                 or len(values) == 1 and re.search(r"len\(|shape\[0\]", text))):
            return {name: value[:, 0] if np.ndim(value) == 2 else value
                    for name, value in values.items()}

    def _meant(self, small, report):
        factors = [abs(row.factor or 0) for row in report.counted()]
        if self.found.kind == "network" and factors and np.allclose(factors, networks.OUTPUTS):
            yield self.layout._replace(turn=2), None  # the mean over all is that of one output
        if inputs.takes_list(self.forward()):
            yield self.layout._replace(several=not self.layout.several), ""
        parameters = inputs.parameters_of(self.found.forward)
        both = self.found.forward, self.found.backward
        several = used.choices(*both) if self.found.kind == "class" else 0
        for number in range(1, max(several, *(len(inputs.helpers(p.annotation))
                                              for p in parameters), 0)):
            yield self.layout._replace(helper=number), ""
        if self.layout.shapes.get("b") == "111F":
            yield self._shaped({"b": "F"}), None
        found, said = [], {row.verdict for row in report.rows}
        if "labels" in self.roles():
            found = itertools.takewhile(lambda layout: not layout.turn,
                                        inputs.layouts("loss", self.request, small))
            found = sorted(found, key=lambda layout: "probs" not in layout.shapes.values())
            if not re.search("log|entropy", source(self.found.forward)):  # numbers of any size
                found = [layout for layout in found if "probs" not in layout.shapes.values()]
            if verdict.SHAPE in said:  # of one example, a class
                yield from ((layout, None) for layout in found if "index" in layout.shapes.values())
            for layout in found:
                if {"probs", "one-hot"} & set(layout.shapes.values()):
                    yield layout, ""
        if self.found.kind in ("loss", "pair", "derivative") and self._is_regression(report):
            for labels in ("N", "N1"):  # of code that makes a column of w itself
                yield self._shaped({"x": "ND", "w": "D", "b": "1", "labels": labels}), None
        if verdict.SHAPE in said and {"x", "labels"} <= self.roles():  # a line's
            yield self._shaped({**dict.fromkeys(LINE, "1"), "x": "N", "labels": "N"}), None
        yield from self._as_a_row_of_x(report, said)
        if verdict.SHAPE in said:  # of sequences alone, say
            for shapes, sizes in inputs.of_name(self.found.name):
                if len(shapes.get("x", "")) > len(self.layout.shapes.get("x", "")):
                    yield self.layout._replace(shapes=shapes,
                                               sizes={**self.layout.sizes, **sizes}), None
        if VECTORS.search(self._backward()):  # they take all of a batch for one vector
            for x, b in (("D", "M"), ("D1", "M1")):
                yield self._shaped({"x": x, "b": b}), None
        yield from self._of_one_example(report, said)
        if {verdict.SHAPE, verdict.UNKNOWN, verdict.NOT_SUMMED} & said:
            # labels that broadcast by chance: of one column, of columns; never of one example
            squeezed = [self._shaped({x: "N1", "labels": "N"}) for x in ("x", "scores") if found]
            hot = {"DN": "hotMN", "ND": "hotM"}.get(self.layout.shapes["x"]) if found else None
            for layout in [*found, *squeezed, *([self._shaped({"labels": hot})] if hot else [])]:
                if "labels" in layout.shapes and layout.shapes["x"] != "D1":
                    yield layout, None
        yield from self._rarer(said)

    def _rarer(self, said):
        if verdict.UNKNOWN in said and "labels" in self.roles() and re.search(
                r"\[\w+\]\[0\]|\[\w+, 0\]", self._backward() + source(self.found.forward)):
            yield self._shaped({"labels": "classes1"}), None  # target[i][0]
        given = inputs.roles(p.name for p in inputs.parameters_of(self.forward()))
        if {"x", "w"} <= given and self.found.kind in ("pair", "class"):
            yield self._shaped({"x": "D", "w": "D", "b": ""}), OF_VECTORS

    def _as_a_row_of_x(self, report, said):
        """What was drawn like x, or as a number, is a row of it."""
        shaped = [row.name for row in report.rows if row.verdict == verdict.SHAPE]
        if said & {verdict.SHAPE, verdict.NOT_SUMMED, verdict.UNDECIDED} and (
                "labels" not in self.roles() or "labels" in inputs.roles(shaped)):
            for x, other in (("ND", "D"), ("NCHW", "C"), ("DN", "D1")):
                yield self.layout._replace(shapes={"x": x, **dict.fromkeys(
                    (inputs.OTHER, "gamma", "beta"), other)}), None

    def _of_one_example(self, report, said):
        row, *others = report.counted()
        if self.layout.shapes.get("x") == "ids":  # a single row, in which each comes twice
            yield self._shaped({"x": "id"}, N=15), None
        if self.layout.shapes.get("x") == "D1":  # one example, too
            yield self._shaped({"x": "D"}), ""
        if self.layout.shapes.get("x") == "DN" and suiting.of_one_column(said, self.module):
            yield self._shaped({"x": "D1", "h": "J1", "c": "J1"}), suiting.ONE_COLUMN
        alone = not others or self.layout.shapes.get("x") == "DN"
        if alone and row.verdict in (verdict.UNKNOWN, verdict.TERM) and len(row.shape) == 2:
            row_of_scores = {**dict.fromkeys(("x", "scores", "probs"), "1Q"), "labels": "hotQ"}
            for shapes in ({"x": "D"}, {"x": "D1"}, {"x": "1D"}, row_of_scores):
                yield (self.layout._replace(shapes=shapes, sizes={**self.layout.sizes, "N": 1}),
                       "right for a vector, wrong for a row" if row.shape[0] == 1 else
                       f"right for one example, wrong for {row.shape[0]} rows")

    def _shaped(self, shapes, **sizes):
        """The layout with other shapes for some roles."""
        return self.layout._replace(shapes={**self.layout.shapes, **shapes},
                                    sizes={**self.layout.sizes, **sizes})

    def _backward(self):
        """What is written in backward, or in its class."""
        return source(self.found.forward if self.found.kind == "class" else self.found.backward)

    def _is_regression(self, report):
        """May a small w stand for one column, as in loss(w, X, y)? A capital one is a matrix."""
        matrices = [row.name for row in report.counted() if len(row.shape) == 2
                    and "w" in inputs.roles([row.name])]
        return (len(matrices) == 1 and matrices[0].islower()
                and {"x", "labels"} <= self.roles())

    def more_examples(self, report: Report) -> Iterator[tuple[list[Reading], str]]:
        """The readings with more than two examples, where wrong code is off by 2 or ½: that may be
        their number, or any other 2."""
        if self.layout and self.layout.sizes["N"] == 2 and not report and any(
                row.factor and abs(max(abs(row.factor), 1 / abs(row.factor)) / 2 - 1) < CLOSE
                for row in report.rows):
            for _, readings in self.running([self._shaped({}, N=5)]):
                yield readings, ""

    @staticmethod
    def rows(reading: Reading, batch: dict) -> Iterator[list[Reading]]:
        """The reading for one example with each row of the batch for which the code is wrong: drawn
        anew, an example may miss what is wrong."""
        code, values, words = reading
        many = {name: batch[name] for name, value in values.items()
                if getattr(batch.get(name), "ndim", 0) == 2
                and batch[name].shape[1] == np.size(value) > 1}
        if any(inputs.roles([name]) - {"labels"} for name in many):
            for row in range(min(map(len, many.values()))):
                yield [Reading(code, {**values, **{
                    name: np.reshape(rows[row], np.shape(values[name]))
                    for name, rows in many.items()}}, words)]

    @staticmethod
    def large(reading: Reading) -> Iterator[list[Reading]]:
        """The same reading, with values beyond the numbers that its file compares with."""
        values = arrays.wide(reading.values, reading.code.file())
        if values is not None:
            yield [reading._replace(values=values)]

    def further(self, reading: Reading, small: bool) -> Iterator[tuple[list[Reading], dict]]:
        """(readings, how their inputs are told) where other mistakes show: whole numbers, then
        other layouts. More axes than before are meant by code that flattens them."""
        code, values, words = reading
        whole = arrays.whole_numbers(values, self.request.seed)
        if whole is not None:
            yield [Reading(code, whole, words)], {**arrays.told(whole),
                                                  "and": "the first of them whole numbers"}
        others = arrays.others(values, source(self.found.forward), not getattr(
            code, "wanted", ()) and not np.ndim(code.run(copy.deepcopy(values)).outputs[0]))
        yield from ((readings, arrays.told(readings[0].values)) for readings in (
            *self.large(reading), *([reading._replace(values=one)] for one in others)))
        again = None
        with contextlib.suppress(Exception):  # it takes no other inputs
            again = self._again(reading)
        if again is not None:
            yield [again], {**arrays.told(values), "and": "after a forward of others"}
        axes = _axes(values)
        flattens = axes == 2 and re.search(FLATTENS, source(self.forward()))
        layouts = [layout for name in (self.found.name, *["flatten"][:bool(flattens)])
                   for layout in inputs.layouts(name, self.request, small, also=True)]
        for layout, readings in self.running([*layouts, *self._alternatives(layouts)]):
            code, other, _ = readings[0]
            dimensions = np.ndim(code.run(copy.deepcopy(other)).outputs[0])
            more = _axes(other) > axes == 2
            if more and dimensions > 2 or layout.also == inputs.PENALTY and dimensions:
                continue  # what only backward knows of a penalty is no part of forward
            again = suiting.drawn(readings[0]) == suiting.drawn(reading)
            if not again and self.runs(readings) == FITS:
                yield readings, arrays.told(other)

    @staticmethod
    def _again(reading):
        """The reading of an object whose forward has run before, with other inputs, if its output
        is the same and its gradients are not. None where it keeps a list of its calls, too."""
        code, values, _ = reading
        if not isinstance(code, Layer) or not code.function:
            return None
        again = copy.copy(code)
        again.earlier = {name: np.flip(value, -1) if isinstance(value, np.ndarray) and value.ndim
                         else value for name, value in values.items()}
        (first, found), (later, now) = (suiting.both_ways(Reading(one, values))
                                        for one in (code, again))
        keeps_more = any(len(kept) < len(vars(later.state)[name]) for name, kept
                         in vars(first.state).items() if isinstance(kept, list))
        is_same = all(np.array_equal(found[name], now.get(name)) for name in found)
        if keeps_more or is_same or not all(map(np.array_equal, first.outputs, later.outputs)):
            return None
        return Reading(again, values, "after a forward of other inputs, of which backward still "
                       "finds what it kept")

    def _alternatives(self, further):
        """The first layout again, with a penalty whose default is 0, and with other choices: an
        activation, the mean for the maximum."""
        layout = self.layout
        if "labels" in self.roles() and COMPARES.search(
                source(self.found.forward) + self._backward()):
            yield self._shaped({}, N=MANY)
        known = [*inputs.parameters_of(self.found.forward), *inputs.parameters_of(self.forward())]
        if any(inputs.is_penalty(p) for p in known):
            yield layout._replace(also=inputs.PENALTY)
        chosen = any(inputs.has_choices(p) for p in known)
        if chosen:
            yield layout._replace(also=inputs.CHOICE)
            yield from (each._replace(also=inputs.CHOICE) for each in further)
        if chosen or self.found.kind == "class" and used.has_words(self.found.forward):
            yield from (layout._replace(turn=turn) for turn in range(3) if turn != layout.turn)


def _axes(values):
    first = next(iter(values.values()), 0)
    return first.ndim if isinstance(first, np.ndarray) else 0
