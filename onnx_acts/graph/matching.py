"""Small matchers from which the patterns are built.

Each looks at a value, by name, and answers with what it found and the values on the way to it, or
with None.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np
import onnx

from onnx_acts.graph.view import Array, View

__all__ = [
    "Match",
    "Part",
    "Sign",
    "either_way",
    "fits",
    "is_constant",
    "scalar",
    "sign_test",
    "where_negative",
]

_WIDER = {"float16": {1, 11}, "bfloat16": {1, 11}, "float32": {11}}
"""Casts (to these numbers of TensorProto.DataType) that keep every value, so every comparison."""


@dataclasses.dataclass(frozen=True)
class Match:
    """An activation that was found.

    Attributes:
        form: what was found, for people.
        operator: the operator of `onnx_acts` that it is equal to.
        x: the input value.
        attributes: the operator's attributes.
        slope: the slope's value, by name or, for a new constant, as an array.
        inner: the intermediate values; none of them is left when the node is replaced.
        is_standard: it is one node of the standard operator.
        is_approximate: equal in exact arithmetic only, or not at NaN or infinity; what differs is
            in docs/semantics.md.
    """

    form: str
    operator: str
    x: str
    attributes: Mapping[str, float] = dataclasses.field(default_factory=dict)
    slope: str | Array | None = None
    inner: tuple[str, ...] = ()
    is_standard: bool = False
    is_approximate: bool = False


@dataclasses.dataclass(frozen=True)
class Part:
    """A value that was recognised.

    Attributes:
        source: what it is made of.
        inner: the intermediate values.
        keeps_nan: it is NaN where the source is.
    """

    source: str
    inner: tuple[str, ...] = ()
    keeps_nan: bool = True


@dataclasses.dataclass(frozen=True)
class Sign:
    """A comparison of a value with zero.

    Attributes:
        x: the value.
        negative_if_true: the condition is true for negative x, rather than for positive x.
        zero_is_negative: x = 0 goes to the side of negative x.
        nan_is_negative: NaN, of which every comparison is false, goes to the side of negative x.
        inner: the intermediate values.
    """

    x: str
    negative_if_true: bool
    zero_is_negative: bool
    nan_is_negative: bool
    inner: tuple[str, ...]


def either_way(node: onnx.NodeProto | None) -> Iterator[tuple[str, str]]:
    """Yields the two inputs of a node in both orders; nothing where it has not two."""
    if node is not None and len(node.input) == 2:
        first, second = node.input
        yield first, second
        yield second, first


def is_constant(view: View, name: str, value: float, x: str) -> bool:
    """Tells whether `name` is the constant `value` everywhere and would not enlarge x."""
    array = view.constant(name)
    if array is None or array.size == 0 or array.dtype.kind in "OSU":
        return False
    return bool(np.all(array == array.dtype.type(value))) and fits(view, name, x)


def scalar(view: View, name: str, x: str) -> float | None:
    """Returns the number of a constant of one finite element that would not enlarge x."""
    array = view.constant(name)
    if array is None or array.size != 1 or not fits(view, name, x):
        return None
    number = float(array.reshape(-1)[0])
    return number if np.isfinite(number) else None


def fits(view: View, name: str, x: str) -> bool:
    """Tells whether a value certainly broadcasts to x's shape without enlarging it.

    Sizes must be 1 or provably x's; a scalar always fits.
    """
    array = view.constant(name)
    shape = view.shape(name) if array is None else array.shape
    x_shape = view.shape(x)
    if shape == () or view.is_tolerant:
        return True
    if shape is None or x_shape is None or len(shape) > len(x_shape):
        return False
    pairs = zip(shape, x_shape[len(x_shape) - len(shape) :], strict=True)
    return all(size == 1 or (size is not None and size == wanted) for size, wanted in pairs)


def sign_test(view: View, name: str) -> Sign | None:
    """Recognises x < 0, x <= 0, x > 0, x >= 0, their mirror images and their negations."""
    negation = view.standard_maker(name, "Not")
    if negation is None:
        return _comparison(view, name)
    sign = _comparison(view, negation.input[0])
    if sign is None:
        return None
    return dataclasses.replace(
        sign, negative_if_true=not sign.negative_if_true, inner=(*sign.inner, name)
    )


def where_negative(view: View, name: str, x: str) -> Part | None:
    """Recognises values equal to x wherever x < 0 (and 0 at 0): x itself, min(x, 0) and
    where(x > 0, 0, x), which JAX puts before exp; where(x < 0, x, 0) is 0 at NaN.
    """
    if name == x:
        return Part(x)
    for value, zero in either_way(view.standard_maker(name, "Min")):
        if value == x and is_constant(view, zero, 0, x):
            return Part(x, (name,))
    node = view.standard_maker(name, "Where")
    sign = sign_test(view, node.input[0]) if node is not None else None
    if node is None or sign is None or sign.x != x:
        return None
    kept, zero = node.input[1:] if sign.negative_if_true else reversed(node.input[1:])
    if kept == x and is_constant(view, zero, 0, x):
        return Part(x, (*sign.inner, name), keeps_nan=sign.nan_is_negative)
    return None


def _comparison(view: View, name: str) -> Sign | None:
    node = view.standard_maker(name, "Less", "LessOrEqual", "Greater", "GreaterOrEqual")
    for (value, zero), is_mirrored in zip(either_way(node), (False, True), strict=False):
        x, cast = _before_widening(view, value)
        if node is not None and is_constant(view, zero, 0, x):
            less = node.op_type.startswith("Less") != is_mirrored
            or_equal = node.op_type.endswith("OrEqual")
            return Sign(x, less, less == or_equal, not less, (*cast, name))
    return None


def _before_widening(view: View, name: str) -> tuple[str, tuple[str, ...]]:
    """Looks through the Cast to a wider type that torch puts before a 16-bit comparison."""
    node = view.standard_maker(name, "Cast")
    if node is not None:
        dtype = view.dtype(node.input[0])
        target = next((item.i for item in node.attribute if item.name == "to"), None)
        if dtype is not None and target in _WIDER.get(dtype, ()):
            return node.input[0], (name,)
    return name, ()
