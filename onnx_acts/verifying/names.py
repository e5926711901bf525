"""Causes that follow from a name that two values have in common, and from nothing else.

The value of a node of another kind, which reads something else, may have the name of one of the
reference's values by coincidence: files number their values. The nodes behind it are then given
values of other places in the network than the reference's nodes, and differ for that alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence

import onnx

from onnx_acts.verifying.candidates import kind
from onnx_acts.verifying.counterparts import Counterparts
from onnx_acts.verifying.explaining import is_evident, reasons
from onnx_acts.verifying.graphs import Graph, names_read
from onnx_acts.verifying.guilt import Guilt

__all__ = ["misled"]


def misled(
    known: Counterparts, guilty: Iterable[Guilt], model: Graph, reference: Graph
) -> dict[str, Guilt]:
    """The causes that have no fault of their own, each by its output, with what misled the walk.

    Args:
        known: the values of the walk.
        guilty: the causes.
        model: the graph that was walked.
        reference: the other one.
    """
    causes = sorted(guilty, key=lambda item: item.index)
    found: dict[str, Guilt] = {}
    for name in (item for item in causes if _has_only_a_name(known, item)):
        behind = _behind(model.nodes, name.output)
        for item in causes:
            if item.output in behind and not _has_fault(item, model, reference):
                found.setdefault(item.output, name)
    return found


def _has_only_a_name(known: Counterparts, item: Guilt) -> bool:
    """Whether a node and the reference's are of two kinds and read two things."""
    node, maker = item.node, item.maker
    return maker is not None and kind(node) != kind(maker) and not known.reads_alike(node, maker)


def _has_fault(item: Guilt, model: Graph, reference: Graph) -> bool:
    """Whether there is more to a cause than that it reads another value than the reference's."""
    if item.is_sure or item.maker is None:
        return True
    constants_alone = dataclasses.replace(item, is_sure=True)
    return is_evident(reasons(constants_alone, model, reference))


def _behind(nodes: Sequence[onnx.NodeProto], name: str) -> Collection[str]:
    """The values that depend on one."""
    found = {name}
    for node in nodes:
        if not found.isdisjoint(names_read(node)):
            found.update(filter(None, node.output))
    return found - {name}
