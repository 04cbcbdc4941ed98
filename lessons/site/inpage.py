"""The Python side of a page: runs a lesson's cells and an exercise's check, and tells the page what
comes out.

The page gives `say`, a function of JavaScript: say(kind, text) or, for a picture, say("picture",
caption, bytes, words). A prediction is asked in the page while its cell waits, which is why
`predict(...)` becomes `await __predict__(...)` before a cell is compiled.
"""
import ast
import json
import linecache
import os
import sys
import traceback
import types
from inspect import CO_COROUTINE
from pathlib import Path

LESSONS = Path(__file__).resolve().parents[1]
WIDE = 100_000  # the page wraps lines


class Lesson:
    """One lesson's namespace, as Python's own __main__, and what its page is told."""

    def __init__(self, name, known, say, ask):
        """known: the progress so far, as JSON; ask(question, problem): a promise of what is typed,
        None to skip."""
        self.name, self._say, self._ask, self._known = name, say, ask, ""
        os.environ |= {"MINIALEX_LESSON": name, "MINIALEX_CACHE": "/home/course",
                       "MINIALEX_PICTURES": "/home/pictures", "MPLBACKEND": "agg"}
        sys.path.insert(0, str(LESSONS))
        import classroom
        import progress
        import telling
        import wall

        telling.WIDTH = WIDE
        # no wide drawing
        wall.draw = (lambda mine: f"{len(mine)} of {len(wall.BRICKS)} bricks of your own "
                     "engine are yours.")
        classroom.SHOW = self._show
        self._classroom, self._progress = classroom, progress
        progress.path().parent.mkdir(parents=True, exist_ok=True)
        progress.path().write_text(known or "{}", encoding="utf-8")
        self._known = json.dumps(progress.load())
        self._names = {"__name__": "__main__", "__predict__": self._predict}

    def warm(self):
        """Import what draws before it is wanted: that takes some seconds."""
        self._classroom.picture()
        import matplotlib.font_manager  # noqa: F401

    def _show(self, path, caption, words):
        self._say("picture", caption, path.read_bytes(), words)

    async def run(self, number, source):
        """Run one cell; whether it went well."""
        place = f"cell {number}"
        # for tracebacks and for facts
        linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
        try:
            tree = _Asking().visit(ast.parse(source, place))
            code = compile(ast.fix_missing_locations(tree), place, "exec",
                           flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            waits = code.co_flags & CO_COROUTINE
            result = eval(code, self._names)
            if waits:
                await result
            return True
        except BaseException as problem:
            self._tell(problem, place)
            return False
        finally:
            self._note()

    def check(self, file, source):
        """Run an exercise or brick ("exercises/02_the_tape", "my_engine/02_tape") with this text;
        whether it is right."""
        path = LESSONS / f"{file}.py"
        path.write_text(source, encoding="utf-8")
        linecache.checkcache(str(path))
        module, before = types.ModuleType("__main__"), sys.modules["__main__"]
        module.__file__ = str(path)
        sys.modules["__main__"] = module
        if str(path.parent) not in sys.path:
            sys.path.insert(1, str(path.parent))
        try:
            exec(compile(source, str(path), "exec"), vars(module))
            return True
        except SystemExit as end:
            return not end.code
        except BaseException as problem:
            self._tell(problem, str(path))
            return False
        finally:
            sys.modules["__main__"] = before
            self._note()

    async def _predict(self, question, *arguments, **options):
        import predictions

        problem = ""
        while options.get("typed") is None:
            typed = await self._ask(question, problem)
            if typed is None or not typed.strip():
                break
            try:
                options["typed"] = predictions.read_number(typed)
            except (ValueError, ZeroDivisionError):
                problem = "a number, please: 55, 54.25, 217/4, 60,965,225 or 1e6"
        return predictions.predict(question, *arguments, **options)

    def _tell(self, problem, place):
        """What stopped: a fact in its own words, anything else with its line; then Python's own
        words."""
        if type(problem).__name__ == "NotSo":
            self._say("error", str(problem))
            return
        frames = traceback.extract_tb(problem.__traceback__)
        inside = next((i for i, frame in enumerate(frames) if frame.filename == place), len(frames))
        in_grammar = isinstance(problem, SyntaxError) and problem.filename == place
        line = problem.lineno if in_grammar else next((f.lineno for f in reversed(frames)
                                                       if f.filename == place), "?")
        self._say("error", f"line {line} stops with {type(problem).__name__}: "
                  f"{problem.msg if in_grammar else problem}")
        words = (traceback.StackSummary.from_list(frames[inside:]).format()
                 + traceback.format_exception_only(problem))
        self._say("trace", "".join(words))

    def _note(self):
        """Tell the page what is new in the student's progress."""
        sys.stdout.flush()
        sys.stderr.flush()
        known = json.dumps(self._progress.load())
        if known != self._known:
            self._known = known
            self._say("progress", known)


class _Asking(ast.NodeTransformer):
    """predict(...) outside of functions becomes await __predict__(...)."""

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "predict":
            node.func = ast.copy_location(ast.Name("__predict__", ast.Load()), node.func)
            return ast.copy_location(ast.Await(node), node)
        return node

    def _leave(self, node):
        # a function cannot wait: predict in it answers as in a program without a keyboard
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = _leave


