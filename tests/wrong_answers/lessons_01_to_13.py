"""Lessons 1 to 13."""
WRONG = {
    "01_shape_arithmetic": [
        ("kernel) // stride + 1", "kernel) // stride", "The window where the sliding starts is missing"),
        ("size + 2 * padding - kernel", "size + padding - kernel", "padding stands at both ends"),
        ("// stride + 1", "/ stride + 1", "round down, with //"),
        ("(count - 1) * stride", "count * stride", "count - 1 steps"),
        ("reversed(LAYERS)", "LAYERS[:1]", "undoes conv1 only"),
    ],
}
