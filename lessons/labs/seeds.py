"""The seeds of a lab, one after the other or in several processes of one thread each: the same rows
either way."""
import functools
import importlib
import os
import time


def open_pictures(lab, folder):
    """What the lab trains on: its own pictures, or those of all labs."""
    from lessons.labs import bench

    return (lab.open_pictures if hasattr(lab, "open_pictures") else bench.open_pictures)(folder)


def measured(lab, pictures, folder, grid, seeds, processes):
    """Yields (rows, seconds of processor time) of each seed, in the order of the seeds."""
    if processes == 1:
        yield from (_measure(lab, pictures, grid, seed) for seed in seeds)
        return
    from concurrent.futures import ProcessPoolExecutor  # a browser's Python has no processes
    from multiprocessing import get_context

    with ProcessPoolExecutor(processes, get_context("spawn"), _prepare,
                             (lab.__name__, folder)) as pool:
        yield from pool.map(functools.partial(_measure_there, grid), seeds)


def _measure(lab, pictures, grid, seed):
    start = time.process_time()
    return list((lab.grid if grid else lab.measure)(pictures, seed)), time.process_time() - start


_there = {}  # in a process of measured's: its lab and pictures


def _prepare(name, folder):
    os.environ["MINIALEX_THREADS"] = "1"  # the processes share the cores; in theirs alone
    lab = importlib.import_module(name)
    _there.update(lab=lab, pictures=open_pictures(lab, folder))


def _measure_there(grid, seed):
    return _measure(_there["lab"], _there["pictures"], grid, seed)
