"""With which inputs does a student's code run? Layouts are drawn until it takes them."""
import copy
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from ..gradcheck.tensor_function import frozen
from ..gradcheck.verdicts import names as verdict
from . import classes, restricted, suiting
from .called import binding
from .called.numpy_code import leaves
from .drawn import inputs
from .drawn.inputs import CannotDraw, Layout, Request
from .elsewhere import Elsewhere
from .finding import Found
from .forms import alone, engines, networks
from .forms.functions import EachExample, Reading
from .forms.layers import NotChecked, Stepped
from .names import role
from .reading import kinds, usage
from .reading.absent import is_clear
from .status import problems, status_of_report

FATAL = NotImplementedError, MemoryError, RecursionError, Stepped  # no layout helps against those
RAN, FITS = 1, 2


def check_constant(names: Iterable[str], title: str, values: dict, module: object) -> None:
    """Raises CannotDraw when the command line holds constant what is no input, here or elsewhere in
    the file."""
    known = leaves(values)
    unknown = {*names} - {*values, *known}
    if unknown := unknown and sorted(unknown - usage.names_in(module)):
        raise CannotDraw(f"{title} has no input {', '.join(unknown)} to be held constant; its "
                         f"inputs are {', '.join(known)}.")


class Trying:
    """One thing that was found, run with whatever may be meant. layout: of the first inputs with
    which it runs; error, tried: of the first with which it does not; failed, gradients: backward's
    last; returned: did it ever come back? reached: did it begin, with a layout that knows all
    roles? until: no further ones after this computing time."""

    def __init__(self, found: Found, request: Request, module: object, until: float,
                 elsewhere: Elsewhere | None = None) -> None:
        self.found, self.request, self.module, self.until = found, request, module, until
        self.elsewhere = elsewhere or Elsewhere(found, module)
        self.layout = self.error = self.tried = self.failed = self.gradients = self.returned = None
        self.reached = False

    def with_request(self, request: Request) -> "Trying":
        """The same with other inputs asked for."""
        return type(self)(self.found, request, self.module, self.until, self.elsewhere)

    def forward(self) -> Callable:
        """What takes the inputs."""
        if self.found.kind == "layer":
            return engines.made(self.found).forward
        return getattr(self.found.forward,
                       self.found.backward[0]) if self.found.kind == "class" else self.found.forward

    def places(self) -> list:
        """The parameters that are drawn for: of a class those of its constructor, of forward, and
        the targets of backward."""
        found = self.found
        if found.kind != "class":
            return [*inputs.parameters_of(self.forward()), *self.elsewhere.places()]
        backward = getattr(found.forward, found.backward[1] or "", None)
        targets = [p for p in inputs.parameters_of(backward) if role(p.name) == "labels"
                   ] if backward else []
        every = [*inputs.parameters_of(found.forward), *inputs.parameters_of(self.forward()),
                 *targets, *self.elsewhere.places()]
        return list({p.name: p for p in reversed(every) if p.name != "self"}.values())[::-1]

    def mysterious(self, places: list | None = None) -> list[str]:
        """The arguments, of some places or all, of which neither the names nor, of a
        constructor's, their use says what they are."""
        own = inputs.parameters_of(self.found.forward) if self.found.kind == "class" else []
        told = {p.name for p in own if kinds.kind_of(self.found.forward, p.name).what}
        return [name for name in inputs.mysterious(places or self.places(), self.request)
                if name not in told]

    def check_names(self) -> None:
        """Raises CannotDraw when the command line names what is no argument, here or elsewhere in
        the file."""
        is_class, known, named = self.found.kind == "class", self.places(), self.request.named()
        called = getattr(self.found.forward, "__name__", self.found.name)
        unknown = named - {p.name for p in known}
        unknown = unknown and sorted(unknown - usage.names_in(self.module))
        if unknown and (is_class or not any(p.kind == p.VAR_KEYWORD for p in known)):
            raise CannotDraw(f"{called} has no argument {', '.join(unknown)}; its arguments are "
                             f"{', '.join(p.name for p in known)}.")
        if not is_class and not named and all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
                                              for p in known):
            raise CannotDraw(f"{called} names no arguments: give their shapes in order to a "
                             f"function {self.found.name}_inputs(generator) that returns a list.")

    def readings(self, layout: Layout) -> list[Reading]:
        """How it may be meant, with inputs of this layout."""
        self.elsewhere.give(layout, self.request)
        found = self._readings(layout)
        for code, *_ in found:
            self.elsewhere.bind(code)
        return found

    def _readings(self, layout):
        if self.found.kind == "layer":
            return [engines.reading(self.found, inputs.draw(inputs.parameters_of(self.forward()),
                                                            layout, self.request))]
        if self.found.kind == "class":
            return classes.of_class(self.found, layout, self.request)
        if self.found.kind == "usual":
            if self.layout is not None and layout.shapes != self.layout.shapes:
                raise ValueError("that is another layout")
            return alone.readings(self.found, layout, self.request, classes.LOSSES)
        if self.found.kind == "network":
            return networks.of_functions(self.found, layout, self.request, self.module)
        return [reading for forward in (self.found.forward, *self.found.others)
                for reading in classes.of_functions(forward, self.found.backward, self.found.kind,
                                                  layout, self.request)]

    def running(self, layouts: Iterable[Layout],
                fatal: tuple = (MemoryError,)) -> Iterator[tuple[Layout, list[Reading]]]:
        """Yields those with which forward runs, none twice."""
        seen: list[tuple] = []
        named = inputs.telling(self.forward())
        for layout in layouts:
            knows = named <= layout.shapes.keys()
            if self.reached and not knows:
                continue  # what is wrong for a batch and its state may be right for vectors
            if self.error and time.process_time() > self.until:
                return  # that error says more than that time is up
            try:
                with np.errstate(all="ignore"), frozen():
                    readings = self.readings(layout)
                    told = (suiting.drawn(readings[0]), layout.shapes.get("labels"),
                            "probs" in layout.shapes.values(), self.elsewhere.told())
                    if told in seen:
                        continue
                    seen.append(told)
                    self.tried = self.tried or readings[0].values
                    self.run(*readings[:2])
            except fatal:
                raise
            except Exception as error:  # this layout is not for this code
                self.reached = self.reached or knows and self._came_far(error)[0]
                if self.error is None or self._came_far(error) > self._came_far(self.error):
                    self.error = error
                continue
            self.reached = self.reached or knows
            yield layout, readings

    def _came_far(self, error):
        """Where backward was reached, or what forward calls, the inputs may be those that are
        meant; and no other layout helps against a name that is nowhere."""
        backward, file = self.found.backward, getattr(self.module, "__file__", "")
        frames = traceback.extract_tb(error.__traceback__)
        name = backward[-1] if isinstance(backward, tuple) else getattr(backward, "__name__", "")
        return (any(frame.name == name for frame in frames), is_clear(error),
                sum(frame.filename == file for frame in frames))

    def run(self, reading: Reading, *others: Reading) -> None:
        """Raises an Exception unless forward gives numbers; a loss, one."""
        several = any(not isinstance(one.code, EachExample) for one in others)
        run = reading.code.run(copy.deepcopy(reading.values))
        output = binding.join(f"{reading.code.title} returned", run.outputs).astype(float)
        is_loss = self.found.kind == "loss" or self.found.others or (
            self.found.kind == "pair" and not several and not reading.code.takes_dout(run))
        if is_loss and output.size > 1:
            raise ValueError(f"{self.found.name} returns a loss of shape {output.shape} for drawn "
                             "inputs: one number is due, choose other shapes.")
        if not output.size:
            raise ValueError(f"{self.found.name} returns no values for drawn inputs: "
                             "give larger ones.")
        if not np.isfinite(output).all():
            raise ValueError(f"{self.found.name} gives NaN or infinity for drawn inputs: "
                             f"choose others, with a function {self.found.name}_inputs(generator).")

    def first(self, small: bool) -> list[Reading] | None:
        """The readings for the first layout with which forward and backward run and what comes back
        fits, or else both run, or forward alone; pictures may be square, as the last resort."""
        layouts = [*self.elsewhere.ways(inputs.layouts(self.found.name, self.request, small,
                                                       forward=self.forward()))]
        best, runs = self.furthest(layouts)
        return runs < RAN and restricted.last_resort(self, layouts, best, RAN) or best

    def furthest(self, layouts: list[Layout]) -> tuple[list[Reading] | None, float]:
        """(the readings for the first of these with which most runs, how far)."""
        best, furthest = None, -1.0
        for layout, readings in self.running(layouts, FATAL):
            if not suiting.moves_some(readings[0]):
                self.error = self.error or ValueError("there is no array of numbers to move")
                continue
            runs = self.runs(readings)
            if furthest == RAN and suiting.largest(readings[0]) == 1:
                continue  # of one number each, any shape fits
            if runs > furthest:
                best, self.layout, furthest = readings, layout, runs
            if runs == FITS:
                break
        return best, furthest

    def usual(self, best: Callable, is_over: Callable) -> list[Reading]:
        """The reading of a usual forward with which a backward that stands alone is right, or the
        first where none can be meant (alone.never). Raises NotChecked where there is none: its own
        forward may be another. best: makes (report, reading) of readings."""
        found, errors, many = [], [], False
        layouts = inputs.layouts(self.found.name, self.request, forward=self.forward())
        if alone.kind_of(self.found.backward) in alone.WITHOUT_LAYOUT:
            layouts = islice(layouts, 1)
        for layout, readings in self.running(layouts):
            if many and alone.says_less(self.found, readings[0]):
                continue  # what is wrong for many examples may be right for one
            try:
                report, reading = best(readings)
            except MemoryError:
                raise
            except Exception as error:  # it is not for this layout
                errors.append(error)
                continue
            averaged = report.averaged() and status_of_report(report) != "wrong"
            if (report or averaged) and suiting.gives_some(reading):
                self.layout = layout
                return [reading]
            many = many or all(row.verdict != verdict.SHAPE for row in report.rows)
            found += [] if report else [(report, reading)]  # what is 0 there says nothing
            if is_over():
                break
        if alone.never(self.found, [report for report, _ in found]):
            return [found[0][1]]
        if not found and errors and all(isinstance(one, NameError) for one in errors):
            raise errors[0]  # that is so with whatever forward
        nearest = max((report.counted() for report, _ in found), default=[],
                      key=lambda rows: sum(row.is_correct for row in rows))
        wrong = problems(nearest)
        raise NotChecked(f"{self.found.title}: the file has no forward or cost that goes with it, "
                         f"and with the usual ones it is not right{wrong and f' ({wrong})'}: "
                         "hand in both, or give a file that has it with --like")

    def runs(self, readings: list[Reading]) -> float:
        """How far backward comes in any reading: FITS with a gradient for all parameters, RAN with
        one of another shape than a loss's inputs have, less with none for some of them."""
        for reading in readings:
            code, values, _ = reading
            try:
                with np.errstate(all="ignore"), frozen():
                    run, returned = suiting.both_ways(reading)
            except FATAL:
                raise
            except Exception as error:  # this is not how it is meant
                self.failed = error
                continue
            self.returned, self.gradients = True, returned
            if missing := len(getattr(code, "without", ())):
                return RAN / (1 + missing)
            if suiting.is_wider(returned, values, run.outputs[0]):
                return RAN
            fitting = suiting.fits if self.found.kind == "pair" else suiting.fits_any
            fits = suiting.fits_object(returned, values, self.forward()
                                       ) if self.found.kind == "class" else fitting(returned, run)
            return FITS if fits else RAN
        return 0
