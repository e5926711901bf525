"""The tables of docs/security.md: `python -m tests.attacks.page` writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.attacks import files, requests
from tests.attacks.attack import Attack

__all__ = ["GROUPS", "PAGE", "with_tables"]

PAGE = Path(__file__).parents[2] / "docs" / "security.md"

GROUPS: dict[str, Sequence[Attack[Any]]] = {
    "files": files.ATTACKS,
    "requests": requests.ATTACKS,
}
"""By the name that the page's marks have."""


def with_tables(text: str) -> str:
    """The page with the table of each group between its marks."""
    for name, attacks in GROUPS.items():
        start, end = f"<!-- {name}: written by `make tables` -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        _, mark, after = rest.partition(end)
        assert mark, f"the page has no marks for {name}"
        text = f"{before}{start}{_table(attacks)}{end}{after}"
    return text


def _table(attacks: Sequence[Attack[Any]]) -> str:
    rows = [f"| {item.name} | {item.tries} | {item.stopped_by} |\n" for item in attacks]
    return "| attack | what it tries | what stops it |\n|---|---|---|\n" + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
