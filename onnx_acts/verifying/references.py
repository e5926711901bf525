"""What a model is compared with: another file, or a PyTorch module."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray

from onnx_acts.files.reading import Model, opened
from onnx_acts.verifying.graphs import Graph, has_bodies
from onnx_acts.verifying.inputs import Feeds
from onnx_acts.verifying.lanes import Side
from onnx_acts.verifying.runtimes import Runtime, plain
from onnx_acts.verifying.sides import paired_inputs, paired_outputs, rounds, type_notes
from onnx_acts.verifying.whole import outputs_of

__all__ = ["Reference", "Wanted", "called", "reference_for"]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What one output should be.

    Attributes:
        value: the reference's.
        noise: how far rounding takes each of its elements; None where the reference cannot tell.
        is_known: whether it can tell at all: PyTorch can where it runs in another element type.
    """

    value: NDArray[Any]
    noise: NDArray[np.float64] | None
    is_known: bool


class Reference(Protocol):
    """What is right.

    Attributes:
        name: what it is called.
        outputs: its names of the model's outputs, in the model's order.
        rounds: whether it rounds to 8 or 16 bits.
        notes: what there is to say of its inputs.
    """

    name: str
    outputs: list[str]
    rounds: bool
    notes: tuple[str, ...]

    def run(self, runs: Sequence[Feeds]) -> list[list[Wanted]]:
        """Its outputs for sets of the model's inputs, in the order of the model's outputs."""

    def side(self, feeds: Feeds) -> Side:
        """A graph of it, for the walk, and what that is fed."""


@contextlib.contextmanager
def reference_for(graph: Graph, against: Any) -> Iterator[Reference]:
    """Opens what a model's graph is compared with.

    Raises:
        ValueError: it is no model, or another number of inputs or outputs.
        TypeError: it is neither a model nor a module.
        ImportError: a module, and the extra for exporting is not installed.
    """
    is_path = isinstance(against, str | os.PathLike)
    if isinstance(against, bytes | onnx.ModelProto) or (is_path and _suffix(against) != ".pt2"):
        with opened(against) as source:
            yield _File(graph, Graph.of(source), against)
        return
    from onnx_acts.exporting import require_torch

    require_torch()
    from onnx_acts.verifying.modules import TorchReference

    with contextlib.ExitStack() as stack:
        inputs = [item.name for item in graph.inputs]
        yield _Module(graph, TorchReference(against, inputs), stack)


def called(model: Any, otherwise: str) -> str:
    """The name of a model: its file's, where it is one."""
    return os.path.basename(model) if isinstance(model, str | os.PathLike) else otherwise


def _suffix(path: str | os.PathLike[str]) -> str:
    return Path(path).suffix


class _File:
    """Another ONNX model."""

    def __init__(self, graph: Graph, other: Graph, model: Model) -> None:
        self._graph, self._other, self._model = graph, other, model
        self._inputs = paired_inputs(graph, other)
        pairs = paired_outputs(graph, other)
        self.outputs = [pairs[item.name] for item in graph.outputs]
        self.name = called(model, "the reference")
        self.rounds = rounds(other)
        types, others = _types(graph), _types(other)
        pairs_of_types = [(n, types[n], others[self._inputs[n]]) for n in types]
        self.notes = tuple(type_notes("input", pairs_of_types))
        self._runtime = plain(has_bodies=has_bodies(other.source.model))

    def run(self, runs: Sequence[Feeds]) -> list[list[Wanted]]:
        feeds = [self._renamed(item) for item in runs]
        results = outputs_of(self._model, self._other, self._runtime, feeds, "the reference")
        names = [item.name for item in self._other.outputs]
        places = [names.index(name) for name in self.outputs]
        return [[Wanted(values[i], None, is_known=False) for i in places] for values in results]

    def side(self, feeds: Feeds) -> Side:
        return Side(self._other, self._runtime, dict(self._renamed(feeds)))

    def _renamed(self, feeds: Feeds) -> Feeds:
        return renamed(feeds, self._inputs, self._other)


class _Module:
    """A PyTorch module or program."""

    def __init__(self, graph: Graph, module: Any, stack: contextlib.ExitStack) -> None:
        self._graph, self._module, self._stack = graph, module, stack
        self.name = module.name
        self.outputs = [f"output {i}" for i in range(len(graph.outputs))]
        self.rounds = module.rounds
        self.notes: tuple[str, ...] = ()

    def run(self, runs: Sequence[Feeds]) -> list[list[Wanted]]:
        from onnx_acts.exporting.runtimes import array_of

        results = []
        for feeds in runs:
            expected = self._module.expect(feeds)
            if len(expected) != len(self.outputs):
                raise ValueError(
                    f"the model has {len(self.outputs)} outputs, {self.name} gives"
                    f" {len(expected)} tensors: they are not the same network"
                )
            results.append([Wanted(array_of(e.value), e.noise, is_known=True) for e in expected])
        return results

    def side(self, feeds: Feeds) -> Side:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="onnx_acts."))
        path = self._module.exported(feeds, Path(folder))
        other = Graph.of(self._stack.enter_context(opened(path)))
        fed = renamed(feeds, paired_inputs(self._graph, other), other)
        return Side(other, Runtime("bodies"), dict(fed))


def renamed(feeds: Feeds, names: dict[str, str], other: Graph) -> Feeds:
    """Inputs under the reference's names, in its element types."""
    types = _types(other)
    return {names[name]: array.astype(types[names[name]]) for name, array in feeds.items()}


def _types(graph: Graph) -> dict[str, np.dtype[Any]]:
    """The element types of a graph's inputs."""
    kinds = {item.name: item.type.tensor_type.elem_type for item in graph.inputs}
    return {
        name: np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind)) for name, kind in kinds.items()
    }
