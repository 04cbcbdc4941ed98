"""--model FILE.py:NAME: train a network of your own on your own pictures.

NAME is a class derived from `nn.Module`, or a function that returns one. It is called with
`num_classes=` and `in_channels=` if it takes them, gets pictures of its attribute `input_shape`,
(channels, height, width), and returns one number per class:

    class Net(nn.Sequential):
        input_shape = (3, 64, 64)  # without it (3, 227, 227)

        def __init__(self, num_classes):
            super().__init__(conv1=nn.Conv2d(3, 16, 5), relu1=nn.ReLU(), pool1=nn.MaxPool2d(4),
            flatten=nn.Flatten(),
                             fc2=nn.Linear(16 * 15 * 15, num_classes))

The run keeps a copy of the file, model.py, from which its network is built again: it must not need
other files of yours. Building it runs that file, as any program of yours is run: use runs only of
people whose programs you would run.

Checkpoints hold its parameters, nn.Parameter and those of its layers; with requires_grad = False
they stay as they are, or as your forward changes their .data. Other arrays are not kept, and what
forward draws from numpy.random is not the same again where a run goes on.
"""

import difflib
import hashlib
import inspect
import random
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import nn
from .device import is_array, to_numpy
from .errors import UserError
from .random import random_state, set_random_state
from .tensor import Tensor
from .utils.files import replacing
from .watching import watching

COPY = "model.py"  # its name in a run's folder
MODULE = "minialex_own_model"  # what a user's file is called while it is at work
INPUT_SHAPE = (3, 227, 227)


def is_own(variant: str | None) -> bool:
    """Is this the name of a network that a user has written, such as "net.py:Net"?"""
    return ".py:" in (variant or "")


