"""A warning of a limited batch is about a fact; a file that is right for every size has none."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from onnx_acts.exporting import export
from onnx_acts.exporting.verification import run_model
from tests.exporting.networks import Applied
from tests.exporting.test_export import shapes

pytestmark = pytest.mark.slow


def picture(batch: int) -> torch.Tensor:
    """Pictures in channels-last order."""
    return torch.randn(batch, 8, 8, 3)


def rows(batch: int) -> torch.Tensor:
    """Sequences."""
    return torch.randn(batch, 4, 6)


def conv() -> nn.Module:
    """A convolution of pictures, with an activation."""
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ELU())


def permuted(inner: nn.Module) -> nn.Module:
    """Takes channels-last pictures."""
    module = Applied(lambda x: inner(x.permute(0, 3, 1, 2)))
    module.inner = inner
    return module


def recurrent() -> nn.Module:
    """A recurrent network, batch first."""
    lstm = nn.LSTM(6, 4, batch_first=True)
    module = Applied(lambda x: functional.elu(lstm(x)[0]))
    module.lstm = lstm
    return module


Made = tuple[Callable[[], nn.Module], Callable[[int], torch.Tensor]]

FREE: dict[str, Made] = {
    "permuted": (lambda: permuted(conv()), picture),
    "channels last": (
        conv,
        lambda n: torch.randn(n, 3, 8, 8).to(memory_format=torch.channels_last),
    ),
    "pooled": (lambda: permuted(nn.AdaptiveAvgPool2d(1)), picture),
    "normalised": (lambda: permuted(nn.GroupNorm(3, 3)), picture),
    "recurrent": (recurrent, rows),
    "transposed at once": (
        lambda: Applied(lambda x: functional.elu(x.transpose(0, 1).contiguous().view(4, -1))),
        rows,
    ),
    "flattened": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(24, 2), nn.ELU()), rows),
    "a view": (lambda: Applied(lambda x: functional.elu(x.view(4, -1))), rows),  # of any batch
}


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("name", FREE)
def test_free(name: str, batch: int, tmp_path: Path) -> None:
    """Nothing is told where torch took a decision that changes no value, and all sizes work."""
    make, inputs = FREE[name]
    torch.manual_seed(3)
    module = make().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export(module, inputs(batch), tmp_path / "m.onnx", verify="bodies")
    assert shapes(tmp_path / "m.onnx")[0][0] == "batch"
    for size in (1, 2, 5):
        x = inputs(size)
        got = run_model(tmp_path / "m.onnx", [x], accelerated=False)[0]
        torch.testing.assert_close(got, module(x), rtol=1e-4, atol=1e-5)


def shifted(is_shifted: Callable[[int], bool]) -> nn.Module:
    """Adds 1 for some batch sizes."""
    return Applied(lambda x: functional.elu(x) + (1.0 if is_shifted(x.shape[0]) else 0.0))


LIMITED: dict[str, tuple[nn.Module, int, str]] = {
    "even": (shifted(lambda n: n % 2 == 0), 2, "tried and right for 2, not for 1, 3"),
    "odd": (shifted(lambda n: n % 2 == 1), 1, "tried and right for 1, 3, not for 2"),
    "not 1": (shifted(lambda n: n != 1), 2, "tried and right for 2, 3, not for 1"),
    "only 1": (shifted(lambda n: n == 1), 1, "from 1 to 2, .* right for 1, not for 2"),
    "from 4": (shifted(lambda n: n > 3), 5, "from 4 up, tried and right for 5, 6, not for 1, 2, 3"),
    "to 3": (shifted(lambda n: n < 4), 2, "from 0 to 3, tried and right for 1, 2, 3, not for 4"),
    "to 99": (shifted(lambda n: n < 100), 2, r"from 0 to 99 \(not tried\)"),
    "whole rows": (
        Applied(lambda x: functional.elu(x.view(-1, 48))),
        2,
        "tried and right for 2, not for 1, 3",
    ),
}


@pytest.mark.parametrize("name", LIMITED)
def test_limited(name: str, tmp_path: Path) -> None:
    """What torch's ranges tell, and what they do not, is told with the sizes that were tried."""
    module, batch, message = LIMITED[name]
    with pytest.warns(UserWarning, match=f"limits its first dimension: {message}"):
        export(module, rows(batch), tmp_path / "m.onnx", verify="bodies")


