"""Exercise 4: im2col and col2im against the engine's."""
import numpy as np
from checking import call, same

import minialex.functional as F


def check(im2col, col2im):
    generator = np.random.default_rng(4)
    image = generator.normal(size=(2, 5, 7))
    for K, stride in [(3, 1), (3, 2), (2, 3)]:
        right = F.im2col(image[None], K, stride)[0]
        OH, OW = (5 - K) // stride + 1, (7 - K) // stride + 1
        cube = right.reshape(2, K, K, OH, OW)
        columns = call(im2col, image, K, stride)
        same(f"im2col with K = {K}, stride {stride}", columns, right, [
            (right.T, "the other way round: one window is a column, not a row."),
            (cube.transpose(1, 2, 0, 3, 4).reshape(right.shape),
             "within a column the channel comes first: [c, i, j]."),
            (cube.transpose(0, 2, 1, 3, 4).reshape(right.shape),
             "within a window row i comes before column j."),
            (cube.transpose(0, 1, 2, 4, 3).reshape(right.shape),
             "the windows stand in reading order: row of windows by row."),
            (_numbered(right, OW, 1), "window (h, w) is column number h·OW + w: "
             "OW windows lie in a row."),
            (_numbered(right, OW, OH), "window (h, w) is column number h·OW + w: "
             "OW windows lie in a row."),
            *_stopped_early(right, OW),
            (_without_stride(image, K, OH, OW), "the windows are `stride` pixels apart: "
             "start at stride·h and stride·w."),
        ])
        given = generator.normal(size=right.shape)
        right = F.col2im(given[None], (1, 2, 5, 7), K, stride)[0]
        readers = F.col2im(np.ones((1, *given.shape)), (1, 2, 5, 7), K, stride)[0]
        same(f"col2im with K = {K}, stride {stride}", call(col2im, given, (2, 5, 7), K, stride),
             right, [(_put_back(given, K, stride, OW, add=False), "a pixel that lies in several "
                      "windows gets what the last one brings. Add instead: +=."),
                     (_put_back(given, K, 1, OW),
                      "the windows are `stride` pixels apart: start at stride·h and stride·w."),
                     (_only_the_first(given, K), "only the first column was put back: "
                      "`return` stands inside the loop. Move it left."),
                     (right / np.maximum(readers, 1),
                      "that is the mean over the windows. The transpose of copying is adding.")])
    return ("⟨im2col(v), c⟩ = ⟨v, col2im(c)⟩: each is the other's transpose, "
            "and so its backward pass.")


def _stopped_early(columns, OW):
    """What im2col gives when `return` stands inside the inner or the outer loop."""
    sentence = "only the first {} written: `return` stands inside the loop. Move it to the left."
    for count, what in [(1, "window was"), (OW, "row of windows was")]:
        stopped = np.zeros_like(columns)
        stopped[:, :count] = columns[:, :count]
        yield stopped, sentence.format(what)


def _only_the_first(columns, K):
    image = np.zeros((2, 5, 7))
    image[:, :K, :K] = columns[:, 0].reshape(2, K, K)
    return image


def _without_stride(image, K, OH, OW):
    windows = [image[:, h:h + K, w:w + K].ravel() for h in range(OH) for w in range(OW)]
    return np.array(windows).T


def _put_back(columns, K, stride, OW, add=True):
    """col2im; add=False: what the last window brings."""
    image = np.zeros((2, 5, 7))
    for number, column in enumerate(columns.T):
        h, w = stride * (number // OW), stride * (number % OW)
        image[:, h:h + K, w:w + K] = column.reshape(2, K,
                                                    K) + (image[:, h:h + K, w:w + K] if add else 0)
    return image


def _numbered(columns, OW, step):
    """The columns with window (h, w) in column number h·step + w."""
    wrong = np.zeros_like(columns)
    for number, column in enumerate(columns.T):
        wrong[:, (number // OW * step + number % OW) % columns.shape[1]] = column
    return wrong