class OwnModel(NamedTuple):
    """A user's network before it is built. path: of its file; source: the file's bytes; make: the
    class or function; variant: what tables and checkpoints call it; notes: what people must know
    about it, in sentences; seed: of what it draws from numpy.random and random while it is built.
    """

    path: Path
    name: str
    source: bytes
    make: Callable[..., Any]
    input_shape: tuple[int, int, int]
    variant: str
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.name} in {self.path}"

    def settings(self) -> dict[str, Any]:
        """What config.json says of it."""
        return {"file": str(self.path.absolute()), "name": self.name,
                "sha256": hashlib.sha256(self.source).hexdigest(),
                "input_shape": list(self.input_shape)}

    def save(self, folder: Path) -> None:
        """Write the copy of the file into a run's folder."""
        with replacing(folder / COPY) as file:
            file.write(self.source)

    def build(self, num_classes: int) -> nn.Module:
        """The network, with `variant`, `input_shape`, `num_classes`, and `activation_bytes`: what
        its operations put out for a picture. Raises UserError when it cannot be built, has nothing
        to learn, or does not give (N, num_classes)."""
        model = self._made(num_classes)
        if not any(parameter.requires_grad for parameter in model.parameters()):
            raise UserError(f"{self} has no parameters, so there is nothing to learn: assign its "
                            "layers to self, and leave requires_grad of some at True.")
        self._check_constants(model, num_classes)
        model.variant, model.num_classes, model.input_shape = (self.variant, num_classes,
                                                               tuple(self.input_shape))
        model.eval()
        for count in (2, 1):  # a batch may be of one picture
            sizes = list[int]()
            with _noting(sizes):
                self._check_output(model, count, num_classes)
            model.activation_bytes = sum(sizes) // count
        model.train()
        return model

    def _made(self, num_classes):
        """A new network; what it draws from NumPy's or Python's own generators is the run's."""
        given = {"num_classes": num_classes, "in_channels": self.input_shape[0]}
        takes = inspect.signature(self.make)
        kinds = {parameter.kind for parameter in takes.parameters.values()}
        anything = ["num_classes"] if inspect.Parameter.VAR_KEYWORD in kinds else []
        options = {name: given[name] for name in given if name in [*takes.parameters, *anything]}
        if isinstance(self.make, nn.Module):
            raise UserError(f"{self} is a network already: name its class, or a function that "
                            "returns one, since it is built anew for each run's classes.")
        try:
            takes.bind(**options)
        except TypeError as error:
            raise UserError(f"{self} cannot be built, {error}: it is called with num_classes= and "
                            "in_channels= alone, so give other arguments a default.") from error
        with _seeded(self.seed):
            model = self._run("cannot be built", lambda: self.make(**options))
        if not isinstance(model, nn.Module):
            raise UserError(f"{self} gives a {type(model).__name__}, not a network: "
                            "derive it from nn.Module, or let the function return one.")
        if tuple(vars(model).get("input_shape", self.input_shape)) != tuple(self.input_shape):
            raise UserError(f"{self} sets input_shape while it is built, when the pictures' size "
                            "must be known already: let it stand in the class, above __init__.")
        return model

    def _check_constants(self, model, num_classes):
        """No array may differ from one building to the next that no checkpoint holds."""
        constants = arrays_beside(model)
        if not constants:
            return
        before = random_state()
        again = arrays_beside(self._made(num_classes))
        set_random_state(before)
        for name, array in constants.items():
            if not np.array_equal(array, again.get(name), equal_nan=array.dtype.kind == "f"):
                raise UserError(f"{self} draws {name} anew each time it is built, and checkpoints "
                                "hold parameters alone: make it an nn.Parameter (with "
                                "requires_grad = False, if it is not to learn).")

    def _check_output(self, model, count, num_classes):
        images = np.zeros((count, *self.input_shape), np.float32)
        output = self._run(f"fails on pictures of shape {images.shape}",
                           lambda: model(Tensor(images)))
        if not isinstance(output, Tensor) or output.shape != (count, num_classes):
            gives = (f"a Tensor of shape {output.shape}" if isinstance(output, Tensor)
                     else f"a {type(output).__name__}")
            raise UserError(f"{self} gives {gives} for {count} picture{'s' * (count > 1)}, "
                            f"but training on {num_classes} classes needs a Tensor of shape "
                            f"({count}, {num_classes}): its last layer must have one output for "
                            "each class (num_classes).")
        if not output.requires_grad:
            raise UserError(f"{self} gives an output through which no gradient reaches a parameter "
                            "that learns: compute it from Tensors by their operations, not from "
                            "their .data, and not under no_grad().")

    def _run(self, what: str, call: Callable[[], Any]) -> Any:
        """call(); whatever it raises becomes a sentence with the line of the user's file."""
        try:
            return call()
        except (Exception, SystemExit) as error:
            raise UserError(f"{self.name} in {_line(error, self.path)} {what}: "
                            f"{_said(error)}") from error


def read(text: str) -> OwnModel:
    """The OwnModel of "FILE.py:NAME". Raises UserError when there is no such file or no such name
    in it."""
    path, _, name = text.rpartition(":") if not text.endswith(".py") else (text, "", "")
    if not path.endswith(".py"):
        raise UserError(f"--model {text} is not possible: it needs a Python file and the name of a "
                        "network in it, such as net.py:Net.")
    return _load(Path(path), name, Path(path).name)


def of_run(folder: Path, settings: dict[str, Any] | None, seed: int = 0) -> OwnModel:
    """The OwnModel of a run, from the copy in its folder. settings: what its config.json says of
    it; seed: the run's.

    Raises UserError when the copy is not there, or is not the file that the run was started with.
    """
    copy = folder / COPY
    if not settings or not copy.is_file():
        raise UserError(f"there is no {copy}, the program of this network: give the run's folder, "
                        "or put the file back.")
    if hashlib.sha256(copy.read_bytes()).hexdigest() != settings["sha256"]:
        raise UserError(f"{copy} has changed since the run was started, "
                        "and its weights belong to the network that it was: "
                        "put the file back as it was, or start a new run with --model.")
    return _load(copy, settings["name"], Path(settings["file"]).name)._replace(seed=seed)


