"""Walking a model's graphs, and refusing models that are too deep, recursive or ambiguous."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import onnx

from onnx_acts.definition.arity import check_own_arity, check_standard_arity
from onnx_acts.definition.specs import DOMAIN, OPSET_VERSION

__all__ = [
    "STANDARD_DOMAINS",
    "check_model",
    "import_domain",
    "standard_opset",
    "subgraphs",
    "walk_graphs",
    "walk_nodes",
]

STANDARD_DOMAINS = ("", "ai.onnx")
"""The two names of the domain of the standard operators."""

_MAXIMUM_DEPTH = 30
"""Nesting of subgraphs beyond which a model is refused; protobuf itself reads about 32."""

_MAXIMUM_CALLS = 10_000_000
"""Nodes to which calls of functions may expand: each may call the next one many times."""

_SAVED_BY_RUNTIME = 1000
"""The version that ONNX Runtime imports, where it saves a model, of each domain that a library of
custom operators has registered in the process."""

_FunctionKey = tuple[str, str, str]


def check_model(model: onnx.ModelProto) -> None:
    """Requires versions that are known here, and a structure that can be processed.

    Raises:
        ValueError: an IR version, opset or `onnx_acts` version that is newer than this package
            or its `onnx` knows; subgraphs nested too deep; a function that calls itself, or calls
            that multiply; a value, initializer or function that is defined twice; a node with
            too few or too many inputs or outputs.
    """
    _check_versions(model)
    for graph in walk_graphs(model.graph):
        _check_names(graph)
    _check_functions(model)
    _check_arities(model)


def subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Yields the graphs in a node's attributes (the branches of If, the body of Loop or Scan)."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        elif attribute.type == onnx.AttributeProto.GRAPHS:
            yield from attribute.graphs


def walk_graphs(*roots: onnx.GraphProto | onnx.FunctionProto) -> Iterator[Any]:
    """Yields every graph (a function counts as one) and the subgraphs in it, outer ones first.

    Raises:
        ValueError: subgraphs are nested more than 30 deep.
    """
    waiting = [(root, 0) for root in reversed(roots)]
    while waiting:
        graph, depth = waiting.pop()
        if depth > _MAXIMUM_DEPTH:
            raise ValueError(
                f"the model nests subgraphs more than {_MAXIMUM_DEPTH} deep; it is not processed"
            )
        yield graph
        inner = [found for node in graph.node for found in subgraphs(node)]
        waiting += [(found, depth + 1) for found in reversed(inner)]


def walk_nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Yields every node of the graph, its subgraphs and the model's own functions.

    The functions of the domain `onnx_acts` are left out: they are made from the table.
    """
    functions = (function for function in model.functions if function.domain != DOMAIN)
    for graph in walk_graphs(model.graph, *functions):
        yield from graph.node


def standard_opset(owner: onnx.ModelProto | onnx.FunctionProto) -> int:
    """The version of the standard operators that a model or function imports; 0 without one."""
    versions = (item.version for item in owner.opset_import if item.domain in STANDARD_DOMAINS)
    return max(versions, default=0)


def import_domain(model: onnx.ModelProto) -> None:
    """Imports the domain `onnx_acts` into a model and its functions where nodes are of it.

    The model is changed. A version that is there becomes the one of the table.
    """
    functions = [function for function in model.functions if function.domain != DOMAIN]
    for owner, root in ((model, model.graph), *((function, function) for function in functions)):
        is_user = any(node.domain == DOMAIN for graph in walk_graphs(root) for node in graph.node)
        if is_user and all(item.domain != DOMAIN for item in owner.opset_import):
            owner.opset_import.append(onnx.helper.make_opsetid(DOMAIN, OPSET_VERSION))
        for item in owner.opset_import:
            if item.domain == DOMAIN:
                item.version = OPSET_VERSION


