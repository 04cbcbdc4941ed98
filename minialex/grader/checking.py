"""One thing that was found in a submission, checked: with which inputs, in which reading, in how
much time.

Inputs are drawn until forward and backward run; slow code gets smaller ones, or fewer entries are
compared. What is all right is looked at again with whole numbers, and with other windows, where
other mistakes show.
"""
import copy
import time
from pathlib import Path

import numpy as np

from ..gradcheck import binding, check, verdicts
from ..gradcheck.numpy_code import Functions, leaves
from ..gradcheck.report import VALUES_RIGHT, Report
from ..gradcheck.verdicts import names as verdict
from ..utils import drawing
from ..utils import files as written
from . import arrays, engines, finding, inputs
from .files import explained
from .functions import Reading, functions
from .inputs import CannotDraw, Request
from .layers import NotChecked
from .trying import Trying

# neither right nor wrong
UNPROVEN = {verdict.UNDECIDED, verdict.DTYPE, verdict.RANDOM, verdict.KINK, verdict.NOT_COMPARED}
SHARE = 0.2  # of the time for one check: what costs more is drawn smaller
FIRST, FURTHER = 0.5, 0.15  # of what is left: for the first report, for each further one
FIXED = 60  # forward passes of a check besides two for each entry
NEAREST = 3  # readings of wrong code whose mistake is looked for
FEWEST = 10  # entries of an input: with fewer, nothing is said


