"""A call as other projects know it: the standard operator, or a model of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.models import has_single_parameters, standard_model
from onnx_acts.definition.specs import spec_of

__all__ = ["Array", "Arrays", "Attributes", "Call", "onnx_bytes", "standard_call"]

Array = NDArray[Any]
Arrays = Sequence[Array]
Attributes = Mapping[str, float | int]


@dataclasses.dataclass(frozen=True)
class Call:
    """A call of a standard operator in inference.

    Attributes:
        name: the operator's ONNX name.
        x: its input.
        slope: its parameter input, of the same type; None where it has none.
        alpha: its attribute; 0 where it has none.
    """

    name: str
    x: Array
    slope: Array | None
    alpha: float

    @property
    def channels(self) -> Array:
        """The slope where it is one number, or one for each place of dimension 1.

        Raises:
            NotImplementedError: it is neither.
        """
        assert self.slope is not None
        aligned = (1,) * (self.x.ndim - self.slope.ndim) + self.slope.shape
        if self.slope.size != 1 and any(n != 1 for i, n in enumerate(aligned) if i != 1):
            raise NotImplementedError("one slope, or one for each channel of dimension 1")
        return self.slope.reshape(-1)


def standard_call(operator: str, arrays: Arrays, attributes: Attributes) -> Call:
    """Returns the call of the standard operator that means the same.

    Raises:
        NotImplementedError: there is no such standard operator.
    """
    standard = spec_of(operator).standard
    if standard is None:
        raise NotImplementedError("there is no such standard operator")
    alpha = 0.0
    for item in standard.attributes:
        alpha = item.value(attributes)
    x, *slopes = (np.array(array, order="C") for array in arrays)
    return Call(standard.name, x, slopes[0] if slopes else None, alpha)


def onnx_bytes(operator: str, arrays: Arrays, attributes: Attributes) -> bytes:
    """Returns an ONNX file of one standard node, with the sizes of the inputs.

    Raises:
        NotImplementedError: the parameter does not fit the node's attribute.
    """
    case = Case(operator, arrays[0].dtype.name, arrays, attributes)
    if not has_single_parameters(case):
        raise NotImplementedError("a FLOAT attribute has 32 bits")
    data: bytes = standard_model(case, fixed=True).SerializeToString(deterministic=True)
    return data
