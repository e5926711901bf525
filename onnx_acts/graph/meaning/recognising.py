"""From the description of a value to the activation that it is."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import onnx

from onnx_acts.definition.specs import ELEMENT_TYPES
from onnx_acts.graph.folding import LARGEST_CONSTANT
from onnx_acts.graph.match import Match, Reshaped
from onnx_acts.graph.meaning.activations import Found, activation
from onnx_acts.graph.meaning.evaluating import Evaluation, Unknown, Window
from onnx_acts.graph.meaning.operators import OPERATORS
from onnx_acts.graph.meaning.points import points
from onnx_acts.graph.meaning.searching import Candidate, candidates
from onnx_acts.graph.meaning.values import Value, itself, number
from onnx_acts.graph.meaning.wording import formula
from onnx_acts.graph.view import Array, View

__all__ = ["recognised"]

_ELEMENTS = 4096
"""How many elements of the constants are looked at together."""

_THROUGH = ("Identity", "Cast", "CastLike", "Transpose")
"""Operators that do not count as nodes of a form."""


def recognised(view: View, root: onnx.NodeProto) -> Match | None:
    """Recognises an activation that ends in `root` and takes more than one node."""
    operator = OPERATORS.get(root.op_type)
    if operator is None or not operator.ends:
        return None
    if any(item.name not in operator.attributes or item.ref_attr_name for item in root.attribute):
        return None
    with np.errstate(all="ignore"):
        for candidate in candidates(view, root):
            match = _matched(view, root, candidate)
            if match is not None:
                return match
    return None


def _matched(view: View, root: onnx.NodeProto, candidate: Candidate) -> Match | None:
    dtype = _dtype(view, root, candidate.x)
    if dtype is None or (candidate.slope and view.dtype(candidate.slope) not in (None, dtype.name)):
        return None
    form = _Form(view, root, candidate, dtype)
    try:
        return form.match()
    except Unknown:
        return None


def _dtype(view: View, root: onnx.NodeProto, x: str) -> np.dtype[Any] | None:
    """The element type of x; where it is unknown, one that the nodes of a form could have."""
    name = view.dtype(x)
    if name is None:
        arrays = filter(lambda a: a is not None, (view.constant(i) for i in root.input if i))
        names = [array.dtype.name for array in arrays if array is not None]
        name = next((item for item in names if item in ELEMENT_TYPES), "float32")
    return np.dtype(name) if name in ELEMENT_TYPES else None


class _Form:
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
        first = activation(value, self._points, is_part)
        if first is None:
            return None
        x = evaluation.x_in_order(value.permutation)
        inner = self._inner(evaluation, x)
        if not any(self._counts(name) for name in inner) and self._root.op_type != "Celu":
            return None
        found: Found | None = first
        if window is not None and set(evaluation.shapes) == {window.shape}:
            found = self._shaped(first, window.shape)
        elif evaluation.shapes and not evaluation.obstacle:
            found = self._whole(evaluation.shapes)
        if found is None:
            return None
        obstacle = evaluation.obstacle
        if found.operator == "ELU" and np.any(found.parameters != found.parameters.flat[0]):
            obstacle = "ELU takes one alpha"
        return self._made(evaluation, x, inner, found, obstacle)

    def _evaluated(self, window: Window | None) -> tuple[Evaluation, Value]:
        given = {self._candidate.x: itself(self._points.x)}
        if self._candidate.slope is not None:
            slope = number(self._points.probes[0])
            given[self._candidate.slope] = dataclasses.replace(
                slope, at=self._points.slope, degree=1
            )
        evaluation = Evaluation(self._view, OPERATORS, given, self._dtype, window)
        try:
            value = OPERATORS[self._root.op_type].apply(evaluation, self._root)
        except ValueError as error:  # shapes that do not broadcast: no valid model
            raise Unknown(self._root.op_type) from error
        if not isinstance(value, Value) or value.at.dtype != self._dtype:
            raise Unknown(self._root.op_type)
        return evaluation, value

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
            found = activation(self._evaluated(Window(shape, part))[1], self._points, is_part=True)
            if found is None:
                return None
            every = np.broadcast_to(found.parameters, part.stop - part.start)
            parts.append(dataclasses.replace(found, parameters=every))
        names = {part.operator for part in parts}
        if not parts or len(names) > 1 or all((part.parameters == 1).all() for part in parts):
            return None
        parameters = np.concatenate([part.parameters for part in parts]).reshape(shape)
        return Found(names.pop(), parameters, any(part.is_approximate for part in parts))

    def _inner(self, evaluation: Evaluation, x: str) -> tuple[str, ...]:
        """The values that depend on x and are met between it and the root."""
        found: dict[str, None] = {}
        waiting = list(self._root.input)
        ends = {x, self._candidate.x, self._candidate.slope}
        while waiting:
            name = waiting.pop()
            node = self._view.maker(name)
            if name in found or name in ends or not evaluation.is_value(name) or node is None:
                continue
            found[name] = None
            waiting += node.input
        return tuple(found)

    def _counts(self, name: str) -> bool:
        node = self._view.maker(name)
        return node is not None and node.op_type not in _THROUGH

    def _made(
        self,
        evaluation: Evaluation,
        x: str,
        inner: tuple[str, ...],
        found: Found,
        obstacle: str,
    ) -> Match:
        slopes, operator = found.parameters, found.operator
        attributes: dict[str, float] = {}
        slope: str | Reshaped | Array | None = None
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
            form=formula(self._view, self._root, x, inner),
            operator=operator,
            x=x,
            attributes=attributes,
            slope=slope,
            inner=inner,
            is_approximate=found.is_approximate,
            obstacle=obstacle,
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
