"""Right in one place, wrong in another: where the input is negative, zero or tied, at the border;
or a map of the rest."""
from collections.abc import Iterator

import numpy as np

from ..comparing import Finding
from ..sampling import TOGETHER, index_of
from .case import EVERYWHERE, Case, Guess
from .names import AT_ZERO, BORDER, NEGATIVE, PADDED, TIED, Verdict

# wrong entries that could lie at the border by chance with a higher probability than this prove
# nothing
CHANCE = 1e-3
PADDING = ("p", "pad", "padding", "pad_width")  # what students call it


def negative(case: Case) -> Iterator[Verdict]:
    """Wrong exactly where x < 0: no other entry is, and most negative ones are (where dout is 0,
    nothing shows)."""
    masks = [(case.wrong(look), look.x < 0) for look in case.looks]
    if all(wrong.any() and not (wrong & ~below).any() and not below.all()
           and wrong.sum() >= 0.8 * below.sum() for wrong, below in masks):
        wrong, below = masks[0]
        yield Verdict(NEGATIVE, f"all {wrong.sum()} wrong entries have a negative {case.name}; "
                      f"all {case.size - below.sum()} entries where it is positive are right, "
                      f"{EVERYWHERE}")


def border(case: Case) -> Iterator[Verdict]:
    """Wrong only near the edge of the last two axes, right everywhere inside."""
    if len(case.shape) < 3:
        return
    wrong = np.any([case.wrong(look) for look in case.looks], axis=0)
    H, W = case.shape[-2:]
    for margin in range(1, (min(H, W) - 1) // 2 + 1):
        inside = _inside(case.shape, margin)
        by_chance = (1 - inside.mean()) ** wrong.sum()
        if not wrong[inside].any() and any(look.numeric[inside].any()
                                           for look in case.looks) and by_chance < CHANCE:
            padding = _padding(case)
            where = (f"within {margin} of the edge" if margin > 1
                     else "in the outermost rows and columns")
            evidence = (f"all {wrong.sum()} wrong entries lie {where}; "
                        f"all {inside.sum()} entries inside are right, {EVERYWHERE}")
            yield Verdict(PADDED if padding else BORDER,
                          "; ".join(filter(None, (evidence, padding))), f"within {margin}")


def padded_outputs(case: Case) -> Iterator[Guess]:
    """A weight's gradient to which only the outputs whose window lies inside the picture contribute
    rightly."""
    padding = _padding(case)
    if padding and case.y.ndim >= 3 and min(case.y.shape[-2:]) >= 3:
        inside = _inside(case.y.shape, 1)
        yield Guess(PADDED, lambda look: look.combined(look.cotangent * inside), "analytic = what "
                    "the outputs whose window lies inside send back", after=f"; {padding}")


def _inside(shape, margin):
    inside = np.zeros(shape, bool)
    inside[..., margin:-margin, margin:-margin] = True
    return inside


def special_values(finding: Finding, x: np.ndarray) -> Verdict | None:
    """The gradient is right a little beside: so it is wrong where x is special."""
    wrong = [index for index, c in finding.entries.items() if c.outcome.startswith("wrong")]
    beside = "moved a little off, every entry is right"
    values, counts = np.unique(x, return_counts=True)
    for name, special, said in ((AT_ZERO, x == 0, f"are those where {finding.name} is 0"),
                                (TIED, np.isin(x, values[counts > 1]),
                                 "share their value with others")):
        if wrong and all(special[index] for index in wrong):
            return Verdict(name, "the wrong entries, "
                           f"{len(wrong)} of {len(finding.entries)}, {said}; {beside}")
    together = finding.directions.get(TOGETHER)
    if not wrong and together is not None and (counts > 1).any():
        return Verdict(TIED, f"moving all entries together changes L by {together.numeric:.6g} per "
                       f"unit, the analytic values add up to {together.analytic:.6g}: "
                       f"tied entries each get what belongs to them all; {beside}")
    return None


def _padding(case):
    """Words for the padding of this case, or "" if none shows in the options."""
    options = [value if isinstance(value, dict) else {name: value}
               for name, value in case.options.items()]
    return next((f"the picture is padded by {key} = {number}" for some in options
                 for key, number in some.items() if str(key).lower() in PADDING
                 and isinstance(number, (int, tuple)) and number), "")


def map_of(wrong: np.ndarray) -> list[str]:
    """Lines that show where the wrong entries are: · right, # wrong. The plane with the most of
    them, of an array with more than two axes."""
    if wrong.ndim == 0:
        return []
    planes = wrong.reshape(-1, *np.atleast_2d(wrong).shape[-2:])
    worst = int(planes.sum(axis=(1, 2)).argmax())
    title = f"{list(index_of(worst, wrong.shape[:-2]))} " if wrong.ndim > 2 else ""
    rows = ["".join("#" if cell else "·" for cell in row[:60]) + ("…" if len(row) > 60 else "")
            for row in planes[worst][:12]]
    return [f"{title}# wrong, · right", *rows, *(["…"] if len(planes[worst]) > 12 else [])]


def where(wrong: np.ndarray, case: Case) -> str:
    """A sentence on the wrong entries: how many, and whether they share an index or a zero."""
    count = int(wrong.sum())
    shared = []
    for axis in range(wrong.ndim):
        found = np.flatnonzero(wrong.any(axis=tuple(a for a in range(wrong.ndim) if a != axis)))
        if wrong.shape[axis] > 1 and len(found) == 1:
            shared.append(f"index {found[0]} of axis {axis}")
    text = f"{count} of {wrong.size} entries are wrong" + (f", all at {' and '.join(shared)}"
                                                           if shared else "")
    for name in ("numeric", "analytic"):
        if not any(getattr(look, name)[case.wrong(look)].any() for look in case.looks):
            text += f"; wherever one is wrong, the {name} gradient is 0"
    return text
