"""One input to try, and the one-node models that try it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from onnx_acts.definition import reference
from onnx_acts.definition.nodes import make_node
from onnx_acts.definition.specs import DOMAIN, OPSET_VERSION, Spec, spec_of
from onnx_acts.definition.validation import accepts, check_attributes
from onnx_acts.files.embedding import embed_functions
from onnx_acts.graph.standard import as_standard

__all__ = [
    "Case",
    "acts_model",
    "has_single_parameters",
    "limits_of",
    "numpy_type",
    "onnx_type",
    "standard_model",
]

Array = NDArray[Any]

_OPSET = 20
"""The opset that PyTorch's exporter chooses, and the last one of ONNX Runtime 1.17."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One call of one operator.

    Attributes:
        operator: its name in the operator table.
        dtype: the element type of X, one of the record's.
        inputs: its inputs, of that element type or of those that the record says.
        attributes: those that differ from their defaults.
        outputs: how many of its outputs are asked for.
        group: the group of cases that this one belongs to.
        name: its name, unique for one operator, element type and group.
    """

    operator: str
    dtype: str
    inputs: Sequence[Array]
    attributes: Mapping[str, float | int] = dataclasses.field(default_factory=dict)
    outputs: int = 1
    group: str = ""
    name: str = ""

    @property
    def spec(self) -> Spec:
        """The operator's record."""
        return spec_of(self.operator)

    @property
    def values(self) -> dict[str, float | int]:
        """Every attribute, defaults filled in."""
        return check_attributes(self.spec, self.attributes)

    @property
    def training(self) -> bool:
        """Whether the outputs are drawn at random."""
        return any(self.values[item.name] for item in self.spec.attributes if item.kind == "flag")

    @property
    def real_values(self) -> list[float]:
        """The attributes that are real numbers, in the table's order."""
        return [self.values[item.name] for item in self.spec.attributes if item.kind == "real"]

    def exact(self) -> tuple[Array, ...]:
        """The true outputs in a wider type."""
        with np.errstate(all="ignore"):
            return reference.exact(self.spec, self.inputs, self.attributes)[: self.outputs]


def numpy_type(dtype: str) -> np.dtype[Any]:
    """The NumPy element type of that name."""
    return np.dtype(ml_dtypes.bfloat16) if dtype == "bfloat16" else np.dtype(dtype)


def limits_of(kind: np.dtype[Any]) -> Any:
    """The limits of an element type, as `numpy.finfo` gives them."""
    return ml_dtypes.finfo(kind)  # type: ignore[no-untyped-call]  # ml_dtypes declares no types


def onnx_type(dtype: str) -> int:
    """The number that ONNX gives to the element type of that name."""
    return int(helper.np_dtype_to_tensor_dtype(numpy_type(dtype)))


def acts_model(case: Case) -> onnx.ModelProto:
    """A model of one `onnx_acts` node and its function body; only ranks of shapes are fixed."""
    model = _model(_acts_node(case), case, _OPSET)
    model.opset_import.append(helper.make_opsetid(DOMAIN, OPSET_VERSION))
    embed_functions(model)
    return model


def standard_model(case: Case, fixed: bool = False) -> onnx.ModelProto:
    """A model of the standard ONNX operator that computes the same in inference.

    Its parameter is a 32-bit attribute. Where ours has two bounds it is their mean. `fixed` writes
    the sizes into the model, not only the ranks.
    """
    node, standard = as_standard(_acts_node(case)), case.spec.standard
    since = standard.since.get(case.dtype, _OPSET) if standard else _OPSET
    model = _model(node, case, max(since, _OPSET))
    if fixed:
        arrays = (*case.inputs, *(case.inputs[0] for _ in node.output))
        for item, array in zip((*model.graph.input, *model.graph.output), arrays, strict=True):
            for size, number in zip(item.type.tensor_type.shape.dim, array.shape, strict=True):
                size.dim_value = number
    return model


def has_single_parameters(case: Case) -> bool:
    """Whether the attributes of the standard operator, of 32 bits, say the case's parameters.

    Other types than float64 are computed with parameters of 32 bits anyway. What is out of range
    when it is rounded is no parameter any more.
    """
    rounded: dict[str, float | int] = dict(case.values)
    for item in case.spec.standard.attributes if case.spec.standard else ():
        names = item.mean_of or (item.name,)
        mean = math.fsum(case.values[name] for name in names) / len(names)
        with np.errstate(over="ignore"):
            single = np.float32(mean)
        if case.dtype == "float64" and not np.array_equal(single, mean, equal_nan=True):
            return False
        if len(names) == 1:
            rounded[names[0]] = float(single)
    return accepts(case.spec, rounded)


def _acts_node(case: Case) -> onnx.NodeProto:
    spec = case.spec
    attributes: dict[str, Any] = case.values
    return make_node(spec.name, spec.inputs, spec.outputs[: case.outputs], **attributes)


def _model(node: onnx.NodeProto, case: Case, opset: int) -> onnx.ModelProto:
    element_type = onnx_type(case.dtype)
    inputs = [
        helper.make_tensor_value_info(
            name,
            onnx_type(case.spec.input_types.get(name, case.dtype)),
            [f"{name}{i}" for i in range(array.ndim)],
        )
        for name, array in zip(case.spec.inputs, case.inputs, strict=True)
    ]
    shape = [f"X{i}" for i in range(case.inputs[0].ndim)]
    outputs = [helper.make_tensor_value_info(name, element_type, shape) for name in node.output]
    graph = helper.make_graph([node], case.spec.name, inputs, outputs)
    imports = [helper.make_opsetid("", opset)]
    version = helper.find_min_ir_version_for(imports)
    return helper.make_model(graph, opset_imports=imports, ir_version=version)
