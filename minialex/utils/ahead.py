"""Work done ahead of its use, in threads (Pillow and NumPy let other threads run while they
compute), and a bar that shows it."""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .bars import tqdm
from .machine import threads_start


def ahead(function: Callable[[Any], Any], items: Iterable[Any], workers: int) -> Iterator[Any]:
    """Yield function(item) for each item, in order, while `workers` threads already work on the
    next ones.

    At most workers + 1 results wait, however slow the caller. Leaving the loop early, by `break`,
    an error or Ctrl-C, drops what has not begun and waits for what has. Where no thread can start,
    nothing is done ahead.
    """
    if not threads_start():
        yield from map(function, items)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="minialex-data")
    waiting: deque[Future[Any]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def bar(what: str, progress: bool, items: Iterable[Any] | None = None, unit: str = " images",
        **options: Any) -> tqdm:
    """Draw a bar on stderr over `items`, if it is wanted and stderr is a terminal; options: tqdm's.

    In a log every step of a bar would be another piece of a line.
    """
    watched = progress and sys.stderr is not None and sys.stderr.isatty()
    return tqdm(items, what, unit=unit, disable=not watched, **options)
