"""Every dynamic dimension is compared at a second size; the caller's tolerance replaces ours."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

from onnx_acts.exporting import VerificationError, building, export, pipeline, runtimes

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


def test_single_element(tmp_path: Path) -> None:
    """Beside a batch of 1, a batch of 2 is enough where it is right."""
    result = export(nn.ELU(), torch.randn(1, 8), tmp_path / "m.onnx", verify="bodies")
    assert result.sizes == {"batch": (1, 2)}


def test_sessions_are_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each runtime, whatever is tried; shared weights change neither values nor file."""
    opened: list[bool] = []
    open_one = runtimes.Sessions._open

    def watched(self: runtimes.Sessions, accelerated: bool) -> onnxruntime.InferenceSession:
        opened.append(accelerated)
        return open_one(self, accelerated)

    monkeypatch.setattr(runtimes.Sessions, "_open", watched)
    torch.manual_seed(4)
    module = nn.Sequential(nn.Linear(8, 4096), nn.PReLU(4096), nn.Linear(4096, 8), nn.ELU())
    files = []
    for heavy in (pipeline._HEAVY, 0):
        monkeypatch.setattr(pipeline, "_HEAVY", heavy)
        result = export(module, torch.ones(2, 8), tmp_path / "m.onnx")
        assert result.verification == "passed"
        assert result.sizes == {"batch": (2, 1, 3)}
        model = onnx.load(tmp_path / "m.onnx")
        files.append([item.SerializeToString() for item in model.graph.initializer])
    assert opened == [False, True] * 2
    assert files[0] == files[1]


def test_shared_weights_hide_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A weight that is wrong in the file is found where sessions share weights, too."""
    monkeypatch.setattr(pipeline, "_HEAVY", 0)
    module = nn.Sequential(nn.Linear(8, 4096), nn.PReLU(4096), nn.Linear(4096, 8))

    def wrong(*args: Any) -> Any:
        built = building.build(*args)
        tensor = max(built.model.graph.initializer, key=lambda item: len(item.raw_data))
        tensor.raw_data = (1.1 * numpy_helper.to_array(tensor)).tobytes()
        return built

    monkeypatch.setattr(pipeline, "build", wrong)
    with pytest.raises(VerificationError, match="differs from PyTorch"):
        export(module, torch.ones(2, 8), tmp_path / "m.onnx")


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
