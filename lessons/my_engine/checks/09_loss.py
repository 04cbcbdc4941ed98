"""Brick 9: cross-entropy and its gradient, multiplied by g, for small and for large logits."""
import numpy as np
from bricks import operation, right
from checking import Wrong, call, same

import minialex.functional as F


def check(CrossEntropy):
    generator = np.random.default_rng(9)
    z, labels = generator.normal(size=(4, 6)) * 2, np.array([5, 0, 3, 3])
    expected = loss, g, (dz,) = right(lambda z: F.cross_entropy(z, labels), z, seed=1)
    p, place = F.softmax(z).data, (np.arange(4), labels)
    onehot = np.zeros_like(p)
    onehot[place] = 1
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        operation(lambda: CrossEntropy(labels), [z], expected, forward=[
            (4 * loss, "that is the sum over the batch; the mean is wanted."),
            (-loss, "p is below 1, so ln p is negative: -ln p."),
            (-np.log(p[place].mean()), "the mean of the logarithms, "
             "not the logarithm of the mean."),
            (-np.log2(p[place]).mean(), "ln, the natural logarithm: np.log."),
            (-np.log(p).mean(), "only the label's own p counts, not those of all classes."),
            (-np.log(p)[:, labels].mean(), "[:, labels] takes them all of every row: "
             "[np.arange(N), labels] takes one of each."),
            *[((np.log(np.exp(v).sum()) - v[place]).mean(),
               "each picture has a sum of its own: axis=1, keepdims=True.")
              for v in (z, z - z.max(axis=1, keepdims=True))],
            (-z[place].mean(), "these are the logits: softmax comes before the logarithm."),
        ], backward=[("z", [
            (dz / g, "multiply by g, the incoming gradient."),
            (4 * dz, "the loss is a mean over N pictures: divide by N."),
            (4 * dz / g, "divide by N, since the loss is a mean over N pictures, "
             "and multiply by g."),
            (g * p / 4, "1 has to come off at the label: p - one-hot."),
            (dz / 6, "divide by the number of pictures, not of all entries."),
            (-dz, "p - one-hot, not one-hot - p: "
             "the right class is pushed up by a negative gradient."),
            (g * (p - 1) / 4, "1 comes off at the label only, not everywhere."),
        ])])
        sure = CrossEntropy(np.array([0, 0]))
        large = call(sure.forward, np.array([[1000.0, 0.0], [0.0, 1000.0]]))
        if not np.isfinite(large):
            raise Wrong(f"CrossEntropy.forward: for logits of 1000 the loss is {large}: "
                        "e^1000 overflows, or ln 0 is taken. Subtract each row's maximum first, "
                        "and write ln p = z - ln Σ e^z.")
        same("CrossEntropy.forward for logits of 1000", large, 500.0)
        same("CrossEntropy.backward for logits of 1000", call(sure.backward, 1.0),
             [[0.0, 0.0], [-0.5, 0.5]])
    return "From here the slopes start on their way back through the network."
