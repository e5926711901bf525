"""Exported files compute what PyTorch computes, in every form, type, style and runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from onnx_acts.definition import reference
from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import DOMAIN, ELEMENT_TYPES, SPECS, Spec, spec_of
from onnx_acts.exporting import export
from onnx_acts.exporting.options import Style
from onnx_acts.exporting.verification import run_model
from onnx_acts.files.structure import walk_nodes
from tests.exporting.networks import CHANNELS, SLOPES, EveryForm, samples

pytestmark = pytest.mark.slow

RUNTIMES = (False, True)  # function bodies, native library


def domains(model: onnx.ModelProto) -> set[str]:
    """The domains of all nodes."""
    return {node.domain for node in walk_nodes(model)}


def assert_equal(got: torch.Tensor, want: torch.Tensor) -> None:
    """Requires equal numbers and NaN in the same places.

    Not the sign of zero: PyTorch's PReLU multiplies 0 by its slope, ours keeps it.
    """
    torch.testing.assert_close(got, want, rtol=0, atol=0, equal_nan=True)


def allowed_ulp(name: str, dtype: str) -> float:
    """The allowed difference from PyTorch in ULP.

    A single product is rounded once by both in float32 and float64. In 16 bits PyTorch and the
    bodies round twice and the library once, which is one unit in rare cases. ELU has the promise
    of its body, and 2 ULP are PyTorch's.
    """
    if "elu" in name.lower().replace("relu", ""):
        return spec_of("ELU").promise.body[dtype] + 2
    return 1 if dtype in ("float16", "bfloat16") else 0


@pytest.mark.parametrize("style", ["acts", "standard"])
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_every_form(dtype: str, style: Style, tmp_path: Path) -> None:
    """Modules, functions and in-place functions of all five, at another batch size."""
    kind = getattr(torch, dtype)
    module = EveryForm().eval().to(kind)
    path = tmp_path / "m.onnx"
    result = export(
        module,
        samples((2, CHANNELS, 5), kind),
        path,
        style=style,
        verify=False,
        output_names=module.names,
    )
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert bool(result.node_counts) == (style == "acts") == (DOMAIN in domains(model))
    x = samples((7, CHANNELS, 5), kind)
    expected = module(x.clone())
    for accelerated in RUNTIMES if style == "acts" else (False,):
        got = run_model(path, [x], accelerated=accelerated)
        for name, have, want in zip(module.names, got, expected, strict=True):
            limit = allowed_ulp(name, dtype)
            if limit == 0:
                assert_equal(have, want)
            else:
                assert_near(have, want, limit, exact=style == "acts")


def assert_near(got: torch.Tensor, want: torch.Tensor, ulp: float, *, exact: bool) -> None:
    """Requires at most `ulp` units in the last place, and the same NaN and infinities.

    Not `exact`: units of 1 where the number is smaller, because the standard Elu is exp(x) - 1.
    """
    unit = torch.finfo(want.dtype).eps
    finite = torch.isfinite(want)
    torch.testing.assert_close(got[~finite], want[~finite], equal_nan=True)
    a, b = got[finite].double(), want[finite].double()
    size = b.abs() if exact else b.abs().clamp(min=1)
    assert bool(((a - b).abs() <= ulp * unit * size.clamp(min=torch.finfo(want.dtype).tiny)).all())


class Ranks(nn.Module):
    """PReLU with one slope on ranks 0 to 5 and with C slopes on ranks 2 to 5."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.PReLU()
        self.channels = nn.PReLU(CHANNELS)
        with torch.no_grad():
            self.channels.weight.copy_(SLOPES)

    def forward(self, *inputs: torch.Tensor) -> list[torch.Tensor]:
        """inputs: one of each rank."""
        return [self.shared(x) for x in inputs] + [self.channels(x) for x in inputs[2:]]


@pytest.mark.parametrize("style", ["acts", "standard"])
def test_prelu_ranks(style: Style, tmp_path: Path) -> None:
    """PyTorch's slopes belong to dimension 1, whatever the rank."""
    shapes = [(), (4,), (2, 3), (2, 3, 4), (2, 3, 4, 5), (2, 3, 2, 3, 2)]
    inputs = tuple(samples(shape, torch.float32) for shape in shapes)
    module = Ranks().eval()
    export(module, inputs, tmp_path / "m.onnx", style=style, verify=False)
    expected = module(*inputs)
    for accelerated in RUNTIMES:
        got = run_model(tmp_path / "m.onnx", inputs, accelerated=accelerated)
        for have, want in zip(got, expected, strict=True):
            assert_equal(have, want)


