"""The operator table is complete and consistent."""

import string

import onnx
import pytest

from onnx_acts.definition import reference
from onnx_acts.definition.specs import (
    DEFAULT_OPS,
    ELEMENT_TYPES,
    NEWEST_OPSET,
    OPERATORS,
    QUANTIZED,
    SPECS,
    Spec,
    StandardAttribute,
    body,
    spec_of,
    ulp,
)
from onnx_acts.definition.validation import accepts

ONNX_TYPES = {"float32": "tensor(float)", "float64": "tensor(double)"}

FAMILY = {"ReLU", "LeakyReLU", "PReLU", "RReLU", "ELU"}


EXACT = {"float16": 0.5, "bfloat16": 0.5, "float32": 0.5, "float64": 0.5}
TWICE_ROUNDED = {**EXACT, "float16": 0.501, "bfloat16": 0.501}
PROMISES = {
    "ReLU": (EXACT, EXACT),
    "LeakyReLU": (EXACT, TWICE_ROUNDED),
    "PReLU": (EXACT, EXACT),
    "RReLU": (EXACT, TWICE_ROUNDED),
    "ELU": (
        {**EXACT, "float32": 1.0, "float64": 0.6},
        {**TWICE_ROUNDED, "float32": 8.0, "float64": 12.0},
    ),
}
"""What is published, in ULP: of the kernel, and of the function body."""


@pytest.mark.parametrize("name", PROMISES)
def test_promises_are_what_is_published(name: str) -> None:
    """A promise that grows lets worse kernels through everywhere: it is written down twice."""
    promise = spec_of(name).promise
    assert (dict(promise.kernel), dict(promise.body)) == PROMISES[name]


def test_family() -> None:
    """The table has the five activations that the project promises, once each."""
    assert {spec.name for spec in SPECS} >= FAMILY
    assert len({spec.name for spec in OPERATORS}) == len(OPERATORS)


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


@pytest.mark.parametrize("spec", QUANTIZED, ids=lambda spec: spec.name)
def test_quantized_record_is_complete(spec: Spec) -> None:
    """It follows from the record of its activation, but for the types."""
    activation = spec_of(spec.activation)
    assert spec.name == f"QLinear{activation.name}"
    assert spec.reference == f"qlinear_{activation.reference}"
    assert spec.reference in reference.__all__
    assert spec.element_types == ("uint8",)
    assert (spec.inputs[0], spec.outputs) == ("X", activation.outputs)
    assert spec.inputs[5:] == activation.inputs[1:]
    assert {name: "float32" for name in spec.inputs[1:] if "zero" not in name}.items() <= (
        spec.input_types.items()
    )
    assert spec.parameter_source == activation.parameter_source
    assert spec.functor == activation.functor
    ours = [(item.name, item.default) for item in spec.attributes]
    assert ours == [(item.name, item.default) for item in activation.attributes]
    assert {item.kind for item in spec.attributes} <= {"single"}
    for promised in (spec.promise.kernel, spec.promise.body):
        assert set(promised) == set(spec.element_types)
    assert spec.promise.kernel["uint8"] == 0
    assert (*SPECS, *QUANTIZED) == OPERATORS
    for name in (*spec.inputs, *spec.outputs, *(item.name for item in spec.attributes)):
        assert name in spec.body


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_body_uses_every_parameter(spec: Spec) -> None:
    """A body that ignores an input or a real attribute would be another function."""
    body = string.Template(spec.training_body or spec.body).substitute(C="float", to="1")
    for name in spec.inputs[1:]:
        assert f"{name}_c" in body
    for attribute in spec.attributes:
        assert attribute.name in body


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_samples_are_accepted(spec: Spec) -> None:
    """The defaults and every value to try; names are those of real attributes."""
    reals = {item.name for item in spec.attributes if item.kind == "real"}
    for values in ({}, spec.chain, *spec.samples):
        assert accepts(spec, values)
        assert set(values) <= reals
    assert set(spec.torch_names.values()) <= reals
    for i, item in enumerate(spec.attributes):
        assert item.at_least in ("", *(before.name for before in spec.attributes[:i]))
        assert item.range == "any" or item.kind == "real"


