"""One thing that was found, checked: with which inputs, in which reading, in how much time.

Slow code gets smaller inputs, or fewer entries are compared. What is all right is looked at again
with whole numbers, and with other windows, where other mistakes show.
"""
import contextlib
import copy
import functools
import time
from pathlib import Path

import numpy as np

from ..gradcheck.report import VALUES_RIGHT, Row
from ..gradcheck.verdicts import names as verdict
from ..utils import drawing
from ..utils import files as written
from . import (
    accepted,
    elsewhere,
    finding,
    instead,
    observing,
    pairing,
    reference,
    searching,
    status,
    suiting,
    trainers,
)
from .called import binding, check
from .drawn import arrays, inputs
from .drawn.guesses import requested, typed
from .drawn.inputs import CannotDraw, Request
from .forms import engines, networks, training
from .forms.functions import Reading, functions
from .forms.layers import STEPPED, NotChecked
from .forms.losses import likely_first
from .others import Others
from .reading import absent, older
from .reading.files import explained
from .status import UNPROVEN, empty, excused, explains, status_of_report, without_gradient
from .trying import check_constant

SHARE = 0.2  # of the time for one check: what costs more is drawn smaller
FIRST, FURTHER = 0.5, 0.15  # of what is left: for the first report, for each further one
QUICKLY = 0.4  # of that for one of several readings
SEARCHING = 0.4  # of the time is left when inputs are searched for no longer
LONGER = "right with these inputs, wrong with longer ones: say which are meant"
ALONE = 0.7  # for guesses: then training that calls them is run
NEAREST = 3  # readings of wrong code whose mistake is looked for
FEWEST = 10  # entries of an input: with fewer, nothing is said


