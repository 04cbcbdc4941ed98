"""The list of faults, with how many of each: all of them, or the fast part that every submission
passes."""

import brought
import damage
import foreign
import kills
import pickles
import pictures
import soak
import storage
import user_files
from runs import World
from victim import Victim


def everything(folder, fast=False):
    """Yield an Outcome for each kind of fault."""
    with Victim() as victim:
        world = World(folder, victim)
        yield kills.at_random(world, 6 if fast else 60)
        yield kills.at_operations(world, 8 if fast else 60)
        yield storage.clock_jumps(world, 2 if fast else 12)
        yield storage.permission_lost(world, [6] if fast else [1, 2, 3, 5, 6, 9, 13, 15])
        if not fast:
            yield storage.full_disk(world, [10, 200, 500, 600, 800, 900])
        yield storage.full_at_every_length(folder, 20 if fast else 300)
        yield damage.refused(world, 60 if fast else 400)
        yield damage.refused_by_the_command(world, 6 if fast else 48)
        yield user_files.are_not_touched(world)
        yield pictures.got_over(world, 12 if fast else 1)
        yield brought.layouts(world, 6 if fast else 1)
        yield brought.many_bits(world, 6 if fast else 1)
        yield pickles.none_runs(world, 12 if fast else None)
        yield foreign.other_networks(folder, 6 if fast else None)
        yield foreign.hostile(folder, 10 if fast else None)
        yield soak.memory_stays(world, 12 if fast else 400)
