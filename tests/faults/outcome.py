"""What was tried, how often, and what did not end as it should."""

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """One row of the table. wrong: a sentence for each case that ended otherwise."""

    what: str
    expected: str
    tried: int = 0
    wrong: list = field(default_factory=list)
    note: str = ""
    skipped: str = ""  # the reason, if nothing was tried

    def check(self, holds, sentence):
        """Count one case; keep the sentence if it does not hold."""
        self.tried += 1
        if not holds:
            self.wrong.append(sentence)


def table(outcomes):
    """The rows as text."""
    lines = [f"{'fault':44} {'tried':>6} {'good':>6}   as it should be"]
    for row in outcomes:
        if row.skipped:
            lines.append(f"{row.what:44} {'-':>6} {'-':>6}   skipped: {row.skipped}")
            continue
        lines.append(f"{row.what:44} {row.tried:6,} {row.tried - len(row.wrong):6,}   "
                     f"{row.expected}" + (f" ({row.note})" if row.note else ""))
        lines += [f"    WRONG  {sentence}" for sentence in row.wrong[:5]]
        lines += [f"    and {len(row.wrong) - 5} more"] if len(row.wrong) > 5 else []
    return "\n".join(lines)
