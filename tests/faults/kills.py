"""SIGKILL, at random moments and at every kind of operation on files: what goes on ends with the
same bytes."""

import os
import random
import signal
import time

from outcome import Outcome

MOST_IN_ONE_RUN = 4


def at_random(world, count, seed=1):
    """`count` blows from outside, each at a moment drawn evenly over a whole run, the run resumed
    after each."""
    row = Outcome("SIGKILL at a random moment, then --resume",
                  "same bytes of weights, velocity and metrics.csv")
    draw = random.Random(seed)
    start = time.perf_counter()
    world.start(world.folder / "slow", slow=0.0005)
    length = time.perf_counter() - start
    kills = writing = early = number = 0
    while kills < count:
        number += 1
        run = world.folder / f"random-{number}"
        for _ in range(draw.randint(1, MOST_IN_ONE_RUN)):
            if _was_killed(world, run, draw.uniform(0, length)):
                kills += 1
                writing += any(run.glob(".minialex-*.tmp"))
                early += not (run / "config.json").exists()
        status = world.go_on(run)
        what = world.difference(run) if status == 0 else world.said()[-300:]
        row.check(not what, f"run {number}: {what}")
    row.note = (f"{row.tried} runs, {kills} kills, {writing} of them inside a write, "
                f"{early} before there was a run")
    row.kills = kills
    return row


def _was_killed(world, run, after):
    """Start or resume, and strike after so many seconds. False: it was faster and has finished."""
    world.log.write_text("")
    arguments = ["--resume", run] if (run / "config.json").exists() else world.begin(run)
    process = world.victim.start(arguments, world.log, slow=0.0005)
    if not world.victim.ends_within(after):
        os.kill(process, signal.SIGKILL)
    return world.victim.wait() == -signal.SIGKILL


def at_operations(world, count):
    """Dies at its n-th write, fsync, rename, link or unlink, for n spread evenly over a whole
    run."""
    row = Outcome("SIGKILL in the n-th operation on files",
                  "same bytes; a half-done write never counts")
    total = _operations(world)
    for index in range(count):
        number = 1 + index * total // count
        run = world.folder / f"operation-{number}"
        died = world.start(run, die=number) == -signal.SIGKILL
        status = world.go_on(run)
        what = world.difference(run) if status == 0 else world.said()[-300:]
        row.check(died and status == 0 and not what,
                  f"operation {number}: {'' if died else 'it did not die; '}{what}")
    row.note = f"of {total} operations in a run"
    return row


def _operations(world):
    """How many there are: the number at which it no longer dies, by halving."""
    low, high = 1, 4096
    while low < high:
        middle = (low + high) // 2
        died = world.start(world.folder / f"count-{middle}", die=middle) == -signal.SIGKILL
        low, high = (middle + 1, high) if died else (low, middle)
    return low - 1
