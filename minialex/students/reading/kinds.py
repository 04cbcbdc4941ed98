"""What an argument is, told by what the source does with it, whatever it is called: in a function,
in all methods of a class that keeps it, and where it is handed on.

    a, b = p;  p[0], p[1];  len(p) == 2       a pair
    for n in p;  range(len(p) - 1);  p[i + 1] sizes, one after the other; rows, of several things
    p.shape;  p.T;  np.dot(a, p)              an array
    p[:n].reshape(a, b)                       several in a row
    np.zeros((3, p));  range(p);  a[::p]      a count
    p == "tanh";  {"tanh": np.tanh}[p]        a word
    p(z)                                      a function
    p.evaluate(z);  p.grad(z)                 an object with these methods
    p * z                                     a factor
"""
import ast
import functools
import inspect
import re
import sys
from collections.abc import Callable
from typing import NamedTuple

from ..called import binding
from ..dialects import COUNTED, KEPT, USED_OF_ARRAYS, USED_OF_WORDS
from . import changes

LOOPS = {"enumerate", "zip", "reversed", "sorted", "sum"}
OF_SIZES = r"[\w.]*\b(randn|rand|range|reshape|eye)\("  # each of their arguments is one
ANY = "*"  # in a path: any of them
DEEP = 400  # uses that are looked at


class Called(NamedTuple):
    """A call of an object's method, or of itself (""): in which function, what it is given, as it
    is written."""

    method: str
    where: str
    given: tuple


class Kind(NamedTuple):
    """what: "pair", "sizes", "rows", "array", "flat", "count", "word", "function", "object",
    "several" of those two, "factor" or ""; inside: the kinds of what is in it, in order; words:
    with which it is compared; marks: what speaks for it."""

    what: str = ""
    inside: tuple = ()
    words: tuple = ()
    marks: frozenset = frozenset()

    def called(self) -> list[Called]:
        """The calls of itself and its methods."""
        return [more for path, mark, more in self.marks if not path and isinstance(more, Called)]


@functools.lru_cache(maxsize=512)
def kind_of(code: Callable, name: str) -> Kind:
    """The Kind of an argument of a function, or of a class's constructor; of an attribute of its
    objects, where the name is self.name."""
    found = _Uses(code)
    if isinstance(code, type):
        of_fields = name in getattr(code, "__dataclass_fields__", ())  # what @dataclass writes
        begin = [(code.__init__, name)] if "." not in name and not of_fields else [
            (method, f"self.{name}" if of_fields else name) for method in found.methods]
    else:
        begin = [(inspect.unwrap(code), name)]
    for function, text in begin:
        found.follow(function, text, ())
    for node, key, _ in keywords(begin[0][0]) if begin else ():
        if key == name:
            found.used(begin[0][0], node, _tree(begin[0][0])[1], ())
    return _judged(found.marks)


def keywords(function: Callable) -> list[tuple]:
    """[(node, key, its default)] of what is read from **kwargs: kwargs.get("rate", 0.5)."""
    star = next((p.name for p in binding.signature(function) if p.kind == p.VAR_KEYWORD), None)
    found = []
    for node in ast.walk(_tree(function)[0]) if star else ():
        is_call = isinstance(node, ast.Call)
        whole = getattr(node.func if is_call else node, "value", None)
        key, *default = [*node.args, None] if is_call else (getattr(node, "slice", None),
                                                            inspect.Parameter.empty)
        if getattr(whole, "id", None) == star and isinstance(getattr(key, "value", None), str):
            found.append((node, key.value, getattr(default[0], "value", None) if is_call
                          else default[0]))
    return found


