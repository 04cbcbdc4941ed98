"""The commands, one file each: arguments in, one call, a clear error out.

COMMANDS lists them; `minialex NAME` is the file of that name. A file declares a Command: what
--help shows (the file's own docstring: what it does, examples), a table of its options, and the
function that does the work with the parsed ones.
"""
import argparse
import functools
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from .. import own_model
from ..errors import UserError
from ..utils import console, interrupt
from ..utils.machine import launched
from ..weights import MEAN_HELP

COMMANDS = {
    "train": "train a network on pictures, or go on with a run",
    "evaluate": "how good is a trained network? top-1, top-5, every class",
    "predict": "what is in these pictures?",
    "report": "a run on one page",
    "compare": "runs side by side",
    "summary": "every layer of a network: formula, size, parameters, work",
    "explore": "a network on one page, to look into",
    "gradcheck": "check the gradients of the engine, or of students' files",
    "pack": "decode a large folder of pictures once",
    "export": "weights for other programs: .safetensors, .pth, .npz",
}

TYPES = {"N": int, "X": float, "P": float, "SIGMA": float}  # by their metavar; all else are texts
RUN = ("run", "RUN", "a run's folder (its best checkpoint), or a file of weights")
RUNS = ("runs", "RUN", "a run's folder", {"nargs": "+"})
JSON = ("--json", None, "print everything as JSON")
FORCE = ("--force", None, "replace files that this command did not write")
LABELS = ("--labels", "FILE", "a table that says what each picture is, for pictures that lie in no "
          "class folders: lines such as photo.jpg,cat")
CLASS_NAMES = ("--class-names", "FILE", "what people read for each class: lines such as n01440764 "
               "tench, or JSON (ImageNet's names are known)")
CLASSES = ("--classes", "FILE", "the network's classes in their order, one a line, for weights "
           "without; 'imagenet': the thousand of ImageNet")
MEAN = ("--mean", "FILE", MEAN_HELP)
NETWORK = (  # what evaluate and predict need to know about weights
    ("--ten-crop", None, "the mean over the corners, the centre and their reflections"),
    CLASSES, CLASS_NAMES, MEAN)


def device(default: str) -> tuple[Any, ...]:
    """The row of --device."""
    return "--device", "D", f"auto, cpu, cuda or cuda:n ({default})", {"default": default}


@dataclass
class Command:
    """`minialex NAME`.

    usage: what follows the name; text: what it does, and examples; work: takes the parsed options,
    returns the exit status (None: 0); groups: {title: rows}, a row being (name, metavar or None for
    a switch, help[, more of add_argument's arguments]).
    """

    name: str
    usage: str
    text: str | None
    work: Callable[[argparse.Namespace], int | None]
    groups: dict[str, list[tuple[Any, ...]]]
    statuses: str = "0 done, 2 a mistake of the user"
    stopped: str = "stopped"  # what Ctrl-C says
    given_only: bool = False  # the parsed options hold what the user gave, and no defaults

    def __call__(self, arguments: list[str] | None = None) -> int:
        """Run the command; returns its exit status. A user's mistake is one line on stderr."""
        return console.run(f"minialex.{self.name}", lambda: self._run(arguments), self.stopped)

    def _run(self, arguments: list[str] | None) -> int | None:
        interrupt.over()
        options = self.parser().parse_args(arguments)
        if launched("size") > 1 and self.name != "train":
            raise UserError(f"{self.name} is work for one process: leave out mpiexec.")
        try:
            return self.work(options)
        except console.EXPECTED:
            raise
        except (Exception, SystemExit) as error:
            sentence = own_model.at_work(error)
            if sentence is None:
                raise
            raise UserError(sentence) from error

    def parser(self) -> argparse.ArgumentParser:
        """What reads its arguments, and prints its help in 80 columns."""
        parser = _Parser(
            prog=typed(self.name), usage=f"%(prog)s {self.usage}", description=self.text,
            epilog=textwrap.fill(f"exit status: {self.statuses}", 80), allow_abbrev=False,
            argument_default=argparse.SUPPRESS if self.given_only else None,
            formatter_class=functools.partial(
                argparse.RawDescriptionHelpFormatter, max_help_position=24, width=80))
        for title, rows in self.groups.items():
            group = parser if title == "options" else parser.add_argument_group(title)
            for name, metavar, text, *more in rows:
                value = {"type": TYPES.get(metavar), "metavar": metavar}
                settings = value if metavar else {"action": "store_true"}
                group.add_argument(name, help=text, **settings | dict(*more))
        return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if re.match("unrecognized arguments: (?!-)", message):
            has_data = "--data" in self._option_string_actions
            pictures = "pictures stand behind --data, and "
            message += f": {pictures * has_data}a name with blanks stands in quotes"
        raise UserError(f"{message} (--help lists the options).")


def typed(name: str) -> str:
    """How a command is called here, such as `minialex NAME` or `python -m minialex.NAME`."""
    path = Path(sys.argv[0] or "minialex")  # "" at a prompt and in a browser's page
    module = path.parent if path.name == "__main__.py" else path.with_suffix("")
    if path.suffix != ".py" or "minialex" not in (module.name, module.parent.name):
        return f"minialex {name}"
    return f"python -m minialex{' ' if module.name == 'minialex' else '.'}{name}"
