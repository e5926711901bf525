"""A model repository for Triton Inference Server: `onnx-acts triton`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.reading import check_model_file
from onnx_acts.files.structure import walk_nodes
from onnx_acts.files.weights import external_tensors
from onnx_acts.ort.sessions import library_path
from onnx_acts.serving.http.datatypes import DATATYPES

__all__ = ["USUAL_BATCH", "write_repository"]

USUAL_BATCH = 8
"""The largest batch that Triton makes of requests, where the model says that it may."""

_MOST_BATCH = 2**31 - 1
"""Of an int32, as Triton reads it."""

_TYPES: dict[int, str] = {
    **{helper.np_dtype_to_tensor_dtype(item.dtype): f"TYPE_{item.name}" for item in DATATYPES},
    onnx.TensorProto.STRING: "TYPE_STRING",
}


def write_repository(
    model: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    name: str | None = None,
    max_batch: int | None = None,
    mounted: str | None = None,
) -> Path:
    """Writes FOLDER/NAME: the model, its external data, the native library and config.pbtxt.

    Args:
        model: an ONNX file.
        folder: the repository, which may have other models.
        name: the model's name; that of its file where not given.
        max_batch: requests that Triton may run as one, 0 for none; where not given, `USUAL_BATCH`
            if every input and output has the same named first axis, else 0.
        mounted: the path that the server has the folder under; the folder's own where not given.
            The library's is written into config.pbtxt: Triton takes no relative one.

    Returns:
        The folder that was written.

    Raises:
        FileExistsError: the repository has a model of that name.
        FileNotFoundError: there is no such file, or the native library is missing.
        ValueError: not a valid model, an input or output that Triton cannot describe, or axes that
            are no batch with `max_batch` above 0; a `max_batch` that is no int32; data that has
            the name of another file.
    """
    if max_batch is not None and not 0 <= max_batch <= _MOST_BATCH:
        raise ValueError(f"max_batch (--max-batch): 0 to {_MOST_BATCH}, not {max_batch}")
    source, target = Path(model), Path(folder) / (name or Path(model).stem)
    if target.name in ("", "..") or target.parent != Path(folder):
        raise ValueError(f"a model cannot have the name {name!r}: it is a folder's")
    if target.exists():
        raise FileExistsError(f"{target} is there already: remove it, or choose another name")
    light = onnx.load(check_model_file(source), load_external_data=False)
    config = _Config(target.name, light, max_batch)
    entries = [entry for tensor in external_tensors(light) for entry in tensor.external_data]
    data = sorted({entry.value for entry in entries if entry.key == "location"})
    root = mounted if mounted is not None else str(Path(folder).resolve())
    files = {source: "model.onnx", **{source.parent / place: place for place in data}}
    if config.has_own_nodes:
        library = Path(library_path())
        files[library] = library.name
        config.library = "/".join((root.rstrip("/"), target.name, "1", library.name))
    _check_places(files.values())
    text = config.text()
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".onnx-acts-") as scratch:
        whole = Path(scratch) / "model"
        for path, place in files.items():
            (whole / "1" / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, whole / "1" / place)
        (whole / "config.pbtxt").write_text(text, "utf-8")
        whole.rename(target)
    return target


def _check_places(places: Iterable[str]) -> None:
    """Requires that no file of the model has the place of another.

    Raises:
        ValueError: external data has the name that Triton wants for the model, or that of the
            library.
    """
    counts = Counter(os.path.normpath(place).casefold() for place in places)
    taken = [place for place, count in counts.items() if count > 1]
    if taken:
        raise ValueError(
            f"the model's data would replace another file of it, {taken[0]}: give the data another"
            " name (onnx.save_model with location=...), or store it in the model"
        )


class _Config:
    """What Triton must know of a model."""

    def __init__(self, name: str, model: onnx.ModelProto, max_batch: int | None) -> None:
        stored = {tensor.name for tensor in model.graph.initializer}
        self._name, self.library = name, ""
        self._inputs = [value for value in model.graph.input if value.name not in stored]
        self._outputs = list(model.graph.output)
        self.has_own_nodes = any(node.domain == DOMAIN for node in walk_nodes(model))
        batches = _batch_axes([*self._inputs, *self._outputs])
        if max_batch is None:
            same = len(batches) == 1 and batches.isdisjoint({None, ""})
            max_batch = USUAL_BATCH if same else 0
        elif max_batch and None in batches:
            raise ValueError(
                "the model has no batches: the first axis of every input and output must be free;"
                " export it with dynamic_shapes, or leave max_batch at 0"
            )
        self._max_batch = max_batch

    def text(self) -> str:
        """The file config.pbtxt."""
        lines = [f"name: {_quoted(self._name)}", 'backend: "onnxruntime"']
        lines.append(f"max_batch_size: {self._max_batch}")
        for role, values in (("input", self._inputs), ("output", self._outputs)):
            for value in values:
                lines.append(f"{role} [ {{ {self._tensor(value)} }} ]")
        if self._max_batch:
            lines.append("dynamic_batching { }")
        lines.append("instance_group [ { kind: KIND_CPU } ]")
        if self.library:
            place = _quoted(self.library)
            lines.append(f"model_operations {{ op_library_filename: [ {place} ] }}")
        return "\n".join([*lines, ""])

    def _tensor(self, value: onnx.ValueInfoProto) -> str:
        """An input or output; the batch axis is not among its sizes."""
        kind = value.type.tensor_type
        if kind.elem_type not in _TYPES or not kind.HasField("shape"):
            raise ValueError(
                f"Triton cannot describe {value.name!r}: it needs a tensor of known rank, of"
                f" {', '.join(sorted(_TYPES.values()))}"
            )
        sizes = [_size(axis) for axis in kind.shape.dim][1 if self._max_batch else 0 :]
        shown = f"dims: [ {', '.join(map(str, sizes))} ]"
        if not sizes:  # Triton has no tensors without axes
            shown = "dims: [ 1 ] reshape: { shape: [ ] }"
        return f"name: {_quoted(value.name)} data_type: {_TYPES[kind.elem_type]} {shown}"


def _batch_axes(values: Sequence[onnx.ValueInfoProto]) -> set[str | None]:
    """The names of first axes, empty where one has none; None for an axis that is not free."""
    found: set[str | None] = set()
    for value in values:
        axes: Any = value.type.tensor_type.shape.dim
        is_free = bool(axes) and not axes[0].HasField("dim_value")
        found.add(axes[0].dim_param if is_free else None)
    return found


def _size(axis: Any) -> int:
    return axis.dim_value if axis.HasField("dim_value") else -1


def _quoted(text: str) -> str:
    """A string of protobuf's text format."""
    special = {ord("\\"): "\\\\", ord('"'): '\\"'}
    control = {code: f"\\{code:03o}" for code in (*range(32), 127)}
    return f'"{text.translate(special | control)}"'
