"""How fast our kernels are meant to be, as data, and whether a run's rows show it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from onnx_acts.bench.peers import BODIES, COLUMN, ORT_RELU, OURS, PROVIDED
from onnx_acts.bench.rows import Row
from onnx_acts.bench.variants import FULL_SLOPE, SLOPES
from onnx_acts.bench.workload import LARGE, LEAKY_FAMILY
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS

__all__ = ["ASKS", "GOALS", "Ask", "Goal", "goal_table"]


@dataclasses.dataclass(frozen=True)
class Ask:
    """A number that a row shows, and whether it must be small or large.

    Attributes:
        text: what it is.
        at_most: a goal is an upper limit; else a lower one.
        measure: the number in a row, None where a time is missing.
        unit: of the number, for people.
    """

    text: str
    at_most: bool
    measure: Callable[[Row], float | None]
    unit: str = ""


def _to_peer(peer: str) -> Callable[[Row], float | None]:
    """Our time over a peer's."""

    def measure(row: Row) -> float | None:
        ratio = row.to_ours(peer)
        return 1 / ratio if ratio else None

    return measure


def _microseconds_above(peer: str) -> Callable[[Row], float | None]:
    """By how much our time is above a peer's."""

    def measure(row: Row) -> float | None:
        if row.ours is None or peer not in row.times:
            return None
        return (row.ours - row.times[peer].median) * 1e6

    return measure


def _provider_above_ours(row: Row) -> float | None:
    """By how much a node on the execution provider takes longer than our own node."""
    above = _microseconds_above(PROVIDED)(row)
    return None if above is None else -above


def _slope_by_bytes(row: Row) -> float | None:
    """The time for each byte with a slope as large as x, which moves 3 tensors, not 2."""
    ratio = row.to_ours(FULL_SLOPE)
    return ratio * 2 / 3 if ratio else None


def _column(row: Row) -> float | None:
    """A body's time for x of a shape that ends in 1 over its time for x as it is."""
    if BODIES not in row.times or COLUMN not in row.times:
        return None
    return row.times[COLUMN].median / row.times[BODIES].median


def _share(row: Row) -> float | None:
    return 100 * row.shares[OURS] if row.shares and OURS in row.shares else None


def _peer(name: str) -> Ask:
    return Ask(f"{name} / ours", False, lambda row: row.to_ours(name))


def _slope(name: str) -> Ask:
    if name == FULL_SLOPE:
        return Ask(f"{name} / per channel, by bytes", True, _slope_by_bytes)
    return Ask(f"{name} / per channel", True, lambda row: row.to_ours(name))


ASKS: Mapping[str, Ask] = {
    "copy": Ask("ours / copy", True, lambda row: row.to_copy(OURS)),
    **{name: _peer(name) for name in ("standard", "pytorch", "compiled", "openvino")},
    "ort-relu": Ask("ours / ONNX Runtime's Relu", True, _to_peer(ORT_RELU)),
    "above ort-relu": Ask(
        "ours - ONNX Runtime's Relu", True, _microseconds_above(ORT_RELU), " µs a node"
    ),
    PROVIDED: Ask("provider / ours", True, lambda row: row.to_ours(PROVIDED)),
    "provider above ours": Ask("provider - ours", True, _provider_above_ours, " µs a node"),
    **{name: _slope(name) for name in SLOPES},
    COLUMN: Ask("body, x ends in 1 / body", True, _column),
    "share": Ask("activation nodes' share of the run", True, _share, " %"),
}
"""Every number that a goal can be about."""


@dataclasses.dataclass(frozen=True)
class Goal:
    """One number to reach, at every number of threads.

    Attributes:
        names: operators or networks.
        dtypes: element types.
        sizes: names of shapes; none given: every one.
        ask: which number, of `ASKS`.
        limit: what it must be, at most or at least.
        level: the instruction-set level of the library that it is about, "" is every one.
    """

    names: Sequence[str]
    dtypes: Sequence[str]
    sizes: Sequence[str]
    ask: str
    limit: float
    level: str = ""

    def about(self, row: Row, level: str) -> bool:
        """Whether the goal is about a row, measured at a level."""
        return (
            row.name in self.names
            and row.dtype in self.dtypes
            and (not self.sizes or row.size in self.sizes)
            and self.level in ("", level)
        )

    def measured(self, row: Row) -> float | None:
        """The number in a row, None where a time is missing."""
        return ASKS[self.ask].measure(row)

    def reached(self, number: float) -> bool:
        """Whether a number is good enough."""
        return number <= self.limit if ASKS[self.ask].at_most else number >= self.limit

    @property
    def text(self) -> str:
        """The goal in words."""
        ask = ASKS[self.ask]
        return f"{ask.text}: at {'most' if ask.at_most else 'least'} {self.limit:g}{ask.unit}"


