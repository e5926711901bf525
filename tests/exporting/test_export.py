"""What `export` leaves behind: the file, its metadata, the module, and its shapes."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import models
from models import evaluate
from onnx_acts.definition.specs import DEFAULT_OPS
from onnx_acts.exporting import VerificationError, export, metadata, pipeline, verification
from onnx_acts.exporting.eager import run_module
from onnx_acts.exporting.options import Style
from onnx_acts.exporting.verification import run_model
from tests.exporting.networks import Applied, Small, small

X = torch.randn(2, 2, 4, 4, generator=torch.Generator().manual_seed(3))


def shapes(path: Path) -> list[list[int | str]]:
    """The shapes of the graph's inputs."""
    return [
        [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in onnx.load(path).graph.input
    ]


def test_metadata(tmp_path: Path) -> None:
    """The file says who made it, how, and how far it is from PyTorch."""
    result = export(small().eval(), X, tmp_path / "m.onnx", verify="bodies")
    model = onnx.load(tmp_path / "m.onnx")
    found = {item.key: item.value for item in model.metadata_props}
    assert model.producer_name == "onnx-acts"
    assert found["onnx_acts.version"] == model.producer_version != ""
    assert found["onnx_acts.torch"] == torch.__version__
    assert found["onnx_acts.onnx"] == onnx.__version__
    assert (found["onnx_acts.style"], found["onnx_acts.ops"]) == ("acts", ",".join(DEFAULT_OPS))
    record = json.loads(found["onnx_acts.verification"])
    assert record["status"] == result.verification == "passed"
    assert record["outputs"] == [vars(error) for error in result.errors]
    (error,) = result.errors
    assert (error.output, error.runtime) == (model.graph.output[0].name, "bodies")
    assert 0 <= error.max_abs <= error.tolerance < 1e-4
    assert result.node_counts == {"ELU": 1, "PReLU": 1}
    assert result.path == tmp_path / "m.onnx"


def test_no_paths_of_this_machine(tmp_path: Path) -> None:
    """Stack traces with file names, which torch writes into the nodes, are removed."""
    export(small().eval(), X, tmp_path / "m.onnx", verify=False)
    assert __file__.encode() not in (tmp_path / "m.onnx").read_bytes()
    assert Path(nn.__file__).parent.as_posix().encode() not in (tmp_path / "m.onnx").read_bytes()


def aliased(layer: nn.Module) -> nn.Module:
    """A module that is registered under two names, tied besides to a third of its own."""
    other = nn.Linear(6, 6)
    if isinstance(layer, nn.Linear):
        other.weight = layer.weight
    return nn.Sequential(nn.Linear(6, 6), layer, other, layer).eval()


@pytest.mark.parametrize("layer", [nn.PReLU, lambda: nn.Linear(6, 6), lambda: nn.BatchNorm1d(6)])
def test_aliased_submodules_stay(layer: Callable[[], nn.Module], tmp_path: Path) -> None:
    """A submodule under several names keeps its very tensors, so that a second export works."""
    module, x = aliased(layer()), torch.randn(2, 6)
    before = {n: (id(t), t.dtype) for n, t in module.state_dict(keep_vars=True).items()}
    want = module(x)
    for _ in range(2):
        export(module, (x,), tmp_path / "aliased.onnx")
    after = {n: (id(t), t.dtype) for n, t in module.state_dict(keep_vars=True).items()}
    assert after == before
    assert torch.equal(module(x), want)


def test_same_file_twice(tmp_path: Path) -> None:
    """Exporting is deterministic."""
    module = small().eval()
    for name in ("a.onnx", "b.onnx"):
        export(module, X, tmp_path / name, verify=False)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_module_and_arguments_stay(tmp_path: Path) -> None:
    """A module in training mode is exported as in evaluation, and nothing of it is changed."""
    inner = Small()
    module = nn.Sequential(nn.ELU(inplace=True), inner)
    inner.head.eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    flags = [part.training for part in module.modules()]
    x = X.clone()
    result = export(module, x, tmp_path / "m.onnx")
    assert result.verification == "passed"
    assert flags == [part.training for part in module.modules()]
    assert torch.equal(x, X)
    after = module.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    got = run_model(tmp_path / "m.onnx", [X], accelerated=False)[0]
    torch.testing.assert_close(got, module.eval()(X.clone()))


@pytest.mark.parametrize("batch", [1, 3])
def test_dynamic_batch(batch: int, tmp_path: Path) -> None:
    """The batch is dynamic whatever the example's size, 1 included."""
    module = small().eval()
    export(module, X[:1].repeat(batch, 1, 1, 1), tmp_path / "m.onnx", verify="bodies")
    assert shapes(tmp_path / "m.onnx") == [["batch", 2, 4, 4]]
    output = onnx.load(tmp_path / "m.onnx").graph.output[0]
    assert output.type.tensor_type.shape.dim[0].dim_param == "batch"
    more = X.repeat(3, 1, 1, 1)
    got = run_model(tmp_path / "m.onnx", [more], accelerated=False)[0]
    torch.testing.assert_close(got, module(more))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: nn.functional.elu(x.reshape(4, 2)),
        lambda x: [nn.functional.elu(row) for row in x],
        lambda x: nn.functional.elu(x + torch.ones(2, 4)),
    ],
)
def test_fixed_batch_is_told(function: Callable[..., object], tmp_path: Path) -> None:
    """Where the module works for one batch size, the caller is warned and the file says so."""
    with pytest.warns(UserWarning, match="fixes its first dimension to 2.*dynamic_shapes={}"):
        export(Applied(function).eval(), torch.randn(2, 4), tmp_path / "m.onnx", verify="bodies")
    assert shapes(tmp_path / "m.onnx") == [[2, 4]]


