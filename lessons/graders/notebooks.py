"""Notebooks for nbgrader: the task, a cell to solve with its solution, a cell of tests that
students do not see.

nbgrader runs tests and answers in one interpreter. So they are no secret to an answer that looks
for them, and no result is safe from one that means harm: grade such classes with `--to csv`, from
the folder of the notebooks' code.
"""
import ast
import json
import re

from minialex.errors import UserError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
HIDE, SHOW = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
# between the check's long source and the assertion: a traceback quotes the lines before it, and the
# one sentence that a student is to read would stand behind pages of the check
JUDGED = '''def judged(check, *answers):
    """(the mistake or None, what was said)"""
    try:
        return None, check(*answers)
    except checking.Wrong as wrong:
        return str(wrong), None
'''


def layers(assignment: dict, skeleton: str) -> bytes:
    """One notebook for a skeleton of layers."""
    title, *text = (ast.get_docstring(ast.parse(skeleton)) or assignment["title"]).splitlines()
    functions, cells, own = _functions(skeleton), [], set()
    for name, points in assignment["items"]:
        names = _names(name, assignment["functions"].get(name), functions)
        forward, backward, inputs = names
        own.update(names)
        cells += [_cell(f"{name}-forward", functions[forward], **GIVEN)] if forward else []
        cells += [_cell(f"{name}-answer", _open(functions[backward]), **ANSWER),
                  _tests(f"{name}-tests", _layer_test(*names, functions[inputs], assignment),
                         points)]
    besides = "\n".join(functions[name] for name in functions if name not in own)
    return _notebook([_cell("title", "\n".join([f"# {title}", *text]), "markdown"),
                      _cell("imports", besides + "\nimport minialex as ma"), *cells])


def exercise(name: str, points: float, skeleton: str, solution: str, check: str,
             helpers: str) -> bytes:
    """One notebook for an exercise of the course. check: the source of its check; helpers: of
    checking.py."""
    title, *text = ast.get_docstring(ast.parse(skeleton)).splitlines()
    asked = re.search(r"^check\((.*)\)\s*$", skeleton, re.MULTILINE)
    begin, end = _code_of(skeleton), _code_of(solution)
    test = ("import sys, types\nchecking = sys.modules['checking'] = types.ModuleType('checking')\n"
            f"exec({helpers!r}, vars(checking))\ncheck_of = {{}}\nexec({check!r}, check_of)\n\n\n"
            f"{JUDGED}\n\nmistake, praise = judged(check_of['check'], {asked[1]})\n"
            "assert mistake is None, mistake\nprint('right.', praise or '')")
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
    """{name: source} of the functions of a file, and of what else they may need: imports,
    constants, classes."""
    kinds = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.ClassDef)
    return {getattr(node, "name", number): ast.get_source_segment(text, node)
            for number, node in enumerate(ast.parse(text).body) if isinstance(node, kinds)}


def _code_of(text):
    """What stands between the imports and the last line, check(...)."""
    body = [node for node in ast.parse(text).body[1:-1]
            if not isinstance(node, (ast.Import, ast.ImportFrom))]
    return "\n\n\n".join(ast.get_source_segment(text, node) for node in body)


def _open(source):
    """The function with its answer between nbgrader's marks: its last statement, what the skeleton
    raises; of a function that is written already all that it does."""
    node = ast.parse(source).body[0]
    is_due = isinstance(node.body[-1], ast.Raise)
    first = node.body[-1 if is_due else bool(ast.get_docstring(node))]
    lines, margin = source.splitlines(), " " * first.col_offset
    return "\n".join([*lines[:first.lineno - 1], margin + BEGIN, *lines[first.lineno - 1:],
                      margin + END])


def _names(name, pair, functions):
    """Of forward or None, backward, and the function that makes inputs."""
    inputs = f"{name}_inputs" if f"{name}_inputs" in functions else "inputs"
    is_there = pair is not None and {part for part in pair if part} <= functions.keys()
    if not is_there or inputs not in functions:
        what = (f"the skeleton has no function {name}_inputs(generator), which says what to check "
                f"{name} with") if is_there else f"{name} is no function with a backward in it"
        raise UserError(f"nbgrader: {what}; the other graders take classes, too, and draw inputs "
                        "themselves.")
    return (*pair, inputs) if pair[1] else (None, pair[0], inputs)


def _layer_test(forward, backward, inputs, make, assignment):
    seed, mean = (assignment["seed"],
                  ", mean_over_examples=True" * assignment.get("mean_over_examples", False))
    return (f"import numpy as np\nimport minialex as ma\n\n{make}\n\n"
            f"report = ma.check_backward({forward}, {backward}, "
            f"{inputs}(np.random.default_rng({seed})), seed={seed}{mean})\n"
            "assert report, str(report)")


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
