"""An attack on the package: what it tries, what stops it, and a program that tries it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["Attack", "table"]


@dataclasses.dataclass(frozen=True)
class Attack:
    """An attack.

    Attributes:
        through: what the attacker has in hand: a model, a checkpoint, ...
        tries: what it tries.
        stopped_by: what stops it.
        run: tries it in an empty folder; fails if it succeeds.
    """

    through: str
    tries: str
    stopped_by: str
    run: Callable[[Path], None]


def table(attacks: Sequence[Attack]) -> str:
    """The attacks as a Markdown table."""
    rows = ["| through | tries | stopped by |", "|---|---|---|"]
    rows += [f"| {item.through} | {item.tries} | {item.stopped_by} |" for item in attacks]
    return "\n".join(rows) + "\n"
