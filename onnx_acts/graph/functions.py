"""Model-local functions that hold activations: inlined, because their types are those of callers.

Other exporters write a function for each module of the network or for each operator.
"""

from __future__ import annotations

import onnx
import onnx.inliner

from onnx_acts.embed import default_opset
from onnx_acts.graph.replacing import Choice, find
from onnx_acts.graph.view import View
from onnx_acts.inference import element_types
from onnx_acts.specs import DOMAIN
from onnx_acts.structure import STANDARD_DOMAINS, walk_nodes
from onnx_acts.weights import copy_without_weights

__all__ = ["inline_functions_with_matches"]


def inline_functions_with_matches(model: onnx.ModelProto, choice: Choice) -> onnx.ModelProto:
    """Returns a model in which functions with something to replace are inlined; others stay.

    The model itself comes back where there are none. An activation whose parameters are inputs of
    the function is found if it is a standard node, not if it is a decomposition that needs to know
    them.
    """
    tried: set[tuple[str, str]] = set()
    dtypes = set(element_types(model).values()) if model.functions else set()
    while True:
        found = [
            (function.domain, function.name)
            for function in model.functions
            if function.domain != DOMAIN
            and (function.domain, function.name) not in tried
            and _has_match(function, choice, dtypes)
        ]
        if not found:
            return model
        tried.update(found)
        model = _inlined(model, found)


def _has_match(function: onnx.FunctionProto, choice: Choice, dtypes: set[str]) -> bool:
    """Tells whether a function holds something that is replaced for one of the element types."""
    if not any(item.domain in STANDARD_DOMAINS for item in function.opset_import):
        return False
    body = onnx.GraphProto(
        node=function.node,
        input=[onnx.ValueInfoProto(name=name) for name in function.input],
        output=[onnx.ValueInfoProto(name=name) for name in function.output],
    )
    waiting = [View(body, body, default_opset(function), is_tolerant=True)]
    while waiting:
        view = waiting.pop()
        waiting += view.inner_views()
        for node in view.graph.node:
            for match in find(view, node):
                if any(choice.target(match, dtype) for dtype in dtypes):
                    return True
    return False


def _inlined(model: onnx.ModelProto, functions: list[tuple[str, str]]) -> onnx.ModelProto:
    """Inlines functions; the weights go round the inliner, which takes no model above 2 GiB."""
    light = copy_without_weights(model)
    _write_defaults(light)
    result = onnx.inliner.inline_selected_functions(light, functions)
    del result.graph.initializer[:]
    result.graph.initializer.extend(model.graph.initializer)
    return result


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
