"""Your own engine as a wall of bricks: nine files in my_engine/, each with pieces of a program that
trains a network."""
import textwrap

# The file of a brick: what the last program takes from it.
BRICKS = {
    "02_tape": ("Tensor", "Function"),
    "04_convolution": ("Convolution",),
    "06_activation": ("ReLU", "Tanh"),
    "07_pooling": ("MaxPool", "MeanPool"),
    "08_response_norm": ("ResponseNorm",),
    "09_loss": ("CrossEntropy",),
    "10_dropout": ("Dropout",),
    "11_linear": ("Linear",),
    "15_update": ("update",),
}
ROWS = [("15_update",), ("09_loss", "10_dropout", "11_linear"),
        ("06_activation", "07_pooling", "08_response_norm"), ("02_tape", "04_convolution")]
WIDTH = 67


def draw(mine: set[str]) -> str:
    """The wall in plain letters: a brick that is yours is full of #, a missing one is empty."""
    edge = f"+{'-' * WIDTH}+"
    lines = [edge, f"|{' LeNet-5 and a small AlexNet ':^{WIDTH}}|", edge]
    for row in ROWS:
        each = (WIDTH - len(row) + 1) // len(row)
        widths = [each] * (len(row) - 1) + [WIDTH - (len(row) - 1) * (each + 1)]
        bricks = [f"{_label(name):{'#' if name in mine else ' '}^{width}}"
                  for name, width in zip(row, widths)]
        lines += [f"|{'|'.join(bricks)}|", edge]
    missing = [_label(name).strip() for name in BRICKS if name not in mine]
    left = f"Missing: {', '.join(missing)}." if missing else "The whole engine is yours."
    lines.append(textwrap.fill(f"# is yours: {len(BRICKS) - len(missing)} of {len(BRICKS)}. {left}",
                               WIDTH + 2))
    return "\n".join(lines)


def _label(name):
    return f" {name.replace('_', ' ')} "
