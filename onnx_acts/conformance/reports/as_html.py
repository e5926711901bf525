"""The report as one page that needs nothing else: no network, no fonts, no other files."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onnx_acts.conformance.recording import Record, merged
from onnx_acts.conformance.reports.facts import MARKS, VERDICTS, facts, figure, verdict
from onnx_acts.conformance.reports.plots import curve_svg, histogram_svg
from onnx_acts.conformance.reports.text import counts_text
from onnx_acts.conformance.runtimes import RuntimeFacts
from onnx_acts.conformance.suite import Cell, Result
from onnx_acts.ort.environment import library_facts

__all__ = ["check_html", "html_text"]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_SHOWN = 12
"""Cases that differ in the same way and are listed; the others are counted."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One operator and element type on one runtime, as the page shows it.

    Attributes:
        runtime: what is known of the runtime.
        key: the anchor.
        verdict: one of `VERDICTS`.
        figure: the largest error, for people.
        promise: the largest error allowed, in ULP.
        groups: its cells.
        record: their records as one; None where nothing was recorded.
        exact: whether every result is correctly rounded, so that a drawing would be empty.
        reasons: why cases differ as known, or have no answer.
    """

    runtime: RuntimeFacts
    key: str
    verdict: str
    figure: str
    promise: float
    groups: Sequence[Cell]
    record: Record | None
    exact: bool
    reasons: Sequence[str]


def check_html() -> None:
    """Requires what the page is made with.

    Raises:
        ImportError: Jinja2 is not installed.
    """
    try:
        import jinja2  # noqa: F401  # only whether it is there
    except ImportError as error:
        raise ImportError("--html needs Jinja2: pip install 'onnx-acts[conform]'") from error


def html_text(result: Result, environment: dict[str, Any], command: str = "") -> str:
    """The page; the same run gives the same bytes, apart from the date in the environment.

    Args:
        result: what a run found, recorded.
        environment: as `onnx_acts.ort.environment` gives it.
        command: the command that repeats the run.

    Raises:
        ImportError: Jinja2 is not installed.
    """
    check_html()
    import jinja2

    here = Path(__file__).parent
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(here),
        autoescape=True,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    rows = _rows(result)
    return templates.get_template("page.html.jinja").render(
        result=result,
        counts=counts_text(result),
        runtimes=facts(result),
        rows=rows,
        dtypes=list(dict.fromkeys(dtype for _, dtype, _ in rows)),
        marks=MARKS,
        verdicts=VERDICTS,
        environment=environment,
        library=library_facts(environment["library"]),
        command=command,
        curve=_curve,
        bars=_bars,
        shown=_shown,
        style=(here / "page.css").read_text(encoding="utf-8"),
        script=(here / "page.js").read_text(encoding="utf-8"),
    )


def _rows(result: Result) -> list[tuple[str, str, list[Entry]]]:
    """For each operator and element type, an entry for each runtime."""
    runtimes = facts(result)
    pairs = dict.fromkeys((cell.operator, cell.dtype) for cell in result.cells)
    found = []
    for operator, dtype in pairs:
        of_row = [cell for cell in result.cells if (cell.operator, cell.dtype) == (operator, dtype)]
        entries = [
            _entry(item, [cell for cell in of_row if cell.runtime == item.name])
            for item in runtimes
            if any(cell.runtime == item.name for cell in of_row)
        ]
        found.append((operator, dtype, entries))
    return found


def _entry(runtime: RuntimeFacts, cells: Sequence[Cell]) -> Entry:
    records = [cell.record for cell in cells if cell.record is not None]
    whole = merged(records) if any(record.elements for record in records) else None
    key = "-".join((cells[0].operator, cells[0].dtype, runtime.name))
    return Entry(
        runtime,
        re.sub(r"[^\w-]", "_", key),
        verdict(cells, runtime),
        figure(cells),
        max(cell.promise for cell in cells),
        cells,
        whole,
        whole is None or not any(whole.histogram[2:]),
        list(dict.fromkeys(reason for cell in cells for reason in cell.reasons)),
    )


def _curve(entry: Entry) -> str:
    assert entry.record is not None
    dtype = entry.groups[0].dtype
    label = f"signed error of {entry.runtime.name} over the inputs, in ULP"
    return curve_svg(entry.record, dtype, entry.promise, _plain(label))


def _bars(entry: Entry) -> str:
    assert entry.record is not None
    label = f"errors of {entry.runtime.name} by size"
    return histogram_svg(entry.record.histogram, _plain(label))


def _printable(value: Any) -> Any:
    """Text without control characters, which no page may have; anything else as it is."""
    return _CONTROL.sub("?", value) if type(value) is str else value


def _plain(text: str) -> str:
    """Text that may stand in an attribute."""
    return re.sub(r"[^\w ,.:-]", "_", text)


def _shown(cell: Cell) -> tuple[list[Any], int]:
    """The cases of a cell that did not pass, the gravest first, and how many more there are."""
    if cell.record is None:
        return [], 0
    order = {"fail": 0, "known": 1, "n/a": 2}
    others = [item for item in cell.record.outcomes if item.status != "pass"]
    others.sort(key=lambda item: order[item.status])
    return others[:_SHOWN], max(0, len(others) - _SHOWN)
