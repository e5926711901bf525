"""Files of other kinds are told by their bytes, and the advice for them works as it stands."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from onnx_acts.exporting.checkpoints import load_weights


def header_length(path: Path) -> int:
    """What the first eight bytes of a safetensors file say."""
    return int.from_bytes(path.read_bytes()[:8], "little")


@pytest.mark.parametrize("second", [0, 2, 3, 4, 5])
def test_header_lengths_like_a_pickle(second: int, tmp_path: Path) -> None:
    """A header of 0x80 + 256 * n bytes is a header, also where n is a protocol of pickles."""
    weight, path = torch.randn(3, 3), tmp_path / "w.safetensors"
    for size in range(2000):
        save_file({"weight": weight, "bias": torch.ones(3)}, path, {"note": "n" * size})
        if header_length(path) == 0x80 + 256 * second:
            break
    else:  # the smallest header has more than 128 bytes: take one that is shorter
        save_file({"weight": weight}, path)
        assert second == 0
        assert header_length(path) < 0x80
        data, length = path.read_bytes(), header_length(path)
        path.write_bytes(
            (0x80).to_bytes(8, "little") + data[8 : 8 + length].ljust(0x80) + data[8 + length :]
        )
    module = nn.Linear(3, 3, bias=second != 0)
    load_weights(module, path)
    assert torch.equal(module.weight, weight)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", [{}, {"weight": [1.5] * 9}, ["weight"] * 9, {"a": {"{": 3}}])
def test_every_protocol(protocol: int, value: object, tmp_path: Path) -> None:
    """Pickles are refused as such whatever they are called; of a few bytes nothing can be said."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    kind = "is a pickle, which can run code" if value else "is a pickle|not a complete"
    with pytest.raises(ValueError, match=kind):
        load_weights(nn.Linear(3, 3), path)


def test_other_files(tmp_path: Path) -> None:
    """Files of other tools are named."""
    np.savez(tmp_path / "w.npz", weight=np.zeros(3))
    with pytest.raises(ValueError, match="holds NumPy arrays; give a"):
        load_weights(nn.Linear(3, 3), tmp_path / "w.npz")
    (tmp_path / "w.gguf").write_bytes(b"GGUF" + bytes(60))
    with pytest.raises(ValueError, match="is a GGUF file"):
        load_weights(nn.Linear(3, 3), tmp_path / "w.gguf")


def state() -> dict[str, torch.Tensor]:
    """Weights in other memory layouts: transposed, broadcast, shared, channels last."""
    weight = torch.randn(3, 3)
    return {
        "0.weight": weight.T,
        "0.bias": torch.ones(1).expand(3),
        "1.weight": weight,
        "1.bias": torch.arange(6.0)[::2],
        "2.weight": torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last),
        "2.bias": torch.arange(4.0),
    }


def network() -> nn.Module:
    """What `state` fits."""
    return nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.Conv2d(3, 4, 2))


def followed(message: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs the advice of a message as it stands, and gives the file that it makes."""
    monkeypatch.chdir(folder)
    before = set(folder.glob("*.safetensors"))
    names: dict[str, Any] = {}
    for line in re.findall(r"`([^`]+)`", message):
        exec(line, names)  # the advice is ours
    (path,) = set(folder.glob("*.safetensors")) - before
    return path


NESTED: dict[str, Any] = {
    "plain": lambda weights: weights,
    "lightning": lambda weights: {"epoch": 3, "state_dict": weights, "optimizer": {}},
    "model_state_dict": lambda weights: {"model_state_dict": weights, "loss": 0.25},
    "model": lambda weights: {"model": weights, "args": None},
    "with a number": lambda weights: {**weights, "steps": 7},
}


@pytest.mark.parametrize("name", NESTED)
def test_advice_for_a_pickle(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice makes a file that loads, of tensors that safetensors does not take as they are."""
    weights, module = state(), network()
    torch.save(NESTED[name](weights), tmp_path / "w.pt")
    with pytest.raises(ValueError, match="is a pickle") as caught:
        load_weights(module, tmp_path / "w.pt")
    load_weights(module, followed(str(caught.value), tmp_path, monkeypatch))
    assert all(torch.equal(tensor, weights[key]) for key, tensor in module.state_dict().items())


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_advice_for_torchscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of a TorchScript archive, which has tied weights twice."""
    scripted, module = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)), tied()
    scripted[1].weight = scripted[0].weight
    torch.jit.trace(scripted, torch.zeros(1, 3)).save(tmp_path / "w.pt")
    with pytest.raises(ValueError, match="is a TorchScript archive") as caught:
        load_weights(module, tmp_path / "w.pt")
    load_weights(module, followed(str(caught.value), tmp_path, monkeypatch))
    assert torch.equal(module.get_parameter("0.weight"), scripted.get_parameter("0.weight"))
    assert torch.equal(module.get_parameter("1.bias"), scripted.get_parameter("1.bias"))


@pytest.mark.parametrize("is_zip", [True, False])
def test_advice_for_a_pickle_of_another_name(
    is_zip: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that is called .safetensors is read all the same, and stays."""
    weights, module, path = state(), network(), tmp_path / "w.safetensors"
    torch.save(weights, path, _use_new_zipfile_serialization=is_zip)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="is a pickle") as caught:
        load_weights(module, path)
    load_weights(module, followed(str(caught.value), tmp_path, monkeypatch))
    assert torch.equal(module.get_parameter("0.weight"), weights["0.weight"])
    assert path.read_bytes() == before


def test_advice_for_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of an exported program."""
    program, module = torch.export.export(nn.Linear(3, 3), (torch.zeros(1, 3),)), nn.Linear(3, 3)
    torch.export.save(program, tmp_path / "w.pt2")
    with pytest.raises(ValueError, match=r"is an exported program.*export the program") as caught:
        load_weights(module, tmp_path / "w.pt2")
    load_weights(module, followed(str(caught.value), tmp_path, monkeypatch))
    assert torch.equal(module.weight, program.state_dict["weight"])


def tied() -> nn.Sequential:
    """Two layers with one weight."""
    module = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    module[1].weight = module[0].weight
    return module


def test_tied_weights_twice(tmp_path: Path) -> None:
    """A file may have a tied tensor under each of its names, if they are the same."""
    weights = {name: tensor.clone() for name, tensor in tied().state_dict().items()}
    save_file(weights, tmp_path / "same.safetensors")
    module = tied()
    load_weights(module, tmp_path / "same.safetensors")
    assert torch.equal(module.get_parameter("1.weight"), weights["0.weight"])
    weights["1.weight"][0, 0] += 1
    save_file(weights, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"one tensor in the module.*: 0.weight and 1.weight"):
        load_weights(module, tmp_path / "other.safetensors")
