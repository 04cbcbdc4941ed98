"""All commands by one name: `minialex COMMAND ...`, or without an installation `python -m minialex COMMAND ...`."""
import difflib
import importlib
import sys

from .utils import console

COMMANDS = {
    "train": "train a network on pictures, or go on with a run",
    "evaluate": "how good is a trained network? top-1, top-5, every class",
    "predict": "what is in these pictures?",
    "report": "a run on one page",
    "compare": "runs side by side",
    "summary": "every layer of a network: formula, size, parameters, work",
    "gradcheck": "check the gradients of the engine, or of students' files",
    "pack": "decode a large folder of pictures once",
    "export": "weights for other programs: .safetensors, .pth, .npz",
}
USAGE = "usage: minialex COMMAND [options]; minialex COMMAND --help explains one\n"


def main(arguments=None):
    """Run a command and return its exit status; without one, list them. 2 for a command that does not exist."""
    name, *rest = sys.argv[1:] if arguments is None else arguments or ["--help"]
    if name in ("-h", "--help", "help"):
        print(USAGE, *(f"  {command:<11}{what}" for command, what in COMMANDS.items()), sep="\n")
        return 0
    if name == "--version":
        from . import __version__

        print(f"minialex {__version__}")
        return 0
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(COMMANDS)}."
        print(f"minialex: there is no command '{name}': {hint}", file=sys.stderr)
        return 2
    return importlib.import_module(f"minialex.cli.{name}").main(rest)


def run():
    """What the installed program `minialex` calls."""
    arguments = sys.argv[1:] or ["--help"]
    return console.run("minialex", lambda: main(arguments))


if __name__ == "__main__":
    sys.exit(run())
