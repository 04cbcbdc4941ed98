"""What every lesson needs: predictions typed before the answer, facts that read as sentences,
claims and verdicts.

A lesson starts with `import classroom`. That alone makes `import minialex` work from any folder,
installed or not.
"""
import ast
import atexit
import json
import linecache
import logging
import os
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

import evidence
import predictions
import progress
import telling
from predictions import predict  # noqa: F401  (lessons take it from here)
from telling import paragraph as _paragraph

HERE = Path(__file__).resolve().parent
PICTURES = Path(os.environ.get("MINIALEX_PICTURES") or HERE / "pictures")
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))
for stream in (sys.stdout, sys.stderr):
    if hasattr(stream, "reconfigure"):
        # an old Windows console has no "→": better a "?" than a traceback
        stream.reconfigure(errors="replace")

# its list of fonts is new with every page, takes some seconds, and says so
if sys.platform == "emscripten":
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
# Python in a browser is slow
SMALL = sys.platform == "emscripten" or bool(os.environ.get("MINIALEX_SMALL"))
SHOW = None  # how a page in a browser shows a picture, (path, caption, words): lessons/site sets it

_claims = {}


# ------------------------------------------------------------------------------------------- claims


def claim(name, said_by, text):
    """A claim as students meet it; said_by: "N1" to "N5" for the study notes, "P" for the paper,
    "–" for nobody."""
    telling.up_to_here()
    _claims[name] = {"id": name, "said_by": said_by, "claim": text, "verdict": None,
                     "computed": None}
    who = "as one hears" if said_by == "–" else f"{said_by} say{'' if ',' in said_by else 's'}"
    print(_paragraph(f"\n{name} · {who}: “{text}”"))


def heard(text):
    """What is said in class without a number of its own in the list of claims. The facts that
    follow answer it."""
    telling.up_to_here()
    print(_paragraph(f"\nHeard in class: “{text}”"))


def formula(text):
    """The formula with the numbers in it, once the prediction has been typed."""
    telling.up_to_here()
    print(_paragraph(f"  formula: {text}"))


def settle(name, verdict, computed):
    """What came out. verdict: "true", "half true" or "false", with a word of why; computed: the
    figures that decide."""
    if name not in _claims:
        raise ValueError(f"{name} was never claimed: call claim({name!r}, "
                         f"...) before settle({name!r}, ...).")
    if not verdict.startswith(("true", "half true", "false")):
        raise ValueError(f"the verdict on {name} starts with true, half true or false, "
                         f"not with {verdict!r}.")
    _claims[name].update(verdict=verdict, computed=computed)
    print(_paragraph(f"  ⇒ {name} is {verdict}: {computed}"))


def fact(sentence, holds):
    """An assertion with a name: prints the sentence when it holds. When it does not, it stops the
    lesson with the sentence and with what came instead."""
    telling.up_to_here()
    if not bool(holds):
        came = evidence.of_call(sys._getframe(1))
        raise evidence.NotSo(f"not so: {sentence}" + f"\n  {came}" * bool(came))
    print(_paragraph(f"  ✓ {sentence}"))


def show(text):
    """Print something that is neither a fact nor a formula: a report, a table."""
    telling.up_to_here()
    print(f"\n{text}")


@contextmanager
def broken(error):
    """A mistake made on purpose: prints the sentence of the error, and objects if there is none."""
    telling.up_to_here()
    try:
        yield
    except error as problem:
        print(_paragraph(f"\n  on purpose, {type(problem).__name__}: {problem}"))
    else:
        raise AssertionError(f"this should have raised {error.__name__}, and did not")


def score():
    """The end of a lesson: what is left of its text, and how many predictions were right."""
    telling.the_rest()
    scored = predictions.result()
    lesson = name()
    if lesson and "MINIALEX_CLAIMS" not in os.environ:  # not `--all`, not a test
        progress.note("lessons", lesson, scored)


def name():
    """The lesson that is running, "02_the_tape", or "" when none is. A notebook says it in
    MINIALEX_LESSON."""
    path = Path(getattr(sys.modules["__main__"], "__file__", None) or "")
    return path.stem if path.resolve().parent == HERE else os.environ.get("MINIALEX_LESSON", "")


