"""The cases, by group, made from the operator table alone; the same ones every time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.drafting import Generator
from onnx_acts.conformance.parameter_cases import attribute_cases, draw_cases
from onnx_acts.conformance.quantized_cases import quantized_cases, refused_quantized_cases
from onnx_acts.conformance.refused_cases import refused_cases
from onnx_acts.conformance.shape_cases import shape_cases, size_cases
from onnx_acts.conformance.slope_cases import slope_cases
from onnx_acts.conformance.value_cases import boundary_cases, dense_cases, special_cases
from onnx_acts.definition.specs import Spec, spec_of

__all__ = ["GROUPS", "cases", "find_case"]


def cases(spec: Spec, dtype: str, group: str, quick: bool = False) -> Iterator[Case]:
    """Yields the cases of one group; none where the group does not apply to the operator.

    Args:
        spec: the operator.
        dtype: the element type.
        group: one of `GROUPS`.
        quick: fewer of them, for a first look.
    """
    generators = _OF_QUANTIZED if spec.is_quantized else _OF_REAL
    if dtype in spec.element_types and group in generators:
        for case in generators[group](spec, dtype, quick):
            yield dataclasses.replace(case, group=group)


def find_case(operator: str, dtype: str, group: str, name: str, *, quick: bool = False) -> Case:
    """Returns the case of that name, as a failure's program names it.

    Args:
        operator: its operator.
        dtype: its element type.
        group: its group.
        name: its own name.
        quick: look among the cases of a first look, which have fewer elements.

    Raises:
        ValueError: there is none.
    """
    for case in cases(spec_of(operator), dtype, group, quick):
        if case.name == name:
            return case
    raise ValueError(f"there is no case {name!r} in the group {group} of {operator} {dtype}")


_OF_REAL: dict[str, Generator] = {
    "special": special_cases,
    "dense": dense_cases,
    "boundaries": boundary_cases,
    "shapes": shape_cases,
    "slopes": slope_cases,
    "attributes": attribute_cases,
    "training": draw_cases,
    "sizes": size_cases,
    "refused": refused_cases,
}

_OF_QUANTIZED: dict[str, Generator] = {
    "quantized": quantized_cases,
    "refused": refused_quantized_cases,
}

GROUPS: tuple[str, ...] = tuple(dict.fromkeys([*_OF_REAL, *_OF_QUANTIZED]))
"""The groups of cases, in the order of the report."""
