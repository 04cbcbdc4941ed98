"""What functions read at their file's top level and is not there: data of a file that is not here,
numbers and weights that only the main part sets.

    X = pd.read_csv("rows.csv")      X is drawn, as an argument of that name would be
    n = X.shape[1]                   the file's own line, which runs now
    if __name__ == "__main__":
        sizes = [n, 4, 2]            and so does this one

Each layout of the inputs has its own X. A code knows with which it was read.
"""
import ast
import builtins
import contextlib
import copy
import dis
import inspect
import io
import types
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..gradcheck.report import Report
from ..gradcheck.tensor_function import frozen
from .dialects import EXAMPLES, letter
from .drawn import arrays, inputs, used
from .drawn.requests import Layout, Request
from .forms.functions import Reading
from .found import Found
from .names import PARTS, plain, role
from .reading import absent, changes, files
from .reading.rewriting import rewritten
from .status import problems, status_of_report

DATA = ("x", "labels")
SEVERAL = {"D": "ND", "D1": "DN", "1D": "ND"}
LONGEST = 0.5  # seconds for one statement
FILLING = (*changes.ASSIGNS, ast.With, ast.Try)


class Elsewhere:
    """For one thing that was found. names: what is missing; given: what they were at last;
    counted: has the number of examples been told?"""

    def __init__(self, found: Found, module: types.ModuleType) -> None:
        self.module, self.given, self.drawn = module, {}, {}
        body = (found.forward.whole or found.forward).body if found.kind == "step" else []
        read = set().union(*map(changes.loads, body))
        self.functions = list(_functions(found, module, read))
        self.counted = found.kind == "network"
        self.setters = {**{name: [] for name in getattr(module, "unset", ())}, **_setters(module)}
        read = read.union(*map(_globals, self.functions)) - _set_first(found.forward)
        self.names = sorted(name for name in read if name in self.setters
                            and self._is_missing(name))
        self.needed = self.names[:]
        for name in self.needed:
            self.needed += sorted({one for node in self.setters[name] for one in changes.loads(node)
                                   if one in self.setters and one not in self.needed
                                   and self._is_missing(one)})

    def places(self) -> list[inspect.Parameter]:
        """What is drawn, or may be, as further arguments."""
        return [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
                for name in self.drawn or self.needed]

    def ways(self, layouts: Iterable[Layout]) -> Iterator[Layout]:
        """The layouts; of data the file's own lines are left aside, then not."""
        for layout in layouts:
            yield layout
            if any(role(name) in DATA for name in self.needed):
                yield layout._replace(replayed=True)

    def give(self, layout: Layout, request: Request) -> None:
        """Draw what is missing for this layout, and run the file's own lines with it."""
        if not self.names:
            return
        for name in self.given:
            vars(self.module).pop(name, None)
        self.layout, self.request, self.given, self.drawn = layout, request, {}, {}
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"), (
                frozen()) as restart:
            restart()
            for name in self.names:
                self._provide(name, ())
        self.module.unset = {*getattr(self.module, "unset", ()), *self.given}

    def told(self) -> dict:
        """How what was given is told."""
        return arrays.told(self.given)

    def bind(self, code: object) -> None:
        """From now on it runs with what was given now."""
        if self.given:
            code.__class__ = type(code.__class__.__name__, (_With, code.__class__), {})
            code.elsewhere = self.module, self.given, self.drawn, self.request.is_tried

    def _is_missing(self, name):
        known = vars(self.module)
        is_known = name in known and (name not in getattr(self.module, "unset", ())
                                      or self.counted and plain(name) in EXAMPLES)
        return not (is_known or name in self.given or hasattr(builtins, name))

    def _provide(self, name, around):
        """Make it what the file's own lines make it, or draw it. around: what that is for."""
        is_data = role(name) in DATA
        direct = is_data and not self.layout.replayed
        for node in () if direct or name in self.request.named() else self.setters.get(name, ()):
            for other in sorted(changes.loads(node)):
                if other == name and self._is_missing(name):
                    self._draw(name)
                elif self._is_missing(other) and other in self.setters and other not in around:
                    self._provide(other, (*around, name))
            if not (is_data and any(map(self._is_whole, changes.loads(node) - {name}))):
                self._run(node, name)
        is_count = plain(name) in EXAMPLES
        if self._is_missing(name) or is_count and self.given[name] != self.layout.sizes["N"]:
            self._draw(name)

    def _is_whole(self, name):
        """Was a table drawn under this name? Nobody knows which of its columns are what."""
        return isinstance(self.drawn.get(name), np.ndarray) and (
            role(name) not in DATA or plain(name) in PARTS["tables"])

    def _run(self, node, name):
        """Run a statement, for what it sets under this name alone."""
        known, others = vars(self.module), changes.names_stored(node) - {name}
        before = {one: known[one] for one in others if one in known}
        code = compile(rewritten(ast.Module([node], []), self.module.__file__),
                       self.module.__file__, "exec")
        try:
            with files.at_most(LONGEST):
                files.execute(code, self.module, LONGEST)
        except MemoryError:
            raise
        except (Exception, SystemExit):  # what it needs is not here, or it is not for such data
            pass
        for one in others:
            known.pop(one, None)
        known.update(before)
        if not files.is_nothing(known.get(name)):
            self.given[name] = known[name]

    def _draw(self, name):
        self.given[name] = self.drawn[name] = vars(self.module)[name] = self._drawn(name)

    def _drawn(self, name):
        if name in self.request.named():
            return self.request.value(name)
        if plain(name) in EXAMPLES or letter(name) == "N":
            return self.layout.sizes["N"]
        hint = None if role(name) or letter(name) else used.hint(self.functions, name)
        if hint:
            return hint[1]
        shapes = self.layout.shapes  # where one example is given, data hold several
        many = {**shapes, "x": SEVERAL.get(shapes["x"], shapes["x"])}
        return inputs.draw_named([name], self.layout._replace(shapes=many), self.request)[name]


