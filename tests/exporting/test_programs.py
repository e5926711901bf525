"""Programs of torch.export, their files and their modules."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import nn
from torch.export import Dim, ExportedProgram
from torch.nn import functional

from onnx_acts.exporting import export
from onnx_acts.exporting.subjects import check_program
from onnx_acts.exporting.verification import run_model
from tests.exporting.networks import Applied
from tests.exporting.test_export import shapes

pytestmark = pytest.mark.slow

X = torch.randn(2, 3, generator=torch.Generator().manual_seed(2))
ACTS = {"RReLU": 1, "ELU": 1, "PReLU": 1}


def network() -> nn.Module:
    """A network with three activations of the package's."""
    torch.manual_seed(4)
    return nn.Sequential(
        nn.Linear(3, 3), nn.RReLU(0.1, 0.4, inplace=True), nn.ELU(0.3, inplace=True), nn.PReLU(3)
    )


def program(**options: Any) -> ExportedProgram:
    """The network as a program of the inference mode."""
    return torch.export.export(network().eval(), (X,), **options)


def same(path: Path, x: torch.Tensor) -> None:
    """Requires that a file computes what the network does."""
    (got,) = run_model(path, [x], accelerated=False)
    torch.testing.assert_close(got, network().eval()(x))


def test_program(tmp_path: Path) -> None:
    """A program is exported with its own shapes, verified, on the inputs that it was made with."""
    path = tmp_path / "m.onnx"
    for args in ((X,), ()):
        result = export(program(), args, path)
        assert result.verification == "passed"
        assert result.node_counts == ACTS
        assert {error.runtime for error in result.errors} == {"bodies", "library"}
        assert shapes(path) == [[2, 3]]
        same(path, X)


def test_shapes_of_a_program(tmp_path: Path) -> None:
    """The program's free batch stays free, without a warning of the limits that it was given."""
    limited = program(dynamic_shapes=({0: Dim("n", min=2, max=64)},))
    export(limited, (X,), tmp_path / "m.onnx", verify="bodies")
    assert shapes(tmp_path / "m.onnx") == [["batch", 3]]
    same(tmp_path / "m.onnx", torch.randn(7, 3))
    others: tuple[Any, ...] = ({}, ({0: Dim.AUTO},))
    for given in others:
        with pytest.raises(ValueError, match="keeps the shapes that it was captured with"):
            export(limited, (X,), tmp_path / "n.onnx", dynamic_shapes=given)
    with pytest.raises(ValueError, match=r"cannot run on these inputs.*float32 \(65, 3\)"):
        export(limited, (torch.zeros(65, 3),), tmp_path / "n.onnx")


@pytest.mark.filterwarnings("ignore:`isinstance:FutureWarning")
def test_decomposed_program(tmp_path: Path) -> None:
    """A program after `run_decompositions` has RReLU in another form, and PReLU in parts."""
    result = export(program().run_decompositions(), (X,), tmp_path / "m.onnx")
    assert (result.verification, result.node_counts) == ("passed", {"RReLU": 1, "ELU": 1})
    same(tmp_path / "m.onnx", X)


def test_file(tmp_path: Path) -> None:
    """A .pt2 file is loaded; others are refused, damaged ones without torch's tracebacks."""
    torch.export.save(program(), tmp_path / "m.pt2")
    result = export(str(tmp_path / "m.pt2"), (X,), tmp_path / "m.onnx", verify="bodies")
    assert result.verification == "passed"
    same(tmp_path / "m.onnx", X)
    (tmp_path / "bad.pt2").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match="cannot be loaded as an exported program: BadZipFile"):
        export(tmp_path / "bad.pt2", (X,), tmp_path / "m.onnx")
    with pytest.raises(ValueError, match=r"w.pt is no .pt2 file of torch.export.save"):
        export(tmp_path / "w.pt", (X,), tmp_path / "m.onnx")
    with pytest.raises(FileNotFoundError, match="there is no program at"):
        export(tmp_path / "none.pt2", (X,), tmp_path / "m.onnx")


