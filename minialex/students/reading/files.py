"""Reads a student's file and runs it, statement by statement: a test cell that fails does not take
the definitions with it.

Notebooks (.ipynb, or saved as .py) are read without their magics. The file is loaded as a module of
the package that its folder is; files beside it, and packages of the folders above that it names,
can be imported as when it is run itself.
"""
import __future__

import ast
import contextlib
import importlib.util
import inspect
import io
import json
import linecache
import math
import re
import signal
import sys
import traceback
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..called.binding import every
from ..names import role
from . import absent, mending, older, rewriting, usual
from .changes import DEFINITIONS, loads, names_stored

OF_TEXT = ("", ".txt", ".text", ".md")  # what a file of text is called, if it is not here
FRAMES = 6  # how many of the student's lines are shown at most
ABOVE = 4  # folders above the file in which a package may lie
SAID = {  # in more words than Python's
    SystemExit: "the code ends the program here: remove the call of exit()",
    RecursionError: "the function calls itself without end",
    MemoryError: "more memory was asked for than a submission may use (--memory)",
    NotImplementedError: "this part has not been written yet",
    AssertionError: "what this assert demands does not hold",
}
CELLS = {}  # {file name: [(cell, line) of each line]} of notebooks
TEXTS = {}  # {file name: the text cells of a notebook that hold functions, counted among all}


class NoCode(ValueError):
    """A file that holds something else."""

    kind = "no code"


class TooSlow(Exception):
    """A statement of the file that computes for longer than it may."""

    kind = "out of time"


def load(path: str | Path, troubles: list | None = None,
         seconds: float | None = None) -> types.ModuleType:
    """The module in the file at `path`. What a statement raises is raised; or, with a list
    `troubles`, appended to it as (statement, error), and the next statement is run. seconds:
    computing time of one statement that is no definition."""
    path = Path(path).resolve()
    source, package = _source(path), _package(path)
    name = f"student_{re.sub(r'[^0-9a-zA-Z]', '_', path.stem)}"
    module = types.ModuleType(f"{package}.{name}" if package else name)
    module.__file__, module.__package__ = str(path), package or None
    sys.modules[module.__name__] = module  # dataclasses and pickle look their module up
    parts = mending.parsed(str(path), source, troubles, CELLS.get(str(path)))
    for found in (path, *_imported(path, parts)):
        if str(found.parent) not in sys.path:
            # at the end: none of the files there can stand in for an installed package
            sys.path.append(str(found.parent))
        if found.is_dir() and not _is_found(found):
            _import_package(found.name, found)
    _fill(module, parts, troubles, seconds)
    return module


def known(module: types.ModuleType) -> dict:
    """{name: value} of all that its file knows, then of the functions of modules beside it that it
    imports whole, as in `import forward as F`."""
    beside = {name: value for other in vars(module).values()
              if isinstance(other, types.ModuleType) and _folder(other) == _folder(module)
              for name, value in vars(other).items() if inspect.isfunction(value)}
    return {**vars(module), **{name: beside[name] for name in beside if name not in vars(module)}}


def _folder(module):
    file = getattr(module, "__file__", None)
    return file and Path(file).parent