class _Uses:
    """What is done with it: marks holds (path, mark, what else is known)."""

    def __init__(self, code):
        owner = code if isinstance(code, type) else None
        self.module = sys.modules.get(code.__module__)
        self.methods = [value for base in (owner.__mro__[:-1] if owner else ())
                        for value in vars(base).values() if inspect.isfunction(value)]
        self.owner, self.marks, self.seen = owner, [], set()

    def follow(self, function, text, path):
        """Look at each place where this is read in a function."""
        if (function, text, path) in self.seen or len(self.seen) > DEEP:
            return
        self.seen.add((function, text, path))
        tree, parents = _tree(function)
        for node in ast.walk(tree):
            if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(
                    node.ctx, ast.Load) and ast.unparse(node) == text:
                self.used(function, node, parents, path)

    def kept(self, function, target, path):
        """It is called so, too: in this function, or by all methods."""
        if isinstance(target, ast.Name):
            self.follow(function, target.id, path)
        elif isinstance(target, ast.Attribute) and getattr(target.value, "id", "") == "self":
            for method in self.methods:
                self.follow(method, ast.unparse(target), path)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.mark(path, "unpacked", len(target.elts))
            for place, one in enumerate(target.elts):
                self.kept(function, one, (*path, place))

    def mark(self, path, what, more=None):
        self.marks.append((path, what, more))

    def used(self, function, node, parents, path):
        """What stands around it says what it is."""
        around = parents.get(node)
        if isinstance(around, ast.Attribute):
            self._attribute(function, around, parents, path)
        elif isinstance(around, ast.Subscript):
            self._subscript(function, node, around, parents, path)
        elif isinstance(around, ast.Call):
            self._call(function, node, around, parents, path)
        elif isinstance(around, ast.keyword):
            self._handed(function, parents[around], around.arg, path, parents)
        elif isinstance(around, (ast.For, ast.comprehension)) and around.iter is node:
            self._loop(function, around.target, path)
        elif isinstance(around, ast.BinOp):
            self._computed(function, node, around, parents, path)
        elif isinstance(around, (ast.IfExp, ast.BoolOp)) or isinstance(
                getattr(around, "op", None), ast.USub):
            self.used(function, around, parents, path)
        elif isinstance(around, ast.Starred):
            self.mark(path, "spread")
        elif isinstance(around, ast.Slice):
            self.mark(path, "count")
        elif isinstance(around, ast.Compare):
            self._compared(function, around, path)
        elif isinstance(around, ast.Match):
            for one in (one for case in around.cases for one in ast.walk(case.pattern)):
                self._words([getattr(getattr(one, "value", None), "value", None)], path)
        elif isinstance(around, (ast.Tuple, ast.List)):
            self._in_a_row(function, node, around, parents, path)
        elif isinstance(around, (ast.Assign, ast.AnnAssign)) and around.value is node:
            for target in getattr(around, "targets", None) or [around.target]:
                self.kept(function, target, path)

    def _attribute(self, function, around, parents, path):
        call = parents.get(around)
        is_called = isinstance(call, ast.Call) and call.func is around
        if around.attr in USED_OF_WORDS and is_called:  # name.lower() == "tanh"
            self.used(function, call, parents, path)
        elif around.attr in USED_OF_ARRAYS:
            self.mark(path, "array", around.attr)
        else:
            self.mark(path, "object", _call_of(call, around.attr, function) if is_called
                      else around.attr)

    def _subscript(self, function, node, around, parents, path):
        if node is around.slice:
            keys = self._keys(function, around.value)
            self._words(keys, path) if keys else self.mark(path, "index")
            return
        where = around.slice
        number = where.operand if isinstance(where, ast.UnaryOp) else where
        if isinstance(where, ast.Slice):
            self.mark(path, "sliced")
            self.used(function, around, parents, path)
        elif isinstance(where, ast.Tuple):
            self.mark(path, "array")
        elif isinstance(number, ast.Constant) and isinstance(number.value, int):
            place = number.value if number is where else ANY
            self.mark(path, "at" if number is where else "end", number.value)
            self.used(function, around, parents, (*path, place))
        elif isinstance(number, ast.Constant):
            self.mark(path, "table", number.value)
        else:
            self.mark(path, "indexed")
            self.used(function, around, parents, (*path, ANY))

    def _call(self, function, node, around, parents, path):
        called = getattr(around.func, "attr", getattr(around.func, "id", ""))
        of_numpy = getattr(getattr(around.func, "value", None), "id", "") in ("np", "numpy", "math")
        if node is around.func:
            self.mark(path, "function", _call_of(around, "", function))
        elif called == "len":
            outer = parents.get(around)
            known = [one.value for one in getattr(outer, "comparators", ())
                     if isinstance(one, ast.Constant)] if isinstance(outer, ast.Compare) else []
            self.mark(path, "length" if known else "len", *known[:1])
        elif called == "reshape" and of_numpy and around.args[0] is node:
            self.mark(path, "array", "reshape")
        elif called in KEPT:
            self.used(function, around, parents, path)
        elif called == "get" and node is around.args[0]:
            self._words(self._keys(function, around.func.value), path)
        elif called in LOOPS and isinstance(parents.get(around), (ast.For, ast.comprehension)):
            target = parents[around].target
            inside = getattr(target, "elts", [target])
            place = 1 if called == "enumerate" else around.args.index(node)
            self._loop(function, inside[min(place, len(inside) - 1)], path)
        elif called in COUNTED:
            self.mark(path, "count" if called in ("range", "xrange") or len(around.args) > 1
                      or not isinstance(around.func, ast.Attribute) else "size")
        elif called in changes.PRODUCTS or of_numpy:
            is_product = called in changes.PRODUCTS
            self.mark(path, "array" if is_product else "number", is_product and "product")
        else:
            self._handed(function, around, around.args.index(node), path, parents)

    def _handed(self, function, call, place, path, parents):
        """To another function or method: as an argument by its place or name."""
        if not isinstance(call, ast.Call):
            return
        called = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if place in ("size", "shape") and called in {*COUNTED, "as_strided"}:
            self.mark(path, "size")
            return
        other = self._whose(function, call.func)
        if other is None:
            return
        names = binding.arguments_of(other)
        of_class = isinstance(getattr(self.module, ast.unparse(call.func).partition(".")[0], None),
                              type)
        names = names[names[:1] == ["self"] and not of_class:]  # Base.__init__(self, p)
        name = place if isinstance(place, str) else dict(enumerate(names)).get(place)
        if name in names:
            inner = _Uses(other) if isinstance(other, type) else self
            inner.marks, inner.seen = self.marks, self.seen
            inner.follow(other.__init__ if inner is not self else other, name, path)

    def _whose(self, function, called):
        """The function, method or class of the file that this calls; None of others."""
        if isinstance(called, ast.Name):
            found = getattr(self.module, called.id, None)
            own = inspect.isfunction(found) or isinstance(found, type)
            return found if own and found.__module__ == function.__module__ else None
        if not isinstance(called, ast.Attribute) or self.owner is None:
            return None
        above = ast.unparse(called.value)
        base = getattr(self.module, above, None)
        if above == "self":
            found = getattr(self.owner, called.attr, None)
        elif isinstance(base, type) and issubclass(self.owner, base):
            found = getattr(base, called.attr, None)
        else:
            found = getattr(super(self.owner, self.owner), called.attr,
                            None) if above.startswith("super(") else None
        return found if inspect.isfunction(found) else None

    def _loop(self, function, target, path):
        self.mark(path, "iterated")
        self.kept(function, target, (*path, ANY))

    def _computed(self, function, node, around, parents, path):
        other = around.right if node is around.left else around.left
        is_constant = isinstance(other, ast.Constant)
        if isinstance(around.op, ast.MatMult):
            self.mark(path, "array", "product")
        elif isinstance(around.op, ast.Add) and isinstance(other, (ast.List, ast.Tuple)):
            self.mark(path, "iterated")
        elif isinstance(around.op, (ast.FloorDiv, ast.Mod)):
            self.mark(path, "divisor" if node is around.right else "count")
        elif isinstance(around.op, (ast.Add, ast.Sub)) and is_constant:
            self.used(function, around, parents, path)  # n + 1
        elif isinstance(around.op, ast.Sub):
            self.mark(path, "subtracted")
        elif isinstance(around.op, (ast.Mult, ast.Div, ast.Pow)):
            self.mark(path, "factor")
            outer = parents.get(around)
            if isinstance(around.op, ast.Mult) and (isinstance(outer, (
                    ast.Tuple, ast.Slice)) or re.match(OF_SIZES, ast.unparse(outer))):
                self.mark(path, "count")

    def _compared(self, function, around, path):
        for one in [around.left, *around.comparators]:
            self._words([getattr(one, "value", None), *self._keys(function, one)], path)

    def _words(self, words, path):
        for word in words:
            if isinstance(word, str):
                self.mark(path, "word", word)

    def _keys(self, function, node):
        """A dictionary's keys, or what stands in a row, where they are words: of one that is
        written here, in this function, in the class of which it is an attribute, or the file's."""
        of_self = isinstance(node, ast.Attribute)
        name = node.attr if of_self else getattr(node, "id", "")
        made = vars(self.module).get(name) if not of_self else getattr(self.owner, name, None)
        body = self.owner if of_self else function
        written = [value for part in binding.nodes(body) if name and body
                   for target, value in changes.pairs_of(part)
                   if getattr(target, "attr", getattr(target, "id", "")) == name]
        for value in [node, *written]:
            inside = getattr(value, "keys", None) or getattr(value, "elts", ())
            made = [getattr(one, "value", None) for one in inside] or made
        words = [*made] if isinstance(made, (dict, list, tuple, set, frozenset)) else []
        return words if all(isinstance(one, str) for one in words) else []

    def _in_a_row(self, function, node, around, parents, path):
        """(a, b) = (p, q); zeros((p, q))"""
        outer = parents.get(around)
        if isinstance(outer, ast.Assign):
            for target, value in changes.pairs_of(outer):
                if value is node:
                    self.kept(function, target, path)
        elif isinstance(outer, (ast.Call, ast.keyword)):
            call = outer if isinstance(outer, ast.Call) else parents[outer]
            called = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if called in {*COUNTED, "as_strided"}:
                self.mark(path, "count")


