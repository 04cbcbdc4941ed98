"""The numbers behind a row, for `report.verbose()` and for programs."""

WORST = 5  # entries that are listed


def lines(finding, comparing):
    """Texts: what was allowed, the worst entries, the directions."""
    told = [f"step {comparing.eps:g} × the entry's size, allowed relative difference {comparing.rtol:g}; a typical derivative is "
            f"{finding.typical:.3g}, rounding may change it by {finding.blur:.1g}"]
    wrong = sorted(((c.error, index, c) for index, c in finding.entries.items() if c.outcome != "equal"),
                   key=lambda entry: -entry[0])
    for error, index, c in wrong[:WORST]:
        told.append(f"{list(index)}: numeric {c.numeric:.12g}, analytic {c.analytic:.12g}, error {error:.1e}, {c.outcome}")
    if len(wrong) > WORST:
        told.append(f"… and {len(wrong) - WORST} more")
    for name, c in finding.directions.items():
        told.append(f"{name}: numeric {c.numeric:.12g}, analytic {c.analytic:.12g}, {c.outcome}")
    return tuple(told)
