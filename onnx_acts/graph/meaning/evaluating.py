"""Describes the values of a graph as functions of one of them, x."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import numpy as np
import onnx

from onnx_acts.definition.known import Shape
from onnx_acts.graph.match import shape_fits
from onnx_acts.graph.meaning import values
from onnx_acts.graph.meaning.values import Permutation, Value
from onnx_acts.graph.view import Array, View

__all__ = ["Constant", "Described", "Evaluation", "Operator", "ShapeOf", "Unknown", "Window"]


T = TypeVar("T")


class Unknown(Exception):  # noqa: N818  # it is an answer, no error
    """Nothing is known of a value."""


@dataclasses.dataclass(frozen=True)
class Constant:
    """A constant that has not met a value yet, whose permutation its dimensions will have."""

    array: Array


@dataclasses.dataclass(frozen=True)
class ShapeOf:
    """The shape of a value that has x's shape, permuted."""

    permutation: Permutation


Described = Value | Constant | ShapeOf


@dataclasses.dataclass(frozen=True)
class Operator:
    """How an ONNX operator is evaluated.

    Attributes:
        apply: describes a node's output.
        text: its formula, with {0}, {1}, ... for its inputs; empty where it shows the first alone.
        bends: its output may have a bend at 0 where its inputs have none.
        ends: a form may end in it.
        attributes: those that it may have.
    """

    apply: Callable[[Evaluation, onnx.NodeProto], Described]
    text: str = ""
    bends: bool = False
    ends: bool = False
    attributes: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Window:
    """Which elements of the constants are looked at: some of all, in x's order of dimensions."""

    shape: tuple[int, ...]
    elements: slice

    def of(self, array: Array) -> Array:
        """Those of one constant."""
        if array.size == 1:
            return array.reshape(-1)
        return np.broadcast_to(array, self.shape).reshape(-1)[self.elements]


