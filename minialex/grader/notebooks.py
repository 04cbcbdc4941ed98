"""Notebooks for nbgrader: the task, a cell to solve with its solution, a cell of tests that
students do not see.

nbgrader runs tests and answers in one interpreter. So they are no secret to an answer that looks
for them, and no result is safe from one that means harm: grade such classes with `--to csv`, from
the folder of the notebooks' code.
"""
import ast
import json
import re

from ..errors import UserError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
HIDE, SHOW = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


def layers(assignment: dict, skeleton: str) -> bytes:
    """One notebook for a skeleton of layers."""
    title, *text = (ast.get_docstring(ast.parse(skeleton)) or assignment["title"]).splitlines()
    cells = [_cell("title", "\n".join([f"# {title}", *text]), "markdown"),
             _cell("imports", _imports(skeleton) + "import minialex as ma")]
    functions = _functions(skeleton)
    for name, points in assignment["items"]:
        forward, backward = _pair(name, functions)
        cells += [_cell(f"{name}-forward", functions[forward], **GIVEN)] if forward else []
        cells += [_cell(f"{name}-answer", _open(functions[backward]), **ANSWER),
                  _tests(f"{name}-tests",
                         _layer_test(name, forward, backward, functions, assignment), points)]
    return _notebook(cells)


def exercise(name: str, points: float, skeleton: str, solution: str, check: str,
             helpers: str) -> bytes:
    """One notebook for an exercise of the course. check: the source of its check; helpers: of
    checking.py."""
    title, *text = ast.get_docstring(ast.parse(skeleton)).splitlines()
    asked = re.search(r"^check\((.*)\)\s*$", skeleton, re.MULTILINE)
    begin, end = _code_of(skeleton), _code_of(solution)
    test = (f"import sys, "
            f"types\nchecking = sys.modules['checking'] = types.ModuleType('checking')\n"
            f"exec({helpers!r}, vars(checking))\ncheck_of = {{}}\nexec({check!r}, check_of)\n"
            f"print('right.', check_of['check']({asked[1]}) or '')")
    cells = [_cell("title", "\n".join([f"# {title}", *text]), "markdown"),
             _cell("imports", _imports(skeleton)),
             _cell("start", f"The names and the shape of the answer:\n\n```python\n{begin}\n```",
                   "markdown"), _cell("answer", f"{BEGIN}\n{_imports(solution)}\n{end}\n{END}",
                                      **ANSWER), _tests("tests", test, points)]
    return _notebook(cells)


# ---------------------------------------------------------------------------------- parts of a file


def _imports(text):
    nodes = [node for node in ast.parse(text).body
             if isinstance(node, (ast.Import, ast.ImportFrom))]
    lines = [ast.get_source_segment(text, node) for node in nodes]
    return "".join(line + "\n" for line in lines if "course" not in line)


def _functions(text):
    """{name: source} of the functions and classes of a file."""
    return {node.name: ast.get_source_segment(text, node) for node in ast.parse(text).body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def _code_of(text):
    """What stands between the imports and the last line, check(...)."""
    body = [node for node in ast.parse(text).body[1:-1]
            if not isinstance(node, (ast.Import, ast.ImportFrom))]
    return "\n\n\n".join(ast.get_source_segment(text, node) for node in body)


def _pair(name, functions):
    backward = next((known for known in (f"{name}_backward", f"{name}_loss", name, "backward")
                     if known in functions), None)
    if backward is None:
        raise UserError(f"nbgrader: no function {name}_backward was found in the skeleton.")
    forwards = [known for known in (f"{name}_forward", name, "forward") if known in functions
                and known != backward]
    return (forwards or [None])[0], backward


def _open(source):
    """The function with its last statement, what the skeleton raises, between nbgrader's marks."""
    last = ast.parse(source).body[0].body[-1]
    lines = source.splitlines()
    margin = " " * last.col_offset
    return "\n".join([*lines[:last.lineno - 1], margin + BEGIN,
                      *lines[last.lineno - 1:last.end_lineno], margin + END])


def _layer_test(name, forward, backward, functions, assignment):
    make = functions.get(f"{name}_inputs") or functions.get("inputs")
    if make is None:
        raise UserError(f"nbgrader: the skeleton has no function {name}_inputs(generator), "
                        f"which says what to check {name} with.")
    seed, mean = (assignment["seed"],
                  ", mean_over_examples=True" * assignment.get("mean_over_examples", False))
    called = make.partition("(")[0].removeprefix("def ").strip()
    return ("import numpy as np\nimport minialex as "
            f"ma\n\n{make}\n\nreport = ma.check_backward({forward}, "
            f"{backward}, {called}(np.random.default_rng({seed})), "
            f"seed={seed}{mean})\nassert report, str(report)")


# -------------------------------------------------------------------------------------------- cells


def _notebook(cells):
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return (json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5,
                        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}},
                       indent=1) + "\n").encode()


def _cell(name, text, kind="code", **grading):
    marks = {"nbgrader": {"grade_id": name, "schema_version": 3, "cell_type": kind, "task": False,
                          **grading}} if grading else {}
    more = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": name.replace("_", "-")[:64], "metadata": marks,
            "source": text.strip("\n").splitlines(keepends=True), **more}


GIVEN = {"grade": False, "locked": True, "solution": False}
ANSWER = {"grade": False, "locked": False, "solution": True}


def _tests(name, text, points):
    hidden = f"# These tests are hidden: they say what is wrong.\n{HIDE}\n{text}\n{SHOW}"
    return _cell(name, hidden, grade=True, locked=True, solution=False, points=points)
