"""How a node of opset 18 is written in opset 17, a rule for each operator."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnx_acts.definition.known import Shape
from onnx_acts.files.scopes import Values

__all__ = ["RULES", "Place"]


@dataclasses.dataclass(frozen=True)
class Place:
    """A node, and what is known where it stands.

    Attributes:
        node: the node; a rule changes it.
        values: the types and shapes of the values that it sees.
        constants: the small constants that it sees, by name.
    """

    node: onnx.NodeProto
    values: Values
    constants: Mapping[str, TensorProto | None]

    def refuse(self, reason: str) -> ValueError:
        """The error of a node that opset 17 has no equal for."""
        return ValueError(f"{self.node.op_type} ({self.node.name!r}): {reason}")

    def input(self, index: int) -> str:
        """The name of an input; "" where it is left out."""
        return self.node.input[index] if index < len(self.node.input) else ""

    def numbers(self, index: int) -> list[Any] | None:
        """The numbers of an input that is a constant; None where there is no such input."""
        name = self.input(index)
        if not name:
            return None
        tensor = self.constants.get(name)
        if tensor is None:
            raise self.refuse(f"its input {name!r} is computed, and opset 17 needs a constant")
        return list(numpy_helper.to_array(tensor).reshape(-1).tolist())

    def shape(self) -> Shape:
        """The shape of the first input."""
        shape = self.values[self.node.input[0]].shape
        if shape is None:
            raise self.refuse("how many dimensions its input has is not known")
        return shape

    def attribute(self, name: str, default: Any) -> Any:
        """An attribute's value."""
        for item in self.node.attribute:
            if item.name == name:
                return helper.get_attribute_value(item)
        return default

    def drop(self, *names: str) -> None:
        """Removes attributes."""
        kept = [item for item in self.node.attribute if item.name not in names]
        del self.node.attribute[:]
        self.node.attribute.extend(kept)

    def constant(self, index: int, values: np.ndarray[Any, Any]) -> list[onnx.NodeProto]:
        """Makes a new constant the input at `index`; the nodes that it needs."""
        name = f"{self.node.output[0]}_opset17_{index}"
        while len(self.node.input) <= index:
            self.node.input.append("")
        self.node.input[index] = name
        return [helper.make_node("Constant", [], [name], value=numpy_helper.from_array(values))]

    def cut(self, count: int) -> None:
        """Removes the inputs from `count` on, and empty ones before."""
        del self.node.input[count:]
        while self.node.input and not self.node.input[-1]:
            del self.node.input[-1]


Rule = Callable[[Place], list[onnx.NodeProto]]
"""Changes a node, and returns the nodes that must stand before it."""


def _reduce(place: Place) -> list[onnx.NodeProto]:
    """Axes become an attribute."""
    axes = place.numbers(1)
    if not axes and place.attribute("noop_with_empty_axes", 0):
        raise place.refuse("without axes it leaves its input as it is")
    place.cut(1)
    place.drop("noop_with_empty_axes")
    if axes:
        place.node.attribute.append(helper.make_attribute("axes", axes))
    return []


def _split(place: Place) -> list[onnx.NodeProto]:
    """A number of outputs becomes their sizes: all of one size, the last one what is left."""
    parts = place.attribute("num_outputs", None)
    place.drop("num_outputs")
    if parts is None:
        return []
    shape = place.shape()
    size = shape[place.attribute("axis", 0)]
    if not isinstance(size, int):
        raise place.refuse("it splits a dynamic dimension into a number of parts")
    part = -(-size // parts)
    sizes = [part] * (parts - 1) + [size - part * (parts - 1)]
    return place.constant(1, np.array(sizes, np.int64))


def _pad(place: Place) -> list[onnx.NodeProto]:
    """Pads of some axes become those of all."""
    axes = place.numbers(3)
    if axes is None:
        place.cut(3)
        return []
    pads, rank = place.numbers(1) or [], len(place.shape())
    full = np.zeros(2 * rank, np.int64)
    for i, axis in enumerate(axes):
        full[axis % rank] = pads[i]
        full[axis % rank + rank] = pads[i + len(axes)]
    before = place.constant(1, full)
    place.cut(3)
    return before


def _resize(place: Place) -> list[onnx.NodeProto]:
    """Scales or sizes of some axes become those of all; no antialiasing, no kept ratio."""
    if place.attribute("antialias", 0):
        raise place.refuse("opset 17 has no antialiasing")
    policy = place.attribute("keep_aspect_ratio_policy", b"stretch")
    if policy != b"stretch" and place.input(3):
        raise place.refuse(f"opset 17 has no keep_aspect_ratio_policy={policy.decode()!r}")
    axes = place.attribute("axes", None)
    place.drop("antialias", "keep_aspect_ratio_policy", "axes")
    if axes is None:
        return []
    shape = place.shape()
    if place.input(1):
        raise place.refuse("it has both axes and a region")
    index = 3 if place.input(3) else 2
    given = place.numbers(index) or []
    full: list[Any] = [1.0] * len(shape) if index == 2 else list(shape)
    for axis, number in zip(axes, given, strict=True):
        full[axis % len(shape)] = number
    if not all(isinstance(number, int | float) for number in full):
        raise place.refuse("it sets the sizes of some axes, and others are dynamic")
    return place.constant(index, np.array(full, np.float32 if index == 2 else np.int64))


def _scatter(place: Place) -> list[onnx.NodeProto]:
    """The same, without minima and maxima."""
    reduction = place.attribute("reduction", b"none").decode()
    if reduction in ("min", "max"):
        raise place.refuse(f"opset 17 has no reduction={reduction!r}")
    return []


def _lp_pool(place: Place) -> list[onnx.NodeProto]:
    """The same, without dilations and rounding up."""
    if place.attribute("ceil_mode", 0) or any(
        size != 1 for size in place.attribute("dilations", ())
    ):
        raise place.refuse("opset 17 has neither ceil_mode nor dilations")
    place.drop("ceil_mode", "dilations")
    return []


_REDUCTIONS: Sequence[str] = (
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSumSquare",
)

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_REDUCTIONS, _reduce),
    "LpPool": _lp_pool,
    "Pad": _pad,
    "Resize": _resize,
    "ScatterElements": _scatter,
    "ScatterND": _scatter,
    "Split": _split,
}
"""The operators that opset 18 changed; those that it brought have none."""
