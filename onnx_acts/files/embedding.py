"""Putting the function bodies into a model, in the form that its element types and opset need."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence

import onnx

from onnx_acts.definition.functions import form_of, function_proto
from onnx_acts.definition.known import Known, value_info
from onnx_acts.definition.nodes import attribute_proto, read_attributes
from onnx_acts.definition.specs import DOMAIN, spec_of
from onnx_acts.files.structure import (
    STANDARD_DOMAINS,
    check_model,
    import_domain,
    walk_graphs,
    walk_nodes,
)
from onnx_acts.files.types import scopes

__all__ = [
    "OVERRIDABLE_IR_VERSION",
    "Use",
    "default_opset",
    "embed_functions",
    "function_for",
    "uses_of",
    "write_attributes",
]

_MINIMUM_IR_VERSION = 9
"""The first IR version whose functions have attributes with defaults."""

OVERRIDABLE_IR_VERSION = 4
"""The first IR version in which initializers need not be inputs; inputs can be overridden."""


def embed_functions(model: onnx.ModelProto) -> None:
    """Adds to `model`, in place, the function bodies of the `onnx_acts` operators that it uses.

    Bodies from an earlier call are replaced. Every attribute of the nodes is written out, real
    numbers as float64 tensors, because the bodies refer to them. The IR version becomes at least 9;
    in a model older than IR version 4, initializers are no longer listed as inputs, which would
    from then on make them variable. Outputs whose shape the native library cannot tell ONNX Runtime
    get it from `value_info`.

    Raises:
        ValueError: the model's opset is too old for a body, a node has a bad attribute, or the
            model is one that `onnx_acts.files.structure.check_model` refuses.
    """
    check_model(model)
    for function in list(model.functions):
        if function.domain == DOMAIN:
            model.functions.remove(function)
    uses = uses_of(model)
    for name, found in sorted(uses.items()):
        nodes, known = [use.node for use in found], [use.known for use in found]
        model.functions.append(function_for(name, default_opset(model), nodes, known))
    if uses:
        import_domain(model)
        _raise_ir_version(model)
        _declare_shapes(use for found in uses.values() for use in found)


def function_for(
    name: str, opset: int, nodes: Sequence[onnx.NodeProto], uses: Collection[Known]
) -> onnx.FunctionProto:
    """Makes the function that serves all of `nodes`.

    Args:
        name: the operator.
        opset: the version of the standard operators that surround the nodes.
        nodes: nodes of this operator.
        uses: what is known of their X.

    Raises:
        ValueError: the opset is too old.
    """
    spec = spec_of(name)
    training = any(read_attributes(node).get("training_mode") for node in nodes)
    outputs = max(len(node.output) for node in nodes)
    form = form_of(spec, opset, uses)
    form = dataclasses.replace(form, training=training, outputs=min(outputs, len(spec.outputs)))
    return function_proto(spec, form)


def default_opset(model: onnx.ModelProto | onnx.FunctionProto) -> int:
    """Returns the version of the standard operators that a model or function imports.

    Raises:
        ValueError: it imports none.
    """
    for item in model.opset_import:
        if item.domain in STANDARD_DOMAINS:
            return int(item.version)
    raise ValueError("the model imports no standard operators: opset_import has no default domain")


@dataclasses.dataclass(frozen=True)
class Use:
    """One `onnx_acts` node.

    Attributes:
        node: the node.
        known: what is known of X.
        graph: the graph that it stands in; None for a function.
        is_inner: the graph is a subgraph.
    """

    node: onnx.NodeProto
    known: Known
    graph: onnx.GraphProto | None = None
    is_inner: bool = False


def uses_of(model: onnx.ModelProto) -> dict[str, list[Use]]:
    """Finds the `onnx_acts` nodes, by operator; writes their attributes out."""
    found = [node for node in walk_nodes(model) if node.domain == DOMAIN]
    for node in found:
        write_attributes(node)
    uses: dict[str, list[Use]] = {}
    for graph, values, owner in scopes(model) if found else ():
        for node in filter(_is_ours, graph.node):
            use = Use(node, values[node.input[0]], graph, owner is not None)
            uses.setdefault(node.op_type, []).append(use)
    for graph in walk_graphs(*model.functions):  # nothing is known of a function's values
        for node in filter(_is_ours, graph.node):
            uses.setdefault(node.op_type, []).append(Use(node, Known()))
    return uses


def _is_ours(node: onnx.NodeProto) -> bool:
    return bool(node.domain == DOMAIN)


def write_attributes(node: onnx.NodeProto) -> None:
    """Writes every attribute of an `onnx_acts` node in the table's encoding."""
    for item in node.attribute:
        if item.ref_attr_name:
            raise ValueError(
                f"{node.op_type} (node {node.name!r}): attribute {item.name} refers to"
                f" {item.ref_attr_name} of the function around it; inline that function first"
                " (onnx.inliner.inline_local_functions)"
            )
    values = read_attributes(node)
    del node.attribute[:]
    node.attribute.extend(
        attribute_proto(item, values[item.name]) for item in spec_of(node.op_type).attributes
    )


def _declare_shapes(uses: Iterable[Use]) -> None:
    """Writes down the shape of outputs, where it is known.

    ONNX Runtime's interface for custom operators has no way to say that there are no dimensions, or
    a size without a name, and it does not follow shapes through aligned bodies. A Scan, for one,
    must know how many dimensions the outputs of its body have. The model's own outputs stay.
    """
    declared: dict[int, dict[str, onnx.ValueInfoProto]] = {}
    outputs: dict[int, set[str]] = {}
    for use in uses:
        graph, key = use.graph, id(use.graph)
        if graph is None or not use.known.dtype or use.known.shape is None:
            continue
        if key not in declared:
            outputs[key] = {value.name for value in graph.output}
            declared[key] = {value.name: value for value in (*graph.output, *graph.value_info)}
        for name in filter(None, use.node.output):
            if name not in declared[key]:
                graph.value_info.append(value_info(name, use.known))
                continue
            value = declared[key][name]
            is_open = not value.type.tensor_type.HasField("shape")
            if is_open and (use.is_inner or name not in outputs[key]):
                value.CopyFrom(value_info(name, use.known))


def _raise_ir_version(model: onnx.ModelProto) -> None:
    if model.ir_version < OVERRIDABLE_IR_VERSION:
        stored = {tensor.name for tensor in model.graph.initializer}
        for value in list(model.graph.input):
            if value.name in stored:
                model.graph.input.remove(value)
    model.ir_version = max(model.ir_version, _MINIMUM_IR_VERSION)
