"""A recurrent cell's backward without its forward: what it unpacks its cache as says what both
take."""
import pytest

CELL = """
import numpy as np

def rnn_step_backward(dh, cache):
    x, h_prev, h_next, W, U, b = cache
    dz = dh * (1 - h_next ** 2)
    return RETURNED
"""
FORMS = {"rows": "dz @ W.T, dz @ U.T, x.T @ dz, h_prev.T @ dz, dz.sum(axis=0)",
         "columns": "W.T @ dz, U.T @ dz, dz @ x.T, dz @ h_prev.T, dz.sum(axis=1, keepdims=True)",
         "vectors": "W.T @ dz, U.T @ dz, np.outer(dz, x), np.outer(dz, h_prev), dz"}
OTHER_WORDS = """
import numpy as np

def rnn_cell_backward(da_next, cache):
    xt, a_prev, a_t, Whh, Wxh, bias = cache
    dz = da_next * (1 - a_t ** 2)
    return dz @ Wxh.T, dz @ Whh.T, a_prev.T @ dz, xt.T @ dz, dz.sum(axis=0)
"""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["rnn_step_backward", "rnn_cell_backward"])
def test_it_is_right_with_the_usual_forward_and_a_slip_is_not(check, form, name):
    code = CELL.replace("RETURNED", FORMS[form]).replace("rnn_step_backward", name)
    _, (result,) = check(cell=code)
    (one,) = result["checks"]
    assert one["status"] == "correct" and len(one["rows"]) == 5, one
    for right, slip in (("h_next ** 2", "h_next"), ("U.T", "U"), ("dz @ ", "2 * dz @ ")):
        if right in code:
            _, (result,) = check(cell=code.replace(right, slip))
            assert "not right" in str(result["checks"] + [result["error"]]), result


def test_its_words_may_be_others_and_its_matrices_in_another_order(check):
    _, (result,) = check(cell=OTHER_WORDS)
    assert result["checks"][0]["status"] == "correct", result["checks"]
