"""The models that try a case: of our operator, and of the standard one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from onnx_acts.conformance.case import Case, Sizes
from onnx_acts.conformance.dtypes import onnx_type, text_type
from onnx_acts.conformance.surroundings import AGAIN
from onnx_acts.definition.nodes import attribute_proto
from onnx_acts.definition.specs import DOMAIN, OPSET_VERSION, Attribute, Spec
from onnx_acts.definition.validation import accepts
from onnx_acts.files.embedding import embed_functions
from onnx_acts.graph.standard import as_standard

__all__ = ["acts_model", "has_single_parameters", "standard_model"]

Array = NDArray[Any]

_OPSET = 20
"""The opset that PyTorch's exporter chooses, and the last one of ONNX Runtime 1.17."""


def acts_model(case: Case) -> onnx.ModelProto:
    """A model of the `onnx_acts` node and, but for a bare case, its function body.

    Of a case alone, only ranks of shapes are fixed.
    """
    key = _key(case)
    if key not in _RECENT:
        if len(_RECENT) >= _RECENT_SIZE:
            _RECENT.clear()
        _RECENT[key] = _new_acts_model(case)
    copy = onnx.ModelProto()
    copy.CopyFrom(_RECENT[key])
    return copy


_RECENT_SIZE = 16
_RECENT: dict[tuple[object, ...], onnx.ModelProto] = {}
"""Models of the last cases: several runtimes ask for the same one, and making it takes longer than
running it."""


def _key(case: Case) -> tuple[object, ...]:
    """What the model of a case depends on."""
    shapes = [array.shape if case.sizes == "fixed" else array.ndim for array in case.inputs]
    attributes = sorted(case.attributes.items())
    about = (case.operator, case.dtype, case.outputs, case.sizes, case.bare, case.within)
    held = [(array.shape, array.tobytes()) for array in case.inputs[1:] if case.held]
    return (*about, case.written, case.blank, repr(attributes), tuple(shapes), tuple(held))


def _new_acts_model(case: Case) -> onnx.ModelProto:
    model = _model(_acts_node(case), case, _OPSET, case.sizes)
    model.opset_import.append(helper.make_opsetid(DOMAIN, OPSET_VERSION))
    if not case.bare:
        embed_functions(model)
    return model


def standard_model(case: Case, fixed: bool = False) -> onnx.ModelProto:
    """A model of the standard ONNX operator that computes the same in inference.

    Its parameter is a 32-bit attribute. Where ours has two bounds it is their mean. `fixed` writes
    the sizes into the model, not only the ranks, but where the case is about sizes.
    """
    node, standard = as_standard(_acts_node(case)), case.spec.standard
    since = standard.since.get(case.dtype, _OPSET) if standard else _OPSET
    if case.bare and standard and not case.attributes:
        defaults = {item.name: float(np.float32(item.default)) for item in standard.attributes}
        kept = [item for item in node.attribute if item.f != defaults[item.name]]
        del node.attribute[:]
        node.attribute.extend(kept)
    sizes: Sizes = "fixed" if fixed and case.sizes == "named" else case.sizes
    return _model(node, case, max(since, _OPSET), sizes)


def has_single_parameters(case: Case) -> bool:
    """Whether the attributes of the standard operator, of 32 bits, say the case's parameters.

    Other types than float64 are computed with parameters of 32 bits anyway. What is out of range
    when it is rounded is no parameter any more.
    """
    rounded: dict[str, float | int] = dict(case.values)
    for item in case.spec.standard.attributes if case.spec.standard else ():
        mean = item.value(case.values)
        with np.errstate(over="ignore"):
            single = np.float32(mean)
        if case.dtype == "float64" and not np.array_equal(single, mean, equal_nan=True):
            return False
        if not item.mean_of:
            rounded[item.name] = float(single)
    return accepts(case.spec, rounded)


