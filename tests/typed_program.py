"""A user's program with types, for `mypy`: what it names must be typed. (`mypy` checks it,
tests/test_types.py runs it.)"""
import numpy as np

import minialex as ma
import minialex.functional as F
from minialex import models, nn, optim, shapes


class Square(ma.Function):
    def forward(self, x: np.ndarray) -> np.ndarray:
        self.save_for_backward(x)
        return x * x

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        (x,) = self.saved
        return grad_output * 2 * x


class Small(nn.Module):
    def __init__(self, classes: int) -> None:
        self.conv = nn.Conv2d(3, 4, 3, padding=(1, 1))
        self.head = nn.Linear(4 * 6 * 6, classes)

    def forward(self, x: ma.Tensor) -> ma.Tensor:
        hidden: ma.Tensor = F.max_pool2d(F.relu(self.conv(x)), 2)
        return self.head(F.flatten(Square()(hidden)))


def main() -> float:
    ma.manual_seed(0)
    model = nn.Sequential(Small(5), nn.ReLU()).train()
    update = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    rates = optim.StepLR(update, step_size=2)
    x = ma.Tensor(np.ones((2, 3, 12, 12), np.float32))
    loss = F.cross_entropy(model(x), [0, 1]) + 0.5 * F.mse_loss(2 - x[:1] / 3,
                                                                x[1:] ** 2).sum().log().exp()
    loss.backward()
    update.step()
    rates.step()
    with ma.no_grad(), ma.textbook():
        scores: np.ndarray = F.softmax(model.eval()(x)).numpy()
    assert model.parameters()[0].grad is not None and scores.shape == (2, 5)
    assert models.lenet5(num_classes=3).input_shape == (1, 32, 32)
    assert shapes.conv_output_size(227, 11, stride=4) == 55 and shapes.summary(
        models.lenet5()).totals.parameters == 61_706
    return loss.item()


if __name__ == "__main__":
    print(main())
