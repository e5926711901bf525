"""The steps of a verification: run both, compare, walk where that is needed, say what was found."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from onnx_acts.comparing.limits import Limits
from onnx_acts.definition.version import version
from onnx_acts.files.reading import Model, opened
from onnx_acts.ort.sessions import CPU
from onnx_acts.verifying import whole
from onnx_acts.verifying.causes import cause_of, write_cause
from onnx_acts.verifying.explaining import is_evident, reasons, turned
from onnx_acts.verifying.graphs import Graph, has_own_nodes
from onnx_acts.verifying.guilt import Walked
from onnx_acts.verifying.inputs import Feeds
from onnx_acts.verifying.judging import are_comparable, judge
from onnx_acts.verifying.lanes import Side
from onnx_acts.verifying.limits import compared, described
from onnx_acts.verifying.notes import notes_on
from onnx_acts.verifying.references import Reference, Wanted, called, reference_for
from onnx_acts.verifying.result import Cause, OutputRecord, Verification
from onnx_acts.verifying.runtimes import Kernels, Runtime
from onnx_acts.verifying.sides import activations, is_coarser, paired_outputs, rounds
from onnx_acts.verifying.stepping import StepError
from onnx_acts.verifying.walking import RANDOM, Walk

__all__ = ["Settings", "check"]

_ACCUMULATED = (
    "every node computes what the reference does when it is given the reference's values: no single"
    " node is the cause, but rounding that accumulates, or the tolerance that was asked for"
)
_WITHIN = (
    "the outputs are within what rounding explains, but a node is another one than the reference's"
)
_DRAWN = "nodes draw random numbers, other ones in each run"
_MOST_NAMES = 3
_NOT_WALKED = "no node could be looked at"
_OPTIMISED = (
    "node by node the model gives what the reference gives: the difference appears only where ONNX"
    " Runtime runs it as a whole"
)
_SWAPPED = (
    "the nodes are those of the reference: it rounds more than the model, so they are judged by the"
    " model's values"
)


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to verify; the arguments of `onnx_acts.verify`, documented there."""

    plan: whole.Plan
    kernels: Kernels | None
    providers: tuple[str, ...]
    limits: Limits
    nodes: bool
    folder: str | os.PathLike[str] | None
    tell: Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class _Run:
    """Both models' outputs for every set of inputs."""

    feeds: list[Feeds]
    got: list[list[NDArray[Any]]]
    wanted: list[list[Wanted]]


def check(model: Model, against: Any, settings: Settings) -> Verification:
    """Does what `onnx_acts.verify` says."""
    with opened(model) as source:
        graph = Graph.of(source)
        kernels = settings.kernels or ("library" if has_own_nodes(source.model) else "bodies")
        runtime = Runtime(kernels, settings.providers or (CPU,))
        with reference_for(graph, against) as reference:
            feeds, got = whole.fed_runs(model, graph, runtime, settings.plan, settings.tell)
            settings.tell(f"running {reference.name}")
            runs = _Run(feeds, got, reference.run(feeds))
            return _Check(model, graph, runtime, reference, settings).finish(runs)


