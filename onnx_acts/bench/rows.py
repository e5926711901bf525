"""What was measured: one row for each operator or network, as ratios; to JSON and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from onnx_acts.bench.peers import COPIES, OURS
from onnx_acts.bench.timing import Measurement
from onnx_acts.bench.workload import SIZES

__all__ = ["Row", "environment_lines", "from_json", "json_text"]


@dataclasses.dataclass(frozen=True)
class Row:
    """One operator or network, element type, size and number of threads.

    Attributes:
        name: the operator's or network's name.
        dtype: the element type.
        size: the name of x's shape; of a network, the shape.
        threads: the number of threads.
        times: measurements by peer.
        absent: why the other peers were not measured.
        shares: of a network: which part of the run its activation nodes take, by peer.
    """

    name: str
    dtype: str
    size: str
    threads: int
    times: Mapping[str, Measurement]
    absent: Mapping[str, str]
    shares: Mapping[str, float] | None = None

    @property
    def copy(self) -> float | None:
        """The time of the faster copy."""
        return min((self.times[n].median for n in COPIES if n in self.times), default=None)

    @property
    def ours(self) -> float | None:
        """Our own time."""
        return self.times[OURS].median if OURS in self.times else None

    def to_copy(self, peer: str) -> float | None:
        """A peer's time over the copy's, None where either was not measured."""
        return self.times[peer].median / self.copy if peer in self.times and self.copy else None

    def to_ours(self, peer: str) -> float | None:
        """A peer's time over ours, None where either was not measured."""
        return self.times[peer].median / self.ours if peer in self.times and self.ours else None


def json_text(rows: Sequence[Row], environment: dict[str, Any]) -> str:
    """Everything, as JSON; times are in seconds."""
    content = {
        "environment": environment,
        "rows": [
            {
                **dataclasses.asdict(row),
                "to_copy": {name: row.to_copy(name) for name in row.times},
                "to_ours": {name: row.to_ours(name) for name in row.times},
            }
            for row in rows
        ],
    }
    return json.dumps(content, indent=1) + "\n"


def from_json(text: str) -> tuple[list[Row], dict[str, Any]]:
    """Reads what `json_text` wrote.

    Raises:
        ValueError: it is something else.
    """
    try:
        content = json.loads(text)
        rows, environment = [_row(item) for item in content["rows"]], dict(content["environment"])
        environment_lines(environment)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"this is not what `onnx-acts bench --json` writes ({type(error).__name__}: {error})"
        ) from error
    return rows, environment


def _row(item: dict[str, Any]) -> Row:
    times = {name: _measurement(found) for name, found in item["times"].items()}
    shares = item["shares"]
    if shares is not None:
        shares = {name: float(share) for name, share in shares.items()}
    elif item["size"] not in SIZES:
        raise ValueError(f"unknown size {item['size']!r}")
    name, dtype, size = (str(item[key]) for key in ("name", "dtype", "size"))
    return Row(name, dtype, size, int(item["threads"]), times, dict(item["absent"]), shares)


def _measurement(found: dict[str, Any]) -> Measurement:
    first, third = map(float, found["quartiles"])
    median, faults = float(found["median"]), float(found["page_faults"])
    return Measurement(median, (first, third), int(found["turns"]), int(found["calls"]), faults)


def environment_lines(environment: dict[str, Any]) -> list[str]:
    """Machine, date, versions and command; the last two as far as an earlier run recorded them."""
    packages = ", ".join(f"{k} {v}" for k, v in environment["packages"].items() if v)
    level = environment["library"].get("isa", "none")
    cpu = f"{environment['cpu']}, {environment['cpu_count']} CPUs"
    lines = [
        f"machine: {cpu}, instruction set level {level}",
        f"versions: {packages}; Python {environment['python']}; {environment['system']}",
    ]
    return lines + [
        f"{key}: {environment[key]}" for key in ("date", "command") if key in environment
    ]
