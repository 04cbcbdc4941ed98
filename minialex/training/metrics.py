"""Loss, top-1 and top-5 of many batches, added up where they were computed.

A GPU runs ahead of the program; asking it for a number makes the program wait. So sums stay on the device until
`fetch()`, and a training step never waits for them.
"""

from ..device import array_module


def rank(logits, labels):
    """How many classes are ranked above the right one: logits (N, K), labels (N,) -> integers (N,) in 0..K.

    0 is a top-1 hit, below 5 a top-5 hit. Among equal logits the lower class number comes first, so that a network
    whose outputs are all the same is not right every time; NaN is never right.
    """
    xp = array_module(logits)
    labels = labels[:, None]
    right = xp.take_along_axis(logits, labels, axis=1)
    below = xp.where(xp.arange(logits.shape[1]) < labels, logits < right, logits <= right)
    return (~below).sum(axis=1)


class Tally:
    """Sums over the batches of an epoch so far. Start from those of `state()` to go on in the middle of one."""

    def __init__(self, loss=0.0, top1=0, top5=0, count=0):
        self.loss, self.top1, self.top5, self.count = loss, top1, top5, count

    def add(self, loss, logits, labels):
        """One batch: its mean loss, a 0-d array, logits (N, K) and labels (N,), all on one device."""
        ranks = rank(logits, labels)
        self.loss = self.loss + loss.astype("float64") * len(labels)
        self.top1 = self.top1 + (ranks < 1).sum()
        self.top5 = self.top5 + (ranks < 5).sum()
        self.count += len(labels)

    def state(self):
        """The sums as plain numbers."""
        return {"loss": float(self.loss), "top1": int(self.top1), "top5": int(self.top5), "count": self.count}

    def fetch(self):
        """(mean loss, top-1, top-5), the last two as parts of 1."""
        sums = self.state()
        return tuple(sums[name] / max(self.count, 1) for name in ("loss", "top1", "top5"))
