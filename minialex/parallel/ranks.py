"""One run on any number of processes: who is there, who computes what, how they talk, and how all
end when one fails.

    mpiexec -n N python -m mpi4py -m minialex.train --data DIR --shards K ...

Every batch is cut into K shards (see network.py); process r of N has those from K·r/N on. Process
0 alone writes and speaks. Whatever ends one process ends all: process 0 says why, and a Lifeline
finds those that cannot say it themselves. Without mpiexec nothing of MPI is imported.

MPI itself waits for ever for a process that is stuck or behind a cut cable, and its launcher kills
what is left of a run without a word of ours. So a thread of each process, its Lifeline, sends twice
a second what it does, over TCP.

    it says that it fails, and why               an exception ended it
    the connection ends without a goodbye        the process was killed
    nothing for SILENCE seconds                  its machine or the network is down, or it was
                                                 stopped
    others wait for it for PATIENCE seconds      it is stuck: it still sends, but does not go on
"""

import functools
import math
import os
import socket
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

from ..device import array_module
from ..errors import Ended, UserError, require
from ..fast.buffers import empty
from ..utils import console
from ..utils.machine import THREADS, cores, launched

BEAT, SILENCE, PATIENCE = 0.5, 10.0, 20.0  # seconds
TIMES = 6  # a wait may also take so many times the longest step before it
# BUSY: does what the others must wait for, however long it takes
# SAID: process 0 has said why all end, and tells the launcher
COMPUTES, WAITS, BUSY, ENDS, FAILS, SAID = range(6)
# seconds in which process 0 may say first what another one says: a mistake of the user's is one of
# all processes
GRACE = 1.0


