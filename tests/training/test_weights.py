"""--init FILE."""

import numpy as np
import pytest

from minialex import models
from minialex.errors import UserError
from minialex.training.finetune import load_into
from minialex.weights import read


def test_what_fits_is_taken_and_the_rest_is_told(tmp_path):
    source, target = models.lenet5(7), models.lenet5(3)
    before = target.fc5.weight.data.copy()
    np.savez(tmp_path / "w.npz", extra=np.zeros(2),
             **{k: v for k, v in source.state_dict().items() if k != "conv2.bias"})
    notes, fresh = load_into(target, read(tmp_path / "w.npz"), tmp_path / "w.npz")
    assert (target.conv1.weight.data == source.conv1.weight.data).all() and (target.fc5.weight.data
                                                                             == before).all()
    assert fresh == {"fc5.weight", "fc5.bias", "conv2.bias"}
    text = "\n".join(notes)
    assert ("7 of 10 arrays come from" in text and "fc5.weight has shape (7, 84)" in text
            and "(3, 84) here" in text)
    assert ("so with initial values: conv2.bias" in text and "not used from" in text
            and "extra" in text)


def test_a_checkpoint_is_a_beginning(finished, train):
    path, _ = finished
    new, listener = train("new", init=str(path / "checkpoint-best.npz"), epochs=1, lr=1e-6)
    assert "10 of 10 arrays come from" in listener.text
    assert float((new / "metrics.csv").read_text().splitlines()[1].split(",")[5]) > 0.9


@pytest.mark.parametrize("bad",
                         [np.full((6, 1, 5, 5), np.nan, np.float32), np.zeros((6, 1, 5, 5), int)])
def test_weights_that_are_no_numbers_are_refused(tmp_path, bad):
    model = models.lenet5(3)
    before = model.conv1.weight.data.copy()
    np.savez(tmp_path / "w.npz", **{"conv1.weight": bad})
    with pytest.raises(UserError, match="conv1.weight in .* finite"):
        load_into(model, read(tmp_path / "w.npz"), tmp_path / "w.npz")
    assert (model.conv1.weight.data == before).all()
