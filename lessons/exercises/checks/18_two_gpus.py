"""Exercise 18: joining two towers' maps, forward and backward, and what that sends."""
import numpy as np
from checking import Wrong, call, gradients, same


def check(join, summed, floats_sent):
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 2, 3, 4)), random.normal(size=(2, 3, 3, 4))
    got = call(join().forward, a, b)
    if getattr(got, "shape", None) == (4, 3, 3, 4):
        raise Wrong("forward: that joins the pictures; channels are axis 1.")
    right = np.concatenate([a, b], axis=1)
    same("forward", got, right, [(np.concatenate([b, a], axis=1), "a's channels come first.")])
    gradients("Join", join(), [a, b],
              hints=[("swapped", "a's channels came first, so its gradient does too.")])
    own, other = random.normal(size=(2, 2, 6, 3, 3))
    for rank in (0, 1):
        ours, theirs = (slice(0, 3), slice(3, 6)) if rank == 0 else (slice(3, 6), slice(0, 3))
        hints = [(own[:, ours], "that is our layer's part alone: the other tower's layer saw our "
                  "maps as well."), (own[:, ours] + other[:, theirs], "of the other's gradient "
                                     "too, take the part that belongs to our maps."),
                 (own[:, theirs] + other[:, theirs], "those are the other tower's maps."),
                 ((own[:, ours] + other[:, ours]) / 2, "gradients of two uses are added up, not "
                  "averaged."), (own + other, "that is for all maps: take the part of our own.")]
        same(f"summed(rank={rank}, …)", call(summed, rank, own, other),
             own[:, ours] + other[:, ours], hints)
    for batch in (1, 128):
        half = batch * 128 * 13 * 13
        hints = [(half, "that is one way: gradients go back as well."),
                 (4 * half, "one GPU sends its own half of the 256 maps."),
                 (2 * half // batch, "for each picture of the batch."),
                 (8 * half, "floats, not bytes.")]
        same(f"floats_sent({batch})", call(floats_sent, batch), 2 * half, hints)
    return "5.5 million floats at batch 128: 22 MB per step for conv3 alone."
