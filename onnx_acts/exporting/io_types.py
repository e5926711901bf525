"""Inputs and outputs of float32 for a model that computes in 16 bits."""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import TensorProto, helper

from onnx_acts.files.structure import walk_graphs

__all__ = ["with_float32_io"]

_SHORT = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


def with_float32_io(model: onnx.ModelProto) -> onnx.ModelProto:
    """Puts casts after the 16-bit inputs and before the 16-bit outputs of a model.

    The names of inputs and outputs stay, with float32 as their type; the values between have new
    names. An input that is an output as well is cast twice.

    Args:
        model: the model.

    Returns:
        A copy; the model itself where nothing is of 16 bits.
    """
    short = [v for v in (*model.graph.input, *model.graph.output) if _type(v) in _SHORT]
    if not short:
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph, taken = copy.graph, _names(copy)
    renamed = {value.name: _new(f"{value.name}_16", taken) for value in short}
    before = _casts(graph.input, renamed, into=True)
    after = _casts(graph.output, renamed, into=False)
    _rename(copy, renamed)
    nodes = [*before, *graph.node, *after]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    return copy


def _type(value: onnx.ValueInfoProto) -> int:
    return int(value.type.tensor_type.elem_type)


def _casts(
    values: Iterable[onnx.ValueInfoProto], renamed: dict[str, str], *, into: bool
) -> list[onnx.NodeProto]:
    """The casts of inputs or outputs, whose declared types become float32."""
    nodes = []
    for value in values:
        if _type(value) not in _SHORT:
            continue
        inner, kind = renamed[value.name], _type(value) if into else TensorProto.FLOAT
        names = ([value.name], [inner]) if into else ([inner], [value.name])
        nodes.append(helper.make_node("Cast", *names, name=f"Cast_{inner}", to=kind))
        value.type.tensor_type.elem_type = TensorProto.FLOAT
    return nodes


def _rename(model: onnx.ModelProto, renamed: dict[str, str]) -> None:
    """Gives the values inside of the casts their new names, in subgraphs too."""
    for graph in walk_graphs(model.graph):
        for node in graph.node:
            for names in (node.input, node.output):
                for i, name in enumerate(names):
                    names[i] = renamed.get(name, name)
        for item in (*graph.value_info, *graph.initializer):
            item.name = renamed.get(item.name, item.name)
        if graph is not model.graph:
            for value in graph.output:
                value.name = renamed.get(value.name, value.name)


def _names(model: onnx.ModelProto) -> set[str]:
    return {
        name
        for graph in walk_graphs(model.graph)
        for name in (
            *(value.name for value in (*graph.input, *graph.output, *graph.initializer)),
            *(name for node in graph.node for name in (*node.input, *node.output, node.name)),
        )
    }


def _new(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name
