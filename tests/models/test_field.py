"""Published networks: exported from their packages' own code, and compared at two sizes.

`ONNX_ACTS_GALLERY=all` takes those that are slow to export, too.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import onnx
import pytest
import torch

from models.field import FIELD, FieldNetwork, build
from onnx_acts import accelerate, export, lower, session
from tests.packages import unpacked

SLOWEST = {"monai-unet-2d"}
IS_WHOLE = os.environ.get("ONNX_ACTS_GALLERY") == "all"
CASES = [network for network in FIELD if IS_WHOLE or network.name not in SLOWEST]


def compare(model: Path | onnx.ModelProto, network: FieldNetwork, module: torch.nn.Module) -> None:
    """Requires PyTorch's numbers at both sizes, on the bodies and on the library."""
    for shape in (network.shape, network.second):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(3))
        with torch.no_grad():
            wanted = module(x)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        for accelerated in (False, True):
            found = session(model, accelerated=accelerated).run(None, {network.input: x.numpy()})
            for want, have in zip(wanted, found, strict=True):
                largest = float((torch.from_numpy(have) - want).abs().max())
                assert largest <= 5e-5 * float(want.abs().max())


@pytest.mark.slow
@pytest.mark.parametrize("network", CASES, ids=lambda network: network.name)
def test_network(network: FieldNetwork, tmp_path: Path) -> None:
    """Ours, and the standard file of the same network accelerated, give PyTorch's numbers."""
    module = build(network, unpacked(network.requirement))
    x = torch.randn(network.shape, generator=torch.Generator().manual_seed(1))
    shapes = {network.input: dict(network.dimensions)}
    path = tmp_path / "m.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = export(module, x, path, dynamic_shapes=shapes)
    assert result.node_counts == network.nodes
    compare(path, network, module)
    compare(accelerate(lower(path)), network, module)
