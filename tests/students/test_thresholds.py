"""Beyond the number at which values are cut or compared, a gradient is another: drawn values go
there, however the number is written."""
import pytest

from minialex.students.reading.sources import thresholds

CUTS = {
    "keywords": "np.clip(x, a_min=-4, a_max=4.0)",
    "a method": "x.clip(-4, 4)",
    "a difference": "np.where(x - 4 > 0, 4, np.where(x + 4 < 0, -4, x))",
    "a distance": "np.where(np.abs(x) - 4 < 0, x, np.sign(x) * 4)",
    "built-in functions": "np.array([max(min(v, 4.0), -4.0) for v in x.ravel()]).reshape(x.shape)",
    "a keyword of its own": "np.clip(x, -limit, limit)",
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS.keys())
@pytest.mark.parametrize("mask, found", [("(np.abs(x) < 4)", "correct"), ("1", "wrong")])
def test_what_a_cut_does_is_seen(check, cut, mask, found):
    _, (result,) = check(cut=f"""
        import numpy as np

        def cut(x, *, limit=4.0):
            return {cut}

        def cut_backward(dout, x):
            return dout * {mask}
    """)
    assert result["status"] == found


LIMITS = {"an annotated attribute": ("", "self.limit: float = 4.0"),
          "an attribute": ("", "self.limit = 4.0"),
          "one of the class": ("limit = 4.0", "pass"),
          "an annotated one of the class": ("limit: float = 4.0", "pass")}


@pytest.mark.parametrize("of_class, of_object", LIMITS.values(), ids=LIMITS.keys())
@pytest.mark.parametrize("mask, found", [("(self.x < self.limit)", "correct"), ("1", "wrong")])
def test_what_a_layer_s_limit_does_is_seen(check, of_class, of_object, mask, found):
    _, (result,) = check(cut=f"""
        import numpy as np

        class Below:
            {of_class}

            def __init__(self):
                {of_object}

            def forward(self, x):
                self.x = x
                return np.minimum(x, self.limit)

            def backward(self, dout):
                return dout * {mask}
    """)
    assert result["status"] == found


@pytest.mark.parametrize("count", ["step % 25 == 0", "x.max(axis=25) > 0", "x.any()"])
def test_a_count_and_an_axis_are_no_thresholds(tmp_path, count):
    code = f"def watch(x, step):\n    return {count}\n"
    (tmp_path / "watch.py").write_text(code)
    assert not any(number > 1 for number in thresholds(str(tmp_path / "watch.py")))