def arrays_beside(model: nn.Module) -> dict[str, np.ndarray]:
    """{path: copy} of the arrays in a network that are no parameters, which checkpoints lack."""
    held = {f"{path}.{name}".lstrip("."): value for path, module in model.named_modules()
            for name, value in vars(module).items() if not isinstance(value, nn.Parameter)}
    arrays = {name: value.data if isinstance(value, Tensor) else value
              for name, value in held.items()}
    return {name: to_numpy(array).copy() for name, array in arrays.items() if is_array(array)}


def at_work(error: BaseException) -> str | None:
    """Where a user's network has raised an error, and what it says, as a sentence; None for an
    error that did not pass through its file."""
    lines = [(frame.f_code.co_filename, line)
             for frame, line in traceback.walk_tb(error.__traceback__)
             if frame.f_globals.get("__name__") == MODULE]
    return f"{lines[-1][0]}, line {lines[-1][1]}, fails: {_said(error)}" if lines else None


def _load(path: Path, name: str, shown: str) -> OwnModel:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UserError(f"there is no file {path} that --model could use: "
                        f"{error.strerror or error}.") from error
    module, before = types.ModuleType(MODULE), set(sys.modules)
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        raise UserError(f"{_line(error, path)} stops the file from being read: "
                        f"{_said(error)}") from error
    names = [key for key, value in vars(module).items() if isinstance(value, type)
             and issubclass(value, nn.Module) and value.__module__ == module.__name__]
    make = vars(module).get(name)
    if not callable(make) or isinstance(make, type) and not issubclass(make, nn.Module):
        what = f"there is no {name or 'NAME'} in {path}"
        what = what if make is None else f"{name} in {path} is neither a network nor a function"
        near = [f"did you mean {match}? " for match in difflib.get_close_matches(name, names, 1)]
        has = (f"the file has the networks {', '.join(names)}" if names
               else "the file has no class derived from nn.Module")
        raise UserError(f"--model {shown}:{name} is not possible, {what}: {''.join(near)}{has}.")
    shape = _checked(getattr(make, "input_shape", INPUT_SHAPE), name, path)
    notes = [f"{shown} uses {other}, of which the run keeps no copy: it cannot be used without it, "
             "and a change to it changes this network" for other in _others(path, before)]
    return OwnModel(path, name, source, make, shape, f"{shown}:{name}", tuple(notes))


def _others(path, before):
    """The user's own files that have been imported, apart from the modules of `before`."""
    for name in sorted(set(sys.modules) - before):
        file = Path(getattr(sys.modules[name], "__file__", None) or "/")
        if (any(file.is_relative_to(folder) for folder in (path.absolute().parent, Path.cwd()))
                and name.partition(".")[0] not in {*sys.stdlib_module_names, MODULE, "minialex"}
                and "site-packages" not in file.parts and file != path.absolute()):
            yield file


def _checked(shape: Any, name: str, path: Path) -> tuple[int, int, int]:
    whole = isinstance(shape, (tuple, list)) and len(shape) == 3 and all(isinstance(n, int)
                                                                         and n > 0 for n in shape)
    if not whole or shape[0] not in (1, 3) or shape[1] != shape[2]:
        raise UserError(f"{name}.input_shape in {path} is {shape}: it needs (channels, height, "
                        "width) of square pictures with 3 channels, or 1 for grey, "
                        "such as (3, 64, 64).")
    return (*shape,)


def _line(error: BaseException, path: Path) -> str:
    """The path, and the line of this file in which an error came up last, if any did."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}, line {error.lineno},"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == str(path)]
    return f"{path}, line {lines[-1]}," if lines else str(path)


def _said(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    return f"{type(error).__name__}: {text.rstrip('.')}."


def _noting(sizes: list[int]) -> AbstractContextManager[None]:
    """Note the bytes of every operation's output inside the block."""
    def observe(direction: str, function: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arrays: Any) -> Any:
            result = call(*arrays)
            sizes.append(getattr(result, "nbytes", 0))
            return result
        return watched

    return watching(observe)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """NumPy's and Python's own generators begin at a seed inside the block, and go on as if nothing
    had been drawn."""
    before = np.random.get_state(), random.getstate()
    np.random.seed(seed % 2**32)
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before[0])
        random.setstate(before[1])
