"""Finding the nodes that cause a difference.

Every node of the model is given the reference's values, as far as they are known. What it makes of
them must be the reference's next value: then the node is cleared, whatever it shows in the whole
model, because it only passes on what came from before it.

A value that differs from its counterpart makes its node a suspect, no more: the counterpart may be
another value of the same name, or the two files may cut the network at different places. So the
value goes on as it is. Where something behind it is the reference's again, the suspect was none;
where something behind it is wrong, too, the suspect is the cause, and the walk goes back to it and
on with the reference's value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping

from onnx_acts.comparing.difference import Difference
from onnx_acts.verifying.candidates import Candidates
from onnx_acts.verifying.counterparts import Counterparts
from onnx_acts.verifying.declared import is_declared, is_other_activation
from onnx_acts.verifying.graphs import names_read, title
from onnx_acts.verifying.guilt import Guilt, Walked
from onnx_acts.verifying.lanes import Lanes, Side, draws, run_all
from onnx_acts.verifying.names import misled
from onnx_acts.verifying.records import causes_of, record_of, settle
from onnx_acts.verifying.result import NodeRecord, Status
from onnx_acts.verifying.rewritten import Rewritten
from onnx_acts.verifying.rounding import Rounding
from onnx_acts.verifying.sides import paired_inputs, rounds
from onnx_acts.verifying.store import Store
from onnx_acts.verifying.suspects import correct, second_opinion, suspect_of
from onnx_acts.verifying.values import Value

__all__ = ["RANDOM", "Walk"]

_MOST_CAUSES = 20
"""After so many, the walk goes on with the reference's values, and convicts at once."""

RANDOM = "it draws random numbers"
"""The note on a node that does."""

_BEYOND = "some of its inputs are beyond the range that they were quantized for"
_MISLED = "it reads other values than the reference's node, as a name alone was to go by at"
_TOO_LARGE = "it is given a number that its element type cannot hold"


