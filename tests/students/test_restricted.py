"""Code that runs for square pictures only, or with one stride or padding, is checked with those."""
import pytest
from student_files import command, verdicts, write

POOL = """
    import numpy as np

    class MeanPool:
        def __init__(self, size, stride):
            self.size, self.stride = size, stride

        def places(self, x):
            n, height, width, channels = x.shape
            for i in range((height - self.size) // self.stride + 1):
                for j in range((width - self.size) // self.stride + 1):
                    yield i, j, slice(i * self.stride, i * self.stride + self.size), \\
                        slice(j * self.stride, j * self.stride + self.size)

        def forward(self, x):
            self.x = x
            side = (x.shape[1] - self.size) // self.stride + 1
            out = np.zeros((len(x), side, side, x.shape[3]))
            for i, j, row, column in self.places(x):
                out[:, i, j] = x[:, row, column].mean(axis=(1, 2))
            return out

        def backward(self, dout):
            dx = np.zeros_like(self.x)
            for i, j, row, column in self.places(self.x):
                dx[:, row, column] {equals} dout[:, i, j][:, None, None] / self.size ** 2
            return dx
"""


@pytest.mark.parametrize("equals, right", [("+=", True), ("-=", False)])
def test_square_pictures_are_the_last_resort(tmp_path, equals, right):
    path = write(tmp_path, "pool", POOL.format(equals=equals))
    said = " ".join(command(path).stdout.split())
    assert "(for square pictures only: with others comes " in said
    assert ("1 of 1 correct" in said) == right != ("sign flipped" in said), said


SHIFT = """
    import numpy as np

    class Window:
        def __init__(self, kernel, stride, padding):
            self.kernel, self.stride, self.padding = kernel, stride, padding

        def forward(self, image):
            assert image.ndim == 4
            self.image = image
            if self.stride != {stride} or self.padding != {pad}:
                raise ValueError("only with one")
            return 2 * image

        def backward(self, dout):
            {back}
            return {factor} * dout
"""


@pytest.mark.parametrize("stride, pad", [(1, 0), (1, 1), (2, 0)])
@pytest.mark.parametrize("factor", [2, -2])
@pytest.mark.parametrize("back", ["pass", "np.reshape(dout, self.image.shape[:2] + 2 * (-1,))"])
def test_one_stride_and_padding_are_the_last_resort(tmp_path, stride, pad, factor, back):
    back = back.replace("+ 2 * (-1,)", "+ 2 * self.image.shape[2:3]")
    path = write(tmp_path, "window", SHIFT.format(stride=stride, pad=pad, factor=factor, back=back))
    said = " ".join(command(path).stdout.split())
    assert f"stride {stride}, pad {pad} only: with others comes ValueError: only with" in said
    assert ("1 of 1 correct" in said) == (factor == 2) != ("sign flipped" in said), said


def test_what_is_no_picture_is_an_error_as_before(check):
    _, (result,) = check(window=SHIFT.format(stride=1, pad=0, factor=2, back="pass").replace(
        "stride", "step_of_it").replace("image", "x").replace("kernel", "k").replace("pad", "q"))
    assert verdicts(result) == {} and result["status"] == "error"
