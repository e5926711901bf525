"""The models that are served."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from numpy.typing import NDArray

from onnx_acts.files.reading import Model
from onnx_acts.ort.values import from_ort, to_ort
from onnx_acts.serving.http.answers import Answer, answer
from onnx_acts.serving.http.datatypes import datatype_of
from onnx_acts.serving.http.refusals import RefusalError
from onnx_acts.serving.http.requests import TensorInfo, parsed

__all__ = ["VERSION", "Models", "ServedModel", "named_models"]

VERSION = "1"
"""Of every model: a server has but the one that it was started with."""

Models = Mapping[str, Model | onnxruntime.InferenceSession] | Sequence[str | os.PathLike[str]]

_SILENT = 4
"""ONNX Runtime would print a line of its own for each request that does not fit."""


class ServedModel:
    """A session, and what it takes and gives."""

    def __init__(self, name: str, session: onnxruntime.InferenceSession, source: object) -> None:
        """Describes a session.

        Args:
            name: the model's name.
            session: runs it; any number of threads may.
            source: the file, bytes or message that it was opened from, if there is one.

        Raises:
            ValueError: an input or output that is no tensor, or of a type that is not served.
        """
        self.name, self._session = name, session
        graph = _graph(source, [*session.get_inputs(), *session.get_outputs()])
        self.inputs = _described(name, "input", session.get_inputs(), graph and graph.input)
        self.outputs = _described(name, "output", session.get_outputs(), graph and graph.output)
        self._datatypes = {info.name: info.datatype for info in self.outputs.values()}
        both = [*self.inputs.values(), *self.outputs.values()]
        self._has_bfloat16 = any(info.datatype.name == "BF16" for info in both)
        self._options = onnxruntime.RunOptions()
        self._options.log_severity_level = _SILENT

    def metadata(self) -> dict[str, Any]:
        """What the protocol tells of a model."""
        return {
            "name": self.name,
            "versions": [VERSION],
            "platform": "onnxruntime_onnx",
            "inputs": [_metadata(info) for info in self.inputs.values()],
            "outputs": [_metadata(info) for info in self.outputs.values()],
        }

    def infer(
        self,
        body: memoryview,
        header_length: int | None,
        most_in_json: int,
        ran: Callable[[float], None],
    ) -> Answer:
        """Reads a request, runs the model and writes the answer.

        Args:
            body: the request's body.
            header_length: bytes of its JSON; None where it is nothing else.
            most_in_json: elements of an output that may go into JSON.
            ran: is told how many seconds the model took.

        Raises:
            RefusalError: a request that is not right, or that ONNX Runtime cannot run.
        """
        request = parsed(body, header_length, self.inputs, self.outputs)
        start = time.perf_counter()
        results = self._run(request.feeds, list(request.outputs))
        ran(time.perf_counter() - start)
        head = {"model_name": self.name, "model_version": VERSION}
        if request.id is not None:
            head["id"] = request.id
        return answer(head, results, self._datatypes, request.outputs, most_in_json)

    def _run(self, feeds: Mapping[str, NDArray[Any]], names: list[str]) -> dict[str, NDArray[Any]]:
        try:
            if self._has_bfloat16:
                values = {name: to_ort(array) for name, array in feeds.items()}
                found = self._session.run_with_ort_values(names, values, self._options)
                results = [from_ort(value) for value in found]
            else:
                results = self._session.run(names, feeds, self._options)
        except _REFUSALS as error:
            raise RefusalError(f"the model cannot run on these inputs: {error}") from None
        return dict(zip(names, results, strict=True))


def _refusals() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises where sizes do not fit each other: its inputs are checked before.

    A device that fails (EPFail) is no refusal.
    """
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (state.Fail, state.InvalidArgument, state.RuntimeException)


_REFUSALS = _refusals()


def named_models(
    models: Models, opened: Callable[[Model], onnxruntime.InferenceSession]
) -> dict[str, ServedModel]:
    """Opens models.

    Args:
        models: by name; or paths, whose names are those of the files.
        opened: opens a session; sessions among the models are taken as they are.

    Raises:
        ValueError: no model, two of one name, or a name that has no place in a URL.
    """
    if isinstance(models, str | bytes | os.PathLike):
        raise TypeError(f"expected a list of paths or a dict of models, got {type(models)}")
    pairs: list[tuple[str, Any]] = (
        list(models.items())
        if isinstance(models, Mapping)
        else [(Path(path).stem, path) for path in models]
    )
    if not pairs:
        raise ValueError("there is no model to serve")
    found: dict[str, ServedModel] = {}
    for name, source in pairs:
        _check_name(name, found)
        is_session = isinstance(source, onnxruntime.InferenceSession)
        session = source if is_session else opened(source)
        found[name] = ServedModel(name, session, None if is_session else source)
    return found


def _check_name(name: str, found: Mapping[str, object]) -> None:
    if name in found:
        raise ValueError(f"two models have the name {name!r}; give them names: NAME=PATH")
    if not name or "/" in name or not name.isprintable() or name in (".", ".."):
        raise ValueError(f"a model cannot have the name {name!r}, which has no place in a URL")


def _graph(source: object, values: Sequence[Any]) -> onnx.GraphProto | None:
    """The graph, where a value's shape is empty: ONNX Runtime writes that for unknown ranks too."""
    if source is None or all(value.shape for value in values):
        return None
    if isinstance(source, onnx.ModelProto):
        return source.graph
    if isinstance(source, bytes):
        return onnx.load_from_string(source).graph
    return onnx.load(str(source), load_external_data=False).graph


def _described(
    model: str, role: str, values: Sequence[Any], declared: Sequence[onnx.ValueInfoProto] | None
) -> dict[str, TensorInfo]:
    """A session's inputs or outputs."""
    known = {
        item.name for item in declared or () if item.type.tensor_type.HasField("shape")
    }  # with a shape of no axes, if not of more
    found = {}
    for value in values:
        datatype = datatype_of(value.type)
        if datatype is None:
            raise ValueError(
                f"model {model!r}: {role} {value.name!r} is a {value.type}, which is not served"
            )
        sizes = tuple(size if isinstance(size, int) else None for size in value.shape)
        shape = sizes if sizes or value.name in known else None
        found[value.name] = TensorInfo(value.name, datatype, shape)
    return found


def _metadata(info: TensorInfo) -> dict[str, Any]:
    sizes = [-1 if size is None else size for size in info.shape or ()]
    return {"name": info.name, "datatype": info.datatype.name, "shape": sizes}
