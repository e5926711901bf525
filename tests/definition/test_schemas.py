"""The schemas are registered once and check nodes."""

import onnx
import pytest
from onnx import helper

from onnx_acts.definition.schemas import op_schema, register_schemas
from onnx_acts.definition.specs import DOMAIN, OPERATORS, QUANTIZED, Spec, spec_of
from tests.helpers import one_node_model
from tests.quantized import one_node


def test_registration_is_idempotent() -> None:
    """Registering again changes nothing and raises nothing."""
    register_schemas()
    register_schemas()
    assert all(onnx.defs.has(spec.name, DOMAIN) for spec in OPERATORS)


@pytest.mark.parametrize("spec", OPERATORS, ids=lambda spec: spec.name)
def test_schema_follows_the_table(spec: Spec) -> None:
    """Inputs, outputs and attributes are those of the record; later outputs are optional."""
    schema = op_schema(spec)
    assert [item.name for item in schema.inputs] == list(spec.inputs)
    assert [item.name for item in schema.outputs] == list(spec.outputs)
    assert set(schema.attributes) == {attribute.name for attribute in spec.attributes}
    assert schema.min_output == 1


def test_inference_without_bodies() -> None:
    """A bare node's output has X's type and shape."""
    register_schemas()
    model = one_node_model(spec_of("RReLU"), "bfloat16", bodies=False, outputs=2)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    types = {v.name: v.type.tensor_type for v in inferred.graph.value_info}
    for name in ("y", "noise"):
        assert types[name].elem_type == onnx.TensorProto.BFLOAT16
        assert [dim.dim_param for dim in types[name].shape.dim] == ["N", "C", "L"]


@pytest.mark.parametrize("spec", QUANTIZED, ids=lambda spec: spec.name)
def test_types_of_quantized_operators(spec: Spec) -> None:
    """Integers with scales and slopes in float32; Y is as X, and other types are refused."""
    register_schemas()
    model = one_node(spec, ("N", 3, 4), (3, 1))
    del model.functions[:]
    onnx.checker.check_model(model, full_check=True)
    unknown = onnx.ModelProto()
    unknown.CopyFrom(model)
    unknown.graph.output[0].type.ClearField("value")
    inferred = onnx.shape_inference.infer_shapes(unknown, strict_mode=True)
    found = inferred.graph.output[0].type.tensor_type
    assert found.elem_type == onnx.TensorProto.UINT8
    assert [dim.dim_value for dim in found.shape.dim][1:] == [3, 4]
    for value in model.graph.input:
        kind = value.type.tensor_type
        right = kind.elem_type
        kind.elem_type = onnx.TensorProto.FLOAT16
        with pytest.raises(onnx.shape_inference.InferenceError, match="float16"):
            onnx.checker.check_model(model, full_check=True)
        kind.elem_type = right


def bare(attribute: onnx.AttributeProto | None, kind: int) -> onnx.ModelProto:
    """A model of one ELU node on a tensor of the given type."""
    node = helper.make_node("ELU", ["x"], ["y"], domain=DOMAIN)
    if attribute is not None:
        node.attribute.append(attribute)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", kind, [3])],
        [helper.make_tensor_value_info("y", kind, [3])],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


@pytest.mark.parametrize(
    ("attribute", "kind", "message"),
    [
        (helper.make_attribute("beta", 1.0), onnx.TensorProto.FLOAT, "beta"),
        (helper.make_attribute("alpha", "one"), onnx.TensorProto.FLOAT, "alpha"),
        (None, onnx.TensorProto.INT32, "int32"),
    ],
)
def test_checker_refuses(attribute: onnx.AttributeProto | None, kind: int, message: str) -> None:
    """An unknown attribute, one of the wrong kind and an integer tensor are refused by name."""
    register_schemas()
    onnx.checker.check_model(bare(None, onnx.TensorProto.FLOAT), full_check=True)
    with pytest.raises(
        (onnx.checker.ValidationError, onnx.shape_inference.InferenceError), match=message
    ):
        onnx.checker.check_model(bare(attribute, kind), full_check=True)


def test_inference_of_a_node_without_inputs() -> None:
    """Inference has nothing to say of it, and raises nothing: an arity check names the node."""
    register_schemas()
    model = bare(None, onnx.TensorProto.FLOAT)
    model.graph.output[0].type.ClearField("value")
    complete = onnx.shape_inference.infer_shapes(model)
    assert complete.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    del model.graph.node[0].input[:]
    assert onnx.shape_inference.infer_shapes(model) == model
