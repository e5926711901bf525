"""Checks of what a caller hands in: element types, shapes and attributes.

Each check raises `TypeError` (wrong kind of thing) or `ValueError` (wrong value), with a message
that says how to fix it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from onnx_acts.definition.specs import Attribute, Spec

__all__ = ["accepts", "check_attributes", "check_element_types", "check_slope_shape", "range_text"]

_WANTED = {
    "real": "an int or a float that float64 can hold",
    "single": "an int or a float that float64 can hold",
    "flag": "0 or 1",
    "seed": "an int from -2**63 to 2**63 - 1",
}
"""What the kinds of attributes accept."""


def check_element_types(spec: Spec, dtypes: Sequence[str]) -> None:
    """Requires X to have a supported element type, and the other inputs theirs: mostly X's.

    Args:
        spec: the operator.
        dtypes: the NumPy names of the inputs' element types, in the order of `spec.inputs`.
    """
    if len(dtypes) != len(spec.inputs):
        raise TypeError(
            f"{spec.name} takes {len(spec.inputs)} input(s) ({', '.join(spec.inputs)}),"
            f" got {len(dtypes)}"
        )
    if dtypes[0] not in spec.element_types:
        raise TypeError(
            f"{spec.name}: X is {dtypes[0]}; supported element types are"
            f" {', '.join(spec.element_types)}"
        )
    for name, dtype in zip(spec.inputs[1:], dtypes[1:], strict=True):
        if dtype != spec.input_types.get(name, dtypes[0]):
            wanted = spec.input_types.get(name, "X's element type")
            raise TypeError(
                f"{spec.name}: X is {dtypes[0]} and {name} is {dtype}; convert {name} to {wanted}"
            )


def check_slope_shape(
    x_shape: Sequence[int], slope_shape: Sequence[int], operator: str = "PReLU"
) -> None:
    """Requires `slope_shape` to broadcast to `x_shape` without enlarging it (ONNX unidirectional).

    Both shapes are lists of sizes; the slope's are aligned to the trailing dimensions of x.
    Messages name the operator.
    """
    found = f"slope of shape {tuple(slope_shape)} on x of shape {tuple(x_shape)}"
    if len(slope_shape) > len(x_shape):
        raise ValueError(
            f"{operator}: {found}: the slope may not have more dimensions than x; reshape the slope"
        )
    trailing = x_shape[len(x_shape) - len(slope_shape) :]
    for wanted, size in zip(trailing, slope_shape, strict=True):
        if size not in (1, wanted):
            raise ValueError(
                f"{operator}: {found}: sizes are aligned at the last dimension and each must be 1"
                f" or x's; a per-channel slope of C values has the shape (C, 1, ..., 1)"
            )


def check_attributes(
    spec: Spec, values: Mapping[str, float | int], node: str = ""
) -> dict[str, float | int]:
    """Returns `values` with the defaults of `spec` filled in.

    Args:
        spec: the operator.
        values: its attributes; those left out have their defaults.
        node: the name of their node, for messages.

    Raises:
        ValueError: an unknown attribute, or a number that is not accepted: a flag that is not 0 or
            1, a seed of more than 64 bits, one outside of the range that the table gives.
        TypeError: a value that is not a number of the attribute's kind.
    """
    where = f"{spec.name} (node {node!r})" if node else spec.name
    known = {attribute.name: attribute for attribute in spec.attributes}
    for name in values:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise ValueError(f"{spec.name} has no attribute {name!r}; its attributes are: {listed}")
    complete = {name: attribute.default for name, attribute in known.items()} | dict(values)
    for name, value in complete.items():
        kind = known[name].kind
        wanted = f"{where}: {name} must be {_WANTED[kind]}, got {value!r}"
        if not isinstance(value, (int, float) if kind in ("real", "single") else int):
            raise TypeError(wanted)
        if not _fits(kind, value):
            raise ValueError(wanted)
        if kind == "flag":
            complete[name] = int(value)  # True is 1
    _check_ranges(spec, complete, where)
    return complete


def _fits(kind: str, value: float) -> bool:
    """Whether a number is one that an attribute of a kind can hold."""
    if kind == "flag":
        return value in (0, 1)
    if kind == "seed":
        return -(2**63) <= value < 2**63
    try:
        float(value)
    except OverflowError:
        return False
    return True


def accepts(spec: Spec, values: Mapping[str, float | int]) -> bool:
    """Tells whether `check_attributes` accepts numbers of the right kinds."""
    try:
        check_attributes(spec, values)
    except ValueError:
        return False
    return True


def _check_ranges(spec: Spec, values: Mapping[str, float | int], where: str) -> None:
    """Requires the real numbers that the table accepts."""
    for item in spec.attributes:
        value, low = values[item.name], values.get(item.at_least)
        if low is not None and not (math.isfinite(low) and math.isfinite(value) and low <= value):
            raise ValueError(
                f"{where}: needs finite bounds with {item.at_least} <= {item.name},"
                f" got {item.at_least} = {low!r} and {item.name} = {value!r}"
            )
    for item in spec.attributes:
        value = values[item.name]
        if not _is_in_range(item, value):
            raise ValueError(f"{where}: {item.name} must be {range_text(item)}, got {value!r}")


def _is_in_range(item: Attribute, value: float) -> bool:
    if item.range == "any":
        return True
    return math.isfinite(value) and (item.range == "finite" or value > 0)


def range_text(item: Attribute) -> str:
    """The numbers that an attribute accepts, in words; "" where it accepts every one."""
    words = {"any": "", "finite": "a finite number", "positive": "a finite number > 0"}[item.range]
    return f"{words}, at least {item.at_least}" if item.at_least else words