class Ranks:
    """This process among all of the run's. Without `world` (an MPI communicator) it is alone and
    sends nothing."""

    def __init__(self, shards: int = 1, world: Any = None) -> None:
        self.world, self.rank, self.size = world, 0, 1
        self.last_word = ""  # what the sentence about a run that ends too early ends with
        self.bytes_sent = 0  # of arrays that this process gave to others
        self.ending = threading.Lock()
        if world is not None:
            self.rank, self.size = world.Get_rank(), world.Get_size()
            self.sums = world.Dup()  # for the thread that sums gradients while others are computed
            self.background = ThreadPoolExecutor(1, thread_name_prefix="ranks")
            self.hosts = world.allgather(socket.gethostname())
        self.speaks = self.rank == 0  # is this the process that writes files and lines?
        self.lifeline = Lifeline(world, self._lost)
        self.cut(max(shards, self.size))

    def cut(self, shards: int) -> None:
        """Share so many shards of every batch. Raises UserError when there are fewer than
        processes."""
        require(shards >= self.size,
                f"--shards {shards} gives work to {shards} of the {self.size} processes: "
                f"start no more than that, or begin another run with --shards {self.size}.")
        self.shards = shards
        self.shares = [range(shards * r // self.size, shards * (r + 1) // self.size)
                       for r in range(self.size)]
        self.mine = self.shares[self.rank]

    def name(self, rank: int) -> str:
        """How sentences call a process."""
        return f"process {rank} on {self.hosts[rank]}"

    # talking; all processes come to these in the same order

    def gather(self, value: Any) -> list:
        """Everybody's small `value`, by rank."""
        return [value] if self.size == 1 else self._wait(self.world.allgather, value)

    def from_first(self, call: Callable[[], Any]) -> Any:
        """What `call` returns in process 0, which alone calls it, for all."""
        return self.gather(call() if self.speaks else None)[0]

    def in_turns(self, loader: Any, results: Iterator) -> Iterator:
        """Everybody's `results` of a loader's batches, in their order, where process r computes
        every N-th from the r-th on."""
        loader.share = lambda batches: batches[self.rank :: self.size]
        for _ in range(-(-len(loader) // self.size)):
            yield from (found for found in self.gather(next(results, None)) if found is not None)

    def differing(self, what: str, value: Any) -> Iterator[str]:
        """Half a sentence about each process that has another `value` than process 0; `what` it is
        of."""
        values = self.gather(value)
        return (f"{self.name(rank)} has {what} {values[rank]}, {self.name(0)} has {values[0]}"
                for rank in range(self.size) if values[rank] != values[0])

    def require_same(self, what: str, value: Any) -> None:
        """Raise UserError where a process has another `value` than process 0."""
        for problem in self.differing(what, value):
            raise UserError(f"{problem}: they must be equal.")

    # moving arrays

    def later(self, call: Callable, *arguments: Any) -> Callable[[], Any]:
        """Have a call made in the thread of communication, after those before. Returns what waits
        for its result."""
        if self.size == 1:
            return functools.partial(call, *arguments)
        return functools.partial(self._wait, self.background.submit(call, *arguments).result)

    def _wait(self, call, *arguments):
        return self.lifeline.doing(WAITS)(call)(*arguments)

    def all_to_all(self, give: np.ndarray) -> np.ndarray:
        """Row r of `give` (N, ...) goes to process r. Returns what all gave to this one, by rank,
        in the same shape."""
        return self._exchange("all_to_all", give, give.shape, give.nbytes // self.size)

    def all_gather(self, give: np.ndarray) -> np.ndarray:
        """Everybody's array, all of one shape, by rank."""
        return self._exchange("all_gather", give, (self.size, *give.shape), give.nbytes, give.size)

    def _exchange(self, how, give, shape, to_each, *count):
        self.bytes_sent += to_each * (self.size - 1)
        give, got = array_module(give).ascontiguousarray(give), empty(shape, give.dtype, give)
        if isinstance(give, np.ndarray):
            {"all_to_all": self.sums.Alltoall, "all_gather": self.sums.Allgather}[how](give, got)
        else:
            getattr(self.cards, how)(give, got, *count)
        return got

    def gather_rows(self, mine: np.ndarray, rows: list[slice]) -> np.ndarray:
        """Everybody's rows of an array, one after the other by rank; `rows` are those of each
        process."""
        # in the memory order that it has for more, not a fast layer's: products in another differ
        # in bytes
        if self.size == 1:
            return array_module(mine).ascontiguousarray(mine)
        counts = [some.stop - some.start for some in rows]
        # all send as many, as NCCL must have it
        give = empty((max(counts), *mine.shape[1:]), mine.dtype, mine)
        give[: len(mine)] = mine
        everybodys = self._wait(self.all_gather, give)
        return array_module(mine).concatenate([some[:count]
                                               for some, count in zip(everybodys, counts)])

    @functools.cached_property
    def cards(self) -> Any:
        """NCCL between the GPUs of all processes, through CuPy."""
        from cupyx.distributed import NCCLBackend

        return NCCLBackend(self.size, self.rank, use_mpi=True)

    # ending

    @contextmanager
    def together(self) -> Iterator[None]:
        """Around the whole run: what ends it in one process ends it in all, with one sentence of
        process 0's."""
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
        if self.speaks:
            is_ours = self.last_word and not isinstance(error, (Ended, KeyboardInterrupt))
            self._end_all(status, f"{self.name(0)}: {text}{self.last_word}" if is_ours else text)
        time.sleep(GRACE)
        if not isinstance(error, Ended):  # where all end alike, process 0 says so when it has saved
            self.lifeline.say(FAILS, bytes([status]) + f": {text}".encode())
        self.lifeline.join()  # until process 0 ends all

    def _lost(self, rank: int, status: int, text: str) -> None:
        """The Lifeline's: a process cannot go on. Of those that are left, the first one says so;
        without a text it has been said."""
        if not text:
            time.sleep(GRACE)  # the launcher ends all within it where it can be reached
            os._exit(status)
        time.sleep(3 * GRACE * max(0, self.rank - 1))
        self._end_all(status, f"{self.name(rank)}{text}{self.last_word}")

    def _end_all(self, status: int, text: str) -> None:
        self.ending.acquire()  # and never let go of: whoever comes later waits for the end
        try:
            console.warn("minialex.train")(text)
            sys.stdout.flush()
            if self.speaks:  # the launcher may end this process long before the others
                self.lifeline.say(SAID, bytes([status]))
            # the launcher throws away what it has not yet read when it is told to end all
            time.sleep(0.2)
        finally:
            self.world.Abort(status)
            os._exit(status)  # Abort returns where the launcher cannot be reached


def world() -> Any:
    """The communicator of all processes that mpiexec has started, or None for one. Raises UserError
    when it cannot be used."""
    count = launched("size")
    if count == 1:
        return None
    started = f"mpiexec has started {count} processes"
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise UserError(f"{started}, and mpi4py is missing: "
                        "pip install 'minialex[mpi]'.") from error
    require("mpi4py.run" in sys.modules, "start the processes through mpi4py, "
            f"mpiexec -n {count} python -m mpi4py -m minialex.train ...: "
            "without it they would wait for ever when one fails.")
    require(MPI.Query_thread() == MPI.THREAD_MULTIPLE, "this MPI serves one thread only: "
            "use one with MPI_THREAD_MULTIPLE, such as pip install mpich.")
    require(MPI.COMM_WORLD.Get_size() == count,
            f"{started}, but mpi4py sees {MPI.COMM_WORLD.Get_size()}: "
            "they belong to different MPIs; pip install mpi4py mpich, and use their mpiexec.")
    # or each would start one for every core
    os.environ.setdefault(THREADS, str(max(1, cores() // launched("local size"))))
    return MPI.COMM_WORLD


def program() -> str:
    """Which program this is: its own source text and NumPy's version."""
    checksum = zlib.crc32(b"".join(path.read_bytes()
                                   for path in sorted(Path(__file__).parents[1].rglob("*.py"))))
    return f"minialex {checksum:08x} with NumPy {np.__version__}"


# -------------------------------------------------------------------------------------- who is lost


class Peer(Connection):
    """A process at the other end of a connection, and what it has said last."""

    def __init__(self, rank: int, found: socket.socket) -> None:
        found.setblocking(True)
        super().__init__(found.detach())
        self.rank, self.state, self.heard = rank, COMPUTES, time.monotonic()


class Lifeline(threading.Thread):
    """Process 0 hears all others, each other one hears process 0.

    lost(rank, status, text) is called in this thread when a process is lost; the text is a sentence
    that goes on after its name.
    """

    def __init__(self, world: Any, lost: Callable[[int, int, str], None]) -> None:
        super().__init__(name="lifeline", daemon=True)
        self.lost, self.sending, self.state, self.since = lost, threading.Lock(), COMPUTES, 0.0
        self.longest = math.inf  # seconds of a step, endless before the first one
        self.peers = ([] if world is None else _call(world) if world.Get_rank()
                      else _connected(world))
        if self.peers:
            self.start()

    @contextmanager
    def doing(self, state: int) -> Iterator[None]:
        """While this process WAITS for the others, or is BUSY with what they must wait for."""
        before, self.since, self.state = self.state, time.monotonic(), state
        try:
            yield
        finally:
            self.state = before

    def expect(self, seconds: float) -> None:
        """A step took so long, with its waits: from the first one on, nobody is waited for many
        times as long."""
        self.longest = max(seconds, self.longest if self.longest < math.inf else 0)

    def say(self, state: int | None = None, more: bytes = b"") -> None:
        """Tell the others what this process does, or that it goes over to a state."""
        with self.sending:
            self.state = self.state if state is None else state
            for peer in list(self.peers):
                with suppress(OSError):  # that it is gone shows when it is heard
                    peer.send_bytes(bytes([self.state]) + more)

    def run(self) -> None:
        """The thread: until the others are gone."""
        beat = 0.0
        while self.peers:
            if time.monotonic() >= beat and self.state != FAILS:
                self.say()
                beat = time.monotonic() + BEAT
            talking = wait(self.peers, BEAT)
            for peer in list(self.peers):
                trouble = self._hear(peer) if peer in talking else self._think(peer)
                if trouble and max(peer.state, self.state) < ENDS:
                    self.lost(peer.rank, 1, trouble)

    def _hear(self, peer: Peer) -> str | None:
        try:
            said = peer.recv_bytes()
        except (EOFError, OSError):
            self.peers.remove(peer)
            return " was killed, or ended without a word."
        peer.state, peer.heard = said[0], time.monotonic()
        if peer.state >= FAILS:
            self.lost(peer.rank, said[1], said[2:].decode())
        return None

    def _think(self, peer: Peer) -> str | None:
        now = time.monotonic()
        if now - peer.heard > SILENCE:
            return (f" has given no sign of life for {SILENCE:.0f} s: it was stopped, "
                    "or its machine or the network is down.")
        if (self.state == WAITS and peer.state == COMPUTES
            and now - self.since > max(PATIENCE, TIMES * self.longest)):
            return f" does not go on: the others have waited for it for {now - self.since:.0f} s."
        return None


def _connected(world):
    """The Peers of process 0: all others."""
    peers: list[Peer] = []
    with socket.create_server(("", 0), backlog=world.Get_size()) as server:
        world.bcast((_addresses(), server.getsockname()[1]))
        callers = world.gather(None)
        while len(peers) < world.Get_size() - 1:
            found, caller = server.accept()
            if caller in callers:  # else it is a stranger
                peers.append(Peer(callers.index(caller), found))
    return peers


def _call(world):
    """The Peer of another process: process 0. Raises UserError where it cannot be reached."""
    addresses, port = world.bcast(None)
    for address in addresses:
        with suppress(OSError):
            found = socket.create_connection((address, port), timeout=3)
            world.gather(found.getsockname())
            return [Peer(0, found)]
    raise UserError(f"process 0 cannot be reached at {', '.join(addresses)}, port {port}, "
                    f"from {socket.gethostname()}: open the ports between the machines.")


def _addresses() -> list[str]:
    """This machine's IPv4 addresses, the loopback last."""
    found = []
    with suppress(ImportError, OSError):  # where there is no fcntl, the host's name must do
        import fcntl

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            for _, name in socket.if_nameindex():
                with suppress(OSError):  # SIOCGIFADDR
                    found.append(socket.inet_ntoa(fcntl.ioctl(asking, 0x8915,
                                                              name.encode().ljust(256,
                                                                                  b"\0"))[20:24]))
    with suppress(OSError):
        found += [entry[4][0]
                  for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    return sorted(dict.fromkeys([*found, "127.0.0.1"]),
                  key=lambda address: address.startswith("127."))