class _With:
    """Code that runs with what is given elsewhere. elsewhere: (module, what is given, what of that
    was drawn, whether its inputs were found by trying)."""

    def run(self, values):
        """A Run of it."""
        module, given, *_ = self.elsewhere
        for name, value in given.items():
            with contextlib.suppress(Exception):  # an object may allow no copies
                value = copy.deepcopy(value)
            vars(module)[name] = value
        return super().run(values)


def tell(reading: Reading | None, report: Report) -> str:
    """What was drawn for this reading, to be said in the report's title. Raises NotHandedIn where
    that may be to blame."""
    code = getattr(reading, "code", None)
    while code is not None and not hasattr(code, "elsewhere"):
        code = getattr(code, "__dict__", {}).get("code")
    if code is None:
        return ""
    _, given, drawn, is_tried = code.elsewhere
    told = ", ".join(f"{name} {shape}" for name, shape in arrays.told(drawn).items())
    unclear = ", ".join(name for name in drawn if is_tried or role(name) not in DATA)
    if unclear and status_of_report(report) == "wrong":
        raise absent.NotHandedIn(
            f"with {told} drawn in place of what is not here this is not right "
            f"({problems(report.counted())}), but the file does not say what {unclear} is: "
            "hand it in, too, or give --shape")
    made = ", ".join(name for name in given if name not in drawn)
    both = f"{told} drawn in place of what is not here" * bool(told), f"{made} of the file" * bool(
        made)
    return f" (with {', '.join(filter(None, both))})"


def _functions(found, module, read):
    """Its functions, and those of the file that they call. read: what its statements read."""
    new, known = [found.forward, found.backward, *found.others], []
    new += [vars(module)[name] for name in read if name in vars(module)]
    while new:
        one = new.pop()
        one = inspect.unwrap(one) if callable(one) else one
        if not (inspect.isclass(one) or inspect.isroutine(one)) or one in known:
            continue
        known.append(one)
        if inspect.isclass(one):
            new += [value for base in one.__mro__[:-1] for value in vars(base).values()
                    if inspect.isfunction(value)]
            continue
        names = vars(module)
        new += [names[name] for name in _globals(one) if name in names]
        yield one


def _set_first(forward: object) -> set[str]:
    """What a forward leaves at the top level for its backward: global h; h = …"""
    code, first = getattr(forward, "__code__", None), {}
    for step in dis.get_instructions(code) if code else ():
        if step.opname in ("LOAD_GLOBAL", "STORE_GLOBAL"):
            first.setdefault(step.argval, step.opname)
    return {name for name, how in first.items() if how == "STORE_GLOBAL"}


def _globals(function: Callable) -> set[str]:
    """The names that it reads and does not set."""
    codes = [code] if (code := getattr(function, "__code__", None)) else []
    for one in codes:
        codes += [inside for inside in one.co_consts if isinstance(inside, types.CodeType)]
    return {step.argval for one in codes for step in dis.get_instructions(one)
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}


def _setters(module):
    """{name: the statements that set or fill it}, of the top level and the main part, and of what
    functions set for it."""
    found = {}
    parts = list(getattr(module, "__statements__", ()))
    for part in parts:
        if isinstance(part, ast.If):
            parts += part.body
        elif isinstance(part, FILLING) or isinstance(part, ast.For) and not changes.updates([part]):
            for name in changes.names_stored(part):
                found.setdefault(name, []).append(part)
        elif isinstance(part, ast.FunctionDef):
            for node in ast.walk(part):
                for name in node.names if isinstance(node, ast.Global) else ():
                    found.setdefault(name, [])
    return found
