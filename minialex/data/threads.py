"""Work done ahead of its use, in threads (Pillow and NumPy let other threads run while they compute)."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor


def ahead(function, items, workers):
    """Yield function(item) for each item, in order, while `workers` threads already work on the next ones.

    At most workers + 1 results wait, however slow the caller. Leaving the loop early, by `break`, an error or Ctrl-C,
    drops what has not begun and waits for what has.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="minialex-data")
    waiting = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
