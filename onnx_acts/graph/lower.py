"""`onnx_acts` nodes -> standard ONNX operators only."""

from __future__ import annotations

import os
from collections import Counter

import onnx

from onnx_acts.definition.known import Known
from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import DOMAIN, spec_of
from onnx_acts.files.embedding import default_opset, function_for, write_attributes
from onnx_acts.files.reading import Model, opened, opened_file
from onnx_acts.files.renaming import restore_names
from onnx_acts.files.saving import save_model
from onnx_acts.files.scopes import Values
from onnx_acts.files.sources import Source
from onnx_acts.files.structure import STANDARD_DOMAINS, walk_graphs, walk_nodes
from onnx_acts.files.types import scopes
from onnx_acts.graph.fusing import is_wrongly_fused
from onnx_acts.graph.inlining import inline_node
from onnx_acts.graph.kernels import has_standard_kernel
from onnx_acts.graph.local_functions import inline_functions_with_nodes
from onnx_acts.graph.names import FreshNames
from onnx_acts.graph.ordering import sort_nodes
from onnx_acts.graph.standard import as_standard
from onnx_acts.graph.view import View

__all__ = ["lower", "lower_counted", "lower_file", "lowered"]


def lower(model: Model, *, exact: bool = False) -> onnx.ModelProto:
    """Returns a copy with standard ONNX operators only, for runtimes that know no functions.

    A node becomes the standard operator (Relu, LeakyRelu, PRelu, Elu; RReLU in inference is a
    LeakyRelu with the mean slope) where ONNX Runtime has a CPU kernel of it: float16 and float32,
    and Relu in float64. In every other case the body of its function takes its place: other element
    types, unknown ones, RReLU in training mode or with its noise output.

    A runtime's Elu may be less accurate than ELU: ONNX Runtime computes exp(x) - 1, which loses the
    digits of x near zero (x = -1e-8 gives 0). `exact` keeps them.

    Args:
        model: a path, the serialised bytes or a `ModelProto`.
        exact: put the function bodies in everywhere.

    Raises:
        ValueError: not a valid model, or an opset that is too old for a body.
        FileNotFoundError: no such file.
        TypeError: not a model.
    """
    return lower_counted(model, exact=exact)[0]


def lower_file(
    model: str | os.PathLike[str], output: str | os.PathLike[str], *, exact: bool = False
) -> Counter[str]:
    """Like `lower`, from file to file, in little memory: weights are copied and not loaded.

    What becomes of weights and external data, the arguments and errors are as in
    `accelerate_file`.

    Args:
        model: the path of the model.
        output: where to write the new one.
        exact: as in `lower`.

    Returns:
        How often each form was replaced, like {"PReLU -> PRelu": 3}.

    Raises:
        ValueError, FileNotFoundError, TypeError: as in `lower`; a `ValueError` also where `output`
            is a file of the model's external data, or a file changes meanwhile.
        OSError: `output` cannot be written.
    """
    with opened_file(model) as source:
        result, replaced = lowered(source, exact=exact)
        save_model(result, output, source.weights)
    return replaced


def lower_counted(model: Model, *, exact: bool = False) -> tuple[onnx.ModelProto, Counter[str]]:
    """Like `lower`; also returns how often each form was replaced ("PReLU -> PRelu": 3)."""
    with opened(model) as source:
        result, replaced = lowered(source, exact=exact)
        return source.weights.complete(result), replaced


def lowered(source: Source, *, exact: bool = False) -> tuple[onnx.ModelProto, Counter[str]]:
    """Does what `lower` says, with the data where it is."""
    result = source.copy()
    replaced: Counter[str] = Counter()
    sort_nodes(result.graph)
    restore_names(result)
    _remove_functions(result)
    if any(item.domain in STANDARD_DOMAINS for item in result.opset_import):
        result = inline_functions_with_nodes(result)
    if any(node.domain == DOMAIN for node in walk_nodes(result)):
        names = FreshNames(result)
        opset = default_opset(result)
        for graph, values, _ in reversed(list(scopes(result))):
            replaced += _lower_graph(graph, opset, values, exact, names)
        for function in result.functions:
            if any(item.domain == DOMAIN for item in function.opset_import):
                for graph in reversed(list(walk_graphs(function))):
                    replaced += _lower_graph(graph, default_opset(function), None, exact, names)
    for owner in (result, *result.functions):
        for item in list(owner.opset_import):
            if item.domain == DOMAIN:
                owner.opset_import.remove(item)
    return result, replaced


def _remove_functions(model: onnx.ModelProto) -> None:
    """Removes the bodies of `onnx_acts` operators; those that are needed are made anew."""
    for function in list(model.functions):
        if function.domain == DOMAIN:
            model.functions.remove(function)


def _lower_graph(
    graph: onnx.GraphProto | onnx.FunctionProto,
    opset: int,
    values: Values | None,
    exact: bool,
    names: FreshNames,
) -> Counter[str]:
    """Replaces the nodes of a graph or function whose subgraphs have been done."""
    replaced: Counter[str] = Counter()
    nodes: list[onnx.NodeProto] = []
    view = _quantized(graph, opset)
    for node in graph.node:
        if node.domain != DOMAIN:
            nodes.append(node)
            continue
        write_attributes(node)
        known = values[node.input[0]] if values else Known()
        standard = None if exact else _standard(node, known.dtype, opset)
        is_leaky = standard is not None and standard.op_type == "LeakyRelu"
        if view and is_leaky and is_wrongly_fused(view, node, node.input[0]):
            standard = None
        if standard is None:
            body = function_for(node.op_type, opset, [node], [known])
            nodes += inline_node(node, body, names)
        else:
            nodes.append(standard)
        replaced[f"{node.op_type} -> {standard.op_type if standard else 'body'}"] += 1
    copies = onnx.GraphProto(node=nodes)
    del graph.node[:]
    graph.node.extend(copies.node)
    return replaced


def _quantized(graph: onnx.GraphProto | onnx.FunctionProto, opset: int) -> View | None:
    """A view of a graph that has DequantizeLinear nodes."""
    is_quantized = any(node.op_type == "DequantizeLinear" for node in graph.node)
    is_graph = isinstance(graph, onnx.GraphProto)
    return View(graph, graph, opset) if is_graph and is_quantized else None


def _standard(node: onnx.NodeProto, dtype: str | None, opset: int) -> onnx.NodeProto | None:
    """The standard node that computes the same, None where there is none."""
    training = read_attributes(node).get("training_mode")
    has_noise = any(node.output[1:])
    if not has_standard_kernel(spec_of(node.op_type), dtype, opset) or training or has_noise:
        return None
    return as_standard(node)
