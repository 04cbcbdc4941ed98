"""One run on any number of processes: who is there, who computes what, how they agree, and how the run ends if one fails.

    mpiexec -n N python -m mpi4py -m minialex.train --data DIR --shards K ...

Every batch is cut into K shards (see shards.py); process r of N has those from K·r/N on. Process 0 alone writes and speaks.
`python -m mpi4py` ends all processes when one raises; a process that is killed or stuck is found by a Lifeline. Without mpiexec
nothing of MPI is imported.
"""

import functools
import os
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from ..device import array_module, device_of, to_device, to_numpy
from ..errors import UserError
from ..utils.machine import THREADS, cores
from .lifeline import TOLD, Lifeline

# What launchers tell a process: how many there are, which one it is, and the same for those on its machine.
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_SIZE")
RANKS = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK")
LOCAL_SIZES = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE")
LOCAL_RANKS = ("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK")


def launched() -> int:
    """How many processes mpiexec has started; 1 without it."""
    return max([int(os.environ[name]) for name in SIZES if os.environ.get(name, "").isdigit()], default=1)


def local_rank() -> int:
    """The number of this process among those on this machine, which chooses its GPU."""
    return next((int(os.environ[name]) for name in LOCAL_RANKS if os.environ.get(name, "").isdigit()), 0)


def first() -> bool:
    """Is this process the one that speaks? Known before MPI is."""
    return next((os.environ[name] == "0" for name in RANKS if name in os.environ), True)


def blas() -> str:
    """Which library computes matrix products here, and for which CPU: products of another have other last digits."""
    from threadpoolctl import threadpool_info

    return ", ".join(f"{found['internal_api']} {found['version']} for {found.get('architecture', 'any CPU')}"
                     for found in threadpool_info() if found["user_api"] == "blas")


