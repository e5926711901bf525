"""Sessions that share a model's weights compute the same, and leave the model as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.embedding import embed_functions
from onnx_acts.ort import sessions
from onnx_acts.ort.shared_weights import write_shared


def model(stored: str, dtype: Any) -> onnx.ModelProto:
    """PReLU(x @ w, slope), with weights in raw bytes or in a list of numbers."""
    random = np.random.default_rng(1)
    w = random.standard_normal((256, 128)).astype(dtype)
    slope = random.uniform(0.1, 0.4, 128).astype(dtype)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    weights = [numpy_helper.from_array(slope, "slope")]
    if stored == "raw":
        weights.append(numpy_helper.from_array(w, "w"))
    else:
        weights.append(helper.make_tensor("w", kind, w.shape, w.ravel().tolist()))
    weights.append(numpy_helper.from_array(np.array([-1, 128]), "shape"))
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        helper.make_node("PReLU", ["y", "slope"], ["z"], domain=DOMAIN),
        helper.make_node("Reshape", ["z", "shape"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, ["n", 256])],
        [helper.make_tensor_value_info("out", kind, None)],
        weights,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(DOMAIN, 1)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    embed_functions(made)
    return made


@pytest.mark.parametrize("accelerated", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stored", ["raw", "numbers"])
def test_same(stored: str, dtype: Any, accelerated: bool, tmp_path: Path) -> None:
    """Both runtimes give what a session of its own gives, but for the order of sums."""
    made = model(stored, dtype)
    before = made.SerializeToString(deterministic=True)
    path = write_shared(made, tmp_path)
    assert made.SerializeToString(deterministic=True) == before
    assert (tmp_path / "weights").stat().st_size == 256 * 128 * np.dtype(dtype).itemsize
    x = np.random.default_rng(2).standard_normal((3, 256)).astype(dtype)
    got = [
        sessions.session(item, accelerated=accelerated).run(None, {"x": x})[0]
        for item in (made, path)
    ]
    w = numpy_helper.to_array(made.graph.initializer[1]).astype(np.float64)
    slope = numpy_helper.to_array(made.graph.initializer[0]).astype(np.float64)
    y = x.astype(np.float64) @ w
    for values in got:
        np.testing.assert_allclose(values, np.where(y < 0, slope * y, y), rtol=1e-4, atol=1e-4)


def test_several(tmp_path: Path) -> None:
    """Each tensor keeps its own data, whatever the sizes; small ones stay in the model."""
    made = model("raw", np.float32)
    odd = np.arange(5001, dtype=np.float32)
    made.graph.initializer.append(numpy_helper.from_array(odd, "odd"))
    made.graph.initializer.append(numpy_helper.from_array(odd[::-1].copy(), "turned"))
    found = {item.name: item for item in onnx.load(write_shared(made, tmp_path)).graph.initializer}
    for tensor in made.graph.initializer:
        want = numpy_helper.to_array(tensor)
        np.testing.assert_array_equal(numpy_helper.to_array(found[tensor.name]), want)
    light = onnx.load(tmp_path / "model.onnx", load_external_data=False).graph.initializer
    outside = {item.name for item in light if item.data_location == TensorProto.EXTERNAL}
    assert outside == {"w", "odd", "turned"}


def test_refused(tmp_path: Path) -> None:
    """A model whose weights are in a file is refused like by any session."""
    made = model("raw", np.float32)
    made.graph.initializer[1].data_location = TensorProto.EXTERNAL
    made.graph.initializer[1].external_data.add(key="location", value="elsewhere")
    with pytest.raises(ValueError, match="tensor 'w' has its data in another file"):
        write_shared(made, tmp_path)