def test_module_of_a_program(tmp_path: Path) -> None:
    """A module that refuses eval() and train() is exported, alone and inside another one."""
    inner = program(dynamic_shapes=({0: Dim.AUTO},)).module()
    outer = nn.Sequential(nn.Identity(), inner)
    for module in (inner, outer):
        flags = [part.training for part in module.modules()]
        result = export(module, (X,), tmp_path / "m.onnx")
        assert (result.verification, result.node_counts) == ("passed", ACTS)
        assert [part.training for part in module.modules()] == flags
        same(tmp_path / "m.onnx", X)


def test_order_of_keywords(tmp_path: Path) -> None:
    """Arguments by keyword come in the order of the signature, however they are given."""

    class Keywords(nn.Module):
        def forward(self, x: torch.Tensor, *, b: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
            return functional.elu(x) + 2 * b - a

    made = torch.export.export(Keywords(), (X,), {"b": X, "a": X + 1})
    for source in (made, Keywords()):
        path = tmp_path / "m.onnx"
        export(source, (X,), path, kwargs={"a": X + 1, "b": X}, verify="bodies")
        assert [value.name for value in onnx.load(path).graph.input] == ["x", "b", "a"]


def test_order_of_a_dictionary(tmp_path: Path) -> None:
    """A dictionary may have another order than that of the capture."""
    module = Applied(lambda pair: functional.elu(pair["a"]) - 2 * pair["b"])
    made = torch.export.export(module, ({"a": X, "b": X + 1},))
    args = ({"b": X + 2, "a": X + 3},)
    assert export(made, args, tmp_path / "m.onnx", verify="bodies").verification == "passed"
    (got,) = run_model(tmp_path / "m.onnx", [args[0]["a"], args[0]["b"]], accelerated=False)
    torch.testing.assert_close(got, module(*args))
    with pytest.raises(ValueError, match="cannot run on these inputs"):
        export(made, ({"a": X},), tmp_path / "n.onnx", verify="bodies")


@pytest.mark.filterwarnings("ignore:`isinstance:FutureWarning")
@pytest.mark.parametrize("is_decomposed", [False, True])
def test_program_that_draws(is_decomposed: bool, tmp_path: Path) -> None:
    """RReLU that was captured in training mode draws if that is wanted."""
    made = torch.export.export(nn.Sequential(nn.Linear(3, 3), nn.RReLU()).train(), (X,))
    if is_decomposed:
        made = made.run_decompositions()
    with pytest.raises(ValueError, match=r"captured in training mode.*its rrelu.*training=True"):
        export(made, (X,), tmp_path / "m.onnx")
    result = export(made, (X,), tmp_path / "m.onnx", training=True)
    assert result.verification.startswith("passed with mean slopes")


TRAINED: dict[str, nn.Module] = {
    "dropout": nn.Dropout(),
    "alpha_dropout": nn.AlphaDropout(),
    "batch_norm": nn.BatchNorm1d(3),
    "instance_norm": nn.InstanceNorm1d(3, track_running_stats=True),
}


@pytest.mark.parametrize("name", TRAINED)
def test_training_mode(name: str) -> None:
    """A program keeps the mode of its capture, which only the inference mode is right for."""
    x = torch.randn(2, 3, 4)
    check_program(torch.export.export(TRAINED[name].eval(), (x,)), None, training=False)
    made = torch.export.export(TRAINED[name].train(), (x,))
    with pytest.raises(ValueError, match=rf"captured in training mode.*its {name} stays.*eval\(\)"):
        check_program(made, None, training=True)


FORMS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "of the input alone": nn.InstanceNorm1d(3).eval(),
    "no statistics": nn.BatchNorm1d(3, track_running_stats=False).eval(),
    "off": lambda x: functional.dropout(x, training=False),
}


@pytest.mark.parametrize("name", FORMS)
def test_no_training_mode(name: str) -> None:
    """What looks like the training mode and is none."""
    made = torch.export.export(Applied(FORMS[name]), (torch.randn(2, 3, 4),))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_program(made, None, training=False)
