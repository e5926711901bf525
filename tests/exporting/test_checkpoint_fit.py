"""Names with the prefixes of wrappers, and element types that differ from the module's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from onnx_acts.exporting.checkpoint_names import match_names
from onnx_acts.exporting.checkpoints import load_weights
from tests.exporting.networks import compile_module


def block() -> nn.Sequential:
    """A module with real parameters and a counter."""
    return nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.BatchNorm1d(3)))


def loaded(module: nn.Module, weights: dict[str, torch.Tensor], folder: Path) -> nn.Module:
    """The module with weights from a file."""
    path = folder / "w.safetensors"
    save_file(weights, path)
    load_weights(module, path)
    return module


WRAPPED: dict[str, Callable[[], nn.Module]] = {
    "DataParallel": lambda: nn.DataParallel(block()),
    "compiled": lambda: compile_module(block()),
    "compiled DataParallel": lambda: compile_module(nn.DataParallel(block())),
    "compiled inside": lambda: nn.Sequential(block()[0], compile_module(block()[1])),
    "Lightning": lambda: nn.ModuleDict({"model": block()}),
    "Lightning, compiled": lambda: nn.ModuleDict({"net": compile_module(block())}),
}


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", WRAPPED)
def test_prefixes(name: str, reverse: bool, tmp_path: Path) -> None:
    """Prefixes are left out or put in, either way round, and told."""
    modules = [block(), WRAPPED[name]()]
    source, target = reversed(modules) if not reverse else modules
    weights = {name: tensor + 1 for name, tensor in source.state_dict().items()}
    with pytest.warns(UserWarning, match="another prefix.* was taken as .*, and [46] more"):
        loaded(target, weights, tmp_path)
    pairs = zip(weights.values(), target.state_dict().values(), strict=True)
    assert all(torch.equal(have, want) for have, want in pairs)


def test_prefix_and_missing(tmp_path: Path) -> None:
    """What is missing besides is listed by the module's names."""
    weights = {f"module.{name}": tensor for name, tensor in block().state_dict().items()}
    del weights["module.0.bias"]
    weights["module.2.bias"] = torch.zeros(1)
    message = r"missing: 0.bias; unexpected: module.2.bias"
    with (
        pytest.warns(UserWarning, match="'module.0.weight' was taken as '0.weight'"),
        pytest.raises(ValueError, match=message),
    ):
        loaded(block(), weights, tmp_path)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (["module.a", "b"], ["module.a", "b"]),  # a module of that name
        (["module.a", "a"], ["a", "b"]),  # two would become one
        (["x.a", "y.b"], ["a", "b"]),  # no common prefix
        (["x.a", "x.c"], ["a", "b"]),  # a prefix, but not of this module
    ],
)
def test_names_that_stay(found: list[str], wanted: list[str]) -> None:
    """Nothing is renamed without need."""
    assert match_names(found, wanted) == {name: name for name in found}


def test_integers_in_a_parameter(tmp_path: Path) -> None:
    """Integers, flags and complex numbers are no weights."""
    for dtype in (torch.int8, torch.int64, torch.bool, torch.complex64):
        weights = {"weight": torch.ones(3, 3, dtype=dtype), "bias": torch.zeros(3)}
        name = str(dtype).removeprefix("torch.")
        message = rf"of another kind: weight is {name}, the module has float32"
        with pytest.raises(ValueError, match=message):
            loaded(nn.Linear(3, 3), weights, tmp_path)


def test_numbers_in_a_counter(tmp_path: Path) -> None:
    """A counter takes what keeps its value, as of a checkpoint in float16, and nothing else."""
    weights = {name: tensor.half() for name, tensor in block().state_dict().items()}
    weights["1.0.num_batches_tracked"] = torch.tensor(300.0).half()
    module = loaded(block(), weights, tmp_path)
    counter = module.state_dict()["1.0.num_batches_tracked"]
    assert (counter.dtype, counter.item()) == (torch.int64, 300)
    weights["1.0.num_batches_tracked"] = torch.tensor(0.5)
    with pytest.raises(ValueError, match="num_batches_tracked is float32, the module has int64"):
        loaded(block(), weights, tmp_path)


@pytest.mark.parametrize(
    ("have", "want", "is_told"),
    [
        (torch.float64, torch.float32, True),
        (torch.float32, torch.bfloat16, True),
        (torch.float32, torch.float16, True),
        (torch.bfloat16, torch.float16, False),  # 0.1 rounded to 8 bits has fewer than 11
        (torch.float16, torch.float32, False),
        (torch.bfloat16, torch.float32, False),
    ],
)
def test_mixed_types(have: torch.dtype, want: torch.dtype, is_told: bool, tmp_path: Path) -> None:
    """A file of several types leaves the module's, and tells of every tensor that it rounds."""
    module = nn.Linear(3, 3).to(want)
    other = torch.float64 if have != torch.float64 else torch.float32
    weights = {
        "weight": torch.full((3, 3), 0.1, dtype=torch.float64).to(have),
        "bias": torch.ones(3, dtype=other),
    }
    if is_told:
        text = f"rounds weight from {have} to {want}$".replace("torch.", "")
        with pytest.warns(UserWarning, match=text):
            loaded(module, weights, tmp_path)
    else:
        loaded(module, weights, tmp_path)
    assert module.weight.dtype == module.bias.dtype == want
    assert torch.equal(module.weight, weights["weight"].to(want))


def test_overflow(tmp_path: Path) -> None:
    """Values that the module's type does not reach are told as such."""
    weights = {"weight": torch.full((3, 3), 1e300, dtype=torch.float64), "bias": torch.ones(3)}
    with pytest.warns(UserWarning, match=r"weight from float64 to float32 \(values overflow\)"):
        loaded(nn.Linear(3, 3), weights, tmp_path)


def test_complex_buffer(tmp_path: Path) -> None:
    """The module takes the file's real type; what is complex stays."""
    module = nn.Linear(3, 3)
    module.register_buffer("phase", torch.tensor([1j]))
    weights = {"weight": torch.ones(3, 3).double(), "bias": torch.ones(3).double()}
    loaded(module, {**weights, "phase": torch.tensor([2j])}, tmp_path)
    assert module.weight.dtype == torch.float64
    assert torch.equal(module.get_buffer("phase"), torch.tensor([2j]))


def test_meta(tmp_path: Path) -> None:
    """A module without values cannot take any."""
    with pytest.raises(ValueError, match=r"^weight is on the meta device.*to_empty"):
        loaded(nn.Linear(3, 3, device="meta"), dict(nn.Linear(3, 3).state_dict()), tmp_path)
