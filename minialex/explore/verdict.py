"""Where on a tape the gradient checker's verdict belongs.

A report of one operation names its inputs: wherever that operation stands on the tape, those are
marked. A report of a whole network or function names leaves: what is wrong arises where exactly the
wrong leaves lie behind, since whatever is wrong on the way back is wrong for all that comes after.
"""
from typing import Any

from ..gradcheck.report import OPEN


def marks_of(report: Any, nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """[{node, input, words, sure}], the gradients that a ma.gradcheck report finds wrong. sure: it
    is this one; else it is one of those marked. Raises ValueError when the report says nothing of
    these operations."""
    wrong = [row for row in report.rows
             if not (row.is_correct or row.is_remark or row.verdict in OPEN)]
    same = [number for number, node in enumerate(nodes) if node["kind"] == "operation"
            and node["name"] == report.title]
    if same:
        order = {row.name: place for place, row in enumerate(report.rows)}
        return [{"node": node, "input": order[row.name], "words": _words(row), "sure": True}
                for node in same for row in wrong if order[row.name] < len(nodes[node]["inputs"])]
    leaves = {node["name"]: number for number, node in enumerate(nodes) if node["kind"] == "leaf"}
    checked = {leaves[row.name] for row in report.rows if row.name in leaves
               and row.verdict not in OPEN}
    if not checked:
        raise ValueError(f"the report on {report.title} names no operation and no leaf of this "
                         "recording: check an operation of it, "
                         "or give the names with record(model, x=x).")
    blamed = {leaves[row.name]: _words(row) for row in wrong if row.name in leaves}
    return _arising(nodes, checked, blamed) if blamed else []


def _arising(nodes: list[dict[str, Any]], checked: set[int],
             blamed: dict[int, str]) -> list[dict[str, Any]]:
    behind: list[set[int]] = []
    for number, node in enumerate(nodes):
        sources = (behind[source["node"]] if source["node"] < number else set()
                   for source in node["inputs"])
        behind.append(({number} & checked).union(*sources))
    edges = [(number, place, behind[source["node"]]) for number, node in enumerate(nodes)
             for place, source in enumerate(node["inputs"])]
    found = [(number, place) for number, place, leaves in edges if leaves == set(blamed)]
    found = found or [(number, place) for number, place, leaves in edges if len(leaves) == 1
                      and leaves <= set(blamed)]
    words = "; ".join(f"{nodes[leaf]['name']}: {text}" for leaf, text in blamed.items())
    return [{"node": number, "input": place, "words": words, "sure": len(found) == 1}
            for number, place in found]


def _words(row: Any) -> str:
    detail = f": {row.detail}" if row.detail else ""
    return f"{row.verdict}{detail}. {row.evidence}".strip()
