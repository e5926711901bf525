"""Networks with operators of their own: `custom_translation_table`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from onnxscript import opset18
from torch import nn

from onnx_acts import export


@torch.library.custom_op("onnx_acts_tests::double_sine", mutates_args=())
def double_sine(x: torch.Tensor) -> torch.Tensor:
    """Twice the sine, an operator that torch's exporter does not know."""
    return 2 * torch.sin(x)


@double_sine.register_fake
def _shape_of(x: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(x)


OPERATOR = torch.ops.onnx_acts_tests.double_sine
X = torch.randn(2, 3)


class Own(nn.Module):
    """The operator between activations."""

    def __init__(self) -> None:
        super().__init__()
        self.elu, self.prelu = nn.ELU(), nn.PReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape."""
        return self.prelu(OPERATOR(self.elu(x)))


def as_sine(x: Any) -> Any:
    """Writes it with standard operators."""
    sine = opset18.Sin(x)
    return opset18.Add(sine, sine)


def table() -> dict[Any, Any]:
    """What the command line calls."""
    return {OPERATOR.default: as_sine}


def own() -> nn.Module:
    """A network, for the command line."""
    return Own()


@pytest.mark.slow
@pytest.mark.parametrize("opset", [None, 17])
def test_translated(opset: int | None, tmp_path: Path) -> None:
    """The operator is written as the table says, beside our nodes, and compared with PyTorch."""
    path = tmp_path / "m.onnx"
    result = export(Own().eval(), X, path, custom_translation_table=table(), opset=opset)
    assert result.verification == "passed"
    assert result.node_counts == {"ELU": 1, "PReLU": 1}
    assert [node.op_type for node in onnx.load(path).graph.node] == ["ELU", "Sin", "Add", "PReLU"]


@pytest.mark.slow
def test_before_ours(tmp_path: Path) -> None:
    """The caller's translation of an activation goes before this package's."""
    own_table = {**table(), torch.ops.aten.elu.default: lambda x, *_: opset18.Elu(x)}
    result = export(Own().eval(), X, tmp_path / "m.onnx", custom_translation_table=own_table)
    assert result.node_counts == {"PReLU": 1}


@pytest.mark.slow
def test_without(tmp_path: Path) -> None:
    """Without a translation the message says where one goes."""
    with pytest.raises(ValueError, match=r"double_sine.*custom_translation_table"):
        export(Own().eval(), X, tmp_path / "m.onnx")


def failing(_: Any) -> Any:
    """A translation with a fault."""
    raise RuntimeError("no such luck")


WRONG: tuple[tuple[Any, type[Exception], str], ...] = (
    ([OPERATOR.default], TypeError, "must be a dictionary, got list"),
    ({OPERATOR: as_sine}, TypeError, "names no overload; take one of .*double_sine.default"),
    ({"double_sine": as_sine}, TypeError, "a key must be an operator"),
    ({OPERATOR.default: 3}, TypeError, "needs a function of ONNX values, got 3"),
    ({OPERATOR.default: []}, TypeError, "needs a function"),
    ({OPERATOR.default: failing}, ValueError, "no such luck"),
)


@pytest.mark.parametrize(("wrong", "kind", "message"), WRONG)
def test_wrong(wrong: Any, kind: type[Exception], message: str, tmp_path: Path) -> None:
    """A table that torch could not use is refused before the work; a fault in it is shown."""
    with pytest.raises(kind, match=message):
        export(Own().eval(), X, tmp_path / "m.onnx", custom_translation_table=wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_other_domain(tmp_path: Path) -> None:
    """Nodes that ONNX Runtime does not know are written unverified, with their domain."""

    class Symbolic(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.onnx.ops.symbolic(
                "my.domain::Thing", (x,), {}, dtype=x.dtype, shape=x.shape, version=3
            )
            return nn.functional.elu(y)

    path = tmp_path / "m.onnx"
    with pytest.raises(ValueError, match=r"verify='none' \(--verify none\) writes it all the same"):
        export(Symbolic().eval(), X, path)
    export(Symbolic().eval(), X, path, verify=False, opset=17)
    model = onnx.load(path)
    imports = {item.domain: item.version for item in model.opset_import}
    assert imports == {"": 17, "my.domain": 3, "onnx_acts": 1}
