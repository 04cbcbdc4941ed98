"""Predictions: a number typed before the answer is known, compared when it is, and scored at the
end of a lesson."""
import re
import sys
from fractions import Fraction

import telling

_predictions = []


class Prediction:
    """One number typed before the answer was known; `turned_out(answer)` compares."""

    def __init__(self, question, typed, within=0.005):
        self.question, self.typed, self.within, self.answer = question, typed, within, None

    @property
    def right(self):
        return (self.typed is not None and self.answer is not None
                and abs(self.typed - self.answer) <= self.within)

    def turned_out(self, answer):
        """Say what came out, and compare when something was typed."""
        self.answer = Fraction(answer)
        if self.typed is not None:
            opinion = "as you said" if self.right else f"you said {show(self.typed)}"
            print(f"  it is {show(self.answer)}: {opinion}")


def predict(question, within=0.005, typed=None):
    """Ask for a number: 55, 54.25, 217/4, 60,965,225 or 1e6. Enter skips it, and so does a program
    without a keyboard.

    within: how far off still counts as right. typed: the answer itself, for a notebook that cannot
    ask."""
    telling.up_to_here()
    number = None if typed is None else read_number(str(typed))
    if number is None and can_ask():
        number = _ask(question)
    elif number is None and in_notebook():
        _say_how(question)
    _predictions.append(Prediction(question, number, within))
    return _predictions[-1]


def _say_how(question):
    print(telling.paragraph(f"\n? {question}") + "\n  to answer: predict(..., typed=55), "
          "with your number, and run this again")


def _ask(question):
    while True:
        try:
            text = input(telling.paragraph(f"\n? {question}")
                         + "\n  your prediction (Enter skips): ")
            # JupyterLite, in a browser that keeps no service worker for it: nothing was asked
            if text is None:
                return _say_how(question)
            return read_number(text) if text.strip() else None
        except (ValueError, ZeroDivisionError):
            print("  a number, please: 55, 54.25, 217/4, 60,965,225 or 1e6")
        except EOFError:
            return None
        except KeyboardInterrupt:
            sys.exit(130)


def read_number(text):
    """The Fraction that a student typed. Commas or spaces may part thousands. Raises ValueError,
    ZeroDivisionError."""
    text = text.strip().replace("−", "-").replace("–", "-").replace("_", "")
    thousands = re.fullmatch(r"[+-]?\d{1,3}(?:([, "
                             r"\u00a0\u2009\u202f'])\d{3})(?:\1\d{3})*(?:\.\d+)?", text)
    if thousands:
        text = text.replace(thousands[1], "")
    return Fraction(text.replace(" ", ""))


def in_notebook():
    """Whether this is a notebook's kernel."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None


def can_ask():
    """Whether there is somebody to type an answer: at a terminal, or at a notebook that passes
    questions on."""
    if in_notebook():
        shell = sys.modules["IPython"].get_ipython()
        # the second: JupyterLite's
        return bool(getattr(shell.kernel, "_allow_stdin", False) or getattr(shell, "input", None))
    return sys.stdin is not None and sys.stdin.isatty()


def result():
    """[how many were right, how many were typed], after saying it and what is worth another
    look."""
    typed = [prediction for prediction in _predictions if prediction.typed is not None]
    right = sum(prediction.right for prediction in typed)
    if typed:
        print(f"\nYou predicted {right} of {len(typed)} right.")
        for prediction in typed:
            if not prediction.right:
                print(telling.paragraph("  worth another look: "
                                        f"{prediction.question} It is {show(prediction.answer)}."))
    return [right, len(typed)]


def show(fraction):
    """55, 54.25 or 60,965,225."""
    return f"{float(fraction):,.10g}"