def test_own_tolerance(tmp_path: Path) -> None:
    """The caller's own tolerance is that of every batch size."""
    module = shifted(lambda n: n % 2 == 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = export(module, rows(2), tmp_path / "m.onnx", verify="bodies", atol=1.5)
    assert result.sizes == {"batch": (2, 1, 3)}


@pytest.mark.parametrize(
    "function", [lambda x: x.view(2, 24) * 2, lambda x: x + torch.ones(2, 1, 1)]
)
def test_fixed(function: Callable[[Any], Any], tmp_path: Path) -> None:
    """A batch that is fixed is told as before."""
    with pytest.warns(UserWarning, match="fixes its first dimension to 2"):
        export(Applied(function), rows(2), tmp_path / "m.onnx", verify="bodies")
    assert shapes(tmp_path / "m.onnx") == [[2, 4, 6]]


def test_unverified(tmp_path: Path) -> None:
    """Where nothing is to be run, torch's range is told as such."""
    with pytest.warns(UserWarning, match=r"from 2 up \(not tried\)"):
        export(permuted(conv()), picture(2), tmp_path / "m.onnx", verify=False)


def test_two_batches(tmp_path: Path) -> None:
    """Each free dimension is tried by itself, in all inputs that have it."""
    module = Applied(
        lambda x, y, z: functional.elu(x + y).sum() + z * (2.0 if z.shape[0] % 2 else 3.0)
    )
    args = (torch.randn(2, 3), torch.randn(2, 3), torch.randn(4, 3))
    with pytest.warns(UserWarning, match=r"input 'args_2'.* right for 4, not for 1, 3") as told:
        export(module, args, tmp_path / "m.onnx", verify="bodies")
    assert len(told) == 1


def test_indices(tmp_path: Path) -> None:
    """An index of the example that a smaller batch does not have says nothing about the module."""
    for function in (lambda x, i: x[i], lambda x, i: x.index_select(0, i)):
        module = Applied(lambda x, i, function=function: functional.elu(function(x, i)))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            export(module, (rows(4), torch.tensor([3, 1])), tmp_path / "m.onnx", verify="bodies")
    with pytest.warns(UserWarning, match="from 4 up, tried and right for 4, 5, not for 1, 2, 3"):
        export(Applied(lambda x: functional.elu(x[3])), rows(4), tmp_path / "m.onnx")


def test_indices_of_a_fixed_table(tmp_path: Path) -> None:
    """Where indices hide small sizes, a larger one is tried."""
    module = Applied(lambda x, i: functional.elu(x[i]) + (1.0 if x.shape[0] % 2 else 0.0))
    with pytest.warns(UserWarning, match="right for 4, not for 5"):
        export(module, (rows(4), torch.tensor([3])), tmp_path / "m.onnx", verify="bodies")


class Remembering(nn.Module):
    """Keeps what it made for the last batch, counts its runs, and makes a part when it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.mask: torch.Tensor | None = None
        self.table: dict[int, torch.Tensor] = {}
        self.history: list[torch.Tensor] = []
        self.seen: set[int] = set()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Uses what it keeps."""
        if self.mask is None or self.mask.shape[0] != x.shape[0]:
            self.mask = torch.ones(x.shape[0], 1, dtype=x.dtype)
        self.table.setdefault(x.shape[1], torch.ones(x.shape[1], dtype=x.dtype))
        self.history.append(x)
        self.seen.add(x.shape[1])
        self.part = nn.ELU()
        return self.part(x) * self.mask * self.table[x.shape[1]]


@pytest.mark.parametrize("verify", ["bodies", False])
def test_memory(verify: Any, tmp_path: Path) -> None:
    """What a module keeps from a run fixes no batch, and is not there afterwards."""
    module, x = Remembering(), torch.randn(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export(module, x, tmp_path / "m.onnx", verify=verify)
    assert shapes(tmp_path / "m.onnx") == [["batch", 3]]
    assert module.mask is None
    assert [module.table, module.history, module.seen] == [{}, [], set()]
    assert not list(module.children())
    module.table = {3: torch.zeros(3), 4: torch.zeros(4)}
    before = dict(module.table)
    export(module, x, tmp_path / "m.onnx", verify=verify)
    assert list(map(id, module.table.values())) == list(map(id, before.values()))


def test_weights_of_a_recurrent_network(tmp_path: Path) -> None:
    """The list of weights that LSTM keeps holds its parameters afterwards."""
    lstm = nn.LSTM(6, 4, batch_first=True)
    export(lstm, rows(2), tmp_path / "m.onnx", verify="bodies")
    pairs = zip(lstm._flat_weights, lstm.parameters(), strict=True)
    assert all(kept is parameter for kept, parameter in pairs)