class Ranks:
    """This process among all of the run's. Without `world` (an MPI communicator) it is alone and sends nothing."""

    def __init__(self, shards: int = 1, world: Any = None) -> None:
        self.world, self.rank, self.size = world, 0, 1
        self.last_word = ""  # what a sentence about a lost run ends with
        self.lifeline, self.bytes_sent = None, 0  # bytes of arrays that this process gave to others
        self._agreed: BaseException | None = None
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
            raise UserError(f"--shards {shards} is work for {shards} processes at most, and there are {self.size}: give --shards "
                            f"{self.size} or more, or start fewer.")
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

    # agreeing

    def gather(self, value: Any) -> list:
        """Everybody's small `value`, by rank. All processes come here in the same order."""
        if self.size == 1:
            return [value]
        with self.lifeline.waiting():
            return self.world.allgather(value)

    def together(self, call: Callable[[], Any]) -> Any:
        """What `call` returns. If it is a mistake of the user in any process, it is one in all: the same UserError is raised."""
        found = problem = None
        try:
            found = call()
        except UserError as error:
            if self.size == 1:
                raise
            problem = str(error)
        problems = self.gather(problem)
        wrong = [rank for rank, said in enumerate(problems) if said is not None]
        if len(set(problems)) == 1 and wrong:
            raise self.agreed(UserError(problem))
        if wrong:
            raise self.agreed(UserError("; ".join(f"{self.name(rank)}: {problems[rank]}" for rank in wrong)))
        return found

    def from_first(self, call: Callable[[], Any]) -> Any:
        """What `call` returns in process 0, which alone calls it, for all. Its UserError is one in all."""
        found = self.together(lambda: call() if self.speaks else None)
        return found if self.size == 1 else self.world.bcast(found)

    def agreed(self, error: BaseException) -> BaseException:
        """An error that all processes raise: each ends by itself."""
        self._agreed = error
        return error

    def check_same(self, what: str, value: Any) -> None:
        """Raise UserError, in all processes, where one has another value than process 0; `what` it is of, in a sentence."""
        values = self.gather(value)
        other = next((rank for rank in range(self.size) if values[rank] != values[0]), None)
        if other is not None:
            raise self.agreed(UserError(f"{self.name(other)} has {what} {values[other]}, {self.name(0)} has {values[0]}: they "
                                        "must be equal."))

    def differing(self, what: str, value: Any) -> Iterator[str]:
        """Sentences about processes that have another value than process 0."""
        values = self.gather(value)
        for rank in range(self.size):
            if values[rank] != values[0]:
                yield f"{self.name(rank)} has {what} {values[rank]}, {self.name(0)} has {values[0]}: the last digits may differ"

    def name(self, rank: int) -> str:
        """How sentences call a process."""
        return f"process {rank} on {self.hosts[rank]}" if self.size > 1 else "this process"

    # moving gradients

    def in_background(self, call: Callable, *arguments: Any) -> Future:
        """Have a call made in the thread of communication, after those asked for before."""
        return self.background.submit(call, *arguments)

    def wait_for(self, future: Future) -> Any:
        """What a call in the background returned."""
        with self.lifeline.waiting():
            return future.result()

    def all_to_all(self, give: np.ndarray, counts: list[int], got: np.ndarray) -> np.ndarray:
        """Send row r of `give` (size, …) to process r; `got` receives counts[r] numbers from each."""
        each = give.size // self.size
        self.bytes_sent += each * (self.size - 1) * give.dtype.itemsize
        if isinstance(give, np.ndarray):
            self.sums.Alltoallv([np.ascontiguousarray(give), [each] * self.size], [got, counts])
            return got
        return even_all_to_all(self.cards, give, counts, got)

    def all_gather(self, give: np.ndarray, got: np.ndarray, counts: list[int]) -> np.ndarray:
        """Everybody's `give`, one after the other by rank, in `got`; counts: how many numbers come from each. `give` may be
        where it belongs in `got`."""
        if self.size == 1:
            if give.base is not got and give is not got:
                got[...] = give.reshape(got.shape)
            return got
        self.bytes_sent += give.size * (self.size - 1) * give.dtype.itemsize
        if isinstance(give, np.ndarray):
            self.sums.Allgatherv(np.array(give), [got, counts])
            return got
        return even_all_gather(self.cards, give, counts, got)

    @functools.cached_property
    def cards(self) -> Any:
        """NCCL between the GPUs of all processes, through CuPy."""
        from cupyx.distributed import NCCLBackend

        return NCCLBackend(self.size, self.rank, use_mpi=True)

    def broadcast(self, array: np.ndarray) -> None:
        """Give everybody what process 0 has in this array."""
        if self.size > 1:
            array[...] = to_device(self.world.bcast(to_numpy(array)), device_of(array))

    # ending

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While this process writes what the others need not, however long that takes."""
        with self.lifeline.busy() if self.lifeline else nullcontext():
            yield

    def end(self) -> None:
        """The run is over, in all processes."""
        if self.lifeline:
            self.lifeline.end()

    def abort(self, error: BaseException, status: int) -> None:
        """End all processes, unless all raise this error and are alone responsible for what they say of it."""
        if self.size > 1 and error is not self._agreed:
            if not isinstance(error, KeyboardInterrupt):  # which all have got
                self._say(f"{self.name(self.rank)}: {str(error) or type(error).__name__}")
            elif self.speaks:
                self._say("stopped.")
            self.lifeline.end(TOLD)
            self.world.Abort(status)
            os._exit(status)

    def _lost(self, rank: int, why: str) -> None:
        if self.rank == 0 or self.rank == 1:  # process 0 knows of all; if it is lost itself, process 1 says so
            self._say(f"{self.name(rank)} {why}; the run ends.")
        self.world.Abort(1)

    def _say(self, text: str) -> None:
        print(f"minialex.train: {text}{self.last_word}", file=sys.stderr, flush=True)


def even_all_to_all(cards: Any, give: Any, counts: list[int], got: Any) -> Any:
    """all_to_all where all pieces must have one size, as in NCCL: shorter ones are filled up."""
    xp, size = array_module(give), len(counts)
    each, most = give.size // size, max(counts)
    sent, received = xp.zeros((size, most), give.dtype), xp.empty((size, most), give.dtype)
    sent[:, :each] = give.reshape(size, each)
    cards.all_to_all(sent, received)
    got.reshape(-1)[...] = xp.concatenate([received[rank, :count] for rank, count in enumerate(counts)])
    return got


def even_all_gather(cards: Any, give: Any, counts: list[int], got: Any) -> Any:
    """all_gather where all pieces must have one size."""
    xp, most = array_module(give), max(counts)
    sent, received = xp.zeros((most,), give.dtype), xp.empty((len(counts) * most,), give.dtype)
    sent[: give.size] = give.reshape(-1)
    cards.all_gather(sent, received, most)
    rows = received.reshape(len(counts), most)
    got.reshape(-1)[...] = xp.concatenate([rows[rank, :count] for rank, count in enumerate(counts)])
    return got


def world() -> Any:
    """The communicator of all processes that mpiexec has started, or None for one. Raises UserError when it cannot be used."""
    count = launched()
    if count == 1:
        return None
    typed = f"mpiexec -n {count} python -m mpi4py -m minialex.train ..."
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise UserError(f"mpiexec has started {count} processes, and mpi4py is missing: pip install 'minialex[mpi]'.") from error
    if "mpi4py.run" not in sys.modules:
        raise UserError(f"start the processes through mpi4py, {typed}: without it they would wait for ever when one fails.")
    if MPI.Query_thread() < MPI.THREAD_MULTIPLE:
        raise UserError("this MPI serves one thread only: use one with MPI_THREAD_MULTIPLE, such as pip install mpich.")
    if MPI.COMM_WORLD.Get_size() != count:
        raise UserError(f"mpiexec has started {count} processes, but mpi4py sees {MPI.COMM_WORLD.Get_size()}: mpiexec and mpi4py "
                        "belong to different MPIs; pip install mpi4py mpich, and use their mpiexec.")
    here = max([int(os.environ[name]) for name in LOCAL_SIZES if os.environ.get(name, "").isdigit()], default=1)
    os.environ.setdefault(THREADS, str(max(1, cores() // here)))  # or each process would start a thread for every core
    return MPI.COMM_WORLD
