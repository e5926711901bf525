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

__all__ = ["record_of", "settle"]

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
