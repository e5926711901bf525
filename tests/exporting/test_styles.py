"""Which activations stay onnx_acts nodes."""

from __future__ import annotations

import onnx
import pytest

from onnx_acts.definition.specs import DOMAIN, ELEMENT_TYPES, SPECS, Spec
from onnx_acts.exporting.styles import apply_style
from tests.helpers import one_node_model

NO_KERNEL = {
    (spec.name, dtype)
    for spec in SPECS
    for dtype in ELEMENT_TYPES
    if spec.standard is None or dtype not in spec.standard.kernels
}
"""What ONNX Runtime's CPU has no kernel for, or the standard no operator."""


def activation(model: onnx.ModelProto) -> tuple[str, str]:
    """Domain and operator of the only activation; ("", "") where there is none."""
    found = [(n.domain, n.op_type) for n in model.graph.node if n.name == "act"]
    return found[0] if found else ("", "")


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_kept(spec: Spec, dtype: str) -> None:
    """An operator in ops is kept, with its body."""
    model = apply_style(one_node_model(spec, dtype, bodies=False), "acts", [spec.name])
    assert activation(model) == (DOMAIN, spec.name)
    assert [function.name for function in model.functions] == [spec.name]


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_not_wanted(spec: Spec, dtype: str) -> None:
    """An operator that is not in ops is standard, unless ONNX Runtime has no such kernel."""
    model = apply_style(one_node_model(spec, dtype, bodies=False), "acts", [])
    kept = (spec.name, dtype) in NO_KERNEL
    assert activation(model) == ((DOMAIN, spec.name) if kept else ("", spec.standard_name))
    assert any(item.domain == DOMAIN for item in model.opset_import) == kept


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_standard(spec: Spec, dtype: str) -> None:
    """The style "standard" leaves no function and no trace of the domain."""
    model = apply_style(one_node_model(spec, dtype, bodies=False), "standard", [spec.name])
    assert not model.functions
    assert all(node.domain == "" for node in model.graph.node)
    assert all(item.domain == "" for item in model.opset_import)
    assert (activation(model) == ("", spec.standard_name)) == ((spec.name, dtype) not in NO_KERNEL)


def test_training_is_never_standard() -> None:
    """A training RReLU has no standard operator: it stays or is inlined, never averaged."""
    (spec,) = [spec for spec in SPECS if spec.training_body]
    model = one_node_model(spec, "float32", bodies=False, training_mode=1)
    assert activation(apply_style(model, "acts", [])) == (DOMAIN, spec.name)
