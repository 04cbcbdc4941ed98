"""Who is lost, and why: real processes and sockets, without a launcher that would be faster than we
are."""

import os
import pickle
import queue
import signal
import socket
import subprocess
import sys

import pytest

from minialex.parallel import ranks
from minialex.parallel.ranks import WAITS, Lifeline, Ranks

CHILD = """
import os, pickle, sys
from minialex.parallel.ranks import ENDS, FAILS, Lifeline, Ranks

class World:
    def Get_rank(self): return 1
    def Get_size(self): return 2
    def bcast(self, value): return pickle.load(sys.stdin.buffer)
    def gather(self, value):
        pickle.dump(value, sys.stdout.buffer)
        sys.stdout.flush()

line = Lifeline(World(), lambda *lost: os._exit(0))
print("there", flush=True)
for word in sys.stdin.buffer:
    exec(word)
"""


class World:
    def __init__(self, child):
        self.child = child

    def Get_rank(self):
        return 0

    def Get_size(self):
        return 2

    def bcast(self, value):
        pickle.dump(value, self.child.stdin)
        self.child.stdin.flush()
        return value

    def gather(self, value):
        return [value, pickle.load(self.child.stdout)]


@pytest.fixture
def other(monkeypatch):
    """(the child, this process's Lifeline, what it finds lost)"""
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    found = queue.Queue()
    for name, seconds in ("BEAT", 0.1), ("SILENCE", 2.0), ("PATIENCE", 1.0):
        monkeypatch.setattr(ranks, name, seconds)
    line = Lifeline(World(child), lambda *lost: found.put(lost))
    assert child.stdout.readline() == b"there\n"
    yield child, line, found
    child.kill()
    child.communicate()
    line.join(30)


def do(child, word):
    child.stdin.write(word.encode() + b"\n")
    child.stdin.flush()


def test_one_that_is_killed(other):
    child, line, found = other
    child.kill()
    assert found.get(timeout=30) == (1, 1, " was killed, or ended without a word.")


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
def test_one_that_is_stopped(other):
    child, line, found = other
    os.kill(child.pid, signal.SIGSTOP)
    rank, status, why = found.get(timeout=30)
    assert (rank, status) == (1, 1) and why.startswith(" has given no sign of life for 2 s")


def test_one_that_the_others_wait_for(other):
    child, line, found = other
    line.expect(0.0)
    with line.doing(WAITS):
        rank, status, why = found.get(timeout=30)
    assert (rank, status) == (1, 1) and why.startswith(" does not go on: "
                                                       "the others have waited for it for ")


def test_nobody_is_waited_for_in_vain_before_the_first_step(other):
    child, line, found = other
    with line.doing(WAITS), pytest.raises(queue.Empty):
        found.get(timeout=3)


def test_one_that_says_why_it_fails(other):
    child, line, found = other
    do(child, "line.say(FAILS, bytes([2]) + ': Größe.'.encode())")
    assert found.get(timeout=30) == (1, 2, ": Größe.")


def test_one_that_ends_is_not_lost(other):
    child, line, found = other
    do(child, "line.say(ENDS); os._exit(0)")
    child.wait(30)
    line.join(30)
    assert not line.peers and found.empty()


def test_what_process_0_has_said_no_other_says_again(other, monkeypatch, capsys):
    """The launcher may end process 0 first: for a moment the others see that it was killed."""
    child, line, found = other
    first = Ranks()
    first.lifeline, first.world = line, type("World", (), {"Abort": lambda self, status: None})()
    do(child, "line.lost = Ranks()._lost; print('ready', flush=True)")
    assert child.stdout.readline() == b"ready\n"
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(ranks.os, "_exit", sys.exit)
        first._end_all(2, "--shards 4 cannot cut a batch of 3 pictures.")
    with socket.socket(fileno=os.dup(line.peers[0].fileno())) as connection:
        connection.shutdown(socket.SHUT_RDWR)
    assert child.wait(30) == 2 and child.stdout.read() == b""
    assert capsys.readouterr().err.count("\n") == 1


def test_a_stranger_is_not_taken_for_a_process():
    """Whoever else finds the port."""
    class Strange(World):
        def bcast(self, value):
            with socket.create_connection(("127.0.0.1", value[1])) as stranger:
                stranger.sendall(b"GET / HTTP/1.1\r\n\r\n  ")
            return super().bcast(value)

    child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    found = queue.Queue()
    line = Lifeline(Strange(child), lambda *lost: found.put(lost))
    assert [peer.rank for peer in line.peers] == [1] and child.stdout.readline() == b"there\n"
    do(child, "line.say(ENDS); os._exit(0)")
    child.communicate()
    line.join(30)
    assert found.empty()
