"""A verification in the words of a person, for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from onnx_acts.comparing.difference import Difference
from onnx_acts.text.spelling import printable
from onnx_acts.verifying.result import Cause, NodeRecord, OutputRecord, Status, Verification

__all__ = ["distance_text", "number", "share_text", "summary", "verdict"]

_MOST = 10
"""Causes that are listed."""


def summary(result: Verification) -> str:
    """The whole result, in lines."""
    lines = [
        f"{printable(result.model)} against {printable(result.reference)}: {verdict(result)}",
        f"inputs: {printable(result.inputs)}",
        f"tolerance: {result.tolerance}",
    ]
    for record in result.outputs:
        lines += _output_lines(record)
    for place, cause in enumerate(result.causes[:_MOST]):
        lines += ["", *_cause_lines(cause, is_first=place == 0)]
    if len(result.causes) > _MOST:
        lines.append(f"and {len(result.causes) - _MOST} nodes more")
    if result.nodes:
        lines += ["", _counts(result)]
    lines += [f"note: {printable(note)}" for note in result.notes]
    return "\n".join(lines)


def verdict(result: Verification) -> str:
    """The answer in a few words."""
    if result.same:
        return "the same"
    if not result.is_compared:
        return "nothing was compared"
    if result.cause is not None:
        return f"different; {printable(str(result.cause))} is the first node that causes it"
    return "different"


def _output_lines(record: OutputRecord) -> Iterator[str]:
    """What is said of an output."""
    difference = record.difference
    word = "the same" if difference.same else "DIFFERENT"
    word = word if difference.is_compared else "not compared"
    theirs = "" if record.reference == record.name else f" ({printable(record.reference)})"
    name = f"output {printable(record.name)}{theirs}"
    yield f"{name}: {word}; {distance_text(difference, record.rule)}"
    classes = difference.classes
    for count, what in (
        (classes.nan, "NaN in one of the two"),
        (classes.infinity, "an infinity in one of the two, or of the other sign"),
        (difference.elements - difference.compared, "NaN in both, not compared"),
        (classes.zero_sign, "zeros of different signs (no difference by itself)"),
    ):
        if count:
            yield f"  {count} of {difference.elements} elements: {what}"


def distance_text(difference: Difference, rule: str) -> str:
    """The largest difference, where it is, and against what."""
    if difference.reason:
        return difference.reason
    if not difference.is_compared:
        elements = difference.elements
        return f"all {elements} elements are NaN in both" if elements else "there is nothing in it"
    if difference.where is None:
        return "every element is equal"
    if difference.max_abs == 0:
        return f"all {difference.elements} elements are equal"
    where = list(difference.where)
    text = (
        f"largest difference at {where}: {number(difference.got)} instead of"
        f" {number(difference.want)}, {difference.distance:.3g} apart ({difference.ulp:.3g} ULP),"
        f" {share_text(difference)} {rule} ({difference.allowed:.3g})"
    )
    if difference.beyond:
        text += f"; {difference.beyond} of {difference.elements} elements are beyond that"
    return text


def share_text(difference: Difference) -> str:
    """The share of the limit: a percentage, or how many times."""
    if difference.share <= 1:
        return f"{difference.share:.0%} of"
    return f"{difference.share:,.3g} times" if difference.share < 1e12 else "far more than"


def number(value: float | None) -> str:
    """A number with the digits that matter."""
    return "nothing" if value is None else f"{value:.9g}"


def _cause_lines(cause: Cause, *, is_first: bool) -> Iterator[str]:
    """What is said of a guilty node."""
    start = "cause" if is_first else "also"
    yield f"{start}: node {cause.index}, {printable(str(cause))}, which makes {cause.output!r}"
    difference = cause.difference
    yield f"  given the reference's values: {distance_text(difference, 'what rounding explains')}"
    yield from (f"  {printable(reason)}" for reason in cause.reasons)
    if len(cause.nodes) > 1:
        yield (
            "  the reference has no values between these nodes, so they are judged together:"
            f" {printable(', '.join(cause.nodes))}"
        )
    if cause.files:
        yield f"  to see it: python {cause.files[-1]}"


def _counts(result: Verification) -> str:
    """How many nodes there are of each status."""
    counts = Counter(record.status for record in result.nodes)
    words: dict[Status, str] = {
        "same": "compute the same",
        "passes on": "only pass a difference on",
        "causes": "cause one",
        "hidden": "differ without effect",
        "inside": "are judged with the node after them",
        "not judged": "could not be judged",
    }
    parts = [f"{counts[status]} {text}" for status, text in words.items() if counts[status]]
    grouped = sum(_has_subgraphs(record) for record in result.nodes)
    tail = f"; {grouped} with subgraphs, each as one node" if grouped else ""
    return f"{len(result.nodes)} nodes of the {result.walked}: {', '.join(parts)}{tail}"


def _has_subgraphs(record: NodeRecord) -> bool:
    return "subgraphs" in record.note
