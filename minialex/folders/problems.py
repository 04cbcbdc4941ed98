"""What is left out of the pictures that a user brings: one line each, with a path and a reason,
which can always be printed."""

import os
import re
import sys
from collections.abc import Callable
from typing import Any

from ..errors import UserError
from ..utils.bars import tqdm
from ..utils.files import Place

Problems = list[tuple[str, str]]  # (path, reason): what is left out
Reporter = Callable[[str, str], Any] | None  # is told the path of what is left out, and why
SHOWN = 10  # lines about what is left out; the others are counted
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def printable(path: Place) -> str:
    """A path that can be printed and written anywhere, in one line: bytes that are no UTF-8 show as
    the replacement character, control characters, which could clear a terminal, as their
    escapes."""
    return _CONTROL.sub(lambda c: c[0].encode("unicode_escape").decode(),
                        os.fsencode(path).decode("utf-8", "replace"))


def report_problem(path: str, reason: str) -> None:
    """Print one line about a picture or folder that is left out, without tearing a progress bar
    apart."""
    tqdm.write(f"skipped {path}: {reason}", file=sys.stderr)


def stop_at_problem(path: str, reason: str) -> None:
    """Raise UserError at the first picture that cannot be read."""
    raise UserError(f"--strict: {printable(path)}: {reason}.")


def report_first(problems: Problems, root: str, report: Reporter) -> Problems:
    """Report the first problems one by one, and how many more there are. Returns them with paths
    that can be printed."""
    problems = [(printable(path), reason) for path, reason in problems]
    if report is not None:
        for path, reason in problems[:SHOWN]:
            report(path, reason)
        if len(problems) > SHOWN:
            report(printable(root),
                   f"{len(problems) - SHOWN:,} more files or folders in it that cannot be used")
    return problems
