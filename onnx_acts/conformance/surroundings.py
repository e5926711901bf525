"""What stands around the operator in a model of more than one node, and what that computes.

A runtime that is told a wrong size computes the right values and then reads them wrongly: a Shape
that was folded, a branch that was chosen too early, memory that two values share. And it may write
over X only where X is a value of its own: so some models compute X first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import onnx.parser
from numpy.typing import NDArray

__all__ = ["AGAIN", "BARE", "SURROUNDINGS", "Surrounding"]

Array = NDArray[Any]

AGAIN = "Again"
"""A node of this name stands for one more node of the operator."""


@dataclasses.dataclass(frozen=True)
class Surrounding:
    """Nodes before and after the operator.

    Attributes:
        text: the nodes, in the ONNX text syntax; `$T` is the element type of X,
            `$2` the operator's second output.
        x: the value that the operator reads.
        outputs: what the model gives beside the operator's outputs.
        gives_sizes: whether that is integers, not numbers of X's element type.
        hides: how many of the operator's outputs, from Y on, are no outputs of the model: a runtime
            writes over X for no others.
        unsized: some of the operator's nodes read values of sizes that nobody knows.
        arrange: what the nodes before the operator do to X.
        expected: what the nodes after it make of the true Y, and of what else is hidden.
    """

    text: str = ""
    x: str = "X"
    outputs: Sequence[str] = ()
    gives_sizes: bool = False
    hides: int = 0
    unsized: bool = False
    arrange: Callable[[Array], Array] = lambda x: x
    expected: Callable[..., Sequence[Array]] = lambda y: ()

    def nodes(self, element: str, outputs: Sequence[str]) -> list[onnx.NodeProto]:
        """The nodes before and after the operator.

        Args:
            element: the name that the text syntax has for X's element type.
            outputs: the names of the operator's outputs.
        """
        if not self.text:
            return []
        text = self.text.replace("$T", element).replace("$2", outputs[-1])
        return list(onnx.parser.parse_graph(f"surrounding () => () {{ {text} }}").node)


BARE = Surrounding()
"""The operator alone."""


def _integers(values: Sequence[int] | int) -> Array:
    return np.array(values, np.int64)


def _constants(**lists: Sequence[int]) -> str:
    """Nodes that make vectors of integers."""
    return " ".join(
        f"{name} = Constant <value_ints = [{', '.join(map(str, values))}]> ()"
        for name, values in lists.items()
    )


_BRANCHES = """
  sizes = Shape (Y)
  n = ReduceProd <keepdims = 0> (sizes)
  limit = Constant <value_int = 5> ()
  large = Greater (n, limit)
  Z = If (large) <
    then_branch = many () => ($T[] a) { a = Identity (Y) },
    else_branch = few () => ($T[] b) { b = Concat <axis = 0> (Y, Y) }
  >
"""

_SUBGRAPHS = """
  zero = Constant <value_int = 0> ()
  sizes = Shape (X)
  n = ReduceProd <keepdims = 0> (sizes)
  is_there = Greater (n, zero)
  I = If (is_there) <
    then_branch = then () => ($T[] a) { a = Again (X) },
    else_branch = else () => ($T[] b) { b = Identity (X) }
  >
  three = Constant <value_int = 3> ()
  W, L = Loop (three, is_there, X, X) <
    body = larger (int64 i, bool c, $T[] v, $T[] p) => (bool d, $T[] w, $T[] q) {
      d = Identity (c) w = Concat <axis = 0> (v, v) q = Again (v)
    }
  >
  S = Scan <num_scan_inputs = 1, body = each ($T[m] row) => ($T[k] r) { r = Again (row) }> (X)
"""

SURROUNDINGS: dict[str, Surrounding] = {
    "Shape": Surrounding(
        "S = Shape (Y)", outputs=["S"], gives_sizes=True, expected=lambda y: [_integers(y.shape)]
    ),
    "rank": Surrounding(
        "S = Shape (Y) R = Shape (S)",
        outputs=["R"],
        gives_sizes=True,
        expected=lambda y: [_integers([y.ndim])],
    ),
    "Reshape": Surrounding(
        _constants(flat=[-1])
        + " S = Shape (Y) F = Reshape (Y, flat) B = Reshape (F, S) Z = Transpose (B)",
        outputs=["Z"],
        expected=lambda y: [y.T],
    ),
    "Slice": Surrounding(
        _constants(one=[1], zero=[0])
        + " L = Shape <start = 0, end = 1> (Y) E = Sub (L, one) Z = Slice (Y, zero, E, zero)",
        outputs=["Z"],
        expected=lambda y: [y[:-1]],
    ),
    "If": Surrounding(
        _BRANCHES,
        outputs=["Z"],
        expected=lambda y: [y if y.size > 5 else np.concatenate([y, y])],
    ),
    "one size for two": Surrounding(
        "W = Concat <axis = 0> (X, X) V = Again (W) D = Concat <axis = 0> (Y, V)",
        outputs=["D"],
        expected=lambda y: [np.concatenate([y, y, y])],
    ),
    "inside subgraphs": Surrounding(
        _SUBGRAPHS,
        outputs=["I", "L", "S"],
        unsized=True,
        expected=lambda y: [y, np.concatenate([y, y, y, y]), y],
    ),
    "X written over": Surrounding(
        "T = Transpose (X) Z = Transpose (Y)",
        x="T",
        outputs=["Z"],
        hides=1,
        arrange=lambda x: np.ascontiguousarray(x.T),
        expected=lambda y: [y.T],
    ),
    "both outputs inside": Surrounding(
        "T = Transpose (X) Z = Transpose (Y) N = Transpose ($2)",
        x="T",
        outputs=["Z", "N"],
        hides=2,
        arrange=lambda x: np.ascontiguousarray(x.T),
        expected=lambda y, second: [y.T, second.T],
    ),
}
"""By name; X has a dimension at least."""
