"""Exercise 0: the loss by hand, and a step that goes downhill and leaves its weights alone."""
import numpy as np
from checking import Wrong, call, same


def check(loss, step):
    generator = np.random.default_rng(0)
    scores, labels = generator.normal(size=6), np.array([1.0, -1, 1, 1, -1, -1])
    difference = scores - labels
    same("loss", call(loss, scores, labels), np.mean(difference**2), [
        (np.sum(difference**2) / 2, "divide by how many points there are, not by 2: np.mean."),
        (np.sum(difference**2), "that is the sum. Divide it by how many there are: np.mean."),
        (np.mean(difference), "without the square, too high and too low cancel."),
        (np.mean(np.abs(difference)), "that is the distance. The loss takes the square, ** 2."),
        (np.mean(difference) ** 2, "square each difference first, then take the mean."),
        (difference**2, "one number for all points: take the mean of these."),
    ])
    weights = [generator.normal(size=(2, 3)), generator.normal(size=3)]
    slopes = [generator.normal(size=w.shape) for w in weights]
    given = [w.copy() for w in weights]
    stepped = call(step, given, slopes, 0.1)
    if not isinstance(stepped, (list, tuple)) or len(stepped) != len(weights):
        raise Wrong(f"step: a list of {len(weights)} arrays is wanted, "
                    "one for each array of weights.")
    for number, (got, w, slope) in enumerate(zip(stepped, weights, slopes)):
        same(f"step, array {number}", got, w - 0.1 * slope, [
            (w + 0.1 * slope, "that goes uphill. Against the slope is minus."),
            (w - slope, "the learning rate is missing: it says how far to go."),
            (w, "nothing has moved."),
            (-0.1 * slope, "that is how far to go. Add it to the weights."),
        ])
    if any((w != old).any() for w, old in zip(given, weights)):
        raise Wrong("step: the given weights have changed too. Make new arrays: "
                    "w - ..., not w -= ...")
    return "These two lines, again and again, are what training is."