@pytest.mark.parametrize("spec", [s for s in SPECS if s.standard], ids=lambda spec: spec.name)
def test_standard_operator_is_onnxs(spec: Spec) -> None:
    """Its types, since when it takes them, and the defaults of its attributes."""
    standard = spec.standard
    assert standard is not None
    newest = onnx.defs.get_schema(standard.name)
    assert {item.name: item.default for item in standard.attributes} == pytest.approx(
        {name: item.default_value.f for name, item in newest.attributes.items()}
    )
    for dtype in ELEMENT_TYPES:
        first = standard.since.get(dtype, onnx.defs.onnx_opset_version() + 1)
        for opset in range(1, onnx.defs.onnx_opset_version() + 1):
            assert takes(standard.name, dtype, opset) == (opset >= first), (dtype, opset)
    assert set(standard.kernels) <= set(standard.since)


def takes(operator: str, dtype: str, opset: int) -> bool:
    """Whether a standard operator takes an element type in an opset."""
    try:
        schema = onnx.defs.get_schema(operator, opset)
    except onnx.defs.SchemaError:
        return False
    name = ONNX_TYPES.get(dtype, f"tensor({dtype})")
    return any(name in item.allowed_type_strs for item in schema.type_constraints)


def test_defaults() -> None:
    """What stays standard unless it is asked for, and what accuracy is meant without a number."""
    assert DEFAULT_OPS[:3] == ("PReLU", "RReLU", "ELU")
    assert not {"ReLU", "LeakyReLU"} & set(DEFAULT_OPS)
    assert all(spec.standard for spec in SPECS if spec.is_fused), "what else would stay"
    assert ulp(float32=2.0) == {"float16": 0.5, "bfloat16": 0.5, "float32": 2.0, "float64": 0.5}


def test_bodies_come_from_files() -> None:
    """One after another, without comments, with names replaced."""
    text = body("rrelu_mean", "rrelu_select", MEAN="negative_slope")
    assert text == spec_of("RReLU").body
    assert "#" not in body("elu")
    assert "MEAN" not in text


def test_unknown_operator_lists_the_known() -> None:
    """The message for an unknown name lists the operators."""
    with pytest.raises(ValueError, match=r"unknown operator 'Gelu'; onnx_acts has ReLU, LeakyReLU"):
        spec_of("Gelu")


@pytest.mark.parametrize(
    "spec", [spec for spec in SPECS if spec.standard], ids=lambda spec: spec.name
)
def test_standard_operators_are_as_the_provider_takes_them(spec: Spec) -> None:
    """No version of the operator is newer than the last that we know; all tensors have type T."""
    history = [
        item
        for item in onnx.defs.get_all_schemas_with_history()
        if (item.domain, item.name) == ("", spec.standard_name)
    ]
    assert history
    for schema in history:
        assert schema.since_version <= NEWEST_OPSET, "what does it mean now?"
        assert {item.type_str for item in (*schema.inputs, *schema.outputs)} == {"T"}


def test_standard_attributes_of_ours() -> None:
    """The one of the same name, or a mean; a zero keeps its sign."""
    one = StandardAttribute("alpha", 1.0)
    two = StandardAttribute("alpha", 0.01, mean_of=("lower", "upper"))
    assert (one.ours, two.ours) == (("alpha",), ("lower", "upper"))
    assert one.value({"alpha": 0.25, "beta": 7.0}) == 0.25
    assert two.value({"lower": 0.25, "upper": 0.75}) == 0.5
    assert str(one.value({"alpha": -0.0})) == "-0.0"
    assert str(two.value({"lower": -0.0, "upper": -0.0})) == "-0.0"
    assert str(two.value({"lower": -0.0, "upper": 0.0})) == "0.0"
