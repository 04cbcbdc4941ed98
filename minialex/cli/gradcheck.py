"""Compares every gradient with a numeric one, in float64. Without a file: those
of the engine, each operation on small arrays, each layer of the paper's network
at its real size. With files: a student's own forward and backward functions,
and what is wrong with them.

  minialex gradcheck my_layer.py
  minialex gradcheck my_layer.py:conv_forward,conv_backward \\
      --shape x=2,3,7,7 --shape w=4,3,3,3 --option stride=2
  minialex gradcheck loss.py --shape scores=4,10 --labels y=4:10
  minialex gradcheck submissions/*.py --like skeleton.py --json

a student's file or notebook may hold, under these names or others of courses
  out, cache = conv_forward(x, w, b)     dx, dw, db = conv_backward(dout, cache)
  y = relu(x)                            dx = relu_backward(dy, x)
  sigmoid(x), sigmoid_prime(x)           loss, dx = softmax_loss(x, y)
  a class with forward and backward      loss(X, y) -> loss, {"W1": dW1}
  a scalar engine with .backward()       a minialex Function or Module

where the inputs come from: NAME_inputs(generator) or inputs(generator) in the
file given to --like, or in the student's own, which returns {argument: value};
or --shape, --labels, --option; or else they are drawn, with shapes that go by
the arguments' names.

what runs where: each file has a process of its own, with limits of time and
memory. One file is taken for your own and runs as you would run it. A folder,
several files and hand-ins that are held against --like run confined, as graders
run them (python -m lessons.grade): a copy of the files, no other files and no
network, as far as the system has namespaces or other users. What they say of
themselves is believed; graders compare once more. --trust, or --plot: not so.
"""
import argparse
import os

from ..grader.command import check
from . import Command


def whole(text: str) -> int:
    """A whole number from 0, such as a seed."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def seconds(text: str) -> float:
    """A time limit, which ends."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return number


def megabytes(text: str) -> int:
    """Memory in which Python and NumPy can start."""
    if not text.isdecimal() or not 64 <= int(text) < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of megabytes from 64")
    return int(text)


MANY = {"action": "append", "default": []}
main = Command(
    "gradcheck", "[FILE[:names] ...] [options]", __doc__, check, {"options": [
        ("files", "FILE[:names]", "submissions, notebooks, or folders of them; each file runs in "
         "its own process",
         {"nargs": "*"}),
        ("--like", "FILE", "the teacher's file: what each submission must define, and its inputs"),
        ("--shape", "x=2,3,7,7", "the shape of an argument", MANY),
        ("--labels", "y=4:10", "whole numbers: here 4, from 0 to 9", MANY),
        ("--option", "stride=2", "any other argument", MANY),
        ("--constant", "NAME", "an input that is not to be moved", MANY),
        ("--mean-over-examples", None, "accept weights' gradients that are averaged over the "
         "examples, as some courses do"),
        ("--seed", "N", "of everything that is drawn (default: 0)", {"type": whole, "default": 0}),
        ("--plot", "PNG", "draw the error against the step, and where the gradient is wrong"),
        ("--force", None, "let --plot and --report replace files that this command did not write"),
        ("--json", None, "for programs: one line with an object for each submission"),
        ("--report", "HTML", "write a page about the class: which mistakes, who shares them"),
        ("--anonymous", None, "no names in that page"),
        ("--trust", None, "run the files of others as you would run your own, not confined"),
        ("--verbose", None, "all numbers, and what the submissions printed"),
        ("--timeout", "S", "seconds of computing for a submission (10)",
         {"type": seconds, "default": 10.0}),
        ("--memory", "MB", "memory for a submission, on Linux (4096)",
         {"type": megabytes, "default": 4096}),
        ("--jobs", "N", "how many at once (one per core)",
         {"type": whole, "default": os.cpu_count() or 1})]},
    statuses="0 all correct (or with remarks), 1 a gradient is wrong or could not be checked, 2 a "
             "mistake in the command line. In Python: minialex.gradcheck(function, inputs) and "
             "minialex.check_backward(forward, backward, inputs).")
