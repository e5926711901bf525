"""Every dynamic dimension is compared at a second size; the caller's tolerance replaces ours."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import onnx
import pytest
import torch
from torch import nn
from torch.nn import functional

from onnx_acts.exporting import VerificationError, export

pytestmark = pytest.mark.slow


class Halving(nn.Module):
    """Takes even sizes only: an odd one fails in PyTorch itself."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Halves and doubles, and adds what was there."""
        y = functional.elu(x)
        return y + functional.interpolate(functional.max_pool2d(y, 2), scale_factor=2.0)


class Baked(nn.Module):
    """Is captured with a number where it has a size."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Multiplies by its last size."""
        size = 8.0 if torch.compiler.is_exporting() else float(x.shape[-1])
        return functional.elu(x) * size


def test_sizes(tmp_path: Path) -> None:
    """The sizes are in the result and in the file; those that the module refuses are left out."""
    shapes = ({0: "batch", 2: "height", 3: "width"},)
    path = tmp_path / "m.onnx"
    result = export(
        Halving(), torch.randn(2, 3, 8, 8), path, dynamic_shapes=shapes, verify="bodies"
    )
    assert result.sizes == {"batch": (2, 3), "height": (8, 16), "width": (8, 16)}
    properties = {item.key: item.value for item in onnx.load(path).metadata_props}
    record = json.loads(properties["onnx_acts.verification"])
    assert record["sizes"] == {"batch": [2, 3], "height": [8, 16], "width": [8, 16]}


def test_ranges(tmp_path: Path) -> None:
    """No size is tried that the caller's own range leaves out."""
    shapes = ({1: torch.export.Dim("length", min=2, max=8)},)
    path = tmp_path / "m.onnx"
    result = export(nn.ELU(), torch.randn(2, 8), path, dynamic_shapes=shapes, verify="bodies")
    assert result.sizes == {"length": (8, 7)}


def test_a_number_instead_of_a_size(tmp_path: Path) -> None:
    """A file that is right for the example's size alone is not written."""
    path = tmp_path / "m.onnx"
    with pytest.raises(VerificationError, match=r"with width = 9: output .* differs from PyTorch"):
        export(Baked(), torch.randn(2, 8), path, dynamic_shapes=({1: "width"},), verify="bodies")
    assert not path.exists()


def test_free_batch(tmp_path: Path) -> None:
    """A batch dimension that is free by itself is tried, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = export(nn.ELU(), torch.randn(2, 8), tmp_path / "m.onnx", verify="bodies")
    assert result.sizes == {"batch": (2, 1, 3)}


def test_own_tolerance(tmp_path: Path) -> None:
    """With a tolerance of the caller's, that alone decides, and it is told."""
    path, x = tmp_path / "m.onnx", torch.randn(2, 9)
    with pytest.raises(VerificationError):
        export(Baked(), x, path, dynamic_shapes={}, verify="bodies")
    result = export(Baked(), x, path, dynamic_shapes={}, verify="bodies", rtol=0.2)
    assert result.verification == "passed (atol 0, rtol 0.2)"
    with pytest.raises(VerificationError):
        export(Baked(), x, path, dynamic_shapes={}, verify="bodies", rtol=0.1)
    with pytest.raises(ValueError, match="rtol must be 0 or greater and finite, got -1"):
        export(Baked(), x, path, rtol=-1)
