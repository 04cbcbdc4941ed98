"""Lessons 14 to 21."""
WRONG = {
    "14_initialisation": [
        ("channels // groups", "channels", "only the channels of its own tower"),
        ("sqrt(2 / n)", "2 / n", "that is the variance"),
        ("sqrt(2 / n)", "sqrt(1 / n)", "ReLU throws half"),
        ("sqrt(1 / n)", "sqrt(2 / n)", "the factor 2 is for ReLU"),
        ("log(classes)", "-log(classes)", "a loss is positive"),
    ],
    "15_update_rule": [
        ("decay * lr * w", "decay * w", "also stands before the decay"),
        ("- decay * lr * w", "", "the weight decay is missing"),
        ("return w + v, v", "return w - v, v", "v is already the step"),
        ("v = momentum * v - decay * lr * w - lr * g", "v *= momentum; v -= lr * (g + decay * w)", "must stay as they are"),
        ("old_lr / new_lr", "new_lr / old_lr", "the other way round"),
        ("/ (1 - momentum)", "", "momentum makes every pull"),
    ],
}
