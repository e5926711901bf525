"""Tables for the documentation, derived from the operator table.

`python -m docs.tables README.md` writes them between their marks in a file.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from onnx_acts.definition.specs import SPECS, Attribute

__all__ = ["operator_table", "with_tables"]

_MARKED = re.compile(r"(<!-- operators: .*?-->\n).*?(<!-- end of operators -->)", re.DOTALL)


def operator_table() -> str:
    """The operators as a Markdown table."""
    rows = ["| operator | y | attributes | standard operator |", "|---|---|---|---|"]
    for spec in SPECS:
        attributes = ", ".join(_attribute(item) for item in spec.attributes)
        cells = (spec.name, spec.formula, attributes or "none", spec.standard_name or "none")
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def with_tables(text: str) -> str:
    """Returns a document with the marked tables made anew.

    Raises:
        ValueError: the document has no marks.
    """
    if not _MARKED.search(text):
        raise ValueError("no table is marked: <!-- operators: ... -->, <!-- end of operators -->")
    return _MARKED.sub(lambda found: found[1] + operator_table() + found[2], text)


def _attribute(attribute: Attribute) -> str:
    """An attribute with its default, and whether it must be positive."""
    condition = " (> 0)" if attribute.range == "positive" else ""
    return f"{attribute.name} = {_default(attribute)}{condition}"


def _default(attribute: Attribute) -> str:
    """A default value; thirds and eighths as people write them."""
    if attribute.kind == "real" and attribute.default in (1 / 3, 1 / 8):
        return f"1/{round(1 / attribute.default)}"
    return repr(attribute.default)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(with_tables(Path(name).read_text()))
