"""Which nodes ran, and on which execution provider: read from a profile of ONNX Runtime."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

__all__ = ["ExecutedNode", "executed_nodes"]


@dataclasses.dataclass(frozen=True)
class ExecutedNode:
    """A node that ran.

    Attributes:
        name: its name; ONNX Runtime makes one up where the model has none.
        operator: its operator.
        provider: the execution provider that ran it.
        number: the runtime's number of it.
    """

    name: str
    operator: str
    provider: str
    number: int


def executed_nodes(profile: str | Path) -> list[ExecutedNode]:
    """Reads the nodes from a profile of ONNX Runtime, each once, and removes the file."""
    path = Path(profile)
    events = json.loads(path.read_text("utf-8"))
    path.unlink()
    found = {}
    for event in events:
        details = event.get("args", {})
        if event.get("cat") == "Node" and "provider" in details:
            name = event["name"].removesuffix("_kernel_time")
            number = int(details["node_index"])
            found[name] = ExecutedNode(name, details["op_name"], details["provider"], number)
    return list(found.values())
