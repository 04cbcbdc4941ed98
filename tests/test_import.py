"""`import minialex` brings the engine and nothing that a program may never use."""
import ast
import inspect
import pathlib
import subprocess
import sys

import pytest

import minialex


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


def test_imports_run_one_way():
    """training -> evaluation -> data, models, weights, gradcheck, optim -> nn -> functional -> fast
    -> ops -> tensor -> device"""
    floors = [["aliases", "machine", "errors"], ["device"], ["random"], ["tensor"],
              ["ops", "watching"], ["fast"], ["functional"], ["nn"], ["optim", "models", "anomaly"],
              ["data", "weights", "gradcheck", "shapes", "table", "layer_table", "sight"],
              ["own_model"], ["evaluation"], ["training"]]
    height = {name: number for number, names in enumerate(floors) for name in names}
    package = pathlib.Path(minialex.__file__).parent
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[0] not in height:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            base = parts[:len(parts) - node.level]
            module = (*base, *(node.module or "").split("."))
            targets = [name for name in module if name][:1] or [alias.name for alias in node.names]
            for target in targets:
                assert height.get(target, 0) <= height[
                    parts[0]], f"{path} imports {target}, which stands above it"