def _acts_node(case: Case) -> onnx.NodeProto:
    """The node, unchecked: it may be one that is to be refused."""
    spec = case.spec
    inputs = [case.surrounding.x, *spec.inputs[1:]]
    outputs = list(spec.outputs[: case.outputs])
    outputs += [""] * (len(spec.outputs) - len(outputs)) if case.blank else []
    node = helper.make_node(spec.name, inputs, outputs, domain=DOMAIN)
    given = case.attributes if case.bare else {**_defaults(spec), **case.attributes}
    node.attribute.extend(
        _written(case, item, given[item.name]) for item in spec.attributes if item.name in given
    )
    return node


def _written(case: Case, item: Attribute, value: float | int) -> onnx.AttributeProto:
    """An attribute as the case has it written."""
    if item.kind != "real" or case.written == "tensor":
        return attribute_proto(item, value)
    if case.written in ("numbers", "vector"):
        dims = [1] if case.written == "vector" else []
        tensor = helper.make_tensor(item.name, onnx.TensorProto.DOUBLE, dims, [float(value)])
        return helper.make_attribute(item.name, tensor)
    kind = float if case.written == "FLOAT" else int
    return helper.make_attribute(item.name, kind(value))


def _defaults(spec: Spec) -> dict[str, float | int]:
    return {item.name: item.default for item in spec.attributes}


def _model(node: onnx.NodeProto, case: Case, opset: int, sizes: Sizes) -> onnx.ModelProto:
    """The node with its surrounding, as a model."""
    nodes = [_again(other, node) for other in _around(case)]
    inputs = [_declared(name, array, case, sizes) for name, array in case.feeds.items()]
    given = [name for name in node.output if name]
    names = (*given[case.surrounding.hides :], *case.surrounding.outputs)
    outputs = [_output(name, case, sizes) for name in names]
    values = zip(case.spec.inputs, case.inputs, strict=True)
    held = [numpy_helper.from_array(array, name) for name, array in values if case.held]
    graph = helper.make_graph(
        _in_order([node, *nodes]), case.spec.name, inputs, outputs, initializer=held[1:]
    )
    imports = [helper.make_opsetid("", opset)]
    version = helper.find_min_ir_version_for(imports)
    return helper.make_model(graph, opset_imports=imports, ir_version=version)


def _around(case: Case) -> list[onnx.NodeProto]:
    """The nodes around the operator's own."""
    return case.surrounding.nodes(text_type(case.dtype), case.spec.outputs)


def _again(other: onnx.NodeProto, node: onnx.NodeProto) -> onnx.NodeProto:
    """The node itself on another X, where one more is asked for; else the other node.

    Of a node with subgraphs, those in them are made so, too.
    """
    if other.op_type != AGAIN:
        for graph in (item.g for item in other.attribute if item.HasField("g")):
            inner = [_again(one, node) for one in graph.node]
            del graph.node[:]
            graph.node.extend(inner)
        return other
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[0] = other.input[0]
    del copy.output[1:]
    copy.output[0] = other.output[0]
    return copy


def _in_order(nodes: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """What X of the operator, the first node, comes from goes before it."""
    first, *others = nodes
    before = [other for other in others if set(other.output) & set(first.input)]
    return [*before, first, *(other for other in others if other not in before)]


def _declared(name: str, array: Array, case: Case, sizes: Sizes) -> onnx.ValueInfoProto:
    """An input, with as much of its shape as is to be known."""
    kind = onnx_type(case.spec.input_types.get(name, case.dtype))
    known: dict[str, Sequence[int | str | None] | None] = {
        "named": [f"{name}{i}" for i in range(array.ndim)],
        "fixed": array.shape,
        "unnamed": [None] * array.ndim,
        "unknown": None,
    }
    return helper.make_tensor_value_info(name, kind, known[sizes])


def _output(name: str, case: Case, sizes: Sizes) -> onnx.ValueInfoProto:
    """An output: of a case alone with the shape of X, which all of the operator's have."""
    if case.is_one_node:
        shape = _declared("X", case.inputs[0], case, sizes).type.tensor_type.shape
        value = helper.make_tensor_value_info(name, onnx_type(case.dtype), None)
        value.type.tensor_type.shape.CopyFrom(shape)
        return value
    is_size = case.surrounding.gives_sizes and name in case.surrounding.outputs
    kind = onnx.TensorProto.INT64 if is_size else onnx_type(case.dtype)
    return helper.make_tensor_value_info(name, kind, None)