def _fill(module, parts, troubles, seconds):
    """Run the statements of its file."""
    path = Path(module.__file__)
    module.np, module.math, module.display = np, math, print  # as a notebook may have them
    module.__statements__ = parts
    setattr(module, rewriting.NAME, rewriting)
    if rewriting.is_python_2(parts):
        older.OLD.add(str(path))
    vars(module).update(older.begin(path))
    rewriting.prepare(path, parts, str(path) in older.OLD)
    flags, read, module.__earlier__, unset = 0, set(), {}, set()  # what failed was to set
    for part in parts:
        if isinstance(part, ast.ImportFrom) and part.module == "__future__":
            flags |= sum(getattr(__future__, alias.name).compiler_flag for alias in part.names)
        if isinstance(part, DEFINITIONS):
            part = absent.Within(parts, module.__dict__).visit(part)
        code = compile(rewriting.rewritten(ast.Module([part], []), path), str(path), "exec", flags,
                       dont_inherit=True)
        before = vars(module).get(getattr(part, "name", ""))
        try:
            with at_most(None if isinstance(part, DEFINITIONS) else seconds):
                execute(code, module, seconds)
        except BaseException as error:
            # SystemExit and KeyboardInterrupt, too: nothing in a submission stops us
            if troubles is None or isinstance(error, MemoryError):
                raise
            troubles.append((part, error))
            if not isinstance(part, DEFINITIONS):
                absent.bind(part, parts, module.__dict__)
                unset |= {one for one in names_stored(part) if is_nothing(vars(module).get(one))}
        if isinstance(part, DEFINITIONS):
            _keep(part, before, parts, read, module)
        else:
            read |= loads(part)
    calls = {getattr(node.func, "id", "") for node in every(parts, ast.Call)}
    whole = {alias.asname or alias.name for part in parts if isinstance(part, ast.Import)
             for alias in part.names}  # import settings as S
    unset |= {name for name, value in vars(module).items() if absent.is_missing(value) and role(
        name) in ("x", "labels") and name not in calls | whole}  # data of another file
    module.unset = {one for one in unset if is_nothing(vars(module).get(one))}


def is_nothing(value: object) -> bool:
    """None, an empty list, a stand-in: nothing that data can be."""
    return (value is None or absent.is_missing(value) or isinstance(value, list) and not value
            or isinstance(value, np.ndarray) and not value.size)


def _keep(part, before, parts, read, module):
    """A class that was used before another one took its name is one of the file's, too."""
    name, now = part.name, vars(module).get(part.name)
    if isinstance(before, type) and isinstance(now, type) and name in read and (
            before.__module__ == module.__name__ and not issubclass(now, before)):
        others = [one for one in parts[:parts.index(part)] if getattr(one, "name", "") == name]
        if ast.dump(others[-1]) != ast.dump(part):
            module.__earlier__[f"{name} ({len(others)})"] = before
    read.discard(name)


def execute(code: types.CodeType, module: types.ModuleType, seconds: float | None) -> None:
    """Run it; once more where / made a float and a whole number is due, where a file beside this
    one has stopped, or with a text of ours where one is not here, which stays an error."""
    try:
        exec(code, module.__dict__)  # noqa: S102
    except (Exception, SystemExit) as error:
        divides = isinstance(error, (TypeError, IndexError)) and older.divides_otherwise(
            False, error)
        if divides:
            exec(code, module.__dict__)  # noqa: S102
        elif _reads_on(error, seconds) or absent.stands_in(error, module):
            execute(code, module, seconds)
        else:
            if isinstance(error, FileNotFoundError) and Path(
                    str(error.filename)).suffix in OF_TEXT:
                module.open = lambda *_, **__: io.StringIO(usual.TEXT)
                with contextlib.suppress(Exception):  # it is no text that is wanted
                    exec(code, module.__dict__)  # noqa: S102
                del module.open
            raise


def _reads_on(error, seconds):
    """Has a file beside this one stopped while it was imported? Then it is read as this one is, and
    has what it can set without what is not here."""
    begun = [frame.f_globals for frame, _ in traceback.walk_tb(error.__traceback__)
             if frame.f_code.co_name == "<module>"]
    names = begun[-1] if begun else {}
    path = Path(names.get("__file__") or "")
    if not path.is_file() or "__statements__" in names or path.resolve().is_relative_to(
            sys.base_prefix) or "site-packages" in path.parts:
        return False
    module = types.ModuleType(names["__name__"])
    vars(module).update((name, names.get(name)) for name in (
        "__file__", "__package__", "__spec__", "__path__") if name in names)
    sys.modules[module.__name__] = module
    _fill(module, mending.parsed(str(path), _source(path), []), [], seconds)
    above, _, name = module.__name__.rpartition(".")
    if above in sys.modules:
        setattr(sys.modules[above], name, module)
    return True