class Evaluation:
    """The values between x and a value that depends on it.

    Attributes:
        view: the graph.
        x: the input's name.
        dtype: its element type.
        shapes: the shapes of the constants that were met, in x's order of dimensions.
        constants: those that met values in x's order, by name.
        slope_shape: the shape that the slope needs beside x, where it must be reshaped.
        obstacle: why a constant or the slope might not fit x; empty where all fit.
        assumed: what was assumed and is not so; empty where nothing was.
    """

    def __init__(
        self,
        view: View,
        operators: Mapping[str, Operator],
        given: Mapping[str, Value],
        dtype: np.dtype[Any],
        slope: str | None = None,
        window: Window | None = None,
    ) -> None:
        """Starts from x (the first of `given`) and, perhaps, a slope that is no constant.

        Without a window one element of each constant is looked at.
        """
        self.view, self.dtype, self._operators = view, dtype, operators
        self.x = next(iter(given))
        self.shapes: list[tuple[int, ...]] = []
        self.obstacle = self.assumed = ""
        self.constants: dict[str, Array] = {}
        self._slope = slope
        self.slope_shape: tuple[int, ...] | None = None
        self._window = window
        self._known: dict[str, Described] = dict(given)

    def assume(self, reason: str, result: T) -> T:
        """Notes that a result is right but for something, of which there may be one.

        Raises:
            Unknown: something else was assumed before.
        """
        if self.assumed not in ("", reason):
            raise Unknown(reason)
        self.assumed = reason
        return result

    def described(self, name: str) -> Described:
        """Describes a value.

        Raises:
            Unknown: nothing is known of it.
        """
        if name not in self._known:
            self._known[name] = self._computed(name)
        return self._known[name]

    def value(self, name: str) -> Value:
        """Describes a value that depends on x."""
        found = self.described(name)
        if not isinstance(found, Value):
            raise Unknown(name)
        return found

    def x_in_order(self, order: Permutation) -> str:
        """A value that was met and is x with its dimensions permuted.

        Raises:
            Unknown: there is none.
        """
        for name, item in self._known.items():
            if isinstance(item, Value) and item.permutation == order and item.is_x:
                return name
        raise Unknown("order")

    def is_value(self, name: str) -> bool:
        """Tells whether a value was met and depends on x."""
        return isinstance(self._known.get(name), Value)

    def made_from(self, names: Collection[str]) -> list[str]:
        """The constants and shapes that were met and take their type or shape from some values."""
        found: list[str] = []
        for name, item in self._known.items():
            node = None if isinstance(item, Value) else self.view.maker(name)
            if node is not None and any(i in names or i in found for i in node.input):
                found.append(name)
        return found

    def operands(self, node: onnx.NodeProto) -> list[Value]:
        """Describes the inputs of a node, of which one depends on x, in one order of dimensions."""
        found = [(name, self.described(name)) for name in node.input]
        orders = {
            item.permutation
            for name, item in found
            if isinstance(item, Value) and name != self._slope
        }
        if len(orders) > 1:
            raise Unknown(node.op_type)
        order = orders.pop() if orders else ()
        result = []
        for name, item in found:
            if isinstance(item, Constant):
                result.append(self.constant(item.array, order))
                if not order:
                    self.constants[name] = item.array
            elif isinstance(item, Value):
                if name == self._slope:
                    self._meet_slope(order)
                is_in_order = item.permutation == order
                result.append(item if is_in_order else dataclasses.replace(item, permutation=order))
            else:
                raise Unknown(node.op_type)
        return result

    def constant(self, array: Array, order: Permutation) -> Value:
        """A constant beside values in some order of dimensions."""
        if array.dtype.kind in "OSU" or array.size == 0:
            raise Unknown("constant")
        shape = self._shape(order)
        if not (self.view.is_tolerant or shape_fits(array.shape, shape)):
            self.obstacle = "a slope or another constant in it might enlarge x"
            array = array.reshape(-1)[:1]
        ordered = array if array.size == 1 else _in_order_of_x(array, order)
        # What is 0 or 1 everywhere has no shape that a slope could have.
        if array.size > 1 and array.flat[0] in (0, 1) and np.all(array == array.flat[0]):
            ordered = ordered.reshape(-1)[:1]
        elif array.size > 1:
            self.shapes.append(ordered.shape)
        elements = ordered.reshape(-1)[:1] if self._window is None else self._window.of(ordered)
        return values.number(elements, order)

    def _meet_slope(self, order: Permutation) -> None:
        """Notes the shape of a slope that is no constant, in x's order of dimensions."""
        shape = self.view.shape(self._slope or "")
        if not (self.view.is_tolerant or shape_fits(shape, self._shape(order))):
            self.obstacle = "its slope might enlarge x"
        elif order:
            sizes = tuple(size for size in shape or () if isinstance(size, int))
            if len(sizes) < len(shape or ()) or sum(size != 1 for size in sizes) > 1:
                self.obstacle = "its slope would have to be transposed"
                return
            self.slope_shape = _in_order_of_x(np.empty(sizes), order).shape

    def _shape(self, order: Permutation) -> Shape | None:
        """The shape of x in some order of dimensions."""
        shape = self.view.shape(self.x)
        return shape if shape is None or not order else tuple(shape[axis] for axis in order)

    def _computed(self, name: str) -> Described:
        array = self.view.constant(name)
        if array is not None:
            return Constant(array)
        node = self.view.standard_maker(name, *self._operators)
        if node is None:
            raise Unknown(name)
        found = self._operators[node.op_type].apply(self, node)
        if isinstance(found, Value) and not found.is_known:
            raise Unknown(name)
        return found


def _in_order_of_x(array: Array, order: Permutation) -> Array:
    """A constant beside permuted values, with its dimensions in x's order."""
    if not order:
        return array
    full = array.reshape((1,) * (len(order) - array.ndim) + array.shape)
    return full.transpose(np.argsort(order))
