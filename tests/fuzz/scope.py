"""A graph that grows: nodes, constants and values whose shapes are known while it is drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tests.fuzz.case import EXACT, Array, Error

__all__ = ["FLOATS", "Scope", "State", "Value", "onnx_type"]

T = TypeVar("T")
FLOATS = ("float32", "float16", "float64")


def onnx_type(dtype: str) -> int:
    """The number of `TensorProto.DataType`."""
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


@dataclasses.dataclass(frozen=True)
class Value:
    """A value of a graph, with the shape that it has for the first set of inputs."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    error: Error = EXACT

    @property
    def epsilon(self) -> float:
        """The distance from 1 to the next number."""
        return float(np.finfo(self.dtype).eps)


class State:
    """What all graphs of a model share; draws are asked from here.

    They come from one of Hypothesis's random generators. After each case Hypothesis would try five
    more in which draws of one strategy have changed places, half of which are copies; of these it
    knows nothing.

    Attributes:
        opset: the model's version of the standard operators.
        ir_version: the model's.
        feeds: the inputs so far.
        inputs: their declarations.
        dtypes: the element types that activations have.
        is_enlarged: a PRelu's slope has enlarged x, which shape inference takes for x's shape; what
            ONNX Runtime makes of nodes after that is luck.
    """

    def __init__(self, random: Random) -> None:
        self.opset = self.ir_version = 0
        self.feeds: dict[str, Array] = {}
        self.inputs: list[onnx.ValueInfoProto] = []
        self.functions: list[onnx.FunctionProto] = []
        self.dtypes: set[str] = set()
        self.is_enlarged = False
        self._random = random
        self._names = 0

    def integer(self, low: int, high: int) -> int:
        """An integer, both ends included; shrinks to the low one."""
        return self._random.randint(low, high)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices; shrinks to the first."""
        return choices[self.integer(0, len(choices) - 1)]

    def chance(self, percent: int) -> bool:
        """True that often; shrinks to False."""
        return self.integer(0, 99) >= 100 - percent

    def name(self, prefix: str = "v") -> str:
        """A name that nothing else has."""
        self._names += 1
        return f"{prefix}{self._names}"


class Scope:
    """One graph, subgraph or function.

    Attributes:
        kind: "graph", "subgraph" or "function".
        opset: a function may have another one than the model.
        formals: a function's inputs, by name, and what the caller gives for them.
    """

    def __init__(self, state: State, kind: str = "graph", outer: Scope | None = None) -> None:
        self.state, self.kind, self.outer = state, kind, outer
        self.opset: int = outer.opset if outer else state.opset
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.formals: dict[str, str] = {}

    @property
    def main(self) -> Scope:
        """The model's graph."""
        return self.outer.main if self.outer else self

    @property
    def function(self) -> Scope | None:
        """The function that this scope is or stands in."""
        return self if self.kind == "function" or not self.outer else self.outer.function

    @property
    def in_function(self) -> bool:
        """Whether values of the model's graph are out of sight."""
        return self.kind == "function" or bool(self.outer and self.outer.in_function)

    def add(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """Adds a node with one output and returns its name."""
        output = self.state.name()
        self.nodes.append(helper.make_node(op_type, inputs, [output], **attributes))
        return output

    def initializer(self, array: Array, name: str = "") -> str:
        """Adds an initializer."""
        name = name or self.state.name("c")
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def node_constant(self, array: Array) -> str:
        """Adds a Constant node, in one of the forms that the opset has for it."""
        plain = {"float32": "value_float", "int64": "value_int"}.get(array.dtype.name)
        short = self.opset >= 12 and plain is not None and array.ndim <= 1 and array.size > 0
        if short and self.state.chance(30):
            return self.add("Constant", **{f"{plain}{array.ndim * 's'}": array.tolist()})
        return self.add("Constant", value=numpy_helper.from_array(array, "v"))

    def integers(self, *numbers: int) -> str:
        """A constant list of sizes or axes."""
        array = np.array(numbers, np.int64)
        return self.node_constant(array) if self.in_function else self.main.initializer(array)

    def squeeze(self, name: str, axes: Sequence[int], rank: int) -> str:
        """Squeeze, as the opset writes it; `rank` is that of the value with those axes."""
        return self._axes("Squeeze", name, axes, rank)

    def unsqueeze(self, name: str, axes: Sequence[int], rank: int) -> str:
        """Unsqueeze, as the opset writes it; `rank` is that of the result."""
        return self._axes("Unsqueeze", name, axes, rank)

    def _axes(self, op_type: str, name: str, axes: Sequence[int], rank: int) -> str:
        """Axes in any order, counted from either end: ONNX Runtime takes both at every opset,
        its shape inference not below 11.
        """
        if not axes:
            return self.add(op_type, name)
        wanted, chance = list(axes), 50 if self.opset < 11 else 30
        if self.state.chance(chance):
            wanted.reverse()
        if self.state.chance(chance):
            wanted = [axis - rank for axis in wanted]
        if self.opset < 13:
            return self.add(op_type, name, axes=wanted)
        return self.add(op_type, name, self.integers(*wanted))
