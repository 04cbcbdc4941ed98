"""Two towers in two processes, as on the paper's two GPUs (lesson 18).

Each process holds one half of the kernels and neurons. They swap activations where a layer sees
both halves, and the gradients of these activations on the way back. With mpi4py and mpiexec they
are MPI ranks, otherwise Python processes with a pipe. `shard_gradients` shares a batch instead:
each worker has the whole network and some of the shards. In a browser no process can be started:
there the towers take turns in one.
"""
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import classroom  # noqa: F401 (makes `import minialex` work)
import numpy as np

import minialex.functional as F
from minialex import Function, nn, no_grad, optim
from minialex.parallel.sums import shard_rows
from minialex.utils.machine import processes_start

TURNS = "turns in one process"
TOGETHER = ("conv3", "fc6", "fc7", "fc8")  # the layers that see both halves


def small_alexnet(groups=2, half=1, classes=10):
    """AlexNet's structure for pictures of 67 pixels. half=2: the layers of one tower, whose kernels
    are half of them all.

    groups=2: both towers in one process. A tower of its own has no groups: its conv2 sees only what
    it made itself."""
    def c(channels):
        return channels // half

    return nn.Sequential(
        conv1=nn.Conv2d(3, c(16), 11, stride=4), relu1=nn.ReLU(),
        norm1=nn.LocalResponseNorm(groups=groups),
        pool1=nn.MaxPool2d(3, 2),
        conv2=nn.Conv2d(c(16), c(32), 5, padding=2, groups=groups), relu2=nn.ReLU(),
        norm2=nn.LocalResponseNorm(groups=groups),
        pool2=nn.MaxPool2d(3, 2),
        conv3=nn.Conv2d(32, c(48), 3, padding=1), relu3=nn.ReLU(),
        conv4=nn.Conv2d(c(48), c(48), 3, padding=1, groups=groups), relu4=nn.ReLU(),
        conv5=nn.Conv2d(c(48), c(32), 3, padding=1, groups=groups), relu5=nn.ReLU(),
        pool5=nn.MaxPool2d(3, 2),
        flatten=nn.Flatten(), fc6=nn.Linear(32, c(64)), relu6=nn.ReLU(), fc7=nn.Linear(64, c(64)),
        relu7=nn.ReLU(),
        fc8=nn.Linear(64, c(classes)))


def half_of(array, rank):
    """The kernels (or neurons, or biases) of one tower: the first or the second half."""
    middle = len(array) // 2
    return array[:middle] if rank == 0 else array[middle:]


class Exchange(Function):
    """Forward: sends our channels, receives the other tower's, and returns both in order. Backward:
    the gradient of our channels is what our own layer says plus what the other tower's says, so the
    other part is sent there."""

    def __init__(self, rank, swap):
        self.rank, self.swap = rank, swap

    def forward(self, x):
        other = self.swap(x)
        return np.concatenate([x, other] if self.rank == 0 else [other, x], axis=1)

    def backward(self, g):
        first, second = np.split(g, 2, axis=1)
        ours, theirs = (first, second) if self.rank == 0 else (second, first)
        return ours + self.swap(theirs)


def tower(net, images, exchange):
    """One tower's forward pass: the whole output, which both have after a last exchange."""
    x = images
    for name, layer in net.named_children():
        if name in TOGETHER:
            x = exchange(x)
        x = layer(x)
    return exchange(x)