def test_limited_batch_is_told(tmp_path: Path) -> None:
    """Where the module's code chose a branch by the batch size, the caller is warned."""
    module = Applied(lambda x: nn.functional.elu(x) if x.shape[0] > 3 else x)
    with pytest.warns(UserWarning, match="limits its first dimension: from 4 up"):
        export(module.eval(), torch.randn(5, 4), tmp_path / "m.onnx", verify="bodies")
    assert shapes(tmp_path / "m.onnx") == [["batch", 4]]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [[2, 3]]),
        (({1: "width"},), [[2, "width"]]),
        (({0: torch.export.Dim("n")},), [["n", 3]]),
    ],
)
def test_shapes_of_the_caller(wanted: Any, found: list[Any], tmp_path: Path) -> None:
    """dynamic_shapes overrides the default."""
    export(
        nn.ELU().eval(),
        torch.randn(2, 3),
        tmp_path / "m.onnx",
        dynamic_shapes=wanted,
        verify="bodies",
    )
    assert shapes(tmp_path / "m.onnx") == found


class Pair(nn.Module):
    """Two inputs with batches of their own, one by keyword, and one that is no tensor."""

    def forward(
        self, x: torch.Tensor, count: int, *, pair: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns ELU of both."""
        return nn.functional.elu(x) * count, nn.functional.elu(pair["y"] + pair["z"])


def test_nested_keyword_inputs(tmp_path: Path) -> None:
    """Inputs in dictionaries and by keyword; dimensions that are independent get other names."""
    y, z = torch.randn(4, 3), torch.randn(4, 3)
    result = export(
        Pair(),
        (torch.randn(2, 3), 2),
        tmp_path / "m.onnx",
        kwargs={"pair": {"y": y, "z": z}},
        verify="bodies",
        output_names=["first", "second"],
    )
    assert result.verification == "passed"
    first, second, third = shapes(tmp_path / "m.onnx")
    assert first == ["batch", 3]
    assert second == third
    assert str(second[0]).endswith("_batch")
    assert [error.output for error in result.errors] == ["first", "second"]


def test_existing_file_is_replaced(tmp_path: Path) -> None:
    """The old file is replaced; odd names work."""
    path = tmp_path / "Modèle für 模型 v1.onnx"
    path.write_bytes(b"old")
    export(nn.ELU().eval(), torch.randn(2, 3), path, verify="bodies")
    onnx.checker.check_model(onnx.load(path), full_check=True)
    assert list(tmp_path.iterdir()) == [path]


def test_large_models_are_verified_as_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model above the limit is verified from a temporary file, which is gone afterwards."""
    monkeypatch.setattr(pipeline, "_HEAVY", 0)
    monkeypatch.setattr(pipeline, "_LARGE", 0)
    seen: list[object] = []
    run = verification.run_model

    def watched(model: Any, *args: Any, **kwargs: Any) -> list[torch.Tensor]:
        seen.append(model.model)
        return run(model, *args, **kwargs)

    monkeypatch.setattr(verification, "run_model", watched)
    result = export(small().eval(), X, tmp_path / "m.onnx", verify="bodies")
    assert result.verification == "passed"
    assert all(isinstance(model, Path) and model.parent.parent == tmp_path for model in seen)
    assert list(tmp_path.iterdir()) == [tmp_path / "m.onnx"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, MemoryError])
