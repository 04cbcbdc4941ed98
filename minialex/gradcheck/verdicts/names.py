"""What can be said of a gradient, in the order in which a reader looks for it. Each name has one
test behind it."""
from typing import NamedTuple

CORRECT = "correct"
ZERO = "zero"
SIGN = "sign flipped"
FACTOR = "off by a constant factor"
TRANSPOSED = "transposed or permuted"
FLIPPED = "spatially flipped kernel"
SHIFTED = "shifted by (dy, dx)"
NOT_SUMMED = "not summed over the batch or broadcast axes"
MEAN = "mean where a sum is due"
LAST = "only the last of overlapping windows kept"
TERM = "one term missing"
TOO_MANY = "one term too many"
BORDER = "wrong at the border"
PADDED = "wrong where padded"
NEGATIVE = "wrong where the input is negative"
AT_ZERO = "wrong where the input is zero"
TIED = "wrong where the input is tied"
OUTPUT = "uses the output instead of the input"
INPUT = "uses the input instead of the output"
IGNORES = "ignores dout"
SHAPE = "shape differs"
DTYPE = "dtype too low to decide"
RANDOM = "not deterministic"
KINK = "not differentiable here"
IN_PLACE = "forward changes its input in place"
DOUT_IN_PLACE = "backward changes dout in place"
X_IN_PLACE = "backward changes its input in place"
SLIP = "slip in the derivative"
UNKNOWN = "unknown"
NOT_FINITE = "not finite"  # the backward pass gives NaN or infinity
UNDECIDED = "undecided"  # the numeric derivative is too uncertain to judge by
NOT_COMPARED = "not compared"  # because of what is said of another tensor

VERDICTS = tuple(value for name, value in list(vars().items()) if name.isupper())


class Verdict(NamedTuple):
    """A name, the test that supports it in one sentence, and what the name leaves open.

    detail: the open part in a few words ("k = 6, the batch size", "(1, 0)", "axes (1, 0)"). factor:
    k, where there is one. map: lines that show where the gradient is wrong, for "unknown".
    """

    name: str
    evidence: str
    detail: str = ""
    factor: float | None = None
    map: tuple = ()
