"""The paper's update (section 5), ε the learning rate:

    v ← 0.9·v − 0.0005·ε·w − ε·∂L/∂w
    w ← w + v

ε stands inside v: where it changes, the steps already in v keep the size that they had.
"""
from ..aliases import Array


def sgd_update(weight: Array, grad: Array, velocity: Array, lr: float, momentum: float,
               weight_decay: float) -> None:
    """Change `velocity` and `weight`, plain arrays, in place."""
    velocity *= momentum
    velocity -= lr * (grad + weight_decay * weight)
    weight += velocity
