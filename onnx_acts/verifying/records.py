"""What a walk notes of each node, and what becomes of suspects in the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import onnx

from onnx_acts.comparing.difference import Difference
from onnx_acts.files.structure import subgraphs
from onnx_acts.verifying.candidates import kind
from onnx_acts.verifying.counterparts import Counterparts
from onnx_acts.verifying.guilt import Guilt
from onnx_acts.verifying.judging import Got
from onnx_acts.verifying.result import NodeRecord, Status
from onnx_acts.verifying.rewritten import Rewritten

__all__ = ["causes_of", "record_of", "settle"]

_ONE_NODE = "its subgraphs count as one node with it"


def record_of(
    known: Counterparts,
    node: onnx.NodeProto,
    index: int,
    status: Status,
    found: str,
    difference: Difference | None,
    output: str,
    note: str,
) -> NodeRecord:
    """The record of a node, with how far its value is where the model computes by itself."""
    total = None
    if found and output in known.lanes.values["own"]:
        total = known.compared(found, known.got(output, "own"))
    if status == "same" and total is not None and not total.same:
        status = "passes on"
    operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
    if any(subgraphs(node)):
        note = f"{note}; {_ONE_NODE}" if note else _ONE_NODE
    return NodeRecord(
        index, operator, node.name, output or next(iter(node.output), ""), found, status,
        difference, total, note,
    )  # fmt: skip


def settle(
    known: Counterparts,
    suspects: Mapping[str, Guilt],
    guilty: dict[str, Guilt],
    records: dict[int, NodeRecord],
    outputs: Mapping[str, Got],
) -> None:
    """Judges suspects behind which everything was right: they were none, or have no effect.

    Only if an output differs all the same, and nothing else explains that, are they causes: a
    small difference may get lost in the tolerance of the next node, and come back.

    Args:
        known: the values of the walk.
        suspects: the suspects.
        guilty: the causes, to which some of them are added.
        records: the records of the nodes, in which theirs are changed.
        outputs: the model's outputs.
    """
    compared = [known.compared(known.pairs[name], got) for name, got in outputs.items()]
    differs = not guilty and any(item and not item.same for item in compared)
    for name, guilt in suspects.items():
        record = records[guilt.index]
        alike = guilt.maker is not None and kind(guilt.maker) == kind(guilt.node)
        is_elsewhere = any(
            other == guilt.counterpart for own, other in known.matches.items() if own != name
        )
        if alike and differs and not is_elsewhere:
            guilty[name] = guilt
            record = dataclasses.replace(record, status="causes")
        elif not alike or is_elsewhere:
            record = dataclasses.replace(record, status="inside", counterpart="", local=None)
        records[guilt.index] = record


def causes_of(
    known: Counterparts,
    rewritten: Rewritten,
    declared: Mapping[str, Guilt],
    guilty: Mapping[str, Guilt],
    records: dict[int, NodeRecord],
) -> tuple[Guilt, ...]:
    """The causes in order, each node once; the Transpose behind an activation is none itself.

    Args:
        known: the values of the walk.
        rewritten: the activations that `accelerate` has written in another way.
        declared: nodes that are written as other ones, by their values.
        guilty: nodes whose values differ.
        records: the records of the nodes, in which theirs are changed.
    """
    found: dict[int, Guilt] = {}
    for name, guilt in {**guilty, **declared}.items():
        named = guilt
        if name not in declared and guilt.node.op_type == "Transpose":
            named = rewritten.pair(known, guilt) or guilt
        found.setdefault(named.index, named)
        blamed = guilty.get(name, named)
        if blamed.index != named.index:
            record = records[blamed.index]
            records[blamed.index] = dataclasses.replace(
                record, status="inside", counterpart="", local=None
            )
        records[named.index] = dataclasses.replace(
            records[named.index], status="causes", counterpart=named.counterpart,
            local=named.difference,
        )  # fmt: skip
    return tuple(found[index] for index in sorted(found))