@contextlib.contextmanager
def at_most(seconds: float | None) -> Iterator[None]:
    """Raises TooSlow in the block after so many seconds of computing time, where the system can."""
    if not seconds or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_):
        raise TooSlow(f"still computing after {seconds:.3g} s: left out")
    before = signal.signal(signal.SIGPROF, stop)
    rest = signal.setitimer(signal.ITIMER_PROF, seconds)  # of a block around this one
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, *rest)
        signal.signal(signal.SIGPROF, before)


# ------------------------------------------------------------------------------------------- source


def _source(path):
    """The file's text, of a notebook that of its code cells."""
    data = path.read_bytes()
    if b"\0" in data:
        raise NoCode("it is no text: a picture, or saved in another form than UTF-8")
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    if path.suffix != ".ipynb":
        return re.sub(r"^([ \t]*)get_ipython\(\).*$", r"\1pass", text, flags=re.MULTILINE)
    lines, places = [], []
    try:
        every = json.loads(text).get("cells", ())
    except (ValueError, AttributeError):
        raise NoCode("it is no notebook, or one that was saved in part: its JSON cannot be "
                     "read") from None
    cells = [cell for cell in every if cell.get("cell_type") == "code"]
    TEXTS[str(path)] = [number for number, cell in enumerate(every, 1) if cell not in cells
                        and re.search(r"(?m)^ *(def|class) \w+.*:\s*$", "".join(cell["source"]))]
    for number, cell in enumerate(cells, 1):
        inside = "".join(cell["source"]).split("\n")
        if inside[0].startswith("%%") and not re.match(r"%%(time|timeit|capture|prun)\b",
                                                       inside[0]):
            continue
        indent = re.match("[ \t]*", next(filter(str.strip, inside), ""))[0]
        lines += [*(line.removeprefix(indent) for line in inside), ""]  # as IPython reads it
        places += [(number, line) for line in range(1, len(inside) + 2)]
    CELLS[str(path)] = places
    linecache.cache[str(path)] = (1, None, [f"{line}\n" for line in lines], str(path))
    return "\n".join(lines)


# ----------------------------------------------------------------------------------------- packages


def _root(path, trusted=True):
    """(the folder above the package in which the file lies, the package's parts): as far up as
    there are __init__.py, or as relative imports ask for; its own folder and no parts for a file on
    its own."""
    text = path.read_text("utf-8", errors="replace") if trusted else ""
    dots = [len(found) for found in re.findall(r"^\s*from (\.+)", text, re.MULTILINE)]
    levels, folder = 0, path.parent
    while folder.parent != folder and ((folder / "__init__.py").exists()
                                       or levels < max(dots, default=0)):
        levels, folder = levels + 1, folder.parent
    return folder, path.parent.relative_to(folder).parts


def around(path: Path, trusted: bool) -> list[Path]:
    """What the file may see in a process that sees nothing else: its folder or all of its package.
    trusted: also what it imports from the folders above, where a grader keeps his own files."""
    folder, parts = _root(path, trusted)
    try:
        above = list(_above(path, mending.parsed(str(path), _source(path), [])))  if trusted else []
    except (SyntaxError, ValueError, RecursionError):
        above = []
    return list(dict.fromkeys([folder.joinpath(*parts[:1]), *above]))


def _package(path):
    """The dotted name of the package in which the file lies, its root importable; "" for a file on
    its own."""
    folder, parts = _root(path)
    if not parts:
        return ""
    sys.path.append(str(folder))
    for count in range(1, len(parts) + 1):
        _import_package(".".join(parts[:count]), folder.joinpath(*parts[:count]))
    return ".".join(parts)


def _import_package(name, folder):
    """Import the package in this folder; an installed module that is called so, as `code` of
    Python, is found in it, too."""
    try:
        other = importlib.import_module(name)
    except Exception:  # its __init__.py may import what is not here
        other = None
    places = list(getattr(other, "__path__", ()))
    if str(folder) not in places:  # an empty package has the same files
        package = types.ModuleType(name)
        vars(package).update({**vars(other or package), "__path__": [*places, str(folder)]})
        sys.modules[name] = package


def _is_found(folder):
    """Is this what `import NAME` finds, and not an installed package that is called so, too?"""
    try:
        spec = importlib.util.find_spec(folder.name)
    except ValueError:  # of a module that was made without
        spec = None
    return str(folder) in (getattr(spec, "submodule_search_locations", None) or ())


