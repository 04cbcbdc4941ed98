"""What every lesson needs: predictions typed before the answer, facts that read as sentences, claims and verdicts.

A lesson starts with `import classroom`. That alone makes `import minialex` work from any folder, installed or not.
"""
import atexit
import json
import os
import sys
import textwrap
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import progress

HERE = Path(__file__).resolve().parent
PICTURES = Path(os.environ.get("MINIALEX_PICTURES") or HERE / "pictures")
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))
for stream in (sys.stdout, sys.stderr):
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")  # an old Windows console has no "→": better a "?" than a traceback

_claims = {}
_predictions = []


# ------------------------------------------------------------------------------------------------ claims


def claim(name, said_by, text):
    """A claim as students meet it; said_by: "N1" to "N5" for the study notes, "P" for the paper, "–" for nobody."""
    _claims[name] = {"id": name, "said_by": said_by, "claim": text, "verdict": None, "computed": None}
    who = "as one hears" if said_by == "–" else f"{said_by} say{'' if ',' in said_by else 's'}"
    print(_paragraph(f"\n{name} · {who}: “{text}”"))


def heard(text):
    """What is said in class without a number of its own in the list of claims. The facts that follow answer it."""
    print(_paragraph(f"\nHeard in class: “{text}”"))


def formula(text):
    """The formula with the numbers in it, once the prediction has been typed."""
    print(_paragraph(f"  formula: {text}"))


def settle(name, verdict, computed):
    """What came out. verdict: "true", "half true" or "false", with a word of why; computed: the figures that decide."""
    if name not in _claims:
        raise ValueError(f"{name} was never claimed: call claim({name!r}, ...) before settle({name!r}, ...).")
    if not verdict.startswith(("true", "half true", "false")):
        raise ValueError(f"the verdict on {name} starts with true, half true or false, not with {verdict!r}.")
    _claims[name].update(verdict=verdict, computed=computed)
    print(_paragraph(f"  ⇒ {name} is {verdict}: {computed}"))


def fact(sentence, holds):
    """An assertion with a name: prints the sentence when it holds, and stops the lesson with it when it does not."""
    if not bool(holds):
        raise AssertionError(f"not so: {sentence}")
    print(_paragraph(f"  ✓ {sentence}"))


@contextmanager
def broken(error):
    """A mistake made on purpose: prints the sentence of the error, and objects if there is none."""
    try:
        yield
    except error as problem:
        print(_paragraph(f"\n  on purpose, {type(problem).__name__}: {problem}"))
    else:
        raise AssertionError(f"this should have raised {error.__name__}, and did not")


# ------------------------------------------------------------------------------------------------ predictions


class Prediction:
    """One number typed before the answer was known; `turned_out(answer)` compares."""

    def __init__(self, question, typed, within=0.005):
        self.question, self.typed, self.within, self.answer = question, typed, within, None

    @property
    def right(self):
        return self.typed is not None and self.answer is not None and abs(self.typed - self.answer) <= self.within

    def turned_out(self, answer):
        self.answer = Fraction(answer)
        if self.typed is not None:
            opinion = "as you said" if self.right else f"you said {_number(self.typed)}"
            print(f"  it is {_number(self.answer)}: {opinion}")


def predict(question, within=0.005):
    """Asks for a number: 55, 54.25 or 217/4. Without a terminal, or with Enter, the question is skipped.

    within: how far off still counts as right."""
    typed = None
    while sys.stdin is not None and sys.stdin.isatty():
        try:
            text = input(_paragraph(f"\n? {question}") + "\n  your prediction (Enter skips): ").strip()
            typed = Fraction(text) if text else None
            break
        except (ValueError, ZeroDivisionError):
            print("  a number, please: 55, 54.25 or 217/4")
        except EOFError:
            break
        except KeyboardInterrupt:
            sys.exit(130)
    _predictions.append(Prediction(question, typed, within))
    return _predictions[-1]


def score():
    """The end of a lesson: how many predictions were right, for the student and for `python -m lessons`."""
    typed = [prediction for prediction in _predictions if prediction.typed is not None]
    right = sum(prediction.right for prediction in typed)
    if typed:
        print(f"\nYou predicted {right} of {len(typed)} right.")
        for prediction in typed:
            if not prediction.right:
                print(_paragraph(f"  worth another look: {prediction.question} {_number(prediction.answer)}"))
    lesson = Path(getattr(sys.modules["__main__"], "__file__", None) or "")
    if lesson.resolve().parent == HERE and "MINIALEX_CLAIMS" not in os.environ:  # not `--all`, not a test
        progress.note("lessons", lesson.stem, [right, len(typed)])


# ------------------------------------------------------------------------------------------------ pictures and records


def drawn_pictures(classes, each, size, seed=0):
    """Small pictures to learn from, drawn on the spot: float32 (classes·each, 3, size, size) of mean 0 and variance 1, and
    labels. The first classes of the built-in set, nearer than there: the middle half of each scene."""
    import numpy as np

    from minialex.data.patterns import PATTERNS
    from minialex.data.scene import draw

    random, middle = np.random.default_rng(seed), slice(size // 2, size // 2 + size)
    scenes = [draw(PATTERNS[name], random, 2 * size)[middle, middle] for name in list(PATTERNS)[:classes] for _ in range(each)]
    images = np.stack(scenes).transpose(0, 3, 1, 2).astype(np.float32)
    images -= images.mean()
    return images / images.std(), np.repeat(np.arange(classes), each)


def picture():
    """pyplot, set up to draw into files, with the course's colours and a plain look."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "savefig.dpi": 150})
    return pyplot


def save(figure, name):
    """Writes pictures/NAME.png next to the lessons (or into the folder MINIALEX_PICTURES) and says where."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    figure.savefig(path, facecolor="white")
    print(f"\nPicture: {path}")
    return path


def _paragraph(text, width=110):
    """Wrapped lines; what follows the first is indented under it."""
    lead = text[: len(text) - len(text.lstrip("\n"))]
    text = text.lstrip("\n")
    margin = " " * (len(text) - len(text.lstrip()) + 2)
    return lead + textwrap.fill(text, width, subsequent_indent=margin, break_long_words=False)


def _number(fraction):
    return f"{float(fraction):,.10g}"


def _hand_in():
    """`python -m lessons --all` names a file in the environment: this lesson's claims go there, one a line."""
    path = os.environ.get("MINIALEX_CLAIMS")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in _claims.values())


atexit.register(_hand_in)
