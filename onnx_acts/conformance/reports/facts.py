"""What every report says in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onnx_acts.conformance.runtimes import RuntimeFacts
from onnx_acts.conformance.suite import Cell, Result

__all__ = ["MARKS", "SEVERITY", "VERDICTS", "facts", "figure", "verdict", "worst_status"]

SEVERITY = ("fail", "known", "pass", "n/a")
"""The verdicts of cells, the gravest first."""

VERDICTS = ("fail", "known", "pass", "not implemented", "not installed")
"""The same, with the two reasons why nothing ran."""

MARKS = {
    "fail": "✗",
    "known": "≠",
    "pass": "✓",
    "not implemented": "\u2013",  # a dash
    "not installed": "·",
}
"""A sign for each verdict, for who does not see colours."""


def facts(result: Result) -> list[RuntimeFacts]:
    """What is known of each runtime that has cells, in their order."""
    known = {item.name: item for item in result.runtimes}
    names = dict.fromkeys(cell.runtime for cell in result.cells)
    return [known.get(name, RuntimeFacts(name, name)) for name in names]


def worst_status(cells: Iterable[Cell]) -> str:
    """The gravest verdict of some cells; "n/a" where there are none."""
    return min((cell.status for cell in cells), key=SEVERITY.index, default="n/a")


def verdict(cells: Sequence[Cell], runtime: RuntimeFacts) -> str:
    """The gravest verdict of a runtime's cells, of `VERDICTS`."""
    status = worst_status(cells)
    if status != "n/a":
        return status
    return "not installed" if runtime.missing else "not implemented"


def figure(cells: Sequence[Cell]) -> str:
    """The largest error, with a star where some cases had no answer.

    Nothing where a runtime fails without an error that is a number: it crashes, or loses a sign.
    """
    largest = max((cell.max_ulp for cell in cells), default=0.0)
    if largest == 0 and worst_status(cells) == "fail":
        return ""
    text = f"{largest:.4g}"
    if "e+" in text:  # 1.407e+07 is 1.4e7
        digits, _, power = text.partition("e+")
        text = f"{float(digits):.2g}e{int(power)}"
    return text + ("*" if any(cell.skipped for cell in cells) else "")