class Walk:
    """A walk through the model's graph."""

    def __init__(
        self,
        model: Side,
        reference: Side,
        pairs: Mapping[str, str],
        operators: Collection[str],
        seed: int,
        tell: Callable[[str], None],
    ) -> None:
        """Begins nothing yet.

        Args:
            model: the model, whose nodes are judged.
            reference: what is right.
            pairs: the reference's name of each of the model's outputs.
            operators: the activations in the two, whose promises widen the tolerance.
            seed: of the shadows.
            tell: is told of each node.
        """
        self._model, self._reference = model, reference
        self._pairs, self._operators, self._tell = pairs, operators, tell
        self._lanes = Lanes(model, reference.graph, seed)
        self._nodes = model.graph.nodes
        self._lasts = {n: i for i, node in enumerate(self._nodes) for n in names_read(node)}
        self._rewritten = Rewritten(model.graph, reference.graph)
        for name, place in self._rewritten.kept().items():
            self._lasts[name] = max(place, self._last(name))
        self._matches: dict[str, str] = {}
        self._matches.update(paired_inputs(model.graph, reference.graph))
        self._made_at: dict[str, int] = {}
        self._taint: dict[str, frozenset[str]] = {}
        self._inside: dict[str, tuple[int, ...]] = {}
        self._rounding = {"own": Rounding(), "fed": Rounding()}
        self._blocked: set[str] = set()
        self._pending: dict[str, Guilt] = {}
        self._survived: dict[str, Guilt] = {}
        self._guilty: dict[str, Guilt] = {}
        self._declared: dict[str, Guilt] = {}
        self._trials: dict[str, str] = {}
        self._refused: set[str] = set()
        self._rounds = rounds(model.graph) or rounds(reference.graph)
        self._records: dict[int, NodeRecord] = {}

    def run(self) -> Walked:
        """Walks.

        Raises:
            StepError: a node of the reference cannot be run by itself.
        """
        total = len(self._nodes)
        with Store() as values:
            for name, value in self._reference.feeds.items():
                values.put(name, value)
            for node, made in run_all(self._reference):
                self._tell(f"the reference, {len(values)} values: {title(node)}")
                for name, value in made.items():
                    values.put(name, value)
            self._values: Mapping[str, Value] = values
            self._counterparts = Counterparts(
                self._lanes,
                self._rounding,
                Candidates(self._reference.graph, values),
                values,
                self._pairs,
                self._operators,
                self._matches,
                self._pending,
            )
            index = 0
            while index < total:
                self._tell(f"node {index + 1} of {total}: {title(self._nodes[index])}")
                back = self._visit(index)
                if back is None:
                    self._forget(index)
                index = (index if back is None else back) + 1
            outputs = {
                item.name: self._counterparts.got(item.name, "own")
                for item in self._model.graph.outputs
                if item.name in self._lanes.values["own_shadow"]
            }
            wanted = {name: values[name] for name in self._pairs.values() if name in values}
            left = self._survived | self._pending
            settle(self._counterparts, left, self._guilty, self._records, outputs)
            self._acquit()
            guilty = causes_of(
                self._counterparts, self._rewritten, self._declared, self._guilty, self._records
            )
            records = tuple(self._records[i] for i in sorted(self._records))
            return Walked(records, guilty, outputs, wanted)

    def _acquit(self) -> None:
        """Takes back what the walk said of nodes only because a name led it astray."""
        graphs = self._model.graph, self._reference.graph
        for name, cause in misled(self._counterparts, self._guilty.values(), *graphs).items():
            index = self._guilty.pop(name).index
            note = f"{_MISLED} {title(cause.node)}"
            self._records[index] = dataclasses.replace(
                self._records[index], status="not judged", note=note
            )

    def _visit(self, index: int) -> int | None:
        """Runs and judges one node; returns the place to go back to, if it is to be gone back."""
        node = self._nodes[index]
        reason = self._lanes.visit(node)
        fed = [name for name in names_read(node) if not self._model.graph.is_constant(name)]
        taint = frozenset().union(*(self._taint.get(name, frozenset()) for name in fed))
        inside = {i for name in fed for i in self._inside.get(name, ())}
        if any(name in self._blocked for name in fed):
            reason = reason or _TOO_LARGE
        if draws(node):
            reason = RANDOM
        for form in ("own", "fed"):
            self._rounding[form].follow(node, fed, self._lanes.values[form])
        first: NodeRecord | None = None
        for place, name in enumerate(node.output):
            if not name:
                continue
            self._made_at[name] = index
            self._taint[name], self._inside[name] = taint, (*sorted(inside), index)
            if name in self._lanes.constant and name not in self._pairs:
                self._inside[name] = ()
                continue
            record, back = self._judge(index, place, name, taint, reason)
            if back is not None:
                return back
            if first is None or record.status == "causes":
                first = record
        self._records[index] = first or self._record(index, "same", "", note="constant")
        return None

    def _judge(
        self, index: int, place: int, name: str, taint: frozenset[str], reason: str
    ) -> tuple[NodeRecord, int | None]:
        """Judges one output of a node."""
        node = self._nodes[index]
        if name in self._guilty:  # the walk has gone back to the node after it
            return self._records[index], None
        if reason:
            return self._unjudged(index, place, name, reason), None
        found, difference = self._counterparts.find(node, place, name)
        suspect = self._suspect(name, found, difference) if found and difference else None
        if suspect is not None and self._rounds:
            self._declare(suspect)
        if suspect is None or name in self._refused:
            return self._record(index, "inside", "", output=name), None
        found, difference = suspect.counterpart, suspect.difference
        if difference.same:
            self._accept(name, found)
            return self._record(index, "same", found, difference, name), None
        again = second_opinion(self._counterparts, self._reference, suspect)
        if again is not None and again.same:
            self._accept(name, found)
            return self._record(index, "same", found, again, name, _BEYOND), None
        return self._blame(suspect, taint)

    def _suspect(self, name: str, found: str, difference: Difference) -> Guilt:
        """A value and its counterpart, with all that is known of the nodes that make them."""
        return suspect_of(
            self._counterparts, self._nodes, self._inside[name], name, found, difference
        )

    def _declare(self, suspect: Guilt) -> None:
        """Notes a node that the file says to be another one, whatever its value."""
        known, own = self._counterparts, self._model.graph
        pair = self._rewritten.pair(known, suspect)
        if pair is not None and is_other_activation(known, own, self._reference, pair):
            self._declared[suspect.output] = pair
        elif suspect.output not in self._refused and is_declared(
            known, own, self._reference, suspect
        ):
            self._declared[suspect.output] = suspect

    def _unjudged(self, index: int, place: int, name: str, reason: str) -> NodeRecord:
        """A value that says nothing of its node: the walk goes on with the reference's."""
        found = self._counterparts.named(self._nodes[index], place, name)
        if found and reason == RANDOM and name in self._lanes.values["fed"]:
            self._declare(self._suspect(name, found, Difference(same=False, reason=reason)))
        if found and (reason in (RANDOM, _TOO_LARGE) or name not in self._lanes.values["fed"]):
            self._accept(name, found)
        return self._record(index, "not judged", found or "", output=name, note=reason)

    def _blame(self, suspect: Guilt, taint: frozenset[str]) -> tuple[NodeRecord, int | None]:
        """Blames an earlier suspect that this value depends on, or makes this one a suspect."""
        index, name, found = suspect.index, suspect.output, suspect.counterpart
        blamed = self._record(index, "causes", found, suspect.difference, name)
        refuted = next((item for item, victim in self._trials.items() if victim == name), None)
        if refuted is not None:
            return blamed, self._refuse(refuted)
        earliest = min(taint, key=lambda item: self._made_at[item], default=None)
        if earliest is not None and len(self._guilty) < _MOST_CAUSES:
            return blamed, self._convict(earliest, name)
        if name in self._pairs or len(self._guilty) >= _MOST_CAUSES:
            self._guilty[name] = suspect
            self._accept(name, found)
            return blamed, None
        self._pending[name] = suspect
        self._taint[name] = frozenset({name})
        self._matches[name] = found
        return self._record(index, "hidden", found, suspect.difference, name), None

    def _accept(self, name: str, found: str) -> None:
        """From here on the model's nodes are given the reference's value."""
        self._trials = {item: victim for item, victim in self._trials.items() if victim != name}
        self._matches[name] = found
        self._taint[name], self._inside[name] = frozenset(), ()
        self._rounding["fed"].forget(name)
        if correct(self._lanes, name, self._values[found]):
            self._blocked.add(name)

    def _convict(self, name: str, victim: str) -> int:
        """Makes a suspect a cause; returns its place, after which the walk goes on.

        Where two values have no more than a name in common, this is a trial: the value behind that
        was wrong must be right now.
        """
        guilt = self._pending.pop(name)
        self._undo(guilt.index)
        self._guilty[name] = guilt
        if not guilt.is_sure:
            self._trials[name] = victim
        self._accept(name, guilt.counterpart)
        self._records[guilt.index] = self._record(
            guilt.index, "causes", guilt.counterpart, guilt.difference, name
        )
        return guilt.index

    def _refuse(self, name: str) -> int:
        """Takes a conviction back: the counterpart was none. The walk goes back before the node."""
        guilt = self._guilty.pop(name)
        self._trials.pop(name)
        self._refused.add(name)
        self._undo(guilt.index - 1)
        return guilt.index - 1

    def _undo(self, index: int) -> None:
        """Forgets what was found behind a node."""
        for name, made_at in self._made_at.items():
            if made_at > index:
                self._pending.pop(name, None)
                self._survived.pop(name, None)
                self._matches.pop(name, None)
                self._declared.pop(name, None)
                self._guilty.pop(name, None)
                self._blocked.discard(name)
        self._trials = {n: victim for n, victim in self._trials.items() if n in self._guilty}
        self._pending |= self._survived  # what cleared them may have been behind the node
        self._survived = {}
        self._clear(index)

    def _clear(self, index: int) -> None:
        """Clears suspects that nothing depends on which is read behind a node."""
        fed, made_at = self._lanes.values["fed"], self._made_at
        live = [name for name in fed if made_at.get(name, -1) <= index < self._last(name)]
        for name in list(self._pending):
            if not any(name in self._taint.get(other, ()) for other in live):
                self._survived[name] = self._pending.pop(name)

    def _forget(self, index: int) -> None:
        """Drops values that no later node reads, unless the walk may go back for them."""
        self._clear(index)
        if not self._pending and not self._trials:
            known = {name for values in self._lanes.values.values() for name in values}
            done = [n for n in known if self._last(n) <= index and n not in self._pairs]
            self._lanes.drop(done)

    def _last(self, name: str) -> int:
        """The place of the last node that reads a value."""
        return self._lasts.get(name, -1)

    def _record(
        self,
        index: int,
        status: Status,
        found: str,
        difference: Difference | None = None,
        output: str = "",
        note: str = "",
    ) -> NodeRecord:
        return record_of(
            self._counterparts, self._nodes[index], index, status, found, difference, output, note
        )