def source_lines(part):
    """The lines of a function or class of this lesson, also in a notebook, where `inspect` cannot
    find a class."""
    function = part if hasattr(part, "__code__") else next(f for f in vars(part).values()
                                                           if hasattr(f, "__code__"))
    lines = linecache.getlines(function.__code__.co_filename)
    node = next(node for node in ast.walk(ast.parse("".join(lines)))
                if getattr(node, "name", None) == part.__name__)
    return lines[node.lineno - 1 : node.end_lineno]


def live(what, full, less):
    """How much an experiment of this lesson takes: `full`, or in a browser `less`, which is
    said."""
    telling.up_to_here()
    if SMALL:
        print(f"  in a browser: {what}: {less} instead of {full}, to save time")
    return less if SMALL else full


# ----------------------------------------------------------------------------- pictures and records


def drawn_pictures(classes, each, size, seed=0):
    """Small pictures to learn from, drawn on the spot: float32 (classes·each, 3, size, size) of
    mean 0 and variance 1, and labels. The first classes of the built-in set, nearer than there: the
    middle half of each scene."""
    import numpy as np

    from minialex.sets.patterns import PATTERNS
    from minialex.sets.scene import draw

    random, middle = np.random.default_rng(seed), slice(size // 2, size // 2 + size)
    scenes = [draw(PATTERNS[name], random, 2 * size)[middle, middle]
              for name in list(PATTERNS)[:classes] for _ in range(each)]
    images = np.stack(scenes).transpose(0, 3, 1, 2).astype(np.float32)
    images -= images.mean()
    return images / images.std(), np.repeat(np.arange(classes), each)


def picture():
    """What draws: figure() and subplots() as pyplot has them, with the course's plain look, and no
    window or backend."""
    from minialex.utils.drawing import Canvas

    return Canvas({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
                   "savefig.dpi": 150})


def save(figure, name, caption=""):
    """Write pictures/NAME.png next to the lessons (or into the folder MINIALEX_PICTURES); a
    notebook shows it.

    caption: what to see in it, printed below. The picture in words, with the numbers that it draws,
    goes with it for those who do not see it. Stops the lesson, as a fact does, where the words hold
    no number."""
    from minialex.utils import in_words

    telling.up_to_here()
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    words = in_words.of(figure)
    if not any(letter.isdigit() for letter in words):
        raise evidence.NotSo(f"not so: the picture {name} says its numbers in words")
    figure.savefig(path, facecolor="white", metadata={in_words.KEY: words})
    if SHOW:
        SHOW(path, caption, words)
        return path
    if predictions.in_notebook():
        from IPython.display import Image, display

        display(Image(filename=str(path), alt=words))
    print(f"\nPicture: {path}")
    if caption:
        print(_paragraph(f"  {caption}"))
    return path


def _hand_in():
    """`python -m lessons --all` names a file in the environment: this lesson's claims go there, one
    a line."""
    path = os.environ.get("MINIALEX_CLAIMS")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(record, ensure_ascii=False) + "\n"
                            for record in _claims.values())


def _one_sentence(kind, problem, trace):
    """What a lesson that stops says: a fact that does not hold in its own words, anything else with
    the lesson's line."""
    if issubclass(kind, BrokenPipeError):  # `| head` has seen enough
        return
    if issubclass(kind, evidence.NotSo):
        print(_paragraph(str(problem).partition("\n")[0]), *str(problem).splitlines()[1:], sep="\n",
              file=sys.stderr)
        return
    lines = [frame.lineno for frame in traceback.extract_tb(trace)
             if Path(frame.filename).stem == name()]
    print(f"line {lines[-1] if lines else '?'} of the lesson stops with {kind.__name__}: "
          f"{problem}\n  If you changed a number: this line cannot work with it. Change it back, "
          "or the line too.", file=sys.stderr)


atexit.register(_hand_in)
if name() and "MINIALEX_LESSON" not in os.environ:
    sys.excepthook = _one_sentence
telling.begin()
