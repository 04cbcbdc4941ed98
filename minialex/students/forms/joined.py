"""What a class has in further methods, and its forward or backward wants: the loss that ends a
forward, the output that a gradient is given.

    P = self.evaluate(X)
    grad_W, grad_b = self.compute_gradients(X, Y, P)
"""
import functools
import re
import sys

from ..called import binding
from ..names import role
from ..reading.sources import source
from .renaming import required


def whole(cls: type, forward: str, backward: str) -> type:
    """The class with such methods joined to these two; itself where they need none."""
    makers = {p.name: maker for p in binding.signature(getattr(cls, backward))[1:]
              if (maker := maker_of(cls, p.name)) and p.name not in binding.arguments_of(
                  getattr(cls, forward))}
    both = [*map(binding.arguments_of, (getattr(cls, forward), getattr(cls, backward)))]
    if not {"x", "labels"} <= {*map(role, required(getattr(cls, forward)))}:
        return _with_loss(cls, forward, backward)
    cls = _with_output(cls, backward, makers) if makers else cls
    # of compute_cost(X, Y, W=None, b=None) the object's own weights are moved
    kept = [p for p in binding.signature(getattr(cls, forward))
            if p.default is not None or p.name in both[1]]
    return cls if len(kept) == len(both[0]) else _renewed(cls, forward, kept, getattr(
        cls, forward))


def maker_of(cls: type, name: str) -> str:
    """The method whose output the file calls so: evaluate of P = net.evaluate(X); "" of none."""
    is_output = role(name) in ("scores", "probs")
    made = re.findall(rf"\b{name} *= *\w+\.(\w+)\(\w+\)", source(sys.modules[cls.__module__]))
    return next((one for one in made if is_output and callable(getattr(cls, one, None))), "")


def _with_output(cls, backward, makers):
    """The class, whose gradient computes the output itself."""
    places = binding.signature(getattr(cls, backward))
    x = next(p.name for p in places if role(p.name) == "x")

    def gradient(self, *given, **named):
        known = {**dict(zip(order, given)), **named}
        made = {name: getattr(self, maker)(known[x]) for name, maker in makers.items()}
        return getattr(cls, backward)(self, **known, **made)

    kept = [p for p in places if p.name not in makers]
    order = [p.name for p in kept[1:]]
    return _renewed(cls, backward, kept, gradient)


def _renewed(cls, name, places, method):
    """The class with another method of this name, that says that it takes these."""
    @functools.wraps(getattr(cls, name))
    def called(self, *given, **named):
        return method(self, *given, **named)
    return type(cls.__name__, (cls,), {name: binding.with_parameters(called, places),
                                       "__module__": cls.__module__})


def _with_loss(cls, forward, backward):
    """The class, with its get_loss(label), or loss(scores, label), as forward's last step, where
    backward() wants no more than what both kept; or backward(dout=1), which reads what the loss
    alone keeps."""
    losses = [name for name in dir(cls) if "loss" in name and callable(getattr(cls, name))]
    asked = {name: [p.name for p in binding.signature(getattr(cls, name))[1:]]
             for name in (forward, backward, *losses)}
    losses = [name for name in losses if list(map(role, asked[name]))
              in (["labels"], ["scores", "labels"], ["probs", "labels"])]
    if required(getattr(cls, backward))[1:] or not losses or len(asked[forward]) != 1:
        return cls
    kept = {name: set(re.findall(r"\bself\.(\w+) *=[^=]", source(getattr(cls, name))))
            for name in (forward, losses[0])}
    if asked[backward] and not any(f"self.{name}" in source(getattr(cls, backward))
                                   for name in kept[losses[0]] - kept[forward]):
        return cls

    def both(self, x, label):
        output = getattr(cls, forward)(self, x)
        return getattr(self, losses[0])(*[output][:len(asked[losses[0]]) - 1], label)

    both.begins = getattr(cls, forward)  # type: ignore[attr-defined]
    return type(cls.__name__, (cls,), {forward: both})
