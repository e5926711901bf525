"""The operator table is complete and consistent."""

import string

import pytest

from onnx_acts.definition import reference
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, Spec, spec_of

FAMILY = {"ReLU", "LeakyReLU", "PReLU", "RReLU", "ELU"}


def test_family() -> None:
    """The table has the five activations that the project promises, once each."""
    assert {spec.name for spec in SPECS} >= FAMILY
    assert len({spec.name for spec in SPECS}) == len(SPECS)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_record_is_complete(spec: Spec) -> None:
    """Every record names an existing reference and promises an accuracy for every type."""
    assert spec.reference in reference.__all__
    assert f"{spec.reference}_derivative" in reference.__all__
    assert spec.inputs[0] == "X"
    assert spec.outputs[0] == "Y"
    for promised in (spec.promise.kernel, spec.promise.body):
        assert set(promised) == set(ELEMENT_TYPES)
        assert all(ulp >= 0.5 for ulp in promised.values())
    assert spec.summary.endswith(".")
    assert spec.source


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_body_uses_every_parameter(spec: Spec) -> None:
    """A body that ignores an input or a real attribute would be another function."""
    body = string.Template(spec.training_body or spec.body).substitute(C="float", to="1")
    for name in spec.inputs[1:]:
        assert f"{name}_c" in body
    for attribute in spec.attributes:
        assert attribute.name in body


def test_unknown_operator_lists_the_known() -> None:
    """The message for an unknown name lists the operators."""
    with pytest.raises(ValueError, match=r"unknown operator 'Gelu'; onnx_acts has ReLU, LeakyReLU"):
        spec_of("Gelu")
