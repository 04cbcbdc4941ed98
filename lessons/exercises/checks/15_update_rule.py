"""Exercise 15: the update rule, a change of the learning rate, weight decay alone."""
from math import log

import numpy as np
from checking import Wrong, call, same


def check(update, rescale, half_life):
    check_update(update)
    for old, new in [(0.01, 0.001), (0.02, 0.01)]:
        hints = [(new / old, "the other way round: u must grow when lr falls, so that lr·u stays "
                  "as it was."), (1.0, "without a change the old steps in u are multiplied by the "
                                  "new lr: they shrink with it."),
                 (old, "lr·u must be the same before and after: solve old·u = new·(factor·u).")]
        same(f"rescale({old}, {new})", call(rescale, old, new), old / new, hints)
    for lr, momentum, decay in [(0.01, 0.9, 0.0005), (0.1, 0.5, 0.001)]:
        hints = [(log(2) / (decay * lr), "momentum makes every pull 1/(1 − momentum) "
                  "times as long: the weight falls sooner."),
                 (log(2) / decay * (1 - momentum), "decay is multiplied by the learning rate: "
                  "decay·lr·w."), (1 / (2 * decay * lr / (1 - momentum)), "each step takes a share "
                                   "of what is left: (1 − s)ⁿ = ½, n = ln 2 / s."),
                 (log(2) / (decay * lr / momentum), "1 + μ + μ² + … is 1/(1 − μ).")]
        same(f"half_life({lr}, {momentum}, {decay})", call(half_life, lr, momentum, decay),
             log(2) * (1 - momentum) / (decay * lr), hints, within=1e-4)
    return ("At the paper's values a weight halves in 13,863 steps, "
            "one and a half epochs: decay matters.")


def check_update(update):
    """The first of the three; brick 15 is only this."""
    random = np.random.default_rng(0)
    w, g, v = random.normal(size=(3, 4))
    lr, momentum, decay = 0.1, 0.9, 0.05
    kept = w.copy(), g.copy(), v.copy()
    got = call(update, w, g, v, lr, momentum, decay)
    if not all(np.array_equal(a, b) for a, b in zip((w, g, v), kept)):
        raise Wrong("update: the arrays that come in must stay as they are: "
                    "`v = momentum * v - …`, not `v -= …`.")
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        raise Wrong("update: it returns two things, the new (w, v).")
    right = momentum * v - decay * lr * w - lr * g
    hints = [
        (momentum * v - decay * w - lr * g,
         "the learning rate also stands before the decay: decay·lr·w."),
        (momentum * v - lr * g, "the weight decay is missing: − decay·lr·w."),
        (momentum * v + decay * lr * w - lr * g, "decay pulls towards 0: its sign is minus."),
        (momentum * v - decay * lr * w + lr * g, "downhill is against the gradient: − lr·g."),
        (lr * (momentum * v - decay * w - g), "lr stands only before decay·w and g, "
         "not before momentum·v."),
        (momentum * v + g + decay * w, "that is the common form's u: "
         "in the paper the learning rate is inside v."),
        (-decay * lr * w - lr * g, "the old v is missing: momentum·v."),
    ]
    same("update's v", got[1], right, hints)
    same("update's w", got[0], w + right,
         [(w - right, "v is already the step, minus signs and all: w + v."),
          (w + lr * right, "lr is in v already: w + v."), (w + v, "with the new v, not the old.")])
