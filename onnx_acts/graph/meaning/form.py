"""The nodes between an input and a value: whether they are an activation, or what keeps them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import onnx

from onnx_acts.graph.folding import LARGEST_CONSTANT
from onnx_acts.graph.match import Match, Reshaped
from onnx_acts.graph.meaning.activations import Found, activation
from onnx_acts.graph.meaning.assuming import CHANGES_POSITIVE, wrong_side
from onnx_acts.graph.meaning.evaluating import Evaluation, Unknown, Window
from onnx_acts.graph.meaning.operators import OPERATORS
from onnx_acts.graph.meaning.points import points
from onnx_acts.graph.meaning.searching import Candidate
from onnx_acts.graph.meaning.values import Value, itself, number
from onnx_acts.graph.meaning.wording import formula
from onnx_acts.graph.view import Array, View

__all__ = ["Form"]

_ELEMENTS = 4096
"""How many elements of the constants are looked at together."""

_THROUGH = ("Identity", "Cast", "CastLike", "Transpose")
"""Operators that do not count as nodes of a form."""

_OURS = ("Celu", "Elu", "Relu", "Selu")
_TWIN = "its parts are of two values"


class Form:
    """The nodes between x and a root."""

    def __init__(
        self, view: View, root: onnx.NodeProto, candidate: Candidate, dtype: np.dtype[Any]
    ) -> None:
        self._view, self._root, self._candidate, self._dtype = view, root, candidate, dtype
        self._points = points(dtype, candidate.slope is not None, view.is_tolerant)

    def match(self) -> Match | None:
        """The activation; None where it is none.

        Raises:
            Unknown: nothing is known of what the nodes compute.
        """
        window = self._likely_window()
        evaluation, value = self._evaluated(window)
        is_part = bool(evaluation.obstacle) or (window is None and bool(evaluation.shapes))
        first = self._found(evaluation, value, is_part)
        if first is None:
            return None
        x = evaluation.x_in_order(value.permutation)
        inner = self._inner(evaluation, x)
        if not self._is_worth_telling(inner, first):
            return None
        found: Found | None = first
        if window is not None and set(evaluation.shapes) == {window.shape}:
            found = self._shaped(first, window.shape)
        elif evaluation.shapes and not evaluation.obstacle:
            found = self._whole(evaluation.shapes)
        return None if found is None else self._made(evaluation, x, inner, found)

    def _found(self, evaluation: Evaluation, value: Value, is_part: bool) -> Found | None:
        """The activation that a value is, or would be but for one thing."""
        found = activation(value, self._points, is_part)
        if found is None and not evaluation.assumed:
            wrong = wrong_side(value, self._root.op_type)
            return Found(wrong[0], value.a[0], False, wrong[1]) if wrong else None
        if found is not None and evaluation.assumed and not found.obstacle:
            return dataclasses.replace(found, is_approximate=False, obstacle=evaluation.assumed)
        return found

    def _evaluated(self, window: Window | None) -> tuple[Evaluation, Value]:
        x, slope, twin = self._candidate.x, self._candidate.slope, self._candidate.twin
        given = {x: itself(self._points.x)}
        if slope is not None:
            probes = number(self._points.probes[0])
            given[slope] = dataclasses.replace(probes, at=self._points.slope, degree=1)
        if twin is not None:
            given[twin] = given[x]
        evaluation = Evaluation(self._view, OPERATORS, given, self._dtype, slope, window)
        if twin is not None:
            evaluation.assume(_TWIN, None)
        try:
            value = OPERATORS[self._root.op_type].apply(evaluation, self._root)
        except ValueError as error:  # shapes that do not broadcast: no valid model
            raise Unknown(self._root.op_type) from error
        if not isinstance(value, Value) or value.at.dtype != self._dtype:
            raise Unknown(self._root.op_type)
        return evaluation, value

    def _is_worth_telling(self, inner: tuple[str, ...], found: Found) -> bool:
        """Tells whether a form has more than one node, and a near miss looks like an activation.

        A sum with a Relu does not, nor does max(x, z/2); and what is nearly a ReLU has names of its
        own: Relu6, ThresholdedRelu, the gradient where(x > 0, z, 0).
        """
        nodes = [node for node in map(self._view.maker, inner) if node is not None]
        count = sum(node.op_type not in _THROUGH for node in nodes)
        if found.obstacle and found.operator == "ReLU":
            return False
        if self._candidate.twin is not None:
            return count > 1
        if found.obstacle == CHANGES_POSITIVE and any(node.op_type in _OURS for node in nodes):
            return False
        return count > 0 or self._root.op_type in ("Celu", "Selu")

    def _likely_window(self) -> Window | None:
        """All elements of the constants, where their shapes show at once how many there are."""
        shapes = self._candidate.shapes
        size = math.prod(next(iter(shapes))) if len(shapes) == 1 else 0
        return Window(next(iter(shapes)), slice(0, size)) if 0 < size <= _ELEMENTS else None

    def _shaped(self, found: Found, shape: tuple[int, ...]) -> Found:
        """Parameters with the dimensions of the constants."""
        every = np.broadcast_to(found.parameters, math.prod(shape))
        return dataclasses.replace(found, parameters=every.reshape(shape))

    def _whole(self, shapes: list[tuple[int, ...]]) -> Found | None:
        """Looks at every element of the constants."""
        try:
            shape = np.broadcast_shapes(*shapes)
        except ValueError:
            return None
        size, parts = math.prod(shape), []
        if size > LARGEST_CONSTANT:
            return None
        for start in range(0, size, _ELEMENTS):
            part = slice(start, min(size, start + _ELEMENTS))
            found = self._found(*self._evaluated(Window(shape, part)), is_part=True)
            if found is None:
                return None
            every = np.broadcast_to(found.parameters, part.stop - part.start)
            parts.append(dataclasses.replace(found, parameters=every))
        names = {part.operator for part in parts}
        if not parts or len(names) > 1 or all((part.parameters == 1).all() for part in parts):
            return None
        parameters = np.concatenate([part.parameters for part in parts]).reshape(shape)
        obstacle = next((part.obstacle for part in parts if part.obstacle), "")
        is_approximate = not obstacle and any(part.is_approximate for part in parts)
        return Found(names.pop(), parameters, is_approximate, obstacle)

    def _inner(self, evaluation: Evaluation, x: str) -> tuple[str, ...]:
        """The values that depend on x and are met between it and the root."""
        found: dict[str, None] = {}
        waiting = list(self._root.input)
        ends = {x, self._candidate.x, self._candidate.slope, self._candidate.twin}
        while waiting:
            name = waiting.pop()
            node = self._view.maker(name)
            if name in found or name in ends or not evaluation.is_value(name) or node is None:
                continue
            found[name] = None
            waiting += node.input
        return tuple(found)

    def _made(
        self,
        evaluation: Evaluation,
        x: str,
        inner: tuple[str, ...],
        found: Found,
    ) -> Match:
        slopes, operator = found.parameters, found.operator
        attributes: dict[str, float] = {}
        slope: str | Reshaped | Array | None = None
        obstacle = found.obstacle or evaluation.obstacle
        if operator == "ELU" and not found.obstacle and np.any(slopes != slopes.flat[0]):
            obstacle = "ELU takes one alpha"
        if operator == "ELU":
            attributes = {"alpha": float(slopes.reshape(-1)[0])}
        elif self._candidate.slope is not None:
            shape = evaluation.slope_shape
            name = self._candidate.slope
            slope = name if shape is None else Reshaped(name, shape)
        elif operator == "LeakyReLU" and slopes.size == 1:
            attributes = {"alpha": float(slopes.reshape(-1)[0])}
            slope = slopes.astype(self._dtype)
        elif operator == "LeakyReLU":
            operator, slope = "PReLU", self._stored(evaluation, slopes)
        return Match(
            form=formula(self._view, self._root, (x, self._candidate.x), inner),
            operator=operator,
            x=x,
            attributes=attributes,
            slope=slope,
            inner=(*inner, *evaluation.made_from(inner)),
            is_approximate=found.is_approximate and not obstacle,
            obstacle=obstacle,
            is_near_miss=bool(found.obstacle),
        )

    def _stored(self, evaluation: Evaluation, slopes: Array) -> str | Array:
        """The name of a constant that is the slope, or a new constant."""
        stored = slopes.astype(self._dtype)
        for name, array in evaluation.constants.items():
            node = self._view.maker(name)
            is_stored = node is None or node.op_type == "Constant"
            if is_stored and array.dtype == stored.dtype and np.array_equal(array, stored):
                return name
        return stored
