"""What PyTorch's two exporters make of activations and of their formulas is recognised."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch.nn import functional

import onnx_acts
from onnx_acts.graph import accelerate_counted

pytestmark = pytest.mark.slow

WEIGHTS = torch.tensor([-0.5, 0.25, 2.0])


class Formula(nn.Module):
    """A formula of x and, perhaps, a learned weight."""

    def __init__(self, formula: Callable[..., torch.Tensor], weight: torch.Tensor | None = None):
        super().__init__()
        self.formula = formula
        self.weight = None if weight is None else nn.Parameter(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Computes the formula."""
        return self.formula(x) if self.weight is None else self.formula(x, self.weight)


def keras_prelu(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """A Keras PReLU whose slope is clamped from below."""
    clamped = torch.maximum(weight, torch.tensor(0.01, dtype=x.dtype))
    return functional.relu(x) - clamped * functional.relu(-x)


def channel_prelu() -> nn.PReLU:
    """A PReLU with a slope for each of 3 channels."""
    layer = nn.PReLU(3)
    layer.weight.data = WEIGHTS.clone()
    return layer


CASES: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "elu": (lambda: nn.ELU(0.7), "ELU"),
    "prelu": (channel_prelu, "PReLU"),
    "leaky_relu": (lambda: nn.LeakyReLU(0.1), "LeakyReLU"),
    "where expm1": (lambda: Formula(lambda x: torch.where(x > 0, x, torch.expm1(x))), "ELU"),
    "where exp": (lambda: Formula(lambda x: torch.where(x < 0, 0.5 * (x.exp() - 1), x)), "ELU"),
    "where scaled": (lambda: Formula(lambda x: torch.where(x >= 0, x, 0.25 * x)), "LeakyReLU"),
    "maximum": (lambda: Formula(lambda x: torch.maximum(0.1 * x, x)), "LeakyReLU"),
    "keras": (lambda: Formula(keras_prelu, WEIGHTS.reshape(3, 1, 1)), "PReLU"),
    "decomposed prelu": (channel_prelu, "PReLU"),
}


def exported(module: nn.Module, x: torch.Tensor, name: str, dynamo: bool) -> onnx.ModelProto:
    """The module as the exporters of torch write it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the exporters themselves
        if not dynamo:
            stream: Any = io.BytesIO()  # the old exporter takes one
            torch.onnx.export(module, (x,), stream, dynamo=False)
            return onnx.load_model_from_string(stream.getvalue())
        program = torch.export.export(module, (x,))
        if name.startswith("decomposed"):
            program = program.run_decompositions()
        result = torch.onnx.export(program, dynamo=True, verbose=False)
        assert result is not None
        return result.model_proto


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("dynamo", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_form(name: str, dynamo: bool, dtype: torch.dtype) -> None:
    """One `onnx_acts` node is left, with PyTorch's values."""
    if not dynamo and name in ("where expm1", "decomposed prelu"):
        return  # the old exporter has no expm1 and takes no decomposed program
    make, operator = CASES[name]
    module = make().to(dtype).eval()
    x = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(1)).to(dtype)
    model, counts = accelerate_counted(
        exported(module, x, name, dynamo), ops=("PReLU", "ELU", "LeakyReLU")
    )
    assert sum(counts.values()) == 1, counts
    assert [node.op_type for node in model.graph.node] == [operator]
    session = onnx_acts.session(model, accelerated=False)
    got = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    # The exporters' alpha has 32 bits, in float64 too.
    tolerance = {torch.float16: 2e-3, torch.float32: 1e-6, torch.float64: 1e-7}[dtype]
    with torch.no_grad():
        np.testing.assert_allclose(got, module(x).numpy(), rtol=tolerance, atol=tolerance / 10)
