"""Running the model's nodes one by one, each value in four forms.

`own` is what the model computes from its own values, `fed` what its node makes of the reference's
values; each has its shadow (`shadows`), which shows what rounding alone may change.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from onnx_acts.comparing.tolerance import epsilon, is_real
from onnx_acts.files.weights import declared_bytes
from onnx_acts.verifying.graphs import Graph, names_read
from onnx_acts.verifying.quantities import Grid, grid_of, is_moving, is_quantizing, read_grid
from onnx_acts.verifying.runtimes import Runtime
from onnx_acts.verifying.shadows import moved, stepped
from onnx_acts.verifying.stepping import Step, StepError
from onnx_acts.verifying.values import Value

__all__ = ["Lanes", "Side", "draws", "run_all"]

FORMS = ("own", "own_shadow", "fed", "fed_shadow")
"""The forms of a value."""

_SMALL_WEIGHT = 2**26
"""Bytes up to which a weight is moved in the shadows, too."""

_DRAWS = frozenset(
    [
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
        "Multinomial",
        "Bernoulli",
    ]
)
"""Operators that give other values in each run."""

_SINGLE = epsilon(np.dtype("float32"))


@dataclasses.dataclass(frozen=True)
class Side:
    """One of the two models.

    Attributes:
        graph: its graph.
        runtime: how its nodes are run.
        feeds: its inputs.
    """

    graph: Graph
    runtime: Runtime
    feeds: Mapping[str, Value]


def draws(node: onnx.NodeProto) -> bool:
    """Whether a node draws random numbers, which differ from run to run."""
    return node.op_type in _DRAWS


def run_all(side: Side) -> Iterator[tuple[onnx.NodeProto, dict[str, Value]]]:
    """Runs a graph node by node; yields each node with what it makes.

    Raises:
        StepError: ONNX Runtime cannot run a node.
    """
    nodes = side.graph.nodes
    last = {name: i for i, node in enumerate(nodes) for name in names_read(node)}
    live = dict(side.feeds)
    for i, node in enumerate(nodes):
        given = {name: live[name] for name in names_read(node) if name in live}
        results = Step(side.graph, node, side.runtime, given).run(given)
        made = dict(zip(filter(None, node.output), results, strict=True))
        live |= made
        yield node, made
        for name in [name for name in live if last.get(name, -1) <= i]:
            del live[name]


class Lanes:
    """The values of the model's graph in their four forms, as far as they are still needed.

    Attributes:
        values: by form and name.
        grids: the grids of values that are integers.
        bounds: the grid and its type out of which a real value has come.
        constant: names of values that depend on no input.
    """

    def __init__(self, side: Side, reference: Graph, seed: int) -> None:
        """Starts at the graph's inputs, which are exact."""
        self._side, self._reference, self._seed = side, reference, seed
        self.values: dict[str, dict[str, Value]] = {form: dict(side.feeds) for form in FORMS}
        self.grids: dict[str, Grid] = {}
        self.bounds: dict[str, tuple[Grid, np.dtype[Any]]] = {}
        self.constant: set[str] = set(side.graph.stored) | set(side.graph.sparse)

    def visit(self, node: onnx.NodeProto) -> str:
        """Runs a node in every form; returns why it could not be run, or nothing."""
        names = [name for name in names_read(node) if not self._side.graph.is_constant(name)]
        known = {form: self._known(form, names) for form in FORMS}
        given = next((item for item in known.values() if item is not None), None)
        if given is None:
            return "a value that it reads could not be computed"
        changed = dict(self._changed(node))
        try:
            step = Step(self._side.graph, node, self._side.runtime, given, tuple(changed))
        except StepError as error:
            return str(error)
        if all(name in self.constant for name in names_read(node)) and not draws(node):
            self.constant.update(filter(None, node.output))
        reason = ""
        for form in FORMS:
            reason = self._run(node, step, form, known[form], changed) or reason
        self._follow(node)
        return reason

    def _known(self, form: str, names: Sequence[str]) -> dict[str, Value] | None:
        values = self.values[form]
        return {n: values[n] for n in names} if all(n in values for n in names) else None

    def _run(
        self,
        node: onnx.NodeProto,
        step: Step,
        form: str,
        given: dict[str, Value] | None,
        changed: Mapping[str, Value],
    ) -> str:
        """Runs one form; returns why that could not be, or nothing."""
        outputs = [name for name in node.output if name]
        for name in outputs:
            self.values[form].pop(name, None)
        if given is None:
            return "a value that it reads could not be computed"
        is_shadow = form.endswith("shadow")
        try:
            results = step.run(given, changed if is_shadow else None)
        except StepError as error:
            return str(error)
        for name, value in zip(outputs, results, strict=True):
            moves = is_shadow and name not in self.constant
            self.values[form][name] = self._moved(node, name, value) if moves else value
        return ""

    def _moved(self, node: onnx.NodeProto, name: str, value: Value) -> Value:
        """A value of a shadow, rounded as badly as may be."""
        is_grid = is_quantizing(node) and node.op_type != "DequantizeLinear"
        small = isinstance(value, np.ndarray) and value.ndim and value.dtype.itemsize <= 2
        if is_grid and small and name == node.output[0]:
            return stepped(value, name, self._seed)
        return moved(value, name, self._seed)

    def _changed(self, node: onnx.NodeProto) -> Iterator[tuple[str, Value]]:
        """The weights of a node that the reference has in a finer type, moved."""
        for name in dict.fromkeys(node.input):
            tensor = self._side.graph.stored.get(name)
            other = self._reference.stored.get(name)
            if tensor is None or (other is not None and other.data_type == tensor.data_type):
                continue
            if declared_bytes(tensor) > _SMALL_WEIGHT or not len(tensor.dims):
                continue
            kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            if is_real(kind) and epsilon(kind) > _SINGLE:
                yield name, moved(self.stored(name), name, self._seed)
            elif kind in (np.int8, np.uint8) and len(tensor.dims) > 1 and is_quantizing(node):
                yield name, stepped(self.stored(name), name, self._seed)

    def stored(self, name: str) -> NDArray[Any]:
        """An initializer as an array."""
        return numpy_helper.to_array(self._side.graph.loaded(name))

    def _follow(self, node: onnx.NodeProto) -> None:
        """Finds out on which grids the outputs are."""
        if not node.output or not (is_quantizing(node) or is_moving(node)):
            return
        first, source = node.output[0], self._any(node.input[0])
        read = {name: self._any(name) for name in node.input if name}
        given = {name: value for name, value in read.items() if value is not None}
        grid = grid_of(node, given, self.grids)
        if grid is not None:
            self.grids[first] = grid
        if is_moving(node) and node.input[0] in self.bounds:
            self.bounds[first] = self.bounds[node.input[0]]
        grid = read_grid(node, given) if node.op_type == "DequantizeLinear" else None
        if grid is not None and isinstance(source, np.ndarray) and source.dtype.itemsize <= 2:
            self.bounds[first] = (grid, source.dtype)

    def _any(self, name: str) -> Value | None:
        """A value in the first form that there is."""
        if name in self._side.graph.stored:
            return self.stored(name)
        with contextlib.suppress(StopIteration):
            return next(self.values[form][name] for form in FORMS if name in self.values[form])
        return None

    def put(self, name: str, value: Value, *, eps: float = 0.0) -> None:
        """Feeds a value of the reference from here on; its shadow has that of its type."""
        self.values["fed"][name] = value
        if name in self.grids:
            self.values["fed_shadow"][name] = stepped(value, name, self._seed)
        else:
            self.values["fed_shadow"][name] = moved(value, name, self._seed, eps)

    def drop(self, names: Sequence[str]) -> None:
        """Forgets values."""
        for form in FORMS:
            for name in names:
                self.values[form].pop(name, None)
