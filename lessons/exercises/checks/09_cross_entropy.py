"""Exercise 9: cross-entropy and its gradient, for small and for large logits."""
import numpy as np
from checking import Wrong, backward_of, call, same

import minialex as ma
import minialex.functional as F


def check(cross_entropy, gradient):
    generator = np.random.default_rng(9)
    z, labels = generator.normal(size=(4, 6)) * 2, np.array([5, 0, 3, 3])
    tensor = ma.Tensor(z, requires_grad=True)
    loss = F.cross_entropy(tensor, labels)
    loss.backward()
    p = F.softmax(z).data
    chosen = p[np.arange(4), labels]
    same("cross_entropy", call(cross_entropy, z.copy(), labels), loss.item(), [
        (4 * loss.item(), "that is the sum over the batch; the mean is wanted."),
        (-loss.item(), "p is below 1, so ln p is negative: -ln p."),
        (-np.log(chosen.mean()), "the mean of the logarithms, not the logarithm of the mean."),
        (-np.log2(chosen).mean(), "ln, the natural logarithm: np.log."),
        (-np.log(p).mean(), "only the label's own p counts, not those of all classes."),
        (-np.log(p)[:, labels].mean(), "[:, labels] takes them all of every row: "
         "[np.arange(len(z)), labels] takes one of each."),
        *[((np.log(np.exp(v).sum()) - v[np.arange(4), labels]).mean(),
           "each picture has a sum of its own: axis=1.")
          for v in (z, z - z.max(axis=1, keepdims=True))],
        (-z[np.arange(4), labels].mean(), "these are the logits: "
         "softmax comes before the logarithm."),
    ])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        large = call(cross_entropy, np.array([[1000.0, 0.0], [0.0, 1000.0]]), np.array([0, 0]))
    if not np.isfinite(large):
        raise Wrong(f"cross_entropy of logits of 1000 is {large}: e^1000 overflows, or ln 0 is "
                    "taken. Subtract each row's maximum first, and write ln p = z - ln Σ e^z.")
    same("cross_entropy of logits of 1000", large, 500.0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        right, found = tensor.grad, call(gradient, z.copy(), labels)
        same("gradient", found, right,
             [(4 * right, "the loss is a mean over N pictures: divide by N."),
              (p / 4, "1 has to come off at the label: p - one-hot."),
              (-right, "p - one-hot, not one-hot - p: the right class is pushed up by a negative "
               "gradient."), ((p - 1) / 4, "1 comes off at the label only, not everywhere.")],
             verdict=lambda: ma.check_backward(cross_entropy, gradient, [z, labels]))
        large = call(gradient, np.array([[1000.0, 0.0]]), np.array([1]))
    same("gradient for logits of 1000", large, [[1.0, -1.0]])
    backward_of("gradient", cross_entropy, gradient, [z, labels])
    return "Its rows sum to 0, and no entry is larger than 1/N: this gradient cannot explode."
