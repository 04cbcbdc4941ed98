"""An eps that is a factor is noise, not what keeps a root from 0: so small it would hide a slip."""
import pytest
from student_files import verdicts

LOSS = """
import numpy as np

def sampled_loss(mu, rho, eps, x):
    z = mu + np.exp(rho / 2) * eps
    d = z - x
    return 0.5 * np.sum(d ** 2) + np.sum(rho ** 2), d, {gradient} + 2 * rho
"""


@pytest.mark.parametrize("gradient, verdict", [
    ("d * eps * np.exp(rho / 2) / 2", "correct"), ("d * eps * np.exp(rho / 2)", "wrong"),
    ("0 * d", "wrong")])
def test_noise_is_not_drawn_too_small(check, gradient, verdict):
    status, (result,) = check(sampled=LOSS.format(gradient=gradient))
    assert status == (verdict == "wrong") and result["status"] == verdict, verdicts(result)
