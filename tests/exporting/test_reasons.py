"""Errors name the line of the user's file, or the parameter, and what mends it."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from onnx_acts.exporting import VerificationError, export
from onnx_acts.exporting.factory import build_module
from tests.exporting.networks import Applied

pytestmark = pytest.mark.slow

X = torch.randn(2, 3, generator=torch.Generator().manual_seed(5))

SOURCE = '''"""A user's file."""
import json
import numpy
import torch
from torch import nn

def helper(x):
    return float(x.sum())

class Part(nn.Module):
    def forward(self, x):
        {code}
        return x

class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = nn.Sequential(nn.ELU(), Part())
    def forward(self, x):
        return self.parts(x)
'''
LINE = 12

CODE: dict[str, tuple[str, str]] = {
    "if": ("if x.sum() > 0: x = x + 1", "data-dependent Python.*torch.where"),
    "while": ("while x.mean() < 0: x = x + 1", "data-dependent Python.*torch.where"),
    "for": ("x = x + sum(range(int(x.sum())))", "data-dependent Python.*torch.where"),
    "raise": ("raise KeyError('mine')", "cannot run on these inputs: KeyError: 'mine'"),
    "numpy": ("numpy.linalg.cholesky(-numpy.eye(3))", "cannot run on these inputs: LinAlgError"),
    "json": ("json.loads('{')", "cannot run on these inputs: JSONDecodeError"),
    "operator": ("x = torch.linalg.eigvalsh(x @ x.T)", "operator aten._linalg_eigh.default"),
    "long": ("raise KeyError('m' * 5000)", "cannot run on these inputs: KeyError: 'mmm"),
    "shapes": ("x = x @ torch.ones(7, 7)", "cannot run on these inputs: RuntimeError: .*7x7"),
    "layer": ("x = nn.Linear(7, 7)(x)", "cannot run on these inputs: RuntimeError: .*7x7"),
}


@pytest.mark.parametrize("name", CODE)
def test_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The file, the line, the function and the code, and nothing on the terminal."""
    code, message = CODE[name]
    (tmp_path / "net.py").write_text(SOURCE.replace("{code}", code))
    module = build_module(f"{tmp_path / 'net.py'}:Whole").eval()
    with pytest.raises(ValueError, match=message) as caught:
        export(module, X, tmp_path / "m.onnx")
    text = str(caught.value)
    assert f"at {tmp_path / 'net.py'}:{LINE}, in forward: `{code}`" in text
    assert "onnx_acts/" not in text
    assert capfd.readouterr() == ("", "")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=rf"\(at net.py:{LINE}, in forward"):
        export(module, X, tmp_path / "m.onnx")


def test_place_in_a_program(tmp_path: Path) -> None:
    """A program remembers the lines that it was made of."""
    made = torch.export.export(Applied(lambda x: torch.linalg.eigvalsh(x @ x.T)), (X,))
    with pytest.raises(ValueError, match=r"_linalg_eigh.*at tests/exporting/networks.py:\d+"):
        export(made, (X,), tmp_path / "m.onnx")


def test_optimiser(tmp_path: Path) -> None:
    """Where the optimiser of torch's exporter fails, the way out is named, and works."""
    module, path = Applied(lambda x: [functional.elu(y) for y in x.chunk(2)]), tmp_path / "m.onnx"
    with pytest.raises(ValueError, match=r"optimiser fails: .*optimize=False \(--no-optimize\)"):
        export(module, torch.randn(4, 3), path, verify="bodies")
    with pytest.warns(UserWarning, match="not for 1"):  # one row has no second half
        result = export(module, torch.randn(4, 3), path, verify="bodies", optimize=False)
    assert result.verification == "passed"


@dataclasses.dataclass
class Pair:
    """What torch does not know."""

    a: torch.Tensor


REFUSED: dict[str, tuple[Any, Any, type[Exception], str]] = {
    "meta": (
        nn.Sequential(nn.ELU(), nn.Linear(3, 3, device="meta")),
        X,
        ValueError,
        r"^1.weight is on the meta device.*to_empty",
    ),
    "meta slopes": (nn.PReLU(3, device="meta"), X, ValueError, "^weight is on the meta device"),
    "no result": (
        Applied(lambda x: None),
        X,
        ValueError,
        "^the module's forward returns no tensor$",
    ),
    "meta buffer": (
        nn.BatchNorm1d(3, affine=False, device="meta"),
        X,
        ValueError,
        "^running_mean is on the meta device",
    ),
    "meta input": (nn.ELU(), X.to("meta"), ValueError, "^input 0 is on the meta device"),
    "lazy": (
        nn.Sequential(nn.LazyLinear(3)),
        X,
        ValueError,
        "^0.weight is not initialised.*run the module once",
    ),
    "lazy buffer": (nn.LazyBatchNorm1d(affine=False), X, ValueError, "^running_mean is not init"),
    "dataclass": (
        Applied(lambda x: Pair(functional.elu(x))),
        X,
        ValueError,
        r"forward returns .*Pair, which PyTorch.*tuple or a dict of tensors.*register_dataclass",
    ),
    "dataclass input": (Applied(lambda p: p.a), (Pair(X),), ValueError, "register_dataclass"),
    "random": (
        Applied(lambda x: functional.dropout(functional.elu(x), training=True)),
        torch.ones(64, 3),
        VerificationError,
        "gives other values each time.*draws random numbers",
    ),
    "a dictionary for keywords": (
        Applied(lambda x, y=None: x if y is None else x * y),
        (X, {"y": X}),
        ValueError,
        r"the dict at the end is passed as it is; it runs as kwargs=",
    ),
}


class Optional(nn.Module):
    """An argument that may be left out."""

    def forward(self, x: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Uses both."""
        return functional.elu(x) if y is None else functional.elu(x) * y


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    """One clear line, and nothing is written."""
    module, args, kind, message = REFUSED[name]
    if name == "a dictionary for keywords":
        module = Optional()
    state = torch.get_rng_state()
    with pytest.raises(kind, match=message) as caught:
        export(module.eval(), args, tmp_path / "m.onnx", verify="bodies")
    assert torch.equal(torch.get_rng_state(), state)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_scripted_part(tmp_path: Path) -> None:
    """A scripted part of a module is named."""
    module = nn.Sequential(nn.Linear(3, 3), torch.jit.script(nn.ELU())).eval()
    with pytest.raises(ValueError, match=r"submodule '1' is TorchScript.*load_state_dict"):
        export(module, X, tmp_path / "m.onnx")
    with pytest.raises(TypeError, match=r"TorchScript module cannot be exported.*load_state_dict"):
        export(torch.jit.script(nn.ELU()), X, tmp_path / "m.onnx")
    with pytest.raises(TypeError, match="TorchScript module cannot be exported"):
        export(nn.DataParallel(torch.jit.script(nn.ELU())), X, tmp_path / "m.onnx")


@pytest.mark.filterwarnings("ignore")
def test_quantised(tmp_path: Path) -> None:
    """A quantised module is named."""
    module = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(3, 3)), {nn.Linear})
    with pytest.raises(TypeError, match=r"^0._packed_params.* is quantised"):
        export(module, X, tmp_path / "m.onnx")


class Cached(nn.Module):
    """Keeps a tensor from its first run."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Uses the tensor."""
        return functional.elu(x) + self.table(3)

    @functools.lru_cache  # noqa: B019  # what such modules do
    def table(self, size: int) -> torch.Tensor:
        """Makes the tensor."""
        return torch.arange(float(size))


def test_cache(tmp_path: Path) -> None:
    """What a module keeps is not replaced by the tensors without values of torch's capture."""
    module = Cached().eval()
    want = functional.elu(X) + torch.arange(3.0)
    assert export(module, X, tmp_path / "m.onnx").verification == "passed"
    assert torch.equal(module(X), want)
