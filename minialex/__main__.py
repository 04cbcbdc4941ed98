# PYTHON_ARGCOMPLETE_OK
"""All commands by one name: `minialex COMMAND ...`, or without an installation `python -m minialex
COMMAND ...`."""
import argparse
import difflib
import importlib
import os
import sys

from .cli import COMMANDS
from .utils import console

USAGE = "usage: minialex COMMAND [options]; minialex COMMAND --help explains one\n"


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status; without one, list them. 2 for a command that does
    not exist."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
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


def complete() -> None:
    """Answer the shell's question after a Tab, and end; nothing where it has not asked, or
    argcomplete is not installed."""
    if "_ARGCOMPLETE" not in os.environ:
        return
    try:
        import argcomplete
    except ImportError:
        return
    parser = argparse.ArgumentParser("minialex")
    commands = parser.add_subparsers()
    for name, what in COMMANDS.items():
        # The other commands' options need not be imported.
        asked = os.environ.get("COMP_LINE", "").split()[1:2] == [name]
        options = [importlib.import_module(f"minialex.cli.{name}").main.parser()] if asked else []
        commands.add_parser(name, help=what, parents=options, add_help=not asked)
    argcomplete.autocomplete(parser)


def run() -> int:
    """What the installed program `minialex` calls."""
    complete()
    return console.run("minialex", main)


if __name__ == "__main__":
    sys.exit(run())
