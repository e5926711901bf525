"""Weights come from safetensors files that fit; nothing else is opened."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from onnx_acts.exporting.checkpoints import load_weights
from tests.exporting.networks import small


def saved(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    """Writes a safetensors file."""
    save_file(tensors, path)
    return path


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_exact(dtype: torch.dtype, tmp_path: Path) -> None:
    """Every tensor has the file's bits, whatever the module's element type was."""
    torch.manual_seed(1)
    state = {
        name: t + 0.1 if t.is_floating_point() else t for name, t in small().state_dict().items()
    }
    state = {name: t.to(dtype) if t.is_floating_point() else t for name, t in state.items()}
    module = small()
    load_weights(module, saved(tmp_path / "w ü.safetensors", state))
    loaded = module.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    assert all(loaded[name].dtype == state[name].dtype for name in state)


def test_tied_weights(tmp_path: Path) -> None:
    """A file stores a shared tensor once; that is no missing key."""
    from safetensors.torch import save_model

    def tied() -> nn.Sequential:
        first, second = nn.Linear(3, 3), nn.Linear(3, 3)
        second.weight = first.weight
        return nn.Sequential(first, second)

    module, other = tied(), tied()
    save_model(module, str(tmp_path / "w.safetensors"))
    load_weights(other, tmp_path / "w.safetensors")
    assert torch.equal(module.get_parameter("1.weight"), other.get_parameter("1.weight"))


def test_wrong_keys(tmp_path: Path) -> None:
    """Missing and unexpected keys are all listed."""
    path = saved(tmp_path / "w.safetensors", {"weight": torch.zeros(3, 3), "extra": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"does not fit.*missing: bias; unexpected: extra"):
        load_weights(nn.Linear(3, 3), path)


def test_wrong_shapes(tmp_path: Path) -> None:
    """Every tensor of another shape is listed with both shapes."""
    tensors = {"weight": torch.zeros(3, 4), "bias": torch.zeros(2)}
    path = saved(tmp_path / "w.safetensors", tensors)
    message = r"bias is \(2,\), the module has \(3,\), weight is \(3, 4\), the module has \(3, 3\)"
    with pytest.raises(ValueError, match=message):
        load_weights(nn.Linear(3, 3), path)


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "pytorch_model.bin"])
def test_pickle_protocol_0(name: str, tmp_path: Path) -> None:
    """A pickle without a recognisable start is refused with the two lines that convert it."""
    path = tmp_path / name
    path.write_bytes(pickle.dumps({"weight": 1}, protocol=0))
    message = (
        rf"is a pickle.*torch.load\('{name}', map_location='cpu', weights_only=True\)`.*save_file"
    )
    with pytest.raises(ValueError, match=message):
        load_weights(nn.Linear(3, 3), path)


@pytest.mark.parametrize("keep", [0, 4, 30, -1])
def test_truncated(keep: int, tmp_path: Path) -> None:
    """A file that ends early is refused with its size."""
    path = saved(tmp_path / "w.safetensors", dict(nn.Linear(3, 3).state_dict()))
    data = path.read_bytes()[:keep]
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"not a complete safetensors file \({len(data)} bytes\)"):
        load_weights(nn.Linear(3, 3), path)


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("the pickle was opened",)


@pytest.mark.parametrize("zipped", [True, False])
def test_pickle(zipped: bool, tmp_path: Path) -> None:
    """A pickle is refused unread, with the two lines that convert it."""
    path = tmp_path / "model.pt"
    torch.save({"weight": Bomb()}, path, _use_new_zipfile_serialization=zipped)
    message = (
        r"is a pickle.*torch.load\('model.pt', map_location='cpu', weights_only=True\)`"
        r".*safetensors.torch.save_file\(state, 'model.safetensors'\)"
    )
    with pytest.raises(ValueError, match=message):
        load_weights(nn.Linear(3, 3), path)


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_torchscript(tmp_path: Path) -> None:
    """A TorchScript archive is refused with its own way out."""
    path = tmp_path / "model.pt"
    torch.jit.trace(nn.Linear(3, 3), torch.zeros(1, 3)).save(path)
    with pytest.raises(
        ValueError, match=r"TorchScript.*torch.jit.load\('model.pt'\).state_dict\(\)"
    ):
        load_weights(nn.Linear(3, 3), path)


def test_no_file(tmp_path: Path) -> None:
    """A missing file and a folder are named."""
    with pytest.raises(FileNotFoundError, match="no weights file at"):
        load_weights(nn.Linear(3, 3), tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match="is a directory"):
        load_weights(nn.Linear(3, 3), tmp_path)
