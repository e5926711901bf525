"""Which of the reference's values a value of the model should be, and how far it is from that."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

import onnx

from onnx_acts.comparing.difference import Difference
from onnx_acts.verifying.candidates import Candidates
from onnx_acts.verifying.graphs import names_read
from onnx_acts.verifying.guilt import Guilt
from onnx_acts.verifying.judging import Got, are_comparable, judge, real_of
from onnx_acts.verifying.lanes import Lanes, draws
from onnx_acts.verifying.quantities import is_converting
from onnx_acts.verifying.rounding import Rounding
from onnx_acts.verifying.values import Value

__all__ = ["Counterparts"]

_SYMMETRIC = ("Add", "Mul", "Max", "Min", "Sum", "Mean", "And", "Or", "Xor", "Equal")
"""Operators whose inputs may come in any order."""


@dataclasses.dataclass(frozen=True)
class Counterparts:
    """The values of a walk, and what they have been matched with so far.

    Attributes:
        lanes: the model's values.
        rounding: how coarse the values of the lanes are, by the lanes' names.
        candidates: the reference's values, to look among.
        values: the reference's values.
        pairs: the reference's name of each of the model's outputs.
        operators: the activations in the two, whose promises widen the tolerance.
        matches: the counterparts that have been found, which the walk writes.
        pending: the suspects, which the walk writes.
    """

    lanes: Lanes
    rounding: Mapping[str, Rounding]
    candidates: Candidates
    values: Mapping[str, Value]
    pairs: Mapping[str, str]
    operators: Collection[str]
    matches: Mapping[str, str]
    pending: Mapping[str, Guilt]

    def find(
        self, node: onnx.NodeProto, place: int, name: str
    ) -> tuple[str | None, Difference | None]:
        """The counterpart of a value, and how far the value is from it."""
        got = self.got(name, "fed")
        taken = {other for own, other in self.matches.items() if own not in self.pending}
        named = self.named(node, place, name)
        if named is None and is_converting(node) and self._is_fed(node.input[0]):
            named = self.matches[node.input[0]]
        first = self.compared(named, got)
        if first is not None and first.same:
            return named, first
        equals = self.candidates.equal_to(real_of(got).value, taken - {named})
        for other in () if name in self.pairs else equals:
            found = self.compared(other, got)
            if found is not None and found.same:
                return other, found
        placed = self.candidates.by_place(node, place, self.matches, taken)
        by_place = (placed, self.compared(placed, got))
        by_name = (named, first)
        for meant, difference in (by_name, by_place) if name in self.pairs else (by_place, by_name):
            alike = self._is_same_kind(node, name, meant)
            if difference is not None and (not difference.reason or alike):
                return meant, difference
        return None, None

    def _is_fed(self, name: str) -> bool:
        """Whether a value is one of the reference's."""
        return name in self.matches and name not in self.pending

    def _is_same_kind(self, node: onnx.NodeProto, name: str, other: str | None) -> bool:
        """Whether a value of another shape is meant to be one of the reference's all the same."""
        maker = self.candidates.maker(other or "")
        same = maker is not None and (maker.op_type, maker.domain) == (node.op_type, node.domain)
        return name in self.pairs or same

    def reads_alike(self, node: onnx.NodeProto, maker: onnx.NodeProto) -> bool:
        """Whether a node reads the counterparts of what a node of the reference reads."""
        own = [
            self.matches.get(name, "")
            for name in names_read(node)
            if name not in self.lanes.constant
        ]
        theirs = [name for name in names_read(maker) if name not in self.candidates.constant]
        if node.op_type in _SYMMETRIC:
            own, theirs = sorted(own), sorted(theirs)
        return own == theirs

    def named(self, node: onnx.NodeProto, place: int, name: str) -> str | None:
        """The reference's value of that name, or of that place among the outputs."""
        if name in self.pairs and self.pairs[name] in self.values:
            return self.pairs[name]
        named = self.candidates.by_name(name)
        if named is not None and named not in set(self.matches.values()):
            return named
        if draws(node):
            taken = set(self.matches.values())
            return self.candidates.by_place(node, place, self.matches, taken)
        return None

    def compared(self, other: str | None, got: Got) -> Difference | None:
        """How far a value is from one of the reference; None where they are of different kinds."""
        if other is None or not are_comparable(self.values[other], got):
            return None
        return judge(self.values[other], got, self.operators)

    def got(self, name: str, form: str) -> Got:
        """A value of the model by itself ("own"), or of the nodes fed the reference's ("fed")."""
        values = self.lanes.values
        value = values[form][name]
        return Got(
            value,
            values[f"{form}_shadow"].get(name, value),
            self.lanes.grids.get(name),
            self.lanes.bounds.get(name),
            name in self.rounding[form].quantized,
            self.rounding[form].coarsest.get(name),
        )
