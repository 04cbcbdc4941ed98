"""Lessons 1 to 13."""
WRONG = {
    "01_shape_arithmetic": [
        ("kernel) // stride + 1", "kernel) // stride", "The window where the sliding starts is missing"),
        ("size + 2 * padding - kernel", "size + padding - kernel", "padding stands at both ends"),
        ("// stride + 1", "/ stride + 1", "round down, with //"),
        ("(count - 1) * stride", "count * stride", "count - 1 steps"),
        ("reversed(LAYERS)", "LAYERS[:1]", "undoes conv1 only"),
    ],
    "02_the_tape": [
        ("g / b, -g * a", "1 / b, -g * a", "Multiply it by g"),
        ("-g * a / b**2", "g * a / b**2", "a larger b makes y smaller: the sign"),
        ("-g * a / b**2", "-g / b**2", "the a is missing"),
        ("g / b, -g * a / b**2", "g / b", "two went in, a and b, so two come back"),
    ],
    "03_gradient_checking": [
        ("(f(up) - f(down)) / (2 * h)", "(f(up) - f(x)) / h", "that is one-sided"),
        ("(2 * h)", "h", "divide by 2h"),
        ("x.copy(), x.copy()", "x, x.copy()", "x is no longer what it was"),
        ("(2 * h)", "2 * h", "in brackets"),
    ],
    "04_convolution": [
        ("+= columns", "= columns", "Add instead: +="),
        ("return columns", "return columns.T", "one window is a column, not a row"),
        ("window.ravel()", "window.transpose(1, 2, 0).ravel()", "the channel comes first"),
        ("stride * h : stride * h + K, stride * w : stride * w + K]", "h : h + K, w : w + K]", "start at stride·h"),
    ],
    "05_two_towers": [
        ("np.split(x, groups, axis=1)", "[x[:, i::groups] for i in range(groups)]", "neighbouring channels"),
        ("np.concatenate(maps, axis=1)", "sum(maps)", "they are not added"),
        ("np.split(bias, groups)", "[bias[: len(bias) // groups]] * groups", "used the first biases"),
        ("np.concatenate(maps, axis=1)", "np.stack(maps, axis=2).reshape(len(x), -1, *maps[0].shape[2:])", "shuffled"),
    ],
    "06_relu": [
        ("x, 0.1 * x)", "x, 0)", "that is ReLU: to the left"),
        ("g * np.where", "np.where", "multiply by g"),
        ("1, 0.1)", "1, 0)", "that is ReLU's"),
        ("g * np.where(x > 0, 1, 0.1)", "np.where(x > 0, g, 0.1 * x)", "its slope is 0.1"),
    ],
    "07_pooling": [
        ("+= g[h, w]", "= g[h, w]", "+= instead of ="),
        ("int(np.argmax(window))", "z * z - 1 - int(np.argmax(window[::-1, ::-1]))", "here the last did"),
        ("dx[s * h + i, s * w + j] += g[h, w]", "dx[s * h : s * h + z, s * w : s * w + z] += (window == window.max()) * g[h, w]",
         "were paid in full"),
        ("dx[s * h + i, s * w + j]", "dx[i, j]", "add s·h and s·w"),
    ],
    "08_response_norm": [
        ("for i in range(len(a)):\n            j", "for i in range(0):\n            j", "the second part is missing"),
        ("j = window(i, len(a))", "j = slice(i, i + 1)", "sum over the window"),
        ("2 * ALPHA * BETA * a[i]", "ALPHA * BETA * a[i]", "a factor 2 is missing"),
        ("(BETA + 1)", "BETA", "lowers the power by one"),
        ("-= 2", "+= 2", "the second part has a minus"),
    ],
    "09_cross_entropy": [
        (".mean()", ".sum()", "the mean is wanted"),
        ("shifted = z - z.max(axis=1, keepdims=True)", "shifted = z", "e^1000 overflows"),
        ("return p / len(z)", "return p", "divide by N"),
        ("p[np.arange(len(z)), labels] -= 1", "p -= 1", "at the label only"),
        ("return -log_p[np.arange(len(z)), labels]", "return -log_p", "only the label's own p counts"),
    ],
    "10_dropout": [
        (" / (1 - self.p)", " / 1", "the mean falls to 0.7·x"),
        ("(1 - self.p)", "self.p", "not by p"),
        ("self.u >= self.p", "self.u < self.p", "kept is u >= p"),
        ("return g * mask", "return g / (1 - self.p)", "its gradient is 0"),
        ("return g * mask", "return g * (mask > 0)", "belongs to the slope too"),
    ],
    "11_fully_connected": [
        ("W.reshape(len(W), C, height, width)", "W.reshape(len(W), height, width, C)", "channels first"),
        ("W.reshape(len(W), C, height, width)", "W.reshape(len(W), C, height, width)[:, :, ::-1, ::-1]", "do not flip"),
        ("(n - 1)", "n", "n - 1 steps"),
        ("4 * 2 * 2 * 2 * (n - 1)", "(4 + 2 + 2 + 2) * (n - 1)", "strides multiply"),
    ],
}
