"""The sizes that torch allows for the dynamic dimensions of a captured program."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind

__all__ = ["Dimension", "dynamic_dimensions"]


@dataclasses.dataclass(frozen=True)
class Dimension:
    """A dynamic dimension of the file.

    Attributes:
        name: its symbol.
        places: where it is: the place of the input, and the axis.
        lower: the smallest size that torch allows.
        upper: the largest one; None where there is none.
    """

    name: str
    places: tuple[tuple[int, int], ...]
    lower: int
    upper: int | None

    def allows(self, size: int) -> bool:
        """Whether torch's range has a size."""
        return self.lower <= size and (self.upper is None or size <= self.upper)


def dynamic_dimensions(
    model: onnx.ModelProto, program: ExportedProgram | None, tensors: Sequence[torch.Tensor]
) -> list[Dimension]:
    """The symbols of a file's inputs that stand alone, not in an expression like 2*height.

    Args:
        model: the exported model.
        program: what it was made of.
        tensors: the example inputs, in the order of the graph's inputs.
    """
    names = [
        [size.dim_param for size in item.type.tensor_type.shape.dim] for item in model.graph.input
    ]
    places: dict[str, list[tuple[int, int]]] = {}
    for i, symbols in enumerate(names[: len(tensors)]):
        for axis, name in enumerate(symbols):
            if name:
                places.setdefault(name, []).append((i, axis))
    simple = [name for name in places if name.isidentifier()]
    used = " ".join(name for name in places if not name.isidentifier())
    shapes = [] if program is None else _shapes(program)
    ranges = {} if program is None else program.range_constraints
    found = []
    for name in simple:
        if name not in used:
            lower, upper = _range(shapes, ranges, places[name][0])
            found.append(Dimension(name, tuple(places[name]), lower, upper))
    return found


def _shapes(program: ExportedProgram) -> list[Any]:
    """The shapes of the tensors that the user gives, in order, with torch's symbols."""
    given = {
        item.arg.name
        for item in program.graph_signature.input_specs
        if item.kind == InputKind.USER_INPUT and hasattr(item.arg, "name")
    }
    values = (
        node.meta.get("val")
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in given
    )
    return [value.shape for value in values if isinstance(value, torch.Tensor)]


def _range(
    shapes: list[Any], ranges: Mapping[Any, Any], place: tuple[int, int]
) -> tuple[int, int | None]:
    """The range of one dimension; from 1 up where torch tells of none."""
    i, axis = place
    size = shapes[i][axis] if i < len(shapes) and axis < len(shapes[i]) else None
    found = ranges.get(size.node.expr) if isinstance(size, torch.SymInt) else None
    if found is None:
        return 1, None
    is_limited = getattr(found.upper, "is_Integer", False) and found.upper < 2**31
    return max(1, int(found.lower)), int(found.upper) if is_limited else None