def test_interrupted(
    fault: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C leaves the old file, no temporary files, and the module in its mode."""
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")
    module = small().train()

    def interrupt(*_: object) -> None:
        raise fault

    monkeypatch.setattr(verification, "expect_lazily", interrupt)
    with pytest.raises(fault):
        export(module, X, path)
    assert module.training
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_wrong_values_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference fails with output, runtime, place and values; the old file stays."""
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")
    run = verification.run_model

    def wrong(*args: Any, **kwargs: Any) -> list[torch.Tensor]:
        (y,) = run(*args, **kwargs)
        y[1, 2] += 0.5
        return [y]

    monkeypatch.setattr(verification, "run_model", wrong)
    message = r"output 'elu' \(bodies\) differs from PyTorch: at \[1, 2\] got .*, want .* ULP"
    with pytest.raises(VerificationError, match=message):
        export(nn.ELU().eval(), torch.zeros(2, 3), path)
    assert path.read_bytes() == b"old"


def test_training_draws_in_rrelu_alone(tmp_path: Path) -> None:
    """training=True exports batch normalisation in evaluation mode and compares its values."""
    module = nn.Sequential(nn.BatchNorm1d(3), nn.RReLU(0.2, 0.2), nn.Dropout()).train()
    module.get_buffer("0.running_mean").add_(5)
    path, x = tmp_path / "m.onnx", torch.randn(4, 3)
    result = export(module, x, path, training=True)
    assert result.verification.startswith("passed with mean slopes")
    assert {error.runtime for error in result.errors} == {"bodies", "library"}
    assert all(part.training for part in module.modules())
    got = run_model(path, [x], accelerated=False)[0]
    torch.testing.assert_close(got, module.eval()(x))


def test_training_sees_wrong_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference beside the draw is found, although the values of the file are random."""
    module = nn.Sequential(nn.BatchNorm1d(3), nn.RReLU()).train()
    wrong = nn.Sequential(nn.BatchNorm1d(3, eps=0.1), nn.RReLU()).eval()
    expect = verification.expect_lazily
    monkeypatch.setattr(verification, "expect_lazily", lambda _, *args: expect(wrong, *args))
    with pytest.raises(VerificationError):
        export(module, torch.randn(4, 3), tmp_path / "m.onnx", training=True)


def test_training_in_a_function(tmp_path: Path) -> None:
    """A function that asks for training mode itself draws, and the rest of it is compared."""
    module = Applied(
        lambda x: nn.functional.rrelu(x, training=True) + torch.rrelu(x, 0.1, 0.2, True)
    )
    result = export(module.eval(), torch.randn(4, 3), tmp_path / "m.onnx", training=True)
    assert result.verification.startswith("passed with mean slopes")


@pytest.mark.parametrize("name", ["lenet5_prelu", "resnet20_elu"])
def test_trained_16_bit_networks_pass(name: str, tmp_path: Path) -> None:
    """The noise of a real float16 network is no fault."""
    batch = next(evaluate.held_out(name, 32)).inputs
    module, x = models.load(name).half(), torch.from_numpy(batch).half()
    result = export(module, x, tmp_path / "m.onnx")
    assert result.verification == "passed"
    assert all(0 < error.share <= 1 for error in result.errors)


def test_empty_outputs(tmp_path: Path) -> None:
    """An example without elements proves nothing, and the status says so."""
    result = export(nn.ELU().eval(), torch.zeros(0, 3), tmp_path / "m.onnx", dynamic_shapes={})
    assert result.verification == "nothing compared: every output is empty or NaN"
    nan = torch.full((2, 3), torch.nan)
    result = export(nn.ELU().eval(), nan, tmp_path / "m.onnx", verify="bodies")
    assert result.verification == "nothing compared: every output is empty or NaN"

    class Two(nn.Module):
        def forward(self, x: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return nn.functional.elu(x), nn.functional.elu(z)

    with pytest.warns(UserWarning, match="output 'second': nothing was compared"):
        export(
            Two(), (torch.ones(2, 3), nan), tmp_path / "m.onnx", verify="bodies",
            output_names=["first", "second"],
        )  # fmt: skip  # short arguments


def test_large_weights_stay_as_they_are(tmp_path: Path) -> None:
    """A module that writes to its weights while it runs is left as it was, at its old address."""

    class Growing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1024, 512))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if not torch.compiler.is_compiling():
                self.weight.data.mul_(2)
            return nn.functional.elu(x @ self.weight)

    module = Growing()
    weight, address = module.weight, module.weight.data_ptr()
    for _ in range(2):
        values = run_module(module, (torch.full((1, 1024), 2.0**-10),), {})
        assert torch.equal(values[0], torch.full((1, 512), 2.0))
    assert module.weight is weight
    assert weight.data_ptr() == address
    assert torch.equal(weight, torch.ones(1024, 512))
    # Memory that is not torch's own, as of NumPy arrays and of files mapped into memory.
    array = np.ones((1024, 512), np.float32)
    module.weight = nn.Parameter(torch.from_numpy(array))
    assert torch.equal(
        run_module(module, (torch.ones(1, 1024),), {})[0][0, 0], torch.tensor(2048.0)
    )
    assert (array == 1).all()
    module.weight.data.mul_(3)
    assert (array == 3).all()


@pytest.mark.parametrize(("opset", "version"), [(18, 8), (20, 9), (21, 10), (23, 11)])
@pytest.mark.parametrize("style", ["acts", "standard"])
def test_ir_version(style: Style, opset: int, version: int, tmp_path: Path) -> None:
    """The file format is the oldest one for the opset, so that old runtimes load the file."""
    path = tmp_path / "m.onnx"
    export(nn.ELU().eval(), torch.zeros(2, 3), path, style=style, opset=opset, verify="bodies")
    model = onnx.load(path)
    assert model.ir_version <= version
    onnx.checker.check_model(model, full_check=True)


@pytest.mark.parametrize("place", ["initializer", "value", "cast"])
def test_ir_version_of_new_types(place: str) -> None:
    """A model with a newer element type keeps the version that it has."""
    four_bits = onnx.TensorProto.INT4
    values = [onnx.helper.make_tensor_value_info(name, 1, [2]) for name in "xy"]
    node = onnx.helper.make_node("Cast", ["x"], ["y"], to=four_bits if place == "cast" else 1)
    graph = onnx.helper.make_graph([node], "g", values[:1], values[1:])
    if place == "initializer":
        graph.initializer.append(onnx.helper.make_tensor("w", four_bits, [2], [1, 2]))
    if place == "value":
        graph.value_info.append(onnx.helper.make_tensor_value_info("z", four_bits, [2]))
    opsets = [onnx.helper.make_opsetid("", 20)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)
    metadata.lower_ir_version(model)
    assert model.ir_version == 10


def test_threads(tmp_path: Path) -> None:
    """Several threads can export at the same time."""
    modules = [nn.Sequential(nn.Linear(3, 3), nn.ELU(0.1 * i)).eval() for i in (1, 2, 3)]
    x = torch.randn(2, 3)

    def work(i: int) -> str:
        return export(modules[i], x, tmp_path / f"{i}.onnx", verify="bodies").verification

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(work, range(3))) == ["passed"] * 3
    for i, module in enumerate(modules):
        (got,) = run_model(tmp_path / f"{i}.onnx", [x], accelerated=False)
        torch.testing.assert_close(got, module(x))


@pytest.mark.parametrize("verify", ["all", True])
def test_verified(verify: Any, tmp_path: Path) -> None:
    """The command line's word and True are the same: bodies and library."""
    result = export(nn.ELU().eval(), torch.zeros(2, 3), tmp_path / "m.onnx", verify=verify)
    assert [error.runtime for error in result.errors] == ["bodies", "library"]


@pytest.mark.parametrize("verify", ["none", False])
def test_unverified(verify: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line's word and False run nothing and say so."""
    monkeypatch.delattr(verification, "run_model")
    result = export(nn.ELU().eval(), torch.zeros(2, 3), tmp_path / "m.onnx", verify=verify)
    assert result.verification == "not verified: not asked for"
    assert result.errors == ()


def test_missing_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the comparison says how to leave it out; "standard" needs none."""
    monkeypatch.setenv("ONNX_ACTS_LIBRARY", str(tmp_path / "none.so"))
    module, x, path = nn.ELU().eval(), torch.zeros(2, 3), tmp_path / "m.onnx"
    with pytest.raises(FileNotFoundError, match=r"none.so.*verify='bodies'"):
        export(module, x, path)
    assert not path.exists()
    assert export(module, x, path, style="standard").verification == "passed"


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        ("missing/m.onnx", FileNotFoundError, "no folder"),
        ("", IsADirectoryError, "it is a directory"),
    ],
)
def test_bad_targets(target: str, kind: type[OSError], message: str, tmp_path: Path) -> None:
    """A place that cannot be written is refused before the work."""
    with pytest.raises(kind, match=message):
        export(Applied(pytest.fail), X, tmp_path / target)


def test_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only folder is refused; the superuser may write anywhere, so it is simulated."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match=r"m.onnx: the folder .* is read-only"):
        export(Applied(pytest.fail), X, tmp_path / "m.onnx")


def test_integers_stay_standard(tmp_path: Path) -> None:
    """ReLU of integers is the standard operator, even where ReLU is wanted."""
    embedding = nn.Embedding(5, 3)
    module = Applied(lambda i: (nn.functional.relu(i.int() - 2), nn.functional.relu(embedding(i))))
    module.embedding = embedding
    result = export(module.eval(), torch.arange(5), tmp_path / "m.onnx", ops=["ReLU"])
    assert result.node_counts == {"ReLU": 1}
    assert result.verification == "passed"


PROBE = """
import sys
import onnx_acts.exporting, onnx_acts.cli.export
assert not {"torch", "onnxscript", "safetensors"} & set(sys.modules)
for name in ("torch", "onnxscript", "safetensors"):
    sys.modules[name] = None
try:
    onnx_acts.exporting.export(None, (), "m.onnx")
except ImportError as error:
    print(error)
"""


def test_without_torch() -> None:
    """Importing the package needs no torch; exporting without it names the extra."""
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert 'pip install "onnx-acts[export]"' in done.stdout


def test_documented() -> None:
    """Every keyword argument is described."""
    text = inspect.getdoc(export) or ""
    assert all(f"    {name}: " in text for name in inspect.signature(export).parameters)
