"""`import minialex` brings the engine and nothing that a program may never use."""
import ast
import graphlib
import inspect
import pathlib
import pkgutil
import re
import subprocess
import sys

import pytest

import minialex
from minialex.cli import COMMANDS


def test_importing_the_engine_leaves_the_rest_alone():
    program = """
import sys
import minialex
late = {"numpy.random", "pathlib", "email", "socket", "shutil", "logging", "concurrent.futures", "importlib.metadata",
        "matplotlib", "cupy", "threadpoolctl", "PIL", "tqdm", "minialex.gradcheck.check", "minialex.training", "minialex.data"}
assert not late & set(sys.modules), late & set(sys.modules)
from minialex.gradcheck import Report
assert isinstance(minialex.gradcheck(lambda x: x * x, [2.0]), Report)
assert "minialex.gradcheck.check" in sys.modules and minialex.check_backward is minialex.gradcheck.check_backward
"""  # noqa: E501
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_is_an_attribute_error():
    for holder in (minialex, minialex.gradcheck):
        with pytest.raises(AttributeError, match="no_such_name"):
            getattr(holder, "no_such" + "_name")


def test_dir_shows_what_a_student_imports_and_nothing_else():
    public = {"Function", "Tensor", "check_backward", "detect_anomaly", "fast", "functional",
              "gradcheck", "is_grad_enabled", "manual_seed", "models", "nn", "no_grad", "optim",
              "record", "shapes", "textbook"}
    assert set(dir(minialex)) == public | {"__version__"}
    assert all(hasattr(minialex, name) for name in dir(minialex))


@pytest.mark.parametrize("name, arguments", [
    ("sum", "(self, axis=None, keepdims=False)"), ("mean", "(self, axis=None, keepdims=False)"),
    ("max", "(self, axis=None, keepdims=False)"), ("reshape", "(self, *shape)"),
    ("transpose", "(self, *axes)"), ("exp", "(self)"), ("log", "(self)")])
def test_a_method_of_tensor_has_its_name_arguments_and_words(name, arguments):
    method = getattr(minialex.Tensor, name)
    parameters = [parameter.replace(annotation=parameter.empty)
                  for parameter in inspect.signature(method).parameters.values()]
    assert (method.__name__,
            str(inspect.Signature(parameters))) == (name, arguments) and len(method.__doc__) > 15


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow", "matmul"])
def test_operators_say_what_they_compute(name):
    for prefix in ("", "r", "i"):
        method = getattr(minialex.Tensor, f"__{prefix}{name}__")
        assert (method.__name__ == f"__{prefix}{name}__" and "da" in method.__doc__
                or "dA" in method.__doc__)


# From the ground up. No floor imports one above it, and what stands on one floor does not import
# each other.
FLOORS = [["aliases", "errors", "numpy_calls", "__version__"], ["utils"], ["device"], ["random"],
          ["tensor"], ["ops", "watching"], ["fast"], ["functional"], ["nn"],
          ["optim", "models", "anomaly"], ["shapes"], ["layer_table"],
          ["sight", "own_model", "gradcheck", "parallel", "folders"], ["sets", "students"],
          ["data"], ["foreign"], ["weights"], ["evaluation"],
          ["explore", "training", "grader"], ["cli"]]
HEIGHT = {name: number for number, names in enumerate(FLOORS) for name in names}
ABOVE = {("shapes", "nn"), ("shapes", "layer_table")}  # for summary(), when it is called
PACKAGE = pathlib.Path(minialex.__file__).parent
ROOT = PACKAGE.parent
PARTS = {path.stem: path for path in PACKAGE.iterdir()  # a module of a command's name starts it
         if (path.suffix == ".py" or (path / "__init__.py").exists())
         and path.stem not in ("__init__", "__main__")
         and (path.is_dir() or path.stem not in COMMANDS)}


def imported(path):
    """The names at the package's top that a file of it imports."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = parts[:len(parts) - node.level]
            module = [name for name in (*base, *(node.module or "").split(".")) if name]
            yield from module[:1] or [alias.name for alias in node.names]


@pytest.mark.parametrize("name", PARTS)
def test_imports_run_one_way(name):
    for path in PARTS[name].rglob("*.py") if PARTS[name].is_dir() else [PARTS[name]]:
        for target in imported(path) if path.name != "__main__.py" else ():  # which starts it
            assert target == name or HEIGHT[target] < HEIGHT[name] or (name, target) in ABOVE, (
                f"{path} imports {target}, which stands above it or beside it")


def test_no_file_comes_back_to_one_that_has_led_to_it():
    """Within a package there are no floors: its files can be put into an order, all the same."""
    paths = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        paths[".".join(parts[:-1] if path.stem == "__init__" else parts)] = path
    below = {name: set() for name in paths}
    for name, path in paths.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        types = {id(part) for node in ast.walk(tree) if isinstance(node, ast.If)
                 and getattr(node.test, "id", "") == "TYPE_CHECKING" for part in node.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level and id(node) not in types:
                package = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
                start = ".".join([*package[:len(package) - node.level + 1],
                                  *filter(None, [node.module])])
                below[name] |= {inner if (inner := f"{start}.{alias.name}") in paths else start
                                for alias in node.names}
    below["minialex.shapes"] -= {"minialex.layer_table"}  # see ABOVE
    for name in below:  # a package's words and its version, which its files may ask for
        below[name] -= {name, "minialex"}
    list(graphlib.TopologicalSorter(below).static_order())  # raises CycleError


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_order_that_is_written_down_is_this_one(page):
    text = (ROOT / page).read_text("utf-8")
    said = re.search(r"Imports run one way[^:]*: (cli[^.(]*)", text)[1]
    floors = [[HEIGHT[name] for name in re.findall(r"\w+", names)] for names in said.split("→")]
    assert all(min(above) > max(below) for above, below in zip(floors, floors[1:]))
    assert {name for name, path in PARTS.items() if path.is_dir()} <= set(re.findall(r"\w+", said))


def test_the_table_of_the_house_names_every_part():
    table = (ROOT / "docs/contributing.md").read_text("utf-8")
    named = set(re.findall(r"`(?:minialex/)?(\w+)(?:\.py|/)`", table))
    assert named >= set(PARTS), set(PARTS) - named


@pytest.mark.parametrize("package", ["students", "students/reading", "students/drawn",
                                     "students/forms", "students/called", "grader"])
def test_the_map_of_a_package_names_its_files(package):
    text = (PACKAGE / package / "__init__.py").read_text("utf-8")
    names = [path.name for path in (PACKAGE / package).glob("*.py") if path.name != "__init__.py"]
    assert [name for name in names if name not in text] == []
    assert set(re.findall(r"\b\w+\.py\b", text)) <= set(names)


def test_no_file_and_no_function_is_too_long_to_be_read():
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 50, f"{path}: {node.name}"


def taken(node):
    """{name: value} of what a line `from minialex... import` takes. Raises where it is not
    there."""
    return {alias.asname or alias.name: pkgutil.resolve_name(f"{node.module}.{alias.name}")
            for alias in node.names}


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").rglob("*.py")),
                         ids=lambda path: path.name)
def test_what_a_benchmark_takes_of_the_package_is_there(path):
    """Nobody runs most of them for weeks."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "minialex":
            found |= taken(node)
    modules = {name: value for name, value in found.items() if inspect.ismodule(value)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            assert module is None or hasattr(module, node.attr), (
                f"line {node.lineno}: {module.__name__} has no {node.attr}")