class Check:
    """One thing that was found in a submission."""

    def __init__(self, submission, found, module, reference):
        self.submission, self.found, self.module, self.reference = (submission, found, module,
                                                                    reference)
        self.job, self.path, self.request = submission.job, submission.path, submission.request
        # what the result's comparison was made with, for a grader who makes it once more
        self.basis = {}
        self.result = {"name": found.name, "checked": found.title, "status": "error", "inputs": {},
                       "drawn": False, "rows": [], "error": None, "text": ""}

    def told(self, count, seconds):
        """The dictionary that goes into the result; README and --help document its keys. seconds:
        of computing."""
        self.until = time.process_time() + seconds
        self.seconds, self.share = seconds, FIRST
        reasons = {"missing": ("missing", f"the file defines no {self.found.title}"),
                   "skipped": ("not checked", self.found.title)}
        if self.found.kind in reasons:
            self._failed(*reasons[self.found.kind])
            return self.result
        try:
            report, reading = self._report()
            if report is not None:
                self.result.update(rows=report.to_dict()["rows"], text=str(report),
                                   status=status_of_report(report))
                if reading is not None:
                    code, values, _ = reading
                    self.basis = {"code": code, "title": code.title, "values": values,
                                  "samples": self.samples, "cost": self.cost,
                                  "seconds": self._left()}
                    self._compare_forwards(values)
                if self.job["plot"]:
                    self._plot(report, count)
        except (CannotDraw, NotChecked) as problem:
            self._failed("no inputs" if isinstance(problem, CannotDraw) else "not checked",
                         str(problem))
        except BaseException as error:
            self.result["error"] = explained(error, self.path)
        return self.result

    def _failed(self, kind, message, lines=()):
        self.result["error"] = {"kind": kind, "message": message, "lines": list(lines)}

    def _left(self, share=0.0):
        """Seconds until no more than this share of the time is left."""
        return max(0.0, self.until - share * self.seconds - time.process_time())

    # ------------------------------------------------------------------------ with which inputs

    def _report(self):
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
        found = self.found
        codes = functions(found.forward, found.backward, found.kind, by_name)
        return self._best([Reading(code, values if by_name
                                   else binding.named(code.forward, values)[0], words)
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
        """The report for the first drawn inputs with which it runs; if that is all right, one with
        whole numbers, and those for further layouts: the first of them that proves something
        wrong."""
        trying = Trying(self.found, self.request, self.module, self.until - 0.5 * self.seconds)
        trying.check_names()
        readings = self._first(trying)
        small = bool(readings) and not given and _cost(readings[0])[1] > SHARE * self.seconds
        if small:
            readings = trying.first(small=True) or readings
        if not readings:
            return None, None
        self._tell_inputs(readings[0].values, not given)
        report, reading = self._best(readings)
        self._tell_inputs(reading.values, not given)
        if not report and not given:
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

    def _first(self, trying):
        """The readings that run. Where there are none, the first error is raised or explained."""
        readings = trying.first(small=False)
        self.submission.returned = trying.returned
        if readings:
            return readings
        self._tell_inputs(trying.tried or {}, True)
        unclear = inputs.mysterious(inputs.parameters_of(self.found.forward), self.request)
        if not unclear or isinstance(trying.error, NotChecked):
            raise trying.error
        told = explained(trying.error, self.path)
        shapes = ", ".join(f"{name} {shape}" for name, shape in self.result["inputs"].items()
                           if name in unclear)
        self._failed("no inputs", f"what {', '.join(unclear)} is its name does not say, "
                     f"and with {shapes} comes {told['kind']}: {told['message']}. "
                     f"Give --shape {unclear[0]}=…, --option {unclear[0]}=… or "
                     f"a function {self.found.name}_inputs(generator).", told["lines"])
        return None

    def _as_meant(self, trying, small, first, found):
        """(report, reading) for inputs with which code is right that is not for others, or its
        mistake is told by name."""
        clear = all(row.verdict not in (verdict.UNKNOWN, verdict.NEGATIVE) for row in first.rows)
        for report, reading, note in self._reported(trying.meant(small, first, found), until=0.3):
            told = not (clear or note or note is None) and all(row.verdict != verdict.UNKNOWN
                                                               for row in report.rows)
            if report and note and self._wrong_for_any(trying.rows(reading, found.values)):
                continue
            if report and not note and self._wrong_for_any(trying.large(reading)):
                continue
            if report or told:
                self._tell_inputs(reading.values, True)
                report.rows = [row._replace(verdict=verdict.UNDECIDED, detail=note) if note
                               and row in report.counted() else row for row in report.rows]
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
            if not self._left(until):
                return
            try:
                report, reading = self._best(readings)
            except MemoryError:
                raise
            except Exception:  # these inputs may lie outside the domain
                continue
            yield report, reading, said

    def _tell_inputs(self, values, drawn):
        self.result.update(inputs=arrays.told(values), drawn=drawn)

    # ------------------------------------------------------------------------ the reports

    def _best(self, readings):
        """(the report of the reading that explains most, the reading); the first one where they are
        equal. What is wrong is looked for only where no reading is right, in those that came
        nearest."""
        found, first = self._reports(readings, quickly=len(readings) > 1)
        if not found:
            raise first
        if len(readings) > 1 and not found[0][0]:
            found = self._reports([reading for _, reading in found[:NEAREST]],
                                  quickly=False)[0] or found
        return found[0]

    def _reports(self, readings, quickly):
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
            if report or not self._left(0.3):
                break
        return sorted(found, key=lambda one: _explains(one[0]), reverse=True), first

    def _compared(self, reading, quickly):
        code, values, _ = reading
        unknown = sorted(set(self.request.constant) - {*values, *leaves(values)})
        if unknown:
            raise CannotDraw(f"{code.title} has no input {', '.join(unknown)} to be held constant; "
                             f"its inputs are {', '.join(leaves(values))}.")
        self.samples, self.cost = self._samples(reading)
        report = check.check_code(code, values, constant=self.request.constant,
                                  samples=self.samples, seed=self.request.seed,
                                  mean_over_examples=self.job.get("mean_over_examples", False),
                                  cost=self.cost, seconds=0.0 if quickly else self._left())
        report.rows = [row for row in report.rows if row.name not in self.request.options
                       or row.verdict != verdict.UNDECIDED]
        if getattr(code, "updating", False):
            report.rows = _without_learning_rate(report.rows,
                                                 [parameter.name for parameter in code.wanted])
        for name in getattr(code, "without", ()):
            report.rows.append(verdicts.without_gradient(name))
        return report

    def _samples(self, reading):
        """(how many entries of each input may be compared in the time that is left, seconds of one
        forward)."""
        (cost, whole), count = _cost(reading), len(_sizes(reading.values))
        left = max(0.05, self._left())
        if whole <= self.share * left:
            return None, cost
        samples = int((self.share * left / cost - FIXED) / 2 / max(1, count))
        if samples < FEWEST:
            fewest = 2 * FEWEST * count + FIXED
            seconds = max(10 * int(np.ceil(cost * fewest * 3 / 10)), int(2 * self.job["timeout"]))
            raise NotChecked(f"one forward takes {cost:.2g} s and {fewest:,} are needed: "
                             f"--timeout {seconds}")
        return samples, cost

    def _compare_forwards(self, values):
        """Does forward give what the teacher's gives? Not asked for inputs that were drawn, nor
        where one is not written."""
        theirs = next((item for item in finding.everything(self.reference)
                       if item.name == self.found.name), None) if self.reference else None
        if (self.result["drawn"] or not theirs or theirs.kind not in ("pair", "loss")
            or self.found.kind != theirs.kind):
            return
        outputs = []
        for item in (theirs, self.found):
            np.random.seed(self.request.seed)
            try:
                outputs.append(np.asarray(
                    Functions(item.forward, item.backward).run(copy.deepcopy(values)).outputs[0]))
            except NotImplementedError:
                return
        (expected, got), file = outputs, Path(self.job["like"]).name
        differs = (f"forward returns shape {got.shape}, "
                   f"that of {file} {expected.shape}" if expected.shape != got.shape else "")
        if not differs and not np.allclose(expected, got, rtol=1e-6, atol=1e-9):
            index = np.unravel_index(np.argmax(abs(expected - got)), expected.shape)
            differs = (f"forward is not that of {file}: "
                       f"{f'at {[int(i) for i in index]} ' * bool(index)}it gives {got[index]:.6g} "
                       f"instead of {expected[index]:.6g}")
        if differs:
            self._failed("forward differs", differs)
            self.result["status"] = "wrong"

    def _plot(self, report, count):
        target = Path(self.job["plot"])
        if count > 1:
            target = target.with_name(f"{target.stem}-{self.found.name}{target.suffix}")
        try:
            with drawing.attempt(target, self._not_drawn):
                report.plot(written.Output(target, "gradcheck", force=self.job.get("force", False)))
        except written.NotWritten as problem:
            self._not_drawn(str(problem))

    def _not_drawn(self, why):
        """A picture that fails changes no verdict."""
        self.result["text"] += f"\n\n{why}"


def status_of_report(report: Report) -> str:
    """"correct", "remarks", "undecided" or "wrong"."""
    others = [row for row in report.counted() if not row.is_correct]
    found = {row.verdict for row in others if not row.is_remark}
    return ("correct" if not others else "remarks" if not found else "undecided"
            if found <= UNPROVEN else "wrong")


def _explains(report):
    """How much, to be compared."""
    if report is None:
        return False, 0, 0, 0
    found = [row.verdict for row in report.counted()]
    return (bool(report), found.count(verdict.CORRECT), found.count(verdict.UNDECIDED),
            -found.count(verdict.UNKNOWN) - found.count(verdict.SHAPE))


def _without_learning_rate(rows, updated):
    """Where all parameters that are updated inside backward are off by the same factor, it is the
    learning rate."""
    factors = {round(row.factor, 8) if row.factor and row.verdict == verdict.FACTOR else None
               for row in rows if row.name in updated}
    factor = factors.pop() if len(factors) == 1 else None
    if factor is None:
        return rows
    return [row._replace(verdict=verdict.CORRECT, detail="", evidence="its update inside backward "
                         f"is {factor:g} · the gradient: a learning rate") if row.name in updated
            and 0 < factor < 1 else row for row in rows]


def _sizes(values):
    """Of the inputs that are moved."""
    return [np.size(value) for _, value in leaves(values).values() if binding.is_checked(value)]


def _cost(reading):
    """Computing time of one forward, and of comparing every entry."""
    found = []
    for _ in range(2):
        began = time.process_time()
        reading.code.run(copy.deepcopy(reading.values))
        found.append(time.process_time() - began)
    return min(found), min(found) * (2 * sum(_sizes(reading.values)) + FIXED)
