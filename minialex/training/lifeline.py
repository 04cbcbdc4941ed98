"""Signs of life between process 0 and every other one, over TCP, so that none waits for a process that will not come.

MPI itself waits for ever for a process that is stuck or behind a cut cable, and its launcher kills what is left of a run without
a word of ours. Here a thread of each process sends nine bytes twice a second: what it does, and how many waits it has begun.

    the connection ends without a goodbye        the process was killed
    no byte for SILENCE seconds                  its machine or the network is down, or it was stopped
    others wait for it for PATIENCE seconds      it is stuck: it still sends, but does not go on
"""

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..errors import UserError

BEAT, SILENCE, PATIENCE = 0.5, 10.0, 20.0  # seconds
TIMES = 6  # a wait may also take so many times the longest before it
COMPUTES, WAITS, BUSY, ENDS, TOLD = range(5)  # BUSY: writes files, which may take long; TOLD: somebody has said why all end
SIGN = struct.Struct("!BQ")


class Lifeline:
    """The thread and its sockets. failed(rank, why) is called once, in the thread, when a process is lost."""

    def __init__(self, world, failed: Callable[[int, str], None]) -> None:
        self.rank, self.failed, self.impatient = world.Get_rank(), failed, False
        self.state, self.count, self.since, self.longest = COMPUTES, 0, time.monotonic(), 0.0
        self.peers = {rank: _Peer(connection) for rank, connection in _connect(world).items()}
        self.thread = threading.Thread(target=self._run, name="lifeline", daemon=True)
        self.thread.start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While this process waits for the others."""
        self.count, self.state, self.since = self.count + 1, WAITS, time.monotonic()
        yield
        self.state = COMPUTES
        if self.impatient:
            self.longest = max(self.longest, time.monotonic() - self.since)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While this process does what the others must wait for, however long it takes."""
        before, self.state = self.state, BUSY
        try:
            yield
        finally:
            self.state = before

    def end(self, state: int = ENDS) -> None:
        """Say goodbye. With TOLD: the reason why all end has been said, so the others keep silent."""
        self.state = state
        for peer in self.peers.values():
            peer.send(state, self.count)

    def _run(self) -> None:
        beat = 0.0
        while self.state < ENDS:
            if time.monotonic() >= beat:
                beat = time.monotonic() + BEAT
                for peer in self.peers.values():
                    peer.send(self.state, self.count)
            listening = {peer.connection: peer for peer in self.peers.values() if peer.open}
            if not listening:  # select would not wait
                time.sleep(BEAT)
                continue
            for connection in select.select(listening, [], [], max(0.0, beat - time.monotonic()))[0]:
                listening[connection].read()
            for rank, peer in self.peers.items():
                why = None if self.state >= ENDS or peer.state >= ENDS else self._trouble(peer)
                if why:
                    self.end(TOLD)
                    self.failed(rank, why)
                    return

    def _trouble(self, peer: "_Peer") -> str | None:
        now = time.monotonic()
        if not peer.open:
            return "was killed, or ended without a word"
        if now - peer.heard > SILENCE:
            return f"has given no sign of life for {SILENCE:.0f} s: it was stopped, or its machine or the network is down"
        stuck = self.state == WAITS and peer.state == COMPUTES and peer.count < self.count
        if self.impatient and stuck and now - self.since > max(PATIENCE, TIMES * self.longest):
            return f"does not go on: the others have waited for it for {now - self.since:.0f} s"
        return None


class _Peer:
    """One connection and what came through it last."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self.open, self.rest = connection, True, b""
        self.state, self.count, self.heard = COMPUTES, 0, time.monotonic()

    def send(self, state: int, count: int) -> None:
        with suppress(OSError):  # a full or closed connection shows when it is read
            self.connection.send(SIGN.pack(state, count))

    def read(self) -> None:
        try:
            data = self.connection.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.open, self.heard, data = bool(data), time.monotonic(), self.rest + data
        whole = len(data) - len(data) % SIGN.size
        if whole:
            self.state, self.count = SIGN.unpack(data[whole - SIGN.size : whole])
        self.rest = data[whole:]


def _connect(world) -> dict[int, socket.socket]:
    """{rank: socket}: of process 0 to all others, of each other to process 0."""
    if world.Get_rank() == 0:
        server = socket.create_server(("", 0), backlog=world.Get_size())
        token = world.bcast((_addresses(), server.getsockname()[1], time.time_ns()))[2]
        server.settimeout(60)
        found: dict[int, socket.socket] = {}
        try:
            while len(found) < world.Get_size() - 1:
                connection, _ = server.accept()
                connection.settimeout(5)
                with suppress(OSError, struct.error):
                    rank, said = struct.unpack("!QQ", connection.recv(16, socket.MSG_WAITALL))
                    if said == token:
                        found[rank] = connection
        except TimeoutError as error:
            raise UserError("the processes cannot reach process 0 over TCP: open the ports between the machines.") from error
        finally:
            server.close()
    else:
        addresses, port, token = world.bcast(None)
        found = {0: _reach(addresses, port, struct.pack("!QQ", world.Get_rank(), token))}
    for connection in found.values():
        connection.setblocking(False)
    return found


def _reach(addresses: list[str], port: int, greeting: bytes) -> socket.socket:
    for address in addresses:
        with suppress(OSError):
            connection = socket.create_connection((address, port), timeout=3)
            connection.sendall(greeting)
            return connection
    raise UserError(f"process 0 cannot be reached at {', '.join(addresses)}, port {port}: open the ports between the machines.")


def _addresses() -> list[str]:
    """This machine's IPv4 addresses, the loopback last."""
    found = []
    with suppress(ImportError, OSError):  # where there is no fcntl, the host's name must do
        import fcntl

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            for _, name in socket.if_nameindex():
                with suppress(OSError):
                    answer = fcntl.ioctl(asking, 0x8915, struct.pack("256s", name.encode()))  # SIOCGIFADDR
                    found.append(socket.inet_ntoa(answer[20:24]))
    with suppress(OSError):
        found += [entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    return sorted(dict.fromkeys([*found, "127.0.0.1"]), key=lambda address: address.startswith("127."))
