"""The card of an exported model: where it comes from, what is in it, what was checked.

Nothing in it depends on the time, the folder or the process, so the same export gives the same
card.
"""

from __future__ import annotations

import collections
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch

from onnx_acts.definition.version import version
from onnx_acts.exporting.card_text import markdown
from onnx_acts.exporting.metadata import without_folders
from onnx_acts.exporting.options import CARD_ENDS, Options
from onnx_acts.exporting.subjects import Subject
from onnx_acts.files.structure import walk_nodes
from onnx_acts.files.user_metadata import read_metadata
from onnx_acts.files.weights import external_tensors
from onnx_acts.files.writing import check_target, write_atomically

__all__ = ["card_paths", "check_card", "file_facts", "source_facts", "write_card"]

_VERSION = 1
"""Of the card's form; it changes where a reader would have to."""

_PACKAGES = ("onnx-acts", "torch", "onnx", "onnxscript", "onnxruntime", "numpy")


def card_paths(path: Path) -> tuple[Path, Path]:
    """The card's two files beside a model: for programs and for people."""
    for_programs, for_people = (path.with_name(path.stem + end) for end in CARD_ENDS)
    return for_programs, for_people


def check_card(path: Path) -> None:
    """Requires that the card can be written.

    Raises:
        OSError: it cannot.
    """
    for target in card_paths(path):
        check_target(target)


def source_facts(given: object, subject: Subject, options: Options) -> dict[str, Any]:
    """What was exported: its class, the caller's facts, and a hash of its weights."""
    is_program = subject.program is not None
    kind = torch.export.ExportedProgram if is_program else type(subject.module)
    facts: dict[str, Any] = {"module": without_folders(f"{kind.__module__}.{kind.__qualname__}")}
    if isinstance(given, str | os.PathLike):
        facts["program"] = file_facts(Path(given))
    state = {
        name: tensor
        for name, tensor in subject.module.state_dict().items()
        if isinstance(tensor, torch.Tensor)
    }
    facts["state"] = {
        "tensors": len(state),
        "elements": sum(tensor.numel() for tensor in state.values()),
        "sha256": _hash_of(state),
    }
    return facts | dict(options.origin)


def write_card(
    path: Path,
    source: Mapping[str, Any],
    verification: Mapping[str, Any],
    fused: Mapping[str, int],
    options: Options,
) -> tuple[Path, ...]:
    """Writes the card of the model at `path`, which is read for it.

    Args:
        path: the model.
        source: see `source_facts`.
        verification: what was compared, as in the model's metadata.
        fused: see `ExportResult`.
        options: those of the export.

    Returns:
        The files.
    """
    model = onnx.load(path, load_external_data=False)
    sidecars = sorted(
        {
            entry.value
            for tensor in external_tensors(model)
            for entry in tensor.external_data
            if entry.key == "location"
        }
    )
    content = {
        "card": _VERSION,
        "file": file_facts(path),
        "external_data": [file_facts(path.parent / name) for name in sidecars],
        "source": dict(source),
        "command": options.command or _call(path, options),
        "versions": {"python": platform.python_version()} | {n: version(n) for n in _PACKAGES},
        "style": options.style,
        "ops": list(options.ops) if options.style == "acts" else [],
        "opsets": {item.domain or "ai.onnx": item.version for item in model.opset_import},
        "ir_version": model.ir_version,
        "inputs": [_value(item) for item in model.graph.input],
        "outputs": [_value(item) for item in model.graph.output],
        "nodes": _nodes(model),
        "fused": dict(fused),
        "verification": dict(verification),
        "metadata": read_metadata(model),
    }
    targets = card_paths(path)
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_atomically(targets[0], text.encode())
    write_atomically(targets[1], markdown(content).encode())
    return targets


def file_facts(path: Path) -> dict[str, Any]:
    """A file's name, size and hash."""
    with open(path, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}


def _hash_of(state: Mapping[str, torch.Tensor]) -> str:
    """A hash of names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, tensor in state.items():
        dense = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {dense.dtype} {tuple(dense.shape)}\n".encode())
        digest.update(dense.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _value(item: onnx.ValueInfoProto) -> dict[str, Any]:
    kind = item.type.tensor_type
    shape = [size.dim_param or size.dim_value for size in kind.shape.dim]
    name = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
    return {"name": item.name, "type": name, "shape": shape}


def _nodes(model: onnx.ModelProto) -> dict[str, int]:
    """The number of nodes by domain and operator, those in subgraphs too."""
    counts = collections.Counter(
        f"{node.domain or 'ai.onnx'}::{node.op_type}" for node in walk_nodes(model)
    )
    return dict(sorted(counts.items()))


def _call(path: Path, options: Options) -> str:
    """The call in Python; what has no short form stands by its name."""
    given = [f"{name}={_short(name, value)}" for name, value in options.changed().items()]
    return f"onnx_acts.export({', '.join(['module', 'args', repr(path.name), *given])})"


def _short(name: str, value: Any) -> str:
    text = repr(value)
    return name if "<" in text or len(text) > 200 else text
