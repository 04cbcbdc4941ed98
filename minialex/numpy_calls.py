"""What NumPy asks of a Tensor: its shape, and to stand beside an array at an operator; the rest is
refused in a sentence."""
from typing import Any, NoReturn

import numpy as np

REFLECTED = {np.add: "__radd__", np.subtract: "__rsub__", np.multiply: "__rmul__",
             np.true_divide: "__rtruediv__", np.power: "__rpow__", np.matmul: "__rmatmul__"}
INSTEAD = {"exp": "x.exp()", "log": "x.log()", "sum": "x.sum()", "mean": "x.mean()",
           "max": "x.max()", "amax": "x.max()", "dot": "x @ y", "sqrt": "x ** 0.5",
           "square": "x * x", "negative": "-x", "maximum": "F.relu(x)", "tanh": "F.tanh(x)",
           "reshape": "x.reshape(...)", "transpose": "x.transpose(...)"}


class NumpyCalls:
    """The methods by which NumPy asks: __array__ for the values, the others before it calls one of
    its own functions."""

    data: Any
    # So that CuPy's `array * tensor` asks the tensor; NumPy calls __array_ufunc__.
    __array_priority__ = 200

    def __array__(self, dtype: object = None, copy: object = None) -> NoReturn:
        self._refuse()

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function in (np.shape, np.ndim, np.size):  # not np.sum(x), np.concatenate([x, y]), ...
            return function(self.data, *arguments[1:], **options)
        self._refuse(function.__name__, arguments)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc in (np.equal, np.not_equal):
            return ufunc is np.not_equal  # an array is never the same object
        if ufunc in REFLECTED and method == "__call__" and not options:
            return getattr(type(self), REFLECTED[ufunc])(*reversed(inputs))
        self._refuse(ufunc.__name__, inputs)

    def _refuse(self, name: str = "", operands: Any = ()) -> NoReturn:
        hint = ""
        if instead := _instead(name, operands):
            hint = f"; for a gradient write {instead} instead of np.{name}"
        if not name:  # so asks np.ma, which does not say what stands beside the tensor
            hint = "; a masked array beside a Tensor needs .filled(0) or .compressed()"
        raise TypeError("NumPy needs an array, not a Tensor: use .data (the same memory) or "
                        f".numpy() (on the CPU){hint}.")


def _instead(name: str, operands: Any) -> str | None:
    """What computes np.NAME of these operands with a gradient; None where nothing does."""
    if name == "dot" and not all(np.ndim(x) for x in operands):
        return "x * y"  # @ takes no numbers
    if name == "maximum" and not any(np.ndim(x) == 0 and x == 0 for x in operands):
        return None  # of two tensors it is no ReLU
    return INSTEAD.get(name)
