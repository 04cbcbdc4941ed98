"""One run on any number of processes: who is there, who computes what, how they talk, and how all end when one fails.

    mpiexec -n N python -m mpi4py -m minialex.train --data DIR --shards K ...

Every batch is cut into K shards (see shards.py); process r of N has those from K·r/N on. Process 0 alone writes and speaks.
Whatever ends one process ends all: process 0 says why, and a Lifeline finds those that cannot say it themselves. Without mpiexec
nothing of MPI is imported.
"""

import functools
import os
import socket
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..device import array_module
from ..errors import Ended, UserError, require
from ..fast.buffers import empty
from ..utils import console
from ..utils.machine import THREADS, cores, launched
from .lifeline import BUSY, ENDS, FAILS, WAITS, Lifeline

GRACE = 1.0  # seconds in which process 0 may say itself what another one says: a mistake of the user's is one of all processes


class Ranks:
    """This process among all of the run's. Without `world` (an MPI communicator) it is alone and sends nothing."""

    def __init__(self, shards: int = 1, world: Any = None) -> None:
        self.world, self.rank, self.size = world, 0, 1
        self.last_word = ""  # what the sentence about a run that ends too early ends with
        self.bytes_sent = 0  # of arrays that this process gave to others
        self.told, self.saving = threading.Lock(), threading.Lock()
        if world is not None:
            self.rank, self.size = world.Get_rank(), world.Get_size()
            self.sums = world.Dup()  # for the thread that sums gradients while others are computed
            self.background = ThreadPoolExecutor(1, thread_name_prefix="ranks")
            self.hosts = world.allgather(socket.gethostname())
        self.lifeline = Lifeline(world, self._lost)
        self.cut(max(shards, self.size))

    def cut(self, shards: int) -> None:
        """Share so many shards of every batch. Raises UserError when there are fewer than processes."""
        if self.size > shards:
            most = "1 shard is work for 1 process" if shards == 1 else f"{shards} shards are work for {shards} processes"
            raise UserError(f"{most} at most, and there are {self.size}: start no more than that, or begin another run with "
                            f"--shards {self.size}.")
        self.shards = shards
        self.shares = [range(shards * r // self.size, shards * (r + 1) // self.size) for r in range(self.size)]

    @property
    def mine(self) -> range:
        """The shards that this process computes."""
        return self.shares[self.rank]

    @property
    def speaks(self) -> bool:
        """Is this the process that writes files and lines?"""
        return self.rank == 0

    def name(self, rank: int) -> str:
        """How sentences call a process."""
        return f"process {rank} on {self.hosts[rank]}"

    # talking; all processes come to these in the same order

    def gather(self, value: Any) -> list:
        """Everybody's small `value`, by rank."""
        with self.lifeline.doing(WAITS):
            return [value] if self.size == 1 else self.world.allgather(value)

    def from_first(self, call: Callable[[], Any]) -> Any:
        """What `call` returns in process 0, which alone calls it, for all."""
        found = call() if self.speaks else None
        with self.lifeline.doing(WAITS):
            return found if self.size == 1 else self.world.bcast(found)

    def differing(self, what: str, value: Any) -> Iterator[str]:
        """Half a sentence about each process that has another `value` than process 0; `what` it is of."""
        values = self.gather(value)
        return (f"{self.name(rank)} has {what} {values[rank]}, {self.name(0)} has {values[0]}"
                for rank in range(self.size) if values[rank] != values[0])

    def require_same(self, what: str, value: Any) -> None:
        """Raise UserError where a process has another `value` than process 0."""
        for problem in self.differing(what, value):
            raise UserError(f"{problem}: they must be equal.")

    def in_background(self, call: Callable, *arguments: Any) -> Future:
        """Have a call made in the thread of communication, after those asked for before."""
        return self.background.submit(call, *arguments)

    def wait_for(self, future: Future) -> Any:
        """What a call in the background returned."""
        with self.lifeline.doing(WAITS):
            return future.result()

    # moving arrays

    def all_to_all(self, give: np.ndarray) -> np.ndarray:
        """Row r of `give` (N, ...) goes to process r. Returns what all gave to this one, by rank, in the same shape."""
        self.bytes_sent += give.nbytes // self.size * (self.size - 1)
        give, got = array_module(give).ascontiguousarray(give), empty(give.shape, give.dtype, give)
        if isinstance(give, np.ndarray):
            self.sums.Alltoall(give, got)
        else:
            self.cards.all_to_all(give, got)
        return got

    def all_gather(self, give: np.ndarray) -> np.ndarray:
        """Everybody's array, all of one shape, by rank."""
        self.bytes_sent += give.nbytes * (self.size - 1)
        give, got = array_module(give).ascontiguousarray(give), empty((self.size, *give.shape), give.dtype, give)
        if isinstance(give, np.ndarray):
            self.sums.Allgather(give, got)
        else:
            self.cards.all_gather(give, got, give.size)
        return got

    def gather_rows(self, mine: np.ndarray, rows: list[slice]) -> np.ndarray:
        """Everybody's rows of an array, one after the other by rank; `rows` are those of each process."""
        if self.size == 1:
            return mine
        counts = [some.stop - some.start for some in rows]
        give = empty((max(counts), *mine.shape[1:]), mine.dtype, mine)  # all send as many, as NCCL must have it
        give[: len(mine)] = mine
        with self.lifeline.doing(WAITS):
            everybodys = self.all_gather(give)
        return array_module(mine).concatenate([some[:count] for some, count in zip(everybodys, counts)])

    @functools.cached_property
    def cards(self) -> Any:
        """NCCL between the GPUs of all processes, through CuPy."""
        from cupyx.distributed import NCCLBackend

        return NCCLBackend(self.size, self.rank, use_mpi=True)

    # ending

    @contextmanager
    def writing(self) -> Iterator[None]:
        """While this process writes what the others must wait for, and nobody ends the run."""
        with self.saving, self.lifeline.doing(BUSY):
            yield

    @contextmanager
    def together(self) -> Iterator[None]:
        """Around the whole run: what ends it in one process ends it in all, with one sentence of process 0's."""
        try:
            yield
        except BaseException as error:
            if self.size > 1:
                self._failed(error)
            raise
        self.lifeline.say(ENDS)

    def _failed(self, error: BaseException) -> None:
        status, text = console.explained(error)
        if not isinstance(error, (*console.EXPECTED, KeyboardInterrupt)):
            traceback.print_exception(error)
            status, text = 1, f"{type(error).__name__}: {text}"
        if not isinstance(error, KeyboardInterrupt) and (self.rank or self.last_word and not isinstance(error, Ended)):
            text = f"{self.name(self.rank)}: {text}{self.last_word}"
        if self.speaks:
            self._end_all(status, text)
        if status != console.INTERRUPTED or isinstance(error, KeyboardInterrupt):  # not where all stop, as process 0 will say
            self.lifeline.say(FAILS, bytes([status]) + text.encode())
        self.lifeline.thread.join()  # until process 0 ends all

    def _lost(self, rank: int | None, status: int, text: str) -> None:
        """The Lifeline's: a process (None: as the text says) cannot go on. Of those that are left, the first one says so."""
        time.sleep(max(0, self.rank - 1) if self.rank or rank is not None else GRACE)
        self._end_all(status, text if rank is None else f"{self.name(rank)} {text}.{self.last_word}")

    def _end_all(self, status: int, text: str) -> None:
        with self.told, self.saving:  # neither is let go of: whoever comes later waits for the end
            try:
                console.warn("minialex.train")(text)
                sys.stdout.flush()
                time.sleep(0.2)  # the launcher throws away what it has not yet read when it is told to end all
            finally:
                self.world.Abort(status)
                os._exit(status)


def world() -> Any:
    """The communicator of all processes that mpiexec has started, or None for one. Raises UserError when it cannot be used."""
    count = launched("size")
    if count == 1:
        return None
    started = f"mpiexec has started {count} processes"
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise UserError(f"{started}, and mpi4py is missing: pip install 'minialex[mpi]'.") from error
    require("mpi4py.run" in sys.modules, "start the processes through mpi4py, mpiexec -n "
            f"{count} python -m mpi4py -m minialex.train ...: without it they would wait for ever when one fails.")
    require(MPI.Query_thread() == MPI.THREAD_MULTIPLE,
            "this MPI serves one thread only: use one with MPI_THREAD_MULTIPLE, such as pip install mpich.")
    require(MPI.COMM_WORLD.Get_size() == count, f"{started}, but mpi4py sees {MPI.COMM_WORLD.Get_size()}: they belong to "
            "different MPIs; pip install mpi4py mpich, and use their mpiexec.")
    os.environ.setdefault(THREADS, str(max(1, cores() // launched("local size"))))  # or each would start one for every core
    return MPI.COMM_WORLD


def program() -> str:
    """Which program this is: its own source text and NumPy's version."""
    sources = sorted(Path(__file__).parents[1].rglob("*.py"))
    checksum = functools.reduce(lambda so_far, path: zlib.crc32(path.read_bytes(), so_far), sources, 0)
    return f"minialex {checksum:08x} with NumPy {np.__version__}"


def blas() -> str:
    """Which library computes matrix products here, and for which CPU: products of another have other last digits."""
    from threadpoolctl import threadpool_info

    return ", ".join(f"{found['internal_api']} {found['version']} for {found.get('architecture', 'any CPU')}"
                     for found in threadpool_info() if found["user_api"] == "blas")