def _above(path, parts):
    """The packages and modules in the folders above the file that it imports."""
    yield from (found for found in _imported(path, parts) if found.parent != path.parent)


def _imported(path, parts):
    """The packages and modules beside the file, and in the folders above, that it imports."""
    for part in parts:
        for node in ast.walk(part):
            modules = [node.module] if isinstance(node, ast.ImportFrom) and not node.level else \
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in filter(None, modules):
                first = module.split(".")[0]
                for folder in list(path.parents)[:ABOVE]:
                    yield from (found for found in (folder / first, folder / f"{first}.py")
                                if found.exists())


# ---------------------------------------------------------------------------------- what goes wrong


def explained(error: BaseException, path: Path) -> dict:
    """{"kind", "message", "lines"} of an exception: the lines of the student's own code only."""
    lines = own_lines(traceback.extract_tb(error.__traceback__), path)
    message = str(error).strip()
    if (isinstance(error, SyntaxError) and error.filename
        and Path(error.filename).resolve().parent == path.parent):
        lines = [{"file": Path(error.filename).name, "line": error.lineno, "in": "",
                  "code": (error.text or "").strip()}]
        message = error.msg
    elif isinstance(error, EOFError) and "input(" in "".join(line["code"] for line in lines):
        message = "the code waits for the keyboard: remove the call of input()"
    elif type(error) is NameError and error.name:
        message += _whereabouts(error.name, path)
    elif isinstance(error, KeyError):
        message = f"there is no {message} in the dictionary"
    elif isinstance(error, (SystemExit, RecursionError)):
        message = next(said for kind, said in SAID.items() if isinstance(error, kind))
    kind = getattr(type(error), "kind", type(error).__name__)
    if isinstance(error, (AttributeError, TypeError)) and (
            foreign := _of_another_library(error, path)):
        kind, message = "not NumPy", f"{foreign}, where NumPy's arrays are checked ({message})"
    return {"kind": kind, "message": (message or SAID.get(type(error), ""))[:2000], "lines": lines}


def _of_another_library(error, path):
    """Which function that stopped computes with which library; "" where none says so."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == str(path) and frame.f_code.co_name != "<module>":
            names = {absent.framework(frame.f_globals.get(name)) for name in frame.f_code.co_names}
            if found := ", ".join(sorted(names - {""})):
                return f"{frame.f_code.co_name} computes with {found}"
    return ""


def _whereabouts(name, path):
    """Where a file has this name, which is not known where it is used."""
    try:
        tree = ast.parse("".join(linecache.getlines(str(path))))
    except SyntaxError:
        return ""
    inside = {one: node.name for node in every([tree], ast.FunctionDef, ast.AsyncFunctionDef)
              for one in (*(arg.arg for arg in every([node.args], ast.arg)),
                          *(part.id for part in every([node], ast.Name)
                            if isinstance(part.ctx, ast.Store)))}
    outside = [node.lineno for part in tree.body if not isinstance(part, DEFINITIONS)
               for node in ast.walk(part) if isinstance(node, ast.Name) and node.id == name
               and isinstance(node.ctx, ast.Store)]
    if outside:
        return f": line {outside[0]}, which was to set it, has not done so"
    return (f": only {inside[name]} has it, make it an argument" if name in inside
            else ": nothing in the file sets it")


def own_lines(stack: list, path: Path) -> list[dict]:
    """The frames in the student's file, or in files beside it; the first and last few of very
    many."""
    package = Path(__file__).resolve().parents[1]
    own = []
    for frame in stack:
        place = Path(frame.filename).resolve()
        if frame.filename.startswith("<"):
            continue
        if place == path or place.parent == path.parent and package not in place.parents:
            code = (frame.line or "").strip()
            own.append({"file": place.name, "line": frame.lineno,
                        "in": frame.name.replace("<module>", ""), "code": code})
    return own if len(own) <= FRAMES else own[:FRAMES // 2] + own[-FRAMES // 2:]
