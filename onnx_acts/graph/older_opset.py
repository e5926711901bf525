"""From opset 18 to 17: what torch's exporter writes, for runtimes that stop there.

onnx's version converter has no rule for Split and Pad from 18 to 17, looks into no subgraph, and
writes attributes that opset 17 does not have. The rules here keep the meaning exactly, or refuse.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import onnx
from onnx import inliner

from onnx_acts.files.outer_constants import (
    drop_last_initializers,
    share_constants,
    small_constants,
)
from onnx_acts.files.structure import STANDARD_DOMAINS, walk_graphs, walk_nodes
from onnx_acts.files.types import scopes
from onnx_acts.graph.older_nodes import RULES, Place

__all__ = ["OLDER_OPSET", "to_older_opset"]

OLDER_OPSET = 17
"""What `to_older_opset` writes."""

_FROM = OLDER_OPSET + 1


def to_older_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    """Converts a model of opset 18 to 17; nodes of other domains stay as they are.

    Args:
        model: the model; it may be changed.

    Returns:
        The converted model. Functions of its own have been inlined.

    Raises:
        ValueError: a node has no equal in opset 17; the message names it.
    """
    if model.functions:
        model = inliner.inline_local_functions(model)
    model = _without_new_functions(model)
    counts = share_constants(model.graph)
    try:
        for graph, values, _ in reversed(list(scopes(model))):  # inner ones first
            constants = small_constants(graph)
            nodes = []
            for node in graph.node:
                if _is_new(node):
                    rule = RULES.get(node.op_type)
                    if rule is None:
                        raise ValueError(f"{node.op_type} ({node.name!r}) is newer than opset 17")
                    nodes += rule(Place(node, values, constants))
                nodes.append(node)
            if len(nodes) > len(graph.node):
                copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
                del graph.node[:]
                graph.node.extend(copies)
    except ValueError as error:
        raise ValueError(f"opset 17: {error}; export to opset 18 or newer") from error
    finally:
        drop_last_initializers(model.graph, counts)
    for item in model.opset_import:
        if item.domain in STANDARD_DOMAINS:
            item.version = OLDER_OPSET
    return model


def _is_new(node: onnx.NodeProto) -> bool:
    """Whether opset 18 has changed an operator."""
    return node.domain in STANDARD_DOMAINS and _since(node.op_type) == _FROM


@functools.cache
def _since(operator: str) -> int:
    return int(onnx.defs.get_schema(operator, _FROM).since_version)


def _without_new_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Writes out operators that are new in opset 18 and that ONNX defines by others."""
    names: Sequence[str] = sorted(
        {
            node.op_type
            for graph in walk_graphs(model.graph)
            for node in graph.node
            if _is_new(node) and node.op_type not in RULES and _has_body(node.op_type)
        }
    )
    if not names:
        return model
    wanted = [("", name) for name in names]
    expanded = inliner.inline_selected_functions(
        model, wanted, exclude=False, inline_schema_functions=True
    )
    assert all(node.op_type not in names for node in walk_nodes(expanded))
    return expanded


def _has_body(operator: str) -> bool:
    schema = onnx.defs.get_schema(operator, _FROM)
    kinds = ("has_function", "has_context_dependent_function")  # onnx's type hints lack these
    return any(getattr(schema, name) for name in kinds)
