"""Conversion to another element type, and inputs and outputs that stay float32."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from torch import nn

from onnx_acts import export, session
from onnx_acts.exporting.io_types import with_float32_io
from tests.exporting.networks import Dense, Small

X = torch.randn(2, 2, 4, 4)


def io_types(path: Path) -> list[int]:
    """The element types of inputs and outputs."""
    graph = onnx.load(path).graph
    return [item.type.tensor_type.elem_type for item in (*graph.input, *graph.output)]


@pytest.mark.slow
def test_float16(tmp_path: Path) -> None:
    """A copy is converted: the caller's module and inputs stay as they were."""
    module = Small().eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    result = export(module, X, tmp_path / "m.onnx", dtype="float16")
    assert io_types(tmp_path / "m.onnx") == [TensorProto.FLOAT16] * 2
    assert {error.runtime for error in result.errors} == {"bodies", "library"}
    after = module.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert X.dtype == torch.float32


def test_keep_io_types(tmp_path: Path) -> None:
    """The names stay, the types are float32, and the values are those of the 16-bit network."""
    path, module = tmp_path / "m.onnx", Small().eval()
    names: dict[str, Any] = {"input_names": ["x"], "output_names": ["y"]}
    export(module, X, path, dtype=torch.float16, keep_io_types=True, **names)
    assert io_types(path) == [TensorProto.FLOAT] * 2
    (got,) = session(path).run(["y"], {"x": X.numpy()})
    expected = module.half()(X.half()).float()
    torch.testing.assert_close(torch.from_numpy(got), expected, rtol=4e-3, atol=2e-3)
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert kinds[0] == kinds[-1] == "Cast"


@pytest.mark.slow
def test_exact_activations(tmp_path: Path) -> None:
    """An activation computes in float32 and rounds once, for every number but the largest."""
    path = tmp_path / "m.onnx"
    every = torch.arange(2**16, dtype=torch.int32).to(torch.uint16).view(torch.float16)
    x = every[every.abs() < torch.finfo(torch.float16).max]
    export(nn.ELU(0.3).eval(), x, path, dtype="float16", keep_io_types=True)
    want = nn.functional.elu(x.double(), 0.3).half()
    (got,) = session(path).run(None, {"input": x.float().numpy()})
    ours = torch.from_numpy(got).half()
    step = torch.from_numpy(np.abs(np.spacing(want.numpy())))
    assert ((ours - want).abs() <= step).all()
    assert (ours == want).float().mean() > 0.999


@pytest.mark.slow
def test_bfloat16(tmp_path: Path) -> None:
    """bfloat16 where ONNX Runtime has kernels: elementwise networks, also with float32 outside."""
    path = tmp_path / "m.onnx"
    module = nn.Sequential(nn.PReLU(), nn.ELU(0.7)).eval()
    result = export(module, X, path, dtype="bfloat16", keep_io_types=True)
    assert result.verification == "passed"
    assert io_types(path) == [TensorProto.FLOAT] * 2


@pytest.mark.slow
def test_nothing_to_keep(tmp_path: Path) -> None:
    """A float32 network has no casts."""
    with pytest.warns(UserWarning, match="changes nothing: no input or output has 16 bits"):
        export(nn.ELU().eval(), X, tmp_path / "m.onnx", keep_io_types=True)
    assert [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node] == ["ELU"]


def test_passed_through() -> None:
    """An input that is an output too is cast twice, and subgraphs see the value inside."""
    text = """<ir_version: 8, opset_import: ["" : 18]>
    g (float16[2] x, bool c) => (float16[2] y, float16[2] z) {
        z = If (c) <
            then_branch = a () => (float16[2] p) { p = Identity (x) },
            else_branch = b () => (float16[2] q) { q = Neg (x) }>
        y = Identity (x)
    }"""
    model = with_float32_io(onnx.parser.parse_model(text))
    onnx.checker.check_model(model, full_check=True)
    x = np.array([1.5, -2], np.float32)
    y, z = session(model).run(None, {"x": x, "c": np.array(False)})
    assert y.tolist() == [1.5, -2]
    assert z.tolist() == [-1.5, 2]


def test_refused(tmp_path: Path) -> None:
    """Other types, captured programs, and modules that cannot be copied."""
    with pytest.raises(ValueError, match=r"dtype must be one of float16, .*, got 'int8'"):
        export(Small().eval(), X, tmp_path / "m.onnx", dtype="int8")
    module = Dense().eval()
    program = torch.export.export(module, (torch.randn(2, 3),))
    with pytest.raises(ValueError, match=r"has its element type: leave dtype \(--dtype\) out"):
        export(program, (), tmp_path / "m.onnx", dtype="float16")
    module.lock = threading.Lock()  # type: ignore[assignment]  # no copy can be made of it
    with pytest.raises(ValueError, match=r"cannot be copied .*\.to\(torch\.float16\)"):
        export(module, torch.randn(2, 3), tmp_path / "m.onnx", dtype="float16")
    assert not list(tmp_path.iterdir())
