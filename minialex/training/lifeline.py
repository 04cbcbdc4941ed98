"""Signs of life between process 0 and every other one, over TCP, so that none waits for a process that will not come.

MPI itself waits for ever for a process that is stuck or behind a cut cable, and its launcher kills what is left of a run without
a word of ours. Here a thread of each process sends twice a second what it does, and how many waits it has begun.

    it says that it fails, and why               an exception ended it
    the connection ends without a goodbye        the process was killed
    nothing for SILENCE seconds                  its machine or the network is down, or it was stopped
    others wait for it for PATIENCE seconds      it is stuck: it still sends, but does not go on
"""

import math
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

BEAT, SILENCE, PATIENCE = 0.5, 10.0, 20.0  # seconds
TIMES = 6  # a wait may also take so many times the longest before it
COMPUTES, WAITS, BUSY, ENDS, FAILS = range(5)  # BUSY: does what the others must wait for, however long it takes


@dataclass
class _Peer:
    """A process at the other end, and what it has said last."""

    rank: int
    state: int = COMPUTES
    waits: int = 0
    heard: float = field(default_factory=time.monotonic)


class Lifeline:
    """The thread and its connections: of process 0 to all others, of each other to process 0.

    lost(rank, status, text) is called in the thread when a process is lost; rank None: the text is a whole sentence.
    """

    def __init__(self, world: Any, lost: Callable[[int | None, int, str], None]) -> None:
        self.lost, self.sending = lost, threading.Lock()
        self.state, self.waits, self.since = COMPUTES, 0, 0.0
        self.longest = math.inf  # seconds that a wait has taken, endless before the first step
        self.peers = {} if world is None else _accept(world) if world.Get_rank() == 0 else _call(world, lost)
        self.thread = threading.Thread(target=self._run, name="lifeline", daemon=True)
        if self.peers:
            self.thread.start()

    @contextmanager
    def doing(self, state: int) -> Iterator[None]:
        """While this process WAITS for the others, or is BUSY with what they must wait for."""
        self.waits, self.state, self.since = self.waits + (state == WAITS), state, time.monotonic()
        try:
            yield
        finally:
            self.state = COMPUTES
            if state == WAITS:
                self.longest = max(self.longest, time.monotonic() - self.since)

    def expect(self, seconds: float) -> None:
        """A step took so long: after the first one, nobody is waited for many times as long."""
        self.longest = seconds if self.longest == math.inf else self.longest

    def say(self, state: int, more: bytes = b"") -> None:
        """Go over to a state and tell the others."""
        self.state = state
        with self.sending:
            for connection in list(self.peers):
                with suppress(OSError):  # that it is closed shows when it is read
                    connection.send_bytes(bytes([self.state, self.waits % 256]) + more)

    def _run(self) -> None:
        beat = 0.0
        while self.peers:
            if time.monotonic() >= beat and self.state != FAILS:
                self.say(self.state)
                beat = time.monotonic() + BEAT
            for connection in wait(list(self.peers), BEAT):
                self._hear(connection)
            for peer in list(self.peers.values()):
                if peer.state < ENDS and self.state < ENDS and (why := self._trouble(peer)):
                    self.lost(peer.rank, 1, why)

    def _hear(self, connection) -> None:
        peer = self.peers[connection]
        try:
            said = connection.recv_bytes()
        except (EOFError, OSError):
            del self.peers[connection]
            if peer.state < ENDS and self.state < ENDS:
                self.lost(peer.rank, 1, "was killed, or ended without a word")
            return
        peer.state, peer.waits, peer.heard = said[0], said[1], time.monotonic()
        if peer.state == FAILS:
            self.lost(None, said[2], said[3:].decode())

    def _trouble(self, peer: _Peer) -> str | None:
        now = time.monotonic()
        if now - peer.heard > SILENCE:
            return f"has given no sign of life for {SILENCE:.0f} s: it was stopped, or its machine or the network is down"
        if self.state == WAITS and peer.state == COMPUTES and peer.waits != self.waits % 256:  # it is behind
            if now - self.since > max(PATIENCE, TIMES * self.longest):
                return f"does not go on: the others have waited for it for {now - self.since:.0f} s"
        return None


def _accept(world):
    """{connection: peer} of process 0: to all others."""
    with socket.create_server(("", 0), backlog=world.Get_size()) as server:
        token = world.bcast((_addresses(), server.getsockname()[1], secrets.token_bytes(16)))[2]
        peers: dict[Connection, _Peer] = {}
        while len(peers) < world.Get_size() - 1:  # one that cannot come ends the run
            found, _ = server.accept()
            found.settimeout(5)
            with suppress(OSError):
                said = found.recv(20, socket.MSG_WAITALL)
                if said[:16] == token:
                    peers[_connection(found)] = _Peer(int.from_bytes(said[16:], "big"))
        return peers


def _call(world, lost):
    """The same of another process: to process 0."""
    addresses, port, token = world.bcast(None)
    for address in addresses:
        with suppress(OSError):
            found = socket.create_connection((address, port), timeout=3)
            found.sendall(token + world.Get_rank().to_bytes(4, "big"))
            return {_connection(found): _Peer(0)}
    lost(None, 2, f"process 0 cannot be reached at {', '.join(addresses)}, port {port}, from {socket.gethostname()}: open the "
                  "ports between the machines.")


def _connection(found: socket.socket) -> Connection:
    found.setblocking(True)
    return Connection(found.detach())


def _addresses() -> list[str]:
    """This machine's IPv4 addresses, the loopback last."""
    found = []
    with suppress(ImportError, OSError):  # where there is no fcntl, the host's name must do
        import fcntl

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            for _, name in socket.if_nameindex():
                with suppress(OSError):  # SIOCGIFADDR
                    found.append(socket.inet_ntoa(fcntl.ioctl(asking, 0x8915, name.encode().ljust(256, b"\0"))[20:24]))
    with suppress(OSError):
        found += [entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    return sorted(dict.fromkeys([*found, "127.0.0.1"]), key=lambda address: address.startswith("127."))
