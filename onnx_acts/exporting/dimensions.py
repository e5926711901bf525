"""Dynamic dimensions by name: `dynamic_shapes={"image": {0: "batch", 2: "height"}}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import onnx
import torch

from onnx_acts.exporting.arguments import shapes_of, tensors_of
from onnx_acts.text.spelling import suggestion

__all__ = ["check_dimensions", "fixed", "named_shapes"]

_HINT = "dynamic_shapes (--dynamic)"


def named_shapes(
    given: Any,
    bound: Mapping[str, Any],
    spread: Mapping[str, Any],
    input_names: Sequence[str] | None,
) -> Any:
    """Checks the `dynamic_shapes` of a caller, and completes them as torch wants them.

    Inputs may go by the names of `module.forward` or by those in `input_names`; those that are left
    out keep their shapes. An axis may count from the end. Only a dictionary by input name is looked
    at, and in it only what belongs to a tensor; torch checks the rest itself.

    Args:
        given: what the caller gives; None and empty stay.
        bound: the example arguments by their names in `module.forward`.
        spread: the same one by one, where `module.forward` takes `**kwargs`; else empty.
        input_names: the caller's names for the inputs.

    Raises:
        ValueError: there is no such input or axis, a name that is empty, one name for different
            sizes, or one input given twice.
        TypeError: an axis that is no number.
    """
    if not isinstance(given, Mapping) or not given:
        return given
    values = {**spread, **bound}
    aliases = dict(zip(input_names or (), _single_names(spread or bound), strict=False))
    wanted: dict[str, Any] = {}
    for key, shape in given.items():
        name = _input_of(key, values, aliases)
        if name in wanted:
            raise ValueError(f"{_HINT}: input {name!r} is given twice")
        is_axes = isinstance(shape, Mapping) and isinstance(values[name], torch.Tensor)
        wanted[name] = _axes(name, shape, values[name]) if is_axes else shape
    _check_sizes(wanted, values)
    if spread:  # `one_by_one` completes these
        return wanted
    return {
        name: wanted.get(name, shapes_of(value, lambda _: None)) for name, value in bound.items()
    }


def check_dimensions(model: onnx.ModelProto, shapes: Any, bound: Mapping[str, Any]) -> None:
    """Requires that a captured model has the dimensions that were asked for, under their names.

    torch gives one name to dimensions that the module makes equal.

    Raises:
        ValueError: a dimension is fixed, or has the name of another.
    """
    if not isinstance(shapes, Mapping):
        return
    place = 0
    for name, value in bound.items():
        for axis, wanted in _named_axes(shapes.get(name)):
            found = model.graph.input[place].type.tensor_type.shape.dim[axis]
            if found.HasField("dim_value"):
                raise ValueError(fixed(name, axis, found.dim_value))
            if found.dim_param != wanted:
                raise ValueError(
                    f"{_HINT}: the module needs axis {axis} of input {name!r}, {wanted!r}, to be"
                    f" equal to {found.dim_param!r}: give both one name"
                )
        place += len(tensors_of(value))


def fixed(name: str, axis: int | str, size: int | str) -> str:
    """The message of a dimension that the module fixes."""
    return (
        f"the module fixes axis {axis} of input {name!r} to {size}, the example's size, so it"
        f" cannot be dynamic: leave it out of {_HINT}, or mend the code that reads the size"
    )


def _single_names(bound: Mapping[str, Any]) -> Iterator[str]:
    """The parameter of each tensor, "" for those in containers."""
    for name, value in bound.items():
        yield from (name,) if isinstance(value, torch.Tensor) else ("",) * len(tensors_of(value))


def _input_of(key: object, values: Mapping[str, Any], aliases: Mapping[str, str]) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{_HINT}: an input is given by its name, got {key!r}")
    if aliases.get(key):
        return aliases[key]
    if key in values:
        return key
    known = list(dict.fromkeys((*aliases, *values)))
    raise ValueError(
        f"{_HINT}: the module has no input {key!r}{suggestion(key, known)}; its inputs are"
        f" {', '.join(known)}"
    )


def _axes(name: str, shape: Mapping[Any, Any], tensor: torch.Tensor) -> dict[int, Any]:
    """The dimensions of one input by axes from 0 on."""
    found: dict[int, Any] = {}
    for axis, dimension in shape.items():
        if not isinstance(axis, int) or isinstance(axis, bool):
            raise TypeError(f"{_HINT}: input {name!r}: an axis is a number, got {axis!r}")
        if not -tensor.ndim <= axis < tensor.ndim:
            axes = f"axes 0 to {tensor.ndim - 1}" if tensor.ndim else "no axes"
            raise ValueError(
                f"{_HINT}: input {name!r} has no axis {axis}; its shape is"
                f" {tuple(tensor.shape)}, {axes}"
            )
        place = axis % tensor.ndim
        if place in found:
            raise ValueError(f"{_HINT}: axis {place} of input {name!r} is given twice")
        if isinstance(dimension, str) and not dimension.isidentifier():
            raise ValueError(
                f"{_HINT}: input {name!r}, axis {axis}: a dimension's name has letters, digits and"
                f" underscores, got {dimension!r}"
            )
        found[place] = dimension
    return found


def _check_sizes(wanted: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Requires one size for one name."""
    seen: dict[str, tuple[int, str]] = {}
    for name, shape in wanted.items():
        for axis, dimension in _named_axes(shape):
            size, where = int(values[name].shape[axis]), f"axis {axis} of input {name!r}"
            first = seen.setdefault(dimension, (size, where))
            if first[0] != size:
                raise ValueError(
                    f"{_HINT}: {dimension!r} is {first[0]} in {first[1]} and {size} in {where}:"
                    " give them different names, or examples of one size"
                )


def _named_axes(shape: Any) -> list[tuple[int, str]]:
    if not isinstance(shape, Mapping):
        return []
    return [
        (axis, item)
        for axis, item in shape.items()
        if isinstance(axis, int) and isinstance(item, str)
    ]
