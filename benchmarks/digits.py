"""Near-ties: how often float32 decides a ReLU or a pooling window otherwise than float64, and what
that does to gradients.

    python benchmarks/digits.py [--networks 20] [--batch 4] [--classes 10]

Random whole paper networks (He's and the paper's initialisation in turn, no dropout). PyTorch in
float64 says what is right; judged are this engine, its textbook and PyTorch, all in float32 with
the same weights. Quoted for each: ReLU and pooling decisions that differ, the largest error of a
parameter's gradient relative to its largest value, and how many differences are to be expected:

    ReLU: p(0) · E|e| · n        pooling window: p(0) · E|e| / √2 · n

n values with rounding error e; p(0) is the density of the values at 0, for a window of the margin
between its largest two. Two networks say that more precisely than a count over twenty.
"""
import argparse
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import minialex as ma  # noqa: E402 (the paths come first, so that it runs from a clone)
import minialex.functional as F  # noqa: E402
from minialex import models, nn  # noqa: E402

SIDES = "minialex", "textbook", "PyTorch"


def options_parser():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=6, help="default: %(default)s")
    parser.add_argument("--batch", type=int, default=4,
                        help="images in each batch (default: %(default)s)")
    parser.add_argument("--classes", type=int, default=10, help="default: %(default)s")
    return parser


class Network:
    """One random network and batch, in this engine and in PyTorch."""

    def __init__(self, seed, batch, classes):
        import torch
        from torch_side import torch_network

        self.torch, self.init = torch, ("he", "paper")[seed % 2]
        ma.manual_seed(seed)
        self.model = models.alexnet("paper", classes, init=self.init).eval()
        generator = np.random.default_rng(100 + seed)
        # the size of the pixels that the paper's weights expect
        scale = 60 if self.init == "paper" else 1
        images = scale * generator.standard_normal((batch, *self.model.input_shape))
        self.images, self.labels = images.astype(np.float32), generator.integers(0, classes, batch)
        self.peer = torch_network(self.model).eval()

    def by_minialex(self):
        """What each ReLU and pool gets to see, the loss, and the gradients."""
        seen, x = [], ma.Tensor(self.images)
        for layer in self.model:
            if isinstance(layer, (nn.ReLU, nn.MaxPool2d)):
                seen.append(np.ascontiguousarray(x.data))
            x = layer(x)
        loss = F.cross_entropy(x, self.labels)
        for p in self.model.parameters():
            p.grad = None
        loss.backward()
        return seen, loss.item(), [p.grad for p in self.model.parameters()]

    def by_pytorch(self, dtype):
        torch = self.torch
        peer, seen, x = self.peer.to(dtype), [], torch.from_numpy(self.images).to(dtype)
        for layer in peer:
            if isinstance(layer, (torch.nn.ReLU, torch.nn.MaxPool2d)):
                seen.append(x.detach().numpy().copy())  # its ReLU works in place
            x = layer(x)
        loss = torch.nn.functional.cross_entropy(x, torch.from_numpy(self.labels))
        peer.zero_grad()
        loss.backward()
        return seen, loss.item(), [p.grad.numpy().copy() for p in peer.parameters()]

    def all_sides(self):
        yield "float64", self.by_pytorch(self.torch.float64)
        yield "PyTorch", self.by_pytorch(self.torch.float32)
        yield "minialex", self.by_minialex()
        with ma.textbook():
            yield "textbook", self.by_minialex()


def windows(maps):
    """(N, C, H, W) -> (windows, 9): what each 3x3 window with stride 2 sees."""
    views = np.lib.stride_tricks.sliding_window_view(maps, (3, 3), axis=(2, 3))
    return views[:, :, ::2, ::2].reshape(-1, 9)


def differences(kind, seen, exact):
    """(decisions of one layer that differ, how many were to be expected)"""
    error = np.abs(seen - exact).mean()
    size = np.sqrt((exact * exact).mean())
    if kind is nn.ReLU:
        near = size * (1e-2 if exact.size < 1e5 else 1e-3)
        density = (np.abs(exact) < near).sum() / (2 * near)
        return int(((seen > 0) != (exact > 0)).sum()), density * error
    ours, theirs = windows(seen), windows(exact)
    second, largest = np.partition(theirs, 7, axis=1)[:, 7:].T
    # among zeros nothing is to be decided: ReLU passes no gradient there
    margins = (largest - second)[largest > 0]
    at_winner = np.take_along_axis(windows(np.abs(seen - exact)), theirs.argmax(1)[:, None],
                                   1).mean()
    near = 1e-2 * size
    return (int((ours.argmax(1) != theirs.argmax(1)).sum()),
            (margins < near).sum() / near * at_winner / np.sqrt(2))


def judge(network, result, exact):
    """(decisions that differ, expected ones, largest error of a gradient, error of the loss)"""
    kinds = [type(layer) for layer in network.model if isinstance(layer, (nn.ReLU, nn.MaxPool2d))]
    found = [differences(*layer) for layer in zip(kinds, result[0], exact[0])]
    gradient = max(float(np.abs(a - b).max() / np.abs(b).max())
                   for a, b in zip(result[2], exact[2]))
    return *map(sum, zip(*found)), gradient, abs(result[1] - exact[1]) / exact[1]


def main():
    args = options_parser().parse_args()
    rows = {side: [] for side in SIDES}
    for seed in range(args.networks):
        network = Network(seed, args.batch, args.classes)
        exact = None
        for side, result in network.all_sides():
            if exact is None:
                exact = result
            else:
                rows[side].append(judge(network, result, exact))
        print(f"network {seed} ({network.init}): "
              + ", ".join(f"{side} {rows[side][-1][0]} otherwise, gradients {rows[side][-1][2]:.0e}"
                          for side in SIDES), flush=True)
    print(f"{args.networks} networks, {args.batch} images each")
    for side, found in rows.items():
        count, expected, gradient, loss = np.array(found).T
        print(f"  {side:9s} {count.sum():4.0f} decisions otherwise ({expected.mean():.2f} expected "
              f"in a network), none in {(count == 0).sum()} networks; gradients: "
              f"{(gradient > 1e-3).sum()} networks above 1e-3, median {np.median(gradient):.1e}, "
              f"largest {gradient.max():.1e}; loss within {loss.max():.0e}")


if __name__ == "__main__":
    main()
