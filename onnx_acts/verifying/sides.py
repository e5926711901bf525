"""The two models of a verification, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import onnx

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.structure import walk_nodes
from onnx_acts.verifying.graphs import Graph
from onnx_acts.verifying.quantities import is_quantizing

__all__ = ["activations", "is_coarser", "paired_inputs", "paired_outputs", "rounds", "type_notes"]


def paired_outputs(model: Graph, reference: Graph) -> dict[str, str]:
    """The reference's name of each of the model's outputs: the same name, else the same place.

    Raises:
        ValueError: they have different numbers of outputs.
    """
    return _paired(model.outputs, reference.outputs, "outputs")


def paired_inputs(model: Graph, reference: Graph) -> dict[str, str]:
    """The same of inputs."""
    return _paired(model.inputs, reference.inputs, "inputs")


def _paired(
    own: tuple[onnx.ValueInfoProto, ...], other: tuple[onnx.ValueInfoProto, ...], what: str
) -> dict[str, str]:
    names, others = [item.name for item in own], [item.name for item in other]
    if len(names) != len(others):
        raise ValueError(
            f"the model has {len(names)} {what} ({', '.join(names) or 'none'}), the reference has"
            f" {len(others)} ({', '.join(others) or 'none'}): they are not the same network"
        )
    if set(names) == set(others):
        return {name: name for name in names}
    return dict(zip(names, others, strict=True))


def is_coarser(model: Graph, than: Graph) -> bool:
    """Whether a model rounds more than another: to 8 bits, or to 16 where the other does not."""
    return _coarseness(model) > _coarseness(than)


def rounds(graph: Graph) -> bool:
    """Whether a model rounds to 8 or 16 bits: its outputs say little of each node."""
    return _coarseness(graph) > 0


def _coarseness(graph: Graph) -> int:
    if any(is_quantizing(node) for node in walk_nodes(graph.source.model)):
        return 2
    short = (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    if any(item.data_type in short for item in graph.stored.values()):
        return 1
    casts = (
        item.i
        for node in graph.nodes
        if node.op_type == "Cast"
        for item in node.attribute
        if item.name == "to"
    )
    types = (item.type.tensor_type.elem_type for item in (*graph.inputs, *graph.outputs))
    return int(any(kind in short for kind in (*casts, *types)))


def type_notes(what: str, items: Sequence[tuple[str, object, object]]) -> Iterator[str]:
    """Says of inputs or outputs, each with its two types, where these are not the same."""
    for name, own, other in items:
        if own != other:
            yield f"{what} {name!r} is {own} here, {other} in the reference"


def activations(*models: onnx.ModelProto) -> frozenset[str]:
    """The operators of ours that models have: their promises widen the tolerance."""
    return frozenset(
        node.op_type for model in models for node in walk_nodes(model) if node.domain == DOMAIN
    )
