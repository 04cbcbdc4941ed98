"""tqdm, without the thread that watches its bars where no thread can start."""

from tqdm import tqdm

from .machine import threads_start

if not threads_start():
    tqdm.monitor_interval = 0

__all__ = ["tqdm"]
