"""A file against a PyTorch module."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import onnx_acts
from tests.cli.running import run

pytestmark = pytest.mark.slow


def network(alpha: float = 1.0) -> nn.Module:
    """Fifty layers and more, with four activations."""
    torch.manual_seed(2)
    layers: list[nn.Module] = []
    for i in range(18):
        act = (nn.PReLU(12), nn.ELU(alpha if i == 9 else 1.0), nn.RReLU())[i % 3 if i != 9 else 1]
        layers += [nn.Linear(12, 12), nn.BatchNorm1d(12), act]
    return nn.Sequential(*layers, nn.Linear(12, 3)).eval()


def test_module(tmp_path: Path) -> None:
    """A file of the module is the same; one of another alpha is not, and its node is named."""
    x = torch.randn(2, 12)
    onnx_acts.export(network(), x, tmp_path / "right.onnx", verify=False)
    onnx_acts.export(network(0.9), x, tmp_path / "wrong.onnx", verify=False)
    module = network().train()
    result = onnx_acts.verify(tmp_path / "right.onnx", module)
    assert result.same
    assert module.training
    assert result.reference == "PyTorch's Sequential"
    result = onnx_acts.verify(tmp_path / "wrong.onnx", module)
    assert [cause.operator for cause in result.causes] == ["onnx_acts.ELU"]
    assert result.causes[0].reasons == ("alpha is 0.9 here, 1 in the reference",)


def test_factory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command takes a FACTORY; one that fails, and a wrong one, are bad usage."""
    onnx_acts.export(network(), torch.randn(2, 12), tmp_path / "m.onnx", verify=False)
    (tmp_path / "nets.py").write_text(
        "import torch\ndef make():\n    return torch.nn.Linear(12, 3)\ndef fail():\n    1 / 0\n"
    )
    monkeypatch.chdir(tmp_path)
    assert run("verify", "m.onnx", "--against", "nets.py:make") == 1
    assert "different" in capsys.readouterr().out
    with pytest.raises(ValueError, match="fails when called without arguments: ZeroDivisionError"):
        run("verify", "m.onnx", "--against", "nets.py:fail")


def test_module_that_cannot_be_exported(tmp_path: Path) -> None:
    """Its outputs are compared all the same, and a note says why no node is named."""

    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.elu(x) + len([v for v in x.flatten().tolist() if v > 0])

    onnx_acts.export(nn.ELU(), torch.randn(2, 3), tmp_path / "m.onnx", verify=False)
    result = onnx_acts.verify(tmp_path / "m.onnx", Odd())
    assert not result.same
    assert not result.causes
    assert any(note.startswith("no node could be looked at: ") for note in result.notes)


def test_factory_with_random_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The seed and the arguments of `export` make its weights again; it is said of them."""
    (tmp_path / "nets.py").write_text(
        "import torch\n"
        "def make(width=4):\n    return torch.nn.Sequential(torch.nn.Linear(3, width),"
        " torch.nn.ELU())\n"
        "def plain():\n    return torch.nn.ELU()\n"
    )
    monkeypatch.chdir(tmp_path)
    made = ("nets.py:make", "--factory-arg", "width=6", "--seed", "5")
    assert run("export", *made, "--input", "2x3", "-o", "m.onnx", "--no-verify") == 0
    capsys.readouterr()
    assert run("verify", "m.onnx", "--against", *made) == 0
    said = capsys.readouterr().out
    assert "note: no --weights, and FACTORY draws random numbers" in said
    assert "those of --seed 5" in said
    assert run("verify", "m.onnx", "--against", *made[:-1], "6", "--json", "r.json") == 1
    assert "those of --seed 6" in capsys.readouterr().out
    assert "those of --seed 6" in (tmp_path / "r.json").read_text()
    # Neither a module without weights nor one with them from a file is told of.
    assert run("export", "nets.py:plain", "--input", "2x3", "-o", "e.onnx", "--no-verify") == 0
    assert run("verify", "e.onnx", "--against", "nets.py:plain") == 0
    assert "random numbers" not in capsys.readouterr().out.replace("random, 1 set", "")
    # Of a module in 16 bits, with the same flag.
    half = (*made, "--dtype", "float16")
    assert run("export", *half, "--input", "2x3", "-o", "h.onnx", "--no-verify") == 0
    assert run("verify", "h.onnx", "--against", *half) == 0
    capsys.readouterr()
    for words in (["--factory-arg", "a=1"], ["--dtype", "float16"]):
        with pytest.raises(ValueError, match=f"{words[0]} is for the module of a FACTORY"):
            run("verify", "m.onnx", "--against", "e.onnx", *words)
    with pytest.raises(ValueError, match="--seed must be from 0"):
        run("verify", "m.onnx", "--against", "nets.py:make", "--seed", "-1")


def test_nothing_compared_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command's exit status is neither that of "the same" nor of "different"."""
    monkeypatch.chdir(tmp_path)
    onnx_acts.export(nn.ELU(), torch.randn(2, 3), "m.onnx", verify=False)
    assert run("verify", "m.onnx", "--against", "m.onnx", "--shape", "input=0x3") == 2
    assert "nothing was compared" in capsys.readouterr().out
