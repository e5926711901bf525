"""nn.PReLU() after a convolution becomes the LeakyRelu that ONNX Runtime fuses."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch
from torch import nn

from onnx_acts.exporting import export
from onnx_acts.exporting.options import Style

FUSED = {"PReLU of one slope after Conv": 2}


def network(slopes: int = 1, dtype: torch.dtype = torch.float32) -> nn.Module:
    """A residual network: two PReLUs stand after a convolution alone, two do not."""

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Sequential(
                nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.PReLU(slopes), nn.Conv2d(4, 4, 1)
            )
            self.acts = nn.ModuleList([nn.PReLU(slopes, init=0.1 * i) for i in range(3)])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.first(x)
            shared = self.first[3](self.acts[0](y))
            return self.acts[1](shared) + self.acts[2](y)

    torch.manual_seed(1)
    return Network().eval().to(dtype)


X = torch.randn(2, 2, 5, 5, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("style", ["acts", "standard"])
def test_fused(style: Style, tmp_path: Path) -> None:
    """Counted in the result; the others are what the style says, and no slope is left over."""
    path = tmp_path / "model.onnx"
    result = export(network(), X, path, style=style)
    assert result.fused == FUSED
    assert result.node_counts == ({"PReLU": 2} if style == "acts" else {})
    assert result.verification == "passed"
    graph = onnx.load(path).graph
    found = [node.op_type for node in graph.node]
    assert found.count("LeakyRelu") == 2
    used = {name for node in graph.node for name in node.input}
    assert {tensor.name for tensor in graph.initializer} <= used


def test_asked_for(tmp_path: Path) -> None:
    """Whoever names LeakyReLU gets our nodes, fused or not."""
    ops = ("PReLU", "LeakyReLU")
    result = export(network(), X, tmp_path / "model.onnx", ops=ops)
    assert (result.fused, result.node_counts) == ({}, {"PReLU": 4})


@pytest.mark.parametrize("ops", [("ELU",), ("LeakyReLU",), ()])
def test_others_asked_for(ops: tuple[str, ...], tmp_path: Path) -> None:
    """A PReLU that need not be ours is standard, and fused where it can be."""
    path = tmp_path / "model.onnx"
    result = export(network(), X, path, ops=ops)
    assert result.fused == FUSED
    assert result.node_counts == {}
    found = [node.op_type for node in onnx.load(path).graph.node]
    assert (found.count("LeakyRelu"), found.count("PRelu")) == (2, 2)


def test_slope_for_each_channel(tmp_path: Path) -> None:
    """Several slopes stay PReLU."""
    result = export(network(4), X, tmp_path / "model.onnx")
    assert (result.fused, result.node_counts) == ({}, {"PReLU": 4})


def test_other_types(tmp_path: Path) -> None:
    """In float16 ONNX Runtime fuses nothing."""
    result = export(network(dtype=torch.float16), X.half(), tmp_path / "model.onnx")
    assert (result.fused, result.node_counts) == ({}, {"PReLU": 4})
