"""Model files with a weight inside or beside them, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnx_acts.files.reading import load_model

WEIGHT = np.arange(2000, dtype=np.float32)


def model_of(weight: Any = WEIGHT, name: str = "w") -> onnx.ModelProto:
    """Y = x + w."""
    tensor = numpy_helper.from_array(np.asarray(weight), name)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", name], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [tensor],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def external(
    location: str = "w.data", shape: tuple[int, ...] = (4,), **entries: int | str
) -> TensorProto:
    """A float32 tensor in another file."""
    tensor = TensorProto(name="w", dims=shape, data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def with_external(folder: Path, tensor: TensorProto, size: int = 16) -> Path:
    """Writes a model whose weight is `tensor`, and a sidecar of `size` bytes."""
    model = model_of()
    model.graph.initializer[0].CopyFrom(tensor)
    (folder / "w.data").write_bytes(bytes(size))
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    return folder / "m.onnx"


def weight_of(path: Path | str) -> list[float]:
    """The weight of a model file, from wherever it is."""
    return list(numpy_helper.to_array(load_model(path).graph.initializer[0]))


def listing(folder: Path) -> list[str]:
    """The names in a folder, hidden ones included."""
    return sorted(path.name for path in folder.iterdir())
