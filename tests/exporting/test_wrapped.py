"""Modules in wrappers, and arguments that torch's exporter takes in ways of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import nn
from torch.nn import functional

from onnx_acts.exporting import export
from onnx_acts.exporting.arguments import one_by_one, settled
from onnx_acts.exporting.subjects import subject_of
from onnx_acts.exporting.verification import run_model
from tests.exporting.networks import Applied, compile_module
from tests.exporting.test_export import shapes

pytestmark = pytest.mark.slow

X = torch.randn(2, 3, generator=torch.Generator().manual_seed(6))


def dense() -> nn.Module:
    """A small network."""
    torch.manual_seed(8)
    return nn.Sequential(nn.Linear(3, 4), nn.ELU(0.2), nn.Linear(4, 2)).eval()


def compiled_in_place() -> nn.Module:
    """A network after `module.compile()`."""
    module = dense()
    module.compile()
    return module


WRAPPED: dict[str, Callable[[], nn.Module]] = {
    "DataParallel": lambda: nn.DataParallel(dense()),
    "compiled": lambda: compile_module(dense()),
    "compiled DataParallel": lambda: nn.DataParallel(compile_module(dense())),
    "compiled inside": lambda: nn.Sequential(compile_module(dense()), nn.Identity()).eval(),
    "compiled in place": compiled_in_place,
    "a compiled function": lambda: Applied(torch.compile(dense())),
}


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize("name", WRAPPED)
def test_wrapped(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module inside is exported, nothing is compiled, and the wrapper stays."""
    module = WRAPPED[name]()
    monkeypatch.setattr(torch._dynamo.convert_frame, "compile_inner", pytest.fail, raising=False)
    monkeypatch.setattr("torch._inductor.compile_fx.compile_fx", pytest.fail)
    before = [(key, id(part), part.training) for key, part in module.named_modules()]
    compiled = module._compiled_call_impl
    result = export(module, (X,), tmp_path / "m.onnx")
    assert result.verification == "passed"
    assert [(key, id(part), part.training) for key, part in module.named_modules()] == before
    assert module._compiled_call_impl is compiled
    assert shapes(tmp_path / "m.onnx") == [["batch", 3]]
    (got,) = run_model(tmp_path / "m.onnx", [torch.ones(5, 3)], accelerated=False)
    torch.testing.assert_close(got, dense()(torch.ones(5, 3)))


def test_names_of_a_wrapped_module(tmp_path: Path) -> None:
    """The initializers have the names of the module inside."""
    export(nn.DataParallel(compile_module(dense())), (X,), tmp_path / "m.onnx", verify="bodies")
    names = {item.name for item in onnx.load(tmp_path / "m.onnx").graph.initializer}
    assert {"0.weight", "2.bias"} <= names


class Varied(nn.Module):
    """Every kind of parameter."""

    def forward(
        self,
        x: torch.Tensor,
        *more: torch.Tensor,
        scale: float = 1.0,
        z: torch.Tensor | None = None,
        **rest: Any,
    ) -> torch.Tensor:
        """A sum that tells every argument from the others."""
        y = functional.elu(x) * scale
        for i, item in enumerate(more):
            y = y + (i + 2) * item
        y = y if z is None else y - 5 * z
        return y + 7 * rest["p"] - 11 * rest["q"]["inner"]


CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "keywords": ((X,), {"p": X + 1, "q": {"inner": X * 2}}),
    "other order": ((X,), {"q": {"inner": X * 2}, "p": X + 1}),
    "positional": ((X, X * 3, X - 1), {"q": {"inner": X * 2}, "z": X / 2, "p": X + 1}),
    "all by name": ((), {"q": {"inner": X * 2}, "x": X, "scale": 0.5, "p": X + 1}),
}


@pytest.mark.parametrize("name", CALLS)
def test_open_arguments(name: str, tmp_path: Path) -> None:
    """*args and **kwargs have a free batch; the module keeps its `forward`."""
    args, kwargs = CALLS[name]
    module = Varied()
    export(module, args, tmp_path / "m.onnx", kwargs=kwargs)
    assert "forward" not in vars(module)
    assert all(shape == ["batch", 3] for shape in shapes(tmp_path / "m.onnx"))
    inputs = [value.name for value in onnx.load(tmp_path / "m.onnx").graph.input]
    assert len(inputs) == len(args) + sum(name != "scale" for name in kwargs)
    assert {"p", "q_inner"} <= set(inputs)


