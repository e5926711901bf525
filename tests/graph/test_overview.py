"""What is in a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import onnx.parser
import pytest

from onnx_acts.graph import accelerate, overview
from onnx_acts.graph.overview import Activation
from tests.graph.models import parsed


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The native library, which says what it is told to; without CUDA."""
    said: dict[str, object] = {"isa": "v2", "cuda": False, "cuda_error": "cudaErrorNoDevice (x)"}
    monkeypatch.setattr(overview, "library_info", lambda: said)
    return said


def model() -> onnx.ModelProto:
    """An Elu that becomes ELU, and two Relu."""
    return parsed("a = Relu (x) b = Elu (a) y = Relu (b)")


def test_kinds() -> None:
    """Nodes are counted by operator and element type; standard ones need no body and no library."""
    seen = overview.overview(model())
    assert seen.opsets == {"ai.onnx": 20}
    assert seen.activations == [Activation("Elu", "float32", 1), Activation("Relu", "float32", 2)]
    assert seen.report.replaced == {"Elu -> ELU": 1}
    assert [left.form for left in seen.report.left] == ["Relu"]
    assert not overview.overview(parsed("y = Sin (x)")).activations


def test_bodies_and_places() -> None:
    """Bodies are there or not; each node of ours runs natively or has a reason why not."""
    made = accelerate(model())
    gpu = "there is no NVIDIA GPU here"
    wanted = Activation("onnx_acts::ELU", "float32", 1, body="present", no_cpu="", no_cuda=gpu)
    assert wanted in overview.overview(made).activations
    del made.functions[:]
    seen = overview.overview(made)
    assert seen.activations[-1].body == "missing"
    assert seen.report.replaced == {"new body of ELU": 1}


def test_cuda(library: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA takes the library's kernels and ONNX Runtime's provider."""
    library["cuda"] = True
    (seen,) = overview.overview(parsed("y = onnx_acts.ELU (x)")).activations
    assert "build without CUDA" in str(seen.no_cuda)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CUDAExecutionProvider"])
    (seen,) = overview.overview(parsed("y = onnx_acts.ELU (x)")).activations
    assert (seen.no_cpu, seen.no_cuda) == ("", "")


@pytest.mark.parametrize("key", ["error", "isa_error"])
def test_unusable_library(library: dict[str, object], key: str) -> None:
    """Without the library nothing runs natively anywhere."""
    library[key] = "it is gone"
    (seen,) = overview.overview(parsed("y = onnx_acts.ELU (x)")).activations
    assert (seen.no_cpu, seen.no_cuda) == ("it is gone", "it is gone")


def test_types() -> None:
    """Unknown types and integers have no native operator; in a function they are the caller's."""
    text = (
        '<ir_version: 9, opset_import: ["": 20, "onnx_acts": 1, "own": 1]>'
        " g (int32[N] i) => (y) { a = own.Made () b = onnx_acts.ELU (a) c = Relu (i)"
        " d = onnx_acts.ReLU (i) y = own.f (b) }"
        '<domain: "own", opset_import: ["": 20, "onnx_acts": 1]> f (x) => (y)'
        " { y = onnx_acts.ELU (x) }"
    )
    seen = overview.overview(onnx.parser.parse_model(text)).activations
    found = {(item.operator, item.element_type): item.no_cpu for item in seen}
    assert found == {
        ("Relu", "int32"): None,
        ("onnx_acts::ELU", "of caller"): "",
        ("onnx_acts::ELU", "unknown"): "its element type is unknown",
        ("onnx_acts::ReLU", "int32"): "there is none for int32",
    }


def test_model_that_accelerate_refuses(tmp_path: Path) -> None:
    """What is there is told all the same."""
    path = tmp_path / "old.onnx"
    onnx.save(parsed("y = Elu (x)", opset=8), path)
    seen = overview.overview(path)
    assert seen.activations == [Activation("Elu", "float32", 1)]
    assert "opset 8" in seen.refusal


BAD = [
    ("GELU", {}, "unknown operator 'GELU'"),
    ("RReLU", {"lower": 0.5, "upper": 0.2}, "lower"),
    ("RReLU", {"lower": float("nan")}, "lower"),
    ("ELU", {"alpha": [1, 2]}, "attribute alpha is INTS"),
]


@pytest.mark.parametrize(("operator", "attributes", "reason"), BAD)
def test_nodes_that_no_session_takes(
    operator: str, attributes: dict[str, Any], reason: str
) -> None:
    """A node that the library has not, or refuses, runs nowhere."""
    found = model()
    node = onnx.helper.make_node(operator, ["b"], ["y"], domain="onnx_acts", **attributes)
    found.graph.node[2].CopyFrom(node)
    (ours,) = [item for item in overview.overview(found).activations if item.body is not None]
    assert reason in str(ours.no_cpu)
    assert reason in str(ours.no_cuda)


def test_attribute_that_the_library_does_not_know() -> None:
    """It ignores such an attribute, so the node runs."""
    found = model()
    node = onnx.helper.make_node("ELU", ["b"], ["y"], domain="onnx_acts", beta=1.0)
    found.graph.node[2].CopyFrom(node)
    (ours,) = [item for item in overview.overview(found).activations if item.body is not None]
    assert ours.no_cpu == ""
