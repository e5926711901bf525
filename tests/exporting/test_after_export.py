"""What other tools do to an exported file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from onnx_acts.exporting import export
from onnx_acts.exporting.options import Style
from onnx_acts.files.structure import walk_graphs
from tests.exporting.networks import Applied

X = torch.randn(4, 8, generator=torch.Generator().manual_seed(7))


def layers() -> nn.Module:
    """Layers with weights, biases, slopes and statistics."""
    torch.manual_seed(9)
    return nn.Sequential(
        nn.Linear(8, 16), nn.BatchNorm1d(16), nn.PReLU(16), nn.Linear(16, 4), nn.ELU()
    ).eval()


def branched() -> nn.Module:
    """A linear layer in a branch of the graph."""
    inner = nn.Linear(8, 8)
    module = Applied(lambda x: torch.cond(x.sum() > 0, inner, torch.neg, (x,)))
    module.inner = inner
    return module.eval()


@pytest.mark.parametrize("style", ["acts", "standard"])
@pytest.mark.parametrize("optimize", [True, False])
def test_initializers_are_no_values(style: Style, optimize: bool, tmp_path: Path) -> None:
    """No graph lists an initializer in `value_info`."""
    for module in (layers(), branched()):
        path = tmp_path / "m.onnx"
        export(module, X, path, style=style, optimize=optimize, verify="bodies")
        for graph in walk_graphs(onnx.load(path).graph):
            names = {value.name for value in graph.value_info}
            assert not names & {item.name for item in graph.initializer}


@pytest.mark.parametrize("style", ["acts", "standard"])
@pytest.mark.parametrize("kind", [QuantType.QInt8, QuantType.QUInt8])
def test_quantize_dynamic(style: Style, kind: QuantType, tmp_path: Path) -> None:
    """ONNX Runtime's quantisation takes the file, and its result runs with about the values."""
    module = layers()
    export(module, X, tmp_path / "m.onnx", style=style, verify="bodies")
    quantize_dynamic(tmp_path / "m.onnx", tmp_path / "q.onnx", weight_type=kind)
    types = {node.op_type for node in onnx.load(tmp_path / "q.onnx").graph.node}
    assert "MatMulInteger" in types
    session = onnxruntime.InferenceSession(tmp_path / "q.onnx", providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {session.get_inputs()[0].name: X.numpy()})
    want = module(X).detach().numpy()
    assert np.abs(got - want).max() < 0.05 * np.abs(want).max()
