"""Every opset from 17 to the newest that ONNX Runtime loads."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch
from torch import nn

from onnx_acts import export
from onnx_acts.ort.opsets import newest_opset
from tests.exporting.networks import EveryForm


class Changed(nn.Module):
    """What opset 18 has changed: reductions, a split, padding, resizing; and two activations."""

    def __init__(self) -> None:
        super().__init__()
        self.prelu, self.elu = nn.PReLU(4), nn.ELU(0.4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, 5, H, W)."""
        parts = torch.chunk(x, 2, 1)
        y = self.prelu(torch.cat([parts[1], parts[0][:, :2]], 1))
        y = nn.functional.interpolate(nn.functional.pad(y, (1, 2)), scale_factor=2.0)
        return self.elu(y - y.mean(1, keepdim=True)) * y.amax((2, 3), keepdim=True)


@pytest.mark.slow
@pytest.mark.parametrize("opset", [17, 18, newest_opset()])
def test_opset(opset: int, tmp_path: Path) -> None:
    """The file has that opset, and its bodies too; it is verified like any other."""
    path = tmp_path / "m.onnx"
    result = export(Changed().eval(), torch.randn(2, 5, 4, 6), path, opset=opset)
    model = onnx.load(path)
    assert result.opset == opset
    assert result.node_counts == {"ELU": 1, "PReLU": 1}
    assert {item.domain: item.version for item in model.opset_import} == {"": opset, "onnx_acts": 1}
    versions = {item.version for body in model.functions for item in body.opset_import}
    assert len(model.functions) == 2
    assert versions == {opset}


@pytest.mark.slow
@pytest.mark.parametrize("style", ["acts", "standard"])
def test_every_form(style: str, tmp_path: Path) -> None:
    """Every activation in every form at opset 17, in both styles."""
    path, module = tmp_path / "m.onnx", EveryForm().eval().float()
    result = export(module, torch.randn(2, 3, 5), path, opset=17, style=style)  # type: ignore[arg-type]
    assert result.verification == "passed"
    onnx.checker.check_model(path)


def test_refused(tmp_path: Path) -> None:
    """What opset 17 does not have is refused by name, before anything is written."""

    class Bits(nn.Module):
        def forward(self, x: torch.Tensor, n: torch.Tensor) -> torch.Tensor:
            return nn.functional.elu(x) + torch.bitwise_not(n)

    inputs = torch.randn(2), torch.tensor([1, 2])
    with pytest.raises(ValueError, match=r"opset 17: BitwiseNot .* newer.*; export to opset 18"):
        export(Bits().eval(), inputs, tmp_path / "m.onnx", opset=17)
    assert not list(tmp_path.iterdir())
