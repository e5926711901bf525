"""The earlier values that a value may be an activation of."""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Iterator

import onnx

from onnx_acts.graph.meaning.operators import OPERATORS
from onnx_acts.graph.view import View

__all__ = ["Candidate", "candidates"]

_MOST_NODES = 32
_SCALING = ("Div", "Exp", "Mul")
_SUMS = ("Add", "Sub", "Sum")

_MOST_CANDIDATES = 4
_MOST_PAIRS = 16


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An input to try, and a slope that is no constant where there is one.

    Attributes:
        x: the input.
        slope: the slope.
        twin: another value that is taken for x, to see whether it should have been.
        shapes: those of the constants on the way that have more than one element.
    """

    x: str
    slope: str | None = None
    twin: str | None = None
    shapes: frozenset[tuple[int, ...]] = frozenset()


def candidates(view: View, root: onnx.NodeProto) -> Iterator[Candidate]:
    """Yields the values through which everything goes that `root` computes, nearest first.

    Walks backwards, always from the value that is made last, and stops where an operator is not
    understood. Where two values are left, either may be x and the other a slope: these come after
    the others, and then, farthest first, two values that may have been meant to be one.
    """
    bends, count = OPERATORS[root.op_type].bends, 0
    fewest = (
        0 if root.op_type in ("Celu", "Selu") else 1
    )  # any other node alone is as good as what it is
    waiting = _Waiting(view)
    waiting.add(root)
    pairs: list[Candidate] = []
    twins: list[Candidate] = []
    for _ in range(_MOST_NODES):
        names = waiting.names
        if len(names) == 1:
            twins.clear()  # both come from one value
        if bends and len(names) == 1 and waiting.walked >= fewest:
            yield Candidate(names[0], shapes=frozenset(waiting.shapes))
            count += 1
        elif bends and len(names) == 2 and waiting.walked > 0:
            for x, slope in (names[::-1], names):
                if slope in waiting.factors:
                    pairs.append(Candidate(x, slope, shapes=frozenset(waiting.shapes)))
            is_residual = root.op_type in _SUMS and not set(names).isdisjoint(root.input)
            if waiting.scales and not is_residual:
                twins.append(Candidate(names[0], twin=names[1]))
        node = waiting.pop()
        if node is None or count == _MOST_CANDIDATES or len(pairs) >= _MOST_PAIRS:
            break
        bends = bends or OPERATORS[node.op_type].bends
        waiting.add(node)
    yield from pairs
    yield from reversed(twins[-_MOST_CANDIDATES:])


class _Waiting:
    """Values to walk back from.

    Attributes:
        walked: how many nodes were walked through before the first.
        factors: where a slope that is no constant may stand: beside x, or in 1 - slope.
        scales: there was an operator without which there are no slope and no alpha.
        shapes: those of their constants that have more than one element.
    """

    def __init__(self, view: View) -> None:
        self.walked = -1
        self._view = view
        self.factors: set[str] = set()
        self.scales = False
        self.shapes: set[tuple[int, ...]] = set()
        self._heap: list[tuple[int, str]] = []

    @property
    def names(self) -> list[str]:
        """The values, the one that is made last first."""
        return [name for _, name in sorted(self._heap)] if len(self._heap) <= 2 else ["", "", ""]

    def add(self, node: onnx.NodeProto) -> None:
        """Adds what a node computes with: not what gives a type or a shape alone."""
        self.walked += 1
        names = node.input[:1] if node.op_type in ("CastLike", "Expand") else node.input
        self.scales = self.scales or node.op_type in _SCALING
        if node.op_type == "Transpose":
            self.shapes.add(())  # with others: they do not show their shape beside x
        known = {name for _, name in self._heap}
        variable = []
        for name in filter(None, dict.fromkeys(names)):
            shape = self._view.constant_shape(name)
            if shape is not None and math.prod(shape) > 1:
                self.shapes.add(shape)
            elif shape is None and not self._is_made_constant(name):
                variable.append(name)
                if name not in known:
                    heapq.heappush(self._heap, (-self._view.position(name), name))
        if node.op_type == "Sub" or (node.op_type == "Mul" and len(variable) > 1):
            self.factors.update(variable)

    def _is_made_constant(self, name: str) -> bool:
        """Tells whether a value is a constant in another type or shape."""
        node = self._view.standard_maker(name, "CastLike", "Expand")
        return node is not None and self._view.constant_shape(node.input[0]) is not None

    def pop(self) -> onnx.NodeProto | None:
        """Takes the value that is made last; None where its operator is not understood."""
        if not self._heap:
            return None
        node = self._view.standard_maker(heapq.heappop(self._heap)[1], *OPERATORS)
        if node is None or any(
            item.name not in OPERATORS[node.op_type].attributes or item.ref_attr_name
            for item in node.attribute
        ):
            return None
        return node
