"""How far does code come with some inputs, where does it stop, and which arguments had a part in
that?"""
import ast
import functools
import linecache
import os
import sys

from .changes import ASSIGNS, targets

MOST = 200_000  # lines that are run: more is a loop that never ends


class TooLong(Exception):
    """The code runs more lines than small inputs need."""


class Watch:
    """What is run in the block of the files beside this one. lines: {(file, number)}; count: how
    many, each time that it is run; error: what
    was raised there last, whoever caught it; place: how far in its line; stack: [(file, number)],
    where it was and who called, the innermost first."""

    def __init__(self, file: str) -> None:
        self.folder, self.known = os.path.dirname(file), {}
        self.lines, self.count, self.before = set(), 0, None
        self.error, self.place, self.stack = None, 0, []

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self._called)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)

    def _called(self, frame, event, argument):
        file = frame.f_code.co_filename
        if file not in self.known:
            self.known[file] = os.path.dirname(file) == self.folder
        return self._watched if self.known[file] else None

    def _watched(self, frame, event, argument):
        where = frame.f_code.co_filename, frame.f_lineno
        if event == "line":
            self.lines.add(where)
            self.count += 1
            if self.count > MOST:
                raise TooLong(f"more than {MOST:,} lines")
        elif event == "exception" and not issubclass(argument[0], StopIteration):
            if argument[1] is not self.error:
                self.error, self.place, self.stack = argument[1], frame.f_lasti, []
            self.stack.append(where)
        return self._watched


def involved(stack: list[tuple], names: list[str]) -> list[str]:
    """Those of the names, of arguments, that what stands in these lines is made of: first what
    stands there itself."""
    found = {}
    for file, number in stack:
        inside, owner = _places(file, number)
        if inside is None:
            continue
        sources, seen = _sources(owner), []
        waiting = _names(inside)
        while waiting:
            seen += waiting
            waiting = [one for name in waiting for one in sources.get(name, ())
                       if one not in seen]
        found.update(dict.fromkeys(name for name in seen if name in names))
    return list(found)


@functools.lru_cache(maxsize=8)
def _tree(file):
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return ast.Module([], [])


def _places(file, number):
    """(the smallest statement around this line, the outermost function or class around it)."""
    around = [node for node in ast.walk(_tree(file)) if isinstance(node, ast.stmt)
              and node.lineno <= number <= node.end_lineno]
    owner = next((node for node in around
                  if isinstance(node, (ast.ClassDef, ast.FunctionDef))), None)
    inside = [node for node in around if node is not owner]
    if owner is None or not inside:
        return None, None
    smallest = min(inside, key=lambda node: node.end_lineno - node.lineno)
    return getattr(smallest, "test", getattr(smallest, "iter", smallest)), owner


def _names(node):
    """x, and self.W as one name."""
    return list(dict.fromkeys(
        ast.unparse(one) for one in ast.walk(node) if isinstance(one, ast.Name) and one.id != "self"
        or isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name)))


@functools.lru_cache(maxsize=32)
def _sources(owner):
    """{name: names of what it is made of}, anywhere in this function or class."""
    found: dict = {}
    for node in ast.walk(owner):
        value = node.iter if isinstance(node, ast.For) else node.value if isinstance(
            node, ASSIGNS) else None
        for name in [one for target in targets(node) for one in _names(target)] if value else ():
            found[name] = list(dict.fromkeys([*found.get(name, ()), *_names(value)]))
    return found