def _call_of(call, method, function):
    return Called(method, function.__name__, (*map(ast.unparse, call.args), *(
        f"{one.arg}={ast.unparse(one.value)}" for one in call.keywords)))


@functools.lru_cache(maxsize=512)
def _tree(function):
    """(what is written in a function, {node: the node around it})"""
    tree = binding.syntax_tree(function)
    return tree, {inside: node for node in ast.walk(tree) for inside in ast.iter_child_nodes(node)}


def _judged(marks: list) -> Kind:
    """The Kind for which marks speak."""
    own = {mark: more for path, mark, more in marks if not path}
    every = frozenset(marks)
    places = {path[0] for path, *_ in marks if path} | {
        more for path, mark, more in marks if not path and mark == "at"}
    is_long = bool({"len", "iterated", "indexed", "spread", "sliced", "end"} & own.keys())
    count = own.get("unpacked") or own.get("length") or (
        max(places) + 1 if places and ANY not in places else 0)
    if "word" in own:
        words = dict.fromkeys(more for path, mark, more in marks if not path and mark == "word")
        return Kind("word", (), tuple(words), every)
    if "array" in own:
        is_flat = "sliced" in own and ((), "array", "reshape") in every
        return Kind("flat" if is_flat else "array", (), (), every)
    if own.keys() & {"function", "object", "table"}:
        found = Kind("function", (), (), every)
        methods = {one.method for one in found.called()}
        return found._replace(what="object" if methods - {""} else "function" if methods else "")
    if own.keys() & {"count", "size"} and not (is_long or count > 1):
        return Kind("count", (), (), every)
    if count > 1 and not is_long:
        inside = tuple(_judged(_within(marks, place)) for place in range(count))
        return Kind("pair" if count == 2 else "sizes", inside, (), every)
    if is_long:
        row = _judged(_within(marks, None))
        if row.what in ("function", "object"):
            return Kind("several", (row,), (), every)
        is_row = row.inside or any(mark == "table" for _, mark, _ in row.marks)
        return Kind("rows" if is_row else "sizes", row.inside, (), every)
    if "at" in own:
        return Kind("sizes", (), (), every)
    return Kind("factor" if "factor" in own else "", (), (), every)


def _within(marks: list, place: int | None) -> list:
    """The marks of what is in it at a place, or anywhere (None)."""
    return [(path[1:], mark, more) for path, mark, more in marks
            if path and (place is None or path[0] in (place, ANY))]
