"""The order of nodes: the standard wants each one after those that it reads from."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import onnx

from onnx_acts.files.structure import subgraphs, walk_graphs

__all__ = ["sort_nodes"]


def sort_nodes(root: onnx.GraphProto) -> None:
    """Sorts the nodes of a graph and its subgraphs in place, where they are not in order.

    ONNX Runtime takes them in any order, so some tools add theirs at the end; onnx infers no types
    then. Nodes keep their order as far as possible. Those of a circle stay where they are.
    """
    for graph in walk_graphs(root):
        order = _order(graph)
        if order != list(range(len(graph.node))):
            copies = onnx.GraphProto(node=[graph.node[index] for index in order])
            del graph.node[:]
            graph.node.extend(copies.node)


def _order(graph: onnx.GraphProto) -> list[int]:
    """The places of the nodes in a right order, the earliest first wherever there is a choice."""
    makers = {name: i for i, node in enumerate(graph.node) for name in node.output if name}
    readers: dict[int, list[int]] = {}
    missing = []
    for index, node in enumerate(graph.node):
        needed = {makers[name] for name in _read(node) if name in makers}
        missing.append(len(needed))
        for maker in needed:
            readers.setdefault(maker, []).append(index)
    ready = [index for index, count in enumerate(missing) if not count]
    order = []
    while ready:
        order.append(heapq.heappop(ready))
        for reader in readers.get(order[-1], ()):
            missing[reader] -= 1
            if not missing[reader]:
                heapq.heappush(ready, reader)
    return order if len(order) == len(missing) else list(range(len(missing)))


def _read(node: onnx.NodeProto) -> Iterator[str]:
    """The values that a node reads, also in its subgraphs."""
    yield from node.input
    for graph in walk_graphs(*subgraphs(node)):
        for inner in graph.node:
            yield from inner.input
        yield from (value.name for value in graph.output)
