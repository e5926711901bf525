"""Model-local functions that hold activations: inlined, because their types are those of callers.

Other exporters write a function for each module of the network or for each operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import onnx
import onnx.inliner
from onnx import helper, version_converter

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.embedding import default_opset
from onnx_acts.files.sources import Weights
from onnx_acts.files.structure import STANDARD_DOMAINS, walk_graphs, walk_nodes
from onnx_acts.files.types import element_types
from onnx_acts.files.weights import copy_without_weights
from onnx_acts.graph.deciding import Request
from onnx_acts.graph.replacing import find
from onnx_acts.graph.view import View

__all__ = [
    "functions_of_other_opsets",
    "inline_functions_with_matches",
    "inline_functions_with_nodes",
]

_Key = tuple[str, str]
"""Domain and name of a function."""


def inline_functions_with_matches(
    model: onnx.ModelProto, request: Request, weights: Weights
) -> onnx.ModelProto:
    """Returns a model in which functions with something to replace are inlined; others stay.

    The model itself comes back where there are none. An activation whose parameters are inputs of
    the function is found if it is a standard node, not if it is a decomposition that needs to know
    them. A function stays if it would have to be written in another way for the model's opset: ONNX
    Runtime reads it as if it had that opset, other runtimes may not.
    """
    dtypes = set(element_types(model).values()) if model.functions else set()
    return _inline_where(model, lambda function: _has_match(function, request, dtypes, weights))


def inline_functions_with_nodes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same for functions with `onnx_acts` nodes, whose bodies would have to suit any type."""
    return _inline_where(model, _has_nodes)


def functions_of_other_opsets(model: onnx.ModelProto) -> set[_Key]:
    """Domain and name of the functions that would have to be written anew for the model's opset."""
    opset = default_opset(model)
    return {_key(function) for function in model.functions if not _is_of_opset(function, opset)}


def _inline_where(
    model: onnx.ModelProto, is_wanted: Callable[[onnx.FunctionProto], bool]
) -> onnx.ModelProto:
    """Inlines functions until none is wanted that was not tried; their callers may be next."""
    tried: set[_Key] = set()
    while True:
        found = [
            _key(function)
            for function in model.functions
            if function.domain != DOMAIN
            and _key(function) not in tried
            and _is_of_opset(function, default_opset(model))
            and is_wanted(function)
        ]
        if not found:
            return model
        tried.update(found)
        model = _inlined(model, found)


def _has_nodes(function: onnx.FunctionProto) -> bool:
    return any(node.domain == DOMAIN for graph in walk_graphs(function) for node in graph.node)


def _has_match(
    function: onnx.FunctionProto, request: Request, dtypes: set[str], weights: Weights
) -> bool:
    """Tells whether a function holds something that is replaced for one of the element types."""
    if not any(item.domain in STANDARD_DOMAINS for item in function.opset_import):
        return False
    body = onnx.GraphProto(
        node=function.node,
        input=[onnx.ValueInfoProto(name=name) for name in function.input],
        output=[onnx.ValueInfoProto(name=name) for name in function.output],
    )
    waiting = [View(body, body, default_opset(function), is_tolerant=True, weights=weights)]
    while waiting:
        view = waiting.pop()
        waiting += view.inner_views()
        for node in view.graph.node:
            for match in find(view, node):
                if any(request.decide(match, dtype, view.opset).operator for dtype in dtypes):
                    return True
    return False


def _inlined(model: onnx.ModelProto, functions: list[_Key]) -> onnx.ModelProto:
    """Inlines functions; the weights go round the inliner, which takes no model above 2 GiB."""
    light = copy_without_weights(model)
    for function in light.functions:
        del function.value_info[:]  # true for some callers at most, and ONNX Runtime ignores it
    _write_defaults(light)
    others = _set_opset(light, default_opset(model))
    result = onnx.inliner.inline_selected_functions(light, functions)
    del result.graph.initializer[:]
    result.graph.initializer.extend(model.graph.initializer)
    _put_back(result, others, model.functions)
    return result


def _is_of_opset(function: onnx.FunctionProto, opset: int) -> bool:
    """Tells whether the standard operators in a function are the same in another opset."""
    own = next((i.version for i in function.opset_import if i.domain in STANDARD_DOMAINS), opset)
    nodes = (node for graph in walk_graphs(function) for node in graph.node)
    names = {node.op_type for node in nodes if node.domain in STANDARD_DOMAINS}
    same = all(_version(name, own) == _version(name, opset) for name in names)
    return same or _converts_unchanged(function, opset)


def _version(operator: str, opset: int) -> int | None:
    """The opset in which an operator got the form that it has in `opset`."""
    try:
        return int(onnx.defs.get_schema(operator, opset, "").since_version)
    except onnx.defs.SchemaError:
        return None


def _converts_unchanged(function: onnx.FunctionProto, opset: int) -> bool:
    """Tells whether onnx.version_converter has nothing to do in a function."""
    graph = onnx.GraphProto(
        name=function.name,
        node=function.node,
        input=[onnx.ValueInfoProto(name=name) for name in function.input],
        output=[onnx.ValueInfoProto(name=name) for name in function.output],
    )
    model = helper.make_model(graph, opset_imports=function.opset_import)
    try:
        converted = version_converter.convert_version(model, opset)
    except Exception:  # it raises anything where it has no way
        return False
    return list(map(_content, converted.graph.node)) == list(map(_content, function.node))


def _content(node: onnx.NodeProto) -> tuple[object, ...]:
    attributes = sorted(item.SerializeToString(deterministic=True) for item in node.attribute)
    return node.domain, node.op_type, list(node.input), list(node.output), attributes


def _set_opset(model: onnx.ModelProto, opset: int) -> list[_Key]:
    """Gives the functions the model's opset, which onnx.inliner asks for.

    Returns:
        Those that cannot have it; they are taken out.
    """
    fitting = onnx.ModelProto(functions=[f for f in model.functions if _is_of_opset(f, opset)])
    taken = [_key(function) for function in model.functions if not _is_of_opset(function, opset)]
    for function in fitting.functions:
        for item in function.opset_import:
            if item.domain in STANDARD_DOMAINS:
                item.version = opset
    del model.functions[:]
    model.functions.extend(fitting.functions)
    return taken


def _put_back(
    model: onnx.ModelProto, taken: Iterable[_Key], known: Iterable[onnx.FunctionProto]
) -> None:
    """Adds functions to a model again, and those of the known ones that they call."""
    by_key = {_key(function): function for function in known}
    there = {_key(function) for function in model.functions}
    waiting = list(taken)
    while waiting:
        key = waiting.pop()
        if key in by_key and key not in there:
            there.add(key)
            model.functions.append(by_key[key])
            nodes = (node for graph in walk_graphs(by_key[key]) for node in graph.node)
            waiting += [(node.domain, node.op_type) for node in nodes]


def _key(function: onnx.FunctionProto) -> _Key:
    return function.domain, function.name


def _write_defaults(model: onnx.ModelProto) -> None:
    """Gives every call of a function the attributes that it leaves to their defaults.

    onnx.inliner forgets the defaults: the nodes of the body would get those of their own operators.
    """
    defaults = {
        (function.domain, function.name, function.overload): function.attribute_proto
        for function in model.functions
    }
    for node in walk_nodes(model):
        given = {item.name for item in node.attribute}
        known = defaults.get((node.domain, node.op_type, node.overload), ())
        node.attribute.extend(item for item in known if item.name not in given)
