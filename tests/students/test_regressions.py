"""Losses of a regression, whose gradients are returned beside the error."""
import pytest
from short import first
from student_files import verdicts

CODE = """
import numpy as np

def LOSS(y, X, w):
    e = y - X.dot(w)
    return 1 / 2 * np.mean(e ** 2)

def GRADIENT(y, X, w):
    ERR = y - X.dot(w)
    grad = -X.T.dot(ERR) / len(ERR)
    return RETURNED
"""
NAMES = [("compute_loss", "compute_gradient"), ("compute_loss_mse", "compute_gradient_mse"),
         ("compute_loss", "compute_stoch_gradient"), ("compute_mse", "stochastic_gradient"),
         ("mse_loss", "mse_gradient")]


@pytest.mark.parametrize("loss, gradient", NAMES)
@pytest.mark.parametrize("data, error, returned", first(2, [
    ("tx", "err", "grad, err"), ("X", "e", "grad, e"), ("x_tr", "residual", "residual, grad"),
    ("features", "error", "grad")]))
def test_the_error_beside_it_is_no_gradient(check, loss, gradient, data, error, returned):
    code = CODE.replace("LOSS", loss).replace("GRADIENT", gradient).replace("X", data)
    code = code.replace("ERR", error).replace("RETURNED", returned)
    _, (result,) = check(fit=code)
    assert result["status"] == "correct" and verdicts(result)["w"] == "correct", result["checks"]
    for right, slip in (("-" + data, data), (f" / len({error})", "")):
        assert right in code
        _, (result,) = check(fit=code.replace(right, slip))
        assert result["status"] == "wrong", result["checks"]
