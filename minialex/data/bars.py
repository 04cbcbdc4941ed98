"""When a bar is drawn on stderr: only on a terminal. In a log every step of it would be another piece of a line."""

import sys


def hidden(progress):
    """tqdm's `disable`, for a caller who wants a bar or not."""
    return not (progress and sys.stderr is not None and sys.stderr.isatty())
