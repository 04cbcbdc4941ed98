"""A student's own callback: the one that the module's words show, what it is told, and how it stops
a run."""

import ast
import inspect
import textwrap

import numpy as np
import pytest
from small_runs import OPTIONS, Listener

from minialex.training import Callback, Interrupted, callbacks, run
from minialex.training.checkpoint import load


class Diary(Callback):
    """Writes down the events, those that come at every step by their letter."""

    def __init__(self):
        self.text = ""

    def on_begin(self, trainer):
        self.text += "begin "

    def on_epoch_begin(self, trainer):
        self.text += f"epoch {trainer.epoch} "

    def on_loss(self, trainer, loss, images, labels):
        self.text += "l"
        assert len(images) == len(labels) and np.isfinite(loss.item())

    def on_gradients(self, trainer):
        self.text += "g"
        assert all(parameter.grad is not None for parameter in trainer.model.parameters())

    def on_step(self, trainer, images, labels):
        self.text += "s "
        assert len(images) == len(labels) == 8

    def on_validation(self, trainer, loss, images, labels):
        self.text += "validation "

    def on_epoch(self, trainer, row):
        self.text += f"of {row.epoch} "
        assert trainer.history[-1] is row and 0 <= row.val_top1 <= row.val_top5 <= 1

    def on_stop(self, trainer):
        self.text += "stop "

    def on_close(self, trainer):
        self.text += "close "

    def on_end(self, trainer):
        self.text += "end"


def options(pictures, tmp_path, **more):
    return OPTIONS | {"data": str(pictures), "out": str(tmp_path / "r"), "epochs": 1} | more


def test_every_event_is_told_in_its_place(pictures, tmp_path):
    diary = Diary()
    run(options(pictures, tmp_path, epochs=2, accumulate=2), Listener(), callbacks=[diary])
    epochs = "".join(f"epoch {n} llgs llgs llgs llgs validation of {n + 1} " for n in (0, 1))
    assert diary.text == f"begin {epochs}close end"
    told = {name for name in vars(Callback) if name.startswith("on_")}
    assert told == {name for name in vars(Diary)
                    if name.startswith("on_")}, "an event that this test does not know"


def test_a_callback_that_stops_the_run_leaves_one_that_goes_on(pictures, tmp_path):
    class Enough(Diary):
        def on_step(self, trainer, images, labels):
            super().on_step(trainer, images, labels)
            trainer.stopping = trainer.batch == 3

    enough = Enough()
    with pytest.raises(Interrupted, match="stopped and saved after epoch 0 and 3 steps"):
        run(options(pictures, tmp_path), Listener(), callbacks=[enough])
    assert enough.text == "begin epoch 0 lgs lgs lgs stop close "
    assert load(tmp_path / "r" / "checkpoint-last.npz").state["batch"] == 3
    run({"resume": str(tmp_path / "r")}, Listener())
    run(options(pictures, tmp_path, out=str(tmp_path / "whole")), Listener())
    assert (tmp_path / "r" / "metrics.csv").read_bytes() == (tmp_path / "whole"
                                                             / "metrics.csv").read_bytes()


def test_the_example_in_the_words_works(pictures, tmp_path):
    example = textwrap.dedent("class Norms"
                              + callbacks.__doc__.split("class Norms")[1].split("    run(")[0])
    example = textwrap.dedent("    " + example).replace("'''", '"""')
    assert len([line for line in example.splitlines() if line.strip()]) <= 10 and ast.parse(example)
    names = {"Callback": Callback}
    exec(example, names)
    run(options(pictures, tmp_path), Listener(), callbacks=[names["Norms"]()])
    rows = [line.split() for line in (tmp_path / "r" / "norms.txt").read_text().splitlines()]
    assert [row[:2] for row in rows] == [["0", str(step)]
                                         for step in range(4)] and all(float(row[2]) > 0
                                                                       for row in rows)


def test_the_loop_holds_nobody_who_holds_it(pictures, tmp_path):
    trainer = run(options(pictures, tmp_path), Listener())
    for callback in trainer.callbacks:
        assert trainer not in vars(callback).values(), type(callback).__name__
    assert inspect.getsource(type(trainer)).count("\n") < 200