class _Check:
    """What is left to do when both have run."""

    def __init__(
        self,
        model: Model,
        graph: Graph,
        runtime: Runtime,
        reference: Reference,
        settings: Settings,
    ) -> None:
        self._model, self._graph, self._runtime = model, graph, runtime
        self._reference, self._settings = reference, settings
        self._notes: list[str] = []
        self._walked: Walked | None = None
        self._is_swapped = False
        self._rounds = rounds(graph) or reference.rounds

    def finish(self, runs: _Run) -> Verification:
        """Compares the outputs, walks where that is needed, and puts the result together."""
        outputs = self._compared(runs, None)
        causes: tuple[Cause, ...] = ()
        if self._settings.nodes or self._rounds or not _are_same(outputs):
            worst = max(outputs, key=lambda item: (not item.difference.same, item.difference.share))
            feeds = runs.feeds[worst.run]
            side = self._side(feeds)
            if side is not None and self._walk(side, feeds):
                outputs = self._compared(runs, worst.run)
                if not _are_same(outputs):
                    causes = self._causes(side, all_of_them=True)
                elif self._rounds or self._is_swapped:
                    causes = self._causes(side, all_of_them=False)
        if causes and _are_same(outputs):
            self._notes.append(_WITHIN)
        if self._walked is not None and not causes and not _are_same(outputs):
            self._explain(runs)
        settings, plan = self._settings, self._settings.plan
        is_compared = any(item.difference.is_compared for item in outputs)
        notes = (*self._reference.notes, *notes_on(outputs, runs.got, runs.wanted), *self._notes)
        return Verification(
            same=_are_same(outputs) and not causes and is_compared,
            model=called(self._model, "the model"),
            reference=self._reference.name,
            kernels=self._runtime.kernels,
            providers=self._runtime.providers,
            inputs=_described(plan, runs.feeds),
            tolerance=described(settings.limits),
            outputs=tuple(outputs),
            causes=causes,
            nodes=() if self._walked is None else self._walked.records,
            walked="" if self._walked is None else "reference" if self._is_swapped else "model",
            notes=notes,
            versions=_versions(),
        )

    def _compared(self, runs: _Run, walked_run: int | None) -> list[OutputRecord]:
        """A record for each output, of the run in which it is farthest from the reference."""
        operators = activations(self._graph.source.model)
        records = []
        for place, item in enumerate(self._graph.outputs):
            theirs = self._reference.outputs[place]
            found = self._walked_output(item.name, place) if self._walked else None
            best: OutputRecord | None = None
            for run, (got, wanted) in enumerate(zip(runs.got, runs.wanted, strict=True)):
                difference, rule = compared(
                    wanted[place],
                    got[place],
                    found,
                    operators,
                    self._settings.limits,
                    is_same_run=run == walked_run,
                )
                types = got[place].dtype.name, wanted[place].value.dtype.name
                record = OutputRecord(item.name, theirs, *types, run, difference, rule)
                if best is None or _rank(record) > _rank(best):
                    best = record
            assert best is not None  # there is at least one run
            records.append(best)
        return records

    def _walked_output(self, name: str, place: int) -> Any:
        """An output as the walked graph computes it, with its shadow."""
        assert self._walked is not None
        return self._walked.outputs.get(self._other_names[place] if self._is_swapped else name)

    def _side(self, feeds: Feeds) -> Side | None:
        """The reference's graph; None where it has none, with a note."""
        self._settings.tell("preparing the reference's graph")
        try:
            return self._reference.side(feeds)
        except (ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
            self._notes.append(f"{_NOT_WALKED}: {' '.join(str(error).split())}")
            return None

    def _walk(self, side: Side, feeds: Feeds) -> bool:
        """Walks through the graph that rounds more: the other one has the values to judge by.

        Returns:
            Whether that was possible; if not, there is a note.
        """
        own = Side(self._graph, self._runtime, dict(feeds))
        pairs = paired_outputs(self._graph, side.graph)
        self._other_names = [pairs[item.name] for item in self._graph.outputs]
        self._is_swapped = is_coarser(side.graph, self._graph)
        if self._is_swapped:
            pairs = {other: name for name, other in pairs.items()}
            own, side = side, own
            self._notes.append(_SWAPPED)
        self._pairs = pairs
        operators = activations(self._graph.source.model, side.graph.source.model)
        seed = self._settings.plan.seed
        try:
            self._walked = Walk(own, side, pairs, operators, seed, self._settings.tell).run()
        except StepError as error:
            self._notes.append(f"{_NOT_WALKED}: {' '.join(str(error).split())}")
        return self._walked is not None

    def _causes(self, side: Side, *, all_of_them: bool) -> tuple[Cause, ...]:
        """The guilty nodes in words, the first one with its files.

        Where the outputs are within their limits, these are those alone that have something else
        written in the file than the reference's.
        """
        assert self._walked is not None
        own, other = self._graph, side.graph
        runtime = self._runtime
        if self._is_swapped:
            own, other, runtime = other, own, side.runtime
        causes: list[Cause] = []
        for guilt in self._walked.guilty:
            found = reasons(guilt, own, other)
            if self._is_swapped:
                found = tuple(map(turned, found))
            written = reasons(guilt, own, other, counts_clamped=False)
            if not all_of_them and not is_evident(written):
                self._hide(guilt.index)
                continue
            files: tuple[Path, ...] = ()
            if not causes and self._settings.folder is not None:
                try:
                    files = write_cause(guilt, own, runtime, self._settings.folder)
                except OSError as error:  # the verdict is worth more than its example
                    self._notes.append(f"the cause could not be written: {error}")
            causes.append(cause_of(guilt, own, found, files))
        return tuple(causes)

    def _hide(self, index: int) -> None:
        """Notes that nothing shows the difference that a node makes."""
        assert self._walked is not None
        records = tuple(
            dataclasses.replace(item, status="hidden") if item.index == index else item
            for item in self._walked.records
        )
        self._walked = dataclasses.replace(self._walked, records=records)

    def _explain(self, runs: _Run) -> None:
        """Says why outputs differ though no node does."""
        assert self._walked is not None
        random = [item for item in self._walked.records if item.note.startswith(RANDOM)]
        if random:
            names = ", ".join(repr(item.name or item.output) for item in random[:_MOST_NAMES])
            self._notes.append(f"{_DRAWN}: {names}")
        wanted, walked = self._walked.wanted, self._walked.outputs
        pairs = [(wanted[self._pairs[n]], got) for n, got in walked.items()]
        if not all(are_comparable(want, got) for want, got in pairs):
            return  # the outputs are of other kinds, which is said of each
        if random or self._settings.limits or not all(judge(*pair, ()).same for pair in pairs):
            self._notes.append(_ACCUMULATED)
            return
        self._notes.append(_OPTIMISED)
        if self._is_swapped:
            return
        self._settings.tell("running the model without optimisations")
        got = whole.outputs_of(
            self._model, self._graph, self._runtime, runs.feeds, "the model", optimised=False
        )
        if _are_same(self._compared(dataclasses.replace(runs, got=got), None)):
            self._notes.append("without ONNX Runtime's optimisations the outputs are the same")


def _are_same(outputs: list[OutputRecord]) -> bool:
    return all(item.difference.same for item in outputs)


def _rank(record: OutputRecord) -> tuple[bool, float, float, int]:
    difference = record.difference
    return not difference.same, difference.share, difference.max_abs, difference.compared


def _described(plan: whole.Plan, runs: list[Feeds]) -> str:
    """The inputs in words."""
    shapes = ", ".join(
        f"{name} {array.dtype.name} {list(array.shape)}" for name, array in runs[0].items()
    )
    if plan.given is not None:
        return f"given: {shapes}"
    count = f"{len(runs)} set{'s' if len(runs) > 1 else ''}"
    return f"random, {count}, seed {plan.seed}: {shapes}"


def _versions() -> dict[str, str]:
    names = ("onnx-acts", "onnxruntime", "onnx", "torch")
    return {name: found for name in names if (found := version(name))}
