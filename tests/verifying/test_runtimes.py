"""What runs the model of a verification: kernels, execution providers, bfloat16."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

import onnx_acts
from onnx_acts.definition.specs import DOMAIN
from onnx_acts.ort.provider import provider_error
from tests.cli.running import run
from tests.verifying.networks import deep


def small(kind: int, alpha: float, *, own: bool = False) -> onnx.ModelProto:
    """Cast, LeakyRelu or our node for it, and Cast."""
    operator, domain = ("LeakyReLU", DOMAIN) if own else ("LeakyRelu", "")
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=kind),
        helper.make_node(operator, ["h"], ["l"], domain=domain, alpha=alpha),
        helper.make_node("Cast", ["l"], ["y"], to=TensorProto.FLOAT),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "small",
        [value("x", TensorProto.FLOAT, ["N", 9])],
        [value("y", TensorProto.FLOAT, ["N", 9])],
    )
    opsets = [helper.make_opsetid("", 18), *([helper.make_opsetid(DOMAIN, 1)] if own else [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def test_bfloat16() -> None:
    """A model whose nodes compute in bfloat16, on our kernels, is verified and judged."""
    short, full = TensorProto.BFLOAT16, TensorProto.FLOAT
    got = small(short, 0.3, own=True)
    assert onnx_acts.verify(got, small(full, 0.3)).same
    assert onnx_acts.verify(got, got).same
    result = onnx_acts.verify(small(short, 0.301, own=True), small(full, 0.3))
    assert [cause.operator for cause in result.causes] == ["onnx_acts.LeakyReLU"]
    assert result.causes[0].reasons == ("alpha is 0.300999999 here, 0.300000012 in the reference",)


@pytest.mark.skipif(bool(provider_error()), reason=f"no provider: {provider_error()}")
def test_standard() -> None:
    """Standard nodes run on our kernels, as a whole and one by one; a fault in them is named."""
    want, got = deep(6), deep(6)
    result = onnx_acts.verify(got, want, kernels="standard", nodes=True)
    assert result.same
    assert result.kernels == "standard"
    (node,) = (node for node in got.graph.node if node.name == "act5")
    node.attribute[0].f = 0.7
    result = onnx_acts.verify(got, want, kernels="standard")
    assert [cause.name for cause in result.causes] == ["act5"]


def test_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The providers that are named run the model; one that is not there is one clear line."""
    monkeypatch.chdir(tmp_path)
    onnx.save(small(TensorProto.FLOAT, 0.3), "a.onnx")
    again = ["--provider", "CPUExecutionProvider"]
    assert run("verify", "a.onnx", "--against", "a.onnx", *again, "--json", "r.json") == 0
    assert '"CPUExecutionProvider"' in (tmp_path / "r.json").read_text()
    capsys.readouterr()
    with pytest.raises(ValueError, match="NoSuchProvider"):
        run("verify", "a.onnx", "--against", "a.onnx", "--provider", "NoSuchProvider")
    assert run("verify", "a.onnx", "--against", "a.onnx", "--standard") == 0
