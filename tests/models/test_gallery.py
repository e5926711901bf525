"""The networks of the articles: each with each activation, exported and compared at two sizes.

`ONNX_ACTS_GALLERY=all` takes every pair of network and activation, which takes minutes; without it
AlexNet has all five, and the others one or two.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch import nn

from models.gallery import ACTIVATIONS, NETWORKS, build
from onnx_acts import export, session

PIXELS = {"alexnet": 64, "vgg11": 32, "googlenet": 32, "resnet34": 32}
FEW = {"vgg11": ("leaky_relu", "rrelu"), "googlenet": ("elu",), "resnet34": ("prelu",)}
"""The activations that a network is tested with each time."""

PLACES = {"alexnet": 7, "vgg11": 10, "googlenet": 57, "resnet34": 33}
KINDS = {"prelu": "PReLU", "rrelu": "RReLU", "elu": "ELU"}
"""The nodes that our activations become by default; ReLU and LeakyReLU stay standard."""

IS_WHOLE = os.environ.get("ONNX_ACTS_GALLERY") == "all"
CASES = [
    (network, activation)
    for network in NETWORKS
    for activation in ACTIVATIONS
    if IS_WHOLE or activation in FEW.get(network, ACTIVATIONS)
]


@pytest.mark.slow
@pytest.mark.parametrize(("network", "activation"), CASES)
def test_network(network: str, activation: str, tmp_path: Path) -> None:
    """All places have the activation, and a second batch gives PyTorch's numbers either way."""
    size, path = PIXELS[network], tmp_path / "m.onnx"
    module = build(network, activation, size, width=0.125, classes=10)
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    result = export(module, x, path, dynamic_shapes={"images": {0: "batch"}})
    kind = KINDS.get(activation)
    assert result.node_counts == ({kind: PLACES[network]} if kind else {})
    more = torch.randn(5, 3, size, size, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        want = module(more)
    scale = float(want.abs().max())
    for accelerated in (False, True):
        (got,) = session(path, accelerated=accelerated).run(None, {"images": more.numpy()})
        assert float((torch.from_numpy(got) - want).abs().max()) <= 2e-5 * scale


@pytest.mark.parametrize("network", NETWORKS)
def test_shape(network: str) -> None:
    """The networks run at the sizes of their papers, and have the papers' places and widths."""
    with torch.device("meta"):
        module = NETWORKS[network](ACTIVATIONS["prelu"])
        assert module.eval()(torch.empty(2, 3, 224, 224)).shape == (2, 1000)
    assert sum(isinstance(part, nn.PReLU) for part in module.modules()) == PLACES[network]
    millions = sum(parameter.numel() for parameter in module.parameters()) / 1e6
    published = {"alexnet": 61.1, "vgg11": 132.9, "googlenet": 7.0, "resnet34": 21.8}[network]
    assert millions == pytest.approx(published, rel=0.02)


def test_too_small() -> None:
    """AlexNet says below which size it has nothing left."""
    with pytest.raises(ValueError, match="63 pixels"):
        build("alexnet", "relu", size=62)