def speed(model, images):
    """(Pictures a second in training with these images, what was measured): the second step, since
    the first also pays for memory and threads; in a browser one answer, of whose time a step takes
    three."""
    if not processes_start():
        start = time.perf_counter()
        with no_grad():
            model.eval()(images[:1])
        return 1 / (3 * (time.perf_counter() - start)), "a step, as three times an answer,"
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    for _ in range(2):
        start = time.perf_counter()
        loss = F.cross_entropy(model(images), np.arange(len(images)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return len(images) / (time.perf_counter() - start), f"a step of {len(images)} pictures"


# -------------------------------------------------------------------------------------- one process


def work(folder, rank, swap):
    """Reads the task, computes this tower's part, writes output and gradients."""
    task = np.load(Path(folder) / "task.npz")
    net = small_alexnet(groups=1, half=2)
    for parameter in net.parameters():
        parameter.data = parameter.data.astype(task["images"].dtype)
    net.load_state_dict({name: half_of(task[name], rank) for name, _ in net.named_parameters()})
    count = [0]

    def counted(array):
        count[0] += array.nbytes
        return swap(np.ascontiguousarray(array))

    output = tower(net, task["images"], lambda x: Exchange(rank, counted)(x))
    # Both towers compute the same loss from the same output: each passes back its share, or every
    # gradient counts twice.
    (F.cross_entropy(output, task["labels"]) * float(task["share"])).backward()
    results = {name: parameter.grad for name, parameter in net.named_parameters()}
    np.savez(Path(folder) / f"rank{rank}.npz", output=output.data, sent=count[0],
             process=os.getpid(), **results)


def shard_work(folder, first, last):
    """A worker: writes each of its shards' gradient, all parameters in a row. Their sum is that of
    the batch's mean loss."""
    task = np.load(Path(folder) / "task.npz")
    images, labels, net = task["images"], task["labels"], small_alexnet()
    net.load_state_dict({name: task[name] for name, _ in net.named_parameters()})
    gradients = []
    for rows in shard_rows(len(images), int(task["shards"]))[int(first) : int(last)]:
        for parameter in net.parameters():
            parameter.grad = None
        (F.cross_entropy(net(images[rows]),
                         labels[rows]) * ((rows.stop - rows.start) / len(images))).backward()
        gradients.append(np.concatenate([parameter.grad.ravel() for parameter in net.parameters()]))
    np.save(Path(folder) / f"{first}.npy", gradients)


def main(folder, rank=None, address=None):
    if rank is None:  # started by mpiexec
        from mpi4py import MPI

        world = MPI.COMM_WORLD
        other = 1 - world.rank
        work(folder, world.rank, lambda array: world.sendrecv(array, dest=other, source=other))
        return
    from multiprocessing.connection import Client, Listener

    key = (Path(folder) / "key").read_bytes()
    if rank == "0":
        with Listener(authkey=key) as listener:
            print(listener.address, flush=True)
            line = listener.accept()
    else:
        line = Client(address, authkey=key)

    def swap(array):
        # one speaks while the other listens: if both spoke first, both could wait for ever
        if rank == "0":
            line.send(array)
            return line.recv()
        received = line.recv()
        line.send(array)
        return received

    with line:
        work(folder, int(rank), swap)


# --------------------------------------------------------------------------------------------- both


def run(state, images, labels, share=0.5):
    """Two processes on the weights `state` of small_alexnet(): [what rank 0 wrote, what rank 1
    wrote], and how they ran."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "task.npz", images=images, labels=labels, share=share, **state)
        if not processes_start():
            _take_turns(folder)
            return _written(folder), TURNS
        (Path(folder) / "key").write_bytes(secrets.token_bytes(16))
        how = "mpi4py"
        # Some MPIs refuse to run as root, or with more ranks than cores: then the pipe does.
        if not (find_spec("mpi4py") and shutil.which("mpiexec")) or _complaint(
                [_start("mpiexec", "-n", "2", sys.executable, __file__, folder)]):
            how = "multiprocessing"
            first = _start(sys.executable, __file__, folder, "0")
            address = first.stdout.readline().strip()
            complaint = _complaint([first, _start(sys.executable, __file__, folder, "1", address)])
            if complaint:
                raise RuntimeError(f"a tower stopped: {complaint}")
        return _written(folder), how


def _written(folder):
    return [dict(np.load(Path(folder) / f"rank{rank}.npz")) for rank in range(2)]


class _Waits(Exception):
    """A tower has come to a message that the other has not sent yet."""


def _take_turns(folder):
    """Each tower runs from its start, with what the other has sent so far, until both have come to
    their end."""
    sent, ended = ([], []), [False, False]
    while not all(ended):
        for rank in range(2):
            said, heard = [], iter(sent[1 - rank])

            def swap(array, said=said, heard=heard):
                said.append(array.copy())
                for message in heard:
                    return message
                raise _Waits

            try:
                work(folder, rank, swap)
                ended[rank] = True
            except _Waits:
                pass
            sent[rank][:] = said


def shard_gradients(state, images, labels, shards, workers):
    """The gradient of each shard of a batch, in order, computed by this number of processes;
    float32 (shards, parameters)."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "task.npz", images=images, labels=labels, shards=shards, **state)
        shares = shard_rows(shards, workers)
        if not processes_start():
            for share in shares:
                shard_work(folder, share.start, share.stop)
        else:
            complaint = _complaint([_start(sys.executable, __file__, "shards", folder,
                                           str(share.start), str(share.stop)) for share in shares])
            if complaint:
                raise RuntimeError(f"a worker stopped: {complaint}")
        return np.concatenate([np.load(Path(folder) / f"{share.start}.npy") for share in shares])


def _start(*command):
    environment = os.environ | {"MINIALEX_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment)


def _complaint(processes):
    """Waits for all; None when they are well, else the last line of the first that is not, whose
    partner is ended."""
    try:
        for process in processes:
            _, said = process.communicate(timeout=120)
            if process.returncode:
                return (said.strip().splitlines() or [f"exit status {process.returncode}"])[-1]
    except subprocess.TimeoutExpired:
        return "no answer within two minutes"
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return None


if __name__ == "__main__":
    if sys.argv[1] == "shards":
        shard_work(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