_ALL = tuple(spec.name for spec in SPECS)
_F32, _F64, _16_BIT = ("float32",), ("float64",), ("float16", "bfloat16")
_IN_CACHE, _BEYOND = LARGE[:1], LARGE[1:]
_SINGLE = (*LARGE, "16K", "1")
_PRELU_NETWORKS = ("iresnet18-prelu", "fsrcnn-prelu", "edsr-prelu")

GOALS: tuple[Goal, ...] = (
    Goal(LEAKY_FAMILY, _F32, _BEYOND, "copy", 1.1),
    Goal(("ELU",), _F32, _BEYOND, "copy", 1.25, level="v4"),
    Goal(("ELU",), _F32, _BEYOND, "copy", 2, level="v3"),
    Goal(("PReLU",), _F32, _IN_CACHE, "copy", 1.5),
    Goal(("ELU",), _F32, _IN_CACHE, "copy", 3.5),
    Goal(LEAKY_FAMILY, _F32, ("chain-16K",), "ort-relu", 1.2),
    Goal(LEAKY_FAMILY, _F32, ("chain-1",), "above ort-relu", 0.15),
    Goal(_ALL, ELEMENT_TYPES, ("chain-1",), "provider above ours", 0.15),
    Goal(("ELU",), _F32, ("chain-16K",), "standard", 5),
    *(Goal(("PReLU",), _F32, LARGE, name, 1.3) for name in SLOPES),
    Goal(LEAKY_FAMILY, _16_BIT, _BEYOND, "copy", 1.3),
    Goal(("ELU",), _16_BIT, _BEYOND, "copy", 2),
    Goal(LEAKY_FAMILY, _F64, _BEYOND, "copy", 1.1),
    Goal(("PReLU",), _F64, _IN_CACHE, "copy", 1.5),
    Goal(("ELU",), _F64, LARGE, "pytorch", 2),
    Goal(_ALL, ELEMENT_TYPES, (), COLUMN, 1.5),
    Goal(("PReLU",), _F32, LARGE, "standard", 18),
    Goal(("ELU",), _F32, LARGE, "standard", 6),
    Goal(("ReLU", "LeakyReLU"), _F32, LARGE, "standard", 1),
    *(Goal(_ALL, _F32, _SINGLE, peer, 0.97) for peer in ("pytorch", "compiled", "openvino")),
    Goal(("iresnet18-prelu",), _F32, (), "standard", 1.4),
    Goal(("fsrcnn-prelu",), _F32, (), "standard", 1.45),
    Goal(("edsr-prelu",), _F32, (), "standard", 1.8),
    Goal(("iresnet18-elu",), _F32, (), "standard", 1.1),
    Goal((*_PRELU_NETWORKS, "iresnet18-elu"), _F32, (), PROVIDED, 1.03),
    Goal(_PRELU_NETWORKS, _F32, (), "openvino", 1),
    Goal(("iresnet18-prelu", "edsr-prelu", "iresnet18-elu"), _F32, (), "share", 3),
    Goal(("fsrcnn-prelu",), _F32, (), "share", 8),
)
"""Within 3 % of the fastest counts as ahead; the others have no margin."""


def goal_table(rows: Sequence[Row], level: str) -> list[str]:
    """A Markdown table of the goals that the rows are about; empty where there are none.

    Args:
        rows: what was measured.
        level: the library's instruction-set level.
    """
    found = list(_found(rows, level))
    if not found:
        return []
    reached = sum(goal.reached(number) for goal, _, number in found)
    lines = [f"{reached} of {len(found)} reached.", ""]
    lines.append("| name | type | size | threads | asked | measured | reached |")
    lines.append("|---|---|---|---:|---|---:|---|")
    for goal, row, number in found:
        where = f"{row.name} | {row.dtype} | {row.size} | {row.threads}"
        verdict = "yes" if goal.reached(number) else "no"
        lines.append(f"| {where} | {goal.text} | {number:.3g} | {verdict} |")
    return lines


def _found(rows: Sequence[Row], level: str) -> Iterator[tuple[Goal, Row, float]]:
    for goal in GOALS:
        for row in rows:
            number = goal.measured(row) if goal.about(row, level) else None
            if number is not None:
                yield goal, row, number
