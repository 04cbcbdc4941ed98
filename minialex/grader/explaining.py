"""An exception of a student's code in one sentence, with the student's own lines."""
import traceback
from pathlib import Path

import minialex as ma

from . import files

FRAMES = 6  # how many of the student's lines are shown at most


def explained(error, path):
    """{"kind", "message", "lines"} of an exception: the lines of the student's own code only."""
    lines = own_lines(traceback.extract_tb(error.__traceback__), path)
    message = str(error).strip()
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).resolve().parent == path.parent:
        lines = [{"file": Path(error.filename).name, "line": error.lineno, "in": "", "code": (error.text or "").strip()}]
        message = error.msg
    elif isinstance(error, SystemExit):
        message = f"the code ends the program (exit status {error.code}): remove the call of exit()"
    elif isinstance(error, EOFError) and "input(" in "".join(line["code"] for line in lines):
        message = "the code waits for the keyboard: remove the call of input()"
    elif isinstance(error, RecursionError):
        message = "the function calls itself without end"
    elif isinstance(error, files.TooSlow):
        return {"kind": "out of time", "message": message, "lines": lines}
    elif isinstance(error, MemoryError):
        message = message or "more memory was asked for than a submission may use (--memory)"
    elif isinstance(error, NotImplementedError):
        message = message or "this part has not been written yet"
    return {"kind": type(error).__name__, "message": message[:2000], "lines": lines}


def own_lines(stack, path):
    """The frames in the student's file, or in files beside it; the first and last few of very many."""
    package = Path(ma.__file__).resolve().parent
    own = []
    for frame in stack:
        place = Path(frame.filename).resolve()
        if frame.filename.startswith("<"):
            continue
        if place == path or place.parent == path.parent and package not in place.parents:
            code = (frame.line or "").strip()
            own.append({"file": place.name, "line": frame.lineno, "in": frame.name.replace("<module>", ""), "code": code})
    return own if len(own) <= FRAMES else own[:FRAMES // 2] + own[-FRAMES // 2:]