class Check:
    """One thing that was found in a submission."""

    def __init__(self, submission, found, module, reference, within=False):
        self.submission, self.found, self.within = submission, found, within
        self.module, self.reference = module, reference
        self.job, self.path, self.request = submission.job, submission.path, submission.request
        # what the result's comparison was made with, for a grader who makes it once more
        self.basis, self.trains = {}, found.kind == "step"
        called = found.name if found.kind in ("skipped", "step", "trained") else found.title
        self.empty = functools.partial(empty, found.name, called)
        self.result = self.empty()

    def told(self, count, seconds):
        """The result's dictionary (its keys: docs/gradient-checking.md). seconds: of computing."""
        self.until, self.seconds, self.share = time.process_time() + seconds, seconds, FIRST
        if self.found.kind in ("guess", "either"):
            self.result, self.basis = instead.chosen(self.found, [
                Check(self.submission, one, self.module, self.reference, within=True)
                for one in self.found.others], count, seconds * (
                    ALONE if self.found.kind == "guess" else 1))
            observing.as_trained(self, count)
            return self.result
        absent.begin(), older.begin(self.path)
        self.tell(count)
        first, before = self.result, self.basis
        if older.divides_otherwise(first["status"] in ("wrong", "error"), first["error"]):
            self.result, self.basis, self.share = self.empty(), {}, FIRST
            self.tell(count)
            if self.result["status"] in ("error", first["status"]):
                self.result, self.basis = first, before
        if not self.within:
            observing.as_trained(self, count)
        return self.result

    def tell(self, count, make=None):
        """Make the result; make: gives the readings, where it is known which are meant."""
        reason = {"missing": ("missing", f"the file defines no {self.found.title}"),
                  "skipped": ("not checked", self.found.title),
                  "trained": ("not checked", self.found.title) if make is None else None,
                  }.get(self.found.kind)
        if not reason and (left := finding.unwritten(self.found)):
            reason = "not checked", f"{left} has not been written yet"
        if reason:
            return self.failed(*reason)
        try:
            counted = networks.count(self.found, self.module)
            report, reading = self._best(make()) if make else self._report()
            if report is not None:
                report.title += f" (with {counted} of the drawn examples)" if counted else ""
                absent.tell(report, status_of_report(report) == "wrong", self.found.forward)
                report.title += older.told() + elsewhere.tell(reading, report)
                accepted.conventions(self, report, reading, count)
                (training if self.trains else pairing).tell(
                    self.found, report, status_of_report(report) == "wrong" and not (
                        self.reference or getattr(reading and reading.code, "is_told", False)))
                self.result.update(rows=report.to_dict()["rows"], text=str(report),
                                   status=status_of_report(report))
                if reading is not None:
                    self.basis = {
                        "code": reading.code, "title": reading.code.title, "values": reading.values,
                        "samples": self.samples, "cost": self.cost, "seconds": self.left()}
                    reference.compare(self, reading.values)
                if self.job["plot"]:
                    self._plot(report, count)
        except (CannotDraw, NotChecked) as why:
            self.failed("no inputs" if isinstance(why, CannotDraw) else "not checked", str(why))
        except BaseException as error:
            self.result["error"] = explained(error, self.path)

    def failed(self, kind, message, lines=()):
        """Nothing came of it, for this reason."""
        self.result["error"] = {"kind": kind, "message": message, "lines": list(lines)}

    def left(self, share=0.0):
        """Seconds until no more than this share of the time is left."""
        return max(0.0, self.until - share * self.seconds - time.process_time())

    # ------------------------------------------------------------------------ with which inputs

    def _report(self):
        finding.begin(self.found)
        if self.trains:
            found = self._best(trainers.of_step(self.found, self.module, self.request, self.left))
            self._tell_inputs({**found[1].values, **found[1].code.data}, True)
            return found
        if self.found.kind == "engine":
            self.basis = {"codes": engines.codes(self.found)}
            return engines.report(self.found, self.basis["codes"], self.request.seed), None
        values = self._given()
        if values is None or self.found.kind == "class" and not values:
            return self._drawn()
        if self.found.kind == "layer":
            return self._best([engines.reading(self.found, values)])
        if isinstance(values, dict) and self.found.kind == "class":
            self.request = Request(options=values, seed=self.request.seed,
                                   constant=self.request.constant)
            return self._drawn(given=True)
        by_name = isinstance(values, dict)
        codes = functions(self.found.forward, self.found.backward, self.found.kind, by_name,
                          self.request.in_order)
        return self._best([Reading(
            code, values if by_name else binding.named(code.forward, values)[0], words)
            for code, words in codes])

    def _given(self):
        if self.request.named():
            return None
        values = inputs.given(self.found, [module for module in (self.reference, self.module)
                                           if module], self.request.seed)
        if values is not None:
            self.result["inputs"] = arrays.told(values if isinstance(values, dict)
                                                else dict(enumerate(values)))
        return values

    def _drawn(self, given=False):
        """The report for the first drawn inputs with which it runs, or for some that are found by
        trying. Where there are none, the first error is raised or explained."""
        trying = Others(self.found, self.request, self.module, self.until - 0.5 * self.seconds)
        trying.check_names()
        if self.found.kind == "usual":
            return self._of(trying, trying.usual(self._best, lambda: not self.left(0.5)), given)
        readings = trying.first(small=False)
        self.submission.returned = trying.returned
        if not readings:
            return self._searched(trying) or self._no_inputs(trying)
        report, reading = self._of(trying, readings, given)
        doubtful = not (given or report) and trying.mysterious() and (
            searching.UNCLEAR & {row.verdict for row in report.rows})
        return doubtful and self._otherwise(trying) or (report, reading)

    def _otherwise(self, trying):
        """(report, reading) for other inputs with which the code is not wrong, or None."""
        told, asked = self.result["inputs"], self.request
        with contextlib.suppress(Exception):  # it takes no others
            found = self._searched(trying)
            if found and status_of_report(found[0]) != "wrong":
                return found
        self.result["inputs"], self.request = told, asked

    def _searched(self, trying):
        """(report, reading) for inputs that are found by trying, if any. Factors are numbers."""
        again, guess = searching.with_numbers(trying)
        readings = guess and again.first(small=False)
        numbers = self._of(again, readings) if readings else None
        if numbers:
            self.result["inputs"]["found by trying"] = typed(guess)
            if numbers[0]:
                return numbers

        def reports(again, readings, quickly):
            self.request = again.request
            return self.reports(likely_first(readings), quickly)
        asked = self.request
        found = searching.best(trying, self.until - SEARCHING * self.seconds, reports)
        self.request = asked
        return self._as_found(trying, *found) if found else searching.proves(numbers) and numbers

    def _as_found(self, trying, guess, is_wide):
        """The report for these inputs, which says what they are."""
        self.request = requested(self.request, guess.guess)
        trying = trying.with_request(self.request)
        readings = trying.first(small=False)
        if not readings:
            trying.layout, readings = guess.layout, trying.readings(guess.layout)
        report, reading = self._of(trying, readings)
        self.result["inputs"] = {**self.result["inputs"], "found by trying": typed(guess.guess)}
        if report and not is_wide:
            status.leave_open(report, LONGER)
        return report, reading

    def _of(self, trying, readings, given=False):
        """The report for these inputs; if that is all right, one with whole numbers, and those for
        further layouts: the first of them that proves something wrong."""
        small = not given and suiting.cost(readings[0])[1] > SHARE * self.seconds
        if small:
            readings = trying.first(small=True) or readings
        self._tell_inputs(readings[0].values, not given)
        report, reading = self._best(readings)
        for again, other, _ in self._reported(() if given else trying.more_examples(report), 0.4):
            report, reading = (report, reading) if again else (again, other)
        self._tell_inputs(reading.values, not given)
        if not given and trying.may_mean_others(report):
            return self._as_meant(trying, small, report, reading) or (report, reading)
        self.share = FURTHER
        for again, other, told in self._reported(() if given else trying.further(reading, small),
                                                 until=0.5):
            if {row.verdict for row in again.rows} - {verdict.CORRECT, *UNPROVEN}:
                again.rows = [row._replace(detail=VALUES_RIGHT[1]) if row.verdict == verdict.TIED
                              else row for row in again.rows]
                self.result["inputs"] = told
                report, reading = again, other
                if not report:
                    break
        return report, reading

    def _no_inputs(self, trying):
        """Raises or explains the first error."""
        self._tell_inputs(trying.tried or {}, True)
        unclear = trying.mysterious(inputs.parameters_of(self.found.forward))
        if not unclear or isinstance(trying.error, NotChecked) or absent.is_clear(trying.error):
            raise trying.error
        told = explained(trying.error, self.path)
        say = "are their names do not say" if unclear[1:] else "is its name does not say"
        shapes = ", ".join(f"{name} {shape}" for name, shape in self.result["inputs"].items()
                           if name in unclear) or "what is drawn"
        self.failed("no inputs", f"what {', '.join(unclear)} {say}, and with {shapes} comes "
                     f"{told['kind']}: {told['message']}. Give --shape {unclear[0]}=…, --option "
                     f"{unclear[0]}=… or a function {self.found.name}_inputs(generator).",
                     told["lines"])
        return None, None

    def _as_meant(self, trying, small, first, found):
        """(report, reading) for inputs with which code is right that is not for others, or its
        mistake is told by name."""
        is_loss = np.ndim(found.code.run(copy.deepcopy(found.values)).outputs[0]) == 0
        unclear = [verdict.UNKNOWN, verdict.NEGATIVE]
        unclear += [verdict.SHAPE] * (trying.layout.shapes.get("x") == "D1")
        clear = all(row.verdict not in unclear for row in first.rows)
        for report, reading, note in self._reported(trying.meant(small, first, found), until=0.3):
            here, known = {row.name for row in report.rows}, status.compared(first)
            if known & {*getattr(reading.code, "without", ())} or not is_loss and known - here:
                continue  # whatever it is called, an input of a layer is no target
            if told := status.is_nearer(report, first):
                report, reading = self._best([reading])  # with a name for what is wrong
            told |= not (clear or note or note is None) and all(row.verdict != verdict.UNKNOWN
                                                                for row in report.rows)
            if report and self._wrong_for_any(trying.rows(reading, found.values) if note
                                              else trying.large(reading)):
                continue
            if report or told:
                self._tell_inputs(reading.values, True)
                if note:
                    status.leave_open(report, note)
                return report, reading
        return None

    def _wrong_for_any(self, examples):
        """Is the code wrong for one of these? What cannot be decided is no proof."""
        return any({row.verdict for row in report.rows} - {verdict.CORRECT, *UNPROVEN}
                   for report, _, _ in self._reported(((readings, "") for readings in examples),
                                                      until=0.2))

    def _reported(self, tried, until):
        """Yields (report, reading, what is said) for further inputs, until this share of the time
        is left."""
        for readings, said in tried:
            if not self.left(until):
                return
            try:
                report, reading = self._best(readings, named=said is not None)
            except MemoryError:
                raise
            except Exception:  # these inputs may lie outside the domain
                continue
            yield report, reading, said

    def _tell_inputs(self, values, drawn):
        self.result.update(inputs=arrays.told(values), drawn=drawn)

    # ------------------------------------------------------------------------ the reports

    def _best(self, readings, named=True):
        """(the report of the reading that explains most, the reading), the first of equal ones.
        What is wrong is looked for where none is right, in the nearest; named: is it of any use?"""
        found, first = self.reports(likely_first(readings), quickly=len(readings) > 1)
        if not found:
            raise first
        if len(readings) > 1 and found[0][0]:  # at ties it may be wrong all the same
            found = self.reports([found[0][1]], quickly=False)[0] or found
        elif named and len(readings) > 1:
            other = training.of_another_loss(found) if self.trains else {}
            found = self.reports([reading for _, reading in found[:1 if other else NEAREST]],
                                  quickly=False)[0] or found
            for name, said in other.items():
                status.leave_open(found[0][0], said, [name])
        return found[0]

    def reports(self, readings, quickly):
        """([(report, reading)], the best ones first; the first error). What is right ends the
        search."""
        found, first = [], None
        for reading in readings:
            try:
                report = self._compared(reading, quickly)
            except NotImplementedError:
                raise
            except Exception as error:  # this is not how it is meant
                first = first or error
                continue
            if reading.words:
                report.title = f"{report.title} ({reading.words})"
            found.append((report, reading))
            if report and not excused(report) or not self.left(0.3):
                break
        return sorted(found, key=lambda one: explains(one[0]), reverse=True), first

    def _compared(self, reading, quickly):
        code, values, _ = reading
        check_constant(self.request.constant, code.title, values, self.module)
        self.samples, self.cost = self._samples(reading, quickly)
        report = check.check_code(code, values, constant=self.request.constant,
                                  samples=self.samples, seed=self.request.seed,
                                  mean_over_examples=self.job.get("mean_over_examples", False),
                                  cost=self.cost, seconds=0.0 if quickly else self.left())
        report.rows = [row for row in report.rows if row.name not in self.request.options
                       or row.verdict != verdict.UNDECIDED]
        if getattr(code, "updating", False):
            updated = [parameter.name for parameter in code.wanted]
            report.rows = training.beside_errors(training.decayed(
                training.without_learning_rate(report.rows, updated)), updated, code)
        report.rows += map(without_gradient, getattr(code, "without", ()))
        report.rows += [without_gradient(name)._replace(evidence=f"backward changes {name} by "
                                                        f"{STEPPED}")
                        for name in getattr(code, "stepped", ())]
        report.rows += [Row(name, shape, int(np.prod(shape)), evidence=f"no gradient of {name} was "
                            "found, which changes the output",
                            verdict=verdict.UNDECIDED if is_made else verdict.NOT_COMPARED)
                        for name, (shape, is_made) in getattr(code, "missed", {}).items()]
        return report

    def _samples(self, reading, quickly):
        """(how many entries of each input may be compared in the time that is left, seconds of one
        forward). quickly: of one reading among others."""
        cost, left = suiting.cost(reading), max(0.05, self.left())
        samples = suiting.samples(reading, cost, self.share * left * (QUICKLY if quickly else 1))
        if samples is None or samples >= FEWEST:
            return samples, cost[0]
        if quickly:
            return self._samples(reading, False)
        fewest = 2 * FEWEST * len(suiting.sizes(reading)) + suiting.FIXED
        seconds = max(10 * int(np.ceil(cost[0] * fewest * 3 / 10)), int(2 * self.job["timeout"]))
        slow = cost[0] * fewest > 0.2 * self.seconds
        raise NotChecked((f"one forward takes {cost[0]:.2g} s and {fewest:,} are needed" if slow
                          else "its time went by while its inputs were found"
                          ) + f": --timeout {seconds}")

    def _plot(self, report, count):
        target = Path(self.job["plot"])
        if count > 1:
            target = target.with_name(f"{target.stem}-{self.found.name}{target.suffix}")
        def not_drawn(why):  # a picture that fails changes no verdict
            self.result["text"] += f"\n\n{why}"
        with drawing.attempt(target, not_drawn, asked=False):
            report.plot(written.Output(target, "gradcheck", force=self.job.get("force", False)))
