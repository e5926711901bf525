"""What a verification finds; plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from onnx_acts.comparing.difference import Difference

__all__ = ["Cause", "NodeRecord", "OutputRecord", "Status", "Verification"]

Status = Literal["same", "passes on", "causes", "hidden", "inside", "not judged"]
"""What the walk says of a node: it computes what the reference does; so it does on the reference's
values, and the difference that it shows comes from before it; it is where a difference comes from;
it differs, and nothing after it shows that; it has no counterpart, and is judged with the node that
reads it; it could not be judged."""


@dataclasses.dataclass(frozen=True)
class OutputRecord:
    """How far one output is from the reference's.

    Attributes:
        name: its name in the model.
        reference: its name in the reference.
        dtype: its element type in the model.
        reference_dtype: its element type in the reference.
        run: which set of inputs gave the largest share, counted from 0.
        difference: how far it is, in that run.
        rule: what the limit was made of, in words.
    """

    name: str
    reference: str
    dtype: str
    reference_dtype: str
    run: int
    difference: Difference
    rule: str


@dataclasses.dataclass(frozen=True)
class NodeRecord:
    """What the walk says of one node.

    Attributes:
        index: its place among the nodes of the walked graph.
        operator: its operator, with the domain where that is not ONNX's own.
        name: its name, empty where it has none.
        output: the value that was judged.
        counterpart: the reference's value; empty where there is none.
        status: see `Status`.
        local: how far the value is from its counterpart where the node is given the reference's
            values; None where it has no counterpart.
        total: the same where the model computes from its own inputs.
        note: what else there is to say, such as that subgraphs count as one node.
    """

    index: int
    operator: str
    name: str
    output: str
    counterpart: str
    status: Status
    local: Difference | None
    total: Difference | None
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Cause:
    """A node that makes a difference out of the reference's own values.

    Attributes:
        index: its place among the nodes of the walked graph.
        operator: its operator, with the domain where that is not ONNX's own.
        name: its name, empty where it has none.
        output: the value that differs.
        counterpart: the reference's value.
        nodes: all nodes between values of the reference and this one, in order; the node itself is
            the last. More than one where the reference has no values in between.
        difference: how far the value is from its counterpart.
        reasons: what the two models have differently there, where that can be seen.
        files: where its inputs, a model of it alone and a program that runs them were written.
    """

    index: int
    operator: str
    name: str
    output: str
    counterpart: str
    nodes: tuple[str, ...]
    difference: Difference
    reasons: tuple[str, ...]
    files: tuple[Path, ...] = ()

    def __str__(self) -> str:
        """The node in words."""
        return (
            f"{self.operator} {self.name!r}" if self.name else f"{self.operator} -> {self.output!r}"
        )


@dataclasses.dataclass(frozen=True)
class Verification:
    """Whether a model computes what its reference does.

    Attributes:
        same: whether every output is. False where nothing was compared, see `is_compared`.
        model: what was verified.
        reference: what it was compared with.
        kernels: what ran the model's activations, see `onnx_acts.verify`.
        providers: the execution providers that ran the model.
        inputs: the inputs in words.
        tolerance: the tolerance in words.
        outputs: a record for each output.
        causes: the nodes that cause a difference, the first one first; empty where the outputs are
            the same, or where the nodes were not walked, or where no single node is at fault.
        nodes: a record for each node of the walked graph; empty where the nodes were not walked.
        walked: which graph that was: "model", "reference", or nothing.
        notes: what else there is to say.
        versions: of what took part.
    """

    same: bool
    model: str
    reference: str
    kernels: str
    providers: tuple[str, ...]
    inputs: str
    tolerance: str
    outputs: tuple[OutputRecord, ...]
    causes: tuple[Cause, ...]
    nodes: tuple[NodeRecord, ...]
    walked: str
    notes: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    def is_compared(self) -> bool:
        """Whether any element was compared: none is where all outputs are empty or NaN alone."""
        return any(item.difference.is_compared for item in self.outputs)

    @property
    def cause(self) -> Cause | None:
        """The first node that causes a difference."""
        return self.causes[0] if self.causes else None
