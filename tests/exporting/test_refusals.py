"""What the exporter refuses, and what it says."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import nn
from torch.nn import functional

from onnx_acts.exporting import checks, export, require_torch
from onnx_acts.exporting.translations import TranslationError, slope_shape
from onnx_acts.ort.opsets import newest_opset
from tests.exporting.networks import Applied

X = torch.randn(2, 3)

INTEGERS = r"NotImplementedError.*input is int64 \(3,\); activations take float16, bfloat16"


def prelu(value: float) -> nn.Module:
    """A PReLU of three slopes, the second of which is `value`."""
    module = nn.PReLU(3)
    with torch.no_grad():
        module.weight[1] = value
    return module


class Inner(nn.Module):
    """A module inside a module."""

    def __init__(self, act: nn.Module) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(3, 3), act)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Applies the block."""
        return self.block(x)


CASES: dict[str, tuple[nn.Module, Any, type[Exception], str]] = {
    "alpha NaN": (Inner(nn.ELU(math.nan)), X, ValueError, r"'block.1': ELU: alpha is nan"),
    "alpha inf": (Inner(nn.LeakyReLU(math.inf)), X, ValueError, r"'block.1'.*alpha is inf"),
    "slope NaN": (Inner(prelu(math.nan)), X, ValueError, r"'block.1': PReLU: slope 1 of 3 is nan"),
    "slope inf": (
        Applied(lambda x: functional.prelu(x, torch.tensor([0.1, 0.2, -math.inf]))),
        X,
        ValueError,
        "PReLU: slope 2 of 3 is -inf",
    ),
    "many slopes NaN": (  # torch leaves large constants and their Reshape in the graph
        nn.Sequential(nn.ELU(), nn.PReLU(20000, init=math.nan)),
        torch.ones(1, 20000, 1),
        ValueError,
        r"'1': PReLU: slope 0 of 20000 is nan",
    ),
    "many slopes inf": (
        Applied(lambda x: functional.prelu(x[..., None], torch.full((20000,), math.inf))),
        torch.ones(1, 20000),
        ValueError,
        "PReLU: slope 0 of 20000 is inf",
    ),
    "alpha overflow": (
        Inner(nn.ELU(1e39)),
        X,
        ValueError,
        r"'block.1': ELU: alpha is 1e\+39; that overflows float32.* model of float32",
    ),
    "16-bit overflow": (
        nn.LeakyReLU(-1e39),
        X.half(),
        ValueError,
        "alpha is -1e.39; that overflows float32, in which a model of float16",
    ),
    "bound overflow": (nn.RReLU(0.1, 1e39), X, ValueError, "upper is 1e.39; that overflows"),
    "scale overflow": (
        Applied(lambda x: torch.ops.aten.elu(x, 1e-9, 1e39, 1.0)),
        X,
        ValueError,
        "scale = 1e.39",
    ),
    "returns a number": (
        Applied(lambda x: (functional.elu(x), 3)),
        X,
        ValueError,
        "a module must return tensors: make the numbers",
    ),
    "one slope NaN": (
        Applied(lambda x: functional.prelu(x, torch.tensor([math.nan]))),
        X[None],
        ValueError,
        "PReLU: slope 0 of 1 is nan",
    ),
    "bounds": (Inner(nn.RReLU(0.5, 0.25)), X, ValueError, r"lower = 0.5 and upper = 0.25"),
    "bound NaN": (Inner(nn.RReLU(0.1, math.nan)), X, ValueError, r"lower = 0.1 and upper = nan"),
    "functional bounds": (
        Applied(lambda x: functional.rrelu(x, 0.5, 0.25)),
        X,
        ValueError,
        "lower = 0.5 and upper = 0.25",
    ),
    "torch bounds": (
        Applied(lambda x: torch.rrelu(x, 0.5, 0.25)),
        X,
        ValueError,
        "lower = 0.5 and upper = 0.25",
    ),
    "in-place bounds": (
        Applied(lambda x: torch.rrelu_(x.clone(), 0.5, 0.25)),
        X,
        ValueError,
        "lower = 0.5 and upper = 0.25",
    ),
    "functional training": (
        Applied(lambda x: functional.rrelu(x, training=True)),
        X,
        ValueError,
        "RReLU is in training mode.*training=True",
    ),
    "input_scale": (
        Applied(lambda x: torch.ops.aten.elu(x, 1.0, 1.0, -1.0)),
        X,
        ValueError,
        "input_scale = -1.0",
    ),
    "complex": (nn.ReLU(), X.to(torch.complex64), TypeError, "complex64; supported.*bfloat16"),
    "float8": (nn.ReLU(), X.to(torch.float8_e4m3fn), TypeError, "float8_e4m3fn; supported"),
    "float8 weights": (
        Inner(nn.ReLU()).to(torch.float8_e5m2),
        X,
        TypeError,
        "block.0.weight is float8_e5m2; supported",
    ),
    "integers": (nn.LeakyReLU(), torch.arange(3), ValueError, INTEGERS),
    "integers ELU": (nn.ELU(), torch.arange(3), ValueError, INTEGERS),
    "no tuple": (nn.ReLU(), {"x": X}, TypeError, "args must be a tensor or a tuple.*got dict"),
    "no module": (  # type: ignore[dict-item]  # the point of the case
        torch.relu,
        X,
        TypeError,
        "must be a torch.nn.Module",
    ),
    "another size": (
        nn.Linear(4, 4),
        X,
        ValueError,
        r"cannot run on these inputs: RuntimeError: .*2x3 and 4x4\) \(input is float32 \(2, 3\)\)$",
    ),
    "no batch dimension": (
        nn.Sequential(nn.Conv2d(3, 4, 1), nn.PReLU(4), nn.Flatten(), nn.Linear(4 * 25, 2)),
        torch.zeros(3, 5, 5),
        ValueError,
        r"input is float32 \(3, 5, 5\); with a leading batch .* it runs: \(1, 3, 5, 5\)\)$",
    ),
    "no batch dimension, two inputs": (
        Applied(torch.bmm),
        (torch.zeros(2, 3), torch.zeros(3, 4)),
        ValueError,
        r"args is float32 \(2, 3\), float32 \(3, 4\); .* runs: \(1, 2, 3\), \(1, 3, 4\)\)$",
    ),
    "too many": (nn.ELU(), (X, X), TypeError, r"fit ELU.forward\(input.*: too many positional"),
    "none": (nn.ELU(), (), TypeError, r"fit ELU.forward\(input.*: missing .* 'input'"),
    "control flow": (
        Applied(lambda x: functional.elu(x) if x.sum() > 0 else x),
        X,
        ValueError,
        "PyTorch cannot export the module: .*data-dependent",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_module(name: str, tmp_path: Path) -> None:
    """A module that cannot be exported is refused by name, and nothing is written."""
    module, args, kind, message = CASES[name]
    if isinstance(module, nn.Module):
        module.eval()
    with pytest.raises(kind, match=message):
        export(module, args, tmp_path / "m.onnx", verify="bodies")
    assert not list(tmp_path.iterdir())


def test_training_mode(tmp_path: Path) -> None:
    """An RReLU in training mode is refused with the submodule and both ways out."""
    module = Inner(nn.RReLU()).train()
    with pytest.raises(ValueError, match=r"'block.1'.*module.eval\(\).*training=True"):
        export(module, X, tmp_path / "m.onnx")


@pytest.mark.parametrize("args", [X.numpy(), (X.numpy(),), ({"x": X.numpy()},)])
def test_numpy(args: Any, tmp_path: Path) -> None:
    """A NumPy array among the inputs is refused with the way to make a tensor of it."""
    with pytest.raises(TypeError, match=r"an input is a NumPy array: torch\.from_numpy makes"):
        export(nn.ELU().eval(), args, tmp_path / "m.onnx")


class Exits(nn.Module):
    """Leaves the program; while torch captures it only, if wanted."""

    def __init__(self, when_captured: bool) -> None:
        super().__init__()
        self.when_captured = when_captured

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Does not come back."""
        if torch.compiler.is_exporting() or not self.when_captured:
            sys.exit(0)
        return x


@pytest.mark.parametrize("when_captured", [False, True])
def test_exit(when_captured: bool, tmp_path: Path) -> None:
    """sys.exit in a module does not end the program that exports it."""
    with pytest.raises(ValueError, match=r"SystemExit: 0 \(at .*sys\.exit\(0\)"):
        export(Exits(when_captured).eval(), X, tmp_path / "m.onnx", dynamic_shapes={})


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_torchscript(tmp_path: Path) -> None:
    """A TorchScript module is refused with the way out."""
    with pytest.raises(TypeError, match=r"TorchScript.*load_state_dict"):
        export(torch.jit.trace(nn.ReLU(), X), X, tmp_path / "m.onnx")


@pytest.mark.parametrize("name", ["onnxscript", "safetensors", "torch"])
def test_extra_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not installed is named, with the way out."""
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"exporting needs {name}, .*pip install \"\.\[export\]"):
        require_torch()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"style": "fast"}, "style must be 'acts' or 'standard', got 'fast'"),
        ({"ops": ["Elu"]}, r"unknown operator 'Elu' \(did you mean ELU\?\); onnx_acts has ReLU"),
        ({"opset": 16}, "opset 16 is not supported; the exporter writes opsets 17 to"),
        ({"opset": 99}, "opset 99 is not supported"),
        ({"verify": "library"}, "verify must be 'all', 'bodies', 'none' or a bool, got 'library'"),
        ({"seed": -1}, "seed must be 0 or greater, got -1"),
    ],
)
def test_options(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    """Options are checked before anything is done."""
    with pytest.raises(ValueError, match=message):
        export(nn.ReLU().eval(), X, tmp_path / "m.onnx", **options)


def test_float64_keeps_large_parameters(tmp_path: Path) -> None:
    """What overflows float32 does not overflow float64."""
    result = export(nn.ELU(1e39).eval(), X.double(), tmp_path / "m.onnx", verify="bodies")
    assert result.verification == "passed"


def test_ops_in_a_text(tmp_path: Path) -> None:
    """A text is no list of operators."""
    with pytest.raises(TypeError, match=r"like \('ELU',\), got a str"):
        export(nn.ReLU().eval(), X, tmp_path / "m.onnx", ops="ELU")


def test_nothing_draws(tmp_path: Path) -> None:
    """training=True for a module without RReLU in training mode is a mistake."""
    module = nn.Sequential(nn.BatchNorm1d(3), nn.RReLU()).train()
    module[1].eval()
    with pytest.raises(ValueError, match="but nothing draws"):
        export(module, X, tmp_path / "m.onnx", training=True)


def test_newest_opset() -> None:
    """The newest opset on offer is one that ONNX Runtime loads; the next one is refused by name."""
    newest = newest_opset()
    assert 20 <= newest <= onnx.defs.onnx_opset_version()
    checks.check_opset(newest)
    with pytest.raises(ValueError, match=rf"17 to {newest}, the newest of onnxruntime \d"):
        checks.check_opset(newest + 1)


@pytest.mark.parametrize(
    ("rank", "shared", "shape"),
    [
        (0, True, []),
        (1, True, None),
        (5, True, None),
        (2, False, None),
        (3, False, [-1, 1]),
        (5, False, [-1, 1, 1, 1]),
    ],
)
def test_slope_shape(rank: int, shared: bool, shape: list[int] | None) -> None:
    """Slopes move from dimension 1 to where ONNX aligns them."""
    assert slope_shape(rank, shared=shared) == shape


@pytest.mark.parametrize(("rank", "message"), [(None, "not known"), (1, "has 1 dim"), (0, "has 0")])
def test_slope_shape_refused(rank: int | None, message: str) -> None:
    """Slopes for channels need a known rank of 2 or more."""
    with pytest.raises(TranslationError, match=message):
        slope_shape(rank, shared=False)
