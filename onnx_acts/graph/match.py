"""An activation that was found in a graph, and whether a parameter fits its input."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from onnx_acts.definition.known import Shape
from onnx_acts.graph.view import Array, View

__all__ = ["Match", "Reshaped", "fits", "shape_fits"]


@dataclasses.dataclass(frozen=True)
class Reshaped:
    """A slope that is no constant and needs a Reshape: its name and the shape that it gets."""

    name: str
    shape: tuple[int, ...]


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
        obstacle: what keeps any node from taking its place; empty where nothing is known to.
        is_near_miss: the obstacle is that it is no activation, but for one thing it would be.
    """

    form: str
    operator: str
    x: str
    attributes: Mapping[str, float] = dataclasses.field(default_factory=dict)
    slope: str | Reshaped | Array | None = None
    inner: tuple[str, ...] = ()
    is_standard: bool = False
    is_approximate: bool = False
    obstacle: str = ""
    is_near_miss: bool = False


def fits(view: View, name: str, x: str) -> bool:
    """Tells whether a value certainly broadcasts to x's shape without enlarging it.

    Sizes must be 1 or provably x's; a scalar always fits.
    """
    array = view.constant(name)
    shape = view.shape(name) if array is None else array.shape
    return view.is_tolerant or shape_fits(shape, view.shape(x))


def shape_fits(shape: Shape | None, x_shape: Shape | None) -> bool:
    """The same for shapes; None where the rank is unknown."""
    if shape == ():
        return True
    if shape is None or x_shape is None or len(shape) > len(x_shape):
        return False
    pairs = zip(shape, x_shape[len(x_shape) - len(shape) :], strict=True)
    return all(size == 1 or (size is not None and size == wanted) for size, wanted in pairs)