def test_shapes_for_open_arguments(tmp_path: Path) -> None:
    """The caller's shapes for *args and **kwargs, by the names of the signature or in its order."""
    args, kwargs = CALLS["positional"]
    free: Any = {0: "rows"}
    rest = {"q": {"inner": free}, "p": free}
    named = {"x": free, "more": (free, free), "z": free, "rest": rest}
    for given in (named, tuple(named.values())):
        export(Varied(), args, tmp_path / "m.onnx", kwargs=kwargs, dynamic_shapes=given)
        assert {shape[0] for shape in shapes(tmp_path / "m.onnx")} == {"rows"}


def test_own_forward_comes_back() -> None:
    """A `forward` that was set on the module itself is there again afterwards."""
    module = Varied()
    own = module.forward
    module.forward = own  # type: ignore[method-assign]  # the point of the test
    with one_by_one(module, *CALLS["keywords"], {"x": None}):
        assert module.forward is not own
    assert vars(module)["forward"] is own


class Masked(nn.Module):
    """A dictionary as the last argument."""

    def forward(self, x: torch.Tensor, extra: dict[str, torch.Tensor]) -> torch.Tensor:
        """Uses both entries."""
        return functional.elu(x) * extra["b"] - extra["a"]


class Keywords(nn.Module):
    """A tensor by keyword only."""

    def forward(self, x: torch.Tensor, *, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Uses the mask."""
        return functional.elu(x) if mask is None else functional.elu(x) * mask


@pytest.mark.parametrize("shape", [None, {}])
def test_dictionary_at_the_end(shape: Any, tmp_path: Path) -> None:
    """A dictionary is an argument; where it can be keyword arguments only, it is these."""
    pair = {"b": X, "a": X + 1}
    for module, args, count in (
        (Masked(), (X, pair), 3),
        (Masked(), (X, pair, {}), 3),  # torch's way to say so
        (Applied(lambda pair: Masked()(pair["b"], pair)), (pair,), 2),
        (Keywords(), (X, {"mask": X}), 2),
    ):
        result = export(module, args, tmp_path / "m.onnx", dynamic_shapes=shape, verify="bodies")
        assert result.verification == "passed"
        assert len(shapes(tmp_path / "m.onnx")) == count


def test_settled() -> None:
    """Which arguments a dictionary becomes."""
    pair = {"b": X, "a": X}
    assert settled(Masked(), (X, pair), {}) == ((X, pair), {})
    assert settled(Keywords(), (X, {"mask": X}), {}) == ((X,), {"mask": X})
    assert settled(Keywords(), [X], {}) == ((X,), {})


def test_subjects() -> None:
    """Wrappers in wrappers are looked through; what is no module is named."""
    module = dense()
    wrapped = compile_module(nn.DataParallel(compile_module(module)))
    assert subject_of(wrapped).module is module
    with pytest.raises(TypeError, match=r"must be a torch.nn.Module or .*ExportedProgram, got int"):
        subject_of(3)


@dataclasses.dataclass
class Pair:
    """A class that torch knows, with a tensor and something else."""

    a: torch.Tensor
    b: int | None = None


torch.export.register_dataclass(Pair)


class Open(nn.Module):
    """Keyword arguments of any name."""

    def forward(self, x: torch.Tensor, /, *more: torch.Tensor, **rest: Any) -> torch.Tensor:
        """Uses all."""
        y = functional.elu(x) + sum(more)
        for i, item in enumerate(rest.values()):
            y = y + (i + 2) * (item.a if isinstance(item, Pair) else item)
        return y


REGISTERED: dict[str, tuple[nn.Module, tuple[Any, ...], dict[str, Any]]] = {
    "last": (Applied(lambda x, y: functional.elu(x) * y.a), (X, Pair(X + 1)), {}),
    "inside": (Applied(lambda x, y: functional.elu(x) * y["k"].a), (X, {"k": Pair(X + 1)}), {}),
    "keyword": (Open(), (X,), {"y": Pair(X + 1)}),
}


@pytest.mark.parametrize("name", REGISTERED)
def test_registered_class(name: str, tmp_path: Path) -> None:
    """A class that is registered with torch has a free batch too."""
    module, args, kwargs = REGISTERED[name]
    export(module, args, tmp_path / "m.onnx", kwargs=kwargs, verify="bodies")
    assert shapes(tmp_path / "m.onnx") == [["batch", 3]] * 2


def test_keywords_with_names_that_are_taken(tmp_path: Path) -> None:
    """A keyword argument may be called as another argument is, or as one of *args would be."""
    rest = {"x": X + 1, "more_0": X + 2}
    export(Open(), (X, X + 3), tmp_path / "m.onnx", kwargs=rest, verify="bodies")
    assert shapes(tmp_path / "m.onnx") == [["batch", 3]] * 4
