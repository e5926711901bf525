"""Running one node of a graph by itself, on values of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from onnx_acts.files.structure import STANDARD_DOMAINS
from onnx_acts.files.weights import declared_bytes, set_external
from onnx_acts.files.wire import Range
from onnx_acts.verifying.graphs import Graph, names_read, title
from onnx_acts.verifying.runtimes import Runtime
from onnx_acts.verifying.values import Value, as_fed, as_value, type_of

__all__ = ["Step", "StepError", "part_model"]

_LARGE = 2**20
"""Bytes from which a weight is handed over beside the model, instead of being copied into it."""

_LOWEST_IR_VERSION = 4
"""In which initializers need not be inputs."""


class StepError(ValueError):
    """ONNX Runtime cannot run one node by itself."""


class Step:
    """One node, ready to run on several sets of inputs.

    Weights may be replaced for one run: those named in `changeable` are inputs with defaults.
    """

    def __init__(
        self,
        graph: Graph,
        node: onnx.NodeProto,
        runtime: Runtime,
        given: Mapping[str, Value],
        changeable: Sequence[str] = (),
    ) -> None:
        """Opens the session.

        Args:
            graph: the graph of the node.
            node: the node.
            runtime: how it is run.
            given: the values that it reads, but for those that the graph stores.
            changeable: stored values that a run may replace.

        Raises:
            StepError: ONNX Runtime refuses it.
        """
        self._node, self._fed = node, [name for name in names_read(node) if name in given]
        self._changeable = frozenset(changeable)
        self._kept: dict[str, np.ndarray] = {}
        self.constant = _constant(graph, node)
        if self.constant is not None:
            return
        weights = {}
        tensors = []
        for name in names_read(node):
            if name not in graph.stored or name in given:
                continue
            tensor = graph.loaded(name)
            if declared_bytes(tensor) > _LARGE and name not in self._changeable:
                self._kept[name] = numpy_helper.to_array(tensor)
                weights[name] = onnxruntime.OrtValue.ortvalue_from_numpy(self._kept[name])
                tensor = _placeholder(tensor)
            tensors.append(tensor)
        outputs = [name for name in node.output if name]
        model = part_model(graph, [node], given, outputs, tensors, self._changeable)
        try:
            self._session = runtime.single(model.SerializeToString(), weights)
        except FileNotFoundError:  # the library
            raise
        except Exception as error:  # onnxruntime's own exceptions have no common public base
            raise StepError(f"ONNX Runtime cannot load {title(node)} by itself: {error}") from error

    def run(
        self, given: Mapping[str, Value], changed: Mapping[str, Value] | None = None
    ) -> list[Value]:
        """Runs the node; returns its outputs, those that it leaves out left out.

        Args:
            given: the values that it reads.
            changed: what replaces stored values in this run.

        Raises:
            StepError: ONNX Runtime cannot run it on these values.
        """
        if self.constant is not None:
            return [self.constant]
        feeds = {name: as_fed(given[name]) for name in self._fed}
        feeds |= {name: as_fed(value) for name, value in (changed or {}).items()}
        try:
            return [as_value(item) for item in self._session.run_with_ort_values(None, feeds)]
        except Exception as error:  # onnxruntime's own exceptions have no common public base
            raise StepError(
                f"ONNX Runtime cannot run {title(self._node)} by itself: {error}"
            ) from error


def part_model(
    graph: Graph,
    nodes: Sequence[onnx.NodeProto],
    given: Mapping[str, Value],
    outputs: Sequence[str],
    tensors: Sequence[TensorProto],
    changeable: frozenset[str] = frozenset(),
) -> onnx.ModelProto:
    """A model of some nodes of a graph, with the functions of its model.

    Args:
        graph: the graph.
        nodes: the nodes, each after those that it reads.
        given: the values that are inputs.
        outputs: those that it gives.
        tensors: those that are stored.
        changeable: the names of those of them that may be overridden.
    """
    read = dict.fromkeys(name for node in nodes for name in names_read(node))
    nodes, functions = graph.with_functions(nodes)
    owner = graph.source.model
    part = helper.make_graph(
        nodes,
        "part",
        [
            *(onnx.ValueInfoProto(name=n, type=type_of(given[n])) for n in read if n in given),
            *(
                helper.make_tensor_value_info(item.name, item.data_type, list(item.dims))
                for item in tensors
                if item.name in changeable
            ),
        ],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        initializer=list(tensors),
    )
    part.sparse_initializer.extend(
        item for name, item in graph.sparse.items() if name in read and name not in given
    )
    return helper.make_model(
        part,
        opset_imports=list(owner.opset_import),
        ir_version=max(owner.ir_version, _LOWEST_IR_VERSION),
        functions=functions,
    )


def _constant(graph: Graph, node: onnx.NodeProto) -> Value | None:
    """What a Constant node holds, where that is a tensor."""
    if node.op_type == "Constant" and node.domain in STANDARD_DOMAINS:
        for attribute in graph.with_functions([node])[0][0].attribute:
            if attribute.name == "value":
                return numpy_helper.to_array(attribute.t)
    return None


def _placeholder(tensor: TensorProto) -> TensorProto:
    """A tensor that says that its data is elsewhere."""
    empty = TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
    set_external(empty, "handed_over", Range(0, declared_bytes(tensor)))
    return empty
