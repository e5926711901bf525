"""The demo's ConvTranspose is onnx.reference's, only faster."""

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from onnx.reference import ReferenceEvaluator

from models.conv_transpose import ConvTranspose


@pytest.mark.parametrize(
    ("stride", "pads", "extra"), [(1, [0, 0, 0, 0], [0, 0]), (2, [4, 4, 4, 4], [1, 1])]
)
def test_values(stride: int, pads: list[int], extra: list[int]) -> None:
    """Agrees with PyTorch in float64, strides, padding and bias included."""
    rng = np.random.default_rng(5)
    x, w, b = (rng.normal(size=size) for size in ((2, 3, 6, 5), (3, 4, 9, 9), (4,)))
    node = helper.make_node(
        "ConvTranspose",
        ["x", "w", "b"],
        ["y"],
        strides=[stride] * 2,
        pads=pads,
        output_padding=extra,
    )
    names = ("x", "w", "b")
    inputs = [helper.make_tensor_value_info(name, 11, None) for name in names]
    graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info("y", 11, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    assert isinstance(model, onnx.ModelProto)
    found: Any = ReferenceEvaluator(model, new_ops=[ConvTranspose]).run(
        None, dict(zip(names, (x, w, b), strict=True))
    )
    xt, wt, bt = (torch.tensor(array) for array in (x, w, b))
    want = torch.nn.functional.conv_transpose2d(
        xt, wt, bt, stride=stride, padding=pads[0], output_padding=extra[0]
    )
    np.testing.assert_allclose(found[0], want.numpy(), rtol=1e-12, atol=1e-12)