def _check_versions(model: onnx.ModelProto) -> None:
    if model.ir_version > onnx.IR_VERSION:
        raise ValueError(
            f"the model has IR version {model.ir_version}; onnx {onnx.__version__} knows versions"
            f" up to {onnx.IR_VERSION}: install a newer onnx"
        )
    newest = {DOMAIN: OPSET_VERSION} | dict.fromkeys(
        STANDARD_DOMAINS, onnx.defs.onnx_opset_version()
    )
    for item in model.opset_import:
        known = newest.get(item.domain, item.version)
        if item.domain == DOMAIN and item.version == _SAVED_BY_RUNTIME:
            continue
        if not 1 <= item.version <= known and item.domain in newest:
            domain = item.domain or "ai.onnx"
            source = "onnx-acts" if item.domain == DOMAIN else f"onnx (this is {onnx.__version__})"
            raise ValueError(
                f"the model imports {domain} version {item.version}; versions 1 to {known} are"
                f" supported here: convert the model, or install a newer {source}"
            )


def _check_names(graph: onnx.GraphProto) -> None:
    """Requires every value of one graph to be defined once."""
    inputs = [value.name for value in graph.input]
    stored = [tensor.name for tensor in graph.initializer]
    stored += [tensor.values.name for tensor in graph.sparse_initializer]
    made = [name for node in graph.node for name in node.output if name]
    # An initializer may share its name with an input, of which it is the default.
    for names in (inputs, stored, made + list({*inputs, *stored})):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if repeated:
            raise ValueError(
                f"graph {graph.name!r} defines the value {repeated[0]!r} more than once;"
                " give each value a name of its own"
            )


def _check_functions(model: onnx.ModelProto) -> None:
    """Requires functions with different names that do not call themselves, and few calls in all."""
    calls: dict[_FunctionKey, list[_FunctionKey]] = {}
    sizes: dict[_FunctionKey, int] = {}
    for function in model.functions:
        key = (function.domain, function.name, function.overload)
        if key in calls:
            raise ValueError(f"the model defines the function {_label(key)} more than once")
        nodes = [node for graph in walk_graphs(function) for node in graph.node]
        calls[key] = [(node.domain, node.op_type, node.overload) for node in nodes]
    for key in _callees_first(calls):
        sizes[key] = sum(sizes.get(callee, 1) for callee in calls[key])
    total = sum(
        sizes.get((node.domain, node.op_type, node.overload), 1)
        for graph in walk_graphs(model.graph)
        for node in graph.node
    )
    if total > _MAXIMUM_CALLS:
        raise ValueError(
            f"the calls of functions in the model expand to {total} nodes, more than"
            f" {_MAXIMUM_CALLS}; it is not processed"
        )


def _check_arities(model: onnx.ModelProto) -> None:
    """Requires nodes that call no function of the model to have the inputs of their operator."""
    functions = [function for function in model.functions if function.domain != DOMAIN]
    own = {(function.domain, function.name) for function in functions}
    for owner in (model, *functions):
        opset = standard_opset(owner)
        for graph in walk_graphs(owner.graph if owner is model else owner):
            for node in graph.node:
                if (node.domain, node.op_type) in own:
                    continue
                if node.domain == DOMAIN:
                    check_own_arity(node)
                elif node.domain in STANDARD_DOMAINS and opset:
                    check_standard_arity(node, opset)


def _callees_first(calls: dict[_FunctionKey, list[_FunctionKey]]) -> Iterator[_FunctionKey]:
    """Yields functions after all those that they call."""
    done: set[_FunctionKey] = set()
    for start, callees in calls.items():
        path = {start: iter(callees)} if start not in done else {}
        while path:
            key = next(reversed(path))
            callee = next((item for item in path[key] if item in calls and item not in done), None)
            if callee is None:
                done.add(key)
                del path[key]
                yield key
            elif callee in path:
                chain = " -> ".join(_label(item) for item in [*path, callee])
                raise ValueError(f"the function {_label(callee)} calls itself: {chain}")
            else:
                path[callee] = iter(calls[callee])


def _label(key: _FunctionKey) -> str:
    return "::".join(key[:2])