@pytest.mark.parametrize("opset", [18, 21, 23, 25])
def test_opsets(opset: int, tmp_path: Path) -> None:
    """The requested opset is written, by torch's default, older and newer."""
    module = EveryForm().eval()
    result = export(module.float(), torch.randn(2, CHANNELS, 2), tmp_path / "m.onnx", opset=opset)
    model = onnx.load(tmp_path / "m.onnx")
    assert result.opset == opset
    assert {item.domain: item.version for item in model.opset_import} == {"": opset, DOMAIN: 1}
    assert result.verification == "passed"


def test_default_opset(tmp_path: Path) -> None:
    """Without a request it is torch's default; the default operators are kept, ReLU is not."""
    module = EveryForm().eval().float()
    result = export(module, torch.randn(2, CHANNELS, 2), tmp_path / "m.onnx")
    assert result.opset == 20
    assert set(result.node_counts) == {"PReLU", "RReLU", "ELU"}
    assert {error.runtime for error in result.errors} == {"bodies", "library"}
    assert len(result.errors) == 2 * len(module.names)


@pytest.mark.parametrize("style", ["acts", "standard"])
def test_training(style: Style, tmp_path: Path) -> None:
    """Each RReLU in training mode has its own seed and draws what the reference draws."""
    module = nn.Sequential(nn.RReLU(), nn.RReLU(0.5, 0.9)).train()
    x = -torch.rand(50, dtype=torch.float64) - 0.1
    path = tmp_path / "m.onnx"
    result = export(module, x, path, style=style, training=True, seed=7)
    assert result.verification.startswith("passed with mean slopes; of the random slopes")
    assert {error.runtime for error in result.errors} >= {"bodies"}
    assert all(part.training for part in module.modules())
    if style == "acts":
        kept = [node for node in onnx.load(path).graph.node if node.domain == DOMAIN]
        first, second = (read_attributes(node) for node in kept)
        assert first["seed"] != second["seed"]
        middle = reference.evaluate(spec_of("RReLU"), [x.numpy()], first)[0]
        want = reference.evaluate(spec_of("RReLU"), [middle], second)[0]
    else:
        want = run_model(path, [x], accelerated=False)[0].numpy()
        slope = want / x.numpy()
        assert slope.min() >= 0.125 * 0.5
        assert slope.max() < 0.9 / 3
        assert len(np.unique(slope)) == slope.size
    for accelerated in RUNTIMES:
        got = run_model(path, [x], accelerated=accelerated)[0]
        np.testing.assert_array_equal(got.numpy(), want)


class WholeTable(nn.Module):
    """Every operator of the table that PyTorch has, one on the result of the other."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.full((1,), 0.25))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: any shape; shifted each time, so that some of it is negative."""
        for spec in SPECS:
            if spec.torch:
                slopes = [self.slope] * len(spec.inputs[1:])
                named = {item: spec.samples[0][name] for item, name in torch_arguments(spec)}
                x = getattr(nn.functional, spec.torch)(x - 0.5, *slopes, **named)
        return x


def torch_arguments(spec: Spec) -> list[tuple[str, str]]:
    """The arguments in PyTorch that stand for real attributes, and these."""
    renamed = {ours: theirs for theirs, ours in spec.torch_names.items()}
    return [(renamed.get(name, name), name) for name in spec.samples[0]]


def test_all_operators_can_be_kept(tmp_path: Path) -> None:
    """ops= decides which operators become onnx_acts nodes, of those that PyTorch has."""
    names = [spec.name for spec in SPECS if spec.torch]
    module = WholeTable().eval()
    result = export(module, torch.randn(2, CHANNELS, 2), tmp_path / "m.onnx", ops=names)
    assert result.node_counts == dict.fromkeys(names, 1)
    assert result.verification == "passed"


class Branches(nn.Module):
    """Activations in the branches of a condition on the data."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.PReLU(CHANNELS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, C, L)."""
        elu = nn.functional.elu
        return torch.cond(x.sum() > 0, lambda x: elu(self.act(x)), lambda x: elu(x, 0.5), (x,))


@pytest.mark.parametrize("style", ["acts", "standard"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_subgraphs(dtype: str, style: Style, tmp_path: Path) -> None:
    """Activations inside subgraphs are exported like others, in both branches."""
    kind = getattr(torch, dtype)
    module = Branches().eval().to(kind)
    x = torch.rand(2, CHANNELS, 4, dtype=kind) - 0.2
    result = export(module, x, tmp_path / "m.onnx", style=style)
    assert result.node_counts == ({"ELU": 2, "PReLU": 1} if style == "acts" else {})
    for value in (x, -x):
        (got,) = run_model(tmp_path / "m.onnx", [value], accelerated=style == "acts")
        torch.testing.assert_close(got, module(value))
