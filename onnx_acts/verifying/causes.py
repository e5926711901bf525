"""A guilty node as files: its inputs, a model of it alone, the shortest program that runs it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.weights import declared_bytes
from onnx_acts.files.writing import write_atomically
from onnx_acts.verifying.graphs import Graph, names_read, title
from onnx_acts.verifying.guilt import Guilt
from onnx_acts.verifying.judging import is_tensor
from onnx_acts.verifying.result import Cause
from onnx_acts.verifying.runtimes import Runtime
from onnx_acts.verifying.stepping import part_model

__all__ = ["cause_of", "write_cause"]

_MOST = 2**30
"""Bytes of weights from which no model is written."""

_PROGRAM = '''"""{what}: what it makes of the reference's values, beside what the reference makes.

Written by onnx-acts verify. Run it where it lies: python show.py
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
{imports}
here = Path(__file__).resolve().parent
inputs, expected = np.load(here / "inputs.npz"), np.load(here / "expected.npz")
options = onnxruntime.SessionOptions()
{register}session = onnxruntime.InferenceSession(str(here / "node.onnx"), options{providers})
got = session.run(["{output}"], {feeds})[0]
want = {want}
{show}
'''

_SHOW_NUMBERS = """difference = np.abs(got.astype(np.float64) - want.astype(np.float64))
where = np.unravel_index(np.nanargmax(difference), difference.shape)
print(f"largest difference {difference[where]:.6g} at {list(map(int, where))}:"
      f" got {got[where]}, want {want[where]}")"""

_SHOW_SHAPES = 'print(f"got the shape {got.shape}, want {want.shape}")'


def cause_of(guilt: Guilt, own: Graph, found: tuple[str, ...], files: tuple[Path, ...]) -> Cause:
    """A guilty node in words.

    Args:
        guilt: the node.
        own: its graph.
        found: the reasons.
        files: where it was written.
    """
    node = guilt.node
    return Cause(
        index=guilt.index,
        operator=f"{node.domain}.{node.op_type}" if node.domain else node.op_type,
        name=node.name,
        output=guilt.output,
        counterpart=guilt.counterpart,
        nodes=tuple(title(own.nodes[i]) for i in guilt.nodes),
        difference=guilt.difference,
        reasons=found,
        files=files,
    )


def write_cause(
    guilt: Guilt, graph: Graph, runtime: Runtime, folder: str | os.PathLike[str]
) -> tuple[Path, ...]:
    """Writes inputs.npz, expected.npz, node.onnx and show.py into a folder, which is made.

    Nothing is written of weights above 1 GiB, and no values of other types than tensors of numbers.

    Raises:
        OSError: they cannot be written.
    """
    nodes = [graph.nodes[i] for i in guilt.nodes]
    arrays = {
        name: value
        for name, value in guilt.given.items()
        if isinstance(value, np.ndarray) and is_tensor(value)
    }
    made = {output for node in nodes for output in node.output}
    read = {name for node in nodes for name in names_read(node)} - made
    stored = sorted(name for name in read if name in graph.stored and name not in guilt.given)
    size = sum(declared_bytes(graph.stored[name]) for name in stored)
    if len(arrays) != len(guilt.given) or not _is_stored(guilt) or size > _MOST:
        return ()
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    tensors: list[TensorProto] = [graph.loaded(name) for name in stored]
    model = part_model(graph, nodes, guilt.given, [guilt.output], tensors)
    paths = [place / name for name in ("node.onnx", "inputs.npz", "expected.npz", "show.py")]
    write_atomically(paths[0], model.SerializeToString())
    plain: dict[str, Any] = {_key(i): _plain(a) for i, a in enumerate(arrays.values())}
    np.savez(paths[1], **plain)
    assert isinstance(guilt.want, np.ndarray)
    np.savez(paths[2], expected=_plain(guilt.want))
    write_atomically(paths[3], _program(guilt, model, runtime, list(arrays)).encode())
    return tuple(paths)


def _is_stored(guilt: Guilt) -> bool:
    """Whether a .npz file can hold what there is and what there should be: numbers."""
    return is_tensor(guilt.want) and is_tensor(guilt.got)


def _program(guilt: Guilt, model: onnx.ModelProto, runtime: Runtime, names: list[str]) -> str:
    """The text of the program."""
    own = any(node.domain == DOMAIN for node in model.graph.node)
    registers = (own and runtime.kernels == "library") or runtime.kernels == "standard"
    assert isinstance(guilt.want, np.ndarray)
    assert isinstance(guilt.got, np.ndarray)
    is_short = any(
        isinstance(value, np.ndarray) and value.dtype.name == "bfloat16"
        for value in (*guilt.given.values(), guilt.want)
    )
    imports = ("\nimport onnx_acts\n" if registers else "") + (
        "import ml_dtypes\n" if is_short else ""
    )
    register, is_standard = "", runtime.kernels == "standard"
    if is_standard:
        register = "options.add_provider_for_devices(onnx_acts.register_provider(), {})\n"
    elif registers:
        register = "options.register_custom_ops_library(onnx_acts.library_path())\n"
    feeds = ", ".join(
        f"{name!r}: {_read('inputs', _key(i), guilt.given[name])}" for i, name in enumerate(names)
    )
    fits = guilt.want.shape == guilt.got.shape
    return _PROGRAM.format(
        what=title(guilt.node).replace('"', "'"),
        imports=imports,
        register=register,
        providers="" if is_standard else f", providers={list(runtime.providers)!r}",
        output=guilt.output,
        feeds="{" + feeds + "}",
        want=_read("expected", "expected", guilt.want),
        show=_SHOW_NUMBERS if fits else _SHOW_SHAPES,
    )


def _key(index: int) -> str:
    """The name of an array in the file of inputs: those of a graph need not be file names."""
    return f"input_{index}"


def _read(file: str, key: str, value: object) -> str:
    assert isinstance(value, np.ndarray)
    return f'{file}["{key}"]' + (
        ".view(ml_dtypes.bfloat16)" if value.dtype.name == "bfloat16" else ""
    )


def _plain(value: np.ndarray) -> np.ndarray:
    """An array that NumPy itself can store: of bfloat16, the bits."""
    return value.view(np.uint16) if value.dtype.name == "bfloat16" else value
