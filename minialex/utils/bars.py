"""tqdm, without the thread that watches its bars where no thread can start, and whatever the
environment says of its bars."""

import os

from .machine import threads_start

try:
    from tqdm import tqdm
except (ValueError, TypeError):
    # a TQDM_ variable that is not of its option's type: tqdm reads them all when it is imported
    for _name in [name for name in os.environ if name.upper().startswith("TQDM_")]:
        del os.environ[_name]
    from tqdm import tqdm

if not threads_start():
    tqdm.monitor_interval = 0

__all__ = ["tqdm"]
