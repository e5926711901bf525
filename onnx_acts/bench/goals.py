"""How fast our kernels are meant to be, as ratios, and whether a run's rows show it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from onnx_acts.bench.measure import Row
from onnx_acts.bench.peers import OURS

__all__ = ["GOALS", "Goal", "goal_table"]

_SIZES = ("1x64x112x112", "32x64x112x112")


@dataclasses.dataclass(frozen=True)
class Goal:
    """One ratio to reach, at every number of threads.

    Attributes:
        operator: the operator's name.
        dtype: the element type.
        sizes: names of shapes.
        limit: the ratio.
        versus: "standard" where the standard node must take at least `limit` times our time;
            "copy" where we may take at most `limit` times a copy's time.
    """

    operator: str
    dtype: str
    sizes: tuple[str, ...]
    limit: float
    versus: str

    def measured(self, row: Row) -> float | None:
        """The ratio in a row, None where the goal is not about it or a time is missing."""
        if (row.operator, row.dtype) != (self.operator, self.dtype) or row.size not in self.sizes:
            return None
        return row.to_copy(OURS) if self.versus == "copy" else row.to_ours(self.versus)

    def reached(self, ratio: float) -> bool:
        """Whether a ratio is good enough."""
        return ratio <= self.limit if self.versus == "copy" else ratio >= self.limit

    @property
    def text(self) -> str:
        """The goal in words."""
        if self.versus == "copy":
            return f"ours / copy: at most {self.limit:g}"
        return f"{self.versus} / ours: at least {self.limit:g}"


GOALS: tuple[Goal, ...] = (
    Goal("PReLU", "float32", _SIZES, 10, "standard"),
    Goal("ELU", "float32", _SIZES, 3, "standard"),
    Goal("PReLU", "float32", _SIZES[1:], 2, "copy"),
    Goal("ELU", "float32", _SIZES[1:], 2, "copy"),
)


def goal_table(rows: Sequence[Row]) -> list[str]:
    """A Markdown table of the goals that the rows are about; empty where there are none."""
    lines = []
    for goal in GOALS:
        for row in rows:
            ratio = goal.measured(row)
            if ratio is not None:
                where = f"{row.operator} | {row.dtype} | {row.size} | {row.threads}"
                verdict = "yes" if goal.reached(ratio) else "no"
                lines.append(f"| {where} | {goal.text} | {ratio:.3g} | {verdict} |")
    if not lines:
        return []
    heading = "| operator | type | size | threads | goal | measured | reached |"
    return [heading, "|---|---|---|---:|---|---:|---|", *lines]
