"""Commands without the second that a new Python takes: most tests ask what a command says and does,
not how its process starts."""
import importlib
import io
import os
import subprocess
from contextlib import redirect_stderr, redirect_stdout


def run_here(name, arguments, folder=None):
    """`python -m minialex.NAME ARGUMENTS` in `folder`, as a CompletedProcess with text."""
    before = os.getcwd()
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2)]
    os.chdir(folder or before)
    try:
        with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
            status = importlib.import_module(f"minialex.cli.{name}").main(arguments)
    except SystemExit as ended:  # of argparse
        status = ended.code
    finally:
        os.chdir(before)
    said = []
    for stream in streams:
        stream.flush()
        said.append(stream.buffer.getvalue().decode())
    return subprocess.CompletedProcess([name, *arguments], status, *said)
