"""What a walk finds: nodes that make a difference, and what was seen on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import onnx

from onnx_acts.comparing.difference import Difference
from onnx_acts.verifying.judging import Got
from onnx_acts.verifying.result import NodeRecord
from onnx_acts.verifying.values import Value

__all__ = ["Guilt", "Walked"]


@dataclasses.dataclass(frozen=True)
class Guilt:
    """A node that makes a difference.

    Attributes:
        index: its place.
        node: the node.
        maker: the reference's node that makes the counterpart.
        output: the value that differs.
        counterpart: the reference's value.
        nodes: the places of all nodes since the reference's values, its own last.
        difference: how far it is.
        given: what those nodes were given.
        want: the counterpart's value.
        got: what the node made.
        read: what the reference's node reads, as far as no initializer stores it.
        quantized: those given values that have been rounded to 8 bits, with the distance between
            neighbouring numbers, 0 where that is not known.
        fixed: the names of those given values that depend on no input.
        is_sure: whether the node is of the kind of the reference's or reads what that reads. If
            not, a name is all that the two values have in common.
        turned: those given values whose axes are those of the reference only in another order, so.
    """

    index: int
    node: onnx.NodeProto
    maker: onnx.NodeProto | None
    output: str
    counterpart: str
    nodes: tuple[int, ...]
    difference: Difference
    given: Mapping[str, Value]
    want: Value
    got: Value
    read: Mapping[str, Value]
    quantized: Mapping[str, float]
    fixed: frozenset[str]
    is_sure: bool
    turned: Mapping[str, Value] = dataclasses.field(default_factory=dict)

    @property
    def known(self) -> Mapping[str, Value]:
        """What the node was given, with its axes in the reference's order."""
        return {**self.given, **self.turned}


@dataclasses.dataclass(frozen=True)
class Walked:
    """What a walk has found.

    Attributes:
        records: one for each node.
        guilty: the causes, in order.
        outputs: the model's outputs, each as the model computes it by itself, with its shadow.
        wanted: the reference's outputs.
    """

    records: tuple[NodeRecord, ...]
    guilty: tuple[Guilt, ...]
    outputs: Mapping[str, Got]
    wanted: Mapping[str, Value]
