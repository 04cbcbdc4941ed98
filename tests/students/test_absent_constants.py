"""Constants of a module that was not handed in: known by their names, which is told, and no ground
to blame anyone."""
import pytest
from student_files import verdicts

POOL = """
import numpy as np
{imported}

class Pool:
    def __init__(self{default}):
        {made}

    def forward(self, x):
        self.x = x = x + 1e-6 * np.arange(x.size).reshape(x.shape)
        N, C, H, W = x.shape
        s = {size}
        assert H % s == 0 and W % s == 0
        y = x.reshape(N, C, H // s, s, W // s, s)
        self.y = y.max(axis=(3, 5))
        return self.y

    def backward(self, dout):
        s = {size}
        y, d = (np.repeat(np.repeat(a, s, axis=2), s, axis=3) for a in (self.y, dout))
        return d * (self.x >= y){slip}
"""
DENSE = """
import numpy as np
{imported}

class Dense:
    def __init__(self, n_in, n_out):
        self.w = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, {slope} * x) @ self.w

    def backward(self, dout):
        old = self.w.copy()
        self.w -= {rate} * np.where(self.x > 0, self.x, {slope} * self.x).T @ dout{slip}
        return dout @ old.T * np.where(self.x > 0, 1, {slope})
"""
CODES = {
    "a default": (POOL, dict(imported="import config", default=", size=config.POOL_SIZE",
                             made="self.size = size", size="self.size"), "POOL_SIZE of config"),
    "in the constructor": (POOL, dict(imported="import settings as S", default="",
                                      made="self.size = S.POOL_SIZE", size="self.size"),
                           "POOL_SIZE of settings"),
    "wherever it is used": (POOL, dict(imported="from config import *", default="", made="pass",
                                       size="POOL_SIZE"), "POOL_SIZE of config"),
    "in small letters": (POOL, dict(imported="from my.hyper import cfg", default="", made="pass",
                                    size="cfg.pool.kernel_size"), "kernel_size of my.hyper"),
    "factors": (DENSE, dict(imported="from constants import ALPHA, LEARNING_RATE", slope="ALPHA",
                            rate="LEARNING_RATE"), "ALPHA, LEARNING_RATE of constants"),
}


@pytest.mark.parametrize("code, words, told", CODES.values(), ids=CODES.keys())
def test_a_constant_of_another_file_is_known_by_its_name(check, code, words, told):
    _, (result,) = check(layer=code.format(**words, slip=""))
    assert set(verdicts(result).values()) == {"correct"}, result
    _, (result,) = check(layer=code.format(**words, slip=" * 3"))
    error = result["checks"][0]["error"]
    assert error["kind"] == "not handed in" and f"with the usual {told}" in error["message"], result


def test_what_no_name_tells_is_not_handed_in(check):
    _, (result,) = check(layer=POOL.format(imported="import config", default="", made="pass",
                                           size="config.WHATEVER", slip=""))
    assert result["checks"][0]["error"]["kind"] == "not handed in", result
