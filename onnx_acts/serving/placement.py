"""Where the nodes of a model run: the execution provider of each, and copies between devices."""

from __future__ import annotations

import dataclasses
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.reading import Model
from onnx_acts.files.structure import walk_graphs
from onnx_acts.graph.standard import standard_spec
from onnx_acts.ort.profiles import ExecutedNode, executed_nodes
from onnx_acts.ort.values import to_ort
from onnx_acts.serving.sessions import session

__all__ = ["NodePlacement", "placement"]

_QUIET = 3
"""ONNX Runtime warns that an optimised model fits one machine only; ours is thrown away."""


@dataclasses.dataclass(frozen=True)
class NodePlacement:
    """Where one activation node runs.

    Attributes:
        name: the node's name, empty where it has none.
        operator: its operator.
        provider: the execution provider that ran it; empty where it did not run (a branch of If
            that was not taken, say).
        copies: the nodes that ONNX Runtime put right before or after it to copy between devices,
            such as "MemcpyToHost of x"; empty is what one wants.
    """

    name: str
    operator: str
    provider: str
    copies: tuple[str, ...]


def placement(
    model: Model,
    feeds: Mapping[str, NDArray[Any]] | None = None,
    *,
    providers: Sequence[str | tuple[str, dict[str, Any]]] | None = None,
    standard: bool = False,
) -> list[NodePlacement]:
    """Opens `model` with the native operators, runs it once and tells where its activations ran.

    These are its `onnx_acts` nodes; with `standard` its standard activations too.

    Args:
        model: as `onnx_acts.session` takes it.
        feeds: the inputs; where not given, arrays of ones with every unknown size 1.
        providers: as `onnx_acts.session` takes them.
        standard: run standard activations on the native kernels too, as `onnx_acts.session` does.

    Raises:
        ValueError: an input of a type that no array of ones is made of; pass `feeds`.
        RuntimeError: as in `onnx_acts.session`; or ONNX Runtime could not run the model, in which
            case it may need other `feeds`.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "optimised.onnx"
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _QUIET
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        options.optimized_model_filepath = str(saved)
        options.add_session_config_entry(
            "session.optimized_model_external_initializers_file_name", "weights.bin"
        )
        opened = session(model, providers=providers, session_options=options, standard=standard)
        values = _ones(opened) if feeds is None else {k: to_ort(v) for k, v in feeds.items()}
        opened.run_with_ort_values(None, values)
        nodes = executed_nodes(opened.end_profiling())
        return _placements(onnx.load(saved, load_external_data=False), nodes, standard)


def _placements(
    optimised: onnx.ModelProto, executed: Sequence[ExecutedNode], standard: bool
) -> list[NodePlacement]:
    """The activation nodes of the optimised model with what the profile says of them."""
    providers = _Providers(executed)
    return [
        NodePlacement(node.name, node.op_type, providers.of(node), tuple(_copies(graph, node)))
        for graph in walk_graphs(optimised.graph)
        for node in graph.node
        if node.domain == DOMAIN or (standard and standard_spec(node) is not None)
    ]


class _Providers:
    """Finds a node's provider: by its name or, where it has none, by its turn."""

    def __init__(self, executed: Sequence[ExecutedNode]) -> None:
        self._named = {node.name: node.provider for node in executed}
        self._unnamed: dict[str, list[str]] = defaultdict(list)
        for node in sorted(executed, key=lambda item: item.number):
            if node.name == f"{node.operator}_{node.number}":
                self._unnamed[node.operator].append(node.provider)

    def of(self, node: onnx.NodeProto) -> str:
        if node.name:
            return self._named.get(node.name, "")
        waiting = self._unnamed[node.op_type]
        return waiting.pop(0) if waiting else ""


def _copies(graph: onnx.GraphProto, node: onnx.NodeProto) -> Iterator[str]:
    """The copies between devices that feed a node or that it feeds."""
    mine = {name for name in (*node.input, *node.output) if name}
    for other in graph.node:
        if other.op_type.startswith("Memcpy"):
            for name in (*other.output, *other.input):
                if name in mine:
                    yield f"{other.op_type} of {other.input[0]}"


def _ones(opened: onnxruntime.InferenceSession) -> dict[str, onnxruntime.OrtValue]:
    """An array of ones for each input of a session."""
    values = {}
    for item in opened.get_inputs():
        kind = _numpy_type(item.type)
        if kind is None:
            raise ValueError(f"input {item.name} is a {item.type}: pass `feeds`")
        sizes = [size if isinstance(size, int) else 1 for size in item.shape]
        values[item.name] = to_ort(np.ones(sizes, kind))
    return values


def _numpy_type(text: str) -> np.dtype[Any] | None:
    """The NumPy type of "tensor(float)"; None where there is none."""
    name = text.removeprefix("tensor(").removesuffix(")").upper()
    known = onnx.TensorProto.DataType.keys()
    if not text.startswith("tensor(") or name not in known or name == "STRING":
        return None
    return helper.tensor_dtype_to_np_dtype(onnx.TensorProto.DataType.Value(name))
